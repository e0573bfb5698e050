"""Eigenvectors, singular vectors, QR factors, least squares. Index legend: i j output, k l input, ... stack.

A factorisation is fixed up to signs by what it has to satisfy; the sign of every vector is the one that LAPACK chose,
which does not change nearby. Its differential follows from that of the equations that it satisfies: for orthonormal
columns, Vᵀ dV is antisymmetric.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jacobians.core.layer import Array, Layer, Local
from jacobians.core.terms import term
from jacobians.layers.matrices import inverse
from jacobians.layers.spectral import gaps, require_distinct, require_triangle, symmetric, weights

__all__ = [
    "Eigenvalues",
    "Eigenvectors",
    "LeastSquares",
    "LeftSingularVectors",
    "OrthogonalFactor",
    "SymmetricEigenvectors",
    "TriangularFactor",
]


class SymmetricEigenvectors(Layer):
    """V with the eigenvectors of S = (x + xᵀ)/2 as columns, S = V w Vᵀ, for w_1 ≤ w_2 ≤ ….

    From dS V + S dV = dV w + V dw, (Vᵀ dV)_mj = F_mj (Vᵀ dS V)_mj with F_mj = 1/(w_j − w_m) and 0 for m = j. So
    ∂V_ij/∂S_kl = Σ_m V_im F_mj V_km V_lj. With the triangle "lower" or "upper", as LAPACK has it, S is made of that
    triangle of x, and no other entry counts.
    With which = (0,), V is only the vector of the smallest one, and so on, of all that are the columns of W.
    Shapes: x (..., N, N) gives V (..., N, N).
    Errors: the Jacobian raises ValueError where eigenvalues are equal to others: their vectors jump.
    Source: Giles, Collected matrix derivative results for forward and reverse mode algorithmic differentiation.

    Examples
    --------
    >>> abs(SymmetricEigenvectors().jacobians([[2.0, 0.0], [0.0, 1.0]])["x"][0, 0])
    array([[0. , 0.5],
           [0.5, 0. ]])
    """

    triangle: str = ""
    which: Sequence[int] | None = None
    shapes = "x (..., N, N)"
    holomorphic = False

    def __post_init__(self) -> None:
        require_triangle("SymmetricEigenvectors", self.triangle)
        super().__post_init__()

    def forward(self, x: Array) -> Array:
        V = np.linalg.eigh(symmetric(x, self.triangle)).eigenvectors
        return V if self.which is None else V[..., list(self.which)]

    def local(self, x: Array, V: Array) -> Local:
        S = symmetric(x, self.triangle)
        every = V if self.which is None else np.linalg.eigh(S)[1]
        w = np.sum(every * (S @ every), axis=-2)
        require_distinct("SymmetricEigenvectors", w, self.which)
        F, T, W = gaps(w, self.which), weights(self.triangle, x), "V" if self.which is None else "W"
        return {
            "x": term(f"T_kl {W}_...im F_...mj {W}_...km V_...lj -> ...ij;...kl", T, every, F, every, V)
            + term(f"T_kl {W}_...im F_...mj {W}_...lm V_...kj -> ...ij;...kl", T, every, F, every, V)
        }


class LeftSingularVectors(Layer):
    """U with the left singular vectors of X = U s Vᵀ as columns, as many as there are singular values.

    They are eigenvectors of X Xᵀ, so with B = Xᵀ U = V s and F_mj = 1/(s_j² − s_m²), 0 for m = j,
    ∂U_ij/∂x_kl = Σ_m U_im F_mj (U_km B_lj + B_lm U_kj) + (1 − U Uᵀ)_ik B_lj / s_j². The right singular vectors are the
    left ones of Xᵀ. With which = (0,), U is only the vector of the largest singular value, and so
    on, of all that are the columns of W, with C = Xᵀ W.
    Shapes: x (..., M, N) gives U (..., M, min(M, N)).
    Errors: the Jacobian raises ValueError where singular values are equal, or zero for M > N: the vectors jump there.
    Source: Wan & Zhang, Automatic differentiation for complex valued SVD; Giles, Collected matrix derivative results.

    Examples
    --------
    >>> abs(LeftSingularVectors().jacobians([[2.0, 0.0], [0.0, 1.0]])["x"][0, 1].round(4))
    array([[0.    , 0.3333],
           [0.6667, 0.    ]])
    """

    which: Sequence[int] | None = None
    shapes = "x (..., M, N)"
    holomorphic = False

    def forward(self, x: Array) -> Array:
        U = np.linalg.svd(x, full_matrices=False).U
        return U if self.which is None else U[..., list(self.which)]

    def local(self, x: Array, U: Array) -> Local:
        every = U if self.which is None else np.linalg.svd(x, full_matrices=False)[0]
        B = np.swapaxes(x, -1, -2) @ every
        squares, tall = np.sum(B * B, axis=-2), x.shape[-2] > x.shape[-1]
        require_distinct("LeftSingularVectors", np.sqrt(squares), self.which, zero=tall)
        F, mine, W, C = gaps(squares, self.which), B, "U", "B"
        if self.which is not None:
            mine, squares, W, C = np.swapaxes(x, -1, -2) @ U, squares[..., list(self.which)], "W", "C"
        found = term(f"{W}_...im F_...mj {W}_...km B_...lj -> ...ij;...kl", every, F, every, mine) + term(
            f"{W}_...im F_...mj {C}_...lm U_...kj -> ...ij;...kl", every, F, B, U
        )
        if tall:
            rest = np.eye(x.shape[-2], dtype=x.dtype) - every @ np.swapaxes(every, -1, -2)
            found = found + term(f"(1-{W}·{W}ᵀ)_...ik (B/s²)_...lj -> ...ij;...kl", rest, mine / squares[..., None, :])
        return {"x": found}


class Eigenvalues(Layer):
    """w, the eigenvalues of a square matrix X = V w V⁻¹, in the order of ``np.linalg.eigvals``.

    The left and right eigenvectors of w_i are row i of V⁻¹ and column i of V, so ∂w_i/∂x_kl = (V⁻¹)_ik V_li. They are
    holomorphic in X; real matrices can have complex eigenvalues, whose Jacobian is complex.
    Shapes: x (..., N, N) gives w (..., N).
    Errors: the Jacobian raises ValueError where eigenvalues are equal.
    Source: Magnus, On differentiating eigenvalues and eigenvectors.

    Examples
    --------
    >>> Eigenvalues().jacobians([[2.0, 1.0], [0.0, 1.0]])["x"][0]
    array([[1., 0.],
           [1., 0.]])
    """

    shapes = "x (..., N, N)"

    def forward(self, x: Array) -> Array:
        return np.linalg.eigvals(x)

    def local(self, x: Array, w: Array) -> Local:
        values, V = np.linalg.eig(x)
        require_distinct("Eigenvalues", values)
        if w.size:
            order = np.argmin(np.abs(w[..., :, None] - values[..., None, :]), axis=-1)
            V = np.take_along_axis(V, order[..., None, :], axis=-1)
        return {"x": term("V⁻¹_...ik V_...li -> ...i;...kl", inverse("Eigenvalues", "V", V), V)}


class Eigenvectors(Layer):
    """V with the right eigenvectors of a square matrix as columns of length 1, X V = V w, for real eigenvalues.

    With U = V⁻¹ and F_mj = 1/(w_j − w_m), 0 for m = j, dV = V (F ⊙ U dX V) up to the length, which stays:
    ∂V_ij/∂x_kl = Σ_m (V_im − V_ij G_jm) F_mj U_mk V_lj for G = Vᵀ V.
    Shapes: x (..., N, N) gives V (..., N, N).
    Errors: the Jacobian raises ValueError where eigenvalues are equal or complex: complex vectors have a phase, too.
    Source: Magnus, On differentiating eigenvalues and eigenvectors.

    Examples
    --------
    >>> Eigenvectors().jacobians([[2.0, 0.0], [0.0, 1.0]])["x"][0, 1] + 0.0
    array([[ 0., -1.],
           [ 0.,  0.]])
    """

    shapes = "x (..., N, N)"
    holomorphic = False

    def forward(self, x: Array) -> Array:
        return np.linalg.eig(x).eigenvectors

    def local(self, x: Array, V: Array) -> Local:
        if V.dtype.kind == "c":
            raise ValueError(
                "Eigenvectors: they are complex, and their phase is not determined, so they have no derivative; "
                "their eigenvalues have one"
            )
        U = inverse("Eigenvectors", "V", V)
        w = np.sum(np.swapaxes(U, -1, -2) * (x @ V), axis=-2)
        require_distinct("Eigenvectors", w)
        F = gaps(w)
        H = F * (np.swapaxes(V, -1, -2) @ V)
        return {
            "x": term("V_...im F_...mj U_...mk V_...lj -> ...ij;...kl", V, F, U, V)
            - term("V_...ij H_...mj U_...mk V_...lj -> ...ij;...kl", V, H, U, V)
        }


class OrthogonalFactor(Layer):
    """Q of X = Q R, with orthonormal columns, for as many rows as columns or more.

    With P = R⁻¹, C = Qᵀ dX P is Qᵀ dQ, which is antisymmetric, plus an upper triangle: the lower triangles, with
    L_mj = [m > j], agree. So ∂Q_ij/∂x_kl = Σ_m Q_im (L_mj Q_km P_lj − L_jm Q_kj P_lm) + (1 − Q Qᵀ)_ik P_lj.
    Shapes: x (..., M, N) with M ≥ N gives Q (..., M, N).
    Errors: ValueError for M < N; the Jacobian raises ValueError if x has not full rank.
    Source: Walter & Lehmann, Algorithmic differentiation of linear algebra functions.

    Examples
    --------
    >>> OrthogonalFactor().jacobians([[3.0], [4.0]])["x"].reshape(2, 2).round(4) + 0.0
    array([[-0.128,  0.096],
           [ 0.096, -0.072]])
    """

    shapes = "x (..., M, N)"
    holomorphic = False

    def forward(self, x: Array) -> Array:
        if x.shape[-2] < x.shape[-1]:
            raise ValueError(f"OrthogonalFactor: x must have as many rows as columns or more; x is {x.shape}")
        return np.linalg.qr(x).Q

    def local(self, x: Array, Q: Array) -> Local:
        n = x.shape[-1]
        P = _inverse_triangle("OrthogonalFactor", np.triu(np.swapaxes(Q, -1, -2) @ x))
        L = np.tri(n, k=-1, dtype=x.dtype)
        found = term("Q_...im L_mj Q_...km P_...lj -> ...ij;...kl", Q, L, Q, P) - term(
            "Q_...im L_jm Q_...kj P_...lm -> ...ij;...kl", Q, L, Q, P
        )
        if x.shape[-2] > n:
            rest = np.eye(x.shape[-2], dtype=x.dtype) - Q @ np.swapaxes(Q, -1, -2)
            found = found + term("(1-Q·Qᵀ)_...ik P_...lj -> ...ij;...kl", rest, P)
        return {"x": found}


class TriangularFactor(Layer):
    """R of X = Q R, upper triangular, for as many rows as columns or more.

    With P = R⁻¹ and Q = X P, dR is (C − Qᵀ dQ) R for C = Qᵀ dX P, where Qᵀ dQ is antisymmetric with the lower triangle
    of C. With L_im = [i > m], ∂R_ij/∂x_kl = Σ_m ((1 − L)_im Q_ki P_lm + L_mi Q_km P_li) R_mj.
    Shapes: x (..., M, N) with M ≥ N gives R (..., N, N).
    Errors: ValueError for M < N; the Jacobian raises ValueError if x has not full rank.
    Source: Walter & Lehmann, Algorithmic differentiation of linear algebra functions.

    Examples
    --------
    >>> abs(TriangularFactor().jacobians([[3.0], [4.0]])["x"].reshape(2))
    array([0.6, 0.8])
    """

    shapes = "x (..., M, N)"
    holomorphic = False

    def forward(self, x: Array) -> Array:
        if x.shape[-2] < x.shape[-1]:
            raise ValueError(f"TriangularFactor: x must have as many rows as columns or more; x is {x.shape}")
        return np.asarray(np.linalg.qr(x, mode="r"))

    def local(self, x: Array, R: Array) -> Local:
        P = _inverse_triangle("TriangularFactor", R)
        Q, L = x @ P, np.tri(x.shape[-1], k=-1, dtype=x.dtype)
        return {
            "x": term("(1-L)_im Q_...ki P_...lm R_...mj -> ...ij;...kl", 1 - L, Q, P, R)
            + term("L_mi Q_...km P_...li R_...mj -> ...ij;...kl", L, Q, P, R)
        }


def _inverse_triangle(layer: str, R: Array) -> Array:
    """The inverse of the triangular factor; a ValueError if that is singular up to rounding errors."""
    diagonal = np.abs(np.diagonal(R, axis1=-2, axis2=-1))
    if R.size and bool(np.any(np.min(diagonal, -1) <= R.shape[-1] * np.finfo(R.dtype).eps * np.max(diagonal, -1))):
        raise ValueError(f"{layer}: x must have full rank: elsewhere the factors have no derivative")
    return np.linalg.inv(R)


class LeastSquares(Layer):
    """x that minimises |A x − b|, the smallest one if there are several.

    x = Y b for the pseudo-inverse Y of A, so ∂x_i/∂b_k = Y_ik and, with r = b − A x,
    ∂x_i/∂A_kl = −Y_ik x_l + (Y Yᵀ)_il r_k + (1 − Y A)_il (Yᵀ x)_k; columns of b are tied.
    Shapes: A (M, N), b (M) or (M, C) give x (N) or (N, C).
    Errors: the Jacobian raises ValueError unless A has full rank.
    Source: Golub & Pereyra, The differentiation of pseudo-inverses.

    Examples
    --------
    >>> LeastSquares().jacobians([[1.0], [1.0]], [2.0, 4.0])["b"]
    array([[0.5, 0.5]])
    """

    shapes = "A (M, N), b (M, ...)"
    holomorphic = False

    def forward(self, A: Array, b: Array) -> Array:
        return np.linalg.lstsq(A, b, rcond=None)[0]

    def local(self, A: Array, b: Array, x: Array) -> Local:
        if np.linalg.matrix_rank(A) < min(A.shape):
            raise ValueError("LeastSquares: A must have full rank: elsewhere the solution has no derivative")
        Y, c = np.linalg.pinv(A), "c" * (b.ndim - 1)
        found = -term(f"Y_ik x_l{c} -> i{c};kl", Y, x)
        if A.shape[0] > A.shape[1]:
            found = found + term(f"(Y·Yᵀ)_il r_k{c} -> i{c};kl", Y @ Y.T, b - A @ x)
        elif A.shape[0] < A.shape[1]:
            found = found + term(
                f"(1-Y·A)_il (Yᵀx)_k{c} -> i{c};kl", np.eye(A.shape[1], dtype=A.dtype) - Y @ A, Y.T @ x
            )
        return {"A": found, "b": term(f"Y_ik -> i{c};k{c}", Y)}
