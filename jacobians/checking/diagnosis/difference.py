"""What is left over: the difference J - D is constant, diagonal, or of low rank."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.diagnosis.evidence import Evidence

LARGEST = 400  # rows and columns of the part whose singular values are computed


def differences(evidence: Evidence) -> Iterator[str]:
    """What the difference J - D looks like."""
    claimed, measured, error, wrong = evidence.matrices()
    if not (np.isfinite(measured).all() and np.isfinite(claimed).all()) or claimed.size < 4:
        return
    difference = claimed - measured
    noise = 3 * np.where(np.isfinite(error), error, 0) + 1e-6 * np.maximum(np.abs(claimed), np.abs(measured))
    size = float(np.abs(difference).max())
    constant = np.median(difference.real)
    if wrong.all() and (np.abs(difference - constant) <= noise + 1e-6 * abs(constant)).all():
        yield f"J − D is the same number everywhere: {constant:.6g}"
        return
    rows, columns = difference.shape
    if rows == columns:
        off = ~np.eye(rows, dtype=bool)
        diagonal = np.diag(difference).real
        level = float(np.median(diagonal))
        constant_diagonal = np.abs(level) > noise.max()
        if (
            constant_diagonal
            and (np.abs(difference[off]) <= noise[off]).all()
            and np.ptp(diagonal) <= 1e-5 * abs(level) + noise.max()
        ):
            which = "missing" if level < 0 else "too much"
            yield f"J − D is {level:.4g} times the identity: an identity is {which} (a residual path?)"
            return
    yield from _low_rank(evidence, difference, noise, size)


def _low_rank(evidence: Evidence, difference: NDArray[Any], noise: NDArray[np.float64], size: float) -> Iterator[str]:
    rows, columns = difference.shape
    bad = np.abs(difference) > noise
    if bad.any(axis=1).sum() < 2 or bad.any(axis=0).sum() < 2 or min(rows, columns) < 3 or bad.mean() < 0.1:
        return
    random = np.random.default_rng(0)
    keep = [np.sort(random.permutation(n)[:LARGEST]) for n in (rows, columns)]
    rank = _rank(difference[np.ix_(*keep)], noise[np.ix_(*keep)])
    if rank == 1:
        output = evidence.output.reshape(-1)
        products = {"f fᵀ": (output, output), "f xᵀ": (output, evidence.point.reshape(-1))}
        named = ""
        for name, (left, right) in products.items():
            if left.size != rows or right.size != columns:
                continue
            product = np.multiply.outer(left, right)
            factor = np.vdot(product, difference).real / max(np.vdot(product, product).real, 1e-300)
            if (np.abs(difference - factor * product) <= noise + 1e-6 * size).all():
                sign = "−" if factor > 0 else "+"
                weight = "" if np.isclose(abs(factor), 1, rtol=1e-3) else f"{abs(factor):.4g} "
                named = f": {sign} {weight}{name} is missing"
        yield f"the difference has rank 1{named}"
    elif 1 < rank <= min(rows, columns) // 3:
        blocks = _blocks_of_rank_one(evidence, difference, noise)
        yield (
            f"the difference has rank 1 in every block of the batch, rank {rank} in all"
            if blocks
            else (f"the difference has rank {rank}")
        )


def _rank(matrix: NDArray[Any], noise: NDArray[np.float64]) -> int:
    values = np.linalg.svd(matrix, compute_uv=False)
    floor = float(np.linalg.norm(noise)) + 1e-7 * values[0]
    return int((values > floor).sum())


def _blocks_of_rank_one(evidence: Evidence, difference: NDArray[Any], noise: NDArray[np.float64]) -> bool:
    """Whether output and argument share a first axis and every block of it has a difference of rank at most one."""
    shape, split = evidence.shape, evidence.out_ndim
    if split < 2 or len(shape) == split or shape[0] != shape[split]:
        return False
    batch = shape[0]
    view = [array.reshape(batch, difference.shape[0] // batch, batch, -1) for array in (difference, noise)]
    return all(_rank(view[0][b, :, b], view[1][b, :, b]) <= 1 for b in range(batch))
