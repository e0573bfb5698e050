"""Compiling: an operation of the algebra is carried out once on structure, and its program is kept.

A program is found again by the forms that it was compiled for. The caches are bounded, and safe to share between
threads: what is kept is never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jacobians.engine import algebra, builder, elimination, outer, writing
from jacobians.engine.elimination import Order
from jacobians.engine.tape import Program, Tape, plainly
from jacobians.kept import kept
from jacobians.notation.renaming import Names, renamed
from jacobians.notation.sizes import resolve
from jacobians.notation.structure import Factor, Form, Shape, Term, plain
from jacobians.notation.symbols import symbol_of

Scalar = int | float | complex | np.number[Any]
Operation = Callable[..., Form]


def shifted(form: Form, by: int) -> Form:
    """The form with its arrays numbered from `by` on."""
    return replace(form, terms=tuple(t.with_arrays(lambda k: k + by) for t in form.terms)) if by else form


def finished(tape: Tape, form: Form) -> tuple[Program, Form]:
    """The program that makes the arrays of a form, and the form with these arrays numbered in order."""
    used = sorted({f.array for t in form.terms for f in t.factors + t.lookups})
    return Program(tape, used), _numbered(form, used)


def tape_for(forms: Sequence[Form]) -> tuple[Tape, list[Form]]:
    """A tape whose inputs are the arrays of the forms, one form after another."""
    dtype = np.result_type(*(f.dtype for f in forms)) if forms else np.dtype(np.float64)
    tape = Tape(sum(f.arrays for f in forms), dtype)
    moved, at = [], 0
    for form in forms:
        moved.append(shifted(form, at))
        at += form.arrays
    return tape, moved


@kept
def compiled(operation: Operation, forms: tuple[Form, ...], static: tuple[Any, ...] = ()) -> tuple[Program, Form]:
    """An operation of the algebra: its program and the form of its result."""
    tape, moved = tape_for(forms)
    return finished(tape, operation(tape, *moved, *static))


@kept
def writer(form: Form, into: bool) -> Program:
    """The program that writes a form in full; with `into`, into an output that is its last input."""
    count = form.arrays
    return written(Tape(count + into, form.dtype), [form], out=count if into else None)


Pattern = tuple[tuple[Scalar, str, tuple[Shape, ...], tuple[int, ...]], ...]
"""Of every written term: its coefficient, its formula, the shapes of its arrays and their numbers."""


def bind(
    tape: Tape, written: Pattern, out_shape: Shape | None, wrt_shape: Shape | None, dtype: np.dtype[np.generic],
    out_name: str, wrt_name: str,
) -> Form:  # fmt: skip
    """A sum of written terms with these shapes, on arrays that the tape knows by their numbers."""
    terms: list[Term] = []
    shapes: tuple[Shape, Shape] | None = None
    for coefficient, text, array_shapes, numbers in written:
        found = resolve(text, array_shapes, out_shape, wrt_shape)
        if shapes is not None and shapes != (found.out_shape, found.wrt_shape):
            raise ValueError(
                f'the terms of a sum need equal shapes: "{text}" gives {found.out_shape} × {found.wrt_shape}, '
                f"the terms before it {shapes[0]} × {shapes[1]}"
            )
        shapes = found.out_shape, found.wrt_shape
        views = [
            builder.viewed(tape, f._replace(array=number), drop)
            for f, number, drop in zip((*found.term.factors, *found.term.lookups), numbers, found.dropped, strict=True)
        ]
        cut = len(found.term.factors)
        factors, lookups = tuple(views[:cut]), tuple(views[cut:])
        if coefficient not in (1, -1):
            value = np.asarray(coefficient, np.result_type(dtype, coefficient))
            dtype = np.result_type(dtype, value)
            number = tape.emit(lambda value=value: value)
            factors = (Factor(number, (), symbol_of(f"{coefficient:g}", 0)), *factors)
        sign = -1 if coefficient == -1 else 1
        terms.append(replace(found.term, factors=factors, lookups=lookups, sign=sign))
    assert shapes is not None
    return Form(*shapes, dtype, tuple(terms), out_name, wrt_name)


@kept
def bound(
    written: Pattern, out_shape: Shape | None, wrt_shape: Shape | None, dtype: np.dtype[np.generic],
    out_name: str, wrt_name: str,
) -> tuple[Program, Form]:  # fmt: skip
    """A sum of written terms as a Jacobian of its own: the views that its arrays need, and its form."""
    count = 1 + max((n for *_, numbers in written for n in numbers), default=-1)
    tape = Tape(count, dtype)
    return finished(tape, bind(tape, written, out_shape, wrt_shape, dtype, out_name, wrt_name))


# --- graphs -----------------------------------------------------------------------------------------------------------


class Edge(NamedTuple):
    """A local Jacobian in a graph: the numbers of the value and of the argument, and how its arrays make it."""

    value: int
    argument: int
    out_shape: Shape
    wrt_shape: Shape
    dtype: np.dtype[np.generic]
    out_name: str
    wrt_name: str
    local: Pattern | Form
    arrays: tuple[int, ...] = ()
    """The numbers of the arrays of a form."""

    names: Names = ()
    """What the names in the formula are called here."""


class Wanted(NamedTuple):
    """A Jacobian that is asked for: ∂value/∂argument, with their shapes, its dtype and their names."""

    value: int
    argument: int
    out_shape: Shape
    wrt_shape: Shape
    dtype: np.dtype[np.generic]
    out_name: str
    wrt_name: str
    by: tuple[tuple[str, int], ...] = ()


class Plan(NamedTuple):
    """The Jacobians of a graph as one program on the arrays of all local Jacobians.

    The program returns the full tensors, or (unmaterialised) all arrays; then `results` has the form of every Jacobian
    and the numbers of its arrays.
    """

    program: Program
    results: tuple[tuple[Form, tuple[int, ...]], ...]
    orders: tuple[Order, ...]


class Misfit(ValueError):
    """The formula of an edge does not fit its shapes; `edge` is its position."""

    def __init__(self, edge: int, problem: str) -> None:
        super().__init__(problem)
        self.edge = edge


def plan(edges: tuple[Edge, ...], wanted: tuple[Wanted, ...], full: bool, into: bool = False) -> Plan:
    """The Jacobians of a graph, by eliminating its values in the cheapest order.

    With `into`, the full tensor is written into an array that is the last input.
    """
    tape, forms = drawn(edges, wanted, into)
    graph: dict[tuple[int, int], Form] = {}
    for edge, form in zip(edges, forms, strict=True):
        add_path(tape, graph, (edge.value, edge.argument), form)
    return solved(tape, graph, wanted, full, into)


def drawn(edges: Sequence[Edge], wanted: Sequence[Wanted], into: bool = False) -> tuple[Tape, list[Form]]:
    """A tape for the arrays of the edges, and the forms of their Jacobians on it; `Misfit` where one does not fit."""
    dtype = np.result_type(*(e.dtype for e in edges), *(w.dtype for w in wanted)) if wanted else np.dtype(np.float64)
    tape = Tape(count(edges) + into, dtype)
    forms = []
    for k, edge in enumerate(edges):
        try:
            forms.append(renamed(_bound(tape, edge), edge.names))
        except ValueError as error:
            raise Misfit(k, str(error)) from error
    return tape, forms


def solved(
    tape: Tape, graph: dict[tuple[int, int], Form], wanted: Sequence[Wanted], full: bool, into: bool = False
) -> Plan:
    """The wanted Jacobians of a graph of forms, by eliminating its values in the cheapest order."""
    tape.numeric = full
    ends = _separate(graph, wanted)
    inner = _pruned(graph, ends)
    found = elimination.orders({pair: elimination.extent(form) for pair, form in graph.items()}, inner)
    _eliminate(tape, graph, found[0].vertices)
    results = []
    for one, pair in zip(wanted, ends, strict=True):
        form = graph.get(pair, Form(one.out_shape, one.wrt_shape, one.dtype, ()))
        dtype = one.dtype if one.dtype.kind == form.dtype.kind else form.dtype  # what is on the way may be longer
        results.append(replace(form, dtype=dtype, out_name=one.out_name, wrt_name=one.wrt_name, by=one.by))
    if full:
        return Plan(written(tape, results, tape.inputs - 1 if into else None), (), found)
    numbers = [sorted({f.array for t in form.terms for f in t.factors + t.lookups}) for form in results]
    used = sorted({k for some in numbers for k in some})
    return Plan(Program(tape, used), tuple(
        (_numbered(form, some), tuple(used.index(k) for k in some)) for form, some in zip(results, numbers, strict=True)
    ), found)  # fmt: skip


def numbers_of(edge: Edge) -> Iterator[int]:
    """The numbers of the arrays of an edge."""
    yield from edge.arrays
    if not isinstance(edge.local, Form):
        for *_, numbers in edge.local:
            yield from numbers


def count(edges: Sequence[Edge]) -> int:
    """How many arrays the edges take."""
    return 1 + max((n for e in edges for n in numbers_of(e)), default=-1)


def renumbered(edge: Edge, number: Mapping[int, int]) -> Edge:
    """The edge with its arrays numbered anew."""
    local = edge.local
    if not isinstance(local, Form):
        local = tuple([(c, text, shapes, tuple([number[n] for n in numbers])) for c, text, shapes, numbers in local])
    return edge._replace(local=local, arrays=tuple([number[n] for n in edge.arrays]))


def between(edges: Sequence[Edge], value: int, argument: int) -> list[Edge]:
    """The edges on the ways from an argument to a value."""
    after: dict[int, list[int]] = {}
    before: dict[int, list[int]] = {}
    for edge in edges:
        after.setdefault(edge.argument, []).append(edge.value)
        before.setdefault(edge.value, []).append(edge.argument)
    above, below = _reached({argument}, after), _reached({value}, before)
    return [edge for edge in edges if edge.argument in above and edge.value in below]


def _bound(tape: Tape, edge: Edge) -> Form:
    """The form of a local Jacobian."""
    if isinstance(edge.local, Form):
        moved = tuple(t.with_arrays(edge.arrays.__getitem__) for t in edge.local.terms)
        return replace(edge.local, terms=moved, out_name=edge.out_name, wrt_name=edge.wrt_name)
    return bind(tape, edge.local, edge.out_shape, edge.wrt_shape, edge.dtype, edge.out_name, edge.wrt_name)


def add_path(tape: Tape, graph: dict[tuple[int, int], Form], pair: tuple[int, int], form: Form) -> None:
    """Add a path between two values."""
    graph[pair] = algebra.add(tape, graph[pair], form) if pair in graph else form


def _separate(graph: dict[tuple[int, int], Form], wanted: Sequence[Wanted]) -> list[tuple[int, int]]:
    """Give wanted values that others are made of, and wanted arguments that are made of others, ends of their own.

    An end is one more vertex, with the identity between it and the value. They are numbered down from −1.
    """
    arguments, values = {u for _, u in graph}, {w for w, _ in graph}
    extra: dict[tuple[int, str], int] = {}

    def end(vertex: int, side: str, shape: Shape, dtype: np.dtype[np.generic]) -> int:
        if (vertex, side) not in extra:
            extra[vertex, side] = -1 - len(extra)
            pair = (extra[vertex, side], vertex) if side == "value" else (vertex, extra[vertex, side])
            graph[pair] = identity(shape, dtype)
        return extra[vertex, side]

    arguments |= {one.argument for one in wanted}
    values |= {one.value for one in wanted}
    ends = []
    for one in wanted:
        value, argument = one.value, one.argument
        if value in arguments:
            value = end(value, "value", one.out_shape, one.dtype)
        if argument in values:
            argument = end(argument, "argument", one.wrt_shape, one.dtype)
        ends.append((value, argument))
    return ends


def _pruned(graph: dict[tuple[int, int], Form], ends: Sequence[tuple[int, int]]) -> list[int]:
    """Drop the edges on no way between wanted ends; return the vertices between them, from first to last."""
    after: dict[int, list[int]] = {}
    before: dict[int, list[int]] = {}
    for w, u in graph:
        after.setdefault(u, []).append(w)
        before.setdefault(w, []).append(u)
    above, below = _reached({u for _, u in ends}, after), _reached({w for w, _ in ends}, before)
    for w, u in list(graph):
        if u not in above or w not in below:
            del graph[w, u]
    outer = {end for pair in ends for end in pair}
    return sorted({v for pair in graph for v in pair} - outer)


def _reached(starts: set[int], ways: Mapping[int, Sequence[int]]) -> set[int]:
    """Everything that can be reached."""
    found, waiting = set(starts), list(starts)
    while waiting:
        for vertex in ways.get(waiting.pop(), ()):
            if vertex not in found:
                found.add(vertex)
                waiting.append(vertex)
    return found


def _eliminate(tape: Tape, graph: dict[tuple[int, int], Form], order: Sequence[int]) -> None:
    """Multiply along every path through a vertex, one vertex after another."""
    after: dict[int, dict[int, None]] = {}
    before: dict[int, dict[int, None]] = {}
    for w, u in graph:
        after.setdefault(u, {})[w] = None
        before.setdefault(w, {})[u] = None
    made: set[tuple[int, int]] = set()
    for v in order:
        ups, downs = list(after.pop(v, ())), list(before.pop(v, ()))
        for w in ups:
            del before[w][v]
        for u in downs:
            del after[u][v]
        lefts = {w: algebra.bounded(tape, graph.pop((w, v))) for w in ups}
        rights = {u: algebra.bounded(tape, graph.pop((v, u))) for u in downs}
        if len(rights) > 1:  # what several products share is folded once
            lefts = {w: algebra.folded(tape, form) if (w, v) in made else form for w, form in lefts.items()}
        if len(lefts) > 1:
            rights = {u: algebra.folded(tape, form) if (v, u) in made else form for u, form in rights.items()}
        for w, left in lefts.items():
            for u, right in rights.items():
                add_path(tape, graph, (w, u), algebra.product(tape, left, right))
                made.add((w, u))
                after.setdefault(u, {})[w] = None
                before.setdefault(w, {})[u] = None


@kept
def dense(shape: Shape, out_ndim: int, dtype: np.dtype[np.generic]) -> Form:
    """An array as a Jacobian, of which the first `out_ndim` axes are output axes."""
    axes = tuple(plain(k, n) for k, n in enumerate(shape))
    factor = Factor(0, tuple(range(len(shape))), symbol_of("J", len(shape)))
    one = Term(shape, (factor,), (), axes[:out_ndim], axes[out_ndim:])
    return Form(shape[:out_ndim], shape[out_ndim:], dtype, (one,))


def diagonal(values: NDArray[Any]) -> tuple[Form, tuple[NDArray[Any], ...]]:
    """δ_ij d_i for an array d with multi-indices i and j."""
    form = identity(values.shape, values.dtype)
    factor = Factor(0, tuple(range(values.ndim)), symbol_of("d", values.ndim))
    return replace(form, terms=(replace(form.terms[0], factors=(factor,)),)), (values,)


def identity(shape: Shape, dtype: np.dtype[np.generic]) -> Form:
    """δ_ij for multi-indices i and j."""
    axes = tuple(plain(k, n) for k, n in enumerate(shape))
    return Form(shape, shape, dtype, (Term(shape, (), (), axes, axes),))


_copied = plainly(lambda x: x.copy(), lambda x: x)


def _numbered(form: Form, used: Sequence[int]) -> Form:
    """The form with these arrays numbered from 0 on."""
    number = {old: new for new, old in enumerate(used)}
    return replace(form, terms=tuple(t.with_arrays(number.__getitem__) for t in form.terms))


def written(tape: Tape, forms: Sequence[Form], out: int | None = None) -> Program:
    """The program that writes forms in full; no two results share memory."""
    values: list[int] = []
    cached = sum(prod(form.shape) * form.dtype.itemsize for form in forms) <= outer.CACHE
    for form in forms:
        value = writing.full(tape, form, out, cached)
        values.append(tape.emit(_copied, value) if value in values else value)
    program = Program(tape, values)
    program.outputs = tuple((form.shape, form.dtype, f"∂{form.out_name}/∂{form.wrt_name}") for form in forms)
    return program
