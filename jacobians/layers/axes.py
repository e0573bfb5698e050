"""Letters for layers that work along chosen axes."""

from __future__ import annotations

from numpy.exceptions import AxisError

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


def normalized(layer: str, axis: int | tuple[int, ...] | None, ndim: int) -> tuple[int, ...]:
    """The axes as non-negative numbers, in order; None means all."""
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    for k in axes:
        if not -ndim <= k < ndim:
            raise AxisError(f"{layer}: axis {k} is out of bounds for an input of {ndim} axes")
    found = sorted(k % ndim for k in axes)
    if len(set(found)) < len(found):
        raise ValueError(f"{layer}: axis {axis} names an axis twice")
    return tuple(found)
