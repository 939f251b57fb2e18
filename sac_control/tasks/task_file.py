"""The reader of task files. Reads strictly: what is not understood is refused with file, line and the nearest name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from sac_control.errors import ConfigError
from sac_control.expression import parse, quote
from sac_control.option import suggest
from sac_control.robots.engines import engine_entries
from sac_control.robots.robot import Camera, Color, Drive, period_complaint
from sac_control.tasks.exam_reader import read_exam
from sac_control.tasks.expression_reader import check_mirror, read_expression
from sac_control.tasks.file_task import EngineSettings, FileTask, TaskContent
from sac_control.tasks.ranges_reader import read_ranges
from sac_control.tasks.starts import Box, Range, Starts
from sac_control.tasks.yaml_reader import Entry, read_yaml
from sac_control.types import JOINT_INTERFACES, Specification
from sac_control.variation.ranges import Ranges

REQUIRED = (
    "task", "robot", "engine", "control_period", "physics_period", "joints", "actuators", "observation", "reward",
    "starts", "episode", "solved_return",
)  # fmt: skip
OPTIONAL = ("terminated", "gravity", "mirror", "continuous", "view", "engines", "randomise", "exam")

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_SPREAD = re.compile(rf"({_NUMBER})\s*(?:\+-|±)\s*({_NUMBER})")


def read_task(path: Path) -> FileTask:
    """The task that the file `path` describes.

    Raises:
        ConfigError: there is no such file, or something in it cannot be understood; file, line and remedy are told.
    """
    path = path.expanduser().resolve()
    try:
        text = path.read_text()
    except FileNotFoundError:
        raise ConfigError(
            f"there is no task file {path}: check the path, or write one by sac_control new-task"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"task file {path} cannot be read: {error}") from None
    return FileTask(path, _content(read_yaml(text, path)))


def _content(file: Entry) -> TaskContent:
    entries = file.mapping((*REQUIRED, *OPTIONAL), REQUIRED)
    joints = _names(entries["joints"])
    drives = _drives(entries["actuators"], joints)
    driven = tuple(drive.joint for drive in drives)
    observation = [read_expression(item, joints, driven) for item in entries["observation"].sequence()]
    mirror = entries["mirror"].truth() if "mirror" in entries else False
    if mirror:
        check_mirror(entries["observation"], observation)
    name, control_period = entries["task"].text(), entries["control_period"].number(above=0.0)
    settings = EngineSettings(
        robot=entries["robot"].text(), physics_period=_physics_period(entries["physics_period"], control_period)
    )
    try:
        specification = Specification(
            task=name,
            joints=joints,
            actuated_joints=driven,
            observation=tuple(term.canonical for term in observation),
            command_limit=tuple(drive.limit for drive in drives),
            control_period=control_period,
            interface=tuple(drive.interface for drive in drives),
        )
    except ConfigError as error:
        raise ConfigError(f"{file.file}: {error}") from None
    episode = entries["episode"].whole_number()
    exam = None
    if "exam" in entries:
        duration = episode * control_period
        exam = read_exam(entries["exam"], joints, driven, duration)
    view = entries.get("view")
    camera, colors = _view(view) if view is not None else (Camera(), {})
    return TaskContent(
        specification=specification,
        drives=drives,
        engine=entries["engine"].choice(engine_entries()),
        settings=settings,
        engines=_engines(entries["engines"], settings, joints, control_period) if "engines" in entries else {},
        gravity=entries["gravity"].number() if "gravity" in entries else 9.81,
        camera=camera,
        colors=colors,
        reward=read_expression(entries["reward"], joints, driven),
        terminated=read_expression(entries["terminated"], joints, driven) if "terminated" in entries else parse("0"),
        starts=_starts(entries["starts"], joints),
        max_episode_steps=episode,
        solved_return=entries["solved_return"].number(),
        is_mirror_symmetric=mirror,
        continuous_joints=_some_joints(entries["continuous"], joints) if "continuous" in entries else (),
        randomise=read_ranges(entries["randomise"].mapping(), joints, driven) if "randomise" in entries else Ranges(),
        exam=exam,
    )


def _names(entry: Entry) -> tuple[str, ...]:
    names = [item.text() for item in entry.sequence()]
    for name in names:
        if names.count(name) > 1:
            entry.refuse(f"names {name!r} twice: expected each joint once")
    if not names:
        entry.refuse("is empty: expected the joints that are measured")
    return tuple(names)


def _some_joints(entry: Entry, joints: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(item.choice(joints) for item in entry.sequence())


def _drives(entry: Entry, joints: tuple[str, ...]) -> tuple[Drive, ...]:
    drives = []
    for joint, each in entry.mapping().items():
        if joint not in joints:
            each.refuse(f"drives a joint that is not among joints; {suggest(joint, joints)}")
        values = each.mapping(("interface", "limit", "max_effort"))
        if "limit" not in values:
            each.refuse(
                "has no limit: expected the largest command, such as limit: 2.5 (effort: N or N m; velocity: m/s or "
                "rad/s; position: m or rad)"
            )
        interface = values["interface"].choice(JOINT_INTERFACES) if "interface" in values else "effort"
        if "max_effort" in values and interface == "effort":
            values["max_effort"].refuse("has no effect for an effort drive, whose limit it is already: leave it out")
        drives.append(
            Drive(
                joint=joint,
                interface=interface,
                limit=values["limit"].number(above=0.0),
                max_effort=values["max_effort"].number(above=0.0) if "max_effort" in values else None,
            )
        )
    if not drives:
        entry.refuse("is empty: expected the driven joints, such as {arm: {interface: effort, limit: 2.5}}")
    return tuple(drives)


def _starts(entry: Entry, joints: tuple[str, ...]) -> Starts:
    boxes = []
    for item in entry.sequence():
        entries = item.mapping()
        share = entries.pop("share").number(above=0.0) if "share" in entries else 1.0
        ranges = tuple(_range(text, each, joints) for text, each in entries.items())
        places = [each.place for each in ranges]
        if len(set(places)) < len(places):
            item.refuse("has a joint's position or velocity twice: expected each once")
        boxes.append(Box(share=share, ranges=ranges))
    if not boxes:
        entry.refuse("is empty: expected one box or more, such as [{pendulum: [-0.2, 0.2]}]")
    return Starts(boxes, len(joints))


def _range(text: str, entry: Entry, joints: tuple[str, ...]) -> Range:
    try:
        expression = parse(text, joints)
        expression.check(joints)
    except ConfigError as error:
        entry.refuse(f"is for something that cannot be read: {error}")
    names = {alias: (kind, joint) for joint in joints for kind, alias in _aliases(joint)}
    if expression.canonical not in names:
        entry.refuse(f"is for {text!r}: expected a joint, position(joint), velocity(joint) or share")
    kind, joint = names[expression.canonical]
    place = 2 * joints.index(joint) + (kind == "velocity")
    centre, spread = _interval(entry)
    return Range(place=place, centre=centre, spread=spread)


def _aliases(joint: str) -> list[tuple[str, str]]:
    """How the position and the velocity of `joint` are written."""
    name = quote(joint)
    return [("position", name), ("position", f"position({name})"), ("velocity", f"velocity({name})")]


def _interval(entry: Entry) -> tuple[float, float]:
    """Centre and spread of ``[low, high]``, ``centre +- spread`` or a number."""
    text = entry.node.value if isinstance(entry.node.value, str) else ""
    if match := _SPREAD.fullmatch(text):
        centre, spread = float(match[1]), float(match[2])
        if spread < 0.0:
            entry.refuse(f"is {entry.shown}: expected a spread that is not negative")
        return centre, spread
    if text:
        return entry.number(), 0.0
    bounds = [item.number() for item in entry.sequence()]
    if len(bounds) != 2 or bounds[0] > bounds[1]:
        entry.refuse(f"is {bounds}: expected [low, high], 'centre +- spread' or a number")
    return (bounds[0] + bounds[1]) / 2.0, (bounds[1] - bounds[0]) / 2.0


def _view(entry: Entry) -> tuple[Camera, Mapping[str, Color]]:
    values = entry.mapping(("target", "distance", "pitch", "yaw", "field_of_view", "colors"))
    camera: dict[str, object] = {
        key: value.number() for key, value in values.items() if key not in ("target", "colors")
    }
    if "target" in values:
        target = [item.number() for item in values["target"].sequence()]
        if len(target) != 3:
            values["target"].refuse(f"has {len(target)} numbers: expected x, y and z [m]")
        camera["target"] = tuple(target)
    colors = {name: _color(each) for name, each in values["colors"].mapping().items()} if "colors" in values else {}
    return Camera(**camera), colors  # type: ignore[arg-type]


def _color(entry: Entry) -> Color:
    parts = [item.number() for item in entry.sequence()]
    if len(parts) != 4 or not all(0.0 <= part <= 1.0 for part in parts):
        entry.refuse(f"is {parts}: expected red, green, blue and opacity, from 0 to 1")
    red, green, blue, opacity = parts
    return red, green, blue, opacity


def _physics_period(entry: Entry, control_period: float) -> float:
    period = entry.number(above=0.0)
    if complaint := period_complaint(control_period, period):
        entry.refuse(complaint)
    return period


def _engines(
    entry: Entry, settings: EngineSettings, joints: tuple[str, ...], control_period: float
) -> dict[str, EngineSettings]:
    engines = {}
    for name, each in entry.mapping(engine_entries()).items():
        values = each.mapping(("robot", "physics_period", "joints", "air_damping"))
        names = (
            {key: value.text() for key, value in values["joints"].mapping(joints).items()} if "joints" in values else {}
        )
        engines[name] = EngineSettings(
            robot=values["robot"].text() if "robot" in values else settings.robot,
            physics_period=_physics_period(values["physics_period"], control_period)
            if "physics_period" in values
            else settings.physics_period,
            model_names=names,
            air_damping=values["air_damping"].number() if "air_damping" in values else 0.0,
        )
    return engines
