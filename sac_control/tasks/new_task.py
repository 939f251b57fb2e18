"""The text of a first task file, from what a robot description says. It runs as it is; what people decide is TODO."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from sac_control.errors import ConfigError
from sac_control.expression import quote
from sac_control.robots.robot import Camera
from sac_control.robots.survey import Survey, SurveyedJoint
from sac_control.types import MOST_DRIVEN

ENGINE, CONTROL_PERIOD, PHYSICS_PERIOD = "mujoco", 0.01, 0.002  # [s]
_EPISODE = 1000  # control periods
_PLAIN = re.compile(r"[A-Za-z_.(](?:[\w ./()+*^<>=-]|:(?=\S))*")  # scalars that YAML reads as they are written
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}  # that YAML takes for something else than text
_LEAN = 0.5  # [rad or m] from where a joint without a drive has fallen
_START = 0.1  # [rad or m] to each side
_START_SHARE = 0.05  # of the range of a joint, at most


def first_task(survey: Survey, robot: str, name: str) -> str:
    """The text of a first task file, but for the view.

    Args:
        survey: of the robot description.
        robot: how the file refers to the description.
        name: of the task.

    Raises:
        ConfigError: no joint has a drive, more have one than a command has room for, or a joint cannot be described.
    """
    joints = [joint for joint in survey.joints if joint.name]
    driven = [joint for joint in joints if joint.interface]
    _check(survey, driven)
    parts = [
        _head(survey, robot, name),
        _joints_of(survey, joints),
        _actuators(driven),
        _observation(joints),
        _asked(joints, driven),
    ]
    if continuous := [scalar(joint.name) for joint in joints if joint.is_continuous]:
        parts.append(
            f"\n# Joints that turn for ever: whole turns do not count.\ncontinuous: [{', '.join(continuous)}]\n"
        )
    return "".join(parts)


def view_lines(camera: Camera) -> str:
    """The lines of a task file that say where pictures are taken from."""
    target = ", ".join(f"{value:g}" for value in camera.target)
    return f"""
# Where pictures are taken from: the point in their middle and the distance [m], and the camera's angles [deg]:
# negative pitch looks down, positive yaw goes round to the right.
view: {{target: [{target}], distance: {camera.distance:g}, pitch: {camera.pitch:g}, yaw: {camera.yaw:g}}}
"""


def scalar(text: str) -> str:
    """`text` as YAML has it within lists and mappings, with quotes where it needs them."""
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS and text == text.strip()
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _check(survey: Survey, driven: Sequence[SurveyedJoint]) -> None:
    for name, kind in survey.unusable:
        raise ConfigError(
            f"joint {name!r} in {survey.path} is {kind}: expected hinges and sliding joints alone, so fix the base to "
            "the world, or replace the joint by several"
        )
    if not survey.joints:
        raise ConfigError(f"{survey.path} has no joint that moves: expected a robot with one or more")
    if not driven:
        names = [joint.name for joint in survey.joints]
        raise ConfigError(
            f"no joint of {survey.path} has a drive (known are {', '.join(names)}): give the driven ones a "
            "<ros2_control> command interface or <limit effort=…>; in MJCF an actuator"
        )
    if len(driven) > MOST_DRIVEN:
        raise ConfigError(
            f"{survey.path} has {len(driven)} driven joints: at most {MOST_DRIVEN} can be commanded, so take the "
            "drives of the others out of the description"
        )


def _head(survey: Survey, robot: str, name: str) -> str:
    return f"""\
# A first task for {survey.path.name}. It can be trained as it is; go through the lines with TODO to ask for what
# you want. Then: sac_control check-task, sac_control train --task. docs/your_robot.md explains every key.
task: {scalar(name)}
robot: {scalar(robot)} # URDF, xacro or MJCF: a path from this file, or package://name/path
engine: {ENGINE} # which simulates it: mujoco or pybullet
control_period: {CONTROL_PERIOD} # [s] between two commands, as on the robot
physics_period: {PHYSICS_PERIOD} # [s] a whole part of it: shorter is more exact, and slower
"""


def _joints_of(survey: Survey, joints: Sequence[SurveyedJoint]) -> str:
    lines = [
        "\n# Joints that are measured. Expressions call them by name; names with / - or blanks stand in single quotes."
    ]
    if len(joints) < len(survey.joints):
        lines.append("# TODO a joint without a name in the description is left out: give it one.")
    lines.append("joints:")
    lines += [f"  - {scalar(joint.name)} # {_described(joint)}" for joint in joints]
    return "\n".join(lines) + "\n"


def _described(joint: SurveyedJoint) -> str:
    if joint.is_continuous:
        return "turns for ever [rad]"
    if joint.range is None:
        return "slides without end [m]"
    low, high = joint.range
    return f"from {low:g} to {high:g} [{joint.unit('position')}]"


def _actuators(driven: Sequence[SurveyedJoint]) -> str:
    lines = [
        "\n# Driven joints: the interface for their commands (effort, velocity or position), and the largest command.",
        "actuators:",
    ]
    for joint in driven:
        values = [f"interface: {joint.interface}", f"limit: {joint.command_limit or 1.0:g}"]
        note = f"[{joint.unit(joint.interface)}]"
        if joint.interface != "effort" and joint.max_effort:
            values.append(f"max_effort: {joint.max_effort:g}")
            note += f", and the largest effort that the drive has for it [{joint.unit('effort')}]"
        if joint.command_limit is None:
            note += " TODO the description says no limit: this is a guess"
        lines.append(f"  {scalar(joint.name)}: {{{', '.join(values)}}} # {note}")
    return "\n".join(lines) + "\n"


def _observation(joints: Sequence[SurveyedJoint]) -> str:
    lines = [
        "\n# What the policy sees: one expression per line (docs/expressions.md). Joints that turn for ever are seen",
        "# by sine and cosine, because half a turn to the left is half a turn to the right.",
        "observation:",
    ]
    for joint in joints:
        name = quote(joint.name)
        seen = [f"sin({name})", f"cos({name})"] if joint.is_continuous else [f"position({name})"]
        lines += [f"  - {scalar_expression(term)}" for term in seen]
    lines += [f"  - {scalar_expression(f'velocity({quote(joint.name)})')}" for joint in joints]
    return "\n".join(lines) + "\n"


def scalar_expression(text: str) -> str:
    """An expression as YAML has it: quotes of names within it are nothing to YAML."""
    return text if not re.search(r": | #|[\[\]{}\"\\,]", text) else json.dumps(text, ensure_ascii=False)


def _asked(joints: Sequence[SurveyedJoint], driven: Sequence[SurveyedJoint]) -> str:
    """Reward, termination, starts and episode: to stay near zero, which is a sensible task for what can fall."""
    free = [joint for joint in joints if joint not in driven]
    share = 1.0 / len(joints)
    costs = [f"{0.1 if joint in driven and free else share:.2g}*{_offset(joint)}^2" for joint in joints]
    ends = [f"abs({_offset(joint)}) > {_LEAN:g}" for joint in free]
    ends += [
        f"abs({_offset(joint)}) > {0.45 * (joint.range[1] - joint.range[0]):.3g}" for joint in driven if joint.range
    ]
    starts = [f"{scalar(quote(joint.name))}: {_start(joint)}" for joint in joints]
    terminated = scalar_expression(" or ".join(ends)) if ends else "0"
    return f"""
# TODO what is good: the reward of each control period. This one asks all joints to stay at zero.
reward: {scalar_expression(" - ".join(["1", *costs]))}
# TODO what ends an episode as a failure: a joint that has fallen, or comes near to its end. 0: nothing does.
terminated: {terminated} # [rad, m]
# TODO where episodes begin: ranges that are drawn from; velocity(joint): [low, high] likewise. The rest is 0.
starts:
  - {{{", ".join(starts)}}} # [rad, m]
episode: {_EPISODE} # control periods after which an episode ends without failure
# TODO an episode with this return (the sum of its rewards) has solved the task; training goes on until all do.
solved_return: {0.9 * _EPISODE:g}
# TODO true where opposite signs of all joints and commands are the mirror image (see check-task): it learns faster.
mirror: false
# TODO how far your robot may be from its description. Without the two number signs, a training that has solved the task
# goes on with another robot in each episode, and ends when it passes an exam (docs/robustness.md).
# randomise: {{{_ranges(driven, "0.8, 1.25", "1.5")}}}
# exam: {{{_ranges(driven, "0.85, 1.2", "1")}}}
"""


def _ranges(driven: Sequence[SurveyedJoint], factor: str, latency: str) -> str:
    """What of every robot is uncertain: masses, motors by effort, and how late commands come."""
    motors = [scalar(joint.name) for joint in driven if joint.interface == "effort"]
    gain = f"gain: {{{', '.join(f'{name}: [{factor}]' for name in motors)}}}, " if motors else ""
    return f"mass: [{factor}], {gain}latency: {{commands: [0, {latency}]}}"


def _middle(joint: SurveyedJoint) -> float:
    """Where a joint is asked to stay: at 0, or in the middle of its range where 0 is none of it or its end."""
    if joint.range is None or joint.range[0] < 0.0 < joint.range[1]:
        return 0.0
    return float(f"{sum(joint.range) / 2.0:.3g}")


def _offset(joint: SurveyedJoint) -> str:
    """How far the joint is from its middle, as an expression of which the first character is no quote."""
    name = quote(joint.name)
    position = name if name == joint.name else f"position({name})"
    middle = _middle(joint)
    return f"({position} {'-' if middle > 0.0 else '+'} {abs(middle):g})" if middle else position


def _start(joint: SurveyedJoint) -> str:
    spread, middle = _START, _middle(joint)
    if joint.range:
        spread = min(spread, float(f"{_START_SHARE * (joint.range[1] - joint.range[0]):.2g}"))
    return f"[{middle - spread:.4g}, {middle + spread:.4g}]"
