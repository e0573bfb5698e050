"""Formulas as text: ``∂z_i/∂A_jk = δ_ij x_k``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from jacobians.structure import Axis, Factor, Form, Index, Label, Product, Shape, Term

LETTERS = "ijklmnopqrstuvwabcdefgh"


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
    """A share in per cent, never rounded to nothing."""
    if whole == 0 or part == whole:
        return "100%"
    percent = 100 * part / whole
    return f"{percent:.0f}%" if percent >= 9.5 else f"{percent:.2g}%"


@lru_cache(maxsize=1024)
def equation(form: Form) -> str:
    """∂y_i/∂x_j = the sum of the terms."""
    letters = [letter(k) for k in range(len(form.shape))]
    cut = len(form.out_shape)
    left = f"∂{subscripted(form.out_name, letters[:cut])}/∂{subscripted(form.wrt_name, letters[cut:])}"
    return f"{left} = {right_side(form)}"


def right_side(form: Form) -> str:
    """The sum of the terms, with axis k called letter(k)."""
    text = ""
    for one in form.terms:
        for sign, product in term_products(one):
            text += (" − " if sign < 0 else " + ") if text else ("−" if sign < 0 else "")
            text += product
    return text or "0"


def subscripted(name: str, indices: Sequence[str]) -> str:
    """A_ij, or a bare name."""
    return f"{name}_{''.join(indices)}" if indices else name


def term_products(term: Term) -> Iterator[tuple[int, str]]:
    """The signed products of a term: deltas, then names."""
    names: dict[Label, str] = {}
    axes = [letter(k) for k in range(len(term.axes))]
    for axis, text in zip(term.axes, axes, strict=True):
        if axis.label is not None:
            names.setdefault(axis.label, text)
    free = len(axes)
    for label in (*(i for a in term.axes for i in a.labels()), *(i for f in term.factors for i in f.labels)):
        if label not in names:
            names[label] = letter(free)
            free += 1
    deltas = []
    for axis, text in zip(term.axes, axes, strict=True):
        if axis.label is None:
            deltas.append(f"[{text}={_position(axis, term, names)}]")
        elif names[axis.label] != text:
            deltas.append(f"δ_{names[axis.label]}{text}")
    products = [(term.sign, deltas)]
    for factor in term.factors:
        products = [(s * p.sign, done + list(_names(p, factor, names, free)))
                    for s, done in products for p in factor.symbol]  # fmt: skip
    for sign, product in products:
        numbers = [p for p in product if p[0].isdigit() and p != "1"]
        rest = [p for p in product if not p[0].isdigit()]
        rest.sort(key=lambda p: not p.startswith(("δ", "[")))
        yield sign, " ".join(numbers + rest) or "1"


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


def _names(product: Product, factor: Factor, names: dict[Label, str], free: int) -> Iterator[str]:
    """The names of a product with their indices as letters."""

    def parts(index: Index) -> str:
        if isinstance(index, tuple):
            return "".join(p if isinstance(p, str) else parts(p) for p in index)
        return names[factor.labels[index]] if index >= 0 else letter(free - 1 - index)

    for name, indices in product.names:
        yield subscripted(name, [parts(i) for i in indices])
