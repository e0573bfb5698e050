"""Where a Jacobian has its entries from: `Factors`, or `Between` two values of a linearized graph, not multiplied yet.

Both answer the same questions. A graph is multiplied anew for each, in the order that is cheapest for it; only factors
are kept, once they have been made.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from jacobians.engine import algebra, compiler, entries
from jacobians.engine.linearized import Key, Linearized, Product
from jacobians.engine.sparse import Format, sparse
from jacobians.engine.sparse_products import has_scipy, multiplied
from jacobians.engine.tape import Array
from jacobians.kept import kept
from jacobians.notation.structure import Form, Shape


class Factors(NamedTuple):
    """A form and its arrays."""

    form: Form
    arrays: tuple[Array, ...]

    @property
    def held(self) -> tuple[Array, ...]:
        """All arrays that the entries are made of."""
        return self.arrays

    @property
    def shapes(self) -> tuple[Shape, Shape]:
        """The shapes of the output and of what we differentiate by."""
        return self.form.out_shape, self.form.wrt_shape

    def full(self) -> Array:
        """The full tensor."""
        program = compiler.writer(self.form, into=False)
        program.require_memory()
        return program(self.arrays)[0]

    def full_into(self, out: Array) -> None:
        """Write the full tensor into a C-contiguous array."""
        compiler.writer(self.form, into=True)((*self.arrays, out))

    def sparse(self, kind: Format) -> Any:
        """The matrix as a sparse array of SciPy."""
        return sparse(self.form, self.arrays, kind)

    def nonzeros(self) -> int:
        """How many entries can be different from zero."""
        return entries.count(self.form, self.arrays)

    def select(self, key: Key) -> Array:
        """Some entries."""
        program, form = compiler.compiled(algebra.select, (self.form,), (key,))
        program.require_memory()
        return Factors(form, program(self.arrays)).full()

    def jvp(self, h: Array) -> Array:
        """The product J · h; leading axes come first."""
        return Linearized.single(*self).jvp(1, {0: h})()[0]

    def vjp(self, u: Array) -> Array:
        """The product u · J; leading axes come first."""
        return Linearized.single(*self).vjp({1: u}, [0])()[0]

    def named(self, out_name: str, wrt_name: str) -> Factors:
        """The same, written ∂out_name/∂wrt_name."""
        return Factors(_renamed(self.form, out_name, wrt_name), self.arrays)

    def own(self) -> Factors:
        """The same, with nothing that it does not need."""
        return self


class Between(NamedTuple):
    """A Jacobian that a linearized graph is asked for, by its number there, and what its ends are called."""

    graph: Linearized
    number: int
    names: tuple[str, str]

    @property
    def form(self) -> Form:
        """What its factors are; nothing is multiplied for that."""
        return _renamed(self.graph.form(self.number), *self.names)

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays of its factors, which are multiplied when they are first asked for."""
        return self.graph.factors(self.number)

    @property
    def held(self) -> tuple[Array, ...]:
        """All arrays that the entries are made of."""
        return self.graph.arrays

    @property
    def shapes(self) -> tuple[Shape, Shape]:
        """The shapes of the output and of what we differentiate by."""
        one = self.graph.structure.wanted[self.number]
        return one.out_shape, one.wrt_shape

    @property
    def factors(self) -> Factors:
        """Its factors, made now if they have not been."""
        return Factors(self.form, self.arrays)

    def full(self) -> Array:
        """The full tensor."""
        if self.graph.prefers_factors(self.number):
            return self.factors.full()
        return self.graph.full_of(self.number)

    def full_into(self, out: Array) -> None:
        """Write the full tensor into a C-contiguous array."""
        if self.graph.prefers_factors(self.number):
            self.factors.full_into(out)
        else:
            self.graph.full_into(self.number, out)

    def sparse(self, kind: Format) -> Any:
        """The matrix as a sparse array of SciPy; it multiplies where index maps would be coupled pair by pair."""
        if not self.graph.is_factored and self.graph.is_coupled:
            return multiplied(self.graph, self.number, kind)
        return self.factors.sparse(kind)

    def nonzeros(self) -> int:
        """How many entries can be different from zero."""
        if not self.graph.is_factored and self.graph.is_coupled and has_scipy():
            return int(multiplied(self.graph, self.number, "csr", pattern=True).nnz)
        return self.factors.nonzeros()

    def select(self, key: Key) -> Array:
        """Some entries."""
        return self.factors.select(key) if self.graph.is_factored else self.graph.select(self.number, key)()[0]

    def jvp(self, h: Array) -> Array:
        """The product J · h, along the graph or, once they have been made, with the factors; leading axes first."""
        one = self.graph.structure.wanted[self.number]
        ways = [self.graph.jvp(one.value, {one.argument: h})]
        if self.graph.is_factored:
            ways.append(Linearized.single(*self.factors).jvp(1, {0: h}))
        return min(ways, key=_cost)()[0]

    def vjp(self, u: Array) -> Array:
        """The product u · J, likewise."""
        one = self.graph.structure.wanted[self.number]
        ways = [self.graph.vjp({one.value: u}, [one.argument])]
        if self.graph.is_factored:
            ways.append(Linearized.single(*self.factors).vjp({1: u}, [0]))
        return min(ways, key=_cost)()[0]

    def named(self, out_name: str, wrt_name: str) -> Between:
        """The same, written ∂out_name/∂wrt_name."""
        return self._replace(names=(out_name, wrt_name))

    def own(self) -> Between:
        """The same, with nothing that it does not need."""
        return Between(self.graph.restricted(self.number), 0, self.names)


def _cost(product: Product) -> float:
    return product.program.cost


@kept
def _renamed(form: Form, out_name: str, wrt_name: str) -> Form:
    return replace(form, out_name=out_name, wrt_name=wrt_name)
