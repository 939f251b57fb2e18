"""Writes a bag: messages as they came over the wire, in one MCAP file, beside it metadata.yaml.

Chunks are small and go to the system soon: whoever is killed loses `CHUNK` bytes, and what was heard since the last
`flush`; up to there the file can be read. Nothing is compressed, which costs time and saves little: messages are short.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import yaml
from mcap.writer import CompressionType, Writer

from sac_control.bags.bag_metadata import Extent, RecordedTopic, metadata_text, qos_profiles
from sac_control.bags.definitions import definition, prefixes
from sac_control.errors import RunError

CHUNK = 2**13  # [bytes], of a few dozen messages


class BagWriter:
    """A bag that is being recorded.

    Args:
        directory: of the bag; it must not exist.
        topics: that it can hold.

    Raises:
        RunError: the directory exists or cannot be written.
        ConfigError: the definition of a message is not found.
    """

    def __init__(self, directory: Path, topics: list[RecordedTopic]) -> None:
        self._directory, self._topics = directory, topics
        self.extent = Extent(counts=[0] * len(topics))
        places = prefixes()
        texts = {topic.type: definition(topic.type, places) for topic in topics}
        self._file = f"{directory.name}_0.mcap"
        try:
            directory.mkdir(parents=True)
            self._stream = (directory / self._file).open("xb")
        except FileExistsError:
            raise RunError(f"bag {directory} exists already: choose another directory") from None
        except OSError as error:
            raise RunError(f"cannot write bag {directory}: {error.strerror}") from error
        self._writer = Writer(self._stream, chunk_size=CHUNK, compression=CompressionType.NONE)
        self._writer.start(profile="ros2", library="sac_control")
        schemas = {name: self._writer.register_schema(name, "ros2msg", text.encode()) for name, text in texts.items()}
        self._channels = [
            self._writer.register_channel(
                topic.name,
                "cdr",
                schemas[topic.type],
                {
                    "offered_qos_profiles": yaml.safe_dump(qos_profiles(topic), sort_keys=False),
                    "topic_type_hash": topic.type_hash,
                },
            )
            for topic in topics
        ]
        self.write_metadata()

    def write(self, topic: int, data: bytes, heard: int, published: int) -> None:
        """Keep a message of the topic of that index.

        Args:
            topic: index.
            data: the message in CDR, as it came.
            heard, published: [ns] system time.

        Raises:
            OSError: the disk does not take it.
        """
        extent = self.extent
        if not sum(extent.counts):
            extent.first = heard
        extent.first, extent.last = min(extent.first, heard), max(extent.last, heard)
        extent.counts[topic] += 1
        self._writer.add_message(self._channels[topic], heard, data, published, extent.counts[topic])

    def flush(self) -> None:
        """Give to the system what is in chunks that are full.

        Raises:
            OSError: the disk does not take it.
        """
        self._stream.flush()

    def write_metadata(self) -> None:
        """Write metadata.yaml, as of now.

        Raises:
            RunError: it cannot be written.
        """
        path = self._directory / "metadata.yaml"
        try:
            temporary = path.with_name(".metadata.yaml")
            temporary.write_text(metadata_text(self._topics, self.extent, self._file))
            temporary.replace(path)
        except OSError as error:
            raise RunError(f"cannot write {path}: {error.strerror}") from error

    def close(self) -> None:
        """End the file with its index.

        Raises:
            RunError: the disk does not take it.
        """
        try:
            self._writer.finish()
            self._stream.close()
        except OSError as error:
            raise RunError(f"cannot write bag {self._directory}: {error.strerror}") from error
        self.write_metadata()

    def abandon(self) -> None:
        """Leave the file as it is: the disk takes no more."""
        with contextlib.suppress(OSError):
            self._stream.close()
