"""Numerical Jacobians by several methods, with an error for every entry. Arrays have the axes (line c, output i)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.measuring.adaptive import measure
from jacobians.checking.measuring.directions import Lines, columns, replaced
from jacobians.checking.measuring.function import Function
from jacobians.checking.measuring.noise import coarse_noise
from jacobians.checking.measuring.richardson import Array, Estimate
from jacobians.checking.measuring.smoothness import find_kinks
from jacobians.checking.measuring.verdicts import Verdict

Method = Literal["richardson", "central", "forward", "complex"]
METHODS = ("richardson", "central", "forward", "complex")

TARGET = 1e-8  # relative error at which no more steps are tried
SMOOTH, KINK, UNKNOWN = "smooth", "kink", "unknown"


@dataclass
class Measured:
    """Derivatives along lines: value, error and smoothness for every (line, output), and the noise of every output."""

    value: NDArray[Any]
    error: Array
    smoothness: NDArray[np.str_]
    noise: Array


def measured_jacobian(
    function: Function,
    method: Method = "richardson",
    lines: Lines | None = None,
    advance: Callable[[], object] | None = None,
) -> Measured:
    """The derivatives of a function along lines, by default along every entry of x."""
    if lines is None:
        lines = columns(function, np.arange(function.point.size, dtype=np.intp))
    noise = coarse_noise(function) if method == "richardson" else np.zeros(function.base.size)
    if method == "richardson":
        value, error, smoothness = _richardson(function, lines, noise, advance)
    elif method == "complex":
        value, error = _complex_step(function, lines)
        smoothness = np.full(value.shape, SMOOTH)
    else:
        value, error = _fixed_step(function, lines, method)
        smoothness = np.full(value.shape, UNKNOWN)
    return Measured(value, error, smoothness, function.spread + noise)


def _richardson(
    function: Function, lines: Lines, coarse: Array, advance: Callable[[], object] | None
) -> tuple[NDArray[Any], Array, NDArray[np.str_]]:
    kinks = np.zeros((len(lines), function.base.size), dtype=bool)

    def settled(chosen: NDArray[np.intp], found: Estimate, final: bool) -> NDArray[np.int8]:
        small = np.abs(function.base) / lines.top[chosen][:, None]
        done = (found.error <= TARGET * np.abs(found.value)) | (found.error <= 1e-13 * small)
        still = ~found.moved.any(axis=0) & ((lines.top / lines.first < 1e3)[chosen][:, None])
        if final:
            kinks[chosen] = find_kinks(found)[0] & ~found.smooth
        return np.where(done | still | final, Verdict.RIGHT, Verdict.PENDING).astype(np.int8)

    measured = measure(function, lines, coarse, settled, advance)
    smoothness = np.where(np.isfinite(measured.error), SMOOTH, UNKNOWN)
    return measured.value, measured.error, np.where(kinks, KINK, smoothness)


def _fixed_step(function: Function, lines: Lines, method: Method) -> tuple[NDArray[Any], Array]:
    """One step and twice that step, the difference of which is the error."""
    unit = float(function.roundoff.max(initial=0))
    relative = 2 * (unit ** (1 / 3) if method == "central" else unit**0.5)
    value = np.zeros((len(lines), function.base.size), function.base.dtype)
    error = np.zeros(value.shape)
    noise = unit * np.abs(function.base) + function.spread
    for line in range(len(lines)):
        slopes = []
        for step in (relative * lines.scale[line], relative / 2 * lines.scale[line]):
            if method == "central":
                plus, minus, ahead, behind = lines.values(line, step)
                slopes.append((plus - minus) / (ahead + behind))
            else:
                plus, ahead = lines.end(line, step)
                slopes.append((plus - function.base) / ahead)
        value[line] = slopes[1]
        error[line] = np.abs(slopes[1] - slopes[0]) + 4 * noise / step
    return value, error


def _complex_step(function: Function, lines: Lines) -> tuple[NDArray[Any], Array]:
    """Im f(x + ih) / h with h = 10⁻⁴⁰ |x|, compared with a real difference along one direction."""
    point = function.point
    if point.dtype.kind == "c" or function.base.dtype.kind == "c":
        raise ValueError("method 'complex' needs a real function of a real x")
    wide = point.astype(np.complex128)
    value = np.zeros((len(lines), function.base.size))
    for line, (index, weight) in enumerate(zip(lines.indices, lines.weights, strict=True)):
        step = 1e-40 * float(lines.scale[line])
        shifted = replaced(wide, index, wide.reshape(-1)[index] + 1j * step * weight)
        value[line] = np.imag(function(shifted)) / step
        if function.refused:
            raise ValueError(f"method 'complex': f does not take a complex argument ({function.refused})")
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=len(lines)) * lines.scale
    direction = np.zeros(point.size)
    for index, weight, sign in zip(lines.indices, lines.weights, signs, strict=True):
        direction[index] += sign * weight
    step = 6e-6
    ends = [function((point.reshape(-1) + sign * step * direction).reshape(point.shape)) for sign in (1, -1)]
    along, predicted = (ends[0] - ends[1]) / (2 * step), signs @ value
    size = np.abs(signs) @ np.abs(value) + np.abs(along)
    if not np.allclose(along, predicted, rtol=0, atol=float(1e-4 * size.max(initial=0)) + 1e-300):
        raise ValueError("method 'complex': f is not analytic (it uses abs, max, conj, or drops the imaginary part)")
    return value, 4 * function.roundoff * np.abs(value)
