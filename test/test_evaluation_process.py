"""Evaluation in its process, which may die at any time: that is told, and nobody waits for it for ever."""

from __future__ import annotations

import dataclasses
import os
import signal
import time

import numpy as np
import pytest

from policies import make_file
from sac_control.envs.inverted_pendulum import InvertedPendulum
from sac_control.errors import RunError
from sac_control.runs import evaluation
from sac_control.runs.evaluation import Evaluation, EvaluationProcess, evaluate

PATIENCE = float(os.environ.get("SAC_CONTROL_TEST_PATIENCE", "300"))  # [s]


def result_of(process: EvaluationProcess) -> Evaluation:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        result = process.poll()
        if result is not None:
            return result
    raise AssertionError("no result")


def test_a_process_that_is_killed_ends_the_waiting_in_words() -> None:
    process = EvaluationProcess(episodes=1, confirmations=0, seed=1)
    process.submit(make_file().to_bytes())
    assert result_of(process).policy_version == 1
    os.kill(process._process.pid, signal.SIGKILL)
    process.submit(make_file().to_bytes())
    with pytest.raises(RunError, match="the evaluation process ended with exit code -9"):
        result_of(process)
    process.close()


def test_a_process_that_is_killed_within_its_answer_does_so_too(monkeypatch: pytest.MonkeyPatch) -> None:
    half_an_answer = (
        "import os, sys; sys.stdin.buffer.read(8); os.write(1, b'{\"policy_version\": 1'); os.kill(os.getpid(), 9)"
    )
    popen = evaluation.subprocess.Popen
    monkeypatch.setattr(
        evaluation.subprocess, "Popen", lambda command, **more: popen([command[0], "-c", half_an_answer], **more)
    )
    process = EvaluationProcess(episodes=1, confirmations=0, seed=1)
    process.submit(make_file().to_bytes())
    with pytest.raises(RunError, match="the evaluation process ended with exit code -9"):
        result_of(process)
    process.close()


def test_confirmation_ends_with_the_first_episode_that_refutes_the_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy that does nothing falls sooner the more the pole leans at first: soonest from the extreme starts."""
    file = make_file()
    *hidden, (weight, bias) = file.actor.layers
    still = dataclasses.replace(
        file, actor=dataclasses.replace(file.actor, layers=(*hidden, (0.0 * weight, 0.0 * bias)))
    )
    three = evaluate(still, 3, 0, np.random.default_rng(2)).returns
    monkeypatch.setattr(InvertedPendulum, "solved_return", min(three))
    refuted = evaluate(still, 3, 6, np.random.default_rng(2))
    assert refuted.returns == three
    assert (refuted.solved_episodes, len(refuted.confirmations)) == (3, 1)
    assert not refuted.is_solved
    assert refuted.mean_return == pytest.approx(sum(three) / 3), "extreme starts say nothing of the others"
    assert refuted.score == pytest.approx((sum(three) + refuted.confirmations[0]) / 4)
    monkeypatch.setattr(InvertedPendulum, "solved_return", refuted.confirmations[0])
    confirmed = evaluate(still, 3, 6, np.random.default_rng(2))
    assert len(confirmed.confirmations) == 6
    assert confirmed.solved_episodes == 9
    assert confirmed.is_solved
