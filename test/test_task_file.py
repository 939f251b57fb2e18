"""Task files: what is understood, and what is refused with file, line, what was got and the nearest valid name."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from sac_control.envs.registry import make_env
from sac_control.errors import ConfigError
from task_files import GOOD, ROBOT, changed, task_of
from tasks_for_tests import rows_of

# What is understood


def test_a_task_file_says_all_that_a_task_needs(tmp_path: Path) -> None:
    task = task_of(tmp_path)
    specification = task.specification
    assert specification.task == "arm_up"
    assert specification.joints == ("arm", "left/pole-1 a")
    assert specification.actuated_joints == ("arm",)
    assert specification.command_limit == (0.05,)
    assert specification.interface == ("effort",)
    assert specification.observation[2] == "position('left/pole-1 a')"
    assert (task.engine, task.other_engines, task.memory) == ("mujoco", (), 1)
    assert (task.max_episode_steps, task.solved_return, task.is_mirror_symmetric) == (100, 95.0, False)
    robot = task.robot("mujoco")
    assert (robot.description, robot.substeps, robot.gravity) == (tmp_path / "arm.urdf", 5, 9.81)


def test_reward_remembers_what_was_done_before_and_termination_reads_quoted_joints(tmp_path: Path) -> None:
    task = task_of(tmp_path)
    rows = rows_of(task, [0.2, 0.0, 1.9, 0.0], [0.0] * 4)
    rows[0][-1], rows[1][-1] = 0.5, -0.5  # the actions, newest first
    assert task.reward(rows) == pytest.approx(1 - 0.1 * 0.04 - 0.5)
    assert task.is_terminated(rows) is False
    assert task.is_terminated(rows_of(task, [0.0, 0.0, -2.1, 0.0], [0.0] * 4)) is True


def test_a_task_travels_by_pickle(tmp_path: Path) -> None:
    task = task_of(tmp_path)
    other = pickle.loads(pickle.dumps(task))  # noqa: S301  our own
    assert (other.path, other.specification, other.hash) == (task.path, task.specification, task.hash)
    rows = rows_of(task, [0.2, 0.0, 1.9, 0.0], [0.0] * 4)
    assert other.reward(rows) == task.reward(rows)


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    text = "\n".join(line for line in GOOD.splitlines() if not line.startswith(("terminated", "mirror")))
    task = task_of(tmp_path, text)
    assert task.is_terminated(rows_of(task, [9.0] * 4, [9.0] * 4)) is False
    assert not task.is_mirror_symmetric


def test_engines_have_their_own_robot_period_and_names_and_the_rest_what_the_file_says(tmp_path: Path) -> None:
    other_engine = "{robot: /other.xml, physics_period: 0.01, joints: {arm: j1}, air_damping: 0.04}"
    task = task_of(tmp_path, GOOD + f"engines: {{mujoco: {{}}, pybullet: {other_engine}}}\n")
    ours, other = task.robot("mujoco"), task.robot("pybullet")
    assert task.other_engines == ("pybullet",)
    assert (ours.description.name, ours.substeps, ours.model_name("arm"), ours.air_damping) == ("arm.urdf", 5, "arm", 0)
    assert (str(other.description), other.substeps, other.model_name("arm")) == ("/other.xml", 1, "j1")
    assert (other.model_name("left/pole-1 a"), other.air_damping) == ("left/pole-1 a", 0.04)


# Start states


def test_start_states_are_uniform_in_the_box_and_reach_its_corners(tmp_path: Path) -> None:
    task = task_of(tmp_path)
    assert task.start_dimensions == 2
    np.testing.assert_allclose(task.start_from(np.array([0.0, 1.0])), [-0.2, 0.0, 0.0, 0.4])
    np.testing.assert_allclose(task.start_from(np.array([1.0, 0.0])), [0.4, 0.0, 0.0, -0.2])
    rng = np.random.default_rng(0)
    starts = np.array([task.sample_start(rng) for _ in range(4000)])
    assert not starts[:, [1, 2]].any()
    for values, low, high in ((starts[:, 0], -0.2, 0.4), (starts[:, 3], -0.2, 0.4)):
        uniform = np.linspace(low, high, len(values))
        # Kolmogorov-Smirnov: 1.95 / √n is exceeded in one case of a thousand.
        assert np.abs(np.sort(values) - uniform).max() / (high - low) < 1.95 / np.sqrt(len(values))


def test_boxes_are_drawn_by_their_shares(tmp_path: Path) -> None:
    starts = "starts: [{share: 3, arm: [1, 2]}, {share: 1, arm: -1, velocity(arm): [-5, 5]}, {share: 4}]"
    lines = [starts if line.startswith("starts") else line for line in GOOD.splitlines()]
    task = task_of(tmp_path, "\n".join(lines))
    assert task.start_dimensions == 2
    rng = np.random.default_rng(0)
    drawn = np.array([task.sample_start(rng) for _ in range(4000)])
    first, second = drawn[:, 0] > 0.5, drawn[:, 0] == -1.0
    assert first.mean() == pytest.approx(3 / 8, abs=0.03)
    assert second.mean() == pytest.approx(1 / 8, abs=0.03)
    assert not drawn[~first & ~second].any()
    assert drawn[first, 0].min() >= 1.0
    assert np.ptp(drawn[second, 1]) > 9.0
    assert not drawn[~second, 1].any()
    assert task.start_from(np.array([1.0, 1.0])).tolist() == [0.0] * 4


# Identity

SAME = {
    "comments, blank lines and order of keys": "# another\n\n" + "\n".join(reversed(GOOD.splitlines())),
    "spelling of numbers": changed("0.1*arm^2", "1e-1 * arm^2.0"),
    "parentheses": changed("1 - 0.1*arm^2", "((1) - (0.1*(arm^2)))"),
    "another spelling of ranges": changed("[-0.2, 0.4]", "0.1 +- 0.3"),
    "solved return": changed("solved_return: 95", "solved_return: 90"),
    "the plant": changed("arm.urdf", "other.urdf"),
    "the engine": changed("engine: mujoco", "engine: pybullet"),
}
OTHER = {
    "reward": changed("0.1*arm^2", "0.1000001*arm^2"),
    "termination": changed("> 0.5 or", "> 0.5001 or"),
    "no termination": changed("terminated: abs(arm) > 0.5 or abs('left/pole-1 a') > 2", "# none"),
    "starts": changed("[-0.2, 0.4]", "[-0.2, 0.4001]"),
    "a box more": changed("+- 0.3}]", "+- 0.3}, {}]"),
    "episode": changed("episode: 100", "episode: 101"),
    "observation": changed("sin(arm), cos(arm)", "cos(arm), sin(arm)"),
    "limit": changed("limit: 0.05", "limit: 0.06"),
    "interface": changed("interface: effort", "interface: velocity"),
    "period": changed("control_period: 0.01", "control_period: 0.02"),
}


@pytest.mark.parametrize("what", SAME)
def test_the_same_task_written_otherwise_has_the_same_hash(tmp_path: Path, what: str) -> None:
    assert task_of(tmp_path, SAME[what]).hash == task_of(tmp_path).hash


@pytest.mark.parametrize("what", OTHER)
def test_whatever_is_asked_otherwise_gives_another_hash(tmp_path: Path, what: str) -> None:
    assert task_of(tmp_path, OTHER[what]).hash != task_of(tmp_path).hash


# Environments


def test_an_environment_of_a_file_whose_robot_is_missing_is_refused_in_a_sentence(tmp_path: Path) -> None:
    task_of(tmp_path)
    with pytest.raises(ConfigError, match="there is no robot description .*arm.urdf: check the path under robot:"):
        make_env(str(tmp_path / "arm.yaml"))


def test_a_file_makes_an_environment_whatever_the_directory_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "arm.urdf").write_text(ROBOT)
    task_of(tmp_path)
    monkeypatch.chdir(tmp_path)
    env = make_env("arm.yaml")
    observation, _ = env.reset(seed=1)
    assert observation.shape == (6,)
    observation, *_ = env.step(np.ones(1, np.float32))
    assert observation[5] == 0.0
    observation, *rest = env.step(np.zeros(1, np.float32))
    assert observation[5] == 1.0  # the action before
    assert rest[0] == pytest.approx(1 - 0.1 * env.state[0] ** 2 - 0.5)
    env.close()
