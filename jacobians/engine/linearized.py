"""The linearized computational graph: local Jacobians between values, multiplied only when something is wanted of them.

A `Structure` is such a graph without numbers. What is wanted of it (the factors of a Jacobian, its full tensor, a few
of its entries, its product with vectors) is compiled on its own, so that the local Jacobians are multiplied in the
order that is cheapest for *that*: a product with a vector makes no matrix. Vectors and selections of entries are seeds:
further edges, which multiply the graph from the left or from the right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from jacobians.engine import compiler
from jacobians.engine.algebra import COUPLED
from jacobians.engine.compiler import Edge, Plan, Wanted
from jacobians.engine.tape import Array
from jacobians.kept import kept
from jacobians.notation.structure import Axis, Form, Shape, Term, affine, plain

LEFT, RIGHT = -(1 << 30), -(1 << 30) - 1  # the vertices of what multiplies a graph from the left, and from the right
Key = tuple[int | tuple[int, int, int], ...]
"""Of every axis a position, or (start, step, length)."""


@dataclass(frozen=True, eq=False)
class Structure:
    """A linearized graph without numbers: its edges, and the Jacobians that are wanted of it."""

    edges: tuple[Edge, ...]
    wanted: tuple[Wanted, ...]
    _hash: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.edges, self.wanted)))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Structure)
            and self._hash == other._hash
            and (self.edges, self.wanted) == (other.edges, other.wanted)
        )

    def __reduce__(self) -> tuple[object, ...]:  # string hashes differ between processes
        return Structure, (self.edges, self.wanted)

    @cached_property
    def ends(self) -> Mapping[int, tuple[Shape, np.dtype[np.generic]]]:
        """The shapes and dtypes of the values and arguments."""
        values = {one.value: (one.out_shape, one.dtype) for one in self.wanted}
        return values | {one.argument: (one.wrt_shape, one.dtype) for one in self.wanted}


class Seed(NamedTuple):
    """What multiplies a graph at a value from the left, or at an argument from the right."""

    vertex: int
    form: Form
    arrays: tuple[Array, ...] = ()


class Linearized:
    """A linearized graph with its numbers. It is immutable; its factors are made when they are first asked for."""

    __slots__ = ("_factors", "arrays", "structure")

    def __init__(self, structure: Structure, arrays: Sequence[Array]) -> None:
        self.structure = structure
        self.arrays = tuple(arrays)
        self._factors: tuple[Array, ...] | None = None

    def __reduce__(self) -> tuple[object, ...]:
        return Linearized, (self.structure, self.arrays)

    @classmethod
    def single(cls, form: Form, arrays: Sequence[Array]) -> Linearized:
        """A graph of one edge."""
        return cls(_single(form), arrays)

    # -- factors and entries -------------------------------------------------------------------------------------------

    def form(self, number: int) -> Form:
        """The structure of a wanted Jacobian; nothing is multiplied for it."""
        return factored_plan(self.structure).results[number][0]

    def factors(self, number: int) -> tuple[Array, ...]:
        """The arrays of a wanted Jacobian; those of all wanted ones are made together, as they share products."""
        plan = factored_plan(self.structure)
        made = self._factors
        if made is None:
            plan.program.require_memory()
            made = self._factors = plan.program(self.arrays)
        return tuple([made[k] for k in plan.results[number][1]])

    @property
    def is_factored(self) -> bool:
        """Whether the factors have been made."""
        return self._factors is not None

    @property
    def is_coupled(self) -> bool:
        """Whether the factors would hold large tables, because index maps of several local Jacobians meet."""
        return factored_plan(self.structure).program.coupled > COUPLED

    def full(self) -> list[Array]:
        """The full tensors of all wanted Jacobians."""
        program = full_plan(self.structure, None, into=False).program
        program.require_memory()
        return list(program(self.arrays))

    def full_of(self, number: int) -> Array:
        """The full tensor of one wanted Jacobian."""
        program = full_plan(self.structure, number, into=False).program
        program.require_memory()
        return program(self.arrays)[0]

    def prefers_factors(self, number: int) -> bool:
        """Whether the factors of all wanted Jacobians cost less than twice the full tensor of this one, or are there.

        Whoever wants one tensor of several is likely to want the others, which share products with it.
        """
        if self._factors is not None or len(self.structure.wanted) == 1:
            return self._factors is not None
        together, alone = factored_plan(self.structure), full_plan(self.structure, number, into=False)
        return together.program.cost < 2 * alone.program.cost

    def full_into(self, number: int, out: Array) -> None:
        """Write the full tensor of a wanted Jacobian into a C-contiguous array."""
        full_plan(self.structure, number, into=True).program((*self.arrays, out))

    def restricted(self, number: int) -> Linearized:
        """The graph of one wanted Jacobian: only what is on a way between its ends."""
        structure, kept = _restricted(self.structure, number)
        return Linearized(structure, [self.arrays[k] for k in kept])

    # -- products ------------------------------------------------------------------------------------------------------

    def jvp(self, value: int, tangents: Mapping[int, Array]) -> Product:
        """Σ ∂value/∂x · h over arguments x with tangents h; leading axes of these come first."""
        seeds, lead = [], 0
        for number, h in tangents.items():
            ndim = len(self.structure.ends[number][0])
            lead = h.ndim - ndim
            h = np.moveaxis(h, range(lead), range(ndim, h.ndim)) if lead else h
            seeds.append(Seed(number, compiler.dense(h.shape, ndim, h.dtype), (h,)))
        return Product(self, (), tuple(seeds), ((value, RIGHT),), lead)

    def vjp(self, cotangents: Mapping[int, Array], arguments: Sequence[int]) -> Product:
        """Σ u · ∂value/∂x over values with cotangents u, for every argument x; leading axes come first."""
        seeds = []
        for number, u in cotangents.items():
            lead = u.ndim - len(self.structure.ends[number][0])
            seeds.append(Seed(number, compiler.dense(u.shape, lead, u.dtype), (u,)))
        return Product(self, tuple(seeds), (), tuple([(LEFT, n) for n in arguments]))

    def select(self, number: int, key: Key) -> Product:
        """Some entries of a wanted Jacobian."""
        one = self.structure.wanted[number]
        left, right = _selections(one, key)
        return Product(self, left, right, ((LEFT if left else one.value, RIGHT if right else one.argument),))


class Product:
    """A product of a graph with what multiplies it from the left and from the right, for pairs of ends.

    The last `lead` axes of each result are moved to the front.
    """

    def __init__(
        self, graph: Linearized, left: tuple[Seed, ...], right: tuple[Seed, ...], pairs: tuple[tuple[int, int], ...],
        lead: int = 0,
    ) -> None:  # fmt: skip
        sown = [tuple([(seed.vertex, seed.form) for seed in seeds]) for seeds in (left, right)]
        self.program = product_plan(graph.structure, sown[0], sown[1], pairs).program
        self.arrays = [*graph.arrays, *(a for seed in left + right for a in seed.arrays)]
        self.lead = lead

    def __call__(self) -> tuple[Array, ...]:
        """Multiply; no matrix is made on the way, unless that is cheaper."""
        self.program.require_memory()
        made = self.program(self.arrays)
        lead = self.lead
        return tuple([np.moveaxis(x, range(x.ndim - lead, x.ndim), range(lead)) for x in made]) if lead else made


# --- compiled for a purpose -------------------------------------------------------------------------------------------


@kept
def factored_plan(structure: Structure) -> Plan:
    """All wanted Jacobians, as factors."""
    return compiler.plan(structure.edges, structure.wanted, full=False)


@kept
def full_plan(structure: Structure, number: int | None, into: bool) -> Plan:
    """All wanted Jacobians, or one, as full tensors."""
    wanted = structure.wanted if number is None else (structure.wanted[number],)
    return compiler.plan(structure.edges, wanted, full=True, into=into)


Sown = tuple[tuple[int, Form], ...]


@kept
def product_plan(structure: Structure, left: Sown, right: Sown, pairs: tuple[tuple[int, int], ...]) -> Plan:
    """Products of the graph with seeds, as full tensors."""
    edges = list(structure.edges)
    ends = dict(structure.ends)
    count = compiler.count(structure.edges)
    for seeds, end in ((left, LEFT), (right, RIGHT)):
        for vertex, form in seeds:
            pair, shape = ((LEFT, vertex), form.out_shape) if end == LEFT else ((vertex, RIGHT), form.wrt_shape)
            numbers = tuple(range(count, count + form.arrays))
            count += form.arrays
            edges.append(Edge(*pair, form.out_shape, form.wrt_shape, form.dtype, "u", "t", form, numbers))
            ends[end] = shape, form.dtype
    wanted = []
    for value, argument in pairs:
        (out_shape, one), (wrt_shape, other) = ends[value], ends[argument]
        wanted.append(Wanted(value, argument, out_shape, wrt_shape, np.result_type(one, other), "f", "t"))
    return compiler.plan(tuple(edges), tuple(wanted), full=True)


@kept
def _single(form: Form) -> Structure:
    """A form as a graph: ∂1/∂0."""
    shapes = form.out_shape, form.wrt_shape
    edge = Edge(1, 0, *shapes, form.dtype, form.out_name, form.wrt_name, form, tuple(range(form.arrays)))
    return Structure((edge,), (Wanted(1, 0, *shapes, form.dtype, form.out_name, form.wrt_name),))


@kept
def _selections(one: Wanted, key: Key) -> tuple[tuple[Seed, ...], tuple[Seed, ...]]:
    """The matrices of 0 and 1 that select entries, from the left and from the right; none where all are wanted."""
    cut = len(one.out_shape)
    found: list[tuple[Seed, ...]] = []
    for vertex, shape, some in ((one.value, one.out_shape, key[:cut]), (one.argument, one.wrt_shape, key[cut:])):
        if all(what == (0, 1, n) for what, n in zip(some, shape, strict=True)):
            found.append(())
            continue
        sizes = tuple([what[2] for what in some if not isinstance(what, int)])
        kept = tuple([plain(k, n) for k, n in enumerate(sizes)])
        labels = iter(range(len(sizes)))
        axes: list[Axis] = []
        for what, n in zip(some, shape, strict=True):
            steps, start = ({}, what) if isinstance(what, int) else ({next(labels): what[1]}, what[0])
            axes.append(affine(n, steps, start, dict(enumerate(sizes))))
        sides = (kept, tuple(axes), sizes, shape) if not found else (tuple(axes), kept, shape, sizes)
        term = Term(sizes, (), (), *sides[:2])
        found.append((Seed(vertex, Form(*sides[2:], one.dtype, (term,))),))
    return found[0], found[1]


@kept
def _restricted(structure: Structure, number: int) -> tuple[Structure, tuple[int, ...]]:
    """The structure of one wanted Jacobian, and the numbers of the arrays that it takes."""
    one = structure.wanted[number]
    edges = compiler.between(structure.edges, one.value, one.argument)
    kept = tuple(sorted({n for edge in edges for n in compiler.numbers_of(edge)}))
    new = {old: k for k, old in enumerate(kept)}
    return Structure(tuple([compiler.renumbered(edge, new) for edge in edges]), (one,)), kept
