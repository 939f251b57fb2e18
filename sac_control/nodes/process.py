"""Start, Ctrl-C and shutdown of a node's process, written once for all nodes."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import NameValidationException, ParameterException
from rclpy.impl.implementation_singleton import rclpy_implementation as _rclpy
from rclpy.qos_overriding_options import InvalidQosOverridesError

from sac_control.errors import (
    EXIT_DONE,
    EXIT_FAULT,
    EXIT_SETTING,
    EXIT_START,
    ConfigError,
    NeighbourError,
    SacControlError,
)
from sac_control.nodes import middleware
from sac_control.nodes.event_loop import EventLoop
from sac_control.system import streams
from sac_control.system.garbage import GarbageCollection
from sac_control.system.offspring import hear_requests

STEADY_CLOCK = Clock(clock_type=ClockType.STEADY_TIME)  # for timers that must not follow simulated or corrected time
LONGEST_SLEEP = 0.1  # [s] within which Ctrl-C is noticed
LONGEST_GOODBYE = 5.0  # [s] that the middleware gets to leave the domain


_REFUSALS_OF_ROS = (
    _rclpy.RCLError,  # among others a wrong --ros-args, a parameter file that is none
    _rclpy.UnknownROSArgsError,
    NameValidationException,
    ParameterException,
    InvalidQosOverridesError,
)


class ProcessNode(Protocol):
    """What a node offers to its process, beside being an rclpy node."""

    @property
    def is_done(self) -> bool:
        """Whether the node has nothing left to do and the process may end."""

    def work(self) -> bool:
        """Do a slice of background work between two callbacks; whether more is waiting."""

    def fail(self, sentence: str) -> None:
        """The safe command first; then say on /diagnostics that the process ends, and why. `shut_down` follows."""

    def shut_down(self) -> None:
        """Send the safe command, save, publish what is last. Called once, with publishers still working."""


def run(make_node: Callable[[], ProcessNode]) -> int:
    """Make a node, spin it in one thread until it is done or a signal asks to stop, and shut it down.

    rclpy's own signal handling is off: it would invalidate the publishers before a last safe command could leave.

    Returns:
        Exit code, as sac_control/errors.py lists them.
    """
    signals: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        signals.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    hear_requests()
    streams.outlive_readers()
    node: Any = None
    code = EXIT_FAULT  # of whatever is not caught here
    try:
        middleware.init()
        _wake_up_in_time()
        node = make_node()
        _spin(node, signals)
        code = EXIT_DONE
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        code = EXIT_SETTING
    except NeighbourError as error:  # a new process would meet the same
        print(f"error: {error}", file=sys.stderr, flush=True)
        code = EXIT_START
    except SacControlError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        code = EXIT_FAULT if node is not None else EXIT_START
    except _REFUSALS_OF_ROS as error:
        if node is not None:
            raise
        print(f"error: ROS rejected the arguments of this node: {_on_one_line(error)}", file=sys.stderr)
        code = EXIT_START
    finally:
        _leave(node, code)
    return code


def _leave(node: Any, code: int) -> None:
    """Leave the domain, when all that matters is done: the middleware was seen to compute for ever there."""
    give_up = threading.Timer(LONGEST_GOODBYE, os._exit, [code])
    give_up.daemon = True
    give_up.start()
    faulthandler.dump_traceback_later(2.0 * LONGEST_GOODBYE, exit=True)  # where no other thread of Python may run
    if node is not None:
        node.destroy_node()
    rclpy.try_shutdown()
    faulthandler.cancel_dump_traceback_later()
    give_up.cancel()


def _on_one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _spin(node: ProcessNode, signals: list[int]) -> None:
    loop, garbage = EventLoop(node), GarbageCollection()
    garbage.begin()
    try:
        while not signals and not node.is_done:
            is_more_to_do = node.work()
            if is_more_to_do:
                os.sched_yield()  # to the middleware's thread that receives: on this processor it waits for ours
            was_busy = loop.spin_once(0.0 if is_more_to_do else LONGEST_SLEEP)
            garbage.collect_when_due(is_idle=not was_busy and not is_more_to_do)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        node.fail(f"ends: {type(error).__name__} in {place.name}: {error}")
        raise
    finally:
        node.shut_down()


def _wake_up_in_time() -> None:
    """Linux ends a wait up to 50 µs late, to save power, even one of no time at all; ask for 1 ns instead."""
    with contextlib.suppress(OSError):  # another system, or an old one: what it does by itself must do
        Path("/proc/self/timerslack_ns").write_text("1")
