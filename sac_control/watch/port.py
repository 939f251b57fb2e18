"""Where a page is served: at this machine's own address, at a port that is free."""

from __future__ import annotations

import socket

from sac_control.errors import ConfigError

HOST = "127.0.0.1"


def address_of(port: int) -> str:
    """What a browser opens."""
    return f"http://{HOST}:{port}"


def check_port(port: int) -> None:
    """See that a page can be served there.

    Raises:
        ConfigError: the port is no port, or in use.
    """
    if not 1024 <= port <= 65535:
        raise ConfigError(f"--port is {port}: expected 1024 to 65535")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise ConfigError(in_use(port)) from None


def in_use(port: int) -> str:
    """What to do about a port that is taken."""
    return f"port {port} is in use: end what listens there, or choose another one (--port {port + 1})"
