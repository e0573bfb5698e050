"""Examine the claimed Jacobians of one function by one array, and put the outcome into findings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jacobians.checking.diagnosis.mistakes import explain
from jacobians.checking.diagnosis.shapes import explain_shape
from jacobians.checking.judging.claim import Claim, Part
from jacobians.checking.judging.comparison import Comparison, Names
from jacobians.checking.judging.judge import judge_lines
from jacobians.checking.judging.options import COLUMNS, PROJECTIONS, Options
from jacobians.checking.judging.projections import project
from jacobians.checking.measuring.adaptive import Measurement
from jacobians.checking.measuring.directions import columns
from jacobians.checking.measuring.function import Function, Output, quiet
from jacobians.checking.measuring.numerical import measured_jacobian
from jacobians.checking.measuring.progress import progress_bar
from jacobians.checking.measuring.richardson import estimate, sample
from jacobians.checking.measuring.verdicts import Verdict
from jacobians.checking.report.finding import RIGHT, WRONG, Curve, Entry, Finding

MOST_COLUMNS = 20_000  # that "auto" measures one by one
MOST_ENTRIES = 6_000_000
FEW_SPARSE = 256  # columns of a sparse claim that are not worth grouping
EXPLAINED = 250_000  # entries of a Jacobian that is measured to explain a wrong shape


def examine(
    f: Callable[[Any], Any],
    x: Any,
    claimed: Any | Callable[[Function], Sequence[Any]],
    names: Names,
    options: Options,
    *,
    hints: Callable[[Comparison], Sequence[str]] = lambda comparison: (),
) -> list[Finding]:
    """Measure the derivative of f at x and compare it with what is claimed.

    Parameters
    ----------
    f, x
        A function of one array, and the array.
    claimed
        The claimed Jacobian; of a function with several outputs, a function that gives one for each.
    names
        What is differentiated by what.
    options
        How to judge.
    hints
        Further explanations for a comparison that has failed.

    Returns
    -------
    list of Finding
        One for each output.
    """
    with quiet():
        function = Function(f, x)
    return examined(function, claimed(function) if callable(claimed) else [claimed], names, options, hints=hints)


def examined(
    function: Function,
    claims: Sequence[Any],
    names: Names,
    options: Options,
    *,
    hints: Callable[[Comparison], Sequence[str]] = lambda comparison: (),
) -> list[Finding]:
    """The findings on the claimed Jacobians of all outputs of a function."""
    claim = Claim.of(claims, function, options)
    if all(part.fits for part in claim.parts):
        return _judged(function, claim, names, options, hints)
    findings: list[Finding | None] = [
        None if part.fits else _misshapen(function, part, output, names.of(output))
        for part, output in zip(claim.parts, function.outputs, strict=True)
    ]
    fitting = [k for k, part in enumerate(claim.parts) if part.fits]
    if fitting:  # one bad output does not blind the others
        rest = Function.of_outputs(function, fitting)
        judged = iter(_judged(rest, Claim([claim.parts[k] for k in fitting], options), names, options, hints))
        findings = [next(judged) if finding is None else finding for finding in findings]
    return [finding for finding in findings if finding is not None]


def _judged(
    function: Function, claim: Claim, names: Names, options: Options, hints: Callable[[Comparison], Sequence[str]]
) -> list[Finding]:
    """The findings on claims that have the right shapes."""
    if _strategy(claim, options) == PROJECTIONS:
        return project(function, claim, names)
    is_complex = function.point.dtype.kind == "c"
    everything = np.arange(claim.columns, dtype=np.intp)
    calls = claim.columns * (2 if is_complex else 1)
    with progress_bar(calls, names.title, options.progress) as advance:
        measured = judge_lines(function, columns(function, everything), claim, advance=advance)
        across = None
        if is_complex:
            across = judge_lines(function, columns(function, everything, 1j), claim, advance=advance)
            measured, across = _worse(measured, across)
    findings = []
    claimed = claim.dense_columns(everything)
    for output in function.outputs:
        comparison = Comparison(
            output,
            function.point.shape,
            names.of(output),
            claimed[output.rows],
            measured.value.T[output.rows],
            measured.error.T[output.rows],
            measured.verdict.T[output.rows],
        )
        extra = [] if across is None else _not_holomorphic(measured, across, output)
        findings.append(described(function, comparison, [*extra, *hints(comparison)] if comparison.wrong.any() else []))
    return findings


def _strategy(claim: Claim, options: Options) -> str:
    """Whether to measure columns, or random directions and then the entries that are wrong."""
    if options.directions is not None:
        return PROJECTIONS
    if options.strategy != "auto":
        return options.strategy
    many = claim.columns > MOST_COLUMNS or claim.entries > MOST_ENTRIES
    return PROJECTIONS if many or (claim.is_sparse and claim.columns > FEW_SPARSE) else COLUMNS


def _worse(along: Measurement, across: Measurement) -> tuple[Measurement, Measurement]:
    """Two measurements of the same entries: in the first the worse of both, in the second the other."""
    across.value = across.value / 1j
    swap = across.verdict > along.verdict
    for name in ("value", "error", "verdict", "forward", "backward"):
        one, other = getattr(along, name), getattr(across, name)
        setattr(along, name, np.where(swap, other, one))
        setattr(across, name, np.where(swap, one, other))
    return along, across


def _not_holomorphic(along: Measurement, across: Measurement, output: Output) -> list[str]:
    """Say so if the derivatives along the real and the imaginary axis differ."""
    one, other = along.value[:, output.rows], across.value[:, output.rows]
    error = along.error[:, output.rows] + across.error[:, output.rows]
    with quiet():
        size = np.maximum(np.abs(one), np.abs(other))
        apart = (np.abs(one - other) > 5 * error + 1e-5 * size) & np.isfinite(error)
    if not apart.any():
        return []
    return [
        "f is not holomorphic: its derivative along the imaginary axis is another one, so that no complex derivative "
        "exists; with wirtinger=True a pair (∂f/∂z, ∂f/∂z̄) can be checked"
    ]


def described(function: Function, comparison: Comparison, hints: Sequence[str] = ()) -> Finding:
    """The finding on one Jacobian: the verdicts of its entries summarised, and explained if they are bad."""
    worst = comparison.worst()
    notes = list(function.remarks)
    explanations: list[str] = list(hints)
    if not comparison.claimed.size:
        notes.append("the Jacobian has no entries")
    if comparison.wrong.any():
        explanations += [text for text in explain(comparison.evidence(function)) if text not in explanations]
        at_kink = int((comparison.verdict == Verdict.KINK_WRONG).sum())
        if at_kink:
            entries = "1 entry is" if at_kink == 1 else f"{at_kink} entries are"
            hull = f"{entries} at a kink, and J is not in the convex hull of the nearby Jacobians"
            explanations = [hull, *explanations] if at_kink == comparison.wrong.sum() else [*explanations, hull]
    if comparison.undecided.any():
        notes.append(_why_undecided(comparison, function))
    bad = not comparison.overall.startswith(RIGHT)
    return Finding(
        name=comparison.names.title,
        out_shape=comparison.output.shape,
        wrt_shape=comparison.wrt_shape,
        verdict=comparison.overall,
        counts=comparison.counts,
        digits=comparison.digits,
        relative_error=comparison.largest(comparison.relative),
        absolute_error=comparison.largest(comparison.distance),
        worst=worst,
        explanations=tuple(explanations),
        notes=tuple(notes),
        evaluations=function.evaluations,
        map=comparison.picture() if bad else None,
        curve=_curve(function, comparison, worst[0]) if bad and worst else None,
    )


def _why_undecided(comparison: Comparison, function: Function) -> str:
    count = int(comparison.undecided.sum())
    entries = "1 entry" if count == 1 else f"{count} entries"
    if not np.isfinite(function.base[comparison.output.rows]).all():
        return f"{entries} cannot be told: f is not finite at x"
    if (comparison.verdict == Verdict.JUMP).any():
        return f"{entries} cannot be told: f jumps at x"
    return f"{entries} cannot be told: the measurement is less exact than the claim (noise, or no smooth scale)"


def _misshapen(function: Function, part: Part, output: Output, names: Names) -> Finding:
    """A claim of the wrong shape is wrong, whatever it would broadcast to."""
    wrt_shape = function.point.shape
    measured = None
    if part.rows * part.columns <= EXPLAINED and part.array is not None:
        with quiet():
            measured = measured_jacobian(function).value[:, output.rows].T.reshape(output.shape + wrt_shape)
    first = f"J has shape {part.shape}; out_shape + wrt_shape is {output.shape} + {wrt_shape}"
    if part.missing:
        first = "J is None: a forgotten return?"
    array = np.empty(part.shape) if part.array is None else part.array
    because = () if part.missing else explain_shape(array, output.shape, wrt_shape, measured)
    return Finding(
        name=names.title,
        out_shape=output.shape,
        wrt_shape=wrt_shape,
        verdict=WRONG,
        explanations=(first, *because),
        notes=tuple(function.remarks),
        evaluations=function.evaluations,
    )


def _curve(function: Function, comparison: Comparison, entry: Entry) -> Curve | None:
    """Difference quotients of an entry over the whole range of steps."""
    split = len(comparison.output.shape)
    out, wrt = entry.index[:split], entry.index[split:]
    row = comparison.output.rows.start + (int(np.ravel_multi_index(out, comparison.output.shape)) if out else 0)
    column = int(np.ravel_multi_index(wrt, comparison.wrt_shape)) if wrt else 0
    lines = columns(function, np.array([column], dtype=np.intp))
    with quiet():
        samples = sample(lines, np.array([0]), np.arange(-2, 22, 2))
        found = estimate(samples, lines, np.array([0]), np.zeros(function.base.size))
        slopes = ((samples.plus - samples.minus)[:, 0, row] / (2 * found.steps[:, 0])).real
    keep = np.isfinite(slopes)
    if keep.sum() < 2:
        return None
    claimed, measured = (float(np.real(part)) for part in (entry.claimed, entry.measured))
    return Curve(entry.name, tuple(found.steps[keep, 0].tolist()), tuple(slopes[keep].tolist()), claimed, measured)
