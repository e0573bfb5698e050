"""Names of two Jacobians that were made apart: different arrays get different names in the formula of J @ K or J + K.

A name stands for one array in both where a factor that carries it holds equal numbers in both. Any other name that both
use is numbered: A₁ in the left one, A₂ in the right one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from jacobians.engine.tape import Array
from jacobians.notation.renaming import DIGITS, names_in, renamed_words, words
from jacobians.notation.structure import Form
from jacobians.notation.symbols import Symbol

FUNCTIONS = frozenset(
    ["exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "max", "min", "sum", "mean", "Φ", "φ"]
)
LARGE = 1 << 20  # entries up to which arrays are compared number by number


def kept_apart(
    left: Form, left_arrays: Sequence[Array], right: Form, right_arrays: Sequence[Array]
) -> tuple[Form, Form]:
    """The forms, in which no name stands for two arrays."""
    common = _words(left) & _words(right)
    if not common:
        return left, right
    same, different = set[str](), set[str]()
    ours, theirs = _held(left, left_arrays), _held(right, right_arrays)
    for symbol, array in ours.items():
        if symbol in theirs:
            some = {word for p in symbol for named in p.names for word in words(named.name)}
            (same if _equal(array, theirs[symbol]) else different).update(some)
    clash = common - (same - different)
    if not clash:
        return left, right
    return _numbered(left, right, frozenset(clash))


@lru_cache(maxsize=1024)
def _words(form: Form) -> frozenset[str]:
    """The names that composite names are made of."""
    return frozenset(word for name in names_in(form) for word in words(name)) - FUNCTIONS


def _held(form: Form, arrays: Sequence[Array]) -> Mapping[Symbol, Array]:
    """What is held under each symbol, its axes in the order of the symbol's indices."""
    return {factor.symbol: arrays[factor.array] for term in form.terms for factor in (*term.factors, *term.lookups)}


def _equal(one: Array, other: Array) -> bool:
    if one is other:
        return True
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if one.ctypes.data == other.ctypes.data and one.strides == other.strides:
        return True
    return one.size <= LARGE and bool(np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"))


@lru_cache(maxsize=1024)
def _numbered(left: Form, right: Form, clash: frozenset[str]) -> tuple[Form, Form]:
    """The forms with numbers behind the names that stand for different arrays."""
    used = {*_words(left), *_words(right)}
    ours: dict[str, str] = {}
    theirs: dict[str, str] = {}
    for word in sorted(clash):
        base = re.sub("[₀-₉]+$", "", word)
        free = _free(base, used)
        if word == base:  # a number for both
            ours[word] = next(free)
        theirs[word] = next(free)
    return _called(left, ours), _called(right, theirs)


def _free(base: str, used: set[str]) -> Iterator[str]:
    """Names with numbers that nothing is called yet."""
    number = 0
    while True:
        number += 1
        name = base + str(number).translate(DIGITS)
        if name not in used:
            used.add(name)
            yield name


def _called(form: Form, names: Mapping[str, str]) -> Form:
    new = renamed_words(form, tuple(names.items()))
    return replace(
        new, out_name=names.get(form.out_name, form.out_name), wrt_name=names.get(form.wrt_name, form.wrt_name)
    )
