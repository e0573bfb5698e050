"""Where a function is not smooth: kinks, jumps and slopes without bound, seen in difference quotients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.measuring.richardson import AnyArray, Array, Estimate

Mask = NDArray[np.bool_]


def _runs(condition: Mask, length: int) -> Mask:
    """The steps at which ``length`` consecutive ones begin that satisfy the condition."""
    count = len(condition) - length + 1
    if count < 1:
        return np.zeros((0, *condition.shape[1:]), dtype=bool)
    return np.asarray(np.all([condition[k : k + count] for k in range(length)], axis=0))


def find_kinks(found: Estimate) -> tuple[Mask, AnyArray, AnyArray]:
    """Entries whose one-sided slopes differ by the same amount on four steps in a row, and both slopes there."""
    gap = found.gap
    steepest = np.fmax(np.abs(found.forward), np.abs(found.backward))
    clear = (gap > found.gap_noise) & (gap > 1e-5 * steepest)
    level = np.abs(np.diff(np.log(np.where(gap > 0, gap, np.nan)), axis=0)) < 0.15
    start = _runs(level & clear[:-1] & clear[1:], 3)
    if not len(start):
        nothing = np.zeros(gap.shape[1:], dtype=bool)
        return nothing, found.value, found.value
    # the slopes from the smallest step at which noise does not blur them yet
    exact = start & (found.gap_noise < 1e-5 * gap)[3:]
    exact = np.where(exact.any(axis=0), exact, start)
    last = len(start) - 1 - np.argmax(exact[::-1], axis=0)
    pick = (last + 3, *np.indices(last.shape))
    return np.asarray(start.any(axis=0)), found.forward[pick], found.backward[pick]


def jumps(found: Estimate) -> Mask:
    """Entries where f itself differs on both sides by the same amount on four steps in a row."""
    jump = found.gap * found.steps[:, :, None]
    with np.errstate(all="ignore"):
        level = np.abs(np.diff(np.log(np.where(jump > 0, jump, np.nan)), axis=0)) < 0.05
    clear = found.gap > 64 * found.gap_noise
    return np.asarray(_runs(level & clear[:-1] & clear[1:], 3).any(axis=0))


def grows_endlessly(found: Estimate) -> tuple[Mask, Array]:
    """Whether the slope grows without bound as the step falls, while f remains continuous; and its sign.

    It does if it grows by one factor from step to step (a power of h), or by one amount (the logarithm of h).
    """
    slope = np.where(np.isfinite(found.forward), found.forward, found.backward).real
    both = np.isfinite(found.forward) & np.isfinite(found.backward)
    slope = np.where(both, (found.forward + found.backward).real / 2, slope)
    upward = np.sign(np.take_along_axis(slope, _last(np.isfinite(slope))[None], axis=0)[0])
    growth = np.abs(slope[1:]) / np.abs(slope[:-1])
    grows = _runs((growth > 1.3) & (growth < 3.7), 4)
    amount = np.diff(slope, axis=0)
    steady = np.abs(amount[1:] / amount[:-1] - 1) < 0.02
    rises = _runs(steady & (np.abs(amount[1:]) > 1e-3 * np.abs(slope[2:])), 6)
    nothing = np.zeros(slope.shape[1:], dtype=bool)
    by_factor = grows.any(axis=0) if len(grows) else nothing
    by_amount = rises.any(axis=0) if len(rises) else nothing
    return np.asarray(by_factor | by_amount), np.where(by_amount & ~by_factor, np.sign(_at_last(amount)), upward)


def converging(found: Estimate) -> tuple[Mask, AnyArray]:
    """Whether both one-sided slopes approach one limit by a constant factor per step (a power of h); and the limit."""
    gap = found.gap
    clear = gap > 16 * found.gap_noise
    with np.errstate(all="ignore"):
        ratio = gap[1:] / gap[:-1]
        steady = (ratio < 0.93) & (ratio > 0.45) & clear[:-1] & clear[1:]
        steady[1:] &= np.abs(ratio[1:] / ratio[:-1] - 1) < 0.02
    runs = _runs(steady, 5)
    if not len(runs):
        return np.zeros(gap.shape[1:], dtype=bool), found.value
    begin = len(runs) - 1 - np.argmax(runs[::-1], axis=0)
    where = np.indices(begin.shape)
    limits = []
    for slopes in (found.forward, found.backward):
        first, second, third = (slopes[(begin + k, *where)] for k in (3, 4, 5))
        with np.errstate(all="ignore"):  # Aitken
            limits.append(third - (third - second) ** 2 / (third - 2 * second + first))
    with np.errstate(all="ignore"):
        same = np.abs(limits[0] - limits[1]) <= 1e-2 * gap[(begin + 5, *where)]
    return np.asarray(runs.any(axis=0) & same), (limits[0] + limits[1]) / 2


def _last(known: Mask) -> NDArray[np.intp]:
    """The last step at which something is known."""
    return np.asarray(len(known) - 1 - np.argmax(known[::-1], axis=0))


def _at_last(values: Array) -> Array:
    """The last value that is known."""
    return np.asarray(np.take_along_axis(values, _last(np.isfinite(values))[None], axis=0)[0])
