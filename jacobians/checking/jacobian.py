"""check_jacobian: anybody's function against anybody's Jacobian."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from jacobians.checking.judging.claim import Claim
from jacobians.checking.judging.comparison import Comparison, Names
from jacobians.checking.judging.elsewhere import at_output, stale
from jacobians.checking.judging.examine import examine, examined
from jacobians.checking.judging.nested_claim import NestedClaim
from jacobians.checking.judging.options import RTOL, Options, Strategy
from jacobians.checking.judging.wirtinger import examine_pair
from jacobians.checking.measuring.arguments import Argnums, Arguments, Variable, copied
from jacobians.checking.measuring.function import Function, as_array, quiet
from jacobians.checking.measuring.nested import flatten
from jacobians.checking.points import moved, vacuous
from jacobians.checking.report.finding import WRONG, Finding
from jacobians.checking.report.report import Report

MOST_EXCHANGED = 4  # arguments that are tried in each other's place


def check_jacobian(
    f: Callable[..., Any],
    x: Any,
    J: Any,
    *,
    argnums: Argnums = None,
    rtol: float = RTOL,
    atol: float = 0.0,
    wirtinger: bool = False,
    strategy: Strategy = "auto",
    directions: int | None = None,
    also_at: Literal["nearby"] | Sequence[Any] | None = None,
    previous_x: Any = None,
    names: Sequence[str] | None = None,
    output_name: str = "f",
    seed: int = 0,
    progress: bool | None = None,
) -> Report:
    """Check a claimed Jacobian J of f at x: ∂f_i/∂x_j, of shape f(x).shape + x.shape.

    An entry is wrong if |J − D| exceeds three times the error of the measured D plus rtol of its size plus atol, at two
    separate ranges of steps. At a kink every row of J must lie in the convex hull of the gradients nearby.

    Parameters
    ----------
    f
        A function that takes x and returns anything that turns into an array, or a nested value of arrays (tuples,
        dicts, dataclasses); it is given copies. Functions of PyTorch and JAX are called with their own arrays.
    x
        An array, list, or number, or a nested value of arrays. A tuple is the arguments of f if ``argnums`` is given or
        f requires exactly that many arguments.
    J
        An array, a `Jacobian`, a scipy.sparse matrix or LinearOperator of shape (outputs, entries of x), or a function
        of x that returns one. For nested outputs and arguments it is nested in the same way, output first (as
        `jacobian` and ``jax.jacobian`` return it); for several arguments a tuple, or a mapping by name.
    argnums
        Which arguments J belongs to, as in JAX.
    rtol, atol
        By how much a right J may be off beyond what cannot be measured: relative to the entry, and absolute.
    wirtinger
        Whether J is a pair (∂f/∂z, ∂f/∂z̄), for f of a complex z that is not holomorphic.
    strategy
        "columns" measures every entry, "projections" random directions and then the entries that are wrong; "auto" all
        columns of up to 20000 inputs and 6 million entries.
    directions
        The number of random directions, for huge problems; the report says what can escape them.
    also_at
        "nearby" for a second look at a moved point, where mistakes show that x hides (zeros, ones, symmetry); or a list
        of points. J must be a function then.
    previous_x
        An earlier x; the report then says whether J belongs to it (a stale forward value).
    names, output_name
        What the report calls the arguments and the output.
    seed
        Of the random directions.
    progress
        Whether to show a progress bar; by default for long work on a terminal, with tqdm.

    Returns
    -------
    Report
        It is true if all is right; ``report.raise_if_wrong()``, ``print(report)``.

    Examples
    --------
    >>> x = np.array([0.5, -1.0])
    >>> print(check_jacobian(np.tanh, x, np.diag(1 - np.tanh(x))))
    ✗  ∂f/∂x  2 × 2  wrong  rel. error 7.6e-01  ∂f[1]/∂x[1]
        → J ≈ D times 1/(1 + f), for each output i
    ...
    """
    options = Options(rtol, atol, strategy, directions, seed, progress)
    arguments = Arguments.of(f, x, argnums, names)
    claim = NestedClaim.of(J, arguments)
    findings = _checked(arguments, claim, options, wirtinger, output_name, previous_x)
    notes = [
        note for name, value in zip(arguments.names, arguments.values, strict=True) for note in vacuous(value, name)
    ]
    report = Report(tuple(findings), "", tuple(notes))
    if also_at is None:
        return report
    if claim.function is None:
        raise ValueError("also_at needs J as a function of x, so that it can be had at another point")
    nearby = isinstance(also_at, str)
    points = [_nearby(arguments, seed)] if nearby else [_point(one, x) for one in also_at]
    return _with_others(report, points, J, arguments, options, wirtinger, output_name)


def _checked(
    arguments: Arguments,
    claim: NestedClaim,
    options: Options,
    wirtinger: bool,
    output_name: str,
    previous_x: Any = None,
) -> list[Finding]:
    """The findings on all outputs by all variables."""
    findings: list[Finding] = []
    for variable in arguments.variables():

        def claimed(function: Function, variable: Variable = variable) -> list[Any]:
            return [claim.part(output.path, variable) for output in function.outputs]

        def hints(comparison: Comparison, variable: Variable = variable) -> Iterator[str]:
            if previous_x is not None and len(arguments.values) == 1:
                yield from stale(variable, comparison, previous_x)
            yield from at_output(variable, comparison)
            yield from claim.state(arguments)

        names = Names(output_name, variable.name)
        if wirtinger:
            findings += examine_pair(variable.f, variable.x, claimed, names, options)
        else:
            findings += examine(variable.f, variable.x, claimed, names, options, hints=lambda c: list(hints(c)))
    findings = _exchanged(arguments, claim, findings, options, wirtinger)
    if claim.differs:
        findings = [replace(one, verdict=WRONG, explanations=(claim.differs, *one.explanations)) for one in findings]
    return findings


def _exchanged(
    arguments: Arguments, claim: NestedClaim, findings: list[Finding], options: Options, wirtinger: bool
) -> list[Finding]:
    """Say so if the Jacobians by two arguments stand in each other's place."""
    variables = arguments.variables()
    if wirtinger or len(findings) != len(variables) or not claim.is_of_one_output:
        return findings
    bad = [k for k, finding in enumerate(findings) if finding.verdict == WRONG][:MOST_EXCHANGED]
    for one, other in itertools.combinations(bad, 2):
        pairs = ((variables[one], variables[other]), (variables[other], variables[one]))
        if all(_is_right(mine, claim.part((), theirs), options) for mine, theirs in pairs):
            said = f"the Jacobians by {variables[one].name} and {variables[other].name} are exchanged"
            for k in (one, other):
                findings[k] = replace(findings[k], explanations=(said, *findings[k].explanations))
    return findings


def _is_right(variable: Variable, claimed: Any, options: Options) -> bool:
    """Whether a claim is right for a variable."""
    with quiet():
        function = Function(variable.f, variable.x)
    claims = [claimed] * len(function.outputs)
    if not all(part.fits for part in Claim.of(claims, function, options).parts):
        return False
    return all(finding.ok for finding in examined(function, claims, Names(), options))


def _nearby(arguments: Arguments, seed: int) -> tuple[Any, ...]:
    """A moved point with both signs, if f has values there, else one that keeps the signs."""
    for both_signs in (True, False):
        values = moved(arguments.values, seed, both_signs=both_signs)
        try:
            with quiet():
                outputs = flatten(replace(arguments, values=values).f(*map(copied, values)))[1]
                if all(np.isfinite(as_array(output, "f")).all() for output in outputs):
                    return values
        except Exception:  # outside the domain of f, which says so in its own way
            continue
    return values


def _point(given: Any, x: Any) -> tuple[Any, ...]:
    return given if isinstance(x, tuple) and isinstance(given, tuple) else (given,)


def _with_others(
    report: Report, points: Sequence[tuple[Any, ...]], J: Any, arguments: Arguments, options: Options,
    wirtinger: bool, output_name: str,
) -> Report:  # fmt: skip
    """The report with what is wrong at other points, where J is right at x."""
    findings = list(report.findings)
    notes = list(report.notes)
    for values in points:
        there = replace(arguments, values=values)
        try:
            found = _checked(there, NestedClaim.of(J, there), options, wirtinger, output_name)
        except Exception as error:  # the moved point may be outside the domain of f
            notes.append(f"no second look at a moved point: {type(error).__name__}: {error}")
            continue
        for one, other in zip(report.findings, found, strict=False):
            if other.verdict == WRONG and one.ok:
                said = "right at x, but wrong at a moved point: x hides this mistake"
                findings.append(replace(other, name=f"{other.name} nearby", explanations=(said, *other.explanations)))
    return Report(tuple(findings), report.title, tuple(notes))
