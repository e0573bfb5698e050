"""A Jacobian that outgrows the machine, on two worker processes: ``python -m tests.benchmarks.distributed``.

J = A diag(1 − f²) B of a network with a narrow layer. Its full tensor (64 GB by default) is made in chunks by a
``LocalCluster``; one worker is killed on the way; the sums are compared with closed forms, and the largest resident
memory of every process is measured.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import threading
import time
from typing import Any, NamedTuple

import numpy as np

from jacobians import Chain, Linear, Tanh


class Result(NamedTuple):
    """What came out, what should have, and what it took."""

    gigabytes: float
    seconds: float
    error: float  # relative, of the sum of squares and of the norms of the rows
    slice_error: float
    peaks: dict[str, float]  # MB, by process; of our own, what came on top of what it held before
    killed: bool


def run(size: int, rank: int = 16, chunks: Any = "auto", kill_after: float | None = None) -> Result:
    import dask
    import dask.array as da
    import psutil
    import zarr
    from distributed import Client, LocalCluster

    rng = np.random.default_rng(0)
    A, B, x = rng.normal(size=(size, rank)), rng.normal(size=(rank, size)) / size**0.5, rng.normal(size=size)
    _, found = Chain(Linear(B), Tanh(), Linear(A)).linearize(x, wrt="x")
    J = found["x"]
    d = 1 - np.tanh(B @ x) ** 2
    middle = (d[:, None] * B) @ (d[:, None] * B).T
    expected = np.sqrt(np.einsum("ia,ab,ib->i", A, middle, A))

    ours = "scheduler and client"
    before = psutil.Process().memory_info().rss / 1e6
    peaks: dict[str, float] = {ours: 0.0}
    stop = threading.Event()
    with (
        dask.config.set({"distributed.worker.daemon": True}),
        LocalCluster(n_workers=2, threads_per_worker=1, memory_limit="1GB", dashboard_address=None) as cluster,
        Client(cluster) as client,
        tempfile.TemporaryDirectory() as folder,
    ):

        def workers() -> list[int]:
            return [n.pid for n in cluster.workers.values() if n.pid is not None]

        def watch() -> None:
            while not stop.wait(0.02):
                peaks[ours] = max(psutil.Process().memory_info().rss / 1e6 - before, peaks[ours])
                for pid in workers():
                    try:
                        used = psutil.Process(pid).memory_info().rss / 1e6
                    except psutil.Error:
                        continue
                    peaks[f"worker {pid}"] = max(used, peaks.get(f"worker {pid}", 0.0))

        killed = False

        def kill() -> None:
            nonlocal killed
            os.kill(workers()[0], signal.SIGKILL)
            killed = True

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        if kill_after is not None:
            threading.Timer(kill_after, kill).start()
        start = time.perf_counter()
        tensor = J.dask(chunks)
        squares, norms = dask.compute((tensor**2).sum(), da.sqrt((tensor**2).sum(axis=1)))
        seconds = time.perf_counter() - start
        part = tensor[10 : size // 20, 5 : size // 30].rechunk((size // 40, size // 40))
        part.to_zarr(folder, mode="w", compute=True) if hasattr(part, "to_zarr") else None
        written = np.asarray(zarr.open(folder, mode="r")[...])
        stop.set()
        watcher.join()
        assert client.status == "running"
    error = max(abs(squares / (expected**2).sum() - 1), np.abs(norms / expected - 1).max())
    exact = (A[10 : size // 20] * d) @ B[:, 5 : size // 30]
    return Result(8e-9 * size**2, seconds, float(error), float(np.abs(written - exact).max()), peaks, killed)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.distributed", description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=64.0, help="of the full tensor (default: 64)")
    options = parser.parse_args()
    result = run(int((options.gigabytes * 1e9 / 8) ** 0.5) + 1, kill_after=10.0)
    print(f"{result.gigabytes:.1f} GB in {result.seconds:.0f} s; a worker killed on the way: {result.killed}")
    print(f"relative error of the sums {result.error:.1e}, error of the slice in Zarr {result.slice_error:.1e}")
    for process, peak in result.peaks.items():
        print(f"{process}: {peak:.0f} MB at most")


if __name__ == "__main__":
    main()
