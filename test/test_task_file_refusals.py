"""Task files that are refused: with file, line, what was got, and the nearest valid name or what was expected."""

# ruff: noqa: E501  a table is read by its columns

from __future__ import annotations

from pathlib import Path

import pytest

from sac_control.errors import ConfigError
from sac_control.tasks.task_file import read_task
from task_files import GOOD, changed, task_of

REFUSED: dict[str, tuple[str, str]] = {  # the text, and what is said behind the name of the file
    "unknown key": (changed("reward:", "rewart:"), ", line 9: .*'rewart' is not known; did you mean reward?"),
    "missing key": (changed("starts:", "#"), ", line 1: .* has no starts: expected "),
    "given twice": (GOOD + "episode: 10\n", ", line 15: .*'episode' is given twice: expected once"),
    "unknown engine": (changed("engine: mujoco", "engine: mujocco"), ", line 3: engine .*did you mean mujoco?"),
    "unknown engine of its own": (GOOD + "engines: {pybulet: {}}\n", ", line 15: .*'pybulet'.*did you mean pybullet?"),
    "unknown interface": (changed("interface: effort", "interface: torque"), ", line 7: .*'torque'.*effort"),
    "unknown driven joint": (changed("{arm: {inter", "{ram: {inter"), ", line 7: .*did you mean arm?"),
    "no limit": (changed(", limit: 0.05", ""), ", line 7: actuators.arm has no limit: .*such as limit: 2.5"),
    "limit of zero": (changed("limit: 0.05", "limit: 0"), ", line 7: actuators.arm.limit is '0': .* greater than 0"),
    "max_effort of effort": (changed("limit: 0.05", "limit: 1, max_effort: 2"), ", line 7: .*has no effect"),
    "no actuators": (changed("{arm: {interface: effort, limit: 0.05}}", "{}"), ", line 7: actuators is empty"),
    "no joints": (changed("[arm, left/pole-1 a]", "[]"), ", line 6: joints is empty"),
    "a joint twice": (changed("[arm, left", "[arm, arm, left"), ", line 6: joints names 'arm' twice"),
    "unknown joint": (changed("1 - 0.1*arm^2", "1 - 0.1*arn^2"), ", line 9: reward .*'arn'.*did you mean arm?"),
    "unquoted joint": (changed("abs('left/pole-1 a') > 2", "abs(left/pole-1 a) > 2"), ", line 10: terminated .*got 'a', expected an operator"),
    "unknown function": (changed("sin(arm)", "sinn(arm)"), r", line 8: observation\[0\] .*'sinn'.*sin"),
    "action that is not driven": (changed("action(arm)@1]", "action('left/pole-1 a')]"), r", line 8: observation\[5\] .*driven joint"),
    "cut off": (changed("- 0.5*(action(arm) - action(arm)@1)^2", "-"), ", line 9: reward .*the end"),
    "mapping for text": (changed("task: arm_up", "task: {a: b}"), ", line 1: task is keys with values: expected text"),
    "list for text": (changed("robot: arm.urdf", "robot: [arm.urdf]"), ", line 2: robot is a list: expected text"),
    "text for list": (changed("[arm, left/pole-1 a]", "arm"), r", line 6: joints is 'arm': expected a list such as"),
    "text for mapping": (changed("{arm: {interface: effort, limit: 0.05}}", "arm"), ", line 7: .*expected keys with values"),
    "nothing": (changed("task: arm_up", "task:"), ", line 1: task is '': expected text"),
    "text for number": (changed("0.002", "two"), ", line 5: physics_period is 'two': expected a number"),
    "not a number": (changed("solved_return: 95", "solved_return: .nan"), ", line 13: solved_return is '.nan': expected a number"),
    "infinite": (changed("solved_return: 95", "solved_return: inf"), ", line 13: solved_return is 'inf': expected a number"),
    "half an episode": (changed("episode: 100", "episode: 99.5"), ", line 12: episode is '99.5': expected a whole number"),
    "no episode": (changed("episode: 100", "episode: 0"), ", line 12: episode is '0': expected a number greater than 0"),
    "yes for true": (changed("mirror: false", "mirror: yes"), ", line 14: mirror is 'yes': expected true or false"),
    "part of a period": (changed("0.002", "0.003"), r", line 5: physics_period is 0.003 s, .*0.01 s: expected a whole part of it"),
    "part of an engine's period": (GOOD + "engines: {pybullet: {physics_period: 0.02}}\n", ", line 15: .*physics_period is 0.02 s"),
    "period too short": (changed("control_period: 0.01", "control_period: 1.0e-9").replace("0.002", "1.0e-9"), ": control_period is 1e-09"),
    "no starts": (changed("[{arm: [-0.2, 0.4], \"velocity('left/pole-1 a')\": 0.1 +- 0.3}]", "[]"), ", line 11: starts is empty"),
    "start of an effort": (changed("{arm: [", "{effort(arm): ["), r", line 11: .*'effort\(arm\)': expected a joint, position"),
    "start of an action": (changed("{arm: [", "{action(arm): ["), r", line 11: .*action\(arm\)"),
    "start of an unknown joint": (changed("{arm: [", "{arn: ["), ", line 11: .*'arn'.*did you mean arm?"),
    "start upside down": (changed("[-0.2, 0.4]", "[0.4, -0.2]"), r", line 11: .*is \[0.4, -0.2\]: expected \[low, high\]"),
    "start of three": (changed("[-0.2, 0.4]", "[-0.2, 0, 0.4]"), r", line 11: .*expected \[low, high\]"),
    "negative spread": (changed("+- 0.3", "+- -0.3"), ", line 11: .*not negative"),
    "start twice": (changed("{arm: [-0.2, 0.4]", "{arm: 1, position(arm): 2"), ", line 11: .*twice"),
    "no share": (changed("[{arm", "[{share: 0, arm"), ", line 11: .*share is '0': expected a number greater than 0"),
    "no mirror image": (changed("mirror: false", "mirror: true").replace("sin(arm), cos(arm)", "sin(arm), sin(arm) + cos(arm)"),
                        r", line 8: observation has a term without mirror image"),
    "continuous stranger": (GOOD + "continuous: [leg]\n", ", line 15: .*'leg'.*known are arm"),
    "what cannot vary": (GOOD + "randomise: {mas: [0.5, 2]}\n", ", line 15: randomise.mas cannot vary; did you mean mass?"),
    "no mass": (GOOD + "randomise: {mass: [0, 2]}\n", ", line 15: randomise.mass reaches 0: expected greater than 0"),
    "negative friction": (GOOD + "exam: {friction: {arm: -1}}\n", ", line 15: exam.friction.arm reaches -1: expected at least 0"),
    "empty range": (GOOD + "exam: {gain: [2, 1]}\n", ", line 15: exam.gain is .2.0, 1.0.: expected .low, high. with low at most high"),
    "mass of a stranger": (GOOD + "exam: {mass: {leg: 2}}\n", ", line 15: exam.mass key 'leg' is not known; known are arm"),
    "one range of different units": (GOOD + "randomise: {noise: 0.1}\n", ", line 15: randomise.noise is one range: expected one of each"),
    "way of velocities": (GOOD + "randomise: {velocity: diff}\n", ", line 15: .*did you mean difference?"),
    "half an end": (GOOD + "exam: {gain: 2, kept: abs(arm) < 1}\n", ", line 15: exam has one of kept and kept_for"),
    "an end longer than an episode": (GOOD + "exam: {gain: 2, kept: abs(arm) < 1, kept_for: 2}\n",
                                      ", line 15: exam has kept_for of 2 s: expected at most an episode, which lasts 1 s"),
    "camera": (GOOD + "view: {distnace: 3}\n", ", line 15: .*'distnace' is not known; did you mean distance?"),
    "color": (GOOD + "view: {colors: {arm: [255, 0, 0, 1]}}\n", ", line 15: .*from 0 to 1"),
    "not YAML": (changed("[arm, left", "[arm, [left"), " is not YAML: "),
    "levels without end": ("a: " + "[" * 100_000, " is not YAML: it is nested more than 100 levels deep"),
    "tabs": (GOOD + "engines:\n\tmujoco: {}\n", " is not YAML: "),
    "two documents": (GOOD + "---\n" + GOOD, " is not YAML: "),
    "a list": ("- task\n", ", line 1: task file is a list: expected keys with values"),
    "empty": ("# nothing\n", " is empty: expected a task; sac_control new-task"),
    "code": (changed("1 - 0.1*arm^2", "__import__('os').getpid() + 1"), ", line 9: reward "),
    "a tag of Python's": (changed("task: arm_up", "task: !!python/object/apply:os.getpid []"), ", line 1: task is a list"),
    "itself": (changed("[arm, left/pole-1 a]", "&a [*a]"), ", line 6: .*is a list: expected text"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_understood_is_refused_with_file_and_line(tmp_path: Path, what: str) -> None:
    text, complaint = REFUSED[what]
    with pytest.raises(ConfigError, match=f"arm.yaml{complaint}") as caught:
        task_of(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_task_file_that_is_not_there_or_no_text_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no task file .*none.yaml: .*sac_control new-task"):
        read_task(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read: .*directory"):
        read_task(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="binary.yaml cannot be read: "):
        read_task(tmp_path / "binary.yaml")
