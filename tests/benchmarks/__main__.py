"""Measure: equality first, then medians, the ratio to the best peer, to the physical limit, and the first call."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from math import exp, log
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "2")  # two threads for everybody
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=true intra_op_parallelism_threads=2")

import numpy as np

TURNS = 5


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help="workloads (all by default)")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each measurement (default: 1)")
    parser.add_argument("--markdown", type=Path, help="write the table here")
    parser.add_argument("--peers", action="store_true", help="print the ratio to every peer, not to the best one alone")
    parser.add_argument("--chart", type=Path, help="write a bar chart here")
    options = parser.parse_args()

    import torch
    from tqdm import tqdm

    from tests.benchmarks import functions, hessians, workloads

    torch.set_num_threads(2)
    fill, gemm = _limits()
    every = workloads.WORKLOADS | functions.WORKLOADS | hessians.WORKLOADS
    rows = [
        _row(every[name](), fill, gemm, options.seconds) for name in tqdm(options.names or list(every), leave=False)
    ]
    text = _markdown(rows)
    geometric = exp(statistics.fmean(log(row["ratio"]) for row in rows))
    text += f"\nGeometric mean of the ratios: {geometric:.2f}. {_machine(fill, gemm)}\n"
    print(text)
    for row in rows if options.peers else ():
        print(row["name"], {name: round(seconds / row["ours"], 2) for name, seconds in row["peers"].items()})
    if options.markdown:
        options.markdown.write_text(text)
    if options.chart:
        _chart(rows, options.chart)


def _row(work: Any, fill: float, gemm: float, seconds: float) -> dict[str, Any]:
    start = time.perf_counter()
    ours = [np.asarray(a) for a in work.ours()]
    first = time.perf_counter() - start
    firsts = {}
    for name, run in work.peers.items():
        start = time.perf_counter()
        theirs = run()
        firsts[name] = time.perf_counter() - start
        for mine, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine, np.asarray(other).reshape(mine.shape), rtol=1e-7, atol=1e-9, err_msg=name)
        del theirs
    del ours
    medians = dict(zip(["ours", *work.peers], in_turns([work.ours, *work.peers.values()], seconds), strict=True))
    mine = medians.pop("ours")
    best = min(medians, key=medians.__getitem__)
    limit = max(work.bytes / fill, work.flops / gemm)
    return {
        "name": work.name, "size": work.size, "ours": mine, "first": first,
        "kept": median(work.unmaterialised, seconds / 2) if work.unmaterialised else None,
        "best": medians[best], "peer": best, "peer first": firsts[best], "ratio": medians[best] / mine,
        "limit": limit / mine, "peers": medians,
    }  # fmt: skip


def median(run: Callable[[], Any], seconds: float) -> float:
    """The median time of a call, in seconds."""
    return in_turns([run], seconds)[0]


def in_turns(runs: Sequence[Callable[[], Any]], seconds: float) -> list[float]:
    """The median time of each call, in seconds; all of them by turns, since a machine is not always equally fast."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(TURNS):
        for run, mine in zip(runs, times, strict=True):
            begin, least = time.perf_counter(), len(mine) + 3
            while len(mine) < least or (time.perf_counter() - begin < seconds / TURNS and len(mine) < 20_000):
                start = time.perf_counter()
                run()
                mine.append(time.perf_counter() - start)
    return [statistics.median(some) for some in times]


def _limits() -> tuple[float, float]:
    """Bytes per second that can be written to fresh memory, and FLOPs per second of a matrix product."""
    a = np.random.default_rng(0).normal(size=(1500, 1500))
    gemm = 2 * 1500**3 / median(lambda: a @ a, 1)
    fill = 256e6 / median(lambda: np.full(32_000_000, 1.0), 1)
    return fill, gemm


def _milliseconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{1e3 * seconds:.3g}"


def _markdown(rows: Sequence[dict[str, Any]]) -> str:
    lines = [
        "| workload | size | ours, ms | unmaterialised | best peer, ms | ratio | of the limit | first call, s |",
        "|---|---|--:|--:|---|--:|--:|--:|",
    ]
    for r in rows:
        lines.append(
            f"| {r['name']} | {r['size']} | {_milliseconds(r['ours'])} | {_milliseconds(r['kept'])} | "
            f"{_milliseconds(r['best'])} ({r['peer']}) | **{r['ratio']:.2f}** | {100 * r['limit']:.0f}% | "
            f"{r['first']:.3f} ({r['peer first']:.2f}) |"
        )
    return "\n".join(lines) + "\n"


def _machine(fill: float, gemm: float) -> str:
    import jax
    import torch

    return (
        f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, NumPy {np.__version__}, "
        f"torch {torch.__version__}, jax {jax.__version__}; fill {fill / 1e9:.1f} GB/s, dgemm {gemm / 1e9:.0f} GFLOP/s."
    )


def _chart(rows: Sequence[dict[str, Any]], path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 0.4 * len(rows) + 1))
    labels = [f"{r['name']}, {r['size']}" for r in rows][::-1]
    axes.barh(labels, [r["ratio"] for r in rows][::-1])
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("best peer / ours")
    figure.tight_layout()
    figure.savefig(path)


if __name__ == "__main__":
    main()
