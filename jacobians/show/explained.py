"""What there is to say about one Jacobian of a graph, apart from how it looks on paper."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic

import numpy as np

from jacobians.engine.tape import Array
from jacobians.notation.formula import equation, read, times
from jacobians.notation.quotients import Quotients
from jacobians.notation.structure import Form
from jacobians.notation.sums import Sign, taken_apart
from jacobians.notation.symbols import LONGEST, Index
from jacobians.show.costs import Order
from jacobians.show.derivation import Definition, Step
from jacobians.show.derivatives import J


@dataclass(frozen=True)
class Explained(Generic[J]):
    """How ∂value/∂argument comes about."""

    wrt: str
    factors: tuple[J, ...]
    """The local Jacobians on the way, from the value to the argument; along a chain, it is their product."""

    rule: str
    """The chain rule: ∂f/∂z · ∂z/∂A, a product for every path."""

    subscripts: str
    """The einsum string of the contraction along a chain, as in ``il,ljk->ijk``; nothing where there are branches."""

    orders: tuple[Order, ...]
    """What the contraction costs in the orders worth naming; first the one that the engine chooses, which is shown."""

    steps: tuple[Step | Definition, ...]
    result: J
    known: tuple[J, ...] = ()
    """All local Jacobians of the graph; their factors are what the names in the formulas stand for."""

    quotients: Quotients = field(default_factory=Quotients)
    """What is known of the names."""

    @property
    def name(self) -> str:
        """∂f/∂A."""
        return name_of(self.result.form)

    @property
    def formula(self) -> str:
        """The simplified result, as in "∂f_i/∂A_jk = δ_ij (1-f²)_i x_k"."""
        return read(self.result.form, LONGEST, self.quotients)

    legend: tuple[tuple[str, str], ...] = ()
    """What the names stand for that are the library's own."""

    @property
    def definitions(self) -> list[Definition]:
        """What the letters in the formula stand for that it shares with the steps."""
        defined = [step for step in self.steps if isinstance(step, Definition)]
        found: list[Definition] = []
        waiting = [self.formula]
        while waiting:
            text = waiting.pop(0)
            names = {one.left: one.left.rpartition("_")[0] or one.left for one in defined if one not in found}
            new = [one for one in defined if one.left in names and re.search(rf"{names[one.left]}(?![₀-₉])", text)]
            found += new
            waiting += [one.right for one in new]
        return found

    @property
    def couplings(self) -> int:
        """How many 0/1 factors C couple the positions of two index maps in the result."""
        return self.orders[0].couplings if self.orders else 0

    @property
    def values(self) -> Mapping[tuple[str, int], Array]:
        """The arrays that the names in the formulas stand for, by the name and the number of its indices."""
        found: dict[tuple[str, int], Array] = {}
        for jacobian in (*self.known, *self.factors):
            for term in jacobian.form.terms:
                for factor in (*term.factors, *term.lookups):
                    if len(factor.symbol) == 1 and len(factor.symbol[0].names) == 1:
                        ((name, indices),) = factor.symbol[0].names
                        if all(isinstance(i, int) and i >= 0 for i in indices):
                            array = found[name, len(indices)] = _indexed(jacobian.arrays[factor.array], indices)
                            sign, number, rest = taken_apart(Sign(name))
                            if rest and rest[0].name != name:
                                found[rest[0].name, len(indices)] = array / (sign * number)
        return found

    @property
    def product(self) -> str:
        """∂f/∂A = ∂f/∂z · ∂z/∂A."""
        return f"{self.name} = {self.rule}"

    @property
    def axes(self) -> str:
        """What each letter of the einsum string runs over; nothing where there is none."""
        if not self.subscripts:
            return ""
        inputs, _, output = self.subscripts.partition("->")
        words = inputs.split(",")
        forms = [factor.form for factor in self.factors]
        ends = [words[0][: len(forms[0].out_shape)]]
        ends += [word[len(form.out_shape) :] for word, form in zip(words, forms, strict=True)]
        names = [forms[0].out_name, *(form.wrt_name for form in forms)]
        shapes = [forms[0].out_shape, *(form.wrt_shape for form in forms)]
        parts = [f"{letters} of {name} {shape}" + ("" if set(letters) <= set(output) else ", summed")
                 for letters, name, shape in zip(ends, names, shapes, strict=True) if letters]  # fmt: skip
        return "; ".join(parts)


def whole_formula(form: Form) -> str:
    """The formula without […]."""
    return equation(form, longest=LONGEST)


def name_of(form: Form) -> str:
    """∂f/∂A."""
    return f"∂{form.out_name}/∂{form.wrt_name}"


def shape_of(form: Form) -> str:
    """The shape in its two groups."""
    return times(form.out_shape, form.wrt_shape)


def _indexed(array: Array, indices: Sequence[Index]) -> Array:
    """The array with an axis for each index; an index that stands twice, as in A_ii, is an axis twice."""
    if len(set(indices)) == len(indices):
        return array
    whole = np.zeros([array.shape[i] for i in indices if isinstance(i, int)], array.dtype)
    np.einsum(whole, list(indices), list(range(array.ndim)))[...] = array
    return whole
