"""Products of arrays. Index legend: i rows, j columns of the output, k summed, ... batch."""

from __future__ import annotations

from jacobians.jacobian import term
from jacobians.layer import Array, Layer, Local


class MatMul(Layer):
    """Z_ij = X_ik Y_kj, every case of ``np.matmul``: vectors, matrices and stacks that broadcast.

    ∂Z_ij/∂X_kl = δ_ik Y_lj, ∂Z_ij/∂Y_kl = X_ik δ_jl, for x (..., M, K), y (..., K, N) and z (..., M, N); a vector x
    has no M, a vector y no N. Source: The Matrix Cookbook, derivatives of products.

    Examples
    --------
    >>> MatMul().jacobians([[1.0, 2.0]], [[3.0], [4.0]])["x"]
    array([[[[3., 4.]]]])
    """

    def forward(self, x: Array, y: Array) -> Array:
        rows = x.shape[-1] if x.ndim else None
        if rows is None or y.ndim == 0 or y.shape[-2 if y.ndim > 1 else 0] != rows:
            raise ValueError(f"MatMul: x must be (..., M, K) and y (..., K, N); x is {x.shape}, y is {y.shape}")
        return x @ y

    def local(self, x: Array, y: Array, z: Array) -> Local:
        i, j = "i" if x.ndim > 1 else "", "j" if y.ndim > 1 else ""
        xs, ys = ("..." if x.ndim > 2 else ""), ("..." if y.ndim > 2 else "")
        zs = "..." if x.ndim > 2 or y.ndim > 2 else ""
        return {
            "x": term(f"Y_{ys}k{j} -> {zs}{i}{j};{xs}{i}k", y),
            "y": term(f"X_{xs}{i}k -> {zs}{i}{j};{ys}k{j}", x),
        }
