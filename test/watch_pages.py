"""A client of the page that speaks its protocol and draws nothing, and runs to be watched."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import viser
import zstandard
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.typing import Subprotocol

from benchmarks.workers.watch_client import LOOKS_FROM
from policies import SPECIFICATION
from ros_world import PATIENCE
from sac_control.store.replay_file import RECORD, ReplayFile

VERSION = Subprotocol(f"viser-v{viser.__version__}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def client(port: int, **options: Any) -> Iterator[Connection]:
    """A connection that counts as a browser."""
    with connect(f"ws://127.0.0.1:{port}", subprotocols=[VERSION], max_size=None, **options) as connection:
        send(connection, LOOKS_FROM)
        yield connection


def send(connection: Connection, message: dict[str, Any]) -> None:
    connection.send(msgspec.msgpack.encode(message))


def messages(data: bytes) -> list[dict[str, Any]]:
    """What a server sent in one piece."""
    size = struct.unpack("<QQ", data[:16])[1]
    found: list[dict[str, Any]] = msgspec.msgpack.decode(zstandard.decompress(data[16 : 16 + size]))["messages"]
    return found


def read_until(connection: Connection, is_enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """All messages so far, when they are enough."""
    found: list[dict[str, Any]] = []
    until = time.monotonic() + PATIENCE
    while not is_enough(found):
        data = connection.recv(timeout=until - time.monotonic())
        assert isinstance(data, bytes)
        found += messages(data)
    return found


def words_on(found: list[dict[str, Any]]) -> str:
    """All words that were sent for the page."""
    return "\n".join(map(str, found))


def make_run(path: Path, mode: str = "lockstep") -> Path:
    """The files of a short run that has ended, but for its transitions."""
    path.mkdir(parents=True)
    (path / "config.yaml").write_text(
        f"/**/simulator:\n  ros__parameters: {{mode: {mode}}}\n"
        "/**/learner:\n  ros__parameters: {task: inverted_pendulum, algorithm: sac}\n"
    )
    (path / "episodes.csv").write_text("env_steps,return,length,terminated,variation\n10,3,10,1,\n25,8,15,1,\n")
    (path / "evaluations.csv").write_text(
        "env_steps,policy_version,mean_return,min_return,solved_episodes,episodes,plants_passed,plants_tried\n"
        "20,2,456.25,5,0,10,,\n30,3,1000,1000,10,10,23,24\n"
    )
    (path / "metrics.csv").write_text(
        "env_steps,last_return,mean_return,critic_loss,actor_loss,entropy,alpha,steps_per_second,wall_time\n"
        "10,3,3,,,,,50,1\n20,3,3,0.5,-4,0.7,0.125,50,2\n30,8,5.5,0.25,-6,0.6,0.0625,50,3\n"
    )
    (path / "summary.json").write_text('{"solved": true, "hardened": false, "env_steps": 30, "updates": 240}')
    (path / "exam.json").write_text('{"is_passed": true, "worst": {"plant": "heavy pole"}}')
    return path


def record_swing(run: Path, count: int = 300) -> None:
    """A pole that swings from side to side on a cart that goes to and fro."""
    time_ = np.arange(count) / 60.0
    cart, pole = 0.8 * np.sin(2.0 * time_), 0.6 * np.sin(5.0 * time_)
    size = len(SPECIFICATION.observation)
    rows = np.zeros((count, 2 * size + 3), np.float32)
    values = {
        "position(slider_to_cart)": cart,
        "velocity(slider_to_cart)": 1.6 * np.cos(2.0 * time_),
        "cos(cart_to_pendulum)": np.cos(pole),
        "sin(cart_to_pendulum)": np.sin(pole),
        "velocity(cart_to_pendulum)": 3.0 * np.cos(5.0 * time_),
    }
    for place, term in enumerate(SPECIFICATION.observation):
        rows[:, place] = values[term]
    rows[:, size] = np.sin(time_)
    records = np.zeros(count, RECORD)
    records["step"] = np.arange(count)
    ReplayFile(run / "replay", rows.shape[1]).append(0, rows, records)
