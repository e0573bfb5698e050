"""Functions that call a function of the user's for parts of an array, and sequences between traced ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians.core.rules import refuse, rule
from jacobians.functions.assembling import as_arrays
from jacobians.functions.constants import plain


@rule(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """A function of every lane along an axis."""
    (arr,) = as_arrays(arr)
    axis = axis % arr.ndim
    rows = np.moveaxis(arr, axis, -1)
    shape = rows.shape[:-1]
    results = as_arrays(*[func1d(rows[k], *args, **kwargs) for k in np.ndindex(shape)])
    ndim = np.ndim(results[0])
    stacked = np.reshape(np.stack(results), shape + np.shape(results[0]))
    places = range(len(shape), len(shape) + ndim)
    return np.moveaxis(stacked, list(places), list(range(axis, axis + ndim)))


@rule(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    """A function along one axis after another, which keeps the number of axes."""
    for axis in np.atleast_1d(axes):
        found = func(a, int(axis))
        a = found if np.ndim(found) == np.ndim(a) else np.expand_dims(found, int(axis))
    return a


@rule(np.linspace)
def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0, **_: Any,
) -> Any:  # fmt: skip
    """Evenly spaced numbers between two ends."""
    if dtype is None:
        dtype = np.result_type(plain(start), plain(stop), 0.0)
    start, stop = as_arrays(start, stop)
    parts = max(num - 1 if endpoint else num, 1)
    shape = np.broadcast_shapes(np.shape(start), np.shape(stop))
    t = (np.arange(num) / parts).reshape(-1, *(1,) * len(shape))
    values = start * (1 - t) + stop * t
    values = (np.floor(values) if np.dtype(dtype).kind in "iu" else values).astype(dtype)
    values = np.moveaxis(values, 0, axis) if axis else values
    return (values, (stop - start) / parts) if retstep else values


@rule(np.logspace)
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:
    """Powers with evenly spaced exponents."""
    values = np.power(base, linspace(start, stop, num, endpoint, axis=axis))
    return values if dtype is None else values.astype(dtype)


@rule(np.geomspace)
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """Numbers of which each is the one before times a constant."""
    if np.any(np.less(start, 0)) or np.any(np.less(stop, 0)):
        refuse("np.geomspace of negative numbers", "write -np.geomspace(-start, -stop)")
    values = np.exp(linspace(np.log(start), np.log(stop), num, endpoint, axis=axis))
    return values if dtype is None else values.astype(dtype)
