"""Settings of Trust Region Policy Optimisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sac_control.algorithms.algorithm import NO_FLOOR, Algorithm, AlgorithmConfig
from sac_control.algorithms.torch_presence import check_device, check_torch
from sac_control.option import option
from sac_control.types import Float32Array


@dataclass(frozen=True, kw_only=True)
class TrpoConfig(AlgorithmConfig):
    """Trust Region Policy Optimisation (Schulman et al. 2015) with generalised advantages: on-policy.

    It has no mirror images to learn from: the policy, which they would have to come from, is not symmetric.
    """

    fixed: ClassVar[tuple[str, ...]] = ("hidden_sizes",)

    hidden_sizes: tuple[int, ...] = option(
        (64, 64), "units of each hidden layer of policy and value function", low=1, high=4096
    )
    batch_size: int = option(1024, "transitions per update, all by one policy", low=2, high=10**6)
    gamma: float = option(0.99, "discount per control period", low=0.0, high=1.0)
    reward_floor: float = option(
        NO_FLOOR,
        "smallest reward that is learnt from: lower ones count as this much, returns are as they are",
        low=NO_FLOOR,
        high=1e9,
    )
    gae_lambda: float = option(
        0.95, "lambda of the advantages: 0 trusts the value function, 1 the returns that were seen", low=0.0, high=1.0
    )
    value_lambda: float = option(
        1.0, "lambda of the returns that the value function is fitted to; 1: Monte-Carlo", low=0.0, high=1.0
    )
    max_kl: float = option(
        0.01, "mean KL divergence of the new policy from the old one, at most [nat]", low=1e-8, high=10.0
    )
    damping: float = option(0.1, "added to the eigenvalues of the Fisher matrix", low=0.0, high=1e6)
    cg_iterations: int = option(10, "iterations of the conjugate gradient", low=1, high=1000)
    line_search_steps: int = option(10, "step lengths that are tried, each 0.7 of the last", low=1, high=100)
    value_learning_rate: float = option(3e-3, "step size of the value function's optimiser", low=0.0, high=1.0)
    value_epochs: int = option(10, "passes over the batch when the value function is fitted", low=1, high=1000)
    value_minibatch_size: int = option(
        64, "transitions per step of the value function, at most the batch", low=1, high=10**6
    )
    initial_std: float = option(
        0.5, "standard deviation of exploration to begin with; an action of 1 is the limit", low=1e-3, high=5.0
    )
    normalise_observations: bool = option(True, "scale observations by their running mean and deviation")
    device: str = option(
        "cpu", "device for the updates; auto takes a GPU where there is one", choices=("auto", "cpu", "cuda")
    )
    threads: int = option(1, "threads of the updates", low=1, high=256)

    def check(self, *, observation_size: int, action_size: int) -> None:
        """Refuse to begin without torch, or on a device that is not there."""
        check_torch("learner.algorithm trpo")
        check_device(self.device)

    def make(self, *, observation_size: int, action_size: int, mirror: Float32Array | None, seed: int) -> Algorithm:
        """The algorithm; `mirror` is passed over."""
        self.check(observation_size=observation_size, action_size=action_size)
        from sac_control.algorithms.trpo.trpo import Trpo

        return Trpo(self, observation_size=observation_size, action_size=action_size, seed=seed)
