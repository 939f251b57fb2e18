"""What a policy costs per control tick and per hot swap, without middleware."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import numpy as np

from sac_control.config import LearnerConfig, PolicyConfig
from sac_control.envs.tasks import make_task
from sac_control.policy.controller import Controller
from sac_control.policy.policy_file import PolicyFile
from sac_control.sac.training import Training
from sac_control.types import JointState, Weights


def measure(ticks: int, swaps: int) -> dict[str, Any]:
    """Quantiles [s] of a controller's answer to a state, and of taking over new weights."""
    specification = make_task("inverted_pendulum").specification
    training = Training(LearnerConfig(), observation_size=len(specification.observation), action_size=1)

    def weights(version: int) -> Weights:
        file = PolicyFile(
            specification=specification,
            actor=training.publish(),
            run="bench",
            policy_version=version,
            env_steps=0,
        )
        data = file.to_bytes()
        return Weights(run="bench", version=version, env_steps=0, sha256=hashlib.sha256(data).digest(), data=data)

    controller = Controller(PolicyConfig())
    controller.activate()
    controller.offer(weights(1))
    rng = np.random.default_rng(0)
    tick_times = []
    for stamp in range(ticks):
        state = JointState(
            stamp=stamp, names=specification.joints, position=rng.normal(size=2), velocity=rng.normal(size=2)
        )
        started = time.perf_counter()
        controller.answer(state)
        tick_times.append(time.perf_counter() - started)
    offers = [weights(version) for version in range(2, swaps + 2)]
    swap_times = []
    for offer in offers:
        report = controller.offer(offer)
        assert report is not None
        assert report.accepted
        swap_times.append(report.gap)
    return {"answer": _quantiles(tick_times), "swap": _quantiles(swap_times)}


def _quantiles(times: list[float]) -> dict[str, float]:
    p50, p99 = np.quantile(times, [0.5, 0.99])
    return {"p50": float(p50), "p99": float(p99), "max": max(times), "count": len(times)}
