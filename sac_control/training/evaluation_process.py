"""Evaluations in processes of their own, so that training goes on meanwhile. Knows no ROS."""

from __future__ import annotations

import dataclasses
import queue
import threading

from sac_control.errors import RunError
from sac_control.store.score import Score
from sac_control.training.evaluation import Evaluation
from sac_control.training.evaluation_worker import Question, Worker
from sac_control.training.gate import joined, most_failures

GATE_PARTS = 2  # side by side, while training waits; the same on every computer, because random numbers are by part


class EvaluationProcess:
    """Worker processes and the thread that talks to them. One evaluation at a time.

    The first evaluates, and has a part of the gate; the others, which have the rest of it, are started when that is
    first asked for.

    Args:
        episodes: episodes per evaluation.
        confirmations: further episodes where all of these reached the task's solved_return.
        task: name of the task, or path of its file.
        engine: physics engine; empty: the task's own.
        seed: of the training; the start states come from a stream that training does not use.
        plants: of the gate; 0 where there is none.
    """

    def __init__(
        self, episodes: int, confirmations: int, seed: int, task: str, engine: str = "", plants: int = 0
    ) -> None:
        self._settings, self._plants = (episodes, confirmations, seed, task, engine), plants
        self._jobs: queue.SimpleQueue[tuple[bytes, Score | None] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Evaluation | RunError] = queue.SimpleQueue()
        self._workers: list[Worker] = []
        self._lock, self._is_closed = threading.Lock(), False  # of the workers: both threads start and end them
        self.is_busy = False
        self._start_workers(1)
        self._thread = threading.Thread(target=self._talk, name="evaluation", daemon=True)
        self._thread.start()

    def submit(self, data: bytes, to_beat: Score | None = None) -> None:
        """Evaluate the policy file with content `data`; ask for the result with `poll`.

        Where `to_beat` is given, the score of the best policy so far, a solution goes through the gate of the task's
        exam, as far as it can become better than that one.
        """
        self.is_busy = True
        self._jobs.put((data, to_beat))

    def poll(self) -> Evaluation | None:
        """The result, once there is one.

        Raises:
            RunError: a worker process died.
        """
        try:
            result = self._results.get_nowait()
        except queue.Empty:
            return None
        self.is_busy = False
        if isinstance(result, RunError):
            raise result
        return result

    def close(self) -> None:
        """End the worker processes, whatever they are doing."""
        with self._lock:
            self._is_closed = True
            for worker in self._workers:
                worker.close()
        self._jobs.put(None)
        self._thread.join()
        for worker in self._workers:
            worker.process.wait()

    def _start_workers(self, count: int) -> None:
        """Have so many of them."""
        with self._lock:
            while len(self._workers) < count and not self._is_closed:
                part = len(self._workers)
                self._workers.append(Worker(*self._settings, part=part, parts=GATE_PARTS))

    def _talk(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._results.put(self._evaluation(*job))
            except RunError as error:
                self._results.put(error)
                return

    def _evaluation(self, data: bytes, to_beat: Score | None) -> Evaluation:
        """Evaluate, and go through the gate where that is asked for.

        Raises:
            RunError: a worker process died.
        """
        if to_beat is not None:
            self._start_workers(GATE_PARTS)  # they load while the first evaluates
        evaluation = self._workers[0].evaluate(data)
        if to_beat is None or not evaluation.is_solved:
            return evaluation
        if to_beat.is_hardened and evaluation.mean_return <= to_beat.mean_return:
            return evaluation  # all plants again would be no more
        gate, may_fail = None, most_failures(self._plants, to_beat.plants_passed)
        for question in (Question.SUSPECTS, Question.OTHERS):
            if gate is not None and len(gate.failed) > may_fail:
                break
            for worker in self._workers:
                worker.ask(question, data, may_fail)
            gate = joined([worker.gate_result() for worker in self._workers])
        return dataclasses.replace(evaluation, gate=gate)
