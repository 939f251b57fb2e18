"""RosEnv: other libraries train through the topics of a simulator node, and of nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import gymnasium
import imageio_ffmpeg
import numpy as np
import pytest
from gymnasium.error import InvalidAction, ResetNeeded

from node_processes import NodeProcess
from policies import OTHER_RUN_ID, RUN_ID
from ros_world import PATIENCE, RosWorld
from sac_control.envs.registry import make_env
from sac_control.errors import ConfigError, StateError
from sac_control.nodes import RosEnv, topics

TIMEOUT = min(PATIENCE, 30.0)


@pytest.fixture
def ros() -> Iterator[RosWorld]:
    with RosWorld() as ros:
        yield ros


def ros_env(ros: RosWorld, task: str = "inverted_pendulum", **options: object) -> RosEnv:
    return RosEnv(task, domain_id=ros.probe.context.get_domain_id(), **{"timeout": TIMEOUT, **options})  # type: ignore[arg-type]


def simulator(ros: RosWorld, **parameters: object) -> NodeProcess:
    return NodeProcess(ros, "simulator", **{"run_id": RUN_ID, "seed": 3, "engine": "mujoco", **parameters})


def test_episodes_in_lockstep_are_those_of_the_environment_itself(ros: RosWorld) -> None:
    rng = np.random.default_rng(0)
    with (
        simulator(ros, max_episode_steps=12),
        ros_env(ros) as env,
        make_env("inverted_pendulum", engine="mujoco", max_episode_steps=12) as reference,
    ):
        reference.reset(seed=3)  # the simulator began an episode by itself
        for episode in range(5):
            seen, _ = env.reset()
            expected, _ = reference.reset()
            np.testing.assert_array_equal(seen, expected)
            ended, steps = False, 0
            while not ended and not (episode == 2 and steps == 4):  # the third is abandoned
                action = rng.uniform(-1.0, 1.0, 1).astype(np.float32)
                seen, reward, terminated, truncated, _ = env.step(action)
                expected, *others, _ = reference.step(action)
                np.testing.assert_array_equal(seen, expected)
                assert [np.float32(reward), terminated, truncated] == [np.float32(others[0]), *others[1:]]
                ended, steps = terminated or truncated, steps + 1


def test_environment_without_joints_goes_through_ros_too(ros: RosWorld) -> None:
    task = "gymnasium/Pendulum-v1"
    with simulator(ros, task=task, engine="", max_episode_steps=5), ros_env(ros, task) as env:
        seen, _ = env.reset()
        assert env.observation_space.shape == seen.shape == (3,)
        ends = [env.step(np.zeros(1, np.float32))[3] for _ in range(5)]
        assert ends == [False] * 4 + [True]
        with pytest.raises(ResetNeeded):
            env.step(np.zeros(1, np.float32))


def test_realtime_goes_on_while_a_library_computes_and_loses_no_reward(ros: RosWorld) -> None:
    heard = ros.hear(topics.TRANSITIONS)
    with simulator(ros, mode="realtime"), ros_env(ros) as env:
        env.reset()
        ros.until(lambda: heard, "no transition was heard")  # and from here on, none is missed
        heard.clear()
        assert env.reset()[0].shape == (5,)
        periods = []
        for k in range(12):
            if k == 6:
                time.sleep(0.1)
            *_, terminated, truncated, info = env.step(np.zeros(1, np.float32))
            periods.append(info["periods"])
            ros.spin_for(0.001)
            if terminated or truncated:
                env.reset()
        assert max(periods) >= 3
    ros.until(lambda: len(heard) >= sum(periods), "transitions were lost")


@pytest.mark.long
def test_stable_baselines3_trains_through_ros_for_two_thousand_steps(ros: RosWorld) -> None:
    """The same object that any library takes; it learns."""
    sac = pytest.importorskip("stable_baselines3", reason="torch is an extra on this Python").SAC
    with simulator(ros), ros_env(ros) as env:
        model = sac("MlpPolicy", env, seed=0, train_freq=8, gradient_steps=4, policy_kwargs={"net_arch": [32, 32]})
        model.learn(2000)
        assert model.num_timesteps == 2000
        returns = [episode["r"] for episode in model.ep_info_buffer]
        assert len(returns) > 10
        assert np.mean(returns[-5:]) > np.mean(returns[:5])


def test_record_video_writes_a_picture_of_every_step(ros: RosWorld, tmp_path: Path) -> None:
    pytest.importorskip("moviepy", reason="moviepy, with which Gymnasium's RecordVideo writes, is not installed")
    with simulator(ros, max_episode_steps=5):
        env = gymnasium.wrappers.RecordVideo(ros_env(ros, render_mode="rgb_array"), str(tmp_path))
        env.reset()
        ended = [env.step(np.zeros(1, np.float32))[3] for _ in range(5)]
        env.close()
    assert ended[-1]
    (video,) = tmp_path.glob("*.mp4")
    frames, _ = imageio_ffmpeg.count_frames_and_secs(str(video))
    assert frames == 6


def test_pictures_show_where_the_simulated_robot_is(ros: RosWorld) -> None:
    with simulator(ros, max_episode_steps=50), ros_env(ros, render_mode="rgb_array") as env:
        env.reset()
        first = env.render()
        for _ in range(15):
            if any(env.step(np.ones(1, np.float32))[2:4]):
                break
        second = env.render()
    assert first is not None
    assert second is not None
    assert first.ndim == 3
    assert np.ptp(first) > 50
    assert (first != second).any()


# what it refuses


def test_where_there_is_no_simulator_one_sentence_says_what_to_start(ros: RosWorld) -> None:
    with pytest.raises(ConfigError, match=r"^no simulator of sac_control at /simulator: start it with -p run_id:="):
        ros_env(ros, timeout=0.5)


def test_robot_is_not_driven(ros: RosWorld) -> None:
    topics.publisher(ros.probe, topics.JOINT_STATES)
    with pytest.raises(ConfigError, match="but probe publishes joint_states: a robot is not driven from here: start"):
        ros_env(ros, timeout=1.5)


def test_simulator_that_stands_in_for_a_robot_is_not_driven(ros: RosWorld) -> None:
    with (
        simulator(ros, run_id="", mode="realtime"),
        pytest.raises(ConfigError, match="stands in for a robot, because its run_id is empty"),
    ):
        ros_env(ros)


def test_simulator_that_has_a_policy_node_is_not_driven(ros: RosWorld) -> None:
    topics.publisher(ros.probe, topics.ACTION)
    with simulator(ros), pytest.raises(ConfigError, match="probe publishes /policy/action, too: two cannot command"):
        ros_env(ros)


def test_simulator_of_another_task_is_refused(ros: RosWorld) -> None:
    def use(env: RosEnv) -> None:
        env.reset()
        env.step(np.zeros(1, np.float32))

    expected = "simulates inverted_pendulum, this is inverted_pendulum_swingup"
    with simulator(ros), ros_env(ros, "inverted_pendulum_swingup") as env, pytest.raises(ConfigError, match=expected):
        use(env)


def test_states_of_another_run_are_not_taken(ros: RosWorld) -> None:
    with simulator(ros), ros_env(ros) as env:
        first, _ = env.reset()
        states = ros.publisher(topics.JOINT_STATES)
        foreign = topics.JOINT_STATES.type()
        foreign.header.frame_id = f"{OTHER_RUN_ID}/{'0' * 64}"
        foreign.header.stamp.sec = 10**6
        states.publish(foreign)
        ros.spin_for(0.2)
        second, *_ = env.step(np.zeros(1, np.float32))
        assert abs(second - first).max() < 1.0


def test_simulator_that_goes_away_is_told_of_and_nothing_hangs(ros: RosWorld) -> None:
    with simulator(ros) as process, ros_env(ros, timeout=8.0) as env:
        env.reset()
        process.stop()
        with pytest.raises(StateError, match=r"did not come from the simulator within 8 s"):
            env.step(np.zeros(1, np.float32))
        with pytest.raises(ResetNeeded):
            env.step(np.zeros(1, np.float32))


def test_action_that_is_none_is_refused(ros: RosWorld) -> None:
    with simulator(ros), ros_env(ros) as env:
        env.reset()
        for action in (np.zeros(2, np.float32), np.array([np.nan], np.float32)):
            with pytest.raises(InvalidAction):
                env.step(action)
        env.step(np.array([7.0], np.float32))  # clipped
        with pytest.raises(ConfigError, match="no option 'state'"):
            env.reset(options={"state": [0.0] * 4})
