"""Calling somebody's function safely: copies in, arrays out, mutation and precision noticed."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.measuring.nested import Path, flatten

SINGLE_PRECISION = {np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.complex64)}


class ForgottenReturn(ValueError):
    """Somebody's function returns None."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence floating-point and Python warnings: probing near the edge of a domain is meant to overflow."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def as_array(value: Any, what: str) -> NDArray[Any]:
    """Anything that turns into a numeric array: lists, scalars, NumPy, JAX and torch arrays."""
    if value is None:
        raise ForgottenReturn(f"{what} is None: a forgotten return?")
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


@dataclass(frozen=True)
class Output:
    """One of the arrays that f returns, and which of all its numbers they are."""

    path: Path
    shape: tuple[int, ...]
    rows: slice

    @property
    def size(self) -> int:
        """The number of entries."""
        return math.prod(self.shape)


class Function:
    """f as a map from an array to a flat array of all its outputs, evaluated on fresh copies.

    The caller's array never reaches f. What f does to its copy is noticed at the first calls. Where x is in single
    precision and f follows a double one, f is evaluated in double precision, which measures more sharply. Away from x,
    an error that f raises means that it has no value there.

    Attributes
    ----------
    point
        The point x, in the dtype of evaluation.
    base
        f(x), flat.
    outputs
        The arrays that f returns; one with an empty path, unless its output is nested.
    spread
        Per output, how much repeated calls at x differ; zero for a deterministic f.
    roundoff
        Per output, the relative rounding error of one evaluation.
    evaluations
        Calls of f so far.
    mutates
        Whether f writes into its argument.
    given_dtype
        The dtype of x as it was given.
    """

    def __init__(self, f: Callable[[Any], Any], x: Any, *, repeats: int = 2) -> None:
        self.f = f
        self.evaluations = 0
        self.mutates = False
        self.refused: str = ""
        given = np.asarray(x) if not hasattr(x, "detach") else as_array(x, "x")
        self.scalar = not given.shape  # as users would: functions of a number are called with a number
        self.given_dtype = given.dtype
        self.point = np.array(as_array(x, "x"), copy=True)
        first = self._arrays(self.point)
        if self.point.dtype in SINGLE_PRECISION:
            first = self._try_double_precision(first)
        self.base = self._joined([array for _, array in first])
        self.outputs: list[Output] = []
        start = 0
        for path, array in first:
            self.outputs.append(Output(path, array.shape, slice(start, start + array.size)))
            start += array.size
        eps = [np.full(array.size, float(np.finfo(array.dtype).eps)) for _, array in first]
        self.roundoff = np.concatenate(eps) / 2 if eps else np.zeros(0)
        calls = [self.base, *(self(self.point) for _ in range(repeats))]
        self.spread = np.max([np.abs(call - self.base) for call in calls], axis=0) if self.base.size else np.zeros(0)
        self.spread = np.where(np.isfinite(self.spread), self.spread, 0.0)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of f(x); of a nested output, that of all its numbers in a row."""
        return self.outputs[0].shape if len(self.outputs) == 1 else self.base.shape

    def _arrays(self, point: NDArray[Any]) -> list[tuple[Path, NDArray[Any]]]:
        """Call f on a copy of the point; the arrays in what it returns."""
        argument = np.array(point, copy=True, order="K")
        self.evaluations += 1
        result = self.f(argument[()] if self.scalar else argument)
        if self.evaluations <= 3 and not np.array_equal(argument, point, equal_nan=True):
            self.mutates = True
        paths, values, _ = flatten(result)
        return [(path, as_array(value, "the output of f")) for path, value in zip(paths, values, strict=True)]

    @staticmethod
    def _joined(arrays: list[NDArray[Any]]) -> NDArray[Any]:
        """Copies of arrays, which may be views or buffers that are used again, in a row."""
        if len(arrays) == 1:
            return np.array(arrays[0], copy=True).reshape(-1)
        return np.concatenate([array.reshape(-1) for array in arrays]) if arrays else np.zeros(0)

    def _try_double_precision(self, first: list[tuple[Path, NDArray[Any]]]) -> list[tuple[Path, NDArray[Any]]]:
        wide = self.point.astype(np.result_type(self.point.dtype, np.float64))
        try:
            second = self._arrays(wide)
        except Exception:  # f insists on its own precision, whatever way it says so
            return first
        close = [path for path, _ in second] == [path for path, _ in first] and all(
            new.shape == old.shape
            and np.finfo(new.dtype).eps < 1e-10
            and np.allclose(new, old, rtol=1e4 * np.finfo(old.dtype).eps, atol=0, equal_nan=True)
            for (_, new), (_, old) in zip(second, first, strict=True)
        )
        if close:
            self.point = wide
        return second if close else first

    def __call__(self, point: NDArray[Any]) -> NDArray[Any]:
        """f(point), flat; NaN everywhere if f has no value of this kind away from x."""
        try:
            arrays = self._arrays(point)
        except Exception as error:  # whatever way f refuses a point outside its domain
            if np.array_equal(point, self.point):
                raise
            self.refused = self.refused or f"f raises {type(error).__name__} near x: taken as the end of its domain"
            return np.full(self.base.shape, np.nan)
        if [array.shape for _, array in arrays] != [output.shape for output in self.outputs]:
            shapes = [array.shape for _, array in arrays]
            near = shapes[0] if len(shapes) == 1 else shapes
            self.refused = self.refused or f"f changes the shape of its output from {self.shape} to {near} near x"
            return np.full(self.base.shape, np.nan)
        return self._joined([array for _, array in arrays])

    def only(self, rows: NDArray[np.intp]) -> Function:
        """The same function with some of the entries of its output only."""
        return self if len(rows) == self.base.size else Restricted(self, rows)

    def of_outputs(self, kept: Sequence[int]) -> Function:
        """The same function with some of its outputs only."""
        outputs = [self.outputs[k] for k in kept]
        part = Restricted(self, np.concatenate([np.arange(one.rows.start, one.rows.stop) for one in outputs]))
        ends = np.cumsum([0, *(one.size for one in outputs)])
        part.outputs = [
            Output(one.path, one.shape, slice(int(start), int(start) + one.size))
            for one, start in zip(outputs, ends, strict=False)
        ]
        return part

    @property
    def remarks(self) -> list[str]:
        """What is to be said about f itself."""
        found = []
        if self.mutates:
            found.append("f writes into its argument; it was given copies")
        if self.spread.any():
            found.append(f"f is not deterministic: repeated calls at x differ by up to {np.max(self.spread):.1e}")
        if self.base.size and not np.isfinite(self.base).all():
            found.append("f(x) is not finite everywhere")
        return found + ([self.refused] if self.refused else [])


class Restricted(Function):
    """A function with some of the entries of its output only; calls are counted by the whole one."""

    def __init__(self, whole: Function, rows: NDArray[np.intp]) -> None:
        vars(self).update(
            {name: value for name, value in vars(whole).items() if name not in ("evaluations", "refused")}
        )
        self.whole, self.rows = whole, rows
        self.base, self.spread, self.roundoff = whole.base[rows], whole.spread[rows], whole.roundoff[rows]
        self.outputs = [Output((), (len(rows),), slice(0, len(rows)))]

    @property
    def evaluations(self) -> int:  # type: ignore[override]  # a field there
        """Calls of the whole function."""
        return self.whole.evaluations

    @property
    def refused(self) -> str:  # type: ignore[override]  # a field there
        """What the whole function has refused."""
        return self.whole.refused

    def __call__(self, point: NDArray[Any]) -> NDArray[Any]:
        """The entries that are kept."""
        kept: NDArray[Any] = self.whole(point)[self.rows]
        return kept
