"""Deterministic episodes of a policy, in a process of their own, so that training goes on meanwhile. Knows no ROS.

The worker process reads from its standard input a length (8 bytes, little-endian), how many plants of the gate are to
be beaten (8 bytes, signed; -1: none is tried) and that many bytes of ``policy.safetensors``, and writes one line of
JSON for each.
"""

from __future__ import annotations

import dataclasses
import json
import math
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from sac_control.envs.environment import Environment
from sac_control.envs.registry import make_env
from sac_control.envs.trial import play
from sac_control.errors import RunError
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import PolicyFile
from sac_control.store.run_store import Score
from sac_control.training.gate import Gate, GateResult

_NO_GATE = -1  # in the place of the plants to be beaten


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What a policy reached."""

    policy_version: int
    env_steps: int  # transitions seen when the policy was made
    returns: tuple[float, ...]  # of each episode
    confirmations: tuple[float, ...]  # of each further one, extreme starts first; none where an episode failed
    solved_return: float  # that each must reach for the task to count as solved; infinite: it never does
    gate: GateResult | None = None  # on the plants of the task's exam; None where they were not tried

    @property
    def all_returns(self) -> tuple[float, ...]:
        """Of each episode, those of the confirmation last."""
        return self.returns + self.confirmations

    @property
    def solved_episodes(self) -> int:
        """Episodes that reached `solved_return`."""
        return sum(total >= self.solved_return for total in self.all_returns)

    @property
    def is_solved(self) -> bool:
        """Whether every episode reached `solved_return`."""
        return self.solved_episodes == len(self.all_returns)

    @property
    def is_hardened(self) -> bool:
        """Whether it solved the task, and was good on every plant of its exam that is tried in training."""
        return self.is_solved and self.gate is not None and self.gate.is_passed

    @property
    def verdict(self) -> str:
        """How many episodes reached what counts as solved, and on how many plants it was good, for people."""
        if self.solved_return == math.inf:
            return f"lowest {min(self.all_returns):.1f}"
        reached = f"{self.solved_episodes} of {len(self.all_returns)} episodes reached {self.solved_return:g}"
        return reached if self.gate is None else f"{reached}; {self.gate.verdict}"

    @property
    def mean_return(self) -> float:
        """Mean of `returns`: start states of a confirmation are extreme on purpose, and its first failure ends it."""
        return float(np.mean(self.returns))

    @property
    def score(self) -> Score:
        """By which the best policy is chosen: plants passed, a solution before none, and then the mean of `returns`.

        Returns of a confirmation are not part of that mean: only the better policies come to have any, from starts that
        are harder on purpose, and would fall behind those that never got so far.
        """
        return Score(
            is_hardened=self.is_hardened,
            plants_passed=0 if self.gate is None else self.gate.passed,
            is_solution=self.is_solved,
            mean_return=self.mean_return,
        )

    def row(self) -> dict[str, object]:
        """Its row in the table of evaluations."""
        gate = self.gate
        plants = {} if gate is None else {"plants_passed": gate.passed, "plants_tried": gate.tried}
        return {
            "env_steps": self.env_steps,
            "policy_version": self.policy_version,
            "mean_return": self.mean_return,
            "min_return": min(self.all_returns),
            "solved_episodes": self.solved_episodes,
            "episodes": len(self.all_returns),
            **plants,
        }


def evaluate(
    file: PolicyFile,
    env: Environment,
    episodes: int,
    confirmations: int,
    rng: np.random.Generator,
    gate: Gate | None = None,
    to_beat: int = 0,
) -> Evaluation:
    """Run `episodes` deterministic episodes and `confirmations` more, as long as all reach the task's solved_return.

    They begin where the environment has them begin, see `Environment.starts`; those of the confirmation with extreme
    starts, if it knows any. The first episode that refutes a solution ends it: the sooner the next policy is tested.
    A policy that was not refuted goes through the `gate`, if there is one, which ends where it can no longer pass more
    than `to_beat` plants.
    """
    solved, policy = env.task.solved_return, Policy(file.actor)
    returns = [play(env, policy.act, start).total_reward for start in env.starts(rng, episodes)]
    confirming: list[float] = []
    if all(total >= solved for total in returns):
        corners = env.extreme_starts(rng, confirmations)
        for start in (*corners, *env.starts(rng, confirmations - len(corners))):
            confirming.append(play(env, policy.act, start).total_reward)
            if confirming[-1] < solved:
                break
    is_solved = all(total >= solved for total in (*returns, *confirming))
    return Evaluation(
        policy_version=file.policy_version,
        env_steps=file.env_steps,
        returns=tuple(returns),
        confirmations=tuple(confirming),
        solved_return=solved,
        gate=gate.judge(policy.act, to_beat) if gate is not None and is_solved else None,
    )


class EvaluationProcess:
    """A worker process and the thread that talks to it. One evaluation at a time.

    Args:
        episodes: episodes per evaluation.
        confirmations: further episodes where all of these reached the task's solved_return.
        task: name of the task, or path of its file.
        engine: physics engine; empty: the task's own.
        seed: of the training; the start states come from a stream that training does not use.
    """

    def __init__(self, episodes: int, confirmations: int, seed: int, task: str, engine: str = "") -> None:
        arguments = map(str, (episodes, confirmations, seed, task, engine))
        command = [sys.executable, "-m", "sac_control.training.evaluation", *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._jobs: queue.SimpleQueue[tuple[bytes, int] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Evaluation | RunError] = queue.SimpleQueue()
        self.is_busy = False
        self._thread = threading.Thread(target=self._talk, name="evaluation", daemon=True)
        self._thread.start()

    def submit(self, data: bytes, to_beat: int | None = None) -> None:
        """Evaluate the policy file with content `data`; ask for the result with `poll`.

        Where `to_beat` is given, a solution goes through the gate of the task's exam; see `Gate.judge`.
        """
        self.is_busy = True
        self._jobs.put((data, _NO_GATE if to_beat is None else to_beat))

    def poll(self) -> Evaluation | None:
        """The result, once there is one.

        Raises:
            RunError: the worker process died.
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
        """End the worker process, whatever it is doing."""
        self._process.kill()
        self._jobs.put(None)
        self._thread.join()
        self._process.wait()

    def _talk(self) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        while (job := self._jobs.get()) is not None:
            data, to_beat = job
            try:
                stdin.write(len(data).to_bytes(8, "little") + to_beat.to_bytes(8, "little", signed=True) + data)
                stdin.flush()
                line = stdout.readline()
            except OSError:
                line = b""
            if not line.endswith(b"\n"):  # nothing, or a part
                code = self._process.wait()
                self._results.put(RunError(f"the evaluation process ended with exit code {code}; see its output above"))
                return
            self._results.put(_from_mapping(json.loads(line)))


def _from_mapping(values: dict[str, Any]) -> Evaluation:
    """The evaluation of which JSON was made."""
    gate = values["gate"]
    return Evaluation(**{**values, "gate": None if gate is None else GateResult(**gate)})


def main() -> int:
    """The worker process: `python -m sac_control.training.evaluation EPISODES CONFIRMATIONS SEED TASK ENGINE`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    episodes, confirmations, seed = (int(argument) for argument in sys.argv[1:4])
    env = make_env(sys.argv[4], engine=sys.argv[5])
    stream = [seed, 0x6576616C]  # the second number makes it a stream of its own ("eval")
    rng = np.random.default_rng(stream)
    exam = env.task.exam
    gate = None if exam is None else Gate(env, exam, np.random.default_rng([seed, 0x67617465]))  # "gate"
    stdin, stdout = sys.stdin.buffer, sys.stdout
    while len(size := stdin.read(8)) == 8:
        to_beat = int.from_bytes(stdin.read(8), "little", signed=True)
        file = PolicyFile.from_bytes(stdin.read(int.from_bytes(size, "little")))
        if env.keeps_starts:
            rng = np.random.default_rng(stream)
        evaluation = evaluate(
            file, env, episodes, confirmations, rng, None if to_beat == _NO_GATE else gate, max(0, to_beat)
        )
        stdout.write(json.dumps(dataclasses.asdict(evaluation)) + "\n")
        stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
