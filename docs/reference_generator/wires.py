"""Topics, services and messages: from `nodes/topics.py`, the docstrings of the nodes, and `msg/`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from reference_generator.markdown import code, page, plain, table
from sac_control.nodes import topics
from sac_control.nodes.evaluator import EvaluatorNode
from sac_control.nodes.learner import LearnerNode
from sac_control.nodes.policy import PolicyNode
from sac_control.nodes.recorder import RECORDED, RecorderNode
from sac_control.nodes.simulator import SimulatorNode
from sac_control.nodes.topics import Topic

MESSAGES = Path(__file__).parents[2] / "msg"
NODES = {
    "simulator": SimulatorNode,
    "policy": PolicyNode,
    "learner": LearnerNode,
    "evaluator": EvaluatorNode,
    "recorder": RecorderNode,
}
_FIELD = re.compile(r"^(\S+)\s+(\w+)(?:=(\S+))?\s*(?:#\s*(.*))?$")


def topics_and_services() -> str:
    """Every topic with type, quality of service and who is at either end; every service; the nodes."""
    rows = [_topic_row(topic) for topic in all_topics()]
    offered = [[code(name), code(kind), code(node)] for node in NODES for name, kind in services(node).items()]
    return page(
        "Topics and services",
        "Names are relative: a training lives in `/training`, an evaluation in `/evaluation`, a robot at the root.\n"
        "*bag*: the recorder listens to it. Each quality of service can be overridden by\n"
        "`qos_overrides.<topic>.<publisher|subscription>.<policy>`.\n",
        table(["topic", "type", "publishers", "subscribers", "publisher's QoS", "subscriber's QoS", "bag"], rows),
        "Of one joint of a simulation, `joint/<name>`: `sac_control/msg/Joint`, published by the simulator.\n",
        "## Services\n",
        table(["service", "type", "node"], offered),
        "The policy is a lifecycle node, and has the services of one, too.\n",
        *(f"## The {name} node\n\n```text\n{inspect.getdoc(node)}\n```\n" for name, node in NODES.items()),
    )


def all_topics() -> list[Topic]:
    """Those of `nodes/topics.py`, each name once."""
    found = [value for value in vars(topics).values() if isinstance(value, Topic)]
    return list({topic.name: topic for topic in reversed(found)}.values())[::-1]


def type_name(topic: Topic) -> str:
    """As `ros2 topic list -t` has it."""
    return f"{topic.type.__module__.split('.')[0]}/msg/{topic.type.__name__}"


def ends(topic: Topic) -> tuple[list[str], list[str]]:
    """Names of the nodes that publish a topic, and of those that subscribe to it."""
    named = re.compile(rf"(?<![\w/]){re.escape(topic.name)}(?![\w/])")
    publishers, subscribers = (
        [name for name, node in NODES.items() if named.search(_said(node, label))]
        for label in ("Publishes", "Subscribes")
    )
    return publishers, subscribers


def services(node: str) -> dict[str, str]:
    """The services of a node with their types."""
    said = _said(NODES[node], "Services")
    names = [value for value in vars(topics).values() if isinstance(value, str) and re.fullmatch(r"\w+/\w+", value)]
    common = re.search(r"\(all (\w+)\)", said)
    found = {}
    for name in names:
        own = re.search(rf"{name} \((\w+)\)", said)
        kind = own or common
        if name in said and kind is not None:
            found[name] = f"std_srvs/srv/{kind[1]}"
    return found


def _said(node: type, label: str) -> str:
    """What a node's docstring has behind `label`."""
    found = re.search(rf"^{label}:(.*?)(?=^\S|^$|\Z)", inspect.getdoc(node) or "", re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


def _topic_row(topic: Topic) -> list[str]:
    publishers, subscribers = ends(topic)
    return [
        code(topic.name),
        code(type_name(topic)),
        ", ".join(publishers),
        ", ".join(subscribers),
        _quality(topic.publisher_qos),
        _quality(topic.subscription_qos),
        "yes" if topic in RECORDED else "",
    ]


def _quality(qos: QoSProfile) -> str:
    reliability = "reliable" if qos.reliability is ReliabilityPolicy.RELIABLE else "best effort"
    latched = ", latched" if qos.durability is DurabilityPolicy.TRANSIENT_LOCAL else ""
    return f"{reliability}, last {qos.depth}{latched}"


@dataclass
class Message:
    """What a .msg file says."""

    purpose: str
    constants: list[list[str]] = field(default_factory=list)  # type, name, value, comment
    fields: list[list[str]] = field(default_factory=list)  # type, name, comment


def read_message(text: str) -> Message:
    """A .msg file, with its comments.

    Raises:
        ValueError: a line is none of those that are known.
    """
    head = re.match(r"(?:#.*\n)*", text)
    assert head is not None
    message = Message(" ".join(line.lstrip("# ") for line in head[0].splitlines()))
    newest: list[str] | None = None
    ahead = ""  # what is said ahead of a constant or field
    for line in text[head.end() :].splitlines():
        if line.startswith(" ") and newest is not None:  # its comment goes on
            newest[-1] += " " + line.strip().lstrip("# ")
        elif line.startswith("#"):
            ahead += line.lstrip("# ") + " "
        elif line.strip():
            found = _FIELD.match(line)
            if found is None:
                raise ValueError(f"{line!r} is no field, constant or comment")
            kind, name, value, comment = found.groups(default="")
            newest = [kind, name, *([value] if value else []), ahead + comment]
            ahead = ""
            (message.constants if value else message.fields).append(newest)
    return message


def messages() -> str:
    """Every message with its fields and constants."""
    return page("Messages", *_messages())


def _messages() -> Iterator[str]:
    yield "Numbers are SI unless a unit says otherwise; `ros2 interface show sac_control/msg/NAME` shows the same.\n"
    for path in sorted(MESSAGES.glob("*.msg")):
        message = read_message(path.read_text())
        yield f"## {path.stem}\n\n{plain(message.purpose)}\n"
        yield table(["field", "type", "what"], [[code(n), code(t), plain(c)] for t, n, c in message.fields])
        if message.constants:
            rows = [[code(name), code(value), plain(comment)] for _, name, value, comment in message.constants]
            yield table(["constant", "value", "what"], rows)
