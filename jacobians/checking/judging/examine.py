"""Examine one claimed Jacobian of one function and put the outcome into a Finding."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.diagnosis.evidence import Evidence
from jacobians.checking.diagnosis.mistakes import explain, explain_shape
from jacobians.checking.diagnosis.places import index_text
from jacobians.checking.judging.claim import Claim
from jacobians.checking.judging.judge import judge_lines
from jacobians.checking.judging.verdict import Verdict
from jacobians.checking.measuring.adaptive import Measurement
from jacobians.checking.measuring.directions import columns
from jacobians.checking.measuring.function import Function, quiet
from jacobians.checking.measuring.progress import progress_bar
from jacobians.checking.measuring.richardson import estimate, sample
from jacobians.checking.report.report import CANNOT_TELL, RIGHT, RIGHT_AT_KINK, WRONG, Curve, Entry, Finding

__all__ = ["COLUMNS", "PROJECTIONS", "examine", "names"]

COLUMNS, PROJECTIONS = "columns", "projections"
_PATIENCE = 20.0  # seconds that measuring all columns may take before directions are used instead
_MOST_ENTRIES = 6_000_000
_RUNGS = 7  # evaluations per column that a smooth function needs, and one
_LISTED = 5
_MAP_SIDE = 48

_WORDS = {
    Verdict.RIGHT: "right", Verdict.ZERO: "zero within error", Verdict.KINK: "consistent at a kink",
    Verdict.NOISE: "cannot tell (noise)", Verdict.JUMP: "cannot tell (f jumps)",
    Verdict.KINK_WRONG: "inconsistent at a kink", Verdict.WRONG: "wrong",
}  # fmt: skip


def names(output: str, wrt: str) -> str:
    """Name a Jacobian."""
    return f"∂{output}/∂{wrt}"


def _entry_name(output: str, wrt: str, index: tuple[int, ...], split: int) -> str:
    return f"∂{output}{index_text(index[:split])}/∂{wrt}{index_text(index[split:])}"


def examine(
    f: Callable[..., Any],
    x: Any,
    claimed: Any,
    *,
    output: str = "f",
    wrt: str = "x",
    strategy: str = "auto",
    seed: int = 0,
    previous: Any = None,
    progress: bool | None = None,
) -> Finding:
    """Measure the derivative of f at x and compare it with what is claimed.

    ``strategy`` is "columns", "projections", or "auto", which measures all columns wherever that is affordable.
    """
    with quiet():
        started = time.perf_counter()
        function = Function(f, x)
        seconds = (time.perf_counter() - started) / function.evaluations
    claim = Claim(claimed, function)
    notes = _notes(function)
    name = names(output, wrt)
    if not claim.fits:
        return _misshapen(function, claim, name, notes)
    entries = claim.rows * claim.columns
    if strategy == "auto":
        slow = seconds * _RUNGS * claim.columns > _PATIENCE or entries > _MOST_ENTRIES
        grouped = claim.sparse and claim.columns > 256
        strategy = PROJECTIONS if slow or grouped or (claim.matrix is None and entries > _MOST_ENTRIES) else COLUMNS
    if strategy not in (COLUMNS, PROJECTIONS):
        raise ValueError(f"strategy is {strategy!r}; it is one of 'auto', 'columns', 'projections'")
    if strategy == PROJECTIONS:
        from jacobians.checking.judging.projections import project

        return project(function, claim, output, wrt, notes, seed, progress)
    lines = columns(function, np.arange(claim.columns, dtype=np.intp))
    with progress_bar(claim.columns, name, progress, seconds * _RUNGS * claim.columns) as advance:
        measured = judge_lines(function, lines, claim, advance=advance)
    return describe(function, claim, measured, output, wrt, notes, previous=previous)


def _notes(function: Function) -> list[str]:
    notes = []
    if function.mutates:
        notes.append("f writes into its argument; it was given copies")
    if function.spread.any():
        worst = float(np.max(function.spread))
        notes.append(f"f is not deterministic: repeated calls at x differ by up to {worst:.1e}")
    if function.point.dtype.kind == "c":
        notes.append("x is complex: f is taken to be holomorphic, J to be its complex derivative")
    if function.base.size and not np.isfinite(function.base).all():
        notes.append("f(x) is not finite everywhere")
    return notes


def _misshapen(function: Function, claim: Claim, name: str, notes: list[str]) -> Finding:
    """Report a claim of the wrong shape: wrong, whatever it would broadcast to."""
    from jacobians.checking.numerical import numerical_jacobian

    measured = None
    if claim.rows * claim.columns <= 250_000 and hasattr(claim, "array"):
        with quiet():
            measured = numerical_jacobian(function.f, function.point).value
    array = getattr(claim, "array", np.empty(claim.shape))
    because = explain_shape(array, function.shape, function.point.shape, measured)
    first = f"J has shape {claim.shape}; out_shape + wrt_shape is {function.shape} + {function.point.shape}"
    return Finding(
        name, function.shape, function.point.shape, WRONG, {}, None, math.nan, math.nan, (), (first, *because),
        tuple(notes), function.evaluations,
    )  # fmt: skip


def describe(
    function: Function,
    claim: Claim,
    measured: Measurement,
    output: str,
    wrt: str,
    notes: list[str],
    *,
    previous: Any = None,
) -> Finding:
    """Summarise the verdicts of all entries, and explain them if they are bad."""
    shape = function.shape + function.point.shape
    split = len(function.shape)
    verdict = measured.verdict.T
    value, error = measured.value.T, measured.error.T
    claimed = claim.dense_columns(np.arange(claim.columns, dtype=np.intp))
    with quiet():
        distance = np.abs(claimed - value)
        size = np.maximum(np.abs(claimed), np.abs(value))
        relative = np.where(size > 0, distance / size, 0.0)
        right = verdict == Verdict.RIGHT
        uncertain = np.where(right, (distance + 3 * error) / size, 0.0)
        loss = np.max(uncertain, where=np.isfinite(uncertain), initial=0.0)
    counts = {_WORDS[kind]: int((verdict == kind).sum()) for kind in Verdict if (verdict == kind).any()}
    wrong = verdict >= Verdict.KINK_WRONG
    open_ = (verdict == Verdict.NOISE) | (verdict == Verdict.JUMP)
    kinked = (verdict == Verdict.KINK).any()
    overall = WRONG if wrong.any() else CANNOT_TELL if open_.any() else RIGHT_AT_KINK if kinked else RIGHT
    interesting = wrong if wrong.any() else open_ if open_.any() else right
    if not claim.rows * claim.columns:
        notes = [*notes, "the Jacobian has no entries"]
    known = interesting & np.isfinite(relative)
    worst = _worst(interesting, relative, distance, shape, verdict, claimed, value, error, output, wrt, split)
    because: tuple[str, ...] = ()
    curve, picture = None, None
    if wrong.any():
        full = Evidence(
            claimed.reshape(shape), value.reshape(shape), np.where(open_, np.inf, error).reshape(shape),
            wrong.reshape(shape), split, function.point, function.base.reshape(function.shape),
        )  # fmt: skip
        because = explain(full)
        if previous is not None:
            because = (*_stale(function, full, previous), *because)
        at_kink = int((verdict == Verdict.KINK_WRONG).sum())
        if at_kink:
            text = f"{at_kink} entries are at a kink, and J is not in the convex hull of the nearby Jacobians"
            because = (text, *because) if at_kink == wrong.sum() else (*because, text)
    if not overall.startswith(RIGHT):
        picture = _picture(wrong, open_)
        curve = _curve(function, worst[0]) if worst else None
    if open_.any():
        notes = [*notes, _why_open(int(open_.sum()), bool((verdict == Verdict.JUMP).any()), function)]
    return Finding(
        names(output, wrt), function.shape, function.point.shape, overall, counts,
        float(-np.log10(max(loss, 1e-16))) if right.any() else None,
        float(np.max(relative, where=known, initial=0.0)), float(np.max(distance, where=known, initial=0.0)),
        worst, because, tuple(notes), function.evaluations, picture, curve,
    )  # fmt: skip


def _why_open(count: int, jumps: bool, function: Function) -> str:
    if not np.isfinite(function.base).all():
        return f"{count} entries cannot be told: f is not finite at or next to x"
    if jumps:
        return f"{count} entries cannot be told: f jumps at x"
    return f"{count} entries cannot be told: the measurement is less exact than the claim (noise, or no smooth scale)"


def _worst(
    chosen: NDArray[np.bool_],
    relative: NDArray[np.float64],
    distance: NDArray[np.float64],
    shape: tuple[int, ...],
    verdict: NDArray[np.int8],
    claimed: NDArray[Any],
    value: NDArray[Any],
    error: NDArray[np.float64],
    output: str,
    wrt: str,
    split: int,
) -> tuple[Entry, ...]:
    flat = np.flatnonzero(chosen)
    if not len(flat):
        return ()
    amount = distance.reshape(-1)[flat]
    rank = np.where(np.isfinite(amount), amount, np.inf)
    order = np.lexsort((-relative.reshape(-1)[flat], -rank))[:_LISTED]
    entries = []
    for place in flat[order]:
        index = tuple(int(k) for k in np.unravel_index(place, shape)) if shape else ()
        entries.append(
            Entry(
                index,
                _entry_name(output, wrt, index, split),
                claimed.reshape(-1)[place].item(),
                value.reshape(-1)[place].item(),
                float(error.reshape(-1)[place]),
                _WORDS[Verdict(int(verdict.reshape(-1)[place]))],
            )
        )
    return tuple(entries)


def _stale(function: Function, evidence: Evidence, previous: Any) -> Iterator[str]:
    """Test whether J is the derivative at an earlier point."""
    from jacobians.checking.numerical import numerical_jacobian

    earlier = numerical_jacobian(function.f, previous)
    if earlier.value.shape == evidence.shape:
        near = evidence.close(evidence.claimed, earlier.value, earlier.error)
        if near.all():
            yield "J agrees at the previous x: a stale forward value"


def _picture(wrong: NDArray[np.bool_], open_: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Errors on at most 48 × 48 blocks: 1 where an entry of the block is wrong, ½ where one is open."""
    picture = np.maximum(wrong * 1.0, open_ * 0.5)
    for axis in (0, 1):
        size = picture.shape[axis]
        if size > _MAP_SIDE:
            starts = np.unique(np.linspace(0, size, _MAP_SIDE, endpoint=False).astype(int))
            picture = np.maximum.reduceat(picture, starts, axis=axis)
    return np.asarray(picture, dtype=np.float64)


def _curve(function: Function, entry: Entry) -> Curve | None:
    """Difference quotients of an entry over the whole ladder."""
    split = len(function.shape)
    row = int(np.ravel_multi_index(entry.index[:split], function.shape)) if split else 0
    wrt = entry.index[split:]
    column = int(np.ravel_multi_index(wrt, function.point.shape)) if wrt else 0
    lines = columns(function, np.array([column], dtype=np.intp))
    with quiet():
        samples = sample(lines, np.array([0]), np.arange(-3, 22))
        found = estimate(samples, lines, np.array([0]), np.zeros(function.base.size))
        slopes = ((samples.plus - samples.minus)[:, 0, row] / (2 * found.steps[:, 0])).real
    keep = np.isfinite(slopes)
    if keep.sum() < 2:
        return None
    claimed, measured = (float(np.real(part)) for part in (entry.claimed, entry.measured))
    return Curve(entry.name, tuple(found.steps[keep, 0].tolist()), tuple(slopes[keep].tolist()), claimed, measured)
