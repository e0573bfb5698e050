"""Adding terms into each other, so that a sum of paths stays short.

- A term adds into another one with the same axes, or with fewer ties between them (a diagonal into a block), where the
  sum holds no more entries than both did.
- Terms with common factors become one, X Y + X Z = X (Y + Z), where Y + Z is small beside what the term writes.
- Equal terms become one, X + X = 2 X.
- `condensed` adds whatever can be added, at any size. Whether that pays is for the caller to find out.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jacobians.engine import contract
from jacobians.engine.builder import TermBuilder
from jacobians.engine.tape import Array, Step, Tape, plainly
from jacobians.notation.structure import Factor, Form, Term
from jacobians.notation.symbols import (
    Label,
    Named,
    Product,
    Products,
    Symbol,
    of_products,
    reindexed,
    shortened,
    symbol_of,
)  # fmt: skip

SMALL = 16  # times smaller than what is written: a sum of factors that is worth holding
CACHED = 1 << 17  # entries of a sum that is made before it is written
LARGEST = 1 << 24  # entries of a condensed term

Merge = Callable[[Tape, Term, Term], Term | None]


def merged(tape: Tape, terms: Sequence[Term]) -> tuple[Term, ...]:
    """Add terms into each other where the sum holds no more entries, or little beside what is written."""

    def merge(tape: Tape, a: Term, b: Term) -> Term | None:
        return _doubled(tape, a, b) or _merge(tape, a, b) or _merge(tape, b, a) or _factored(tape, a, b)

    return _repeated(tape, terms, merge)


def condensed(tape: Tape, form: Form) -> Form:
    """Add terms with the same axes, or with fewer ties, into each other; the same form if there are none."""
    if not condensable(form):
        return form

    def forced(tape: Tape, a: Term, b: Term) -> Term | None:
        return _merge(tape, a, b, LARGEST) or _merge(tape, b, a, LARGEST)

    terms = _repeated(tape, form.terms, forced)
    return replace(form, terms=terms) if len(terms) < len(form.terms) else form


def together(tape: Tape, terms: Sequence[Term]) -> tuple[Term, ...]:
    """Add terms of one pattern into each other while that is done in the cache: so all are written at once."""

    def alike(tape: Tape, a: Term, b: Term) -> Term | None:
        first, second = (a, b) if a.sign > 0 else (b, a)
        return _merge(tape, first, second, CACHED) if a.pattern == b.pattern else None

    return _repeated(tape, terms, alike)


def condensable(form: Form) -> bool:
    """Whether some terms may have a sum that is one term: of equal patterns, or of deltas alone."""
    return len({t.pattern for t in form.terms}) < len(form.terms) or sum(map(_of_deltas, form.terms)) > 1


def _of_deltas(term: Term) -> bool:
    """Whether there are no index maps."""
    return all(a.whole for a in term.axes)


def _repeated(tape: Tape, terms: Sequence[Term], merge: Merge) -> tuple[Term, ...]:
    """Merge pairs as long as there are any; only terms of one pattern, or of deltas alone, can be."""
    result: dict[int, Term] = {}
    near: dict[Hashable, dict[int, None]] = {}
    for number, term in enumerate(terms):
        new = term
        if 0 in new.sizes:  # it has no entries
            continue
        group = near.setdefault(None if _of_deltas(new) else new.pattern, {})
        while True:
            for k in group:
                sum_of_both = merge(tape, result[k], new)
                if sum_of_both is not None:
                    new = sum_of_both
                    del result[k], group[k]
                    break
            else:
                break
        result[number] = new
        group[number] = None
    return tuple(result.values())


def _embedding(coarse: Term, fine: Term) -> dict[Label, Label] | None:
    """For every label of the coarse term its label in the fine one, if the axes allow it."""
    image: dict[Label, Label] = {}
    for a, b in zip(coarse.axes, fine.axes, strict=True):
        if not (a.whole and b.whole) and coarse.pattern != fine.pattern:
            return None
        for (i, _), (j, _) in zip(a.steps, b.steps, strict=True):
            if image.setdefault(i, j) != j or coarse.sizes[i] != fine.sizes[j]:
                return None
    return image


def _doubled(tape: Tape, a: Term, b: Term) -> Term | None:
    """X + X = 2 X, if the terms are the same but for the names of their labels."""
    if a.sign != b.sign or len(a.factors) != len(b.factors) or not a.factors:
        return None
    image = _embedding(a, b)
    if image is None or len(set(image.values())) < len(image):
        return None
    order = sorted(b.factors, key=lambda f: f.array)
    for one, two in zip(sorted(a.factors, key=lambda f: f.array), order, strict=True):
        if one.array != two.array:
            return None
        for i, j in zip(one.labels, two.labels, strict=True):
            if image.setdefault(i, j) != j:
                return None
    if len(set(image.values())) < len(image):
        return None
    dtype = tape.dtype
    scale = Factor(tape.emit(lambda: np.asarray(2, dtype), key=("two", dtype)), (), symbol_of("2", 0))
    return replace(a, factors=(scale, *a.factors))


def _merge(tape: Tape, coarse: Term, fine: Term, most: int = 0) -> Term | None:
    """Add a term into one with the same axes or fewer ties, if the sum is no larger than both, or than `most`."""
    image = _embedding(coarse, fine)
    if image is None:
        return None
    ties = [i for i in image if sum(image[i] == image[j] for j in image) > 1]
    carried = (coarse.carried & coarse.kept) | {i for i in image if image[i] in fine.carried} | set(ties)
    labels = tuple(i for i in range(len(coarse.sizes)) if i in carried)
    if coarse.size(labels) > max(coarse.held + fine.held, most):
        return None
    return TermBuilder(tape, (_added(tape, coarse, fine, image, labels),)).finish()


def _factored(tape: Tape, a: Term, b: Term) -> Term | None:
    """X Y + X Z = X (Y + Z), if the terms have the same axes and common factors X."""
    image = _embedding(a, b)
    if image is None or len(set(image.values())) < len(image):
        return None
    back = {j: i for i, j in image.items()}
    theirs = {(f.array, tuple(back.get(j, -1) for j in f.labels)): f for f in b.factors}
    common = [f for f in a.factors if (f.array, f.labels) in theirs and set(f.labels) <= image.keys()]
    if not any(f.labels for f in common):
        return None
    shared = {id(theirs[f.array, f.labels]) for f in common}
    y = replace(a, factors=tuple(f for f in a.factors if f not in common))
    z = replace(b, factors=tuple(f for f in b.factors if id(f) not in shared))
    carried = (y.carried & y.kept) | {i for i in image if image[i] in z.carried}
    labels = tuple(i for i in range(len(a.sizes)) if i in carried)
    if a.size(labels) > max(y.held + z.held, a.size(a.kept) // SMALL):
        return None
    total = _added(tape, y, z, image, labels)
    return TermBuilder(tape, (replace(total, factors=(*common, *total.factors)),)).finish()


def _added(tape: Tape, coarse: Term, fine: Term, image: dict[Label, Label], labels: tuple[Label, ...]) -> Term:
    """The first term with the sum of both products as its only factor."""
    first, second = _core(tape, coarse), _core(tape, fine)
    names = tuple(image[i] for i in labels)
    shape = tuple(coarse.sizes[i] for i in labels)
    base = contract.arranged(first.labels, labels)
    view, distinct = contract.diagonal(names)
    arrange = contract.arranged(second.labels, distinct)
    sign = coarse.sign * fine.sign
    dtype = tape.dtype
    carried = {*first.labels} | {i for i in labels if image[i] in second.labels}
    if names == distinct and carried == set(labels):  # no ties, and they broadcast to all entries
        add: Step = np.add if sign > 0 else np.subtract
        both = contract.of_both(add, base, arrange)
        array = tape.emit(both, first.array, second.array, size=coarse.size(labels))
        symbol = first.symbol if tape.numeric else _sum_symbol(first, second, labels, names, sign)
        return replace(coarse, factors=(Factor(array, labels, symbol),))

    def total(a: Array, b: Array) -> Array:
        core = np.empty(shape, dtype)
        core[...] = base(np.asarray(a))
        entries = view(core) if names else core
        (np.add if sign > 0 else np.subtract)(entries, arrange(np.asarray(b)), out=entries, casting="same_kind")
        return core

    ties = tuple(names.index(name) for name in names)

    def traced(a: Any, b: Any) -> Any:
        inside = np.zeros(shape, bool)
        (view(inside) if names else inside)[...] = True
        b = arrange(b)
        b = b[(None,) * (len(distinct) - b.ndim)] if b.ndim < len(distinct) else b
        b = b[tuple(slice(None) if tie == k else None for k, tie in enumerate(ties))]
        b = b if len(distinct) == len(names) else np.where(inside, b, 0)
        return np.broadcast_to(base(a) + b if sign > 0 else base(a) - b, shape)

    total = plainly(total, traced)
    array = tape.emit(total, first.array, second.array, flops=coarse.size(labels), size=coarse.size(labels))
    symbol = first.symbol if tape.numeric else _sum_symbol(first, second, labels, names, sign)
    return replace(coarse, factors=(Factor(array, labels, symbol),))


def _core(tape: Tape, term: Term) -> Factor:
    """The product of a term's factors as one array."""
    if len(term.factors) == 1 and term.carried <= term.kept:
        return term.factors[0]
    builder = TermBuilder(tape, (term,))
    builder.reduce(most=1)
    if not builder.factors:
        dtype = tape.dtype
        return Factor(tape.emit(lambda: np.ones((), dtype)), (), of_products((Product(1, ()),)))
    return builder.factors[0]


def _sum_symbol(
    first: Factor, second: Factor, labels: tuple[Label, ...], names: tuple[Label, ...], sign: int
) -> Symbol:
    """The symbol of a merged core; ties of the finer term become Kronecker deltas."""
    deltas = tuple(Named("δ", (names.index(name), k)) for k, name in enumerate(names) if names.index(name) != k)
    one = reindexed(first.symbol, lambda k: labels.index(first.labels[k]) if k >= 0 else k)
    two = reindexed(second.symbol, lambda k: names.index(second.labels[k]) if k >= 0 else k)

    def total() -> Products:
        return shortened(one.products + tuple(Product(sign * p.sign, deltas + p.names) for p in two), len(labels))

    return Symbol(total, one, two)
