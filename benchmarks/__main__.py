"""`make bench`: trains through the three real nodes with several seeds, and measures what a user would feel.

Writes benchmarks/results.json and docs/benchmarks.md. Every run is reported, those that failed included.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks import latency, learner_speed, report, training

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Run all measurements one after the other; exit code 0 unless one could not be made."""
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure learning, speed and latency.")
    parser.add_argument("--quick", action="store_true", help="3 seeds instead of 10, fewer repetitions")
    parser.add_argument("--seeds", type=int, metavar="N", help="seeds 0 to N-1")
    options = parser.parse_args()
    seeds = range(options.seeds or (3 if options.quick else 10))
    results: dict[str, object] = {"machine": report.machine()}
    with tempfile.TemporaryDirectory(prefix="sac_control-bench-") as name:
        directory = Path(name)
        print(f"training, seeds {seeds.start} to {seeds.stop - 1}", flush=True)
        runs = [training.train(directory, seed) for seed in seeds]
        results["training"] = runs
        best = next((run for run in runs if run["solved"]), None)
        if best is None:
            print("error: no training solved the task: there is no policy to measure", file=sys.stderr)
        else:
            print("lockstep round trips", flush=True)
            results["evaluation"] = training.evaluate(directory, best["run"], episodes=5 if options.quick else 20)
    print("updates per second", flush=True)
    results["learner"] = learner_speed.measure(rounds=3 if options.quick else 7)
    print("policy tick and hot swap", flush=True)
    results["latency"] = latency.measure(ticks=2_000 if options.quick else 20_000, swaps=200 if options.quick else 1000)
    (ROOT / "benchmarks" / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    table = report.table(results)
    (ROOT / "docs" / "benchmarks.md").write_text(table)
    print(table)
    return 0 if best is not None else 1


if __name__ == "__main__":
    sys.exit(main())
