"""check_jacobian: anybody's function against anybody's Jacobian."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from jacobians.checking.judging.comparison import Comparison, Names
from jacobians.checking.judging.examine import examine
from jacobians.checking.judging.options import RTOL, Options, Strategy
from jacobians.checking.judging.wirtinger import examine_pair
from jacobians.checking.measuring.arguments import Argnums, Arguments, Variable, copied
from jacobians.checking.measuring.directions import columns
from jacobians.checking.measuring.frameworks import native
from jacobians.checking.measuring.function import Function, as_array, quiet
from jacobians.checking.measuring.nested import dotted, flatten, pick
from jacobians.checking.measuring.numerical import measured_jacobian
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
    claim = _Claimed.of(J, arguments)
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
    arguments: Arguments, claim: _Claimed, options: Options, wirtinger: bool, output_name: str, previous_x: Any = None
) -> list[Finding]:
    """The findings on all outputs by all variables."""
    findings: list[Finding] = []
    for variable in arguments.variables():

        def claimed(function: Function, variable: Variable = variable) -> list[Any]:
            return [claim.part(output.path, variable) for output in function.outputs]

        def hints(comparison: Comparison, variable: Variable = variable) -> Iterator[str]:
            if previous_x is not None and len(arguments.values) == 1:
                yield from _stale(variable, comparison, previous_x)
            yield from _at_output(variable, comparison)
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
    arguments: Arguments, claim: _Claimed, findings: list[Finding], options: Options, wirtinger: bool
) -> list[Finding]:
    """Say so if the Jacobians by two arguments stand in each other's place."""
    variables = arguments.variables()
    if wirtinger or len(findings) != len(variables):  # one output only
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
    """Whether a claim is right for a variable, by its shape first."""
    if claimed is None:
        return False
    found = examine(variable.f, variable.x, lambda function: [claimed] * len(function.outputs), Names(), options)
    return all(finding.ok for finding in found)


@dataclass(frozen=True)
class _Claimed:
    """The claimed Jacobians of all outputs by all variables, nested somehow.

    Attributes
    ----------
    value
        As it was given, or as the function gave it.
    function
        The function that gave it, if there is one.
    differs
        What is to be said if it gives something else when it is called again.
    arguments
        The names of the arguments that are differentiated by.
    """

    value: Any
    function: Callable[..., Any] | None
    differs: str
    arguments: tuple[str, ...]

    @classmethod
    def of(cls, J: Any, arguments: Arguments) -> _Claimed:
        """Call J if it is a function, twice."""
        names = tuple(arguments.names[k] for k in arguments.wanted)
        if not callable(J) or hasattr(J, "shape") or hasattr(J, "matvec"):
            return cls(J, None, "", names)
        function = native(J, arguments.values)
        with quiet():
            value = copied(function(*arguments.copies()))
            again = function(*arguments.copies())
        same = _same(value, again)
        said = (
            "J is something else when it is called again at the same x: added up over calls, or another state it keeps?"
        )
        return cls(value, function, "" if same else said, names)

    def part(self, output: tuple[Any, ...], variable: Variable) -> Any:
        """The claim about one output by one variable."""
        nested = self.value
        if nested is None:
            return None
        nested = pick(nested, output, "J")
        if variable.argument is not None:
            if isinstance(nested, Mapping):
                whole = dotted(variable.argument_name, variable.path)
                key = variable.argument_name if variable.argument_name in nested else whole
                nested = pick(nested, (key,), "J")
                return nested if key == whole else pick(nested, variable.path, "J")
            count, listed = len(self.arguments), ", ".join(self.arguments)
            if not isinstance(nested, tuple | list) or len(nested) != count:
                given = f"of {len(nested)}" if isinstance(nested, tuple | list) else f"but a {type(nested).__name__}"
                raise ValueError(f"J must be a tuple of {count} Jacobians, one per argument ({listed}), not {given}")
            return pick(pick(nested, (variable.argument,), "J"), variable.path, "J")
        if isinstance(nested, Mapping) and variable.argument_name in nested and not variable.path:
            return nested[variable.argument_name]
        if isinstance(nested, tuple) and len(nested) == 1 and not variable.path:
            return nested[0]
        return pick(nested, variable.path, "J")

    def state(self, arguments: Arguments) -> Iterator[str]:
        """Say so if J is a function that does not depend on x, which a stale forward value also looks like."""
        if self.function is None:
            return
        try:
            with quiet():
                elsewhere = self.function(*moved(arguments.values, 1))
        except Exception:  # whatever J objects to, this is only a hint
            return
        if _same(self.value, elsewhere) and any(np.any(as_array(leaf, "J")) for leaf in flatten(self.value)[1]):
            yield "J is the same at another x: it may use a stale forward value"


def _same(one: Any, other: Any) -> bool:
    """Whether two claims have the same numbers, up to rounding; true where that cannot be seen."""
    leaves, others = flatten(one)[1], flatten(other)[1]
    if len(leaves) != len(others):
        return False
    for a, b in zip(leaves, others, strict=True):
        if not isinstance(a, np.ndarray | float | complex) and not hasattr(a, "detach"):
            continue
        left, right = as_array(a, "J"), as_array(b, "J")
        if left.shape != right.shape:
            return False
        size = float(np.max(np.abs(left), where=np.isfinite(left), initial=0))
        precision = max(float(np.finfo(left.dtype).eps), 1e-12)
        if not np.allclose(left, right, rtol=1e4 * precision, atol=100 * precision * size, equal_nan=True):
            return False
    return True


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
            found = _checked(there, _Claimed.of(J, there), options, wirtinger, output_name)
        except Exception as error:  # the moved point may be outside the domain of f
            notes.append(f"no second look at a moved point: {type(error).__name__}: {error}")
            continue
        for one, other in zip(report.findings, found, strict=False):
            if other.verdict == WRONG and one.ok:
                said = "right at x, but wrong at a moved point: x hides this mistake"
                findings.append(replace(other, name=f"{other.name} nearby", explanations=(said, *other.explanations)))
    return Report(tuple(findings), report.title, tuple(notes))


def _stale(variable: Variable, comparison: Comparison, previous: Any) -> Iterator[str]:
    """Test whether J is the derivative at an earlier point."""
    if _agrees_at(variable, comparison, previous):
        yield "J agrees at the previous x: a stale forward value"


def _at_output(variable: Variable, comparison: Comparison) -> Iterator[str]:
    """Test whether J is the derivative at f(x) instead of at x."""
    if (
        comparison.output.shape != comparison.wrt_shape
        or comparison.columns is not None
        or comparison.claimed.size > 10_000
    ):
        return
    try:
        with quiet():
            output = Function(variable.f, variable.x, repeats=0).base[comparison.output.rows]
            if _agrees_at(variable, comparison, output.reshape(comparison.output.shape)):
                yield "J is the derivative at the output f(x), not at x"
    except Exception:  # f(x) may be outside the domain of f
        return


def _agrees_at(variable: Variable, comparison: Comparison, point: Any) -> bool:
    """Whether J is the derivative at another point."""
    with quiet():
        function = Function(variable.f, point, repeats=0)
        if function.point.shape != comparison.wrt_shape or function.base.size < comparison.output.rows.stop:
            return False
        everything = np.arange(function.point.size)
        guilty = everything[comparison.wrong.any(axis=0)][:1]
        for chosen in (guilty, everything):  # one column first: it mostly says no
            there = measured_jacobian(function, lines=columns(function, chosen))
            value, error = there.value.T[comparison.output.rows], there.error.T[comparison.output.rows]
            if not _explains(value, error, comparison, chosen):
                return False
    return True


def _explains(value: Any, error: Any, comparison: Comparison, chosen: Any) -> bool:
    """Whether these derivatives are the claimed ones, and others than those at x where the claim is wrong."""
    claimed, wrong = comparison.claimed[:, chosen], comparison.wrong[:, chosen]
    size = np.maximum(np.abs(claimed), np.abs(value))
    near = np.abs(claimed - value) <= 3 * error + 1e-5 * size + 1e-13 * size.max(initial=0)
    better = np.abs(claimed - value) <= 0.1 * np.abs(claimed - comparison.value[:, chosen])
    return bool(near.all()) and bool(wrong.any()) and bool(better[wrong].all())
