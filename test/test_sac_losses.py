"""The losses equal hand computations, and each known bug of popular implementations is absent.

Sources of the bugs: issues of stable-baselines3, CleanRL, tianshou, rlkit, TorchRL and others, named at each test.
"""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Adam

from sac_control.algorithms.sac.readable.losses import actor_loss, alpha_loss, critic_loss
from sac_control.algorithms.sac.readable.networks import Actor, TwinCritics
from sac_control.algorithms.sac.readable.tensors import TensorBatch
from sac_control.algorithms.sac.readable.torch_learner import minimise
from tensors_for_tests import random_tensors, row_of

ALPHA = torch.tensor(0.5)
GAMMA = 0.9


class LinearCritics:
    """Q_i(s, a) = c_i + s·1 + k_i a: values that a person can compute."""

    def __init__(self, constants: tuple[float, float], slopes: tuple[float, float] = (0.0, 0.0)) -> None:
        self.constants = torch.tensor(constants, requires_grad=True)
        self.slopes = torch.tensor(slopes, requires_grad=True)

    def __call__(self, observation: Tensor, action: Tensor) -> tuple[Tensor, ...]:
        return (self.constants[:, None] + observation.sum(-1) + self.slopes[:, None] * action.sum(-1)).unbind()


class FixedActor:
    """Samples the given actions with the given log-probabilities."""

    def __init__(self, action: Tensor, log_prob: Tensor) -> None:
        self.sample = lambda observation, noise: (action, log_prob)


def two_rows(**changes: Any) -> TensorBatch:
    values: dict[str, Any] = {
        "observation": torch.tensor([[1.0], [2.0]]),
        "action": torch.tensor([[0.5], [-0.5]]),
        "reward": torch.tensor([1.0, 3.0]),
        "next_observation": torch.tensor([[10.0], [20.0]]),
        "terminated": torch.tensor([False, True]),
        "noise": torch.zeros(2, 1),
        "next_noise": torch.zeros(2, 1),
    }
    return TensorBatch(**(values | changes))


def critic_loss_of(batch: TensorBatch, actor: Any, critics: Any = None, targets: Any = None) -> Tensor:
    critics = critics or LinearCritics((0.0, 0.0))
    targets = targets or LinearCritics((1.0, 2.0))
    return critic_loss(critics, targets, actor, ALPHA, batch, GAMMA)[0]


NEXT = FixedActor(torch.tensor([[0.1], [0.2]]), torch.tensor([-2.0, 4.0]))


def test_critic_loss_equals_the_hand_computed_one() -> None:
    critics = LinearCritics((0.0, 1.0), (2.0, 0.0))
    # y_1 = 1 + 0.9 (min(1 + 10, 2 + 10) - 0.5 (-2)) = 11.8;  y_2 = 3: terminated
    # Q_1 = (1 + 2·0.5, 2 - 2·0.5) = (2, 1);  Q_2 = (1 + 1, 2 + 1) = (2, 3)
    expected = 0.5 * ((9.8**2 + 2.0**2) / 2 + (9.8**2 + 0.0) / 2)
    assert critic_loss_of(two_rows(), NEXT, critics).item() == pytest.approx(expected)


def test_actor_loss_equals_the_hand_computed_one() -> None:
    critics = LinearCritics((0.0, 1.0), (2.0, -3.0))
    action, log_prob = torch.tensor([[0.5], [-0.5]]), torch.tensor([-1.0, 2.0])
    # Q_1 = (1 + 1, 2 - 1) = (2, 1);  Q_2 = (2 - 1.5, 3 + 1.5) = (0.5, 4.5);  least = (0.5, 1)
    loss, _ = actor_loss(critics, ALPHA, two_rows().observation, action, log_prob)  # type: ignore[arg-type]
    assert loss.item() == pytest.approx(((0.5 * -1.0 - 0.5) + (0.5 * 2.0 - 1.0)) / 2)


def test_alpha_loss_equals_the_hand_computed_one() -> None:
    log_alpha = torch.tensor(0.7, requires_grad=True)
    loss, _ = alpha_loss(log_alpha, torch.tensor([-1.0, 2.0]), target_entropy=-0.25)
    assert loss.item() == pytest.approx(-0.7 * ((-1.0 - 0.25) + (2.0 - 0.25)) / 2)
    loss.backward()
    assert log_alpha.grad is not None
    assert log_alpha.grad.item() == pytest.approx(-0.25)  # the policy is too sharp on average: α grows


def test_termination_masks_value_and_entropy_of_what_follows() -> None:
    """stable-baselines3 #76: the entropy term was left unmasked."""
    batch = two_rows(terminated=torch.tensor([True, True]))
    expected = 2 * 0.5 * ((1.0 - 1.0) ** 2 + (2.0 - 3.0) ** 2) / 2
    assert critic_loss_of(batch, NEXT).item() == pytest.approx(expected)


def test_entropy_of_the_next_action_is_in_the_target() -> None:
    """rlkit #43, ray PR #6295: it was missing."""
    sharper = FixedActor(torch.tensor([[0.1], [0.2]]), torch.tensor([0.0, 4.0]))
    # first row: y falls by γ α 2 = 0.9, from 11.8 to 10.9; Q = 1
    gain = 2 * 0.5 * (10.8**2 - 9.9**2) / 2
    assert (critic_loss_of(two_rows(), NEXT) - critic_loss_of(two_rows(), sharper)).item() == pytest.approx(
        gain, rel=1e-5
    )


def test_nothing_leaks_out_of_a_terminal_next_observation() -> None:
    """TorchRL: NaN in a terminal next observation must not reach the loss, which 0 * NaN would let it do."""
    batch = two_rows(next_observation=torch.tensor([[10.0], [math.nan]]))
    actor = FixedActor(torch.tensor([[0.1], [math.nan]]), torch.tensor([-2.0, math.nan]))
    critics = LinearCritics((0.0, 0.0))
    loss = critic_loss_of(batch, actor, critics)
    loss.backward()
    assert loss.item() == pytest.approx(critic_loss_of(two_rows(), NEXT).item())
    assert critics.constants.grad is not None
    assert torch.isfinite(critics.constants.grad).all()


def test_losses_do_not_broadcast_rows_against_rows() -> None:
    """CleanRL #379, PR #486; tianshou #40: (b,) against (b, 1) gives (b, b), and a loss that looks healthy.

    A batch of rows costs the mean of what its rows cost alone; with rows mixed up it would not.
    """
    actor, critics, targets = networks(3, 2)
    batch = random_tensors(2, 6, 3, 2)

    def losses(rows: slice) -> Tensor:
        part = row_of(batch, rows)
        action, log_prob = actor.sample(part.observation, part.noise)
        return torch.stack(
            [
                critic_loss(critics, targets, actor, ALPHA, part, GAMMA)[0],
                actor_loss(critics, ALPHA, part.observation, action, log_prob)[0],
                alpha_loss(torch.tensor(0.3), log_prob, -2.0)[0],
            ]
        )

    alone = torch.stack([losses(slice(i, i + 1)) for i in range(6)]).mean(0)
    torch.testing.assert_close(losses(slice(0, 6)), alone)


def test_loss_gradients_stay_with_their_own_network() -> None:
    """The critics' loss does not move actor or targets; the actor's step leaves no gradient with the critics."""
    actor, critics, targets = networks(3, 2)
    batch = random_tensors(2, 6, 3, 2)
    before = [values_of(network) for network in (actor, critics, targets)]

    loss, _ = critic_loss(critics, targets, actor, ALPHA, batch, GAMMA)
    others = (*actor.parameters(), *targets.parameters())
    assert all(g is None for g in torch.autograd.grad(loss, others, retain_graph=True, allow_unused=True))
    optimiser = Adam(critics.parameters(), 1e-3)
    minimise(loss, optimiser)
    after = [values_of(network) for network in (actor, critics, targets)]
    assert [torch.equal(*each) for each in zip(before, after, strict=True)] == [True, False, True]

    optimiser.zero_grad()
    loss, _ = actor_loss(critics, ALPHA, batch.observation, *actor.sample(batch.observation, batch.noise))
    minimise(loss, Adam(actor.parameters(), 1e-3))
    assert not torch.equal(values_of(actor), after[0])
    assert torch.equal(values_of(critics), after[1])
    assert all(parameter.grad is None for network in (critics, targets) for parameter in network.parameters())


def test_alpha_loss_does_not_move_the_actor() -> None:
    actor, _, _ = networks(3, 2)
    _, log_prob = actor.sample(torch.zeros(4, 3), torch.zeros(4, 2))
    loss, _ = alpha_loss(torch.tensor(0.3, requires_grad=True), log_prob, -1.0)
    assert all(g is None for g in torch.autograd.grad(loss, [*actor.parameters()], allow_unused=True))


def test_temperature_moves_entropy_to_its_target() -> None:
    """The fixed point of α: a soft-optimal Gaussian policy ends with the entropy that was asked for."""
    log_std, log_alpha = nn.Parameter(torch.zeros(1, 1)), nn.Parameter(torch.zeros(()))
    actor_optimiser, alpha_optimiser = Adam([log_std], 3e-3), Adam([log_alpha], 3e-3)
    generator = torch.Generator().manual_seed(0)
    target = -0.5
    entropies = []
    for _ in range(2500):
        noise = torch.randn(128, 1, generator=generator)
        action = log_std.exp() * noise  # not squashed: entropy is log std + 1.42
        log_prob = (-0.5 * noise.square() - log_std - 0.5 * math.log(2 * math.pi)).sum(-1)
        minimise(alpha_loss(log_alpha, log_prob, target)[0], alpha_optimiser)
        loss, _ = actor_loss(quadratic, log_alpha.detach().exp(), action, action, log_prob)  # type: ignore[arg-type]
        minimise(loss, actor_optimiser)
        entropies.append(log_std.item() + 0.5 * math.log(2 * math.pi * math.e))
    assert sum(entropies[-500:]) / 500 == pytest.approx(target, abs=0.03)
    # Q = -a² has the soft-optimal policy N(0, α / 2): so α = 2 std²
    assert log_alpha.exp().item() == pytest.approx(2 * log_std.exp().item() ** 2, rel=0.15)


def quadratic(_: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
    """Twin critics that both say -a²."""
    value = -action.square().sum(-1)
    return value, value


def networks(observation_size: int, action_size: int) -> tuple[Actor, TwinCritics, TwinCritics]:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        sizes = (observation_size, action_size, (8, 8))
        return Actor(*sizes), TwinCritics(*sizes), TwinCritics(*sizes)


def values_of(network: nn.Module) -> Tensor:
    """A copy of all parameters."""
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()
