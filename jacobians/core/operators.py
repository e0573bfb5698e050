"""A linear map as ``scipy.sparse.linalg.LinearOperator``, for SciPy's iterative solvers."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from jacobians.core.extras import extra
from jacobians.engine.tape import Array
from jacobians.notation.structure import Shape

Apply = Callable[[Array], Array]


def linear_operator(out_shape: Shape, wrt_shape: Shape, dtype: np.dtype[Any], jvp: Apply, vjp: Apply) -> Any:
    """The operator of shape (∏ out_shape, ∏ wrt_shape), from products with several vectors along a leading axis."""
    linalg = extra("scipy.sparse.linalg", "scipy", "linear_operator()")
    rows, columns = prod(out_shape), prod(wrt_shape)

    def right(h: Array) -> Array:
        return np.asarray(jvp(h.reshape(wrt_shape))).reshape(rows)

    def left(u: Array) -> Array:  # Jᴴ u, where vjp does not conjugate
        return np.asarray(vjp(u.conj().reshape(out_shape))).conj().reshape(columns)

    def rights(h: Array) -> Array:
        return np.asarray(jvp(h.T.reshape(-1, *wrt_shape))).reshape(-1, rows).T

    def lefts(u: Array) -> Array:
        return np.asarray(vjp(u.conj().T.reshape(-1, *out_shape))).conj().reshape(-1, columns).T

    return linalg.LinearOperator((rows, columns), right, left, rights, dtype, lefts)
