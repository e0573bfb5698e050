"""The softmax family. Index legend: i, j positions along the axis; all other axes are tied."""

from __future__ import annotations

import numpy as np

from jacobians.core.applying import apply
from jacobians.core.layer import Array, Layer, Local
from jacobians.core.rules import RULES
from jacobians.core.terms import term
from jacobians.layers.axes import normalized, twins
from jacobians.layers.stable import with_layer

__all__ = ["LogSoftmax", "Softmax"]

Axis = int | tuple[int, ...]


def peak(x: Array, axis: Axis) -> Array:
    """The largest entry along an axis, or 0 where that is not finite: what is subtracted before exp is taken."""
    largest = x.real.max(axis=axis, keepdims=True, initial=-np.inf)
    return np.where(np.isfinite(largest), largest, 0).astype(x.real.dtype)


@with_layer
def softmax(x: Array, axis: Axis) -> Array:
    """exp(x) / Σ exp(x) along an axis, from x − max x; where all entries are −∞ it is 0, not 0/0."""
    e = np.exp(x - peak(x, axis))
    total = e.sum(axis=axis, keepdims=True)
    return np.asarray(e / np.where(total == 0, 1, total))


@with_layer
def log_sum_exp(x: Array, axis: Axis) -> Array:
    """log Σ exp(x) along an axis, which is kept with size 1; −∞ where all entries are −∞."""
    most = peak(x, axis)
    total = np.exp(x - most).sum(axis=axis, keepdims=True)
    return np.asarray(most + np.log(total, where=total != 0, out=np.full_like(total, -np.inf)))


class Softmax(Layer):
    """p_i = exp(x_i) / Σ_k exp(x_k) along an axis.

    ∂p_i/∂x_j = p_i δ_ij − p_i p_j; entries of −∞ have p_i = 0, also where all are −∞.
    Shapes: x (..., N) gives p (..., N), with the axis anywhere.
    Source: Bridle, Training stochastic model recognition algorithms; ``jax.nn.softmax``.

    Examples
    --------
    >>> Softmax().jacobians([0.0, 0.0])["x"]
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """

    axis: Axis = -1

    def forward(self, x: Array) -> Array:
        return softmax(x, normalized("Softmax", self.axis, x.ndim))

    def local(self, x: Array, p: Array) -> Local:
        i, j = twins(x.ndim, normalized("Softmax", self.axis, x.ndim))
        if not x.ndim:
            return {"x": term("p -> ;", p) - term("p p -> ;", p, p)}
        return {"x": term(f"p_{i} -> {i};{i}", p) - term(f"p_{i} p_{j} -> {i};{j}", p, p)}


class LogSoftmax(Layer):
    """l_i = x_i − log Σ_k exp(x_k) along an axis.

    ∂l_i/∂x_j = δ_ij − p_j, for the softmax p.
    Shapes: x (..., N) gives l (..., N), with the axis anywhere.
    Source: ``jax.nn.log_softmax``.

    Examples
    --------
    >>> LogSoftmax().jacobians([0.0, 0.0])["x"]
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """

    axis: int = -1

    def forward(self, x: Array) -> Array:
        axis = normalized("LogSoftmax", self.axis, x.ndim)
        shifted = x - peak(x, axis)
        total = log_sum_exp(shifted, axis)
        return shifted - np.where(total == -np.inf, 0, total)  # all entries −∞: they stay so

    def local(self, x: Array, l: Array) -> Local:
        i, j = twins(x.ndim, normalized("LogSoftmax", self.axis, x.ndim))
        return {
            "x": term(f"-> {i};{i}")
            - term(f"p_{j} -> {i};{j}", softmax(x, normalized("LogSoftmax", self.axis, x.ndim)))
        }


RULES[softmax] = lambda x, axis: apply(Softmax(axis), x)
