"""At a rate that a policy was not trained for nothing moves, whichever clock stamps are of, and the rate is told."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from policies import RUN_ID, SPECIFICATION
from sac_control.errors import ConfigError
from sac_control.identity import frame_id
from sac_control.policy.controller import Controller
from sac_control.policy.period_watch import PeriodWatch
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.safety import Mode
from sac_control.types import JointState
from test_controller import gentle_file

T = SPECIFICATION.control_period
FRAME = frame_id(RUN_ID, SPECIFICATION.hash)


class Robot:
    """A controller as on a robot, and states that come when somebody says so."""

    def __init__(self, *, is_armed: bool = False, **settings: object) -> None:
        self.now, self.stamp, self.count = 100.0, 0.0, 0  # [s] steady time; [s] newest stamp; states answered
        config = PolicyConfig.from_mapping({"check_stamps": False, "frozen_periods": 0, **settings})
        self.controller, self._frame = Controller(config, lambda: self.now), FRAME if config.run_id else ""
        self.controller.install(gentle_file())
        self.controller.activate()
        if is_armed:
            self.send([T] * 100)
            assert self.mode() is Mode.ACTIVE

    def mode(self) -> Mode:
        return self.controller.mode

    def send(self, times: Iterable[float], stamps: float | None = None) -> None:
        """States after each of `times` [s], whose stamps are as far apart, or `stamps` [s]."""
        for time in times:
            self.now += time
            self.stamp += time if stamps is None else stamps
            position = np.array([0.1, 0.05])
            answer = self.controller.answer(
                JointState(
                    stamp=round(1e9 * self.stamp),
                    names=SPECIFICATION.joints,
                    position=position,
                    velocity=position,
                    frame=self._frame,
                )
            )
            self.count += answer is not None


@pytest.mark.parametrize("factor", [3.3, 2.0, 1.3, 0.7])
@pytest.mark.parametrize("stamps", [None, T])
def test_at_another_rate_nothing_arms_whichever_clock_the_stamps_are_of(factor: float, stamps: float | None) -> None:
    robot = Robot()
    for _ in range(300):
        robot.send([T / factor], stamps)
        assert robot.mode() is Mode.ARMING
    assert f"states come every {T / factor:.4g} s" in robot.controller.cause
    assert "the policy was trained for 0.0165 s" in robot.controller.cause
    assert ("by their stamps" in robot.controller.cause) == (stamps is None)


def test_stamps_that_say_another_rate_than_states_come_at_arm_nothing() -> None:
    robot = Robot()
    robot.send([T] * 300, 0.005)
    assert robot.mode() is Mode.ARMING
    assert "states come every 0.005 s by their stamps" in robot.controller.cause
    robot = Robot(allow_long_timeout=True, state_timeout=1.0)
    robot.send([T] * 300, 20 * T)
    assert robot.mode() is Mode.ARMING
    assert "stamp jumped by 0.33 s" in robot.controller.cause


@pytest.mark.parametrize(("factor", "stamps"), [(3.3, None), (3.3, T), (0.7, None), (0.7, T)])
def test_what_moves_falls_to_zero_when_the_rate_changes_and_goes_on_when_it_is_right(
    factor: float, stamps: float | None
) -> None:
    robot = Robot(is_armed=True)
    robot.send([T / factor] * round(factor / T), stamps)
    assert robot.mode() is Mode.ARMING, "within a second"
    assert robot.controller.last_command.tolist() == [0.0]
    robot.send([T] * 100)
    assert robot.mode() is Mode.ACTIVE


def test_with_require_arm_the_rate_disarms_and_policy_arm_says_why_it_does_not_arm() -> None:
    robot = Robot(require_arm=True)
    robot.send([T] * 5)
    assert robot.controller.arm() == (True, "arms after 3 usable states")
    robot.send([T] * 100)
    robot.send([T / 3] * 100)
    is_done, sentence = robot.controller.arm()
    assert not is_done
    assert sentence.startswith("not armed: states come every 0.0055 s by their stamps")
    robot.send([T] * 300)
    assert robot.mode() is Mode.ARMING, "what was asked for at another rate does not come later"


def test_a_whole_multiple_of_the_rate_is_named_and_decimated_when_asked_for() -> None:
    robot = Robot()
    robot.send([T / 4] * 100)
    assert "set policy.decimation=4, or publish them at that rate" in robot.controller.cause
    robot = Robot(decimation=4)
    robot.send([T / 4] * 400)
    assert robot.mode() is Mode.ACTIVE
    assert (robot.count, robot.controller.unused.passed_over) == (100, 300)
    assert robot.controller.admission.rejected_states == 0
    robot = Robot(decimation=3)
    robot.send([T / 3.3] * 400)  # 9 % too fast, which is a warning
    assert robot.mode() is Mode.ACTIVE
    assert [level for level, _ in robot.controller.period.findings()] == [1]
    robot = Robot(decimation=4)
    robot.send([T / 2.3] * 100)  # two are too soon, three too late
    assert robot.mode() is Mode.ARMING


def test_decimation_goes_by_stamps_so_that_a_lost_state_does_no_harm() -> None:
    robot, rng = Robot(decimation=4), np.random.default_rng(0)
    lost = 0.0
    for _ in range(4000):
        lost += T / 4
        if rng.uniform() > 0.1:
            robot.send([lost])
            lost = 0.0
    assert robot.mode() is Mode.ACTIVE
    intervals = robot.controller.period
    assert 900 < robot.count < 1010
    assert not intervals.findings() or intervals.findings()[0][0] == 1


def test_decimation_is_for_robots_alone() -> None:
    with pytest.raises(ConfigError, match=r"policy\.decimation is 2: a simulator waits for an answer to each"):
        PolicyConfig(decimation=2, run_id=RUN_ID)


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.2, 0.3])
def test_lost_states_are_no_other_rate(loss: float) -> None:
    """What is lost for so long that the newest state is too old is another matter."""
    robot, rng = Robot(state_timeout=0.2), np.random.default_rng(1)
    pause, held = 0.0, 0
    for k in range(5000):
        pause += T
        if rng.uniform() >= loss:
            robot.send([pause])
            pause = 0.0
            held += robot.mode() is not Mode.ACTIVE and k > 60
    assert held == 0


def test_jitter_of_arrival_and_of_stamps_is_no_other_rate() -> None:
    robot, rng = Robot(is_armed=True), np.random.default_rng(2)
    for _ in range(3000):
        robot.send([T + rng.uniform(-0.5, 0.5) * T])
        assert robot.mode() is Mode.ACTIVE


def test_a_run_is_judged_by_stamps_alone_because_its_time_may_pass_at_any_speed() -> None:
    robot = Robot(run_id=RUN_ID)
    robot.send([T / 4] * 20, T)
    assert robot.mode() is Mode.ACTIVE
    robot = Robot(run_id=RUN_ID)
    robot.send([T] * 20, T / 4)
    assert robot.mode() is Mode.ARMING
    assert "states come every 0.004125 s by their stamps" in robot.controller.cause
    assert robot.controller.period.findings()[0][0] == 2


def test_in_lockstep_and_at_the_largest_error_nothing_is_judged() -> None:
    assert not PeriodWatch(PolicyConfig(lockstep=True)).is_used
    robot = Robot(period_error=100.0)
    robot.send([T / 3] * 20)
    assert robot.mode() is Mode.ACTIVE


def test_one_jump_of_the_clock_forwards_moves_on_and_keeps_from_arming() -> None:
    robot = Robot(is_armed=True)
    robot.send([T], 3600.0)
    robot.send([T] * 100)
    assert robot.mode() is Mode.ACTIVE
    robot = Robot()
    robot.send([T] * 2)
    robot.send([T], 3600.0)
    assert robot.mode() is Mode.ARMING
    assert "stamp jumped by 3600 s" in robot.controller.cause
    robot.send([T] * 3)
    assert robot.mode() is Mode.ACTIVE
    robot.send([T, T, T, T], 3600.0)
    assert robot.mode() is Mode.ARMING
