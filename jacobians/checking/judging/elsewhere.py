"""Whether a claim that is wrong at x is the derivative at another point: an earlier x, or the output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from jacobians.checking.judging.comparison import Comparison
from jacobians.checking.measuring.arguments import Variable
from jacobians.checking.measuring.directions import columns
from jacobians.checking.measuring.function import Function, quiet
from jacobians.checking.measuring.numerical import measured_jacobian


def stale(variable: Variable, comparison: Comparison, previous: Any) -> Iterator[str]:
    """Test whether J is the derivative at an earlier point."""
    if agrees_at(variable, comparison, previous):
        yield "J agrees at the previous x: a stale forward value"


def at_output(variable: Variable, comparison: Comparison) -> Iterator[str]:
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
            if agrees_at(variable, comparison, output.reshape(comparison.output.shape)):
                yield "J is the derivative at the output f(x), not at x"
    except Exception:  # f(x) may be outside the domain of f
        return


def agrees_at(variable: Variable, comparison: Comparison, point: Any) -> bool:
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
