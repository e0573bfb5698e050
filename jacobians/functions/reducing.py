"""Sums, means and other reductions along axes, and what accumulates along them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

from jacobians import layers
from jacobians.core.applying import apply
from jacobians.core.layer import Layer
from jacobians.core.postponed import Postponed
from jacobians.core.rules import METHODS, RULES, refuse, rule
from jacobians.core.traced import Traced
from jacobians.functions.constants import plain

NEUTRAL: dict[Any, float] = {np.sum: 0.0, np.prod: 1.0}


def given(name: str, order: tuple[str, ...], arguments: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
    """The options of a call by name, without those that say nothing."""
    if not options and not arguments:
        return {}
    if not options and len(arguments) == 1 and type(arguments[0]) is int:
        return {order[0]: arguments[0]}
    found = {**dict(zip(order, arguments, strict=False)), **options}
    found = {key: value for key, value in found.items() if value is not None and value is not np._NoValue}
    found.pop("out", None)
    if found.get("where") is True:
        del found["where"]
    if "dtype" in found and np.dtype(found["dtype"]).kind not in "fc":
        refuse(f"{name} with dtype={np.dtype(found['dtype'])}", "leave the dtype out")
    if isinstance(found.get("axis"), list):
        found["axis"] = tuple(found["axis"])
    return found


def reduction(
    function: Callable[..., Any], kind: Callable[..., Layer], *order: str, ufunc: np.ufunc | None = None
) -> None:
    """Enter a reduction that is a layer with the options axis and keepdims (and ddof); `ufunc`: the one that it is."""
    name = function.__name__
    reduce = function if ufunc is None else partial(ufunc.reduce, axis=None)  # a shorter way to the same

    def call(a: Any, *arguments: Any, **options: Any) -> Any:
        if type(a) is not Traced:
            a = RULES["whole"](a)
            if not isinstance(a, Traced):
                refuse(f"np.{name} with a traced option", "options are plain numbers")
        found = given(f"np.{name}", order, arguments, options)
        if "where" in found or "initial" in found:
            return RULES["limited"](function, a, found)
        dtype = found.pop("dtype", None)
        more = {} if dtype is None else {"dtype": dtype}
        layer = _layer(kind, tuple(found.items()))
        if a.size >= a.recording.postpones and not more and isinstance(layer, layers.Sum | layers.Mean):
            output = _later(function, layer, a, found)
        else:
            value = a.value
            output = (reduce if type(value) is np.ndarray else function)(value, **found, **more)
        return apply(layer, a, output=output)

    RULES[function] = call
    METHODS[name] = lambda x: lambda *arguments, **more: call(x, *arguments, **more)


def _later(function: Any, layer: layers.Sum | layers.Mean, a: Traced, found: dict[str, Any]) -> Any:
    """A sum or a mean of many entries, not computed yet."""
    value: Any = a.recording.values[a.number]
    if type(value) not in (Postponed, np.ndarray) or a.dtype.kind != "f":
        return function(a.value, **found)
    axes = layer.axes(value)
    shape = tuple(1 if k in axes else n for k, n in enumerate(a.shape) if layer.keepdims or k not in axes)
    return Postponed(lambda x: function(x, **found), (value,), shape, a.dtype)


@lru_cache(maxsize=4096)
def _layer(kind: Any, options: tuple[tuple[str, Any], ...]) -> Layer:
    layer: Layer = kind(**dict(options))
    return layer


_SPREAD = "axis", "dtype", "out", "ddof", "keepdims"
reduction(np.sum, layers.Sum, "axis", "dtype", "out", "keepdims", "initial", "where", ufunc=np.add)
reduction(np.prod, layers.Product, "axis", "dtype", "out", "keepdims", "initial", "where", ufunc=np.multiply)
reduction(np.mean, layers.Mean, "axis", "dtype", "out", "keepdims")
reduction(np.max, layers.Max, "axis", "out", "keepdims", "initial", "where", ufunc=np.maximum)
reduction(np.min, layers.Min, "axis", "out", "keepdims", "initial", "where", ufunc=np.minimum)
RULES[np.amax], RULES[np.amin] = RULES[np.max], RULES[np.min]


@rule("limited")
def limited(function: Any, a: Traced, found: dict[str, Any]) -> Any:
    """A reduction of the entries where a condition holds, beginning with a number."""
    found = dict(found)
    where, initial = plain(found.pop("where", None)), found.pop("initial", None)
    if function is np.mean:
        return RULES[np.sum](np.where(where, a, 0.0), **found) / _count(where, a, found)
    if function in (np.max, np.min):
        if initial is None:
            raise ValueError("reduction operation has no identity, so to use a where mask one has to specify 'initial'")
        result = RULES[function](a if where is None else np.where(where, a, initial), **found)
        return (np.maximum if function is np.max else np.minimum)(result, initial)
    result = RULES[function](a if where is None else np.where(where, a, NEUTRAL[function]), **found)
    return result if initial is None else result + initial if function is np.sum else result * initial


def _count(where: Any, a: Traced, found: dict[str, Any]) -> Any:
    """How many entries go into each mean."""
    options = {key: value for key, value in found.items() if key in ("axis", "keepdims")}
    real = np.finfo(a.dtype).dtype
    return np.sum(np.broadcast_to(True if where is None else where, a.shape), **options, dtype=real)


def _spread(function: Callable[..., Any], kind: Callable[..., Layer]) -> None:
    """Enter the variance or the standard deviation."""
    name = function.__name__

    def call(a: Any, *arguments: Any, **options: Any) -> Any:
        found = given(f"np.{name}", _SPREAD, arguments, options)
        a = RULES["whole"](a)
        if not isinstance(a, Traced) or "mean" in found:
            refuse(f"np.{name} with mean= or a traced option", "leave mean= out")
        if "correction" in found:
            found["ddof"] = found.pop("correction")
        if "where" not in found:
            dtype = {"dtype": found.pop("dtype")} if "dtype" in found else {}
            return apply(_layer(kind, tuple(found.items())), a, output=function(a.value, **found, **dtype))
        where, ddof = plain(found.pop("where")), found.pop("ddof", 0)
        number = _count(where, a, found | {"keepdims": True})
        centred = np.where(where, a - np.sum(np.where(where, a, 0.0), **(found | {"keepdims": True})) / number, 0.0)
        variance = np.sum(centred * centred, **found) / (_count(where, a, found) - ddof)
        return np.sqrt(variance) if function is np.std else variance

    RULES[function] = call
    METHODS[name] = lambda x: lambda *arguments, **more: call(x, *arguments, **more)


_spread(np.var, layers.Variance)
_spread(np.std, layers.StandardDeviation)


def ptp(a: Traced, axis: Any = None, out: None = None, keepdims: Any = False) -> Any:
    """The largest minus the smallest entry."""
    keepdims = keepdims is True
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


rule(np.ptp)(ptp)
METHODS["ptp"] = lambda x: lambda *arguments, **options: ptp(x, *arguments, **options)


# --- accumulations ----------------------------------------------------------------------------------------------------


def accumulation(function: Callable[..., Any], kind: Callable[..., Layer]) -> Callable[..., Any]:
    """Enter a function that accumulates along an axis, or along all entries."""

    def call(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
        a = RULES["whole"](a)
        if axis is None:
            a, axis = RULES[np.ravel](a), 0
        if dtype is not None and np.dtype(dtype).kind not in "fc":
            refuse(f"np.{function.__name__} with dtype={np.dtype(dtype)}", "leave the dtype out")
        return apply(_layer(kind, (("axis", axis),)), a, output=function(a.value, axis=axis, dtype=dtype))

    RULES[function] = call
    METHODS[function.__name__] = lambda x: lambda *arguments, **options: call(x, *arguments, **options)
    return call


cumsum = accumulation(np.cumsum, layers.CumulativeSum)
cumprod = accumulation(np.cumprod, layers.CumulativeProduct)


def _with_initial(accumulate: Callable[..., Any], first: float) -> Callable[..., Any]:
    """The functions of the array API standard, which can begin with the neutral element."""

    def call(
        x: Traced, /, *, axis: int | None = None, dtype: Any = None, out: None = None, include_initial: bool = False
    ) -> Any:
        if axis is None and x.ndim > 1:
            raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
        axis = (axis or 0) % x.ndim
        result = accumulate(x, axis, dtype)
        if not include_initial:
            return result
        shape = tuple(1 if k == axis else n for k, n in enumerate(x.shape))
        return np.concatenate([np.full(shape, first, x.dtype), result], axis=axis)

    return call


rule(np.cumulative_sum)(_with_initial(cumsum, 0.0))
rule(np.cumulative_prod)(_with_initial(cumprod, 1.0))


# --- without NaN ------------------------------------------------------------------------------------------------------


def _filled(function: Callable[..., Any], value: float) -> Callable[..., Any]:
    """A reduction in which NaN counts as a neutral value."""

    def call(a: Traced, *arguments: Any, **options: Any) -> Any:
        return function(np.where(np.isnan(a), value, a), *arguments, **options)

    return call


rule(np.nansum)(_filled(np.sum, 0.0))
rule(np.nanprod)(_filled(np.prod, 1.0))
rule(np.nancumsum)(_filled(np.cumsum, 0.0))
rule(np.nancumprod)(_filled(np.cumprod, 1.0))


def _known(function: Callable[..., Any]) -> Callable[..., Any]:
    """A reduction of the entries that are not NaN."""

    def call(a: Traced, *arguments: Any, **options: Any) -> Any:
        known = ~np.isnan(plain(a))
        return (
            function(a, *arguments, **options, where=known) if not known.all() else function(a, *arguments, **options)
        )

    return call


rule(np.nanmean)(_known(np.mean))
rule(np.nanvar)(_known(np.var))
rule(np.nanstd)(_known(np.std))


def _extreme(function: Callable[..., Any], worst: float) -> Callable[..., Any]:
    """The largest or smallest entry that is not NaN."""

    def call(a: Traced, axis: Any = None, out: None = None, keepdims: Any = False, **options: Any) -> Any:
        found = function(np.where(np.isnan(a), worst, a), axis=axis, keepdims=keepdims is True, **options)
        empty = np.isnan(plain(a)).all(axis=axis, keepdims=keepdims is True)
        return np.where(empty, np.nan, found) if np.any(empty) and not options else found

    return call


rule(np.nanmax)(_extreme(np.max, -np.inf))
rule(np.nanmin)(_extreme(np.min, np.inf))
