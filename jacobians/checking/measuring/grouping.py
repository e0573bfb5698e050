"""Columns that share no row, so that one direction measures all of them (Curtis, Powell and Reid, 1974)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.measuring.directions import Lines, natural_scale
from jacobians.checking.measuring.function import Function

Groups = list[NDArray[np.intp]]
Pattern = tuple[NDArray[np.intp], NDArray[np.intp]]


def group_columns(pointers: NDArray[np.intp], rows: NDArray[np.intp], count: int) -> Groups:
    """Groups of columns of which no two share a row, greedily.

    Parameters
    ----------
    pointers, rows
        The pattern in compressed columns: the rows of column c are ``rows[pointers[c] : pointers[c + 1]]``.
    count
        The number of columns.
    """
    taken: list[NDArray[np.bool_]] = []
    members: list[list[int]] = []
    height = int(rows.max(initial=-1)) + 1
    for column in range(count):
        own = rows[pointers[column] : pointers[column + 1]]
        group = next((number for number, used in enumerate(taken) if not used[own].any()), len(taken))
        if group == len(taken):
            taken.append(np.zeros(height, dtype=bool))
            members.append([])
        taken[group][own] = True
        members[group].append(column)
    return [np.array(group, dtype=np.intp) for group in members]


def group_lines(function: Function, groups: Groups) -> Lines:
    """One line per group of columns, every column with its natural scale."""
    scale = natural_scale(function)
    return Lines(function, groups, [scale[group] for group in groups])


def pattern_of(sparsity: Any, out_shape: tuple[int, ...], wrt_shape: tuple[int, ...]) -> Pattern:
    """A pattern in compressed columns: pointers and rows."""
    flat = (math.prod(out_shape), math.prod(wrt_shape))
    shape = tuple(np.shape(sparsity)) if not hasattr(sparsity, "tocsc") else tuple(sparsity.shape)
    if shape not in (flat, out_shape + wrt_shape):
        raise ValueError(f"sparsity has shape {shape}; it must be {flat}, or {out_shape} + {wrt_shape}")
    if hasattr(sparsity, "tocsc"):
        compressed = sparsity.tocsc()
        return compressed.indptr.astype(np.intp), compressed.indices.astype(np.intp)
    columns, rows = np.nonzero(np.asarray(sparsity).reshape(flat).T)
    return np.searchsorted(columns, np.arange(flat[1] + 1)), rows
