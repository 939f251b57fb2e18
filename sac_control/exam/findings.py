"""What an exam finds out, and when it is passed. Plain values; plays no episode."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sac_control.exam import measures
from sac_control.policy.exam_verdict import LONGEST_NAME, Verdict
from sac_control.types import Specification


@dataclass(frozen=True, kw_only=True)
class OnPlant:
    """A plant in an engine."""

    plant: str
    engine: str
    kept: int  # episodes
    mean_return: float


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A plant that an engine cannot simulate."""

    plant: str
    engine: str
    reason: str  # empty: it can


@dataclass(frozen=True, kw_only=True)
class Push:
    """Pushes on a joint in an engine."""

    joint: str
    engine: str
    largest: float  # [N s or N m s] that was survived


@dataclass(frozen=True, kw_only=True)
class InMotion:
    """How the robot moves in an engine, as root mean squares; nothing where no episode lasted."""

    engine: str
    episodes: int  # that lasted
    position: dict[str, float]  # of each joint [m or rad]
    command: dict[str, float]  # of each driven joint [unit of its interface]
    command_change: dict[str, float]  # from one control period to the next: chatter


@dataclass(frozen=True, kw_only=True)
class Hour:
    """An hour of robot time in an engine."""

    engine: str
    start: int  # number of its start
    seconds: float  # that it lasted
    is_kept: bool
    largest: dict[str, float]  # position of each joint after the first minute [m or rad]


Finding = Skipped | OnPlant | Push | InMotion | Hour


@dataclass(frozen=True, kw_only=True)
class Findings:
    """All of an exam."""

    specification: Specification  # of the policy
    policy: str  # SHA-256 of its content
    policy_version: int
    run: str
    date: str
    seed: int
    source: str  # of the plants: the task's name, or that of a file
    plants: dict[str, str]  # by name, what differs from the description
    units: dict[str, str]  # joint -> unit of its position: m, rad, or both where that is not known
    engines: tuple[str, ...]
    missing_engines: tuple[str, ...]  # that the task lists and that are not installed
    episodes: int  # of each plant
    pass_mark: float  # share of them that a plant must be kept in
    on_plants: tuple[OnPlant, ...]
    skipped: tuple[Skipped, ...]
    pushes: tuple[Push, ...]
    motion: tuple[InMotion, ...]
    hours: tuple[Hour, ...]  # empty where they were not asked for
    seconds: float  # that the exam took

    @property
    def failed(self) -> tuple[OnPlant, ...]:
        """Plants that were not passed."""
        return tuple(each for each in self.on_plants if each.kept < self.needed)

    @property
    def needed(self) -> int:
        """Episodes of a plant that must be kept."""
        return int(np.ceil(self.pass_mark * self.episodes - 1e-9))

    @property
    def worst(self) -> OnPlant:
        """The plant on which the fewest episodes were kept."""
        return min(self.on_plants, key=lambda each: (each.kept, each.mean_return))

    @property
    def is_passed(self) -> bool:
        """Whether every plant was passed, and every hour kept that was asked for."""
        return self.verdict.is_passed

    @property
    def verdict(self) -> Verdict:
        """What of it travels with the policy."""
        return Verdict(
            policy=self.policy,
            date=self.date,
            task=self.specification.task[:LONGEST_NAME],
            plants=self.source[:LONGEST_NAME],
            engines=self.engines,
            episodes=self.episodes,
            pass_mark=self.pass_mark,
            judged=len(self.on_plants),
            passed=len(self.on_plants) - len(self.failed),
            worst=f"{self.worst.plant} in {self.worst.engine}"[:LONGEST_NAME],
            worst_kept=self.worst.kept,
            hour=all(hour.is_kept for hour in self.hours) if self.hours else None,
        )

    def of_plant(self, plant: str, engine: str) -> OnPlant | None:
        """What was found there; None where the engine cannot simulate it."""
        return next((each for each in self.on_plants if (each.plant, each.engine) == (plant, engine)), None)

    def to_mapping(self) -> dict[str, Any]:
        """The content of ``exam.json``."""
        content = asdict(self)
        specification = content.pop("specification")
        return {
            "is_passed": self.is_passed,
            "task": specification["task"],
            **content,
            "needed": self.needed,
            "worst": asdict(self.worst),
            "noise_while_motion_is_measured": {
                "position": measures.POSITION_NOISE,
                "velocity": measures.VELOCITY_NOISE,
            },
        }
