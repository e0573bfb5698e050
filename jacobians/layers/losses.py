"""Losses: a number for an output and its target, summed over all entries."""

from __future__ import annotations

import numpy as np

from jacobians.jacobian import term
from jacobians.layer import Array, Layer, Local


class SquaredError(Layer):
    """L = scale · Σ_i (x_i − y_i)² for a target y of the same shape as x; the lecture's ½‖y − f‖² by default.

    ∂L/∂x_i = 2 scale (x_i − y_i). Source: the lecture, multivariate chain rule and putting things together.

    Examples
    --------
    >>> SquaredError([1.0, 2.0]).jacobians([2.0, 0.0])["x"]
    array([ 1., -2.])
    """

    target: Array
    scale: float = 0.5
    holomorphic = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "target", np.asarray(self.target))
        super().__post_init__()

    def forward(self, x: Array) -> Array:
        if x.shape != self.target.shape:
            raise ValueError(f"SquaredError: the target is {self.target.shape}, so x must be; x is {x.shape}")
        e = x - self.target.astype(x.dtype)
        return np.asarray(x.dtype.type(self.scale) * np.vdot(e, e))

    def local(self, x: Array, L: Array) -> Local:
        return {"x": 2 * self.scale * term("(x-y)_... -> ;...", x - self.target.astype(x.dtype))}
