"""The actor's forward pass in numpy, for one observation at a time. Knows nothing of files, messages or safety."""

from __future__ import annotations

import numpy as np

from sac_control.types import ActorParameters, Float32Array


class Policy:
    """A squashed Gaussian policy: a = tanh(u), u ~ N(μ(s), σ(s)²) (Haarnoja et al. 2018b, appendix C).

    Buffers are made once, so that a control tick allocates next to nothing.
    """

    def __init__(self, actor: ActorParameters) -> None:
        self.actor = actor
        self.observation_size = int(actor.layers[0][0].shape[0])
        self.action_size = int(actor.layers[-1][1].shape[0]) // 2
        self._layers = list(actor.layers)
        self._input = np.empty(self.observation_size, np.float32)
        self._outputs = [np.empty_like(bias) for _, bias in actor.layers]
        self._inverse_std = (1.0 / actor.observation_std).astype(np.float32)

    def act(self, observation: Float32Array, rng: np.random.Generator | None = None) -> Float32Array:
        """Action (a,) float32 in [-1, 1] for `observation`, (o,) float32.

        Without `rng` the deterministic action tanh(μ); with it a sample.
        """
        mean, log_std = self._forward(observation)
        if rng is None:
            return np.tanh(mean)
        noise = rng.standard_normal(self.action_size, np.float32)
        return np.tanh(mean + np.exp(log_std) * noise)

    def _forward(self, observation: Float32Array) -> tuple[Float32Array, Float32Array]:
        x: Float32Array = self._input
        np.subtract(observation, self.actor.observation_mean, out=x)
        np.multiply(x, self._inverse_std, out=x)
        for (weight, bias), y in zip(self._layers, self._outputs, strict=True):
            np.dot(x, weight, out=y)
            np.add(y, bias, out=y)
            if y is not self._outputs[-1]:
                np.maximum(y, 0.0, out=y)
            x = y
        mean, log_std = x[: self.action_size], x[self.action_size :]
        return mean, np.clip(log_std, *self.actor.log_std_bounds)
