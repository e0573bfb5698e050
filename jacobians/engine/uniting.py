"""A term whose labels are united: what is left of it where axes are at the same position.

Two plain labels become one; a label that meets an index map is replaced by it, in the factors through a view; one of
two index maps is solved for a label, or inverted to a lookup. Where nothing of that is possible, they are coupled by a
0/1 factor over the labels of both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from math import prod
from typing import Any

import numpy as np

from jacobians.engine import contract
from jacobians.engine.index_maps import (
    difference,
    gathered,
    injective,
    inverted,
    looked_up,
    never_equal,
    nowhere,
    positions,
)
from jacobians.engine.tape import Array, Tape
from jacobians.notation.structure import Axis, Factor, Term, affine
from jacobians.notation.symbols import Label, Symbol, reindexed, symbol_of


class TermUnifier:
    """A term whose labels are united and replaced; every array call goes to the tape."""

    def __init__(self, tape: Tape, terms: Iterable[Term]) -> None:
        self.tape = tape
        self.sizes: dict[Label, int] = {}
        self.factors: list[Factor] = []
        self.lookups: list[Factor] = []
        self.sign = 1
        self.groups: list[tuple[list[Axis], list[Axis]]] = []
        for term in terms:
            self._take(term)
        self.out, self.wrt = self.groups[0][0], self.groups[-1][1]
        self.fresh = count(len(self.sizes))
        self.taken: set[Label] = set()  # labels that a factor had before it was taken at lookups of them
        self.zero = 0 in self.sizes.values()  # whether the term has no entry that is different from zero

    def _take(self, term: Term) -> None:
        """Take a term in, its labels renamed apart from those here."""
        shift, lookups = len(self.sizes), len(self.lookups)
        self.sizes.update(enumerate(term.sizes, shift))
        self.sign *= term.sign
        if not shift and not lookups:
            self.factors.extend(term.factors)
            self.lookups.extend(term.lookups)
            self.groups.append((list(term.out), list(term.wrt)))
            return

        def moved(axis: Axis) -> Axis:
            size, steps, offset, lookup, whole = axis
            steps = tuple([(i + shift, c) for i, c in steps])
            return Axis(size, steps, offset, None if lookup is None else lookup + lookups, whole)

        for mine, theirs in ((self.factors, term.factors), (self.lookups, term.lookups)):
            mine.extend([Factor(a, tuple([i + shift for i in labels]), symbol) for a, labels, symbol in theirs])
        self.groups.append(([moved(a) for a in term.out], [moved(a) for a in term.wrt]))

    def label(self, size: int) -> Label:
        """A new label."""
        new = next(self.fresh)
        self.sizes[new] = size
        self.zero = self.zero or size == 0
        return new

    # -- uniting -------------------------------------------------------------------------------------------------------

    def axes(self) -> Iterator[Axis]:
        """Every axis that still means something."""
        for group in self.groups:
            yield from group[0]
            yield from group[1]

    def join(self, left: list[Axis], right: list[Axis]) -> None:
        """Equate two lists of axes position by position and take them out of the term."""
        self._take_together(left, right)
        while left and not self.zero:
            a, b = left.pop(), right.pop()
            self.equate(a, b)

    def _take_together(self, left: Sequence[Axis], right: Sequence[Axis]) -> None:
        """Take factors at lookups of several of their labels at once; one by one, there are many more entries."""
        pairs = [(x.label, y) for a, b in zip(left, right, strict=True) for x, y in ((a, b), (b, a))
                 if x.label is not None and y.lookup is not None]  # fmt: skip
        by = dict(pairs)
        if len(by) < 2 or len(by) < len(pairs) or any(i in by for axis in by.values() for i in axis.labels()):
            return
        for factors, fill in ((self.factors, 0), (self.lookups, -1)):
            for k, factor in enumerate(factors):
                some = {i: by[i] for i in factor.labels if i in by}
                if len(some) > 1:
                    factors[k] = self._taken(factor, some, fill)
                    self.taken |= some.keys() if fill == 0 else set()

    def _taken(self, factor: Factor, by: Mapping[Label, Axis], fill: int) -> Factor:
        """A factor with several labels replaced by lookups."""
        lookups = {i: self.lookups[axis.lookup] for i, axis in by.items() if axis.lookup is not None}
        at = {i: (by[i].size, lookup.labels) for i, lookup in lookups.items()}
        call, labels, _ = looked_up(factor.labels, at, self.sizes, fill)
        arrays = [lookup.array for lookup in lookups.values()]
        array = self.tape.emit(call, factor.array, *arrays, size=self.size(labels))

        def index(k: int) -> Any:
            if k < 0 or factor.labels[k] not in lookups:
                return k if k < 0 else labels.index(factor.labels[k])
            lookup = lookups[factor.labels[k]]
            return (f"({lookup.symbol[0].names[0].name}_", *(labels.index(i) for i in lookup.labels), ")")

        return Factor(array, labels, factor.symbol if self.tape.numeric else reindexed(factor.symbol, index))

    def equate(self, a: Axis, b: Axis) -> None:
        """Keep only the entries where two axes are at the same position. The axes themselves are gone."""
        if b.label is not None and b.label not in a.labels():
            self.substitute(b.label, a)
        elif a.label is not None and a.label not in b.labels():
            self.substitute(a.label, b)
        elif never_equal(a, b, self.sizes):
            self.zero = True
        elif self._same(a, b):
            self._require(a)
        elif not (self._solve(a, b) or self._invert(a, b) or self._invert(b, a)):
            self._couple(a, b)

    def _same(self, a: Axis, b: Axis) -> bool:
        """Whether two axes are the same map of the same labels."""
        if a.lookup is None or b.lookup is None:
            return a == b
        one, two = self.lookups[a.lookup], self.lookups[b.lookup]
        return (one.array, one.labels) == (two.array, two.labels)

    def _require(self, axis: Axis) -> None:
        """Multiply with 1 where the position exists, and with 0 elsewhere."""
        if not axis.inside(self.sizes):
            self._indicator(tuple(axis.labels()), [axis])

    def _solve(self, a: Axis, b: Axis) -> bool:
        """Solve p_a = p_b for a label with the coefficient ±1: it is an affine map of the others."""
        if a.lookup is not None or b.lookup is not None:
            return False
        steps = difference(a, b)
        watched = {x.label for x in self.axes()} | {i for f in self.factors for i in f.labels}
        units = [i for i, c in steps.items() if abs(c) == 1]
        if not units:
            return False
        label = next((i for i in units if i in watched), units[0])
        if not (a.inside(self.sizes) or b.inside(self.sizes)):
            self._require(min(a, b, key=lambda x: self.size(x.labels())))
        c = steps.pop(label)
        by = {j: -c * d for j, d in steps.items()}
        self.substitute(label, affine(self.sizes[label], by, -c * (a.offset - b.offset), self.sizes))
        return True

    def _invert(self, a: Axis, b: Axis) -> bool:
        """Where p_b meets every position once at most, its labels are lookups of the position p_a."""
        if not b.steps or b.lookup is not None or {*a.labels()} & {*b.labels()} or not injective([b], self.sizes):
            return False
        order = tuple(dict.fromkeys(a.labels()))
        shape = tuple(self.sizes[i] for i in order)
        at = self._positions(a, order)
        for label, call in inverted(b, self.sizes).items():
            array = self.tape.emit(lambda p, call=call: call(np.broadcast_to(p, shape)), at, size=prod(shape))
            self.lookups.append(Factor(array, order, symbol_of("n", len(order))))
            self.substitute(label, Axis(self.sizes[label], tuple((i, 0) for i in order), 0, len(self.lookups) - 1))
        return True

    def _couple(self, a: Axis, b: Axis) -> None:
        """The general case: multiply with [p_a = p_b], a 0/1 factor over the labels of the two maps."""
        array = self._indicator(tuple(dict.fromkeys((*a.labels(), *b.labels()))), [a, b])
        if a.steps and b.steps:
            self.tape.couplings.add(array)

    def _indicator(self, order: tuple[Label, ...], axes: Sequence[Axis]) -> int:
        """Multiply with 1 where the axes are at one position that exists, and with 0 elsewhere."""
        at = [self._positions(a, order) for a in axes]
        size, dtype, shape = axes[0].size, self.tape.dtype, tuple(self.sizes[i] for i in order)

        def indicate(p: Array, q: Array) -> Array:
            return np.broadcast_to((p == q) & (p >= 0) & (p < size), shape).astype(dtype)

        array = self.tape.emit(indicate, at[0], at[-1], size=prod(shape))
        self.factors.append(Factor(array, order, symbol_of("C", len(order))))
        return array

    def _positions(self, axis: Axis, order: Sequence[Label]) -> int:
        lookup = None if axis.lookup is None else self.lookups[axis.lookup]
        call = positions(axis, order, self.sizes, lookup.labels if lookup else ())
        return self.tape.emit(call, *([lookup.array] if lookup else []))

    def substitute(self, label: Label, by: Axis) -> None:
        """Replace a label everywhere by an index map; where the map leaves the label's range, the term is zero."""
        if by.lookup is None and nowhere(by, self.sizes):
            self.zero = True
            return
        if by.label is None and not by.inside(self.sizes):
            watched = any(label in f.labels for f in self.factors) or any(a.label == label for a in self.axes())
            if not watched and label not in self.taken:
                n, dtype = self.sizes[label], self.tape.dtype
                self.factors.append(Factor(self.tape.emit(lambda: np.ones(n, dtype)), (label,), symbol_of("1", 1)))
        used = {a.lookup for a in self.axes()} | {by.lookup}
        self.factors = [self._gather(f, label, by, 0) for f in self.factors]
        self.lookups = [self._gather(f, label, by, -1) if k in used else f for k, f in enumerate(self.lookups)]
        for group in self.groups:
            for axes in group:
                axes[:] = [self._placed(a, label, by) for a in axes]
        del self.sizes[label]

    def _placed(self, axis: Axis, label: Label, by: Axis) -> Axis:
        """The axis with the label replaced."""
        if axis.lookup is not None:
            return axis._replace(steps=tuple((i, 0) for i in self.lookups[axis.lookup].labels))
        steps = dict(axis.steps)
        if label not in steps:
            return axis
        coefficient = steps.pop(label)
        if by.lookup is not None:
            if axis.label == label:
                return Axis(axis.size, by.steps, 0, by.lookup)
            return self._mapped_lookup(axis, label, by)
        for i, c in by.steps:
            steps[i] = steps.get(i, 0) + coefficient * c
        return affine(axis.size, steps, axis.offset + coefficient * by.offset, self.sizes)

    def _mapped_lookup(self, axis: Axis, label: Label, by: Axis) -> Axis:
        """An affine map of a lookup is a lookup of its own."""
        assert by.lookup is not None
        order = tuple(dict.fromkeys((*by.labels(), *(i for i in axis.labels() if i != label))))
        rest = Axis(axis.size, tuple((i, c) for i, c in axis.steps if i != label), axis.offset)
        at, others = self._positions(by, order), self._positions(rest, order)
        coefficient, size = dict(axis.steps)[label], by.size
        shape = tuple(self.sizes[i] for i in order)

        def moved(n: Array, p: Array) -> Array:
            return np.broadcast_to(np.where((n < 0) | (n >= size), -1, coefficient * n + p), shape)

        self.lookups.append(Factor(self.tape.emit(moved, at, others), order, symbol_of("n", len(order))))
        return Axis(axis.size, tuple((i, 0) for i in order), 0, len(self.lookups) - 1)

    def _gather(self, factor: Factor, label: Label, by: Axis, fill: int) -> Factor:
        """A factor with a label replaced: renamed, or viewed through the index map."""
        if label not in factor.labels:
            return factor
        if by.label is not None:
            array, symbol = factor.array, factor.symbol
            labels = tuple(by.label if i == label else i for i in factor.labels)
        else:
            lookup = None if by.lookup is None else self.lookups[by.lookup]
            call, labels, view = gathered(factor.labels, label, by, self.sizes, lookup.labels if lookup else (), fill)
            size = 0 if view else prod(self.sizes[i] for i in labels)
            array = self.tape.emit(call, factor.array, *([lookup.array] if lookup else []), size=size)
            symbol = factor.symbol
            if not self.tape.numeric:
                symbol = reindexed(symbol, _through(factor.labels, label, by, labels, lookup))
        if len(set(labels)) < len(labels):
            call, distinct = contract.diagonal(labels)
            array = self.tape.emit(call, array)
            symbol, labels = on_diagonal(symbol, labels, distinct), distinct
        return Factor(array, labels, symbol)

    # -- as a value ----------------------------------------------------------------------------------------------------

    def kept(self) -> set[Label]:
        """The labels that stand in an axis."""
        return {i for axes in (self.out, self.wrt) for a in axes for i, _ in a.steps}

    def size(self, labels: Iterable[Label]) -> int:
        """The number of entries of an array with these labels."""
        return prod([self.sizes[i] for i in labels])

    def finish(self) -> Term:
        """The term as a value: labels numbered in the order in which they are met."""
        axes = (*self.out, *self.wrt)
        used = sorted({a.lookup for a in axes if a.lookup is not None})
        lookups = [self.lookups[k] for k in used]
        number: dict[Label, int] = {}
        for axis in axes:
            for i, _ in axis.steps:
                number.setdefault(i, len(number))
        for _, labels, _ in (*self.factors, *lookups):
            for i in labels:
                number.setdefault(i, len(number))

        def moved(axis: Axis) -> Axis:
            size, steps, offset, lookup, whole = axis
            steps = tuple([(number[i], c) for i, c in steps])
            return Axis(size, steps, offset, None if lookup is None else used.index(lookup), whole)

        def renamed(factors: list[Factor]) -> tuple[Factor, ...]:
            return tuple([Factor(a, tuple([number[i] for i in labels]), symbol) for a, labels, symbol in factors])

        return Term(
            tuple([self.sizes[i] for i in number]), renamed(self.factors), renamed(lookups),
            tuple([moved(a) for a in self.out]), tuple([moved(a) for a in self.wrt]), self.sign,
        )  # fmt: skip


def _through(
    labels: tuple[Label, ...], label: Label, by: Axis, result: tuple[Label, ...], lookup: Factor | None
) -> Callable[[int], Any]:
    """How the axis numbers of a symbol change when a label is replaced by an index map."""

    def index(k: int) -> Any:
        if k < 0 or labels[k] != label:
            return k if k < 0 else result.index(labels[k])
        if lookup is not None:
            return (f"({lookup.symbol[0].names[0].name}_", *(result.index(i) for i in lookup.labels), ")")
        parts: list[int | str] = ["("]
        for i, c in by.steps:
            text = {1: "+", -1: "-"}.get(c, f"{c:+d}")
            parts += [text.lstrip("+") if len(parts) == 1 else text, result.index(i)]
        if by.offset or not by.steps:
            parts.append(f"{by.offset:+d}" if by.steps else str(by.offset))
        return (*parts, ")")

    return index


def on_diagonal(symbol: Symbol, labels: tuple[Label, ...], distinct: tuple[Label, ...]) -> Symbol:
    """The symbol where repeated labels have become one axis."""
    return reindexed(symbol, lambda k: distinct.index(labels[k]) if k >= 0 else k)
