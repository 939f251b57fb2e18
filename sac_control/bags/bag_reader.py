"""The messages of a bag, by type, in the order in which they were heard. Bags of `ros2 bag record -s mcap`, too.

Read from the front, without the index at its end, which a recording that was cut off lacks.
"""

from __future__ import annotations

import importlib.util
import struct
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from sac_control.errors import ConfigError, RunError

PACKAGES = {"mcap": "mcap", "mcap_ros2": "mcap-ros2-support"}  # that bags need: what is imported, and its name
_LARGEST_RECORD = 2**28  # [bytes]; ours have a few, and a policy at most 64 MiB


class Recorded(NamedTuple):
    """One message of a bag."""

    type: str  # package/msg/Type
    topic: str
    heard: int  # [ns] system time
    message: Any  # with the fields of the type


def check_packages(what: str) -> None:
    """See that the packages that read and write bags are there, which `what` needs.

    Raises:
        ConfigError: one is not; says how to install them.
    """
    if any(importlib.util.find_spec(name) is None for name in PACKAGES):
        raise ConfigError(
            f"{what} needs {' and '.join(PACKAGES.values())}: {sys.executable} -m pip install "
            f"{' '.join(PACKAGES.values())}"
        )


def messages(bag: Path, types: Collection[str], *, accept_cut: bool = False) -> Iterator[Recorded]:
    """The messages of those types.

    Args:
        bag: its directory, or one MCAP file.
        types: ``package/msg/Type``.
        accept_cut: whether a recording that was cut off is read up to there.

    Raises:
        ConfigError: a package that reads bags is not installed.
        RunError: it is no bag, is damaged, or was cut off.
    """
    check_packages("reading a bag")
    for path in files_of(bag):
        yield from _messages(path, types, accept_cut=accept_cut)


def files_of(bag: Path) -> list[Path]:
    """The MCAP files of a bag, in order.

    Raises:
        RunError: it has none, or they are not those of an MCAP bag.
    """
    if bag.is_file():
        return [bag]
    if not bag.is_dir():
        raise RunError(f"there is no bag {bag}: give the directory that --bag or `ros2 bag record -s mcap` wrote")
    named: list[str] = []
    try:
        content = yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
        named = [Path(str(each)).name for each in content["relative_file_paths"]]
    except OSError:
        pass  # never written, as of a recorder that was killed: its files say all
    except (yaml.YAMLError, RecursionError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{bag / 'metadata.yaml'} is damaged: remove it, the files beside it say all") from error
    found = [bag / name for name in named] or sorted(bag.glob("*.mcap"))
    missing = [path.name for path in found if not path.exists()]
    if not found or missing or any(path.suffix != ".mcap" for path in found):
        what = f"lacks {', '.join(missing)}" if missing else "has no MCAP file"
        raise RunError(f"bag {bag} {what}: record it with --bag, or `ros2 bag record -s mcap`")
    return found


def _messages(path: Path, types: Collection[str], *, accept_cut: bool) -> Iterator[Recorded]:
    from mcap.exceptions import EndOfFile, McapError
    from mcap.records import Channel, Message, Schema
    from mcap.stream_reader import StreamReader
    from mcap_ros2.decoder import DecoderFactory

    schemas: dict[int, Schema] = {}
    decoders: dict[int, Any] = {}  # of the channels that are asked for
    channels: dict[int, Channel] = {}
    factory = DecoderFactory()
    count = 0
    try:
        with path.open("rb") as stream:
            reader = StreamReader(stream, validate_crcs=True, record_size_limit=_LARGEST_RECORD)
            for record in reader.records:
                if isinstance(record, Schema):
                    schemas[record.id] = record
                elif isinstance(record, Channel):
                    channels[record.id] = record
                    schema = schemas.get(record.schema_id)
                    if schema is not None and schema.name in types:
                        decoders[record.id] = factory.decoder_for(record.message_encoding, schema)
                elif isinstance(record, Message) and decoders.get(record.channel_id) is not None:
                    channel = channels[record.channel_id]
                    count += 1
                    decoded = decoders[record.channel_id](record.data)
                    yield Recorded(schemas[channel.schema_id].name, channel.topic, record.log_time, decoded)
    except EndOfFile:
        if not accept_cut:
            raise RunError(
                f"{path} was cut off in the middle, as by a recorder that was killed: {count} messages that are asked "
                "for lie before that; give --accept-cut to use these"
            ) from None
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror}") from error
    except (McapError, struct.error, ValueError, KeyError, IndexError, UnicodeDecodeError, MemoryError) as error:
        raise RunError(f"{path} is no MCAP file, or is damaged ({error!s:.100}): record or copy it again") from error
