"""What the values of a graph are called in its formulas: z = Ax + b, f = tanh(z), L.

A value is called what the source calls it, or else what the layer that makes it calls its output; an argument what
`forward` or the function calls it. What occurs more than once gets a subscript: z₁, f₁, z₂, f₂, A₁, A₂. A layer's
formulas are written in letters of its own; each of them is replaced by the name of the value that it stands for, and
what stands for no value (p in the Jacobian of log Σ exp) is kept apart likewise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from jacobians.notation.expressions import expression
from jacobians.notation.parse import parse
from jacobians.notation.renaming import Names, apart, names_in, words
from jacobians.notation.structure import Form

LETTERS = re.compile(r"[^\W\d_]+")
Naming = tuple[str, Names]
"""What a value is called, and what the names in the formulas of the layer that makes it are called."""


class Step(NamedTuple):
    """A layer that makes a value, as far as names go."""

    value: int
    output: str
    """What its formulas call its output."""

    arguments: Sequence[tuple[str, int]]
    """What its formulas call its arguments, and their numbers."""

    letters: frozenset[str]
    """All names in its formulas."""

    name: str = ""
    """What the source calls its output, if it does."""

    layer: str = ""
    """What the layer is, where what it computes may be the name of its output: see `expressions`."""

    known: tuple[tuple[str, str], ...] = ()
    """Names in its formulas that stand for constants, and what these are called."""


def letters_of(local: Iterable[str | Form]) -> frozenset[str]:
    """The names in formulas, given as text or as forms."""
    names = (name for one in local for name in (_names(one) if isinstance(one, str) else names_in(one)))
    return frozenset(word for name in names for word in words(name) if LETTERS.fullmatch(word))


def _names(text: str) -> list[str]:
    return [factor.name for factor in parse(text).arrays]


def named(leaves: Mapping[int, str], steps: Sequence[Step]) -> dict[int, Naming]:
    """Names for all values, by number, no two of them alike; `leaves` are the names of the arguments."""
    names = dict(zip(leaves, apart(leaves.values()), strict=True)) | _called(leaves, steps)
    taken = {*names.values(), *(name for one in steps for _, name in one.known)}
    own = [sorted(one.letters - {one.output} - {n for n, _ in one.arguments} - dict(one.known).keys()) for one in steps]
    free = iter(apart([letter for letters in own for letter in letters], taken))
    made = {one.layer + names.get(n, ""): names[one.value] for one in steps for _, n in one.arguments[:1]}
    found: dict[int, Naming] = {number: (names[number], ()) for number in leaves}
    for one, letters in zip(steps, own, strict=True):
        changed = {letter: next(free) for letter in letters} | dict(one.known)
        changed |= {name: names[number] for name, number in one.arguments if number in names}
        if one.layer:
            changed |= _meant(one, changed, letters, made)
        changed[one.output] = names[one.value]
        found[one.value] = names[one.value], tuple((old, new) for old, new in changed.items() if old != new)
    return found


def _meant(step: Step, names: Mapping[str, str], letters: Sequence[str], made: Mapping[str, str]) -> dict[str, str]:
    """The letters of a layer's own whose meaning has a name: the inverse of what it solves, the mean that it takes off.

    `made` says what the source calls the output of a layer, by the layer and the name of its first argument.
    """
    x = names.get("x", "x")
    meanings = {"X": x if {n for n, _ in step.arguments} == {"x"} else ""}
    if step.layer == "Solve()":
        meanings["Y"] = expression("Inverse()", {"x": names.get("A", "")})
    if step.layer in ("Variance()", "StandardDeviation()"):
        meanings["m"] = made.get(f"Mean(){x}", "") or expression("Mean()", {"x": x})
    return {letter: meanings[letter] for letter in letters if meanings.get(letter)}


def _called(leaves: Mapping[int, str], steps: Sequence[Step]) -> dict[int, str]:
    """Names for what is made: the source's, or the expression if it is short, or the layer's own."""
    given = apart([one.name for one in steps if one.name], leaves.values())
    names = dict(zip([one.value for one in steps if one.name], given, strict=True))
    known = dict(zip(leaves, apart(leaves.values()), strict=True)) | names
    fixed, rest = set(known.values()), []
    for one in steps:
        if one.name:
            continue
        arguments = dict(one.known) | {name: known.get(n, "") for name, n in one.arguments}
        found = expression(one.layer, arguments) if one.layer else ""  # of arguments that all have names
        if found and found not in fixed:  # equal expressions have equal values, so they share a name
            names[one.value] = known[one.value] = found
        else:
            rest.append(one)
    letters = [one.output if one.output.isalpha() else "z" for one in rest]
    return names | dict(zip([one.value for one in rest], apart(letters, known.values()), strict=True))
