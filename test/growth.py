"""What a process uses. Does it grow? Samples of memory, descriptors and threads, and a verdict. Knows no ROS."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

MEGABYTE = 1e6


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A process at one moment."""

    time: float  # [s] steady time
    memory: float  # [MB] resident
    descriptors: int
    threads: int


def sample(pid: int) -> Sample:
    """The process `pid` now, as the kernel counts."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return Sample(
        time=time.monotonic(),
        memory=1024 * int(status["VmRSS"].split()[0]) / MEGABYTE,
        descriptors=sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
        threads=int(status["Threads"]),
    )


def processor_time(pid: int) -> float:
    """Time that the process `pid` has computed [s], which does not depend on what else the machine does."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def descendants(pid: int) -> dict[int, str]:
    """Processes below `pid`: the word in their command line that says what they are, by process id."""
    found: dict[int, str] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            words = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
            found[child] = next((word for word in words if word.startswith("sac_control.")), words[0])
            found |= descendants(child)
    return found


def slope(samples: Sequence[Sample]) -> float:
    """How fast memory grows [MB/min]: the median slope of all pairs (Theil and Sen), which a few steps do not move."""
    pairs = combinations(samples, 2)
    return 60.0 * statistics.median((b.memory - a.memory) / (b.time - a.time) for a, b in pairs)


@dataclass(frozen=True, kw_only=True)
class Growth:
    """What became of a process in the last half of its samples. Before that it may grow: buffers fill up."""

    memory: float  # [MB] at the end
    slope: float  # [MB/min]
    descriptors: int  # more at the least in the last quarter than at the least in the one before
    threads: int  # likewise

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Growth:
        """The growth that `samples` show. What is open for a moment only is not in the least of a quarter."""
        half = samples[len(samples) // 2 :]
        before, last = half[: len(half) // 2], half[len(half) // 2 :]
        return cls(
            memory=samples[-1].memory,
            slope=slope(half),
            descriptors=min(s.descriptors for s in last) - min(s.descriptors for s in before),
            threads=min(s.threads for s in last) - min(s.threads for s in before),
        )

    def complaints(self, largest_slope: float) -> set[str]:
        """What grows: of ``memory``, ``descriptors`` and ``threads``."""
        grows = {
            "memory": self.slope > largest_slope,
            "descriptors": self.descriptors > 0,
            "threads": self.threads > 0,
        }
        return {name for name, is_so in grows.items() if is_so}
