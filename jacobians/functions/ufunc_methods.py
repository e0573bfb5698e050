"""Methods of NumPy's ufuncs of traced values: reduce, accumulate, outer, reduceat, at.

What is a reduction of its own is used; every other one is folded from left to right, as NumPy defines it.
"""

from __future__ import annotations

from functools import reduce as fold
from typing import Any

import numpy as np

from jacobians.core.applying import apply
from jacobians.core.rules import RULES, refuse, rule
from jacobians.core.traced import Traced
from jacobians.functions.constants import plain
from jacobians.layers.placing import Scatter

REDUCTIONS: dict[Any, Any] = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}
ACCUMULATIONS: dict[Any, Any] = {np.add: np.cumsum, np.multiply: np.cumprod}


@rule("reduce")
def reduce(
    ufunc: np.ufunc, x: Any, axis: Any = 0, dtype: Any = None, keepdims: bool = False, initial: Any = np._NoValue,
    where: Any = True,
) -> Any:  # fmt: skip
    """Entries along axes put together by a function of two."""
    if ufunc in REDUCTIONS:
        options = {} if initial is np._NoValue else {"initial": initial}
        if where is not True:
            options["where"] = where
        return REDUCTIONS[ufunc](x, axis=axis, keepdims=keepdims, **options)
    if where is not True:
        refuse(f"np.{ufunc.__name__}.reduce with where=", "choose the entries first, as in x[condition]")
    if np.size(x) == 0 and not isinstance(initial, Traced):
        begin = {} if initial is np._NoValue else {"initial": initial}
        return ufunc.reduce(plain(x), axis=axis, keepdims=keepdims, **begin)
    ndim = np.ndim(x)
    axes = range(ndim) if axis is None else [k % ndim for k in (axis if isinstance(axis, tuple) else (axis,))]
    parts = np.moveaxis(x, list(axes), range(len(axes)))
    parts = [parts[k] for k in np.ndindex(parts.shape[: len(axes)])]
    if initial is not np._NoValue and initial is not None:
        parts.insert(0, initial)
    if len(parts) == 1 and ufunc.identity is not None:
        parts.insert(0, ufunc.identity)
    result = fold(lambda a, b: RULES[ufunc](a, b), parts)
    return np.expand_dims(result, tuple(axes)) if keepdims else result


@rule("accumulate")
def accumulate(ufunc: np.ufunc, x: Any, axis: int = 0, dtype: Any = None) -> Any:
    """What a reduction has gathered, after each entry."""
    if ufunc in ACCUMULATIONS:
        return ACCUMULATIONS[ufunc](x, axis=axis)
    parts = list(np.moveaxis(x, axis, 0))
    for k in range(1, len(parts)):
        parts[k] = RULES[ufunc](parts[k - 1], parts[k])
    return np.stack(parts, axis=axis) if parts else x


@rule("reduceat")
def reduceat(ufunc: np.ufunc, x: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
    """Reductions of slices that begin at these indices."""
    rows, starts = np.moveaxis(x, axis, 0), [int(k) for k in plain(indices)]
    ends = [*starts[1:], len(rows)]
    parts = [reduce(ufunc, rows[a:b]) if a < b else rows[a] for a, b in zip(starts, ends, strict=True)]
    return np.stack(parts, axis=axis)


@rule("outer")
def outer(ufunc: np.ufunc, a: Any, b: Any, dtype: Any = None) -> Any:
    """Every entry of one array with every entry of another one."""
    a = a if isinstance(a, Traced) else np.asarray(a)
    return RULES[ufunc](a[(..., *(None,) * np.ndim(b))], b)


@rule("at")
def at(ufunc: np.ufunc, x: Any, indices: Any, *values: Any) -> None:
    """In place at these indices, once for every time that they occur."""
    if not isinstance(x, Traced):
        refuse(
            f"np.{ufunc.__name__}.at of a plain array with traced values",
            "write into an array made with np.zeros_like of a traced one",
        )
    positions = np.arange(x.size).reshape(x.shape)[plain(indices)]
    if not positions.size or np.bincount(positions.reshape(-1)).max() == 1:
        x[indices] = RULES[ufunc](x[indices], *values)
    elif ufunc is np.add or ufunc is np.subtract:
        given = np.broadcast_to(values[0], positions.shape)
        scatter = Scatter(positions, x.shape)
        x[...] = RULES[ufunc](x, apply(scatter, given) if isinstance(given, Traced) else scatter(given))
    else:
        rows = [np.broadcast_to(v, positions.shape).reshape(-1) for v in values]
        for k, position in enumerate(positions.reshape(-1)):
            place = np.unravel_index(position, x.shape)
            x[place] = RULES[ufunc](x[place], *[row[k] for row in rows])
