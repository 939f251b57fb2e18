"""A training that goes on once it was solved: until it is hardened, and back where it has lost its solution."""

from __future__ import annotations

import dataclasses
import errno
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sac_control.policy.policy_file import PolicyFile
from sac_control.store.checkpoints import CheckpointStore
from sac_control.store.score import Score
from sac_control.store.table import read_columns
from sac_control.tasks.builtin import inverted_pendulum
from sac_control.training.evaluation import Evaluation
from sac_control.training.gate import GateResult
from sac_control.training.relapse import LOST_AFTER, MOST_REFUTED
from sac_control.training.training_run import TrainingRun
from sac_control.types import Phase
from test_training_run import kill, learn, training_run

PATIENCE = 120.0  # [s]
PERFECT, FALLEN = (1000.0,) * 4, (1000.0, 300.0, 300.0, 300.0)


def evaluated(run: TrainingRun, *returns: float, passed: int | None = None, plants: int = 24) -> Evaluation:
    failed = ("one",) * (plants - (passed or 0))
    return Evaluation(
        policy_version=run.weights.version,
        env_steps=run.training.transitions,
        returns=returns,
        confirmations=(),
        solved_return=1000.0,
        gate=None if passed is None else GateResult(passed=passed, failed=failed, plants=plants),
    )


def judge(run: TrainingRun, *returns: float, passed: int | None = None) -> None:
    """Let the newest policy of the training have reached this."""
    run._publish()
    run._judge(evaluated(run, *returns, passed=passed), run._snapshot())


def solved_run(tmp_path: Path, said: list[str] | None = None, **more: object) -> TrainingRun:
    run = training_run(tmp_path, [] if said is None else said, time.monotonic, **{"evaluation_every": 10**6} | more)
    learn(run, 0, 30)
    assert run.status().phase is Phase.TRAINING
    judge(run, *PERFECT)
    return run


def plain_task(tmp_path: Path) -> str:
    """The file of a pendulum whose robots never differ."""
    path = inverted_pendulum().path
    text = path.read_text().replace("../robots/", f"{path.parent.parent}/robots/")
    (tmp_path / "plain.yaml").write_text(re.sub(r"^(randomise|exam):.*\n(  .*\n)+", "", text, flags=re.MULTILINE))
    return str(tmp_path / "plain.yaml")


def abandon(run: TrainingRun) -> None:
    run._evaluations.close()
    kill(run)


def test_robots_differ_from_the_first_confirmed_solution_on_in_a_resumed_training_too(tmp_path: Path) -> None:
    run = training_run(tmp_path, [])
    learn(run, 0, 30)
    judge(run, *FALLEN)
    assert not run.is_varied
    judge(run, *PERFECT)
    assert run.is_varied
    judge(run, *FALLEN)
    assert run.is_varied
    run.save()
    kill(run)
    resumed = training_run(tmp_path, [], resume=True)
    assert resumed.is_varied
    resumed.close()


def test_a_task_without_an_exam_ends_solved(tmp_path: Path) -> None:
    run = solved_run(tmp_path, task=plain_task(tmp_path))
    assert run.status().phase is Phase.SOLVED
    assert run.is_done
    abandon(run)


@pytest.mark.parametrize(
    ("until", "phases"),
    [
        ("solved", [Phase.SOLVED]),
        ("hardened", [Phase.HARDENING, Phase.HARDENING, Phase.HARDENED]),
        ("", [Phase.HARDENING, Phase.HARDENING, Phase.HARDENED]),
        ("steps", [Phase.HARDENING, Phase.HARDENING, Phase.TRAINING]),
    ],
)
def test_a_training_ends_with_what_it_is_until(tmp_path: Path, until: str, phases: list[Phase]) -> None:
    run = solved_run(tmp_path, until=until)
    found = [run.status().phase]
    if not run.is_done:
        judge(run, *PERFECT, passed=23)
        found.append(run.status().phase)
        judge(run, *PERFECT, passed=24)
        found.append(run.status().phase)
    assert found == phases
    assert run.is_done == (until != "steps")
    assert run.training.hardened_at == (None if until == "solved" else 30)
    abandon(run)


def test_a_policy_that_is_good_on_all_plants_but_not_at_home_is_not_hardened(tmp_path: Path) -> None:
    run = solved_run(tmp_path)
    refuted = dataclasses.replace(evaluated(run, *PERFECT, passed=24), confirmations=(20.0,))
    assert not refuted.is_hardened
    abandon(run)


def test_the_end_is_told_with_transitions_and_seconds_of_both(tmp_path: Path) -> None:
    now = [0.0]
    said: list[str] = []
    run = training_run(tmp_path, said, lambda: now[0], evaluation_every=10**6)
    learn(run, 0, 30)
    now[0] = 2.2
    judge(run, *PERFECT)
    assert run.verdict() == "stopped"
    learn(run, 30, 40)
    judge(run, *PERFECT, passed=23)
    assert said[-1] == (
        f"evaluated policy v{run.weights.version} of step 40: mean return 1000.0, 4 of 4 episodes reached 1000; "
        "23 of 24 plants passed, not one"
    )
    now[0] = 19.0
    judge(run, *PERFECT, passed=24)
    updates = run.training.updates
    assert run.conclusion() == (
        f"solved after 30 transitions, 2.2 s; hardened after 40 transitions, {updates} updates, 19.0 s: 24 of 24 plants"
    )
    run.close()
    summary = json.loads((run.run.path / "summary.json").read_text())
    assert (summary["solved"], summary["solved_at_step"], summary["solved_after_seconds"]) == (True, 30, 2.2)
    assert (summary["hardened"], summary["hardened_at_step"]) == (True, 40)
    assert (summary["plants_passed"], summary["plants"], summary["restorations"]) == (24, 24, 0)
    table = read_columns(run.run.evaluations)
    np.testing.assert_array_equal(table["plants_passed"], [np.nan, 23, 24])
    np.testing.assert_array_equal(table["plants_tried"], [np.nan, 24, 24])


@pytest.mark.parametrize(
    ("passed", "until", "words"),
    [
        (None, "hardened", "solved first at step 30, max_steps reached"),
        (23, "hardened", "solved first at step 30, not hardened (23 of 24 plants), max_steps reached"),
        (24, "steps", "solved first at step 30, hardened first at step 30, max_steps reached"),
    ],
)
def test_an_end_by_max_steps_says_how_far_it_came(tmp_path: Path, passed: int | None, until: str, words: str) -> None:
    run = solved_run(tmp_path, max_steps=31, until=until)
    judge(run, *PERFECT, passed=passed)
    learn(run, 30, 31)
    assert run.status().phase is Phase.FINISHED
    assert run.conclusion().startswith(f"{words} after 31 transitions, ")
    abandon(run)


def test_what_was_reached_survives_a_kill_right_after_its_verdict(tmp_path: Path) -> None:
    """The checkpoint was taken before the verdict on it was known."""
    run = solved_run(tmp_path)
    judge(run, *PERFECT, passed=24)
    abandon(run)
    resumed = training_run(tmp_path, [], resume=True)
    assert (resumed.training.solved_at, resumed.training.hardened_at) == (30, 30)
    assert resumed.training.state().numbers["is_hardened"], "it learns in the small steps of then"
    assert resumed.store.best_score == Score(is_hardened=True, plants_passed=24, is_solution=True, mean_return=1000.0)
    assert resumed.status().plants_passed == 24
    resumed.close()


def test_times_and_restorations_survive_a_resume(tmp_path: Path) -> None:
    now = [0.0]
    run = training_run(tmp_path, [], lambda: now[0], evaluation_every=10**6)
    learn(run, 0, 30)
    now[0] = 2.0
    judge(run, *PERFECT)
    abandon(run)
    run = training_run(tmp_path, [], lambda: now[0], resume=True, evaluation_every=10**6)
    assert run.report.times.solved_after == 2.0
    for _ in range(LOST_AFTER):
        judge(run, *FALLEN)
    learn(run, 30, 31)
    run.save()
    abandon(run)
    resumed = training_run(tmp_path, [], lambda: now[0], resume=True)
    assert resumed.report.times.solved_after == 2.0
    assert resumed.status().restorations == 1
    resumed.close()


def test_the_best_policy_is_that_which_passed_the_most_plants(tmp_path: Path) -> None:
    run = solved_run(tmp_path, until="steps", keep_last=100)

    def best_after(stop: int, *returns: float, passed: int | None = None) -> int:
        learn(run, run.training.transitions, stop)
        judge(run, *returns, passed=passed)
        return int((run.run.checkpoints / "best").resolve().name)

    assert best_after(31, *PERFECT, passed=3) == 31
    assert best_after(32, *PERFECT) == 31, "it was tried on none"
    assert best_after(33, *PERFECT, passed=20) == 33
    assert best_after(34, *PERFECT, passed=19) == 33
    assert best_after(35, *FALLEN) == 33
    assert best_after(36, *PERFECT, passed=24) == 36
    assert best_after(37, *PERFECT, passed=23) == 36
    assert best_after(38, *PERFECT, passed=24) == 38, "of two that are as good the newer one"
    abandon(run)


def test_policies_go_through_the_gate_once_the_task_was_solved_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int | None] = []
    run = training_run(tmp_path, [], evaluation_every=5, gate_every=10)
    process = run._evaluations._process
    assert process is not None
    monkeypatch.setattr(process, "submit", lambda data, to_beat: asked.append(to_beat and to_beat.plants_passed))
    results: list[Evaluation] = []
    monkeypatch.setattr(process, "poll", lambda: results.pop() if results else None)
    at = []
    for sequence, result in ((26, PERFECT), (31, PERFECT), (41, PERFECT), (51, PERFECT)):
        learn(run, run.training.transitions, sequence)
        at.append(run.training.transitions)
        results.append(evaluated(run, *result, passed=None if asked[-1] is None else 10 + sequence // 10))
    run.work()
    assert asked == [None, 0, 13, 14]
    abandon(run)


@pytest.mark.parametrize(("until", "is_hardening"), [("hardened", True), ("steps", False)])
def test_a_run_that_was_hardened_before_ends_with_the_next_policy_that_is_where_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: str, is_hardening: bool
) -> None:
    run = solved_run(tmp_path, until="steps")
    judge(run, *PERFECT, passed=24)
    abandon(run)
    asked: list[Score] = []
    resumed = training_run(tmp_path, [], resume=True, until=until, evaluation_every=1, gate_every=1)
    process = resumed._evaluations._process
    assert process is not None
    monkeypatch.setattr(process, "submit", lambda data, to_beat: asked.append(to_beat))
    learn(resumed, 30, 32)
    assert asked[0].is_hardened
    assert (asked[0].mean_return < PERFECT[0]) == is_hardening, "only then one that returns as much is tried"
    assert (resumed.status().phase is Phase.HARDENING) == is_hardening
    judge(resumed, *PERFECT, passed=24)
    assert resumed.is_done == is_hardening
    resumed.close()


def learnt(run: TrainingRun) -> dict[str, Any]:
    """Networks and optimisers, without what was observed and counted."""
    arrays = run.training.algorithm.state().arrays
    return {
        name: array for name, array in arrays.items() if name.startswith(("actor", "critic", "target", "log_alpha"))
    }


@pytest.mark.parametrize("is_resumed", [False, True])
def test_a_lost_solution_is_taken_back_from_the_best_checkpoint_and_transitions_stay(
    tmp_path: Path, is_resumed: bool
) -> None:
    said: list[str] = []
    run = solved_run(tmp_path, said)
    best, kept = PolicyFile.from_bytes(run.weights.data).actor, learnt(run)
    assert kept
    for stop in range(40, 40 + 10 * LOST_AFTER, 10):
        learn(run, stop - 10, stop)
        if is_resumed and stop == 40:
            run.save()
            abandon(run)
            run = training_run(tmp_path, said, resume=True, evaluation_every=10**6)
        assert any(not np.array_equal(array, learnt(run)[name]) for name, array in kept.items())
        version, updates = run.weights.version, run.training.updates
        judge(run, *FALLEN)
    assert said[-1] == (
        f"the solution was lost: {LOST_AFTER} policies in a row failed in most episodes. Returned to the best "
        f"checkpoint, of step 30; all {run.training.transitions} transitions stay"
    )
    for name, array in kept.items():
        np.testing.assert_array_equal(learnt(run)[name], array, err_msg=name)
    assert (run.status().restorations, run.status().rollbacks) == (1, 0)
    assert (run.training.updates, run.training.algorithm.kept) == (updates, run.training.transitions)
    published = PolicyFile.from_bytes(run.weights.data)
    assert published.policy_version > version, "a policy node takes nothing older"
    for (weight, bias), (best_weight, best_bias) in zip(published.actor.layers, best.layers, strict=True):
        np.testing.assert_allclose(weight, best_weight, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(bias, best_bias, rtol=1e-4, atol=1e-6)
    assert run.training.solved_at == 30
    learn(run, run.training.transitions, run.training.transitions + 20)
    assert run.training.updates > updates, "and training goes on"
    run.close()
    assert json.loads((run.run.path / "summary.json").read_text())["restorations"] == 1


BUILTIN = "inverted_pendulum"
HALF_FALLEN = (1000.0, 1000.0, 300.0, 300.0)


@pytest.mark.parametrize(
    ("task", "verdicts", "count"),
    [
        (BUILTIN, [FALLEN] * (LOST_AFTER - 1) + [PERFECT] + [FALLEN] * (LOST_AFTER - 1), 0),
        (BUILTIN, [HALF_FALLEN] * (MOST_REFUTED - 1) + [PERFECT] + [HALF_FALLEN] * (MOST_REFUTED - 1), 0),
        (BUILTIN, [HALF_FALLEN] * (2 * MOST_REFUTED), 2),
        ("", [HALF_FALLEN] * (2 * MOST_REFUTED), 0),
        ("", [FALLEN] * (2 * LOST_AFTER), 2),
    ],
)
def test_a_training_whose_policies_fail_now_and_then_is_left_alone_but_not_for_ever_while_it_is_hardened(
    tmp_path: Path, task: str, verdicts: list[tuple[float, ...]], count: int
) -> None:
    run = solved_run(tmp_path, until="steps", task=task or plain_task(tmp_path))
    for returns in verdicts:
        judge(run, *returns)
    assert run.status().restorations == count
    abandon(run)


def test_before_a_task_was_solved_nothing_can_be_lost(tmp_path: Path) -> None:
    run = training_run(tmp_path, [])
    learn(run, 0, 30)
    for _ in range(3 * LOST_AFTER):
        judge(run, *FALLEN)
    assert run.status().restorations == 0
    run.close()


def test_where_the_best_checkpoint_is_gone_a_training_that_lost_its_solution_goes_on(tmp_path: Path) -> None:
    said: list[str] = []
    run = solved_run(tmp_path, said)
    ((run.run.checkpoints / "best").resolve() / "policy.safetensors").write_bytes(b"")
    for _ in range(LOST_AFTER):
        judge(run, *FALLEN)
    assert "is damaged: policy.safetensors" in said[-1]
    assert run.status().restorations == 0
    abandon(run)


def test_a_best_policy_that_the_disk_could_not_take_is_returned_to_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    run = solved_run(tmp_path, said)
    learn(run, 30, 50)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(CheckpointStore, "save", full)
        judge(run, *PERFECT, passed=10)
        learn(run, 50, 60)
        for _ in range(LOST_AFTER):
            judge(run, *FALLEN)
        assert said[-1].endswith("Returned to the best checkpoint, of step 50; all 60 transitions stay")
    abandon(run)


def test_what_diverges_after_a_return_is_rolled_back_to_what_was_returned_to(tmp_path: Path) -> None:
    run = solved_run(tmp_path)
    kept = learnt(run)
    learn(run, 30, 60)
    for _ in range(LOST_AFTER):
        judge(run, *FALLEN)
    run.training.roll_back()
    for name, array in kept.items():
        np.testing.assert_array_equal(learnt(run)[name], array, err_msg=name)
    abandon(run)


@pytest.mark.long
def test_a_deterministic_training_is_hardened_with_the_same_numbers_again(
    tmp_path: Path, short_task: Callable[[], str]
) -> None:
    """Episodes so short that whatever is done is good on all robots."""
    found = []
    for name in ("one", "other"):
        run = training_run(
            tmp_path / name, [], task=short_task(), deterministic=True, evaluation_every=10, gate_every=10,
            evaluation_episodes=2, confirmation_episodes=1,
        )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while not run.is_done and time.monotonic() < deadline:
            while run.work() or run._evaluations.is_busy:
                assert time.monotonic() < deadline
            run.note_version_in_force(run.weights.version)
            if not run.is_done:
                learn(run, run.training.transitions, run.training.transitions + 1)
        assert run.status().phase is Phase.HARDENED
        assert run.status().env_steps == run.training.hardened_at, "not one transition after it"
        run.close()
        found.append((run.run.evaluations.read_text(), run.training.state().numbers))
    assert found[0] == found[1]
    assert found[0][0].splitlines()[-1].endswith(",24,24")


@pytest.fixture
def short_task(tmp_path: Path) -> Callable[[], str]:
    def write() -> str:
        path = inverted_pendulum().path
        text = path.read_text().replace("../robots/", f"{path.parent.parent}/robots/")
        text = text.replace("episode: 1000", "episode: 3").replace("solved_return: 1000", "solved_return: 3")
        (tmp_path / "short.yaml").write_text(text)
        return str(tmp_path / "short.yaml")

    return write
