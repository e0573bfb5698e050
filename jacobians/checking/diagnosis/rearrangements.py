"""The right numbers in the wrong places: transposes, memory order, flips, rolls, exchanged indices."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.diagnosis.evidence import Evidence

MOST_PAIRS = 64  # ways to read output axes as pairs of indices


def rearrangements(evidence: Evidence) -> Iterator[str]:
    """The right numbers in the wrong places: transposes, memory order, flips, rolls, swapped indices."""
    shape, split = evidence.shape, evidence.out_ndim
    rows, columns = math.prod(shape[:split]), math.prod(shape[split:])

    def found(*transforms: Callable[[NDArray[Any]], NDArray[Any]]) -> str | None:
        for transform in transforms:
            for factor, suffix in ((1.0, ""), (-1.0, ", with the sign reversed")):
                if evidence.fits(transform, factor):
                    return suffix
        return None

    if rows == columns and rows > 1:
        suffix = found(lambda a: a.reshape(rows, columns).T.reshape(shape))
        if suffix is not None:
            yield f"J is the transpose of D{suffix}"
            return
    square = rows == columns and rows > 1
    if square and evidence.fits(lambda a: a.reshape(rows, columns).conj().T.reshape(shape)):
        yield "J is the Hermitian transpose of D"
        return
    yield from _permuted(evidence)
    yield from _kronecker(evidence)
    wide, tall = len(shape) - split > 1, split > 1
    orders = (
        (wide, "columns in Fortran order: the entries of the argument are numbered by columns", (False, True)),
        (tall, "rows in Fortran order: the entries of the output are numbered by columns", (True, False)),
        (wide and tall, "rows and columns in Fortran order", (True, True)),
    )
    for possible, text, which in orders:
        if (
            possible
            and found(*(partial(_fortran, split=split, which=which, back=back) for back in (False, True))) == ""
        ):
            yield text
    suffix = found(
        lambda a: a.reshape(columns, rows).T.reshape(shape), lambda a: a.reshape(rows, columns).T.reshape(shape)
    )
    if suffix is not None:
        yield f"J is the transpose of D, reshaped instead of transposed back{suffix}"
    for count in range(1, len(shape) + 1):
        for axes in itertools.combinations([axis for axis, size in enumerate(shape) if size > 1], count):
            # mypy cannot infer a lambda with a default
            if evidence.fits(lambda a, axes=axes: np.flip(a, axes)):  # type: ignore[misc]  # a default
                yield _flipped(evidence, axes)
                return
    for axis, size in enumerate(shape):
        for shift in (1, -1, 2, -2):
            # mypy cannot infer a lambda with a default
            if size > abs(shift) and evidence.fits(lambda a, s=shift, k=axis: np.roll(a, s, axis=k)):  # type: ignore[misc]  # a default
                by = {1: "one", -1: "minus one", 2: "two", -2: "minus two"}[shift]
                yield f"rolled by {by} along axis {axis} ({evidence.axis_name(axis)})"
                return
    yield from _swapped(evidence)


def _fortran(array: NDArray[Any], split: int, which: tuple[bool, bool], back: bool) -> NDArray[Any]:
    """Mistake the numbering of rows or columns for Fortran order, or the other way round."""
    matrix = array.reshape(math.prod(array.shape[:split]), -1)
    for axis, (mistaken, shape) in enumerate(zip(which, (array.shape[:split], array.shape[split:]), strict=True)):
        if mistaken:
            order = np.arange(matrix.shape[axis]).reshape(shape).ravel(order="F")
            matrix = np.take(matrix, np.argsort(order) if back else order, axis=axis)
    return matrix.reshape(array.shape)


def _flipped(evidence: Evidence, axes: tuple[int, ...]) -> str:
    named = " and ".join(evidence.axis_name(axis) for axis in axes)
    ndim, split = len(evidence.shape), evidence.out_ndim
    if len(axes) > 1 and axes == tuple(range(ndim - len(axes), ndim)) and axes[0] >= split:
        return f"the kernel axes are flipped ({named}): convolution and correlation confused?"
    return f"flipped along {named}"


def _permuted(evidence: Evidence) -> Iterator[str]:
    """Axes in the wrong order."""
    shape = evidence.shape
    if not 2 <= len(shape) <= 6:
        return
    for order in itertools.permutations(range(len(shape))):
        if order == tuple(range(len(shape))) or tuple(shape[k] for k in order) != shape:
            continue
        # mypy cannot infer a lambda with a default
        if evidence.fits(lambda a, order=order: a.transpose(order)):  # type: ignore[misc]  # a default
            moved = [axis for axis, other in enumerate(order) if axis != other]
            named = " and ".join(evidence.axis_name(axis) for axis in moved)
            yield f"the axes are permuted (transposed): {named} stand in the order {list(order)}"
            return


def _kronecker(evidence: Evidence) -> Iterator[str]:
    """Factors of a Kronecker product in the wrong order: every output axis is a pair of indices, exchanged."""
    axes = [axis for axis in range(evidence.out_ndim) if evidence.shape[axis] > 3]
    pairs = [[(a, n // a) for a in range(2, n) if n % a == 0] for n in (evidence.shape[axis] for axis in axes)]
    for chosen in itertools.islice(itertools.product(*pairs), MOST_PAIRS) if axes else ():

        def exchanged(array: NDArray[Any], chosen: tuple[tuple[int, int], ...] = chosen) -> NDArray[Any]:
            for axis, (a, b) in zip(axes, chosen, strict=True):
                order = np.arange(a * b).reshape(a, b).T.reshape(-1)
                array = np.take(array, order, axis=axis)
            return array

        if evidence.fits(exchanged):
            read = " and ".join(f"{evidence.axis_name(k)} as {a}×{b}" for k, (a, b) in zip(axes, chosen, strict=True))
            yield f"the factors of a Kronecker product are exchanged ({read})"
            return


def _swapped(evidence: Evidence) -> Iterator[str]:
    """Slices of one axis exchanged: an index swap or another permutation."""
    for axis, size in enumerate(evidence.shape):
        if size > 512 or size < 2:
            continue
        claimed = np.moveaxis(evidence.claimed, axis, 0).reshape(size, -1)
        measured = np.moveaxis(evidence.measured, axis, 0).reshape(size, -1)
        error = np.moveaxis(evidence.error, axis, 0).reshape(size, -1)
        guilty = np.moveaxis(evidence.wrong, axis, 0).reshape(size, -1).any(axis=1)
        wrong = np.flatnonzero(guilty).tolist()
        if not 2 <= len(wrong) <= 64:
            continue
        source = []
        for index in wrong:
            same = [k for k in wrong if k != index and evidence.close(claimed[index], measured[k], error[k]).all()]
            source.append(same[0] if same else -1)
        if sorted(source) == wrong:
            if len(wrong) == 2:
                yield f"index swap: {wrong[0]} and {wrong[1]} are exchanged along {evidence.axis_name(axis)}"
            else:
                yield f"index swap: {evidence.axis_name(axis)} is permuted, {wrong} take {source}"
            return
