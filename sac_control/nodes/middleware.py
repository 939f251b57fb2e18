"""Opens a process's way to other nodes: with Fast DDS by UDP alone, never by shared memory.

A process that is killed may take a lock in shared memory with it. Whoever sends to it then waits a second each time,
and a port that it leaves may look alive, so that its successor hears nothing: a robot's loop would stand still because
somebody's plot has crashed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import rclpy
from rclpy.context import Context
from rclpy.signals import SignalHandlerOptions

from sac_control.system.reach import DISCOVERY_RANGE, by_udp


def init(args: Sequence[str] | None = None, *, context: Context | None = None, domain_id: int | None = None) -> None:
    """Do what `rclpy.init` does; signals are left to the caller.

    The variables of `by_udp` stay in the environment, but for the discovery range, which tells how far the process can
    be reached, and what a program that it starts inherits.
    """
    asked = os.environ.get(DISCOVERY_RANGE)
    if rclpy.get_rmw_implementation_identifier().startswith("rmw_fastrtps"):
        os.environ.update(by_udp(os.environ))
    try:
        rclpy.init(args=args, context=context, domain_id=domain_id, signal_handler_options=SignalHandlerOptions.NO)
    finally:
        if asked is not None:
            os.environ[DISCOVERY_RANGE] = asked
