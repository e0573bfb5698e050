"""Elementwise products of arrays that broadcast, written into place at the speed of memory.

Writing the outer products of which full Jacobians consist is most of the work there is. ``np.multiply`` copies operands
that broadcast into buffers first, which takes longer than the product; two ways around that are taken here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from math import prod

import numpy as np

from jacobians.program import Array
from jacobians.structure import Label

Into = Callable[..., Array]
"""Writes the product of arrays that broadcast into an output, which comes first and is returned."""

MANY = 1 << 12  # entries from which the way matters
LONG = 192  # entries in a row from which NumPy's loop over one row is quicker than BLAS
CHUNK = 1 << 16  # entries that BLAS gets at a time, which it does not share among threads
BUFFER = 64  # entries; NumPy does not buffer rows that are longer than its buffer


def product(
    order: Sequence[Label], sizes: Sequence[int], x: Collection[Label], y: Collection[Label],
    strides: Sequence[int] | None = None,
) -> Into:  # fmt: skip
    """How to multiply arrays with the labels x and y into an output whose axes come in this order.

    Parameters
    ----------
    order, sizes
        The labels and the lengths of the axes of the output.
    x, y
        The labels that each operand carries; they are viewed so that they broadcast against the output.
    strides
        The strides of the output, unless it is C-contiguous.
    """
    if not order or prod(sizes) < MANY:
        return _multiplied
    carried = [(i in x, i in y) for i in order]
    run = len(order) - 1  # from here on, axes are one to every array
    while run and carried[run - 1] == carried[-1] and (not strides or strides[run - 1] == strides[run] * sizes[run]):
        run -= 1
    row = prod(sizes[run:])
    if row >= LONG:
        return _unbuffered
    if not strides and set(carried[:run]) == {(True, False)} and carried[-1] == (False, True):
        return _outer(row)
    if not strides and set(carried[:run]) == {(False, True)} and carried[-1] == (True, False):
        outer = _outer(row)
        return lambda out, x, y: outer(out, y, x)
    return _multiplied


def _multiplied(out: Array, x: Array, y: Array) -> Array:
    np.multiply(x, y, out=out, casting="same_kind")
    return out


def _unbuffered(out: Array, x: Array, y: Array) -> Array:
    """Row by row, straight from the operands."""
    if not x.dtype == y.dtype == out.dtype:
        return _multiplied(out, x, y)
    size = np.setbufsize(BUFFER)
    try:
        np.multiply(np.ascontiguousarray(x), np.ascontiguousarray(y), out=out)
    finally:
        np.setbufsize(size)
    return out


def _outer(row: int) -> Into:
    """A matrix product of one column and one row, in chunks."""
    step = CHUNK // row

    def call(out: Array, x: Array, y: Array) -> Array:
        if not x.dtype == y.dtype == out.dtype or out.dtype.kind not in "fc":
            return _multiplied(out, x, y)
        column, line, matrix = x.reshape(-1, 1), y.reshape(1, row), out.reshape(-1, row)
        for start in range(0, len(column), step):
            np.dot(column[start : start + step], line, out=matrix[start : start + step])
        return out

    return call
