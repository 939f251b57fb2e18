"""A window that shows pybullet's physics: opens it without ending the process or writing to its output."""

from __future__ import annotations

import ctypes
import ctypes.util
import math
import os
import sys

from sac_control.errors import ConfigError
from sac_control.robots.robot import Camera
from sac_control.worlds.native_output import stdout_to_stderr
from sac_control.worlds.pybullet_module import pybullet

_FIELD_OF_VIEW = 90.0  # [deg] vertical opening angle of pybullet's window, which cannot be set


def open_window(camera: Camera) -> int:
    """Connect to a new physics engine that shows itself; returns pybullet's number of the connection.

    Raises:
        ConfigError: there is no display, or this process has a window already.
    """
    if not _has_display():
        raise ConfigError(
            f"no window can be opened on display {os.environ.get('DISPLAY', '')!r}: "
            "run without a window (headless, or render_mode rgb_array), or set DISPLAY"
        )
    with stdout_to_stderr():
        try:
            client: int = pybullet.connect(pybullet.GUI)
        except pybullet.error as error:
            raise ConfigError(f"no window can be opened, pybullet allows one per process: {error}") from None
        for part in (pybullet.COV_ENABLE_GUI, pybullet.COV_ENABLE_SHADOWS):
            pybullet.configureDebugVisualizer(part, 0, physicsClientId=client)
        distance = camera.distance * _half_tangent(camera.field_of_view) / _half_tangent(_FIELD_OF_VIEW)
        pybullet.resetDebugVisualizerCamera(distance, camera.yaw, camera.pitch, camera.target, physicsClientId=client)
    return client


def close_window(client: int) -> None:
    """Close the window and its physics engine."""
    with stdout_to_stderr():
        pybullet.disconnect(physicsClientId=client)


def _half_tangent(angle: float) -> float:
    return math.tan(math.radians(angle) / 2.0)


def _has_display() -> bool:
    # Without a display pybullet ends the whole process with exit code 1, so X is asked before pybullet is.
    if not sys.platform.startswith("linux"):
        return True
    library = ctypes.util.find_library("X11")
    if library is None:
        return False
    x11 = ctypes.CDLL(library)
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XOpenDisplay.argtypes = [ctypes.c_char_p]
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    display = x11.XOpenDisplay(None)
    if not display:
        return False
    x11.XCloseDisplay(display)
    return True
