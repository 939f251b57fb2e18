"""One control period of an environment in each physics engine, beside the bare calls of the engine that are in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import words
from benchmarks.intervals import median, median_interval
from benchmarks.options import Options
from benchmarks.table import Goal, Line
from sac_control.envs import make_robot_env
from sac_control.envs.env import Env

NAME = "worlds"
TITLE = "Physics engines"
IS_LONG = False

TASK = "inverted_pendulum_swingup"  # whose episodes nothing ends early
PERIODS = 2000  # in a round
GOALS = {"mujoco": 2.0}  # times the bare engine, at most


def measure(options: Options) -> dict[str, Any]:
    """Environment and bare engine in turn, round by round, in this process."""
    result: dict[str, Any] = {"engines": {}}
    for engine, bare in BARE.items():
        env = make_robot_env(TASK, max_episode_steps=10**9, engine=engine)
        env.reset(seed=0)
        actions = np.random.default_rng(0).uniform(-0.1, 0.1, (PERIODS, 1)).astype(np.float32)
        calls = bare(env)
        rounds: dict[str, list[float]] = {"environment": [], "bare": []}
        for _ in range(options.form.rounds):
            began = time.perf_counter()
            for action in actions:
                env.step(action)
            between = time.perf_counter()
            for _ in range(PERIODS):
                calls()
            ended = time.perf_counter()
            rounds["environment"].append((between - began) / PERIODS * 1e6)
            rounds["bare"].append((ended - between) / PERIODS * 1e6)
        env.close()
        result["engines"][engine] = {**rounds, "substeps": env.task.robot(engine).substeps}
        options.say(f"{engine}: {_ratio_text(rounds)}")
        options.keep(result)
    return result


def _bare_mujoco(env: Env) -> Callable[[], None]:
    import mujoco

    world: Any = env._world
    model, data, substeps = world._model, world._data, env.task.robot("mujoco").substeps

    def calls() -> None:
        for _ in range(substeps):
            mujoco.mj_step(model, data)

    return calls


def _bare_pybullet(env: Env) -> Callable[[], None]:
    import pybullet

    world: Any = env._world
    return lambda: pybullet.stepSimulation(physicsClientId=world._client)


BARE: dict[str, Callable[[Env], Callable[[], None]]] = {"pybullet": _bare_pybullet, "mujoco": _bare_mujoco}


def _ratios(rounds: dict[str, list[float]]) -> list[float]:
    return [ours / bare for ours, bare in zip(rounds["environment"], rounds["bare"], strict=True)]


def _ratio_text(rounds: dict[str, list[float]]) -> str:
    ratios = _ratios(rounds)
    return f"{median(ratios):.2f} times the bare engine, {words.interval(median_interval(ratios), 2)}"


def lines(result: dict[str, Any]) -> list[Line]:
    """One line for each engine."""
    table = []
    for engine, rounds in result["engines"].items():
        ours, ratios = rounds["environment"], _ratios(rounds)
        most = GOALS.get(engine)
        goals: tuple[Goal, ...] = ()
        if most is not None:
            goals = (Goal(text=f"at most {most:g} times", met=median(ratios) <= most, reached=_ratio_text(rounds)),)
        table.append(
            Line(
                key=f"worlds.{engine}",
                what=f"one control period of an environment in {engine} [µs]",
                peers=f"bare calls of the engine ({rounds['substeps']} in a period): {median(rounds['bare']):.1f}",
                median=f"{median(ours):.1f}",
                interval=words.interval(median_interval(ours), 1),
                worst=f"{max(ours):.1f}",
                runs=f"{len(ours)} rounds",
                goals=goals,
            )
        )
    return table


def details(result: dict[str, Any]) -> list[str]:
    """What was compared."""
    return [
        f"Cart-pole, {PERIODS:,} control periods in a round; environment and bare engine take turns, and",
        "ratios are those of each round. The environment checks the action, applies it, reads the state, calculates",
        "observation, reward and end of the episode; bare are the calls that advance the physics, and nothing else.",
    ]
