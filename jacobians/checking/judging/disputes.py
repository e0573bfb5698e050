"""Entries about which large and small steps disagree, or that drown in noise: more calls of f decide.

a rounded f     (exp(x) − 1)/x near 0: between jumps of its rounding error f follows a smooth curve that is not its
                own, so small steps agree on a wrong slope; many points in a row show the jumps
a ripple        small and fast: the same points follow one smooth curve, and small steps are right
a plateau       f stands still around x and leaves the plateau without a jump: its slope there is zero
noise           a polynomial fitted to many points far apart averages it
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.judging.classify import Claimed
from jacobians.checking.measuring.adaptive import Measurement
from jacobians.checking.measuring.directions import FIRST_STEP, Lines
from jacobians.checking.measuring.function import quiet
from jacobians.checking.measuring.richardson import Array
from jacobians.checking.measuring.verdicts import Verdict

MOST_LINES = 24  # on which disputes are settled one by one
POINTS = 96
DEGREES = (3, 5, 7)
REACHES = (0.4, 0.1, 0.025)  # of the scale of x
JUMPS = 30.0  # times the typical second difference


def settle(lines: Lines, claimed: Claimed, measured: Measurement) -> None:
    """Replace the verdicts DISPUTED and ROUGH, and where it can be had NOISE, by what more calls of f tell."""
    undecided = (measured.verdict == Verdict.DISPUTED) | (measured.verdict == Verdict.ROUGH)
    noisy = measured.verdict == Verdict.NOISE
    chosen = np.flatnonzero((undecided | noisy).any(axis=1))[:MOST_LINES]
    with quiet():
        for c in chosen:
            disputed = np.flatnonzero(measured.verdict[c] == Verdict.DISPUTED)
            if len(disputed):
                _settle_disputes(lines, int(c), disputed, claimed, measured)
            rest = (measured.verdict[c] == Verdict.ROUGH) | (measured.verdict[c] == Verdict.NOISE)
            if rest.any():
                _average(lines, int(c), rest, claimed, measured)
    left = (measured.verdict == Verdict.DISPUTED) | (measured.verdict == Verdict.ROUGH)
    measured.verdict[left] = Verdict.NOISE


def _settle_disputes(lines: Lines, c: int, rows: NDArray[np.intp], claimed: Claimed, measured: Measurement) -> None:
    """Tell rounding and plateaus from small steps that are right."""
    for row in rows:
        claim = claimed.value[c, row]
        if claim == 0 and _stands_still(lines, c, int(row)):
            measured.verdict[c, row] = Verdict.ZERO if _is_plateau(lines, c, int(row)) else Verdict.WRONG
            continue
        is_rounded = _is_rounded(lines, c, int(row), claim, measured.value[c, row])
        measured.verdict[c, row] = Verdict.RIGHT if is_rounded else Verdict.WRONG
        if is_rounded:
            measured.value[c, row], measured.error[c, row] = claim, abs(claim) * 1e-2


def _values(lines: Lines, c: int, row: int, steps: NDArray[Any]) -> NDArray[Any]:
    return np.array([lines.end(c, float(step))[0][row] for step in steps])


def _is_rounded(lines: Lines, c: int, row: int, claim: Any, value: Any) -> bool:
    """Whether f jumps where it leaves the slope that small steps see.

    At steps that double, f leaves the line of slope D for the line of slope J somewhere; 64 points up to there show
    whether it does so in jumps.
    """
    base = lines.function.base[row]
    first = float(FIRST_STEP * lines.scale[c])
    steps = first * 2.0 ** -np.arange(0, 40)
    ends = _values(lines, c, row, steps)
    slopes = (ends - base) / steps
    leaves = np.flatnonzero(np.abs(slopes - value) > 0.3 * abs(claim - value))
    if not len(leaves):
        return False
    reach = float(steps[leaves[-1]])  # the smallest step at which f has left its slope at x
    points = _values(lines, c, row, np.linspace(0, 4 * reach, 129)[1:])
    bends = np.abs(np.diff(points, n=2))
    typical = float(np.median(bends))
    noise = float(lines.function.roundoff[row]) * float(np.max(np.abs(points)))
    return bool(bends.max() > JUMPS * max(typical, 4 * noise)) or typical <= 4 * noise


def _stands_still(lines: Lines, c: int, row: int) -> bool:
    """Whether f does not move at all at small steps."""
    steps = float(FIRST_STEP * lines.scale[c]) * 4.0 ** -np.arange(14, 18)
    return bool((_values(lines, c, row, np.concatenate([steps, -steps])) == lines.function.base[row]).all())


def _is_plateau(lines: Lines, c: int, row: int) -> bool:
    """Whether f stands still around x and leaves that without a jump, in both directions."""
    base = lines.function.base[row]
    leaves = False
    for sign in (1.0, -1.0):
        high = float(FIRST_STEP * lines.scale[c])
        while lines.end(c, sign * high)[0][row] == base and high < lines.top[c]:
            high *= 4
        if lines.end(c, sign * high)[0][row] == base:
            continue
        leaves = True
        low = 0.0
        for _ in range(80):
            middle = (low + high) / 2 if low > 0 else high / 4
            if middle == 0 or not low < middle < high:
                break
            moved = lines.end(c, sign * middle)[0][row] != base
            low, high = (low, middle) if moved else (middle, high)
        jump = abs(lines.end(c, sign * high)[0][row] - base)
        beyond = abs(lines.end(c, sign * 1.5 * high)[0][row] - base)
        if low == 0 or jump > 1e-3 * beyond:
            return False
    return leaves


def _average(lines: Lines, c: int, rows: NDArray[np.bool_], claimed: Claimed, measured: Measurement) -> None:
    """Fit polynomials over several reaches; the verdict needs two reaches that agree."""
    fits = [fit for reach in REACHES if (fit := _fitted(lines, c, rows, reach)) is not None]
    if not fits:
        return
    claim = claimed.value[c, rows]
    value, error = np.array([fit[0] for fit in fits]), np.array([fit[1] for fit in fits])
    best = np.argmin(error, axis=0)
    pick = (best, np.arange(value.shape[1]))
    size = np.maximum(np.abs(claim), np.abs(value[pick]))
    distance = np.abs(claim - value)
    tolerance = claimed.of(np.array([c])).only(np.flatnonzero(rows)).tolerance(size[None])[0]
    right = (distance[pick] <= 3 * error[pick] + tolerance) & (3 * error[pick] <= 0.05 * size)
    against = (distance > 5 * error + 0.01 * size) & np.isfinite(error)
    wrong = against[pick] & (against.sum(axis=0) >= 2)
    verdict = np.where(right, Verdict.RIGHT, np.where(wrong, Verdict.WRONG, Verdict.NOISE))
    measured.verdict[c, rows] = verdict
    measured.value[c, rows] = np.where(np.isfinite(error[pick]), value[pick], measured.value[c, rows])
    measured.error[c, rows] = np.where(np.isfinite(error[pick]), error[pick], measured.error[c, rows])


def _fitted(lines: Lines, c: int, rows: NDArray[np.bool_], reach: float) -> tuple[NDArray[Any], Array] | None:
    """The slope at x of polynomials through many points within reach of x, and its error; None outside the domain."""
    angles = (np.arange(POINTS) + 0.5) * np.pi / POINTS
    t = np.cos(angles)
    step = reach * float(lines.scale[c])
    values = np.array([lines.end(c, step * float(one))[0][rows] for one in t])
    if not np.isfinite(values).all():
        return None
    slopes, errors = [], []
    for degree in DEGREES:
        powers = np.vander(t, degree + 1, increasing=True)
        inverse = np.linalg.pinv(powers)
        coefficients = inverse @ values
        rest = np.abs(values - powers @ coefficients)
        spread = np.sqrt((rest**2).sum(axis=0) / (POINTS - degree - 1))
        slopes.append(coefficients[1] / step)
        errors.append(spread * np.linalg.norm(inverse[1]) / step)
    value = np.array(slopes)
    # what the next degree changes is what this one lacks
    error = np.array(errors)[:-1] * 1.5 + np.abs(np.diff(value, axis=0))
    best = np.argmin(error, axis=0)
    pick = (best, np.arange(value.shape[1]))
    return value[:-1][pick], error[pick]
