"""Functions that write into their first argument, which must be a traced array."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobians.core.rules import METHODS, RULES, refuse, rule
from jacobians.core.traced import Traced
from jacobians.functions.constants import plain
from jacobians.functions.moving import flat


def require_traced(x: Any, name: str) -> None:
    """Raise an error for a plain array: traced values cannot be written into it."""
    if not isinstance(x, Traced):
        refuse(f"np.{name} of a plain array with traced values", "make the array with np.zeros_like of a traced one")


def repeated(values: Any, count: int) -> Any:
    """As many values as are needed, from the first one again where there are fewer."""
    values = RULES["whole"](values)
    row = np.ravel(values) if isinstance(values, Traced) else np.asarray(values).reshape(-1)
    return row[np.arange(count) % max(np.size(row), 1)]


@rule(np.copyto)
def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    """Write the entries of an array where a condition holds."""
    require_traced(dst, "copyto")
    if where is True:
        dst[...] = src
    else:
        mask = np.broadcast_to(plain(where), dst.shape)
        dst[mask] = np.broadcast_to(src, dst.shape)[mask]


@rule(np.put)
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """Write at flat positions."""
    require_traced(a, "put")
    positions = np.arange(a.size).take(plain(ind), mode=mode).reshape(-1)  # type: ignore[call-overload]  # one of three words
    flat(a)[positions] = repeated(v, positions.size)


@rule(np.place)
def place(arr: Any, mask: Any, vals: Any) -> None:
    """Write values one after another where a condition holds."""
    require_traced(arr, "place")
    positions = np.flatnonzero(plain(mask))
    flat(arr)[positions] = repeated(vals, positions.size)


@rule(np.putmask)
def putmask(a: Any, mask: Any, values: Any) -> None:
    """Write values that are repeated to the size of the array where a condition holds."""
    require_traced(a, "putmask")
    positions = np.flatnonzero(plain(mask))
    flat(a)[positions] = repeated(values, a.size)[positions]


@rule(np.put_along_axis)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None = -1) -> None:
    """Write at positions along an axis."""
    require_traced(arr, "put_along_axis")
    positions = np.arange(arr.size).reshape(arr.shape)
    taken = np.take_along_axis(positions if axis is not None else positions.reshape(-1), plain(indices), axis)
    flat(arr)[taken] = values


@rule(np.fill_diagonal)
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """Write the main diagonal."""
    require_traced(a, "fill_diagonal")
    marked = np.zeros(a.shape, bool)
    np.fill_diagonal(marked, True, wrap)
    positions = np.flatnonzero(marked)
    flat(a)[positions] = repeated(val, positions.size)


def _fill(x: Traced) -> Any:
    def fill(value: Any) -> None:
        x[...] = value

    return fill


METHODS["fill"] = _fill
METHODS["put"] = lambda x: lambda *arguments, **options: put(x, *arguments, **options)
