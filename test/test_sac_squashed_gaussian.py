"""The actor's distribution is a probability density, and its entropy behaves as the initial policy claims."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from sac_control.algorithms.layout import INITIAL_STD
from sac_control.algorithms.learner import LOG_STD_BOUNDS
from sac_control.algorithms.sac.readable import squashed_gaussian


def log_density(action: torch.Tensor, mean: float, log_std: float, scale: float) -> torch.Tensor:
    """log π at given actions (b, 1), by asking for the noise that leads to them."""
    u = torch.atanh(action / scale)  # in float64 and away from the bounds: fine in a test, never in the package
    noise = (u - mean) / math.exp(log_std)
    sampled, log_prob = squashed_gaussian.sample(
        torch.full_like(action, mean), torch.full_like(action, log_std), noise, scale
    )
    torch.testing.assert_close(sampled, action)
    return log_prob


@pytest.mark.parametrize("scale", [1.0, 3.0, 100.0, 0.25])
@pytest.mark.parametrize(("mean", "log_std"), [(0.0, 0.0), (0.8, -1.5), (-1.5, 0.5), (0.3, -3.0)])
def test_density_integrates_to_one_over_the_action_range(mean: float, log_std: float, scale: float) -> None:
    u = torch.linspace(mean - 12 * math.exp(log_std), mean + 12 * math.exp(log_std), 200_001, dtype=torch.float64)
    u = u[u.abs() < 15]  # finer than evenly spaced actions where the density is steep
    action = scale * torch.tanh(u)[:, None]
    density = log_density(action, mean, log_std, scale).exp()
    assert torch.trapezoid(density, action[:, 0]).item() == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_log_prob_is_that_of_a_numeric_change_of_variables(scale: float) -> None:
    mean, std, step = 0.4, 0.7, 1e-5
    for u in (-2.0, -0.3, 0.0, 1.1, 2.5):
        slope = scale * (math.tanh(u + step) - math.tanh(u - step)) / (2 * step)
        normal = math.exp(-0.5 * ((u - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))
        action = torch.tensor([[scale * math.tanh(u)]], dtype=torch.float64)
        assert log_density(action, mean, math.log(std), scale).item() == pytest.approx(
            math.log(normal / slope), abs=1e-6
        )


def test_log_prob_of_several_dimensions_is_their_sum_and_has_no_trailing_axis() -> None:
    mean, log_std, noise = torch.randn(3, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    _, together = squashed_gaussian.sample(mean, log_std, noise)
    apart = [squashed_gaussian.sample(mean[:, [i]], log_std[:, [i]], noise[:, [i]])[1] for i in range(3)]
    assert together.shape == (4,)
    torch.testing.assert_close(together, apart[0] + apart[1] + apart[2])


def test_saturated_actions_keep_a_finite_log_prob_and_gradient() -> None:
    mean = torch.tensor([[50.0], [-50.0], [15.0]], requires_grad=True)
    action, log_prob = squashed_gaussian.sample(mean, torch.zeros(3, 1), torch.zeros(3, 1))
    log_prob.sum().backward()
    assert action.abs().max() == 1.0
    assert torch.isfinite(log_prob).all()
    assert mean.grad is not None
    torch.testing.assert_close(mean.grad, torch.tensor([[2.0], [-2.0], [2.0]]))  # d log π / du = 2 tanh(u)


def test_initial_policy_is_nearly_uniform() -> None:
    u = np.linspace(-8, 8, 20_001)
    log_normal = -0.5 * (u / INITIAL_STD) ** 2 - math.log(INITIAL_STD * math.sqrt(2 * math.pi))
    log_density_of_action = log_normal - np.log1p(-(np.tanh(u) ** 2) + 1e-300)
    entropy = -np.trapezoid(np.exp(log_normal) * log_density_of_action, u)
    assert math.log(2) - 0.02 < entropy < math.log(2)


def test_deviation_is_bounded_on_both_sides() -> None:
    low, high = LOG_STD_BOUNDS
    assert math.exp(low) > 0.0
    assert math.exp(high) < 10.0
