"""Returns are those of whole episodes and of no others."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from sac_control.training.returns import Episode, Episodes
from sac_control.types import Transition

NOTHING = np.zeros(1, np.float32)


def play(
    episodes: Episodes, length: int, *, source: int = 1, episode: int = 0, lost: tuple[int, ...] = (), **end: Any
) -> Any:
    result = None
    for step in set(range(length)) - set(lost):
        last = step == length - 1
        result = episodes.add(
            Transition(
                source=source,
                sequence=0,
                episode=episode,
                step=step,
                stamp=0,
                policy_version=0,
                observation=NOTHING,
                action=NOTHING,
                reward=2.0,
                next_observation=NOTHING,
                terminated=last and end.get("terminated", True),
                truncated=last and end.get("truncated", False),
            )
        )
    return result


def test_a_whole_episode_is_returned_at_its_last_step() -> None:
    expected = Episode(source=1, episode=4, total_reward=6.0, length=3, terminated=True)
    assert play(Episodes(), 3, episode=4) == expected


def test_a_truncated_episode_counts_too() -> None:
    episode = play(Episodes(), 3, terminated=False, truncated=True)
    assert (episode.length, episode.terminated) == (3, False)


@pytest.mark.parametrize("lost", [0, 1])
def test_an_episode_with_a_missing_step_is_left_out(lost: int) -> None:
    episodes = Episodes()
    assert play(episodes, 3, lost=(lost,)) is None
    assert episodes.count == 0


def test_an_episode_without_its_end_does_not_run_into_the_next() -> None:
    episodes = Episodes()
    play(episodes, 5, lost=(4,))
    assert play(episodes, 2, episode=1).total_reward == 4.0


def test_mean_return_is_over_the_newest_hundred() -> None:
    episodes = Episodes()
    assert episodes.mean_return == 0.0
    for number in range(150):
        play(episodes, 1 if number < 50 else 3, episode=number)
    assert (episodes.count, episodes.mean_return) == (150, 6.0)


def test_restored_episodes_go_on_in_the_middle_of_one() -> None:
    episodes, restored = Episodes(), Episodes()
    play(episodes, 2, terminated=True)
    play(episodes, 2, source=2, terminated=False)
    restored.restore(json.loads(json.dumps(episodes.state())))
    for each in (episodes, restored):
        step = Transition(
            source=2, sequence=2, episode=0, step=2, stamp=0, policy_version=0, observation=NOTHING, action=NOTHING,
            reward=2.0, next_observation=NOTHING, terminated=True, truncated=False,
        )  # fmt: skip
        assert each.add(step) == Episode(source=2, episode=0, total_reward=6.0, length=3, terminated=True)
    assert episodes.state() == restored.state()
