"""Settings of state-dependent exploration, which both algorithms with a squashed Gaussian actor have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sac_control.algorithms.off_policy_config import OffPolicyConfig
from sac_control.errors import ConfigError
from sac_control.option import option


@dataclass(frozen=True, kw_only=True)
class ExplorationConfig(OffPolicyConfig):
    """Exploration by independent or correlated noise, or by a random matrix over the actor's features."""

    fixed: ClassVar[tuple[str, ...]] = (*OffPolicyConfig.fixed, "use_sde")

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

    def check(self, *, observation_size: int, action_size: int) -> None:
        """Refuse what would be ignored, too."""
        for name in ("sde_sample_interval", "sde_at_warmup"):
            if not self.use_sde and self.is_set(name):
                raise ConfigError(f"learner.{name} has no effect without learner.use_sde: set that, or leave it out")
        if self.use_sde and self.is_set("noise_correlation"):
            raise ConfigError(
                "learner.noise_correlation and learner.use_sde are both set, and are two ways of smooth exploration: "
                "leave one out"
            )
        if self.sde_sample_interval == 0:
            raise ConfigError("learner.sde_sample_interval is 0: expected a number of ticks from 1, or -1")
        super().check(observation_size=observation_size, action_size=action_size)
