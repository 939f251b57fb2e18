"""Starts rqt_plot, by the interpreter of rqt_plot, which need not see this package: a file of its own.

    python rqt_plot_start.py TOPIC,… PROGRAM ARGUMENT…

rqt_plot subscribes as soon as its node is made, and drops each topic that this node has not discovered by then: here the
making of a node takes until it has.
"""

from __future__ import annotations

import runpy
import sys
import time
from typing import Any

import rclpy

LONGEST_WAIT = 10.0  # [s] for the discovery of topics that are known to be there
POLL_PERIOD = 0.02  # [s]


def main() -> None:
    """Run PROGRAM with its arguments."""
    names, *sys.argv = sys.argv[1:]
    wanted, create_node = {name for name in names.split(",") if name}, rclpy.create_node

    def create_node_and_wait(*arguments: Any, **options: Any) -> Any:
        node = create_node(*arguments, **options)
        deadline = time.monotonic() + LONGEST_WAIT
        while wanted - {name for name, _ in node.get_topic_names_and_types()} and time.monotonic() < deadline:
            time.sleep(POLL_PERIOD)
        return node

    rclpy.create_node = create_node_and_wait
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
