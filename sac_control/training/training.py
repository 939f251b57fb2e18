"""Training: transitions in, updates at a set ratio, weights out. Knows nothing of ROS, of files or of time."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sac_control.algorithms.actor_average import ActorAverage
from sac_control.algorithms.replay_buffer import ReplayBuffer
from sac_control.algorithms.replay_ratio import ReplayRatio
from sac_control.algorithms.sac.choice import make_learner
from sac_control.errors import RunError, TransitionError
from sac_control.training.arrivals import Arrivals
from sac_control.training.counters import Counters
from sac_control.training.intake import ACCEPTED, DUPLICATE, Intake, Outcome
from sac_control.training.learner_config import LearnerConfig
from sac_control.training.returns import Episodes
from sac_control.training.seen_states import SeenStates
from sac_control.types import ActorParameters, Array, Float32Array, Transition

_REFRESH_EVERY = 200  # transitions between two refreshes of the normalisation statistics
_LARGEST_START = 1e18  # of values: rewards that ask for more diverge in any case, and that is told in words
_LEAST_RATE = 0.1  # learning rates fall with the transitions to this share of their setting and no further
_MOST_HALVINGS = 6  # of learning rates: smaller ones would only hide that nothing is learnt any more


@dataclass(frozen=True, kw_only=True)
class TrainingState:
    """A training, to be saved. The transitions are not in it: they are saved as rows of the replay buffer."""

    arrays: dict[str, Array]  # of the learner and the averaged actor
    numbers: dict[str, Any]  # plain values that JSON keeps


class Training:
    """Everything a learner does between two messages. Its random choices depend on `config.seed` alone.

    Attributes:
        learner: the algorithm.
        buffer: the transitions kept for replay.
        transitions: transitions accepted.
        updates: updates made.
        policy_version: version last published; 0 before the first.
        solved_at: transitions seen by the first policy that solved the task; None before.
        replay_ratio: says how many updates are owed.
        seen_states: joint states of the transitions accepted; of rows read back from a disk they are not known.
    """

    def __init__(
        self,
        config: LearnerConfig,
        *,
        observation_size: int,
        action_size: int,
        mirror: Float32Array | None = None,
        continuous_joints: Sequence[bool] = (),
    ) -> None:
        learner_seed, buffer_seed = np.random.SeedSequence(config.seed).generate_state(2).tolist()  # unrelated streams
        self.learner = make_learner(
            config, observation_size=observation_size, action_size=action_size, seed=learner_seed
        )
        self._mirror = mirror if config.mirror else None
        self.buffer = ReplayBuffer(
            capacity=config.buffer_capacity,
            observation_size=observation_size,
            action_size=action_size,
            seed=buffer_seed,
            mirror=self._mirror,
        )
        self.transitions = 0
        self.updates = 0
        self.policy_version = 0
        self.solved_at: int | None = None
        self._config = config
        self.replay_ratio = ReplayRatio(config.replay_ratio, config.warmup_steps)
        self._arrivals = Arrivals()
        self._episodes = Episodes()
        self._average = ActorAverage(config.solved_actor_average)
        self.seen_states = SeenStates(continuous_joints, is_mirrored=self._mirror is not None)
        self._rejected = 0
        self._published_at = 0  # updates made when weights were last published
        self._refreshed_at = 0  # transitions accepted when the normalisation was last refreshed
        self._rollbacks = 0
        self._keep()

    def ingest(self, transition: Transition) -> Intake:
        """Accept a transition, unless it came before.

        Raises:
            TransitionError: it has a wrong size, a value that is not finite, or an action outside [-1, 1]. It was
                counted and left out.
        """
        if not self._arrivals.is_new(transition.source, transition.sequence):
            return DUPLICATE
        try:
            self.buffer.add(transition)
        except TransitionError:
            self._rejected += 1
            self._arrivals.distrust(transition.source, transition.sequence)
            raise
        self.transitions += 1
        self.seen_states.add(transition.state)
        self.learner.observe(self._seen(transition.observation))
        episode = self._episodes.add(transition)
        return ACCEPTED if episode is None else Intake(Outcome.ACCEPTED, episode)

    def _seen(self, observation: Float32Array) -> Float32Array:
        """The observation, and its mirror image where that is learnt from, (n, o): statistics must fit the samples."""
        if self._mirror is None:
            return observation[None]
        return np.stack([observation, observation * self._mirror])

    @property
    def updates_owed(self) -> int:
        """Updates to make now, so that the replay ratio holds."""
        return self.replay_ratio.owed(self.transitions, self.updates)

    @property
    def credit(self) -> int:
        """The sequence number, as the source last heard counts, before which transitions are welcome.

        A source sends its transition `s` if s < credit, and its very first without asking. It can then never have more
        than run_ahead transitions under way (one, where the training is deterministic), nor be more than that ahead of
        the updates: when it has to wait, updates are owed, and making them brings new credit. Nothing is welcome beyond
        max_steps.
        """
        expected = self._arrivals.expected
        if expected is None:
            return 0
        run_ahead = 1 if self._config.deterministic else self._config.run_ahead
        most = self.replay_ratio.first_owing(self.updates) - 1 + run_ahead
        left = self._config.max_steps - self.transitions
        return max(0, expected + min(run_ahead, most - self.transitions, left))

    @property
    def source(self) -> int | None:
        """The source that `credit` is for, the one last heard; None before any was."""
        return self._arrivals.newest

    def update(self, count: int) -> None:
        """Make `count` updates, owed or not.

        Raises:
            ValueError: there is no transition to learn from yet.
        """
        if not count:
            return
        if not self.learner.updates:  # made none yet, or was rolled back to before the first
            self._start()
        if self.transitions >= self._refreshed_at + _REFRESH_EVERY:
            self.learner.refresh_normalisation()
            self._refreshed_at = self.transitions
        self.learner.learning_rate_scale[()] = self._learning_rate_scale()
        self.learner.update(self.buffer.sample(self._config.batch_size, count))
        self.updates += count

    def _start(self) -> None:
        """Prepare the networks by what the warm-up has shown.

        Critics start at the value of going on for ever at the mean reward, and then only have to find where that is
        wrong: mostly before terminations. From 0 they would first have to climb to it, at the pace that `tau` allows.
        """
        self.learner.refresh_normalisation()
        self._refreshed_at = self.transitions
        if self._config.optimistic_values and self._config.gamma < 1.0:
            value = self.buffer.mean_reward() / (1.0 - self._config.gamma)
            self.learner.start_values_at(min(max(value, -_LARGEST_START), _LARGEST_START))

    def _learning_rate_scale(self) -> float:
        """Falls with the transitions after the warm-up, and by half at each of the first rollbacks."""
        decay = 1.0
        if self._config.learning_rate_decay:
            after_warmup = max(0, self.transitions - self._config.warmup_steps)
            decay = max(_LEAST_RATE, 1.0 / (1.0 + after_warmup / self._config.learning_rate_decay))
        return decay * self.rollback_rate

    @property
    def rollback_rate(self) -> float:
        """The share of the learning rates that rollbacks have left."""
        return 0.5 ** min(self._rollbacks, _MOST_HALVINGS)

    @property
    def publication_due(self) -> bool:
        """Whether no weights were published yet, or publish_every updates were made since."""
        return not self.policy_version or self.updates >= self._published_at + self._config.publish_every

    def skip_versions(self, version: int) -> None:
        """Number publications beyond `version`: an earlier life of this training, killed since, has published it."""
        self.policy_version = max(self.policy_version, version)

    def is_finite(self) -> bool:
        """Whether the learner is sound; publish nothing when it is not, and roll it back."""
        return self.learner.is_finite()

    def publish(self) -> ActorParameters:
        """The actor as it is now, under the next policy_version."""
        self.policy_version += 1
        self._published_at = self.updates
        self._keep()
        config = self._config
        correlation = config.solved_noise_correlation if self.solved_at is not None else config.noise_correlation
        actor = dataclasses.replace(self.learner.actor_parameters(), noise_correlation=correlation)
        is_averaged = self.solved_at is not None and config.solved_actor_average
        return self._average.include(actor, self.transitions) if is_averaged else actor

    def note_solved(self, at: int, actor: ActorParameters) -> None:
        """Take note that `actor`, the policy of transition number `at`, has solved the task.

        From here on it is about keeping the solution, not about finding it: the settings ``solved_*`` take effect.
        Exploration that reaches farther shows the margins of the policy, which a good one no longer meets by itself.
        What is published goes back to the solution and changes slowly from there.
        """
        self.solved_at = at
        self._average.begin(actor, self.transitions)
        self.replay_ratio.change(self._config.solved_replay_ratio, self.transitions)
        self.learner.target_entropy[()] = self._config.solved_target_entropy * self.learner.action_size
        self._keep()

    def _keep(self) -> None:
        """Keep the learner as it is, to roll back to."""
        self._sound: dict[str, Array] = self.learner.state()
        self._sound_refreshed_at = self._refreshed_at

    def roll_back(self) -> bool:
        """Return the learner to its last publication and halve its learning rates; false where they are at their least.

        What was observed since stays known; where that was the time before the first update, the start is made again.
        The updates made since count as made; the random generators go on, so the same batches do not come again.
        """
        self.learner.restore(self._sound | self.learner.observed())
        self._refreshed_at = self._sound_refreshed_at
        self._rollbacks += 1
        return self._rollbacks <= _MOST_HALVINGS

    def metrics(self) -> dict[str, float]:
        """Losses, q, entropy and alpha of the newest update, each the mean over its batch; empty before the first."""
        return self.learner.metrics()

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
            replay_ratio=self.updates / max(1, self.transitions - self._config.warmup_steps),
            rollbacks=self._rollbacks,
        )

    def state(self) -> TrainingState:
        """All that changes, but for the rows of the replay buffer."""
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        generators = {name: each.bit_generator.state for name, each in self._generators.items()}
        parts = {
            "arrivals": self._arrivals.state(),
            "episodes": self._episodes.state(),
            "replay_ratio": self.replay_ratio.state(),
            "generators": generators,
        }
        arrays = self.learner.state() | self._average.state() | self.seen_states.state()
        return TrainingState(arrays=arrays, numbers=numbers | parts)

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
        self.learner.restore(state.arrays)
        self._average.restore(state.arrays)
        self.seen_states.restore(state.arrays)
        for name, generator in self._generators.items():
            generator.bit_generator.state = state.numbers["generators"][name]
        for name in _NUMBERS:
            setattr(self, name, state.numbers[name])
        self.replay_ratio.restore(state.numbers["replay_ratio"])
        self._arrivals.restore(state.numbers["arrivals"])
        self._episodes.restore(state.numbers["episodes"])
        self._keep()

    @property
    def _generators(self) -> dict[str, np.random.Generator]:
        return {"learner": self.learner.generator, "buffer": self.buffer.generator}


_NUMBERS = (
    "transitions",
    "updates",
    "policy_version",
    "solved_at",
    "_rejected",
    "_published_at",
    "_refreshed_at",
    "_rollbacks",
)
