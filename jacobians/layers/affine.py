"""Affine and linear maps. Index legend: i outputs, k inputs, ... batch."""

from __future__ import annotations

from jacobians.jacobian import term
from jacobians.layer import Array, Layer, Local, Parameter


class Affine(Layer):
    """z_i = A_ik x_k + b_i.

    ∂z_i/∂x_k = A_ik, ∂z_i/∂A_jk = δ_ij x_k, ∂z_i/∂b_j = δ_ij, for A (M, N), b (M), x (..., N) and z (..., M).
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

    ∂z_i/∂x_k = A_ik, ∂z_i/∂A_jk = δ_ij x_k, for A (M, N), x (..., N) and z (..., M). Source: the lecture, vector field
    differentiation and derivatives with respect to matrices, examples 1 and 2.

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
