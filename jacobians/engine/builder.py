"""`TermBuilder`: a term under construction. Labels are united as in `uniting`, and summed here.

A label that stands in no axis is summed as soon as what comes out is not larger than the factors that it replaces.
Outer products stay factors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from math import prod

import numpy as np

from jacobians.engine import contract
from jacobians.engine.tape import Tape
from jacobians.engine.uniting import TermUnifier, on_diagonal
from jacobians.notation.structure import Factor
from jacobians.notation.symbols import Label, multiplied, reindexed, symbol_of


class TermBuilder(TermUnifier):
    """A term under construction: labels are united and summed, and every array call goes to the tape."""

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
                symbol = reindexed(factor.symbol, lambda n, at=place: at[n] if n >= 0 else n)  # type: ignore[misc]  # a default
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
