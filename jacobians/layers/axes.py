"""Axes and positions as layers' options name them, and letters to label axes with."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index

import numpy as np
from numpy.exceptions import AxisError

from jacobians.core.layer import Array

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def letters(ndim: int) -> str:
    """One label for every axis."""
    return LETTERS[:ndim]


def twins(ndim: int, axes: tuple[int, ...]) -> tuple[str, str]:
    """Labels for the output and for the input, which are the same except along some axes.

    >>> twins(3, (1,))
    ('abc', 'aBc')
    """
    same = letters(ndim)
    return same, "".join(c.upper() if k in axes else c for k, c in enumerate(same))


def normalized(layer: str, axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """Number the axes from 0 on, in order; None means all."""
    if axis is None:
        return tuple(range(ndim))
    axes = tuple(axis) if isinstance(axis, Sequence) else (index(axis),)
    for k in axes:
        if not -ndim <= k < ndim:
            raise AxisError(f"{layer}: axis {k} is out of bounds for an input of {ndim} axes")
    found = sorted(k % ndim for k in axes)
    if len(set(found)) < len(found):
        raise ValueError(f"{layer}: axis {axis} names an axis twice")
    return tuple(found)


def wrapped(layer: str, indices: Array, size: int, what: str) -> Array:
    """Integer positions along an axis of this size; negative ones count from the end, others outside are errors."""
    low, high = (indices.min(), indices.max()) if indices.size else (0, -1)
    if low < -size or high >= size:
        outside = (indices < -size) | (indices >= size)
        raise ValueError(f"{layer}: index {indices[outside].flat[0]} is out of bounds for {what} of size {size}")
    positions = indices.astype(np.intp)  # small and unsigned integers would overflow
    if low >= 0:
        return positions
    return np.where(positions < 0, positions + size, positions)


def unraveled(positions: Array, shape: Sequence[int]) -> tuple[Array, ...]:
    """As ``np.unravel_index``, which errs for more than 8192 positions in a column (NumPy 2.4): of a flat array.

    >>> unraveled(np.array([[5], [2]]), (2, 3))
    (array([[1],
           [0]]), array([[2],
           [2]]))
    """
    found = np.unravel_index(np.ravel(positions), tuple(shape))
    return tuple(along.reshape(np.shape(positions)) for along in found)


def pair(layer: str, name: str, value: int | Sequence[int], least: int, number: int = 2) -> tuple[int, ...]:
    """Give an option, such as a stride, to every spatial axis: one integer for all, or one each."""
    try:
        values = tuple(index(n) for n in value) if isinstance(value, Sequence) else (index(value),) * number
    except TypeError:
        values = ()
    if len(values) != number or min(values) < least:
        each = f" or {number} of them" if number > 1 else ""
        raise ValueError(f"{layer}: {name} must be an integer of at least {least}{each}; it is {value!r}")
    return values
