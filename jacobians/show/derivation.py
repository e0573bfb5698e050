"""The chain rule written out: factors put in, deltas summed away, the result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Generic, NamedTuple

from jacobians.notation.formula import Alphabet, avoiding, factor_products, left_side, written
from jacobians.notation.quotients import Quotients
from jacobians.notation.renaming import DIGITS, names_in, words
from jacobians.notation.structure import Factor, Form, Shape
from jacobians.notation.sums import Sign, Written, summed, summing_delta, without
from jacobians.notation.symbols import Symbol, symbol_of
from jacobians.show.derivatives import Derivatives, J, Pair, product, total

WIDE = 160  # letters in a line; what is wider goes straight to its result
LONG = 4  # names in a factor's symbol; a longer one gets a name of its own before it goes on


@dataclass(frozen=True)
class Line:
    """A line of a derivation: what stands right of the equals sign, and why."""

    text: str
    reason: str = ""


@dataclass(frozen=True)
class Step:
    """One contraction: ∂f_i/∂A_jk = line = line = line."""

    left: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Definition:
    """A name for an intermediate that is too long to be carried along, as in G₁_ij = ….

    `known` is the Jacobian that it is, ∂L/∂z_i, where it is one and not just a part of one.
    """

    left: str
    right: str
    shape: Shape
    known: str = ""


class Writing(NamedTuple):
    """How formulas are written: what is known of names, and the letters that are no names."""

    shorter: Quotients
    letter: Alphabet

    def products(self, form: Form) -> list[Written]:
        """The products of a form."""
        return self.shorter(written(form, alphabet=self.letter))


@dataclass
class _Sum(Generic[J]):
    """What ∂w/∂u consists of until it is needed: the local Jacobian, if w is made of u, and products on the way."""

    local: J | None = None
    products: list[tuple[Form, Form, J]] = field(default_factory=list)


def derivation(graph: Derivatives[J], ends: Pair, vertices: Sequence[int]) -> tuple[J, tuple[Step | Definition, ...]]:
    """∂value/∂argument with the values between eliminated in this order, and every contraction on the way."""
    left = {pair: _Sum(jacobian) for pair, jacobian in graph.local.items()}
    writing = Writing(graph.quotients, avoiding(_words(graph)))
    steps: list[Step | Definition] = []
    named, base = 0, _free(graph)

    def finished(pair: Pair, last: bool) -> J:
        """The Jacobian of a pair to which no products will be added any more."""
        nonlocal named
        found = left[pair]
        if found.local is not None and not found.products:
            return found.local
        parts = [*([found.local] if found.local is not None else []), *(made for *_, made in found.products)]
        whole = _named(reduce(total, parts), graph, pair)
        steps.append(_step(found, whole.form, writing))
        if not last:
            form, definitions = _abbreviated(whole.form, base, named, writing)
            named += len(definitions)
            steps.extend(definitions)
            whole = whole.with_form(form)
        return whole

    for v in vertices:
        above, below = [pair for pair in left if pair[1] == v], [pair for pair in left if pair[0] == v]
        lefts, rights = [finished(pair, False) for pair in above], [finished(pair, False) for pair in below]
        for (out, _), one in zip(above, lefts, strict=True):
            for (_, by), two in zip(below, rights, strict=True):
                made = _named(product(one, two), graph, (out, by))
                left.setdefault((out, by), _Sum()).products.append((one.form, two.form, made))
        for pair in (*above, *below):
            del left[pair]
    return finished(ends, True), tuple(steps)


def _named(jacobian: J, graph: Derivatives[J], pair: Pair) -> J:
    out, by = (graph.values[n].name for n in pair)
    return jacobian.with_form(replace(jacobian.form, out_name=out, wrt_name=by))


def _step(found: _Sum[J], total: Form, writing: Writing) -> Step:
    """Write ∂f_i/∂A_jk = Σ_l ∂f_i/∂z_l ∂z_l/∂A_jk = …, line by line."""
    ends = [writing.letter(k) for k in range(len(total.shape))]
    whole = left_side(total, ends)
    last = writing.products(total)
    if found.local is None and len(found.products) == 1:
        ((left, right, _),) = found.products
        return Step(whole, tuple(_product_lines(left, right, last, ends, writing)))
    chains = [_chained(left, right, ends, writing) for left, right, _ in found.products]
    local, reason = (
        (written(found.local.form, ends, alphabet=writing.letter), "the first is local")
        if found.local is not None else ([], "")
    )  # fmt: skip
    text = summed(local)
    joined = " + ".join([text, *chains] if local else chains)
    lines = [Line(joined, reason)]
    result = summed(last)
    if len(result) <= WIDE and not local:
        parts = [summed(writing.products(product.form)) for *_, product in found.products]
        put_in = " + ".join(part if " − " not in part and not part.startswith("−") else f"({part})" for part in parts)
        if len(put_in) <= WIDE and put_in != result:
            lines.append(Line(put_in))
    return Step(whole, (*lines, Line(result)))


def _chained(left: Form, right: Form, ends: Sequence[str], writing: Writing) -> str:
    """Σ_l ∂f_i/∂z_l · ∂z_l/∂A_jk."""
    out, wrt, middle = _letters(left, ends, writing)
    over = f"Σ_{''.join(middle)} " if middle else ""
    return f"{over}{left_side(left, [*out, *middle])} · {left_side(right, [*middle, *wrt])}"


def _letters(left: Form, ends: Sequence[str], writing: Writing) -> tuple[Sequence[str], Sequence[str], list[str]]:
    """The letters of the output, of the argument and of what is summed."""
    cut = len(left.out_shape)
    return ends[:cut], ends[cut:], [writing.letter(len(ends) + k) for k in range(len(left.wrt_shape))]


def _product_lines(
    left: Form, right: Form, last: list[Written], ends: Sequence[str], writing: Writing
) -> Iterator[Line]:
    """A product of two Jacobians: in symbols, put in, with its deltas summed away."""
    out, wrt, middle = _letters(left, ends, writing)
    count = len(ends) + len(middle)
    first = written(left, [*out, *middle], count, writing.letter)
    hidden = max((len(p.summed) for p in first), default=0)
    second = written(right, [*middle, *wrt], count + hidden, writing.letter)
    yield Line(_chained(left, right, ends, writing))
    over = f"Σ_{''.join(middle)} " if middle else ""
    put_in = f"{over}{_bracketed(first)} · {_bracketed(second)}"
    if len(put_in) > WIDE:
        yield Line(summed(last))
        return
    products = [Written(p.sign * q.sign, (*p.signs, *q.signs), (*middle, *p.summed, *q.summed))
                for p in first for q in second]  # fmt: skip
    shown = [(products, "")] + (list(_eliminations(products)) if len(products) <= 4 else [])
    if _canonical(shown[-1][0]) == _canonical(last):  # the same up to the names of summed letters
        shown[-1] = (last, shown[-1][1])
    else:
        shown.append((last, ""))
    if len(shown) == 1 and len(products) == 1:
        yield Line(summed(last))
        return
    yield Line(put_in)
    before = put_in
    for found, reason in shown[1:]:
        if summed(found) != before:
            before = summed(found)
            yield Line(before, reason)


def _bracketed(products: Sequence[Written]) -> str:
    text = summed(products)
    alone = len(products) == 1 and products[0].sign > 0 and not products[0].summed
    return text if alone or not products else f"({text})"


def _canonical(products: Sequence[Written]) -> object:
    """Products with their summed letters numbered, so that equal sums compare equal."""
    found = []
    for one in products:
        names: dict[str, str] = {}
        signs = []
        for sign in sorted(one.signs, key=lambda s: (s.name, [i for i in s.indices if i not in one.summed])):
            indices = [names.setdefault(i, str(len(names))) if i in one.summed else i for i in sign.indices]
            signs.append((sign.name, *indices))
        found.append((one.sign, tuple(signs)))
    return sorted(found)


def _eliminations(products: list[Written]) -> Iterator[tuple[list[Written], str]]:
    """Sum the deltas away one after another: δ_il makes l an i."""
    while True:
        found = [summing_delta(p) for p in products]
        reasons = dict.fromkeys(f"{d[0]} sets {d[1]} = {d[2]}" for d in found if d)
        if not reasons:
            return
        products = [without(p, *d) if d else p for p, d in zip(products, found, strict=True)]
        yield products, ", ".join(reasons)


def _words(graph: Derivatives[J]) -> set[str]:
    """All names in the formulas."""
    names = [one.name for one in graph.values.values()]
    names += [name for jacobian in graph.local.values() for name in names_in(jacobian.form)]
    return {word for name in names for word in words(name)}


def _free(graph: Derivatives[J]) -> str:
    """A letter that no name in the formulas begins with."""
    used = {word[0] for word in _words(graph)}
    return next((letter for letter in "GTHQ" if letter not in used), "G′")


def _abbreviated(form: Form, base: str, named: int, writing: Writing) -> tuple[Form, list[Step | Definition]]:
    """The form with names for factors that have grown long, and what the names mean."""
    definitions: list[Step | Definition] = []
    names: dict[Symbol, str] = {}

    def shorter(factor: Factor, sizes: Sequence[int]) -> Factor:
        if sum(len(p.names) for p in factor.symbol) < LONG:
            return factor
        if factor.symbol not in names:
            axes = [writing.letter(k) for k in range(len(factor.labels))]
            products = writing.shorter(factor_products(factor, axes, writing.letter))
            if sum(not sign.is_number for one in products for sign in one.signs) < LONG:
                return factor
            names[factor.symbol] = base + str(named + len(names) + 1).translate(DIGITS)
            shape = tuple(sizes[i] for i in factor.labels)
            left = str(Sign(names[factor.symbol], tuple(axes)))
            right = summed(products)
            definitions.append(Definition(left, right, shape, _whole(form, factor, axes)))
        return factor._replace(symbol=symbol_of(names[factor.symbol], len(factor.labels)))

    terms = tuple(replace(t, factors=tuple(shorter(f, t.sizes) for f in t.factors)) for t in form.terms)
    return replace(form, terms=terms), definitions


def _whole(form: Form, factor: Factor, letters: Sequence[str]) -> str:
    """The left side of a form that is nothing but this factor."""
    (term, *others) = form.terms
    labels = [a.label for a in term.axes]
    # mypy does not see that no label is None when they are sorted
    if others or len(term.factors) > 1 or term.sign < 0 or None in labels or sorted(labels) != sorted(factor.labels):  # type: ignore[type-var]
        return ""
    return left_side(form, [letters[factor.labels.index(i)] for i in labels if i is not None])
