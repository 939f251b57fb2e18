"""Networks, parameters and optimiser do what torch's own building blocks do."""

from __future__ import annotations

import numpy as np
import torch

from sac_control.sac.adam import Adam
from sac_control.sac.networks import Actor, TwinCritics
from sac_control.sac.parameters import Parameters

CPU = torch.device("cpu")


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(4)


def test_parameters_are_views_of_one_flat_vector() -> None:
    parameters = Parameters([(2, 3), (), (4,)], CPU)
    parameters.flat.copy_(torch.arange(11.0))
    first, second, third = parameters.tensors
    torch.testing.assert_close(first.detach(), torch.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]))
    assert second.item() == 6.0
    assert third.tolist() == [7.0, 8.0, 9.0, 10.0]
    assert all(tensor.is_leaf and tensor.requires_grad for tensor in parameters.tensors)


def test_stacked_critics_equal_two_separate_networks() -> None:
    critics = TwinCritics(3, 2, (8, 16), generator(), CPU)
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
    first, second = TwinCritics(3, 1, (8,), generator(), CPU).values(torch.zeros(1, 3), torch.zeros(1, 1))
    assert first.item() != second.item()


def test_untrained_actor_explores_the_whole_range_whatever_it_sees() -> None:
    actor = Actor(5, 2, (64, 64), generator(), CPU)
    actions, _ = actor.sample(
        torch.randn(20_000, 5, generator=generator()), torch.randn(20_000, 2, generator=generator())
    )
    for dimension in actions.T:
        share, _ = np.histogram(dimension.detach().numpy(), bins=8, range=(-1, 1))
        assert share.min() > 0.08 * 20_000  # uniform would be 0.125 in each of the eight
        assert share.max() < 0.16 * 20_000


def test_flat_adam_equals_torch_adam() -> None:
    actor = Actor(3, 1, (8,), generator(), CPU)
    copies = [tensor.detach().clone().requires_grad_() for tensor in actor.tensors]
    ours, theirs = Adam(actor, 1e-2), torch.optim.Adam(copies, lr=1e-2)
    for step in range(20):
        weights = torch.randn(len(actor.flat), generator=torch.Generator().manual_seed(step))
        ours.minimise((torch.cat([t.reshape(-1) for t in actor.tensors]) * weights).square().sum())
        theirs.zero_grad()
        (torch.cat([t.reshape(-1) for t in copies]) * weights).square().sum().backward()
        theirs.step()
    torch.testing.assert_close(actor.flat, torch.cat([t.detach().reshape(-1) for t in copies]))


def test_same_generator_state_gives_the_same_networks() -> None:
    assert torch.equal(Actor(3, 1, (8,), generator(), CPU).flat, Actor(3, 1, (8,), generator(), CPU).flat)
