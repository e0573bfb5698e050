"""The sizes of the labels of a formula, from the shapes of the arrays, of the output and of the argument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jacobians.kept import kept
from jacobians.notation.parse import ELLIPSIS, WrittenAxis, formula_error, parse
from jacobians.notation.structure import Axis, Factor, Shape, Term, affine, plain
from jacobians.notation.symbols import Label, symbol_of


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
            raise formula_error(self.text, f"{name} is {self.sizes[label]} in {self.seen[label]} but {size} in {where}")
        self.seen.setdefault(label, where)

    def number(self, label: str) -> Label:
        if label not in self.sizes:
            raise formula_error(
                self.text,
                f"the size of label {label} is not known: no factor carries it, so the shape of the output or of the "
                "argument must be given",
            )
        return self.numbers.setdefault(label, len(self.numbers))


def _batch(named: int, ndim: int, where: str, text: str) -> int:
    """How many axes the ellipsis stands for."""
    if ndim < named:
        raise formula_error(text, f"{where} has {ndim} axes, too few for the {named} labels")
    return ndim - named


def _spread(labels: Sequence[str], batch: int) -> list[str]:
    """The labels with '...' replaced by that many batch labels, numbered from the right as NumPy aligns them."""
    spread: list[str] = []
    for label in labels:
        spread.extend([f"{ELLIPSIS}{k - batch}" for k in range(batch)] if label == ELLIPSIS else [label])
    return spread


@kept
def resolve(text: str, shapes: tuple[Shape, ...], out_shape: Shape | None, wrt_shape: Shape | None) -> Resolved:
    """Give every label its size, from the shapes of the arrays, of the output and of the argument.

    A ValueError quotes the formula, names the label and says both sizes and where they come from.
    """
    formula = parse(text)
    if len(shapes) != len(formula.arrays):
        names = ", ".join(f.name for f in formula.arrays) or "none"
        raise formula_error(text, f"{len(formula.arrays)} arrays are needed ({names}), {len(shapes)} are given")
    sizes = _Sizes(text)

    # The right side first: it decides which batch axes there are. Index maps wait for the sizes of their labels.
    groups: list[list[WrittenAxis]] = []
    for name, axes, shape in (("output", formula.out, out_shape), ("wrt", formula.wrt, wrt_shape)):
        has_dots = any(a.letter == ELLIPSIS for a in axes)
        where = f"the {name} axes {shape}"
        if shape is not None:
            batch = _batch(len(axes) - has_dots, len(shape), where, text)
            if batch and not has_dots:
                raise formula_error(text, f"{where} do not match the {len(axes)} labels")
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
            raise formula_error(
                text, f"{factor.name} has labels {''.join(factor.labels) or 'none'}, but its shape is {shape}"
            )
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
            raise formula_error(
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
