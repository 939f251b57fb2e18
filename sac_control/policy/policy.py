"""The actor's forward pass in numpy, for one observation at a time. Knows nothing of files, messages or safety."""

from __future__ import annotations

import numpy as np

from sac_control.policy.correlated_noise import CorrelatedNoise
from sac_control.policy.state_dependent_noise import StateDependentNoise
from sac_control.types import ActorParameters, Float32Array

# From u to the action; each makes a new array.
_SQUASHED = {"squashed_gaussian": np.tanh, "gaussian": np.positive}
_ZERO: Float32Array = np.zeros((), np.float32)  # an array: numpy would make one of the number 0.0 at every call


class Policy:
    """A Gaussian policy, u ~ N(μ(s), σ(s)²): squashed, a = tanh(u) (Haarnoja et al. 2018b, appendix C), or a = u.

    At this size calls cost more than arithmetic, so there are few: each bias is the last row of its layer's matrix, for
    an input that ends with 1. All memory but the action's is allocated once.
    """

    def __init__(self, actor: ActorParameters) -> None:
        self.actor = actor
        self.observation_size = int(actor.layers[0][0].shape[0])
        self.action_size = int(actor.layers[-1][1].shape[0]) // 2
        self._squashed = _SQUASHED[actor.distribution]
        self._inverse_std = (1.0 / actor.observation_std).astype(np.float32)
        layers, x = [], np.ones(self.observation_size + 1, np.float32)
        self._input = x[:-1]
        for weight, bias in actor.layers:
            y = np.ones(len(bias) + 1, np.float32)
            layers.append((x, np.vstack([weight, bias]), y[:-1]))
            x = y
        self._hidden, self._last = tuple(layers[:-1]), layers[-1]
        self._mean, self._log_std = x[: self.action_size], x[self.action_size : -1]
        self._noise = CorrelatedNoise(self.action_size, actor.noise_correlation)
        self._state_dependent: StateDependentNoise | None = None
        if actor.sde_sample_interval:
            deviation = np.exp(np.clip(actor.layers[-1][0][:, self.action_size :], *actor.log_std_bounds))
            self._state_dependent = StateDependentNoise(deviation, actor.sde_sample_interval)

    def act(self, observation: Float32Array, rng: np.random.Generator | None = None) -> Float32Array:
        """Action (a,) float32 for `observation`, (o,) float32: in [-1, 1] where the Gaussian is squashed.

        Where it is not, the action may be any number: it is clipped only when it is commanded, because a learner needs
        the sample itself. Without `rng` the deterministic action, that of u = μ; with it a sample.
        """
        self._forward(observation)
        if rng is None:
            action: Float32Array = self._squashed(self._mean)
            return action
        if self._state_dependent is not None:
            smooth: Float32Array = self._squashed(self._mean + self._state_dependent.at(self._last[0][:-1], rng))
            return smooth
        low, high = self.actor.log_std_bounds
        noise = self._noise.next(rng)
        sample: Float32Array = self._squashed(self._mean + np.exp(np.clip(self._log_std, low, high)) * noise)
        return sample

    def keep_exploration_of(self, before: Policy) -> None:
        """Go on with the noise of `before`, whose place this policy takes, where that lasts for more than one tick."""
        self._noise.go_on_from(before._noise)
        if self._state_dependent is not None and before._state_dependent is not None:
            self._state_dependent.go_on_from(before._state_dependent)

    def _forward(self, observation: Float32Array) -> None:
        np.subtract(observation, self.actor.observation_mean, self._input)
        np.multiply(self._input, self._inverse_std, self._input)
        for x, matrix, y in self._hidden:
            np.dot(x, matrix, y)
            np.maximum(y, _ZERO, y)
        np.dot(*self._last)
