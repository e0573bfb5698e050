"""Straight lines through the point x along which derivatives are measured: one per column, or mixtures of columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.measuring.function import Function

Array = NDArray[np.float64]

FAINT = 1e-305  # steps of a part of this are subnormal
FIRST_STEP = 0.0187  # of the scale of x; deliberately not a round number, so that no step hits a special value


def magnitudes(point: NDArray[Any]) -> Array:
    """The sizes of the entries, flat; zero for those that are not finite."""
    sizes = np.abs(point).reshape(-1).astype(np.float64)
    return np.where(np.isfinite(sizes), sizes, 0.0)


def replaced(point: NDArray[Any], index: NDArray[np.intp], values: NDArray[Any]) -> NDArray[Any]:
    """A copy of the point in its own memory order with the entries at flat (C order) indices replaced."""
    moved = np.array(point, copy=True, order="K")
    if point.ndim:
        moved[np.unravel_index(index, point.shape)] = values
    else:
        moved[()] = values[0]
    return moved


class Lines:
    """Lines x + t d_c; line c moves the entries ``indices[c]`` of x by ``weights[c]`` per unit of t.

    Attributes
    ----------
    unit
        Of lines that move single entries, the direction in which they do: 1, or i along the imaginary axis.
    first
        The first step on each line, a small part of the scale of x.
    top
        The largest step worth trying.
    bottom
        The smallest step that x can still resolve.
    size
        The magnitude of what is moved, which limits how exactly a point on the line can be represented.
    scale
        The step that changes x by about its own size.
    """

    def __init__(
        self, function: Function, indices: Sequence[NDArray[np.intp]], weights: Sequence[NDArray[Any]],
        unit: complex | float | None = None,
    ) -> None:  # fmt: skip
        self.function = function
        self.indices, self.weights = indices, weights
        self.is_columns = unit is not None
        self.unit: complex | float = 1.0 if unit is None else unit
        point = function.point
        sizes = magnitudes(point)
        typical = float(sizes.max()) if sizes.any() else 1.0
        precision = float(np.finfo(point.dtype).eps)
        if self.is_columns:
            self.size = sizes[self.first_indices]
            self.scale = np.where(_has_scale(self.size, typical), self.size, typical)
            # steps beyond x itself change its sign, which f may not expect: only where x is small they are of use
            small = self.scale < max(typical, 1.0) / 4
            self.top = np.where(small, max(typical, 1.0), np.where(self.size > 0, 0.5, 1.0) * self.scale)
            self.bottom = 8 * precision * self.size
        else:
            self.size = np.ones(len(indices))
            self.scale = np.ones(len(indices))
            self.top = np.full(len(indices), 1.0)
            self.bottom = np.full(len(indices), 64 * precision)
        self.first = np.maximum(FIRST_STEP * self.scale, 5e-324)
        self.bottom = np.maximum(self.bottom, 5e-318)  # subnormal numbers that still have a few digits

    @property
    def first_indices(self) -> NDArray[np.intp]:
        """The first entry of x that each line moves."""
        return np.array([index[0] for index in self.indices], dtype=np.intp)

    def part(self, chosen: NDArray[np.intp]) -> Lines:
        """Some of the lines."""
        unit = self.unit if self.is_columns else None
        return Lines(self.function, [self.indices[c] for c in chosen], [self.weights[c] for c in chosen], unit)

    def only(self, rows: NDArray[np.intp]) -> Lines:
        """The same lines for some of the outputs."""
        unit = self.unit if self.is_columns else None
        return Lines(self.function.only(rows), self.indices, self.weights, unit)

    def __len__(self) -> int:
        return len(self.indices)

    def values(self, line: int, step: float) -> tuple[NDArray[Any], NDArray[Any], float, float]:
        """f at both ends x ± step d, with the steps that floating point really took."""
        point = self.function.point
        index, weight = self.indices[line], self.weights[line]
        here = point.reshape(-1)[index]
        ahead = (here + step * weight).astype(point.dtype)
        if len(index) == 1:
            # the step that x + h really is, so that x - h is exact as well
            behind = here - (ahead - here)
            ahead_step = float(np.real((ahead - here)[0] / weight[0]))
            behind_step = float(np.real((here - behind)[0] / weight[0]))
        else:
            behind = (here - step * weight).astype(point.dtype)
            ahead_step = behind_step = step
        if ahead_step == 0 or behind_step == 0 or not np.isfinite([ahead_step, behind_step]).all():
            nothing = np.full(self.function.base.shape, np.nan)
            return nothing, nothing, np.nan, np.nan
        ends = (replaced(point, index, ahead), replaced(point, index, behind))
        return self.function(ends[0]), self.function(ends[1]), ahead_step, behind_step

    def end(self, line: int, step: float) -> tuple[NDArray[Any], float]:
        """f at x + step d, with the step that floating point really took; NaN if there is none."""
        point = self.function.point
        index, weight = self.indices[line], self.weights[line]
        here = point.reshape(-1)[index]
        end = (here + step * weight).astype(point.dtype)
        taken = float(np.real((end - here)[0] / weight[0])) if len(index) == 1 else step
        if taken == 0 or not np.isfinite(taken):
            return np.full(self.function.base.shape, np.nan), np.nan
        return self.function(replaced(point, index, end)), taken


def columns(function: Function, chosen: NDArray[np.intp], unit: complex | float = 1.0) -> Lines:
    """The lines along single entries of x, one for each column of the Jacobian."""
    one = np.array([unit])
    return Lines(function, [np.array([index], dtype=np.intp) for index in chosen], [one] * len(chosen), unit)


def natural_scale(function: Function) -> Array:
    """The natural size of a change of every entry of x: its magnitude, or the largest one for zeros."""
    sizes = magnitudes(function.point)
    typical = float(sizes.max()) if sizes.any() else 1.0
    return np.where(_has_scale(sizes, typical), sizes, typical)


def _has_scale(sizes: Array, typical: float) -> Any:
    """Whether magnitudes say how far to go; beside much larger ones, those next to the smallest numbers do not."""
    return sizes > (FAINT if typical > FAINT / np.finfo(np.float64).eps else 0)


def mixtures(function: Function, groups: Sequence[NDArray[np.intp]], random: np.random.Generator) -> Lines:
    """One line per group of columns, every column with a random sign (or a power of i) and its natural scale."""
    scale = natural_scale(function)
    signs = [1.0, -1.0, 1j, -1j] if function.point.dtype.kind == "c" else [-1.0, 1.0]
    weights = [scale[group] * random.choice(signs, size=len(group)) for group in groups]
    return Lines(function, groups, weights)
