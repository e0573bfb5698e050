"""What somebody claims the Jacobian to be: an array, a Jacobian, a sparse matrix, or a function that returns one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.judging.verdict import Claimed
from jacobians.checking.measuring.directions import Lines, natural_scale
from jacobians.checking.measuring.function import Function, as_array, quiet

__all__ = ["Claim"]

Array = NDArray[np.float64]

_LARGEST_FULL = 1 << 30  # bytes of a Jacobian object that are worth writing out


class Claim:
    """A claimed Jacobian as a matrix, outputs by entries of x, both flattened in C order.

    Attributes
    ----------
    shape : the shape of what was claimed
    fits : whether that is out_shape + wrt_shape (or, for a scipy.sparse matrix, their two products)
    sparse : whether the claim has a sparsity pattern
    """

    def __init__(self, claimed: Any, function: Function, what: str = "J") -> None:
        self.expected = function.shape + function.point.shape
        self.rows, self.columns = math.prod(function.shape), function.point.size
        self.sparse = hasattr(claimed, "tocsc") and hasattr(claimed, "nnz")
        self._operator: Any = None
        self._matrix: Any = None
        precision = 0.0
        if self.sparse:
            self.shape: tuple[int, ...] = tuple(int(n) for n in claimed.shape)
            self.fits = self.shape == (self.rows, self.columns) or self.shape == self.expected
            if self.fits:
                self._matrix = claimed.tocsc()
            precision = _precision(np.dtype(claimed.dtype))
        elif hasattr(claimed, "out_shape") and hasattr(claimed, "wrt_shape"):
            self.shape = tuple(claimed.out_shape) + tuple(claimed.wrt_shape)
            groups = (tuple(claimed.out_shape), tuple(claimed.wrt_shape))
            self.fits = groups == (function.shape, function.point.shape)
            if self.fits and math.prod(self.shape) * 8 > _LARGEST_FULL:
                self._operator = claimed
            elif self.fits:
                self._matrix = as_array(claimed.full(), what).reshape(self.rows, self.columns)
            precision = _precision(np.dtype(claimed.dtype))
        else:
            array = as_array(claimed, what)
            self.shape = array.shape
            self.fits = self.shape == self.expected
            self.array = array
            if self.fits:
                self._matrix = array.reshape(self.rows, self.columns)
            precision = _precision(array.dtype)
        self.precision = max(precision, _precision(function.given_dtype))

    @property
    def matrix(self) -> NDArray[Any] | None:
        """The claim as a dense matrix, or None where that is not affordable."""
        return self._matrix if isinstance(self._matrix, np.ndarray) else None

    @property
    def pattern(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows by column of a sparse claim: the index pointers and the row indices."""
        return self._matrix.indptr, self._matrix.indices

    def dense_columns(self, chosen: NDArray[np.intp]) -> NDArray[Any]:
        """Return the chosen columns, (m, c)."""
        if self._operator is not None:
            units = np.zeros((len(chosen), self.columns))
            units[np.arange(len(chosen)), chosen] = 1
            return np.stack([self.along(unit) for unit in units], axis=1)
        part = self._matrix[:, chosen]
        return np.asarray(part.toarray() if self.sparse else part)

    def along(self, direction: Array) -> NDArray[Any]:
        """Return the product with a direction (n,), flat."""
        if self._operator is not None:
            shape = self._operator.wrt_shape
            return np.asarray(self._operator @ direction.reshape(shape)).reshape(-1)
        return np.asarray(self._matrix @ direction).reshape(-1)

    def on(self, lines: Lines) -> Claimed:
        """Return the claimed derivatives along lines, with the scales to judge them by."""
        function = lines.function
        if lines.is_columns:
            chosen = np.array([index[0] for index in lines.indices], dtype=np.intp)
            value = self.dense_columns(chosen).T
        else:
            directions = np.zeros((len(lines), self.columns))
            for line, (index, weight) in enumerate(zip(lines.indices, lines.weights, strict=True)):
                directions[line, index] = weight
            product = [self.along(direction) for direction in directions]
            value = np.array(product).reshape(len(lines), self.rows)
        with quiet():
            size = np.where(np.isfinite(value), np.abs(value), 0.0)
            scale = lines.scale[:, None]
            outputs = np.where(np.isfinite(function.base), np.abs(function.base), 0.0)
            row = self._row_scale(function, lines)
            largest = float(np.abs(function.point[np.isfinite(function.point)]).max(initial=0))
            return Claimed(
                value,
                self.precision,
                outputs / scale,
                (outputs + largest) / scale,
                row / scale,
                size.max(axis=1, initial=0)[:, None],
                np.minimum(100 * lines.size, largest if lines.is_columns else 1.0)[:, None],
                (lines.top / lines.first)[:, None],
            )

    def _row_scale(self, function: Function, lines: Lines) -> Array:
        """Return max_l |J_il| |x_l|, the claimed change of every output for a change of x by its own size."""
        if not self.columns:
            return np.zeros(self.rows)
        scale = natural_scale(function)
        if self._operator is not None:
            return np.zeros(self.rows)
        if self.sparse:
            entries = abs(self._matrix).multiply(scale).max(axis=1)
            return np.asarray(entries.toarray()).reshape(-1)
        # row by row in blocks: a million entries need no second million
        best = np.zeros(self.rows)
        for start in range(0, self.columns, 256):
            block = np.abs(self._matrix[:, start : start + 256]) * scale[start : start + 256]
            best = np.maximum(best, np.where(np.isfinite(block), block, 0).max(axis=1, initial=0))
        return best


def _precision(dtype: np.dtype[Any]) -> float:
    if dtype.kind not in "fc":
        return float(np.finfo(np.float64).eps)
    return max(float(np.finfo(dtype).eps), float(np.finfo(np.float64).eps))
