"""What the learners by autograd share: a device, an actor, the way of a batch into an update, and a state."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from sac_control.algorithms.layout import Layout, actor_layout, initial_actor
from sac_control.algorithms.learner import Learner
from sac_control.algorithms.replay_buffer import Batch
from sac_control.algorithms.sac.exploration_config import ExplorationConfig
from sac_control.algorithms.sac.readable.adam import Adam
from sac_control.algorithms.sac.readable.cuda_graph import GraphedUpdate, Scale, Update
from sac_control.algorithms.sac.readable.networks import Actor
from sac_control.algorithms.sac.readable.parameters import Parameters
from sac_control.algorithms.sac.readable.state_dependent_actor import (
    StateDependentActor,
    initial_state_dependent_actor,
    without_state_dependence,
)
from sac_control.algorithms.sac.readable.tensors import Metrics, TensorBatch, tensor_batches
from sac_control.types import ActorParameters, Array


class TorchLearner(Learner):
    """A learner that differentiates its losses by autograd. Same seed and same batches: same numbers.

    Attributes:
        device: where the parameters live.
        actor: π_φ.
    """

    def __init__(self, config: ExplorationConfig, *, observation_size: int, action_size: int, seed: int) -> None:
        super().__init__(config, observation_size=observation_size, action_size=action_size, seed=seed)
        torch.set_num_threads(config.threads)
        self._exploration = config
        self.device = choose_device(config.device)
        self._actor_layout = actor_layout(observation_size, action_size, config.hidden_sizes)
        kind, initial = (
            (StateDependentActor, initial_state_dependent_actor) if config.use_sde else (Actor, initial_actor)
        )
        self.actor = kind(self._actor_layout.shapes, initial(self._actor_layout, self.generator), self.device)
        self.actor_adam = Adam(self.actor, config.actor_learning_rate, config.max_gradient_norm)
        self._metrics: Metrics = {}
        self._graphed: GraphedUpdate | None = None

    @abstractmethod
    def _update(self, batch: TensorBatch, scale: Scale, is_actors_turn: bool, is_targets_turn: bool) -> Metrics:
        """Make one update. `scale` multiplies all learning rates. Nothing is read back to Python."""

    @abstractmethod
    def _trained(self) -> dict[str, tuple[Parameters, Adam | None]]:
        """Every network by name, with its optimiser if it has one."""

    @abstractmethod
    def _value_networks(self) -> list[Parameters]:
        """Those that predict values."""

    def update(self, batch: Batch) -> None:
        count, rows = batch.reward.shape
        noise = self.draw_noise(count, rows)
        update: Update = self._update
        if self.device.type == "cuda":
            update = self._graphed = self._graphed or GraphedUpdate(self._update, self._tensors().values())
        for tensors in tensor_batches(batch, noise, self.normaliser, self.config.reward_scale, self.device):
            self._updates += 1
            is_actors_turn = bool(self._updates % self.config.policy_delay == 0)
            is_targets_turn = bool(self._updates % self.config.target_update_interval == 0)
            self._metrics |= update(tensors, float(self.learning_rate_scale), is_actors_turn, is_targets_turn)

    def metrics(self) -> dict[str, float]:
        return {name: float(values.mean()) for name, values in self._metrics.items()}

    def start_values_at(self, value: float) -> None:
        for network in self._value_networks():
            with torch.no_grad():
                network.tensors[-1].add_(self.config.reward_scale * value)

    def is_finite(self) -> bool:
        # The sum over all is NaN or infinite as soon as one is. Moments count, too: a gradient too large for the second
        # one makes that infinite, and then no step moves anything any more.
        sums = [tensor.sum() for tensor in self._tensors().values()]
        return bool(torch.stack(sums).isfinite().all())

    def actor_parameters(self) -> ActorParameters:
        actor = super().actor_parameters()
        if not self._exploration.use_sde:
            return actor
        if not self._updates and not self._exploration.sde_at_warmup:
            return without_state_dependence(actor)
        return dataclasses.replace(actor, sde_sample_interval=self._exploration.sde_sample_interval)

    @property
    def actor_layout(self) -> Layout:
        return self._actor_layout

    def _arrays(self) -> dict[str, Array]:
        return {name: tensor.cpu().numpy() for name, tensor in self._tensors().items()}

    def _load(self, arrays: Mapping[str, Array]) -> None:
        for name, tensor in self._tensors().items():
            tensor.copy_(torch.from_numpy(arrays[name]))

    def _tensors(self) -> dict[str, Tensor]:
        """Parameters and optimiser state by name: the tensors themselves."""
        tensors: dict[str, Tensor] = {}
        for name, (network, adam) in self._trained().items():
            parts = {"parameters": network.flat} | (adam.state() if adam else {})
            tensors |= {f"{name}.{part}": tensor for part, tensor in parts.items()}
        return tensors


def choose_device(name: str) -> torch.device:
    """The device of that name; ``auto`` takes the GPU where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
