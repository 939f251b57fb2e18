"""Protections of what is told of a robot's joints, and of the region outside of which nothing arms."""

from negative_controls import Controls

SHORT: Controls = {
    ("test_arming_region.py",): [
        ("policy/objections.py", "                objection = objection or self._arming_region.objection\n",
         "                pass\n", "hanging_pole"),
        ("policy/objections.py", "self._of_period or self._arming_region.objection", "self._of_period", "hanging_pole"),
        ("policy/objections.py", "if self._safety.mode is not Mode.ACTIVE:  # once armed, the envelope alone",
         "if True:  # once armed, the envelope alone", "leaves_the_region_freely"),
        ("policy/arming_region.py", "        if self.verdict and self._is_needed:\n", "        if False:\n",
         "without_a_region_arms"),
        ("policy/region.py", "return (value - low) % TURN <= high - low", "return low <= value <= high", "whole_turns"),
        ("policy/region.py", "            if not joint.velocity[0] <= velocity <= joint.velocity[1]:\n",
         "            if False:\n", "in_position_or_velocity"),
    ],
    ("test_robot_joints.py",): [
        ("policy/robot_joints.py", "return robot_name + HIDDEN if robot_name in self._robot_names else robot_name",
         "return robot_name", "another_robots_of_the_same_name"),
        ("policy/requirements.py", "    RobotJoints(config).check(specification)\n", "", "does_not_fit_the_policy"),
        ("policy/policy_config.py", ".strip() and not self.drives_robot:", " and False:",
         "simulator_has_the_policys_joints"),
    ],
    ("test_joint_limits.py",): [
        ("policy/joint_limits.py", "    if value and len(joints) > 1:\n", "    if False:\n", "one_number_for_several"),
        ("policy/joint_limits.py", "            if joint not in joints:\n", "            if False:\n", "not_driven"),
        ("policy/live_limits.py", "    return any(value > before", "    return all(value > before", "looser_limit"),
    ],
    ("test_trained_region.py",): [
        ("training/training.py", "        self.seen_states.restore(state.arrays)\n", "", "kept_where_a_run_is_resumed"),
    ],
}  # fmt: skip
