"""The pieces of Trust Region Policy Optimisation do what their equations say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sac_control.algorithms.trpo import gaussian
from sac_control.algorithms.trpo.conjugate_gradient import conjugate_gradient
from sac_control.algorithms.trpo.generalised_advantage import generalised_advantages
from sac_control.algorithms.trpo.hessian_vector_product import flat, hessian_vector_product
from sac_control.algorithms.trpo.line_search import line_search
from sac_control.algorithms.trpo.networks import Policy, ValueFunction
from sac_control.algorithms.trpo.trust_region import TrustRegion
from sac_control.algorithms.trpo.value_fit import explained_variance, fit_value


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=generator(seed))


# Gaussians


def test_density_integrates_to_one_over_all_numbers() -> None:
    u = torch.linspace(-20.0, 20.0, 100_001, dtype=torch.float64)[:, None]
    for mean, log_std in ((0.0, 0.0), (3.0, 0.5), (-0.7, -3.0)):
        density = gaussian.log_prob(u, torch.full_like(u, mean), torch.full_like(u, log_std)).exp()
        assert torch.trapezoid(density, u[:, 0]).item() == pytest.approx(1.0, abs=1e-6)


def test_log_prob_entropy_and_divergence_are_those_of_torch_and_have_no_trailing_axis() -> None:
    u, mean, other_mean = (normal(7, 3, seed=k) for k in range(3))
    log_std, other_log_std = 0.4 * normal(7, 3, seed=3) - 0.5, 0.4 * normal(7, 3, seed=4) - 0.5
    one, other = (
        torch.distributions.Independent(torch.distributions.Normal(m, s.exp()), 1)
        for m, s in ((mean, log_std), (other_mean, other_log_std))
    )
    torch.testing.assert_close(gaussian.log_prob(u, mean, log_std), one.log_prob(u))
    torch.testing.assert_close(gaussian.entropy(log_std), one.entropy())
    torch.testing.assert_close(
        gaussian.kl(mean, log_std, other_mean, other_log_std), torch.distributions.kl_divergence(one, other)
    )


def test_divergence_and_entropy_are_the_integrals_that_define_them() -> None:
    u = torch.linspace(-20.0, 20.0, 100_001, dtype=torch.float64)[:, None]
    old, new = ((0.3, -0.4), (-0.2, 0.1))

    def log_density(parameters: tuple[float, float]) -> Tensor:
        mean, log_std = parameters
        return gaussian.log_prob(u, torch.full_like(u, mean), torch.full_like(u, log_std))

    def of(parameters: tuple[float, float]) -> tuple[Tensor, Tensor]:
        mean, log_std = torch.tensor([parameters], dtype=torch.float64).T[..., None]
        return mean, log_std

    p, q = log_density(old), log_density(new)
    divergence = torch.trapezoid(p.exp() * (p - q), u[:, 0])
    torch.testing.assert_close(gaussian.kl(*of(old), *of(new)), divergence[None])
    torch.testing.assert_close(gaussian.entropy(of(old)[1]), -torch.trapezoid(p.exp() * p, u[:, 0])[None])


# advantages


def advantages(
    *,
    reward: Any = (1.0, 2.0, 3.0, 4.0),
    value: Any = (10.0, 20.0, 30.0, 40.0),
    next_value: Any = (20.0, 30.0, 40.0, 50.0),
    terminated: Any = (False, False, False, False),
    goes_on: Any = (True, True, True, False),
    gamma: float = 0.5,
    lam: float = 0.5,
) -> list[float]:
    rewards, values, next_values = (np.array(each, np.float64) for each in (reward, value, next_value))
    ends, follows = (np.array(each, bool) for each in (terminated, goes_on))
    result: list[float] = generalised_advantages(
        rewards, values, next_values, ends, follows, gamma=gamma, lam=lam
    ).tolist()
    return result


def test_four_steps_by_hand() -> None:
    # δ = r + ½ V' - V = (1 + 10 - 10, 2 + 15 - 20, 3 + 20 - 30, 4 + 25 - 40) = (1, -3, -7, -11), and γλ = ¼
    expected = [1 - 3 / 4 - 7 / 16 - 11 / 64, -3 - 7 / 4 - 11 / 16, -7 - 11 / 4, -11.0]
    assert advantages() == pytest.approx(expected, abs=1e-12)


def test_termination_leaves_nothing_to_come_and_ends_the_sum() -> None:
    # δ_1 = 2 + 0 - 20 = -18
    expected = [1 - 18 / 4, -18.0, -7 - 11 / 4, -11.0]
    assert advantages(terminated=(False, True, False, False)) == pytest.approx(expected, abs=1e-12)


def test_truncation_and_a_missing_step_end_the_sum_but_not_what_is_to_come() -> None:
    # the trace is cut after step 1, whose δ is still 2 + 15 - 20 = -3
    expected = [1 - 3 / 4, -3.0, -7 - 11 / 4, -11.0]
    assert advantages(goes_on=(True, False, True, False)) == pytest.approx(expected, abs=1e-12)


def test_lambda_0_is_the_error_of_one_step() -> None:
    assert advantages(lam=0.0) == pytest.approx([1.0, -3.0, -7.0, -11.0], abs=1e-12)


def test_lambda_1_is_the_return_less_the_value() -> None:
    # with V(s_{t+1}) = next_value[t] = value[t + 1], the values between telescope
    returns = [1 + 2 / 2 + 3 / 4 + 4 / 8 + 50 / 16, 2 + 3 / 2 + 4 / 4 + 50 / 8, 3 + 4 / 2 + 50 / 4, 4 + 50 / 2]
    expected = [total - value for total, value in zip(returns, (10.0, 20.0, 30.0, 40.0), strict=True)]
    assert advantages(lam=1.0) == pytest.approx(expected, abs=1e-12)


def test_values_that_are_right_leave_no_advantage_through_truncations() -> None:
    """V = 1 / (1 - γ) where each step earns 1 for ever, however often the episode is cut off."""
    gamma, count = 0.9, 30
    value = [1.0 / (1.0 - gamma)] * count
    goes_on = [(t + 1) % 7 != 0 for t in range(count - 1)] + [False]
    for lam in (0.0, 0.7, 1.0):
        got = advantages(
            reward=[1.0] * count,
            value=value,
            next_value=value,
            terminated=[False] * count,
            goes_on=goes_on,
            gamma=gamma,
            lam=lam,
        )
        np.testing.assert_allclose(got, 0.0, atol=1e-12)


# conjugate gradients and Hessians


def positive_definite(size: int) -> Tensor:
    root = normal(size, size)
    return root @ root.T + 0.1 * torch.eye(size, dtype=torch.float64)


def test_conjugate_gradient_is_exact_after_as_many_iterations_as_there_are_unknowns() -> None:
    matrix, b = positive_definite(6), normal(6, seed=1)
    x = conjugate_gradient(lambda v: matrix @ v, b, iterations=6, tolerance=0.0)
    torch.testing.assert_close(x, torch.linalg.solve(matrix, b), rtol=1e-7, atol=1e-9)


def test_conjugate_gradient_comes_nearer_with_each_iteration_and_stops_when_it_is_near_enough() -> None:
    matrix, b = positive_definite(6), normal(6, seed=1)
    asked = []

    def product(v: Tensor) -> Tensor:
        asked.append(v)
        return matrix @ v

    solution = torch.linalg.solve(matrix, b)
    errors = []
    for iterations in range(7):
        error = conjugate_gradient(product, b, iterations=iterations) - solution
        errors.append(float(error @ matrix @ error))  # in the norm that it minimises
    assert errors == sorted(errors, reverse=True)
    asked.clear()
    conjugate_gradient(product, b, iterations=1000)
    assert len(asked) < 20
    assert conjugate_gradient(product, torch.zeros(6), iterations=10).tolist() == [0.0] * 6  # and not 0 / 0


def test_product_with_the_hessian_is_that_with_the_explicit_one() -> None:
    x = normal(3).requires_grad_()
    coupling = normal(3, 3, seed=1)

    def f(x: Tensor) -> Tensor:
        return (x @ coupling @ x).sin() + x.pow(4).sum()

    hessian = torch.autograd.functional.hessian(f, x.detach())
    v = normal(3, seed=2)
    torch.testing.assert_close(hessian_vector_product(f(x), [x])(v), hessian @ v)
    damped = hessian_vector_product(f(x), [x], damping=0.3)
    torch.testing.assert_close(damped(v), hessian @ v + 0.3 * v)
    torch.testing.assert_close(damped(2.0 * v), 2.0 * damped(v))  # it may be asked again


def tiny_policy(seed: int = 0) -> Policy:
    """Two observations, one hidden layer of three, one action; its weights are random everywhere."""
    policy = Policy(2, (3,), 1, initial_std=0.6).double()
    with torch.no_grad():
        for k, parameter in enumerate(policy.parameters()):
            parameter.copy_(0.7 * normal(*parameter.shape, seed=10 * seed + k))
    return policy


def test_hessian_of_the_divergence_of_a_tiny_network_is_its_fisher_matrix() -> None:
    """Of a Gaussian: Σ_b ∇μ ∇μᵀ / σ² / n, and 2 for log σ."""
    policy, observation = tiny_policy(), normal(20, 2, seed=5)
    parameters = list(policy.parameters())
    mean, log_std = policy(observation)
    value = gaussian.kl(mean.detach(), log_std.detach(), mean, log_std).mean()
    product = hessian_vector_product(value, parameters)
    size = sum(parameter.numel() for parameter in parameters)
    rows = torch.stack([product(unit) for unit in torch.eye(size, dtype=torch.float64)])
    torch.testing.assert_close(rows, rows.T)

    fisher = torch.zeros_like(rows)
    for one in mean[:, 0]:
        slope = torch.autograd.grad(one, parameters, retain_graph=True, allow_unused=True)
        column = flat([torch.zeros_like(p) if s is None else s for s, p in zip(slope, parameters, strict=True)])
        fisher += torch.outer(column, column) / (2.0 * log_std[0, 0]).exp() / len(mean)
    place = [name for name, _ in policy.named_parameters()].index("log_std")
    place = sum(parameter.numel() for parameter in parameters[:place])
    fisher[place, place] = 2.0
    torch.testing.assert_close(rows, fisher.detach())


# line search


def test_line_search_takes_the_longest_step_that_improves_within_the_bound() -> None:
    asked = []

    def evaluate(fraction: float) -> tuple[float, float]:
        asked.append(fraction)
        return fraction * (1.0 - fraction), fraction**2  # best at ½

    found = line_search(evaluate, max_kl=0.2, steps=10, shrinkage=0.5)
    assert asked == [0.0, 1.0, 0.5, 0.25]
    assert (found.fraction, found.surrogate, found.kl) == (0.25, 0.1875, 0.0625)
    assert line_search(evaluate, max_kl=0.3, steps=10, shrinkage=0.5).fraction == 0.5


@pytest.mark.parametrize(
    ("surrogate", "kl"), [(-1.0, 0.0), (0.0, 0.0), (1.0, 0.3), (math.nan, 0.0), (1.0, math.nan), (math.inf, math.inf)]
)
def test_line_search_goes_nowhere_where_nothing_improves_within_the_bound(surrogate: float, kl: float) -> None:
    asked = []

    def evaluate(fraction: float) -> tuple[float, float]:
        asked.append(fraction)
        return (surrogate, kl) if fraction else (0.0, 0.0)

    found = line_search(evaluate, max_kl=0.2, steps=5)
    assert (found.fraction, found.surrogate, found.kl) == (0.0, 0.0, 0.0)
    assert len(asked) == 6


# the step of the policy


def region(**changes: Any) -> TrustRegion:
    return TrustRegion(**{"max_kl": 1e-3, "damping": 0.0, "cg_iterations": 50, "line_search_steps": 20, **changes})


def chosen(policy: Policy, count: int = 500) -> tuple[Tensor, Tensor, Tensor]:
    """Observations, what the policy chose, and an advantage of what is large."""
    observation = normal(count, 2, seed=7)
    with torch.no_grad():
        mean, log_std = policy(observation)
    u = mean + log_std.exp() * normal(count, 1, seed=8)
    return observation, u, u[:, 0] - u.mean()


def test_step_improves_the_surrogate_and_keeps_to_the_bound() -> None:
    policy = tiny_policy()
    data = chosen(policy)
    old = policy(data[0])
    found = region().improve(policy, *data)
    new = policy(data[0])
    assert found.fraction > 0.0
    assert found.surrogate > 0.0
    assert 0.0 < found.kl <= 1e-3
    assert float(gaussian.kl(*old, *new).mean().detach()) == pytest.approx(found.kl, rel=1e-9)
    assert float((new[0] - old[0]).mean().detach()) > 0.0  # towards what was better


def test_full_step_of_a_small_region_has_the_divergence_that_is_allowed() -> None:
    """The quadratic model is exact in the limit: ½ xᵀFx = δ."""
    policy = tiny_policy()
    data = chosen(policy)
    start = flat(list(policy.parameters())).detach().clone()
    found = region(max_kl=1e-6, line_search_steps=1).improve(policy, *data)
    if not found.fraction:  # rounded to just above the bound
        torch.nn.utils.vector_to_parameters(start, policy.parameters())
        found = region(max_kl=1e-6, line_search_steps=2).improve(policy, *data)
        assert found.kl == pytest.approx(0.49e-6, rel=0.02)  # 0.7²
    else:
        assert found.kl == pytest.approx(1e-6, rel=0.02)


def test_step_goes_along_the_natural_gradient() -> None:
    policy = tiny_policy()
    data = chosen(policy)
    parameters = list(policy.parameters())
    start = flat(parameters).detach().clone()
    damping = 1e-3
    old = [each.detach() for each in policy(data[0])]
    product = hessian_vector_product(gaussian.kl(*old, *policy(data[0])).mean(), parameters, damping=damping)
    matrix = torch.stack([product(unit) for unit in torch.eye(len(start), dtype=torch.float64)])
    gradient = flat(torch.autograd.grad((gaussian.log_prob(data[1], *policy(data[0])) * data[2]).mean(), parameters))
    natural = torch.linalg.solve(matrix, gradient)
    region(max_kl=1e-6, damping=damping).improve(policy, *data)
    step = flat(parameters).detach() - start
    assert float(nn.functional.cosine_similarity(step, natural, dim=0)) == pytest.approx(1.0, abs=1e-6)


def test_policy_without_anything_to_gain_stays_as_it_is() -> None:
    policy = tiny_policy()
    observation, u, _ = chosen(policy)
    before = flat(list(policy.parameters())).detach().clone()
    found = region().improve(policy, observation, u, torch.zeros(len(u), dtype=torch.float64))
    assert (found.fraction, found.kl) == (0.0, 0.0)
    torch.testing.assert_close(flat(list(policy.parameters())).detach(), before, rtol=0.0, atol=0.0)


# networks and values


def test_networks_are_the_same_functions_when_observations_are_normalised_by_other_statistics() -> None:
    observation = 5.0 * normal(50, 2) + 3.0
    one = torch.tensor([1.0, -2.0], dtype=torch.float64), torch.tensor([0.5, 4.0], dtype=torch.float64)
    other = torch.tensor([3.0, 2.5], dtype=torch.float64), torch.tensor([5.0, 0.01], dtype=torch.float64)
    policy = tiny_policy()
    mean, _ = policy((observation - one[0]) / one[1])
    policy.renormalise(*one, *other)
    again, _ = policy((observation - other[0]) / other[1])
    torch.testing.assert_close(again, mean)


def test_network_that_is_the_same_everywhere_keeps_its_first_layer_for_normalised_observations() -> None:
    policy = Policy(2, (8,), 1, initial_std=0.5)
    first = next(policy.parameters()).detach().clone()
    policy.renormalise(torch.zeros(2), torch.ones(2), torch.ones(2), torch.full((2,), 0.01))
    torch.testing.assert_close(next(policy.parameters()).detach(), first)
    assert not policy(torch.randn(5, 2))[0].any()


def test_values_stay_what_they_are_when_the_scale_changes() -> None:
    value = ValueFunction(2, (8,)).double()
    with torch.no_grad():
        for k, parameter in enumerate(value.parameters()):
            parameter.copy_(normal(*parameter.shape, seed=k))
    observation = normal(20, 2)
    before = value(observation)
    value.rescale(100.0 * normal(30) + 500.0)
    torch.testing.assert_close(value(observation), before)
    value.rescale(torch.full((30,), 7.0, dtype=torch.float64))  # of no deviation
    torch.testing.assert_close(value(observation), before)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_value_function_learns_returns_of_any_size_at_the_same_rate(scale: float) -> None:
    torch.manual_seed(0)
    value = ValueFunction(2, (32,))
    optimiser = torch.optim.Adam(value.parameters(), lr=3e-3)
    observation = normal(512, 2).float()
    target = scale * (3.0 + observation[:, 0] - observation[:, 1].abs())
    assert explained_variance(value(observation), target) == pytest.approx(0.0, abs=1e-5)
    loss = fit_value(
        value,
        optimiser,
        observation,
        target,
        epochs=40,
        minibatch_size=64,
        generator=np.random.default_rng(0),
    )
    assert loss < 0.05
    assert explained_variance(value(observation), target) > 0.95
