"""Claimed against measured: the arrays in which an explanation is looked for, and the test that it must pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

PROBES = 400


@dataclass
class Evidence:
    """J and D with the axes of the output first, then those of what we differentiate by.

    Attributes
    ----------
    claimed, measured, error
        J, D and the error of D.
    wrong
        The entries that the measurement contradicts.
    out_ndim
        The number of output axes.
    point, output
        x and f(x).
    """

    claimed: NDArray[Any]
    measured: NDArray[Any]
    error: NDArray[np.float64]
    wrong: NDArray[np.bool_]
    out_ndim: int
    point: NDArray[Any]
    output: NDArray[Any]
    probes: tuple[NDArray[np.intp], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        random = np.random.default_rng(0)
        wrong = np.flatnonzero(self.wrong)
        chosen = random.choice(wrong, size=min(len(wrong), PROBES)) if len(wrong) else wrong
        flat = np.concatenate([chosen, random.integers(0, max(1, self.claimed.size), size=PROBES)])
        shape = self.claimed.shape
        self.probes = np.unravel_index(flat.astype(np.intp), shape) if shape else ()
        self.size = float(np.max(np.abs(self.measured), where=np.isfinite(self.measured), initial=0))

    @property
    def shape(self) -> tuple[int, ...]:
        """out_shape + wrt_shape."""
        return self.claimed.shape

    def axis_name(self, axis: int) -> str:
        """Say which axis of the Jacobian is meant."""
        if axis < self.out_ndim:
            return f"output axis {axis}"
        return f"axis {axis - self.out_ndim} of the argument"

    def matrices(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64], NDArray[np.bool_]]:
        """J, D, the errors and the wrong entries as matrices, outputs by arguments."""
        rows = int(np.prod(self.shape[: self.out_ndim]))
        claimed, measured = self.claimed.reshape(rows, -1), self.measured.reshape(rows, -1)
        return claimed, measured, self.error.reshape(rows, -1), self.wrong.reshape(rows, -1)

    def close(self, claimed: NDArray[Any], predicted: NDArray[Any], error: NDArray[Any]) -> NDArray[np.bool_]:
        """Where a prediction agrees with a claim, or nothing is known."""
        size = np.maximum(np.abs(claimed), np.abs(predicted))
        near = np.abs(claimed - predicted) <= 3 * error + 1e-5 * size + 1e-13 * self.size
        return np.asarray(near | ~np.isfinite(error))

    @property
    def told(self) -> NDArray[np.bool_]:
        """The wrong entries whose difference is larger than what the measurement leaves open."""
        return np.asarray(self.wrong & (np.abs(self.claimed - self.measured) > 3 * self.error))

    def predicts(self, predicted: NDArray[Any], error: NDArray[np.float64] | None = None) -> bool:
        """Whether a prediction agrees with the claim everywhere, and explains every wrong entry.

        To explain an entry it must leave less than a tenth of the difference between claimed and measured, so that what
        fits only because it hardly differs from D explains nothing.
        """
        error = self.error if error is None else error
        told = self.told
        if predicted.shape != self.shape or not told.any():
            return False
        left = np.abs(self.claimed - predicted)[told]
        better = left <= 0.1 * np.abs(self.claimed - self.measured)[told]
        return bool(better.all()) and bool(self.close(self.claimed, predicted, error).all())

    def fits(self, transform: Callable[[NDArray[Any]], NDArray[Any]], factor: float | complex = 1.0) -> bool:
        """Whether J = factor * transform(D) within the error bars, everywhere, and D itself is not."""
        predicted = transform(self.measured)
        if predicted.shape != self.shape:
            return False
        error = np.abs(transform(self.error)) * abs(factor)
        probes = self.probes
        if not self.close(self.claimed[probes], factor * predicted[probes], error[probes]).all():
            return False
        return self.predicts(factor * predicted, error)

    def ratio(self) -> NDArray[Any]:
        """J / D where D is clearly not zero, NaN elsewhere."""
        clear = np.isfinite(self.error) & (np.abs(self.measured) > 30 * self.error)
        quotient = np.full(self.shape, np.nan, dtype=np.result_type(self.claimed, self.measured))
        np.divide(self.claimed, self.measured, out=quotient, where=clear)
        return quotient
