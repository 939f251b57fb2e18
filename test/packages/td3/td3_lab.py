"""Twin Delayed Deep Deterministic policy gradient (TD3, Fujimoto et al. 2018): an algorithm of another package.

One file and one line of entry points. Replay buffer, ratio, publication and resuming come from `OffPolicyConfig`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from sac_control.algorithms.algorithm import AlgorithmConfig
from sac_control.algorithms.learner import Learner
from sac_control.algorithms.off_policy_config import OffPolicyConfig
from sac_control.algorithms.replay_buffer import Batch
from sac_control.option import option
from sac_control.types import ActorParameters, Array


@dataclass(frozen=True, kw_only=True)
class Td3Config(OffPolicyConfig):
    """TD3."""

    exploration_noise: float = option(0.2, "deviation of the noise that is added to actions", low=1e-3, high=1.0)
    target_noise: float = option(0.2, "deviation of the noise that smooths the target", low=0.0, high=1.0)
    noise_clip: float = option(0.5, "largest magnitude of that noise", low=0.0, high=1.0)
    policy_delay: int = option(2, "update actor and targets at every n-th update", low=1, high=1000)

    def make_learner(self, *, observation_size: int, action_size: int, seed: int) -> Learner:
        return Td3(self, observation_size=observation_size, action_size=action_size, seed=seed)


class Unfinished(AlgorithmConfig):
    """Makes nothing."""


class Td3(Learner):
    """Two critics, a deterministic actor, targets of all three."""

    metric_names = ("critic_loss", "actor_loss")

    def __init__(self, config: Td3Config, *, observation_size: int, action_size: int, seed: int) -> None:
        super().__init__(config, observation_size=observation_size, action_size=action_size, seed=seed)
        self._settings = config
        torch.manual_seed(int(self.generator.integers(2**31)))
        self.actor = _network(observation_size, config.hidden_sizes, action_size)
        self.critics = nn.ModuleList(_network(observation_size + action_size, config.hidden_sizes, 1) for _ in range(2))
        self.target_actor, self.target_critics = copy.deepcopy((self.actor, self.critics))
        self._actor_adam = torch.optim.Adam(self.actor.parameters(), config.actor_learning_rate)
        self._critic_adam = torch.optim.Adam(self.critics.parameters(), config.critic_learning_rate)
        self._losses: dict[str, float] = {}

    def update(self, batch: Batch) -> None:
        config = self._settings
        scale = float(self.learning_rate_scale)
        self._actor_adam.param_groups[0]["lr"] = config.actor_learning_rate * scale
        self._critic_adam.param_groups[0]["lr"] = config.critic_learning_rate * scale
        noise = self.draw_noise(*batch.reward.shape)
        for k in range(len(batch.reward)):
            self._updates += 1
            observation, after = self._seen(batch.observation[k]), self._seen(batch.next_observation[k])
            reward = config.reward_scale * torch.tensor(batch.reward[k])
            goes_on = ~torch.tensor(batch.terminated[k])
            self._improve_critics(
                observation, torch.tensor(batch.action[k]), reward, after, goes_on, torch.tensor(noise[k, 1])
            )
            if self._updates % config.policy_delay == 0:
                self._improve_actor(observation)

    def _improve_critics(
        self, observation: Tensor, action: Tensor, reward: Tensor, after: Tensor, goes_on: Tensor, noise: Tensor
    ) -> None:
        """y = r + γ min_i Q̄_i(s', clip(π̄(s') + ε)), ε clipped   (algorithm 1)"""
        config = self._settings
        with torch.no_grad():
            smoothing = (config.target_noise * noise).clamp(-config.noise_clip, config.noise_clip)
            next_action = (self.target_actor(after).tanh() + smoothing).clamp(-1.0, 1.0)
            inputs = torch.cat((after, next_action), -1)
            next_value = torch.stack([each(inputs)[:, 0] for each in self.target_critics]).amin(0)
            y = reward + config.gamma * goes_on * next_value
        inputs = torch.cat((observation, action), -1)
        loss = torch.stack([mse_loss(each(inputs)[:, 0], y) for each in self.critics]).sum()
        _step(self._critic_adam, loss)
        self._losses["critic_loss"] = loss.item()

    def _improve_actor(self, observation: Tensor) -> None:
        loss = -self.critics[0](torch.cat((observation, self.actor(observation).tanh()), -1)).mean()
        _step(self._actor_adam, loss)
        self._losses["actor_loss"] = loss.item()
        with torch.no_grad():
            for targets, trained in ((self.target_actor, self.actor), (self.target_critics, self.critics)):
                for target, parameter in zip(targets.parameters(), trained.parameters(), strict=True):
                    target.lerp_(parameter, self._settings.tau)

    def _seen(self, observation: Array) -> Tensor:
        return torch.tensor((observation - self.normaliser.mean) / self.normaliser.std)

    def metrics(self) -> dict[str, float]:
        return dict(self._losses)

    def start_values_at(self, value: float) -> None:
        with torch.no_grad():
            for critic in (*self.critics, *self.target_critics):
                critic[-1].bias += self._settings.reward_scale * value

    def is_finite(self) -> bool:
        return all(np.isfinite(array).all() for array in self._arrays().values())

    def actor_parameters(self) -> ActorParameters:
        """The actor; a policy file says how to explore: by noise before the tanh, whose deviation does not change."""
        *hidden, last = (layer for layer in self.actor if isinstance(layer, nn.Linear))
        layers = [(layer.weight.detach().numpy().T.copy(), layer.bias.detach().numpy().copy()) for layer in hidden]
        weight, bias = last.weight.detach().numpy().T, last.bias.detach().numpy()
        deviation = np.full(self.action_size, math.log(self._settings.exploration_noise), np.float32)
        layers.append((np.hstack([weight, np.zeros_like(weight)]), np.concatenate([bias, deviation])))
        return ActorParameters(
            layers=tuple(layers),
            observation_mean=self.normaliser.mean.copy(),
            observation_std=self.normaliser.std.copy(),
            log_std_bounds=(-20.0, 2.0),
        )

    def _arrays(self) -> dict[str, Array]:
        """The parameters, and the moments of both optimisers; zeros before the first step."""
        parts: dict[str, Tensor] = {}
        for name, module, adam in self._modules():
            for key, parameter in module.named_parameters():
                parts[f"{name}.{key}"] = parameter.detach()
                if adam is not None:
                    state = adam.state.get(parameter, {})
                    parts[f"{name}.{key}.step"] = state.get("step", torch.zeros(()))
                    for moment in ("exp_avg", "exp_avg_sq"):
                        parts[f"{name}.{key}.{moment}"] = state.get(moment, torch.zeros_like(parameter))
        return {name: part.numpy() for name, part in parts.items()}

    def _load(self, arrays: Mapping[str, Array]) -> None:
        for name, module, adam in self._modules():
            for key, parameter in module.named_parameters():
                with torch.no_grad():
                    parameter.copy_(torch.tensor(arrays[f"{name}.{key}"]))
                if adam is not None:
                    parts = ("step", "exp_avg", "exp_avg_sq")
                    adam.state[parameter] = {part: torch.tensor(arrays[f"{name}.{key}.{part}"]) for part in parts}

    def _modules(self) -> list[tuple[str, nn.Module, torch.optim.Adam | None]]:
        return [
            ("actor", self.actor, self._actor_adam),
            ("critics", self.critics, self._critic_adam),
            ("target_actor", self.target_actor, None),
            ("target_critics", self.target_critics, None),
        ]


def _network(inputs: int, hidden_sizes: tuple[int, ...], outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for size in hidden_sizes:
        layers += [nn.Linear(inputs, size), nn.ReLU()]
        inputs = size
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def _step(adam: torch.optim.Adam, loss: Tensor) -> None:
    """One step of one optimiser; gradients that reach other networks are thrown away by those' own steps."""
    adam.zero_grad()
    loss.backward()
    adam.step()
