"""Second derivatives of a recording: the local Jacobians of its layers are NumPy programs, so they are traced, too.

Every layer's `local` is called with traced values. The arrays in its terms are then values of a recording as well, and
their own layers say how they depend on what they are made of; the engine does the rest (`jacobians.engine.second`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jacobians.core.graph import Node, Recording, Wanted
from jacobians.core.jacobian import Jacobian
from jacobians.core.terms import Terms
from jacobians.core.traced import Traced, traced_layer
from jacobians.engine import compiler, second
from jacobians.engine.tape import Array
from jacobians.errors import TracingError
from jacobians.kept import Memory

FIRST = -(1 << 30)  # the vertex of tangents
_plans = Memory()


class Seed(NamedTuple):
    """A Jacobian put before a graph, so that a product with it is what the graph gives; its argument is `FIRST`."""

    value: int
    argument: int
    jacobian: Jacobian


class Second(NamedTuple):
    """A second derivative that is asked for: ∂²value/∂first∂second, by their numbers, and what they are called."""

    value: int
    first: int
    second: int
    names: tuple[str, str, str]


def full(recording: Recording, wanted: Sequence[Second]) -> list[Array]:
    """The full second derivatives."""
    plan, arrays = _plan(recording, wanted, full=True)
    plan.program.require_memory()
    return list(plan.program(arrays))


def hessians(recording: Recording, wanted: Sequence[Second]) -> list[Jacobian]:
    """The unmaterialised second derivatives: Jacobians whose output axes are those of the value, then of the first."""
    plan, arrays = _plan(recording, wanted, full=False)
    plan.program.require_memory()
    made = plan.program(arrays)
    return [Jacobian(form, tuple([made[k] for k in numbers])) for form, numbers in plan.results]


def products(
    recording: Recording, values: Sequence[int], arguments: Sequence[int], tangents: Mapping[int, Array]
) -> list[Array]:
    """Σ_w ∂²value/∂x∂w · h_w for every value and argument x, without any matrix; the leading axes of h come first."""
    lead = next(h.shape[: h.ndim - recording.values[n].ndim] for n, h in tangents.items())
    cut = len(lead)
    seeds = [
        Seed(n, FIRST, Jacobian.from_array(np.moveaxis(h, range(cut), range(-cut, 0)), h.ndim - cut))
        for n, h in tangents.items()
    ]
    wanted = [Second(value, first, FIRST, ("f", "x", "t")) for value in values for first in arguments]
    plan, arrays = _plan(recording, wanted, True, seeds)
    plan.program.require_memory()
    return [np.moveaxis(p, range(p.ndim - cut, p.ndim), range(cut)) for p in plan.program(arrays)]


def _plan(
    recording: Recording, wanted: Sequence[Second], full: bool, seeds: Sequence[Seed] = ()
) -> tuple[compiler.Plan, list[Array]]:
    """The compiled second derivatives, and the arrays that they take."""
    drawing = _Drawing(recording, wanted, seeds)
    values = recording.values
    ends = {number: (values[number].shape, values[number].dtype) for one in wanted for number in one[:2]}
    ends |= {one.second: (values[one.second].shape, values[one.second].dtype) for one in wanted if one.second != FIRST}
    for seed in seeds:
        ends[FIRST] = seed.jacobian.wrt_shape, seed.jacobian.dtype
    asked = tuple([
        second.Second(value, first, by, (ends[value][0], ends[first][0], ends[by][0]),
                      np.result_type(ends[value][1], ends[first][1], ends[by][1]), names)
        for value, first, by, names in wanted
    ])  # fmt: skip
    curved, edges = tuple(drawing.curved), tuple(drawing.edges)
    plan = _plans.recall((full, curved, edges, asked), lambda: second.plan(curved, edges, asked, full))
    return plan, drawing.arrays


class _Drawing:
    """The graph of a recording, and behind it that of its local Jacobians, written down for the engine."""

    def __init__(self, recording: Recording, wanted: Sequence[Second], seeds: Sequence[Seed] = ()) -> None:
        self.recording = recording = recording.copy()
        self.arrays: list[Array] = []
        self.numbers: dict[int, int] = {}
        by = {one.second for one in wanted} | {seed.value for seed in seeds}
        by.discard(FIRST)
        sought = [Wanted(one.value, argument, "", "") for one in wanted for argument in (one.first, *by)]
        if recording.parts:
            recording.require_no_parts(sought)
        between = recording.between(sought)
        self.curved: list[second.Curved] = []
        factors: set[int] = set()
        for node, depends in between:
            for edge, marks in self._curved(node, depends):
                self.curved.append(second.Curved(edge, marks))
                factors.update(m for some in marks for m in some if m is not None)
        done = {node.value for node, _ in between}
        sought = [Wanted(factor, argument, "", "") for factor in factors for argument in by]
        written = [
            recording.write(node, depends, self.arrays, self.numbers)
            for node, depends in recording.between(sought) if node.value not in done
        ]  # fmt: skip
        self.edges = [*recording.edges(written), *[self._sown(seed) for seed in seeds]]

    def _sown(self, seed: Seed) -> compiler.Edge:
        """A Jacobian that is put before the graph."""
        form, numbers = seed.jacobian.form, range(len(self.arrays), len(self.arrays) + len(seed.jacobian.arrays))
        self.arrays += seed.jacobian.arrays
        shapes = form.out_shape, form.wrt_shape
        return compiler.Edge(seed.value, seed.argument, *shapes, form.dtype, "u", "t", form, tuple(numbers))

    def _curved(self, node: Node, depends: set[int] | None) -> list[tuple[compiler.Edge, tuple[second.Marks, ...]]]:
        """The local Jacobians of a node, and which of their factors are values."""
        recording = self.recording
        local = self._traced(node)
        plain, marks = {}, {}
        for name, number in node.arguments:
            if depends is None or number in depends:
                plain[name], marks[name] = _apart(local.get(name), recording)
        written = recording.write(node, depends, self.arrays, self.numbers, plain)
        names = [name for name, *_ in written[-1]]
        return list(zip(recording.edges([written]), [marks[name] for name in names], strict=True))

    def _traced(self, node: Node) -> Mapping[str, Any]:
        """What a layer writes of traced values."""
        recording, named = self.recording, dict(node.arguments)
        parameters = {name: named[name] for name in node.layer.own_parameters if name in named}
        layer = traced_layer(node.layer, {name: Traced(recording, n) for name, n in parameters.items()})
        inputs = [
            Traced(recording, named[name]) if name in named else x
            for name, x in zip(node.layer.input_names, node.inputs, strict=True)
        ]
        try:
            found: Mapping[str, Any] = layer.local(*inputs, Traced(recording, node.value))
        except (TracingError, AttributeError) as error:
            problem = "has no second derivative: its local Jacobian cannot be traced"
            raise TracingError(f"{type(node.layer).__name__} {problem}: {error}") from error
        return found


def _apart(written: Any, recording: Recording) -> tuple[Any, tuple[second.Marks, ...]]:
    """A local Jacobian with plain arrays, and the numbers of those that are values of the recording."""

    def number(array: Any) -> int | None:
        return array.number if isinstance(array, Traced) and array.recording is recording else None

    def value(array: Any) -> Any:
        return array.value if number(array) is not None else array

    if isinstance(written, Terms):
        terms = Terms(tuple((c, text, tuple(map(value, arrays))) for c, text, arrays in written.written))
        return terms, tuple(tuple(map(number, arrays)) for *_, arrays in written.written)
    if isinstance(written, Jacobian):
        arrays = written.arrays
        return Jacobian(written.form, tuple(map(value, arrays))), (tuple(map(number, arrays)),)
    if isinstance(written, Traced | np.ndarray):
        return value(written), ((number(written),),)
    return written, ()
