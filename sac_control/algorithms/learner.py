"""What makes the updates of an off-policy algorithm: batches in, a better actor out, and a state. Pure numpy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from sac_control.algorithms.actor_average import denormalised, normalised
from sac_control.algorithms.algorithm import check_arrays
from sac_control.algorithms.layout import Layout
from sac_control.algorithms.normaliser import Normaliser
from sac_control.algorithms.replay_buffer import Batch
from sac_control.types import ActorParameters, Array, Float32Array

if TYPE_CHECKING:  # settings make learners
    from sac_control.algorithms.off_policy_config import OffPolicyConfig

# A hard clamp, as in the paper's code. The rescaled tanh that some use instead keeps a gradient outside, but nothing
# gets there: beyond a deviation of 0.87 the squashed entropy falls again, so the temperature term pushes back.
LOG_STD_BOUNDS = (-20.0, 2.0)


class Learner(ABC):
    """An algorithm with everything that an update changes.

    Batches hold raw observations and are normalised inside of the update, so that better statistics apply to old
    transitions too. Their rewards are multiplied by `config.reward_scale` there; values and temperature are in units of
    the product.

    Attributes:
        config: the hyperparameters.
        generator: of the start values and the noise.
        normaliser: statistics of the observations.
        learning_rate_scale: () float64, multiplies all learning rates; saved with the state.
        is_varied: whether robots differ from their description; not saved with the state.
    """

    def __init__(self, config: OffPolicyConfig, *, observation_size: int, action_size: int, seed: int) -> None:
        self.config = config
        self.observation_size, self.action_size = observation_size, action_size
        self.generator = np.random.default_rng(seed)
        self.normaliser = Normaliser(observation_size)
        self.learning_rate_scale = np.ones(())
        self.is_varied = False
        self._updates = np.zeros((), np.int64)  # made, for what happens at every n-th only

    @abstractmethod
    def update(self, batch: Batch) -> None:
        """Make one update on each of the k batches in turn."""

    @property
    @abstractmethod
    def metric_names(self) -> tuple[str, ...]:
        """Names of all that `metrics` ever tells."""

    @abstractmethod
    def metrics(self) -> dict[str, float]:
        """Losses and the like of the newest update, each the mean over its batch; empty before the first."""

    @abstractmethod
    def start_values_at(self, value: float) -> None:
        """Shift what the untrained critics and their targets predict, about 0, by `value` in units of the reward."""

    @abstractmethod
    def is_finite(self) -> bool:
        """Whether every parameter, and all that the optimisers keep, is a finite number."""

    @abstractmethod
    def _arrays(self) -> dict[str, Array]:
        """Parameters and optimiser state by name, as they are now."""

    @abstractmethod
    def _load(self, arrays: Mapping[str, Array]) -> None:
        """Take over what `_arrays` gave; names and shapes have been checked."""

    def take_actor(self, actor: ActorParameters) -> None:  # noqa: B027  one without such an actor keeps its own
        """Go on from `actor`, of the sizes of this learner's own, be it an average of what that was."""

    def note_solved(self) -> None:  # noqa: B027  many have nothing to change then
        """Take note that the task was solved: now it is about keeping the solution; see `is_varied`, too."""

    def draw_noise(self, batches: int, batch_size: int) -> Float32Array:
        """The noise of `batches` updates, (k, 2, b, a) from N(0, 1): for the observations, and for the next ones."""
        shape = (batches, 2, batch_size, self.action_size)
        return self.generator.standard_normal(shape, dtype=np.float32)

    def observe(self, observations: Float32Array) -> None:
        """Count raw observations (n, o) into the normalisation statistics."""
        self.normaliser.observe(observations)

    def refresh_normalisation(self) -> None:
        """Put the statistics of all observations so far in force, where observations are normalised at all."""
        if self.config.normalise_observations:
            self.normaliser.refresh()

    @abstractmethod
    def actor_parameters(self) -> ActorParameters:
        """A copy of the actor that runs without the learner."""

    @property
    def updates(self) -> int:
        """Updates that the parameters have gone through; those that were taken back by `restore` do not count."""
        return int(self._updates)

    def observed(self) -> dict[str, Array]:
        """The part of `state` that says what was observed, not what was learnt."""
        return {f"normaliser.{name}": array.copy() for name, array in self.normaliser.observed().items()}

    def state(self) -> dict[str, Array]:
        """Everything that an update reads or changes but the generator, as copies; no two share memory."""
        return {name: array.copy() for name, array in (self._arrays() | self._own_arrays()).items()}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Continue from `state()`, to the last bit. The generator is restored apart.

        Raises:
            RunError: an array is missing or has another size: the state belongs to other settings. Nothing changed.
        """
        check_arrays(state, self._arrays() | self._own_arrays())
        self._load(state)
        for name, array in self._own_arrays().items():
            array[...] = state[name]

    def _own_arrays(self) -> dict[str, Array]:
        normaliser = {f"normaliser.{name}": array for name, array in self.normaliser.arrays().items()}
        return normaliser | {
            "learning_rate_scale": self.learning_rate_scale,
            "updates": self._updates,
        }


def vector_of(actor: ActorParameters, normaliser: Normaliser) -> Float32Array:
    """The parameters (n,) of a network that does to observations by `normaliser` what `actor` does by its own."""
    layers = normalised(denormalised(actor), normaliser.mean, normaliser.std)
    vector: Float32Array = np.concatenate([part.ravel() for layer in layers for part in layer]).astype(np.float32)
    return vector


def actor_from(vector: Float32Array, layout: Layout, normaliser: Normaliser) -> ActorParameters:
    """A squashed Gaussian actor of parameters (n,) that lie as `layout` says."""
    views = layout.views(vector.copy())
    return ActorParameters(
        layers=tuple(zip(views[::2], views[1::2], strict=True)),
        observation_mean=normaliser.mean.copy(),
        observation_std=normaliser.std.copy(),
        log_std_bounds=LOG_STD_BOUNDS,
    )
