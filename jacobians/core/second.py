"""Second derivatives of a recording: the local Jacobians of its layers are NumPy programs, so they are traced, too.

Every layer's `local` is called with traced values. The arrays in its terms are then values of a recording as well, and
their own layers say how they depend on what they are made of; the engine does the rest (`jacobians.engine.second`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jacobians.core.applying import traced_layer
from jacobians.core.graph import Recording, are_finite
from jacobians.core.jacobian import Jacobian
from jacobians.core.nodes import Node, Wanted, Written
from jacobians.core.terms import Terms
from jacobians.core.traced import Traced
from jacobians.engine import compiler, second
from jacobians.engine.algebra import COUPLED
from jacobians.engine.tape import Array
from jacobians.errors import TracingError
from jacobians.kept import Memory
from jacobians.notation.naming import Naming
from jacobians.notation.parse import parse
from jacobians.notation.renaming import DIGITS, new_name

FIRST = -(1 << 30)  # the vertex of tangents
EXPRESSIONS = {  # what a value that a formula does not name is called, by the layer that makes it
    "Add": "({}+{})", "Subtract": "({}-{})", "Multiply": "{}·{}", "Divide": "({}/{})", "Negative": "(-{})",
    "Square": "{}²", "Reciprocal": "(1/{})", "Sqrt": "√{}", "Exp": "exp({})", "Log": "log({})", "Sin": "sin({})",
    "Cos": "cos({})", "Tanh": "tanh({})", "Sigmoid": "σ({})", "Abs": "|{}|",
}  # fmt: skip
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


def sparse(recording: Recording, wanted: Sequence[Second]) -> list[Any] | None:
    """The second derivatives as sparse arrays of SciPy; None where large tables would be made on the way."""
    plan, arrays = _plan(recording, wanted, full=False)
    if plan.program.coupled > COUPLED:
        return None
    return [one.sparse() for one in _results(plan, arrays)]


def hessians(recording: Recording, wanted: Sequence[Second]) -> list[Jacobian]:
    """The unmaterialised second derivatives: Jacobians whose output axes are those of the value, then of the first."""
    return _results(*_plan(recording, wanted, full=False, named=True))


def _results(plan: compiler.Plan, arrays: Sequence[Array]) -> list[Jacobian]:
    """The wanted Jacobians of a plan."""
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
    recording: Recording, wanted: Sequence[Second], full: bool, seeds: Sequence[Seed] = (), named: bool = False
) -> tuple[compiler.Plan, list[Array]]:
    """The compiled second derivatives, and the arrays that they take."""
    drawing = _Drawing(recording, wanted, seeds, named)
    if drawing.chooses and not are_finite(drawing.arrays):
        drawing = _Drawing(recording, wanted, seeds, named, chosen=True)
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

    def __init__(
        self, recording: Recording, wanted: Sequence[Second], seeds: Sequence[Seed], named: bool, chosen: bool = False
    ) -> None:
        self.recording = recording = recording.copy()
        self.chosen = chosen  # whether layers that choose write positions in place of zeros and ones
        self.arrays: list[Array] = []
        self.numbers: dict[int, int] = {}
        by = {one.second for one in wanted} | {seed.value for seed in seeds}
        by.discard(FIRST)
        sought = [Wanted(one.value, argument, "", "") for one in wanted for argument in (one.first, *by)]
        if recording.parts:
            recording.require_no_parts(sought)
        nodes, depends = recording.between(sought)
        texts: dict[int, tuple[str, int]] = {}  # what a layer calls a factor, and which value the layer makes
        self.chooses = any(node.layer.chooses for node in nodes)
        curved = [self._curved(node, depends, texts) for node in nodes]
        done = {node.value for node in nodes}
        sought = [Wanted(factor, argument, "", "") for factor in texts for argument in by]
        nodes, depends = recording.between(sought)
        factors = [
            recording.write(node, depends, self.arrays, self.numbers) for node in nodes if node.value not in done
        ]
        naming = self._names([written for written, _ in curved], factors, texts) if named else None
        self.curved = [
            second.Curved(edge, marks)
            for written, some in curved
            for edge, marks in zip(recording.edges([written], naming), some, strict=True)
        ]
        self.edges = [*recording.edges(factors, naming), *[self._sown(seed) for seed in seeds]]

    def _sown(self, seed: Seed) -> compiler.Edge:
        """A Jacobian that is put before the graph."""
        form, numbers = seed.jacobian.form, range(len(self.arrays), len(self.arrays) + len(seed.jacobian.arrays))
        self.arrays += seed.jacobian.arrays
        shapes = form.out_shape, form.wrt_shape
        return compiler.Edge(seed.value, seed.argument, *shapes, form.dtype, "u", "t", form, tuple(numbers))

    def _curved(
        self, node: Node, depends: set[int] | None, texts: dict[int, tuple[str, int]]
    ) -> tuple[Written, list[tuple[second.Marks, ...]]]:
        """The local Jacobians of a node, and which of their factors are values."""
        recording = self.recording
        local = recording.without_zeros(node) if self.chosen and node.layer.chooses else self._traced(node)
        plain, marks = {}, {}
        for name, number in node.arguments:
            if depends is None or number in depends:
                one = local.get(name)
                plain[name], marks[name] = _apart(one, recording)
                formulas = [text for _, text, _ in one.written] if isinstance(one, Terms) else ["" for _ in marks[name]]
                for text, some in zip(formulas, marks[name], strict=True):
                    for k, factor in enumerate(some):
                        if factor is not None:
                            texts[factor] = parse(text).arrays[k].name if text else "", node.value
        written = recording.write(node, depends, self.arrays, self.numbers, plain)
        return written, [marks[name] for name, *_ in written[-1]]

    def _names(
        self, curved: Sequence[Written], factors: Sequence[Written], texts: Mapping[int, tuple[str, int]]
    ) -> dict[int, Naming]:
        """What everything is called: a factor as in the formula that it stands in, what it is made of as it is made."""
        found = dict(self.recording.names(curved))
        called = {number: name for number, (name, _) in found.items()}
        for number, (text, value) in texts.items():
            if text and number not in called:
                called[number] = new_name(text, found[value][1])
        constants: dict[int, str] = {}
        makers = {node.value: node for node in self.recording.nodes}

        def name(number: int) -> str:
            if number not in called:
                node = makers.get(number)
                parts = list(inputs(node).values()) if node else []
                known = node and _expression(node.layer)
                output = node.layer.output_name if node else "c"
                called[number] = known.format(*parts) if known else output + str(number).translate(DIGITS)
            return called[number]

        def inputs(node: Node) -> dict[str, str]:
            numbers = dict(node.arguments)
            return {
                one: name(numbers[one]) if one in numbers else constant(array)
                for one, array in zip(node.layer.input_names, node.inputs, strict=True)
            }

        def constant(array: Array) -> str:
            if array.ndim == 0 and array.dtype.kind != "c":
                return f"{array:g}"
            return constants.setdefault(id(array), "c" + str(len(constants) + 1).translate(DIGITS))

        for node, value, *_ in factors:
            known = {**inputs(node), node.layer.output_name: name(value)}
            found[value] = name(value), tuple((old, new) for old, new in known.items() if old != new)
        return found

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


def _expression(layer: Any) -> str:
    """How what a layer makes is written, if there is a way."""
    kind = type(layer).__name__
    if kind == "Rearrange" and len(layer.shape) == 2:
        size = layer.shape[0] * layer.shape[1]
        return "{}ᵀ" if np.array_equal(layer.positions, np.arange(size).reshape(layer.shape).T) else ""
    return EXPRESSIONS.get(kind, "")


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
