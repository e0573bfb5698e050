"""Calling somebody's function safely: copies in, arrays out, mutation and precision noticed."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Function", "as_array", "as_point", "quiet"]

_LOW_PRECISION = {np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.complex64)}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence floating-point and Python warnings: probing near the edge of a domain is meant to overflow."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def as_array(value: Any, what: str) -> NDArray[Any]:
    """Anything that turns into a numeric array: lists, scalars, NumPy, JAX and torch arrays."""
    if hasattr(value, "detach"):  # a torch tensor that requires a gradient refuses np.asarray
        value = value.detach().cpu().resolve_conj().numpy() if hasattr(value, "resolve_conj") else value.detach()
    try:
        array = np.asarray(value)
        if array.dtype.kind in "iub":
            return array.astype(np.float64)
        if array.dtype.kind == "O":
            return array.astype(np.complex128 if any(isinstance(v, complex) for v in array.flat) else np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what} does not turn into a numeric array: {error}") from error
    if array.dtype.kind not in "fc":
        raise ValueError(f"{what} is not numeric: its dtype is {array.dtype}")
    if array.dtype in (np.dtype(np.longdouble), np.dtype(np.clongdouble)):
        return array.astype(np.float64 if array.dtype.kind == "f" else np.complex128)
    return array


def as_point(x: Any) -> NDArray[Any]:
    """Copy the point at which a derivative is checked; integers are promoted to float64."""
    return np.array(as_array(x, "x"), copy=True)


class Function:
    """f as a map between flat arrays, evaluated on fresh copies.

    The caller's array never reaches f. What f does to its copy is noticed at the first calls. Where x is in single
    precision and f follows a double one, f is evaluated in double precision, which measures more sharply.

    Attributes
    ----------
    point : the point x, in the dtype of evaluation
    base : f(x), flat
    shape : shape of f(x)
    spread : per output, how much repeated calls at x differ; zero for a deterministic f
    roundoff : relative rounding error of one evaluation
    evaluations : how often f was called
    mutates : whether f writes into its argument
    """

    def __init__(self, f: Callable[..., Any], x: Any, *, repeats: int = 2) -> None:
        self.f = f
        self.scalar = np.isscalar(x)  # f of a Python number may use the math module
        self.evaluations = 0
        self.mutates = False
        self.point = as_point(x)
        self.given_dtype = self.point.dtype
        first = self._output(self.point)
        if self.point.dtype in _LOW_PRECISION:
            first = self._try_double_precision(first)
        self.shape: tuple[int, ...] = first.shape
        self.dtype = first.dtype
        self.base: NDArray[Any] = first.reshape(-1).astype(np.result_type(first.dtype, np.float64))
        self.roundoff = float(np.finfo(first.dtype).eps) / 2
        calls = [self.base, *(self(self.point) for _ in range(repeats))]
        self.spread = np.max([np.abs(call - self.base) for call in calls], axis=0) if self.base.size else np.zeros(0)
        self.spread = np.where(np.isfinite(self.spread), self.spread, 0.0)

    def _output(self, point: NDArray[Any]) -> NDArray[Any]:
        """Call f on a copy of the point and copy what it returns, which may be a view or a reused buffer."""
        argument = np.array(point, copy=True, order="K")
        self.evaluations += 1
        result = self.f(argument[()] if self.scalar else argument)
        if self.evaluations <= 3 and not np.array_equal(argument, point, equal_nan=True):
            self.mutates = True
        return np.array(as_array(result, "the output of f"), copy=True)

    def _try_double_precision(self, first: NDArray[Any]) -> NDArray[Any]:
        wide = self.point.astype(np.result_type(self.point.dtype, np.float64))
        try:
            output = self._output(wide)
        except Exception:  # f insists on its own precision, whatever way it says so
            return first
        precision = np.finfo(first.dtype).eps
        close = output.shape == first.shape and np.allclose(output, first, rtol=1e4 * precision, atol=0, equal_nan=True)
        if close and np.finfo(output.dtype).eps < 1e-10:
            self.point = wide
            return output
        return first

    def __call__(self, point: NDArray[Any]) -> NDArray[Any]:
        """Return f(point), flat; NaN everywhere if f refuses a point away from x (a domain error)."""
        try:
            output = self._output(point)
        except (ArithmeticError, ValueError):
            if np.array_equal(point, self.point):
                raise
            return np.full(self.base.shape, np.nan)
        if output.shape != self.shape:
            raise ValueError(f"f changes the shape of its output from {self.shape} to {output.shape} near x")
        return output.reshape(-1)
