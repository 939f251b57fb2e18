"""Settings of the evaluator node."""

from __future__ import annotations

from dataclasses import dataclass

from sac_control.identity import run_id_option
from sac_control.option import Config, option


@dataclass(frozen=True, kw_only=True)
class EvaluatorConfig(Config):
    """The evaluator node: counts whole episodes of simulator and policy."""

    run_id: str = run_id_option("id of this evaluation: transitions of other runs are rejected")

    task: str = option(
        "inverted_pendulum",
        "task that is evaluated, as the simulator's: transitions of other tasks are rejected",
    )
    episodes: int = option(10, "episodes to count", low=1, high=100_000)
    output: str = option("", "file that receives the result as JSON; empty writes none")
    json: bool = option(False, "print the result as JSON instead of sentences")
    wait_warning: float = option(10.0, "warn after this long without a message from a peer [s]", low=0.5, high=600.0)
