"""Training: transitions in, an algorithm's updates, weights out. Knows nothing of ROS, of files or of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sac_control.algorithms.algorithm import State, Use
from sac_control.errors import RunError, TransitionError
from sac_control.training.arrivals import Arrivals
from sac_control.training.counters import Counters
from sac_control.training.intake import DUPLICATE, Intake, Outcome
from sac_control.training.learner_config import LearnerConfig
from sac_control.training.returns import Episodes
from sac_control.training.seen_states import SeenStates
from sac_control.types import ActorParameters, Array, Float32Array, Transition


class Training:
    """Everything a learner does between two messages. Its random choices depend on `config.seed` alone.

    Args:
        config: settings of the training and of its algorithm.
        observation_size, action_size: o and a.
        mirror: signs of the observation's terms in the mirror image of the task, (o,) float32; None: it has none.
        continuous_joints: of each joint, whether it turns for ever.
        has_exam: whether a solution is to become good on robots that differ from their description.

    Attributes:
        algorithm: what learns.
        transitions: accepted.
        policy_version: version last published; 0 before the first.
        solved_at: transitions seen by the first policy that solved the task; None before.
        hardened_at: transitions seen by the first one that was good on all plants, too; None before.
        restorations: times that it went back to a solution that it had lost.
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
        has_exam: bool = False,
    ) -> None:
        self.algorithm = config.make(
            observation_size=observation_size, action_size=action_size, mirror=mirror, seed=config.seed
        )
        self.transitions = 0
        self.policy_version = 0
        self.solved_at: int | None = None
        self.hardened_at: int | None = None
        self.restorations = 0
        self._config, self._has_exam = config, has_exam
        self._arrivals = Arrivals()
        self._episodes = Episodes()
        self.seen_states = SeenStates(continuous_joints, is_mirrored=self.algorithm.is_mirrored)
        self._rejected = 0
        self._stale = 0

    def ingest(self, transition: Transition) -> Intake:
        """Accept a transition, unless it came before or is of no use to the algorithm.

        Raises:
            TransitionError: it has a wrong size, a value that is not finite, or an action outside [-1, 1]. It was
                counted and left out.
        """
        if not self._arrivals.is_new(transition.source, transition.sequence):
            return DUPLICATE
        try:
            use = self.algorithm.accept(transition)
        except TransitionError:
            self._rejected += 1
            self._arrivals.distrust(transition.source, transition.sequence)
            raise
        episode = self._episodes.add(transition)
        if use is Use.STALE:
            self._stale += 1
            return Intake(Outcome.STALE, episode)
        self.transitions += 1
        self.seen_states.add(transition.state)
        return Intake(Outcome.ACCEPTED, episode)

    @property
    def updates(self) -> int:
        """Updates made."""
        return self.algorithm.updates

    @property
    def updates_owed(self) -> int:
        """Updates to make now."""
        return self.algorithm.updates_owed

    @property
    def credit(self) -> int:
        """The sequence number, as the source last heard counts, before which transitions are welcome.

        A source sends its transition `s` if s < credit, and its very first without asking. It can then never have more
        under way than the algorithm welcomes (one, where the training is deterministic): when it has to wait, updates
        are owed, and making them brings new credit. Nothing is welcome beyond max_steps.
        """
        expected = self._arrivals.expected
        if expected is None:
            return 0
        most = 1 if self._config.deterministic else self._config.max_steps
        left = self._config.max_steps - self.transitions
        return max(0, expected + min(self.algorithm.welcome, most, left))

    @property
    def source(self) -> int | None:
        """The source that `credit` is for, the one last heard; None before any was."""
        return self._arrivals.newest

    def update(self, count: int) -> None:
        """Make `count` updates, owed or not.

        Raises:
            ValueError: there is no transition to learn from yet.
        """
        self.algorithm.update(count)

    @property
    def publication_due(self) -> bool:
        """Whether no weights were published yet, or updates since are worth another publication."""
        return not self.policy_version or self.algorithm.is_publication_due

    def skip_versions(self, version: int) -> None:
        """Number publications beyond `version`: an earlier life of this training, killed since, has published it."""
        self.policy_version = max(self.policy_version, version)

    def is_finite(self) -> bool:
        """Whether the algorithm is sound; publish nothing when it is not, and roll it back."""
        return self.algorithm.is_finite()

    def publish(self) -> ActorParameters:
        """The actor as it is now, under the next policy_version."""
        self.policy_version += 1
        return self.algorithm.publish(self.policy_version)

    def note_solved(self, at: int, actor: ActorParameters, arrays: Mapping[str, Array]) -> None:
        """Take note that `actor`, the policy of transition number `at`, has solved the task, and go on from there.

        What was learnt until the verdict came is given up: how long that took is a matter of how busy the computer was.

        Args:
            at: transitions that the policy had seen.
            actor: the policy.
            arrays: of the algorithm's `state()` then.
        """
        self.solved_at = at
        self.algorithm.return_to(arrays)
        self.algorithm.note_solved(actor, is_hardening=self._is_hardening)

    def note_hardened(self, at: int, actor: ActorParameters, arrays: Mapping[str, Array]) -> None:
        """Take note that `actor` is good on all robots, too, and go on from there: now it is about keeping that."""
        self.hardened_at = at
        self.algorithm.return_to(arrays)
        self.algorithm.note_solved(actor)

    def return_to_solution(self, arrays: Mapping[str, Array], actor: ActorParameters) -> None:
        """Let the algorithm go on from a solution of before: `arrays` of its `state()`, and its policy, `actor`.

        It goes on in steps half as large: in those that lost the solution it would lose it again.

        Raises:
            RunError: the state belongs to other settings.
        """
        self.algorithm.return_to(arrays)
        self.algorithm.note_solved(actor, is_hardening=self._is_hardening)
        self.restorations += 1
        self.algorithm.restorations = self.restorations

    @property
    def _is_hardening(self) -> bool:
        """Whether it is to become good on robots that differ from their description."""
        return self._has_exam and self.hardened_at is None

    def roll_back(self) -> bool:
        """Return the algorithm to its last publication; see Algorithm.roll_back."""
        return self.algorithm.roll_back()

    def metrics(self) -> dict[str, float]:
        """What the algorithm tells of its newest update, by name; empty before the first."""
        return self.algorithm.metrics()

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
            stale=self._stale,
            policy_version=self.policy_version,
            replay_ratio=self.algorithm.replay_ratio,
            rollbacks=self.algorithm.rollbacks,
        )

    def state(self) -> State:
        """All that changes, but for the rows of the algorithm's memory."""
        algorithm = self.algorithm.state()
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        numbers |= {name: getattr(self, attribute) for name, (attribute, _) in _LATER_NUMBERS.items()}
        parts = {"arrivals": self._arrivals.state(), "episodes": self._episodes.state()}
        return State(arrays=algorithm.arrays | self.seen_states.state(), numbers=algorithm.numbers | numbers | parts)

    def restore(self, state: State) -> None:
        """Continue from `state()`, to the last bit. Restore the rows of the algorithm's memory first.

        Raises:
            RunError: the state belongs to other settings, or the memory lacks its transitions.
        """
        memory = self.algorithm.memory
        if memory is not None and memory.added != state.numbers["transitions"]:
            raise RunError(
                f"the replay buffer was restored to {memory.added} transitions, the checkpoint was made at "
                f"{state.numbers['transitions']}"
            )
        self.algorithm.restore(state.arrays, state.numbers)
        self.seen_states.restore(state.arrays)
        for name in _NUMBERS:
            setattr(self, name, state.numbers[name])
        for name, (attribute, unknown) in _LATER_NUMBERS.items():
            setattr(self, attribute, state.numbers.get(name, unknown))
        self.algorithm.restorations = self.restorations
        self._arrivals.restore(state.numbers["arrivals"])
        self._episodes.restore(state.numbers["episodes"])


_NUMBERS = ("transitions", "policy_version", "solved_at", "_rejected")
_LATER_NUMBERS = {"stale": ("_stale", 0), "hardened_at": ("hardened_at", None), "restorations": ("restorations", 0)}
