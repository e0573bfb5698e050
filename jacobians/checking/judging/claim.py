"""What somebody claims the Jacobian to be: an array, a `Jacobian`, a sparse matrix, a linear operator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.judging.classify import Claimed
from jacobians.checking.judging.options import Options
from jacobians.checking.measuring.directions import Lines, natural_scale
from jacobians.checking.measuring.function import Function, Output, as_array, quiet

Array = NDArray[np.float64]
Shape = tuple[int, ...]

LARGEST_FULL = 1 << 30  # bytes of a Jacobian object that are worth writing out
BLOCK = 256  # columns at a time


class Part:
    """The rows of a claim that belong to one output: a matrix, outputs by entries of x, both flattened in C order.

    Attributes
    ----------
    shape
        The shape of what was claimed.
    fits
        Whether that is out_shape + wrt_shape (or, for matrices and operators, their two products).
    array
        What was claimed as an array, if it is one.
    """

    def __init__(self, claimed: Any, output: Output, wrt_shape: Shape, given: np.dtype[Any], what: str = "J") -> None:
        self.rows, self.columns = output.size, math.prod(wrt_shape)
        groups, flat = (output.shape, wrt_shape), (self.rows, self.columns)
        expected = output.shape + wrt_shape
        self.missing = claimed is None
        self.array: NDArray[Any] | None = None
        self._matrix: Any = None
        self._operator: Any = None
        self.is_sparse = hasattr(claimed, "tocsc") and hasattr(claimed, "nnz")
        if claimed is None:
            self.shape: Shape = ()
            self.fits = False
            dtype = np.dtype(float)
        elif self.is_sparse:
            self.shape, dtype = tuple(int(n) for n in claimed.shape), np.dtype(claimed.dtype)
            self.fits = self.shape in (flat, expected)
            self._matrix = claimed.tocsc() if self.fits else None
        elif hasattr(claimed, "out_shape") and hasattr(claimed, "wrt_shape"):
            self.shape, dtype = (*claimed.out_shape, *claimed.wrt_shape), np.dtype(claimed.dtype)
            self.fits = (tuple(claimed.out_shape), tuple(claimed.wrt_shape)) == groups
            if self.fits and math.prod(self.shape) * 8 > LARGEST_FULL:
                self._operator = lambda h: claimed @ h.reshape(wrt_shape)
            elif self.fits:
                self._matrix = as_array(claimed.full(), what).reshape(flat)
        elif hasattr(claimed, "matvec") and hasattr(claimed, "shape"):
            self.shape, dtype = tuple(int(n) for n in claimed.shape), np.dtype(claimed.dtype or float)
            self.fits = self.shape in (flat, expected)
            self._operator = claimed.matvec
        else:
            self.array = np.array(as_array(claimed, what), copy=True)  # a buffer may be used again
            self.shape, dtype = self.array.shape, self.array.dtype
            self.fits = self.shape == expected
            self._matrix = self.array.reshape(flat) if self.fits else None
        self.precision = max(_precision(dtype), _precision(given))

    @property
    def is_dense(self) -> bool:
        """Whether all entries are at hand as an array."""
        return isinstance(self._matrix, np.ndarray)

    @property
    def pattern(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The rows of every column of a sparse claim: the index pointers and the row indices."""
        return self._matrix.indptr, self._matrix.indices

    def dense_columns(self, chosen: NDArray[np.intp]) -> NDArray[Any]:
        """The chosen columns, (m, c)."""
        if self._operator is not None:
            units = np.zeros((len(chosen), self.columns))
            units[np.arange(len(chosen)), chosen] = 1
            return np.stack([self.along(unit) for unit in units], axis=1) if len(chosen) else np.zeros((self.rows, 0))
        part = self._matrix[:, chosen]
        return np.asarray(part.toarray() if self.is_sparse else part)

    def along(self, direction: NDArray[Any]) -> NDArray[Any]:
        """The product with a direction (n,), flat."""
        if self._operator is not None:
            return np.array(self._operator(direction), copy=True).reshape(-1)
        return np.asarray(self._matrix @ direction).reshape(-1)

    def largest(self, scale: Array) -> Array:
        """max_l |J_il| s_l, (m,)."""
        if self._operator is not None or not self.columns:
            return np.zeros(self.rows)
        if self.is_sparse:
            return np.asarray(abs(self._matrix).multiply(scale).max(axis=1).toarray()).reshape(-1)
        best = np.zeros(self.rows)
        for start in range(0, self.columns, BLOCK):  # a million entries need no second million
            block = np.abs(self._matrix[:, start : start + BLOCK]) * scale[start : start + BLOCK]
            best = np.maximum(best, np.where(np.isfinite(block), block, 0).max(axis=1, initial=0))
        return best


@dataclass(frozen=True)
class Claim:
    """A claimed Jacobian as one matrix: the rows of all outputs, by the entries of x.

    Attributes
    ----------
    parts
        The rows of every output.
    options
        How they are to be judged.
    """

    parts: Sequence[Part]
    options: Options

    @classmethod
    def of(cls, claimed: Sequence[Any], function: Function, options: Options, what: str = "J") -> Claim:
        """The claim of one Jacobian for each output of a function."""
        wrt, given = function.point.shape, function.given_dtype
        parts = [Part(one, output, wrt, given, what) for one, output in zip(claimed, function.outputs, strict=True)]
        return cls(parts, options)

    @property
    def rows(self) -> int:
        """The number of all outputs."""
        return sum(part.rows for part in self.parts)

    @property
    def columns(self) -> int:
        """The number of entries of x."""
        return self.parts[0].columns

    @property
    def entries(self) -> int:
        """The number of entries."""
        return self.rows * self.columns

    @property
    def is_dense(self) -> bool:
        """Whether all entries are at hand as arrays."""
        return all(part.is_dense for part in self.parts)

    @property
    def is_sparse(self) -> bool:
        """Whether the claim has a sparsity pattern."""
        return len(self.parts) == 1 and self.parts[0].is_sparse

    @property
    def precision(self) -> float:
        """Eps of the dtype in which the claim was computed."""
        return max(part.precision for part in self.parts)

    def dense_columns(self, chosen: NDArray[np.intp]) -> NDArray[Any]:
        """The chosen columns, (m, c)."""
        return np.concatenate([part.dense_columns(chosen) for part in self.parts])

    def along(self, direction: NDArray[Any]) -> NDArray[Any]:
        """The product with a direction (n,), flat."""
        return np.concatenate([part.along(direction) for part in self.parts])

    def on(self, lines: Lines) -> Claimed:
        """The claimed derivatives along lines, with the scales to judge them by."""
        function = lines.function
        if lines.is_columns:
            value = self.dense_columns(lines.first_indices).T * lines.unit
        else:
            directions = np.zeros((len(lines), self.columns), dtype=np.result_type(float, *lines.weights))
            for line, (index, weight) in enumerate(zip(lines.indices, lines.weights, strict=True)):
                directions[line, index] = weight
            value = np.array([self.along(direction) for direction in directions]).reshape(len(lines), self.rows)
        with quiet():
            size = np.where(np.isfinite(value), np.abs(value), 0.0)
            scale = lines.scale[:, None]
            outputs = np.where(np.isfinite(function.base), np.abs(function.base), 0.0)
            natural = natural_scale(function)
            row = np.concatenate([part.largest(natural) for part in self.parts])
            largest = float(np.abs(function.point[np.isfinite(function.point)]).max(initial=0))
            return Claimed(
                value,
                self.precision,
                self.options.rtol,
                self.options.atol * np.array([np.abs(weight).sum() for weight in lines.weights])[:, None],
                outputs / scale,
                (outputs + largest) / scale,
                row / scale,
                size.max(axis=1, initial=0)[:, None],
                np.minimum(100 * lines.size, largest if lines.is_columns else 1.0)[:, None],
                (lines.top / lines.first)[:, None],
            )


def _precision(dtype: np.dtype[Any]) -> float:
    double = float(np.finfo(np.float64).eps)
    return max(float(np.finfo(dtype).eps), double) if dtype.kind in "fc" else double
