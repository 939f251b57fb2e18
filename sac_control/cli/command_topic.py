"""On which topic a deployed policy commands: where ros2_control takes commands of its interface. Knows no ROS."""

from __future__ import annotations

import dataclasses

from sac_control.cli.node_description import NodeDescription
from sac_control.errors import PolicyFileError
from sac_control.types import Specification

_TOPIC = "{}_controller/commands"  # of an interface
_OF_THE_NODE = _TOPIC.format("effort")  # what a policy node calls it, whatever it commands


def with_command_topic(node: NodeDescription, specification: Specification) -> NodeDescription:
    """The policy node `node`, for a policy of `specification`: it commands velocities on velocity_controller/commands.

    A topic that people chose by a remapping is left as it is, whichever of the two names they gave it.

    Raises:
        PolicyFileError: joints are driven by several interfaces, and no topic was chosen.
    """
    if any(old.endswith(_OF_THE_NODE) for old, _ in node.remappings):
        return node
    interfaces = tuple(dict.fromkeys(specification.interface))
    if len(interfaces) > 1:
        driven = zip(specification.actuated_joints, specification.interface, strict=True)
        raise PolicyFileError(
            f"the policy drives {', '.join(f'{joint!r} by {interface}' for joint, interface in driven)}, and a "
            "forward_command_controller takes one interface alone: let a controller of yours take all of them in this "
            f"order on one topic, and name that: --remap {_OF_THE_NODE}:=TOPIC"
        )
    topic = _TOPIC.format(interfaces[0])
    if topic == _OF_THE_NODE:
        return node
    chosen = next((new for old, new in node.remappings if old.endswith(topic)), topic)
    return dataclasses.replace(node, remappings=(*node.remappings, (_OF_THE_NODE, chosen)))
