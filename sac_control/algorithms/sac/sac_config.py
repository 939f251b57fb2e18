"""Settings of Soft Actor-Critic, and which of its two backends they ask for. Imports torch only where it is needed."""

from __future__ import annotations

from dataclasses import dataclass

from sac_control.algorithms.learner import Learner
from sac_control.algorithms.sac.exploration_config import ExplorationConfig
from sac_control.algorithms.torch_presence import INSTALL_TORCH, has_gpu, has_torch
from sac_control.errors import ConfigError
from sac_control.option import option

MOST_NATIVE_THREADS = 2  # the twin critics side by side


@dataclass(frozen=True, kw_only=True)
class SacConfig(ExplorationConfig):
    """Soft Actor-Critic with two critics and a learnt temperature (Haarnoja et al. 2018b)."""

    alpha_learning_rate: float = option(3e-3, "step size of the temperature's optimiser", low=0.0, high=1.0)
    alpha: float = option(
        0.2, "temperature (elsewhere: entropy coefficient); initial value with learn_alpha", low=1e-8, high=1e3
    )
    learn_alpha: bool = option(
        True,
        "adjust the temperature until the entropy is target_entropy (elsewhere: entropy_coef auto_0.1, for alpha 0.1)",
    )
    target_entropy: float = option(-0.05, "target entropy per action dimension [nat]", low=-20.0, high=5.0)
    solved_target_entropy: float = option(
        0.1, "target_entropy once the task was solved, where training goes on [nat]", low=-20.0, high=5.0
    )
    hardening_target_entropy: float = option(
        -2.0, "solved_target_entropy where robots vary, which is exploration enough [nat]", low=-20.0, high=5.0
    )
    hardening_alpha_learning_rate: float = option(
        1e-2, "alpha_learning_rate where robots vary: the temperature has far to go", low=0.0, high=1.0
    )
    backend: str = option(
        "auto",
        "what computes the updates: native (compiled, for the CPU) or torch (autograd); auto takes native where it can",
        choices=("auto", "native", "torch"),
    )

    def check(self, *, observation_size: int, action_size: int) -> None:
        """Refuse backends that cannot do what is asked, too."""
        obstacle = self._obstacle
        if self.backend == "native" and obstacle:
            raise ConfigError(f"learner.backend native {obstacle}: set learner.backend to torch or auto")
        if self.threads > MOST_NATIVE_THREADS and not self.is_for_torch:
            raise ConfigError(
                f"learner.threads is {self.threads}: the compiled updates use 1 or {MOST_NATIVE_THREADS}; choose one "
                "of these, or set learner.backend to torch"
            )
        if obstacle and not has_torch():
            raise ConfigError(f"the compiled backend {obstacle}, and torch is not installed: {INSTALL_TORCH}")
        if self.backend == "torch" and not has_torch():
            raise ConfigError(
                f"learner.backend is torch, which is not installed: {INSTALL_TORCH}, or set learner.backend to auto"
            )
        super().check(observation_size=observation_size, action_size=action_size)

    def make_learner(self, *, observation_size: int, action_size: int, seed: int) -> Learner:
        """The compiled updates where they can do what is asked, else the readable ones."""
        if self.is_for_torch:
            from sac_control.algorithms.sac.readable.soft_actor_critic import SoftActorCritic

            return SoftActorCritic(self, observation_size=observation_size, action_size=action_size, seed=seed)
        from sac_control.algorithms.sac.native_learner import NativeLearner

        return NativeLearner(self, observation_size=observation_size, action_size=action_size, seed=seed)

    @property
    def is_for_torch(self) -> bool:
        """Whether torch makes the updates."""
        takes_gpu = self.device == "auto" and self.backend != "native" and has_gpu()
        return self.backend == "torch" or bool(self._obstacle) or takes_gpu

    @property
    def _obstacle(self) -> str:
        """What the compiled updates cannot do of this, as the end of a sentence; empty if nothing."""
        if self.use_sde:
            return "knows no learner.use_sde"
        if self.device == "cuda":
            return "runs on the CPU, not on learner.device cuda"
        return ""
