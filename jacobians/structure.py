"""Labels and sizes without numbers: what a Jacobian *is*, apart from the arrays that it holds.

A generalized Jacobian is a sum of terms (see `jacobians.notation`). A `Term` says which factors it multiplies, which
labels their axes carry, and where each label stands among the axes of the output and of what we differentiate by. A
`Form` is a whole Jacobian in that sense. Both are plain values: hashable, comparable, picklable. Everything that can be
decided without looking at a number is decided on them, once per shape, and remembered.

Index legend: i, j are labels (small integers); p is a position along an axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from math import prod
from typing import NamedTuple

import numpy as np

Label = int
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


# --- how a factor is written ------------------------------------------------------------------------------------------
# An index of a name is the number of an axis of the factor (≥ 0), a label that was summed away (< 0), or the text
# parts of an index map such as (2y+u-1).
Index = int | tuple[int | str, ...]


class Named(NamedTuple):
    """A name with its indices, as in A_ij."""

    name: str
    indices: tuple[Index, ...] = ()


class Product(NamedTuple):
    """± a product of names."""

    sign: int
    names: tuple[Named, ...]


Symbol = tuple[Product, ...]
LONGEST = 48  # names in a symbol; what is longer is written […]


def symbol_of(name: str, axes: int) -> Symbol:
    """The symbol of an array of so many axes."""
    return (Product(1, (Named(name, tuple(range(axes))),)),)


def reindexed(symbol: Symbol, new: Callable[[int], Index]) -> Symbol:
    """The symbol with every axis number and every summed label replaced."""

    def parts(index: Index) -> Index:
        if isinstance(index, int):
            return new(index)
        flat: list[int | str] = []
        for part in index:
            renamed = new(part) if isinstance(part, int) else part
            flat.extend([renamed] if isinstance(renamed, int | str) else renamed)
        return tuple(flat)

    return tuple(
        Product(sign, tuple(Named(name, tuple(parts(i) for i in indices)) for name, indices in names))
        for sign, names in symbol
    )


def _summed(symbol: Symbol) -> int:
    """How many labels have been summed away inside the symbol (they are numbered −1, −2, …)."""
    inner = [0]

    def note(index: int) -> int:
        inner.append(-index)
        return index

    reindexed(symbol, note)
    return max(inner)


def _placed(labels: tuple[Label, ...], where: Mapping[Label, int], shift: int, index: int) -> int:
    """Where the axis of a factor is in a product; labels that were summed before are numbered on."""
    return where[labels[index]] if index >= 0 else index - shift


def multiplied(symbols: Iterable[tuple[Symbol, tuple[Label, ...]]], result: tuple[Label, ...]) -> Symbol:
    """The symbol of a product of factors, given with their labels; labels not in `result` are summed."""
    where: dict[Label, int] = {label: k for k, label in enumerate(result)}
    total: Symbol = (Product(1, ()),)
    inner = 0
    for symbol, labels in symbols:
        for label in labels:
            if label not in where:
                inner += 1
                where[label] = -inner
        first = inner
        inner += _summed(symbol)
        renamed = reindexed(symbol, partial(_placed, labels, where, first))
        total = tuple(Product(a.sign * b.sign, a.names + b.names) for a in total for b in renamed)
    return shortened(total, len(result))


def shortened(symbol: Symbol, axes: int) -> Symbol:
    """The symbol, or […] where it has grown too long to read."""
    return symbol if sum(len(p.names) for p in symbol) <= LONGEST else symbol_of("[…]", axes)


# --- terms ------------------------------------------------------------------------------------------------------------


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

    @property
    def kept(self) -> frozenset[Label]:
        """The labels that stand right of the arrow."""
        return frozenset(label for axis in self.axes for label in axis.labels())

    @property
    def carried(self) -> frozenset[Label]:
        """The labels that factors carry."""
        return frozenset(label for factor in self.factors for label in factor.labels)

    def size(self, labels: Iterable[Label]) -> int:
        """The number of entries of an array with these labels."""
        return prod(self.sizes[label] for label in labels)

    @property
    def held(self) -> int:
        """Entries held by the factors (a term without factors holds the number 1)."""
        return sum(self.size(f.labels) for f in self.factors) or 1

    def with_arrays(self, number: Callable[[int], int]) -> Term:
        """The term with its arrays numbered anew."""
        return replace(
            self,
            factors=tuple(f._replace(array=number(f.array)) for f in self.factors),
            lookups=tuple(f._replace(array=number(f.array)) for f in self.lookups),
        )


@dataclass(frozen=True, eq=False)
class Form:
    """The structure of a Jacobian: shapes, dtype, names and terms. Equal forms hold arrays of equal shapes."""

    out_shape: Shape
    wrt_shape: Shape
    dtype: np.dtype[np.generic]
    terms: tuple[Term, ...]
    out_name: str = "y"
    wrt_name: str = "x"
    _hash: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash(self._key()))

    def _key(self) -> tuple[object, ...]:
        return (self.out_shape, self.wrt_shape, self.dtype.str, self.terms, self.out_name, self.wrt_name)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Form) and self._hash == other._hash and self._key() == other._key())

    def __reduce__(self) -> tuple[object, ...]:  # string hashes differ between processes
        return Form, (self.out_shape, self.wrt_shape, self.dtype, self.terms, self.out_name, self.wrt_name)

    @property
    def shape(self) -> Shape:
        """Output axes, then the axes of what we differentiate by."""
        return self.out_shape + self.wrt_shape

    @property
    def arrays(self) -> int:
        """How many arrays a Jacobian of this form holds."""
        return 1 + max((f.array for t in self.terms for f in t.factors + t.lookups), default=-1)
