"""The sizes of the labels of a formula, from the shapes of the arrays, of the output and of the argument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jacobians.kept import kept
from jacobians.notation.parse import ELLIPSIS, Formula, WrittenAxis, WrittenFactor, formula_error, parse
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
    out = _right_side(formula, "output", out_shape, shapes, sizes)
    wrt = _right_side(formula, "wrt", wrt_shape, shapes, sizes)
    carried = [_carried(factor, shape, sizes) for factor, shape in zip(formula.arrays, shapes, strict=True)]
    # A batch axis that only factors have is broadcast among them first.
    for labels, shape in zip(carried, shapes, strict=True):
        for label, size in zip(labels, shape, strict=True):
            sizes.sizes.setdefault(label, size)
    dropped = tuple(
        tuple(k for k, (label, n) in enumerate(zip(labels, shape, strict=True)) if n != sizes.sizes[label])
        for labels, shape in zip(carried, shapes, strict=True)
    )
    out_axes, wrt_axes = _numbered(formula, out, out_shape, sizes), _numbered(formula, wrt, wrt_shape, sizes)
    arrays = []
    for k, (factor, labels) in enumerate(zip(formula.arrays, carried, strict=True)):
        left = tuple(sizes.number(label) for j, label in enumerate(labels) if j not in dropped[k])
        arrays.append(Factor(k, left, symbol_of(factor.name, len(left))))
    factors, lookups = tuple(arrays[: len(formula.factors)]), tuple(arrays[len(formula.factors) :])

    # A lookup's labels are written into its axes, so that "the labels of an axis" means the same everywhere.
    def with_labels(axis: Axis) -> Axis:
        return axis if axis.lookup is None else axis._replace(steps=tuple((i, 0) for i in lookups[axis.lookup].labels))

    out_axes, wrt_axes = tuple(map(with_labels, out_axes)), tuple(map(with_labels, wrt_axes))
    by_number = sorted(sizes.numbers, key=sizes.numbers.__getitem__)
    term = Term(tuple(sizes.sizes[label] for label in by_number), factors, lookups, out_axes, wrt_axes)
    return Resolved(term, tuple(a.size for a in out_axes), tuple(a.size for a in wrt_axes), dropped)


def _right_side(
    formula: Formula, name: str, shape: Shape | None, shapes: Sequence[Shape], sizes: _Sizes
) -> list[WrittenAxis]:
    """The output axes or the wrt axes with '...' spread out, the sizes of their labels taken from the shape."""
    axes = formula.out if name == "output" else formula.wrt
    has_dots = any(a.letter == ELLIPSIS for a in axes)
    where = f"the {name} axes {shape}"
    if shape is not None:
        batch = _batch(len(axes) - has_dots, len(shape), where, formula.text)
        if batch and not has_dots:
            raise formula_error(formula.text, f"{where} do not match the {len(axes)} labels")
    else:
        dotted = [(f, s) for f, s in zip(formula.arrays, shapes, strict=True) if ELLIPSIS in f.labels]
        batch = max((_batch(len(f.labels) - 1, len(s), f.name, formula.text) for f, s in dotted), default=0)
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
    return spread


def _carried(factor: WrittenFactor, shape: Shape, sizes: _Sizes) -> list[str]:
    """The labels of an array with '...' spread out; its shape gives their sizes, but for batch axes of size 1."""
    dots = ELLIPSIS in factor.labels
    if len(shape) != len(factor.labels) and not dots:
        problem = f"{factor.name} has labels {''.join(factor.labels) or 'none'}, but its shape is {shape}"
        raise formula_error(sizes.text, problem)
    where = f"{factor.name} {shape}"
    labels = _spread(factor.labels, _batch(len(factor.labels) - 1, len(shape), where, sizes.text) if dots else 0)
    for label, size in zip(labels, shape, strict=True):
        if size != 1 or not label.startswith(ELLIPSIS):
            sizes.set(label, size, where)
    return labels


def _numbered(formula: Formula, axes: Sequence[WrittenAxis], shape: Shape | None, sizes: _Sizes) -> tuple[Axis, ...]:
    """Axes with numbers for labels; lookups wait for their labels."""
    numbers = {f.name: k for k, f in enumerate(formula.lookups)}
    found = []
    for k, axis in enumerate(axes):
        if axis.letter is not None:
            found.append(plain(sizes.number(axis.letter), sizes.sizes.get(axis.letter, 0)))
        elif shape is None:
            problem = "an index map needs the size of its axis: give the shapes of the output and of the argument"
            raise formula_error(formula.text, problem)
        elif axis.lookup is not None:
            found.append(Axis(shape[k], (), lookup=numbers[axis.lookup.name]))
        else:
            steps = {sizes.number(label): c for label, c in axis.steps}
            known = {sizes.number(label): sizes.sizes[label] for label, _ in axis.steps}
            found.append(affine(shape[k], steps, axis.offset, known))
    return tuple(found)
