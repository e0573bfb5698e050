"""Wirtinger derivatives: pairs (∂f/∂z, ∂f/∂z̄) of functions that need not be holomorphic.

With z = a + ib, the derivatives along the axes are ∂f/∂a = ∂f/∂z + ∂f/∂z̄ and ∂f/∂b = i (∂f/∂z − ∂f/∂z̄).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jacobians.checking.judging.claim import Claim
from jacobians.checking.judging.comparison import Comparison, Names
from jacobians.checking.judging.examine import described, examined
from jacobians.checking.judging.judge import judge_lines
from jacobians.checking.judging.options import Options
from jacobians.checking.measuring.directions import columns
from jacobians.checking.measuring.function import Function, quiet
from jacobians.checking.measuring.verdicts import Verdict
from jacobians.checking.report.finding import Finding


def examine_pair(
    f: Callable[[Any], Any], x: Any, claimed: Callable[[Function], Sequence[Any]], names: Names, options: Options
) -> list[Finding]:
    """The findings on both derivatives of every output."""
    with quiet():
        function = Function(f, x)
    if function.point.dtype.kind != "c":
        raise ValueError(f"wirtinger=True is for a complex {names.wrt}; it is {function.given_dtype}")
    pairs = claimed(function)
    for pair in pairs:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise ValueError("with wirtinger=True, J is a pair (∂f/∂z, ∂f/∂z̄)")
    both = [Claim.of([pair[k] for pair in pairs], function, options) for k in (0, 1)]
    by_name = [names, Names(names.output, f"{names.wrt}̄")]
    if not all(part.fits for claim in both for part in claim.parts):
        return [one for k in (0, 1) for one in examined(function, [pair[k] for pair in pairs], by_name[k], options)]
    everything = np.arange(function.point.size, dtype=np.intp)
    one, other = (claim.dense_columns(everything) for claim in both)
    sums, differences = (
        [array[output.rows].reshape(output.shape + function.point.shape) for output in function.outputs]
        for array in (one + other, one - other)
    )
    along = judge_lines(function, columns(function, everything), Claim.of(sums, function, options))
    across = judge_lines(function, columns(function, everything, 1j), Claim.of(differences, function, options))
    verdict = np.maximum(along.verdict, across.verdict)
    error = (along.error + across.error) / 2
    findings = []
    for sign, stated, name in ((1, one, by_name[0]), (-1, other, by_name[1])):
        value = (along.value + sign * across.value / 1j) / 2
        with quiet():
            size = np.maximum(np.abs(stated.T), np.abs(value))
            near = np.abs(stated.T - value) <= 3 * error + options.rtol * size + options.atol
        own = np.where((verdict >= Verdict.KINK_WRONG) & near, Verdict.RIGHT, verdict).astype(np.int8)
        for output in function.outputs:
            rows = output.rows
            comparison = Comparison(
                output, function.point.shape, name.of(output), stated[rows], value.T[rows], error.T[rows], own.T[rows]
            )
            findings.append(described(function, comparison))
    return findings
