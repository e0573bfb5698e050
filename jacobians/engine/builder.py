"""`TermBuilder`: a term under construction. Labels are united, replaced and summed here.

- *Uniting.* Axes that mean the same positions are equated. Two plain labels become one; a label that meets an index map
  is replaced by it, in the factors through a view; two index maps are solved for a label, or coupled by a small 0/1
  factor where that is impossible.
- *Summing.* A label that stands in no axis is summed as soon as what comes out is not larger than the factors that it
  replaces. Outer products stay factors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, count
from math import prod
from typing import Any

import numpy as np

from jacobians.engine import contract
from jacobians.engine.index_maps import difference, gathered, injective, inverted, never_equal, nowhere, positions
from jacobians.engine.tape import Array, Tape
from jacobians.notation.structure import Axis, Factor, Term, affine
from jacobians.notation.symbols import Label, Symbol, multiplied, reindexed, symbol_of


class TermBuilder:
    """A term under construction: labels are united and summed here, and every array call goes to the tape."""

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
        self.zero = 0 in self.sizes.values()  # whether the term has no entry that is different from zero

    def _take(self, term: Term) -> None:
        """Take a term in, its labels renamed apart from those here."""
        shift, lookups = len(self.sizes), len(self.lookups)
        self.sizes.update(enumerate(term.sizes, shift))
        self.sign *= term.sign
        if not shift:
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
        while left and not self.zero:
            a, b = left.pop(), right.pop()
            self.equate(a, b)

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
            if not watched:
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

    # -- summing -------------------------------------------------------------------------------------------------------

    def kept(self) -> set[Label]:
        """The labels that stand in an axis."""
        return {i for axes in (self.out, self.wrt) for a in axes for i, _ in a.steps}

    def size(self, labels: Iterable[Label]) -> int:
        """The number of entries of an array with these labels."""
        return prod([self.sizes[i] for i in labels])

    def simplify(self) -> None:
        """Sum whatever can be summed without holding more entries than before."""
        if self.zero:
            return
        self._drop_units()
        self._sum_alone()
        while (bucket := self._cheapest()) is not None:
            while len(bucket) > 1:
                bucket.sort(key=lambda f: self.size(f.labels))
                bucket = [self.multiply(bucket[0], bucket[1]), *bucket[2:]]
            self._sum_alone()
        self.fold()

    def _drop_units(self) -> None:
        """Take out summed labels of size 1."""
        kept = self.kept()
        for k, factor in enumerate(self.factors):
            units = [j for j, i in enumerate(factor.labels) if self.sizes[i] == 1 and i not in kept]
            if units:
                cut = tuple(0 if j in units else slice(None) for j in range(len(factor.labels)))
                array = self.tape.emit(lambda x, cut=cut: x[cut], factor.array, key=("cut", factor.array, *units))
                labels = tuple(i for j, i in enumerate(factor.labels) if j not in units)
                place = [labels.index(i) if i in labels else ("(0)",) for i in factor.labels]
                # mypy cannot infer a lambda with a default
                symbol = reindexed(factor.symbol, lambda n, at=place: at[n] if n >= 0 else n)  # type: ignore[misc]
                self.factors[k] = Factor(array, labels, symbol)
        used = kept | {i for f in (*self.factors, *self.lookups) for i in f.labels}
        for i in [i for i, n in self.sizes.items() if n == 1 and i not in used]:
            del self.sizes[i]

    def _sum_alone(self) -> None:
        """Sum the labels that one factor alone carries, and count those that nobody carries."""
        kept = self.kept()
        for k, factor in enumerate(self.factors):
            others = {i for f in self.factors if f is not factor for i in f.labels}
            gone = [i for i in factor.labels if i not in kept and i not in others]
            if gone:
                call, labels = contract.summed(factor.labels, gone)
                key = ("sum", factor.array, *(k for k, i in enumerate(factor.labels) if i in gone))
                size = self.size(factor.labels)
                array = self.tape.emit(call, factor.array, flops=size, size=self.size(labels), key=key)
                symbol = multiplied([(factor.symbol, factor.labels)], labels)
                self.factors[k] = Factor(array, labels, symbol)
                self._forget(gone)
        used = kept | {i for f in self.factors for i in f.labels}
        times = prod(self.sizes.pop(i) for i in list(self.sizes) if i not in used)
        if times != 1:
            dtype = self.tape.dtype
            self.factors.append(Factor(self.tape.emit(lambda: np.asarray(times, dtype)), (), symbol_of(str(times), 0)))

    def _cheapest(self) -> list[Factor] | None:
        """The factors of the label whose sum saves most entries, if one saves any."""
        kept, best, found = self.kept(), 0, None
        for i in dict.fromkeys(i for f in self.factors for i in f.labels if i not in kept):
            bucket = [f for f in self.factors if i in f.labels]
            union = {j for f in bucket for j in f.labels}
            others = {j for f in self.factors if f not in bucket for j in f.labels}
            saved = sum(self.size(f.labels) for f in bucket) - self.size(union & (kept | others))
            if (found is None and saved >= 0) or saved > best:
                best, found = saved, bucket
        return found

    def fold(self, smaller: bool = False) -> None:
        """Multiply factors that carry the same labels; with `smaller`, also those that carry some of them."""
        for one, two in combinations(self.factors, 2):
            a, b = set(one.labels), set(two.labels)
            if a == b or (smaller and (a < b or b < a)):
                self.multiply(one, two)
                return self.fold(smaller)
        return None

    def multiply(self, a: Factor, b: Factor, order: Sequence[Label] = ()) -> Factor:
        """Multiply two factors; labels that nobody else carries and no axis keeps are summed."""
        self.factors = [f for f in self.factors if f is not a and f is not b]
        keep = self.kept() | {i for f in self.factors for i in f.labels}
        call, labels, flops = contract.pair(a.labels, b.labels, keep, self.sizes, order)
        place = {i: k for k, i in enumerate(dict.fromkeys((*a.labels, *b.labels)))}
        key = ("pair", a.array, b.array, *(tuple(place[i] for i in some) for some in (a.labels, b.labels, labels)))
        array = self.tape.emit(call, a.array, b.array, flops=flops, size=self.size(labels), key=key)
        self.tape.own.add(array)
        symbols = [(a.symbol, a.labels), (b.symbol, b.labels)]
        factor = Factor(array, labels, a.symbol if self.tape.numeric else multiplied(symbols, labels))
        self.factors.append(factor)
        self._forget({*a.labels, *b.labels} - {*labels})
        return factor

    def _forget(self, summed: Iterable[Label]) -> None:
        """Labels that have been summed mean nothing any more."""
        for i in summed:
            del self.sizes[i]

    def reduce(self, most: int) -> None:
        """Contract until at most so many factors are left and no label is left to sum, at the least cost."""
        if self.zero:
            return None
        self._drop_units()
        self._sum_alone()
        scalars = [f for f in self.factors if not f.labels]
        if scalars and len(self.factors) > 1:
            smallest = min((f for f in self.factors if f is not scalars[0]), key=lambda f: self.size(f.labels))
            self.multiply(scalars[0], smallest)
            return self.reduce(most)
        order = tuple(i for a in (*self.out, *self.wrt) for i in a.labels())
        for one, two in contract.path([f.labels for f in self.factors], self.kept(), self.sizes, most):
            self.multiply(self.factors[one], self.factors[two], order)
        return None

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


def viewed(tape: Tape, factor: Factor, drop: tuple[int, ...]) -> Factor:
    """A factor as it was passed, with broadcast axes taken out and repeated labels (A_ii) on the diagonal."""
    if drop:
        key = tuple(0 if k in drop else slice(None) for k in range(len(factor.labels) + len(drop)))
        factor = factor._replace(array=tape.emit(lambda x: x[key], factor.array))
    if len(set(factor.labels)) < len(factor.labels):
        call, distinct = contract.diagonal(factor.labels)
        symbol = on_diagonal(factor.symbol, factor.labels, distinct)
        factor = Factor(tape.emit(call, factor.array), distinct, symbol)
    return factor
