"""Learning from a replay buffer at a set number of updates per transition, whatever an update is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from sac_control.algorithms.actor_average import ActorAverage
from sac_control.algorithms.algorithm import MOST_HALVINGS, Algorithm, State, Use
from sac_control.algorithms.mixed_in import MixedIn
from sac_control.algorithms.off_policy_config import OffPolicyConfig
from sac_control.algorithms.replay_buffer import ReplayBuffer
from sac_control.algorithms.replay_ratio import ReplayRatio
from sac_control.types import ActorParameters, Array, Float32Array, Transition

_REFRESH_EVERY = 200  # transitions between two refreshes of the normalisation statistics
_LARGEST_START = 1e18  # of values: rewards that ask for more diverge in any case, and that is told in words
_LEAST_RATE = 0.1  # learning rates fall with the transitions to this share of their setting and no further


class OffPolicy(Algorithm):
    """A replay buffer and a learner.

    Args:
        config: its settings, which make the learner.
        observation_size, action_size: o and a.
        mirror: signs of the observation's terms in the mirror image of the task, (o,) float32; None: it has none.
        seed: of the networks, the noise and the batches.

    Attributes:
        learner: makes the updates.
        buffer: the transitions kept for replay.
    """

    is_on_policy: ClassVar[bool] = False
    remedy: ClassVar[str] = "lower learner.critic_learning_rate or learner.replay_ratio"

    def __init__(
        self,
        config: OffPolicyConfig,
        *,
        observation_size: int,
        action_size: int,
        mirror: Float32Array | None,
        seed: int,
    ) -> None:
        learner_seed, buffer_seed = np.random.SeedSequence(seed).generate_state(2).tolist()  # unrelated streams
        sizes: dict[str, Any] = {"observation_size": observation_size, "action_size": action_size}
        self._config = config
        self.learner = config.make_learner(**sizes, seed=learner_seed)
        self._mirror = mirror if config.mirror else None
        self.is_mirrored = self._mirror is not None
        self.buffer = self.memory = ReplayBuffer(
            capacity=config.buffer_capacity, **sizes, seed=buffer_seed, mirror=self._mirror
        )
        self._recorded: MixedIn | None = None  # transitions of others
        self._recorded_seed = seed
        self.updates = 0
        self._ratio = ReplayRatio(config.replay_ratio, config.warmup_steps)
        self._average = ActorAverage(config.actor_average)  # what is published
        self._floor = np.float32(config.reward_floor)
        self._is_solved = self._is_hardened = False
        self._published_at: int | None = None  # updates made when weights were last published
        self._kept_metrics: dict[str, float] | None = None  # of the update that a rollback went back to
        self._refreshed_at = 0  # transitions accepted when the normalisation was last refreshed
        self._keep()

    def accept(self, transition: Transition) -> Use:
        self.buffer.add(transition)
        self.learner.observe(self._seen(transition.observation))
        return Use.LEARNT

    def learn_from(self, recorded: Sequence[Transition], share: float) -> None:
        self._recorded = MixedIn(
            recorded,
            share,
            observation_size=self.buffer.observation_size,
            action_size=self.buffer.action_size,
            mirror=self._mirror,
            seed=self._recorded_seed,
        )
        for transition in recorded:
            self.learner.observe(self._seen(transition.observation))
        self._keep()

    def _seen(self, observation: Float32Array) -> Float32Array:
        """The observation, and its mirror image where that is learnt from, (n, o): statistics must fit the samples."""
        if self._mirror is None:
            return observation[None]
        return np.stack([observation, observation * self._mirror])

    @property
    def updates_owed(self) -> int:
        return self._ratio.owed(self.buffer.added, self.updates)

    @property
    def welcome(self) -> int:
        """At most run_ahead, and no more than run_ahead before the transition that makes the next update due."""
        run_ahead = self._config.run_ahead
        return min(run_ahead, self._ratio.first_owing(self.updates) - 1 + run_ahead - self.buffer.added)

    def update(self, count: int) -> None:
        if not count:
            return
        transitions = self.buffer.added
        if not self.learner.updates:  # made none yet, or was rolled back to before the first
            self._start()
        if transitions >= self._refreshed_at + _REFRESH_EVERY and not self._is_hardened:  # its gains would change
            self.learner.refresh_normalisation()
            self._refreshed_at = transitions
        self.learner.learning_rate_scale[()] = self._learning_rate_scale()
        self._kept_metrics = None
        size = self._config.batch_size
        batch = (
            self.buffer.sample(size, count)
            if self._recorded is None
            else self._recorded.mixed(self.buffer, size, count)
        )
        self.learner.update(dataclasses.replace(batch, reward=np.maximum(batch.reward, self._floor)))
        self.updates += count

    def _start(self) -> None:
        """Prepare the networks by what the warm-up has shown.

        Critics start at the value of going on for ever at the mean reward, and then only have to find where that is
        wrong: mostly before terminations. From 0 they would first have to climb to it, at the pace that `tau` allows.
        """
        self.learner.refresh_normalisation()
        self._refreshed_at = self.buffer.added
        config = self._config
        if config.optimistic_values and config.gamma < 1.0:
            value = self.buffer.mean_reward(config.reward_floor) / (1.0 - config.gamma)
            self.learner.start_values_at(min(max(value, -_LARGEST_START), _LARGEST_START))

    def _learning_rate_scale(self) -> float:
        """Falls with the transitions after the warm-up, with what was reached, and by `step_scale`."""
        config, decay = self._config, 1.0
        if config.learning_rate_decay:
            after_warmup = max(0, self.buffer.added - config.warmup_steps)
            decay = max(_LEAST_RATE, 1.0 / (1.0 + after_warmup / config.learning_rate_decay))
        if self._is_hardened:
            reached = config.hardened_learning_rate_scale
        else:
            reached = config.solved_learning_rate_scale if self._is_solved else 1.0
        return decay * self.step_scale * reached

    @property
    def is_publication_due(self) -> bool:
        return self._published_at is None or self.updates >= self._published_at + self._config.publish_every

    def publish(self, version: int) -> ActorParameters:
        """The average of the actor as it is now with those before, where it is to be one."""
        self._published_at = self.updates
        self._keep()
        config = self._config
        correlation = config.solved_noise_correlation if self._is_solved else config.noise_correlation
        actor = dataclasses.replace(self.learner.actor_parameters(), noise_correlation=correlation)
        return self._average.include(actor, self.buffer.added)

    def note_solved(self, actor: ActorParameters, *, is_hardening: bool = False) -> None:
        """The settings ``solved_*`` take effect.

        Exploration that reaches farther shows the margins of the policy, which a good one no longer meets by itself.
        What is learnt and what is published go on from the solution: the one is not the other where actors are
        averaged, and would draw it away. It changes slowly from there; less slowly while robots vary, which it has yet
        to learn.
        """
        self.learner.take_actor(actor)
        self._is_solved, config = True, self._config
        self._average.horizon = config.hardening_actor_average if is_hardening else config.solved_actor_average
        self._average.begin(actor, self.buffer.added)
        self._ratio.change(self._config.solved_replay_ratio, self.buffer.added)
        self.learner.is_varied = self.learner.is_varied or is_hardening  # and stays so, once it is good on all of them
        self._is_hardened = self.learner.is_varied and not is_hardening
        self.learner.note_solved()
        self._keep()

    def is_finite(self) -> bool:
        return self.learner.is_finite()

    def _keep(self) -> None:
        """Keep the learner as it is, to roll back to."""
        self._sound: dict[str, Array] = self.learner.state()
        self._sound_metrics = self.metrics()
        self._sound_refreshed_at = self._refreshed_at

    def roll_back(self) -> bool:
        """Return the learner to the last publication and halve its learning rates; false where they are at their least.

        What was observed since stays known; where that was the time before the first update, the start is made again.
        """
        self.learner.restore(self._sound | self.learner.observed())
        self._kept_metrics = self._sound_metrics
        self._refreshed_at = self._sound_refreshed_at
        self.rollbacks += 1
        return self.rollbacks <= MOST_HALVINGS

    def return_to(self, arrays: Mapping[str, Array]) -> None:
        """Networks, optimisers and the statistics of observations that they know are those of then."""
        self.learner.restore(arrays)
        self._average.restore(arrays)
        self._refreshed_at = self.buffer.added
        self._keep()

    @property
    def metric_names(self) -> tuple[str, ...]:
        return self.learner.metric_names

    def metrics(self) -> dict[str, float]:
        return self.learner.metrics() if self._kept_metrics is None else self._kept_metrics

    @property
    def replay_ratio(self) -> float:
        """Updates per transition since the warm-up, as reached."""
        return self.updates / max(1, self.buffer.added - self._config.warmup_steps)

    @property
    def target_replay_ratio(self) -> float:
        return self._ratio.ratio

    @property
    def kept(self) -> int:
        return len(self.buffer)

    def state(self) -> State:
        numbers = {
            "updates": self.updates,
            "is_solved": self._is_solved,
            "is_varied": self.learner.is_varied,
            "is_hardened": self._is_hardened,
            "actor_average": self._average.horizon,
            "_published_at": self._published_at,
            "_refreshed_at": self._refreshed_at,
            "_rollbacks": self.rollbacks,
            "replay_ratio": self._ratio.state(),
            "generators": {name: each.bit_generator.state for name, each in self._generators.items()},
        }
        return State(arrays=self.learner.state() | self._average.state(), numbers=numbers)

    def restore(self, arrays: Mapping[str, Array], numbers: Mapping[str, Any]) -> None:
        self.learner.restore(arrays)
        self._average.restore(arrays)
        for name, generator in self._generators.items():
            generator.bit_generator.state = numbers["generators"][name]
        self.updates = numbers["updates"]
        self._is_solved = numbers.get("is_solved", numbers.get("solved_at") is not None)  # as runs of before say it
        self.learner.is_varied = numbers.get("is_varied", False)
        self._is_hardened = numbers.get("is_hardened", numbers.get("hardened_at") is not None)  # likewise
        config = self._config
        before = config.solved_actor_average if self._is_solved else config.actor_average  # as runs of before had it
        self._average.horizon = numbers.get("actor_average", before)
        self._published_at = numbers["_published_at"]
        self._refreshed_at = numbers["_refreshed_at"]
        self.rollbacks = numbers.get("_rollbacks", numbers.get("rate_halvings", 0))  # as some runs of before call it
        self._ratio.restore(numbers["replay_ratio"])
        self._keep()

    @property
    def _generators(self) -> dict[str, np.random.Generator]:
        return {"learner": self.learner.generator, "buffer": self.buffer.generator}
