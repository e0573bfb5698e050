"""How a claim of the wrong shape came about, where the numbers tell."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.measuring.function import quiet

MOST = 3  # explanations offered
Shape = tuple[int, ...]


def explain_shape(
    claimed: NDArray[Any], out_shape: Shape, wrt_shape: Shape, measured: NDArray[Any] | None
) -> tuple[str, ...]:
    """The explanations that fit the numbers, else what the shapes alone suggest."""
    if claimed.size and np.isnan(claimed).all():
        return ("J is NaN everywhere",)
    found: list[str] = []
    if measured is not None and np.isfinite(measured).all():
        with quiet():
            found = list(_by_numbers(claimed, out_shape, wrt_shape, measured))
    if not found:
        found = list(_by_shapes(claimed.shape, out_shape + wrt_shape))
    return tuple(found[:MOST])


def _by_numbers(claimed: NDArray[Any], out_shape: Shape, wrt_shape: Shape, measured: NDArray[Any]) -> Iterator[str]:
    size = float(np.abs(measured).max(initial=0))

    def same(other: NDArray[Any]) -> bool:
        return other.shape == claimed.shape and np.allclose(claimed, other, rtol=1e-4, atol=1e-8 * size)

    split, flat = len(out_shape), (math.prod(out_shape), math.prod(wrt_shape))
    matrix = measured.reshape(flat)
    swapped = np.moveaxis(measured, range(split), range(-split, 0)) if out_shape else measured
    if out_shape and same(swapped):
        yield "J is the transpose of D: the denominator layout, argument axes first"
    elif claimed.size == measured.size:
        by_columns = _by_columns(measured, out_shape, wrt_shape)
        if same(measured.reshape(claimed.shape)):
            yield "the numbers are right, J is only reshaped: " + _way_back(claimed.shape, flat, out_shape + wrt_shape)
        elif same(by_columns.reshape(claimed.shape)):
            yield "the numbers are right, but rows and columns are numbered in Fortran order (column by column)"
        elif same(by_columns.reshape(-1, order="F").reshape(claimed.shape)) or same(
            matrix.reshape(-1, order="F").reshape(claimed.shape)
        ):
            yield "the numbers are right, but flattened in Fortran order (column by column)"
        elif same(swapped.reshape(claimed.shape)):
            yield "J is the transpose of D, flattened"
    for axis in range(split):
        where = "summed over the batch, output axis 0" if axis == 0 else f"summed over output axis {axis}"
        if same(measured.sum(axis=axis)) or same(measured.sum(axis=axis, keepdims=True)):
            yield f"J is {where}"
    if out_shape == wrt_shape and same(np.diagonal(matrix).reshape(out_shape)):
        yield "J holds only the diagonal of D, as a vector: np.diag makes it a matrix"
        return
    for out, (first, second) in itertools.product(range(split), list(enumerate(wrt_shape))):
        axis = split + first
        if out_shape[out] == second and same(np.moveaxis(np.diagonal(measured, axis1=out, axis2=axis), -1, out)):
            yield f"J holds only the diagonal of output axis {out} and axis {first} of the argument"
            return


def _by_columns(measured: NDArray[Any], out_shape: Shape, wrt_shape: Shape) -> NDArray[Any]:
    """The matrix whose rows and columns are numbered in Fortran order."""
    split = len(out_shape)
    axes = [*reversed(range(split)), *reversed(range(split, measured.ndim))]
    return measured.transpose(axes).reshape(math.prod(out_shape), math.prod(wrt_shape))


def _way_back(shape: Shape, flat: Shape, right: Shape) -> str:
    return "the 2-D matrix is given" if shape == flat else f"reshape it to {right}"


def _by_shapes(shape: Shape, right: Shape) -> Iterator[str]:
    if sorted(shape) == sorted(right):
        yield "J has the axes of D in another order (transposed?)"
    if not math.prod(shape):
        return
    try:
        if np.broadcast_shapes(shape, right) == right:
            yield "J would broadcast to the right shape, which hides the mistake in a comparison"
    except ValueError:
        return
