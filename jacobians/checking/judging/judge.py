"""Judge a claim along lines through x: measure, classify, examine kinks, and look twice before saying "wrong"."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.judging.claim import Claim
from jacobians.checking.judging.classify import classify
from jacobians.checking.judging.kinks import judge_kinks
from jacobians.checking.measuring.adaptive import Measurement, measure
from jacobians.checking.measuring.directions import Lines
from jacobians.checking.measuring.function import Function, quiet
from jacobians.checking.measuring.noise import coarse_noise
from jacobians.checking.measuring.richardson import Array, Estimate
from jacobians.checking.measuring.verdicts import Verdict

_SECOND_LOOK = 8  # lines that are measured on the whole ladder before others are believed to be wrong


def judge_lines(
    function: Function,
    lines: Lines,
    claim: Claim,
    *,
    coarse: Array | None = None,
    second_look: bool = True,
    advance: Callable[[], object] | None = None,
) -> Measurement:
    """Return the verdict of every (line, output); without a second look the verdict "wrong" is provisional."""
    with quiet():
        if coarse is None:
            coarse = coarse_noise(function)
        claimed = claim.on(lines)

        def judge(chosen: NDArray[np.intp], found: Estimate, final: bool) -> NDArray[np.int8]:
            return classify(claimed.of(chosen), found, final=final)

        def patient(chosen: NDArray[np.intp], found: Estimate, final: bool) -> NDArray[np.int8]:
            verdict = judge(chosen, found, final)
            # no verdict against the claim before the whole ladder has been climbed
            return verdict if final else np.where(verdict > Verdict.ZERO, Verdict.PENDING, verdict).astype(np.int8)

        measured = measure(function, lines, coarse, judge, advance)
        wrong = np.flatnonzero((measured.verdict == Verdict.WRONG).any(axis=1))
        if len(wrong) and second_look:
            sample = wrong[np.linspace(0, len(wrong) - 1, min(_SECOND_LOOK, len(wrong))).astype(int)]
            changed = _again(function, lines, sample, coarse, patient, measured)
            rest = np.setdiff1d(wrong, sample)
            if changed and len(rest):
                _again(function, lines, rest, coarse, patient, measured)
        if lines.is_columns and lines.unit == 1 and len(lines) == function.point.size:
            judge_kinks(function, measured, claimed.value, coarse=bool(coarse.any()))
        else:
            measured.verdict[measured.verdict == Verdict.KINK] = Verdict.NOISE
    return measured


def _again(
    function: Function,
    lines: Lines,
    chosen: NDArray[np.intp],
    coarse: Array,
    judge: Callable[[NDArray[np.intp], Estimate, bool], NDArray[np.int8]],
    measured: Measurement,
) -> bool:
    """Measure some lines on the whole ladder; return whether that cleared any entry thought to be wrong."""
    part = lines.part(chosen)
    result = measure(function, part, coarse, lambda inner, found, final: judge(chosen[inner], found, final))
    before = measured.verdict[chosen]
    cleared = (before == Verdict.WRONG) & (result.verdict != Verdict.WRONG)
    again = before == Verdict.WRONG
    for name in ("value", "error", "verdict", "forward", "backward"):
        stored, new = getattr(measured, name), getattr(result, name)
        stored[chosen] = np.where(again, new, stored[chosen])
    return bool(cleared.any())
