"""What `--plot` needs, found out before anything starts, and the process that draws. Knows no ROS."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from sac_control.cli.node_description import NodeDescription
from sac_control.cli.options import TrainingOptions
from sac_control.errors import ConfigError

AUDIENCE_TIMEOUT = 30.0  # [s] for which the first transition waits for the window
FIELDS = ("learner/status mean_return last_return evaluation_return",)  # what is drawn, by topic


def plot_window(options: TrainingOptions, environment: Mapping[str, str], solved_return: float) -> NodeDescription:
    """The process that becomes rqt_plot.

    Args:
        options: of the training.
        environment: of its nodes.
        solved_return: return that is to be seen in any case; infinite: none is.

    Raises:
        ConfigError: there is no rqt_plot, or no display.
    """
    level = 1.05 * solved_return if math.isfinite(solved_return) else 1.0
    parameters = {
        "program": find_rqt_plot(environment),
        "fields": list(FIELDS),
        "limits": [min(level, 0.0), max(level, 0.0)],
    }
    return options.node("plot_window", parameters=parameters, is_needed=False)


def find_rqt_plot(environment: Mapping[str, str]) -> str:
    """The path of rqt_plot, where it can be run: on PATH, or where `ros2 run` looks.

    Raises:
        ConfigError: there is none, or no display.
    """
    prefixes = filter(None, environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep))
    places = [environment.get("PATH", os.defpath), *(str(Path(prefix, "lib", "rqt_plot")) for prefix in prefixes)]
    found = shutil.which("rqt_plot", path=os.pathsep.join(places))
    if found is None:
        name = f"ros-{environment.get('ROS_DISTRO', 'DISTRO')}-rqt-plot"
        raise ConfigError(
            "--plot needs rqt_plot, which is not found: source a ROS 2 installation that has it "
            f"(sudo apt install {name}), or leave --plot out"
        )
    if not any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        raise ConfigError(
            "--plot needs a display, and neither DISPLAY nor WAYLAND_DISPLAY is set: log in with one (ssh -X), "
            "or leave --plot out"
        )
    return found
