"""NumPy's ufuncs of traced values: one layer each, or a composition; their methods are in `ufunc_methods`.

A value is computed by NumPy itself, so that it is exactly what the function would return; the layer says what its
Jacobians are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

from jacobians import layers
from jacobians.core.applying import apply, with_dtype
from jacobians.core.layer import Array, Layer
from jacobians.core.rules import METHODS, RULES, refuse, rule
from jacobians.core.short import of_one, of_two
from jacobians.core.traced import PLAIN, Traced, into
from jacobians.functions.constants import plain

ENTRYWISE: dict[np.ufunc, Layer] = {
    np.negative: layers.Negative(),
    np.positive: layers.Identity(),
    np.exp: layers.Exp(),
    np.exp2: layers.Exp2(),
    np.expm1: layers.Expm1(),
    np.log: layers.Log(),
    np.log1p: layers.Log1p(),
    np.log2: layers.Log2(),
    np.log10: layers.Log10(),
    np.sqrt: layers.Sqrt(),
    np.cbrt: layers.Cbrt(),
    np.square: layers.Square(),
    np.reciprocal: layers.Reciprocal(),
    np.sin: layers.Sin(),
    np.cos: layers.Cos(),
    np.tan: layers.Tan(),
    np.arcsin: layers.Arcsin(),
    np.arccos: layers.Arccos(),
    np.arctan: layers.Arctan(),
    np.sinh: layers.Sinh(),
    np.cosh: layers.Cosh(),
    np.tanh: layers.Tanh(),
    np.arcsinh: layers.Arcsinh(),
    np.arccosh: layers.Arccosh(),
    np.arctanh: layers.Arctanh(),
    np.fabs: layers.Abs(),
}
BROADCASTING: dict[np.ufunc, Layer] = {
    np.add: layers.Add(),
    np.subtract: layers.Subtract(),
    np.multiply: layers.Multiply(),
    np.true_divide: layers.Divide(),
    np.maximum: layers.Maximum(),
    np.minimum: layers.Minimum(),
    np.hypot: layers.Hypot(),
    np.arctan2: layers.Arctan2(),
    np.logaddexp: layers.LogAddExp(),
}


def entered(ufunc: np.ufunc, rule_of: Callable[..., Any]) -> None:
    """Enter the rule of a ufunc: a function of the inputs and of `compute`, which is the ufunc with its options."""

    def call(*inputs: Any, dtype: Any = None, casting: str = "same_kind", **options: Any) -> Any:
        return rule_of(*inputs, compute=ufunc if dtype is None else with_dtype(ufunc, dtype, casting))

    _enter(ufunc, call)


def teach(ufunc: np.ufunc, layer: Layer) -> None:
    """Enter a ufunc that is a layer; it takes the short way if NumPy says that doubles give doubles."""
    if "d->d" in ufunc.types:
        _enter(ufunc, of_one(ufunc, layer))
    elif "dd->d" in ufunc.types:
        _enter(ufunc, of_two(ufunc, layer))
    elif ufunc.types and all(one.endswith("O") for one in ufunc.types):
        _enter(ufunc, partial(apply, layer, compute=partial(_of_objects, ufunc)))
    else:
        _enter(ufunc, partial(apply, layer, compute=ufunc))


def _of_objects(ufunc: np.ufunc, *inputs: Array) -> Array:
    """What a ufunc of Python's objects gives, such as one of `np.frompyfunc`, as numbers of its inputs' dtype."""
    return np.asarray(ufunc(*inputs)).astype(np.result_type(*inputs))


def _enter(ufunc: np.ufunc, call: Callable[..., Any]) -> None:
    RULES[ufunc] = call
    if ufunc.nin == 1:  # what NumPy asks of the entries of an array of objects
        METHODS.setdefault(ufunc.__name__, lambda x: lambda: call(x))


for _table in (ENTRYWISE, BROADCASTING):
    for _ufunc, _layer in _table.items():
        teach(_ufunc, _layer)


def _ufunc_rule(*ufuncs: np.ufunc) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def enter(one: Callable[..., Any]) -> Callable[..., Any]:
        for ufunc in ufuncs:
            entered(ufunc, one)
        return one

    return enter


# --- ufuncs that are compositions, or a layer that depends on the values ----------------------------------------------


def scaled(x: Any, factor: Any, compute: Callable[..., Any]) -> Traced:
    """A function of x that is computed by NumPy, and whose derivative is a constant factor."""
    return apply(layers.Multiply(), x, factor, compute=lambda x, _: compute(x))


for _ufunc, _factor in {np.deg2rad: np.pi / 180, np.radians: np.pi / 180, np.rad2deg: 180 / np.pi,
                        np.degrees: 180 / np.pi}.items():  # fmt: skip
    entered(_ufunc, lambda x, compute, factor=_factor: scaled(x, factor, compute))

POWERS: dict[float, Layer] = {-1: layers.Reciprocal(), 0.5: layers.Sqrt(), 1: layers.Identity(), 2: layers.Square()}


@lru_cache(maxsize=256)
def _power(exponent: float) -> Layer:
    return POWERS.get(exponent) or layers.Power(exponent)


@_ufunc_rule(np.power, np.float_power)
def power(x: Any, y: Any, compute: Callable[..., Any]) -> Traced:
    """x^y; where y is a plain number, of x alone."""
    if type(x) is Traced and (type(y) in PLAIN or isinstance(y, np.integer | np.floating)) and type(y) is not complex:
        layer = _power(float(y))
        return apply(layer, x, compute=None if compute is np.power else lambda x: compute(x, y))
    return apply(layers.Pow(), x, y, compute=compute)


@_ufunc_rule(np.fmax, np.fmin)
def fmax(x: Any, y: Any, compute: Callable[..., Any]) -> Traced:
    """The larger or smaller one; where one is NaN, the other one."""
    layer = layers.Maximum() if compute is np.fmax else layers.Minimum()
    if np.isnan(plain(x)).any() or np.isnan(plain(y)).any():
        x, y = np.where(np.isnan(plain(x)), y, x), np.where(np.isnan(plain(y)), x, y)
    return apply(layer, x, y, compute=compute)


@_ufunc_rule(np.logaddexp2)
def logaddexp2(x: Any, y: Any, compute: Callable[..., Any]) -> Traced:
    """log₂(2^x + 2^y)."""
    log2 = np.log(2.0).item()
    z = np.logaddexp(_times(x, log2), _times(y, log2))
    return scaled(z, 1 / log2, lambda _: compute(plain(x), plain(y)))


def _times(x: Any, factor: float) -> Any:
    return x * factor if isinstance(x, Traced) else np.multiply(x, factor)


@_ufunc_rule(np.copysign)
def copysign(x: Any, y: Any, compute: Callable[..., Any]) -> Any:
    """|x| with the sign of y, which has no derivative by y."""
    signs = np.copysign(1, plain(x)) * np.copysign(1, plain(y))
    return apply(layers.Multiply(), x, signs, compute=lambda x, _: compute(x, plain(y))) if isinstance(
        x, Traced) else compute(x, plain(y))  # fmt: skip


@_ufunc_rule(np.nextafter)
def nextafter(x: Any, y: Any, compute: Callable[..., Any]) -> Any:
    """The number next to x: x, but for a rounding."""
    y = plain(y)
    if not isinstance(x, Traced):
        return compute(x, y)
    return apply(layers.BroadcastTo(np.broadcast_shapes(x.shape, np.shape(y))), x, compute=lambda x: compute(x, y))


@_ufunc_rule(np.ldexp)
def ldexp(x: Any, exponent: Any, compute: Callable[..., Any]) -> Traced:
    """x 2^n for integers n."""
    if isinstance(exponent, Traced):
        refuse("np.ldexp with a traced exponent", "write x * 2.0**n")
    return apply(layers.Multiply(), x, np.exp2(exponent), compute=lambda x, _: compute(x, exponent))


@_ufunc_rule(np.frexp)
def frexp(x: Traced, compute: Callable[..., Any]) -> tuple[Traced, Any]:
    """The fraction x / 2^n, and n."""
    fraction, exponent = np.frexp(x.value)
    return apply(layers.Multiply(), x, np.exp2(-exponent.astype(float)), output=fraction), exponent


@_ufunc_rule(np.modf)
def modf(x: Traced, compute: Callable[..., Any]) -> tuple[Traced, Any]:
    """The fraction, which has the derivative 1, and the integer."""
    fraction, integer = np.modf(x.value)
    return apply(layers.Identity(), x, output=fraction), integer


@_ufunc_rule(np.remainder, np.fmod)
def remainder(x: Any, y: Any, compute: Callable[..., Any]) -> Any:
    """x − q y for the integer q, which is constant between the jumps."""
    rounded = np.trunc if compute is np.fmod else np.floor
    output, quotient = compute(plain(x), plain(y)), rounded(np.true_divide(plain(x), plain(y)))
    return apply(layers.Subtract(), x, y * quotient if isinstance(y, Traced) else quotient, output=output)


@_ufunc_rule(np.divmod)
def divmod_(x: Any, y: Any, compute: Callable[..., Any]) -> tuple[Any, Any]:
    """The integer quotient, and the remainder."""
    return np.floor_divide(x, y), np.remainder(x, y)


@_ufunc_rule(np.heaviside)
def heaviside(x: Any, h0: Any, compute: Callable[..., Any]) -> Any:
    """0 or 1, which is constant, and the second argument where x is 0."""
    return (
        np.where(np.equal(x, 0), h0, compute(plain(x), plain(h0))) if isinstance(h0, Traced) else compute(plain(x), h0)
    )


@rule(np.sinc)
def sinc(x: Any) -> Traced:
    """sin(πx)/(πx)."""
    return apply(layers.Sinc(), x, compute=np.sinc)


# --- options of all ufuncs --------------------------------------------------------------------------------------------


@rule("where")
def where_only(function: Callable[..., Any], where: Any, out: Any, inputs: Any, options: dict[str, Any]) -> Any:
    """A function of the entries where a condition holds; the others stay what they are in out."""
    place = out[0] if isinstance(out, tuple) else out
    if place is None:
        refuse("where= without out=", "what is left out would be undefined: write np.where(condition, value, other)")
    if not isinstance(place, Traced) or len(out) > 1:
        return into(out, None)  # which refuses
    mask = np.broadcast_to(plain(where), place.shape)
    chosen = [x if np.ndim(x) == 0 else np.broadcast_to(x, place.shape)[mask] for x in inputs]
    if any(isinstance(x, Traced) for x in chosen):
        place[mask] = function(*chosen, **options)
    elif mask.any():
        refuse("where= with constants alone", "write np.where(condition, value, other)")
    return place
