"""`Recording`: a computation as a graph of layers applied to values, and the Jacobians along it.

A layer is a graph of one node, a chain a graph without branches; whatever is traced is recorded in the same way. The
values are numbered in the order in which they are made. `Recording.jacobians` asks every node on the way for its local
Jacobians and hands the whole graph to the engine, which finds the compiled program again by what was written: formulas,
shapes, dtypes, and which arrays are the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from copy import copy
from itertools import compress, count
from threading import get_ident
from typing import Any, TypeVar

import numpy as np

from jacobians.core.diagonal import Diagonal, spelled
from jacobians.core.jacobian import Jacobian
from jacobians.core.local import local_patterns, located
from jacobians.core.nodes import Differentiable, Node, Wanted, Written
from jacobians.core.postponed import Postponed, computed
from jacobians.engine import compiler
from jacobians.engine.linearized import Linearized, Structure
from jacobians.engine.sources import Between
from jacobians.engine.tape import Array, is_traced
from jacobians.errors import TracingError
from jacobians.kept import Memory
from jacobians.notation.naming import Naming, Step, letters_of, named
from jacobians.notation.renaming import DIGITS
from jacobians.notation.structure import Form

T = TypeVar("T")


def are_finite(arrays: Sequence[Any]) -> bool:
    """Whether there is no infinite number and no NaN in these arrays."""
    return all(bool(np.isfinite(computed(array)).all()) for array in arrays)


class _Key(tuple[Any, ...]):
    """What a structure is found by: few of many nodes are hashed, all are compared."""

    __slots__ = ()
    __eq__ = tuple.__eq__

    def __hash__(self) -> int:
        *ends, graph = self
        return hash((*ends, len(graph), graph[:: len(graph) // 4 + 1]))


class _Outline:
    """What is known of a graph before its arrays are: what is asked on the way, and whose shapes count."""

    __slots__ = ("chooses", "depends", "steps", "values")

    def __init__(
        self, steps: Sequence[tuple[int, tuple[Diagonal, ...]]], values: Iterable[int], depends: Set[int] | None,
        chooses: bool,
    ) -> None:  # fmt: skip
        self.steps = tuple(steps)  # positions of nodes, and the diagonals to compute; none where `local` is asked
        self.values = tuple(values)
        self.depends = depends
        self.chooses = chooses


_outlines = Memory()
_structures = Memory()


_serials = count()


class Recording:
    """Values, and the layers that made them.

    Parameters
    ----------
    paths
        What the layers are called whose parameters are to be differentiated by: a prefix for each, by identity.
    """

    __slots__ = (
        "aliases", "constants", "graph", "is_open", "leaves", "moves", "naming", "nodes", "origins", "parts", "paths",
        "postponed", "postpones", "serial", "thread", "values",
        "zero_dimensional",
    )  # fmt: skip

    def __init__(self, paths: Mapping[int, str]) -> None:
        self.paths = paths
        self.serial = next(_serials)  # inner recordings begin after outer ones
        self.is_open = True  # the function is still running
        self.thread = get_ident()  # it runs in one thread: values are numbered one after another
        self.values: list[Array] = []  # some may be postponed
        self.leaves: dict[str, int] = {}
        self.nodes: list[Node] = []
        self.graph: list[tuple[Any, ...]] = []  # the nodes without layers and arrays: what they look like
        self.constants: set[int] = set()  # values that depend on nothing, though they are traced
        self.zero_dimensional: set[int] = set()  # values that are arrays without axes, which numbers are not
        self.naming: dict[int, Naming] = {}
        self.parts: dict[int, tuple[int, int]] = {}  # the real and imaginary parts of complex values that are split
        self.aliases: list[tuple[Any, Any]] = []  # what np.asarray gave, weakly, and of which array
        self.origins: dict[int, Any] | None = None  # the caller's arrays by their copies' identities, where asked for
        self.postpones = sys.maxsize  # entries of a value that may be computed later
        self.postponed = False  # whether there are such values
        self.moves: dict[int, Any] | None = None  # how entries were moved, where only ends are asked for

    def copy(self) -> Recording:
        """A recording that goes on from here; this one stays as it is."""
        twin = Recording(self.paths)
        twin.values, twin.leaves, twin.nodes = self.values.copy(), self.leaves.copy(), self.nodes.copy()
        twin.graph = self.graph.copy()
        twin.constants, twin.zero_dimensional = self.constants.copy(), self.zero_dimensional.copy()
        twin.naming, twin.origins, twin.parts = self.naming.copy(), self.origins, self.parts.copy()
        twin.postponed, twin.postpones = self.postponed, self.postpones
        return twin

    def leaf(self, name: str, value: Array) -> int:
        """An input or a parameter: the number of its value."""
        number = self.leaves.get(name)
        if number is None:
            number = self.leaves[name] = len(self.values)
            self.values.append(value)
        return number

    def add(self, layer: Differentiable, inputs: tuple[Array, ...], numbers: Sequence[int | None], output: Any) -> int:
        """Note that a layer made this output; return its number."""
        if not layer.holomorphic:
            for array in inputs:
                if array.dtype.kind == "c":
                    name = type(layer).__name__
                    raise TracingError(
                        f"{name} of complex values has no complex derivative: use their np.real, np.imag"
                    )
        names, known = layer.input_names, tuple(numbers)
        if len(names) != len(known):
            raise TypeError(f"{type(layer).__name__} takes {len(names)} inputs; {len(known)} given")
        constants = self.constants
        if known.count(None) > 1 or not constants.isdisjoint(known):
            chosen = [n is not None and n not in constants for n in known]
            names, known = tuple(compress(names, chosen)), tuple(compress(known, chosen))
        elif None in known:
            k = known.index(None)
            names, known = names[:k] + names[k + 1 :], known[:k] + known[k + 1 :]
        path = ""
        if self.paths and (prefix := self.paths.get(id(layer))) is not None:
            path, own = prefix, layer.own_parameters
            names += tuple(own)
            known += tuple([self.leaf(path + name, array) for name, array in own.items()])
        if self.thread != get_ident():
            self.require_thread()
        values = self.values
        number = len(values)
        kind = type(output)
        if kind is np.float64:
            output = np.asarray(output)
        elif kind is Postponed:
            self.postponed = True
        elif kind is not np.ndarray or output.dtype.kind == "O":
            output = _numbers(output, layer)
        values.append(output)
        if known:
            self.nodes.append(Node._make((layer, path, names, known, inputs, number)))  # a shorter way than Node(…)
            self.graph.append((type(layer), layer.diagonals, layer.output_name, names, known, number))
        else:
            self.constants.add(number)
        return number

    def constant(self, value: Array) -> int:
        """A value that depends on nothing: its number."""
        self.require_thread()
        number = len(self.values)
        self.values.append(value)
        self.constants.add(number)
        return number

    def require_thread(self) -> None:
        """Raise an error in another thread than the one that the function was called in."""
        if self.thread != get_ident():
            raise TracingError(
                "a traced value cannot be computed with in another thread: call what it is needed for in a plain loop"
            )

    # -- Jacobians -----------------------------------------------------------------------------------------------------

    def full(self, wanted: Sequence[Wanted]) -> list[Array]:
        """The full Jacobian tensors."""
        return self.linearized(wanted).full()

    def jacobians(self, wanted: Sequence[Wanted]) -> list[Jacobian]:
        """The unmaterialised Jacobians; nothing is multiplied yet."""
        linearized = self.linearized(wanted)
        names = [(one.out_name, one.wrt_name) for one in linearized.structure.wanted]
        return [Jacobian.of(Between(linearized, k, both)) for k, both in enumerate(names)]

    def jvp(self, value: int, tangents: Mapping[int, Array]) -> Array:
        """Σ ∂value/∂x · h over arguments x with tangents h, without any matrix; their leading axes come first."""
        return self.linearized([Wanted(value, n, "f", "x") for n in tangents]).jvp(value, tangents)()[0]

    def vjp(self, cotangents: Mapping[int, Array], arguments: Sequence[int]) -> list[Array]:
        """Σ u · ∂value/∂x over values with cotangents u, for every argument x; their leading axes come first."""
        wanted = [Wanted(value, n, "f", "x") for value in cotangents for n in arguments]
        return list(self.linearized(wanted).vjp(cotangents, arguments)())

    def linearized(self, wanted: Sequence[Wanted]) -> Linearized:
        """The graph of the local Jacobians on the way from the arguments to the values.

        Its structure, for which programs have been compiled, is found again by all that it depends on: the graph, and
        the formulas, shapes, dtypes and identities of the arrays that every layer on the way has written now.
        """
        if self.parts:
            self.require_no_parts(wanted)
        if not self.naming:
            graph = tuple(wanted), tuple(self.leaves.items()), tuple(self.graph)
            outline = _outlines.recall(_Key(graph), lambda: self._outline(wanted))
            if not outline.chooses:
                found, arrays = self._filled(outline)
                return Linearized(_structures.recall(found, lambda: self._linearized(wanted).structure), arrays)
        return self._linearized(wanted)

    def _outline(self, wanted: Sequence[Wanted]) -> _Outline:
        """What every node on the way will be asked; nothing is, where it writes what does not depend on arrays."""
        nodes, depends = self.between(wanted)
        positions = {node.value: k for k, node in enumerate(self.nodes)}
        steps = []
        for node in nodes:
            table = node.layer.diagonals
            chosen = [table[name] for name, n in zip(node.names, node.numbers, strict=True)
                      if table and (depends is None or n in depends)]  # fmt: skip
            some = tuple(one for one in chosen if one.entries is not None)
            if some or not table:
                steps.append((positions[node.value], some))
        ends = [*self.leaves.values(), *[n for one in wanted for n in one[:2]], *[node.value for node in nodes]]
        return _Outline(steps, dict.fromkeys(ends), depends, any(node.layer.chooses for node in nodes))

    def _filled(self, outline: _Outline) -> tuple[_Key, list[Array]]:
        """All that a structure depends on beside an outline, and the arrays of the local Jacobians."""
        nodes, values = self.nodes, self.values
        arrays: list[Array] = []
        numbers: dict[int, int] = {}
        found: list[Any] = []
        for at, diagonals in outline.steps:
            node = nodes[at]
            output = values[node.value]
            if not diagonals:
                local = node.layer.local(*node.inputs, output)
                found += local_patterns(values, node, local, outline.depends, arrays, numbers)
                continue
            every = (*node.inputs, output)
            for one in diagonals:
                found.append(one.written(every, arrays, numbers))
        found += [values[n].shape for n in outline.values]
        found += [values[n].dtype for n in outline.values]
        return _Key((outline, tuple(found))), arrays

    def _linearized(self, wanted: Sequence[Wanted]) -> Linearized:
        """The same, with everything written out."""
        written, arrays = self.written(wanted)
        values = self.values
        known = {*self.leaves.values(), *[n for one in wanted for n in one[:2]]}
        ends = tuple([(n, values[n].shape, values[n].dtype) for n in known])
        graph = tuple([(one[0].names, one[0].numbers, one[1:]) for one in written])
        key = _Key((tuple(wanted), tuple(self.leaves), ends, graph))
        return Linearized(_structures.recall(key, lambda: self._structure(written, wanted)), arrays)

    def _structure(self, written: Sequence[Written], wanted: Sequence[Wanted]) -> Structure:
        """The structure of what has been written; every formula must fit its shapes."""
        names = self.names(written)
        edges = self.edges(written, names)
        try:
            compiler.drawn(edges, ())
        except compiler.Misfit as error:
            edge = edges[error.edge]
            (node,) = (node for node, value, *_ in written if value == edge.value)
            raise located(node, f"∂{edge.out_name}/∂{edge.wrt_name} {error}") from error
        asked = []
        for number, by, out_name, wrt_name in wanted:
            value, argument = self.values[number], self.values[by]
            both = np.result_type(value.dtype, argument.dtype)
            called = names.get(number, (out_name,))[0], names.get(by, (wrt_name,))[0]
            asked.append(compiler.Wanted(number, by, value.shape, argument.shape, both, *called))
        return Structure(edges, tuple(asked))

    def written(self, wanted: Sequence[Wanted]) -> tuple[list[Written], list[Array]]:
        """What the nodes on the way from the arguments to the values write, and all arrays in it."""
        nodes, depends = self.between(wanted)
        written, arrays = self._written(nodes, depends, {})
        choosing = [node for node in nodes if node.layer.chooses]
        if choosing and not are_finite(arrays):
            return self._written(nodes, depends, {node.value: self.without_zeros(node) for node in choosing})
        return written, arrays

    def _written(
        self, nodes: Sequence[Node], depends: Set[int] | None, chosen: Mapping[int, Mapping[str, Any]]
    ) -> tuple[list[Written], list[Array]]:
        """What nodes write of their arguments that depend on something, and all arrays in it.

        `chosen`: the local Jacobians that some of them have instead of their own.
        """
        arrays: list[Array] = []
        numbers: dict[int, int] = {}
        return [self.write(node, depends, arrays, numbers, chosen.get(node.value)) for node in nodes], arrays

    def without_zeros(self, node: Node) -> Mapping[str, Any]:
        """The Jacobians of a layer that chooses without its zeros, which are zero times an infinite slope, too."""
        found: Mapping[str, Any] = node.layer.without_zeros(
            *map(computed, node.inputs), computed(self.values[node.value])
        )
        return found

    def write(
        self, node: Node, depends: Set[int] | None, arrays: list[Array], numbers: dict[int, int],
        local: Mapping[str, Any] | None = None,
    ) -> Written:  # fmt: skip
        """What a node writes of its arguments that depend on something; new arrays are put on the list."""
        layer, _, names, known, inputs, value = node
        output, table = self.values[value], layer.diagonals
        if table and local is None:
            every = (*inputs, output)
            found = [
                (name, number, *table[name].written(every, arrays, numbers))
                for name, number in zip(names, known)  # noqa: B905 - as many; this is the way that every node takes
                if depends is None or number in depends
            ]
        else:
            local = layer.local(*inputs, output) if local is None else local
            found = local_patterns(self.values, node, local, depends, arrays, numbers)
        naming = (self.naming and self.naming.get(value)) or (layer.output_name, ())
        return node, value, output.shape, output.dtype, naming, tuple(found)

    def require_no_parts(self, wanted: Sequence[Wanted]) -> None:
        """Raise an error for the derivative of a value that needs the real or imaginary part of the argument."""
        targets = {one.value for one in wanted}
        for source in {one.argument for one in wanted}:
            depends = set(self.parts.get(source, ()))
            for node in self.nodes if depends else ():
                if not depends.isdisjoint(node.numbers):
                    depends.add(node.value)
            if depends & targets:
                raise ValueError(
                    "there is no complex derivative: on the way the real or imaginary part, the conjugate or the "
                    "absolute value is taken; differentiate by a real value"
                )

    def edges(
        self, written: Sequence[Written], naming: Mapping[int, Naming] | None = None
    ) -> tuple[compiler.Edge, ...]:
        """The local Jacobians as edges of a graph."""
        naming, found = self.naming if naming is None else naming, []
        for node, value, shape, dtype, own, patterns in written:
            out_name, names = naming.get(value) or (_numbered(node, naming) if naming else own)
            for name, number, *local in patterns:
                pattern, numbers = spelled(*local)
                argument, called = self.values[number], naming[number][0] if number in naming else name
                both = np.result_type(dtype, argument.dtype)
                found.append(
                    compiler.Edge(value, number, shape, argument.shape, both, out_name, called, pattern, numbers, names)
                )
        return tuple(found)

    def names(self, written: Sequence[Written] = ()) -> Mapping[int, Naming]:
        """What everything is called: values, and the letters in the formulas of what has been written."""
        if self.naming:
            return self.naming
        leaves = {number: path.rpartition(".")[2] for path, number in self.leaves.items()}
        letters = {value: letters_of(one for _, _, *local in patterns for one in _formulas(spelled(*local)[0]))
                   for _, value, _, _, _, patterns in written}  # fmt: skip
        nodes = [node for node, *_ in written] or self.nodes
        return named(leaves, [
            Step(node.value, node.layer.output_name, node.arguments, letters.get(node.value, frozenset()))
            for node in nodes
        ])  # fmt: skip

    def between(self, wanted: Sequence[Wanted]) -> tuple[list[Node], set[int] | None]:
        """The nodes on the way from the arguments to the values, and all values that depend on these (None: all)."""
        depends, needed = {one.argument for one in wanted}, {one.value for one in wanted}
        every = depends.issuperset(self.leaves.values()) and self._all_made()
        found = self.nodes
        if not every:
            found = []
            for node in self.nodes:
                if not depends.isdisjoint(node.numbers):
                    depends.add(node.value)
                    found.append(node)
        way = []
        for node in reversed(found):
            if node.value in needed:
                needed.update(node.numbers)
                way.append(node)
        way.reverse()
        return way, None if every else depends

    def _all_made(self) -> bool:
        """Whether every value is a leaf, a constant or what a node made: then nodes depend on leaves."""
        return len(self.leaves) + len(self.constants) + len(self.nodes) == len(self.values)


def _numbers(output: Any, layer: Differentiable) -> Array:
    """The output of a layer as an array."""
    if is_traced(output):
        traced: Array = copy(output)
        return traced
    array = np.asarray(output)
    if array.dtype.kind not in "fcbiu":
        raise ValueError(f"{type(layer).__name__}: forward must give an array of numbers; it gives {output!r:.80}")
    return array


def _formulas(local: Any) -> Iterator[str | Form]:
    """The formulas of a local Jacobian."""
    if isinstance(local, Form):
        yield local
    else:
        for _, text, *_ in local:
            yield text


def _numbered(node: Node, naming: Mapping[int, Naming]) -> Naming:
    """Names for what is made beside the values that have names: letters with the numbers of values."""
    numbers = dict(node.arguments)
    called = {name: naming[n][0] if n in naming else name + str(n).translate(DIGITS) for name, n in numbers.items()}
    for name, array in zip(node.layer.input_names, node.inputs, strict=True):
        if name not in numbers:
            called[name] = number_text(array) or f"{name}{str(node.value).translate(DIGITS)}"
    called[node.layer.output_name] = made = node.layer.output_name + str(node.value).translate(DIGITS)
    return made, tuple(called.items())


def number_text(array: Array) -> str:
    """A single number as the name of itself; nothing for an array."""
    if array.ndim or array.dtype.kind not in "fiuc":
        return ""
    if array.dtype.kind == "c":
        return f"({complex(array):g})"
    short = f"{array:g}"
    return short if float(short) == float(array) else f"{array:.9g}"  # so that six digits of products are right
