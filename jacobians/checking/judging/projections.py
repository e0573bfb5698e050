"""Jacobians with too many columns: directions instead, and bisection from a wrong direction to the wrong entries.

A direction moves every entry of x by ± its natural scale, signs at random. A row of J with wrong entries gives the
wrong derivative along it with probability at least ½ (always, if a single entry is wrong); P directions miss it with
probability 2⁻ᴾ at most. A sparse pattern groups columns that share no row, so that a few directions see every entry.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.judging.claim import Claim
from jacobians.checking.judging.judge import judge_lines
from jacobians.checking.judging.verdict import Verdict
from jacobians.checking.measuring.directions import columns, mixtures
from jacobians.checking.measuring.function import Function, quiet
from jacobians.checking.measuring.noise import coarse_noise
from jacobians.checking.measuring.progress import progress_bar
from jacobians.checking.measuring.richardson import Array
from jacobians.checking.report.report import CANNOT_TELL, RIGHT, WRONG, Entry, Finding

__all__ = ["group_columns", "project"]

_DIRECTIONS, _BESIDE_GROUPS = 30, 10
_MOST_SETS = 16  # sets of columns followed down by bisection
_LISTED = 5

Groups = list[NDArray[np.intp]]


def group_columns(pointers: NDArray[np.intp], rows: NDArray[np.intp], count: int) -> Groups:
    """Group columns so that no two of a group share a row (greedily, as Curtis, Powell and Reid did in 1974)."""
    taken: list[NDArray[np.bool_]] = []
    members: list[list[int]] = []
    height = int(rows.max(initial=-1)) + 1
    for column in range(count):
        own = rows[pointers[column] : pointers[column + 1]]
        group = next((number for number, used in enumerate(taken) if not used[own].any()), len(taken))
        if group == len(taken):
            taken.append(np.zeros(height, dtype=bool))
            members.append([])
        taken[group][own] = True
        members[group].append(column)
    return [np.array(group, dtype=np.intp) for group in members]


def _plan(function: Function, claim: Claim) -> tuple[Groups, str]:
    everything = np.arange(claim.columns, dtype=np.intp)
    if not claim.sparse:
        rows = f"a wrong row escapes all of them with probability 2^-{_DIRECTIONS} at most"
        return [everything] * _DIRECTIONS, f"measured along {_DIRECTIONS} random directions: {rows}"
    groups = group_columns(*claim.pattern, claim.columns)
    note = f"columns of the sparse pattern measured in {len(groups)} groups that share no row"
    return groups + [everything] * _BESIDE_GROUPS, f"{note}, and along {_BESIDE_GROUPS} random directions"


def project(
    function: Function, claim: Claim, output: str, wrt: str, notes: list[str], seed: int, progress: bool | None
) -> Finding:
    """Compare directional derivatives per output row, then bisect to the wrong entries."""
    random = np.random.default_rng(seed)
    groups, how = _plan(function, claim)
    with quiet():
        coarse = coarse_noise(function)
    lines = mixtures(function, groups, random)
    bar: AbstractContextManager[Callable[[], object] | None] = progress_bar(
        len(lines), f"∂{output}/∂{wrt}", progress, 3.0
    )
    with bar as advance:
        measured = judge_lines(function, lines, claim, coarse=coarse, advance=advance)
    wrong = measured.verdict >= Verdict.KINK_WRONG
    open_ = (measured.verdict == Verdict.NOISE) | (measured.verdict == Verdict.JUMP)
    right = measured.verdict <= Verdict.ZERO
    rows_open = open_.any(axis=0) & ~right.any(axis=0)
    entries, total = _bisect(function, claim, groups, wrong, coarse, random, output, wrt) if wrong.any() else ((), 0)
    overall = WRONG if wrong.any() else CANNOT_TELL if rows_open.any() else RIGHT
    because = []
    if wrong.any():
        because = _explain(claim, measured.value, claim.on(lines).value, wrong)
        if entries:
            listed = ", ".join(f"[{', '.join(map(str, entry.index))}]" for entry in entries)
            because.append(f"differs in at least {total} of {claim.rows * claim.columns} entries: {listed}")
    with quiet():
        claimed = claim.on(lines).value
        size = np.maximum(np.abs(claimed), np.abs(measured.value))
        distance = np.abs(claimed - measured.value)
        relative = np.where(size > 0, distance / size, 0.0)
        chosen = measured.verdict == (Verdict.WRONG if wrong.any() else Verdict.RIGHT)
        loss = np.max((distance + 3 * measured.error) / size, where=measured.verdict == Verdict.RIGHT, initial=0.0)
    worst_relative = float(np.max(relative, where=chosen, initial=0.0))
    if entries:
        worst_relative = max(
            abs(entry.claimed - entry.measured) / max(abs(entry.claimed), abs(entry.measured)) for entry in entries
        )
    counts = {
        "rows right": int((right.any(axis=0) & ~wrong.any(axis=0)).sum()),
        "rows wrong": int(wrong.any(axis=0).sum()),
    }
    return Finding(
        f"∂{output}/∂{wrt}", function.shape, function.point.shape, overall, counts,
        float(-math.log10(max(loss, 1e-16))), worst_relative, float(np.max(distance, where=chosen, initial=0.0)),
        entries, tuple(because), (*notes, how), function.evaluations,
    )  # fmt: skip


def _explain(claim: Claim, value: NDArray[Any], claimed: NDArray[Any], wrong: NDArray[np.bool_]) -> list[str]:
    """Test the one explanation that directions can tell: a factor common to all entries."""
    with quiet():
        ratio = np.asarray(claimed / value)[wrong].real
    factor = float(np.median(ratio)) if ratio.size else math.nan
    if wrong.mean() > 0.5 and np.allclose(claimed, factor * value, rtol=1e-5, atol=1e-7 * float(np.abs(claimed).max())):
        return ["J is zero everywhere, D is not"] if factor == 0 else [
            "J ≈ −D (sign)" if math.isclose(factor, -1, rel_tol=1e-5) else f"J ≈ {factor:.6g}·D (factor)"
        ]  # fmt: skip
    return []


def _bisect(
    function: Function,
    claim: Claim,
    groups: Sequence[NDArray[np.intp]],
    wrong: NDArray[np.bool_],
    coarse: Array,
    random: np.random.Generator,
    output: str,
    wrt: str,
) -> tuple[tuple[Entry, ...], int]:
    """Halve the sets of columns whose derivative is wrong until single columns are left."""
    first = int(np.argmax(wrong.sum(axis=1) > 0))
    # the sparsest evidence is the easiest to follow
    per_set = wrong.sum(axis=1)
    order = [int(k) for k in np.argsort(np.where(per_set > 0, [len(g) for g in groups], np.iinfo(np.int64).max))]
    open_sets: Groups = [groups[k] for k in order[:3] if per_set[k]] or [groups[first]]
    seen: set[int] = set()
    found: list[int] = []
    while open_sets:
        halves: Groups = []
        for columns_of_set in open_sets:
            if len(columns_of_set) == 1:
                found.append(int(columns_of_set[0]))
            else:
                halves += np.array_split(columns_of_set, 2)
        unique = {(int(half[0]), int(half[-1]), len(half)): half for half in halves}
        halves = list(unique.values())
        if not halves:
            break
        measured = judge_lines(function, mixtures(function, halves, random), claim, coarse=coarse, second_look=False)
        bad = (measured.verdict >= Verdict.KINK_WRONG).sum(axis=1)
        # where most rows are wrong a few columns show it
        worst = np.argsort(-bad, kind="stable")[: 2 if wrong.mean() > 0.5 else _MOST_SETS]
        open_sets = [halves[k] for k in worst if bad[k]]
    single = np.array(sorted(set(found) - seen), dtype=np.intp)
    if not len(single):
        return (), 0
    lines = columns(function, single)
    measured = judge_lines(function, lines, claim, coarse=coarse)
    claimed = claim.on(lines).value
    places = np.argwhere(measured.verdict >= Verdict.KINK_WRONG)
    amount = [abs(claimed[c, row] - measured.value[c, row]) for c, row in places]
    entries = []
    shape, split = function.shape + function.point.shape, len(function.shape)
    for place in np.argsort(-np.array(amount), kind="stable")[:_LISTED]:
        c, row = places[place]
        flat = int(row) * claim.columns + int(single[c])
        index = tuple(int(k) for k in np.unravel_index(flat, shape)) if shape else ()
        from jacobians.checking.diagnosis.places import index_text

        name = f"∂{output}{index_text(index[:split])}/∂{wrt}{index_text(index[split:])}"
        value, error = measured.value[c, row].item(), float(measured.error[c, row])
        entries.append(Entry(index, name, claimed[c, row].item(), value, error, "wrong"))
    return tuple(entries), len(places)
