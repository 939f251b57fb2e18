"""What the nodes of a run say, from a process of its own that looks at their topics. Knows no ROS."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

_MOST_WAITING = 64  # pieces of news that nobody fetched: older ones are dropped


class Feed:
    """Runs the process and keeps its newest news.

    Args:
        environment: of the process: which domain, and how far discovery reaches.
        namespace: of the nodes, with its slash in front.
    """

    def __init__(self, environment: Mapping[str, str], namespace: str) -> None:
        command = [sys.executable, "-m", "sac_control.nodes.watcher", "--ros-args", "-r", f"__ns:={namespace}"]
        self._process = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._lock, self._news = threading.Lock(), list[dict[str, Any]]()
        self._thread = threading.Thread(target=self._read, name="watch-feed", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

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
        assert self._process.stdout is not None
        self._process.stdout.close()

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
