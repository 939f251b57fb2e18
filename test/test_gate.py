"""The gate: which plants a policy is tried on, in what order, and when it is tried no further."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sac_control.envs.environment import Environment, Start
from sac_control.envs.trial import Trial
from sac_control.tasks.builtin import inverted_pendulum
from sac_control.tasks.exam import Exam
from sac_control.training import gate
from sac_control.training.gate import EPISODES, EXTREME, Gate, joined, most_failures
from sac_control.types import Float32Array
from sac_control.variation.plants import GATE_SIZE, gate_plants
from tasks_for_tests import changed, env_of

EXAM = inverted_pendulum().exam or Exam(ranges=inverted_pendulum().randomise)
NAMES = [plant.name for plant in gate_plants(EXAM.ranges)]
BY_VARIATION = {str(plant.variation): plant.name for plant in gate_plants(EXAM.ranges)}


def still(observation: Float32Array) -> Float32Array:
    """Command nothing."""
    return np.zeros_like(observation[:1])


class Episodes:
    """In the place of episodes: which plants a policy keeps is said beforehand, and those that it meets are noted."""

    def __init__(self) -> None:
        self.bad: set[str] = set()
        self.met: list[str] = []
        self.starts: dict[str, list[float]] = {}

    def play(self, _env: Environment, _act: Callable[[Float32Array], Float32Array], start: Start) -> Trial:
        name = BY_VARIATION[str(start["options"]["variation"])]
        self.met.append(name)
        self.starts.setdefault(name, []).append(start["options"]["state"][2])
        return Trial(total_reward=0.0, steps=1, is_terminated=False, is_kept=name not in self.bad)

    def plants(self) -> list[str]:
        """Those met since this was asked last, in order."""
        met, self.met = list(dict.fromkeys(self.met)), []
        return met


@pytest.fixture
def episodes(monkeypatch: pytest.MonkeyPatch) -> Episodes:
    episodes = Episodes()
    monkeypatch.setattr(gate, "play", episodes.play)
    return episodes


def tried(one: Gate, act: gate.Act, may_fail: int) -> gate.GateResult:
    """Try a policy on suspects and others."""
    one.judge_suspects(act, may_fail)
    return one.judge_others(act, may_fail)


@pytest.fixture
def judge() -> Callable[[int], gate.GateResult]:
    env = env_of(inverted_pendulum())
    one = Gate(env, np.random.default_rng(1))
    return lambda to_beat: tried(one, lambda observation: observation[:1], most_failures(GATE_SIZE, to_beat))


def test_a_policy_is_tried_on_each_plant_from_both_extreme_starts_and_three_that_are_spread_out(
    episodes: Episodes, judge: Callable[[int], gate.GateResult]
) -> None:
    result = judge(0)
    assert (result.passed, result.tried, result.plants, result.is_passed) == (GATE_SIZE, GATE_SIZE, len(NAMES), True)
    assert episodes.met == [name for name in NAMES for _ in range(EPISODES)]
    spread = EPISODES - EXTREME
    for angles in episodes.starts.values():
        assert sorted(angles[:EXTREME]) == [-0.1, 0.1]
        assert sorted(int((angle + 0.1) / 0.2 * spread) for angle in angles[EXTREME:]) == list(range(spread))
    assert result.verdict == "24 of 24 plants passed"


def test_the_first_episode_that_is_not_kept_fails_a_plant(
    episodes: Episodes, judge: Callable[[int], gate.GateResult]
) -> None:
    episodes.bad = {NAMES[5]}
    result = judge(0)
    assert (result.passed, result.failed, result.is_passed) == (23, (NAMES[5],), False)
    assert episodes.met.count(NAMES[5]) == 1
    assert result.verdict == f"23 of 24 plants passed, not {NAMES[5]}"


def test_plants_that_the_policy_before_failed_come_first(
    episodes: Episodes, judge: Callable[[int], gate.GateResult]
) -> None:
    episodes.bad = {NAMES[5], NAMES[20]}
    judge(0)
    episodes.plants()
    episodes.bad = {NAMES[7]}
    judge(0)
    assert episodes.plants()[:2] == [NAMES[5], NAMES[20]]
    judge(0)
    assert episodes.plants()[0] == NAMES[7]


def test_suspects_are_the_plants_that_the_policy_before_failed_and_nothing_else_is_tried_before(
    episodes: Episodes,
) -> None:
    env = env_of(inverted_pendulum())
    one = Gate(env, np.random.default_rng(1))
    episodes.bad = {NAMES[5], NAMES[20]}
    assert one.judge_suspects(still, 2).tried == 0, "none came before"
    one.judge_others(still, 2)
    episodes.plants()
    episodes.bad = {NAMES[20]}
    result = one.judge_suspects(still, 2)
    assert (result.passed, result.failed, result.plants) == (1, (NAMES[20],), GATE_SIZE)
    assert episodes.plants() == [NAMES[5], NAMES[20]]
    assert one.judge_others(still, 2).passed == GATE_SIZE - 1
    assert len(episodes.plants()) == GATE_SIZE - 2
    assert one.judge_suspects(still, 0).verdict == f"0 of 1 plant tried passed, not {NAMES[20]}"
    one.judge_others(still, 2)
    episodes.bad = set()
    assert one.judge_suspects(still, 2).tried == 1
    episodes.plants()
    assert one.judge_others(still, 0).is_passed, "a plant that was a suspect is none once it is passed"


def test_a_policy_that_fails_more_than_two_plants_is_tried_no_further(
    episodes: Episodes, judge: Callable[[int], gate.GateResult]
) -> None:
    episodes.bad = {*NAMES[3:8]}
    result = judge(0)
    assert (result.passed, result.tried, result.is_passed) == (3, 6, False)
    assert result.verdict == f"3 of 6 plants tried passed, not {NAMES[3]}, {NAMES[4]}, {NAMES[5]}"
    episodes.bad = {NAMES[0], NAMES[23]}
    assert judge(0).passed == GATE_SIZE - 2, "two may fail, wherever they are"


def test_a_policy_that_cannot_pass_more_plants_than_the_best_is_tried_no_further(
    episodes: Episodes, judge: Callable[[int], gate.GateResult]
) -> None:
    episodes.bad = {*NAMES[:2]}
    result = judge(22)
    assert (result.passed, result.tried) == (0, 2), "22 of 24 is no more than 22"
    assert result.verdict == f"0 of 2 plants tried passed, not {NAMES[0]}, {NAMES[1]}"
    assert judge(21).passed == 22


def test_where_the_best_passed_all_plants_another_that_does_is_as_good(
    episodes: Episodes, judge: Callable[[int], gate.GateResult]
) -> None:
    assert judge(GATE_SIZE).is_passed
    episodes.bad = {NAMES[3]}
    assert judge(GATE_SIZE).tried == 4


def test_the_plants_are_robots_that_differ_as_they_say() -> None:
    env = env_of(changed(inverted_pendulum(), solved_return=2.0), max_episode_steps=2)
    met = []

    def act(observation: Float32Array) -> Float32Array:
        met.append(env.variation)
        return observation[:1] * 0

    assert tried(Gate(env, np.random.default_rng(1)), act, GATE_SIZE).is_passed
    assert [met[2 * EPISODES * k] for k in range(len(NAMES))] == [plant.variation for plant in gate_plants(EXAM.ranges)]
    env.close()


def test_the_same_seed_gives_the_same_numbers_where_measurements_are_noisy() -> None:
    seen: list[list[bytes]] = []
    for seed in (4, 4, 5):
        env = env_of(changed(inverted_pendulum(), solved_return=3.0), max_episode_steps=3)
        observations: list[bytes] = []

        def act(
            observation: Float32Array, observations: list[bytes] = observations, env: Environment = env
        ) -> Float32Array:
            fields = {quantity.field for quantity in env.variation}
            if "noise" in fields and "encoder" not in fields:  # whose steps are the same for all
                observations.append(observation.tobytes())
            return 0 * observation[:1]

        one = Gate(env, np.random.default_rng(seed))
        for _ in range(2):
            tried(one, act, GATE_SIZE)
        seen.append(observations)
        env.close()
    assert seen[0] == seen[1]
    assert len(set(seen[0])) == len(seen[0]), "nor do its own numbers come again"
    assert not set(seen[0]) & set(seen[2])


def test_the_parts_of_a_gate_have_each_plant_once_and_come_to_the_whole(episodes: Episodes) -> None:
    env = env_of(inverted_pendulum())
    parts = [Gate(env, np.random.default_rng(part), part=part, parts=2) for part in range(2)]
    episodes.bad = {NAMES[4], NAMES[5]}
    result = joined([tried(part, lambda observation: observation[:1], 1) for part in parts])
    assert sorted(episodes.plants()) == sorted(NAMES)
    assert (result.passed, result.plants, set(result.failed)) == (22, GATE_SIZE, episodes.bad)
    env.close()
