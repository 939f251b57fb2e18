"""The measurements of benchmarks/latency.py in a process of their own: ROS 2 is loaded here and nowhere else."""

from __future__ import annotations

import argparse
import json


def main() -> None:
    """Measure; print one line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()

    from benchmarks import latency

    print(json.dumps(latency.measure(options.seconds)), flush=True)


if __name__ == "__main__":
    main()
