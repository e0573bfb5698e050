"""A first look at every line: two calls of f, which settle most entries of a claim that is right.

The steps ahead and behind are unequal, h₊ = 2⁸ h₋, so that one look sees both what happens at large and at small steps:

    D = w (f(x + h₊) − f(x)) / h₊ + (1 − w) (f(x) − f(x − h₋)) / h₋,   w = h₋ / (h₊ + h₋)

is exact up to f''' h₊ h₋ / 6. A claim that agrees with it to its tolerance is right; a claim that is clearly off is
wrong if a second look, with equal steps in between, gives the same D. All else is left to more steps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.judging.classify import RESOLVED, ROUGHLY, SHARP, Claimed
from jacobians.checking.measuring.adaptive import Measurement
from jacobians.checking.measuring.directions import FIRST_STEP, Lines
from jacobians.checking.measuring.richardson import AnyArray, Array
from jacobians.checking.measuring.verdicts import Verdict

AHEAD, BEHIND, BETWEEN = 4.0**-2, 4.0**-6, 4.0**-4  # of the first step
CLEARLY = 30.0  # times what may be off
SAME = 0.02  # of the difference between claimed and measured


def first_look(
    lines: Lines, claimed: Claimed, coarse: Array, advance: Callable[[], object] | None = None
) -> tuple[Measurement, NDArray[np.bool_]]:
    """What two or four calls of f on every line tell, PENDING where that is not enough; and which entries look off."""
    function = lines.function
    measured = Measurement.empty(len(lines), function.base)
    doubted = np.zeros(measured.verdict.shape, dtype=bool)
    certain = (coarse == 0) & (function.spread == 0)
    for c in range(len(lines)):
        one = claimed.of(np.array([c], dtype=np.intp))
        look = _Look(lines, c, AHEAD, BEHIND)
        verdict = _verdict(one, look, certain)
        value, error = look.value, look.error
        off = (verdict < 0) & certain & _is_off(one, look)
        doubted[c] = off
        if off.any():
            again = _Look(lines, c, BETWEEN, BETWEEN)
            distance = np.abs(one.value[0] - again.value)
            same = np.abs(again.value - look.value) + 3 * again.error <= SAME * distance
            smooth = again.gap <= 0.3 * distance
            verdict[off & same & smooth & _is_off(one, again)] = Verdict.WRONG
            value = np.where(verdict == Verdict.WRONG, again.value, value)
            error = np.where(verdict == Verdict.WRONG, again.error + np.abs(again.value - look.value) / 16, error)
        measured.value[c], measured.error[c], measured.verdict[c] = value, error, verdict
        if advance is not None:
            advance()
    return measured, doubted


class _Look:
    """Derivatives along one line from f at both ends: value, error, the gap between the one-sided slopes."""

    def __init__(self, lines: Lines, line: int, ahead: float, behind: float) -> None:
        function = lines.function
        first = float(FIRST_STEP * lines.scale[line])
        plus, h = lines.end(line, ahead * first)
        minus, k = lines.end(line, -behind * first)
        k = -k
        base = function.base
        self.still = (plus == base) & (minus == base) & np.isfinite(base)
        forward, backward = (plus - base) / h, (base - minus) / k
        weight = k / (h + k)
        self.value: AnyArray = weight * forward + (1 - weight) * backward
        self.gap: Array = np.abs(forward - backward)
        size = np.fmax(np.fmax(np.abs(plus), np.abs(minus)), np.abs(base))
        noise = function.roundoff * size + 5e-324
        self.noise: Array = 2 * noise * (weight / h + (1 - weight) / k)
        self.error: Array = self.noise + self.gap * (min(h, k) / lines.scale[line])


def _verdict(claimed: Claimed, look: _Look, certain: NDArray[np.bool_]) -> NDArray[np.int8]:
    """RIGHT and ZERO where the first look settles it, PENDING elsewhere."""
    claim = claimed.value[0]
    verdict = np.full(claim.shape, Verdict.PENDING, dtype=np.int8)
    size = np.maximum(np.abs(claim), np.abs(look.value))
    distance = np.abs(claim - look.value)
    tolerance = claimed.tolerance(size)[0]
    smooth = look.gap <= 1e-2 * size + 16 * look.noise
    agrees = certain & smooth & np.isfinite(claim) & (distance <= 2 * look.noise + tolerance)
    row = claimed.row_scale[0]
    told = 3 * look.noise <= np.where(3 * look.noise <= 1e-6 * row, RESOLVED, SHARP) * size
    verdict[agrees & told] = Verdict.RIGHT
    near = claimed.reach[0] < 1e3
    nil = certain & (claim == 0) & look.still & near
    small = agrees & near & (np.abs(look.value) <= 3 * look.noise) & (3 * look.noise <= 1e-9 * row)
    small |= agrees & (3 * look.noise <= ROUGHLY * size) & (3 * look.noise <= 1e-7 * row)
    verdict[(verdict < 0) & (nil | small)] = Verdict.ZERO
    return verdict


def _is_off(claimed: Claimed, look: _Look) -> NDArray[np.bool_]:
    """Whether a claim differs by far more than the look may be wrong."""
    claim = claimed.value[0]
    size = np.maximum(np.abs(claim), np.abs(look.value))
    may = 3 * look.error + claimed.tolerance(size)[0]
    return np.asarray(np.isfinite(claim) & np.isfinite(look.error) & (np.abs(claim - look.value) > CLEARLY * may))
