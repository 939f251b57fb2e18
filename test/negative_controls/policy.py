"""Protections of limits set at run time, of the shadow policy, of what is deployed."""

from negative_controls import Controls

SHORT: Controls = {
    ("test_controller.py",): [
        ("policy/controller.py", "            return remaining\n", "            return remaining + 0.001\n",
         "to_the_point"),
        ("policy/controller.py", "            command = limiter.release()\n        self.admission.stamp",
         "            command = limiter.limit(command_raw, last, state.stamp, now)\n        self.admission.stamp",
         "until_three_states_have_armed"),
    ],
    ("test_live_limits.py",): [
        ("policy/live_limits.py", "    if not is_active:\n", "    if True:\n", "looser_only_while"),
        ("policy/command_limiter.py", "self._limiter.set(self.limits, command_rates(config, self._specification))",
         "pass", "limits_efforts_from_the_next"),
        ("policy/live_limits.py", "    _check_ceiling(new, joints, own)\n", "", "no_limit_goes_beyond"),
        ("policy/live_limits.py", "        if name not in LIVE:\n", "        if False:\n", "every_other_setting"),
        ("policy/envelope.py", "bound.low <= own.low and own.high <=", "own.high <=",
         "looser_only_while"),
    ],
    ("test_shadow_faults.py",): [
        ("policy/shadow_process.py", "elif not np.isfinite(action).all():", "elif False:",
         "its_process_switches_it_off and finite"),
        ("policy/shadow_process.py", "if now - self._asked[1] > patience:", "if False:", "never_starts"),
        ("policy/controller.py", "            check_shadow(file.specification, self.swap.file.specification)",
         "            pass", "ends_the_start and period"),
        ("nodes/shadow_relay.py", "        except Exception as error:  # noqa: BLE001 (not hidden: told below)",
         "        except OSError as error:", "this_side and take"),
    ],
    ("test_requirements.py",): [
        ("policy/requirements.py", "if config.control_period and", "if False and", "another_robot"),
        ("policy/requirements.py", "if config.joints.strip() and", "if False and", "another_robot"),
        ("policy/requirements.py", "if own > most:", "if False:", "another_robot"),
    ],
    ("test_live_parameters.py",): [
        ("nodes/parameters.py", "read_only=name not in live", "read_only=False", "SimulatorNode"),
        ("nodes/policy.py", "take_live_parameters(self, self._controller.checked_limits, self._take_limits)", "pass",
         "each_live_limit"),
    ],
}  # fmt: skip
