"""Formulas as text: ``∂z_i/∂A_jk = δ_ij x_k``.

A formula is a sum of `Written` products; a product is a sequence of `Sign`s, each a name with its indices. Labels that
stand only on the right side are summed, and a Σ says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from jacobians.structure import Axis, Factor, Form, Index, Label, Product, Shape, Term, symbol_of

LETTERS = "ijklmnopqrstuvwabcdefgh"
DELTA = "δ"
LONGEST = 8  # names of a factor in one line
NUMBER = r"\d+(?:\.\d*)?(?:e[+-]?\d+)?(?:/\d+)?"


class Sign(NamedTuple):
    """What stands in a product: A_ij, δ_ij, a number (without indices) or a condition such as [j=2i+k−1]."""

    name: str
    indices: tuple[str, ...] = ()

    def __str__(self) -> str:
        return subscripted(self.name, self.indices)

    @property
    def is_number(self) -> bool:
        """Whether this is a number."""
        return not self.indices and re.fullmatch(NUMBER, self.name) is not None

    @property
    def rank(self) -> int:
        """Where it stands in a product: numbers first, then deltas and conditions, then names."""
        if self.is_number:
            return 0
        return 1 if self.name == DELTA or (self.name.startswith("[") and not self.indices) else 2


class Written(NamedTuple):
    """± a product, summed over some letters."""

    sign: int
    signs: tuple[Sign, ...]
    summed: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = " ".join(str(s) for s in self.signs) or "1"
        return f"Σ_{''.join(self.summed)} {text}" if self.summed else text


def letter(number: int) -> str:
    """Letter number n: i, j, k, …; with a prime for every time round."""
    turns, rest = divmod(number, len(LETTERS))
    return LETTERS[rest] + "′" * turns


def group(shape: Shape) -> str:
    """A group of axes: ``3``, ``(3×2)``; ``1`` for a scalar."""
    if not shape:
        return "1"
    text = "×".join(str(n) for n in shape)
    return text if len(shape) == 1 else f"({text})"


def times(out_shape: Shape, wrt_shape: Shape) -> str:
    """The shape in its two groups: ``3 × (3×2)``."""
    return f"{group(out_shape)} × {group(wrt_shape)}"


def share(part: int, whole: int) -> str:
    """A share in per cent, never rounded to nothing nor to all."""
    if part == whole:
        return "100%"
    percent = 100 * part / whole
    if percent >= 99.5:
        return "<100%"
    return f"{percent:.0f}%" if percent >= 9.5 else f"{percent:.2g}%"


@lru_cache(maxsize=1024)
def equation(form: Form, longest: int = LONGEST) -> str:
    """∂y_i/∂x_j = the sum of the terms; factors of more names than `longest` are written […]."""
    letters = [letter(k) for k in range(len(form.shape))]
    return f"{left_side(form, letters)} = {right_side(shortened(form, longest))}"


def shortened(form: Form, longest: int) -> Form:
    """The form with […] for factors of more names than `longest`."""

    def short(factor: Factor) -> Factor:
        if sum(len(p.names) for p in factor.symbol) <= longest:
            return factor
        return factor._replace(symbol=symbol_of("[…]", len(factor.labels)))

    return replace(form, terms=tuple(replace(t, factors=tuple(short(f) for f in t.factors)) for t in form.terms))


def left_side(form: Form, letters: Sequence[str]) -> str:
    """∂y_i/∂x_j."""
    cut = len(form.out_shape)
    return f"∂{subscripted(form.out_name, letters[:cut])}/∂{subscripted(form.wrt_name, letters[cut:])}"


def right_side(form: Form) -> str:
    """The sum of the terms, with axis k called letter(k)."""
    return summed(written(form))


def written(form: Form, letters: Sequence[str] | None = None, free: int | None = None) -> list[Written]:
    """The products of a form, for axes with these letters; summed labels get letters from number `free` on."""
    if letters is None:
        letters = [letter(k) for k in range(len(form.shape))]
    free = len(letters) if free is None else free
    products = [one for term in form.terms for one in term_products(term, letters, free)]
    return [_followed(one, letters[: len(form.out_shape)]) for one in products]


def summed(products: Sequence[Written]) -> str:
    """A sum of products as text."""
    text = ""
    for one in products:
        text += (" − " if one.sign < 0 else " + ") if text else ("−" if one.sign < 0 else "")
        text += str(one)
    return text or "0"


def subscripted(name: str, indices: Sequence[str]) -> str:
    """A_ij, or a bare name."""
    return f"{name}_{''.join(indices)}" if indices else name


def term_products(term: Term, letters: Sequence[str], free: int) -> list[Written]:
    """The signed products of a term: numbers, deltas, then names."""
    names: dict[Label, str] = {}
    for axis, text in zip(term.axes, letters, strict=True):
        if axis.label is not None:
            names.setdefault(axis.label, text)
    hidden: list[str] = []
    for label in (*(i for a in term.axes for i in a.labels()), *(i for f in term.factors for i in f.labels)):
        if label not in names:
            names[label] = letter(free + len(hidden))
            hidden.append(names[label])
    deltas: list[Sign] = []
    for axis, text in zip(term.axes, letters, strict=True):
        if axis.label is None:
            deltas.append(Sign(f"[{text}={_position(axis, term, names)}]"))
        elif names[axis.label] != text:
            deltas.append(Sign(DELTA, (names[axis.label], text)))
    products = [(term.sign, deltas, tuple(hidden))]
    for factor in term.factors:
        products = [(s * p.sign, [*done, *signs], (*over, *more))
                    for s, done, over in products for p in factor.symbol
                    for signs, more in [_names(p, factor, names, free + len(over))]]  # fmt: skip
    sizes = {names[i]: term.sizes[i] for i in names}
    return [_ranged(_simplified(Written(sign, tuple(signs), over)), sizes) for sign, signs, over in products]


def factor_products(factor: Factor, letters: Sequence[str]) -> list[Written]:
    """The products of a factor by itself, for axes with these letters."""
    names = dict(zip(factor.labels, letters, strict=True))
    found = [(p.sign, *_names(p, factor, names, len(letters))) for p in factor.symbol]
    products = [_simplified(Written(sign, tuple(signs), over)) for sign, signs, over in found]
    return [_followed(one, letters[:1]) for one in products]


def summing_delta(product: Written) -> tuple[Sign, str, str] | None:
    """Find a delta that sums a letter away: the delta, that letter, and the letter that takes its place."""
    texts = "".join(s.name for s in product.signs if s.name.startswith("["))
    for one in product.signs:
        if one.name == DELTA and len(one.indices) == 2:
            a, b = one.indices
            for gone, kept in ((b, a), (a, b)):
                if gone in product.summed and gone not in texts and gone != kept:
                    return one, gone, kept
    return None


def without(product: Written, delta: Sign, gone: str, kept: str) -> Written:
    """Sum a letter away: the delta disappears and the other letter stands everywhere."""
    rest = list(product.signs)
    rest.remove(delta)
    signs = [Sign(s.name, tuple(kept if i == gone else i for i in s.indices)) for s in rest]
    signs = [s for s in signs if s.name != DELTA or len(set(s.indices)) > 1]
    return _sorted(Written(product.sign, tuple(signs), tuple(i for i in product.summed if i != gone)))


def _simplified(product: Written) -> Written:
    """Sum all letters away that deltas fix."""
    while (found := summing_delta(product)) is not None:
        product = without(product, *found)
    return _sorted(product)


def _ranged(product: Written, sizes: Mapping[str, int]) -> Written:
    """Give summed letters that no name carries their ranges: [m<2]."""
    carried = {i for s in product.signs for i in s.indices}
    ranges = [Sign(f"[{i}<{sizes[i]}]") for i in product.summed if i not in carried and i in sizes]
    return _sorted(product._replace(signs=(*product.signs, *ranges)))


def _followed(product: Written, letters: Sequence[str]) -> Written:
    """The names in the order in which the letters lead from one to the next, from the letters of the output on."""
    fixed, names = ([s for s in product.signs if (s.rank < 2) is front] for front in (True, False))
    waiting, seen, found = list(letters), set[str](), list[Sign]()
    while waiting:
        current = waiting.pop(0)
        seen.add(current)
        here = sorted((s for s in names if current in s.indices), key=lambda s: len(s.indices))
        names = [s for s in names if s not in here]
        found += here
        waiting = [i for s in here for i in s.indices if i in product.summed and i not in seen] + waiting
    return product._replace(signs=(*fixed, *found, *names))


def _sorted(product: Written) -> Written:
    """Numbers first, then deltas and conditions, then names; a negative number gives its sign away."""
    sign, signs, number = product.sign, [], 1.0
    for one in product.signs:
        if one.name.startswith("-") and Sign(one.name[1:]).is_number:
            sign, one = -sign, Sign(one.name[1:])
        if one.is_number:
            above, _, below = one.name.partition("/")
            number *= float(above) / float(below or 1)
        elif one.name != "1":
            signs.append(one)
    signs.sort(key=lambda s: s.rank)
    return Written(sign, ((Sign(digits(number)),) if number != 1 else ()) + tuple(signs), product.summed)


def digits(number: float) -> str:
    """A number with six digits, or the fraction that these digits mean.

    >>> digits(0.333333), digits(0.5), digits(0.707107), digits(0.000714286)
    ('1/3', '0.5', '0.707107', '1/1400')
    """
    decimal = f"{number:g}"
    if len(decimal.replace(".", "").lstrip("0")) < 5:
        return decimal
    for fraction in (Fraction(number).limit_denominator(100), Fraction(1, max(1, round(1 / number)))):
        if fraction.denominator <= 10_000 and abs(float(fraction) - number) <= 2e-6 * abs(number):
            return str(fraction)
    return decimal


def _position(axis: Axis, term: Term, names: dict[Label, str]) -> str:
    """2y+u−1, or n_j."""
    if axis.lookup is not None:
        lookup = term.lookups[axis.lookup]
        (one,) = lookup.symbol
        return subscripted(one.names[0].name, [names[i] for i in lookup.labels])
    text = ""
    for label, c in axis.steps:
        text += ("−" if c < 0 else "+" if text else "") + (str(abs(c)) if abs(c) != 1 else "") + names[label]
    if axis.offset or not text:
        text += (("−" if axis.offset < 0 else "+") if text else "") + str(abs(axis.offset))
    return text


def _names(product: Product, factor: Factor, names: dict[Label, str], free: int) -> tuple[list[Sign], tuple[str, ...]]:
    """The names of a product with their indices as letters, and the letters of the labels summed inside."""
    inside: dict[int, str] = {}

    def parts(index: Index) -> str:
        if isinstance(index, tuple):
            return "".join(p if isinstance(p, str) else parts(p) for p in index)
        if index >= 0:
            return names[factor.labels[index]]
        return inside.setdefault(index, letter(free + len(inside)))

    signs = [Sign(name, tuple(parts(i) for i in indices)) for name, indices in product.names]
    return signs, tuple(inside.values())
