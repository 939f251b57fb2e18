"""Where the updates by autograd are made: parameters, optimisers and batches lie on the device that was asked for.

Tests of the GPU itself need one, and are skipped where there is none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import Adam

from batches import random_batch
from sac_control.algorithms.off_policy_config import OffPolicyConfig
from sac_control.algorithms.sac.readable import soft_actor_critic, torch_learner
from sac_control.algorithms.sac.readable.torch_learner import TorchLearner
from sac_control.algorithms.sac_v1 import soft_actor_critic_v1
from sac_control.training.learner_config import learner_config

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
OPTIONS: list[dict[str, Any]] = [
    {},
    {"policy_delay": 3, "target_update_interval": 2, "max_gradient_norm": 0.1},
    {"use_sde": True},
    {"algorithm": "sac_v1", "policy_delay": 2},
]


def learner(device: str, **options: Any) -> TorchLearner:
    backend = {} if "algorithm" in options else {"backend": "torch"}  # sac_v1 has no other
    config = learner_config(**({"hidden_sizes": (16, 16), "device": device} | backend | options))
    assert isinstance(config, OffPolicyConfig)
    made = config.make_learner(observation_size=3, action_size=2, seed=1)
    assert isinstance(made, TorchLearner)
    return made


def test_device_of_auto_is_the_gpu_where_there_is_one() -> None:
    assert learner("auto").device.type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_an_update_touches_nothing_outside_its_device(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """On torch's device without numbers, where a tensor that was left on the CPU raises as it does on a GPU."""
    monkeypatch.setattr(torch_learner, "choose_device", lambda _: torch.device("meta"))
    for module in (torch_learner, soft_actor_critic, soft_actor_critic_v1):
        monkeypatch.setattr(module, "Adam", lambda parameters, rate, fused: Adam(parameters, rate))  # knows no meta
    sac = learner("cpu", **options)
    sac.start_values_at(1.0)
    for number in range(6):
        sac.update(random_batch(number, action_size=2))
    for trained in sac._trained().values():
        assert {parameter.device.type for parameter in trained.parameters} == {"meta"}


@needs_gpu
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_updates_on_the_gpu_are_those_on_the_cpu(options: dict[str, Any]) -> None:
    cpu, gpu = learner("cpu", **options), learner("cuda", **options)
    for number in range(5):
        for each in (cpu, gpu):
            each.update(random_batch(number, action_size=2))
    for name, array in cpu.state().items():
        np.testing.assert_allclose(gpu.state()[name], array, rtol=1e-3, atol=1e-3, err_msg=name)


@needs_gpu
def test_a_state_saved_on_the_gpu_is_what_the_cpu_goes_on_from() -> None:
    gpu, cpu = learner("cuda"), learner("cpu")
    gpu.update(random_batch(0, action_size=2))
    cpu.restore(gpu.state())
    gpu.restore(cpu.state())
    cpu.generator.bit_generator.state = gpu.generator.bit_generator.state
    for each in (cpu, gpu):
        each.update(random_batch(1, action_size=2))
    for name, array in cpu.state().items():
        np.testing.assert_allclose(gpu.state()[name], array, rtol=1e-3, atol=1e-3, err_msg=name)
