"""A robot gets no policy that was made for another."""

from __future__ import annotations

import dataclasses

import pytest

from policies import RUN_ID, SPECIFICATION, make_file, make_weights
from sac_control.errors import ConfigError, PolicyFileError
from sac_control.policy.controller import Controller
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.requirements import check_reach, check_requirements

WRONG = {"control_period": 0.01, "joints": "cart_to_pendulum", "max_command": 99.0}
RIGHT = {"control_period": SPECIFICATION.control_period, "joints": "slider_to_cart", "max_command": 100.0}


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


@pytest.mark.parametrize("discovery_range", ["", "SUBNET", "SYSTEM_DEFAULT"])
def test_weights_that_others_on_the_network_may_offer_to_a_robot_must_be_signed(discovery_range: str) -> None:
    config = PolicyConfig(accept_weights=RUN_ID)
    with pytest.raises(ConfigError, match="accept_weights is set while other machines can reach the node"):
        check_reach(config, discovery_range)
    for harmless in ({"accept_weights": ""}, {"require_signature": True}, {"run_id": RUN_ID}):
        check_reach(dataclasses.replace(config, **harmless), discovery_range)  # type: ignore[arg-type]
    for local in ("LOCALHOST", "OFF"):
        check_reach(config, local)
