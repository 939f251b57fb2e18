"""Nodes of the package in processes of their own, in the domain of a test, and what such a process costs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from growth import processor_time, sample
from ros_world import OF_ONE_RUN, RosWorld
from sac_control.cli.runner import node_environment


class NodeProcess:
    """One node.

    Args:
        ros: whose domain it joins.
        executable: module in sac_control.nodes.
        remappings: topics by their new names.
        parameters: as on a command line.
    """

    def __init__(
        self, ros: RosWorld, executable: str, remappings: dict[str, str] | None = None, /, **parameters: object
    ) -> None:
        words = [word for old, new in (remappings or {}).items() for word in ("-r", f"{old}:={new}")]
        given = {**OF_ONE_RUN.get(executable, {}), **parameters}
        words += [word for name, value in given.items() for word in ("-p", f"{name}:={json.dumps(value)}")]
        self._start(ros, ["-m", f"sac_control.nodes.{executable}", "--ros-args", *words])

    def _start(self, ros: RosWorld, words: Sequence[str], **pipes: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *words],
            env=node_environment(os.environ, domain=ros.probe.context.get_domain_id(), log_directory=None),
            **pipes,
        )

    def __enter__(self) -> NodeProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def send(self, number: signal.Signals) -> None:
        """Send a signal; one that kills has done so."""
        self._process.send_signal(number)
        if number == signal.SIGKILL:
            self._process.wait()

    def stop(self) -> None:
        """Ask it to end, as Ctrl-C does, and see that it does so in order."""
        self._process.send_signal(signal.SIGINT)
        assert self._process.wait(300) == 0

    @property
    def memory(self) -> float:
        """Resident [MB]."""
        return sample(self._process.pid).memory

    @property
    def processor_time(self) -> float:
        """Time that it has computed [s]."""
        return processor_time(self._process.pid)


class ScriptProcess(NodeProcess):
    """A script beside this file, in the same domain, that says JSON line by line and goes on when it gets a line.

    Attributes:
        said: what it has said.
    """

    def __init__(self, ros: RosWorld, script: str, *arguments: object) -> None:
        self.said: list[dict[str, Any]] = []
        self._start(
            ros,
            [str(Path(__file__).with_name(script)), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        threading.Thread(target=self._hear, daemon=True).start()

    def __enter__(self) -> ScriptProcess:
        return self

    def go_on(self) -> None:
        stream = self._process.stdin
        assert stream is not None
        stream.write(b"\n")
        stream.flush()

    def _hear(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        for line in stream:
            self.said.append(json.loads(line))
