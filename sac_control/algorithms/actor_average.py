"""The average of a training's actors: a policy that changes slowly. Knows nothing of how they are trained."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from sac_control.types import ActorParameters, Array, Float32Array

Layers = tuple[tuple[Float32Array, Float32Array], ...]


class ActorAverage:
    """Exponential average of parameters, over transitions.

    The mean of the points that stochastic gradient descent passes is better than the newest of them (Polyak and
    Juditsky 1992), and steadier: a policy in training now and then takes a step across the edge (Nikishin et al. 2018,
    "Improving stability in deep reinforcement learning with weight averaging").

    Attributes:
        horizon: transitions after which an actor counts for 1/e; 0: at once, so that the newest is all there is.
    """

    def __init__(self, horizon: float) -> None:
        self.horizon = horizon
        self._layers: Layers | None = None  # for observations as they come, not normalised
        self._at = 0  # transitions when an actor was last included

    def begin(self, actor: ActorParameters, at: int) -> None:
        """Begin anew with `actor`, after `at` transitions."""
        self._layers, self._at = denormalised(actor), at

    def include(self, actor: ActorParameters, at: int) -> ActorParameters:
        """The average with `actor`, as it is after `at` transitions; all but the layers is the actor's own."""
        if not self.horizon:
            return actor
        new = denormalised(actor)
        if self._layers is not None:
            share = np.float32(-math.expm1(-(at - self._at) / self.horizon))
            new = tuple(
                (weight + share * (new_weight - weight), bias + share * (new_bias - bias))
                for (weight, bias), (new_weight, new_bias) in zip(self._layers, new, strict=True)
            )
        self._layers, self._at = new, at
        return dataclasses.replace(actor, layers=normalised(new, actor.observation_mean, actor.observation_std))

    def state(self) -> dict[str, Array]:
        """All of it, to be saved; empty before the first actor."""
        if self._layers is None:
            return {}
        arrays: dict[str, Array] = {"average.at": np.array(self._at)}
        for k, (weight, bias) in enumerate(self._layers):
            arrays |= {f"average.{k}.weight": weight.copy(), f"average.{k}.bias": bias.copy()}
        return arrays

    def restore(self, arrays: Mapping[str, Array]) -> None:
        """Continue from `state()`, whatever else is among `arrays`."""
        count = sum(name.startswith("average.") and name.endswith(".weight") for name in arrays)
        layers = tuple((arrays[f"average.{k}.weight"], arrays[f"average.{k}.bias"]) for k in range(count))
        self._layers, self._at = layers or None, int(arrays.get("average.at", 0))


def denormalised(actor: ActorParameters) -> Layers:
    """Layers that do to o what the actor does to (o - mean) / std: statistics differ from actor to actor."""
    (weight, bias), *rest = actor.layers
    own = weight / actor.observation_std[:, None]
    return ((own, bias - actor.observation_mean @ own), *rest)


def normalised(layers: Layers, mean: Float32Array, std: Float32Array) -> Layers:
    """The inverse of `denormalised`, for observations that are normalised by `mean` and `std`, (o,) each."""
    (own, bias), *rest = layers
    return ((own * std[:, None], bias + mean @ own), *rest)
