"""Arrays that a traced function makes: ``np.array([[c, -s], [s, c]])``, ``y = np.zeros(3)``.

NumPy asks nobody about these functions, so they have stand-ins. Arrays that are made of traced values are traced;
arrays of floating-point numbers that are made to be written into are traced arrays that depend on nothing. As long as
nothing traced is written into them, all computations with them are plain.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from jacobians.core.applying import apply
from jacobians.core.rules import RULES, refuse
from jacobians.core.traced import Traced
from jacobians.functions.assembling import any_traced
from jacobians.functions.constants import plain
from jacobians.functions.moving import copied
from jacobians.functions.stand_ins import (
    Kind,
    Lens,
    constant,
    enter,
    fresh,
    innermost,
    stands_for,
    stands_for_later,
    whole,
)
from jacobians.layers.entrywise import Identity
from jacobians.layers.placing import Rearrange

Call = Callable[..., Any]


@stands_for(
    np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.asarray_chkfinite, np.require
)
def made_of_others(original: Call, *arguments: Any, **options: Any) -> Any:
    """An array of nested lists of numbers, or of an array."""
    if not arguments or not any_traced(arguments[0]):
        return fresh(original(*arguments, **options), *arguments)
    dtype = arguments[1] if len(arguments) > 1 else options.get("dtype")
    if dtype is not None and np.dtype(dtype) == object:
        return objects(arguments[0])
    found = whole(arguments[0])
    if not isinstance(found, Traced):  # arrays of several shapes
        return original(*arguments, **options)
    if dtype is not None and np.dtype(dtype) != found.dtype:
        found = RULES["astype"](found, dtype)
    if not isinstance(found, Traced):  # integers, which are constant
        return original(found, **options)
    if not found.is_array:
        found = boxed(found)
    missing = options.get("ndmin", 0) - found.ndim
    if missing > 0:
        found = RULES[np.expand_dims](found, tuple(range(missing)))
    return copied(found) if original is np.array and options.get("copy", True) else found


def boxed(x: Traced) -> Traced:
    """A number as an array without axes, which can be written into."""
    found = apply(Identity(), x)
    found.recording.zero_dimensional.add(found.number)
    return found


def objects(nested: Any) -> Any:
    """An array of objects: of numbers, or of arrays of several shapes."""
    parts = [np.shape(one) for one in nested] if isinstance(nested, list | tuple) else []
    if len(set(parts)) < 2:
        return np.asarray(whole(nested), object)
    found = np.empty(len(nested), object)
    found[:] = nested
    return found


@stands_for(np.zeros, np.ones, np.empty, np.full, np.eye, np.identity)
def made_of_nothing(original: Call, *arguments: Any, **options: Any) -> Any:
    """A new array."""
    if original is np.full and innermost() is not None:
        fill = whole(arguments[1] if len(arguments) > 1 else options.get("fill_value"))
        if isinstance(fill, Traced):
            return copied(RULES[np.broadcast_to](fill, arguments[0] if arguments else options["shape"]))
    return constant(original(*arguments, **options))


@stands_for(np.zeros_like, np.ones_like, np.empty_like, np.full_like, np.copy)
def made_alike(original: Call, *arguments: Any, **options: Any) -> Any:
    """A new array of the shape of another one."""
    return constant(original(*arguments, **options))  # one that is traced is made by its rule


def of_list(original: Call, *arguments: Any, **options: Any) -> Any:
    """A function of an array that may be given a list of traced numbers."""
    if arguments and isinstance(arguments[0], list | tuple) and any_traced(arguments[0]):
        arguments = (whole(arguments[0]), *arguments[1:])
    return fresh(original(*arguments, **options), *arguments)


_OF_LISTS = (
    np.mean, np.std, np.var, np.median, np.average, np.max, np.min, np.ptp, np.sum, np.prod, np.quantile, np.percentile,
)  # fmt: skip
stands_for(*_OF_LISTS)(of_list)
_NOT_OF_LISTS = "LinAlgError", "multi_dot"
stands_for(*(getattr(np.linalg, name) for name in np.linalg.__all__ if name not in _NOT_OF_LISTS))(of_list)
for _module in (
    np.linalg, np.polynomial.polynomial, np.polynomial, np.lib.stride_tricks, np.lib, np,
):  # fmt: skip
    enter(_module, Lens(_module))


@stands_for(np.lib.stride_tricks.as_strided)
def as_strided(
    original: Call, x: Any, shape: Any = None, strides: Any = None, subok: bool = False, writeable: bool = True
) -> Any:
    """A view with other strides: the entries are found by their places in memory."""
    if not isinstance(x, Traced):
        return original(x, shape, strides, subok, writeable)
    shape = x.shape if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
    theirs, ours = _places(shape, x.strides if strides is None else strides), _places(x.shape, x.strides).reshape(-1)
    order = np.argsort(ours, kind="stable")
    found = order[np.searchsorted(ours, theirs, sorter=order).clip(max=max(ours.size - 1, 0))] if ours.size else theirs
    if theirs.size and not (ours.size and np.array_equal(ours[found], theirs)):
        refuse("np.lib.stride_tricks.as_strided beyond the entries of a traced array", "take sliding_window_view")
    return apply(Rearrange(found, x.shape), x)


def _places(shape: tuple[int, ...], strides: Any) -> Any:
    """Where the entries are in memory, in bytes from the first one."""
    return np.tensordot(np.asarray(strides, np.intp), np.indices(shape, np.intp), 1)


@stands_for_later(
    "numpy.testing", "assert_allclose", "assert_almost_equal", "assert_array_almost_equal", "assert_array_equal",
    "assert_array_less", "assert_equal",
)  # fmt: skip
def compared(original: Call, *arguments: Any, **options: Any) -> Any:
    """A comparison of the plain values."""
    return original(*plain(arguments), **options)


@stands_for(np.polynomial.polynomial.polyfit)
def polyfit(original: Call, x: Any, y: Any, deg: Any, *more: Any, **options: Any) -> Any:
    """The coefficients of the polynomial of a degree that fits best, the constant one first."""
    if not any_traced([x, y]) or more or {*options} - {"w"} or np.ndim(deg):
        return original(x, y, deg, *more, **options)
    return np.polyfit(whole(x), whole(y), deg, **options)[::-1]


def matrix(original: Call, *arguments: Any, **options: Any) -> Any:
    """NumPy advises against matrices."""
    if arguments and any_traced(arguments[0]):
        refuse(f"np.{original.__name__}", "write np.array, and A @ B where a matrix has A * B")
    return original(*arguments, **options)


class Matrix(metaclass=Kind, original=np.matrix):
    """``np.matrix``, which is no array of traced values."""

    make = staticmethod(partial(matrix, np.matrix))


enter(np.matrix, Matrix)
stands_for(np.asmatrix, np.bmat)(matrix)
