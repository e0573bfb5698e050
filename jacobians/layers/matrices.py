"""Functions of matrices, and of stacks of them. Index legend: i j output, k l input, ... stack, tied throughout."""

from __future__ import annotations

import numpy as np

from jacobians.core.applying import apply
from jacobians.core.layer import Array, Layer, Local
from jacobians.core.rules import RULES
from jacobians.core.terms import Terms, term
from jacobians.layers.reductions import others
from jacobians.layers.stable import with_layer

__all__ = ["Determinant", "Inverse", "LogDet", "MatrixPower", "PseudoInverse", "Solve", "Trace"]


@with_layer
def inverse(layer: str, name: str, X: Array) -> Array:
    """The inverse; a ValueError if X is singular."""
    try:
        return np.linalg.inv(X)
    except np.linalg.LinAlgError:
        raise ValueError(f"{layer}: {name} is singular, so it has no inverse") from None


class Inverse(Layer):
    """Y = X⁻¹.

    From Y X = 1, dY X + Y dX = 0, so dY = −Y dX Y: ∂Y_ij/∂x_kl = −Y_ik Y_lj.
    Shapes: x (..., N, N) gives Y (..., N, N).
    Errors: ValueError if x is singular.
    Source: The Matrix Cookbook, derivatives of an inverse.

    Examples
    --------
    >>> Inverse().linearize([[2.0, 0.0], [0.0, 4.0]])[1]["x"]
    Jacobian (2×2) × (2×2): ∂Y_ij/∂x_kl = −Y_ik Y_lj
    """

    shapes = "x (..., N, N)"

    def forward(self, x: Array) -> Array:
        return inverse("Inverse", "x", x)

    def local(self, x: Array, Y: Array) -> Local:
        return {"x": -term("Y_...ik Y_...lj -> ...ij;...kl", Y, Y)}


RULES[inverse] = lambda layer, name, X: apply(Inverse(), X)


class PseudoInverse(Layer):
    """Y = X⁺, the Moore–Penrose inverse.

    As long as the rank stays, dY = −Y dX Y + Y Yᵀ dXᵀ (1 − X Y) + (1 − Y X) dXᵀ Yᵀ Y, so
    ∂Y_ij/∂x_kl = −Y_ik Y_lj + (Y Yᵀ)_il (1 − X Y)_kj + (1 − Y X)_il (Yᵀ Y)_kj.
    Shapes: x (..., M, N) gives Y (..., N, M).
    Errors: the Jacobian raises ValueError unless x has full rank: elsewhere X⁺ is not even continuous.
    Source: Golub & Pereyra, The differentiation of pseudo-inverses.

    Examples
    --------
    >>> PseudoInverse().jacobians([[2.0], [0.0]])["x"].reshape(2, 2)
    array([[-0.25,  0.  ],
           [ 0.  ,  0.25]])
    """

    shapes = "x (..., M, N)"
    holomorphic = False

    def forward(self, x: Array) -> Array:
        return np.linalg.pinv(x)

    def local(self, x: Array, Y: Array) -> Local:
        if x.size and (np.linalg.matrix_rank(x) < min(x.shape[-2:])).any():
            raise ValueError("PseudoInverse: x must have full rank: elsewhere the pseudo-inverse has no derivative")
        Yt = np.swapaxes(Y, -1, -2)
        rows, columns = np.eye(x.shape[-2], dtype=x.dtype) - x @ Y, np.eye(x.shape[-1], dtype=x.dtype) - Y @ x
        return {
            "x": term("(Y·Yᵀ)_...il (1-X·Y)_...kj -> ...ij;...kl", Y @ Yt, rows)
            + term("(1-Y·X)_...il (YᵀY)_...kj -> ...ij;...kl", columns, Yt @ Y)
            - term("Y_...ik Y_...lj -> ...ij;...kl", Y, Y)
        }


class Determinant(Layer):
    """d = det X.

    ∂d/∂x_ij is the cofactor of x_ij, which is det X (X⁻¹)_ji where X is regular. It is computed from the singular
    values, X = U s V, as det U det V Σ_k U_ik (Π_{m≠k} s_m) V_kj, so that it is also right where X is singular.
    Shapes: x (..., N, N) gives d (...).
    Source: The Matrix Cookbook, derivatives of a determinant (Jacobi's formula).

    Examples
    --------
    >>> Determinant().jacobians([[1.0, 2.0], [2.0, 4.0]])["x"].round(12)
    array([[ 4., -2.],
           [-2.,  1.]])
    """

    shapes = "x (..., N, N)"

    def forward(self, x: Array) -> Array:
        return np.asarray(np.linalg.det(x))

    def local(self, x: Array, d: Array) -> Local:
        return {"x": term("C_...ij -> ...;...ij", cofactors(x))}


@with_layer
def cofactors(x: Array) -> Array:
    """∂det x/∂x_ij, from the singular values."""
    U, s, V = np.linalg.svd(x)
    sign = (np.linalg.det(U) * np.linalg.det(V))[..., None, None]
    return np.asarray(sign * ((U.conj() * others(s, (s.ndim - 1,))[..., None, :]) @ V.conj()))


class LogDet(Layer):
    """d = log |det X|.

    ∂d/∂x_ij = (X⁻¹)_ji.
    Shapes: x (..., N, N) gives d (...).
    Errors: ValueError if x is singular.
    Source: The Matrix Cookbook, derivatives of a determinant.

    Examples
    --------
    >>> LogDet().jacobians([[2.0, 0.0], [0.0, -4.0]])["x"].diagonal()
    array([ 0.5 , -0.25])
    """

    shapes = "x (..., N, N)"
    holomorphic = False

    def forward(self, x: Array) -> Array:
        sign, logarithm = np.linalg.slogdet(x)
        if (sign == 0).any():
            raise ValueError("LogDet: x is singular, so log |det x| is −∞")
        return np.asarray(logarithm)

    def local(self, x: Array, d: Array) -> Local:
        return {"x": term("X⁻¹_...ji -> ...;...ij", inverse("LogDet", "x", x))}


class Trace(Layer):
    """d = Σ_i x_ii.

    ∂d/∂x_ij = δ_ij.
    Shapes: x (..., N, N) gives d (...).
    Source: The Matrix Cookbook, derivatives of traces.

    Examples
    --------
    >>> Trace().jacobians([[1.0, 2.0], [3.0, 4.0]])["x"]
    array([[1., 0.],
           [0., 1.]])
    """

    shapes = "x (..., N, N)"

    def forward(self, x: Array) -> Array:
        return np.asarray(np.trace(x, axis1=-2, axis2=-1))

    def local(self, x: Array, d: Array) -> Local:
        return {"x": term("-> ...;...ii")}


class Solve(Layer):
    """x = A⁻¹ b, the solution of A x = b, for a vector b or a matrix of columns.

    From dA x + A dx = db, dx = Y db − Y dA x for Y = A⁻¹: ∂x_i/∂b_k = Y_ik, ∂x_i/∂A_kl = −Y_ik x_l; columns are tied.
    Shapes: A (..., N, N), b (N) or (..., N, C) give x of the shape of b; stacks broadcast.
    Errors: ValueError if A is singular.
    Source: The Matrix Cookbook, derivatives of an inverse.

    Examples
    --------
    >>> Solve().jacobians([[2.0, 0.0], [0.0, 4.0]], [2.0, 4.0])["b"]
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """

    shapes = "A (..., N, N)"

    def forward(self, A: Array, b: Array) -> Array:
        if b.ndim == 0 or b.shape[0 if b.ndim == 1 else -2] != A.shape[-1]:
            n = A.shape[-1]
            raise ValueError(f"Solve: A is {A.shape}, so b must be ({n},) or (..., {n}, C); b is {b.shape}")
        try:
            return np.linalg.solve(A, b)
        except np.linalg.LinAlgError:
            raise ValueError("Solve: A is singular, so there is no one solution") from None
        except ValueError:
            raise ValueError(f"Solve: the stacks of A and b must broadcast; A is {A.shape}, b is {b.shape}") from None

    def local(self, A: Array, b: Array, x: Array) -> Local:
        Y, c = inverse("Solve", "A", A), "c" if b.ndim > 1 else ""
        bs, xs = ("..." if b.ndim > 2 else ""), ("..." if x.ndim > b.ndim or b.ndim > 2 or A.ndim > 2 else "")
        As = "..." if A.ndim > 2 else ""
        return {
            "A": -term(f"Y_{As}ik x_{xs}l{c} -> {xs}i{c};{As}kl", Y, x),
            "b": term(f"Y_{As}ik -> {xs}i{c};{bs}k{c}", Y),
        }


class MatrixPower(Layer):
    """Y = Xⁿ for an integer n; X⁻¹ to the power of |n| if n is negative.

    d(X X … X) has dX in every place: ∂Y_ij/∂x_kl = Σ_m (X^m)_ik (X^{n−1−m})_lj over m = 0 … n − 1. For n < 0, with
    dX⁻¹ = −X⁻¹ dX X⁻¹, it is −Σ_m (X^−m)_ik (X^{n−1+m})_lj over m = 1 … |n|.
    Shapes: x (..., N, N) gives Y (..., N, N).
    Errors: ValueError if n is negative and x is singular, or if n is no integer.
    Source: The Matrix Cookbook, derivatives of traces and powers.

    Examples
    --------
    >>> MatrixPower(2).jacobians([[3.0]])["x"]
    array([[[[6.]]]])
    """

    n: int
    shapes = "x (..., N, N)"

    def __post_init__(self) -> None:
        if not isinstance(self.n, int | np.integer):
            raise ValueError(f"MatrixPower: n must be an integer; it is {self.n!r}")
        super().__post_init__()

    def _powers(self, x: Array) -> Array:
        """1, B, B², …, B^|n| with the axes ... m i j, for B = X, or X⁻¹ if n is negative."""
        base = x if self.n >= 0 else inverse("MatrixPower", "x", x)
        powers = [np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape)]
        for _ in range(abs(self.n)):
            powers.append(powers[-1] @ base)
        return np.stack(powers, axis=-3)

    def forward(self, x: Array) -> Array:
        return self._powers(x)[..., -1, :, :]

    def local(self, x: Array, Y: Array) -> Local:
        powers = self._powers(x)
        if self.n >= 0:
            return {"x": sandwich(powers[..., :-1, :, :])}
        return {"x": -sandwich(powers[..., 1:, :, :])}


def sandwich(powers: Array) -> Terms:
    """Σ_m B_m dX B_{−m}: the first power left of dX goes with the last one right of it."""
    return term("B_...mik B'_...mlj -> ...ij;...kl", powers, powers[..., ::-1, :, :])
