"""A window that shows a MuJoCo world."""

from __future__ import annotations

import os
import sys

import mujoco

from sac_control.errors import ConfigError
from sac_control.robots.robot import Camera


class Window:
    """MuJoCo's own viewer.

    Raises:
        ConfigError: there is no display.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, camera: Camera) -> None:
        if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise ConfigError(
                "no window can be opened, because DISPLAY is not set: run without a window (headless, or render_mode "
                "rgb_array), or set DISPLAY"
            )
        import mujoco.viewer  # loads OpenGL

        try:
            self._viewer = mujoco.viewer.launch_passive(model, data, show_left_ui=False, show_right_ui=False)
        except (RuntimeError, mujoco.FatalError) as error:
            raise ConfigError(
                f"no window can be opened on display {os.environ.get('DISPLAY', '')!r}: {error}"
            ) from None
        view = self._viewer.cam
        view.lookat, view.distance = camera.target, camera.distance
        view.elevation, view.azimuth = camera.pitch, 90.0 + camera.yaw

    def show(self) -> None:
        """Draw the present state; nothing where the window was closed."""
        if self._viewer.is_running():
            self._viewer.sync()

    def close(self) -> None:
        """Close the window."""
        self._viewer.close()
