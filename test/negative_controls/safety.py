"""Protections that keep force away from what moves: safety, watchdogs, limits."""

from negative_controls import Controls

SHORT: Controls = {
    ("test_controller.py", "test_safety.py", "test_config.py"): [
        ("policy/limits.py", "np.minimum(np.maximum(effort, self._lowest), self._limit)  #", "effort  #",
         "limiter_clamps"),
        ("policy/limits.py", "if not all(map(math.isfinite, values)):", "if False:", "limiter_clamps"),
        ("policy/limits.py", "return min(max(value, last - step), last + step)", "return value", "no_force_leaves"),
        ("policy/limits.py", "    value = min(max(value, -limit), limit)\n", "", "authority_grows"),
        ("policy/controller.py", "if command is limiter.zero:", "if False:", "becomes_zero_and_latches"),
        ("policy/admission.py", "if self._envelope is not None else", "if False else", "outside_of_the_envelope"),
        ("policy/admission.py", "freshness.check_finite(state, self._joints)", "pass", "does_not_look"),
        ("policy/admission.py", "            if self._check_stamps:\n", "            if False:\n", "system_time_older"),
        ("policy/controller.py", "self.safety.latch(cause)\n        self._withdraw()", "self.safety.latch(cause)",
         "stop_takes_the_force"),
        ("policy/freshness.py", "stamp < last and is_fresh", "False", "older_stamp_is_not_answered"),
        ("policy/hot_swap.py", "if version <= (newest := self._newest.get(run, -1)):", "if newest := 0:",
         "rollback_puts"),
        ("policy/safety.py", "(self._is_lockstep or not silence)", "True", "freeze_disarms"),
        ("policy/safety.py", "Mode.ARMING, hold or because", 'Mode.ARMING, ""', "what_ended_a_motion"),
        ("policy/safety.py", "self._streak >= MAX_STREAK and", "", "three_usable_states"),
        ("policy/safety.py", " and now - self._streak_began >= 0.5 * self.timeout", "", "all_at_once"),
        ("policy/safety.py", "self.mode is not Mode.INACTIVE and self.is_stale(now)", "False", "silence_holds_zero"),
        ("policy/safety.py", "        self._streak = 0\n\n    def wait", "        pass\n\n    def wait",
         "breaks_the_row"),
        ("policy/safety.py", "self._is_arm_requested or not self._require_arm", "True", "states_alone_move_nothing"),
        ("policy/safety.py", "is_released and not self._latch", "is_released", "latch_outlives"),
        ("policy/safety.py", "if self.is_stale(now) and not self._is_lockstep:", "if False:", "nobody_arms"),
        ("policy/policy_config.py", "and not self.allow_long_timeout", "and False", "long_or_vanishing"),
    ],
    ("test_policy_faults.py", "test_node_simulator.py"): [
        ("nodes/command_outlet.py", "        self._controller.hold(cause)\n        self.zero()\n",
         "        self._controller.hold(cause)\n", "raises_holds_first"),
        ("nodes/policy.py", "if controller.is_late():", "if False:", "took_longer_than_the_timeout"),
        ("nodes/command_outlet.py", "self._controller.blocked_by or self._config.dry_run else",
         "self._controller.blocked_by else", "dry_run"),
        ("nodes/policy.py", "if self._controller.must_command_zero() or", "if", "no_messages_and_keep"),
        ("nodes/simulator.py", " or _now() - self._command_time > self._config.command_timeout:", ":",
         "zeroes_the_force_when"),
    ],
}  # fmt: skip
