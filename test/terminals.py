"""What a training tells, and a terminal that shows it."""

from __future__ import annotations

import math
import os
import pty

from sac_control.types import Phase, TrainingStatus

STATUS = TrainingStatus(
    run_id="0" * 32,
    run="first",
    algorithm="sac",
    phase=Phase.TRAINING,
    env_steps=1200,
    max_steps=20_000,
    episodes=31,
    updates=4000,
    policy_version=80,
    wall_time=12.0,
    last_return=211.0,
    mean_return=63.4,
    evaluation_return=math.nan,
    critic_loss=0.1,
    actor_loss=-3.0,
    alpha=0.05,
    entropy=-0.1,
    metric_names=("critic_loss",),
    metrics=(0.1,),
    steps_per_second=251.0,
    updates_per_second=1004.0,
    replay_ratio=3.996,
    target_replay_ratio=4.0,
    policy_lag=0.4,
    buffer_size=1200,
    rejected_transitions=0,
    missing_transitions=0,
    duplicate_transitions=0,
    stale_transitions=0,
    foreign_transitions=0,
    rollbacks=0,
    restorations=0,
    plants_passed=0,
    plants=24,
    eta=75.0,
)


class Terminal:
    """What a program on a terminal writes to, and what is then seen there."""

    def __init__(self) -> None:
        self._screen, theirs = pty.openpty()
        self.stream = os.fdopen(theirs, "w")

    def seen(self) -> str:
        """Everything written so far."""
        self.stream.write("END")
        self.stream.flush()
        seen = b""
        while not seen.endswith(b"END"):  # a terminal passes on what is written in pieces and a little later
            seen += os.read(self._screen, 10_000)
        return seen.decode().removesuffix("END")

    def close(self) -> None:
        self.stream.close()
        os.close(self._screen)
