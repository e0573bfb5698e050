"""check_hessian: a claimed Hessian against the measured Jacobian of the gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jacobians.checking.jacobian import check_jacobian
from jacobians.checking.judging.options import RTOL
from jacobians.checking.measuring.arguments import Argnums, Arguments
from jacobians.checking.measuring.function import Function, as_array, quiet
from jacobians.checking.measuring.numerical import Method, measured_jacobian
from jacobians.checking.report.report import Report
from jacobians.functions.trace import jacobian

TRACED = "differences of the gradient that jacobian(f) gives"
GIVEN = "differences of the gradient that was given"
NUMERICAL = "differences of a numerical gradient, which is less exact"
NUMERICAL_RTOL = 1e-5


def check_hessian(
    f: Callable[..., Any],
    x: Any,
    H: Any,
    *,
    argnums: Argnums = None,
    grad: Callable[..., Any] | None = None,
    rtol: float = RTOL,
    atol: float = 0.0,
    names: Sequence[str] | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Report:
    """Check a claimed Hessian H of f at x: ∂²f_i/∂x_j∂x_k, of shape f(x).shape + x.shape + x.shape.

    H is compared with the measured Jacobian of the exact gradient, if there is one: ``grad``, or what `jacobian` gives
    if it can trace f. Otherwise the gradient is a numerical one, too.

    Parameters
    ----------
    f, x, argnums, rtol, atol, names, seed, progress
        As for `check_jacobian`.
    H
        An array, a `Jacobian`, or a function of x that returns one. For several arguments a tuple (or a mapping by
        name) with a tuple for each: ``H[i][j]`` is by argument i, then by argument j.
    grad
        The exact Jacobian of f, a function of the same arguments; for several arguments it returns a tuple.

    Returns
    -------
    Report
        It is true if all is right; of f by x it speaks as ∂∇f/∂x.

    Examples
    --------
    >>> f = lambda x: x[0] ** 2 * x[1]
    >>> check_hessian(f, [1.5, -2.0], [[-4.0, 3.0], [3.0, 0.0]]).ok
    True
    """
    arguments = Arguments.of(f, x, argnums, names)
    gradient, how = _gradient(f, arguments, grad)
    if how == NUMERICAL:
        rtol = max(rtol, NUMERICAL_RTOL)
    claim = (lambda *values: _by_name(H(*values), arguments)) if _is_function(H) else _by_name(H, arguments)
    numbers = arguments.wanted if arguments.several else arguments.wanted[0]
    report = check_jacobian(
        gradient, arguments.values, claim, argnums=numbers, rtol=rtol, atol=atol, names=arguments.names,
        output_name="∇f", seed=seed, progress=progress,
    )  # fmt: skip
    if not report.ok and not _is_function(H) and not arguments.several and _is_lopsided(H, arguments):
        found = tuple(
            replace(one, explanations=(*one.explanations, "H is not symmetric, as second derivatives are"))
            if not one.ok else one for one in report.findings
        )  # fmt: skip
        report = replace(report, findings=found)
    return replace(report, notes=(*report.notes, f"measured by {how}"))


def _is_function(H: Any) -> bool:
    return callable(H) and not hasattr(H, "shape")


def _by_name(H: Any, arguments: Arguments) -> Any:
    """A tuple of rows as a mapping, which is what the gradient is for several arguments."""
    if not arguments.several or isinstance(H, Mapping) or not isinstance(H, tuple | list):
        return H
    names = [arguments.names[k] for k in arguments.wanted]
    if len(H) != len(names):
        raise ValueError(f"H must have {len(names)} rows, one for each argument; it has {len(H)}")
    return dict(zip(names, H, strict=True))


def _gradient(f: Callable[..., Any], arguments: Arguments, grad: Any) -> tuple[Callable[..., Any], str]:
    """The gradient of f as a function of the same arguments, and where it comes from."""
    numbers = arguments.wanted if arguments.several else arguments.wanted[0]
    names = [arguments.names[k] for k in arguments.wanted]

    def named(gradient: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *values: (
            dict(zip(names, gradient(*values), strict=True)) if arguments.several else gradient(*values)
        )

    if grad is not None:
        return named(grad), GIVEN
    traced = jacobian(f, argnums=numbers)
    try:
        with quiet():
            traced(*arguments.copies())
    except Exception:  # a function that cannot be traced is differentiated numerically
        return named(_numerically(f, arguments)), NUMERICAL
    return named(traced), TRACED


def _numerically(f: Callable[..., Any], arguments: Arguments) -> Callable[..., Any]:
    """The gradient by complex steps if f is analytic, by differences if not."""

    def by(values: tuple[Any, ...], method: Method) -> list[Any]:
        found = []
        for variable in replace(arguments, values=values).variables():
            function = Function(variable.f, variable.x, repeats=0)
            value = measured_jacobian(function, method).value
            found.append(np.ascontiguousarray(value.T).reshape(function.shape + function.point.shape))
        return found

    method: Method = "complex"
    try:
        with quiet():
            by(arguments.copies(), "complex")
    except ValueError:  # f is not analytic
        method = "richardson"
    return lambda *values: tuple(by(values, method)) if arguments.several else by(values, method)[0]


def _is_lopsided(H: Any, arguments: Arguments) -> bool:
    """Whether a claim is not symmetric in its two groups of axes of x."""
    try:
        array = as_array(H, "H")
        count = as_array(arguments.values[arguments.wanted[0]], "x").ndim
    except (TypeError, ValueError):
        return False
    out = array.ndim - 2 * count
    if count == 0 or out < 0 or array.shape[out : out + count] != array.shape[out + count :]:
        return False
    swapped = array.transpose([*range(out), *range(out + count, array.ndim), *range(out, out + count)])
    return not np.allclose(array, swapped, rtol=1e-6, atol=1e-12 * float(np.abs(array).max(initial=0)))
