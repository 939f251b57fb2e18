"""What an evaluation through nodes finds out."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest

from policies import SPECIFICATION
from sac_control.training.evaluation_result import EvaluationResult
from sac_control.types import Transition


def step(episode: int, number: int, action: float, reward: float = 1.0, *, is_last: bool = False) -> Transition:
    nothing = np.zeros(len(SPECIFICATION.observation), np.float32)
    return Transition(
        source=1,
        sequence=0,
        episode=episode,
        step=number,
        stamp=0,
        policy_version=7,
        observation=nothing,
        action=np.array([action], np.float32),
        reward=reward,
        next_observation=nothing,
        terminated=False,
        truncated=is_last,
    )


def result_of(episodes: Sequence[Sequence[float]]) -> EvaluationResult:
    """Of the actions of each episode, whose rewards are its number."""
    result = EvaluationResult(SPECIFICATION)
    for number, actions in enumerate(episodes):
        for place, action in enumerate(actions):
            result.add(step(number, place, action, float(number), is_last=place == len(actions) - 1))
    return result


def test_chatter_is_the_root_mean_square_of_changes_within_episodes_in_the_unit_of_the_command() -> None:
    result = result_of([[0.0, 0.3, -0.1], [0.9, 0.9]])
    (limit,), (name,) = SPECIFICATION.command_limit, SPECIFICATION.actuated_joints
    expected = limit * np.sqrt((0.3**2 + 0.4**2 + 0.0) / 3)
    assert result.chatter() == pytest.approx({name: expected})


def test_commands_beyond_the_limit_count_as_the_limit() -> None:
    assert result_of([[1.0, 5.0, 1.0]]).chatter() == {"slider_to_cart": 0.0}


def test_gap_is_no_change_of_the_command() -> None:
    result = EvaluationResult(SPECIFICATION)
    for number, action in ((0, 0.0), (1, 0.0), (3, 1.0), (4, 1.0)):
        result.add(step(0, number, action))
    assert result.chatter() == {"slider_to_cart": 0.0}


def test_result_is_plain_json_with_mean_interquartile_mean_interval_worst_and_chatter() -> None:
    values = json.loads(json.dumps(result_of([[0.0, 0.1]] * 8).to_mapping(), allow_nan=False))
    assert values["returns"] == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0]
    assert (values["mean_return"], values["interquartile_mean"], values["min_return"]) == (7.0, 7.0, 0.0)
    low, high = values["interquartile_interval"]
    assert 0.0 < low < 7.0 < high < 14.0
    assert (values["interval_level"], values["policy_versions"], values["episodes"]) == (0.95, [7], 8)
    assert values["chatter"].keys() == {"slider_to_cart"}


def test_sentences_say_it_with_units() -> None:
    first, second = result_of([[0.0, 0.1]] * 8).sentences()
    assert first.startswith("8 episodes: mean return 7, interquartile mean 7 (95 % interval ")
    assert first.endswith("), worst 0")
    assert second == (
        "chatter, RMS of the command's change from one control period to the next: slider_to_cart 10 N or N m"
    )


def test_one_episode_has_no_interval_and_none_has_no_mean() -> None:
    assert "(more episodes tell how sure that is)" in result_of([[0.0, 0.1]]).sentences()[0]
    none = EvaluationResult(SPECIFICATION)
    assert none.sentences() == ["no episode was completed"]
    assert none.to_mapping()["interquartile_mean"] is None
