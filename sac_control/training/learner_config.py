"""Settings of the learner node: the algorithm's hyperparameters and the schedule of a run."""

from __future__ import annotations

from dataclasses import dataclass

from sac_control.algorithms.sac.sac_config import SacConfig
from sac_control.errors import ConfigError
from sac_control.identity import run_id_option
from sac_control.option import option


@dataclass(frozen=True, kw_only=True)
class LearnerConfig(SacConfig):
    """The learner node: the algorithm's hyperparameters and the schedule of a run."""

    run_id: str = run_id_option("id of the run: transitions of other runs are rejected; empty makes one")

    task: str = option("inverted_pendulum", "task that is learnt: a name, or the path of a task file")
    engine: str = option("", "physics engine of the evaluations; empty: the task's own")
    run_directory: str = option("", "directory that receives checkpoints, metrics and curves; empty makes runs/<date>")
    resume: bool = option(False, "continue the run found in run_directory")
    seed: int = option(0, "seed of the networks, the noise and the batches", low=0, high=2**31 - 1)
    max_steps: int = option(20_000, "transitions after which training ends, solved or not", low=1, high=10**9)
    stop_when_solved: bool = option(True, "end as soon as every evaluation episode reaches the task's solved return")
    deterministic: bool = option(
        False,
        "lockstep: same seed, same numbers, to the last bit; the simulator then waits for each update and each swap",
    )
    warmup_steps: int = option(200, "transitions collected before the first update", low=1, high=10**7)
    replay_ratio: float = option(8.0, "updates per transition", low=0.01, high=1000.0)
    solved_replay_ratio: float = option(
        2.0, "updates per transition once the task was solved, where training goes on", low=0.01, high=1000.0
    )
    solved_noise_correlation: float = option(
        0.97,
        "noise_correlation once the task was solved, where training goes on; not with use_sde",
        low=0.0,
        high=0.999,
    )
    solved_target_entropy: float = option(
        0.1, "target_entropy once the task was solved, where training goes on [nat]", low=-20.0, high=5.0
    )
    solved_actor_average: int = option(
        10_000,
        "transitions over which the actors that are published are averaged once the task was solved, where training "
        "goes on; 0: the newest alone",
        low=0,
        high=10**9,
    )
    learning_rate_decay: int = option(
        3000, "transitions to half the learning rates; floor 10 %; 0: constant", low=0, high=10**9
    )
    run_ahead: int = option(8, "transitions the simulator may be ahead of the updates", low=1, high=100_000)
    publish_every: int = option(50, "updates between two publications of policy_weights", low=1, high=10**6)
    evaluation_every: int = option(50, "transitions between two evaluations; 0 never evaluates", low=0, high=10**7)
    evaluation_episodes: int = option(10, "deterministic episodes per evaluation", low=1, high=1000)
    confirmation_episodes: int = option(
        20, "further episodes, from extreme starts, too, that a solution must pass", low=0, high=1000
    )
    checkpoint_every: int = option(2000, "transitions between two checkpoints", low=1, high=10**7)
    signing_key: str = option(
        "", "Ed25519 private key in PEM that signs every policy, published or written; see sac_control keys"
    )
    keep_last: int = option(3, "checkpoints kept beside the best one", low=1, high=10_000)
    progress_period: float = option(
        5.0, "time between two progress lines where output is not a terminal [s]", low=0.1, high=3600.0
    )
    wait_warning: float = option(10.0, "warn after this long without a message from a peer [s]", low=0.5, high=600.0)


def check_change(before: LearnerConfig, now: LearnerConfig) -> None:
    """Refuse to continue a training with options that decide what its networks and transitions are.

    Raises:
        ConfigError: says which option, and what it was.
    """
    for name in ("task", "engine", "algorithm", "hidden_sizes", "use_sde"):
        if getattr(now, name) != getattr(before, name):
            raise ConfigError(
                f"learner.{name} is {getattr(now, name)}, but the run to continue was begun with "
                f"{getattr(before, name)}: leave it as it was, or begin another run"
            )
