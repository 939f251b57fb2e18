"""What runs in each process of an exam: `python -m sac_control.exam.worker`. Reads and writes lines of JSON."""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
from dataclasses import asdict
from functools import cache

from sac_control.envs.env import Env
from sac_control.envs.registry import make_robot_env
from sac_control.exam.jobs import Job, answer
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import PolicyFile


def main() -> int:
    """Read which task and policy it is about, then a job a line; write what is found, a line for each."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # engines print on standard output
        about = json.loads(sys.stdin.readline())
        policy = Policy(PolicyFile.from_bytes(base64.b64decode(about["policy"])).actor)

        @cache
        def env_of(engine: str, steps: int | None) -> Env:
            return make_robot_env(about["task"], engine=engine, max_episode_steps=steps)

        for line in sys.stdin:
            answers.write(json.dumps(asdict(answer(Job.from_text(line), policy.act, env_of))) + "\n")
            answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
