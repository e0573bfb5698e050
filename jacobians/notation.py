"""The notation for generalized Jacobians: ``"x_k -> i;ik"`` is ∂z_i/∂A_jk = δ_ij x_k.

::

    factors "->" labels of the output axes ";" labels of the axes of what we differentiate by ("wrt")

- A factor is ``name_labels``: its labels are what follows the last underscore, one letter each. A name without labels
  is a scalar factor. Names are free text without blanks (``(1-f²)_i``); they make the formula that people read.
- A label that stands twice right of the arrow is a Kronecker delta between those axes: ``i;ik``, ``;ii`` (the trace),
  ``ij;ji`` (the transpose), ``i;ii`` (a diagonal).
- A label of a factor that stands nowhere right of the arrow is summed.
- A label right of the arrow that no factor carries is broadcast: ``-> ;i`` is a vector of ones.
- ``...`` is any number of batch axes and broadcasts as in NumPy: ``"A_ij -> ...i;...j"``, ``"y_... -> ...;..."``.
- In parentheses, an axis right of the arrow is an index map: an integer affine combination of labels, ``(2y+u-1)``, or
  a lookup ``(n_j)`` in an integer array, which is passed after the factors, in order of appearance. Positions outside
  the axis do not exist.

This module parses the text and gives every label its size. It knows nothing of the algebra.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from jacobians.structure import Axis, Factor, Label, Shape, Term, affine, plain, symbol_of

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


def _error(text: str, problem: str) -> ValueError:
    return ValueError(f'in the formula "{text}": {problem}')


def _split_labels(labels: str, where: str, text: str) -> tuple[str, ...]:
    """The labels one by one: letters, and at most one ellipsis."""
    before, dots, after = labels.partition(ELLIPSIS)
    split = (*before, *([ELLIPSIS] if dots else []), *after)
    for label in split:
        if label != ELLIPSIS and not label.isalpha():
            raise _error(text, f"the label {label!r} of {where} is not a letter")
    return split


def _factor(token: str, text: str) -> WrittenFactor:
    name, underscore, labels = token.rpartition("_")
    if not underscore:
        return WrittenFactor(token, ())
    if not name or not labels:
        raise _error(text, f"the factor {token!r} must be a name, an underscore and its labels, as in A_ij")
    return WrittenFactor(name, _split_labels(labels, token, text))


def _index_map(inner: str, text: str) -> WrittenAxis:
    """``2y+u-1`` or ``n_j``, without its parentheses."""
    if "_" in inner:
        return WrittenAxis(lookup=_factor(inner, text))
    steps: dict[str, int] = {}
    offset = 0
    tokens = re.findall(r"[+-]?[^+-]+", inner)
    if not tokens or "".join(tokens) != inner:
        raise _error(text, f"the index map ({inner}) must be a sum such as (2y+u-1), or a lookup such as (n_j)")
    for token in tokens:
        match = re.fullmatch(r"([+-]?)(\d*)([^\W\d_]?)", token)
        if match is None or not (match[2] or match[3]):
            raise _error(text, f"{token!r} in the index map ({inner}) is not an integer, a label or their product")
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
            raise _error(text, f"{token!r} among the {group} axes is not a letter, '...' or an index map")
    if dots > 1:
        raise _error(text, f"'...' stands {dots} times among the {group} axes")


@lru_cache(maxsize=4096)
def parse(text: str) -> Formula:
    """Parse the notation; a ValueError quotes the formula and says what is wrong with it."""
    left, arrow, right = text.partition("->")
    out, semicolon, wrt = right.replace(" ", "").partition(";")
    if not arrow or "->" in right:
        raise _error(text, "there must be one '->' between the factors and the axes")
    if not semicolon or ";" in wrt:
        raise _error(text, "there must be one ';' between the output axes and the wrt axes")
    factors = tuple(_factor(token, text) for token in left.split())
    out_axes = tuple(_axes(out, "output", text))
    wrt_axes = tuple(_axes(wrt, "wrt", text))
    lookups: dict[str, WrittenFactor] = {}
    for axis in out_axes + wrt_axes:
        if axis.lookup is not None and lookups.setdefault(axis.lookup.name, axis.lookup) != axis.lookup:
            raise _error(text, f"the lookup {axis.lookup.name} is written with different labels")
    return Formula(text, factors, out_axes, wrt_axes, factors + tuple(lookups.values()))


# --- sizes ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Resolved:
    """A term with all its sizes, and the shapes that it gives.

    `dropped[k]` are the axes of array k that have size 1 where the batch has not: they are broadcast, so not carried.
    """

    term: Term
    out_shape: Shape
    wrt_shape: Shape
    dropped: tuple[tuple[int, ...], ...]


class _Sizes:
    """The sizes of the labels, each with the place that it was first seen at."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.numbers: dict[str, Label] = {}
        self.sizes: dict[str, int] = {}
        self.seen: dict[str, str] = {}

    def set(self, label: str, size: int, where: str) -> None:
        if self.sizes.setdefault(label, size) != size:
            name = f"batch axis {label}" if label.startswith(ELLIPSIS) else f"label {label}"
            raise _error(self.text, f"{name} is {self.sizes[label]} in {self.seen[label]} but {size} in {where}")
        self.seen.setdefault(label, where)

    def number(self, label: str) -> Label:
        if label not in self.sizes:
            raise _error(
                self.text,
                f"the size of label {label} is not known: no factor carries it, so the shape of the output or of the "
                "argument must be given",
            )
        return self.numbers.setdefault(label, len(self.numbers))


def _batch(named: int, ndim: int, where: str, text: str) -> int:
    """How many axes the ellipsis stands for."""
    if ndim < named:
        raise _error(text, f"{where} has {ndim} axes, too few for the {named} labels")
    return ndim - named


def _spread(labels: Sequence[str], batch: int) -> list[str]:
    """The labels with '...' replaced by that many batch labels, numbered from the right as NumPy aligns them."""
    spread: list[str] = []
    for label in labels:
        spread.extend([f"{ELLIPSIS}{k - batch}" for k in range(batch)] if label == ELLIPSIS else [label])
    return spread


@lru_cache(maxsize=4096)
def resolve(text: str, shapes: tuple[Shape, ...], out_shape: Shape | None, wrt_shape: Shape | None) -> Resolved:
    """Give every label its size, from the shapes of the arrays, of the output and of the argument.

    A ValueError quotes the formula, names the label and says both sizes and where they come from.
    """
    formula = parse(text)
    if len(shapes) != len(formula.arrays):
        names = ", ".join(f.name for f in formula.arrays) or "none"
        raise _error(text, f"{len(formula.arrays)} arrays are needed ({names}), {len(shapes)} are given")
    sizes = _Sizes(text)

    # The right side first: it decides which batch axes there are. Index maps wait for the sizes of their labels.
    groups: list[list[WrittenAxis]] = []
    for name, axes, shape in (("output", formula.out, out_shape), ("wrt", formula.wrt, wrt_shape)):
        has_dots = any(a.letter == ELLIPSIS for a in axes)
        where = f"the {name} axes {shape}"
        if shape is not None:
            batch = _batch(len(axes) - has_dots, len(shape), where, text)
            if batch and not has_dots:
                raise _error(text, f"{where} do not match the {len(axes)} labels")
        else:
            dotted = [(f, s) for f, s in zip(formula.arrays, shapes, strict=True) if ELLIPSIS in f.labels]
            batch = max((_batch(len(f.labels) - 1, len(s), f.name, text) for f, s in dotted), default=0)
        spread: list[WrittenAxis] = []
        for axis in axes:
            letters = _spread([axis.letter], batch) if axis.letter is not None else [None]
            spread.extend(WrittenAxis(letter, axis.steps, axis.offset, axis.lookup) for letter in letters)
        for k, axis in enumerate(spread):
            if shape is None or axis.letter is None:
                continue
            if name == "wrt" and axis.letter.startswith(ELLIPSIS) and shape[k] == 1 != sizes.sizes.get(axis.letter, 1):
                spread[k] = WrittenAxis()  # broadcast: position 0 for every label of the batch
            else:
                sizes.set(axis.letter, shape[k], where)
        groups.append(spread)

    # A batch axis that only factors have is broadcast among them first.
    carried: list[list[str]] = []
    dropped: list[tuple[int, ...]] = []
    for factor, shape in zip(formula.arrays, shapes, strict=True):
        dots = ELLIPSIS in factor.labels
        if len(shape) != len(factor.labels) and not dots:
            raise _error(text, f"{factor.name} has labels {''.join(factor.labels) or 'none'}, but its shape is {shape}")
        batch = _batch(len(factor.labels) - 1, len(shape), f"{factor.name} {shape}", text) if dots else 0
        labels = _spread(factor.labels, batch)
        for label, size in zip(labels, shape, strict=True):
            if size != 1 or not label.startswith(ELLIPSIS):
                sizes.set(label, size, f"{factor.name} {shape}")
        carried.append(labels)
    for labels, shape in zip(carried, shapes, strict=True):
        for label, size in zip(labels, shape, strict=True):
            sizes.sizes.setdefault(label, size)
        dropped.append(
            tuple(k for k, (label, n) in enumerate(zip(labels, shape, strict=True)) if n != sizes.sizes[label])
        )

    lookup_numbers = {f.name: k for k, f in enumerate(formula.lookups)}

    def axis_of(axis: WrittenAxis, size: int | None) -> Axis:
        if axis.letter is not None:
            return plain(sizes.number(axis.letter), sizes.sizes.get(axis.letter, 0))
        if size is None:
            raise _error(
                text, "an index map needs the size of its axis: give the shapes of the output and of the argument"
            )
        if axis.lookup is not None:
            return Axis(size, (), lookup=lookup_numbers[axis.lookup.name])
        steps = {sizes.number(label): c for label, c in axis.steps}
        return affine(size, steps, axis.offset, {sizes.number(label): sizes.sizes[label] for label, _ in axis.steps})

    def axes_of(axes: list[WrittenAxis], shape: Shape | None) -> tuple[Axis, ...]:
        return tuple(axis_of(a, shape[k] if shape is not None else None) for k, a in enumerate(axes))

    out, wrt = axes_of(groups[0], out_shape), axes_of(groups[1], wrt_shape)
    arrays = []
    for k, (factor, labels) in enumerate(zip(formula.arrays, carried, strict=True)):
        kept = tuple(sizes.number(label) for j, label in enumerate(labels) if j not in dropped[k])
        arrays.append(Factor(k, kept, symbol_of(factor.name, len(kept))))
    count = len(formula.factors)
    lookups = tuple(arrays[count:])

    # A lookup's labels are written into its axes, so that "the labels of an axis" means the same everywhere.
    def with_labels(axis: Axis) -> Axis:
        return axis if axis.lookup is None else axis._replace(steps=tuple((i, 0) for i in lookups[axis.lookup].labels))

    out, wrt = tuple(with_labels(a) for a in out), tuple(with_labels(a) for a in wrt)
    by_number = sorted(sizes.numbers, key=sizes.numbers.__getitem__)
    term = Term(tuple(sizes.sizes[label] for label in by_number), tuple(arrays[:count]), lookups, out, wrt)
    return Resolved(term, tuple(a.size for a in out), tuple(a.size for a in wrt), tuple(dropped))
