"""What backward and forward passes have in common: calling them with vectors, and what is said of a whole pass.

The Jacobian is put together from products with unit vectors. Where these would be too many, random combinations of the
outputs (of the entries of x) stand in for them, and a wrong one is halved until a single output (entry) is left.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.judging.options import Options
from jacobians.checking.measuring.arguments import Argnums, Arguments
from jacobians.checking.measuring.frameworks import native
from jacobians.checking.measuring.function import ForgottenReturn, as_array, quiet
from jacobians.checking.measuring.nested import flatten
from jacobians.checking.points import vacuous
from jacobians.checking.report.finding import WRONG, Finding
from jacobians.checking.report.report import Report

MOST_PRODUCTS = 1024  # products with unit vectors; beyond that random combinations of outputs or of entries of x
COMBINATIONS = 24


class Pass:
    """A pass and what is known of it; the subclasses say what a product is."""

    kind, vector, what = "vjp", "u", "outputs"

    def __init__(
        self, f: Callable[..., Any], x: Any, call: Callable[..., Any], argnums: Argnums, options: Options,
        directions: int | None,
    ) -> None:  # fmt: skip
        self.arguments = Arguments.of(f, x, argnums)
        self.variables = self.arguments.variables()
        self.call = native(call, self.arguments.values)
        self.needed = required(call)
        self.options, self.directions = options, directions
        self.random = np.random.default_rng(options.seed)
        with quiet():
            _, arrays, self.nest = flatten(self.arguments.f(*self.arguments.copies()))
        self.outputs = [as_array(array, "the output of f") for array in arrays]
        self.points = [as_array(variable.x, variable.name) for variable in self.variables]

    def product(self, vector: NDArray[Any]) -> list[NDArray[Any]]:
        """The arrays that the pass returns for a vector, copied."""
        raise NotImplementedError

    def report(self) -> Report:
        """The findings by every variable, or that the pass returns nothing."""
        try:
            return self.assembled()
        except ForgottenReturn as error:
            shape = self.outputs[0].shape if len(self.outputs) == 1 else ()
            name, wrt_shape = f"{self.kind}: ∂f/∂{self.variables[0].name}", self.points[0].shape
            return Report((Finding(name, shape, wrt_shape, WRONG, explanations=(str(error),)),), self.kind)

    def assembled(self) -> Report:
        """The findings by every variable."""
        raise NotImplementedError

    def shaped(self, vector: NDArray[Any], like: Sequence[NDArray[Any]]) -> list[Any]:
        """A flat vector as arrays of the shapes and dtypes of others."""
        found, start = [], 0
        for array in like:
            kind = array.dtype if vector.dtype.kind != "c" or array.dtype.kind == "c" else vector.dtype
            piece = vector[start : start + array.size].reshape(array.shape).astype(kind)
            found.append(piece if array.ndim else piece[()])
            start += array.size
        return found

    def combinations(self, count: int) -> NDArray[np.float64] | None:
        """Random signs for combinations of many outputs (entries); None where every one has its own product."""
        if self.directions is None and count <= MOST_PRODUCTS:
            return None
        return self.random.choice([-1.0, 1.0], size=(self.directions or COMBINATIONS, count))

    def state(self, vector: NDArray[Any], first: Sequence[NDArray[Any]]) -> list[str]:
        """What is to be said if the pass gives something else when it is called again."""
        again = self.product(vector)
        for one, other in zip(first, again, strict=True):
            size = float(np.max(np.abs(one), where=np.isfinite(one), initial=0))
            precision = float(np.finfo(one.dtype).eps)
            if not np.allclose(one, other, rtol=1e4 * precision, atol=100 * precision * size, equal_nan=True):
                return [
                    f"{self.kind} gives something else when it is called again: added up over calls, "
                    "or another state it keeps?"
                ]
        return []

    def misshapen(self, got: tuple[int, ...], name: str, shape: tuple[int, ...]) -> Finding:
        """The finding on a product of the wrong shape."""
        said = f"{self.kind} returns shape {got}; {name} has shape {shape}"
        out_shape = self.outputs[0].shape if len(self.outputs) == 1 else (sum(array.size for array in self.outputs),)
        return Finding(f"{self.kind}: ∂f/∂{self.variables[0].name}", out_shape, shape, WRONG, explanations=(said,))

    def general(self, finding: Finding) -> tuple[str, ...]:
        """The explanations that hold for the Jacobian, and not only for its random combinations."""
        return tuple(said for said in finding.explanations if said.startswith(("J ≈", "J is zero")))

    def finished(self, findings: Sequence[Finding], said: Sequence[str], combined: int | None) -> Report:
        """The report, with what holds for the whole pass."""
        found = []
        for finding in findings:
            notes = finding.notes
            if combined is not None:
                how = f"checked on {combined} random combinations of {self.what}"
                notes = (*notes, f"{how}: what they resolve escapes them with probability 2^-{combined} at most")
            name = finding.name if finding.name.startswith(self.kind) else f"{self.kind}: {finding.name}"
            verdict = WRONG if said else finding.verdict
            found.append(
                replace(finding, name=name, verdict=verdict, notes=notes, explanations=(*said, *finding.explanations))
            )
        names = zip(self.arguments.names, self.arguments.values, strict=True)
        return Report(tuple(found), self.kind, tuple(note for name, value in names for note in vacuous(value, name)))


def required(call: Callable[..., Any]) -> int | None:
    """The number of positional arguments that a function requires."""
    try:
        parameters = list(inspect.signature(call).parameters.values())
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    own = [p for p in parameters if p.kind in kinds]
    required = sum(p.default is p.empty for p in own)
    return len(own) if required == 0 else required


def halved(candidates: NDArray[np.intp], off: Callable[[NDArray[np.intp]], float]) -> int:
    """The one of the candidates that is left when always the half that is further off is kept."""
    while len(candidates) > 1:
        halves = np.array_split(candidates, 2)
        candidates = max(halves, key=off)
    return int(candidates[0])


def close(one: NDArray[Any], other: NDArray[Any], J: NDArray[Any], test: NDArray[np.float64]) -> bool:
    """Whether a product agrees with the sum of products with unit vectors."""
    largest = float(np.max(np.abs(J), where=np.isfinite(J), initial=0)) * float(np.abs(test).sum())
    precision = max(float(np.finfo(J.dtype).eps) if J.dtype.kind in "fc" else 0.0, 1e-12)
    return bool(
        np.allclose(
            np.reshape(one, np.shape(other)),
            other,
            rtol=1e5 * precision,
            atol=1e4 * precision * largest + 1e-300,
            equal_nan=True,
        )
    )
