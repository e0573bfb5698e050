"""Values chosen by conditions and by order."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from jacobians import layers
from jacobians.core.applying import apply
from jacobians.core.rules import METHODS, RULES, refuse, rule
from jacobians.core.traced import Traced
from jacobians.functions.assembling import as_arrays
from jacobians.functions.constants import plain
from jacobians.functions.moving import picked

# --- by conditions ----------------------------------------------------------------------------------------------------


@rule(np.where)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """One value where a condition holds, another one elsewhere."""
    condition = plain(condition)
    if x is None and y is None:
        return np.where(condition)
    x, y = RULES["whole"](x), RULES["whole"](y)
    if not isinstance(x, Traced) and not isinstance(y, Traced):  # the condition is all that was traced
        return np.where(condition, x, y)
    return apply(layers.Where(condition), x, y, compute=partial(np.where, condition))


@rule(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """The value of the first condition that holds."""
    result = default
    for condition, choice in zip(reversed(plain(list(condlist))), reversed(choicelist), strict=True):
        result = np.where(condition, choice, result)
    return result


@rule(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """Functions, each of the entries where its condition holds."""
    conditions = plain(condlist)
    first = conditions[0] if isinstance(conditions, list | tuple | np.ndarray) and len(conditions) else conditions
    if not isinstance(conditions, list | tuple | np.ndarray) or (np.ndim(first) == 0 and np.ndim(x) != 0):
        conditions = [conditions]
    conditions = [np.asarray(c, bool) for c in conditions]
    if len(conditions) == len(funclist) - 1:
        conditions.append(~np.any(conditions, axis=0))
    result = np.zeros_like(x)
    for condition, function in zip(conditions, funclist, strict=True):
        if not np.any(condition):
            continue
        if result.ndim == 0:
            result = function(x, *args, **kw) if callable(function) else function
        else:
            result[condition] = function(x[condition], *args, **kw) if callable(function) else function
    return result


@rule(np.clip)
def clip(a: Any, a_min: Any = np._NoValue, a_max: Any = np._NoValue, **options: Any) -> Any:
    """Values limited to an interval."""
    low = options.get("min") if a_min is np._NoValue else a_min
    high = options.get("max") if a_max is np._NoValue else a_max
    ends: list[Any] = [None if end is None else RULES["whole"](end) for end in (low, high)]
    if isinstance(a, Traced) and not any(isinstance(end, Traced) or np.ndim(end) for end in ends):
        bounds = [limit if end is None else float(end) for limit, end in zip((-np.inf, np.inf), ends, strict=True)]
        if bounds[0] <= bounds[1]:
            return apply(layers.Clip(*bounds), a, output=np.clip(a.value, low, high))
    result = a if ends[0] is None else np.maximum(a, ends[0])
    return result if ends[1] is None else np.minimum(result, ends[1])


METHODS["clip"] = lambda x: lambda *arguments, **options: clip(x, *arguments, **options)


@rule(np.nan_to_num)
def nan_to_num(x: Traced, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Numbers in place of what is not finite."""
    value = np.nan_to_num(x.value, nan=plain(nan), posinf=posinf, neginf=neginf)
    result = where(np.isfinite(x.value), x, value)
    if copy:
        return result
    x[...] = result
    return x


@rule(np.choose)
def choose(a: Any, choices: Any, out: None = None, mode: str = "raise") -> Any:
    """From several arrays, by numbers."""
    if isinstance(a, Traced):
        refuse("np.choose by traced numbers", "positions have no derivative")
    dtype = np.result_type(*map(plain, choices))
    parts = np.broadcast_arrays(*[x.astype(dtype) for x in as_arrays(*choices)])
    shape = np.broadcast_shapes(np.shape(a), np.shape(parts[0]))
    stacked: Any = np.stack([np.broadcast_to(part, shape) for part in parts])
    positions = np.arange(len(parts) * int(np.prod(shape))).reshape(len(parts), *shape)
    return picked(stacked, np.choose(a, list(positions), mode=mode))  # type: ignore[call-overload]  # one of three words


@rule(np.compress)
def compress(condition: Any, a: Any, axis: int | None = None, out: None = None) -> Any:
    """The entries along an axis for which a condition holds."""
    return np.take(a, np.flatnonzero(plain(condition)), axis=axis) if isinstance(a, Traced) else np.compress(
        plain(condition), a, axis)  # fmt: skip


METHODS["compress"] = lambda x: lambda condition, axis=None: compress(condition, x, axis)


@rule(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    """The entries for which a condition holds."""
    positions = np.flatnonzero(plain(condition))
    return np.ravel(arr)[positions]


# --- by order ---------------------------------------------------------------------------------------------------------


def _ordered(x: Traced, order: Any, axis: int | None) -> Traced:
    positions = np.arange(x.size).reshape(x.shape)
    if axis is None:
        return picked(x, positions.reshape(-1)[order])
    return picked(x, np.take_along_axis(positions, order, axis))


def sort(a: Traced, axis: int | None = -1, kind: Any = None, order: None = None, *, stable: Any = None) -> Traced:
    """The entries in order."""
    return _ordered(a, np.argsort(a.value, axis=axis, kind="stable"), axis)


def partition(a: Traced, kth: Any, axis: int | None = -1, kind: Any = "introselect", order: None = None) -> Traced:
    """The entries so that those at some places are as in order."""
    return _ordered(a, np.argpartition(a.value, kth, axis=axis), axis)


rule(np.sort)(sort)
rule(np.partition)(partition)


def _in_place(function: Any) -> Any:
    def method(x: Traced) -> Any:
        def call(*arguments: Any, **options: Any) -> None:
            x[...] = function(x, *arguments, **options)

        return call

    return method


METHODS["sort"] = _in_place(sort)
METHODS["partition"] = _in_place(partition)


@rule(np.sort_complex)
def sort_complex(a: Traced) -> Any:
    """The entries in order, as complex numbers."""
    return sort(a).astype(np.result_type(a.dtype, np.complex64))


@rule(np.unique)
def unique(
    ar: Traced, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: int | None = None, *, equal_nan: bool = True, **_: Any,
) -> Any:  # fmt: skip
    """The entries that differ, in order; of those that are equal, the first one counts."""
    found: Any = np.unique(ar.value, True, return_inverse, return_counts, axis, equal_nan=equal_nan)  # type: ignore[call-overload]  # plain truth values
    index = found[1]
    values = RULES[np.ravel](ar)[index] if axis is None else np.take(ar, index, axis=axis)
    more = found[1:] if return_index else found[2:]
    return (values, *more) if len(more) else values


@rule(np.unique_values)
def unique_values(x: Traced, /) -> Any:
    """The entries that differ."""
    return unique(x)


@rule(np.trim_zeros)
def trim_zeros(filt: Traced, trim: str = "fb", axis: Any = None) -> Traced:
    """Without zeros at the ends."""
    if filt.ndim != 1:
        refuse("np.trim_zeros of an array with several axes", "choose the entries by slices")
    kept = np.flatnonzero(filt.value)
    first = kept[0] if kept.size and "f" in trim.lower() else 0
    last = kept[-1] if kept.size and "b" in trim.lower() else filt.size - 1
    return filt[first : last + 1 if kept.size else 0]
