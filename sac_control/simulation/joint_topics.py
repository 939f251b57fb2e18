"""Topics on which each joint of a simulation goes by its name, for tools that plot. Knows no ROS."""

from __future__ import annotations

import re
from collections.abc import Sequence

PREFIX = "joint"  # of these topics, in the namespace of the simulator
SHORTEST_PERIOD = 0.01  # [s] of a steady clock between two states of a joint: nobody sees more
FIELDS = ("position", "velocity", "command")  # what each of these topics tells


def joint_topics(joints: Sequence[str]) -> dict[str, str]:
    """The relative name of the topic of each joint.

    Whatever is no letter or digit becomes an underscore: names of ROS allow little more. Where no letter comes first
    `joint_` is put in front, and where two joints would have one topic, the place among all joints behind.
    """
    topics: dict[str, str] = {}
    for k, joint in enumerate(joints):
        plain = re.sub(r"[^A-Za-z0-9]+", "_", joint).strip("_")
        name = f"{PREFIX}/{plain if plain[:1].isalpha() else f'joint_{plain or k}'}"
        while name in topics.values():
            name += f"_{k}"
        topics[joint] = name
    return topics
