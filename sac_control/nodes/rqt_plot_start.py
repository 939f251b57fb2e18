"""Starts rqt_plot, by the interpreter of rqt_plot, which need not see this package: a file of its own.

    python rqt_plot_start.py TOPIC,… LOW HIGH PROGRAM ARGUMENT…

rqt_plot subscribes as soon as its node is made, and drops each topic that this has not discovered by then: here the
making of a node takes until it has. It shows the last second at its first start, and afterwards whatever was left
behind last: here it has settings of its own, which show the last minute, and values from LOW to HIGH at least: a curve
that begins with NaN does not widen its axis. The user's settings stay as they are.
"""

from __future__ import annotations

import os
import runpy
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import rclpy

LONGEST_WAIT = 10.0  # [s] for the discovery of topics that are known to be there
POLL_PERIOD = 0.02  # [s]
SETTINGS = Path("ros.org", "rqt_gui.ini")  # below the directory of a user's configuration
CONTENT = r"""[perspective]
%40rqt_plot__Plot\pluginmanager\plugin__rqt_plot__Plot__0\plugin\autoscroll=true
%40rqt_plot__Plot\pluginmanager\plugin__rqt_plot__Plot__0\plugin\x_limits=0, 60
%40rqt_plot__Plot\pluginmanager\plugin__rqt_plot__Plot__0\plugin\y_limits={low}, {high}
"""


def main() -> None:
    """Run PROGRAM with its arguments."""
    names, low, high, *sys.argv = sys.argv[1:]
    wanted, create_node = {name for name in names.split(",") if name}, rclpy.create_node

    def create_node_and_wait(*arguments: Any, **options: Any) -> Any:
        node = create_node(*arguments, **options)
        deadline = time.monotonic() + LONGEST_WAIT
        while wanted - {name for name, _ in node.get_topic_names_and_types()} and time.monotonic() < deadline:
            time.sleep(POLL_PERIOD)
        return node

    rclpy.create_node = create_node_and_wait
    with tempfile.TemporaryDirectory(prefix="sac_control-rqt-") as directory:
        settings = directory / SETTINGS
        settings.parent.mkdir()
        settings.write_text(CONTENT.format(low=low, high=high))
        os.environ["XDG_CONFIG_HOME"] = directory
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
