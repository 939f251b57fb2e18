"""Motion on the page is motion that was: recorded states are read back as they were, and shown as fast as they were."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from sac_control.errors import RunError
from sac_control.observation import Observer
from sac_control.store.replay_file import RECORD, ReplayFile
from sac_control.tasks.catalogue import TASKS, make_task
from sac_control.watch.motion import Motion, Sample, columns
from sac_control.watch.recording import Recording, places_of_joints

SPECIFICATION = make_task("inverted_double_pendulum").specification


def record(directory: Path, count: int, episode_length: int = 50) -> np.ndarray:
    """Write `count` transitions; the states, (count, 2 j), that they were made from."""
    rng = np.random.default_rng(0)
    joints, driven = len(SPECIFICATION.joints), len(SPECIFICATION.actuated_joints)
    states = rng.uniform(-3.0, 3.0, (count, 2 * joints))
    observer = Observer(SPECIFICATION.observation, SPECIFICATION.joints, SPECIFICATION.actuated_joints)
    rows = np.zeros((count, 2 * observer.size + driven + 2), np.float32)
    for row, state in zip(rows, states, strict=True):
        observer.observe(state[:joints], state[joints:], row[: observer.size])
        row[observer.size : observer.size + driven] = 0.5
    records = np.zeros(count, RECORD)
    records["episode"] = np.arange(count) // episode_length
    records["step"] = np.arange(count) % episode_length
    ReplayFile(directory, rows.shape[1]).append(0, rows, records)
    return states


def test_recorded_states_are_those_that_were_observed(tmp_path: Path) -> None:
    states = record(tmp_path, 120)
    recording = Recording(tmp_path, SPECIFICATION)
    assert recording.complaint == ""
    samples, told = recording.stretch(20)
    joints = len(SPECIFICATION.joints)
    shown = np.array([[*sample.position, *sample.velocity] for sample in samples])
    np.testing.assert_allclose(shown, states[20:50, : 2 * joints], atol=1e-5)
    assert samples[1].command == (0.5 * SPECIFICATION.command_limit[0],)
    assert math.isclose(samples[1].time, SPECIFICATION.control_period)
    assert told == "transition 21 of 120, episode 0, step 20, policy version 0"


def test_stretch_ends_with_its_episode_and_before_damage(tmp_path: Path) -> None:
    record(tmp_path, 120)
    recording = Recording(tmp_path, SPECIFICATION)
    assert len(recording.stretch(0)[0]) == 50
    rows = tmp_path / "transitions.f32"
    data = bytearray(rows.read_bytes())
    size = len(data) // 120
    data[10 * size] ^= 0xFF
    rows.write_bytes(data)
    assert len(recording.stretch(0)[0]) == 10
    with pytest.raises(RunError, match="transition 10 is damaged"):
        recording.stretch(10)
    assert rows.read_bytes() == data


def test_run_without_transitions_says_so(tmp_path: Path) -> None:
    assert Recording(tmp_path, SPECIFICATION).complaint == "no transition was recorded"


@pytest.mark.parametrize("task", TASKS)
def test_states_of_every_built_in_task_can_be_read_back(task: str) -> None:
    assert places_of_joints(make_task(task).specification) is not None


def test_joint_whose_position_is_not_observed_is_told(tmp_path: Path) -> None:
    blind = dataclasses.replace(SPECIFICATION, observation=("velocity(slider_to_cart)",))
    record(tmp_path, 3)
    ReplayFile(tmp_path, 5).append(0, np.zeros((3, 5), np.float32), np.zeros(3, RECORD))
    assert "does not hold the position of every joint" in Recording(tmp_path, blind).complaint


def test_stretch_of_fast_time_is_shown_at_its_own_pace() -> None:
    motion = Motion()
    motion.play([Sample(time=100.0 + 0.1 * k, position=(float(k),)) for k in range(10)], now=5.0)
    assert len(motion.until(5.0)) == 1
    assert motion.until(5.31)[-1].position == (3.0,)
    assert not motion.is_over(5.31)
    assert motion.is_over(6.0)


def test_of_motion_as_time_passes_the_newest_is_shown_and_a_new_start_begins_anew() -> None:
    motion = Motion()
    motion.extend([Sample(time=0.1 * k, position=(float(k),)) for k in range(5)])
    assert motion.until(0.0)[-1].position == (4.0,)
    motion.extend([Sample(time=0.0, position=(9.0,))])  # a simulation that began again
    assert len(motion.until(0.0)) == 1


def test_columns_have_a_gap_where_a_number_is_not_known() -> None:
    times, command = columns(
        [Sample(time=1.0, position=(0.0,)), Sample(time=2.0, position=(0.0,), command=(7.0,))], "command"
    )
    assert times.tolist() == [-1.0, 0.0]
    assert math.isnan(command[0])
    assert command[1] == 7.0
