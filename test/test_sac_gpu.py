"""What a GPU changes: where rows and parameters lie, and that updates are replays of graphs. The numbers stay.

Tests of the device need one, and are skipped where there is none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from batches import random_batch
from sac_control.algorithms.learner import Learner
from sac_control.algorithms.replay_buffer import Batch, ReplayBuffer
from sac_control.algorithms.sac.readable.cuda_graph import GraphedUpdate
from sac_control.algorithms.sac.readable.device_replay import DeviceReplay
from sac_control.algorithms.sac.readable.sac_v1 import SoftActorCriticV1
from sac_control.algorithms.sac.readable.soft_actor_critic import SoftActorCritic
from sac_control.algorithms.sac.readable.torch_learner import TorchLearner
from sac_control.algorithms.sac.sac_config import SacConfig
from sac_control.training.learner_config import learner_config
from sac_control.types import Transition

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
CPU = torch.device("cpu")
OPTIONS: list[dict[str, Any]] = [
    {},
    {"policy_delay": 3, "target_update_interval": 2, "max_gradient_norm": 0.1},
    {"use_sde": True},
    {"algorithm": "sac_v1", "learn_alpha": False, "policy_delay": 2},
]


def learner(device: str, **options: Any) -> TorchLearner:
    config = learner_config(**({"hidden_sizes": (16, 16), "device": device} | options))
    kind = {"sac": SoftActorCritic, "sac_v1": SoftActorCriticV1}[config.algorithm]
    return kind(config, observation_size=3, action_size=2, seed=1)


def transition(number: int, **changes: Any) -> Transition:
    rng = np.random.default_rng(number)
    values: dict[str, Any] = {
        "source": 1, "sequence": number, "episode": 0, "step": number, "stamp": number, "policy_version": 1,
        "observation": rng.standard_normal(2, np.float32), "action": rng.uniform(-1, 1, 1).astype(np.float32),
        "reward": float(number), "next_observation": rng.standard_normal(2, np.float32),
        "terminated": number % 5 == 4, "truncated": False,
    }  # fmt: skip
    return Transition(**(values | changes))


def assert_same_samples(expected: Batch, found: Batch) -> None:
    for name in ("observation", "action", "reward", "next_observation", "terminated"):
        tensor: Any = getattr(found, name)
        assert isinstance(tensor, torch.Tensor)
        np.testing.assert_array_equal(tensor.cpu().numpy(), getattr(expected, name), err_msg=name)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=needs_gpu)])
@pytest.mark.parametrize("mirror", [None, [-1.0, 1.0]])
def test_rows_on_the_device_are_sampled_as_those_in_memory(mirror: list[float] | None, device: str) -> None:
    signs = None if mirror is None else np.array(mirror, np.float32)
    options: dict[str, Any] = {
        "capacity": 10, "observation_size": 2, "action_size": 1, "seed": 3, "mirror": signs,
    }  # fmt: skip
    memory, rows = ReplayBuffer(**options), DeviceReplay(torch.device(device), **options)
    for number in range(35):  # the ring goes round three times, sampled at other times than it turns
        for each in (memory, rows):
            each.add(transition(number))
        if number % 4 == 0:
            assert_same_samples(memory.sample(16, 2), rows.sample(16, 2))
    kept = memory.rows(25, 35)
    for each in (memory, rows):
        each.restore(kept[:5], 5)
    assert_same_samples(memory.sample(16, 3), rows.sample(16, 3))


def test_a_learner_takes_samples_that_are_tensors_already() -> None:
    options: dict[str, Any] = {"capacity": 50, "observation_size": 2, "action_size": 1, "seed": 3}
    memory, rows = ReplayBuffer(**options), DeviceReplay(CPU, **options)
    config = SacConfig(hidden_sizes=(8,))
    first, second = (SoftActorCritic(config, observation_size=2, action_size=1, seed=0) for _ in range(2))
    for number in range(20):
        for each in (memory, rows):
            each.add(transition(number))
    first.update(memory.sample(16, 3))
    second.update(rows.sample(16, 3))
    for name, array in first.state().items():
        np.testing.assert_array_equal(second.state()[name], array, err_msg=name)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_learning_rate_scale_that_is_a_tensor_does_what_a_number_does(options: dict[str, Any]) -> None:
    """In a graph it must be one, to be changed between two replays."""
    first, second = learner("cpu", **options), learner("cpu", **options)
    changed: Any = second
    eager = second._update

    def with_tensor(batch: Any, scale: Any, *turns: bool) -> Any:
        return eager(batch, torch.tensor(scale), *turns)

    changed._update = with_tensor
    for number in range(4):
        for each in (first, second):
            each.learning_rate_scale[...] = 1.0 / (1 + number)
            each.update(random_batch(number, action_size=2))
    for name, array in first.state().items():
        np.testing.assert_allclose(second.state()[name], array, rtol=1e-5, atol=1e-6, err_msg=name)


def test_device_of_auto_is_the_gpu_where_there_is_one() -> None:
    assert learner("auto").device.type == ("cuda" if torch.cuda.is_available() else "cpu")


def assert_near(expected: Learner, found: Learner, tolerance: float) -> None:
    for name, array in expected.state().items():
        np.testing.assert_allclose(found.state()[name], array, rtol=tolerance, atol=tolerance, err_msg=name)


@needs_gpu
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_graphed_updates_equal_eager_ones(options: dict[str, Any]) -> None:
    """Those on the same device, to rounding. Each combination of turns comes up as a capture and as replays."""
    graphed: Any = learner("cuda", **options)
    eager: Any = learner("cuda", **options)
    eager._graphed = eager._update  # called in the place of a graph
    for number in range(24):
        for each in (graphed, eager):
            each.learning_rate_scale[...] = 1.0 if number < 12 else 0.5
            each.update(random_batch(number, action_size=2, batches=1 + number % 2))
        assert graphed.metrics() == pytest.approx(eager.metrics(), rel=1e-3, abs=1e-3)
    assert isinstance(graphed._graphed, GraphedUpdate)
    assert_near(eager, graphed, 1e-4)


@needs_gpu
def test_updates_on_the_gpu_are_those_on_the_cpu() -> None:
    cpu, gpu = learner("cpu"), learner("cuda")
    for number in range(5):
        for each in (cpu, gpu):
            each.update(random_batch(number, action_size=2))
    assert_near(cpu, gpu, 1e-3)


@needs_gpu
def test_noise_is_new_at_every_replay() -> None:
    """pytorch/rl PR #4143: a captured policy repeated its noise. With rates of 0, only the noise can change a loss."""
    rates = {"actor_learning_rate": 0.0, "critic_learning_rate": 0.0, "alpha_learning_rate": 0.0, "tau": 0.0}
    sac, batch = learner("cuda", **rates), random_batch(0, rows=256, action_size=2)
    losses, entropies = [], []
    for _ in range(50):
        sac.update(batch)
        losses.append(sac.metrics()["critic_loss"])
        entropies.append(sac.metrics()["entropy"])
    assert len(set(losses)) == len(losses)
    eager = learner("cpu", **rates)
    expected = []
    for _ in range(50):
        eager.update(batch)
        expected.append(eager.metrics()["entropy"])
    assert np.std(entropies) == pytest.approx(np.std(expected), rel=0.05)


@needs_gpu
def test_a_restored_state_is_what_the_next_replay_goes_on_from() -> None:
    sac = learner("cuda")
    sac.update(random_batch(0, action_size=2))
    saved, generator = sac.state(), sac.generator.bit_generator.state
    results = []
    for _ in range(2):
        sac.restore(saved)
        sac.generator.bit_generator.state = generator
        sac.update(random_batch(1, action_size=2))
        results.append(sac.state())
    for name, array in results[0].items():
        np.testing.assert_allclose(results[1][name], array, rtol=1e-6, atol=1e-7, err_msg=name)
