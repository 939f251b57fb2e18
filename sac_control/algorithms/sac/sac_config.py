"""Hyperparameters of Soft Actor-Critic."""

from __future__ import annotations

from dataclasses import dataclass

from sac_control.option import Config, option


@dataclass(frozen=True, kw_only=True)
class SacConfig(Config):
    """Hyperparameters of Soft Actor-Critic (Haarnoja et al. 2018b).

    Each option alone is checked here. Which options contradict each other is said by sac/choice.py.
    """

    algorithm: str = option(
        "sac",
        "sac: two critics and a learnt temperature (2018b); sac_v1: value network and scaled rewards (2018a)",
        choices=("sac", "sac_v1"),
    )
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
        1.0,
        "factor of the rewards in the losses: bring values to some tens; sac_v1: the inverse of a temperature",
        low=1e-6,
        high=1e6,
    )
    actor_learning_rate: float = option(3e-3, "step size of the actor's optimiser", low=0.0, high=1.0)
    critic_learning_rate: float = option(3e-3, "step size of the critics' optimiser", low=0.0, high=1.0)
    alpha_learning_rate: float = option(3e-3, "step size of the temperature's optimiser", low=0.0, high=1.0)
    alpha: float = option(
        0.2, "temperature (elsewhere: entropy coefficient); initial value with learn_alpha", low=1e-8, high=1e3
    )
    learn_alpha: bool = option(
        True,
        "adjust the temperature until the entropy is target_entropy (elsewhere: entropy_coef auto_0.1, for alpha 0.1)",
    )
    target_entropy: float = option(-0.05, "target entropy per action dimension [nat]", low=-20.0, high=5.0)
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
    use_sde: bool = option(
        False, "explore smoothly by a random matrix over the actor's features, kept for some ticks (gSDE, Raffin 2021)"
    )
    sde_sample_interval: int = option(
        8,
        "use_sde: ticks between two draws of the exploration matrix; -1: only when new weights arrive",
        low=-1,
        high=10**6,
    )
    sde_at_warmup: bool = option(
        False, "use_sde: explore so during the warm-up, too, instead of nearly uniformly and independently"
    )
    mirror: bool = option(True, "learn from the mirror image of each transition, too, where the task is symmetric")
    backend: str = option(
        "auto",
        "what computes the updates: native (compiled, for the CPU) or torch (autograd); auto takes native where it can",
        choices=("auto", "native", "torch"),
    )
    device: str = option(
        "cpu", "device for the updates; auto takes a GPU where there is one", choices=("auto", "cpu", "cuda")
    )
    threads: int = option(
        1, "threads of the updates: 1, or 2 for the twin critics side by side; torch takes more", low=1, high=256
    )
