"""A recording as it is shown: named values, local Jacobians in these names, boxes and wires."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jacobians.core.graph import Recording
from jacobians.core.jacobian import Jacobian
from jacobians.core.nodes import Node, Wanted
from jacobians.engine import compiler
from jacobians.engine.tape import Array
from jacobians.notation.expressions import LONGEST, expression, readable
from jacobians.notation.naming import Naming
from jacobians.notation.renaming import renamed
from jacobians.notation.structure import Form
from jacobians.show.called import called
from jacobians.show.derivatives import Derivatives, Pair, Value, total
from jacobians.show.diagram import Box, Diagram, titled
from jacobians.show.explanation import Explanation, explain
from jacobians.show.table import Table, table

LONG = 80  # letters in what a value is said to be


def derivatives(recording: Recording, values: Sequence[int], arguments: Sequence[int]) -> Derivatives[Jacobian]:
    """All that is on a way from these arguments to these values."""
    wanted = [Wanted(value, argument, "", "") for value in values for argument in arguments]
    written, arrays = recording.written(wanted)
    names = recording.names(written)
    local: dict[Pair, Jacobian] = {}
    paths = {number: path for path, number in recording.leaves.items()}
    made: dict[int, Value] = {}
    for node, *_ in written:
        made[node.value] = _made(recording, node, names, made)
    for edge in recording.edges(written, names):
        pair, one = (edge.value, edge.argument), _jacobian(edge, arrays)
        local[pair] = total(local[pair], one) if pair in local else one
    involved = sorted({*values, *arguments, *(n for pair in local for n in pair)})
    return Derivatives(
        {
            n: made.get(n) or _given(recording, n, names.get(n, (paths.get(n, "f"),))[0], paths.get(n, ""))
            for n in involved
        },
        local,
    )


def _given(recording: Recording, number: int, name: str, path: str) -> Value:
    """An argument."""
    told = readable(path.rpartition(".")[2]) == name or readable(path) == name
    return Value(name, recording.values[number].shape, "" if told else path)


def _made(recording: Recording, node: Node, names: Mapping[int, Naming], before: Mapping[int, Value]) -> Value:
    """What a layer makes; of a traced function, letters of our own are explained."""
    name, letters = names.get(node.value, ("f", ()))
    known = dict(letters)
    text, short = _expression(node, known, names)
    letter = bool(recording.naming) and name.rstrip("₀₁₂₃₄₅₆₇₈₉") == node.layer.output_name and text != name
    # short expressions are names, but for those of what has no name itself, and where the source has another one
    own = letter and not (short and all(before[n].explained for _, n in node.arguments if n in before))
    shape = recording.values[node.value].shape
    return Value(name, shape, "", title(node), details(node, known), text, not own)


def _expression(node: Node, known: Mapping[str, str], names: Mapping[int, Naming]) -> tuple[str, bool]:
    """What a layer computes, in the names of the graph; and whether that is short enough to be a name."""
    arguments = {name: known.get(name, name) for name in node.layer.input_names}
    arguments |= {name: names[number][0] for name, number in node.arguments if number in names}
    text = expression(node.layer.operation, arguments, LONG)
    if text:
        return text, len(text) <= LONGEST
    options = node.layer.operation.partition("(")[2].removesuffix(")").replace(", ", ",")
    given = [*arguments.values(), *([options] if 0 < len(options) <= LONGEST else [])]
    return f"{type(node.layer).__name__}({','.join(given)})", False


def _jacobian(edge: compiler.Edge, arrays: Sequence[Array]) -> Jacobian:
    """A local Jacobian by itself, under the names that it has in the graph."""
    if isinstance(edge.local, Form):
        form, used = edge.local, tuple(arrays[n] for n in edge.arrays)
    else:
        numbers = {n: k for k, n in enumerate(dict.fromkeys(n for *_, some in edge.local for n in some))}
        pattern: Any = tuple((*rest, tuple(numbers[n] for n in some)) for *rest, some in edge.local)
        program, form = compiler.bound(pattern, *edge[2:7])
        used = program([arrays[n] for n in numbers])
    return Jacobian(renamed(form, edge.names), used).named(edge.out_name, edge.wrt_name)


def title(node: Node) -> str:
    """What a box says."""
    return titled(node.path, type(node.layer).__name__)


def details(node: Node, names: Mapping[str, str]) -> str:
    """The layer's parameters with their shapes, and the inputs that are constants."""
    found = [f"{name} {array.shape}" for name, array in node.layer.own_parameters.items()]
    traced = {name for name, _ in node.arguments}
    for name, array in zip(node.layer.input_names, node.inputs, strict=True):
        if name not in traced:
            found.append(names.get(name, f"{name} {array.shape}"))
    return ", ".join(found)


def diagram(recording: Recording, outputs: Sequence[int]) -> Diagram:
    """Boxes for the layers on the way to these values, wires for the values between them."""
    needed, nodes = set(outputs), []
    for node in reversed(recording.nodes):
        if node.value in needed:
            nodes.append(node)
            needed.update(n for _, n in _wires(node))
    nodes.reverse()
    names = recording.names()
    paths = {number: path for path, number in recording.leaves.items()}

    def label(number: int) -> str:
        name = names.get(number, (paths.get(number, "f"),))[0]
        return f"{name} {recording.values[number].shape}"

    boxes = tuple(
        Box(
            title(node),
            details(node, dict(names.get(node.value, ("", ()))[1])),
            tuple(n for _, n in _wires(node)),
            node.value,
        )
        for node in nodes
    )
    used = {n for box in boxes for n in box.inputs} | set(outputs)
    starts = tuple(sorted(used - {box.output for box in boxes}))
    return Diagram({n: label(n) for n in (*starts, *(box.output for box in boxes))}, starts, boxes)


def _wires(node: Node) -> list[tuple[str, int]]:
    """The inputs of a layer that are values of the graph; its parameters are part of it."""
    inputs = node.layer.input_names
    return [(name, number) for name, number in node.arguments if name in inputs]


def shape_table(title: str, recording: Recording, outputs: Sequence[int], headings: tuple[str, str]) -> Table:
    """The shape table: all local Jacobians, then those of the outputs by all arguments."""
    arguments = list(recording.leaves.values())
    graph = derivatives(recording, outputs, arguments)
    wanted = [Wanted(out, by, graph.values[out].name, graph.values[by].name) for out in outputs for by in arguments]
    composed = dict(zip([(one.value, one.argument) for one in wanted], recording.jacobians(wanted), strict=True))
    return table(title, graph, composed, headings)


def explanation(
    recording: Recording, value: int, argument: int, wrt: str, names: Mapping[str, str] | None = None,
    ends: Sequence[int] = (),
) -> Explanation[Jacobian]:  # fmt: skip
    """The derivation of ∂value/∂argument; the other ends of the graph decide what things are called."""
    graph = derivatives(recording, [*ends, value], [*recording.leaves.values(), argument])
    both = [graph.values[n].name for n in (value, argument)]

    def whole() -> Jacobian:
        (found,) = recording.jacobians([Wanted(value, argument, *both)])
        return found.named(*both)

    if not names:
        return explain(graph, value, argument, wrt, whole)
    paths = {path: graph.values[n].name for path, n in recording.leaves.items() if n in graph.values}
    graph, change = called(graph, names, paths, "explain")
    return explain(graph, value, argument, wrt, lambda: change(whole()))
