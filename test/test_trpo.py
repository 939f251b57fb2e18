"""Trust Region Policy Optimisation learns from what the policy in force did, from all of it, and from nothing else."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
import torch

from sac_control.algorithms.algorithm import Use
from sac_control.algorithms.trpo.rollout import Rollout
from sac_control.algorithms.trpo.trpo import Trpo
from sac_control.algorithms.trpo.trpo_config import TrpoConfig
from sac_control.errors import RunError, TransitionError
from sac_control.policy.policy import Policy
from sac_control.types import Float32Array, Origin, Transition

VERSION = 1
OBSERVATIONS: Float32Array = np.random.default_rng(0).normal(0.0, 2.0, (50, 2)).astype(np.float32)


def trpo(*, seed: int = 0, **changes: Any) -> Trpo:
    """One that has published version 1."""
    values = {"hidden_sizes": (8,), "batch_size": 24, "value_minibatch_size": 8, **changes}
    algorithm = Trpo(TrpoConfig(**values), observation_size=2, action_size=1, seed=seed)
    algorithm.publish(VERSION)
    return algorithm


def transition(sequence: int, **changes: Any) -> Transition:
    """One of episodes of ten steps, the even ones truncated, the odd ones terminated."""
    random = np.random.default_rng(sequence)
    observation, next_observation = random.normal(1.0, 3.0, size=(2, 2)).astype(np.float32)
    raw = random.normal(size=1).astype(np.float32)
    values: dict[str, Any] = {
        "source": 1,
        "sequence": sequence,
        "episode": sequence // 10,
        "step": sequence % 10,
        "stamp": sequence,
        "policy_version": VERSION,
        "observation": observation,
        "action": raw.clip(-1.0, 1.0),
        "action_raw": raw,
        "reward": float(random.normal()),
        "next_observation": next_observation,
        "terminated": sequence % 20 == 19,
        "truncated": sequence % 20 == 9,
    }
    return Transition(**(values | changes))


def batch(start: int = 0, count: int = 24, **changes: Any) -> list[Transition]:
    return [transition(sequence, **changes) for sequence in range(start, start + count)]


def fed(algorithm: Trpo, transitions: Iterable[Transition]) -> Trpo:
    """The same after these, and an update."""
    for each in transitions:
        assert algorithm.accept(each) is Use.LEARNT
    algorithm.update(1)
    return algorithm


def assert_same(one: Trpo, other: Trpo) -> None:
    first, second = one.state(), other.state()
    assert first.numbers == second.numbers
    assert first.arrays.keys() == second.arrays.keys()
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(second.arrays[name], array, err_msg=name)


# what counts


def test_rewards_below_the_floor_count_as_the_floor() -> None:
    """A fall that costs a hundred teaches to stand still."""
    falls = [dataclasses.replace(each, reward=-100.0) if each.terminated else each for each in batch()]
    floored = fed(trpo(reward_floor=-10.0), falls)
    assert_same(floored, fed(trpo(), [dataclasses.replace(each, reward=max(each.reward, -10.0)) for each in falls]))
    assert not np.array_equal(
        floored.state().arrays["policy.log_std"], fed(trpo(), falls).state().arrays["policy.log_std"]
    )


def test_batch_is_welcome_until_it_is_full_and_then_an_update_is_owed() -> None:
    algorithm = trpo()
    for count, each in enumerate(batch()):
        assert (algorithm.welcome, algorithm.updates_owed, algorithm.kept) == (24 - count, 0, count)
        algorithm.accept(each)
    assert (algorithm.welcome, algorithm.updates_owed, algorithm.kept) == (0, 1, 24)
    algorithm.update(1)
    assert (algorithm.welcome, algorithm.updates_owed, algorithm.updates, algorithm.kept) == (24, 0, 1, 0)


def test_only_what_was_published_since_the_last_update_counts() -> None:
    algorithm = trpo()
    assert not algorithm.is_publication_due
    fed(algorithm, batch())
    assert algorithm.is_publication_due
    assert algorithm.accept(transition(24)) is Use.STALE  # of weights that the update has replaced
    algorithm.publish(2)
    assert not algorithm.is_publication_due
    assert algorithm.accept(transition(25)) is Use.STALE
    assert algorithm.accept(transition(26, policy_version=3)) is Use.STALE
    assert algorithm.accept(transition(27, policy_version=0)) is Use.STALE
    assert algorithm.accept(transition(28, policy_version=2)) is Use.LEARNT
    assert algorithm.kept == 1
    fed(algorithm, batch(30, 23, policy_version=2))
    assert algorithm.metrics()["stale"] == 4.0


def test_versions_published_without_an_update_between_are_the_same_policy_and_all_count() -> None:
    algorithm = trpo()
    one, other = algorithm.publish(2), algorithm.publish(5)
    for first, second in zip(one.layers, other.layers, strict=True):
        np.testing.assert_array_equal(first[0], second[0])
        np.testing.assert_array_equal(first[1], second[1])
    for version, expected in ((1, Use.LEARNT), (2, Use.LEARNT), (3, Use.STALE), (5, Use.LEARNT)):
        assert algorithm.accept(transition(version, policy_version=version)) is expected


@pytest.mark.parametrize(
    "changes",
    [
        {"action": np.zeros(1, np.float32), "action_raw": np.full(1, 0.7, np.float32)},
        {"action": np.full(1, 0.9, np.float32), "action_raw": np.full(1, 1.5, np.float32)},
        {"origin": Origin.TAKEOVER},
        {"origin": Origin.RESET},
    ],
)
def test_action_that_a_limit_or_a_person_changed_teaches_nothing_and_is_counted(changes: dict[str, Any]) -> None:
    good, place = batch(), 13
    bad = dataclasses.replace(good[place], **changes)
    rich = dataclasses.replace(bad, reward=1e6)  # whoever earned it, the policy has no part in it
    one, other = (fed(trpo(), [*good[:place], each, *good[place + 1 :]]) for each in (bad, rich))
    assert_same(one, other)
    assert one.metrics()["limited"] == 1.0
    assert fed(trpo(), good).metrics()["limited"] == 0.0


def test_sample_beyond_one_that_was_clipped_counts_as_it_was_drawn() -> None:
    raw = np.array([3.0], np.float32)
    rollout = Rollout(2, 1)
    rollout.add(transition(0, action=raw.clip(-1.0, 1.0), action_raw=raw))
    steps = rollout.steps()
    assert steps.is_usable.tolist() == [True]
    assert steps.action_raw.tolist() == [[3.0]]


def test_batch_of_nothing_but_limited_actions_leaves_the_policy_as_it_is() -> None:
    algorithm = trpo(normalise_observations=False)
    before = algorithm.publish(2)
    fed(algorithm, batch(origin=Origin.TAKEOVER))
    after = algorithm.publish(3)
    for first, second in zip(before.layers, after.layers, strict=True):
        np.testing.assert_array_equal(first[0], second[0])
    assert math.isnan(algorithm.metrics()["surrogate"])
    assert algorithm.metrics()["limited"] == 24.0


# order


def goes_on(transitions: Iterable[Transition]) -> list[bool]:
    rollout = Rollout(2, 1)
    for each in transitions:
        rollout.add(each)
    return [bool(each) for each in rollout.steps().goes_on]


def test_trace_goes_on_within_an_episode_and_ends_with_it() -> None:
    expected = [True] * 9 + [False] + [True] * 9 + [False] + [True] * 3 + [False]
    assert goes_on(batch()) == expected


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: rows.pop(3),
        lambda rows: rows.insert(3, dataclasses.replace(rows[3], origin=Origin.TAKEOVER)) or rows.pop(4),
        lambda rows: [rows.append(dataclasses.replace(each, episode=7)) for each in [rows.pop() for _ in range(4)]],
    ],
)
def test_trace_is_cut_where_a_step_is_missing_changed_or_of_another_episode(spoil: Callable[[Any], object]) -> None:
    rows = batch(count=7)
    spoil(rows)
    following = goes_on(rows)
    assert following[2] is False
    assert following[0] is True


def test_sources_do_not_go_on_from_one_another() -> None:
    rows = [*batch(count=3), *(dataclasses.replace(each, source=2) for each in batch(3, count=3))]
    assert goes_on(rows) == [True, True, False, True, True, False]


def test_order_of_arrival_does_not_matter() -> None:
    late = batch()
    late.insert(20, late.pop(4))
    late.insert(0, late.pop(9))
    assert_same(fed(trpo(), batch()), fed(trpo(), late))


# what is refused


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"observation": np.zeros(3, np.float32)}, r"observation of a transition has shape \(3,\), expected \(2,\)"),
        ({"next_observation": np.zeros(1, np.float32)}, "next_observation of a transition has shape"),
        ({"action": np.zeros(2, np.float32)}, r"action of a transition has shape \(2,\), expected \(1,\)"),
        ({"action_raw": np.zeros(0, np.float32)}, r"action_raw of a transition has shape \(0,\), expected \(1,\)"),
        ({"reward": math.nan}, "holds a value that is not finite"),
        ({"action_raw": np.full(1, np.inf, np.float32)}, "holds a value that is not finite"),
        ({"observation": np.array([np.nan, 0.0], np.float32)}, "holds a value that is not finite"),
        ({"action": np.full(1, 1.1, np.float32)}, r"has the action \[1.1\d*\], expected values in \[-1, 1\]"),
    ],
)
@pytest.mark.parametrize("version", [VERSION, 9])
def test_transition_that_cannot_be_learnt_from_is_refused_and_leaves_no_trace(
    changes: dict[str, Any], complaint: str, version: int
) -> None:
    algorithm = trpo()
    with pytest.raises(TransitionError, match=complaint):
        algorithm.accept(transition(0, policy_version=version, **changes))
    assert algorithm.kept == 0


def test_update_without_a_transition_is_refused() -> None:
    with pytest.raises(ValueError, match="accept some first"):
        trpo().update(1)


# the policy


def acts(algorithm: Trpo, version: int) -> Float32Array:
    policy = Policy(algorithm.publish(version))
    return np.stack([policy.act(observation) for observation in OBSERVATIONS])


def test_published_actor_is_the_policy() -> None:
    algorithm = fed(trpo(max_kl=1.0), batch())
    actor = algorithm.publish(2)
    with torch.no_grad():
        mean, log_std = algorithm.policy(algorithm._normalised(OBSERVATIONS))
    actions = acts(algorithm, 3)
    np.testing.assert_allclose(actions, mean.numpy(), rtol=0.0, atol=1e-5)
    assert actions.std() > 1e-3
    assert actor.distribution == "gaussian"
    policy, noise = Policy(actor), np.random.default_rng(4)
    drawn = np.random.default_rng(4).standard_normal((len(OBSERVATIONS), 1), np.float32)
    samples = np.stack([policy.act(observation, noise) for observation in OBSERVATIONS])
    np.testing.assert_allclose(samples, (mean + log_std.exp() * torch.from_numpy(drawn)).numpy(), rtol=0.0, atol=1e-5)


def test_new_statistics_do_not_change_the_policy() -> None:
    """Without rewards there is nothing to learn, and an update only looks at the observations again."""
    algorithm = trpo()
    with torch.no_grad():
        algorithm.policy.last.weight.normal_(generator=torch.Generator().manual_seed(0))
    before = acts(algorithm, 2)
    fed(algorithm, batch(reward=0.0))
    np.testing.assert_allclose(acts(algorithm, 3), before, rtol=1e-4, atol=1e-5)
    assert abs(algorithm.normaliser.mean[0]) > 0.1
    assert before.std() > 0.1


def test_policy_begins_with_the_same_wide_distribution_everywhere() -> None:
    algorithm = trpo(initial_std=0.7)
    assert not acts(algorithm, 2).any()
    assert float(algorithm.policy.log_std.detach().exp()) == pytest.approx(0.7)


def test_metrics_have_the_names_that_are_promised() -> None:
    algorithm = trpo()
    assert algorithm.metrics() == {}
    fed(algorithm, batch())
    metrics = algorithm.metrics()
    assert tuple(metrics) == algorithm.metric_names
    assert all(math.isfinite(value) for value in metrics.values())
    assert 0.0 <= metrics["kl"] <= 0.01
    assert 0.0 <= metrics["step_fraction"] <= 1.0


def test_same_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one, other, third = (fed(trpo(seed=seed), batch()) for seed in (1, 1, 2))
    assert_same(one, other)
    assert acts(one, 2).tolist() != acts(third, 2).tolist()
    assert torch.equal(torch.random.get_rng_state(), before)  # nobody else's numbers are used up


# saving


def test_restored_training_continues_to_the_last_bit() -> None:
    one = fed(trpo(), batch())
    one.publish(2)
    one.accept(transition(24, policy_version=2))  # of a batch begun, which is not saved
    state = one.state()
    other = trpo(seed=9)
    other.restore(state.arrays | {"other": np.zeros(1)}, state.numbers | {"other": 0})
    assert (other.updates, other.kept) == (1, 0)
    assert_same(one, other)
    again = trpo(seed=9)
    again.restore(state.arrays, state.numbers)
    for each in (other, again):  # versions 2 and 3 are the same weights
        each.publish(3)
        fed(each, [*batch(30, 10, policy_version=2), *batch(40, 14, policy_version=3)])
    assert_same(other, again)


def test_saved_state_is_a_copy() -> None:
    algorithm = trpo()
    state = algorithm.state()
    kept = {name: array.copy() for name, array in state.arrays.items()}
    fed(algorithm, batch())
    for name, array in state.arrays.items():
        np.testing.assert_array_equal(array, kept[name], err_msg=name)


def test_state_of_other_sizes_or_of_another_algorithm_is_refused_and_changes_nothing() -> None:
    algorithm, larger = trpo(), trpo(hidden_sizes=(9,))
    before = algorithm.state()
    with pytest.raises(RunError, match=r"learner state 'policy.hidden.0.weight' is \(9, 2\), expected \(8, 2\)"):
        algorithm.restore(larger.state().arrays, larger.state().numbers)
    lacking = {name: array for name, array in before.arrays.items() if name != "value.last.bias"}
    with pytest.raises(RunError, match=r"learner state lacks 'value.last.bias'"):
        algorithm.restore(lacking, before.numbers)
    assert_same(algorithm, trpo())


# divergence


def test_diverged_update_is_rolled_back_to_the_publication_and_its_transitions_are_collected_anew() -> None:
    algorithm = trpo()
    fed(algorithm, batch())
    algorithm.publish(2)
    sound = algorithm.state()
    assert algorithm.is_finite()
    fed(algorithm, batch(30, policy_version=2))
    with torch.no_grad():
        algorithm.value.last.bias.fill_(math.nan)
    assert not algorithm.is_finite()
    assert algorithm.roll_back()
    assert algorithm.is_finite()
    for name, array in algorithm.state().arrays.items():
        np.testing.assert_array_equal(array, sound.arrays[name], err_msg=name)
    assert (algorithm.step_scale, algorithm.updates, algorithm.kept) == (0.5, 2, 0)
    assert not algorithm.is_publication_due  # the policy node runs version 2, which is what was returned to
    assert algorithm.accept(transition(60, policy_version=2)) is Use.LEARNT


def test_steps_are_halved_at_each_rollback_down_to_a_least_size() -> None:
    algorithm = trpo()
    assert [algorithm.roll_back() for _ in range(8)] == [True] * 6 + [False] * 2
    assert algorithm.step_scale == 1 / 64
    restored = trpo()
    restored.restore(algorithm.state().arrays, algorithm.state().numbers)
    assert restored.step_scale == 1 / 64


def test_rewards_without_measure_are_found_out_before_anything_is_published() -> None:
    algorithm = fed(trpo(), batch(reward=1e38))
    assert not algorithm.is_finite()
    algorithm.roll_back()
    assert algorithm.is_finite()
    assert np.isfinite(acts(algorithm, 2)).all()
