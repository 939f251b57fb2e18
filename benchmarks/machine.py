"""What figures were measured on and from: processor, versions, state of the source, load."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("rclpy", "torch", "numpy", "pybullet", "gymnasium")
BF16_FLAGS = ("amx_bf16", "avx512_bf16")  # products of bfloat16 in hardware


def describe() -> dict[str, Any]:
    """The machine, as plain values."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _cpuinfo("model name") or platform.processor(),
        "cores": os.cpu_count(),
        "cores used": len(os.sched_getaffinity(0)),
        "memory": f"{memory / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
    }


def bf16_flags() -> list[str]:
    """Which of the processor's flags promise fast products of bfloat16; empty where none does."""
    flags = _cpuinfo("flags").split()
    return [flag for flag in BF16_FLAGS if flag in flags]


def busy_cores(seconds: float = 1.0) -> float:
    """How many cores other processes keep busy, watched for `seconds` while we do nothing."""
    idle, total = _jiffies()
    time.sleep(seconds)
    idle_after, total_after = _jiffies()
    share = 1.0 - (idle_after - idle) / max(1, total_after - total)
    return share * (os.cpu_count() or 1)


def _jiffies() -> tuple[int, int]:
    """Time idle, and time in all, summed over the cores (proc_stat(5))."""
    user, nice, system, idle, iowait, *more = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])
    return idle + iowait, user + nice + system + idle + iowait + sum(more)


def commit() -> str:
    """Commit of the source, with a plus sign where files differ from it; "unknown" outside a repository."""
    try:
        name = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", "sac_control", "config", "benchmarks")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return f"{name}+" if changed else name


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=20.0)
    return done.stdout.strip()


def _cpuinfo(key: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"
