"""What lets nodes find each other again."""

from negative_controls import Controls

SHORT: Controls = {
    ("test_node_description.py", "test_plan_restarts.py", "test_faults_clock.py", "test_faults_callbacks.py",
     "test_faults_restarts.py"): [
        ("cli/node_description.py", "if self.restarts == 0 or exit_code in", "if exit_code in", "until_its_restarts"),
        ("cli/node_description.py", "restarts=self.restarts - 1, ", "", "until_its_restarts"),
        ("cli/node_description.py", "exit_code in (EXIT_DONE, EXIT_SETTING, EXIT_START)", "exit_code == EXIT_DONE",
         "cannot_begin"),
        ("cli/plan.py", 'restart_parameters={"resume": True}', "restart_parameters={}", "learner_resumes"),
        ("cli/plan.py", 'restart_parameters={"require_arm": True}', "restart_parameters={}", "waits_to_be_armed"),
        ("cli/plan.py", "        restarts = 0  # the numbers would be others", "        pass", "start_nothing_again"),
        ("nodes/learner.py", "self._on_watch, clock=STEADY_CLOCK", "self._on_watch", "steady_clock"),
        ("nodes/policy.py", "self._outlet.hold(sentence)", "self._controller.hold(sentence)", "beyond_its_guards"),
        ("nodes/process.py", "EXIT_FAULT if node is not None else EXIT_START", "EXIT_FAULT", "cannot_begin_says"),
    ],
    ("test_ending.py",): [
        ("cli/ending.py", "if not is_at_work(self._pid):", "if True:", "that_works_is_waited_for"),
        ("cli/ending.py", " or self._passed > self._longest", "", "not_for_ever"),
        ("cli/ending.py", "self._idle > self._patience or", "False or", "does_nothing_is_overdue"),
    ],
}  # fmt: skip
LONG: Controls = {
    ("test_end_to_end.py",): [
        ("cli/runner.py", "len(signals) > max(asked, 1)", "False", "second_ctrl_c_kills"),
    ],
    ("test_faults_clock.py", "test_faults_callbacks.py", "test_faults_restarts.py"): [
        ("policy/freshness.py", "if stamp < last and is_fresh:", "if stamp <= last:",
         "control_goes_on_by_itself"),
        ("policy/freshness.py", "if abs(now - stamp) <= 1e9 * timeout:", "if True:", "while_the_clocks_differ"),
        ("policy/freshness.py", "abs(now - stamp) <=", "now - stamp <=", "while_the_clocks_differ"),
        ("nodes/process.py", "        node.fail(", "        str(", "lockstep_whose_callback_raises and _on_action"),
        ("simulation/exchange.py", "self._awaited is None or now - self._since < self._answer_timeout", "True",
         "peer_comes_back and lockstep"),
        ("simulation/exchange.py", "self.has_credit or self._awaited is not None or now - self._since < PROBE_PERIOD",
         "True", "peer_comes_back and lockstep"),
        ("cli/runner.py", "            successor = self._node.successor(code)", "            successor = None",
         "deployed_policy_again_unarmed"),
        ("cli/plan.py", "dict.fromkeys(PROTECTIONS, True)", "{}", "service_that_starts"),
        ("system/offspring.py", "    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)", "    pass", "service_that_starts"),
        ("cli/runner.py", "if now >= self._due:", "if False:", "deployed_policy_again_unarmed"),
    ],
}  # fmt: skip
