"""Functions of every entry by itself: ∂f_i/∂x_j = f′(x_i) δ_ij, so the Jacobian is diagonal.

Source: Parr & Howard, element-wise operators (the diagonal condition).
"""

from __future__ import annotations

import numpy as np

from jacobians.jacobian import term
from jacobians.layer import Array, Layer, Local


class Identity(Layer):
    """f = x. ∂f_i/∂x_j = δ_ij, for x of any shape.

    Examples
    --------
    >>> Identity().jacobians([3.0, 4.0])["x"]
    array([[1., 0.],
           [0., 1.]])
    """

    def forward(self, x: Array) -> Array:
        return x.copy()

    def local(self, x: Array, f: Array) -> Local:
        return {"x": term("-> ...;...")}


class Tanh(Layer):
    """f_i = tanh(x_i). ∂f_i/∂x_j = (1 − f_i²) δ_ij, for x of any shape.

    Source: the lecture, gradients of a single-layer neural network: ∂f/∂z = diag(1 − tanh²(z)).

    Examples
    --------
    >>> Tanh().jacobians([0.0, 0.0])["x"]
    array([[1., 0.],
           [0., 1.]])
    """

    def forward(self, x: Array) -> Array:
        return np.tanh(x)

    def local(self, x: Array, f: Array) -> Local:
        return {"x": term("(1-f²)_... -> ...;...", 1 - f * f)}


class Sigmoid(Layer):
    """f_i = 1 / (1 + exp(−x_i)). ∂f_i/∂x_j = f_i (1 − f_i) δ_ij, for x of any shape.

    Examples
    --------
    >>> Sigmoid().jacobians([0.0])["x"]
    array([[0.25]])
    """

    def forward(self, x: Array) -> Array:
        # exp never overflows: it is only taken of −|x|; complex numbers have no order.
        if x.dtype.kind == "c":
            return np.asarray(1 / (1 + np.exp(-x)))
        e = np.exp(-np.abs(x))
        return np.where(x >= 0, 1 / (1 + e), e / (1 + e))

    def local(self, x: Array, f: Array) -> Local:
        return {"x": term("(f(1-f))_... -> ...;...", f * self.forward(-x))}


class ReLU(Layer):
    """f_i = max(0, x_i). ∂f_i/∂x_j = [x_i > 0] δ_ij, for x of any shape; at the kink x_i = 0 it is 0.

    Source: Parr & Howard, the gradient of the neuron activation max(0, w·x + b).

    Examples
    --------
    >>> ReLU().jacobians([-1.0, 0.0, 2.0])["x"].diagonal()
    array([0., 0., 1.])
    """

    holomorphic = False

    def forward(self, x: Array) -> Array:
        return np.maximum(x, 0)

    def local(self, x: Array, f: Array) -> Local:
        return {"x": term("[x>0]_... -> ...;...", (x > 0).astype(x.dtype))}
