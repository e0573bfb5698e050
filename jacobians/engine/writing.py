"""Writing all entries: the factors of every term, straight into the output.

- A term whose axes are all untied covers the output. It is assigned by one product into place; several such terms are
  added block by block, so that no temporary of the output's size is made and every block is written once, in the cache.
- A term with Kronecker deltas is written through a strided view in which tied axes are one (``np.einsum`` and
  ``opt_einsum.contract`` reject repeated output labels). Index maps are strided views, too, cut where positions leave
  the axis.
- Lookups add to the entries that they name.
- Single entries, which scalar code has many of, are written together.
"""

from __future__ import annotations

import mmap
from collections import Counter
from collections.abc import Sequence, Set
from functools import partial
from itertools import accumulate, pairwise
from math import ceil, prod
from typing import Any

import numpy as np

from jacobians.engine import memory, outer
from jacobians.engine.blocks import copied, cover
from jacobians.engine.builder import TermBuilder
from jacobians.engine.contract import Labels, Sizes, arranged
from jacobians.engine.gathering import gathering
from jacobians.engine.index_maps import injective, places, windows
from jacobians.engine.merging import together
from jacobians.engine.tape import Array, Step, Tape, plainly
from jacobians.notation.structure import Form, Term


def full(tape: Tape, form: Form, out: int | None = None, cached: bool = False) -> int:
    """The value of the full tensor: written into `out`, a C-contiguous array, or into a new one.

    `cached`: it is likely to be in the cache, together with what else is written.
    """
    start = tape.inputs + len(tape.calls)
    builders = [TermBuilder(tape, (term,)) for term in form.terms]
    for builder in builders:
        builder.reduce(most=2)
        builder.factors.sort(key=lambda f: -builder.size(f.labels))
    terms = [builder.finish() for builder in builders if not builder.zero]
    covering, tied = [t for t in terms if _covers(t)], [t for t in terms if not _covers(t)]
    points = [t for t in tied if is_point(t)]
    tied = [*together(tape, [t for t in tied if not is_point(t)]), *points]
    terms = [*covering, *tied]
    uses = Counter(_arrays(terms))
    if out is None and len(terms) == 1 and (made := _made(terms[0], tape.own)) is not None:
        tape.results.add(made)
        step = plainly(partial(np.asarray, dtype=form.dtype, order="C"), lambda x: x)
        return tape.emit(step, made, key=("made", made, form.dtype))
    if out is None and (side := _side(terms, form.shape)) is not None:
        step = _side_by_side(side, terms, memory.empty(form.shape, form.dtype))
        return tape.emit(plainly(step, gathering(terms, form.shape)), *_arrays(terms))
    own = {n for n in tape.own if n >= start and uses[n] == 1}
    whole = next((t for t in covering if _is_whole(t, own)), None) if out is None else None
    shape, dtype = form.shape, form.dtype

    begin: Step
    if whole is not None:  # the last product made the entries of this term where they belong
        covering = [t for t in covering if t is not whole]
        tape.take(whole.factors[0].array)
        tape.results.add(whole.factors[0].array)
        begin, first = _scaled(whole, dtype), _arrays([whole])
    elif out is None:
        touched = sum(_pages(t, dtype.itemsize) for t in terms)
        begin = memory.empty(shape, dtype) if covering else memory.zeros(shape, dtype, touched)
        first = []
    else:
        begin, first = (_as_it_is if covering else _cleared), [out]

    steps: list[tuple[Step, list[int]]] = []
    if covering:
        steps.append((cover(covering, shape, whole is not None, cached), _arrays(covering)))
    if len(points) > 1:
        untouched = len(points) == len(terms)
        steps.append((write_points(points, first=untouched), _arrays(points)))
        tied = tied[: -len(points)]
    else:
        points = []
    for term, apart in zip(tied, _apart([*points, *tied], len(points)), strict=True):
        untouched = not covering and whole is None and apart
        steps.append((write(term, [f.labels for f in term.factors], dtype.itemsize, first=untouched), _arrays([term])))
    flops = sum(t.size(range(len(t.sizes))) * max(1, len(t.factors)) for t in terms)
    operands = [array for _, arrays in steps for array in arrays]
    step = plainly(
        _in_turn(begin, len(first), steps), gathering([*([whole] if whole else []), *covering, *points, *tied], shape)
    )
    return tape.emit(step, *first, *operands, flops=flops)


def _in_turn(begin: Step, count: int, steps: Sequence[tuple[Step, Sequence[int]]]) -> Step:
    """One call that makes the output of its first `count` arrays and takes the steps with the others."""
    if count == 0 and len(steps) == 1:
        ((step, _),) = steps
        return lambda *arrays: step(begin(), *arrays)
    cuts, at = [], count
    for step, arrays in steps:
        cuts.append((step, at, at + len(arrays)))
        at += len(arrays)

    def call(*arrays: Array) -> Array:
        out: Array = begin(*arrays[:count])
        for step, low, high in cuts:
            step(out, *arrays[low:high])
        return out

    return call


def _arrays(terms: Sequence[Term]) -> list[int]:
    """The factors and lookup arrays of all terms, in order."""
    return [f.array for t in terms for f in (*t.factors, *t.lookups)]


def _made(term: Term, own: Set[int]) -> int | None:
    """The array that has all entries already; it may have been made for other results, which only read it."""
    return term.factors[0].array if len(term.factors) == 1 and term.sign > 0 and _is_whole(term, own) else None


def _is_whole(term: Term, own: Set[int]) -> bool:
    """Whether the first factor has all entries in their order, in memory that may be overwritten."""
    order = tuple(a.label for a in term.axes)
    return bool(term.factors) and term.factors[0].labels == order and term.factors[0].array in own


def _scaled(term: Term, dtype: np.dtype[Any]) -> Step:
    """A new array of all entries, times the other factor if there is one."""
    arrange = [arranged(f.labels, term.factors[0].labels) for f in term.factors[1:]]
    sign = term.sign

    def call(x: Array, *others: Array) -> Array:
        out = np.asarray(x, dtype, order="C")
        for step, y in zip(arrange, others, strict=True):
            np.multiply(out, step(y), out=out, casting="same_kind")
        if sign < 0:
            np.multiply(out, -1, out=out)
        return out

    return call


def _covers(term: Term) -> bool:
    """Whether the term writes every entry."""
    labels = [a.label for a in term.axes]
    return None not in labels and len(set(labels)) == len(labels)


def _apart(terms: Sequence[Term], earlier: int) -> list[bool]:
    """For every term but the `earlier` ones at the beginning: whether it writes no entry that one before it writes.

    That is seen where the positions along an axis do not overlap.
    """
    ndim = len(terms[0].axes) if terms else 0
    bounds = [[a.bounds(dict(enumerate(t.sizes))) if a.lookup is None else (0, a.size - 1) for a in t.axes]
              for t in terms]  # fmt: skip
    low, high = np.moveaxis(np.array(bounds, np.intp).reshape(len(terms), ndim, 2), 2, 0)
    return [bool(((high[k] < low[:k]) | (high[:k] < low[k])).any(1).all()) for k in range(earlier, len(terms))]


def _pages(term: Term, itemsize: int) -> int:
    """How many pages of memory a term touches, about: its runs along the last axis."""
    if not term.axes or not all(term.sizes):
        return 1
    last = term.axes[-1]
    run = term.sizes[last.label] if last.label is not None and all(a.label != last.label for a in term.axes[:-1]) else 1
    return ceil(term.size(range(len(term.sizes))) / run * (1 + run * itemsize / mmap.PAGESIZE))


# --- arrays side by side ----------------------------------------------------------------------------------------------


def _side(terms: Sequence[Term], shape: tuple[int, ...]) -> int | None:
    """The axis along which each term is an array at a place of its own, if there is one for every place."""
    for side, axis in enumerate(terms[0].axes if len(terms) > 1 else ()):
        if axis.label is None and shape[side] == len(terms) and all(_is_at_a_place(t, side) for t in terms):
            return side if len({t.axes[side].offset for t in terms}) == len(terms) else None
    return None


def _is_at_a_place(term: Term, side: int) -> bool:
    """Whether the term is an array that fills all axes but one, in order."""
    labels = tuple([a.label for k, a in enumerate(term.axes) if k != side])
    return (
        len(term.factors) == 1 and term.factors[0].labels == labels and len(set(labels)) == len(labels)
        and not term.axes[side].steps and term.axes[side].inside({})
    )  # fmt: skip


def _side_by_side(side: int, terms: Sequence[Term], begin: memory.Maker) -> Step:
    """Arrays at their places along an axis, some of them negated."""
    before = (slice(None),) * side
    places: list[tuple[Any, bool]] = [((*before, t.axes[side].offset), t.sign > 0) for t in terms]

    def call(*arrays: Array) -> Array:
        out = begin()
        for (place, keeps), x in zip(places, arrays, strict=True):
            out[place] = x if keeps else -x
        return out

    return call


def _as_it_is(out: Array) -> Array:
    return out


def _cleared(out: Array) -> Array:
    out.fill(0)
    return out


# --- single entries ---------------------------------------------------------------------------------------------------


def is_point(term: Term) -> bool:
    """Whether the term is a single entry, a product of numbers."""
    return all(not a.steps and a.inside({}) for a in term.axes) and not any(f.labels for f in term.factors)


def write_points(points: Sequence[Term], first: bool) -> Step:
    """Write single entries into a C-contiguous output, all at once; `first`: it holds zeros."""
    shape = tuple(a.size for a in points[0].axes)
    flat = [int(np.ravel_multi_index([a.offset for a in t.axes], shape)) for t in points]
    positions, distinct = np.array(flat, np.intp), len(set(flat)) == len(flat)
    signs = None if all(t.sign > 0 for t in points) else np.array([t.sign for t in points])
    ends = list(accumulate([len(t.factors) for t in points], initial=0))
    single = all(len(t.factors) == 1 for t in points)

    def call(out: Array, *arrays: Array) -> Array:
        values: Any = arrays if single else [prod([a[()] for a in arrays[k:n]]) for k, n in pairwise(ends)]
        values = np.array(values, out.dtype) if signs is None else np.multiply(values, signs, dtype=out.dtype)
        entries = out.reshape(-1)
        if not distinct:
            np.add.at(entries, positions, values)
        elif first:
            entries[positions] = values
        else:
            entries[positions] += values
        return out

    return call


# --- terms with ties and index maps -----------------------------------------------------------------------------------


def write(term: Term, factors: Sequence[Labels], itemsize: int, first: bool) -> Step:
    """Write ± the product of at most two factors (the larger first, no label left to sum) into a C-contiguous output.

    The call takes the output, the factors and the lookup arrays, and returns the output. `first`: the output holds
    zeros, so entries are assigned and not added.
    """
    sizes = dict(enumerate(term.sizes))
    shape = tuple(a.size for a in term.axes)
    strides = [prod(shape[k + 1 :]) for k in range(len(shape))]
    if any(a.lookup is not None for a in term.axes):
        return _scatter(term, factors, strides, sizes, first)
    order = list(dict.fromkeys(i for a in term.axes for i in a.labels()))
    parts = []
    for at, ranges in windows(term.axes, sizes):
        dims = [i for i in order if i not in at]
        begin = {i: ranges[i].start if i in ranges else 0 for i in dims} | at
        offset, steps = 0, dict.fromkeys(dims, 0)
        for stride, axis in zip(strides, term.axes, strict=True):
            offset += stride * (axis.offset + sum(c * begin[i] for i, c in axis.steps))
            for i, c in axis.steps:
                if i in steps:
                    steps[i] += stride * c
        view_shape = tuple(ranges[i].stop - ranges[i].start if i in ranges else sizes[i] for i in dims)
        views = [arranged(labels, order, {**at, **ranges}) for labels in factors]
        product = (
            outer.product(dims, view_shape, factors[0], factors[1], [*steps.values()]) if len(factors) == 2 else copied
        )
        view_strides = tuple(s * itemsize for s in steps.values())
        parts.append((view_shape, offset * itemsize, view_strides, views, product))
    sign, assign, empty = term.sign, first and injective(term.axes, sizes), 0 in shape
    if len(parts) == len(factors) == 1 and assign and sign > 0 and not empty:  # a row, a diagonal, a block
        ((only_shape, only_offset, only_strides, (only,), _),) = parts

        def assigned(out: Array, x: Array) -> Array:
            view: Array = np.ndarray(only_shape, out.dtype, out, only_offset, only_strides)
            view[...] = only(x)
            return out

        return assigned

    def call(out: Array, *arrays: Array) -> Array:
        if empty:
            return out
        for part_shape, part_offset, part_strides, part_views, into in parts:
            view: Array = np.ndarray(part_shape, out.dtype, out, part_offset, part_strides)
            operands = [arrange(x) for arrange, x in zip(part_views, arrays, strict=False)]
            if sign < 0 and operands:  # the smaller one; np.negative in place errs at a stride of 64 bytes (NumPy 2.4)
                operands[-1] = operands[-1] * -1
            if not operands:
                operands = [np.asarray(sign, out.dtype)]
            if assign:
                into(view, *operands)
            else:
                value = operands[0] if len(operands) == 1 else operands[0] * operands[1]
                np.add(view, value, out=view, casting="same_kind")
        return out

    return call


def _scatter(term: Term, factors: Sequence[Labels], strides: list[int], sizes: Sizes, first: bool) -> Step:
    """Add a product to the entries that lookups name."""
    order = list(dict.fromkeys(i for a in term.axes for i in a.labels()))
    shape = tuple(sizes[i] for i in order)
    views = [arranged(labels, order) for labels in factors]
    number, sign = len(factors), term.sign
    where = places(term.axes, order, sizes, [f.labels for f in term.lookups], strides)
    # Where all labels stand in axes without lookups, no entry is met twice.
    affine = [a for a in term.axes if a.lookup is None]
    once = injective(affine, sizes) and set(order) <= {i for a in affine for i in a.labels()}

    def call(out: Array, *arrays: Array) -> Array:
        if 0 in shape or out.size == 0:
            return out
        flat, exists = where(*arrays[number:])
        operands = [arrange(x) for arrange, x in zip(views, arrays, strict=False)]
        value: Any = operands[0] if operands else np.asarray(1, out.dtype)
        for x in operands[1:]:
            value = value * x
        value = value if sign > 0 else value * -1
        flat = flat if flat.shape == shape else np.broadcast_to(flat, shape)
        if exists is not None and not exists.all():
            exists = np.broadcast_to(exists, shape)
            flat, value = flat[exists], np.broadcast_to(value, shape)[exists]
        entries = out.reshape(-1)
        if not once:  # what is added must have the shape of the positions, or add.at reads beyond it (NumPy 2.4)
            np.add.at(entries, flat, np.broadcast_to(value, flat.shape))
        elif first:
            entries[flat] = value
        else:
            entries[flat] += value
        return out

    return call
