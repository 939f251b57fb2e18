"""Rate at which this machine makes the matrix products of one update and nothing else; answers like updates.py.

That rate is the limit of a learner that computes in float32: whatever it spends beyond the products is overhead.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from benchmarks.workers.threads import use_cores

if TYPE_CHECKING:
    from sac_control.types import Float32Array

Shape = tuple[int, int, int]  # (m, k, n) of an (m, k) by (k, n) product


def products(hidden: int, batch: int, observation: int = 5, action: int = 1) -> Counter[Shape]:
    """How often one update needs a product of each shape, where it makes only those that are needed.

    One update of SAC with two hidden layers: the actor on s and s', two target critics on (s', a'), two critics on
    (s, a) and on (s, π(s)); weight gradients of the actor and, from the first loss only, of the critics; input
    gradients down to the first layer's outputs, and through the critics to the action alone.
    """
    counts: Counter[Shape] = Counter()

    def forward(inputs: int, outputs: int, copies: int) -> None:
        counts[(batch, inputs, hidden)] += copies
        counts[(batch, hidden, hidden)] += copies
        counts[(batch, hidden, outputs)] += copies

    def hidden_gradients(outputs: int, copies: int) -> None:
        counts[(batch, outputs, hidden)] += copies
        counts[(batch, hidden, hidden)] += copies

    def weight_gradients(inputs: int, outputs: int, copies: int) -> None:
        counts[(inputs, batch, hidden)] += copies
        counts[(hidden, batch, hidden)] += copies
        counts[(hidden, batch, outputs)] += copies

    forward(observation, 2 * action, copies=2)  # the actor on s' and on s
    forward(observation + action, 1, copies=6)  # targets, critics on the batch, critics on the actor's actions
    hidden_gradients(1, copies=4)  # both losses through both critics
    weight_gradients(observation + action, 1, copies=2)
    counts[(batch, hidden, action)] += 2  # critics down to the action
    hidden_gradients(2 * action, copies=1)
    weight_gradients(observation, 2 * action, copies=1)
    return counts


def flops(counts: Counter[Shape]) -> int:
    """Multiplications and additions of all products."""
    return sum(2 * m * k * n * count for (m, k, n), count in counts.items())


def main() -> None:
    """Answer each line of the standard input."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cores", required=True, help="numbers of the cores to run on, as many as threads")
    parser.add_argument("--library", choices=("numpy", "torch"), required=True)
    parser.add_argument("--hidden", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--matmul-precision", default="highest", help="of torch's float32 products")
    options = parser.parse_args()
    threads = use_cores(options.cores)

    import numpy as np

    rng = np.random.default_rng(0)
    counts = products(options.hidden, options.batch)
    call_of = _numpy_call if options.library == "numpy" else _torch_calls(threads, options.matmul_precision)
    calls: list[Callable[[], object]] = []
    for (m, k, n), count in counts.items():
        for _ in range(count):
            a, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((m, k), (k, n)))
            calls.append(call_of(a, b, np.empty((m, n), np.float32)))

    def update() -> None:
        for call in calls:
            call()

    update()
    print(json.dumps({"ready": True, "flops": flops(counts)}), flush=True)
    for line in sys.stdin:
        duration, done, began = float(line), 0, time.perf_counter()
        while (elapsed := time.perf_counter() - began) < duration:
            update()
            done += 1
        print(json.dumps({"updates": done, "seconds": elapsed}), flush=True)


def _numpy_call(a: Float32Array, b: Float32Array, out: Float32Array) -> Callable[[], object]:
    import numpy as np

    return lambda: np.matmul(a, b, out=out)


def _torch_calls(
    threads: int, precision: str
) -> Callable[[Float32Array, Float32Array, Float32Array], Callable[[], object]]:
    import torch

    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)
    torch.set_grad_enabled(False)

    def call_of(a: Float32Array, b: Float32Array, out: Float32Array) -> Callable[[], object]:
        ta, tb, tout = (torch.from_numpy(x) for x in (a, b, out))
        return lambda: torch.mm(ta, tb, out=tout)

    return call_of


if __name__ == "__main__":
    main()
