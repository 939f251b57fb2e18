"""As test_negative_controls.py, for what protects against bad networks and overload.

``SAC_CONTROL_FAULTS=full`` runs those that flood real nodes, too.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from test_negative_controls import fails_without

# file, what protects, what takes its place, the test that must fail and its file
CONTROLS = [
    ("sac/arrivals.py", "place >= WINDOW or ", "", "later_than_the_window", "test_sac_arrivals.py"),
    ("sac/arrivals.py", "or heard.seen >> place & 1", "", "late_number_is_new_once", "test_sac_arrivals.py"),
    ("sac/arrivals.py", "self.missing += skipped", "pass", "skipped_numbers", "test_sac_arrivals.py"),
    ("sac/arrivals.py", " if sequence < heard.lowest else -1", "", "late_number_is_new_once",
     "test_sac_arrivals.py"),
    ("sac/arrivals.py", "if len(self._sources) > MOST_SOURCES:", "if False:", "memory_is_bounded",
     "test_sac_arrivals.py"),
    ("sac/arrivals.py", "(seen | 1) & _ALL", "seen | 1", "memory_is_bounded", "test_sac_arrivals.py"),
    ("sac/arrivals.py", "sequence - before.next >= FARTHEST", "False", "unless_it_is_absurd", "test_sac_arrivals.py"),
    ("sac/training.py", "self._arrivals.distrust(transition.source, transition.sequence)", "pass", "strangers",
     "test_sac_training.py"),
    ("nodes/event_loop.py", "subscription.qos_profile.depth >= DEEP", "False", "deep_queue", "test_event_loop.py"),
    ("nodes/topics.py", "except _rclpy.RCLError:", "except ZeroDivisionError:", "middleware_refuses",
     "test_node_simulator.py"),
    # The same between real nodes.
    ("sac/arrivals.py", "or heard.seen >> place & 1", "", "buffer_holds_exactly", "test_traffic_faults.py"),
    ("policy/freshness.py", "(stamp < last and is_fresh)", "False", "falls_to_zero and late",
     "test_traffic_faults.py"),
]  # fmt: skip
LONG_CONTROLS = [
    ("sac/arrivals.py", "self.missing += skipped", "pass", "buffer_holds_exactly", "test_traffic_faults.py"),
    ("sac/training.py", "            self._rejected += 1\n", "", "flood_of_transitions", "test_overload_faults.py"),
    ("sac/training.py", "self._arrivals.distrust(transition.source, transition.sequence)", "pass",
     "flood_of_transitions", "test_overload_faults.py"),
    ("sac/arrivals.py", "self.missing += skipped", "pass", "flood_of_transitions", "test_overload_faults.py"),
    ("runs/training_run.py", "self._recorder.note(transition)",
     "self._recorder.note(transition); vars(self).setdefault('leak', []).append(bytes(10_000))",
     "flood_of_transitions", "test_overload_faults.py"),
    ("nodes/topics.py", "_qos(10), _qos(1, reliable=False)", "_qos(10), _qos(5000, reliable=False)",
     "flood_of_states", "test_overload_faults.py"),
]  # fmt: skip
NAMES = ("file", "protection", "instead", "name", "of")


@pytest.mark.parametrize(NAMES, CONTROLS, ids=lambda value: None)
def test_without_its_protection_a_test_fails(
    tmp_path: Path, file: str, protection: str, instead: str, name: str, of: str
) -> None:
    fails_without(tmp_path, file, protection, instead, name, (of,))


@pytest.mark.skipif(os.environ.get("SAC_CONTROL_FAULTS") != "full", reason="only with SAC_CONTROL_FAULTS=full")
@pytest.mark.parametrize(NAMES, LONG_CONTROLS, ids=lambda value: None)
def test_without_its_protection_a_test_that_takes_long_fails(
    tmp_path: Path, file: str, protection: str, instead: str, name: str, of: str
) -> None:
    fails_without(tmp_path, file, protection, instead, name, (of,))
