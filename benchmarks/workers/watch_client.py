"""A client of `sac_control watch` that takes what comes and draws nothing: the cost of serving, without a browser."""

from __future__ import annotations

import contextlib
import sys
import time

import msgspec
import viser
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from sac_control.system.background import yield_to_others

LOOKS_FROM = {
    "type": "ViewerCameraMessage",
    "wxyz": (1.0, 0.0, 0.0, 0.0),
    "position": (0.0, -2.0, 0.5),
    "fov": 1.0,
    "near": 0.01,
    "far": 1000.0,
    "image_height": 1000,
    "image_width": 1600,
    "look_at": (0.0, 0.0, 0.3),
    "up_direction": (0.0, 0.0, 1.0),
}
PATIENCE = 60.0  # [s] until the server is there


def main() -> int:
    """Read until the server at the port, the only argument, ends."""
    yield_to_others()  # what a browser costs is not measured
    port, until = int(sys.argv[1]), time.monotonic() + PATIENCE
    while True:
        try:
            connection = connect(
                f"ws://127.0.0.1:{port}", subprotocols=[Subprotocol(f"viser-v{viser.__version__}")], max_size=None
            )
            break
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
    connection.send(msgspec.msgpack.encode(LOOKS_FROM))
    sys.stdout.write("connected\n")
    sys.stdout.flush()
    with contextlib.suppress(ConnectionClosed):
        for _ in connection:
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
