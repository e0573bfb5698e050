"""Differences, slopes, integrals, convolutions and interpolation along an axis."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from jacobians import layers
from jacobians.core.applying import apply
from jacobians.core.rules import refuse, rule
from jacobians.core.traced import Traced
from jacobians.functions.assembling import as_arrays
from jacobians.functions.constants import plain

# --- differences ------------------------------------------------------------------------------------------------------


def along(x: Any, axis: int, key: Any) -> Any:
    """The entries that a key takes along an axis."""
    return x[(slice(None),) * (axis % x.ndim) + (key,)]


@rule(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = np._NoValue, append: Any = np._NoValue) -> Any:
    """Differences of neighbours."""
    (a,) = as_arrays(a)
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    parts = [a]
    for value, at in ((prepend, 0), (append, 2)):
        if value is not np._NoValue:
            (value,) = as_arrays(value)
            if np.ndim(value) == 0:
                value = np.broadcast_to(value, [1 if k == axis % a.ndim else m for k, m in enumerate(a.shape)])
            parts.insert(at, value)
    if len(parts) > 1:
        a = np.concatenate(parts, axis=axis)
    for _ in range(n):
        a = along(a, axis, slice(1, None)) - along(a, axis, slice(None, -1))
    return a


@rule(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Differences of neighbours in the flat array, with others around them."""
    (row,) = as_arrays(ary)
    row = np.ravel(row)
    parts = [x for x in (to_begin, row[1:] - row[:-1], to_end) if x is not None]
    return np.concatenate([np.ravel(x) for x in as_arrays(*parts)], dtype=row.dtype)


@rule(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Slopes by central differences inside, and one-sided ones at the ends."""
    (f,) = as_arrays(f)
    axes = range(f.ndim) if axis is None else [k % f.ndim for k in (axis if isinstance(axis, tuple) else (axis,))]
    steps = as_arrays(*varargs) or [np.asarray(1.0)]
    steps = steps * len(axes) if len(steps) == 1 and np.ndim(steps[0]) == 0 else steps
    if len(steps) != len(axes):
        raise TypeError("invalid number of arguments")
    if edge_order not in (1, 2):
        raise ValueError("'edge_order' greater than 2 not supported")
    found = [_slopes(f, k, h, edge_order) for k, h in zip(axes, steps, strict=True)]
    return found[0] if len(found) == 1 else tuple(found)


def _slopes(f: Any, axis: int, h: Any, edge_order: int) -> Any:
    """The slopes along an axis, for a step or for coordinates."""
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ValueError("Shape of array too small to calculate a numerical gradient, "
                         "at least (edge_order + 1) elements are required.")  # fmt: skip

    def at(key: Any) -> Any:
        return along(f, axis, key)

    if np.ndim(h):
        if h.shape != (n,):
            raise ValueError("when 1d, distances must match the length of the corresponding dimension")
        h = np.diff(h)
        if not isinstance(h, Traced) and (h == h[0]).all():
            h = h[0]
    if np.ndim(h) == 0:
        inside = (at(slice(2, None)) - at(slice(None, -2))) / (2 * h)
        before = behind = h
        first, last = (h, h), (h, h)
    else:
        wide = (-1, *(1,) * (f.ndim - axis - 1))
        a, b = h[:-1].reshape(wide), h[1:].reshape(wide)
        inside = (
            -b / (a * (a + b)) * at(slice(None, -2)) + (b - a) / (a * b) * at(slice(1, -1))
            + a / (b * (a + b)) * at(slice(2, None))
        )  # fmt: skip
        before, behind = h[0], h[-1]
        first, last = (h[0], h[1]) if n > 2 else (h[0], h[0]), (h[-1], h[-2]) if n > 2 else (h[-1], h[-1])
    if edge_order == 1:
        start = (at(slice(1, 2)) - at(slice(0, 1))) / before
        end = (at(slice(n - 1, n)) - at(slice(n - 2, n - 1))) / behind
    else:
        start = _one_sided(*first, *[at(slice(k, k + 1)) for k in (0, 1, 2)])
        end = -_one_sided(*last, *[at(slice(k, k + 1)) for k in (n - 1, n - 2, n - 3)])
    return np.concatenate([start, inside, end], axis=axis, dtype=f.dtype if f.dtype.kind in "fc" else None)


def _one_sided(a: Any, b: Any, f0: Any, f1: Any, f2: Any) -> Any:
    """The slope at the first of three points, at distances a and b."""
    return -(2 * a + b) / (a * (a + b)) * f0 + (a + b) / (a * b) * f1 - a / (b * (a + b)) * f2


@rule(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral by the trapezoidal rule."""
    y, x = as_arrays(y, x) if x is not None else (*as_arrays(y), None)
    if x is not None:
        dx = np.diff(x) if x.ndim == 1 else np.diff(x, axis=axis)
        if x.ndim == 1:
            dx = dx.reshape([-1 if k == axis % y.ndim else 1 for k in range(y.ndim)])
    return np.sum(dx * (along(y, axis, slice(1, None)) + along(y, axis, slice(None, -1))) / 2.0, axis=axis)


@rule(np.unwrap)
def unwrap(p: Traced, discont: Any = None, axis: int = -1, *, period: float = 2 * np.pi) -> Traced:
    """Angles without jumps: what is added is a multiple of the period, which is constant."""
    return apply(layers.Identity(), p, output=np.unwrap(p.value, discont, axis, period=period))


# --- convolution ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _convolve(mode: str) -> layers.Convolve:
    return layers.Convolve(mode)


@rule(np.convolve)
def convolve(a: Any, v: Any, mode: str = "full") -> Traced:
    """The convolution of two sequences."""
    a, v = (np.ravel(x) if np.ndim(x) == 0 else x for x in as_arrays(a, v))
    return apply(_convolve(mode), a, v)


@rule(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """The convolution with a reversed sequence."""
    a, v = as_arrays(a, v)
    if any(x.dtype.kind == "c" for x in (a, v)):
        refuse("np.correlate of complex values", "write np.convolve(a, np.conj(v)[::-1], mode)")
    if len(v) > len(a):
        return correlate(v, a, mode)[::-1]
    return convolve(a, v[::-1], mode)


# --- interpolation ----------------------------------------------------------------------------------------------------


@rule(np.interp)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: float | None = None) -> Any:
    """Values on straight lines between points; x, the points and their values may all be traced."""
    x, xp, fp = as_arrays(x, xp, fp)
    if period is not None:
        x, xp = x % period, xp % period
        order = np.argsort(plain(xp))
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
        left = right = None
    at, points = np.asarray(plain(x)), np.asarray(plain(xp))
    low = fp[0] if left is None else left
    high = fp[-1] if right is None else right
    if points.size == 1:
        inside = np.broadcast_to(fp[0], at.shape)
    else:
        k = np.clip(np.searchsorted(points, at, side="right") - 1, 0, points.size - 2)
        x0, x1, f0, f1 = xp[k], xp[k + 1], fp[k], fp[k + 1]
        inside = f0 + (x - x0) * ((f1 - f0) / (x1 - x0))
    outside = (at < points[0]) | (at > points[-1])
    if not outside.any():
        return inside
    return np.where(at < points[0], low, np.where(at > points[-1], high, inside))
