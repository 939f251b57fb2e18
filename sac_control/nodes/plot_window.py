"""The window of `train --plot`: waits until the topics are there, then becomes rqt_plot, which drops what is not.

It is no node of the training: the training goes on without it.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from pathlib import Path

import rclpy
from rclpy.node import Node

from sac_control.nodes import middleware

LONGEST_WAIT = 60.0  # [s] for the topics, after which what is there is drawn
POLL_PERIOD = 0.05  # [s]
START = Path(__file__).with_name("rqt_plot_start.py")


def main() -> int:
    """Wait for the topics that the parameter `fields` names, then run `program` in the place of this process.

    Parameters:
        program: path of rqt_plot.
        fields: what to draw, a text for each topic: its name, then fields of it, separated by spaces.
        limits: lowest and highest value that are shown in any case.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))  # what is run next would inherit it
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)  # nothing is to be saved here
    middleware.init()
    node = Node("plot_window", automatically_declare_parameters_from_overrides=True)
    program = str(node.get_parameter("program").value)
    limits = [f"{limit:g}" for limit in node.get_parameter("limits").value]
    wanted = [text.split() for text in node.get_parameter("fields").value]
    names = {topic: node.resolve_topic_name(topic) for topic, *_ in wanted}
    deadline = time.monotonic() + LONGEST_WAIT
    while missing := set(names.values()) - {name for name, _ in node.get_topic_names_and_types()}:
        if time.monotonic() > deadline:
            told = f"draws without {', '.join(sorted(missing))}, which nobody publishes for {LONGEST_WAIT:g} s"
            node.get_logger().warning(f"{told}: has the learner begun, in this namespace?")
            break
        time.sleep(POLL_PERIOD)
    topics = sorted(set(names.values()) - missing)
    arguments = [f"{names[topic]}/{field}" for topic, *fields in wanted for field in fields]
    node.destroy_node()
    rclpy.shutdown()
    sys.stdout.flush()
    command = [program, "--empty", *arguments]
    if interpreter := python_of(Path(program)):
        command = [*interpreter, str(START), ",".join(topics), *limits, *command]
    os.execvp(command[0], command)


def python_of(program: Path) -> list[str]:
    """The command of the interpreter that runs `program`, where that is Python; empty otherwise."""
    with program.open("rb") as stream:
        first = stream.readline(200)
    words = shlex.split(first[2:].decode(errors="replace")) if first.startswith(b"#!") else []
    return words if any("python" in Path(word).name for word in words) else []


if __name__ == "__main__":
    sys.exit(main())
