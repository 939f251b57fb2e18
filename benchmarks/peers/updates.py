"""Updates per second of a peer's learner alone, on random transitions; one line of JSON for each line that it reads.

A line holds a time [s]; the answer tells the updates made in it and the time they took. So that contenders can take
turns, the process stays alive, its compilation done.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time

from libraries import LIBRARIES, make_sac, wait_for

SLICE = 16  # updates per call: one call per update costs SBX more
TRANSITIONS = 2000
OBSERVATION_SIZE = 5


def main() -> None:
    """Answer each line of the standard input."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", choices=LIBRARIES, required=True)
    parser.add_argument("--hidden", type=int, required=True, help="units of each of two layers")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--cores", required=True, help="numbers of the cores to run on, as many as threads")
    options = parser.parse_args()
    cores = [int(core) for core in options.cores.split(",")]
    os.sched_setaffinity(0, cores)  # before threads are made: nothing else limits those of XLA
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(len(cores))

    import gymnasium
    import numpy as np
    import torch
    from stable_baselines3.common.logger import Logger

    torch.set_num_threads(len(cores))

    class Nowhere(gymnasium.Env):  # type: ignore[misc]
        """Spaces of the task; nothing is ever simulated."""

        observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (OBSERVATION_SIZE,), np.float32)
        action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)

    model = make_sac(
        options.library,
        Nowhere(),
        seed=0,
        batch_size=options.batch,
        buffer_size=10 * TRANSITIONS,
        policy_kwargs={"net_arch": [options.hidden, options.hidden]},
    )
    model.set_logger(Logger(folder=None, output_formats=[]))
    rng = np.random.default_rng(0)
    for _ in range(TRANSITIONS):
        model.replay_buffer.add(
            rng.standard_normal((1, OBSERVATION_SIZE)).astype(np.float32),
            rng.standard_normal((1, OBSERVATION_SIZE)).astype(np.float32),
            rng.uniform(-1.0, 1.0, (1, 1)).astype(np.float32),
            np.ones(1, np.float32),
            (rng.random(1) < 0.05).astype(np.float32),
            [{}],
        )

    def update() -> None:
        model.train(gradient_steps=SLICE, batch_size=options.batch)
        wait_for(options.library, model)

    for _ in range(3):
        update()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        duration, count, began = float(line), 0, time.perf_counter()
        while (elapsed := time.perf_counter() - began) < duration:
            update()
            count += SLICE
        print(json.dumps({"updates": count, "seconds": elapsed}), flush=True)


if __name__ == "__main__":
    main()
