"""Evaluation in its process, which may die at any time: that is told, and nobody waits for it for ever."""

from __future__ import annotations

import dataclasses
import math
import os
import signal
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from policies import make_file
from sac_control import robots
from sac_control.envs.env import Env
from sac_control.errors import RunError
from sac_control.store.score import NO_SCORE
from sac_control.tasks import builtin
from sac_control.tasks.builtin import inverted_pendulum
from sac_control.tasks.catalogue import make_task
from sac_control.tasks.file_task import FileTask
from sac_control.tasks.starts import Starts
from sac_control.tasks.task_file import read_task
from sac_control.training import evaluation_worker
from sac_control.training.evaluation import Evaluation, evaluate
from sac_control.training.evaluation_process import GATE_PARTS, EvaluationProcess
from sac_control.types import FloatArray
from sac_control.variation.plants import gate_plants
from tasks_for_tests import changed, env_of

PATIENCE = float(os.environ.get("SAC_CONTROL_TEST_PATIENCE", "300"))  # [s]


def result_of(process: EvaluationProcess) -> Evaluation:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        result = process.poll()
        if result is not None:
            return result
    raise AssertionError("no result")


def limited_env_of(task: FileTask) -> Env:
    return env_of(task, max_episode_steps=task.max_episode_steps)


def test_a_process_that_is_killed_ends_the_waiting_in_words() -> None:
    process = EvaluationProcess(episodes=1, confirmations=0, seed=1, task="inverted_pendulum")
    process.submit(make_file().to_bytes())
    assert result_of(process).policy_version == 1
    os.kill(process._workers[0].process.pid, signal.SIGKILL)
    process.submit(make_file().to_bytes())
    with pytest.raises(RunError, match="the evaluation process ended with exit code -9"):
        result_of(process)
    process.close()


@pytest.mark.parametrize(("task", "begins_alike"), [("gymnasium/Pendulum-v1", True), ("inverted_pendulum", False)])
def test_evaluations_begin_alike_where_chance_would_decide_which_policy_is_best(task: str, begins_alike: bool) -> None:
    policy = make_file(specification=make_task(task).specification).to_bytes()
    process = EvaluationProcess(episodes=2, confirmations=0, seed=1, task=task)
    returns = []
    for _ in range(2):
        process.submit(policy)
        returns.append(result_of(process).returns)
    process.close()
    assert len(set(returns[0])) == 2
    assert (returns[0] == returns[1]) == begins_alike


def test_a_process_that_is_killed_within_its_answer_does_so_too(monkeypatch: pytest.MonkeyPatch) -> None:
    half_an_answer = (
        "import os, sys; sys.stdin.buffer.read(8); os.write(1, b'{\"policy_version\": 1'); os.kill(os.getpid(), 9)"
    )
    popen = evaluation_worker.subprocess.Popen
    monkeypatch.setattr(
        evaluation_worker.subprocess, "Popen", lambda command, **more: popen([command[0], "-c", half_an_answer], **more)
    )
    process = EvaluationProcess(episodes=1, confirmations=0, seed=1, task="inverted_pendulum")
    process.submit(make_file().to_bytes())
    with pytest.raises(RunError, match="the evaluation process ended with exit code -9"):
        result_of(process)
    process.close()


def test_only_a_solution_goes_through_the_gate_in_processes_side_by_side(tmp_path: Path) -> None:
    """A task that is solved in the first period, but whose exam wants a pole that stays up without a command."""
    text = (Path(builtin.__file__).parent / "inverted_pendulum.yaml").read_text()
    text = text.replace("../robots", str(Path(robots.__file__).parent)).replace("episode: 1000", "episode: 120")
    task = tmp_path / "task.yaml"
    for solved_return, is_solution in ((1, True), (1000, False)):
        task.write_text(text.replace("solved_return: 1000", f"solved_return: {solved_return}"))
        plants = len(gate_plants(read_task(task).exam.ranges))  # type: ignore[union-attr]
        process = EvaluationProcess(episodes=2, confirmations=0, seed=1, task=str(task), plants=plants)
        process.submit(make_file().to_bytes(), to_beat=NO_SCORE)
        found = result_of(process)
        assert found.is_solved == is_solution
        assert (found.gate is None) == (not is_solution)
        if found.gate is not None:
            assert (found.gate.passed, found.gate.plants, found.is_hardened) == (plants, plants, True)
            assert len(process._workers) == GATE_PARTS
            for best, is_tried in ((math.inf, False), (-math.inf, True)):
                process.submit(make_file().to_bytes(), found.score._replace(mean_return=best))
                again = result_of(process)
                assert (again.gate is not None) == is_tried, "the best passed all plants: only returns could be better"
            os.kill(process._workers[-1].process.pid, signal.SIGKILL)
            process.submit(make_file().to_bytes(), to_beat=NO_SCORE)
            with pytest.raises(RunError, match="the evaluation process ended with exit code -9"):
                result_of(process)
        process.close()
        assert all(worker.process.poll() is not None for worker in process._workers)


def test_confirmation_ends_with_the_first_episode_that_refutes_the_solution() -> None:
    """A policy that does nothing falls sooner the more the pole leans at first: soonest from the extreme starts."""
    file = make_file()
    *hidden, (weight, bias) = file.actor.layers
    still = dataclasses.replace(
        file, actor=dataclasses.replace(file.actor, layers=(*hidden, (0.0 * weight, 0.0 * bias)))
    )
    task = inverted_pendulum()

    def evaluated_where(solved_return: float, confirmations: int) -> Evaluation:
        env = limited_env_of(changed(task, solved_return=solved_return))
        try:
            return evaluate(still, env, 3, confirmations, np.random.default_rng(2))
        finally:
            env.close()

    three = evaluated_where(task.solved_return, 0).returns
    refuted = evaluated_where(min(three), 6)
    assert refuted.returns == three
    assert (refuted.solved_episodes, len(refuted.confirmations)) == (3, 1)
    assert not refuted.is_solved
    assert refuted.mean_return == pytest.approx(sum(three) / 3), "extreme starts say nothing of the others"
    assert refuted.score == (False, 0, False, refuted.mean_return)
    confirmed = evaluated_where(refuted.confirmations[0], 6)
    assert len(confirmed.confirmations) == 6
    assert confirmed.solved_episodes == 9
    assert confirmed.is_solved
    assert confirmed.score == (False, 0, True, confirmed.mean_return)


def test_a_task_whose_start_is_made_of_many_numbers_is_confirmed_from_its_extreme_starts() -> None:
    """24 numbers have 16 million corners, more than a computer has memory for."""
    units: list[FloatArray] = []

    class ManyNumbers(Starts):
        def __init__(self) -> None:
            self.dimensions = 24

        def start_from(self, unit: FloatArray) -> FloatArray:
            units.append(unit)
            return np.array([0.0, 0.0, 0.02 * float(unit.mean() - 0.5), 0.0])

    env = limited_env_of(changed(inverted_pendulum(), starts=ManyNumbers(), solved_return=1.0))
    result = evaluate(make_file(), env, 3, 20, np.random.default_rng(2))
    env.close()
    assert (len(result.returns), len(result.confirmations)) == (3, 20)
    assert result.is_solved
    assert all(set(unit.tolist()) <= {0.0, 1.0} for unit in units[3:])


def evaluated(*returns: float, confirmations: tuple[float, ...] = ()) -> Evaluation:
    return Evaluation(policy_version=1, env_steps=1, returns=returns, confirmations=confirmations, solved_return=1000.0)


def test_policies_are_ranked_by_solution_and_then_by_episodes_that_all_of_them_have() -> None:
    ten = (1000.0,) * 10
    ascending = [
        evaluated(*ten[:8], 500.0, 400.0),
        evaluated(*ten[:9], 900.0),
        evaluated(*ten, confirmations=(1000.0, 3.0)),
        evaluated(*ten, confirmations=(1000.0, 1000.0)),
    ]
    scores = [NO_SCORE, *(each.score for each in ascending)]
    assert all(worse < better for worse, better in pairwise(scores))


def test_a_solution_whose_returns_are_lower_is_better_than_no_solution() -> None:
    """Where the return goes on beyond what is asked for, as in the swing-up."""
    solved = dataclasses.replace(evaluated(810.0, 820.0, confirmations=(801.0,)), solved_return=800.0)
    refuted = dataclasses.replace(evaluated(890.0, 895.0, confirmations=(790.0,)), solved_return=800.0)
    assert solved.score > refuted.score
