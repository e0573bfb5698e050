"""The names in a form, replaced: the letters of a layer by those of whoever uses it; and names kept apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from jacobians.notation.structure import Factor, Form
from jacobians.notation.sums import DELTA
from jacobians.notation.symbols import Named, Products, changed

WORD = r"(?:[A-Za-z]+|[^\W\dA-Za-z_₀-₉²³¹ᵀ])(?![\u0300-\u036f])"  # a letter with a hat is another letter
FUNCTIONS = frozenset({
    "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan", "sqrt", "sign", "erf", "max", "min", "sum",
    "mean", "clip", "Φ", "φ", "σ",
})  # fmt: skip
Names = tuple[tuple[str, str], ...]
DIGITS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def renamed(form: Form, names: Names) -> Form:
    """The form with these names replaced wherever they stand, as f in (1-f²)."""
    return with_symbols(form, lambda name: new_name(name, names)) if names else form


def new_name(name: str, names: Names) -> str:
    """The name with other names in it replaced.

    >>> new_name("(1-f²)", (("f", "h"),)), new_name("cos(x)", (("x", "(2y)"),))
    ('(1-h²)', 'cos(2y)')
    """
    known = dict(names)
    return known.get(name) or _closed(re.sub(WORD, lambda word: known.get(word[0], word[0]), name))


def _closed(name: str) -> str:
    """A name without parentheses that stand around parentheses."""
    return re.sub(r"\((\((?:[^()]|\([^()]*\))*\))\)", r"\1", name) if "((" in name else name


def renamed_words(form: Form, names: Names) -> Form:
    """The form with these names replaced, which may have numbers, as f₁ in (1-f₁²)."""
    known = dict(names)
    return with_symbols(form, lambda name: rewritten(name, known))


def rewritten(name: str, names: Mapping[str, str]) -> str:
    """A name with the names in it replaced, which may have numbers."""
    return _closed(re.sub(rf"{WORD}[₀-₉]*", lambda word: names.get(word[0], word[0]), name))


def with_symbols(form: Form, new: Callable[[str], str]) -> Form:
    """The form with the name of every factor and lookup replaced."""

    def named(old: Named) -> Named:
        return old if old.name == DELTA else old._replace(name=new(old.name))

    def renamed(old: Products) -> Products:
        return tuple(p._replace(names=tuple(named(n) for n in p.names)) for p in old)

    def factors(old: tuple[Factor, ...]) -> tuple[Factor, ...]:
        return tuple(f._replace(symbol=changed(f.symbol, renamed)) for f in old)

    return replace(
        form, terms=tuple(replace(t, factors=factors(t.factors), lookups=factors(t.lookups)) for t in form.terms)
    )


def words(name: str) -> list[str]:
    """The names that a composite name is made of, but for those of functions."""
    return [word for word in re.findall(rf"{WORD}[₀-₉]*", name) if word not in FUNCTIONS]


def names_in(form: Form) -> Iterator[str]:
    """The names of the factors and lookups of a form."""
    for one in form.terms:
        for factor in (*one.factors, *one.lookups):
            yield from (n.name for p in factor.symbol for n in p.names if n.name != DELTA)


def apart(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """The names; those that occur more than once, or that are taken, with a subscript.

    >>> apart(["h", "e", "h"])
    ['h₁', 'e', 'h₂']
    """
    names = list(names)
    every, so_far = Counter([*names, *taken]), Counter[str]()
    used, result = {*names, *taken}, dict[str, None]()
    for name in names:
        one = name
        while (one in used and every[name] > 1) or one in result:
            so_far[name] += 1
            one = name + str(so_far[name]).translate(DIGITS)
        result[one] = None
    return list(result)
