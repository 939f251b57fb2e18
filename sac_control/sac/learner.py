"""Soft Actor-Critic: networks, optimisers and one update. Knows nothing of where transitions come from."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from sac_control.config import SacConfig
from sac_control.errors import RunError
from sac_control.sac.adam import Adam
from sac_control.sac.losses import Metrics, actor_loss, alpha_loss, critic_loss
from sac_control.sac.networks import LOG_STD_BOUNDS, Actor, TwinCritics
from sac_control.sac.normaliser import Normaliser
from sac_control.sac.parameters import Parameters
from sac_control.sac.replay_buffer import Batch
from sac_control.types import ActorParameters, Float32Array


class SoftActorCritic:
    """The algorithm (Haarnoja et al. 2018b) with everything that an update changes.

    Batches hold raw observations and are normalised inside of the update, so that better statistics apply to old
    transitions too. The same seed and the same batches give the same numbers.
    """

    def __init__(self, config: SacConfig, *, observation_size: int, action_size: int, seed: int) -> None:
        self.device = _device(config.device)
        self.generator = torch.Generator().manual_seed(seed)  # on the CPU, so that every device sees the same noise
        sizes = (observation_size, action_size, config.hidden_sizes, self.generator, self.device)
        self.actor = Actor(*sizes)
        self.critics = TwinCritics(*sizes)
        self.targets = TwinCritics(*sizes)
        self.targets.flat.copy_(self.critics.flat)
        self.temperature = Parameters([()], self.device)  # log α
        self.temperature.flat.fill_(math.log(config.alpha))
        self.normaliser = Normaliser(observation_size, self.device)
        self.target_entropy = config.target_entropy * action_size
        self.actor_adam = Adam(self.actor, config.actor_learning_rate)
        self.critic_adam = Adam(self.critics, config.critic_learning_rate)
        self.alpha_adam = Adam(self.temperature, config.alpha_learning_rate)
        self._config = config
        self._action_size = action_size

    def update(self, batch: Batch) -> Metrics:
        """Improve temperature, critics, actor and targets once, in this order, on one batch.

        The order is that of stable-baselines3: one sample of the policy serves temperature and actor, and α is that of
        before its step throughout. Optimisers differentiate by their own network only: the actor's step leaves no
        gradient with the critics. Nothing is read back to Python; the mean of a returned tensor is its figure.
        """
        (log_alpha,) = self.temperature.tensors
        alpha = log_alpha.detach().exp()
        batch = dataclasses.replace(
            batch,
            observation=self.normaliser.normalised(batch.observation),
            next_observation=self.normaliser.normalised(batch.next_observation),
        )
        noise, next_noise = self.draw_noise(len(batch.reward)).to(self.device)
        action, log_prob = self.actor.sample(batch.observation, noise)
        metrics: Metrics = {"alpha": alpha}

        if self._config.learn_alpha:
            loss, found = alpha_loss(log_alpha, log_prob, self.target_entropy)
            self.alpha_adam.minimise(loss)
            metrics |= found

        loss, found = critic_loss(self.critics, self.targets, self.actor, alpha, batch, next_noise, self._config.gamma)
        self.critic_adam.minimise(loss)
        metrics |= found

        loss, found = actor_loss(self.critics, alpha, batch.observation, action, log_prob)
        self.actor_adam.minimise(loss)
        metrics |= found

        self.targets.flat.lerp_(self.critics.flat, self._config.tau)  # Q̄ ← (1 - τ) Q̄ + τ Q
        return metrics

    def draw_noise(self, batch_size: int) -> Tensor:
        """The noise of one update, (2, b, a) from N(0, 1): for the observations, and for the next ones."""
        return torch.randn((2, batch_size, self._action_size), generator=self.generator)

    def start_values_at(self, value: float) -> None:
        """Shift what the untrained critics and their targets predict, which is about 0, by `value`."""
        for network in (self.critics, self.targets):
            with torch.no_grad():
                network.tensors[-1].add_(value)

    def observe(self, observations: Float32Array) -> None:
        """Count raw observations (n, o) into the normalisation statistics."""
        self.normaliser.observe(observations)

    def refresh_normalisation(self) -> None:
        """Put the statistics of all observations so far in force, where observations are normalised at all."""
        if self._config.normalise_observations:
            self.normaliser.refresh()

    def is_finite(self) -> bool:
        """Whether every parameter is a number. The sum over all is NaN or infinite as soon as one is."""
        sums = [network.flat.sum() for network in (self.actor, self.critics, self.temperature)]
        return bool(torch.stack(sums).isfinite().all())

    def actor_parameters(self) -> ActorParameters:
        """A copy of the actor that runs without torch."""
        return ActorParameters(
            layers=tuple((_array(weight), _array(bias)) for weight, bias in self.actor.layers()),
            observation_mean=_array(self.normaliser.mean),
            observation_std=_array(self.normaliser.std),
            log_std_bounds=LOG_STD_BOUNDS,
        )

    def state(self) -> dict[str, Tensor]:
        """Everything that an update reads or changes, as copies on the CPU; no two share memory."""
        state = {name: tensor.detach().clone().cpu() for name, tensor in self._state().items()}
        return state | {"generator": self.generator.get_state()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from `state()`, to the last bit.

        Raises:
            RunError: a tensor is missing or has another size: the state belongs to other settings.
        """
        own = self._state()
        for name, tensor in (own | {"generator": self.generator.get_state()}).items():
            if name not in state:
                raise RunError(f"learner state lacks {name!r}: it is damaged or was written by another version")
            if state[name].shape != tensor.shape:
                raise RunError(
                    f"learner state {name!r} is {tuple(state[name].shape)}, expected {tuple(tensor.shape)}: "
                    "resume with the task and the hidden_sizes of the run it comes from"
                )
        for name, tensor in own.items():
            tensor.copy_(state[name])
        self.generator.set_state(state["generator"])

    def _state(self) -> dict[str, Tensor]:
        parts = {
            "actor": {"parameters": self.actor.flat} | self.actor_adam.state(),
            "critics": {"parameters": self.critics.flat} | self.critic_adam.state(),
            "targets": {"parameters": self.targets.flat},
            "log_alpha": {"parameters": self.temperature.flat} | self.alpha_adam.state(),
            "normaliser": self.normaliser.state(),
        }
        return {f"{part}.{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def _array(tensor: Tensor) -> Float32Array:
    return np.array(tensor.detach().cpu().numpy(), np.float32)
