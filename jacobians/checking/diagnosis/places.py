"""Where the wrong entries are: few of them, one slice, zero columns, the border."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.diagnosis.evidence import Evidence

FEW = 5


def index_text(index: tuple[int, ...]) -> str:
    """Write a multi-index as in NumPy: "[1,0,2]", or nothing for a scalar."""
    return f"[{','.join(str(int(k)) for k in index)}]" if index else ""


def places(evidence: Evidence) -> Iterator[str]:
    """Say where the wrong entries are, where that is telling."""
    wrong = evidence.wrong
    total, count = wrong.size, int(wrong.sum())
    if total < 2 or not count:
        return
    indices = np.argwhere(wrong)
    if count <= FEW and count < total:
        listed = ", ".join("[" + ", ".join(map(str, index)) + "]" for index in indices.tolist())
        ratio = evidence.ratio()[wrong]
        named = {-1.0: "−D (sign)", 2.0: "2·D (factor)", 0.5: "½·D (factor)", 0.0: "0"}
        common = next((text for value, text in named.items() if np.allclose(ratio, value, rtol=1e-5)), "")
        yield f"differs in {count} of {total} entries: {listed}" + (f"; there J ≈ {common}" if common else "")
    yield from _zero_slices(evidence)
    yield from _confined(evidence, indices)
    yield from _border(evidence, indices)


def _zero_slices(evidence: Evidence) -> Iterator[str]:
    """Columns (or rows) that are zero and should not be, while the rest is right."""
    claimed, _, _, wrong = evidence.matrices()
    split = evidence.out_ndim
    for axis, name, shape in ((0, "columns", evidence.shape[split:]), (1, "rows", evidence.shape[:split])):
        empty = np.asarray(~claimed.any(axis=axis) & wrong.any(axis=axis))
        others = np.compress(~empty, wrong, axis=1 - axis)
        if empty.any() and not others.any() and len(empty) > 1:
            first = _first_steps(empty.reshape(shape)) if axis == 0 else None
            if first is not None:
                place, count, size = first
                yield (
                    f"J is zero for the first {count} of {size} indices along {evidence.axis_name(split + place)}, "
                    "right for the others: truncated back-propagation through time?"
                )
                return
            which = [index_text(tuple(index)) for index in np.argwhere(empty.reshape(shape))[:FEW].tolist()]
            more = ", …" if empty.sum() > FEW else ""
            yield f"zero {name}: {', '.join(which)}{more} of J are zero, those of D are not"
            return


def _first_steps(empty: NDArray[np.bool_]) -> tuple[int, int, int] | None:
    """The axis along which exactly the first few indices are empty, how many, and of how many."""
    if empty.ndim < 2:
        return None
    for axis, size in enumerate(empty.shape):
        per_index: NDArray[np.bool_] = np.moveaxis(empty, axis, 0).reshape(size, -1)
        full = np.array([row.all() for row in per_index])
        count = int(full.sum())
        if size > 2 and 0 < count < size and full[:count].all() and not per_index[count:].any():
            return axis, count, size
    return None


def _confined(evidence: Evidence, indices: NDArray[np.intp]) -> Iterator[str]:
    """All wrong entries share an index, or a small part of an axis."""
    if len(indices) <= 1:
        return
    for axis, size in enumerate(evidence.shape):
        used = np.unique(indices[:, axis])
        if size > 2 and len(used) == 1:
            yield f"all {len(indices)} wrong entries are at index {used[0]} of {evidence.axis_name(axis)}"


def _border(evidence: Evidence, indices: NDArray[np.intp]) -> Iterator[str]:
    """Wrong where some axis begins or ends, right inside."""
    shape, split = evidence.shape, evidence.out_ndim
    for name, axes in (("output", range(split)), ("argument", range(split, len(shape)))):
        long = [axis for axis in axes if shape[axis] >= 4]
        if not long:
            continue
        at_border = np.zeros(len(indices), dtype=bool)
        both = True
        for axis in long:
            at_border |= (indices[:, axis] == 0) | (indices[:, axis] == shape[axis] - 1)
            both &= bool((indices[:, axis] == 0).any() and (indices[:, axis] == shape[axis] - 1).any())
        if at_border.all() and len(indices) > 1:
            yield (
                f"wrong at the border only (first and last index of the {name} axes)"
                if both
                else (f"wrong at the border only (one end of the {name} axes)")
            )
            return
