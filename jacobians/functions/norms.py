"""Norms of vectors and matrices, of every order, and the condition number."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobians import layers
from jacobians.core.applying import apply
from jacobians.core.rules import refuse, rule
from jacobians.functions.algebra import inv, svdvals
from jacobians.functions.conjugation import is_complex

NUCLEAR_NORM = layers.NuclearNorm()


@rule(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002 - as NumPy's
    """The norm of a vector or a matrix, of every order."""
    if is_complex(x):
        if ord in ("nuc", 2, -2) and (x.ndim == 2 if axis is None else isinstance(axis, tuple)):
            refuse(f"np.linalg.norm of order {ord} of a complex matrix", "it has no derivative here")
        x = np.absolute(x)
    if axis is None:
        if ord is None or (ord in ("f", "fro") and x.ndim == 2) or (ord == 2 and x.ndim == 1):
            return _vector(x, 2, None, keepdims)
        axis = tuple(range(x.ndim))
    axes = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    if len(axes) == 1:
        return _vector(x, 2 if ord is None else ord, axes, keepdims)
    if len(axes) != 2:
        raise ValueError("norm: improper number of dimensions")
    return _matrix(x, ord, (axes[0] % x.ndim, axes[1] % x.ndim), keepdims)


def _vector(x: Any, p: Any, axes: Any, keepdims: bool) -> Any:
    """The p-norm along axes."""
    output = np.linalg.vector_norm(x.value, ord=p, axis=axes, keepdims=keepdims)
    if p == 0:
        return output  # the number of entries that are not zero is piecewise constant
    if np.isinf(p):
        return (np.max if p > 0 else np.min)(np.absolute(x), axis=axes, keepdims=keepdims)
    return apply(layers.Norm(axes, bool(keepdims), p), x, output=np.asarray(output))


def _matrix(x: Any, order: Any, axes: tuple[int, int], keepdims: bool) -> Any:
    """The norm of matrices along two axes."""
    np.linalg.norm(x.value, order, axes, keepdims)  # which raises where the order is unknown
    row, column = axes
    if order in (None, "fro", "f"):
        return _vector(x, 2, axes, keepdims)
    if order in (1, -1, np.inf, -np.inf):
        first, second = (row, column) if abs(order) == 1 else (column, row)
        sums = np.sum(np.absolute(x), axis=first, keepdims=True)
        return (
            (np.max if order > 0 else np.min)(sums, axis=second, keepdims=True)
            if keepdims
            else ((np.max if order > 0 else np.min)(np.squeeze(sums, first), axis=second - (second > first)))
        )
    moved = np.moveaxis(x, axes, (-2, -1)) if axes != (x.ndim - 2, x.ndim - 1) else x
    if order == "nuc":
        found = apply(NUCLEAR_NORM, moved)
    else:
        which = 0 if order == 2 else min(moved.shape[-2:]) - 1
        found = apply(layers.SingularValues((which,), distinct=True), moved)[..., 0]
    return np.expand_dims(found, axes) if keepdims else found


@rule(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:  # noqa: A002 - as NumPy calls it
    """The p-norm along any number of axes."""
    return _vector(np.absolute(x) if is_complex(x) else x, ord, axis, keepdims)


@rule(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:  # noqa: A002 - as NumPy calls it
    """The norm of the matrices of a stack."""
    return norm(x, ord, (-2, -1), keepdims)


@rule(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    """The condition number."""
    if p in (None, 2, -2):
        s = svdvals(x)
        first, last = s[..., 0], s[..., -1]
        return last / first if p == -2 else first / last
    return norm(x, p, (-2, -1)) * norm(inv(x), p, (-2, -1))
