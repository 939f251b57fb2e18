"""Networks, parameters and optimiser do what torch's own building blocks do."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sac_control.algorithms.layout import Layout, actor_layout, critic_layout, initial_actor
from sac_control.algorithms.sac.readable.adam import Adam
from sac_control.algorithms.sac.readable.networks import Actor, TwinCritics, Value
from sac_control.algorithms.sac.readable.parameters import Parameters

CPU = torch.device("cpu")


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(4)


def make_actor(observation_size: int, action_size: int, hidden_sizes: tuple[int, ...], seed: int = 4) -> Actor:
    layout = actor_layout(observation_size, action_size, hidden_sizes)
    return Actor(layout.shapes, initial_actor(layout, np.random.default_rng(seed)), CPU)


def make_critics(observation_size: int, action_size: int, hidden_sizes: tuple[int, ...]) -> TwinCritics:
    layout = critic_layout(observation_size, action_size, hidden_sizes)
    return TwinCritics(layout.shapes, layout.initial(np.random.default_rng(4)), CPU)


def test_parameters_are_views_of_one_flat_vector() -> None:
    parameters = Parameters([(2, 3), (), (4,)], np.zeros(11, np.float32), CPU)
    parameters.flat.copy_(torch.arange(11.0))
    first, second, third = parameters.tensors
    torch.testing.assert_close(first.detach(), torch.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]))
    assert second.item() == 6.0
    assert third.tolist() == [7.0, 8.0, 9.0, 10.0]
    assert all(tensor.is_leaf and tensor.requires_grad for tensor in parameters.tensors)


def test_stacked_critics_equal_two_separate_networks() -> None:
    critics = make_critics(3, 2, (8, 16))
    observation, action = torch.randn(5, 3), torch.randn(5, 2)
    together = critics.values(observation, action)
    assert together.shape == (2, 5)
    for i in range(2):
        x = torch.cat((observation, action), 1)
        for layer in range(3):
            weight, bias = critics.tensors[2 * layer][i], critics.tensors[2 * layer + 1][i, 0]
            x = torch.nn.functional.linear(x, weight.T, bias)
            x = x.relu() if layer < 2 else x
        torch.testing.assert_close(together[i], x[:, 0])


def test_twin_critics_start_apart() -> None:
    first, second = make_critics(3, 1, (8,)).values(torch.zeros(1, 3), torch.zeros(1, 1))
    assert first.item() != second.item()


def test_untrained_actor_explores_the_whole_range_whatever_it_sees() -> None:
    actor = make_actor(5, 2, (64, 64))
    actions, _ = actor.sample(
        torch.randn(20_000, 5, generator=generator()), torch.randn(20_000, 2, generator=generator())
    )
    for dimension in actions.T:
        share, _ = np.histogram(dimension.detach().numpy(), bins=8, range=(-1, 1))
        assert share.min() > 0.08 * 20_000  # uniform would be 0.125 in each of the eight
        assert share.max() < 0.16 * 20_000


def test_flat_adam_equals_torch_adam() -> None:
    actor = make_actor(3, 1, (8,))
    copies = [tensor.detach().clone().requires_grad_() for tensor in actor.tensors]
    ours, theirs = Adam(actor, 1e-2), torch.optim.Adam(copies, lr=1e-2)
    for step in range(20):
        weights = torch.randn(len(actor.flat), generator=torch.Generator().manual_seed(step))
        ours.minimise((torch.cat([t.reshape(-1) for t in actor.tensors]) * weights).square().sum())
        theirs.zero_grad()
        (torch.cat([t.reshape(-1) for t in copies]) * weights).square().sum().backward()
        theirs.step()
    torch.testing.assert_close(actor.flat, torch.cat([t.detach().reshape(-1) for t in copies]))


def test_same_seed_gives_the_same_networks_and_another_does_not() -> None:
    assert torch.equal(make_actor(3, 1, (8,)).flat, make_actor(3, 1, (8,)).flat)
    assert not torch.equal(make_actor(3, 1, (8,)).flat, make_actor(3, 1, (8,), seed=5).flat)


def test_parameters_do_not_share_memory_with_their_start_values() -> None:
    values = np.ones(3, np.float32)
    first, second = Parameters([(3,)], values, CPU), Parameters([(3,)], values, CPU)
    first.flat.zero_()
    assert values.tolist() == second.flat.tolist() == [1.0, 1.0, 1.0]


def test_layout_views_share_the_memory_of_the_vector_and_cover_it() -> None:
    layout = critic_layout(3, 1, (5, 2))
    flat = np.zeros(layout.size, np.float32)
    for number, view in enumerate(layout.views(flat)):
        view += number + 1.0
    assert layout.shapes == [(2, 4, 5), (2, 1, 5), (2, 5, 2), (2, 1, 2), (2, 2, 1), (2, 1, 1)]
    sizes = [40, 10, 20, 4, 4, 2]
    assert flat.tolist() == [number + 1.0 for number, size in enumerate(sizes) for _ in range(size)]


def test_layers_start_within_the_bounds_of_their_inputs() -> None:
    layout = Layout((400, 100, 1))
    views = layout.views(layout.initial(np.random.default_rng(0)))
    for view, inputs in zip(views, (400, 400, 100, 100), strict=True):
        assert np.abs(view).max() <= inputs**-0.5
    assert np.abs(views[0]).max() > 0.99 * 400**-0.5
    assert np.std(views[0]) == pytest.approx(400**-0.5 / 3**0.5, rel=0.02)


def test_value_network_is_a_plain_network_with_one_output() -> None:
    layout = Layout((3, 8, 16, 1))
    value = Value(layout.shapes, layout.initial(np.random.default_rng(0)), CPU)
    x = observation = torch.randn(5, 3, generator=generator())
    for layer in range(3):
        x = torch.nn.functional.linear(x, value.tensors[2 * layer].T, value.tensors[2 * layer + 1])
        x = x.relu() if layer < 2 else x
    assert value.values(observation).shape == (5,)
    torch.testing.assert_close(value.values(observation), x[:, 0])


@pytest.mark.parametrize("limit", [0.1, 1.0, 1e6])
def test_gradient_clipping_equals_that_of_torch(limit: float) -> None:
    actor = make_actor(3, 1, (8,))
    copies = [tensor.detach().clone().requires_grad_() for tensor in actor.tensors]
    ours, theirs = Adam(actor, 1e-2, max_gradient_norm=limit), torch.optim.Adam(copies, lr=1e-2)
    for step in range(10):
        weights = torch.randn(len(actor.flat), generator=torch.Generator().manual_seed(step))
        ours.minimise((torch.cat([t.reshape(-1) for t in actor.tensors]) * weights).square().sum())
        theirs.zero_grad()
        (torch.cat([t.reshape(-1) for t in copies]) * weights).square().sum().backward()
        norm = torch.nn.utils.clip_grad_norm_(copies, limit)
        assert (norm > limit) == (limit < 10.0), "the test clips where it says so"
        torch.testing.assert_close(ours.gradient, torch.cat([t.grad.reshape(-1) for t in copies if t.grad is not None]))
        theirs.step()
    torch.testing.assert_close(actor.flat, torch.cat([t.detach().reshape(-1) for t in copies]))


def test_scale_of_a_step_is_that_of_its_learning_rate() -> None:
    first, second = make_actor(3, 1, (8,)), make_actor(3, 1, (8,))
    for network, rate, scale in ((first, 1e-2, 0.25), (second, 0.25e-2, 1.0)):
        Adam(network, rate).minimise(torch.stack([t.square().sum() for t in network.tensors]).sum(), scale)
    assert torch.equal(first.flat, second.flat)
