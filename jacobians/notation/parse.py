"""The notation, parsed: ``"A_ij -> i;j"`` as factors and axes. The package describes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

ELLIPSIS = "..."


@dataclass(frozen=True)
class WrittenFactor:
    """``A_ij``: a name and its labels, one of which may be the ellipsis."""

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class WrittenAxis:
    """An axis right of the arrow: a letter, the ellipsis, an affine index map or a lookup."""

    letter: str | None = None
    steps: tuple[tuple[str, int], ...] = ()
    offset: int = 0
    lookup: WrittenFactor | None = None


@dataclass(frozen=True)
class Formula:
    """The parsed notation; `arrays` lists what has to be passed: the factors, then the lookups by first appearance."""

    text: str
    factors: tuple[WrittenFactor, ...]
    out: tuple[WrittenAxis, ...]
    wrt: tuple[WrittenAxis, ...]
    arrays: tuple[WrittenFactor, ...]

    @property
    def lookups(self) -> tuple[WrittenFactor, ...]:
        """The lookup arrays, by first appearance."""
        return self.arrays[len(self.factors) :]


def formula_error(text: str, problem: str) -> ValueError:
    """The error that quotes a formula and says what is wrong with it."""
    return ValueError(f'in the formula "{text}": {problem}')


def _split_labels(labels: str, where: str, text: str) -> tuple[str, ...]:
    """The labels one by one: letters, and at most one ellipsis."""
    before, dots, after = labels.partition(ELLIPSIS)
    split = (*before, *([ELLIPSIS] if dots else []), *after)
    for label in split:
        if label != ELLIPSIS and not label.isalpha():
            raise formula_error(text, f"the label {label!r} of {where} is not a letter")
    return split


def _factor(token: str, text: str) -> WrittenFactor:
    name, underscore, labels = token.rpartition("_")
    if not underscore:
        return WrittenFactor(token, ())
    if not name or not labels:
        raise formula_error(text, f"the factor {token!r} must be a name, an underscore and its labels, as in A_ij")
    return WrittenFactor(name, _split_labels(labels, token, text))


def _index_map(inner: str, text: str) -> WrittenAxis:
    """``2y+u-1`` or ``n_j``, without its parentheses."""
    if "_" in inner:
        return WrittenAxis(lookup=_factor(inner, text))
    steps: dict[str, int] = {}
    offset = 0
    tokens = re.findall(r"[+-]?[^+-]+", inner)
    if not tokens or "".join(tokens) != inner:
        raise formula_error(text, f"the index map ({inner}) must be a sum such as (2y+u-1), or a lookup such as (n_j)")
    for token in tokens:
        match = re.fullmatch(r"([+-]?)(\d*)([^\W\d_]?)", token)
        if match is None or not (match[2] or match[3]):
            raise formula_error(
                text, f"{token!r} in the index map ({inner}) is not an integer, a label or their product"
            )
        value = int(match[1] + (match[2] or "1"))
        if match[3]:
            steps[match[3]] = steps.get(match[3], 0) + value
        else:
            offset += value
    return WrittenAxis(steps=tuple(steps.items()), offset=offset)


def _axes(side: str, group: str, text: str) -> Iterator[WrittenAxis]:
    dots = 0
    for token in re.findall(r"\.\.\.|\([^()]*\)|.", side):
        if token == ELLIPSIS:
            dots += 1
            yield WrittenAxis(letter=ELLIPSIS)
        elif token.startswith("(") and token.endswith(")"):
            yield _index_map(token[1:-1], text)
        elif token.isalpha():
            yield WrittenAxis(letter=token)
        else:
            raise formula_error(text, f"{token!r} among the {group} axes is not a letter, '...' or an index map")
    if dots > 1:
        raise formula_error(text, f"'...' stands {dots} times among the {group} axes")


@lru_cache(maxsize=4096)
def parse(text: str) -> Formula:
    """Parse the notation; a ValueError quotes the formula and says what is wrong with it."""
    left, arrow, right = text.partition("->")
    out, semicolon, wrt = right.replace(" ", "").partition(";")
    if not arrow or "->" in right:
        raise formula_error(text, "there must be one '->' between the factors and the axes")
    if not semicolon or ";" in wrt:
        raise formula_error(text, "there must be one ';' between the output axes and the wrt axes")
    factors = tuple(_factor(token, text) for token in left.split())
    out_axes = tuple(_axes(out, "output", text))
    wrt_axes = tuple(_axes(wrt, "wrt", text))
    lookups: dict[str, WrittenFactor] = {}
    for axis in out_axes + wrt_axes:
        if axis.lookup is not None and lookups.setdefault(axis.lookup.name, axis.lookup) != axis.lookup:
            raise formula_error(text, f"the lookup {axis.lookup.name} is written with different labels")
    return Formula(text, factors, out_axes, wrt_axes, factors + tuple(lookups.values()))
