"""Formulas as text: ``∂z_i/∂A_jk = δ_ij x_k``.

A formula is a sum of `Written` products; a product is a sequence of `Sign`s, each a name with its indices. Labels that
stand only on the right side are summed, and a Σ says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from jacobians.kept import kept
from jacobians.notation.renaming import names_in, words
from jacobians.notation.structure import Axis, Factor, Form, Shape, Term
from jacobians.notation.sums import DELTA, Sign, Written, followed, ranged, simplified, subscripted, summed
from jacobians.notation.symbols import Index, Label, Product, symbol_of

Alphabet = Callable[[int], str]
LETTERS = "ijklmnopqrstuvwabcdefgh"
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
LONGEST = 8  # names of a factor in one line


def letter(number: int) -> str:
    """Letter number n: i, j, k, …; with a prime for every time round."""
    turns, rest = divmod(number, len(LETTERS))
    return LETTERS[rest] + "′" * turns


def avoiding(names: Iterable[str]) -> Alphabet:
    """The letters but for those that are names: of a number k and a vector x, no index is called k.

    >>> [avoiding(["k", "x"])(n) for n in range(3)]
    ['i', 'j', 'l']
    """
    taken = frozenset(name for name in names if name in LETTERS)
    left = "".join(c for c in LETTERS if c not in taken) or LETTERS

    def letter(number: int) -> str:
        turns, rest = divmod(number, len(left))
        return left[rest] + "′" * turns

    return letter


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


@kept
def equation(form: Form, longest: int = LONGEST) -> str:
    """∂y_i/∂x_j = the sum of the terms; factors of more names than `longest` are written […]."""
    return read(form, longest, list)


def read(form: Form, longest: int, shorter: Callable[[Sequence[Written]], Sequence[Written]]) -> str:
    """The equation of a form, with its products made shorter by somebody who knows what the names stand for."""
    form = shortened(form, longest)
    outer = (form.out_name, form.wrt_name, *(name for name, _ in form.by))
    alphabet = avoiding(word for name in (*outer, *names_in(form)) for word in words(name))
    letters = [alphabet(k) for k in range(len(form.shape))]
    return f"{left_side(form, letters)} = {summed(shorter(written(form, letters, alphabet=alphabet)))}"


def shortened(form: Form, longest: int) -> Form:
    """The form with […] for factors of more names than `longest`."""

    def short(factor: Factor) -> Factor:
        if sum(len(p.names) for p in factor.symbol) <= longest:
            return factor
        return factor._replace(symbol=symbol_of("[…]", len(factor.labels)))

    return replace(form, terms=tuple(replace(t, factors=tuple(short(f) for f in t.factors)) for t in form.terms))


def left_side(form: Form, letters: Sequence[str]) -> str:
    """∂y_i/∂x_j; ∂²y_i/∂x_j∂x_k for a second derivative."""
    at = len(form.out_shape) - sum(count for _, count in form.by)
    above, below = subscripted(form.out_name, letters[:at]), ""
    for name, count in (*form.by, (form.wrt_name, len(form.wrt_shape))):
        below += f"∂{subscripted(name, letters[at : at + count])}"
        at += count
    return f"∂{str(1 + len(form.by)).translate(RAISED) if form.by else ''}{above}/{below}"


def written(
    form: Form, letters: Sequence[str] | None = None, free: int | None = None, alphabet: Alphabet = letter
) -> list[Written]:
    """The products of a form, for axes with these letters; summed labels get letters from number `free` on."""
    if letters is None:
        letters = [alphabet(k) for k in range(len(form.shape))]
    free = len(letters) if free is None else free
    products = [one for term in form.terms for one in term_products(term, letters, free, alphabet)]
    return [followed(one, letters[: len(form.out_shape)]) for one in products]


def term_products(term: Term, letters: Sequence[str], free: int, alphabet: Alphabet = letter) -> list[Written]:
    """The signed products of a term: numbers, deltas, then names."""
    names: dict[Label, str] = {}
    for axis, text in zip(term.axes, letters, strict=True):
        if axis.label is not None:
            names.setdefault(axis.label, text)
    hidden: list[str] = []
    for label in (*(i for a in term.axes for i in a.labels()), *(i for f in term.factors for i in f.labels)):
        if label not in names:
            names[label] = alphabet(free + len(hidden))
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
                    for signs, more in [_names(p, factor, names, free + len(over), alphabet)]]  # fmt: skip
    sizes = {names[i]: term.sizes[i] for i in names}
    return [ranged(simplified(Written(sign, tuple(signs), over)), sizes) for sign, signs, over in products]


def factor_products(factor: Factor, letters: Sequence[str], alphabet: Alphabet = letter) -> list[Written]:
    """The products of a factor by itself, for axes with these letters."""
    names = dict(zip(factor.labels, letters, strict=True))
    found = [(p.sign, *_names(p, factor, names, len(letters), alphabet)) for p in factor.symbol]
    products = [simplified(Written(sign, tuple(signs), over)) for sign, signs, over in found]
    return [followed(one, letters[:1]) for one in products]


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


def _names(
    product: Product, factor: Factor, names: dict[Label, str], free: int, alphabet: Alphabet
) -> tuple[list[Sign], tuple[str, ...]]:
    """The names of a product with their indices as letters, and the letters of the labels summed inside."""
    inside: dict[int, str] = {}

    def parts(index: Index) -> str:
        if isinstance(index, tuple):
            return "".join(p if isinstance(p, str) else parts(p) for p in index)
        if index >= 0:
            return names[factor.labels[index]]
        return inside.setdefault(index, alphabet(free + len(inside)))

    signs = [Sign(name, tuple(parts(i) for i in indices)) for name, indices in product.names]
    return signs, tuple(inside.values())
