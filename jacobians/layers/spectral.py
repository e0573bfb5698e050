"""Exponential, singular values, eigenvalues and Cholesky factors. Index legend: i j output, k l input, ... stack.

Layers for a symmetric matrix take S = (x + xᵀ)/2, so that they are functions of all entries of x; their Jacobian is
that function's, and it is symmetric in k l. With the triangle "lower" or "upper", as LAPACK and NumPy have it, S is
made of that triangle of x, and no other entry counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np

from jacobians.core.applying import apply
from jacobians.core.layer import Array, Layer, Local
from jacobians.core.rules import RULES
from jacobians.core.terms import term
from jacobians.core.traced import plain
from jacobians.layers.probability import cholesky
from jacobians.layers.stable import with_layer

__all__ = ["Cholesky", "MatrixExponential", "NuclearNorm", "SingularValues", "SymmetricEigenvalues"]


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
        norm = np.abs(plain(x - mean)).sum(axis=-2).max(initial=0)
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


@with_layer
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


RULES[exponential] = partial(apply, MatrixExponential())


TRIANGLES = ("", "lower", "upper")


def require_triangle(layer: str, triangle: str) -> None:
    """Raise a ValueError unless the option is one of those that there are."""
    if triangle not in TRIANGLES:
        raise ValueError(f'{layer}: triangle must be "lower", "upper" or "" (the mean of both); it is {triangle!r}')


def symmetric(x: Array, triangle: str) -> Array:
    """The symmetric matrix that one triangle determines; without one, the mean of both."""
    if not triangle:
        return (x + np.swapaxes(x, -1, -2)) / 2
    half, rest = (np.tril(x), np.tril(x, -1)) if triangle == "lower" else (np.triu(x), np.triu(x, 1))
    return half + np.swapaxes(rest, -1, -2)


def weights(triangle: str, x: Array) -> Array:
    """T with dS = T ⊙ dX + (T ⊙ dX)ᵀ for that symmetric matrix S."""
    n = x.shape[-1]
    T = np.tri(n, dtype=x.dtype) - np.eye(n, dtype=x.dtype) / 2
    return T if triangle == "lower" else T.T if triangle == "upper" else np.full((n, n), 0.5, x.dtype)


def require_distinct(layer: str, values: Any, which: Any = None, zero: bool = False) -> None:
    """Raise a ValueError if some of these values are equal to others, or are zero, up to rounding errors."""
    w = np.abs(values[..., :, None] - values[..., None, :])
    n, size = values.shape[-1], np.abs(values)
    if n == 0 or values.size == 0:
        return
    little = n * float(np.finfo(values.dtype).eps) * np.max(size, axis=-1)[..., None]
    equal = (w <= little[..., None]) & ~np.eye(n, dtype=bool)
    chosen = range(n) if which is None else which
    for k in chosen:
        for j in np.argwhere(np.any(np.reshape(equal[..., k, :], (-1, n)), axis=0))[:1, 0]:
            raise ValueError(
                f"{layer}: values {min(k, int(j))} and {max(k, int(j))} are equal, so they have no derivative one by "
                "one (their vectors could be any of a plane); a function that is symmetric in them has one, such as "
                "np.trace, np.linalg.slogdet or a norm of the matrix"
            )
        if zero and bool(np.any(size[..., k] <= little[..., 0])):
            raise ValueError(f"{layer}: value {k} is zero, where it has a kink, so it has no derivative")


def gaps(w: Array, which: Sequence[int] | None = None) -> Array:
    """F_mj = 1/(w_j − w_m), and 0 for m = j, for the chosen columns j."""
    columns = list(range(w.shape[-1])) if which is None else list(which)
    one = np.eye(w.shape[-1], dtype=w.dtype)[:, columns]
    F: Array = (1 - one) / (w[..., columns][..., None, :] - w[..., :, None] + one)
    return F


class SingularValues(Layer):
    """s_1 ≥ s_2 ≥ …, the singular values of X = U s V.

    u_i · dX v_i is all that changes s_i to first order, since U and V stay orthogonal: ∂s_i/∂x_kl = U_ki V_il.
    Where values are equal they are not differentiable one by one; what is returned then belongs to the singular vectors
    that LAPACK chose, and only the sum over the equal ones is determined. The same goes for s_i = 0, where |s_i| has a
    kink. With which = (0,), only the largest one is given, and so on.
    Shapes: x (..., M, N) gives s (..., min(M, N)).
    Errors: with ``distinct=True`` the Jacobian raises ValueError where values are equal to others, or zero.
    Source: The Matrix Cookbook, the singular value decomposition.

    Examples
    --------
    >>> abs(SingularValues().jacobians([[2.0, 0.0], [0.0, 1.0]])["x"])[0]
    array([[1., 0.],
           [0., 0.]])
    """

    which: Sequence[int] | None = None
    distinct: bool = False
    shapes = "x (..., M, N)"
    holomorphic = False

    def forward(self, x: Array) -> Array:
        s = np.linalg.svd(x, compute_uv=False)
        return s if self.which is None else s[..., list(self.which)]

    def local(self, x: Array, s: Array) -> Local:
        U, values, V = np.linalg.svd(x, full_matrices=False)
        if self.distinct:
            require_distinct("SingularValues", values, self.which, zero=True)
        if self.which is not None:
            U, V = U[..., list(self.which)], V[..., list(self.which), :]
        return {"x": term("U_...ki V_...il -> ...i;...kl", U, V)}


class NuclearNorm(Layer):
    """z = Σ_i s_i, the sum of the singular values of X = U s V.

    ∂z/∂x_kl = (U V)_kl, the nearest matrix with orthonormal rows or columns, also where singular values are equal.
    Shapes: x (..., M, N) gives z (...).
    Errors: the Jacobian raises ValueError unless x has full rank: elsewhere there is a kink.
    Source: Watson, Characterization of the subdifferential of some matrix norms.

    Examples
    --------
    >>> NuclearNorm().jacobians([[2.0, 0.0], [0.0, -3.0]])["x"]
    array([[ 1.,  0.],
           [ 0., -1.]])
    """

    shapes = "x (..., M, N)"
    holomorphic = False

    def forward(self, x: Array) -> Array:
        return np.asarray(np.linalg.svd(x, compute_uv=False).sum(axis=-1))

    def local(self, x: Array, z: Array) -> Local:
        if x.size and (np.linalg.matrix_rank(x) < min(x.shape[-2:])).any():
            raise ValueError("NuclearNorm: x must have full rank: elsewhere it has a kink")
        U, _, V = np.linalg.svd(x, full_matrices=False)
        return {"x": term("(U·V)_...kl -> ...;...kl", U @ V)}


class SymmetricEigenvalues(Layer):
    """w_1 ≤ w_2 ≤ …, the eigenvalues of S = (x + xᵀ)/2, with S = V w Vᵀ.

    v_i · dS v_i is all that changes w_i to first order, since V stays orthogonal: ∂w_i/∂x_kl = V_ki V_li.
    Where eigenvalues are equal they are not differentiable one by one; what is returned then belongs to the
    eigenvectors that LAPACK chose, and only the sum over the equal ones is determined. With which = (0,), only the
    smallest one is given, and so on. With a triangle, the other entries do not count.
    Shapes: x (..., N, N) gives w (..., N).
    Errors: with ``distinct=True`` the Jacobian raises ValueError where eigenvalues are equal to others.
    Source: The Matrix Cookbook, derivatives of eigenvalues.

    Examples
    --------
    >>> SymmetricEigenvalues().jacobians([[2.0, 0.0], [0.0, 1.0]])["x"][1]
    array([[1., 0.],
           [0., 0.]])
    """

    triangle: str = ""
    which: Sequence[int] | None = None
    distinct: bool = False
    shapes = "x (..., N, N)"
    holomorphic = False

    def __post_init__(self) -> None:
        require_triangle("SymmetricEigenvalues", self.triangle)
        super().__post_init__()

    def forward(self, x: Array) -> Array:
        w = np.linalg.eigvalsh(symmetric(x, self.triangle))
        return w if self.which is None else w[..., list(self.which)]

    def local(self, x: Array, w: Array) -> Local:
        values, V = np.linalg.eigh(symmetric(x, self.triangle))
        if self.distinct:
            require_distinct("SymmetricEigenvalues", values, self.which)
        if self.which is not None:
            V = V[..., list(self.which)]
        if not self.triangle:
            return {"x": term("V_...ki V_...li -> ...i;...kl", V, V)}
        T = 2 * weights(self.triangle, x)
        return {"x": term("T_kl V_...ki V_...li -> ...i;...kl", T, V, V)}


class Cholesky(Layer):
    """L lower triangular with L Lᵀ = S = (x + xᵀ)/2 and a positive diagonal.

    From dL Lᵀ + L dLᵀ = dS, L⁻¹ dL + (L⁻¹ dL)ᵀ = P dS Pᵀ for P = L⁻¹. The left part is lower triangular, so it is the
    lower half of the right side with half its diagonal: dL = L (F ⊙ P dS Pᵀ), with F_mj = 1 for m > j, ½ for m = j and
    0 above. With dS = T ⊙ dX + (T ⊙ dX)ᵀ, where T = ½, or F for the lower triangle and Fᵀ for the upper one,

        ∂L_ij/∂x_kl = T_kl Σ_m L_im F_mj (P_mk P_jl + P_ml P_jk).

    Shapes: x (..., N, N) gives L (..., N, N).
    Errors: ValueError unless S is positive definite.
    Source: Murray, Differentiation of the Cholesky decomposition.

    Examples
    --------
    >>> Cholesky().jacobians([[4.0]])["x"]
    array([[[[0.25]]]])
    """

    triangle: str = ""
    shapes = "x (..., N, N)"
    holomorphic = False

    def __post_init__(self) -> None:
        require_triangle("Cholesky", self.triangle)
        super().__post_init__()

    def forward(self, x: Array) -> Array:
        return cholesky("Cholesky", "x", symmetric(x, self.triangle))

    def local(self, x: Array, L: Array) -> Local:
        P = np.tril(np.linalg.inv(L))
        F = np.tri(x.shape[-1], dtype=x.dtype) - np.eye(x.shape[-1], dtype=x.dtype) / 2
        if not self.triangle:
            return {
                "x": 0.5 * term("L_...im F_mj P_...mk P_...jl -> ...ij;...kl", L, F, P, P)
                + 0.5 * term("L_...im F_mj P_...ml P_...jk -> ...ij;...kl", L, F, P, P)
            }
        T = weights(self.triangle, x)
        return {
            "x": term("T_kl L_...im F_mj P_...mk P_...jl -> ...ij;...kl", T, L, F, P, P)
            + term("T_kl L_...im F_mj P_...ml P_...jk -> ...ij;...kl", T, L, F, P, P)
        }
