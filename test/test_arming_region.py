"""On a robot nothing arms where the policy was not trained to act, and everybody is told where that is."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from std_srvs.srv import Trigger

from policies import SPECIFICATION, make_file
from robots import PATIENT, Robot
from ros_world import RosWorld
from sac_control.nodes import topics
from sac_control.nodes.policy import PolicyNode
from sac_control.policy.arming_region import Place
from sac_control.policy.controller import Controller
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.region import JointRegion, Region
from sac_control.policy.safety import Mode
from sac_control.types import JointState
from test_controller import Clock, T

CART, POLE = SPECIFICATION.joints
TRAINED = Path(__file__).parent / "data" / "run_format_1" / "checkpoints" / "best" / "policy.safetensors"
BALANCING = Region(
    joints={
        CART: JointRegion(position=(-0.9, 0.9), velocity=(-2.0, 2.0)),
        POLE: JointRegion(position=(-0.2, 0.2), velocity=(-3.0, 3.0), is_continuous=True),
    },
    states=1000,
)


class Plant:
    """A robot that is held still, with its controller; every state is one control period after the one before."""

    def __init__(self, file: PolicyFile, **settings: object) -> None:
        self.clock = Clock()
        self.controller = Controller(
            PolicyConfig.from_mapping({"frozen_periods": 0, **settings}), self.clock, lambda: self.clock.wall
        )
        self.controller.install(file)
        self.controller.activate()

    def hold(self, pole: float, cart: float = 0.0, speed: float = 0.0, *, states: int = 6) -> float:
        """Largest effort while its encoders say so [N]."""
        efforts = [0.0]
        for _ in range(states):
            self.clock.go_on(T)
            position, velocity = np.array([cart, pole]), np.array([speed, 0.0])
            state = JointState(stamp=self.clock.wall, names=(CART, POLE), position=position, velocity=velocity)
            action = self.controller.answer(self.controller.robot_joints.state(state))
            assert action is not None
            efforts.append(abs(float(self.controller.robot_joints.command(action.command)[0])))
        return max(efforts)

    def arm(self) -> tuple[bool, str]:
        return self.controller.arm()

    def mode(self) -> Mode:
        """A method, of which mypy does not assume that it stays the same."""
        return self.controller.mode


@pytest.fixture
def balancing() -> PolicyFile:
    """The policy of a real training, with its region."""
    return dataclasses.replace(PolicyFile.read(TRAINED), region=BALANCING)


def test_a_hanging_pole_does_not_arm_and_says_which_joint_and_where(balancing: PolicyFile) -> None:
    plant = Plant(balancing)
    assert plant.hold(math.pi) == 0.0
    assert plant.mode() is Mode.ARMING
    assert f"position({POLE}) is 3.142, outside the training range from -0.2 to 0.2" in plant.controller.cause
    done, sentence = plant.arm()
    assert not done
    assert sentence.startswith(f"not armed: position({POLE}) is 3.142")
    assert plant.hold(math.pi) == 0.0
    assert plant.hold(0.01, states=8) > 1.0
    assert plant.mode() is Mode.ACTIVE


def test_a_pole_whose_encoder_has_its_zero_at_the_bottom_arms_upright_once_the_offset_is_set(
    balancing: PolicyFile,
) -> None:
    upright = 3.14
    wrong = Plant(balancing)
    assert wrong.hold(upright) == 0.0
    assert f"position({POLE}) is 3.14, " in wrong.controller.cause
    right = Plant(balancing, joint_offset=f"{POLE}: {math.pi}", require_arm=True)
    assert right.hold(0.0) == 0.0
    assert not right.arm()[0], "the pole hangs, and is seen hanging"
    assert right.hold(upright) == 0.0
    assert right.arm() == (True, "arms after 3 usable states")
    assert right.hold(upright) > 0.0
    assert right.mode() is Mode.ACTIVE


@pytest.mark.parametrize(
    ("where", "word"),
    [
        ((0.0, 0.95, 0.0), f"position({CART}) is 0.95"),
        ((0.0, 0.0, -2.1), f"velocity({CART}) is -2.1"),
        ((-0.21, 0.0, 0.0), f"position({POLE}) is -0.21"),
        ((2.0 * math.pi + 0.21, 0.0, 0.0), f"position({POLE}) is 6.493"),
    ],
)
def test_no_joint_arms_outside_in_position_or_velocity(
    balancing: PolicyFile, where: tuple[float, float, float], word: str
) -> None:
    plant = Plant(balancing)
    assert plant.hold(*where) == 0.0
    assert plant.controller.cause.startswith(word)


def test_whole_turns_of_a_joint_that_turns_for_ever_do_not_count(balancing: PolicyFile) -> None:
    plant = Plant(balancing)
    assert plant.hold(6.0 * math.pi + 0.1) > 0.0


def test_an_armed_policy_leaves_the_region_freely_and_does_not_arm_again_out_there(balancing: PolicyFile) -> None:
    """What stops it then is the envelope."""
    plant = Plant(balancing)
    plant.hold(0.0)
    assert plant.hold(0.3) > 0.0
    assert plant.mode() is Mode.ACTIVE
    assert plant.controller.arming_region.place is Place.OUTSIDE
    plant.controller.hold("a fault that passes")
    assert plant.hold(0.3) == 0.0
    assert "outside the training range" in plant.controller.cause
    assert plant.hold(0.1) > 0.0


def test_a_policy_without_a_region_arms_where_that_is_accepted_alone_and_says_what_is_not_known() -> None:
    file = PolicyFile.read(TRAINED)
    assert file.region is None
    for require_arm in (True, False):
        plant = Plant(file, require_arm=require_arm)
        assert plant.hold(0.0) == 0.0
        done, sentence = plant.arm()
        assert not done
        assert sentence == (
            "not armed: the policy file holds no region of training states: "
            "retrain, or set policy.accept_without_region to arm it anyway"
        )
        assert plant.hold(0.0) == 0.0
    plant = Plant(file, require_arm=True, accept_without_region=True)
    assert plant.hold(0.0) == 0.0
    assert plant.arm() == (
        True,
        "arms after 3 usable states; the policy file holds no region of training states",
    )
    assert plant.hold(0.01) > 0.0


@pytest.mark.parametrize("simulated", [{"lockstep": True}, {"run_id": "0" * 32}])
def test_nothing_is_asked_of_a_policy_in_a_simulation(simulated: dict[str, object]) -> None:
    controller = Controller(PolicyConfig.from_mapping(simulated))
    assert not controller.arming_region.is_used
    controller.install(make_file(region=None))
    assert not controller.arming_region.objection


def test_a_region_that_is_accepted_to_be_missing_is_heeded_where_it_is_there(balancing: PolicyFile) -> None:
    plant = Plant(balancing, accept_without_region=True)
    assert plant.hold(math.pi) == 0.0
    assert plant.mode() is Mode.ARMING


@pytest.mark.parametrize("dry_run", [False, True])
def test_status_actions_and_diagnostics_say_where_the_robot_is(tmp_path: Path, dry_run: bool) -> None:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file(region=BALANCING).to_bytes())
    with RosWorld(policy={"policy_file": str(path), "dry_run": dry_run, **PATIENT}) as ros:
        robot = Robot(ros)
        robot.value = 1.0
        ros.add(PolicyNode)
        robot.until_mode(Mode.ARMING, f"position({CART}) is 1, outside the training range from -0.9 to 0.9")
        robot.until(lambda: robot.statuses[-1].region == robot.statuses[-1].REGION_OUTSIDE, "status says no region")
        assert (
            robot.statuses[-1].region_verdict == f"position({CART}) is 1, outside the training range from -0.9 to 0.9"
        )
        assert robot.actions[-1].region == robot.actions[-1].REGION_OUTSIDE
        assert robot.statuses[-1].exam == robot.statuses[-1].EXAM_NONE
        robot.until(
            lambda: any(
                status.level == DiagnosticStatus.WARN and "outside the training range" in status.message
                for msg in robot.diagnostics
                for status in msg.status
            ),
            "diagnostics say nothing of it",
        )
        client = ros.probe.create_client(Trigger, topics.POLICY_ARM)
        future = client.call_async(Trigger.Request())
        robot.until(future.done, "no answer from policy/arm")
        response = future.result()
        assert response is not None
        assert not response.success
        assert "outside the training range" in response.message
        robot.value = 0.1
        robot.until_mode(Mode.ACTIVE)
        robot.until(lambda: robot.statuses[-1].region == robot.statuses[-1].REGION_INSIDE, "status says outside")
        assert robot.statuses[-1].region_verdict == ""
        assert not any(effort for _, effort in robot.commands) or not dry_run
