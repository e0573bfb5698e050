"""Difference quotients at falling steps, extrapolated, with an error for every entry.

Arrays have the axes (level k, line c, output i), with the steps falling four times from level to level.

    D_k   = (f(x + h_k) - f(x - h_k)) / 2 h_k                                   central differences
    T_k^l = T_k^(l-1) + (T_k^(l-1) - T_(k-1)^(l-1)) / ((h_(k-l) / h_k)² - 1)    Richardson (Neville)
    E_k^l = max(|T_k^l - T_k^(l-1)|, |T_k^l - T_(k-1)^(l-1)|) + 4 ε / h_k       error
    S_k   = |f'(x+) - f'(x-)|                                                   one-sided slopes: falls with h if smooth
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.measuring.directions import Lines

Array = NDArray[np.float64]
AnyArray = NDArray[Any]

RATIO = 4.0
LEVELS = 3
WITNESSES = 2  # smaller levels consulted about the noise of a level


@dataclass
class Samples:
    """Values of f at both ends of every level of every line."""

    ahead: Array  # realised steps, (K, c)
    behind: Array
    plus: AnyArray  # f(x + h), (K, c, m)
    minus: AnyArray

    def of(self, lines: NDArray[np.intp]) -> Samples:
        """The samples of some lines only."""
        return Samples(*(value[:, lines] for value in self.__dict__.values()))


def sample(lines: Lines, chosen: NDArray[np.intp], levels: NDArray[np.intp], advance: object = None) -> Samples:
    """Evaluate f on the given levels of the chosen lines; steps outside the sensible range are skipped (NaN)."""
    function = lines.function
    shape = (len(levels), len(chosen))
    kind = np.result_type(function.base.dtype, np.float64)
    ahead, behind = np.full(shape, np.nan), np.full(shape, np.nan)
    plus = np.full((*shape, function.base.size), np.nan, dtype=kind)
    minus = plus.copy()
    steps = lines.first[chosen] * RATIO ** -levels[:, None].astype(np.float64)
    wanted = (steps <= 1.3 * lines.top[chosen]) & (steps >= lines.bottom[chosen])
    for c, line in enumerate(chosen):
        for k in np.flatnonzero(wanted[:, c]):
            plus[k, c], minus[k, c], ahead[k, c], behind[k, c] = lines.values(int(line), float(steps[k, c]))
        if callable(advance):
            advance()
    return Samples(ahead, behind, plus, minus)


@dataclass
class Estimate:
    """The best derivative of every (line, output), its error, and what every level says about it."""

    value: AnyArray  # (c, m)
    error: Array  # (c, m)
    smooth: NDArray[np.bool_]  # the one-sided slopes meet at the best level
    moved: NDArray[np.bool_]  # f changes at all between the ends of the level, (K, c, m)
    best: NDArray[np.intp]  # the best level
    step_value: AnyArray  # (K, c, m)
    step_error: Array
    step_plain: Array  # the error without regard to f(x) itself and to one-sided slopes
    step_smooth: NDArray[np.bool_]
    step_start: NDArray[np.intp]  # the first level that the extrapolation at level k used
    gap: Array  # S_k
    gap_noise: Array  # what rounding alone can contribute to S_k
    forward: AnyArray  # one-sided slopes
    backward: AnyArray
    steps: Array  # (K, c)


def _noise(samples: Samples, lines: Lines, chosen: NDArray[np.intp], coarse: Array) -> Array:
    """ε: rounding of f, spread of repeated calls, and for coarse outputs the quantum of their changes."""
    function = lines.function
    base = function.base
    size = np.fmax(np.fmax(np.abs(samples.plus), np.abs(samples.minus)), np.abs(base))
    noise = function.roundoff * size + 2 * function.spread + coarse + 5e-324
    if coarse.any():
        change = np.fmax(np.abs(samples.plus - base), np.abs(samples.minus - base))
        last = np.zeros(change.shape[1:])
        for k in range(len(change)):
            moved = change[k] > 0
            last = np.where(moved, change[k], last)
            noise[k] += np.where(moved | (coarse == 0), 0.0, last)
    return np.asarray(noise, dtype=np.float64)


def estimate(samples: Samples, lines: Lines, chosen: NDArray[np.intp], coarse: Array) -> Estimate:
    """The derivative and error of every entry from the steps sampled so far."""
    base = lines.function.base
    ahead, behind = samples.ahead[:, :, None], samples.behind[:, :, None]
    steps = (ahead + behind) / 2
    forward = (samples.plus - base) / ahead
    backward = (base - samples.minus) / behind
    central = (samples.plus - samples.minus) / (ahead + behind)
    # at the border of the domain only one side exists: differences of first order, extrapolated in powers of h
    has_plus, has_minus = (np.isfinite(side).any(axis=0) for side in (forward, backward))
    two_sided = np.isfinite(central).any(axis=0)
    only_plus, only_minus = has_plus & ~two_sided, has_minus & ~two_sided & ~has_plus
    one_sided = np.asarray(only_plus | only_minus)
    slope = central
    power: Array | float = 2.0
    if one_sided.any():
        slope = np.where(only_plus, forward, np.where(only_minus, backward, central))
        power = np.where(one_sided, 1.0, 2.0)
    epsilon = _noise(samples, lines, chosen, coarse)
    gap = np.abs(forward - backward)
    gap_noise = 16 * epsilon / steps

    values, errors, smooth, start = _extrapolate(slope, steps, epsilon, power, gap, gap_noise, one_sided)
    plain = errors + _disagreement_below(slope, values, steps)
    plain = np.where(np.isfinite(values) & np.isfinite(plain), plain, np.inf)
    errors = np.where(smooth, plain, plain + gap)
    errors = np.where(np.isfinite(errors), errors, np.inf)
    moved = (samples.plus != base) | (samples.minus != base)
    best = _choose(values, errors, smooth, moved)
    pick = (best, *np.indices(best.shape))
    value, error = values[pick], errors[pick]
    value = np.where(np.isfinite(error), value, np.nan)
    return Estimate(
        value, error, smooth[pick], moved, best, values, errors, plain, smooth, start, gap, gap_noise,
        forward, backward, np.asarray(steps[:, :, 0]),
    )  # fmt: skip


def _extrapolate(
    slope: AnyArray,
    steps: Array,
    epsilon: Array,
    power: Array | float,
    gap: Array,
    gap_noise: Array,
    one_sided: NDArray[np.bool_],
) -> tuple[AnyArray, Array, NDArray[np.bool_], NDArray[np.intp]]:
    """Best extrapolation ending at every level: value, error, whether f looks smooth there, first level used."""
    levels = len(slope)
    noise = 4.5 * epsilon / steps
    values = slope.copy()
    errors = np.full(slope.shape, np.inf)
    order_used = np.ones(slope.shape, dtype=np.intp)
    errors[1:] = np.abs(np.diff(slope, axis=0)) + noise[1:]
    previous: AnyArray = slope
    for order in range(1, min(LEVELS, levels - 1) + 1):
        divisor = (steps[:-order] / steps[order:]) ** power - 1
        current = previous[1:] + (previous[1:] - previous[:-1]) / divisor
        error = np.maximum(np.abs(current - previous[1:]), np.abs(current - previous[:-1])) + noise[order:]
        better = error < errors[order:]
        errors[order:] = np.where(better, error, errors[order:])
        values[order:] = np.where(better, current, values[order:])
        order_used[order:] = np.where(better, order, order_used[order:])
        previous = current
    level = np.arange(levels)[:, None, None]
    start = np.maximum(level - order_used, 0)
    # S falls four times per level for a smooth f; twice is asked for, on three levels in a row
    falls = np.zeros(slope.shape, dtype=np.intp)  # for how many levels in a row
    for k in range(1, levels):
        falls[k] = np.where(gap[k] <= 0.5 * gap[k - 1], falls[k - 1] + 1, 0)
    smooth = falls >= 2
    smooth[:-1] &= ~(gap[1:] > np.maximum(gap[:-1], gap_noise[1:]))  # accidents of a rapidly oscillating f
    smooth |= one_sided | (gap <= gap_noise)
    return values, errors, smooth, start


def _disagreement_below(slope: AnyArray, values: AnyArray, steps: Array) -> Array:
    """Noise that smaller levels betray: |D_j - T_k| h_j is noise of f (or structure finer than h_k)."""
    levels = len(slope)
    extra = np.zeros(slope.shape)
    for k in range(levels - 1):
        below = slice(k + 1, k + 1 + WITNESSES)
        found = np.abs(slope[below] - values[k]) * steps[below] / steps[k]
        extra[k] = np.max(np.where(np.isfinite(found), found, 0.0), axis=0)
    return extra


def _choose(values: AnyArray, errors: Array, smooth: NDArray[np.bool_], moved: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Pick the level of least error, unless a smaller step decidedly says otherwise: the limit is h → 0."""
    # where larger steps see a smooth slope, steps at which f stands still are below its resolution
    seen = (smooth & moved & (errors <= 1e-3 * np.abs(values))).any(axis=0)
    smooth = smooth & (moved | ~seen)
    errors = np.where(moved | ~seen, errors, np.inf)
    ranked = np.where(smooth, errors, np.inf)
    ranked = np.where(np.isfinite(ranked).any(axis=0), ranked, errors)
    best = np.argmin(ranked, axis=0)
    levels = len(values)
    level = np.arange(levels)[:, None, None]
    for _ in range(3):
        value = np.take_along_axis(values, best[None], axis=0)
        error = np.take_along_axis(errors, best[None], axis=0)
        apart = np.abs(values - value)
        decided = (
            (level > best) & (level < levels - 2) & smooth & (apart > 3 * (errors + error)) & (errors < 0.03 * apart)
        )
        if not decided.any():
            break
        other = np.argmin(np.where(decided, errors, np.inf), axis=0)
        best = np.where(decided.any(axis=0), other, best).astype(np.intp)
    return np.asarray(best, dtype=np.intp)
