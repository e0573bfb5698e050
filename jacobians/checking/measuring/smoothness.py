"""Where a function is not smooth: kinks, jumps and slopes without bound, seen in difference quotients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.measuring.richardson import AnyArray, Array, Estimate

Mask = NDArray[np.bool_]


def _runs(condition: Mask, length: int) -> Mask:
    """Rungs at which ``length`` consecutive rungs that satisfy the condition begin."""
    count = len(condition) - length + 1
    if count < 1:
        return np.zeros((0, *condition.shape[1:]), dtype=bool)
    return np.asarray(np.all([condition[k : k + count] for k in range(length)], axis=0))


def find_kinks(found: Estimate) -> tuple[Mask, AnyArray, AnyArray]:
    """Entries whose one-sided slopes differ by the same amount on four rungs in a row, and both slopes there."""
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
    """Entries where f itself differs on both sides by the same amount on four rungs in a row."""
    jump = found.gap * found.steps[:, :, None]
    with np.errstate(all="ignore"):
        level = np.abs(np.diff(np.log(np.where(jump > 0, jump, np.nan)), axis=0)) < 0.05
    clear = found.gap > 64 * found.gap_noise
    return np.asarray(_runs(level & clear[:-1] & clear[1:], 3).any(axis=0))


def grows_endlessly(found: Estimate) -> tuple[Mask, Array]:
    """Whether the slope grows without bound as the step falls, while f remains continuous; and its sign."""
    slope = np.where(np.isfinite(found.forward), found.forward, found.backward).real
    both = np.isfinite(found.forward) & np.isfinite(found.backward)
    slope = np.where(both, (found.forward + found.backward).real / 2, slope)
    growth = np.abs(slope[1:]) / np.abs(slope[:-1])
    grows = _runs((growth > 1.3) & (growth < 3.7), 4)
    known = np.isfinite(slope)
    last = len(slope) - 1 - np.argmax(known[::-1], axis=0)
    upward = np.sign(np.take_along_axis(slope, last[None], axis=0)[0])
    return np.asarray(grows.any(axis=0)) if len(grows) else np.zeros(slope.shape[1:], dtype=bool), upward
