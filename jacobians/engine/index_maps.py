"""Index maps as calls on arrays: positions along axes, arrays read through maps, maps inverted.

An axis says for every value of its labels a position: offset + Σ coefficient·label, or an entry of a lookup array.
Positions outside the axis do not exist. Index legend: i, j are labels; p is a position.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import ceil, floor, gcd
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from jacobians.engine.contract import Labels, Sizes, arranged
from jacobians.engine.tape import Array, Step, plainly
from jacobians.notation.structure import Axis
from jacobians.notation.symbols import Label

# --- positions --------------------------------------------------------------------------------------------------------


def positions(axis: Axis, order: Sequence[Label], sizes: Sizes, lookup: Labels = ()) -> Step:
    """The position along an axis for every value of the labels in `order`, as an integer array that broadcasts.

    The call takes the lookup array, if the axis has one.
    """
    if axis.lookup is not None:
        return arranged(lookup, order)
    parts = [(c, sizes[i], arranged((i,), order)) for i, c in axis.steps]
    offset = axis.offset

    def call() -> Array:
        total = np.array(offset)
        for coefficient, size, arrange in parts:
            total = total + arrange(coefficient * np.arange(size))
        return total

    return call


def places(
    axes: Sequence[Axis], order: Sequence[Label], sizes: Sizes, lookups: Sequence[Labels], strides: Sequence[int]
) -> Step:
    """The positions along several axes at once, counted together with these strides, and whether they exist.

    The call takes all lookup arrays, and returns two arrays that broadcast over `order`; the second is None where all
    positions exist.
    """
    steps = [
        (positions(a, order, sizes, lookups[a.lookup] if a.lookup is not None else ()), a.lookup, a.size, stride,
         not a.inside(sizes))
        for a, stride in zip(axes, strides, strict=True)
    ]  # fmt: skip

    def call(*arrays: Array) -> tuple[Array, Array | None]:
        flat: Any = np.zeros((), np.intp)
        exists: Any = None
        for position, lookup, size, stride, doubtful in steps:
            at = position() if lookup is None else position(arrays[lookup])
            if doubtful:
                inside = (at >= 0) & (at < size)
                exists = inside if exists is None else exists & inside
            flat = flat + stride * at
        return flat, exists

    return call


def inverted(axis: Axis, sizes: Sizes) -> Mapping[Label, Step]:
    """For an affine map that meets every position once at most: each label as a function of positions.

    Where no value of the labels gives the position, the label is −1.
    """
    low, _ = axis.bounds(sizes)
    digits = sorted(((abs(c), sizes[i], i, c < 0) for i, c in axis.steps if sizes[i] > 1), reverse=True)
    total = axis.size

    def label(wanted: Label) -> Step:
        def call(p: Array) -> Array:
            rest, exists, found = p - low, (p >= max(low, 0)) & (p < total), np.zeros_like(p)
            for unit, size, i, backwards in digits:
                digit, rest = np.divmod(rest, unit)
                exists = exists & (digit < size)
                if i == wanted:
                    found = size - 1 - digit if backwards else digit
            return np.where(exists & (rest == 0), found, -1)

        return call

    return {i: label(i) for i, _ in axis.steps}


def never_equal(a: Axis, b: Axis, sizes: Sizes) -> bool:
    """Whether two affine maps can have no position in common (they may have one even if not)."""
    if a.lookup is not None or b.lookup is not None:
        return any(x.lookup is None and nowhere(x, sizes) for x in (a, b))
    steps = difference(a, b)
    offset = a.offset - b.offset
    low, high = Axis(0, tuple(steps.items()), offset).bounds(sizes)
    unit = gcd(*steps.values())
    return not low <= 0 <= high or (offset % unit if unit else offset) != 0 or nowhere(a, sizes) or nowhere(b, sizes)


def nowhere(axis: Axis, sizes: Sizes) -> bool:
    """Whether no position of an affine axis exists."""
    low, high = axis.bounds(sizes)
    return high < 0 or low >= axis.size


def difference(a: Axis, b: Axis) -> dict[Label, int]:
    """The coefficients of p_a − p_b."""
    steps = dict(a.steps)
    for i, c in b.steps:
        steps[i] = steps.get(i, 0) - c
    return {i: c for i, c in steps.items() if c}


def injective(axes: Sequence[Axis], sizes: Sizes) -> bool:
    """Whether different labels always mean different entries (lookups are not relied on)."""
    found: set[Label] = set()
    waiting = [a for a in axes if a.lookup is None]
    while waiting:
        for axis in waiting:
            unknown = sorted((abs(c), i) for i, c in axis.steps if i not in found and sizes[i] > 1)
            reach = 0
            for coefficient, i in unknown:  # a mixed radix: each step is longer than all smaller ones together
                if coefficient <= reach:
                    break
                reach += coefficient * (sizes[i] - 1)
            else:
                found.update(i for _, i in unknown)
                waiting.remove(axis)
                break
        else:
            return False
    return all(i in found or sizes[i] <= 1 for axis in axes for i in axis.labels())


# --- arrays through maps ----------------------------------------------------------------------------------------------


class Gathered(NamedTuple):
    """How an array is read through a map: the call, the labels of its result, and whether that is only a view."""

    call: Step
    labels: Labels
    view: bool


def gathered(labels: Labels, at: Label, axis: Axis, sizes: Sizes, lookup: Labels, fill: int = 0) -> Gathered:
    """Replace the axis `at` of an array by the labels of an index map; positions that do not exist read `fill`."""
    if axis.lookup is not None:
        return looked_up(labels, {at: (axis.size, lookup)}, sizes, fill)
    k = labels.index(at)
    inner = [label for label, _ in axis.steps]
    result = (*labels[:k], *inner, *labels[k + 1 :])
    low, high = axis.bounds(sizes)
    before, after = max(0, -low), max(0, high - axis.size + 1)
    start = axis.offset + before
    shape = tuple(sizes[i] for i in inner)
    if not (before or after) and len(inner) <= 1:
        if not inner:
            return Gathered(lambda x: x[(slice(None),) * k + (start,)], result, True)
        step = axis.steps[0][1]
        stop = start + step * shape[0]
        cut = (*(slice(None),) * k, slice(start, stop if stop >= 0 else None, step))
        return Gathered(lambda x: x[cut], result, True)
    steps, size = tuple(c for _, c in axis.steps), axis.size

    def view(x: Array) -> Array:
        if before or after:
            padded = np.full((*x.shape[:k], before + size + after, *x.shape[k + 1 :]), fill, x.dtype)
            padded[(slice(None),) * k + (slice(before, before + size),)] = x
            x = padded
        strides = tuple(c * x.strides[k] for c in steps)
        x = x[(slice(None),) * k + (slice(start, None),)]
        return as_strided(x, (*x.shape[:k], *shape, *x.shape[k + 1 :]), (*x.strides[:k], *strides, *x.strides[k + 1 :]),
                          writeable=False)  # fmt: skip

    at_labels = positions(axis, inner, sizes)  # now: sizes belong to whoever builds a term, and change

    def taken(x: Any) -> Any:
        where = np.broadcast_to(at_labels(), shape)
        missing = (where < 0) | (where >= size)
        found = x[(slice(None),) * k + (np.where(missing, 0, where),)]
        return np.where(arranged(tuple(inner), result)(missing), fill, found) if missing.any() else found

    return Gathered(plainly(view, taken), result, not (before or after))


def looked_up(labels: Labels, at: Mapping[Label, tuple[int, Labels]], sizes: Sizes, fill: int) -> Gathered:
    """Replace axes by the labels of lookup arrays, of which the sizes of their ranges and the labels are given.

    The call takes the array, then the lookup arrays in this order; several are taken at once, as in x[i, j].
    """
    met = dict.fromkeys(i for _, lookup in at.values() for i in lookup)
    union = (*(i for i in labels if i not in at), *(i for i in met if i not in labels))
    places = [(i, size, arranged(lookup, union)) for i, (size, lookup) in at.items()]
    others = {i: (sizes[i], arranged((i,), union)) for i in labels if i not in at}
    alone = len(labels) == 1

    def take(x: Array, *lookups: Array) -> Any:
        index = {i: place(np.arange(size)) for i, (size, place) in others.items()}
        nowhere: Any = None
        for (i, size, place), n in zip(places, lookups, strict=True):
            where = place(n)
            missing = (where < 0) | (where >= size)
            if missing.any():
                where = np.where(missing, 0, where)
                nowhere = missing if nowhere is None else nowhere | missing
            index[i] = where
        key = tuple([index[i] for i in labels])
        found = x.take(key[0]) if alone and type(x) is np.ndarray else x[key]
        return found if nowhere is None else np.where(nowhere, x.dtype.type(fill), found)

    return Gathered(take, union, False)


# --- where positions exist --------------------------------------------------------------------------------------------


def windows(axes: Sequence[Axis], sizes: Sizes) -> Iterator[tuple[dict[Label, int], dict[Label, slice]]]:
    """Cut the label space so that all positions exist: fixed labels and ranges of the others.

    Where an axis combines several labels and can leave its range or overlap, all but its longest label are fixed in
    turn (a 3×3 kernel gives nine windows).
    """
    if 0 in sizes.values():
        return
    safe = injective(axes, sizes)
    fixed: list[Label] = []
    for axis in axes:
        if len(axis.steps) > 1 and not (safe and axis.inside(sizes)):
            inner = sorted((i for i, _ in axis.steps if i not in fixed), key=lambda i: sizes[i])
            fixed += inner[:-1]
    bounded = [a for a in axes if a.label is None and not a.inside(sizes)]
    for values in product(*(range(sizes[i]) for i in fixed)):
        at = dict(zip(fixed, values, strict=True))
        ranges: dict[Label, slice] = {}
        exists = True
        for axis in bounded:
            base = axis.offset + sum(c * at[i] for i, c in axis.steps if i in at)
            free = [(i, c) for i, c in axis.steps if i not in at]
            if not free:
                exists = exists and 0 <= base < axis.size
                continue
            ((i, c),) = free
            low, high = sorted((-base / c, (axis.size - 1 - base) / c))
            old = ranges.get(i, slice(0, sizes[i]))
            ranges[i] = slice(max(old.start, ceil(low)), min(old.stop, floor(high) + 1))
        if exists and all(r.start < r.stop for r in ranges.values()):
            yield at, ranges
