"""What the nodes of one subject said last, and the states that are shown with the commands that answered them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sac_control.types import Specification
from sac_control.watch.motion import Sample

KEPT_COMMANDS = 512  # of which a state may still come


class Heard:
    """Takes what a feed brings.

    Attributes:
        policy, action, status: the newest of policy/status, of the actions, and of learner/status; empty before the
            first.
        diagnostics: the newest of each name.
        joints: names of a sample's positions; empty before the first state.
        speed: simulated seconds per second.
    """

    def __init__(self) -> None:
        self.policy: dict[str, Any] = {}
        self.action: dict[str, Any] = {}
        self.status: dict[str, Any] = {}
        self.diagnostics: dict[str, dict[str, Any]] = {}
        self.joints: tuple[str, ...] = ()
        self.speed = 1.0
        self._commands: dict[int, tuple[float, ...]] = {}  # by the stamp of their state

    def take(self, news: Mapping[str, Any], specification: Specification) -> list[Sample]:
        """Take what came since the last time from nodes of that specification; returns the states in it."""
        self.policy = news.get("policy/status", self.policy)
        self.status = news.get("learner/status", self.status)
        self.diagnostics |= {each["name"]: each for each in news.get("diagnostics", ())}
        for action in news.get("actions", ()):
            self.action = action
            self._commands[action["t"]] = tuple(action["command"])
        for stamp in sorted(self._commands)[:-KEPT_COMMANDS]:
            del self._commands[stamp]
        states = news.get("states", ())
        if states:
            self.speed = news["speed"]
        return [self._sample(state, specification) for state in states]

    def _sample(self, state: Mapping[str, Any], specification: Specification) -> Sample:
        command = self._commands.get(state["t"], ())
        if "values" in state:
            self.joints = specification.observation
            return Sample(time=state["t"] / 1e9, position=tuple(state["values"]), command=command)
        self.joints = specification.joints
        places = [state["names"].index(name) if name in state["names"] else -1 for name in self.joints]
        position, velocity = state["position"], state["velocity"]
        return Sample(
            time=state["t"] / 1e9,
            position=tuple(position[k] if 0 <= k < len(position) else math.nan for k in places),
            velocity=tuple(velocity[k] if 0 <= k < len(velocity) else math.nan for k in places),
            command=command,
        )
