"""Functions of every entry that stay accurate at both ends: no overflow, no 0 · ∞, no cancellation in the tails.

What makes a function accurate (a maximum taken out, two branches) is not what it should be differentiated by. Those
that are `with_layer` are one layer where their argument is traced, which knows their derivative.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import numpy as np

from jacobians.core.layer import Array
from jacobians.core.rules import RULES
from jacobians.core.traced import Traced

SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717


def with_layer(function: Callable[..., Array]) -> Callable[..., Array]:
    """A function that is a layer where an argument is traced: the one that its rule in `RULES` applies."""

    @wraps(function)
    def call(*arguments: Any) -> Array:
        for argument in arguments:
            if isinstance(argument, Traced):
                traced: Array = RULES[call](*arguments)
                return traced
        return function(*arguments)

    return call


@with_layer
def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(−x)); exp is only taken of −|x|, so it never overflows. Complex numbers have no order."""
    if x.dtype.kind == "c":
        return np.asarray(1 / (1 + np.exp(-x)))
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1, e) / (1 + e))


@with_layer
def softplus(x: Array) -> Array:
    """log(1 + exp(x)) = max(x, 0) + log(1 + exp(−|x|))."""
    return np.asarray(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))


@with_layer
def sech2(x: Array) -> Array:
    """1 − tanh²(x) = 1 / cosh²(x), which does not cancel where tanh(x) is near ±1."""
    if x.dtype.kind == "c":
        return np.asarray(1 - np.tanh(x) ** 2)
    return np.asarray(np.square(np.reciprocal(np.cosh(np.minimum(abs(x), _gone(x.dtype))))))


@with_layer
def tanh_slope(x: Array, f: Array) -> Array:
    """1 − f² for f = tanh(x)."""
    return sech2(x)


@cache
def _gone(dtype: np.dtype[Any]) -> Array:
    """A number x from which on exp(−2x) is 0, long before exp(x) overflows."""
    return np.asarray(2 - np.log(np.finfo(dtype).smallest_subnormal) / 2, dtype)


@with_layer
def over_hypot(x: Array) -> Array:
    """1 / √(1 + x²), where x² may overflow."""
    return np.asarray(1 / (np.sqrt(1 + x * x) if x.dtype.kind == "c" else np.hypot(x.dtype.type(1), x)))


@with_layer
def gauss(x: Array) -> Array:
    """exp(−x²), where x² may overflow."""
    return np.asarray(np.exp(-(np.minimum(np.abs(x), 40) ** 2)))


def _entry_by_entry(function: object) -> np.vectorize:
    return np.vectorize(function, otypes=[np.float64])  # type: ignore[arg-type]  # a function of the C library


_erf, _erfc = _entry_by_entry(math.erf), _entry_by_entry(math.erfc)


@with_layer
def erf(x: Array) -> Array:
    """The error function, as the C library has it."""
    return np.asarray(_erf(x), x.dtype)


@with_layer
def normal_cdf(x: Array) -> Array:
    """Φ(x) = erfc(−x/√2)/2, accurate in both tails."""
    return np.asarray(_erfc(-x / math.sqrt(2)) / 2, x.dtype)


def damped(x: Array, s: Array) -> Array:
    """The product x s, which is 0 where s is 0 even if x is infinite."""
    lost = (s == 0) & ~np.isfinite(x)
    product: Array = (np.where(lost, 0, x) if lost.any() else x) * s
    return product


def softsign(x: Array) -> Array:
    """x / (1 + |x|), which is ±1 long before infinity."""
    t = np.clip(x, -1e30, 1e30)
    return np.asarray(t / (1 + np.abs(t)))


def silu_slope(x: Array, f: Array) -> Array:
    """The derivative of x σ(x): σ(x) (1 + x σ(−x))."""
    return sigmoid(x) + damped(x, sigmoid(x) * sigmoid(-x))


def mish_slope(x: Array, f: Array) -> Array:
    """The derivative of x tanh(s) for s = log(1 + exp(x))."""
    s = softplus(x)
    return np.tanh(s) + damped(x, sigmoid(x) * sech2(s))


def selu(x: Array) -> Array:
    """λ x for x > 0, else λ α (exp(x) − 1)."""
    return np.where(x > 0, SELU_SCALE * x, SELU_SCALE * SELU_ALPHA * np.expm1(np.minimum(x, 0)))


def selu_slope(x: Array, f: Array) -> Array:
    """λ for x > 0, else λ α exp(x)."""
    return np.where(x > 0, SELU_SCALE, SELU_SCALE * SELU_ALPHA * np.exp(np.minimum(x, 0)))


def hard_swish_slope(x: Array, f: Array) -> Array:
    """1 for x ≥ 3, 0 for x ≤ −3, between them (2x + 3)/6."""
    return np.where(x >= 3, 1, np.where(x > -3, (2 * np.clip(x, -3, 3) + 3) / 6, 0))


def sinc_slope(x: Array, f: Array) -> Array:
    """The derivative of sin(πx)/(πx), which is (cos(πx) − f)/x; by its series where that cancels."""
    near = abs(x) < 0.03
    far = np.where(near, 1, x)
    t = np.square(np.pi * np.where(near, x, 0))
    series = -(np.pi**2) * x / 3 * (1 - t / 10 * (1 - t / 28 * (1 - t / 54)))
    return np.where(near, series, (np.cos(np.pi * far) - f) / far)
