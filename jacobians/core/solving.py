"""Linear algebra with a Jacobian: NumPy on the matrix where that is small or full, SciPy where it is sparse or large.

The matrix is that of `LinearMap.matrix`: ∏ out_shape rows and ∏ wrt_shape columns. SciPy is an extra; without it the
matrix is written out, if it fits.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from jacobians.core.extras import extra
from jacobians.core.linear_map import LinearMap
from jacobians.core.vectors import number, vectors
from jacobians.engine import memory
from jacobians.engine.tape import Array

SMALL = 1 << 20  # entries of a matrix that NumPy takes, sparse or not
SPARSE = 10  # times more entries than can be non-zero: a sparse matrix
FITS = 4  # copies of a matrix that NumPy makes to solve with it, about
ACCURACY = 1e-14  # at which iterations end


def slogdet(J: LinearMap) -> tuple[Any, Any]:
    """The sign and the logarithm of the absolute value of the determinant."""
    _require_square(J, "slogdet")
    if not _is_sparse(J):
        sign, logarithm = np.linalg.slogdet(J.matrix())
        return sign, logarithm
    factors = _factorized(J)
    if factors is None:
        return J.dtype.type(0), J.dtype.type(0).real - np.inf
    diagonal = factors.U.diagonal()
    sizes = np.abs(diagonal)
    sign = _sign(factors.perm_r) * _sign(factors.perm_c) * np.prod(diagonal / sizes)
    return J.dtype.type(sign), np.log(sizes).sum()


def solve(J: LinearMap, b: ArrayLike) -> Any:
    """The x with J x = b."""
    _require_square(J, "solve")
    several, columns = _columns(J, b)
    if not _is_sparse(J):
        return _shaped(J, several, np.linalg.solve(J.matrix(), columns))
    factors = _factorized(J)
    if factors is None:
        raise np.linalg.LinAlgError("Singular matrix")
    dtype = np.result_type(J.dtype, columns)
    if dtype.kind == "c" and J.dtype.kind != "c":  # SuperLU has one dtype
        return _shaped(J, several, factors.solve(columns.real.copy()) + 1j * factors.solve(columns.imag.copy()))
    return _shaped(J, several, factors.solve(np.ascontiguousarray(columns, J.dtype)))


def lstsq(J: LinearMap, b: ArrayLike) -> Any:
    """The x of least norm among those with the least ‖J x − b‖."""
    several, columns = _columns(J, b)
    if not _is_sparse(J) and _fits(J):
        return _shaped(J, several, np.linalg.lstsq(J.matrix(), columns, rcond=None)[0])
    linalg = extra("scipy.sparse.linalg", "scipy", "lstsq of a large Jacobian")
    operator = J.sparse() if _is_sparse(J) else J.linear_operator()
    limit = 20 * max(operator.shape)
    found = []
    for column in columns.T.astype(np.result_type(J.dtype, columns)):  # lsmr works in the dtype of b
        x, stop, *_ = linalg.lsmr(operator, column, atol=ACCURACY, btol=ACCURACY, conlim=0, maxiter=limit)
        if stop == 7:
            raise np.linalg.LinAlgError(
                f"lstsq: lsmr has not converged after {limit} steps; the matrix is too singular"
            )
        found.append(x)
    return _shaped(J, several, np.stack(found, -1) if found else np.empty((operator.shape[1], 0)))


def singular_values(J: LinearMap, k: int | None = None) -> Array:
    """The k largest singular values, the largest first; all by default."""
    least = min(prod(J.out_shape), prod(J.wrt_shape))
    count = least if k is None else k
    if not 0 <= count <= least or (k is not None and isinstance(k, bool)):
        raise ValueError(f"singular_values: J is {J.words}, so k must be from 0 to {least}; it is {k}")
    large = prod(J.shape) > SMALL and 10 * count < least
    if not large and _fits(J):
        return np.linalg.svd(J.matrix(), compute_uv=False)[:count]
    if not count:
        return np.empty(0, J.dtype.type(0).real.dtype)
    linalg = extra("scipy.sparse.linalg", "scipy", "singular_values of a large Jacobian")
    operator = J.sparse() if _is_sparse(J) else J.linear_operator()
    start = np.random.default_rng(0).normal(size=least).astype(J.dtype)  # so that the same J gives the same values
    found = linalg.svds(operator, count, v0=start, return_singular_vectors=False)
    return np.sort(found)[::-1]


def _require_square(J: LinearMap, what: str) -> None:
    rows, columns = prod(J.out_shape), prod(J.wrt_shape)
    if rows != columns:
        raise ValueError(f"{what} needs a square matrix; J is {J.words}, a matrix of {rows}×{columns}")


def _is_sparse(J: LinearMap) -> bool:
    """Whether J is large and nearly empty, and SciPy is there."""
    if prod(J.shape) <= SMALL or SPARSE * J.nonzeros > prod(J.shape):
        return False
    try:
        extra("scipy.sparse.linalg", "scipy", "")
    except ImportError:
        return False
    return True


def _fits(J: LinearMap) -> bool:
    return FITS * J.full_nbytes < memory.available()


def _factorized(J: LinearMap) -> Any:
    """The LU factors of the sparse matrix; None for one that is singular."""
    linalg = extra("scipy.sparse.linalg", "scipy", "a sparse matrix")
    try:
        return linalg.splu(J.sparse().tocsc())
    except RuntimeError as error:
        if "singular" not in str(error):
            raise
        return None


def _sign(permutation: Array) -> int:
    """The sign of a permutation: even and odd numbers of exchanges."""
    graph = extra("scipy.sparse", "scipy", "a sparse matrix").csr_array(
        (np.ones(len(permutation)), (np.arange(len(permutation)), permutation))
    )
    cycles, _ = extra("scipy.sparse.csgraph", "scipy", "a sparse matrix").connected_components(graph)
    return -1 if (len(permutation) - cycles) % 2 else 1


def _columns(J: LinearMap, b: ArrayLike) -> tuple[bool, Array]:
    """The right-hand sides as columns, and whether there are several."""
    array = vectors(b, J.out_shape, f"J is {J.words}, so b in J x = b")
    several = array.ndim > len(J.out_shape)
    return several, array.reshape(-1 if several else 1, prod(J.out_shape)).T


def _shaped(J: LinearMap, several: bool, columns: Array) -> Any:
    """Solutions that are columns, as arrays of wrt_shape."""
    rows = columns.T.reshape(-1, *J.wrt_shape) if columns.size else np.zeros((columns.shape[1], *J.wrt_shape))
    return rows if several else number(rows[0])
