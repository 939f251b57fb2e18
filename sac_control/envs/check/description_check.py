"""What a robot description says beside what the task says: drives, limits, masses, and joints that turn for ever."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from sac_control.envs.check.finding import Finding, error, warning
from sac_control.expression import parse
from sac_control.expression.tree import Call, Node, Signal, children
from sac_control.robots.robot import Drive, Robot
from sac_control.robots.survey import HINGE, Survey, SurveyedBody, SurveyedJoint
from sac_control.tasks.robot_task import RobotTask
from sac_control.types import FloatArray

SMALLEST_RADIUS, LARGEST_RADIUS = 1e-4, 10.0  # [m] of gyration: beyond them, an inertia is in other units than kg m²
_SLACK = 1.01  # of comparisons of numbers that people round
_HEAVIER = 1e-9  # [kg] than nothing


def check_description(task: RobotTask, robot: Robot, survey: Survey) -> Iterator[Finding]:
    """Compare the task's `robot` with the `survey` of its description."""
    file = survey.path.name
    for name, kind in survey.unusable:
        yield error(f"joint {name!r} in {file} is {kind}: no joint state describes it, so fix the base to the world")
    for body in survey.bodies:
        yield from _check_body(body, file)
    joints = {joint.name: joint for joint in survey.joints}
    for drive in robot.drives:
        if (joint := joints.get(robot.model_name(drive.joint))) is not None:
            yield from _check_drive(drive, joint, file)
    taken = {robot.model_name(joint) for joint in robot.joints}
    for name in joints:
        if name not in taken:
            yield warning(
                f"joint {name!r} in {file} moves, and the task leaves it out: the policy does not see it, so name it "
                "under joints, or make it a fixed one"
            )
    yield from _check_continuous(task, robot, joints)


def _check_drive(drive: Drive, joint: SurveyedJoint, file: str) -> Iterator[Finding]:
    if joint.max_effort is None and not (joint.interface and joint.command_limit):
        yield warning(
            f"driven joint {drive.joint!r} has no limit of effort in {file}: nothing says what its drive can give, so "
            "add it (URDF: <limit effort=…>, MJCF: ctrlrange of its actuator)"
        )
    commanded = drive.limit if drive.interface == "effort" else drive.max_effort
    if joint.max_effort and commanded and commanded > joint.max_effort * _SLACK:
        yield error(
            f"actuators.{drive.joint}: {commanded:g} is more than the effort of {joint.max_effort:g} that {file} "
            "allows: the robot could not do what is learnt, so take the smaller one"
        )
    if drive.interface == "velocity" and joint.max_velocity and drive.limit > joint.max_velocity * _SLACK:
        yield error(
            f"actuators.{drive.joint}: {drive.limit:g} is more than the velocity of {joint.max_velocity:g} that {file} "
            "allows: take the smaller one"
        )
    if joint.interface and joint.interface != drive.interface:
        yield warning(
            f"actuators.{drive.joint} has the interface {drive.interface}, and {file} offers {joint.interface}: the "
            "robot may not take such commands"
        )


def _check_body(body: SurveyedBody, file: str) -> Iterator[Finding]:
    if not body.mass > _HEAVIER:
        yield error(
            f"link {body.name!r} in {file}, which joint {body.joint!r} moves, has the mass {body.mass:g}: give it an "
            "<inertial> with mass [kg] and inertia [kg m²]"
        )
        return
    for name, mass, inertia in body.inertias:
        if mass > _HEAVIER and (complaint := _inertia_complaint(mass, inertia)):
            yield error(f"inertia of link {name!r} in {file} {complaint}")


def _inertia_complaint(mass: float, inertia: FloatArray) -> str:
    """What is wrong with an inertia, (3, 3) [kg m²], of a body of a mass [kg]; empty where nothing is."""
    moments = np.linalg.eigvalsh(inertia)
    if not moments[2] > 0.0:
        return "is zero: a body of that mass [kg] resists being turned, so give it in kg m² (a rod: mass*length²/12)"
    if moments[0] < -1e-12 or moments[0] + moments[1] < moments[2] / _SLACK:
        shown = ", ".join(f"{moment:.3g}" for moment in moments)
        return f"has the principal moments {shown} kg m²: no body has them, because two are never less than the third"
    radius = math.sqrt(float(moments[2]) / mass)
    if not SMALLEST_RADIUS < radius < LARGEST_RADIUS:
        return (
            f"is that of {mass:g} kg at {radius:.3g} m from its axis: that is not this robot's size, so see whether it "
            "is in kg m² (1 g mm² is 1e-9 kg m²)"
        )
    return ""


def _check_continuous(task: RobotTask, robot: Robot, joints: dict[str, SurveyedJoint]) -> Iterator[Finding]:
    """A joint that turns for ever must be seen by sine and cosine: half a turn both ways is the same place."""
    terms = [parse(term, task.specification.joints) for term in task.specification.observation]
    for name in robot.joints:
        joint = joints.get(robot.model_name(name))
        is_listed = name in task.continuous_joints
        if not is_listed and not (joint is not None and joint.is_continuous):
            continue
        for term in terms:
            if name in _unwrapped(term.root):
                why = "is under continuous" if is_listed else "turns for ever"
                yield warning(
                    f"observation {term.canonical} counts whole turns of joint {name!r}, which {why}: see it by sin "
                    "and cos of it, or give it a range in the description"
                )
    for name in task.continuous_joints:
        joint = joints.get(robot.model_name(name))
        if joint is not None and joint.kind != HINGE:
            yield error(f"continuous names joint {name!r}, which slides: expected joints that turn")


def _unwrapped(node: Node) -> set[str]:
    """The joints whose positions `node` reads outside of sine and cosine."""
    if isinstance(node, Call) and node.function in ("sin", "cos"):
        return set()
    if isinstance(node, Signal):
        return set(node.joints) if node.kind == "position" else set()
    return set().union(*map(_unwrapped, children(node)))
