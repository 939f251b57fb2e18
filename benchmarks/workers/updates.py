"""Updates per second of our learner alone, on random transitions; one line of JSON for each line that it reads.

A line holds a time [s]; the answer tells the updates made in it and the time they took.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

from benchmarks.workers.threads import use_cores

SLICE = 16  # updates per call, as in a training
TRANSITIONS = 2000
OBSERVATION_SIZE = 5


def main() -> None:
    """Answer each line of the standard input."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cores", required=True, help="numbers of the cores to run on, as many as threads")
    parser.add_argument("--settings", required=True, help="settings of the learner, as JSON")
    parser.add_argument("--matmul-precision", default="highest", help="of torch's float32 products")
    options = parser.parse_args()
    threads = use_cores(options.cores)

    import numpy as np
    import torch

    from sac_control.training.learner_config import LearnerConfig
    from sac_control.training.training import Training
    from sac_control.types import Transition

    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(options.matmul_precision)
    config = LearnerConfig.from_mapping({**json.loads(options.settings), "threads": threads})
    training = Training(config, observation_size=OBSERVATION_SIZE, action_size=1)
    rng = np.random.default_rng(0)
    for sequence in range(TRANSITIONS):
        training.ingest(
            Transition(
                source=1,
                sequence=sequence,
                episode=0,
                step=sequence,
                stamp=sequence,
                policy_version=0,
                observation=rng.standard_normal(OBSERVATION_SIZE).astype(np.float32),
                action=rng.uniform(-1.0, 1.0, 1).astype(np.float32),
                reward=1.0,
                next_observation=rng.standard_normal(OBSERVATION_SIZE).astype(np.float32),
                terminated=bool(rng.random() < 0.05),
                truncated=False,
            )
        )
    for _ in range(3):
        training.update(SLICE)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        duration, count, began = float(line), 0, time.perf_counter()
        while (elapsed := time.perf_counter() - began) < duration:
            training.update(SLICE)
            count += SLICE
        print(json.dumps({"updates": count, "seconds": elapsed}), flush=True)


if __name__ == "__main__":
    main()
