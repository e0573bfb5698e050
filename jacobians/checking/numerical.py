"""Numerical Jacobians with an error for every entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.judging.verdict import Verdict, find_kinks
from jacobians.checking.measuring.adaptive import climb
from jacobians.checking.measuring.arguments import resolve
from jacobians.checking.measuring.directions import Lines, columns, replaced
from jacobians.checking.measuring.function import Function, quiet
from jacobians.checking.measuring.noise import coarse_noise
from jacobians.checking.measuring.progress import progress_bar
from jacobians.checking.measuring.richardson import Array, Estimate
from jacobians.checking.report.report import shape_text

__all__ = ["NumericalJacobian", "numerical_jacobian"]

Method = Literal["richardson", "central", "forward", "complex"]

_TARGET = 1e-8  # relative error at which the ladder is not extended
SMOOTH, KINK, UNKNOWN = "smooth", "kink", "unknown"


@dataclass(frozen=True)
class NumericalJacobian:
    """A measured Jacobian.

    Attributes
    ----------
    value : the derivative, of shape out_shape + wrt_shape
    error : an estimate of the error of every entry, of the same shape
    smoothness : per entry "smooth", "kink" (the value is the mean of both one-sided slopes), or "unknown"
    noise : per output, by how much f is known to fluctuate beyond rounding (random, or single precision inside)
    evaluations : calls of f
    out_shape, wrt_shape : the two groups of axes
    notes : warnings, such as f writing into its argument
    """

    value: NDArray[Any]
    error: NDArray[np.float64]
    smoothness: NDArray[np.str_]
    noise: NDArray[np.float64]
    evaluations: int
    out_shape: tuple[int, ...]
    wrt_shape: tuple[int, ...]
    notes: tuple[str, ...] = ()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.value, dtype=dtype, copy=True if copy is None else copy)

    def __repr__(self) -> str:
        worst = float(np.max(self.error, initial=0))
        shape = shape_text(self.out_shape, self.wrt_shape)
        return f"NumericalJacobian({shape}, error ≤ {worst:.1e}, {self.evaluations} evaluations)"


def numerical_jacobian(
    f: Callable[..., Any],
    *args: Any,
    argnums: int | tuple[int, ...] | None = None,
    method: Method = "richardson",
    progress: bool | None = None,
) -> Any:
    """Measure ∂f/∂x, of shape out_shape + wrt_shape, with an error for every entry.

    Parameters
    ----------
    f : function of one or several arrays that returns anything that turns into an array; it is given copies
    *args : the arguments of f; integers are promoted to float64, complex ones are taken as holomorphic variables
    argnums : which argument to differentiate by, the first one by default; a tuple gives a tuple of results
    method :
        "richardson" : central differences on a ladder of steps, extrapolated; the step is chosen for every entry
        "central" : (f(x + h) − f(x − h)) / 2h, h = (u)^⅓ |x|; four calls of f per entry of x
        "forward" : (f(x + h) − f(x)) / h, h = √u |x|; two calls per entry
        "complex" : Im f(x + ih) / h, exact for functions that are analytic, a ValueError for others
    progress : whether to show a progress bar; by default for long work on a terminal, with tqdm

    Returns
    -------
    NumericalJacobian, or a tuple of them if ``argnums`` is a tuple

    Examples
    --------
    >>> import numpy as np
    >>> J = numerical_jacobian(np.sin, 1e12)
    >>> bool(abs(J.value - np.cos(1e12)) <= J.error < 1e-2)
    True
    """
    if method not in ("richardson", "central", "forward", "complex"):
        raise ValueError(f"method is {method!r}; it is one of 'richardson', 'central', 'forward', 'complex'")
    if not args:
        raise ValueError("numerical_jacobian needs a function and the point at which to differentiate it")
    if argnums is None:
        argnums = 0
    partials = resolve(f, args, argnums)
    results = tuple(_measure(partial.f, partial.x, method, progress) for partial in partials)
    return results if isinstance(argnums, tuple) else results[0]


def _measure(f: Callable[..., Any], x: Any, method: Method, progress: bool | None) -> NumericalJacobian:
    with quiet():
        function = Function(f, x)
        size = function.point.size
        lines = columns(function, np.arange(size, dtype=np.intp))
        coarse = coarse_noise(function) if method == "richardson" else np.zeros(function.base.size)
        with progress_bar(size, "numerical Jacobian", progress, 0.0) as advance:
            if method == "richardson":
                value, error, smoothness = _richardson(function, lines, coarse, advance)
            elif method == "complex":
                value, error = _complex_step(function)
                smoothness = np.full(value.shape, SMOOTH)
            else:
                value, error = _fixed_step(function, lines, method)
                smoothness = np.full(value.shape, UNKNOWN)
    shape = function.shape + function.point.shape
    notes = ("f writes into its argument; it was given copies",) if function.mutates else ()
    return NumericalJacobian(
        np.ascontiguousarray(value.T).reshape(shape), np.ascontiguousarray(error.T).reshape(shape),
        np.ascontiguousarray(smoothness.T).reshape(shape), (function.spread + coarse).reshape(function.shape),
        function.evaluations, function.shape, function.point.shape, notes,
    )  # fmt: skip


def _richardson(
    function: Function, lines: Lines, coarse: Array, advance: Callable[[], object] | None
) -> tuple[NDArray[Any], Array, NDArray[np.str_]]:
    kinks = np.zeros((len(lines), function.base.size), dtype=bool)

    def settled(chosen: NDArray[np.intp], found: Estimate, final: bool) -> NDArray[np.int8]:
        small = np.abs(function.base) / lines.top[chosen][:, None]
        done = (found.error <= _TARGET * np.abs(found.value)) | (found.error <= 1e-13 * small)
        still = ~found.moved.any(axis=0) & ((lines.top / lines.first < 1e3)[chosen][:, None])
        if final:
            kinks[chosen] = find_kinks(found)[0] & ~found.smooth
        return np.where(done | still | final, Verdict.RIGHT, Verdict.PENDING).astype(np.int8)

    measured = climb(function, lines, coarse, settled, advance)
    smoothness = np.where(np.isfinite(measured.error), SMOOTH, UNKNOWN)
    return measured.value, measured.error, np.where(kinks, KINK, smoothness)


def _fixed_step(function: Function, lines: Lines, method: Method) -> tuple[NDArray[Any], Array]:
    """One step and twice that step, the difference of which is the error."""
    unit = function.roundoff
    relative = 2 * (unit ** (1 / 3) if method == "central" else unit**0.5)
    value = np.zeros((len(lines), function.base.size), function.base.dtype)
    error = np.zeros(value.shape)
    for line in range(len(lines)):
        slopes = []
        for step in (relative * lines.scale[line], relative / 2 * lines.scale[line]):
            if method == "central":
                plus, minus, ahead, behind = lines.values(line, step)
                slopes.append((plus - minus) / (ahead + behind))
            else:
                here = function.point.reshape(-1)[line]
                end = np.asarray(here + step, dtype=function.point.dtype)
                moved = function(replaced(function.point, np.array([line]), end.reshape(1)))
                slopes.append((moved - function.base) / np.real(end - here))
        value[line] = slopes[1]
        noise = unit * np.abs(function.base) + function.spread
        error[line] = np.abs(slopes[1] - slopes[0]) + 4 * noise / step
    return value, error


def _complex_step(function: Function) -> tuple[NDArray[Any], Array]:
    """Im f(x + ih) / h with h = 10⁻⁴⁰ |x|, compared with a real difference along one direction."""
    point = function.point
    if point.dtype.kind == "c" or function.dtype.kind == "c":
        raise ValueError("method 'complex' needs a real function of a real x")
    wide = point.astype(np.complex128)
    scale = np.where(np.abs(point) > 0, np.abs(point), 1.0).reshape(-1)
    value = np.zeros((point.size, function.base.size))
    for column in range(point.size):
        step = 1e-40 * float(scale[column])
        shifted = replaced(wide, np.array([column]), wide.reshape(-1)[column : column + 1] + 1j * step)
        try:
            value[column] = np.imag(function(shifted)) / step
        except TypeError as error:
            raise ValueError(f"method 'complex': f does not take a complex argument ({error})") from error
    direction = scale * np.random.default_rng(0).choice([-1.0, 1.0], size=point.size)
    step = 6e-6
    ends = [function((point.reshape(-1) + sign * step * direction).reshape(point.shape)) for sign in (1, -1)]
    along, predicted = (ends[0] - ends[1]) / (2 * step), direction @ value
    size = np.abs(direction) @ np.abs(value) + np.abs(along)
    if not np.allclose(along, predicted, rtol=0, atol=float(1e-4 * size.max(initial=0)) + 1e-300):
        raise ValueError("method 'complex': f is not analytic (it uses abs, max, conj, or drops the imaginary part)")
    return value, 4 * function.roundoff * np.abs(value)
