"""From claimed and measured derivatives to verdicts, one for every entry.

With r = |J - D|, the error E of D, and m = max(|J|, |D|):

    right          r ≤ 3E + 10⁻⁶ m, and E small enough to tell
    zero           J and D are zero as far as f can be resolved
    wrong          r above that, at two disjoint ranges of steps that agree with one another
    kink           the one-sided slopes differ however small the step; the hull of nearby Jacobians decides
    cannot tell    anything else
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.measuring.richardson import AnyArray, Array, Estimate
from jacobians.checking.measuring.smoothness import Mask, converging, find_kinks, grows_endlessly, jumps
from jacobians.checking.measuring.verdicts import Verdict

RESOLVED = 1e-3  # the relative error that a measurement must be able to see
SHARP = 1e-4  # and the one at which no more steps are tried
ROUGHLY = 0.02  # and the one beyond which it tells little
NEGLIGIBLE = 1e-10  # of the changes of f that matter
FAINT = 1e-9  # of |f| / |x|: a derivative that is so small is the difference of larger ones, and has their roundings


@dataclass
class Claimed:
    """The claimed derivatives of some lines, and what to measure them by. Axes: line c, output i."""

    value: AnyArray  # (c, m)
    precision: float  # eps of the dtype in which the claim was computed
    rtol: float
    atol: Array  # the absolute tolerance, (c, 1)
    output_scale: Array  # |f_i| / |x_j|: derivatives much below it cannot be seen in f, (c, m)
    noise_scale: Array  # (|f_i| + max |x|) / |x_j|: the size of what f may have cancelled, (c, m)
    row_scale: Array  # the largest |J_il| |x_l| / |x_j| in the row, (c, m)
    column_scale: Array  # the largest |J_kj| in the column, (c, 1)
    size: Array  # |x_j|, (c, 1)
    reach: Array  # largest useful step over first step: large where x is tiny, (c, 1)

    def of(self, lines: NDArray[np.intp]) -> Claimed:
        """The claim about some of the lines."""
        parts = (
            self.atol,
            self.output_scale,
            self.noise_scale,
            self.row_scale,
            self.column_scale,
            self.size,
            self.reach,
        )
        return Claimed(self.value[lines], self.precision, self.rtol, *(part[lines] for part in parts))

    def only(self, rows: NDArray[np.intp]) -> Claimed:
        """The claim about some of the outputs."""
        parts = (self.output_scale[:, rows], self.noise_scale[:, rows], self.row_scale[:, rows])
        rest = (self.column_scale, self.size, self.reach)
        return Claimed(self.value[:, rows], self.precision, self.rtol, self.atol, *parts, *rest)

    def tolerance(self, size: Array) -> Array:
        """The rounding error that a correctly derived claim of this size may have."""
        relative = max(self.rtol, 64 * self.precision) * size + self.atol
        rounding = 8 * self.precision * np.maximum(self.output_scale, size)
        if self.precision > 1e-10:
            return relative + rounding  # in single precision 1 - tanh² loses all digits
        # in double a loss beyond four digits is a mistake, but for what is next to nothing: p − p² for p ≈ 1
        scale = self.output_scale / np.maximum(self.reach / 1e4, 1.0)  # larger steps see more where x is tiny
        beside = np.minimum(scale, np.maximum(self.row_scale, self.column_scale))
        lost = np.minimum(rounding, 1e-4 * size)
        lost = np.where(size <= FAINT * scale, np.minimum(256 * self.precision * scale, 0.05 * size), lost)
        for known in (scale, beside):
            noise = 64 * self.precision * known
            lost = np.where(size <= (noise if known is scale else FAINT * known), np.maximum(noise, lost), lost)
        return relative + lost


def classify(claimed: Claimed, found: Estimate, *, final: bool) -> NDArray[np.int8]:
    """The verdict of every entry; PENDING where more steps may help, which is never so if these are the final ones."""
    claim, value, error = claimed.value, found.value, found.error
    finite = np.isfinite(claim)
    measured = np.isfinite(error)
    distance = np.abs(np.where(finite, claim, 0) - value)
    size = np.maximum(np.abs(np.where(finite, claim, 0)), np.abs(value))
    tolerance = claimed.tolerance(size) + _rounding_of_x(claimed, found)
    verdict = np.full(claim.shape, Verdict.PENDING, dtype=np.int8)
    factor = 5 if final else 3
    agrees = finite & measured & (distance <= factor * error + tolerance)
    resolved = 3 * error <= (ROUGHLY if final else SHARP) * size
    verdict[agrees & resolved] = Verdict.RIGHT
    if final:
        roughly = (distance <= 5 * error + tolerance) & (3 * error <= 0.5 * size)
        verdict[(verdict < 0) & finite & measured & roughly] = Verdict.ROUGH
    if final:  # and the largest steps have been tried
        tried = np.isfinite(found.steps)[:, :, None]
        verdict[(claim == 0) & ~(found.moved & tried).any(axis=0) & tried.any(axis=0)] = Verdict.ZERO
    verdict[(verdict < 0) & agrees & _negligible(claimed, found, size, agrees, final=final)] = Verdict.ZERO

    decided = finite & measured & found.smooth & ~agrees & _confirmed(claimed, found)
    moved = found.moved.any(axis=0)
    moved_here = np.take_along_axis(found.moved, found.best[None], axis=0)[0]
    # where f stands still at small steps its values may just be too coarse: look at larger steps before judging
    decided &= moved_here | final | ((claimed.reach < 1e3) & (np.abs(claim) > 1e-6 * claimed.output_scale) & ~moved)
    verdict[(verdict < 0) & decided] = Verdict.WRONG
    verdict[np.isnan(claim) & measured & (resolved | (error == 0) | final)] = Verdict.WRONG
    if final:
        _finish(verdict, claimed, found, agrees)
    return verdict


def _rounding_of_x(claimed: Claimed, found: Estimate) -> Array:
    """2 eps |x| |f''|: a derivative can be no better than x, which matters where it vanishes (at a minimum of f)."""
    gap = np.take_along_axis(found.gap, found.best[None], axis=0)[0]
    steps = np.take_along_axis(found.steps[:, :, None], found.best[None], axis=0)[0]
    noise = 2 * claimed.precision * claimed.size * gap / steps
    return np.where(found.smooth & np.isfinite(noise), noise, 0.0)


def _negligible(claimed: Claimed, found: Estimate, size: Array, agrees: Mask, *, final: bool) -> Mask:
    """Whether claim and measurement are both zero within an error that is itself negligible."""
    error = found.error
    within = (np.abs(found.value) <= 3 * error) & (np.abs(claimed.value) <= 5 * error + claimed.tolerance(size))
    nil = claimed.value == 0
    row = np.maximum(claimed.row_scale, np.where(nil, claimed.output_scale, 0.0))
    if not final:
        still = ~found.moved.any(axis=0)
        exact = nil & still & (claimed.reach < 1e3)
        small = 3 * error * np.maximum(claimed.reach / 50, 1.0) <= 1e-9 * row
        return np.asarray(exact | (within & small))
    slopes = np.fmax(np.abs(found.forward), np.abs(found.backward))
    above = np.arange(len(slopes))[:, None, None] <= found.best
    steepest = np.max(np.where(np.isfinite(slopes) & above, slopes, 0), axis=0)
    scale = np.maximum(np.maximum(row, claimed.column_scale), np.where(nil, steepest, 0.0))
    beneath = np.maximum(size, 3 * error) <= NEGLIGIBLE * claimed.noise_scale
    return (agrees & (3 * error <= RESOLVED * scale)) | ((within | agrees) & beneath)


def _confirmed(claimed: Claimed, found: Estimate) -> Mask:
    """Whether another range of steps, disjoint from the best one, contradicts the claim in the same way."""
    level = np.arange(len(found.step_value))[:, None, None]
    start = np.take_along_axis(found.step_start, found.best[None], axis=0)
    disjoint = (found.step_start > found.best) | (level < start)
    value, error = found.step_value, found.step_error
    size = np.maximum(np.abs(claimed.value), np.abs(value))
    contradicts = np.abs(claimed.value - value) > 3 * error + claimed.tolerance(size)
    same = np.abs(value - found.value) <= 3 * (error + found.error) + claimed.rtol * size
    return np.asarray((disjoint & contradicts & same & found.step_smooth & np.isfinite(error)).any(axis=0))


def _finish(verdict: NDArray[np.int8], claimed: Claimed, found: Estimate, agrees: Mask) -> None:
    """Settle what is left once all steps have been tried."""
    open_ = (verdict < 0) | (verdict == Verdict.WRONG)
    claim = claimed.value
    finite = np.isfinite(claim)
    fits, near = _fits_larger_steps(claimed, found)
    decisive = _is_decisive(claim, found)
    verdict[open_ & fits & finite] = Verdict.RIGHT
    # f stands still at all but steps much larger than x, which are consistent with a claim that f cannot resolve
    still = ~np.take_along_axis(found.moved, found.best[None], axis=0)[0] & found.moved.any(axis=0)
    consistent = (near | ~found.moved | ~np.isfinite(found.step_plain)).mean(axis=0) > 0.8
    beneath = np.abs(claim) <= NEGLIGIBLE * claimed.noise_scale
    verdict[open_ & still & consistent & beneath] = Verdict.ZERO
    verdict[open_ & fits & decisive & finite] = Verdict.DISPUTED
    verdict[(verdict == Verdict.WRONG) & (claim == 0) & _stands_still(found)] = Verdict.DISPUTED
    undecided = verdict == Verdict.PENDING
    kink, _, _ = find_kinks(found)
    sharp = np.isfinite(found.error) & found.smooth & (3 * found.error <= RESOLVED * np.abs(claim - found.value))
    verdict[undecided & kink & ~sharp] = Verdict.KINK  # its hull is examined elsewhere
    endless, upward = grows_endlessly(found)
    verdict[np.isinf(claim) & endless & (np.sign(claim.real) == upward)] = Verdict.RIGHT
    verdict[np.isinf(claim) & endless & (np.sign(claim.real) != upward)] = Verdict.WRONG
    verdict[np.isinf(claim) & ~endless & np.isfinite(found.error)] = Verdict.WRONG
    meets, limit = converging(found)
    steepest = np.fmax(np.abs(found.forward), np.abs(found.backward)).max(axis=0)
    at_limit = np.abs(claim - limit) <= RESOLVED * steepest
    verdict[(verdict == Verdict.PENDING) & meets] = Verdict.NOISE
    verdict[(verdict == Verdict.NOISE) & meets & at_limit] = Verdict.RIGHT
    verdict[(verdict == Verdict.NOISE) & meets & (np.abs(claim - limit) > 0.5 * steepest)] = Verdict.WRONG
    verdict[(verdict == Verdict.PENDING) & jumps(found)] = Verdict.JUMP
    against = ~agrees & found.smooth & np.isfinite(found.error) & finite
    verdict[(verdict == Verdict.PENDING) & against] = Verdict.WRONG
    verdict[verdict == Verdict.PENDING] = Verdict.NOISE


def _fits_larger_steps(claimed: Claimed, found: Estimate) -> tuple[Mask, Mask]:
    """Whether larger smooth steps agree with a claim; at steps below what f resolves it follows its own rounding."""
    claim = claimed.value
    size = np.maximum(np.abs(claim), np.abs(found.step_value))
    near = np.abs(claim - found.step_value) <= 3 * found.step_error + claimed.tolerance(size)
    fits = near & found.step_smooth & found.moved & (3 * found.step_error <= RESOLVED * size)
    # where f(x) itself is off by a rounding error (cancellation), both one-sided slopes are, but not their mean
    near = np.abs(claim - found.step_value) <= 3 * found.step_plain + claimed.tolerance(size)
    grows = found.gap[1:] >= 2 * found.gap[:-1]
    fits[1:] |= (near & (3 * found.step_plain <= 0.1 * size))[1:] & grows
    fits[:-1] |= (near & (3 * found.step_plain <= 0.1 * size))[:-1] & grows
    level = np.arange(len(size))[:, None, None]
    apart = np.abs(found.step_value - found.value) > 3 * (found.step_plain + found.error)
    return np.asarray((fits & (level < found.best) & apart).any(axis=0)), near


def _is_decisive(claim: AnyArray, found: Estimate) -> Mask:
    """Whether several small steps agree on another slope, and far more exactly than it differs from the claim."""
    distance = np.abs(claim - found.value)
    same = (np.abs(found.step_value - found.value) <= 0.05 * distance) & (found.step_error <= 0.05 * distance)
    return np.asarray((same & found.moved & found.step_smooth).sum(axis=0) >= 3)


def _stands_still(found: Estimate) -> Mask:
    """Whether f stands still at three small steps at least, at which its slope at larger ones would be seen."""
    tried = np.isfinite(found.steps)[:, :, None] & (np.abs(found.value) > 4 * found.gap_noise)
    last_moved = np.where(found.moved & tried, np.arange(len(tried))[:, None, None], -1).max(axis=0)
    after = (tried & (np.arange(len(tried))[:, None, None] > last_moved)).sum(axis=0)
    return np.asarray((after >= 3) & (last_moved >= 0))
