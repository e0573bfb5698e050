"""Forward passes: ∂f/∂x h."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.judging.comparison import Names
from jacobians.checking.judging.examine import examined
from jacobians.checking.judging.options import COLUMNS
from jacobians.checking.measuring.function import Function, as_array, quiet
from jacobians.checking.measuring.nested import flatten
from jacobians.checking.measuring.numerical import measured_jacobian
from jacobians.checking.passes.products import Pass, close, halved
from jacobians.checking.report.finding import WRONG, Entry, Finding
from jacobians.checking.report.report import Report


class Forward(Pass):
    """∂f/∂x h."""

    kind, vector, what = "jvp", "h", "entries of x"

    def product(self, vector: NDArray[Any]) -> list[NDArray[Any]]:
        """The arrays that the pass returns for the tangents of all variables in a row, one for each output."""
        tangents = self._tangents(vector)
        values = self.arguments.copies()
        count = len(values)
        if self.needed == 1:
            result = self.call(tangents[0] if len(tangents) == 1 else tuple(tangents))
        elif count == 1 or (self.needed == count + len(tangents) and self.needed != 2):
            result = self.call(*values, *tangents)
        elif self.needed == 2 or self.needed is None:
            result = self.call(values, tuple(tangents))
        else:
            result = self.call(*values, *tangents)
        paths, arrays, _ = flatten(result)
        if len(arrays) == 1 and len(self.outputs) == 1 and paths[0] in ((), (0,)):
            return [np.array(as_array(arrays[0], "what jvp returns"), copy=True)]
        if len(arrays) != len(self.outputs):
            raise ValueError(f"jvp must return {len(self.outputs)} arrays as f does; it returns {len(arrays)}")
        return [np.array(as_array(array, "what jvp returns"), copy=True) for array in arrays]

    def _tangents(self, vector: NDArray[Any]) -> list[Any]:
        """One tangent for each argument that is differentiated by, nested as that is."""
        pieces = iter(self.shaped(vector, self.points))
        found = []
        for number in self.arguments.wanted:
            _, arrays, rebuild = flatten(self.arguments.values[number])
            found.append(rebuild([next(pieces) for _ in arrays]))
        return found

    def assembled(self) -> Report:
        """The findings by every variable."""
        entries = sum(point.size for point in self.points)
        signs = self.combinations(entries)
        if signs is not None:
            scale = np.concatenate([np.where(point == 0, 1.0, np.abs(point)).reshape(-1) for point in self.points])
            signs = signs * scale
        vectors = np.eye(entries) if signs is None else signs
        columns_of: list[NDArray[Any]] = []
        with quiet():
            for h in vectors:
                found = self.product(h)
                for array, output in zip(found, self.outputs, strict=True):
                    if array.shape != output.shape:
                        return self.finished([self.misshapen(array.shape, "f(x)", output.shape)], (), None)
                columns_of.append(_joined(found))
            J = np.array(columns_of).T if columns_of else np.zeros((sum(one.size for one in self.outputs), 0))
            said: list[str] = []
            if columns_of:
                ends = np.cumsum([output.size for output in self.outputs])[:-1]
                first = [one.reshape(out.shape) for one, out in zip(np.split(J[:, 0], ends), self.outputs, strict=True)]
                said = self.state(vectors[0], first)
            if columns_of and not said:
                weights = self.random.standard_normal(len(vectors))
                if not close(_joined(self.product(weights @ vectors)), J @ weights, J, weights):
                    said = ["jvp is not linear in h: its products with unit vectors do not add up"]
        findings = self._along(J, signs) if signs is not None else self._columns(J)
        return self.finished(findings, said, None if signs is None else len(signs))

    def _columns(self, J: NDArray[Any]) -> list[Finding]:
        findings: list[Finding] = []
        start = 0
        for variable, point in zip(self.variables, self.points, strict=True):
            mine = J[:, start : start + point.size]
            start += point.size
            with quiet():
                function = Function(variable.f, variable.x)
            claims = [mine[output.rows].reshape(output.shape + point.shape) for output in function.outputs]
            findings += examined(function, claims, Names("f", variable.name), self.options)
        return findings

    def _function(self, directions: NDArray[np.float64]) -> Function:
        """f along directions of all variables together, as a function of the steps along them."""

        def along(steps: NDArray[np.float64]) -> Any:
            pieces = iter(self.shaped(steps @ directions, self.points))
            values = list(self.arguments.values)
            for number in self.arguments.wanted:
                _, arrays, rebuild = flatten(values[number])
                values[number] = rebuild([as_array(array, "x") + next(pieces) for array in arrays])
            return self.arguments.f(*values)

        return Function(along, np.zeros(len(directions)))

    def _along(self, J: NDArray[Any], directions: NDArray[np.float64]) -> list[Finding]:
        with quiet():
            function = self._function(directions)
        claims = [J[output.rows].reshape(*output.shape, len(directions)) for output in function.outputs]
        joined = ", ".join(variable.name for variable in self.variables)
        findings = examined(function, claims, Names("f", joined), replace(self.options, strategy=COLUMNS))
        found = []
        for finding, output in zip(findings, function.outputs, strict=True):
            finding = replace(
                finding, wrt_shape=self.points[0].shape if len(self.points) == 1 else (directions.shape[1],)
            )
            if finding.verdict == WRONG and finding.worst:
                index = finding.worst[0].index[:-1]
                row = output.rows.start + (int(np.ravel_multi_index(index, output.shape)) if index else 0)
                finding = self._located(finding, row, index, directions[finding.worst[0].index[-1]])
            found.append(finding)
        return found

    def _located(self, finding: Finding, row: int, index: tuple[int, ...], direction: NDArray[np.float64]) -> Finding:
        """Halve the entries of x until one is left by which the derivative of the worst output is wrong."""

        def both(chosen: NDArray[np.intp]) -> tuple[Any, Any, float]:
            h = np.zeros(direction.size)
            h[chosen] = direction[chosen] * self.random.choice([-1.0, 1.0], size=len(chosen))
            if len(chosen) == 1:
                h[chosen] = 1.0
            measured = measured_jacobian(self._function(h[None]).only(np.array([row])))
            claimed = _joined(self.product(h))[row]
            return claimed, measured.value[0, 0], float(measured.error[0, 0])

        with quiet():
            entry_of_x = halved(
                np.arange(direction.size, dtype=np.intp), lambda s: float(abs(np.subtract(*both(s)[:2])))
            )
            claimed, value, error = both(np.array([entry_of_x]))
        start = 0
        for one, point in zip(self.variables, self.points, strict=True):
            variable = one
            if entry_of_x < start + point.size:
                inside = tuple(int(k) for k in np.unravel_index(entry_of_x - start, point.shape)) if point.shape else ()
                break
            start += point.size
        out_name = finding.name.removeprefix("∂").partition("/")[0]
        name = Names(out_name, variable.name).entry((*index, *inside), len(index))
        entry = Entry((*index, *inside), name, np.asarray(claimed).item(), np.asarray(value).item(), error, "wrong")
        return replace(finding, worst=(entry,), explanations=(*self.general(finding), f"found by halving: {name}"))


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """The entries of arrays in a row."""
    return np.concatenate([array.reshape(-1) for array in arrays])
