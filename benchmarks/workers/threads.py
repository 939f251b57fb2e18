"""Cores and threads of a process, to be set before numpy or torch is loaded. Imports neither."""

from __future__ import annotations

import os


def use_cores(text: str) -> int:
    """Run on the cores named in `text`, such as "3,2", with as many threads; how many that are."""
    cores = [int(core) for core in text.split(",")]
    os.sched_setaffinity(0, cores)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(len(cores))
    return len(cores)
