"""The sparsity pattern of a Jacobian as a matrix: where its entries are, and where each term puts its own among them.

A slot is the number of an entry among all entries of the matrix, row by row (or column by column). What a term holds is
mostly evenly spaced there, so it is written through strided views, as slices are; what is left has a list of slots.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from jacobians.engine import memory
from jacobians.engine.contract import arranged
from jacobians.engine.entries import listed
from jacobians.engine.tape import Array
from jacobians.notation.structure import Form, Shape, Term

FEW = 64  # entries that are listed sooner than looked at
MOST = 64  # windows of a term
COVERED = 8  # of so many entries at least one must be in a window, or all are listed
BLOCK = 1 << 16  # entries that are written before those of the next term: they stay in the cache
CHUNK = 1 << 14  # entries of a piece that may be the same as others but for an offset

Key = tuple[slice, ...]


class Window(NamedTuple):
    """Entries of a term, evenly spaced among the slots."""

    term: int
    key: Key
    """Where they are in the term's array."""

    start: int
    shape: Shape
    steps: tuple[int, ...]
    added: bool
    """Whether other terms have written there before."""


class Listed(NamedTuple):
    """Entries of a term with the slot of each."""

    term: int
    values: Array | None
    """Their flat positions in the term's array; None for a term without an array."""

    slots: Array
    added: bool
    once: bool
    """Whether no slot stands twice."""


class Repeating(NamedTuple):
    """An array of integers in pieces, each with an array of its own or the same one with an offset."""

    size: int
    dtype: np.dtype[np.generic]
    piece: Array
    parts: tuple[tuple[int, int, Array | None, int], ...]
    """From where to where, and the own array, or the offset."""

    def made(self) -> Array:
        """The array, in new memory: SciPy and its users write into it."""
        found: Array = memory.empty((self.size,), self.dtype)()
        for start, stop, own, offset in self.parts:
            if own is None:
                np.add(self.piece, offset, out=found[start:stop])
            else:
                found[start:stop] = own
        return found

    @property
    def nbytes(self) -> int:
        """Bytes that are held."""
        return self.piece.nbytes + sum(own.nbytes for *_, own, _ in self.parts if own is not None)


class Pattern(NamedTuple):
    """Where all entries are, as SciPy has it, and what every term writes there, in this order."""

    indptr: Repeating
    indices: Repeating
    writes: tuple[Window | Listed, ...]
    cleared: bool
    """Whether some slot is added to before anything is assigned to it."""

    @property
    def nbytes(self) -> int:
        """Bytes that are held."""
        lists = [one for one in self.writes if isinstance(one, Listed)]
        arrays = [a for one in lists for a in (one.values, one.slots) if a is not None]
        return self.indptr.nbytes + self.indices.nbytes + sum(a.nbytes for a in arrays)


def label_space(term: Term) -> tuple[list[int], Shape]:
    """The labels of a term in order, and their sizes."""
    order = sorted(term.kept)
    return order, tuple(term.sizes[i] for i in order)


def pattern(form: Form, columns: bool, arrays: Sequence[Array]) -> Pattern:
    """The pattern, by rows, then columns; by columns, then rows, for `columns`.

    Every term has one factor at most.
    """
    entries = sum(t.size(t.kept) for t in form.terms)
    memory.require((entries,), form.dtype, "the sparse Jacobian", "Take rows of it with J[i].", extra=32 * entries)
    sizes = prod(form.out_shape), prod(form.wrt_shape)
    major_size, minor_size = reversed(sizes) if columns else sizes
    if major_size * minor_size >= 1 << 63:
        raise ValueError(
            f"a sparse matrix of {sizes[0]} × {sizes[1]} entries has more positions than 64 bits can count"
        )
    keys, existing = [np.zeros(0, np.int64)], list[Array | None]()
    for term in form.terms:
        order, _ = label_space(term)
        (out, there), (wrt, here) = (listed(term, side, order, arrays) for side in (term.out, term.wrt))
        key = wrt * minor_size + out if columns else out * minor_size + wrt
        exists = there & here
        existing.append(None if exists.all() else exists)
        keys.append(key.reshape(-1) if existing[-1] is None else key[exists])
    unique, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    major, minor = np.divmod(unique, max(minor_size, 1))
    small = np.int32 if max(len(unique), *sizes) < 1 << 31 else np.int64
    lengths = np.bincount(major, minlength=major_size)
    indptr = np.zeros(major_size + 1, small)
    np.cumsum(lengths, out=indptr[1:])
    usual = max(1, int(np.bincount(lengths).argmax())) if lengths.size else 1

    windows, lists, cleared = list[Window](), list[Listed](), False
    written = np.zeros(len(unique), bool)
    at = 0
    for number, (term, key, some) in enumerate(zip(form.terms, keys[1:], existing, strict=True)):
        slots = inverse[at : at + len(key)].astype(small)
        at += len(key)
        once = not slots.size or bool(np.bincount(slots).max() == 1)
        added = not once or bool(written[slots].any())
        cleared = cleared or (added and not written[slots].all())
        written[slots] = True
        grid = np.full(label_space(term)[1], -1, small)
        grid[np.ones(grid.shape, bool) if some is None else some] = slots
        found, rest = _even(grid) if once else ([], np.ones(grid.shape, bool))
        for box, start, steps in found:
            for part, first in _blocks(box, start, steps):
                shape = tuple(s.stop - s.start for s in part)
                windows.append(Window(number, _cut(term, part), first, shape, steps, added))
        rest &= grid >= 0
        if rest.any():
            lists.append(Listed(number, _flat(term, rest), grid[rest], added, once))
    windows.sort(key=lambda window: window.start)
    writes: list[Window | Listed] = [*windows, *lists]
    writes.sort(key=lambda one: one.added)
    return Pattern(_repeating(indptr, 1), _repeating(minor.astype(small), usual), tuple(writes), cleared)


def _cut(term: Term, box: Key) -> Key:
    """A part of the label space in the term's array, which has one entry along the labels that it does not carry."""
    order, _ = label_space(term)
    return tuple(part if i in term.carried else slice(None) for i, part in zip(order, box, strict=True))


def _flat(term: Term, chosen: Array) -> Array | None:
    """The flat positions of some entries of the label space in the term's array."""
    order, shape = label_space(term)
    if not term.carried & term.kept:
        return None
    held = tuple(n if i in term.carried else 1 for i, n in zip(order, shape, strict=True))
    numbers = np.broadcast_to(np.arange(prod(held), dtype=np.intp).reshape(held), shape)
    return numbers[chosen]


# --- what is evenly spaced --------------------------------------------------------------------------------------------


def _even(grid: Array) -> tuple[list[tuple[Key, int, tuple[int, ...]]], Array]:
    """Boxes with evenly spaced slots, the first slot and the steps of each; and what is in none of them."""
    found: list[tuple[Key, int, tuple[int, ...]]] = []
    rest = np.ones(grid.shape, bool)
    waiting = [tuple(slice(0, n) for n in grid.shape)] if grid.size else []
    while waiting and len(found) < MOST:
        box = waiting.pop()
        part = grid[box]
        inner, start, steps = _around_the_middle(part)
        count = prod(s.stop - s.start for s in inner)
        if count * COVERED < part.size or count < min(FEW, grid.size):
            continue
        sides = [(outer.start, o) for outer, o in zip(box, inner, strict=True)]
        placed = tuple(slice(base + o.start, base + o.stop) for base, o in sides)
        found.append((placed, start, steps))
        rest[placed] = False
        for k, (outer, own) in enumerate(zip(box, placed, strict=True)):  # what is left before and behind, axis by axis
            for side in (slice(outer.start, own.start), slice(own.stop, outer.stop)):
                if side.start < side.stop:
                    waiting.append((*placed[:k], side, *box[k + 1 :]))
    return found, rest


def _around_the_middle(grid: Array) -> tuple[Key, int, tuple[int, ...]]:
    """The box around the middle in which slots are spaced as they are there, its first slot and the steps."""
    middle = tuple(n // 2 for n in grid.shape)
    nothing = tuple(slice(0, 0) for _ in grid.shape) or (slice(0, 0),)
    neighbours = [grid[(*middle[:k], middle[k] - (n > 1), *middle[k + 1 :])] for k, n in enumerate(grid.shape)]
    if min((grid[middle], *neighbours)) < 0:
        return nothing, 0, ()
    steps = [int(grid[middle]) - int(before) for before in neighbours]
    expected = np.asarray(int(grid[middle]))
    for k, (step, n) in enumerate(zip(steps, grid.shape, strict=True)):
        apart = step * (np.arange(n) - middle[k])
        expected = expected + apart.reshape([-1 if a == k else 1 for a in range(grid.ndim)])
    good = (grid == expected) & (grid >= 0)
    box = []
    for k, at in enumerate(middle):
        line = good[(*middle[:k], slice(None), *middle[k + 1 :])]
        before, behind = np.flatnonzero(~line[:at]), np.flatnonzero(~line[at:])
        box.append(slice(int(before[-1]) + 1 if len(before) else 0, at + int(behind[0]) if len(behind) else len(line)))
    if not good[tuple(box)].all():
        return nothing, 0, ()
    start = int(grid[tuple(s.start for s in box)])
    return tuple(box), start, tuple(steps)


def _blocks(box: Key, start: int, steps: tuple[int, ...]) -> Iterator[tuple[Key, int]]:
    """A box in parts that reach over few slots, each with its first slot."""
    shape = tuple(s.stop - s.start for s in box)
    reach = [abs(step) * (n - 1) for step, n in zip(steps, shape, strict=True)]
    if sum(reach) <= BLOCK:
        yield box, start
        return
    k = reach.index(max(reach))
    half = box[k].start + shape[k] // 2
    for side in (slice(box[k].start, half), slice(half, box[k].stop)):
        moved = start + steps[k] * (side.start - box[k].start)
        yield from _blocks((*box[:k], side, *box[k + 1 :]), moved, steps)


def _repeating(array: Array, unit: int) -> Repeating:
    """An array in pieces of a multiple of `unit`, those once that are the same but for an offset."""
    length = unit * max(1, CHUNK // unit)
    count = len(array) // length
    whole = Repeating(len(array), array.dtype, array[:0], ((0, len(array), array, 0),))
    if count < 4:
        return whole
    pieces = array[: count * length].reshape(count, length)
    middle = pieces[count // 2]
    same = [np.array_equal(one - one[0], middle - middle[0]) for one in pieces]
    if 2 * sum(same) < count:
        return whole
    parts = [
        (k * length, (k + 1) * length, None if same[k] else one.copy(), int(one[0]) - int(middle[0]))
        for k, one in enumerate(pieces)
    ]
    tail = count * length, len(array), array[count * length :].copy(), 0
    return Repeating(len(array), array.dtype, middle.copy(), (*parts, tail))


# --- values -----------------------------------------------------------------------------------------------------------


def values(form: Form, arrays: Sequence[Array], found: Pattern) -> Array:
    """The entries in their order."""
    data: Array = memory.empty((found.indices.size,), form.dtype)()
    if found.cleared:
        data.fill(0)
    dtype, itemsize = data.dtype, data.itemsize
    held = [_held(term, arrays) for term in form.terms]
    for one in found.writes:
        value, sign = held[one.term]
        if isinstance(one, Listed):
            some = sign * (value if one.values is None else value.reshape(-1)[one.values])
            if not one.once:
                np.add.at(data, one.slots, some)
            elif one.added:
                data[one.slots] += some
            else:
                data[one.slots] = some
            continue
        strides = tuple([step * itemsize for step in one.steps])
        view: Array = np.ndarray(one.shape, dtype, data, one.start * itemsize, strides)
        part = value[one.key[len(one.key) - value.ndim :]]
        if one.added:
            (np.add if sign > 0 else np.subtract)(view, part, out=view, casting="same_kind")
        elif sign > 0:
            view[...] = part
        else:  # np.negative in place errs at a stride of 64 bytes (NumPy 2.4)
            np.multiply(part, -1, out=view, casting="same_kind")
    return data


def _held(term: Term, arrays: Sequence[Array]) -> tuple[Array, int]:
    """The array of a term, so that it broadcasts over the labels, and its sign."""
    if not term.factors:
        return np.asarray(term.sign), 1
    ((number, labels, _),) = term.factors
    return arranged(labels, label_space(term)[0])(arrays[number]), term.sign
