"""Backward passes: uᵀ ∂f/∂x."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.judging.comparison import Names, multi_index
from jacobians.checking.judging.examine import examined
from jacobians.checking.measuring.arguments import Variable
from jacobians.checking.measuring.directions import columns
from jacobians.checking.measuring.function import Function, as_array, quiet
from jacobians.checking.measuring.nested import flatten, pick
from jacobians.checking.measuring.numerical import measured_jacobian
from jacobians.checking.passes.products import Pass, close, halved
from jacobians.checking.report.finding import WRONG, Entry, Finding
from jacobians.checking.report.report import Report


class Backward(Pass):
    """uᵀ ∂f/∂x."""

    def product(self, vector: NDArray[Any]) -> list[NDArray[Any]]:
        """The arrays that the pass returns for u, one for each variable."""
        u = self.nest(self.shaped(vector, self.outputs))
        values = self.arguments.copies()
        count = len(values)
        if self.needed == 1:
            self.arguments.f(*values)  # a pass that keeps what its forward pass saw
            result = self.call(u)
        elif self.needed == 2 and count > 1:
            result = self.call(values, u)
        else:
            result = self.call(*values, u)
        return self._arrays(result)

    def _arrays(self, result: Any) -> list[NDArray[Any]]:
        """One array for each variable, from what the pass returned: a tuple, but for a single argument."""
        places, nested = len(self.arguments.wanted), bool(self.variables and self.variables[0].path)
        alone = isinstance(result, tuple) and len(result) == 1 and not nested
        if not isinstance(result, tuple | list) or (not self.arguments.several and not alone):
            result = (result,)
        if len(result) != places:
            raise ValueError(f"vjp must return {places} arrays, one for each argument; it returns {len(result)}")
        what = "what vjp returns"
        picked = [pick(result[variable.argument or 0], variable.path, what) for variable in self.variables]
        return [np.array(as_array(array, what), copy=True) for array in picked]

    def assembled(self) -> Report:
        """The findings by every variable."""
        outputs = sum(array.size for array in self.outputs)
        signs = self.combinations(outputs)
        vectors = np.eye(outputs) if signs is None else signs
        rows: list[list[NDArray[Any]]] = []
        with quiet():
            for u in vectors:
                rows.append(self.product(u))
                for array, point, variable in zip(rows[-1], self.points, self.variables, strict=True):
                    if array.shape != point.shape:
                        return self.finished([self.misshapen(array.shape, variable.name, point.shape)], (), None)
            by_variable = [
                np.array([row[k] for row in rows]).reshape(len(rows), point.size) for k, point in enumerate(self.points)
            ]
            said = self.state(vectors[0], rows[0]) if rows else []
            if rows and not said:
                weights = self.random.standard_normal(len(rows))
                mixed = self.product(weights @ vectors)
                if not all(
                    map(close, mixed, (weights @ J for J in by_variable), by_variable, itertools.repeat(weights))
                ):
                    said = ["vjp is not linear in u: its products with unit vectors do not add up"]
        findings: list[Finding] = []
        for variable, point, J in zip(self.variables, self.points, by_variable, strict=True):
            findings += self._by(variable, point, J, signs)
        return self.finished(findings, said, None if signs is None else len(signs))

    def _by(
        self, variable: Variable, point: NDArray[Any], J: NDArray[Any], signs: NDArray[np.float64] | None
    ) -> list[Finding]:
        names = Names("f", variable.name)
        if signs is None:
            with quiet():
                function = Function(variable.f, variable.x)
            claims = [J[output.rows].reshape(output.shape + point.shape) for output in function.outputs]
            return examined(function, claims, names, self.options)

        def combined(value: Any) -> Any:
            arrays = flatten(variable.f(value))[1]
            return signs @ np.concatenate([as_array(array, "the output of f").reshape(-1) for array in arrays])

        with quiet():
            function = Function(combined, variable.x)
        (finding,) = examined(function, [J.reshape(len(signs), *point.shape)], names, self.options)
        if finding.verdict != WRONG or not finding.worst:
            return [finding]
        return [self._located(finding, variable, point)]

    def _located(self, finding: Finding, variable: Variable, point: NDArray[Any]) -> Finding:
        """Halve the outputs until one is left whose derivative by the worst entry is wrong."""
        index = finding.worst[0].index[1:]
        column = int(np.ravel_multi_index(index, point.shape)) if index else 0
        number = self.variables.index(variable)
        with quiet():
            function = Function(variable.f, variable.x)
            lines = columns(function, np.array([column], dtype=np.intp))
            measured = measured_jacobian(function, lines=lines)
            value, error = measured.value[0], measured.error[0]

            def off(chosen: NDArray[np.intp]) -> float:
                signs = np.zeros(value.size)
                signs[chosen] = self.random.choice([-1.0, 1.0], size=len(chosen))
                return float(
                    abs(self.product(signs)[number].reshape(-1)[column] - signs @ np.where(signs == 0, 0, value))
                )

            row = halved(np.arange(value.size, dtype=np.intp), off)
            claimed = self.product(np.eye(1, value.size, row)[0])[number].reshape(-1)[column].item()
        output = next(one for one in function.outputs if one.rows.start <= row < one.rows.stop)
        names = Names("f", variable.name).of(output)
        place = multi_index(row - output.rows.start, column, output.shape, point.shape)
        entry = Entry(
            place, names.entry(place, len(output.shape)), claimed, value[row].item(), float(error[row]), "wrong"
        )
        return replace(
            finding, worst=(entry,), explanations=(*self.general(finding), f"found by halving: {entry.name}")
        )
