"""What protects against bad networks and overload."""

from negative_controls import Controls

SHORT: Controls = {
    ("test_sac_arrivals.py",): [
        ("training/arrivals.py", "return is_new", "return True", "repeated_number"),
        ("training/arrivals.py", "place < WINDOW and ", "", "later_than_the_window"),
        ("training/arrivals.py", " and not self.seen >> place & 1", "", "late_number_is_new_once"),
        ("training/arrivals.py", "self.missing += skipped", "pass", "skipped_numbers"),
        ("training/arrivals.py", " if sequence < heard.lowest else -1", "", "late_number_is_new_once"),
        ("training/arrivals.py", "if len(self._sources) > MOST_SOURCES:", "if False:", "memory_is_bounded"),
        ("training/arrivals.py", "(seen | 1) & _ALL", "seen | 1", "memory_is_bounded"),
        ("training/arrivals.py", "sequence - before.next >= FARTHEST", "False", "unless_it_is_absurd"),
    ],
    ("test_sac_training.py",): [
        ("training/training.py", "self._arrivals.distrust(transition.source, transition.sequence)", "pass",
         "strangers"),
    ],
    ("test_event_loop.py",): [
        ("nodes/event_loop.py", "subscription.qos_profile.depth >= DEEP", "False", "deep_queue"),
    ],
    ("test_node_simulator.py",): [
        ("nodes/topics.py", "except _rclpy.RCLError:", "except ZeroDivisionError:", "middleware_refuses"),
        ("nodes/simulator.py", "= command, self._looked_at", "= command, _now()", "process_stalled"),
    ],
    ("test_traffic_faults.py",): [
        ("training/arrivals.py", "return is_new", "return True", "buffer_holds_exactly"),
        ("training/arrivals.py", " and not self.seen >> place & 1", "", "buffer_holds_exactly"),
        ("policy/freshness.py", "stamp < last and is_fresh", "False", "falls_to_zero and late"),
    ],
}  # fmt: skip
LONG: Controls = {
    ("test_traffic_faults.py",): [
        ("training/arrivals.py", "self.missing += skipped", "pass", "buffer_holds_exactly"),
    ],
    ("test_overload_faults.py",): [
        ("training/training.py", "            self._rejected += 1\n", "", "flood_of_transitions"),
        ("training/training.py", "self._arrivals.distrust(transition.source, transition.sequence)", "pass",
         "flood_of_transitions"),
        ("training/arrivals.py", "self.missing += skipped", "pass", "flood_of_transitions"),
        ("training/training_run.py", "self.store.note(transition)",
         "self.store.note(transition); vars(self).setdefault('leak', []).append(bytes(10_000))",
         "flood_of_transitions"),
        ("nodes/topics.py", "_qos(10), _qos(1, reliable=False)", "_qos(10), _qos(5000, reliable=False)",
         "flood_of_states"),
    ],
}  # fmt: skip
