"""check_jacobian: anybody's function against anybody's Jacobian."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from jacobians.checking.judging.examine import examine
from jacobians.checking.measuring.arguments import is_argument_tuple, resolve
from jacobians.checking.measuring.function import quiet
from jacobians.checking.report.report import Finding, Report
from jacobians.checking.vacuous import vacuous

__all__ = ["check_jacobian"]


def check_jacobian(
    f: Callable[..., Any],
    x: Any,
    J: Any,
    *,
    argnums: int | tuple[int, ...] | None = None,
    strategy: Literal["auto", "columns", "projections"] = "auto",
    previous_x: Any = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Report:
    """Check a claimed Jacobian J of f at x, of shape f(x).shape + x.shape.

    An entry is wrong if |J − D| exceeds three times the error of the measured D plus 10⁻⁶ of its size, at two
    separate ranges of steps. At a kink every row of J must lie in the convex hull of the gradients nearby.

    Parameters
    ----------
    f : function that takes x and returns anything that turns into an array; it is given copies
    x : array, list, or number. A tuple is the arguments of f if ``argnums`` is given or f requires exactly that many
        arguments; J is then a tuple (or a mapping by name) with one Jacobian per argument
    J : array, `Jacobian`, scipy.sparse matrix of shape (outputs, entries of x), or a function of x that returns one
    argnums : which arguments J belongs to, as in JAX
    strategy : "columns" measures every entry, "projections" random directions and then the entries that are wrong,
        "auto" all columns unless that would take more than some twenty seconds
    previous_x : an earlier x; the report then says whether J belongs to it (a stale forward value)
    seed : of the random directions
    progress : whether to show a progress bar; by default for long work on a terminal, with tqdm

    Returns
    -------
    Report ; ``report.ok``, ``report.raise_if_wrong()``, ``print(report)``

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([0.5, -1.0])
    >>> print(check_jacobian(np.tanh, x, np.diag(1 - np.tanh(x))))
    ✗  ∂f/∂x  2 × 2  wrong  rel. error 7.6e-01  ∂f[1]/∂x[1]
        → J ≈ D times 1/(1 + f), for each output i
    ...
    """
    several = is_argument_tuple(f, x, argnums)
    arguments = x if several else (x,)
    default = tuple(range(len(arguments))) if several else 0
    numbers = argnums if argnums is not None else default
    partials = resolve(f, arguments, numbers)
    claims, stateful = _claims(J, arguments, [partial.name for partial in partials], isinstance(numbers, tuple))
    findings = []
    for partial, claimed in zip(partials, claims, strict=True):
        finding = examine(
            partial.f, partial.x, claimed, wrt=partial.name, strategy=strategy, seed=seed,
            previous=None if several else previous_x, progress=progress,
        )  # fmt: skip
        if stateful and not finding.ok:
            finding = replace(finding, explanations=(*finding.explanations, stateful))
        if not finding.ok and callable(J) and not several:
            finding = _constant(finding, J, partial.x)
        findings.append(replace(finding, notes=(*finding.notes, *vacuous(partial.x, partial.name))))
    return Report(tuple(findings))


def _claims(J: Any, arguments: tuple[Any, ...], names: list[str], several: bool) -> tuple[list[Any], str]:
    """Return the claimed Jacobians, one per argument, calling J if it is a function; and whether it keeps a state."""
    stateful = ""
    if callable(J) and not hasattr(J, "shape"):
        with quiet():
            function, J = J, J(*_copies(arguments))
            again = function(*_copies(arguments))
        if isinstance(J, np.ndarray | float) and np.shape(J) == np.shape(again):
            same = np.array_equal(np.asarray(J), np.asarray(again), equal_nan=True)
            stateful = "" if same else "J differs between two calls at the same x: a stale forward value or state?"
    if not several:
        if isinstance(J, Mapping):
            J = J[names[0]] if names[0] in J else next(iter(J.values()))
        elif isinstance(J, tuple) and len(J) == 1:
            J = J[0]
        return [J], stateful
    if isinstance(J, Mapping):
        missing = [name for name in names if name not in J]
        if missing:
            raise ValueError(f"J has no entry for {missing[0]!r}; it has {list(J)}")
        return [J[name] for name in names], stateful
    if not isinstance(J, tuple | list) or len(J) != len(names):
        raise ValueError(f"J must be a tuple of {len(names)} Jacobians, one per argument ({', '.join(names)})")
    return list(J), stateful


def _copies(arguments: tuple[Any, ...]) -> list[Any]:
    return [np.array(value, copy=True) if isinstance(value, np.ndarray) else value for value in arguments]


def _constant(finding: Finding, J: Callable[..., Any], x: Any) -> Finding:
    """Say so if J is a function that does not depend on x, which a stale forward value also looks like."""
    try:
        with quiet():
            here = np.asarray(J(np.array(x, dtype=float, copy=True)), dtype=float)
            there = np.asarray(J(1.3 * np.array(x, dtype=float, copy=True) + 0.1), dtype=float)
    except Exception:  # whatever J objects to, this is only a hint
        return finding
    if here.shape == there.shape and np.array_equal(here, there) and here.any():
        hint = "J is the same at another x: it may use a stale forward value"
        return replace(finding, explanations=(*finding.explanations, hint))
    return finding
