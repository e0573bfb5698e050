"""Arrays put together from others: concatenated, stacked, built from lists of traced numbers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from jacobians.core.applying import apply
from jacobians.core.layer import Array
from jacobians.core.rules import RULES, refuse, rule
from jacobians.core.traced import Traced
from jacobians.layers.placing import Assemble, Rearrange


@rule("whole")
def whole(x: Any) -> Any:
    """An array of objects, or nested lists, with traced values in them as one traced array; anything else as it is."""
    if type(x) is Traced:
        return x
    if isinstance(x, list | tuple) and any_traced(x):
        return stacked([whole(one) for one in x])
    return objects_stacked(x) if isinstance(x, np.ndarray) and x.dtype == object else x


def any_traced(x: Any) -> bool:
    """Whether there is a traced value in nested lists."""
    if type(x) is Traced:
        return True
    if isinstance(x, list | tuple):
        return any(map(any_traced, x))
    return isinstance(x, np.ndarray) and x.dtype == object


def stacked(parts: list[Any]) -> Any:
    """Arrays and numbers of one shape along a new first axis."""
    if any(isinstance(x, Traced) for x in parts):
        return RULES[np.stack](parts)
    return np.stack(parts) if all(isinstance(x, np.ndarray) for x in parts) else np.asarray(parts)


def objects_stacked(x: np.ndarray[Any, np.dtype[Any]]) -> Any:
    """An array of traced and plain numbers as one traced array: where its entries are found decides what is made."""
    flat = list(x.reshape(-1))
    if not any(isinstance(one, Traced) for one in flat):
        return np.asarray(x.tolist()) if all(isinstance(one, _NUMBERS) for one in flat) else x
    if all(one.is_number if isinstance(one, Traced) else isinstance(one, _NUMBERS) for one in flat):
        vector = row(flat)
        return vector if x.ndim == 1 else RULES[np.reshape](vector, x.shape)
    origins: dict[int, Any] = {}
    found = []
    for one in flat:
        array, position = one.origin if isinstance(one, Traced) else (one, 0)
        origins[id(array)] = array
        found.append((id(array), position))
    start, starts = 0, {}
    for key, array in origins.items():
        starts[key] = start
        start += array.size if isinstance(array, Traced) else 1
    positions = np.array([starts[key] + position for key, position in found]).reshape(x.shape)
    parts = [RULES[np.ravel](a) if isinstance(a, Traced) and a.ndim != 1 else np.ravel(a) for a in origins.values()]
    joined = parts[0] if len(parts) == 1 else concatenate(parts)
    if not np.array_equal(positions.reshape(-1), np.arange(joined.size)):
        return apply(Rearrange(positions, (joined.size,)), joined)
    if len(origins) == 1 and (only := next(iter(origins.values()))).shape == x.shape:
        return only
    return joined if x.ndim == 1 else RULES[np.reshape](joined, x.shape)


_NUMBERS = int, float, complex, np.number, np.bool


def as_arrays(*values: Any) -> list[Any]:
    """Values as traced or plain arrays."""
    found = [whole(x) for x in values]
    return [x if isinstance(x, Traced) else np.asarray(x) for x in found]


@rule("entry")
def entry(x: Traced, position: int) -> Traced:
    """The entry at a flat position."""
    return x[tuple(int(k) for k in np.unravel_index(position, x.shape))]


@rule(np.concatenate)
def concatenate(arrays: Any, axis: int | None = 0, dtype: Any = None, casting: str = "same_kind") -> Any:
    """Arrays one after another along an axis."""
    parts = as_arrays(*arrays)
    if axis is None:
        parts, axis = [RULES[np.ravel](x) if isinstance(x, Traced) else x.ravel() for x in parts], 0
    if all(type(x) is not Traced for x in parts):  # as in a row of np.block
        return np.concatenate(parts, axis=axis, dtype=dtype)
    return _joined(np.concatenate, parts, axis, dtype, casting)


def _joined(function: Any, parts: Sequence[Any], axis: int, dtype: Any, casting: str) -> Traced:
    """Arrays put together along an axis, which is a new one for np.stack."""
    layer = _joining(function, tuple([x.shape for x in parts]), axis)
    return apply(layer, *parts, compute=lambda *arrays: function(arrays, axis=axis, dtype=dtype, casting=casting))


@lru_cache(maxsize=4096)
def _joining(function: Any, shapes: tuple[tuple[int, ...], ...], axis: int) -> Assemble:
    shape = function([np.broadcast_to(np.int8(0), one) for one in shapes], axis=axis).shape
    places, start = [], 0
    for k, part in enumerate(shapes):
        along = k if function is np.stack else (start, 1, part[axis])
        places.append(tuple(along if a == axis % len(shape) else (0, 1, n) for a, n in enumerate(shape)))
        start += 0 if function is np.stack else part[axis]
    return Assemble(tuple(places), shape)


def row(parts: Sequence[Any]) -> Traced:
    """Numbers, of which some are traced, as a vector."""
    return apply(_row(len(parts)), *parts, compute=_as_row)


def _as_row(*numbers: Array) -> Array:
    return np.array(numbers)


@lru_cache(maxsize=1024)
def _row(count: int) -> Assemble:
    return Assemble(tuple([(k,) for k in range(count)]), (count,))


@rule(np.stack)
def stack(arrays: Any, axis: int = 0, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """Arrays of one shape along a new axis."""
    parts = list(arrays)
    if set(map(type, parts)) != {Traced}:
        parts = as_arrays(*parts)
    if axis == 0 and dtype is None and all(not x.ndim for x in parts):
        return row(parts)
    return _joined(np.stack, parts, axis, dtype, casting)


def _each(function: Any, arrays: Any) -> list[Any]:
    return [function(whole(x)) for x in arrays]


@rule(np.vstack)
def vstack(tup: Sequence[Any], *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """Rows below each other."""
    return concatenate(_each(np.atleast_2d, tup), 0, dtype)


@rule(np.hstack)
def hstack(tup: Sequence[Any], *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """Arrays beside each other."""
    parts = _each(np.atleast_1d, tup)
    return concatenate(parts, 0 if parts and parts[0].ndim == 1 else 1, dtype)


@rule(np.dstack)
def dstack(tup: Sequence[Any]) -> Any:
    """Arrays behind each other."""
    return concatenate(_each(np.atleast_3d, tup), 2)


@rule(np.column_stack)
def column_stack(tup: Sequence[Any]) -> Any:
    """Columns beside each other."""
    return concatenate(
        [x[:, None] if np.ndim(x) == 1 else np.atleast_2d(x) if np.ndim(x) == 0 else x for x in as_arrays(*tup)], 1
    )


@rule(np.append)
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """An array with others behind it."""
    return concatenate([arr, values], axis)


@rule(np.block)
def block(arrays: Any) -> Any:
    """An array from nested lists of blocks."""

    def depth(x: Any) -> int:
        return 1 + max((depth(one) for one in x), default=0) if isinstance(x, list) else 0

    levels = depth(arrays)

    def joined(x: Any, level: int, ndim: int) -> Any:
        if level == 0:
            one = whole(x)
            one = one if isinstance(one, Traced) else np.asarray(one)
            return one[(None,) * (ndim - one.ndim)] if one.ndim < ndim else one
        return concatenate([joined(one, level - 1, ndim) for one in x], axis=-level)

    def most(x: Any) -> int:
        return max(map(most, x)) if isinstance(x, list) else np.ndim(x)

    return joined(arrays, levels, max(levels, most(arrays)))


@rule(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """An array with others between its entries: where they come from is found with arrays of positions."""
    arr, values = as_arrays(arr, values)
    if arr.dtype.kind not in "fc":
        refuse(f"np.insert of traced values into an array of {arr.dtype}", "take an array of floating-point numbers")
    values = values.astype(arr.dtype)
    first = np.arange(np.size(arr)).reshape(np.shape(arr))
    second = np.arange(first.size, first.size + np.size(values)).reshape(np.shape(values))
    positions = np.insert(first, obj, second, axis)
    joined = concatenate([np.ravel(arr), np.ravel(values)])
    return apply(Rearrange(positions, joined.shape), joined)
