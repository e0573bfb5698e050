"""The softmax family."""

from __future__ import annotations

import numpy as np

from jacobians.jacobian import term
from jacobians.layer import Array, Layer, Local
from jacobians.layers.axes import normalized, twins


def softmax(x: Array, axis: int) -> Array:
    """exp(x) / Σ exp(x) along an axis, computed from x − max x."""
    peak = x.real.max(axis=axis, keepdims=True, initial=-np.inf)
    e = np.exp(x - np.where(np.isfinite(peak), peak, 0))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


class Softmax(Layer):
    """p_i = exp(x_i) / Σ_k exp(x_k) along an axis.

    ∂p_i/∂x_j = p_i δ_ij − p_i p_j, for x of any shape with at least one axis; other axes are tied.

    Examples
    --------
    >>> Softmax().jacobians([0.0, 0.0])["x"]
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """

    axis: int = -1

    def forward(self, x: Array) -> Array:
        (axis,) = normalized("Softmax", self.axis, x.ndim)
        return softmax(x, axis)

    def local(self, x: Array, p: Array) -> Local:
        i, j = twins(x.ndim, normalized("Softmax", self.axis, x.ndim))
        return {"x": term(f"p_{i} -> {i};{i}", p) - term(f"p_{i} p_{j} -> {i};{j}", p, p)}
