"""Affine and linear maps. Index legend: i outputs, k inputs, d powers or columns, ... batch."""

from __future__ import annotations

import numpy as np

from jacobians.core.layer import Array, Layer, Local, Parameter
from jacobians.core.terms import term
from jacobians.layers.axes import wrapped

__all__ = ["Affine", "Embedding", "Linear", "Polynomial", "PolynomialValue"]


class Affine(Layer):
    """z_i = A_ik x_k + b_i.

    ∂z_i/∂x_k = A_ik, ∂z_i/∂A_jk = δ_ij x_k, ∂z_i/∂b_j = δ_ij.
    Shapes: A (M, N), b (M), x (..., N) give z (..., M).
    Source: the lecture, gradients of a single-layer neural network.

    Examples
    --------
    >>> layer = Affine([[1, 2], [3, 4], [5, 6]], [0, 0, 0])
    >>> layer.jacobians([1, -1])["A"].shape
    (3, 3, 2)
    """

    A: Parameter
    b: Parameter
    shapes = "A (M, N), b (M), x (..., N)"

    def forward(self, x: Array) -> Array:
        return x @ self.A.T + self.b

    def local(self, x: Array, z: Array) -> Local:
        return {
            "x": term("A_ik -> ...i;...k", self.A),
            "A": term("x_...k -> ...i;ik", x),
            "b": term("-> ...i;i"),
        }


class Linear(Layer):
    """z_i = A_ik x_k.

    ∂z_i/∂x_k = A_ik, ∂z_i/∂A_jk = δ_ij x_k.
    Shapes: A (M, N), x (..., N) give z (..., M).
    Source: the lecture, vector field differentiation and derivatives with respect to matrices, examples 1 and 2.

    Examples
    --------
    >>> Linear([[1, 2], [3, 4], [5, 6]]).jacobians([1, -1])["x"]
    array([[1., 2.],
           [3., 4.],
           [5., 6.]])
    """

    A: Parameter
    shapes = "A (M, N), x (..., N)"

    def forward(self, x: Array) -> Array:
        return x @ self.A.T

    def local(self, x: Array, z: Array) -> Local:
        return {"x": term("A_ik -> ...i;...k", self.A), "A": term("x_...k -> ...i;ik", x)}


class Polynomial(Layer):
    """z_i = Σ_d θ_d x_i^d, at every entry of x.

    ∂z_i/∂x_j = Σ_d d θ_d x_i^{d−1} δ_ij; ∂z_i/∂θ_d = x_i^d, the Vandermonde matrix.
    Shapes: theta (D), x (...) give z (...); D ≥ 1.
    Source: the lecture, linear regression with polynomial features.

    Examples
    --------
    >>> Polynomial([1.0, 0.0, 2.0]).jacobians([1.0, 3.0])["theta"]
    array([[1., 1., 1.],
           [1., 3., 9.]])
    """

    theta: Parameter
    shapes = "theta (D), x (...)"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.theta.size:
            raise ValueError("Polynomial: theta must have at least one coefficient; theta is (0,)")

    def forward(self, x: Array) -> Array:
        return horner(self.theta, x)

    def local(self, x: Array, z: Array) -> Local:
        d = np.arange(len(self.theta))
        slope = horner((d * self.theta)[1:].astype(self.theta.dtype), x)
        powers = x[..., None] ** d.astype(x.real.dtype)
        return {"x": term("θ'(x)_... -> ...;...", slope), "theta": term("(x^d)_...d -> ...;d", powers)}


def horner(theta: Array, x: Array) -> Array:
    """Σ_d θ_d x^d = θ_0 + x (θ_1 + x (θ_2 + …))."""
    total = np.zeros(x.shape, np.result_type(theta, x))
    for coefficient in theta[::-1]:
        total = total * x + coefficient
    return total


class PolynomialValue(Layer):
    """z_i = Σ_d p_d x_i^{D−1−d}, the highest power first, as ``np.polyval``.

    ∂z_i/∂x_j = p′(x_i) δ_ij; ∂z_i/∂p_d = x_i^{D−1−d}, the Vandermonde matrix.
    Shapes: p (D), x (...) give z (...); D ≥ 1.
    Source: ``numpy.polyval``.

    Examples
    --------
    >>> PolynomialValue().jacobians([2.0, 0.0, 1.0], [1.0, 3.0])["p"]
    array([[1., 1., 1.],
           [9., 3., 1.]])
    """

    shapes = "p (D), x (...)"

    def forward(self, p: Array, x: Array) -> Array:
        return horner(p[::-1], x)

    def local(self, p: Array, x: Array, z: Array) -> Local:
        d = np.arange(p.shape[0])[::-1]
        slope = horner((d * p)[:-1][::-1], x)
        powers = x[..., None] ** d
        return {"p": term("(x^d)_...d -> ...;d", powers.astype(z.dtype)), "x": term("p'(x)_... -> ...;...", slope)}


class Embedding(Layer):
    """z_{bd} = E_{x_b, d}: the rows of a table that integers name.

    ∂z_{bd}/∂E_{ve} = [v = x_b] δ_de; there is no derivative by the integers.
    Shapes: E (V, D), x (...) gives z (..., D). Negative integers count from the end, as in NumPy.
    Errors: ValueError for an index outside the table or that is no integer.
    Source: ``torch.nn.Embedding``.

    Examples
    --------
    >>> Embedding([[1.0], [2.0], [3.0]]).jacobians([2, 0])["E"].squeeze()
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """

    E: Parameter
    shapes = "E (V, D), x (...)"
    integers = ("x",)

    def forward(self, x: Array) -> Array:
        return self.E[wrapped("Embedding", x, len(self.E), "E")]

    def local(self, x: Array, z: Array) -> Local:
        return {"E": term("-> ...d;(x_...)d", wrapped("Embedding", x, len(self.E), "E"))}
