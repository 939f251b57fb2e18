"""A node's process ends, whatever its middleware does."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sac_control.cli.runner import node_environment

CODE = """
import sys, time
from rclpy.node import Node
from sac_control.errors import SacControlError
from sac_control.nodes import process

process.LONGEST_GOODBYE = 0.3

class Stuck(Node):
    is_done = True

    def __init__(self):
        super().__init__("stuck")

    def work(self):
        return False

    def fail(self, sentence):
        pass

    def shut_down(self):
        print("all that matters is done", flush=True)
        if {fails}:
            raise SacControlError("the disk is full")

    def destroy_node(self):
        while True:
            {hang}

sys.exit(process.run(Stuck))
"""


def ended(hang: str, *, fails: bool = False) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CODE.format(hang=hang, fails=fails)],
        env=node_environment(os.environ, domain=None, log_directory=None),
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(("fails", "code"), [(False, 0), (True, 1)])
def test_process_whose_middleware_does_not_end_leaves_with_its_own_exit_code(fails: bool, code: int) -> None:
    done = ended("time.sleep(0.01)", fails=fails)
    assert (done.returncode, done.stdout) == (code, "all that matters is done\n")
    assert ("error: the disk is full" in done.stderr) is fails


def test_process_in_which_no_python_may_run_any_more_leaves_and_says_where_it_was() -> None:
    done = ended("__import__('ctypes').PyDLL(None).pause()")  # holds the interpreter lock
    assert done.returncode == 1
    assert "destroy_node" in done.stderr
