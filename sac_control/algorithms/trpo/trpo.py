"""Trust Region Policy Optimisation (Schulman et al. 2015): one update on one page, and what a training asks of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from sac_control.algorithms.algorithm import MOST_HALVINGS, Algorithm, State, Use, check_arrays
from sac_control.algorithms.normaliser import Normaliser
from sac_control.algorithms.torch_presence import has_gpu
from sac_control.algorithms.trpo import gaussian
from sac_control.algorithms.trpo.generalised_advantage import generalised_advantages
from sac_control.algorithms.trpo.networks import Policy, ValueFunction
from sac_control.algorithms.trpo.rollout import Rollout, Steps
from sac_control.algorithms.trpo.saved import arrays_of, load_arrays
from sac_control.algorithms.trpo.trpo_config import TrpoConfig
from sac_control.algorithms.trpo.trust_region import TrustRegion
from sac_control.algorithms.trpo.value_fit import explained_variance, fit_value
from sac_control.types import ActorParameters, Array, Float32Array, FloatArray, Transition

_METRICS = (
    "surrogate",
    "kl",
    "step_fraction",
    "value_loss",
    "explained_variance",
    "entropy",
    "stale",
    "limited",
)


class Trpo(Algorithm):
    """Learns from `batch_size` transitions at a time, all by the policy that is in force, and then forgets them.

    Attributes:
        policy: π_θ.
        value: V_φ.
        normaliser: statistics of the observations; they change at an update alone.
    """

    is_on_policy: ClassVar[bool] = True
    remedy: ClassVar[str] = "lower learner.max_kl or learner.value_learning_rate"

    def __init__(self, config: TrpoConfig, *, observation_size: int, action_size: int, seed: int) -> None:
        network_seed, order_seed = np.random.SeedSequence(seed).generate_state(2).tolist()  # unrelated streams
        is_for_gpu = config.device == "cuda" or (config.device == "auto" and has_gpu())
        self._config, self._device = config, torch.device("cuda" if is_for_gpu else "cpu")
        with torch.random.fork_rng(devices=[]):  # the global generator is everybody's
            torch.manual_seed(network_seed)
            self.policy = Policy(observation_size, config.hidden_sizes, action_size, config.initial_std)
            self.value = ValueFunction(observation_size, config.hidden_sizes)
        self.policy.to(self._device)
        self.value.to(self._device)
        self._optimiser = torch.optim.Adam(self.value.parameters(), lr=config.value_learning_rate)
        self.normaliser = Normaliser(observation_size)
        self._generator = np.random.default_rng(order_seed)
        self._rollout = Rollout(observation_size, action_size)
        self._versions: set[int] = set()  # published since the last update: all have the weights of today
        self._stale = 0  # transitions of other versions since the last update
        self._metrics: dict[str, float] = {}
        self.updates = 0
        self._keep()

    # one update

    def update(self, count: int) -> None:
        for _ in range(count):
            self._update()

    def _update(self) -> None:
        """One update: advantages by the value function as it is, a step of the policy, then a better value function."""
        if not len(self._rollout):
            raise ValueError("cannot update without transitions: accept some first")
        torch.set_num_threads(self._config.threads)
        steps, config = self._rollout.steps(), self._config
        self._renormalise(steps.observation)
        observation, next_observation = self._normalised(steps.observation), self._normalised(steps.next_observation)
        with torch.no_grad():
            value, next_value = self.value(observation), self.value(next_observation)
        advantage = self._advantages(steps, value, next_value, config.gae_lambda)
        target = self._advantages(steps, value, next_value, config.value_lambda) + value  # returns

        metrics = dict.fromkeys(_METRICS, math.nan)
        rows = torch.from_numpy(steps.is_usable).to(self._device)
        if int(rows.sum()) > 1:
            u, good = self._tensor(steps.action_raw)[rows], advantage[rows]
            standardised = (good - good.mean()) / good.std().clamp(min=1e-8)
            found = self._trust_region().improve(self.policy, observation[rows], u, standardised)
            metrics |= {"surrogate": found.surrogate, "kl": found.kl, "step_fraction": found.fraction}
            metrics["explained_variance"] = explained_variance(value[rows], target[rows])
            metrics["value_loss"] = fit_value(
                self.value,
                self._optimiser,
                observation[rows],
                target[rows],
                epochs=config.value_epochs,
                minibatch_size=config.value_minibatch_size,
                generator=self._generator,
            )
        metrics["entropy"] = float(gaussian.entropy(self.policy.log_std.detach()))
        metrics |= {"stale": float(self._stale), "limited": float(np.sum(~steps.is_usable))}

        self._metrics = metrics
        self._forget()  # what another policy did from now on is another batch
        self.updates += 1

    def _advantages(self, steps: Steps, value: Tensor, next_value: Tensor, lam: float) -> Tensor:
        advantages = generalised_advantages(
            np.maximum(steps.reward, self._config.reward_floor),
            _doubles(value),
            _doubles(next_value),
            steps.terminated,
            steps.goes_on,
            gamma=self._config.gamma,
            lam=lam,
        )
        with np.errstate(over="ignore"):  # an infinity is found by is_finite: the values take it over
            return self._tensor(advantages.astype(np.float32))

    def _trust_region(self) -> TrustRegion:
        config = self._config
        self._optimiser.param_groups[0]["lr"] = self.step_scale * config.value_learning_rate
        return TrustRegion(
            max_kl=self.step_scale * config.max_kl,
            damping=config.damping,
            cg_iterations=config.cg_iterations,
            line_search_steps=config.line_search_steps,
        )

    def _renormalise(self, observations: Float32Array) -> None:
        """Take new statistics; policy and value function stay the functions of raw observations that they are."""
        if not self._config.normalise_observations:
            return
        before = self._statistics()
        self.normaliser.observe(observations)
        self.normaliser.refresh()
        for network in (self.policy, self.value):
            network.renormalise(*before, *self._statistics())

    def _statistics(self) -> tuple[Tensor, Tensor]:
        return self._tensor(self.normaliser.mean.copy()), self._tensor(self.normaliser.std.copy())

    def _normalised(self, observation: Float32Array) -> Tensor:
        mean, std = self._statistics()
        return (self._tensor(observation) - mean) / std

    def _tensor(self, array: Array) -> Tensor:
        return torch.from_numpy(array).to(self._device)

    # what a training asks

    def accept(self, transition: Transition) -> Use:
        self._rollout.check(transition)
        if transition.policy_version not in self._versions:
            self._stale += 1
            return Use.STALE
        self._rollout.add(transition)
        return Use.LEARNT

    @property
    def updates_owed(self) -> int:
        return int(self.welcome == 0)

    @property
    def welcome(self) -> int:
        """What the batch lacks."""
        return max(0, self._config.batch_size - len(self._rollout))

    @property
    def is_publication_due(self) -> bool:
        """Whether no weights were published since the last update: only what those do is learnt from."""
        return not self._versions

    def publish(self, version: int) -> ActorParameters:
        self._versions.add(version)
        self._keep()
        return self.policy.actor(self.normaliser.mean, self.normaliser.std)

    def is_finite(self) -> bool:
        return all(bool(np.isfinite(array).all()) for array in self._arrays().values())

    def roll_back(self) -> bool:
        """Return to the last publication, whose transitions are collected anew, and halve steps and learning rate."""
        self._load(self._sound)
        self._forget()
        self._versions, self._metrics = set(self._sound_versions), self._sound_metrics
        self.rollbacks += 1
        return self.rollbacks <= MOST_HALVINGS

    def return_to(self, arrays: Mapping[str, Array]) -> None:
        """Policy, values and optimiser are those of then; transitions are collected anew."""
        check_arrays(arrays, self._arrays())
        self._load(arrays)
        self._forget()
        self._keep()

    @property
    def metric_names(self) -> tuple[str, ...]:
        return _METRICS

    def metrics(self) -> dict[str, float]:
        """Surrogate and KL after the step, and what it was made of; see docs/algorithms.md."""
        return dict(self._metrics)

    @property
    def replay_ratio(self) -> float:
        return math.nan

    @property
    def target_replay_ratio(self) -> float:
        return math.nan

    @property
    def kept(self) -> int:
        return len(self._rollout)

    def state(self) -> State:
        """Everything but the transitions of the batch begun: they are few, and are collected anew."""
        numbers = {
            "updates": self.updates,
            "_rollbacks": self.rollbacks,
            "versions": sorted(self._versions),
            "generator": self._generator.bit_generator.state,
        }
        return State(arrays=self._arrays(), numbers=numbers)

    def restore(self, arrays: Mapping[str, Array], numbers: Mapping[str, Any]) -> None:
        check_arrays(arrays, self._arrays())
        self._load(arrays)
        self.updates = numbers["updates"]
        self.rollbacks = numbers.get("_rollbacks", numbers.get("rate_halvings", 0))  # as runs of before call it
        self._generator.bit_generator.state = numbers["generator"]
        self._forget()
        self._versions.update(numbers["versions"])
        self._keep()

    def _forget(self) -> None:
        """Begin another batch."""
        self._rollout.clear()
        self._versions.clear()
        self._stale = 0

    def _keep(self) -> None:
        """Keep all as it is, to roll back to."""
        self._sound, self._sound_versions = self._arrays(), frozenset(self._versions)
        self._sound_metrics = self._metrics

    def _arrays(self) -> dict[str, Array]:
        normaliser = {f"normaliser.{name}": array.copy() for name, array in self.normaliser.arrays().items()}
        return arrays_of(self.policy, self.value, self._optimiser) | normaliser

    def _load(self, arrays: Mapping[str, Array]) -> None:
        load_arrays(arrays, self.policy, self.value, self._optimiser)
        for name, array in self.normaliser.arrays().items():
            array[...] = arrays[f"normaliser.{name}"]


def _doubles(tensor: Tensor) -> FloatArray:
    array: FloatArray = tensor.cpu().double().numpy()
    return array
