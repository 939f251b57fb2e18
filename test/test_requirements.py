"""A robot gets no policy that was made for another."""

from __future__ import annotations

import dataclasses

import pytest

from policies import RUN_ID, SPECIFICATION, make_file, make_weights
from sac_control.config import PolicyConfig
from sac_control.errors import PolicyFileError
from sac_control.policy.controller import Controller
from sac_control.policy.requirements import check_requirements

WRONG = {"control_period": 0.01, "joints": "cart_to_pendulum", "max_effort": 99.0}
RIGHT = {"control_period": SPECIFICATION.control_period, "joints": "slider_to_cart", "max_effort": 100.0}


@pytest.mark.parametrize("name", WRONG)
def test_policy_for_another_robot_is_refused_from_file_and_topic(name: str) -> None:
    config = PolicyConfig.from_mapping({name: WRONG[name]})
    with pytest.raises(PolicyFileError, match=f"policy.{name} is "):
        Controller(config).install(make_file())
    report = Controller(dataclasses.replace(config, accept_weights=RUN_ID)).offer(make_weights(make_file()))
    assert report is not None
    assert not report.accepted
    assert f"policy.{name} is " in report.verdict


def test_policy_for_this_robot_is_taken() -> None:
    check_requirements(PolicyConfig.from_mapping(RIGHT), SPECIFICATION)
    check_requirements(PolicyConfig(), SPECIFICATION)
