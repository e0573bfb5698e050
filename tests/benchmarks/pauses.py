"""What many different shapes leave behind: ``python -m tests.benchmarks.pauses [shapes]``.

The time of a full garbage collection, the objects and the memory, before and after so many Jacobians of different
shapes, and the time of each first call.
"""

from __future__ import annotations

import gc
import sys
import time
from pathlib import Path

import numpy as np

from jacobians import Affine, Chain, SquaredError, Tanh, jacobian


def memory() -> float:
    """Resident megabytes, where the system tells."""
    pages = Path("/proc/self/statm")
    return int(pages.read_text().split()[1]) * 4096 / 1e6 if pages.exists() else float("nan")


def pause() -> float:
    """Seconds of a full collection: the least of three."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        gc.collect()
        times.append(time.perf_counter() - start)
    return min(times)


def different(m: int, n: int) -> None:
    """A network and a function of these sizes."""
    A = np.ones((m, n))
    if (m + n) % 2:
        Chain(Affine(A, np.ones(m)), Tanh(), SquaredError(np.ones(m))).jacobians(np.ones(n))
    else:
        jacobian(lambda x: np.tanh(A @ x[::-1])[1:] * 2.0 + np.sum(x))(np.ones(n))


def main(shapes: int = 20_000) -> None:
    different(2, 2)
    different(2, 3)
    print(f"{'shapes':>8} {'pause, ms':>10} {'objects':>9} {'memory, MB':>11} {'first call, ms':>15}")
    print(f"{0:8} {1e3 * pause():10.1f} {len(gc.get_objects()):9} {memory():11.1f}")
    side = int(shapes**0.5) + 1
    start, done = time.process_time(), 0
    for k in range(shapes):
        different(2 + k % side, 2 + k // side)
        if (k + 1) % (shapes // 4) == 0:
            each = 1e3 * (time.process_time() - start) / (k + 1 - done)
            print(f"{k + 1:8} {1e3 * pause():10.1f} {len(gc.get_objects()):9} {memory():11.1f} {each:15.2f}")
            start, done = time.process_time(), k + 1


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
