"""Execution: how factors are multiplied, summed, viewed and written, as calls for a `Tape`.

Each function here decides everything that shapes alone decide and returns the call that does the rest. This is also the
one gate to opt_einsum.

What is known and kept here: ``np.einsum`` and ``opt_einsum.contract`` reject repeated output labels, so an array is
written through a strided view in which tied axes are one; a batched pair goes to ``np.matmul``, which uses BLAS; an outer
product is ``np.multiply`` straight into the output.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product as combinations
from math import prod
from typing import Any, cast

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import DTypeLike

from jacobians.program import Array, Step
from jacobians.structure import Axis, Label, Shape, Term

Labels = tuple[Label, ...]
Sizes = Mapping[Label, int]


# --- opt_einsum -------------------------------------------------------------------------------------------------------


def contract(subscripts: str, *operands: Array) -> Array:
    """``opt_einsum.contract``: the einsum of the operands, in the order that opt_einsum finds."""
    import opt_einsum

    return cast(Array, np.asarray(opt_einsum.contract(subscripts, *operands)))


def path(factors: Sequence[Labels], result: Labels, sizes: Sizes) -> list[tuple[int, int]]:
    """The order in which to contract many factors, pair by pair, as positions in the shrinking list."""
    if len(factors) == 2:
        return [(0, 1)]
    import opt_einsum
    from opt_einsum.parser import get_symbol

    letters = {label: get_symbol(k) for k, label in enumerate(sizes)}
    words = ["".join(letters[i] for i in labels) for labels in factors]
    subscripts = ",".join(words) + "->" + "".join(letters[i] for i in result)
    shapes = [tuple(sizes[i] for i in labels) for labels in factors]
    found, _ = opt_einsum.contract_path(subscripts, *shapes, shapes=True, optimize="auto")
    pairs = []
    for together in found:  # what opt_einsum would multiply in one go is multiplied pair by pair
        last = len(factors) - 1 - len(pairs)
        first, *others = sorted(together, reverse=True)
        for other in others:
            pairs.append((other, first))
            first, last = last - 1, last - 1
    return pairs


# --- views and pairs --------------------------------------------------------------------------------------------------


def arranged(labels: Labels, order: Sequence[Label], index: Mapping[Label, int | slice] | None = None) -> Step:
    """View an array so that it broadcasts against `order`: axes sorted, missing ones of size 1.

    `index` takes entries (an integer: the label is then no axis any more) or ranges (a slice) of some labels.
    """
    index = index or {}
    sorted_labels = sorted(labels, key=list(order).index)
    permutation = tuple(labels.index(i) for i in sorted_labels)
    key = [index.get(i, slice(None)) if i in labels else None for i in order
           if i in labels or not isinstance(index.get(i), int)]  # fmt: skip
    while key and key[0] is None:  # leading axes broadcast by themselves
        key.pop(0)
    selection = tuple(key) if any(k != slice(None) for k in key) else None
    if permutation == tuple(range(len(labels))):
        if selection is None:
            return lambda x: x
        return lambda x: x[selection]
    if selection is None:
        return lambda x: x.transpose(permutation)
    return lambda x: x.transpose(permutation)[selection]


def summed(labels: Labels, gone: Iterable[Label]) -> tuple[Step, Labels]:
    """Sum an array over some of its labels."""
    gone = set(gone)
    axes = tuple(k for k, i in enumerate(labels) if i in gone)
    return lambda x: x.sum(axis=axes), tuple(i for i in labels if i not in gone)


def pair(a: Labels, b: Labels, kept: Iterable[Label], sizes: Sizes) -> tuple[Step, Labels, int]:
    """Multiply two arrays and sum the labels that both carry and nobody keeps: the call, its labels, its FLOPs."""
    kept = set(kept)
    common = [i for i in a if i in b]
    gone = [i for i in common if i not in kept]
    if not gone:
        swap = prod(sizes[i] for i in b) > prod(sizes[i] for i in a)
        first, second = (b, a) if swap else (a, b)
        result = (*first, *(i for i in second if i not in first))
        left, right = arranged(a, result), arranged(b, result)
        return (lambda x, y: np.multiply(left(x), right(y))), result, prod(sizes[i] for i in result)

    batch = [i for i in common if i in kept]
    rows = [i for i in a if i not in common]
    columns = [i for i in b if i not in common]
    result = (*batch, *rows, *columns)
    left, right = _matrix(a, batch, rows, gone, sizes), _matrix(b, batch, gone, columns, sizes)
    multiply: Step = np.matmul if batch else np.dot
    shape = tuple(sizes[i] for i in result)
    flops = 2 * prod(sizes[i] for i in (*result, *gone))
    if not batch and len(rows) <= 1 and len(columns) <= 1:
        return (lambda x, y: multiply(left(x), right(y))), result, flops
    return (lambda x, y: multiply(left(x), right(y)).reshape(shape)), result, flops


def _matrix(labels: Labels, batch: list[Label], rows: list[Label], columns: list[Label], sizes: Sizes) -> Step:
    """View an array as a (stack of) matrices; without batch, a group without labels gives a vector."""
    order = (*batch, *rows, *columns)
    permutation = tuple(labels.index(i) for i in order)
    groups = [rows, columns] if batch else [g for g in (rows, columns) if g]
    shape = (*(sizes[i] for i in batch), *(prod(sizes[i] for i in g) for g in groups))
    same = permutation == tuple(range(len(labels)))
    if shape == tuple(sizes[i] for i in order):
        return (lambda x: x) if same else (lambda x: x.transpose(permutation))
    return (lambda x: x.reshape(shape)) if same else (lambda x: x.transpose(permutation).reshape(shape))


def diagonal(labels: Labels) -> tuple[Step, Labels]:
    """View the entries of an array where its repeated labels agree."""
    distinct = tuple(dict.fromkeys(labels))
    numbers = [distinct.index(i) for i in labels]
    order = list(range(len(distinct)))
    return lambda x: np.einsum(x, numbers, order), distinct


# --- index maps -------------------------------------------------------------------------------------------------------


def positions(axis: Axis, order: Sequence[Label], sizes: Sizes, lookup: Labels = ()) -> Step:
    """The position along an axis for every value of the labels in `order`, as an integer array that broadcasts.

    The call takes the lookup array, if the axis has one.
    """
    if axis.lookup is not None:
        return arranged(lookup, order)
    total: Any = np.array(axis.offset)
    for label, coefficient in axis.steps:
        total = total + arranged((label,), order)(coefficient * np.arange(sizes[label]))
    return lambda: total


def gathered(labels: Labels, at: Label, axis: Axis, sizes: Sizes, lookup: Labels, fill: int = 0) -> tuple[Step, Labels]:
    """Replace the axis `at` of an array by the labels of an index map; positions that do not exist read `fill`."""
    k = labels.index(at)
    if axis.lookup is not None:
        union = (*(i for i in labels if i != at), *(i for i in lookup if i not in labels))
        place = arranged(lookup, union)
        grids = {i: arranged((i,), union)(np.arange(sizes[i])) for i in labels if i != at}
        size = axis.size

        def take(x: Array, n: Array) -> Array:
            if size == 0:
                return np.full([sizes[i] for i in union], fill, x.dtype)
            where = place(n)
            missing = (where < 0) | (where >= size)
            if not missing.any():
                return x[tuple(grids.get(i, where) for i in labels)]
            inside = np.where(missing, 0, where)
            return np.where(missing, x.dtype.type(fill), x[tuple(grids.get(i, inside) for i in labels)])

        return take, union

    inner = [label for label, _ in axis.steps]
    result = (*labels[:k], *inner, *labels[k + 1 :])
    low, high = axis.bounds(sizes)
    before, after = max(0, -low), max(0, high - axis.size + 1)
    start = axis.offset + before
    shape = tuple(sizes[i] for i in inner)
    if not (before or after) and len(inner) <= 1:
        if not inner:
            return (lambda x: x[(slice(None),) * k + (start,)]), result
        step = axis.steps[0][1]
        stop = start + step * shape[0]
        cut = (*(slice(None),) * k, slice(start, stop if stop >= 0 else None, step) if shape[0] else slice(0, 0))
        return (lambda x: x[cut]), result

    def view(x: Array) -> Array:
        if not all(shape):
            return np.zeros((*x.shape[:k], *shape, *x.shape[k + 1 :]), x.dtype)
        if before or after:
            padded = np.full((*x.shape[:k], before + axis.size + after, *x.shape[k + 1 :]), fill, x.dtype)
            padded[(slice(None),) * k + (slice(before, before + axis.size),)] = x
            x = padded
        strides = tuple(c * x.strides[k] for _, c in axis.steps)
        x = x[(slice(None),) * k + (slice(start, None),)]
        return as_strided(x, (*x.shape[:k], *shape, *x.shape[k + 1 :]), (*x.strides[:k], *strides, *x.strides[k + 1 :]),
                          writeable=False)  # fmt: skip

    return view, result


# --- writing into the output ------------------------------------------------------------------------------------------


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


def windows(axes: Sequence[Axis], sizes: Sizes) -> Iterator[tuple[dict[Label, int], dict[Label, slice]]]:
    """Cut the label space so that all positions exist: fixed labels and ranges of the others.

    Where an axis combines several labels and can leave its range or overlap, all but its longest label are fixed in turn
    (a 3×3 kernel gives nine windows).
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
    for values in combinations(*(range(sizes[i]) for i in fixed)):
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
            ends = sorted((-base / c, (axis.size - 1 - base) / c))
            old = ranges.get(i, slice(0, sizes[i]))
            ranges[i] = slice(max(old.start, int(np.ceil(ends[0]))), min(old.stop, int(np.floor(ends[1])) + 1))
        if exists and all(r.start < r.stop for r in ranges.values()):
            yield at, ranges


def write(term: Term, factors: Sequence[Labels], dtype: DTypeLike, first: bool) -> Step:
    """Write ± the product of at most two factors (the larger first, no label left to sum) into a C-contiguous output.

    The call takes the output, the factors and the lookup arrays. `first`: the output holds zeros (or, where the term
    covers all of it, anything), so entries are assigned and not added.
    """
    sizes = dict(enumerate(term.sizes))
    shape = tuple(a.size for a in term.axes)
    strides = [prod(shape[k + 1 :]) for k in range(len(shape))]
    if any(a.lookup is not None for a in term.axes):
        return _scatter(term, factors, strides, sizes)
    itemsize = np.dtype(dtype).itemsize
    order = list(dict.fromkeys(i for a in term.axes for i in a.labels()))
    assign = first and injective(term.axes, sizes)
    blits = []
    for at, ranges in windows(term.axes, sizes):
        dims = [i for i in order if i not in at]
        begin = {i: ranges[i].start if i in ranges else 0 for i in dims} | at
        offset = sum(s * (a.offset + sum(c * begin[i] for i, c in a.steps))
                     for s, a in zip(strides, term.axes, strict=True))  # fmt: skip
        steps = {i: sum(s * c for s, a in zip(strides, term.axes, strict=True) for j, c in a.steps if j == i) for i in dims}
        view_shape = tuple(ranges[i].stop - ranges[i].start if i in ranges else sizes[i] for i in dims)
        views = [arranged(labels, order, {**at, **ranges}) for labels in factors]
        blits.append((view_shape, offset * itemsize, tuple(steps[i] * itemsize for i in dims), views))
    return _blitter(blits, assign, term.sign, 0 in shape)


def _blitter(blits: list[tuple[Shape, int, Shape, list[Step]]], assign: bool, sign: int, empty: bool) -> Step:
    """Assign or add a product of views to strided views of the output."""

    def call(out: Array, *factors: Array) -> None:
        if empty:
            return
        for shape, offset, strides, views in blits:
            view: Array = np.ndarray(shape, out.dtype, out, offset, strides)  # type: ignore[arg-type]
            operands = [arrange(x) for arrange, x in zip(views, factors, strict=False)]
            if sign < 0 and operands:  # the smaller one; np.negative is not used in place: it errs at a stride of 64 bytes
                operands[-1] = operands[-1] * -1
            if len(operands) == 2 and assign:
                np.multiply(*operands, out=view, casting="same_kind")
                continue
            value = operands[0] * operands[1] if len(operands) == 2 else operands[0] if operands else sign
            if assign:
                view[...] = value
            else:
                np.add(view, value, out=view, casting="same_kind")

    return call


def _scatter(term: Term, factors: Sequence[Labels], strides: list[int], sizes: Sizes) -> Step:
    """Add a product to the entries that lookups name."""
    order = list(dict.fromkeys(i for a in term.axes for i in a.labels()))
    shape = tuple(sizes[i] for i in order)
    views = [arranged(labels, order) for labels in factors]
    number = len(factors)
    places = [(positions(a, order, sizes, term.lookups[a.lookup].labels if a.lookup is not None else ()), a, s)
              for a, s in zip(term.axes, strides, strict=True)]  # fmt: skip
    # One lookup per value of labels that stand plainly elsewhere: no entry is met twice.
    once = injective([a for a in term.axes if a.lookup is None], sizes) and all(
        i in {j for a in term.axes if a.lookup is None for j in a.labels()} for i in order
    )

    def call(out: Array, *arrays: Array) -> None:
        if 0 in shape or out.size == 0:
            return
        flat: Any = 0
        exists: Any = True
        for place, axis, stride in places:
            at = place(arrays[number + axis.lookup]) if axis.lookup is not None else place()
            if axis.lookup is not None or not axis.inside(sizes):
                exists = exists & (at >= 0) & (at < axis.size)
            flat = flat + stride * at
        value: Any = term.sign
        for arrange, x in zip(views, arrays, strict=False):
            value = value * arrange(x)
        flat, exists, value = (np.broadcast_to(v, shape) for v in (flat, exists, value))
        if not exists.all():
            flat, value = flat[exists], value[exists]
        entries = out.reshape(-1)
        if once:
            entries[flat] += value
        else:
            np.add.at(entries, flat, value)

    return call
