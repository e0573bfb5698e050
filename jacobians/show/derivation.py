"""The chain rule written out: factors put in, deltas summed away, the result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from jacobians.core.jacobian import Jacobian
from jacobians.notation.formula import factor_products, left_side, letter, written
from jacobians.notation.structure import Factor, Form, Shape
from jacobians.notation.sums import Sign, Written, summed, summing_delta, without
from jacobians.notation.symbols import Symbol, symbol_of
from jacobians.show.costs import Pairs
from jacobians.show.names import DIGITS

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


def derivation(factors: Sequence[Jacobian], pairs: Pairs) -> tuple[Jacobian, tuple[Step | Definition, ...]]:
    """The product of the factors in this order, and every contraction on the way."""
    rest = list(factors)
    steps: list[Step | Definition] = []
    named = 0
    for a, b in pairs:
        product = rest[a] @ rest[b]
        product = product.named(rest[a].form.out_name, rest[b].form.wrt_name)
        steps.append(_step(rest[a].form, rest[b].form, product.form))
        if len(rest) > 2:
            form, definitions = _abbreviated(product.form, named)
            named += len(definitions)
            steps += definitions
            product = Jacobian(form, product.arrays)
        rest[a : b + 1] = [product]
    return rest[0], tuple(steps)


def _step(left: Form, right: Form, product: Form) -> Step:
    """Write ∂f_i/∂A_jk = Σ_l ∂f_i/∂z_l ∂z_l/∂A_jk = …, line by line."""
    ends = [letter(k) for k in range(len(product.shape))]
    out, wrt = ends[: len(left.out_shape)], ends[len(left.out_shape) :]
    count = len(ends) + len(left.wrt_shape)
    middle = [letter(k) for k in range(len(ends), count)]
    first = written(left, [*out, *middle], count)
    hidden = max((len(p.summed) for p in first), default=0)
    second = written(right, [*middle, *wrt], count + hidden)
    over = f"Σ_{''.join(middle)} " if middle else ""
    lines = [Line(f"{over}{left_side(left, [*out, *middle])} · {left_side(right, [*middle, *wrt])}")]
    put_in = f"{over}{_bracketed(first)} · {_bracketed(second)}"
    last = written(product)
    if len(put_in) > WIDE:
        return Step(left_side(product, ends), (*lines, Line(summed(last))))
    lines.append(Line(put_in))
    products = [Written(p.sign * q.sign, (*p.signs, *q.signs), (*middle, *p.summed, *q.summed))
                for p in first for q in second]  # fmt: skip
    shown = [(products, "")] + (list(_eliminations(products)) if len(products) <= 4 else [])
    if _canonical(shown[-1][0]) == _canonical(last):  # the same up to the names of summed letters
        shown[-1] = (last, shown[-1][1])
    else:
        shown.append((last, ""))
    lines += [Line(summed(found), reason) for found, reason in shown[1:]]
    if len(shown) == 1 and len(products) == 1:
        lines[-1] = Line(summed(last))
    return Step(left_side(product, ends), tuple(lines))


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


def _abbreviated(form: Form, named: int) -> tuple[Form, list[Step | Definition]]:
    """The form with names for factors whose symbols have grown long, and what the names mean."""
    definitions: list[Step | Definition] = []
    names: dict[Symbol, str] = {}

    def shorter(factor: Factor, sizes: Sequence[int]) -> Factor:
        if sum(len(p.names) for p in factor.symbol) < LONG:
            return factor
        if factor.symbol not in names:
            names[factor.symbol] = "G" + str(named + len(names) + 1).translate(DIGITS)
            axes = [letter(k) for k in range(len(factor.labels))]
            shape = tuple(sizes[i] for i in factor.labels)
            left = str(Sign(names[factor.symbol], tuple(axes)))
            right = summed(factor_products(factor, axes))
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
