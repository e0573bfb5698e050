"""What the values of a traced function are called in formulas: as in its source, and no two alike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

from jacobians.core.graph import number_text
from jacobians.core.jacobian import Jacobian
from jacobians.core.nodes import Node
from jacobians.core.terms import Terms
from jacobians.functions.evaluation import Evaluation, Leaves
from jacobians.functions.names import SourceNames
from jacobians.notation.expressions import readable
from jacobians.notation.naming import Step, letters_of, named
from jacobians.notation.renaming import apart

Array = NDArray[Any]
SHORT = 5  # letters of a function's name that is better than f for its output


def name_values(evaluation: Evaluation, function: Callable[..., Any], source: SourceNames) -> dict[str, int]:
    """Name every value of an evaluation, and the letters in every formula; return the numbers of the names."""
    recording = evaluation.recording
    called = {number: readable(name) for number, name in source.values.items()}
    taken = {*called.values(), *map(readable, recording.leaves)}
    called = _outputs(evaluation.output, function, taken) | called
    origins = recording.origins or {}
    used = {id(origins.get(id(x), x)): None for node in recording.nodes for x in node.inputs if x.ndim}
    known = [one for one in used if one in source.constants]
    constants = dict(
        zip(
            known,
            apart([readable(source.constants[one]) for one in known], {*taken, *called.values()}),
            strict=True,
        )
    )
    steps = [
        Step(
            node.value, node.layer.output_name, node.arguments, _letters(node, recording.values[node.value]),
            called.get(node.value, ""), node.layer.operation, tuple(_constants(node, constants, origins)),
        )
        for node in recording.nodes
    ]  # fmt: skip
    recording.naming = named({number: readable(name) for name, number in recording.leaves.items()}, steps)
    return {name: number for number, (name, _) in recording.naming.items()}


def _outputs(outputs: Leaves, function: Callable[..., Any], taken: Collection[str]) -> dict[int, str]:
    """Names for outputs, if the source has none: the function's, or their keys; variables keep theirs."""
    called = readable(name_of(function))
    names = (called, "f") if len(called) <= SHORT else ("f", called)
    free = next((name for name in (*names, "output") if name not in taken), f"{called}()")
    keys = {
        n: readable(path) if path.isidentifier() else free
        for path, n in zip(outputs.names, outputs.numbers, strict=True)
    }
    return {n: key if key not in taken else free for n, key in keys.items()}


def _constants(node: Node, names: Mapping[int, str], origins: Mapping[int, Any]) -> Iterator[tuple[str, str]]:
    """The inputs of a node that are constants with these names, by identity; numbers are their own names."""
    traced = set(node.names)
    for name, array in zip(node.layer.input_names, node.inputs, strict=True):
        original = origins.get(id(array), array)
        if name not in traced and (number := number_text(array)):
            yield name, number
        elif name not in traced and id(original) in names:
            yield name, names[id(original)]


def _letters(node: Node, value: Array) -> frozenset[str]:
    """The names in the formulas of a layer."""
    local = node.layer.local(*node.inputs, value).values()
    return letters_of(
        one for written in local for one in
        ([text for _, text, _ in written.written] if isinstance(written, Terms) else [written.form]
         if isinstance(written, Jacobian) else [])
    )  # fmt: skip


def name_of(function: Callable[..., Any]) -> str:
    """What a function is called."""
    name = getattr(function, "__name__", None) or getattr(getattr(function, "func", None), "__name__", None)
    return "f" if name in (None, "<lambda>") else str(name)
