"""Which learner the settings of an algorithm make, which settings refuse each other, and whose they are."""

from __future__ import annotations

from typing import Any

import pytest

from batches import random_batch
from learners import BACKENDS, NEEDS_TORCH, kind_of
from sac_control.algorithms.off_policy_config import OffPolicyConfig
from sac_control.algorithms.sac.native_learner import NativeLearner
from sac_control.algorithms.sac.sac_config import SacConfig
from sac_control.algorithms.sac_v1.sac_v1_config import SacV1Config
from sac_control.algorithms.torch_presence import has_gpu
from sac_control.errors import ConfigError
from sac_control.training.learner_config import LearnerConfig, check_change, learner_config

NO_GPU = pytest.mark.skipif(has_gpu(), reason="there is a GPU")
SIZES = {"observation_size": 2, "action_size": 1}


@pytest.mark.parametrize(
    ("settings", "options", "kind"),
    [
        (SacConfig, {}, "native"),
        (SacConfig, {"backend": "native"}, "native"),
        *(
            pytest.param(settings, options, kind, marks=NEEDS_TORCH)
            for settings, options, kind in (
                (SacConfig, {"backend": "torch"}, "torch"),
                (SacConfig, {"use_sde": True}, "torch"),
                (SacV1Config, {}, "sac_v1"),
                (SacV1Config, {"use_sde": True}, "sac_v1"),
            )
        ),
    ],
)
def test_auto_takes_the_compiled_updates_where_they_know_all_options(
    settings: type[OffPolicyConfig], options: dict[str, Any], kind: str
) -> None:
    config = settings(hidden_sizes=(4,), batch_size=4, **options)
    config.check(**SIZES)
    assert type(config.make_learner(**SIZES, seed=0)) is kind_of(kind)


def test_the_compiled_updates_take_two_threads() -> None:
    config = SacConfig(hidden_sizes=(4,), batch_size=4, threads=2)
    assert isinstance(config.make_learner(**SIZES, seed=0), NativeLearner)


@NEEDS_TORCH
def test_torch_uses_as_many_threads_as_are_asked_for() -> None:
    import torch

    config = SacConfig(hidden_sizes=(4,), batch_size=4, threads=3, backend="torch")
    try:
        config.make_learner(**SIZES, seed=0)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(1)


@NO_GPU
def test_a_device_of_auto_takes_the_cpu_where_there_is_no_gpu() -> None:
    config = SacConfig(hidden_sizes=(4,), batch_size=4, device="auto")
    assert isinstance(config.make_learner(**SIZES, seed=0), NativeLearner)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"backend": "native", "use_sde": True}, r"backend native knows no learner\.use_sde: set learner\.backend"),
        ({"backend": "native", "device": "cuda"}, r"backend native runs on the CPU, not on learner\.device cuda"),
        ({"sde_sample_interval": 4}, r"learner\.sde_sample_interval has no effect without learner\.use_sde"),
        ({"sde_at_warmup": True}, r"learner\.sde_at_warmup has no effect without learner\.use_sde"),
        ({"threads": 3}, r"learner\.threads is 3: the compiled updates use 1 or 2; .* set learner\.backend to torch$"),
        ({"use_sde": True, "sde_sample_interval": 0}, r"learner\.sde_sample_interval is 0: expected"),
    ],
)
def test_options_that_contradict_each_other_are_refused_with_the_reason(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as refusal:
        SacConfig(**options).make(**SIZES, mirror=None, seed=0)
    assert "\n" not in str(refusal.value)


def test_an_unknown_algorithm_or_backend_is_refused_and_the_known_ones_named() -> None:
    with pytest.raises(ConfigError, match=r"^learner\.algorithm 'dreamer' is not known; known are sac, sac_v1, trpo"):
        LearnerConfig.from_mapping({"algorithm": "dreamer"})
    with pytest.raises(ConfigError, match=r"^learner\.backend is 'jax': expected one of auto, native, torch$"):
        LearnerConfig.from_mapping({"backend": "jax"})
    with pytest.raises(ConfigError, match=r"use_sd is not a known setting; did you mean use_sde\?"):
        LearnerConfig.from_mapping({"use_sd": True})


@NO_GPU
@NEEDS_TORCH
@pytest.mark.parametrize("backend", ["auto", "torch"])
def test_a_gpu_that_is_not_there_is_said_in_one_sentence(backend: str) -> None:
    with pytest.raises(ConfigError, match=r"^learner\.device is cuda, and torch finds no GPU: set learner\.device to"):
        SacConfig(device="cuda", backend=backend).check(**SIZES)


@pytest.mark.parametrize("alpha", [0.1, 1.0])
@pytest.mark.parametrize("learn_alpha", [True, False])
@pytest.mark.parametrize("backend", BACKENDS)
def test_temperature_starts_where_it_is_told_and_is_learnt_only_if_asked(
    backend: str, alpha: float, learn_alpha: bool
) -> None:
    """What other libraries write as one entropy coefficient, a number or auto with a number, are two options here."""
    config = SacConfig(hidden_sizes=(4,), batch_size=32, alpha=alpha, learn_alpha=learn_alpha, backend=backend)
    sac = config.make_learner(observation_size=3, action_size=1, seed=0)
    sac.update(random_batch(0))
    assert sac.metrics()["alpha"] == pytest.approx(alpha)
    sac.update(random_batch(1))
    assert (sac.metrics()["alpha"] == pytest.approx(alpha, rel=1e-5)) == (not learn_alpha)


@pytest.mark.parametrize(
    "change", [{"task": "inverted_pendulum_swingup"}, {"hidden_sizes": [8]}, {"algorithm": "sac_v1"}, {"use_sde": True}]
)
def test_a_run_cannot_go_on_with_other_networks_or_another_task(change: dict[str, Any]) -> None:
    check_change(learner_config(), learner_config(gamma=0.9, batch_size=64))
    (name,) = change
    with pytest.raises(ConfigError, match=f"learner.{name} is .* but the run to continue was begun with"):
        check_change(learner_config(), LearnerConfig.from_mapping(change))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"algorithm": "sac_v1", "alpha": 0.5}, "learner.alpha is a setting of sac, and learner.algorithm sac_v1 has"),
        ({"algorithm": "sac_v1", "backend": "torch"}, "learner.backend is a setting of sac, and learner.algorithm"),
    ],
)
def test_a_setting_of_another_algorithm_is_said_to_be_its(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        learner_config(**given)
    assert str(refusal.value).startswith(sentence)
    assert "\n" not in str(refusal.value)


def test_another_algorithm_has_its_own_defaults_and_keeps_what_was_set_for_all() -> None:
    before = learner_config(seed=7, gamma=0.9)
    changed = before.changed({"algorithm": "sac_v1"})
    assert (changed.algorithm, changed.seed, changed.to_mapping()["gamma"]) == ("sac_v1", 7, 0.9)
    assert "learn_alpha" not in changed.types()
    with pytest.raises(ConfigError, match="learner.alpha is a setting of sac"):
        learner_config(alpha=0.5).changed({"algorithm": "sac_v1"})
