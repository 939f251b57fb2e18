"""The compiled updates: what `test_sac_learner.py` does not ask of every learner."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from batches import part, random_batch
from learners import SMALL, assert_equal, prepared, trained


@pytest.mark.parametrize("options", [{"policy_delay": 2, "target_update_interval": 3}, {"threads": 2}], ids=str)
def test_k_batches_in_one_call_equal_k_calls_to_the_last_bit(options: dict[str, Any]) -> None:
    at_once, apart = prepared("native", **options), prepared("native", **options)
    many = random_batch(0, 16, 4, 1, batches=7)
    at_once.update(many)
    for i in range(7):
        apart.update(part(many, slice(i, i + 1)))
    assert_equal(at_once, apart, 0.0)
    assert at_once.metrics() == apart.metrics()


def test_two_threads_make_the_numbers_of_one() -> None:
    one, two = (trained("native", ((32, 32), 64, 5, 1), 20, threads=threads) for threads in (1, 2))
    assert_equal(one, two, 0.0)


def test_arrays_that_lie_otherwise_in_memory_are_understood() -> None:
    shape = ((8,), 16, 4, 2)
    first, second = prepared("native", shape), prepared("native", shape)
    batch = random_batch(0, 16, 4, 2)
    first.update(batch)
    names = ("observation", "action", "next_observation")
    second.update(dataclasses.replace(batch, **{name: np.asfortranarray(getattr(batch, name)) for name in names}))
    assert_equal(first, second, 0.0)


def test_another_batch_size_than_the_configured_one_is_an_error() -> None:
    native = prepared("native", SMALL)
    with pytest.raises(ValueError, match=r"15.*16"):
        native.update(random_batch(0, 15, 4, 1))
