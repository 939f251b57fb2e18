"""Parameters set at run time, on real nodes through their parameter services: what has no effect is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rcl_interfaces.msg import Parameter as ParameterMsg
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters, SetParametersAtomically
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from policies import make_file
from robots import PATIENT, Robot
from ros_world import RosWorld
from sac_control.nodes import topics
from sac_control.nodes.evaluator import EvaluatorNode
from sac_control.nodes.learner import LearnerNode
from sac_control.nodes.policy import PolicyNode
from sac_control.nodes.simulator import SimulatorNode
from sac_control.policy.live_limits import LIVE
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.safety import Mode

JOINT = "slider_to_cart"


@pytest.fixture
def policy_path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file().to_bytes())
    return path


class Calls:
    """Calls services while a robot, if there is one, goes on."""

    def __init__(self, ros: RosWorld, robot: Robot | None = None) -> None:
        self._ros, self._robot = ros, robot

    def __call__(self, kind: Any, name: str, request: Any) -> Any:
        until: Callable[..., None] = self._robot.until if self._robot is not None else self._ros.until
        client = self._ros.probe.create_client(kind, name)
        until(client.service_is_ready, f"no service {name}")
        future = client.call_async(request)
        until(future.done, f"no response from {name}")
        return future.result()

    def set(self, node: str, **values: Any) -> str:
        """Set parameters, all or none; the objection, empty where they were taken."""
        request = SetParametersAtomically.Request(parameters=[_parameter(*item) for item in values.items()])
        result = self(SetParametersAtomically, f"{node}/set_parameters_atomically", request).result
        assert bool(result.reason) != result.successful
        return str(result.reason)

    def value(self, node: str, name: str) -> Any:
        """What a node says that a parameter is."""
        request = GetParameters.Request(names=[name])
        return Parameter.from_parameter_msg(
            ParameterMsg(name=name, value=self(GetParameters, f"{node}/get_parameters", request).values[0])
        ).value


def _parameter(name: str, value: Any) -> ParameterMsg:
    return Parameter(name, value=value).to_parameter_msg()


def test_limits_of_a_moving_robot_get_stricter_at_once_and_looser_only_after_a_stop(policy_path: Path) -> None:
    parameters = {"policy_file": str(policy_path), **PATIENT, "command_limit": 50.0}
    with RosWorld(policy=parameters) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        call = Calls(ros, robot)
        robot.until(lambda: any(abs(effort) == 50.0 for _, effort in robot.commands), "effort is not at its limit")
        assert not call.set("policy", command_limit=5.0)
        count = len(robot.commands) + 1  # one may have been under way
        robot.until(lambda: len(robot.commands) > count + 5, "no commands")
        assert {abs(effort) for _, effort in robot.commands[count:]} == {5.0}
        robot.until_mode(Mode.ACTIVE)
        assert "policy/stop or deactivate" in call.set("policy", command_limit=50.0)
        assert call.value("policy", "command_limit") == 5.0
        assert call(Trigger, topics.POLICY_STOP, Trigger.Request()).success
        assert not call.set("policy", command_limit=50.0)
        assert call.value("policy", "command_limit") == 50.0
        assert call(Trigger, topics.POLICY_ARM, Trigger.Request()).success
        robot.until(lambda: abs(robot.commands[-1][1]) == 50.0, "limit is not in force")


@pytest.mark.parametrize("name", ["command_limit", "max_command_rate"])
def test_limit_is_set_as_a_whole_number_as_any_number_or_by_name(policy_path: Path, name: str) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), name: 50}) as ros:
        ros.add(PolicyNode)
        call = Calls(ros)
        assert call.value("policy", name) == 50.0
        for value in (20, 20.5, f"{JOINT}: 19", 18, "17"):
            assert not call.set("policy", **{name: value})
        assert f"did you mean {JOINT}?" in call.set("policy", **{name: "slider_to_crat: 5"})
        assert "expected" in call.set("policy", **{name: f"{JOINT}: fast"})


def test_each_live_limit_is_refused_looser_and_taken_stricter_while_active(policy_path: Path) -> None:
    envelope = f"-0.8 < position({JOINT}) < 0.8"
    begin = {
        "max_command_rate": 900.0,
        "ramp_s": 0.1,
        "state_timeout": 5.0,
        "envelope": envelope,
        "command_limit": 50.0,
    }
    stricter = {**begin, "max_command_rate": 800.0, "ramp_s": 0.2, "state_timeout": 4.9, "command_limit": 40.0}
    stricter["envelope"] = f"-0.7 < position({JOINT}) < 0.8"
    assert set(begin) == set(LIVE)
    with RosWorld(policy={"policy_file": str(policy_path), **PATIENT, **begin}) as ros:
        robot = Robot(ros)
        ros.add(PolicyNode)
        call = Calls(ros, robot)
        robot.until_mode(Mode.ACTIVE)
        for name, value in stricter.items():
            assert not call.set("policy", **{name: value})
        for name, value in begin.items():
            assert f"policy.{name} may only get stricter" in call.set("policy", **{name: value})
            assert call.value("policy", name) == stricter[name]
        assert "may only" in call.set("policy", command_limit=30.0, ramp_s=0.0)  # all or none
        assert call.value("policy", "command_limit") == 40.0
        robot.until_moved()
        robot.value = -0.75
        robot.until_mode(Mode.LATCHED_FAULT, "outside of its envelope from -0.7")


@pytest.mark.parametrize("name", [name for name in LIVE if name != "envelope"])
def test_values_that_are_no_limits_are_refused_in_every_mode(policy_path: Path, name: str) -> None:
    with RosWorld(policy={"policy_file": str(policy_path), "require_arm": True, "command_limit": 50.0}) as ros:
        ros.add(PolicyNode)
        call = Calls(ros)
        before = call.value("policy", name)
        for bad in (math.nan, math.inf, -1.0, "fast", True, [1.0], None):
            assert call.set("policy", **{name: bad})
        assert call.set("policy", command_limit=101.0)  # the policy's own limit is 100
        assert call.set("policy", envelope="nonsense")
        assert call.set("policy", envelope="-1 < position(elbow) < 1")
        assert call.set("policy", effort_limt=1.0)  # a slip of the pen
        assert call.value("policy", name) == before


@pytest.mark.parametrize("name", [name for name in LIVE if name != "envelope"])
def test_whole_number_is_taken_as_the_number_that_it_is_at_the_start(policy_path: Path, name: str) -> None:
    """As `ros2 param set /policy command_limit 20` sends it: its type is integer."""
    whole = {"state_timeout": 5}.get(name, 20)
    parameters = {"policy_file": str(policy_path), **PATIENT, "require_arm": True, name: whole}
    with RosWorld(policy=parameters) as ros:
        ros.add(PolicyNode)
        call = Calls(ros)
        assert call.value("policy", name) == whole
        for value in (whole - 1, whole - 2.5, f"{whole - 3}e0"):
            request = SetParameters.Request(parameters=[_parameter(name, value)])
            (result,) = call(SetParameters, "policy/set_parameters", request).results
            assert result.successful, result.reason
            taken = call.value("policy", name)
            assert (taken, type(taken)) == (float(value), float)
        assert not call.set("policy", **{name: 2})  # all or none, the other service
        assert call.value("policy", name) == 2.0
        for wrong in (-1, 10**10, True, "fast", [1.0], math.nan):
            complaint = call.set("policy", **{name: wrong})
            assert complaint.startswith(f"policy.{name} is ")
            assert "expected a number, from 0 to " in complaint or wrong == "fast"
            assert call.value("policy", name) == 2.0
        (described,) = call(
            DescribeParameters, "policy/describe_parameters", DescribeParameters.Request(names=[name])
        ).descriptors
        assert described.type == Parameter.Type.DOUBLE.value
        assert described.description == PolicyConfig.info(name).description
        if PolicyConfig.types()[name] is float:  # the others take text, too, which has no range
            assert described.floating_point_range[0].to_value == PolicyConfig.info(name).high
            assert not described.dynamic_typing


def another(value: Any) -> Any:
    """A value of the same type that is not `value`."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}x" if isinstance(value, str) else [*value, *value]


@pytest.mark.parametrize("make_node", [PolicyNode, LearnerNode, SimulatorNode, EvaluatorNode], ids=lambda c: c.__name__)
def test_parameter_that_has_no_effect_at_run_time_is_read_only_and_says_so(
    tmp_path: Path, make_node: Callable[[], Any]
) -> None:
    with RosWorld(learner={"run_directory": str(tmp_path / "run"), "hidden_sizes": [8]}) as ros:
        name = ros.add(make_node).get_name()
        call = Calls(ros)
        names = call(ListParameters, f"{name}/list_parameters", ListParameters.Request()).result.names
        values = call(GetParameters, f"{name}/get_parameters", GetParameters.Request(names=names)).values
        described = call(
            DescribeParameters, f"{name}/describe_parameters", DescribeParameters.Request(names=names)
        ).descriptors
        live = {*(LIVE if make_node is PolicyNode else ()), "use_sim_time"}
        assert {each.name for each in described if not each.read_only} == live
        parameters = [
            _parameter(key, another(Parameter.from_parameter_msg(ParameterMsg(name=key, value=value)).value))
            for key, value in zip(names, values, strict=True)
            if key not in live
        ]
        assert len(parameters) > 3
        request = SetParameters.Request(parameters=parameters)
        for parameter, result in zip(
            parameters, call(SetParameters, f"{name}/set_parameters", request).results, strict=True
        ):
            assert not result.successful
            assert result.reason == f"Trying to set a read-only parameter: {parameter.name}."
        assert call(GetParameters, f"{name}/get_parameters", GetParameters.Request(names=names)).values == values
