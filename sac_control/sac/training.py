"""Training: transitions in, updates at a set ratio, weights out. Knows nothing of ROS, of files or of time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sac_control.config import LearnerConfig
from sac_control.errors import RunError, TransitionError
from sac_control.sac.arrivals import Arrivals
from sac_control.sac.episodes import Episode, Episodes
from sac_control.sac.fast_update import FastUpdate
from sac_control.sac.learner import SoftActorCritic
from sac_control.sac.losses import Metrics
from sac_control.sac.replay_buffer import Batch, ReplayBuffer
from sac_control.types import ActorParameters, Transition

_REFRESH_EVERY = 200  # transitions between two refreshes of the normalisation statistics


@dataclass(frozen=True, kw_only=True)
class Counters:
    """Where a training stands."""

    transitions: int  # accepted
    updates: int  # made
    updates_owed: int  # that the replay ratio asks for at once
    credit: int  # see Training.credit
    episodes: int  # seen whole
    last_return: float  # of the newest whole episode
    mean_return: float  # of the newest hundred whole episodes
    duplicates: int  # transitions that came again
    missing: int  # transitions that never came
    rejected: int  # transitions of a wrong size or with a value that is not finite
    policy_version: int  # version last published; 0 before the first
    policy_lag: int  # versions that the policy behind the newest transition was behind at its arrival
    replay_ratio: float  # updates per transition since the warm-up, as reached


@dataclass(frozen=True, kw_only=True)
class TrainingState:
    """A training, to be saved. The transitions are not in it: they are saved as rows of the replay buffer."""

    tensors: dict[str, Tensor]  # as many as learner and random generators need
    numbers: dict[str, Any]  # plain values that JSON keeps


class Training:
    """Everything a learner does between two messages. Its random choices depend on `config.seed` alone.

    Attributes:
        learner: the algorithm.
        buffer: the transitions kept for replay.
        transitions: transitions accepted.
        updates: updates made.
        policy_version: version last published; 0 before the first.
    """

    def __init__(self, config: LearnerConfig, *, observation_size: int, action_size: int) -> None:
        learner_seed, buffer_seed = np.random.SeedSequence(config.seed).generate_state(2).tolist()  # unrelated streams
        self.learner = SoftActorCritic(
            config, observation_size=observation_size, action_size=action_size, seed=learner_seed
        )
        self.buffer = ReplayBuffer(
            capacity=config.buffer_capacity,
            observation_size=observation_size,
            action_size=action_size,
            seed=buffer_seed,
        )
        self._update_on: Callable[[Batch], Metrics] = self.learner.update
        if config.fast_update and self.learner.device.type == "cpu":
            self._update_on = FastUpdate(
                self.learner, config, observation_size=observation_size, action_size=action_size
            ).update
        self.transitions = 0
        self.updates = 0
        self.policy_version = 0
        self._config = config
        self._ratio = Fraction(config.replay_ratio).limit_denominator(10**6)
        self._arrivals = Arrivals()
        self._episodes = Episodes()
        self._metrics: Metrics = {}
        self._rejected = 0
        self._policy_lag = 0
        self._published_at = 0  # updates made when weights were last published
        self._refreshed_at = 0  # transitions accepted when the normalisation was last refreshed

    def ingest(self, transition: Transition) -> Episode | None:
        """Accept a transition, unless it came before; returns the episode that it completed, if any.

        Raises:
            TransitionError: it has a wrong size, a value that is not finite, or an action outside [-1, 1]. It was
                counted and left out.
        """
        if not self._arrivals.is_new(transition.source, transition.sequence):
            return None
        try:
            self.buffer.add(transition)
        except TransitionError:
            self._rejected += 1
            raise
        self.transitions += 1
        self.learner.observe(transition.observation[None])
        self._policy_lag = self.policy_version - transition.policy_version
        return self._episodes.add(transition)

    @property
    def updates_owed(self) -> int:
        """Updates to make now: replay_ratio for each transition after the warm-up, less those made."""
        due = int(self._ratio * max(0, self.transitions - self._config.warmup_steps))
        return max(0, due - self.updates)

    @property
    def credit(self) -> int:
        """The sequence number, as the source last heard counts, before which transitions are welcome.

        A source sends its transition `s` if s < credit, and its very first without asking. It can then never have more
        than run_ahead transitions under way, nor ever be more than run_ahead transitions ahead of the updates: when it
        has to wait, updates are owed, and making them brings new credit. Nothing is welcome beyond max_steps.
        """
        expected = self._arrivals.expected
        if expected is None:
            return 0
        first_owing = self._config.warmup_steps + math.ceil((self.updates + 1) / self._ratio)
        most = first_owing - 1 + self._config.run_ahead
        left = self._config.max_steps - self.transitions
        return max(0, expected + min(self._config.run_ahead, most - self.transitions, left))

    def update(self, count: int) -> None:
        """Make `count` updates, owed or not.

        Raises:
            ValueError: there is no transition to learn from yet.
        """
        if not count:
            return
        if not self.updates:
            self._start()
        if self.transitions >= self._refreshed_at + _REFRESH_EVERY:
            self.learner.refresh_normalisation()
            self._refreshed_at = self.transitions
        for batch in self.buffer.sample(self._config.batch_size, count, self.learner.device):
            self._metrics = self._update_on(batch)
        self.updates += count

    def _start(self) -> None:
        """Prepare the networks by what the warm-up has shown.

        Critics start at the value of going on for ever at the mean reward, and then only have to find where that is
        wrong: mostly before terminations. From 0 they would first have to climb to it, at the pace that `tau` allows.
        """
        self.learner.refresh_normalisation()
        self._refreshed_at = self.transitions
        if self._config.optimistic_values and self._config.gamma < 1.0:
            self.learner.start_values_at(self.buffer.mean_reward() / (1.0 - self._config.gamma))

    @property
    def publication_due(self) -> bool:
        """Whether no weights were published yet, or publish_every updates were made since."""
        return not self.policy_version or self.updates >= self._published_at + self._config.publish_every

    def is_finite(self) -> bool:
        """Whether the learner is sound; publish nothing when it is not."""
        return self.learner.is_finite()

    def publish(self) -> ActorParameters:
        """The actor as it is now, under the next policy_version."""
        self.policy_version += 1
        self._published_at = self.updates
        return self.learner.actor_parameters()

    def metrics(self) -> dict[str, float]:
        """Losses, q, entropy and alpha of the newest update, each the mean over its batch; empty before the first."""
        return {name: float(values.mean()) for name, values in self._metrics.items()}

    def counters(self) -> Counters:
        """Where the training stands."""
        recent = self._episodes.recent
        return Counters(
            transitions=self.transitions,
            updates=self.updates,
            updates_owed=self.updates_owed,
            credit=self.credit,
            episodes=self._episodes.count,
            last_return=recent[-1] if recent else 0.0,
            mean_return=self._episodes.mean_return,
            duplicates=self._arrivals.duplicates,
            missing=self._arrivals.missing,
            rejected=self._rejected,
            policy_version=self.policy_version,
            policy_lag=self._policy_lag,
            replay_ratio=self.updates / max(1, self.transitions - self._config.warmup_steps),
        )

    def state(self) -> TrainingState:
        """All that changes, but for the rows of the replay buffer."""
        tensors = {f"learner.{name}": tensor for name, tensor in self.learner.state().items()}
        tensors["buffer.generator"] = self.buffer.generator.get_state()
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        return TrainingState(
            tensors=tensors,
            numbers=numbers | {"arrivals": self._arrivals.state(), "episodes": self._episodes.state()},
        )

    def restore(self, state: TrainingState) -> None:
        """Continue from `state()`, to the last bit. Restore the buffer's rows first, with `buffer.restore`.

        Raises:
            RunError: the state belongs to other settings, or the buffer lacks its transitions.
        """
        if self.buffer.added != state.numbers["transitions"]:
            raise RunError(
                f"the replay buffer was restored to {self.buffer.added} transitions, the checkpoint was made at "
                f"{state.numbers['transitions']}"
            )
        prefix = "learner."
        learner = {name.removeprefix(prefix): t for name, t in state.tensors.items() if name.startswith(prefix)}
        self.learner.restore(learner)
        self.buffer.generator.set_state(state.tensors["buffer.generator"])
        for name in _NUMBERS:
            setattr(self, name, state.numbers[name])
        self._arrivals.restore(state.numbers["arrivals"])
        self._episodes.restore(state.numbers["episodes"])
        self._metrics = {}


_NUMBERS = ("transitions", "updates", "policy_version", "_rejected", "_policy_lag", "_published_at", "_refreshed_at")


def use_threads(count: int) -> None:
    """Let the matrix products of this process use `count` threads; small networks want one."""
    torch.set_num_threads(count)
