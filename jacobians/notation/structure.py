"""Labels and sizes without numbers: what a Jacobian *is*, apart from the arrays that it holds.

A generalized Jacobian is a sum of terms (see `jacobians.notation`). A `Term` says which factors it multiplies, which
labels their axes carry, and where each label stands among the axes of the output and of what we differentiate by. A
`Form` is a whole Jacobian in that sense. Both are plain values: hashable, comparable, picklable. Everything that can be
decided without looking at a number is decided on them, once per shape, and remembered.

Index legend: i, j are labels (small integers); p is a position along an axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import NamedTuple

import numpy as np

from jacobians.notation.symbols import Label, Symbol

Shape = tuple[int, ...]


class Axis(NamedTuple):
    """An axis right of the arrow: the position that the labels stand for.

    p = offset + Σ coefficient·label, or p = n[labels] for the lookup array number `lookup` of the term. Positions
    outside 0 … size − 1 do not exist: such entries are not part of the term.
    """

    size: int
    steps: tuple[tuple[Label, int], ...]
    offset: int = 0
    lookup: int | None = None
    whole: bool = False  # the axis is nothing but its one label, from the first value to the last

    @property
    def label(self) -> Label | None:
        """The label, where the axis is nothing but that label; None for an index map."""
        return self.steps[0][0] if self.whole else None

    def labels(self) -> Iterator[Label]:
        """Every label that the position depends on (for a lookup: the labels of the lookup array, in order)."""
        return (label for label, _ in self.steps)

    def bounds(self, sizes: Mapping[Label, int]) -> tuple[int, int]:
        """Lowest and highest position of an affine axis."""
        reach = [coefficient * (sizes[label] - 1) for label, coefficient in self.steps]
        return self.offset + sum(min(0, r) for r in reach), self.offset + sum(max(0, r) for r in reach)

    def inside(self, sizes: Mapping[Label, int]) -> bool:
        """Whether every position exists."""
        low, high = self.bounds(sizes)
        return self.lookup is None and low >= 0 and high < self.size


def plain(label: Label, size: int) -> Axis:
    """The axis that is the label itself."""
    return Axis(size, ((label, 1),), whole=True)


def affine(size: int, steps: Mapping[Label, int], offset: int, sizes: Mapping[Label, int]) -> Axis:
    """The axis at offset + Σ coefficient·label."""
    left = tuple((label, c) for label, c in steps.items() if c)
    whole = offset == 0 and len(left) == 1 and left[0][1] == 1 and sizes[left[0][0]] == size
    return Axis(size, left, offset, whole=whole)


class Factor(NamedTuple):
    """An array (by its number) and the labels of its axes."""

    array: int
    labels: tuple[Label, ...]
    symbol: Symbol


@dataclass(frozen=True)
class Term:
    """± the product of the factors, summed over the labels that stand in no axis; zero where axes disagree.

    `sizes[i]` is the size of label i. `lookups` are the integer arrays that axes refer to.
    """

    sizes: tuple[int, ...]
    factors: tuple[Factor, ...]
    lookups: tuple[Factor, ...]
    out: tuple[Axis, ...]
    wrt: tuple[Axis, ...]
    sign: int = 1

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Output axes, then the axes of what we differentiate by."""
        return self.out + self.wrt

    @cached_property
    def kept(self) -> frozenset[Label]:
        """The labels that stand right of the arrow."""
        return frozenset([label for axis in self.axes for label, _ in axis.steps])

    @cached_property
    def carried(self) -> frozenset[Label]:
        """The labels that factors carry."""
        return frozenset([label for factor in self.factors for label in factor.labels])

    @cached_property
    def pattern(self) -> tuple[object, ...]:
        """The axes with their labels numbered as they are met, and what they look up: equal for equal patterns."""
        return pattern_of(self.axes, self)

    def size(self, labels: Iterable[Label]) -> int:
        """The number of entries of an array with these labels."""
        return prod([self.sizes[label] for label in labels])

    @property
    def held(self) -> int:
        """Entries held by the factors (a term without factors holds the number 1)."""
        return sum(self.size(f.labels) for f in self.factors) or 1

    def with_arrays(self, number: Callable[[int], int]) -> Term:
        """The term with its arrays numbered anew."""
        factors, lookups = (
            tuple([Factor(number(a), labels, symbol) for a, labels, symbol in some])
            for some in (self.factors, self.lookups)
        )
        return Term(self.sizes, factors, lookups, self.out, self.wrt, self.sign)


def pattern_of(axes: Iterable[Axis], term: Term) -> tuple[object, ...]:
    """Some axes of a term with their labels numbered as they are met, and what they look up."""
    met: dict[Label, int] = {}
    found: list[object] = []
    for size, steps, offset, lookup, _ in axes:
        inner = tuple([(met.setdefault(i, len(met)), term.sizes[i], c) for i, c in steps])
        found.append((size, inner, offset, None if lookup is None else term.lookups[lookup].array))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Form:
    """The structure of a Jacobian: shapes, dtype, names and terms. Equal forms hold arrays of equal shapes.

    `by` is not empty for a second or higher derivative: what the output has been differentiated by already, each with
    its number of axes, which are the last axes of the output.
    """

    out_shape: Shape
    wrt_shape: Shape
    dtype: np.dtype[np.generic]
    terms: tuple[Term, ...]
    out_name: str = "y"
    wrt_name: str = "x"
    by: tuple[tuple[str, int], ...] = ()

    def _key(self) -> tuple[object, ...]:
        return (self.out_shape, self.wrt_shape, self.dtype.str, self.terms, self.out_name, self.wrt_name, self.by)

    @cached_property
    def _hash(self) -> int:
        return hash(self._key())

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Form) and self._hash == other._hash and self._key() == other._key())

    def __reduce__(self) -> tuple[object, ...]:  # string hashes differ between processes
        return Form, (self.out_shape, self.wrt_shape, self.dtype, self.terms, self.out_name, self.wrt_name, self.by)

    @property
    def shape(self) -> Shape:
        """Output axes, then the axes of what we differentiate by."""
        return self.out_shape + self.wrt_shape

    @property
    def arrays(self) -> int:
        """How many arrays a Jacobian of this form holds."""
        return 1 + max((f.array for t in self.terms for f in t.factors + t.lookups), default=-1)
