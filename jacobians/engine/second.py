"""Second derivatives along a graph, by the same elimination of values as first ones.

A local Jacobian is a sum of products of factors, and its factors are values of a graph, too. Beside every value v of
the graph stands its adjoint v̄ = ∂y/∂v, which is made of the adjoints of what v goes into:

    v̄ = Σ_k k̄ ∂k/∂v        over all values k that are made of v.

By the product rule, v̄ depends on k̄ by the transposed local Jacobian, and on every factor F of ∂k/∂v by that Jacobian
without the factor, multiplied by k̄. With these edges between values, factors and adjoints, the second derivative
∂²y/∂x∂w is the Jacobian of the adjoint of x with respect to w in one graph, and the engine eliminates its vertices in
the cheapest order. The axes of y stay beside those of every adjoint, tied, so nothing is lost where y is an array.

Source: Gower and Mello, A new framework for the computation of Hessians (edge pushing); Laue, Mitterreiter and Giesen,
Computing higher order derivatives of matrix and tensor expressions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from jacobians.engine import algebra, compiler
from jacobians.engine.compiler import Edge, Plan, Wanted
from jacobians.engine.tape import Tape
from jacobians.notation.sizes import resolve
from jacobians.notation.structure import Axis, Form, Shape, plain

ADJOINTS = 1 << 40  # adjoints are numbered from here on, backwards, apart for every output
Marks = tuple[int | None, ...]


class Curved(NamedTuple):
    """A local Jacobian whose factors are values of the graph: their numbers, or None for what is constant.

    There are marks for every written term, in the order of its factors; for a form, for every one of its arrays.
    """

    edge: Edge
    marks: tuple[Marks, ...]


class Second(NamedTuple):
    """A second derivative that is asked for: ∂²value/∂first∂second, with their shapes, its dtype and their names."""

    value: int
    first: int
    second: int
    shapes: tuple[Shape, Shape, Shape]
    dtype: np.dtype[np.generic]
    names: tuple[str, str, str]


def plan(curved: tuple[Curved, ...], edges: tuple[Edge, ...], wanted: tuple[Second, ...], full: bool) -> Plan:
    """The second derivatives as one program.

    `curved` are the local Jacobians between the values, in the order in which these were made; `edges` those on the way
    to the factors.
    """
    asked = [_asked(one) for one in wanted]
    tape, forms = compiler.drawn([c.edge for c in curved] + list(edges), asked)
    graph: dict[tuple[int, int], Form] = {}
    for edge, form in zip([c.edge for c in curved] + list(edges), forms, strict=True):
        compiler.add_path(tape, graph, (edge.value, edge.argument), form)
    moving = _reached({one.second for one in wanted}, list(graph))
    known = list(zip(curved, forms, strict=False))
    for one in {one.value: one for one in wanted}.values():
        _adjoints(tape, graph, known, moving, one)
    return compiler.solved(tape, graph, asked, full)


def _asked(one: Second) -> Wanted:
    """A second derivative as the Jacobian of an adjoint."""
    out, first, second = one.shapes
    name, by, wrt = one.names
    return Wanted(
        _base(one.value) - one.first, one.second, out + first, second, one.dtype, name, wrt, ((by, len(first)),)
    )


def _base(value: int) -> int:
    """The adjoint of a value v in the derivative of this one has the number base − v."""
    return ADJOINTS * (1 + value)


def _reached(starts: set[int], edges: Sequence[tuple[int, int]]) -> set[int]:
    """All that depends on these values."""
    after: dict[int, list[int]] = {}
    for value, argument in edges:
        after.setdefault(argument, []).append(value)
    found, waiting = set(starts), list(starts)
    while waiting:
        for value in after.get(waiting.pop(), ()):
            if value not in found:
                found.add(value)
                waiting.append(value)
    return found


def _adjoints(
    tape: Tape, graph: dict[tuple[int, int], Form], known: Sequence[tuple[Curved, Form]], moving: set[int],
    one: Second,
) -> None:  # fmt: skip
    """Add the adjoints of all values that an output is made of."""
    active = [[(v, m, t) for v, m, t in _factors(c) if v in moving] for c, _ in known]
    needed: set[int] = set()  # the values whose adjoints are multiplied into a product
    for (curved, _), factors in zip(known, active, strict=True):
        if factors or curved.edge.argument in needed:
            needed.add(curved.edge.value)
    shape, base = one.shapes[0], _base(one.value)
    adjoints = {one.value: compiler.identity(shape, one.dtype)}
    reached = {one.value}
    for (curved, form), factors in reversed(list(zip(known, active, strict=True))):
        value, argument = curved.edge.value, curved.edge.argument
        if value not in reached:
            continue
        reached.add(argument)
        compiler.add_path(tape, graph, (base - argument, base - value), algebra.beside(form, shape))
        if value in needed:
            adjoint = adjoints[value]
            for vertex, m, t in factors:
                slope = algebra.regrouped(_without(curved, form, m, t), len(form.out_shape))
                product = algebra.product(tape, adjoint, slope)
                product = algebra.regrouped(product, len(shape) + len(form.wrt_shape))
                compiler.add_path(tape, graph, (base - argument, vertex), product)
            if argument in needed:
                product = algebra.product(tape, adjoint, form)
                old = adjoints.get(argument)
                adjoints[argument] = product if old is None else algebra.add(tape, old, product)


def _factors(curved: Curved) -> Iterator[tuple[int, int, int]]:
    """Every factor that is a value: its number, its position in the term, and the position of the term."""
    local = curved.edge.local
    if isinstance(local, Form):
        (marks,) = curved.marks
        for t, term in enumerate(local.terms):
            for m, factor in enumerate(term.factors):
                vertex = marks[factor.array]
                if vertex is not None:
                    yield vertex, m, t
        return
    for t, marks in enumerate(curved.marks):
        for m, vertex in enumerate(marks):
            if vertex is not None:
                yield vertex, m, t


def _without(curved: Curved, form: Form, m: int, t: int) -> Form:
    """The derivative of a term by one of its factors: the term without it, whose axes are wrt axes now."""
    local, term = curved.edge.local, form.terms[t]
    if isinstance(local, Form):
        axes: tuple[Axis, ...] = tuple(plain(i, term.sizes[i]) for i in term.factors[m].labels)
        position = m
    else:
        _, text, shapes, _ = local[t]
        found = resolve(text, shapes, curved.edge.out_shape, curved.edge.wrt_shape)
        position = m + len(term.factors) - len(found.term.factors)  # a coefficient comes before them
        labels = iter(found.term.factors[m].labels)
        dropped = found.dropped[m]
        axes = tuple(
            Axis(1, ()) if k in dropped else plain(i := next(labels), term.sizes[i]) for k in range(len(shapes[m]))
        )
    rest = tuple(f for k, f in enumerate(term.factors) if k != position)
    one = replace(term, factors=rest, out=term.axes, wrt=axes)
    return Form(form.shape, tuple(a.size for a in axes), form.dtype, (one,), form.out_name, form.wrt_name)
