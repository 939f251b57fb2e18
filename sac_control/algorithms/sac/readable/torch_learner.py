"""What the learners by autograd share: a device, an actor, the way of a batch into an update, and a state."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam

from sac_control.algorithms.layout import actor_layout, initial_actor
from sac_control.algorithms.learner import Learner, actor_from, vector_of
from sac_control.algorithms.replay_buffer import Batch
from sac_control.algorithms.sac.exploration_config import ExplorationConfig
from sac_control.algorithms.sac.readable.arrays import Trained, from_vector, in_order, to_vector
from sac_control.algorithms.sac.readable.networks import Actor
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
        device: where the parameters live, and where batches are moved to.
        actor: π_φ.
    """

    def __init__(self, config: ExplorationConfig, *, observation_size: int, action_size: int, seed: int) -> None:
        super().__init__(config, observation_size=observation_size, action_size=action_size, seed=seed)
        torch.set_num_threads(config.threads)
        self._exploration = config
        self.device = choose_device(config.device)
        sizes = (observation_size, action_size, config.hidden_sizes)
        self._actor_layout = actor_layout(*sizes)
        kind, initial = (
            (StateDependentActor, initial_state_dependent_actor) if config.use_sde else (Actor, initial_actor)
        )
        self.actor = kind(*sizes).to(self.device)
        from_vector(self.actor.parameters(), initial(self._actor_layout, self.generator))
        # Fused: one call for all parameters, which small networks wait for.
        self.actor_optimiser = Adam(self.actor.parameters(), config.actor_learning_rate, fused=True)
        self._metrics: Metrics = {}

    @abstractmethod
    def _update(self, batch: TensorBatch, is_actors_turn: bool, is_targets_turn: bool) -> Metrics:
        """Make one update."""

    @abstractmethod
    def _trained(self) -> dict[str, Trained]:
        """All that is saved, by name."""

    @abstractmethod
    def _value_networks(self) -> list[nn.Module]:
        """Those that predict values, each one value."""

    def update(self, batch: Batch) -> None:
        count, rows = batch.reward.shape
        noise = self.draw_noise(count, rows)
        self._scale_learning_rates()
        for tensors in tensor_batches(batch, noise, self.normaliser, self.config.reward_scale, self.device):
            self._updates += 1
            is_actors_turn = bool(self._updates % self.config.policy_delay == 0)
            is_targets_turn = bool(self._updates % self.config.target_update_interval == 0)
            self._metrics |= self._update(tensors, is_actors_turn, is_targets_turn)

    def _scale_learning_rates(self) -> None:
        for trained in self._trained().values():
            for group in trained.optimiser.param_groups if trained.optimiser else ():
                group["lr"] = group.setdefault("initial_lr", group["lr"]) * float(self.learning_rate_scale)

    def metrics(self) -> dict[str, float]:
        return {name: float(values.mean()) for name, values in self._metrics.items()}

    def start_values_at(self, value: float) -> None:
        with torch.no_grad():
            for network in self._value_networks():
                *_, bias = network.parameters()  # of the last layer
                bias.add_(self.config.reward_scale * value)

    def is_finite(self) -> bool:
        # Moments count, too: a gradient too large for the second one makes that infinite, and then no step moves
        # anything any more.
        return all(bool(np.isfinite(array).all()) for array in self._arrays().values())

    def actor_parameters(self) -> ActorParameters:
        actor = actor_from(to_vector(in_order(self.actor)), self._actor_layout, self.normaliser)
        if not self._exploration.use_sde:
            return actor
        if not self._updates and not self._exploration.sde_at_warmup:
            return without_state_dependence(actor)
        return dataclasses.replace(actor, sde_sample_interval=self._exploration.sde_sample_interval)

    def take_actor(self, actor: ActorParameters) -> None:
        from_vector(in_order(self.actor), vector_of(actor, self.normaliser))

    def _arrays(self) -> dict[str, Array]:
        return {
            f"{name}.{part}": array
            for name, trained in self._trained().items()
            for part, array in trained.arrays().items()
        }

    def _load(self, arrays: Mapping[str, Array]) -> None:
        for name, trained in self._trained().items():
            trained.load({part: arrays[f"{name}.{part}"] for part in trained.arrays()})


def minimise(loss: Tensor, optimiser: Adam, max_gradient_norm: float = 0.0) -> None:
    """Take one step down the gradient of `loss`.

    Gradients longer than `max_gradient_norm`, in the Euclidean norm of all together, are scaled down to it; 0: never.
    """
    parameters = optimiser.param_groups[0]["params"]
    optimiser.zero_grad()
    loss.backward(inputs=parameters)  # by these alone: the actor's loss leaves no gradient with the critics
    if max_gradient_norm:
        nn.utils.clip_grad_norm_(parameters, max_gradient_norm)
    optimiser.step()


def choose_device(name: str) -> torch.device:
    """The device of that name; ``auto`` takes the GPU where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
