"""Degrees for radians, found where no angle in radians would be that large."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sac_control.envs.check.finding import Finding, error, warning
from sac_control.expression.tree import Call, Chain, Node, Number, Signal, children
from sac_control.robots.robot import Robot
from sac_control.robots.survey import HINGE, Survey
from sac_control.tasks.file_task import FileTask
from sac_control.tasks.robot_task import RobotTask
from sac_control.types import FloatArray

TURN = 2.0 * math.pi * 1.001  # [rad] a whole one, as people round it
SURELY_DEGREES = 20.0  # [rad] three turns: no joint has such a range, and many have one of 30 degrees


def check_units(task: RobotTask, robot: Robot, survey: Survey | None, starts: FloatArray) -> Iterator[Finding]:
    """Look for angles that are none.

    Args:
        task: what is asked.
        robot: of the task.
        survey: of its description; None: not known. Without it, no joint is known to turn.
        starts: (n, 2j) start states.
    """
    if survey is None:
        return
    hinges = {joint.name: joint for joint in survey.joints if joint.kind == HINGE}
    turning = [joint for joint in robot.joints if robot.model_name(joint) in hinges]
    for joint in hinges.values():
        farthest = max(map(abs, joint.range)) if joint.range else 0.0
        if farthest > TURN:
            level = error if farthest > SURELY_DEGREES else warning
            yield level(
                f"joint {joint.name!r} in {survey.path.name} ends at {farthest:g} rad, more than a turn: "
                f"{_if_degrees(farthest)}"
            )
    for name in turning:
        farthest = float(abs(starts[:, 2 * robot.joints.index(name)]).max())
        if farthest > TURN:
            yield error(
                f"starts put joint {name!r} at up to {farthest:.4g} rad, more than a turn: {_if_degrees(farthest)}"
            )
    for drive in robot.drives:
        if drive.interface == "position" and drive.joint in turning and drive.limit > TURN:
            yield error(
                f"actuators.{drive.joint}: position commands of up to {drive.limit:g} rad are more than a turn: "
                f"{_if_degrees(drive.limit)}"
            )
    if isinstance(task, FileTask):
        for key, expression in (("terminated", task.content.terminated), ("reward", task.content.reward)):
            for name, value in _compared(expression.root, frozenset(turning)):
                yield error(f"{key} compares joint {name!r} with {value:g} rad, more than a turn: {_if_degrees(value)}")


def _if_degrees(value: float) -> str:
    return f"if {abs(value):.4g} are degrees, write {math.radians(abs(value)):.4g}"


def _compared(node: Node, turning: frozenset[str]) -> Iterator[tuple[str, float]]:
    """Joints that turn, with numbers beyond a turn that their positions are compared with."""
    if isinstance(node, Chain) and node.operators[0] in ("<", "<=", ">", ">=", "==", "!="):
        numbers = [abs(item.value) for item in map(_unsigned, node.items) if isinstance(item, Number)]
        names = [name for item in node.items if (name := _angle(item)) in turning]
        yield from ((name, value) for name in names if name for value in numbers if value > TURN)
    for child in children(node):
        yield from _compared(child, turning)


def _unsigned(node: Node) -> Node:
    return children(node)[0] if not isinstance(node, Number | Signal) and len(children(node)) == 1 else node


def _angle(node: Node) -> str | None:
    """The joint whose position `node` is, by itself or as abs(joint) or -joint."""
    if isinstance(node, Call) and node.function != "abs":
        return None
    inner = _unsigned(node)
    return inner.joints[0] if isinstance(inner, Signal) and inner.kind == "position" else None
