"""`NN`: the lecture's single-layer network with its explicit Jacobians."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from jacobians.core.layer import Array
from jacobians.core.vectors import numbers
from jacobians.notation import signature


def NN(x: ArrayLike, A: ArrayLike, b: ArrayLike) -> tuple[Array, Array, Array, Array]:
    """f = tanh(Ax + b) and its Jacobians with respect to A, b and x: the slides' function, corrected.

    The slides take the vector 1 − f² for ∂f/∂z. That vector is only the diagonal of the M×M matrix
    ∂f_i/∂z_l = (1 − f_i²) δ_il, and with it

    - ∂f_i/∂x_j = Σ_l ∂f_i/∂z_l A_lj = (1 − f_i²) A_ij,
    - ∂f_i/∂b_j = Σ_l ∂f_i/∂z_l δ_lj = (1 − f_i²) δ_ij,
    - ∂f_i/∂A_jk = Σ_l ∂f_i/∂z_l δ_lj x_k = (1 − f_i²) δ_ij x_k.

    Parameters
    ----------
    x, A, b
        Arrays of shapes (N,), (M, N) and (M,).

    Returns
    -------
    f, dfdA, dfdb, dfdx
        Arrays of shapes (M,), (M, M, N), (M, M) and (M, N).

    Raises
    ------
    ValueError
        If the shapes do not fit; a column vector is not a vector.

    Examples
    --------
    >>> f, dfdA, dfdb, dfdx = NN([1.0, 2.0], [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], [0.0, 0.0, 0.0])
    >>> dfdA.shape, dfdb.shape, dfdx.shape
    ((3, 3, 2), (3, 3), (3, 2))
    """
    x, A, b = (numbers(v, f"NN: {name}") for v, name in ((x, "x"), (A, "A"), (b, "b")))
    signature.require("NN", "A (M, N), b (M), x (N)", (("A", A.shape), ("b", b.shape), ("x", x.shape)))
    f = np.tanh(A @ x + b)
    dfdz = 1 - f * f  # the diagonal of the M×M matrix

    M, N = A.shape
    dfdx = dfdz[:, None] * A
    dfdb = np.zeros((M, M), f.dtype)
    dfdb.reshape(-1)[:: M + 1] = dfdz
    dfdA = np.zeros((M, M, N), f.dtype)
    np.multiply(dfdz[:, None], x, out=dfdA.reshape(M * M, N)[:: M + 1])
    return f, dfdA, dfdb, dfdx
