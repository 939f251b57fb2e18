"""Start, Ctrl-C and shutdown of a node's process, written once for all nodes."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Protocol

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from sac_control.errors import ConfigError, SacControlError

STEADY_CLOCK = Clock(clock_type=ClockType.STEADY_TIME)  # for timers that must not follow simulated or corrected time
LONGEST_SLEEP = 0.1  # [s] period of the timer that every node has, within which Ctrl-C is noticed


class ProcessNode(Protocol):
    """What a node offers to its process, beside being an rclpy node with a timer of at most `LONGEST_SLEEP`."""

    @property
    def is_done(self) -> bool:
        """Whether the node has nothing left to do and the process may end."""

    def work(self) -> bool:
        """Do a slice of background work between two callbacks; whether more is waiting."""

    def shut_down(self) -> None:
        """Leave everything in order: command zero, save, say goodbye. Called once, with publishers still working."""


def run(make_node: Callable[[], ProcessNode]) -> int:
    """Make a node, spin it in one thread until it is done or a signal asks to stop, and shut it down.

    rclpy's own signal handling is off: it would invalidate the publishers before a last zero could be commanded.

    Returns:
        Exit code: 0 after a clean end or a signal, 2 for a wrong parameter, 1 for any other fault.
    """
    signals: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        signals.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    try:
        return _spin(make_node, signals)
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 2
    except SacControlError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 1
    finally:
        rclpy.try_shutdown()


def _spin(make_node: Callable[[], ProcessNode], signals: list[int]) -> int:
    node = make_node()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    gc.collect()
    gc.freeze()  # what start-up made is never garbage: later collections need not look at it
    try:
        while not signals and not node.is_done:
            executor.spin_once(timeout_sec=0.0 if node.work() else None)
    finally:
        node.shut_down()
        executor.shutdown()
        node.destroy_node()  # type: ignore[attr-defined]
    return 0
