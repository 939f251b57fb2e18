"""What a worker of an exam is asked, one thing at a time, and how it answers. Travels as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from sac_control.envs.env import Env
from sac_control.errors import ConfigError
from sac_control.exam import measures
from sac_control.exam.findings import Finding, Hour, InMotion, OnPlant, Push, Skipped
from sac_control.exam.measures import Act
from sac_control.variation.fields import NOMINAL, Quantity, Variation


@dataclass(frozen=True, kw_only=True)
class Job:
    """One question."""

    kind: str  # able, plant, push, motion or hour
    engine: str
    seed: int
    variation: Variation = field(default_factory=lambda: NOMINAL)
    plant: str = ""  # its name
    joint: str = ""  # that is pushed
    episodes: int = 0
    start: int = 0  # of an hour: its number among all `episodes`

    def to_text(self) -> str:
        """One line."""
        variation = {str(quantity): value for quantity, value in self.variation.items()}
        return json.dumps({**asdict(self), "variation": variation})

    @classmethod
    def from_text(cls, text: str) -> Job:
        """What `to_text` gave."""
        values = json.loads(text)
        variation = {Quantity.parse(name): value for name, value in values.pop("variation").items()}
        return cls(**values, variation=variation)


def answer(job: Job, act: Act, env_of: Callable[[str, int | None], Env]) -> Finding:
    """What is found.

    Args:
        job: what is asked.
        act: the policy.
        env_of: the environment in an engine, with another length of episodes [steps] than the task's, if one is given.
    """
    return _ANSWERS[job.kind](job, act, env_of)


def finding_from(kind: str, values: dict[str, object]) -> Finding:
    """A finding that travelled as the mapping of its fields."""
    return _FINDINGS[kind](**values)  # type: ignore[arg-type]


_EnvOf = Callable[[str, "int | None"], Env]


def _able(job: Job, _act: Act, env_of: _EnvOf) -> Finding:
    reason = ""
    try:
        env_of(job.engine, None).reset(seed=job.seed, options={"variation": job.variation})
    except ConfigError as error:
        reason = str(error)
    return Skipped(plant=job.plant, engine=job.engine, reason=reason)


def _plant(job: Job, act: Act, env_of: _EnvOf) -> Finding:
    env = env_of(job.engine, None)
    done = measures.trials(env, act, job.variation, measures.starts(env, job.episodes, job.seed))
    returns = [trial.total_reward for trial in done if trial is not None]
    return OnPlant(
        plant=job.plant,
        engine=job.engine,
        kept=sum(trial is not None and trial.is_kept for trial in done),
        mean_return=sum(returns) / max(1, len(returns)),
    )


def _push(job: Job, act: Act, env_of: _EnvOf) -> Finding:
    env = env_of(job.engine, None)
    largest = measures.largest_push(env, act, job.variation, job.joint, job.seed)
    return Push(joint=job.joint, engine=job.engine, largest=largest)


def _motion(job: Job, act: Act, env_of: _EnvOf) -> Finding:
    env = env_of(job.engine, None)
    lasted, found = measures.motion(env, act, job.variation, measures.starts(env, job.episodes, job.seed))
    joints, driven = env.specification.joints, env.specification.actuated_joints
    return InMotion(
        engine=job.engine,
        episodes=lasted,
        position=dict(zip(joints, found.position.tolist(), strict=True)) if found else {},
        command=dict(zip(driven, found.command.tolist(), strict=True)) if found else {},
        command_change=dict(zip(driven, found.change.tolist(), strict=True)) if found else {},
    )


def _hour(job: Job, act: Act, env_of: _EnvOf) -> Finding:
    period = env_of(job.engine, None).specification.control_period
    env = env_of(job.engine, math.ceil(measures.HOUR / period))
    start = measures.starts(env, job.episodes, job.seed)[job.start]
    seconds, is_kept, largest = measures.long_episode(env, act, job.variation, start)
    return Hour(
        engine=job.engine,
        start=job.start,
        seconds=seconds,
        is_kept=is_kept,
        largest=dict(zip(env.specification.joints, largest.tolist(), strict=True)),
    )


_ANSWERS = {"able": _able, "plant": _plant, "push": _push, "motion": _motion, "hour": _hour}
_FINDINGS: dict[str, type[Finding]] = {
    "able": Skipped,
    "plant": OnPlant,
    "push": Push,
    "motion": InMotion,
    "hour": Hour,
}
