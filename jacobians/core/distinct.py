"""Names of two Jacobians that were made apart: different arrays get different names in the formula of J @ K or J + K.

A name stands for one array in both where a factor that carries it holds equal numbers in both. Any other name that both
use is numbered: A₁ in the left one, A₂ in the right one.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from jacobians.engine.tape import Array, is_traced
from jacobians.kept import kept
from jacobians.notation.renaming import DIGITS, Names, names_in, renamed_words, rewritten, words
from jacobians.notation.structure import Form
from jacobians.notation.symbols import Symbol

FUNCTIONS = frozenset(
    ["exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "max", "min", "sum", "mean", "Φ", "φ"]
)
LARGE = 1 << 20  # entries up to which arrays are compared number by number


class Origin(NamedTuple):
    """Which array a name stands for. It does not keep the array alive; of one that is gone nobody knows."""

    owner: weakref.ref[Array]
    place: tuple[object, ...]

    @classmethod
    def of(cls, array: Array) -> Origin:
        """The origin of names that stand for this array."""
        if is_traced(array):
            return cls(weakref.ref(array), ())
        owner = array.base if isinstance(array.base, np.ndarray) else array
        return cls(weakref.ref(owner), (array.ctypes.data, array.shape, array.strides, array.dtype.str))

    def same(self, other: Origin) -> bool:
        """Whether both are known to be one array."""
        return self.place == other.place and self.owner() is not None and self.owner() is other.owner()


Origins = Mapping[str, Origin]


def origins(form: Form, arrays: Sequence[Array]) -> Origins:
    """What the names of factors stand for, as far as factors hold single arrays."""
    found = {}
    for symbol, array in _held(form, arrays).items():
        if len(symbol) == 1 and len(symbol[0].names) == 1:
            found[symbol[0].names[0].name] = Origin.of(array)
    return found


class Held(NamedTuple):
    """A Jacobian as far as names go."""

    form: Form
    arrays: Sequence[Array]
    origins: Origins


def kept_apart(left: Held, right: Held) -> tuple[Form, Form, Origins]:
    """The forms, in which no name stands for two arrays, and what the names of both stand for."""
    again = {name: numbered for name, origin in right.origins.items()
             for numbered, one in left.origins.items()
             if numbered != name and _base(numbered) == _base(name) and one.same(origin)}  # fmt: skip
    there = _words(right.form)
    again = {name: numbered for name, numbered in again.items() if numbered not in there or numbered in again}
    if again:  # an array is called as it is in the left one
        found = {rewritten(name, again): origin for name, origin in right.origins.items()}
        right = Held(_called(right.form, again), right.arrays, found)
    common = _words(left.form) & _words(right.form)
    if not common:
        return left.form, right.form, {**left.origins, **right.origins}
    same, different = set[str](), set[str]()
    for name in left.origins.keys() & right.origins.keys():
        if left.origins[name].same(right.origins[name]):
            same.update(words(name))
    ours, theirs = _held(left.form, left.arrays), _held(right.form, right.arrays)
    for symbol in ours.keys() & theirs.keys():
        some = {word for p in symbol for named in p.names for word in words(named.name)}
        (same if _equal(ours[symbol], theirs[symbol]) else different).update(some)
    clash = frozenset(common - (same - different))
    if not clash:
        return left.form, right.form, {**left.origins, **right.origins}
    (one, new), (two, other) = _numbered(left.form, right.form, clash)
    moved = [{rewritten(name, dict(names)): origin for name, origin in some.items()}
             for names, some in ((new, left.origins), (other, right.origins))]  # fmt: skip
    return one, two, {**moved[0], **moved[1]}


@kept
def _words(form: Form) -> frozenset[str]:
    """The names that composite names are made of."""
    return frozenset(word for name in names_in(form) for word in words(name))


def _held(form: Form, arrays: Sequence[Array]) -> Mapping[Symbol, Array]:
    """What is held under each symbol, its axes in the order of the symbol's indices."""
    return {factor.symbol: arrays[factor.array] for term in form.terms for factor in (*term.factors, *term.lookups)}


def _equal(one: Array, other: Array) -> bool:
    if one is other:
        return True
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if is_traced(one) or is_traced(other):  # numbers that are equal may come from different values
        return False
    if one.ctypes.data == other.ctypes.data and one.strides == other.strides:
        return True
    return one.size <= LARGE and bool(np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"))


@kept
def _numbered(left: Form, right: Form, clash: frozenset[str]) -> tuple[tuple[Form, Names], tuple[Form, Names]]:
    """The forms with numbers behind the names that stand for different arrays, and what has been renamed."""
    used = {*_words(left), *_words(right)}
    ours: dict[str, str] = {}
    theirs: dict[str, str] = {}
    for word in sorted(clash):
        base = _base(word)
        free = _free(base, used)
        if word == base:  # a number for both
            ours[word] = next(free)
        theirs[word] = next(free)
    return (_called(left, ours), tuple(ours.items())), (_called(right, theirs), tuple(theirs.items()))


def _base(name: str) -> str:
    return re.sub("[₀-₉]+$", "", name)


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
