"""Values that travel are right when they are made, not found wrong when somebody reads them."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from policies import SPECIFICATION, make_file
from sac_control.errors import ConfigError
from sac_control.policy.policy_file import PolicyFile
from sac_control.types import MOST_DRIVEN, MOST_TERMS, Specification

WITHOUT_JOINTS = {"joints": (), "input": "observation", "interface": (), "observation": ("observation[0]",)}


def changed(**values: Any) -> Specification:
    return dataclasses.replace(SPECIFICATION, **values)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"command_limit": (0.0,)}, r"command_limit is \(0.0,\)"),
        ({"command_limit": (-1,)}, r"command_limit is \(-1,\)"),
        ({"command_limit": (math.inf,)}, r"command_limit is \(inf,\)"),
        ({"command_limit": (True,)}, r"command_limit is \(True,\)"),
        ({"command_limit": ("100",)}, r"command_limit is \('100',\)"),
        ({"command_limit": (10**400,)}, "command_limit is"),
        ({"command_limit": [100.0]}, "expected a positive number for each of the 1 actuated joints"),
        ({"command_limit": (1.0, 2.0)}, "expected a positive number for each of the 1 actuated joints"),
        ({"control_period": 0}, "control_period is 0"),
        ({"control_period": math.nan}, "control_period is nan"),
        ({"control_period": 5e-324}, r"control_period is 5e-324, expected from 1e-06 to 3600 \[s\]"),
        ({"control_period": 1e308}, r"control_period is 1e\+308, expected from"),
        ({"joints": ()}, "joints is"),
        ({"joints": ("a\n",)}, "joints is"),
        ({"observation": ("position(slider_to_cart)",) * (MOST_TERMS + 1)}, f"expected from 1 to {MOST_TERMS} names"),
        ({"actuated_joints": ("x",) * (MOST_DRIVEN + 1)}, f"expected from 1 to {MOST_DRIVEN} names"),
        ({"interface": ("torque",)}, "expected one of effort, velocity, position for each"),
        ({"interface": ("effort", "effort")}, "for each of the 1 actuated joints"),
        ({"input": "camera"}, "input is 'camera', expected one of joint_states, observation"),
        ({"task": ""}, "task is '', expected a name"),
        ({"interface": ("action",)}, "expected one of effort, velocity, position for each"),
        ({"input": "observation"}, r"joints are \('slider_to_cart', .*, expected none where input is 'observation'"),
        ({**WITHOUT_JOINTS, "interface": ("effort",)}, "expected one of action for each of the 1 actuated joints"),
        ({**WITHOUT_JOINTS, "observation": ()}, "observation is"),
    ],
)
def test_specification_that_nothing_could_run_is_not_made(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        changed(**values)


def test_whole_numbers_are_taken_and_what_is_written_with_them_can_be_read() -> None:
    whole = changed(command_limit=(100,), control_period=1)
    assert whole == changed(command_limit=(100.0,), control_period=1.0)
    assert whole.hash == changed(command_limit=(100.0,), control_period=1.0).hash
    read = PolicyFile.from_bytes(make_file(specification=whole).to_bytes())
    assert read.specification == whole
    assert all(type(limit) is float for limit in read.specification.command_limit)


def test_commands_are_efforts_unless_something_else_is_said() -> None:
    assert SPECIFICATION.interface == ("effort",)
    assert changed(interface=()).hash == SPECIFICATION.hash
    assert changed(interface=("velocity",)).hash != SPECIFICATION.hash


def test_environment_without_joints_is_told_by_its_input_and_survives_the_policy_file() -> None:
    specification = changed(**WITHOUT_JOINTS)
    assert not specification.has_joints
    assert specification.interface == ("action",)
    assert PolicyFile.from_bytes(make_file(specification=specification).to_bytes()).specification == specification


def test_name_of_the_task_is_no_part_of_what_is_seen_and_moved() -> None:
    assert changed(task="another").hash == SPECIFICATION.hash
    assert changed(joints=("cart_to_pendulum", "slider_to_cart")).hash != SPECIFICATION.hash
