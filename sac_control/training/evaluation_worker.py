"""The worker process of evaluations: ``python -m sac_control.training.evaluation_worker EPISODES … ENGINE PART PARTS``.

It reads from its standard input three numbers (8 bytes each, little-endian), a `Question`, how many plants may be
failed and a length, and so many bytes of ``policy.safetensors``, and writes one line of JSON for each: an Evaluation,
or a GateResult.
"""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys
from enum import IntEnum
from typing import Any, NoReturn

import numpy as np

from sac_control.envs.registry import make_env
from sac_control.errors import RunError
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import PolicyFile
from sac_control.training.evaluation import Evaluation, evaluate
from sac_control.training.gate import Gate, GateResult


class Question(IntEnum):
    """What is asked of a policy."""

    EVALUATE = 0  # how good it is with the robot as described
    SUSPECTS = 1  # which plants it passes of those that the policy before failed
    OTHERS = 2  # which of the other plants


class Worker:
    """Such a process, as its parent sees it.

    Args:
        episodes, confirmations, seed, task, engine: see `EvaluationProcess`.
        part, parts: which of so many parts of the gate's plants are its own.
    """

    def __init__(
        self, episodes: int, confirmations: int, seed: int, task: str, engine: str, *, part: int, parts: int
    ) -> None:
        arguments = map(str, (episodes, confirmations, seed, task, engine, part, parts))
        command = [sys.executable, "-m", "sac_control.training.evaluation_worker", *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def evaluate(self, data: bytes) -> Evaluation:
        """What the policy file with content `data` reaches in the robot as described.

        Raises:
            RunError: the process died.
        """
        self.ask(Question.EVALUATE, data)
        values = self._received()
        tuples = {name: tuple(values[name]) for name in ("returns", "confirmations")}
        return Evaluation(**{**values, **tuples})

    def ask(self, question: Question, data: bytes, may_fail: int = 0) -> None:
        """Ask about the policy file with content `data`; a question of the gate is answered by `gate_result`.

        Raises:
            RunError: the process died.
        """
        assert self.process.stdin is not None
        try:
            for number in (question, may_fail, len(data)):
                self.process.stdin.write(number.to_bytes(8, "little"))
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except OSError:
            self._refuse()

    def gate_result(self) -> GateResult:
        """How it went with the plants of its part that were tried so far, once that is known.

        Raises:
            RunError: the process died.
        """
        values = self._received()
        return GateResult(**{**values, "failed": tuple(values["failed"])})

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()

    def _received(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.endswith(b"\n"):  # nothing, or a part
            self._refuse()
        values: dict[str, Any] = json.loads(line)
        return values

    def _refuse(self) -> NoReturn:
        code = self.process.wait()
        raise RunError(f"the evaluation process ended with exit code {code}; see its output above")


def main() -> int:
    """The process itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    episodes, confirmations, seed = (int(argument) for argument in sys.argv[1:4])
    part, parts = (int(argument) for argument in sys.argv[6:8])
    env = make_env(sys.argv[4], engine=sys.argv[5])
    stream = [seed, 0x6576616C]  # the second number makes it a stream of its own ("eval")
    rng = np.random.default_rng(stream)
    gate: Gate | None = None
    stdin, stdout = sys.stdin.buffer, sys.stdout
    while len(numbers := stdin.read(24)) == 24:
        question, may_fail, size = (int.from_bytes(numbers[place : place + 8], "little") for place in (0, 8, 16))
        file = PolicyFile.from_bytes(stdin.read(size))
        result: Evaluation | GateResult
        if question == Question.EVALUATE:
            if env.keeps_starts:
                rng = np.random.default_rng(stream)
            result = evaluate(file, env, episodes, confirmations, rng)
        else:
            if gate is None:
                gate_rng = np.random.default_rng([seed, 0x67617465, part])  # "gate"
                gate_env = make_env(sys.argv[4], engine=sys.argv[5])
                gate = Gate(gate_env, gate_rng, part=part, parts=parts)
            judge = gate.judge_suspects if question == Question.SUSPECTS else gate.judge_others
            result = judge(Policy(file.actor).act, may_fail)
        stdout.write(json.dumps(dataclasses.asdict(result)) + "\n")
        stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
