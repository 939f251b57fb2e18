"""What the nodes of a run say, from a process of its own that looks at their topics. Knows no ROS."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

_MOST_WAITING = 64  # pieces of news that nobody fetched: older ones are dropped


class Feed:
    """Runs the process and keeps its newest news.

    It loads what it needs when it is made, which takes a second or two: `listen` costs hardly anything then.

    Args:
        environment: of the process.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sac_control.nodes.watcher"],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # whose share of the processors it gives up, and not that of a terminal
            text=True,
        )
        self._lock, self._news = threading.Lock(), list[dict[str, Any]]()
        self._thread = threading.Thread(target=self._read, name="watch-feed", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def listen(self, environment: Mapping[str, str], namespace: str, *, with_states: bool) -> None:
        """Hear nodes from now on. Once.

        Args:
            environment: what of it says which domain, and how far discovery reaches.
            namespace: of the nodes, with its slash in front.
            with_states: whether states and actions are wanted, which come at the rate of control.
        """
        told = {"environment": dict(environment), "namespace": namespace, "with_states": with_states}
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended: `is_alive` says so
            self._process.stdin.write(json.dumps(told) + "\n")
            self._process.stdin.flush()

    def take(self) -> list[dict[str, Any]]:
        """The news since the last call, oldest first."""
        with self._lock:
            news, self._news = self._news, []
        return news

    def close(self) -> None:
        """End the process."""
        self._process.kill()  # it holds nothing; rclpy may take its time to leave
        self._process.wait()
        self._thread.join(timeout=1.0)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                news = json.loads(line)
            except ValueError:
                continue  # not ours: a library that prints
            if not news:
                continue
            with self._lock:
                self._news = [*self._news[-_MOST_WAITING + 1 :], news]
