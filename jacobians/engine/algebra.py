"""The algebra of Jacobians, on structure alone: the chain rule, sums, transposes and selections.

Every operation records the NumPy calls that it needs on a `Tape` and returns the `Form` of its result; nothing here
sees a number. How terms are multiplied is in `builder`, how they are added in `merging`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import prod

from jacobians.engine import writing
from jacobians.engine.builder import TermBuilder
from jacobians.engine.merging import condensable, condensed, merged
from jacobians.engine.tape import Tape
from jacobians.notation.structure import Axis, Factor, Form, Shape, Term, affine, plain
from jacobians.notation.symbols import symbol_of

FEW = 2  # products of terms that are made without a thought
MANY = 12  # terms that a Jacobian has at most, if they can be added at all
POINTS = 256  # single entries that are written at once
SMALL = 64  # entries that are written sooner than added
CACHED = 1 << 14  # entries up to which few terms are written out on the way: a sum of factors is smaller and quicker
COUPLED = 1 << 12  # entries of a 0/1 factor over two labels that are made without a thought
DENSE = 8  # times as many entries as those of many terms may be written in their place


class NotTied(ValueError):
    """A term does not tie the batch axes of the output to those of the argument."""


def product(tape: Tape, left: Form, right: Form) -> Form:
    """The chain rule: contract the wrt axes of the left with the output axes of the right.

    A sum of paths times a sum of paths is multiplied out, or one of them, or both, are added up first: whatever costs
    least, counting what it will cost to write the result. That is found out by trying.
    """
    ways = [(False, False)]
    if len(left.terms) * len(right.terms) > FEW:
        first, second = ((False, True) if condensable(form) else (False,) for form in (left, right))
        ways = [(one, two) for one in first for two in second]

    def tried(way: tuple[bool, bool]) -> Form:
        one, two = (condensed(tape, f) if add else f for f, add in zip((left, right), way, strict=True))
        return _multiplied(tape, one, two)

    if len(ways) > 1:
        prices = []
        for way in ways:
            mark = tape.mark()
            result = tried(way)
            prices.append(tape.cost - mark.cost + sum(writing_cost(t) for t in result.terms))
            tape.rewind(mark)
        ways = [ways[prices.index(min(prices))]]
    mark, before = tape.mark(), set(tape.couplings)
    result = tried(ways[0])
    coupled = max((tape.sizes[n] for n in tape.couplings - before), default=0)
    small, large = sorted((left, right), key=lambda form: prod(form.shape))
    if coupled > max(COUPLED, prod(small.shape)):  # entry by entry, one of the two is smaller than a table of pairs
        tape.rewind(mark)
        whole = _whole(tape, small, small, 0)
        tape.tables.add(whole.terms[0].factors[0].array)
        result = _multiplied(tape, *((whole, large) if small is left else (large, whole)))
    return bounded(tape, result)


def bounded(tape: Tape, form: Form) -> Form:
    """The Jacobian with few terms, if it has many: those added up that can be, or all entries written.

    Where no formula is wanted, some index maps are many: one small array is made sooner than several.
    """
    if len(form.terms) <= (FEW if tape.numeric else MANY):
        return form
    if len(form.terms) > MANY:
        form = condensed(tape, form)
    if len(form.terms) <= FEW or (len(form.terms) <= MANY and all(a.whole for t in form.terms for a in t.axes)):
        return form
    lead = _common_ties(form)
    inner = tied(tape, form, lead) if lead else form
    entries, held = prod(inner.shape), sum(t.size(t.kept) for t in form.terms)
    if entries > (DENSE * held if len(form.terms) > MANY else min(max(2 * held, SMALL), CACHED)):
        return form
    return _whole(tape, form, inner, lead)


def _whole(tape: Tape, form: Form, inner: Form, lead: int) -> Form:
    """The Jacobian with all entries written; `inner` is the part of it where the first `lead` axes are tied."""
    array, entries = writing.full(tape, inner), prod(inner.shape)
    tape.results.discard(array)
    tape.sizes[array], tape.largest = entries, max(entries, tape.largest)
    labels = tuple(range(len(inner.shape)))
    axes = tuple(plain(i, n) for i, n in zip(labels, inner.shape, strict=True))
    cut = len(form.out_shape)
    factor = Factor(array, labels, symbol_of("[…]", len(labels)))
    whole = Term(inner.shape, (factor,), (), axes[:cut], axes[:lead] + axes[cut:])
    return replace(form, terms=(whole,))


def _common_ties(form: Form) -> int:
    """How many of the first wrt axes all terms tie to the first output axes, and to no others."""

    def tie(term: Term, k: int) -> bool:
        a, b = term.out[k], term.wrt[k]
        return a.whole and a == b and sum(a.label in list(x.labels()) for x in term.axes) == 2

    most = min(len(form.out_shape), len(form.wrt_shape))
    return next((k for k in range(most) if not all(tie(t, k) for t in form.terms)), most)


def writing_cost(term: Term) -> float:
    """What it would cost to write the entries of a term, in nanoseconds, about."""
    cost = Tape.ENTRY * term.size(term.kept)
    if not term.carried <= term.kept:
        cost += Tape.FLOP * 2 * term.size(term.kept | term.carried)
    return cost


def _multiplied(tape: Tape, left: Form, right: Form) -> Form:
    """Every term of the left times every term of the right."""
    builders = []
    for s in left.terms:
        for t in right.terms:
            builder = TermBuilder(tape, (s, t))
            builder.join(builder.groups[0][1], builder.groups[1][0])
            builder.simplify()
            builders.append(builder)
    terms = merged(tape, finished(builders))
    return replace(left, wrt_shape=right.wrt_shape, wrt_name=right.wrt_name, dtype=tape.dtype, terms=terms)


def finished(builders: Iterable[TermBuilder]) -> list[Term]:
    """The terms that have entries."""
    return [b.finish() for b in builders if not b.zero]


def folded(tape: Tape, form: Form) -> Form:
    """The Jacobian with its smaller factors multiplied into the larger, once for all who use it."""
    builders = [TermBuilder(tape, (term,)) for term in form.terms]
    for builder in builders:
        builder.fold(smaller=True)
    return replace(form, terms=tuple(builder.finish() for builder in builders))


def add(tape: Tape, left: Form, right: Form) -> Form:
    """The sum of two Jacobians of the same function arguments: paths add.

    Single entries are not written yet where only numbers are wanted, so that they are all written at once.
    """
    form = replace(left, dtype=tape.dtype, terms=merged(tape, [*left.terms, *right.terms]))
    if tape.numeric and len(form.terms) <= POINTS and all(map(writing.is_point, form.terms)):
        return form
    return bounded(tape, form)


def negative(tape: Tape, form: Form) -> Form:
    """Minus the Jacobian."""
    return replace(form, terms=tuple(replace(t, sign=-t.sign) for t in form.terms))


def scaled(tape: Tape, form: Form, number: Form) -> Form:
    """The Jacobian times a scalar, which becomes a factor."""
    ((scalar,),) = (t.factors for t in number.terms)
    terms = tuple(replace(t, factors=(scalar, *t.factors)) for t in form.terms)
    return replace(form, dtype=tape.dtype, terms=terms)


def inner(tape: Tape, left: Form, right: Form) -> Form:
    """Σ over all entries of the product of two Jacobians of equal shapes."""
    builders = []
    for s in left.terms:
        for t in right.terms:
            builder = TermBuilder(tape, (s, t))
            (out_s, wrt_s), (out_t, wrt_t) = builder.groups
            builder.join(out_s, out_t)
            builder.join(wrt_s, wrt_t)
            builder.reduce(most=1)
            builders.append(builder)
    return replace(left, out_shape=(), wrt_shape=(), dtype=tape.dtype, terms=merged(tape, finished(builders)))


def transpose(tape: Tape, form: Form) -> Form:
    """Swap the output axes and the wrt axes."""
    terms = tuple(replace(t, out=t.wrt, wrt=t.out) for t in form.terms)
    return replace(
        form, out_shape=form.wrt_shape, wrt_shape=form.out_shape, out_name=form.wrt_name, wrt_name=form.out_name,
        terms=terms, by=(),
    )  # fmt: skip


def select(tape: Tape, form: Form, key: tuple[int | tuple[int, int, int], ...]) -> Form:
    """Fix axes at a position, or keep `(start, step, length)` of them."""
    cut = len(form.out_shape)
    builders = []
    for term in form.terms:
        builder = TermBuilder(tape, (term,))
        axes = [*builder.out, *builder.wrt]
        pending, positions = builder.groups[0]
        pending[:], positions[:] = axes, []
        kept: list[Axis] = []
        sides = [0, 0]
        for k, what in enumerate(key):
            if isinstance(what, int):
                positions.append(affine(axes[k].size, {}, what, {}))
                continue
            start, step, length = what
            label = builder.label(length)
            positions.append(affine(axes[k].size, {label: step}, start, builder.sizes))
            kept.append(plain(label, length))
            sides[k >= cut] += 1
        builder.groups.append((kept, []))
        builder.out, builder.wrt = kept, []
        builder.join(pending, positions)
        builder.out, builder.wrt = kept[: sides[0]], kept[sides[0] :]
        builder.simplify()
        builders.append(builder)
    lengths = [None if isinstance(what, int) else what[2] for what in key]
    out_shape = tuple(n for n in lengths[:cut] if n is not None)
    wrt_shape = tuple(n for n in lengths[cut:] if n is not None)
    return replace(form, out_shape=out_shape, wrt_shape=wrt_shape, terms=merged(tape, finished(builders)), by=())


def regrouped(form: Form, cut: int) -> Form:
    """The same entries, with the first `cut` axes as output axes and all others as wrt axes."""
    shape = form.shape
    terms = tuple(replace(t, out=t.axes[:cut], wrt=t.axes[cut:]) for t in form.terms)
    return replace(form, out_shape=shape[:cut], wrt_shape=shape[cut:], terms=terms)


def beside(form: Form, shape: Shape) -> Form:
    """The Jacobian transposed, beside axes that stay as they are: from shape + output to shape + argument."""

    def lifted(term: Term) -> Term:
        first = len(term.sizes)
        axes = tuple(plain(first + k, n) for k, n in enumerate(shape))
        return replace(term, sizes=term.sizes + shape, out=axes + term.wrt, wrt=axes + term.out)

    return replace(
        form, out_shape=shape + form.wrt_shape, wrt_shape=shape + form.out_shape, out_name=form.wrt_name,
        wrt_name=form.out_name, terms=tuple(map(lifted, form.terms)),
    )  # fmt: skip


def tied(tape: Tape, form: Form, axes: int) -> Form:
    """Drop the first wrt axes, which every term ties to the first output axes; a ValueError where one does not.

    Axes of size 1 are tied whatever they are.
    """
    builders = []
    for term in form.terms:
        builder = TermBuilder(tape, (term,))
        for k in range(axes):
            a, b = builder.out[k], builder.wrt.pop(0)
            if a.size == b.size == 1:
                builder.equate(b, affine(1, {}, 0, {}))
            elif a != b:
                raise NotTied
        builders.append(builder)
    return replace(form, wrt_shape=form.wrt_shape[axes:], terms=tuple(finished(builders)))
