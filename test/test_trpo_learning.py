"""Trust Region Policy Optimisation learns: a toy within seconds, the inverted pendulum within 200,000 transitions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import pytest

from sac_control.algorithms.algorithm import Algorithm, Use
from sac_control.algorithms.trpo.trpo_config import TrpoConfig
from sac_control.envs.registry import make_env
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import PolicyFile
from sac_control.training.evaluation import evaluate
from sac_control.types import Float32Array, Transition

StepResult = tuple[Float32Array, float, bool, bool, dict[str, Any]]


class Playable(Protocol):
    """What can be played in: an environment, or the slide."""

    def reset(self) -> tuple[Float32Array, dict[str, Any]]: ...
    def step(self, action: Float32Array) -> StepResult: ...


class Slide:
    """A point that an action moves by at most 0.3, for 20 steps; each costs the square of where it is."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def reset(self) -> tuple[Float32Array, dict[str, Any]]:
        self._steps, self._x = 0, self._rng.uniform(-2.0, 2.0, 1).astype(np.float32)
        return self._x, {}

    def step(self, action: Float32Array) -> StepResult:
        cost = float(self._x[0] ** 2)
        self._x, self._steps = self._x + np.float32(0.3) * action, self._steps + 1
        return self._x, -cost, False, self._steps == 20, {}


class Player:
    """Plays episodes one after the other with one policy after the other."""

    def __init__(self, env: Playable, seed: int) -> None:
        self._env, self._rng = env, np.random.default_rng([seed, 1])
        self.version = 0
        self._policy: Policy | None = None
        self.transitions = 0
        self._steps = self._play()

    def teach(self, algorithm: Algorithm, version: int) -> None:
        """Let the algorithm's policy, as `version`, play until an update is owed, and have that made."""
        self._policy, self.version = Policy(algorithm.publish(version)), version
        while algorithm.welcome:
            assert algorithm.accept(next(self._steps)) is Use.LEARNT
        algorithm.update(algorithm.updates_owed)

    def _play(self) -> Iterator[Transition]:
        for episode in range(10**9):
            observation, _ = self._env.reset()
            step, is_over = 0, False
            while not is_over:
                assert self._policy is not None
                raw = self._policy.act(observation, self._rng)
                action, before, version = raw.clip(-1.0, 1.0), observation, self.version
                observation, reward, terminated, truncated, _ = self._env.step(action)
                yield Transition(
                    source=1,
                    sequence=self.transitions,
                    episode=episode,
                    step=step,
                    stamp=0,
                    policy_version=version,
                    observation=before,
                    action=action,
                    action_raw=raw,
                    reward=reward,
                    next_observation=observation,
                    terminated=terminated,
                    truncated=truncated,
                )
                self.transitions, step, is_over = self.transitions + 1, step + 1, terminated or truncated


def distance(policy: Policy) -> float:
    """Of the point from the middle after 20 steps from either side, on average."""
    ends = []
    for start in (-2.0, -1.0, 1.0, 2.0):
        x: Float32Array = np.array([start], np.float32)
        for _ in range(20):
            x = np.asarray(x + np.float32(0.3) * policy.act(x).clip(-1.0, 1.0), np.float32)
        ends.append(abs(float(x[0])))
    return float(np.mean(ends))


def test_point_learns_to_slide_to_the_middle_and_stay_there() -> None:
    config = TrpoConfig(hidden_sizes=(16,), batch_size=400, max_kl=0.03, gamma=0.95)
    algorithm = config.make(observation_size=1, action_size=1, mirror=None, seed=0)
    player = Player(Slide(seed=0), seed=0)
    assert distance(Policy(algorithm.publish(1))) == 1.5  # it stays where it is
    for version in range(2, 27):
        player.teach(algorithm, version)
    assert distance(Policy(algorithm.publish(100))) < 0.2
    assert algorithm.metrics()["explained_variance"] > 0.5


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_inverted_pendulum_is_solved_within_200_000_transitions(seed: int) -> None:
    env, judged = make_env("inverted_pendulum"), make_env("inverted_pendulum")
    env.reset(seed=seed)
    specification = env.specification
    algorithm = TrpoConfig().make(
        observation_size=len(specification.observation),
        action_size=len(specification.actuated_joints),
        mirror=None,
        seed=seed,
    )
    player, starts = Player(env, seed), np.random.default_rng([seed, 2])
    is_solved, version = False, 0
    while not is_solved:
        assert player.transitions < 200_000
        version += 1
        player.teach(algorithm, version)
        file = PolicyFile(
            specification=specification,
            actor=algorithm.publish(version + 1),
            run="test",
            policy_version=version + 1,
            env_steps=player.transitions,
        )
        is_solved = evaluate(file, judged, 10, 20, starts).is_solved  # as a training does
