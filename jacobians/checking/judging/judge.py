"""Judge a claim along lines through x: look, measure where that is not enough, and look twice before saying "wrong"."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.judging.claim import Claim
from jacobians.checking.judging.classify import Claimed, classify
from jacobians.checking.judging.disputes import settle
from jacobians.checking.judging.first_look import first_look
from jacobians.checking.judging.kinks import judge_kinks
from jacobians.checking.measuring.adaptive import Measurement, measure
from jacobians.checking.measuring.directions import Lines
from jacobians.checking.measuring.function import Function, quiet
from jacobians.checking.measuring.noise import coarse_noise
from jacobians.checking.measuring.richardson import Array, Estimate
from jacobians.checking.measuring.verdicts import Verdict

SECOND_LOOK = 3  # lines that are measured at all steps before others are believed to be wrong
CLEARED = 0.1  # share of their wrong entries that may turn out otherwise
FIELDS = ("value", "error", "verdict", "forward", "backward")


def judge_lines(
    function: Function,
    lines: Lines,
    claim: Claim,
    *,
    coarse: Array | None = None,
    second_look: bool = True,
    advance: Callable[[], object] | None = None,
) -> Measurement:
    """The verdict on every (line, output).

    Parameters
    ----------
    function, lines, claim
        What is measured along which lines, and what is claimed of it.
    coarse
        The noise of every output, if it is known already.
    second_look
        Whether "wrong" is to be confirmed; without, it is provisional.
    advance
        To be called after every line.
    """
    with quiet():
        if coarse is None:
            coarse = coarse_noise(function)
        claimed = claim.on(lines)
        measured, doubted = first_look(lines, claimed, coarse, advance)
        pending = (measured.verdict == Verdict.PENDING).any(axis=1)
        if pending.any():
            _measured(lines, np.flatnonzero(pending), claimed, coarse, doubted, measured)
        wrong = np.flatnonzero((measured.verdict == Verdict.WRONG).any(axis=1))
        if len(wrong) and second_look:
            sample = wrong[np.unique(np.linspace(0, len(wrong) - 1, min(SECOND_LOOK, len(wrong))).astype(int))]
            rest = np.setdiff1d(wrong, sample)
            if _again(lines, sample, claimed, coarse, measured) and len(rest):
                _again(lines, rest, claimed, coarse, measured)
        settle(lines, claimed, measured)
        if lines.is_columns and lines.unit == 1 and len(lines) == function.point.size:
            judge_kinks(function, measured, claimed.value, coarse=bool(coarse.any()))
        else:
            measured.verdict[measured.verdict == Verdict.KINK] = Verdict.NOISE
    return measured


def _measured(
    lines: Lines, chosen: NDArray[np.intp], claimed: Claimed, coarse: Array, doubted: NDArray[np.bool_],
    measured: Measurement,
) -> None:  # fmt: skip
    """Measure the entries that are pending at as many steps as they need."""
    rows = np.flatnonzero((measured.verdict[chosen] == Verdict.PENDING).any(axis=0))
    part = lines.part(chosen).only(rows)
    place = np.ix_(chosen, rows)
    mine, doubt, open_ = claimed.of(chosen).only(rows), doubted[place], measured.verdict[place] == Verdict.PENDING

    def judge(inner: NDArray[np.intp], found: Estimate, final: bool) -> NDArray[np.int8]:
        verdict = classify(mine.of(inner), found, final=final)
        verdict[~open_[inner]] = Verdict.RIGHT  # they are settled already, whatever it is
        # what the first look contradicts is right only if all steps say so
        hasty = doubt[inner] & (verdict >= 0) & (verdict <= Verdict.ZERO) & open_[inner] & (not final)
        return np.where(hasty, Verdict.PENDING, verdict).astype(np.int8)

    result = measure(part.function, part, coarse[rows], judge)
    for name in FIELDS:
        stored = getattr(measured, name)
        stored[place] = np.where(open_, getattr(result, name), stored[place])


def _again(lines: Lines, chosen: NDArray[np.intp], claimed: Claimed, coarse: Array, measured: Measurement) -> bool:
    """Measure wrong entries at all steps; return whether that cleared many."""
    rows = np.flatnonzero((measured.verdict[chosen] == Verdict.WRONG).any(axis=0))
    part, place = lines.part(chosen).only(rows), np.ix_(chosen, rows)
    mine, wrong = claimed.of(chosen).only(rows), measured.verdict[place] == Verdict.WRONG

    def patient(inner: NDArray[np.intp], found: Estimate, final: bool) -> NDArray[np.int8]:
        verdict = classify(mine.of(inner), found, final=final)
        verdict[~wrong[inner]] = Verdict.RIGHT
        # no verdict before all steps have been tried, neither for the claim nor against it
        return verdict if final else np.where(wrong[inner], Verdict.PENDING, verdict).astype(np.int8)

    result = measure(part.function, part, coarse[rows], patient)
    for name in FIELDS:
        stored = getattr(measured, name)
        stored[place] = np.where(wrong, getattr(result, name), stored[place])
    return bool((wrong & (result.verdict != Verdict.WRONG)).sum() > CLEARED * wrong.sum())
