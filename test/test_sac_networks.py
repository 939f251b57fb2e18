"""Networks do what a person would compute, start as they are meant to, and are saved as every backend saves them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import linear
from torch.optim import Adam

from learners import through
from sac_control.algorithms.layout import Layout, actor_layout, critic_layout, initial_actor
from sac_control.algorithms.sac.readable.arrays import Trained, from_vector, in_order, to_vector
from sac_control.algorithms.sac.readable.networks import Actor, TwinCritics, polyak_update
from sac_control.algorithms.sac.readable.torch_learner import minimise
from sac_control.algorithms.sac_v1.soft_actor_critic_v1 import Value


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(4)


def make_actor(observation_size: int, action_size: int, hidden_sizes: tuple[int, ...], seed: int = 4) -> Actor:
    actor = Actor(observation_size, action_size, hidden_sizes)
    layout = actor_layout(observation_size, action_size, hidden_sizes)
    from_vector(in_order(actor), initial_actor(layout, np.random.default_rng(seed)))
    return actor


def make_critics(observation_size: int, action_size: int, hidden_sizes: tuple[int, ...]) -> TwinCritics:
    critics = TwinCritics(observation_size, action_size, hidden_sizes)
    layout = critic_layout(observation_size, action_size, hidden_sizes)
    from_vector(in_order(critics.q_1, critics.q_2), layout.initial(np.random.default_rng(4)))
    return critics


def flat(network: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()


# what is saved


def test_a_vector_holds_weights_and_biases_in_the_layout_of_every_learner() -> None:
    """The compiled updates read the same vectors: what numpy makes of the layout's views, the network says."""
    x = torch.randn(5, 3, generator=generator())
    layout = actor_layout(3, 2, (8, 16))
    vector = layout.initial(np.random.default_rng(0))
    actor = Actor(3, 2, (8, 16))
    from_vector(in_order(actor), vector)
    with torch.no_grad():
        torch.testing.assert_close(actor.network(x), torch.from_numpy(through(layout.views(vector), x.numpy())))
    np.testing.assert_array_equal(to_vector(in_order(actor)), vector)


def test_vectors_of_twin_critics_hold_each_layer_of_both() -> None:
    x, action = torch.randn(5, 3, generator=generator()), torch.randn(5, 2, generator=generator())
    layout = critic_layout(3, 2, (8, 16))
    vector = layout.initial(np.random.default_rng(0))
    critics = TwinCritics(3, 2, (8, 16))
    from_vector(in_order(critics.q_1, critics.q_2), vector)
    expected = through(layout.views(vector), np.hstack([x, action])[None])[..., 0]
    with torch.no_grad():
        torch.testing.assert_close(torch.stack(critics(x, action)), torch.from_numpy(expected))
    np.testing.assert_array_equal(to_vector(in_order(critics.q_1, critics.q_2)), vector)


def test_a_vector_shares_no_memory_with_the_network() -> None:
    vector = np.ones(1, np.float32)
    parameter = nn.Parameter(torch.zeros(()))
    from_vector([parameter], vector)
    saved = to_vector([parameter])
    with torch.no_grad():
        parameter.zero_()
    assert (vector.tolist(), saved.tolist()) == ([1.0], [1.0])


def test_what_was_saved_goes_on_as_if_it_had_not_been() -> None:
    networks = make_critics(3, 2, (8,)), TwinCritics(3, 2, (8,))
    adams = [Adam(network.parameters(), 1e-2) for network in networks]
    original, resumed = (
        Trained(in_order(network.q_1, network.q_2), adam) for network, adam in zip(networks, adams, strict=True)
    )
    inputs = torch.randn(6, 5, generator=generator())

    def step(critics: TwinCritics, adam: Adam) -> None:
        minimise(torch.stack(critics(inputs[:, :3], inputs[:, 3:])).square().sum(), adam)

    at_start = {name: (array.shape, float(np.abs(array).max())) for name, array in original.arrays().items()}
    assert at_start.pop("parameters")[0] == (114,)
    assert at_start == {"first_moment": ((114,), 0.0), "second_moment": ((114,), 0.0), "steps": ((), 0.0)}
    for _ in range(4):
        step(networks[0], adams[0])
    resumed.load(original.arrays())
    for _ in range(2):
        for name, array in original.arrays().items():
            np.testing.assert_array_equal(resumed.arrays()[name], array)
        for network, adam in zip(networks, adams, strict=True):
            step(network, adam)


def test_layout_views_share_the_memory_of_the_vector_and_cover_it() -> None:
    layout = critic_layout(3, 1, (5, 2))
    vector = np.zeros(layout.size, np.float32)
    for number, view in enumerate(layout.views(vector)):
        view += number + 1.0
    assert layout.shapes == [(2, 4, 5), (2, 1, 5), (2, 5, 2), (2, 1, 2), (2, 2, 1), (2, 1, 1)]
    sizes = [40, 10, 20, 4, 4, 2]
    assert vector.tolist() == [number + 1.0 for number, size in enumerate(sizes) for _ in range(size)]


# start values


def test_twin_critics_start_apart() -> None:
    first, second = make_critics(3, 1, (8,))(torch.zeros(1, 3), torch.zeros(1, 1))
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


def test_same_seed_gives_the_same_networks_and_another_does_not() -> None:
    assert torch.equal(flat(make_actor(3, 1, (8,))), flat(make_actor(3, 1, (8,))))
    assert not torch.equal(flat(make_actor(3, 1, (8,))), flat(make_actor(3, 1, (8,), seed=5)))


def test_layers_start_within_the_bounds_of_their_inputs() -> None:
    layout = Layout((400, 100, 1))
    views = layout.views(layout.initial(np.random.default_rng(0)))
    for view, inputs in zip(views, (400, 400, 100, 100), strict=True):
        assert np.abs(view).max() <= inputs**-0.5
    assert np.abs(views[0]).max() > 0.99 * 400**-0.5
    assert np.std(views[0]) == pytest.approx(400**-0.5 / 3**0.5, rel=0.02)


# what they compute


@pytest.mark.parametrize("kind", ["value", "critics"])
def test_values_are_those_of_plain_networks_with_one_output_each(kind: str) -> None:
    observation, action = torch.randn(5, 3, generator=generator()), torch.randn(5, 2, generator=generator())
    if kind == "value":
        value = Value(3, (8, 16))
        networks, found, inputs = [value.network], [value(observation)], observation
    else:
        critics = make_critics(3, 2, (8, 16))
        networks, found = [critics.q_1, critics.q_2], critics(observation, action)
        inputs = torch.cat((observation, action), 1)
    for network, values in zip(networks, found, strict=True):
        x, parameters = inputs, list(network.parameters())
        for layer in range(3):
            x = linear(x, parameters[2 * layer], parameters[2 * layer + 1])
            x = x.relu() if layer < 2 else x
        assert values.shape == (5,)
        torch.testing.assert_close(values, x[:, 0])


def test_polyak_update_moves_targets_by_their_share_and_leaves_the_networks() -> None:
    critics, targets = make_critics(3, 1, (8,)), TwinCritics(3, 1, (8,))
    before, start = flat(critics), flat(targets)
    polyak_update(targets, critics, 0.25)
    torch.testing.assert_close(flat(targets), 0.75 * start + 0.25 * before)
    assert torch.equal(flat(critics), before)


@pytest.mark.parametrize("limit", [0.0, 0.1, 1.0, 1e6])
def test_a_step_is_that_of_adam_with_the_gradient_scaled_down_to_the_limit(limit: float) -> None:
    """By hand: the first step of Adam goes by the sign of each gradient, and its moment is a tenth of the gradient."""
    actor = make_actor(3, 1, (8,))
    start, adam = flat(actor), Adam(actor.parameters(), 1e-2)
    gradient = start.clone()  # of half of the sum of squares
    loss = 0.5 * torch.stack([parameter.square().sum() for parameter in actor.parameters()]).sum()
    minimise(loss, adam, limit)
    norm = gradient.norm()
    if limit and norm > limit:
        gradient *= limit / norm
    assert (norm > limit) == (limit < 10.0), "the test clips where it says so"
    found = torch.cat([adam.state[parameter]["exp_avg"].reshape(-1) for parameter in actor.parameters()])
    torch.testing.assert_close(found, 0.1 * gradient)
    torch.testing.assert_close(flat(actor), start - 1e-2 * gradient / (gradient.abs() + 1e-8))
