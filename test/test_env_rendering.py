"""Pictures and real time. Windows: `test_pybullet.py`."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from sac_control.envs import TASKS, make_robot_env
from sac_control.envs.env import Env
from sac_control.envs.pacer import Pacer
from sac_control.errors import ConfigError

NAME = "inverted_pendulum"


@pytest.fixture(scope="module")
def env() -> Iterator[Env]:
    env = make_robot_env(NAME, render_mode="rgb_array")
    yield env
    env.close()


def picture(env: Env, x: float, angle: float = 0.0) -> NDArray[np.uint8]:
    env.reset(options={"state": [x, 0.0, angle, 0.0]})
    image = env.render()
    assert image is not None
    return image


def columns(image: NDArray[np.uint8], rows: slice) -> NDArray[np.intp]:
    """Columns of the pixels in `rows` that show the machine: they differ from the backdrop, which column 0 shows."""
    return np.nonzero((image != image[:, :1]).any(axis=2)[rows])[1]


ABOVE_THE_RAIL = slice(0, 240)


def test_picture_shows_cart_rail_and_pole_whole(env: Env) -> None:
    for x in (-1.0, 0.0, 1.0):
        image = picture(env, x, angle=0.2 * x)
        assert image.shape == (480, 640, 3)
        assert image.dtype == np.uint8
        machine = (image != image[:, :1]).any(axis=2)
        assert 0.02 < machine.mean() < 0.2
        assert not machine[[0, -1]].any()
        assert not machine[:, [0, -1]].any()
        colors = image[machine].astype(int)
        assert (colors[:, 0] > colors[:, 2] + 80).sum() > 1000  # the orange pole
        assert (colors[:, 2] > colors[:, 0] + 40).sum() > 1000  # the blue cart


FURTHEST: dict[str, list[list[float]]] = {  # states at the ends of the rail, poles as far out as they get
    "inverted_pendulum": [[1.0, 0.0, 0.2, 0.0]],
    "inverted_pendulum_swingup": [[1.0, 0.0, angle, 0.0] for angle in (0.0, 1.0, 1.57, 2.5, 3.14)],
    "inverted_double_pendulum": [[1.0, 0.0, *angles] for angles in ([0.7, 0.0, 0.0, 0.0], [0.0, 0.0, 1.3, 0.0])],
}


@pytest.mark.parametrize("name", TASKS)
def test_picture_of_every_task_shows_the_whole_machine_and_nothing_else(name: str) -> None:
    env = make_robot_env(name, render_mode="rgb_array")
    for state in FURTHEST[name]:
        for sign in (-1.0, 1.0):
            env.reset(options={"state": [sign * value for value in state]})
            image = env.render()
            assert image is not None
            machine = (image != image[:, :1]).any(axis=2)
            assert not machine[[0, -1]].any()
            assert not machine[:, [0, -1]].any()
            assert 0.01 < machine.mean() < 0.2
            colors = image[machine].astype(int)
            assert (colors[:, 0] > colors[:, 2] + 80).sum() > 500  # orange poles
            assert (colors[:, 2] > colors[:, 0] + 40).sum() > 500  # the blue cart
    env.close()


def test_picture_follows_the_cart_and_the_pole(env: Env) -> None:
    middle = columns(picture(env, 0.0), ABOVE_THE_RAIL).mean()
    assert middle == pytest.approx(320, abs=5)
    assert columns(picture(env, 0.5), ABOVE_THE_RAIL).mean() > middle + 50
    assert columns(picture(env, -0.5), ABOVE_THE_RAIL).mean() < middle - 50
    assert columns(picture(env, 0.0, angle=0.2), ABOVE_THE_RAIL).mean() > middle + 5


def test_rendering_does_not_disturb_the_physics() -> None:
    ends = []
    for mode in (None, "rgb_array"):
        env = make_robot_env(NAME, render_mode=mode)
        env.reset(seed=3)
        for _ in range(5):
            env.step(np.full(1, 0.3, np.float32))
            assert (env.render() is None) is (mode is None)
        ends.append(env.joint_state())
        env.close()
    np.testing.assert_array_equal(ends[0], ends[1])


def test_human_mode_without_a_display_is_an_error_and_not_the_end_of_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DISPLAY", "")  # pybullet by itself would end the process here
    with pytest.raises(ConfigError, match=r"no window can be opened.*headless"):
        make_robot_env(NAME, render_mode="human")


class Time:
    """A clock that only sleep and work move."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, duration: float) -> None:
        self.slept.append(duration)
        self.now += duration


def test_pacer_makes_periods_last_as_long_as_they_should() -> None:
    time = Time()
    pacer = Pacer(0.5, time.clock, time.sleep)
    pacer.restart()
    for work in (0.125, 0.25, 0.0):
        time.now += work
        pacer.wait()
    assert time.slept == [0.375, 0.25, 0.5]
    assert time.now == 101.5


def test_pacer_does_not_hurry_to_make_up_for_lost_time() -> None:
    time = Time()
    pacer = Pacer(0.5, time.clock, time.sleep)
    pacer.restart()
    time.now += 3.0
    pacer.wait()
    assert time.slept == []
    pacer.wait()
    assert time.slept == [0.5]
