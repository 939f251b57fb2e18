"""What keeps apart who does not belong together on the wires."""

from negative_controls import Controls

SHORT: Controls = {
    ("test_hot_swap.py",): [
        ("policy/hot_swap.py", "if weights.run_id != self._accept_run_id:", "if False:", "weights_of_another_run"),
        ("policy/hot_swap.py", "if not self._accept_run_id:", "if False:", "no_weights_are_accepted"),
        ("policy/hot_swap.py", "(file.policy_version, file.run, file.run_id) != named", "False",
         "contradicts_its_file"),
    ],
    ("test_requirements.py",): [
        ("policy/requirements.py", "and not is_local", "and False", "must_be_signed"),
    ],
    ("test_identities.py",): [
        ("policy/own_states.py", "if state.frame != self._frame and (self._frame or is_of_a_run(state.frame)):",
         "if False:", "own_simulator_alone"),
        ("nodes/simulator.py", "if (msg.run_id, msg.specification_hash) != self._identity:", "if False:",
         "policy_node_of_its_run_alone"),
        ("nodes/policy.py", "topics.COMMANDS) if config.drives_robot else None", "topics.COMMANDS)",
         "has_no_command_topic"),
        ("nodes/simulator.py", 'config.mode == "realtime" and not config.run_id', 'config.mode == "realtime"',
         "takes_no_commands"),
        ("tasks/robot_task.py", '"max_episode_steps": self.max_episode_steps,', "", "asked_otherwise"),
        ("tasks/robot_task.py", "self.reward(rows), ", "", "by_what_they_answer"),
        ("tasks/robot_task.py", "float(self.is_terminated(rows))", "0.0", "by_what_they_answer"),
    ],
    ("test_reach.py",): [
        ("nodes/middleware.py", "os.environ.update(by_udp(os.environ))", "pass", "a_node_that_moves_a_robot_listens"),
    ],
    ("test_task_file.py",): [
        ("tasks/robot_task.py", '"rules": self.rules,', "", "asked_otherwise_gives"),
    ],
    ("test_task_file_refusals.py",): [
        ("tasks/yaml_reader.py", "            if name in entries:\n", "            if False:\n",
         "refused_with_file_and_line"),
        ("tasks/task_file.py", "if complaint := period_complaint(control_period, period):", "if complaint := '':",
         "refused_with_file_and_line"),
        ("tasks/task_file.py", '.choice(engine_entries())', ".text()", "refused_with_file_and_line"),
    ],
    ("test_node_learner.py",): [
        ("nodes/learner.py", "if (msg.run_id, msg.task_hash) != self._identity:", "if False:", "left_out_and_said"),
        ("nodes/learner.py", "if msg.run_id != run_id:\n            return", "if False:\n            return",
         "versions_of_another_run"),
    ],
    ("test_state_sources.py",): [
        ("policy/state_sources.py", "if now - self._heard.get(source, -math.inf) > MEMORY:", "if True:", "not_alone"),
    ],
    ("test_wires.py",): [
        ("nodes/claim.py", "< (started, run_id):", "< (0, run_id):", "younger_of_two"),
        ("nodes/neighbours.py", 'if not endpoint.node_name.startswith("_"):', "if True:", "hides_its_node"),
    ],
}  # fmt: skip
LONG: Controls = {
    ("test_wires.py",): [
        ("nodes/rival_watch.py", "controller.blocked_by = complaint", "pass", "two_policies_on_one_robot"),
        ("nodes/rival_watch.py", "if self._has_latched:", "if True:", "cause_of_another_latch"),
        ("nodes/rival_watch.py", "            controller.stop(complaint)\n            self._outlet.make_safe()\n",
         "            pass\n", "two_policies_on_one_robot"),
        ("nodes/command_outlet.py", "None if self._controller.blocked_by or", "None if", "two_policies_on_one_robot"),
        ("policy/controller.py", "        if self.blocked_by:\n", "        if False:\n", "could_command_the_robot"),
        ("nodes/neighbours.py", "if full_name(endpoint) not in (self._simulator, NAMELESS):", "if False:",
         "namespace_of_a_robot and states"),
    ],
}  # fmt: skip
