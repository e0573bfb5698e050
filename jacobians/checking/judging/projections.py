"""Jacobians with too many columns: directions instead, and bisection from a wrong direction to the wrong entries.

A direction moves every entry of x by ± its natural scale s_j, signs at random. If an entry of a row is off by e, the
derivative of the row along the direction is off by |e s_j| or more with probability at least ½: of the two signs of
that entry, one makes the sum of all errors at least as large. So P directions miss what they can resolve with
probability 2⁻ᴾ at most; what they can resolve is measured, and said. A sparse pattern groups columns that share no
row, so that a few directions see every entry.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.diagnosis.factors import factor_text
from jacobians.checking.judging.claim import Claim
from jacobians.checking.judging.comparison import Comparison, Names
from jacobians.checking.judging.judge import judge_lines
from jacobians.checking.measuring.directions import Lines, columns, mixtures
from jacobians.checking.measuring.function import Function, quiet
from jacobians.checking.measuring.grouping import Groups, group_columns
from jacobians.checking.measuring.noise import coarse_noise
from jacobians.checking.measuring.progress import progress_bar
from jacobians.checking.measuring.richardson import Array
from jacobians.checking.measuring.verdicts import Verdict
from jacobians.checking.report.finding import CANNOT_TELL, RIGHT, WRONG, Finding

DIRECTIONS, BESIDE_GROUPS = 30, 10
MOST_SETS = 16  # sets of columns followed down by bisection


def project(function: Function, claim: Claim, names: Names) -> list[Finding]:
    """Compare directional derivatives per output row, then bisect to the wrong entries."""
    options = claim.options
    random = np.random.default_rng(options.seed)
    everything = np.arange(claim.columns, dtype=np.intp)
    count = options.directions or (BESIDE_GROUPS if claim.is_sparse else DIRECTIONS)
    groups: Groups = group_columns(*claim.parts[0].pattern, claim.columns) if claim.is_sparse else []
    with quiet():
        coarse = coarse_noise(function)
    lines = mixtures(function, [*groups, *[everything] * count], random)
    with progress_bar(len(lines), names.title, options.progress) as advance:
        measured = judge_lines(function, lines, claim, coarse=coarse, advance=advance)
    claimed = claim.on(lines).value
    entries: list[Comparison] = []
    if (measured.verdict >= Verdict.KINK_WRONG).any():
        entries = _located(function, claim, lines, measured.verdict >= Verdict.KINK_WRONG, coarse, random, names)
    found = []
    for k, output in enumerate(function.outputs):
        along = Comparison(
            output,
            (len(lines),),
            names.of(output),
            claimed.T[output.rows],
            measured.value.T[output.rows],
            measured.error.T[output.rows],
            measured.verdict.T[output.rows],
        )
        found.append(_finding(function, along, entries[k] if entries else None, len(groups), count))
    return found


def _finding(function: Function, along: Comparison, located: Comparison | None, groups: int, count: int) -> Finding:
    """The finding on one output: from the derivatives along directions, and the columns that bisection came down to."""
    right = (along.verdict <= Verdict.ZERO).any(axis=1)
    wrong, undecided = along.wrong.any(axis=1), along.undecided.any(axis=1) & ~right
    bad = located is not None and bool(located.wrong.any())
    worst = located.worst() if located is not None and bad else ()
    explanations = _common_factor(along)
    if located is not None and bad:
        listed = ", ".join(f"[{', '.join(map(str, entry.index))}]" for entry in worst)
        total = along.output.size * math.prod(function.point.shape)
        explanations.append(f"differs in at least {int(located.wrong.sum())} of {total} entries: {listed}")
    how = f"measured along {count} random directions: {_resolution(along, count)}"
    if groups:
        sets = "1 group" if groups == 1 else f"{groups} groups"
        how = f"columns of the sparse pattern measured in {sets} that share no row; also {how}"
    summary = located if located is not None and bad else along
    return Finding(
        name=along.names.title,
        out_shape=along.output.shape,
        wrt_shape=function.point.shape,
        verdict=WRONG if wrong.any() else CANNOT_TELL if undecided.any() else RIGHT,
        counts={"rows right": int((right & ~wrong).sum()), "rows wrong": int(wrong.sum())},
        digits=along.digits,
        relative_error=summary.largest(summary.relative),
        absolute_error=summary.largest(summary.distance),
        worst=worst,
        explanations=tuple(explanations),
        notes=(*function.remarks, how),
        evaluations=function.evaluations,
    )


def _resolution(along: Comparison, count: int) -> str:
    """What the directions can resolve, and with which probability a larger error escapes them."""
    with quiet():
        size = np.maximum(np.abs(along.claimed), np.abs(along.value)).max(axis=1)
        seen = (3 * along.error + along.distance).max(axis=1) / size
    known = seen[np.isfinite(seen)]
    share = max(1e-6, float(known.max(initial=0)))
    return (
        f"an entry that is wrong by more than {2 * share:.0e} of what all of its row changes along them escapes with "
        f"probability 2^-{count} at most; smaller errors are not seen"
    )


def _common_factor(along: Comparison) -> list[str]:
    """The one explanation that directions can tell: a factor common to all entries."""
    if along.wrong.mean() <= 0.5:
        return []
    with quiet():
        ratio = (along.claimed / along.value)[along.wrong].real
    factor = float(np.median(ratio)) if ratio.size else math.nan
    size = float(np.abs(along.claimed).max(initial=0))
    if not np.allclose(along.claimed, factor * along.value, rtol=1e-5, atol=1e-7 * size):
        return []
    return ["J is zero everywhere, D is not"] if factor == 0 else [factor_text(factor)]


def _located(
    function: Function, claim: Claim, lines: Lines, wrong: NDArray[np.bool_], coarse: Array,
    random: np.random.Generator, names: Names,
) -> list[Comparison]:  # fmt: skip
    """Halve the sets of columns whose derivative is wrong until single columns are left; compare these."""
    sizes = np.array([len(index) for index in lines.indices])
    guilty = np.flatnonzero(wrong.any(axis=1))
    # the smallest sets are the easiest to follow
    open_sets: Groups = [lines.indices[k] for k in guilty[np.argsort(sizes[guilty], kind="stable")][:3]]
    found: list[int] = []
    while open_sets:
        found += [int(one[0]) for one in open_sets if len(one) == 1]
        halves = [half for one in open_sets if len(one) > 1 for half in np.array_split(one, 2)]
        halves = list({(int(half[0]), int(half[-1]), len(half)): half for half in halves}.values())
        if not halves:
            break
        measured = judge_lines(function, mixtures(function, halves, random), claim, coarse=coarse, second_look=False)
        bad = (measured.verdict >= Verdict.KINK_WRONG).sum(axis=1)
        # where most rows are wrong a few columns show it
        worst = np.argsort(-bad, kind="stable")[: 2 if wrong.mean() > 0.5 else MOST_SETS]
        open_sets = [halves[k] for k in worst if bad[k]]
    single = np.unique(np.array(found, dtype=np.intp))
    if not len(single):
        return []
    measured = judge_lines(function, columns(function, single), claim, coarse=coarse)
    claimed = claim.dense_columns(single)
    return [
        Comparison(
            output,
            function.point.shape,
            names.of(output),
            claimed[output.rows],
            measured.value.T[output.rows],
            measured.error.T[output.rows],
            measured.verdict.T[output.rows],
            columns=single,
        )
        for output in function.outputs
    ]
