"""Protections against states that must move nothing, and against what disturbs the last zero."""

from negative_controls import Controls

SHORT: Controls = {
    ("test_controller.py", "test_period_watch.py"): [
        ("policy/freshness.py", "if stamp == last:", "if False:", "comes_again_from_a_robot"),
        ("policy/objections.py", "objection = self._judge_period(state.stamp, now, is_stale, objection)", "pass",
         "at_another_rate_nothing_arms"),
        ("policy/objections.py", "self._hold(fault)", "pass", "falls_to_zero_when_the_rate"),
        ("policy/controller.py", "0 < state.stamp - last < self._passed_over", "False", "decimated_when_asked_for"),
        ("policy/period_watch.py", "and 2 * self._right < count", "", "lost_states_are_no_other_rate"),
        ("policy/period_watch.py", 'self._speed_objection(1e-9 * mean) if self.compares_clocks else ""', '""',
         "at_another_rate_nothing_arms"),
        ("policy/objections.py", "return self._of_period or", "return", "policy_arm_says_why"),
    ],
    ("test_reasons.py", "test_publishing_faults.py"): [
        ("policy/admission.py", "not self._joints.isdisjoint(state.names) or not self._joints", "True",
         "gripper_on_the_same_topic"),
        ("policy/unused_states.py", "if is_similar or now - self._similar_at > RECENT:", "if True:",
         "prefixed_beside_a_gripper"),
        ("nodes/policy.py", "or self._outlet.is_owed:", "or False:", "holds_first_and_owes"),
        ("nodes/policy.py", 'run("policy/action", now, outlet.answer, action, rest=self._action_rest)',
         'run("") or outlet.answer(action)', "for_observers_may_fail"),
        ("nodes/command_outlet.py", "        self._controller.hold(cause)\n        self.make_safe()\n",
         "        self.make_safe()\n        self._controller.hold(cause)\n", "zero_is_held_before"),
    ],
    ("test_frozen_joints.py",): [
        ("policy/objections.py", "self._frozen.objection(state, command) or objection", "objection",
         "a_frozen_encoder"),
        ("policy/frozen_joints.py", "goes_on = push and push == self._pushes[k] and", "goes_on = push and",
         "moves_by_a_bit"),
        ("policy/frozen_joints.py", "if push >= least:", "if push > 0.0:", "hour_with_coarse or held_by_friction"),
    ],
}  # fmt: skip
