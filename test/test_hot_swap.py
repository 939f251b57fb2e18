"""What becomes of weights that are offered: in force, or refused with a reason while the old ones stay."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import statistics
import time
from typing import Any

import pytest

from policies import OTHER_RUN_ID, RUN_ID, SPECIFICATION, make_file, make_weights
from sac_control.errors import PolicyFileError
from sac_control.policy.hot_swap import LONGEST_VERDICT, HotSwap
from sac_control.policy.pieces import BLOCK
from sac_control.policy.policy_file import PolicyFile
from sac_control.types import SwapReport, Weights

MAX_BYTES = 10_000


class SteppingClock:
    """Every look at it takes a quarter of a second."""

    def __init__(self) -> None:
        self._times = itertools.count(100.0, 0.25)

    def __call__(self) -> float:
        return next(self._times)


@pytest.fixture
def swap() -> HotSwap:
    """With version 5 of the run "test" in force."""
    swap = HotSwap("inverted_pendulum", MAX_BYTES, SteppingClock(), accept_run_id=RUN_ID)
    accept(swap, make_weights(make_file(version=5)))
    return swap


def offer(swap: HotSwap, weights: Weights) -> SwapReport:
    report = swap.offer(weights)
    assert report is not None
    assert report is swap.last_report
    assert report.offered_version == weights.version
    return report


def accept(swap: HotSwap, weights: Weights) -> None:
    report = offer(swap, weights)
    assert report.accepted
    assert report.verdict == "in force"
    assert swap.file is not None
    assert (swap.file.run, swap.file.policy_version) == (weights.run, weights.version)
    assert swap.file.to_bytes() == weights.data
    assert swap.policy is not None
    assert swap.policy.actor is swap.file.actor


def refuse(swap: HotSwap, weights: Weights) -> str:
    """The verdict; nothing of what is in force may have changed."""
    before, rejected, swaps = (swap.file, swap.policy), swap.rejected, swap.swaps
    report = offer(swap, weights)
    assert not report.accepted
    assert (swap.file, swap.policy) == before
    assert (swap.rejected, swap.swaps) == (rejected + 1, swaps)
    return report.verdict


def resealed(weights: Weights, data: bytes) -> Weights:
    """Other bytes with a sha256 that fits, as a faulty sender would make them."""
    return dataclasses.replace(weights, data=data, sha256=hashlib.sha256(data).digest())


def test_first_weights_are_put_in_force_whatever_their_version() -> None:
    swap = HotSwap("inverted_pendulum", MAX_BYTES, SteppingClock(), accept_run_id=RUN_ID)
    assert swap.file is None
    assert swap.policy is None
    assert swap.last_report is None
    accept(swap, make_weights(make_file(version=17)))
    assert (swap.swaps, swap.rejected) == (1, 0)


def test_newer_weights_replace_the_old_ones(swap: HotSwap) -> None:
    old = swap.policy
    accept(swap, make_weights(make_file(seed=1, version=6)))
    accept(swap, make_weights(make_file(seed=2, version=60)))
    assert swap.policy is not old
    assert (swap.swaps, swap.rejected) == (3, 0)


def test_weights_of_another_run_are_refused_whatever_their_version_and_name(swap: HotSwap) -> None:
    for version in (1, 6, 10**6):
        weights = make_weights(make_file(seed=1, version=version, run_id=OTHER_RUN_ID))
        assert refuse(swap, weights) == (
            "weights are of run fedcba98, policy.accept_weights is run 01234567: weights of another run are rejected"
        )


def test_no_weights_are_accepted_where_no_run_is_named() -> None:
    swap = HotSwap("inverted_pendulum", MAX_BYTES, SteppingClock())
    swap.install(make_file(version=1))
    verdict = refuse(swap, make_weights(make_file(seed=1, version=2)))
    assert verdict == "no weights are accepted: policy.accept_weights names no run"


def test_run_of_the_same_name_is_another_run(swap: HotSwap) -> None:
    weights = make_weights(make_file(seed=1, version=6, run="test", run_id=OTHER_RUN_ID))
    assert "are of run fedcba98" in refuse(swap, weights)
    assert "run 'test', 01234567, its file says 6 of 'test', fedcba98" in refuse(
        swap, dataclasses.replace(weights, run_id=RUN_ID)
    )


def test_accepted_run_takes_the_place_of_a_policy_file_of_another_one() -> None:
    swap = HotSwap("inverted_pendulum", MAX_BYTES, SteppingClock(), accept_run_id=RUN_ID)
    swap.install(make_file(version=9, run_id=OTHER_RUN_ID))
    accept(swap, make_weights(make_file(seed=1, version=1)))


def test_version_in_force_is_passed_over_in_silence(swap: HotSwap) -> None:
    policy, report = swap.policy, swap.last_report
    assert swap.offer(make_weights(make_file(seed=1, version=5))) is None
    assert swap.policy is policy
    assert swap.last_report is report
    assert (swap.swaps, swap.rejected) == (1, 0)


def test_older_version_is_refused(swap: HotSwap) -> None:
    assert refuse(swap, make_weights(make_file(seed=1, version=4))) == "version 4 is older than 5, in force"


def test_weights_for_another_task_are_refused() -> None:
    swap = HotSwap("acrobot", MAX_BYTES, SteppingClock(), accept_run_id=RUN_ID)
    assert refuse(swap, make_weights(make_file())) == (
        "policy is for task 'inverted_pendulum', expected 'acrobot': "
        "choose a policy of this task or set the parameter task"
    )
    assert swap.policy is None


@pytest.mark.parametrize(
    "changes",
    [{"command_limit": (1000.0,)}, {"control_period": 0.02}, {"joints": ("cart_to_pendulum", "slider_to_cart")}],
)
def test_weights_for_another_machine_are_refused(swap: HotSwap, changes: dict[str, Any]) -> None:
    specification = dataclasses.replace(SPECIFICATION, **changes)
    verdict = refuse(swap, make_weights(make_file(version=6, specification=specification)))
    assert verdict == (
        f"policy has specification {specification.hash[:12]}, in force is {SPECIFICATION.hash[:12]}: "
        "joints, observation, limits or control period differ"
    )


def test_weights_damaged_on_the_way_are_refused(swap: HotSwap) -> None:
    weights = make_weights(make_file(version=6))
    for position in range(0, len(weights.data), 97):
        flipped = bytearray(weights.data)
        flipped[position] ^= 1
        damaged = dataclasses.replace(weights, data=bytes(flipped))
        assert refuse(swap, damaged) == "the weights do not match their sha256: corrupted in transit"
    for data in (b"", weights.data[:-1], weights.data + b"\0"):
        assert "do not match their sha256" in refuse(swap, dataclasses.replace(weights, data=data))
    accept(swap, weights)


def test_weights_damaged_before_they_were_sent_are_refused(swap: HotSwap) -> None:
    weights = make_weights(make_file(version=6))
    assert "not a whole safetensors file" in refuse(swap, resealed(weights, weights.data[:-1]))
    assert "not a whole safetensors file" in refuse(swap, resealed(weights, b""))
    assert "not a policy" in refuse(swap, resealed(weights, (2).to_bytes(8, "little") + b"{}"))


def test_weights_too_large_are_refused_before_anything_of_them_is_read(swap: HotSwap) -> None:
    weights = dataclasses.replace(make_weights(make_file(version=6)), data=bytes(MAX_BYTES + 1), sha256=b"")
    assert refuse(swap, weights) == f"weights have {MAX_BYTES + 1} bytes, limit {MAX_BYTES}"


@pytest.mark.parametrize("change", [{"version": 7}, {"run": "another"}])
def test_message_that_contradicts_its_file_is_refused(swap: HotSwap, change: dict[str, Any]) -> None:
    weights = dataclasses.replace(make_weights(make_file(version=6)), **change)
    assert refuse(swap, weights) == (
        f"message names version {weights.version} of run {weights.run!r}, 01234567, its file says 6 of 'test', 01234567"
    )


def test_message_cannot_pass_old_weights_off_as_new(swap: HotSwap) -> None:
    refuse(swap, dataclasses.replace(make_weights(make_file(version=4)), version=6))


def test_good_weights_are_accepted_after_refused_ones(swap: HotSwap) -> None:
    refuse(swap, make_weights(make_file(version=4)))
    accept(swap, make_weights(make_file(version=6)))
    assert (swap.swaps, swap.rejected) == (2, 1)


def test_gap_is_the_time_of_a_piece_where_all_take_the_same(swap: HotSwap) -> None:
    for version in (4, 6):
        report = offer(swap, make_weights(make_file(version=version)))
        assert report.gap == 0.25


def test_policy_from_disk_is_in_force_and_counts_as_no_swap() -> None:
    swap = HotSwap("inverted_pendulum", MAX_BYTES, SteppingClock(), accept_run_id=RUN_ID)
    file = make_file(version=3)
    swap.install(file)
    assert swap.file is file
    assert swap.policy is not None
    assert (swap.swaps, swap.rejected, swap.last_report) == (0, 0, None)
    assert "older than 3" in refuse(swap, make_weights(make_file(version=2)))
    accept(swap, make_weights(make_file(version=4)))


def test_policy_from_disk_may_be_older_than_the_one_in_force(swap: HotSwap) -> None:
    swap.install(make_file(version=1))
    assert swap.file is not None
    assert swap.file.policy_version == 1


def test_policy_from_disk_that_does_not_fit_is_refused_and_the_old_one_stays(swap: HotSwap) -> None:
    before = swap.file, swap.policy
    other_task = dataclasses.replace(SPECIFICATION, task="acrobot")
    other_limit = dataclasses.replace(SPECIFICATION, command_limit=(1.0,))
    for specification, complaint in ((other_task, "policy is for task 'acrobot'"), (other_limit, "limits")):
        with pytest.raises(PolicyFileError, match=complaint):
            swap.install(make_file(version=9, specification=specification))
        assert (swap.file, swap.policy) == before


# nothing bad comes in, whatever it is


def test_weights_cut_off_anywhere_are_refused_even_where_their_sha256_fits(swap: HotSwap) -> None:
    weights = make_weights(make_file(version=6))
    for size in range(len(weights.data)):
        refuse(swap, resealed(weights, weights.data[:size]))
    accept(swap, weights)


def test_weights_with_any_bit_flipped_are_refused_even_where_their_sha256_fits(swap: HotSwap) -> None:
    """Every bit of the file is tried in test_policy_file.py, here one of each byte."""
    weights = make_weights(make_file(version=6))
    for position in range(len(weights.data)):
        damaged = bytearray(weights.data)
        damaged[position] ^= 1 << position % 8
        refuse(swap, resealed(weights, bytes(damaged)))
    accept(swap, weights)


def test_replayed_version_is_refused_even_after_another_run_was_in_force(swap: HotSwap) -> None:
    replayed = make_weights(make_file(version=5))
    swap.install(make_file(seed=1, version=1, run="another", run_id=OTHER_RUN_ID))
    for version in range(6):
        weights = replayed if version == 5 else make_weights(make_file(version=version))
        assert refuse(swap, weights) == f"version {version} is not newer than 5, which was in force before"
    accept(swap, make_weights(make_file(version=6)))


def test_version_that_was_rolled_back_is_passed_over_and_older_ones_are_refused(swap: HotSwap) -> None:
    accept(swap, make_weights(make_file(seed=1, version=6)))
    accept(swap, make_weights(make_file(seed=2, version=8)))
    assert swap.roll_back().policy_version == 6
    assert swap.offer(make_weights(make_file(seed=2, version=8))) is None
    assert refuse(swap, make_weights(make_file(seed=3, version=7))).endswith(
        "is not newer than 8, which was in force before"
    )
    assert swap.file is not None
    assert swap.file.policy_version == 6


def test_what_nobody_thought_of_is_refused_and_the_next_offer_is_checked_afresh(
    swap: HotSwap, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_data: bytes) -> None:
        raise MemoryError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(PolicyFile, "in_pieces", fail)
        verdict = refuse(swap, make_weights(make_file(version=6)))
    assert verdict == "the policy could not be checked: MemoryError('no room')"
    accept(swap, make_weights(make_file(version=6)))


def test_verdict_is_no_longer_than_a_message_and_a_line_can_bear(swap: HotSwap) -> None:
    file = make_file(version=6)
    weights = dataclasses.replace(make_weights(file), run="x" * 50_000)
    assert len(refuse(swap, weights)) == LONGEST_VERDICT


# piece by piece


def finish(swap: HotSwap) -> list[SwapReport]:
    """Work until nothing is left; the verdicts."""
    reports = []
    while swap.is_busy:
        report = swap.work()
        if report is not None:
            reports.append(report)
    return reports


def test_old_policy_acts_until_the_last_piece_of_the_check_is_done(swap: HotSwap) -> None:
    before = swap.file, swap.policy
    swap.consider(make_weights(make_file(seed=1, version=6)))
    pieces = 0
    while swap.work() is None:
        assert (swap.file, swap.policy) == before
        assert swap.is_busy
        pieces += 1
    assert pieces > 5
    assert not swap.is_busy
    assert swap.file is not None
    assert swap.file.policy_version == 6


def test_large_weights_are_hashed_in_blocks_so_that_no_piece_grows_with_their_size() -> None:
    def pieces(hidden: int) -> int:
        swap = HotSwap("inverted_pendulum", 2**26, SteppingClock(), accept_run_id=RUN_ID)
        weights = make_weights(make_file(hidden=hidden))
        swap.consider(weights)
        count = 1
        while swap.work() is None:
            count += 1
        assert swap.swaps == 1
        return count - 2 * len(weights.data) // BLOCK  # the bytes are hashed as they came, the content once more

    assert abs(pieces(256) - pieces(8)) < 10


def test_no_piece_works_for_a_millisecond_on_weights_of_400_kilobytes() -> None:
    """In processor time of this thread, which other processes do not change; the median of 20 checks."""
    gaps = []
    offers = [make_weights(make_file(seed=k, version=k, hidden=320)) for k in range(20)]
    swap = HotSwap("inverted_pendulum", 2**20, time.thread_time, accept_run_id=RUN_ID)
    for weights in offers:
        assert len(weights.data) > 2**18
        gaps.append(offer(swap, weights).gap)
    assert statistics.median(gaps) < 1e-3


def test_weights_offered_during_a_check_wait_for_its_end_and_only_the_newest_do(swap: HotSwap) -> None:
    swap.consider(make_weights(make_file(seed=1, version=6)))
    swap.work()
    for version in (7, 8, 9):
        swap.consider(make_weights(make_file(seed=1, version=version)))
    assert [report.offered_version for report in finish(swap)] == [6, 9]
    assert swap.swaps == 3


def test_damaged_weights_leave_the_old_policy_and_the_next_offer_is_checked_afresh(swap: HotSwap) -> None:
    before = swap.file, swap.policy
    good = make_weights(make_file(seed=1, version=6))
    swap.consider(dataclasses.replace(good, data=good.data[:-1]))
    assert [report.accepted for report in finish(swap)] == [False]
    assert (swap.file, swap.policy) == before
    swap.consider(good)
    assert [report.accepted for report in finish(swap)] == [True]


def test_policy_that_was_installed_during_a_check_is_not_replaced_by_an_older_one(swap: HotSwap) -> None:
    swap.consider(make_weights(make_file(seed=1, version=6)))
    for _ in range(5):
        swap.work()
    newer = make_file(seed=2, version=7)
    swap.install(newer)
    (report,) = finish(swap)
    assert report.verdict == "version 6 is older than 7, in force"
    assert swap.file is newer


def test_version_in_force_is_passed_over_in_silence_piece_by_piece_too(swap: HotSwap) -> None:
    swap.consider(make_weights(make_file(version=5)))
    assert finish(swap) == []
    assert (swap.swaps, swap.rejected) == (1, 0)


def test_gap_is_that_of_the_longest_piece() -> None:
    times = itertools.accumulate([0.0, *([0.25, 0.5] * 2), 8.0, *[0.5] * 100])  # the third piece takes 8 s
    swap = HotSwap("inverted_pendulum", MAX_BYTES, lambda: next(times), accept_run_id=RUN_ID)
    assert offer(swap, make_weights(make_file())).gap == 8.0
