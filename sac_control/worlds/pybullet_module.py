"""pybullet itself, loaded without the line about its build that it prints in every process."""

from __future__ import annotations

from sac_control.worlds.native_output import stderr_dropped

with stderr_dropped():
    import pybullet

__all__ = ["pybullet"]
