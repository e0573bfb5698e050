"""Parts that are missing, repeated or summed: diagonals, triangles, blocks of a batch, conventions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.diagnosis.evidence import Evidence


def structure(evidence: Evidence) -> Iterator[str]:
    """The diagonal alone, no diagonal, one triangle, blocks that are repeated."""
    claimed, measured, _, wrong = evidence.matrices()
    rows, columns = claimed.shape
    if rows == columns and rows > 1:
        diagonal = np.eye(rows, dtype=bool)
        off_is_zero = not claimed[~diagonal].any()
        if not wrong[diagonal].any() and wrong[~diagonal].any():
            if off_is_zero:
                yield "only the diagonal is right: the off-diagonal entries are missing"
            elif wrong[~diagonal].mean() > 0.5:
                yield "only the diagonal is right"
        elif wrong[diagonal].sum() > 1 and not wrong[~diagonal].any() and measured[~diagonal].any():
            missing = not claimed[diagonal].any()
            yield "only the diagonal is wrong" + (": it is missing (zero)" if missing else "")
        for name, keep in (("lower", np.tril), ("upper", np.triu)):
            # mypy cannot infer a lambda with a default
            if not off_is_zero and evidence.fits(lambda a, keep=keep: keep(a.reshape(rows, rows)).reshape(a.shape)):  # type: ignore[misc]  # a default
                yield f"only the {name} triangle is there"
        for factor, name in ((1.0, "D + Dᵀ"), (0.5, "(D + Dᵀ)/2")):
            if evidence.fits(lambda a: (a.reshape(rows, rows) + a.reshape(rows, rows).T).reshape(a.shape), factor):
                yield f"J is symmetrised: {name}"
    yield from _blocks(evidence)


def _blocks(evidence: Evidence) -> Iterator[str]:
    """Block structure of a pair of equal axes, output and argument (a batch): blocks repeated or dropped."""
    shape, split = evidence.shape, evidence.out_ndim
    if len(shape) < 3:
        return
    for out in range(split):
        for axis in range(split, len(shape)):
            size = shape[out]
            if size != shape[axis] or size < 2:
                continue
            same = np.eye(size, dtype=bool).reshape([size if k in (out, axis) else 1 for k in range(len(shape))])
            own = np.broadcast_to(same, shape)

            def repeated(array: NDArray[Any], out: int = out, axis: int = axis) -> NDArray[Any]:
                blocks = np.diagonal(array, axis1=out, axis2=axis)
                return np.broadcast_to(np.expand_dims(np.moveaxis(blocks, -1, out), axis), shape)

            which = f"{evidence.axis_name(out)} and {evidence.axis_name(axis)}"
            if evidence.fits(repeated):
                yield f"the blocks of the batch are repeated off their diagonal ({which}): a Kronecker delta is missing"
                return
            # mypy cannot infer a lambda with a default
            if evidence.fits(lambda a, out=out: np.broadcast_to(a.sum(axis=out, keepdims=True), shape)):  # type: ignore[misc]  # a default
                return  # named by `sums`
            if not evidence.claimed[~own].any() and not evidence.wrong[own].any():
                yield f"only the diagonal blocks are right: entries that couple {which} are missing"
                return


def sums(evidence: Evidence) -> Iterator[str]:
    """Sums or means over an axis, broadcast back to the right shape."""
    for axis, size in enumerate(evidence.shape):
        if size < 2:
            continue
        for factor, verb in ((1.0, "summed"), (1 / size, "averaged")):
            if evidence.fits(
                # mypy cannot infer a lambda with a default
                lambda a, axis=axis: np.broadcast_to(a.sum(axis=axis, keepdims=True), a.shape),  # type: ignore[misc]  # a default
                factor,
            ):
                batch = " the batch," if axis == 0 and evidence.out_ndim > 1 else ""
                yield f"{verb} over{batch} {evidence.axis_name(axis)}, where blocks are due"
                return


def symmetric_arguments(evidence: Evidence) -> Iterator[str]:
    """The convention for symmetric arguments, where an entry and its mirror image are one variable."""
    shape, split = evidence.shape, evidence.out_ndim
    if len(shape) - split != 2 or shape[-1] != shape[-2] or shape[-1] < 2:
        return
    both = evidence.measured + evidence.measured.swapaxes(-1, -2)
    diagonal = np.eye(shape[-1], dtype=bool)
    if evidence.predicts(np.where(diagonal, evidence.measured, both)):
        yield "J counts an entry and its mirror image together: the convention for a symmetric-matrix argument"


def batch_statistics(evidence: Evidence) -> Iterator[str]:
    """N times too much where the examples of a batch are coupled: means that are sums."""
    shape, split = evidence.shape, evidence.out_ndim
    if split < 2 or len(shape) == split or shape[0] != shape[split] or shape[0] < 2:
        return
    size = shape[0]
    index = np.ix_(*(range(n) for n in shape))
    off = np.broadcast_to(index[0] != index[split], shape)
    coupled = (
        off & (np.abs(evidence.measured) > 30 * evidence.error) & (np.abs(evidence.measured) > 1e-9 * evidence.size)
    )
    if not coupled.any() or not evidence.wrong[coupled].all():
        return
    claimed, predicted = evidence.claimed[coupled], size * evidence.measured[coupled]
    if evidence.close(claimed, predicted, size * evidence.error[coupled]).all():
        yield (
            f"J ≈ N·D between the examples of the batch, N = {size}: a factor 1/N is missing in its statistics "
            "(mean or variance)"
        )


def lost_entries(evidence: Evidence) -> Iterator[str]:
    """J is zero where D is not, and right elsewhere."""
    lost = evidence.told & (evidence.claimed == 0)
    count = int(lost.sum())
    if count > 1 and count == evidence.wrong.sum() and evidence.claimed.any():
        yield f"J is 0 in {count} of {lost.size} entries where D is not"
