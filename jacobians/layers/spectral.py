"""Exponential, singular values, eigenvalues and Cholesky factors. Index legend: i j output, k l input, ... stack.

Layers for a symmetric matrix take (x + xᵀ)/2, so that they are functions of all entries of x; their Jacobian is that
function's, and it is symmetric in k l.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from jacobians.core.layer import Array, Layer, Local
from jacobians.core.terms import term
from jacobians.layers.probability import cholesky

__all__ = ["Cholesky", "MatrixExponential", "SingularValues", "SymmetricEigenvalues"]


class MatrixExponential(Layer):
    """Y = exp(X) = Σ_n Xⁿ/n!.

    The product rule for Xⁿ, summed, gives dY = ∫₀¹ exp(sX) dX exp((1−s)X) ds, so

        ∂Y_ij/∂x_kl = ∫₀¹ exp(sX)_ik exp((1−s)X)_lj ds = Σ_q w_q exp(s_q X)_ik exp((1−s_q)X)_lj

    with the nodes s_q and weights w_q of Gauss and Legendre. The integrand is an entire function, so a few nodes more
    than ‖X‖ give the integral to the last digit, without any eigenvectors. A large X is halved: exp(X) = exp(X/2)².
    Shapes: x (..., N, N) gives Y (..., N, N).
    Source: The Matrix Cookbook, the exponential matrix function; Higham, Functions of matrices, the Fréchet derivative.

    Examples
    --------
    >>> MatrixExponential().jacobians([[0.0, 1.0], [0.0, 0.0]])["x"][0, 1].round(12)
    array([[0.5       , 1.        ],
           [0.16666667, 0.5       ]])
    """

    shapes = "x (..., N, N)"

    def forward(self, x: Array) -> Array:
        return exponential(x)

    def local(self, x: Array, Y: Array) -> Local:
        # exp(sX) and exp((1−s)X) share the factor exp(m) of a shift X − m, so only ‖X − m‖ decides.
        mean = np.trace(x, axis1=-2, axis2=-1)[..., None, None] / max(1, x.shape[-1]) * np.eye(x.shape[-1])
        norm = np.abs(x - mean).sum(axis=-2).max(initial=0)
        halvings = max(0, int(np.ceil(np.log2(norm / 32)))) if 32 < norm < np.inf else 0
        half = x / 2**halvings
        s, w = nodes(16 + int(np.ceil(norm / 2**halvings)) if norm < np.inf else 16, x.real.dtype)
        E = exponential(s[:, None, None] * half[..., None, :, :])
        back = E[..., ::-1, :, :]
        if not halvings:
            return {"x": term("w_q E_...qik E'_...qlj -> ...ij;...kl", w, E, back)}
        # exp(X) = F F for F = exp(X/2), so dY = F dF + dF F: as often as X was halved.
        K = np.einsum("q,...qik,...qlj->...ijkl", w, E, back, optimize=True) / 2**halvings
        F = exponential(half)
        for _ in range(halvings):
            K = np.einsum("...im,...mjkl->...ijkl", F, K) + np.einsum("...imkl,...mj->...ijkl", K, F)
            F = F @ F
        return {"x": term("K_...ijkl -> ...ij;...kl", K)}


@lru_cache(maxsize=64)
def nodes(number: int, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Nodes between 0 and 1, which lie symmetrically, and weights of Gauss–Legendre quadrature."""
    s, w = np.polynomial.legendre.leggauss(number)
    return ((s + 1) / 2).astype(dtype), (w / 2).astype(dtype)


PADE = (64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
        670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1)  # fmt: skip


def exponential(X: Array) -> Array:
    """exp(X) by scaling and squaring with the Padé approximant of degree 13 (Higham 2005)."""
    if X.size == 0:
        return X.copy()
    norm = np.abs(X).sum(axis=-2).max(axis=-1)
    largest = 5.3 if X.real.dtype.itemsize > 4 else 3.9  # that the approximant is accurate for
    with np.errstate(divide="ignore"):
        squarings = np.maximum(0, np.ceil(np.log2(np.where(np.isfinite(norm), norm, 0) / largest))).astype(int)
    X = X / (2.0 ** squarings[..., None, None]).astype(X.real.dtype)
    b, one = PADE, np.eye(X.shape[-1], dtype=X.dtype)
    X2 = X @ X
    X4, X6 = X2 @ X2, X2 @ X2 @ X2
    odd = X @ (X6 @ (b[13] * X6 + b[11] * X4 + b[9] * X2) + b[7] * X6 + b[5] * X4 + b[3] * X2 + b[1] * one)
    even = X6 @ (b[12] * X6 + b[10] * X4 + b[8] * X2) + b[6] * X6 + b[4] * X4 + b[2] * X2 + b[0] * one
    Y = np.linalg.solve(even - odd, even + odd)
    for k in range(squarings.max()):
        Y = np.where((k < squarings)[..., None, None], Y @ Y, Y)
    return Y


class SingularValues(Layer):
    """s_1 ≥ s_2 ≥ …, the singular values of X = U s V.

    u_i · dX v_i is all that changes s_i to first order, since U and V stay orthogonal: ∂s_i/∂x_kl = U_ki V_il.
    Where values are equal they are not differentiable one by one; what is returned then belongs to the singular vectors
    that LAPACK chose, and only the sum over the equal ones is determined. The same goes for s_i = 0, where |s_i| has a
    kink.
    Shapes: x (..., M, N) gives s (..., min(M, N)).
    Source: The Matrix Cookbook, the singular value decomposition.

    Examples
    --------
    >>> abs(SingularValues().jacobians([[2.0, 0.0], [0.0, 1.0]])["x"])[0]
    array([[1., 0.],
           [0., 0.]])
    """

    shapes = "x (..., M, N)"
    holomorphic = False

    def forward(self, x: Array) -> Array:
        return np.linalg.svd(x, compute_uv=False)

    def local(self, x: Array, s: Array) -> Local:
        U, _, V = np.linalg.svd(x, full_matrices=False)
        return {"x": term("U_...ki V_...il -> ...i;...kl", U, V)}


class SymmetricEigenvalues(Layer):
    """w_1 ≤ w_2 ≤ …, the eigenvalues of S = (x + xᵀ)/2, with S = V w Vᵀ.

    v_i · dS v_i is all that changes w_i to first order, since V stays orthogonal: ∂w_i/∂x_kl = V_ki V_li.
    Where eigenvalues are equal they are not differentiable one by one; what is returned then belongs to the
    eigenvectors that LAPACK chose, and only the sum over the equal ones is determined.
    Shapes: x (..., N, N) gives w (..., N).
    Source: The Matrix Cookbook, derivatives of eigenvalues.

    Examples
    --------
    >>> SymmetricEigenvalues().jacobians([[2.0, 0.0], [0.0, 1.0]])["x"][1]
    array([[1., 0.],
           [0., 0.]])
    """

    shapes = "x (..., N, N)"
    holomorphic = False

    def forward(self, x: Array) -> Array:
        return np.linalg.eigvalsh((x + np.swapaxes(x, -1, -2)) / 2)

    def local(self, x: Array, w: Array) -> Local:
        _, V = np.linalg.eigh((x + np.swapaxes(x, -1, -2)) / 2)
        return {"x": term("V_...ki V_...li -> ...i;...kl", V, V)}


class Cholesky(Layer):
    """L lower triangular with L Lᵀ = S = (x + xᵀ)/2 and a positive diagonal.

    From dL Lᵀ + L dLᵀ = dS, L⁻¹ dL + (L⁻¹ dL)ᵀ = P dS Pᵀ for P = L⁻¹. The left part is lower triangular, so it is the
    lower half of the right side with half its diagonal: dL = L (F ⊙ P dS Pᵀ), with F_mj = 1 for m > j, ½ for m = j and
    0 above. With dS = (dX + dXᵀ)/2,

        ∂L_ij/∂x_kl = ½ Σ_m L_im F_mj (P_mk P_jl + P_ml P_jk).

    Shapes: x (..., N, N) gives L (..., N, N).
    Errors: ValueError unless (x + xᵀ)/2 is positive definite.
    Source: Murray, Differentiation of the Cholesky decomposition.

    Examples
    --------
    >>> Cholesky().jacobians([[4.0]])["x"]
    array([[[[0.25]]]])
    """

    shapes = "x (..., N, N)"
    holomorphic = False

    def forward(self, x: Array) -> Array:
        return cholesky("Cholesky", "x", x)

    def local(self, x: Array, L: Array) -> Local:
        P = np.tril(np.linalg.inv(L))
        F = np.tri(x.shape[-1], dtype=x.dtype) - np.eye(x.shape[-1], dtype=x.dtype) / 2
        return {
            "x": 0.5 * term("L_...im F_mj P_...mk P_...jl -> ...ij;...kl", L, F, P, P)
            + 0.5 * term("L_...im F_mj P_...ml P_...jk -> ...ij;...kl", L, F, P, P)
        }
