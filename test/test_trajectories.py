"""The built-in tasks in pybullet are what they were, to the last bit.

The trajectories in data/trajectories/ were recorded by the code before worlds were an interface and tasks were files,
with pybullet 3.2.7: of each task four episodes of at most 50 steps under random actions, from the task's own start
states and in the last from one that moves. A row is the state before a step (2j,), the action, the state after it
(2j,), the reward, whether the task terminated, and the observation. They are never made anew.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sac_control.envs import TASKS, make_env

pytestmark = pytest.mark.needs("pybullet")

FOLDER = Path(__file__).parent / "data" / "trajectories"


@pytest.mark.parametrize("name", TASKS)
def test_recorded_trajectories_are_reproduced_to_the_last_bit(name: str) -> None:
    recorded = np.load(FOLDER / f"{name}.npy")
    env = make_env(name, max_episode_steps=10**6)
    size = 2 * len(env.specification.joints)
    answers, last = [], None
    for row in recorded:
        start, action = row[:size], row[size : size + 1]
        if last is None or not np.array_equal(start, last):  # an episode began
            env.reset(options={"state": start})
        observation, reward, terminated, _, _ = env.step(action.astype(np.float32))
        last = row[size + 1 : 2 * size + 1]
        answers.append([*env.state, reward, terminated, *observation])
    env.close()
    assert len(answers) > 80
    np.testing.assert_array_equal(np.array(answers), recorded[:, size + 1 :])
