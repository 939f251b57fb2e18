"""metadata.yaml of a bag, version 9, as `ros2 bag` of ROS 2 Jazzy and later writes and reads it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import yaml

VERSION = 9
_FOREVER = {"sec": 9223372036, "nsec": 854775807}


@dataclass(frozen=True, kw_only=True)
class RecordedTopic:
    """One topic of a bag."""

    name: str  # in full
    type: str  # package/msg/Type
    depth: int  # of the publisher's history
    is_reliable: bool
    is_latched: bool
    type_hash: str = ""  # see definitions.py


@dataclass
class Extent:
    """What has been written."""

    counts: list[int]  # messages of each topic
    first: int = 0  # [ns] system time at which the first was heard
    last: int = 0  # [ns]


def qos_profiles(topic: RecordedTopic) -> list[dict[str, Any]]:
    """The quality of service that its publisher offers."""
    return [
        {
            "history": "keep_last",
            "depth": topic.depth,
            "reliability": "reliable" if topic.is_reliable else "best_effort",
            "durability": "transient_local" if topic.is_latched else "volatile",
            "deadline": dict(_FOREVER),
            "lifespan": dict(_FOREVER),
            "liveliness": "automatic",
            "liveliness_lease_duration": dict(_FOREVER),
            "avoid_ros_namespace_conventions": False,
        }
    ]


def metadata_text(topics: list[RecordedTopic], extent: Extent, file: str) -> str:
    """The content of metadata.yaml for a bag of one file."""
    named = [
        {
            "topic_metadata": {
                "name": topic.name,
                "type": topic.type,
                "serialization_format": "cdr",
                "offered_qos_profiles": qos_profiles(topic),
                "type_description_hash": topic.type_hash,
            },
            "message_count": count,
        }
        for topic, count in zip(topics, extent.counts, strict=True)
    ]
    content = {
        "version": VERSION,
        "storage_identifier": "mcap",
        **_span(extent),
        "topics_with_message_count": named,
        "compression_format": "",
        "compression_mode": "",
        "relative_file_paths": [file],
        "files": [{"path": file, **_span(extent)}],
        "custom_data": None,
        "ros_distro": os.environ.get("ROS_DISTRO", "unknown"),
    }
    return yaml.safe_dump({"rosbag2_bagfile_information": content}, sort_keys=False)


def _span(extent: Extent) -> dict[str, Any]:
    return {
        "duration": {"nanoseconds": extent.last - extent.first},
        "starting_time": {"nanoseconds_since_epoch": extent.first},
        "message_count": sum(extent.counts),
    }
