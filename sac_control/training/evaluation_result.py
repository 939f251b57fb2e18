"""What an evaluation through nodes finds out: returns of whole episodes, and how much the commands chatter.

Knows nothing of ROS.
"""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np

from sac_control.training.interquartile import LEVEL, interquartile_interval, interquartile_mean
from sac_control.training.returns import Episode, Episodes
from sac_control.types import Float32Array, FloatArray, Specification, Transition, unit_of


class EvaluationResult:
    """Counts episodes.

    Args:
        specification: of the task.

    Attributes:
        returns: of each whole episode.
        lengths: of each [steps].
        versions: of the policies that acted.
    """

    def __init__(self, specification: Specification) -> None:
        self._specification = specification
        self._episodes = Episodes()
        self.returns: list[float] = []
        self.lengths: list[int] = []
        self.versions: set[int] = set()
        self._action: Float32Array | None = None  # of the step before
        self._place = (0, 0, 0)  # source, episode and step of that
        self._squares: FloatArray = np.zeros(len(specification.command_limit))  # of changes of the normalised command
        self._changes = 0

    def add(self, transition: Transition) -> Episode | None:
        """Count a step; returns the episode if this step ended it and none was missing."""
        self.versions.add(transition.policy_version)
        place = transition.source, transition.episode, transition.step
        action = np.clip(transition.action, -1.0, 1.0)
        if self._action is not None and place == (*self._place[:2], self._place[2] + 1):
            self._squares += np.square(action - self._action, dtype=np.float64)
            self._changes += 1
        self._action, self._place = action, place
        episode = self._episodes.add(transition)
        if episode is not None:
            self.returns.append(episode.total_reward)
            self.lengths.append(episode.length)
        return episode

    def chatter(self) -> dict[str, float]:
        """Root mean square of the change of each joint's command per control period [unit of its interface]."""
        if not self._changes:
            return {}
        specification = self._specification
        rms = np.sqrt(self._squares / self._changes) * specification.command_limit
        return dict(zip(specification.actuated_joints, rms.tolist(), strict=True))

    def to_mapping(self) -> dict[str, Any]:
        """As plain values, for ``eval.json``; None where there is no episode, or too few for an interval."""
        returns = self.returns
        interval = interquartile_interval([returns])
        return {
            "episodes": len(returns),
            "returns": returns,
            "lengths": self.lengths,
            "mean_return": statistics.fmean(returns) if returns else None,
            "interquartile_mean": interquartile_mean(returns) if returns else None,
            "interquartile_interval": list(interval) if interval else None,
            "interval_level": LEVEL,
            "min_return": min(returns, default=None),
            "chatter": self.chatter(),
            "policy_versions": sorted(self.versions),
        }

    def sentences(self) -> list[str]:
        """The same for people."""
        if not self.returns:
            return ["no episode was completed"]
        values = self.to_mapping()
        sure = "more episodes tell how sure that is"
        if interval := values["interquartile_interval"]:
            sure = f"{100 * LEVEL:g} % interval {interval[0]:g} to {interval[1]:g}"
        count = f"{values['episodes']} episode{'s' if values['episodes'] > 1 else ''}"
        told = [
            f"{count}: mean return {values['mean_return']:g}, interquartile mean {values['interquartile_mean']:g} "
            f"({sure}), worst {values['min_return']:g}"
        ]
        if values["chatter"]:
            units = [unit_of(interface) for interface in self._specification.interface]
            each = zip(values["chatter"].items(), units, strict=True)
            what = ", ".join(f"{name} {change:.3g} {unit}".rstrip() for (name, change), unit in each)
            told.append(f"chatter, RMS of the command's change from one control period to the next: {what}")
        return told
