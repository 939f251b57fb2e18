"""Which test keeps which known bug out, and which proves which piece of mathematics. Each test named here exists.

| bug, and where it was found | kept out by |
|---|---|
| entropy of the next action not masked by termination (stable-baselines3 #76) | test_sac_losses.test_termination_masks_value_and_entropy_of_what_follows |
| entropy of the next action missing from the target (rlkit #43, ray PR #6295) | test_sac_losses.test_entropy_of_the_next_action_is_in_the_target |
| least of the critics missing from a loss (ray PR #6295) | test_sac_losses.test_actor_loss_equals_the_hand_computed_one |
| one optimiser for several networks (ray PR #6295) | test_sac_losses.test_loss_gradients_stay_with_their_own_network |
| log-probability not summed over the action's dimensions (tianshou #40) | test_sac_squashed_gaussian.test_log_prob_of_several_dimensions_is_their_sum_and_has_no_trailing_axis |
| (b,) against (b, 1) broadcast to (b, b) (CleanRL #379, PR #383, PR #486) | test_sac_losses.test_losses_do_not_broadcast_rows_against_rows |
| the same, in the first SAC | test_sac_v1.test_losses_do_not_broadcast_rows_against_rows |
| action scale ignored or doubled in the log-probability (tianshou #588) | test_sac_squashed_gaussian.test_density_integrates_to_one_over_the_action_range |
| works for limits of 1 and for no others (philtabor Youtube-Code-Repository #65) | test_sac_known_bugs.test_an_effort_limit_scales_the_effort_once_and_nothing_else |
| actions that are not normalised enter the buffer | test_sac_replay_buffer.test_a_bad_transition_is_refused_and_leaves_no_trace |
| log(1 - a²) of a scaled action is NaN (ALL #139, philtabor Actor-Critic-Methods #7) | test_sac_squashed_gaussian.test_saturated_actions_keep_a_finite_log_prob_and_gradient |
| target entropy squared, or without the dimensions (ml-agents PR #5372, TorchRL PR #3291) | test_sac_learner.test_target_entropy_is_per_dimension_times_dimensions |
| the same, as what comes out | test_sac_gsde.test_temperature_brings_the_entropy_of_the_whole_action_to_its_target |
| time limit taken for an end (stable-baselines3 #284, CleanRL #198, skrl #363, haarnoja/sac #30) | test_sac_learner.test_truncation_does_not_end_the_future_and_termination_does |
| the same, in the first SAC | test_sac_v1.test_truncation_does_not_end_the_future_and_termination_does |
| the same, in the buffer | test_sac_replay_buffer.test_a_batch_holds_each_field_of_a_transition_and_counts_truncation_as_no_end |
| losses of one update on different batches (skrl PR #208) | test_sac_learner.test_one_update_uses_one_batch_for_temperature_critics_and_actor |
| several updates on the same batch | test_sac_replay_buffer.test_batches_drawn_together_differ |
| a buffer that keeps no next observation loses that of a truncation (stable-baselines3 refuses the two together) | test_sac_known_bugs.test_next_observation_of_a_truncation_is_its_own_and_not_the_next_start |
| NaN of a terminal next observation reaches the loss (TorchRL) | test_sac_losses.test_nothing_leaks_out_of_a_terminal_next_observation |
| targets that carry a gradient (SAC tutorial of philtabor) | test_sac_losses.test_loss_gradients_stay_with_their_own_network |
| deviation clamped so tightly that it collapses, for want of a gradient (the same) | test_sac_known_bugs.test_a_deviation_far_from_the_right_one_finds_back |
| target network copied instead of averaged (the same) | test_sac_learner.test_targets_follow_the_critics_by_tau_and_by_nothing_else |
| noise that updates repeat, there in a captured graph (pytorch/rl PR #4143) | test_sac_learner.test_noise_of_updates_is_standard_normal_and_related_to_no_other |

Bootstrap lost at a truncation within n steps (FastTD3): there are no n-step returns here.

| mathematics | proven by |
|---|---|
| losses by hand on two rows | test_sac_losses.test_critic_loss_equals_the_hand_computed_one |
| the same: temperature | test_sac_losses.test_alpha_loss_equals_the_hand_computed_one |
| the same: the first SAC, equation 5 | test_sac_v1.test_value_loss_equals_the_hand_computed_one_of_equation_5 |
| the same: the first SAC, equation 7 | test_sac_v1.test_critic_loss_equals_the_hand_computed_one_of_equation_7 |
| ∫ exp(log π) da = 1 | test_sac_squashed_gaussian.test_density_integrates_to_one_over_the_action_range |
| the same: state-dependent exploration | test_sac_gsde.test_density_of_the_actions_integrates_to_one_over_their_range |
| π* ∝ exp(r / α) of a bandit | test_sac_learner.test_policy_of_a_one_step_bandit_is_the_boltzmann_distribution_of_its_rewards |
| π* ∝ exp(scale · r), V* = log ∫ exp(scale · r) | test_sac_v1.test_policy_of_a_one_step_bandit_is_the_boltzmann_distribution_of_its_scaled_rewards |
| V = 1 / (1 - γ) through truncations | test_sac_learner.test_truncation_does_not_end_the_future_and_termination_does |
| the entropy reaches its target, α = 2 σ² | test_sac_losses.test_temperature_moves_entropy_to_its_target |
| explored actions have the losses' distribution | test_sac_gsde.test_explored_actions_over_many_matrices_have_the_deviation_of_the_losses |
| values are those of networks written out | test_sac_networks.test_values_are_those_of_plain_networks_with_one_output_each |
| a step of Adam, with a clipped gradient | test_sac_networks.test_a_step_is_that_of_adam_with_the_gradient_scaled_down_to_the_limit |
| same seed, same numbers | test_sac_training.test_same_seed_and_calls_give_the_same_numbers_and_another_seed_does_not |
| compiled updates equal autograd | test_sac_native_reference.test_fifty_updates_equal_those_by_autograd |
| updates on a GPU equal those on the CPU | test_sac_device.test_updates_on_the_gpu_are_those_on_the_cpu |
"""  # noqa: E501 - the rows of a table

from __future__ import annotations

import ast
import dataclasses
import itertools
import math
import re
from pathlib import Path

import numpy as np
import pytest

from learners import BACKENDS, kind_of, layout_of, through
from policies import SPECIFICATION, make_file
from sac_control.algorithms.replay_buffer import Batch, ReplayBuffer
from sac_control.algorithms.sac.sac_config import SacConfig
from sac_control.policy.controller import Controller
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.safety import Mode
from sac_control.types import JointState, Transition

TESTS = Path(__file__).resolve().parent
NAMED = re.findall(r"\b(test_\w+)\.(test_\w+) \|", __doc__ or "")


def test_the_tables_are_read() -> None:
    assert len(NAMED) == sum(line.startswith("| ") for line in (__doc__ or "").splitlines()) - 2


@pytest.mark.parametrize(("file", "name"), NAMED, ids=".".join)
def test_each_test_that_is_named_exists(file: str, name: str) -> None:
    tree = ast.parse((TESTS / f"{file}.py").read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("limit", [0.25, 3.0, 100.0])
def test_an_effort_limit_scales_the_effort_once_and_nothing_else(limit: float) -> None:
    states = [
        JointState(
            stamp=stamp, names=SPECIFICATION.joints, position=np.array([0.03, 0.01]), velocity=np.array([-0.04, 0.02])
        )
        for stamp in (1, 2, 3, 4)
    ]
    answers = []
    for each in (1.0, limit):
        clock = itertools.count(0.0, SPECIFICATION.control_period).__next__  # [s]
        # As on a robot, but for the age and the rate of states, whose stamps are none of a clock.
        config = PolicyConfig(deterministic=False, seed=3, check_stamps=False, period_error=100.0)
        controller = Controller(config, clock)
        specification = dataclasses.replace(SPECIFICATION, command_limit=(each,))
        controller.install(make_file(specification=specification))
        controller.activate()
        answer = [controller.answer(state) for state in states][-1]
        assert answer is not None
        assert controller.mode is Mode.ACTIVE  # armed by those before
        answers.append(answer)
    one, other = answers
    np.testing.assert_array_equal(one.action, other.action)
    assert abs(one.action.item()) <= 1.0
    np.testing.assert_allclose(other.command_raw, limit * one.action.astype(np.float64), rtol=1e-12)
    np.testing.assert_allclose(other.command, other.command_raw)


def test_next_observation_of_a_truncation_is_its_own_and_not_the_next_start() -> None:
    buffer = ReplayBuffer(capacity=10, observation_size=1, action_size=1, seed=0)
    for number in range(4):  # each an episode of one step, from 100 * number
        buffer.add(
            Transition(
                source=1, sequence=number, episode=number, step=0, stamp=number, policy_version=1,
                observation=np.array([100.0 * number], np.float32), action=np.zeros(1, np.float32), reward=0.0,
                next_observation=np.array([100.0 * number + 1.0], np.float32), terminated=False, truncated=True,
            )
        )  # fmt: skip
    batch = buffer.sample(200)
    np.testing.assert_array_equal(batch.next_observation, batch.observation + 1.0)
    assert not batch.terminated.any()


@pytest.mark.parametrize("start", [1e-3, 7.0])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_deviation_far_from_the_right_one_finds_back(backend: str, start: float) -> None:
    """Rewards that prefer nothing: the deviation that is left is the one whose squashed entropy is largest, 0.87."""
    config = SacConfig(
        hidden_sizes=(8,), batch_size=64, gamma=0.0, alpha=0.2, learn_alpha=False, actor_learning_rate=2e-2
    )
    sac = kind_of(backend)(config, observation_size=1, action_size=1, seed=0)
    state = sac.state()
    layout_of(sac).views(state["actor.parameters"])[-1][1] = math.log(start)
    sac.restore(state)
    rng, shape = np.random.default_rng(0), (1, 64)
    for _ in range(800):
        observation = np.zeros((*shape, 1), np.float32)
        sac.update(
            Batch(
                observation=observation,
                action=rng.uniform(-1.0, 1.0, (*shape, 1)).astype(np.float32),
                reward=np.zeros(shape, np.float32),
                next_observation=observation,
                terminated=np.ones(shape, np.bool_),
            )
        )
    views = layout_of(sac).views(sac.state()["actor.parameters"])
    _, log_std = through(views, np.zeros((1, 1), np.float32))[0]
    assert math.exp(log_std) == pytest.approx(0.87, rel=0.25)
