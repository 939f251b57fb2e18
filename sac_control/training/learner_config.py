"""Settings of the learner node: the schedule of a training, and the settings of the algorithm that it names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sac_control.algorithms.algorithm import AlgorithmConfig
from sac_control.algorithms.catalogue import DEFAULT, algorithms, known_settings, owners_of, settings_of
from sac_control.errors import ConfigError
from sac_control.identity import run_id_option
from sac_control.option import option
from sac_control.training.goal import GOALS

_REMOVED = "stop_when_solved"  # became `until`


@dataclass(frozen=True, kw_only=True)
class LearnerConfig(AlgorithmConfig):
    """A training, but for its algorithm's own settings: `learner_config` makes one that has both."""

    run_id: str = run_id_option("id of the run: transitions of other runs are rejected; empty makes one")

    task: str = option("inverted_pendulum", "task that is learnt: a name, the path of a task file, or gymnasium/ID")
    engine: str = option("", "physics engine of the evaluations; empty: the task's own")
    algorithm: str = option(DEFAULT, "what learns: sac, sac_v1, trpo, or an algorithm of another package")
    run_directory: str = option("", "directory that receives checkpoints and metrics; empty makes runs/<date>")
    resume: bool = option(False, "continue the run found in run_directory")
    seed: int = option(0, "seed of the networks, the noise and the batches", low=0, high=2**31 - 1)
    max_steps: int = option(20_000, "transitions after which training ends, solved or not", low=1, high=10**9)
    until: str = option(
        "",
        "what ends training before max_steps: solved, hardened (solved, and good on every plant of the gate, which is "
        "made of the task's exam), or steps (nothing does); empty: hardened where the task has an exam, else solved",
        choices=("", *GOALS),
        form=f"one of {', '.join(GOALS)}, or nothing",
    )
    deterministic: bool = option(
        False,
        "lockstep: same seed, same numbers, to the last bit; the simulator then waits for each update and each swap",
    )
    evaluation_every: int = option(50, "transitions between two evaluations; 0 never evaluates", low=0, high=10**7)
    evaluation_episodes: int = option(10, "deterministic episodes per evaluation", low=1, high=1000)
    confirmation_episodes: int = option(
        20, "further episodes, from extreme starts, too, that a solution must pass", low=0, high=1000
    )
    gate_every: int = option(
        500,
        "transitions between two evaluations once the task was solved, where plants of its exam are tried; at least "
        "evaluation_every; 0: none is ever tried",
        low=0,
        high=10**7,
    )
    bags: str = option(
        "", f"bags whose transitions are mixed into each batch: directories or MCAP files, separated by {os.pathsep!r}"
    )
    bag_share: float = option(0.5, "share of each batch that comes from bags, where there are any", low=0.01, high=0.9)
    accept_cut_bags: bool = option(False, "use what a bag holds whose recording was cut off")
    checkpoint_every: int = option(2000, "transitions between two checkpoints", low=1, high=10**7)
    signing_key: str = option(
        "", "Ed25519 private key in PEM that signs every policy, published or written; see sac_control keys"
    )
    keep_last: int = option(3, "checkpoints kept beside the best one", low=1, high=10_000)
    progress_period: float = option(
        5.0, "time between two progress lines where output is not a terminal [s]", low=0.1, high=3600.0
    )
    wait_warning: float = option(10.0, "warn after this long without a message from a peer [s]", low=0.5, high=600.0)
    audience_timeout: float = option(
        0.0,
        "time [s] for which the first transition waits until somebody listens to learner/status; while somebody does, "
        "the nodes stay at the end, with the policy node inactive; 0: neither",
        low=0.0,
        high=3600.0,
    )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> LearnerConfig:  # type: ignore[override]
        """Make a configuration from names and values, with the settings of the algorithm that they name.

        Raises:
            ConfigError: as for all settings; one that another algorithm has is told to be its, and one that was
                removed, what to write instead.
        """
        if _REMOVED in values:
            raise ConfigError(
                f"learner.{_REMOVED} was replaced by learner.until: write learner.until=steps for false, "
                "or learner.until=solved for true"
            )
        algorithm = values.get("algorithm", cls.algorithm)
        kind = _class_for(algorithm if isinstance(algorithm, str) else DEFAULT)  # what is no text is refused below
        for name in values:
            owners = [] if name in kind.types() else owners_of(name)
            if owners:
                raise ConfigError(
                    f"learner.{name} is a setting of {' and '.join(owners)}, and learner.algorithm {algorithm} has no "
                    "such thing: leave it out"
                )
        return super(LearnerConfig, kind).from_mapping(values)

    def changed(self, values: Mapping[str, Any]) -> LearnerConfig:
        """A copy with other values; where they name another algorithm, its own defaults take the place of ours."""
        if values.get("algorithm", self.algorithm) == self.algorithm:
            return super().changed(values)
        before, defaults = self.to_mapping(), type(self)().to_mapping()
        ours = LearnerConfig.types()
        kept = {name: value for name, value in before.items() if name in ours or value != defaults[name]}
        return self.from_mapping({**kept, **values})

    @classmethod
    def names(cls) -> set[str]:
        """Names of the settings of all algorithms, too, and of what was removed."""
        return super().names().union({_REMOVED}, *known_settings().values())


def learner_config(**values: Any) -> LearnerConfig:
    """The settings of a training and of its algorithm, which is `DEFAULT` where ``algorithm`` is not among `values`.

    Raises:
        ConfigError: a name is unknown, or a value is not allowed.
    """
    return LearnerConfig.from_mapping(values)


def of_today(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a training that an earlier version began, by the names of today."""
    now = dict(settings)
    if _REMOVED in now:
        now = {"until": "solved" if now.pop(_REMOVED) else "steps", **now}
    return now


@cache
def _class_for(algorithm: str) -> type[LearnerConfig]:
    """The class of the settings of a training and of `algorithm`."""
    settings = settings_of(algorithm)
    named = option(algorithm, LearnerConfig.info("algorithm").description, choices=tuple(algorithms()))
    body: dict[str, Any] = {"__module__": __name__, "__doc__": settings.__doc__}
    body |= {"__annotations__": {"algorithm": str}, "algorithm": named}
    return dataclass(frozen=True, kw_only=True)(type("LearnerConfig", (LearnerConfig, settings), body))


def check_change(before: LearnerConfig, now: LearnerConfig) -> None:
    """Refuse to continue a training with options that decide what its networks and transitions are.

    Raises:
        ConfigError: says which option, and what it was.
    """
    for name in ("task", "engine", "algorithm", *before.fixed):
        if getattr(now, name) != getattr(before, name):
            raise ConfigError(
                f"learner.{name} is {getattr(now, name)}, but the run to continue was begun with "
                f"{getattr(before, name)}: leave it as it was, or begin another run"
            )
