"""An actor that explores smoothly: generalised state-dependent exploration (Raffin et al. 2021).

u = μ(s) + θᵀ z(s), with z the outputs of the last hidden layer and θ (f, a) a random matrix, θ_ij ~ N(0, σ_ij²), that
is drawn once for several steps. Over all matrices, u ~ N(μ(s), Σ_i z_i(s)² σ_ij²): that is what the losses see. In them
each row has a noise of its own, as if each had its own matrix: the same expectation, with less variance.

The last layer keeps its shape (f, 2a): where other actors have weights that lead to log σ, this one has log σ_ij
itself, and no bias. So a policy file holds both kinds of actors alike.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from torch import Tensor
from torch.nn.functional import linear

from sac_control.algorithms.layout import INITIAL_STD, Layout, initial_actor
from sac_control.algorithms.learner import LOG_STD_BOUNDS
from sac_control.algorithms.sac.readable.networks import Actor
from sac_control.types import ActorParameters, Float32Array

_EPSILON = 1e-6  # keeps the logarithm finite where all features are 0


class StateDependentActor(Actor):
    """π_φ(a|s) whose deviation is that of a random matrix over its features."""

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log_std before the squashing, (b, a) each, for normalised observations (b, o).

        The deviation trains σ and not the features, which belong to the mean. (In the SAC of stable-baselines3 they
        feel both, in its on-policy algorithms only the mean.)
        """
        features = self.features(observation)
        *_, weight, bias = self.network.parameters()  # of the last layer
        (mean_weight, log_sigma), (mean_bias, _) = weight.chunk(2), bias.chunk(2)  # (a, f) and (a,) each
        variance = linear(features.detach().square(), (2.0 * log_sigma.clamp(*LOG_STD_BOUNDS)).exp())
        return linear(features, mean_weight, mean_bias), 0.5 * (variance + _EPSILON).log()

    def features(self, observation: Tensor) -> Tensor:
        """Outputs of the last hidden layer, (b, f)."""
        features: Tensor = self.network[:-1](observation)
        return features


def initial_state_dependent_actor(layout: Layout, generator: np.random.Generator) -> Float32Array:
    """As `initial_actor`: on standard normal observations its deviation is `INITIAL_STD`, in the quadratic mean."""
    flat = initial_actor(layout, generator)
    *hidden, weight, bias = layout.views(flat)
    x = generator.standard_normal((256, layout.widths[0]), np.float32)
    for hidden_weight, hidden_bias in zip(hidden[::2], hidden[1::2], strict=True):
        x = np.maximum(x @ hidden_weight + hidden_bias, 0.0)
    action_size = layout.widths[-1] // 2
    weight[:, action_size:] = math.log(INITIAL_STD / math.sqrt(np.square(x).sum(1).mean()))
    bias[action_size:] = 0.0
    return flat


def without_state_dependence(actor: ActorParameters) -> ActorParameters:
    """The same means, and noise that is drawn anew for each action and is nearly uniform."""
    *hidden, (weight, bias) = actor.layers
    action_size = len(bias) // 2
    weight, bias = weight.copy(), bias.copy()
    weight[:, action_size:] = 0.0
    bias[action_size:] = math.log(INITIAL_STD)
    return dataclasses.replace(actor, layers=(*hidden, (weight, bias)), sde_sample_interval=0)
