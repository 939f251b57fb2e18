"""Settings that algorithms with a replay buffer, an actor and critics have in common."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from sac_control.algorithms.algorithm import NO_FLOOR, Algorithm, AlgorithmConfig
from sac_control.algorithms.learner import Learner
from sac_control.algorithms.replay_buffer import check_memory
from sac_control.algorithms.torch_presence import check_device
from sac_control.option import option
from sac_control.types import Float32Array


@dataclass(frozen=True, kw_only=True)
class OffPolicyConfig(AlgorithmConfig):
    """An algorithm that learns from a replay buffer, at a set number of updates per transition."""

    fixed: ClassVar[tuple[str, ...]] = ("hidden_sizes",)

    hidden_sizes: tuple[int, ...] = option(
        (64, 64), "units of each hidden layer of actor and critics", low=1, high=4096
    )
    batch_size: int = option(128, "transitions per update", low=1, high=65536)
    buffer_capacity: int = option(1_000_000, "transitions kept for replay", low=1, high=10**8)
    gamma: float = option(0.985, "discount per control period", low=0.0, high=1.0)
    tau: float = option(
        0.1, "Polyak averaging: share of the critics that enters their targets per update", low=0.0, high=1.0
    )
    reward_scale: float = option(
        1.0, "factor of the rewards in the losses: bring values to some tens", low=1e-6, high=1e6
    )
    reward_floor: float = option(
        NO_FLOOR,
        "smallest reward in the losses: lower ones count as this much, returns are as they are",
        low=NO_FLOOR,
        high=1e9,
    )
    actor_learning_rate: float = option(3e-3, "step size of the actor's optimiser", low=0.0, high=1.0)
    critic_learning_rate: float = option(3e-3, "step size of the critics' optimiser", low=0.0, high=1.0)
    learning_rate_decay: int = option(
        3000, "transitions to half the learning rates; floor 10 %; 0: constant", low=0, high=10**9
    )
    optimistic_values: bool = option(
        True, "initialise the critics at the value of the warm-up's mean reward for ever, instead of 0"
    )
    normalise_observations: bool = option(True, "scale observations by their running mean and deviation")
    policy_delay: int = option(1, "policy delay: update actor and temperature at every n-th update", low=1, high=1000)
    target_update_interval: int = option(1, "update the target networks at every n-th update", low=1, high=100_000)
    max_gradient_norm: float = option(
        0.0, "clip the gradient norms of actor and critics at this; 0: never", low=0.0, high=1e6
    )
    noise_correlation: float = option(
        0.0, "correlation of exploration noise between two ticks; high values explore farther", low=0.0, high=0.999
    )
    mirror: bool = option(True, "learn from the mirror image of each transition, too, where the task is symmetric")
    warmup_steps: int = option(200, "transitions collected before the first update", low=1, high=10**7)
    replay_ratio: float = option(8.0, "updates per transition", low=0.01, high=1000.0)
    run_ahead: int = option(8, "transitions the simulator may be ahead of the updates", low=1, high=100_000)
    publish_every: int = option(50, "updates between two publications of policy_weights", low=1, high=10**6)
    solved_replay_ratio: float = option(
        2.0, "updates per transition once the task was solved, where training goes on", low=0.01, high=1000.0
    )
    solved_learning_rate_scale: float = option(
        0.3, "factor of all learning rates once the task was solved, where training goes on", low=0.0, high=1.0
    )
    hardened_learning_rate_scale: float = option(
        0.0,
        "factor of all learning rates once a policy was good on all plants, where training goes on; 0: it stays so",
        low=0.0,
        high=1.0,
    )
    solved_noise_correlation: float = option(
        0.97,
        "noise_correlation once the task was solved, where training goes on; not with use_sde",
        low=0.0,
        high=0.999,
    )
    solved_actor_average: int = option(
        10_000,
        "transitions over which the actors that are published are averaged once the task was solved, where training "
        "goes on; 0: the newest alone",
        low=0,
        high=10**9,
    )
    hardening_actor_average: int = option(
        1_000,
        "solved_actor_average while robots vary and the policy is not good on all of them yet",
        low=0,
        high=10**9,
    )
    actor_average: int = option(
        0,
        "transitions over which published actors are averaged until the task is solved; 0: the newest alone",
        low=0,
        high=10**9,
    )
    device: str = option(
        "cpu", "device for the updates; auto takes a GPU where there is one", choices=("auto", "cpu", "cuda")
    )
    threads: int = option(
        1, "threads of the updates: 1, or 2 for the twin critics side by side; torch takes more", low=1, high=256
    )

    def check(self, *, observation_size: int, action_size: int) -> None:
        """Refuse a replay buffer that this computer cannot hold, and a device that it has not."""
        check_memory(self.buffer_capacity, observation_size, action_size)
        check_device(self.device)

    def is_set(self, name: str) -> bool:
        """Whether the setting `name` differs from its default."""
        return bool(getattr(self, name) != getattr(type(self), name))

    @abstractmethod
    def make_learner(self, *, observation_size: int, action_size: int, seed: int) -> Learner:
        """What makes the updates."""

    def make(self, *, observation_size: int, action_size: int, mirror: Float32Array | None, seed: int) -> Algorithm:
        """The algorithm: a replay buffer, and updates by `make_learner`."""
        from sac_control.algorithms.off_policy import OffPolicy  # which knows these settings

        sizes: dict[str, Any] = {"observation_size": observation_size, "action_size": action_size}
        self.check(**sizes)
        return OffPolicy(self, **sizes, mirror=mirror, seed=seed)
