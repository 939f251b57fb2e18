"""What settings promise: an object that exists is valid, and whoever is wrong is told what would be right."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learners import sac
from sac_control.algorithms.catalogue import algorithms
from sac_control.errors import ConfigError
from sac_control.option import Config, suggest
from sac_control.policy.policy_config import PolicyConfig
from sac_control.simulation.simulator_config import SimulatorConfig
from sac_control.training.evaluator_config import EvaluatorConfig
from sac_control.training.learner_config import LearnerConfig, learner_config

LEARNERS = [type(learner_config(algorithm=name)) for name in algorithms()]
CONFIGS: list[type[Config]] = [SimulatorConfig, PolicyConfig, *LEARNERS, EvaluatorConfig]
NUMBERS = [(config, name, kind) for config in CONFIGS for name, kind in config.types().items() if kind in (int, float)]
TEXTS = [(config, name) for config in CONFIGS for name, kind in config.types().items() if kind is str]
# What must be set to go to the bounds of a number.
PERMISSION: dict[str, dict[str, object]] = {
    "state_timeout": {"allow_long_timeout": True},
    "control_period": {"lockstep": True},  # where states may come as seldom as they like
}
SWITCHES = [(config, name) for config in CONFIGS for name, kind in config.types().items() if kind is bool]


@pytest.mark.parametrize("config", CONFIGS)
def test_defaults_are_valid(config: type[Config]) -> None:
    assert config().to_mapping().keys() == config.types().keys()


@pytest.mark.parametrize("config", CONFIGS)
def test_every_setting_has_a_description_of_one_line(config: type[Config]) -> None:
    for name in config.types():
        text = config.info(name).description
        assert text
        assert "\n" not in text


@pytest.mark.parametrize("config", CONFIGS)
def test_every_setting_survives_the_way_through_plain_values(config: type[Config]) -> None:
    assert config.from_mapping(config().to_mapping()) == config()


@pytest.mark.parametrize(("config", "name", "kind"), NUMBERS)
def test_number_is_allowed_up_to_its_bounds_and_not_beyond(config: type[Config], name: str, kind: type) -> None:
    info = config.info(name)
    assert info.low is not None
    assert info.high is not None
    for bound in (info.low, info.high):
        assert getattr(config.from_mapping({name: kind(bound), **PERMISSION.get(name, {})}), name) == bound
    margin = 1 if kind is int else 1e-6 * (info.high - info.low)
    for value in (kind(info.low - margin), kind(info.high + margin)):
        with pytest.raises(ConfigError, match=rf"^{config.section()}\.{name} is .*from .* to "):
            config.from_mapping({name: value})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "nan", True, None, "much", [1.0], 10**400])
def test_what_is_no_finite_number_is_refused_where_a_number_is_expected(value: object) -> None:
    for config, name, _ in NUMBERS:
        with pytest.raises(ConfigError, match=rf"^{config.section()}\.{name} is .*expected a (whole )?number"):
            config.from_mapping({name: value})


def test_long_or_vanishing_state_timeout_is_refused_unless_explicitly_allowed() -> None:
    assert PolicyConfig(state_timeout=0.2).state_timeout == 0.2
    with pytest.raises(
        ConfigError, match=r"^policy\.state_timeout is 0\.21: .*at most 0\.2, or set policy.allow_long_"
    ):
        PolicyConfig(state_timeout=0.21)
    assert PolicyConfig(state_timeout=0.21, allow_long_timeout=True).timeout(0.01) == 0.21
    with pytest.raises(ConfigError, match=r"^policy\.state_timeout is 1e-09: expected 0 or at least 0\.001$"):
        PolicyConfig(state_timeout=1e-9)


@pytest.mark.parametrize(("period", "timeout"), [(0.001, 0.05), (0.0165, 0.05), (0.03, 0.09), (0.1, 0.2)])
def test_default_state_timeout_is_three_periods_within_bounds(period: float, timeout: float) -> None:
    assert PolicyConfig().timeout(period) == pytest.approx(timeout)


def test_whole_numbers_must_be_whole_and_not_text() -> None:
    for value in (128.0, "128"):
        with pytest.raises(ConfigError, match=r"^learner\.batch_size is .*expected a whole number, from 1 to 65536$"):
            LearnerConfig.from_mapping({"batch_size": value})


def test_number_that_yaml_reads_as_text_is_a_number() -> None:
    assert sac(learner_config(tau="5e-3")).tau == 0.005
    assert sac(learner_config(tau=1)).tau == 1.0
    assert isinstance(sac(learner_config(tau=1)).tau, float)


@pytest.mark.parametrize("value", [1, None, ["a"], True])
def test_what_is_no_text_is_refused_where_text_is_expected(value: object) -> None:
    for config, name in TEXTS:
        with pytest.raises(ConfigError, match=rf"^{config.section()}\.{name} is .*: expected text$"):
            config.from_mapping({name: value})


@pytest.mark.parametrize("value", [0, 1, "true", "yes", None])
def test_only_true_and_false_are_switches(value: object) -> None:
    for config, name in SWITCHES:
        with pytest.raises(ConfigError, match=rf"^{config.section()}\.{name} is .*: expected true or false$"):
            config.from_mapping({name: value})


@pytest.mark.parametrize(
    ("before", "now"),
    [("max_effort", "max_command"), ("effort_limit", "command_limit"), ("max_effort_rate", "max_command_rate")],
)
def test_limit_under_its_name_of_before_is_refused_by_todays_and_never_passed_over(before: str, now: str) -> None:
    for value in (20.0, "arm: 0"):
        with pytest.raises(ConfigError, match=rf"^policy\.{before} was renamed: write policy\.{now}$"):
            PolicyConfig.from_mapping({before: value})
    assert PolicyConfig.from_mapping({before: 0.0}) == PolicyConfig(), "complete configurations of before name it"


def test_text_with_choices_takes_nothing_else() -> None:
    with pytest.raises(ConfigError, match=r"^simulator\.mode is 'fast': expected one of lockstep, realtime$"):
        SimulatorConfig(mode="fast")


def test_layer_sizes_are_a_tuple_of_whole_numbers_however_they_are_given() -> None:
    assert sac(learner_config(hidden_sizes=[256, 128])).hidden_sizes == (256, 128)
    assert learner_config(hidden_sizes=(32,)).to_mapping()["hidden_sizes"] == [32]


@pytest.mark.parametrize("value", [[], 64, "64", None, [64.0], [0], [64, "64"], [[64]]])
def test_layer_sizes_that_are_none_are_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r"^learner\.hidden_sizes is "):
        LearnerConfig.from_mapping({"hidden_sizes": value})


def test_unknown_setting_is_refused_and_the_nearest_one_named() -> None:
    with pytest.raises(ConfigError, match=r"^learner\.batchsize is not a known setting; did you mean batch_size\?$"):
        LearnerConfig.from_mapping({"batchsize": 64})


def test_unknown_setting_that_resembles_none_gets_the_whole_list() -> None:
    with pytest.raises(ConfigError, match=r"^evaluator\.zzz is not a known setting; known are run_id, task, "):
        EvaluatorConfig.from_mapping({"zzz": 1})


@given(st.text(max_size=20))
def test_a_suggestion_is_made_for_any_text(name: str) -> None:
    sentence = suggest(name, ["alpha", "gamma"])
    assert sentence in ("did you mean alpha?", "did you mean gamma?", "known are alpha, gamma")


def test_settings_cannot_be_changed_or_given_by_place() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        sac(learner_config()).tau = 0.5  # type: ignore[misc]
    with pytest.raises(TypeError):
        SimulatorConfig("inverted_pendulum")  # type: ignore[call-arg]


def test_settings_that_several_nodes_share_have_the_same_default() -> None:
    shared: dict[str, set[object]] = {}
    for config in (SimulatorConfig, PolicyConfig, *LEARNERS, EvaluatorConfig):
        for name, value in config().to_mapping().items():
            if name in ("task", "seed", "wait_warning"):
                shared.setdefault(name, set()).add(value)
    assert {name: len(values) for name, values in shared.items()} == {"task": 1, "seed": 1, "wait_warning": 1}


@pytest.mark.parametrize(("factor", "timeout"), [(0.2, 0.05), (0.33, 0.05), (1.0, 0.0165), (1.0, 0.01)])
def test_simulator_whose_commands_would_always_be_too_old_is_refused(factor: float, timeout: float) -> None:
    config = SimulatorConfig(mode="realtime", real_time_factor=factor, command_timeout=timeout)
    with pytest.raises(ConfigError, match=r"simulator.command_timeout is .*, but commands come every "):
        config.check_period(0.0165)
    dataclasses.replace(config, mode="lockstep").check_period(0.0165)
    dataclasses.replace(config, command_timeout=0.2).check_period(0.0165)
