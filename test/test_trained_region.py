"""A training writes into its policy files where it has been, exactly, whether or not it was interrupted."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.region import Region
from sac_control.training.training_run import TrainingRun
from test_training_run import training_run, transition


def learn_from_states(run: TrainingRun, start: int, stop: int) -> None:
    """Transitions whose cart moves within ±1 m and 2 m/s and whose pole turns at π, at any speed up to 3 rad/s."""
    for sequence in range(start, stop):
        x, v, angle, rate = np.random.default_rng(sequence).uniform(-1.0, 1.0, 4)
        state = np.array([x, 2.0 * v, math.pi + 0.5 * angle + 2.0 * math.pi * (sequence % 3), 3.0 * rate])
        run.ingest(dataclasses.replace(transition(sequence), state=state))
        while run.work():
            pass


def region(run: TrainingRun) -> Region | None:
    """That of the newest checkpoint's policy."""
    run.save()
    return PolicyFile.read(run.run.checkpoints / "latest" / "policy.safetensors").region


def test_policy_file_holds_the_region_of_states_that_training_has_seen(tmp_path: Path) -> None:
    run = training_run(tmp_path, [])
    learn_from_states(run, 0, 99)
    assert region(run) is None, "a hundred states at least tell where training was"
    learn_from_states(run, 99, 600)
    found = region(run)
    assert found is not None
    assert 540 < found.states <= 600
    cart, pole = found.joints.values()
    assert not cart.is_continuous
    assert pole.is_continuous
    assert cart.position == pytest.approx((-1.0, 1.0), abs=0.02)
    assert cart.velocity == pytest.approx((-2.0, 2.0), abs=0.04)
    assert pole.velocity == pytest.approx((-3.0, 3.0), abs=0.06)
    for angle, is_inside in ((math.pi, True), (-math.pi, True), (7.0 * math.pi, True), (0.0, False), (2.5, False)):
        assert pole.holds_position(angle) is is_inside
    run.close()


def test_region_is_kept_where_a_run_is_resumed_and_goes_on_as_if_it_had_not_been_interrupted(tmp_path: Path) -> None:
    whole = training_run(tmp_path / "whole", [])
    learn_from_states(whole, 0, 700)
    first = training_run(tmp_path / "parts", [])
    learn_from_states(first, 0, 333)
    before = region(first)
    first.close()
    second = training_run(tmp_path / "parts", [], resume=True)
    assert before is not None
    assert region(second) == before
    learn_from_states(second, 333, 700)
    assert region(second) == region(whole) != before
    second.close()
    whole.close()


@pytest.mark.parametrize("mirror", [True, False])
def test_states_of_opposite_sign_count_as_seen_where_mirror_images_are_learnt_from(
    tmp_path: Path, mirror: bool
) -> None:
    """A training that ends after a few hundred transitions may have been on one side of the rail alone."""
    run = training_run(tmp_path, [], mirror=mirror)
    for sequence in range(200):
        share = sequence / 200
        state = np.array([share, 2.0 * share, 0.1 * share, 3.0 * share])
        run.ingest(dataclasses.replace(transition(sequence), state=state))
    found = region(run)
    assert found is not None
    cart, pole = found.joints.values()
    sign = -1.0 if mirror else 0.0
    assert cart.position == pytest.approx((sign, 1.0), abs=0.1)
    assert cart.velocity == pytest.approx((2.0 * sign, 2.0), abs=0.2)
    assert pole.position == pytest.approx((0.1 * sign, 0.1), abs=0.01)
    assert pole.velocity == pytest.approx((3.0 * sign, 3.0), abs=0.3)
    run.close()
