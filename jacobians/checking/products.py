"""Hand-written backward and forward passes: products uᵀJ and J h, without J ever being written down."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.judging.examine import examine
from jacobians.checking.measuring.function import Function, as_array, quiet
from jacobians.checking.report.report import WRONG, Finding, Report
from jacobians.checking.vacuous import vacuous

__all__ = ["check_jvp", "check_vjp"]

_MOST_PRODUCTS = 1024  # products with unit vectors; beyond that random combinations of outputs or of entries of x
_COMBINATIONS = 24


def _caller(product: Callable[..., Any], x: Any) -> Callable[[NDArray[Any]], Any]:
    """Return product(x, ·), or product itself if it takes a single argument."""
    try:
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        parameters = [p for p in inspect.signature(product).parameters.values() if p.kind in kinds]
        required = [p for p in parameters if p.default is inspect.Parameter.empty]
        single = len(required) <= 1 and len(parameters) == 1
    except (TypeError, ValueError):
        single = False

    def call(vector: NDArray[Any]) -> Any:
        given = np.array(vector, copy=True)
        scalar = given[()] if given.ndim == 0 else given
        return (
            product(scalar) if single else product(np.array(x, copy=True) if isinstance(x, np.ndarray) else x, scalar)
        )

    return call


def check_vjp(
    f: Callable[..., Any], x: Any, vjp: Callable[..., Any], *, seed: int = 0, progress: bool | None = None
) -> Report:
    """Check a backward pass: vjp(x, u) = uᵀ ∂f/∂x, of x's shape, for u of f's shape.

    The Jacobian is put together from products with unit vectors u (random combinations of outputs if there are many)
    and checked entry by entry; random u show whether the pass is linear in u.

    Parameters
    ----------
    f, x : as for `check_jacobian`
    vjp : vjp(x, u), or vjp(u) if it takes a single argument
    seed : of the random combinations
    progress : whether to show a progress bar

    Examples
    --------
    >>> import numpy as np
    >>> check_vjp(np.tanh, np.array([0.5, -1.0]), lambda x, u: u * (1 - np.tanh(x) ** 2)).ok
    True
    """
    with quiet():
        function = Function(f, x)
    call = _caller(vjp, x)
    random = np.random.default_rng(seed)
    outputs, point = function.base.size, function.point
    if outputs <= _MOST_PRODUCTS:
        combinations, g = np.eye(outputs), f
        rows_shape = function.shape
    else:
        combinations = random.choice([-1.0, 1.0], size=(_COMBINATIONS, outputs))
        rows_shape = (_COMBINATIONS,)

        def g(value: Any) -> Any:
            return combinations @ as_array(f(value), "the output of f").reshape(-1)

    with quiet():
        rows = []
        for u in combinations:
            row = as_array(call(u.reshape(function.shape)), "what vjp returns")
            if row.shape != point.shape:
                return _misshapen("vjp", row.shape, "x", point.shape, function)
            rows.append(row.reshape(-1))
        J = np.array(rows, dtype=np.result_type(*rows) if rows else float).reshape(rows_shape + point.shape)
        test = random.standard_normal(outputs)
        both = as_array(call(test.reshape(function.shape)), "what vjp returns").reshape(-1)
        linear = outputs > _MOST_PRODUCTS or np.allclose(
            both, test @ J.reshape(outputs, -1), rtol=1e-5, atol=_slack(J, test)
        )
    finding = examine(g, x, J, progress=progress, seed=seed)
    return _report(finding, "vjp", "u", linear, x, outputs > _MOST_PRODUCTS)


def check_jvp(
    f: Callable[..., Any], x: Any, jvp: Callable[..., Any], *, seed: int = 0, progress: bool | None = None
) -> Report:
    """Check a forward pass: jvp(x, h) = ∂f/∂x h, of f's shape, for h of x's shape.

    Parameters
    ----------
    f, x : as for `check_jacobian`
    jvp : jvp(x, h), or jvp(h) if it takes a single argument
    seed : of the random combinations
    progress : whether to show a progress bar

    Examples
    --------
    >>> import numpy as np
    >>> check_jvp(np.tanh, np.array([0.5, -1.0]), lambda x, h: h * (1 - np.tanh(x) ** 2)).ok
    True
    """
    with quiet():
        function = Function(f, x)
    call = _caller(jvp, x)
    random = np.random.default_rng(seed)
    point, entries = function.point, function.point.size
    many = entries > _MOST_PRODUCTS
    directions = random.choice([-1.0, 1.0], size=(_COMBINATIONS, entries)) if many else np.eye(entries)
    if many:
        directions = directions * np.where(point == 0, 1.0, np.abs(point)).reshape(-1)
    with quiet():
        columns = []
        for h in directions:
            column = as_array(call(h.reshape(point.shape)), "what jvp returns")
            if column.shape != function.shape:
                return _misshapen("jvp", column.shape, "f(x)", function.shape, function)
            columns.append(column.reshape(-1))
        J = np.array(columns, dtype=np.result_type(*columns) if columns else float).reshape(len(directions), -1).T
        test = random.standard_normal(entries)
        both = as_array(call(test.reshape(point.shape)), "what jvp returns").reshape(-1)
        linear = many or np.allclose(both, J @ test, rtol=1e-5, atol=_slack(J, test))
    if many:

        def along(t: NDArray[np.float64]) -> Any:
            return f(point + (t @ directions).reshape(point.shape))

        finding = examine(along, np.zeros(_COMBINATIONS), J.reshape(*function.shape, -1), progress=progress, seed=seed)
    else:
        finding = examine(f, x, J.reshape(function.shape + point.shape), progress=progress, seed=seed)
    return _report(finding, "jvp", "h", linear, x, many)


def _slack(J: NDArray[Any], test: NDArray[np.float64]) -> float:
    return 1e-6 * float(np.max(np.abs(J), where=np.isfinite(J), initial=0)) * float(np.abs(test).sum()) + 1e-300


def _misshapen(kind: str, got: tuple[int, ...], what: str, shape: tuple[int, ...], function: Function) -> Report:
    text = f"{kind} returns shape {got}; {what} has shape {shape}"
    return Report((Finding(kind, function.shape, function.point.shape, WRONG, explanations=(text,)),), kind)


def _report(finding: Finding, kind: str, vector: str, linear: bool, x: Any, combined: bool) -> Report:
    notes = finding.notes
    if combined:
        notes = (
            *notes,
            f"checked on {_COMBINATIONS} random combinations; a mistake escapes with probability 2^-{_COMBINATIONS}",
        )
    if not linear:
        text = f"{kind} is not linear in {vector}: its products with unit vectors do not add up"
        finding = replace(finding, verdict=WRONG, explanations=(text, *finding.explanations))
    finding = replace(finding, name=f"{kind}: {finding.name}", notes=(*notes, *vacuous(x)))
    return Report((finding,), kind)
