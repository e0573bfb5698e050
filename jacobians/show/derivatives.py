"""`Derivatives`: a graph as it is shown, values with their names and the local Jacobians between them.

Whoever has a graph (a layer, a chain, a traced function) makes one; tables, derivations and diagrams are drawn from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, NamedTuple, Protocol, Self, TypeVar

from jacobians.engine import algebra, compiler
from jacobians.engine.tape import Array
from jacobians.notation.expressions import bare
from jacobians.notation.quotients import Quotients
from jacobians.notation.structure import Form, Shape

LONG = 120  # letters of a sum of products
Pair = tuple[int, int]
"""The numbers of a value and of an argument: ∂value/∂argument."""


class Structured(Protocol):
    """What is shown of a Jacobian; `jacobians.Jacobian` says what each of these is."""

    @property
    def form(self) -> Form:
        """The structure."""

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays of the factors."""

    @property
    def nonzeros(self) -> int:
        """How many entries can be different from zero."""

    @property
    def nbytes(self) -> int:
        """Bytes held by the factors."""

    def with_form(self, form: Form, arrays: tuple[Array, ...] | None = None) -> Self:
        """One of this kind with another form; with these arrays under other names, if none are given."""


J = TypeVar("J", bound=Structured)


def product(one: J, two: J) -> J:
    """The chain rule for Jacobians of one graph, which agree on names."""
    return _combined(algebra.product, one, two)


def total(one: J, two: J) -> J:
    """The sum of two paths of one graph."""
    return _combined(algebra.add, one, two)


def _combined(operation: compiler.Operation, one: J, two: J) -> J:
    program, form = compiler.compiled(operation, (one.form, two.form))
    program.require_memory()
    return one.with_form(form, program([*one.arrays, *two.arrays]))


class Value(NamedTuple):
    """A value of a graph."""

    name: str
    shape: Shape
    path: str = ""
    """Its dotted path, where the name alone does not say it: ``0.A`` for A₁."""

    maker: str = ""
    """The layer or function that makes it; nothing for an argument."""

    details: str = ""
    """The maker's parameters and options."""

    expression: str = ""
    """What it is computed as, in names, where that can be said."""

    explained: bool = True
    """Whether its name says what it is, or the source gives it that name; else a legend says it."""


@dataclass(frozen=True)
class Derivatives(Generic[J]):
    """Values by number, in the order in which they are made, and the Jacobian of each by each that it is made of."""

    values: Mapping[int, Value]
    local: Mapping[Pair, J]

    def between(self, value: int, argument: int) -> Derivatives[J]:
        """Only what is on a way from the argument to the value."""
        above, below = {argument}, {value}
        for out, by in self.local:  # in order: what is made comes after what it is made of
            if by in above:
                above.add(out)
        for out, by in reversed(list(self.local)):
            if out in below:
                below.add(by)
        both = (above & below) | {value, argument}
        return Derivatives(
            {n: v for n, v in self.values.items() if n in both},
            {(out, by): one for (out, by), one in self.local.items()
             if out in both and by in both and out in above and by in below and out != argument and by != value},
        )  # fmt: skip

    @cached_property
    def uses(self) -> Mapping[int, Sequence[int]]:
        """What every value is made of."""
        found: dict[int, list[int]] = {}
        for out, by in self.local:
            found.setdefault(out, []).append(by)
        return found

    def paths(self, value: int, argument: int, most: int) -> list[list[Pair]]:
        """The ways from a value down to an argument, the first so many of them."""
        found: list[list[Pair]] = []
        waiting: list[list[Pair]] = [[(value, by)] for by in self.uses.get(value, ())]
        while waiting and len(found) < most:
            path = waiting.pop(0)
            last = path[-1][1]
            if last == argument:
                found.append(path)
            else:
                waiting[:0] = [[*path, (last, by)] for by in self.uses.get(last, ())]
        return found

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """What the names stand for that are the library's own."""
        return tuple((one.name, bare(one.expression)) for one in self.values.values() if not one.explained)

    @cached_property
    def quotients(self) -> Quotients:
        """What is known of names when formulas are written."""
        shapes = {one.name: one.shape for one in self.values.values()}
        named = {}
        for one in self.values.values():
            parts = re.fullmatch(r"\((.+)/(.+)\)", one.expression)
            if (
                one.maker == "Divide"
                and parts
                and all(len(shapes.get(p, ())) in (0, len(one.shape)) for p in parts.groups())
            ):
                named[parts[1], parts[2]] = one.name
        return Quotients(shapes, named)

    @property
    def is_chain(self) -> bool:
        """Whether there are no branches."""
        return len(self.local) == len(self.values) - 1 and all(len(some) == 1 for some in self.uses.values())

    def name(self, pair: Pair) -> str:
        """∂f/∂A."""
        return f"∂{self.values[pair[0]].name}/∂{self.values[pair[1]].name}"

    def written(self, value: int, argument: int, most: int = 4) -> str:
        """The chain rule, as in ∂f/∂z · ∂z/∂A: a product for every path, added up; ⋯ where that would be long."""
        found = self.between(value, argument).paths(value, argument, most + 1)
        products = [" · ".join(self._short([self.name(pair) for pair in path])) for path in found]
        shown = products[:most]
        while len(shown) > 1 and len(" + ".join(shown)) > LONG:
            shown.pop()
        return " + ".join([*shown, "⋯"] if len(shown) < len(products) else shown) or "0"

    def _short(self, names: list[str]) -> list[str]:
        return names if len(names) <= 6 else [*names[:3], "⋯", *names[-2:]]
