"""Elementwise products of arrays that broadcast, written into place at the speed of memory.

Writing the outer products of which full Jacobians consist is most of the work there is. ``np.multiply`` copies operands
that broadcast into buffers first, which takes longer than the product; two ways around that are taken here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from math import prod

import numpy as np

from jacobians.engine.tape import Array
from jacobians.notation.symbols import Label

Into = Callable[..., Array]
"""Writes the product of arrays that broadcast into an output, which comes first and is returned."""

MANY = 1 << 12  # entries from which the way matters
CACHE = 1 << 24  # bytes of results that stay in the cache together
LONG = 192, 512  # entries in a row from which NumPy's loop over one row is quicker than BLAS: in memory, in the cache
CHUNK = 1 << 16, 1 << 17  # entries that BLAS gets at a time, few enough that it does not share them among threads
MATRIX = 64  # entries of a matrix from which a stack of them is quicker than sums of products
FEW = 8  # times fewer entries than a product has: they are put in order first
BUFFER = 64  # entries; NumPy does not buffer rows that are longer than its buffer


def product(
    order: Sequence[Label], sizes: Sequence[int], x: Collection[Label], y: Collection[Label],
    strides: Sequence[int] | None = None, cached: bool = False,
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
    cached
        Whether the output is likely to be in the cache.
    """
    if not order or prod(sizes) < MANY:
        return _multiplied
    carried = [(i in x, i in y) for i in order]
    run = len(order) - 1  # from here on, axes are one to every array
    while run and carried[run - 1] == carried[-1] and (not strides or strides[run - 1] == strides[run] * sizes[run]):
        run -= 1
    row = prod(sizes[run:])
    lead = set(carried[:run])
    if not strides and row < LONG[cached] and len(lead) == 1:
        if lead == {(True, False)} and carried[-1] == (False, True):
            return _outer(row, cached)
        if lead == {(False, True)} and carried[-1] == (True, False):
            outer = _outer(row, cached)
            return lambda out, x, y: outer(out, y, x)
    return _unbuffered if row >= LONG[0] else _multiplied


def summed(sizes: Sequence[int], carried: Sequence[Sequence[Collection[int]]]) -> Into | None:
    """How to write a sum of products of two arrays, of which each carries some axes, as one (stacked) matrix product.

    Where the axes can be cut into others, rows and columns such that of every product one array has no columns and the
    other no rows, Σ_k x_k y_k is a product of matrices over k. None where they cannot, or where it does not pay.
    The call takes the output, then x and y of every product, which broadcast against it.
    """
    if len(carried) < 2 or any(len(factors) != 2 for factors in carried) or prod(sizes) < MANY:
        return None
    found: list[tuple[int, int, int, list[bool]]] = []
    for middle in range(1, len(sizes)):
        for begin in range(middle):
            rows, columns = set(range(begin, middle)), set(range(middle, len(sizes)))
            swapped = [not (columns.isdisjoint(x) and rows.isdisjoint(y)) for x, y in carried]
            if all(not swap or (columns.isdisjoint(y) and rows.isdisjoint(x))
                   for (x, y), swap in zip(carried, swapped, strict=True)):  # fmt: skip
                found.append((prod(sizes[begin:]), begin, middle, swapped))
    if not found or max(found)[0] < MATRIX:
        return None
    _, begin, middle, swapped = max(found)
    lead, row, column = tuple(sizes[:begin]), tuple(sizes[begin:middle]), tuple(sizes[middle:])
    ndim, count = len(sizes), len(carried)
    shape = (*lead, prod(row), prod(column))

    def call(out: Array, *factors: Array) -> Array:
        if out.dtype.char not in "fdFD" or any(x.dtype != out.dtype for x in factors) or _is_strict():
            total = _multiplied(out, *factors[:2])
            for k in range(2, 2 * count, 2):
                np.add(total, np.multiply(*factors[k : k + 2]), out=total, casting="same_kind")
            return out
        left, right = np.empty((*lead, *row, count), out.dtype), np.empty((*lead, count, *column), out.dtype)
        for k, swap in enumerate(swapped):
            pair = [x.reshape((1,) * (ndim - x.ndim) + x.shape) for x in factors[2 * k : 2 * k + 2]]
            x, y = reversed(pair) if swap else pair
            left[..., k] = x.reshape(x.shape[:middle])
            right[(slice(None),) * begin + (k,)] = y.reshape(y.shape[:begin] + y.shape[middle:])
        np.matmul(left.reshape(*lead, -1, count), right.reshape(*lead, count, -1), out=out.reshape(shape))
        return out

    return call


def _is_strict() -> bool:
    """Whether NumPy is to raise errors, of which BLAS does not tell."""
    return "raise" in np.geterr().values()


def _multiplied(out: Array, x: Array, y: Array) -> Array:
    np.multiply(lined(x, out.size), lined(y, out.size), out=out, casting="same_kind")
    return out


def lined(x: Array, size: int) -> Array:
    """An array that is read many times for a result of this size, in one piece."""
    return np.ascontiguousarray(x) if x.size * FEW <= size and not x.flags.c_contiguous else x


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


def _outer(row: int, cached: bool) -> Into:
    """A matrix product of one column and one row, in chunks.

    ``np.dot`` clears its output first. That is a detour in the cache; in memory it is the quickest way to fetch it.
    ``np.matmul`` does not, but leaves one column times one row to a loop of its own, unless both are padded.
    """
    step = CHUNK[cached] // row

    def call(out: Array, x: Array, y: Array) -> Array:
        if not x.dtype == y.dtype == out.dtype or out.dtype.char not in "fdFD" or _is_strict():
            return _multiplied(out, x, y)
        column, line, matrix = x.reshape(-1, 1), y.reshape(1, row), out.reshape(-1, row)
        multiply: Callable[..., Array] = np.dot
        if cached and out.dtype.kind == "f":
            multiply, column, line = np.matmul, _padded(column, (len(column), 2)), _padded(line, (2, row))
        for start in range(0, len(column), step):
            multiply(column[start : start + step], line, out=matrix[start : start + step])
        return out

    return call


def _padded(array: Array, shape: tuple[int, int]) -> Array:
    padded = np.zeros(shape, array.dtype)
    padded[: array.shape[0], : array.shape[1]] = array
    return padded
