"""The sparsity pattern of a Jacobian as a matrix: where its entries are, and where each term puts its own among them.

A slot is the number of an entry among all entries of the matrix, row by row (or column by column). What a term holds is
mostly evenly spaced there, so it is written through strided views, as slices are; what is left has a list of slots.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf, prod
from typing import Any, NamedTuple

import numpy as np

from jacobians.engine import memory
from jacobians.engine.contract import arranged
from jacobians.engine.entries import listed
from jacobians.engine.spacing import BLOCK, CHUNK, Box, blocks, evenly, reach, repeated
from jacobians.engine.tape import Array
from jacobians.notation.structure import Form, Shape, Term


class Window(NamedTuple):
    """Entries of a term, evenly spaced among the slots."""

    term: int
    key: Box
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
    """Their flat positions in the term's array; None where they are all of it, in order."""

    slots: Array
    added: bool
    once: bool
    """Whether no slot stands twice."""


class Piece(NamedTuple):
    """Entries one after another that are constants, or will be added to."""

    start: int
    values: Array
    added: bool = False


class Repeating(NamedTuple):
    """An array of integers in pieces, each with values of its own, or those of another one with an offset."""

    size: int
    dtype: np.dtype[np.generic]
    pieces: tuple[tuple[int, Array, int], ...]
    """Where a piece begins, the values, and what is added to them."""

    def made(self) -> Array:
        """The array, in new memory: SciPy and its users write into it."""
        found: Array = memory.empty((self.size,), self.dtype)()
        for start, values, offset in self.pieces:
            np.add(values, offset, out=found[start : start + len(values)])
        return found

    @property
    def nbytes(self) -> int:
        """Bytes that are held."""
        return sum({id(values): values.nbytes for _, values, _ in self.pieces}.values())


class Pattern(NamedTuple):
    """Where all entries are, as SciPy has it, and what is written there, in this order."""

    indptr: Repeating
    indices: Repeating
    writes: tuple[Piece | Window | Listed, ...]
    equal: Mapping[int, tuple[int, ...]]
    """Terms that go where an earlier one does, by that one."""

    @property
    def nbytes(self) -> int:
        """Bytes that are held."""
        arrays = [a for one in self.writes if isinstance(one, Listed) for a in (one.values, one.slots) if a is not None]
        pieces = {id(one.values): one.values for one in self.writes if isinstance(one, Piece)}
        return self.indptr.nbytes + self.indices.nbytes + sum(a.nbytes for a in (*arrays, *pieces.values()))


def label_space(term: Term) -> tuple[list[int], Shape]:
    """The labels of a term in order, and their sizes."""
    order = sorted(term.kept)
    return order, tuple(term.sizes[i] for i in order)


def pattern(form: Form, columns: bool, arrays: Sequence[Array]) -> Pattern:
    """The pattern, by rows, then columns; by columns, then rows, for `columns`.

    Every term has one factor at most.
    """
    entries = sum(t.size(t.kept) for t in form.terms)
    memory.require((entries,), form.dtype, "the sparse Jacobian", "Take rows of it with J[i].", extra=48 * entries)
    sizes = prod(form.out_shape), prod(form.wrt_shape)
    major_size, minor_size = reversed(sizes) if columns else sizes
    if major_size * minor_size >= 1 << 63:
        raise ValueError(
            f"a sparse matrix of {sizes[0]} × {sizes[1]} entries has more positions than 64 bits can count"
        )
    memory.require((3 * major_size,), np.int64, "the index pointers", 'Take the other format, "csr" or "csc".')
    keys, existing = [np.zeros(0, np.int64)], list[Array | None]()
    for term in form.terms:
        order, _ = label_space(term)
        (out, there), (wrt, here) = (listed(term, side, order, arrays) for side in (term.out, term.wrt))
        key = wrt * minor_size + out if columns else out * minor_size + wrt
        exists = there & here
        existing.append(None if exists.all() else exists)
        keys.append(key.reshape(-1) if existing[-1] is None else key[exists])
    unique, inverse = _unique(np.concatenate(keys))
    major, minor = np.divmod(unique, max(minor_size, 1))
    small = np.int32 if max(len(unique), *sizes) < 1 << 31 else np.int64
    lengths = np.bincount(major, minlength=major_size)
    indptr = np.zeros(major_size + 1, small)
    np.cumsum(lengths, out=indptr[1:])
    unit = _unit(form.wrt_shape if columns else form.out_shape, indptr)
    cuts = np.cumsum([len(key) for key in keys])[:-1]
    slots = [some.astype(small) for some in np.split(inverse, cuts)[1:]]
    equal = _equal(form, slots)
    writes = _writes(form, slots, existing, equal, len(unique), unit)
    return Pattern(_repeating(indptr, 1), _repeating(minor.astype(small), unit), tuple(writes), equal)


def _unit(shape: Shape, indptr: Array) -> int:
    """How many entries most parts of the matrix have, which may repeat: rows, or all rows of a part of the output."""
    unit = 1
    for k in range(len(shape), 0, -1):
        rows = max(1, prod(shape[k:]))
        lengths = np.diff(indptr[::rows])
        if len(lengths):
            usual = int(np.bincount(lengths).argmax())
            unit = (
                usual if unit <= usual <= 4 * CHUNK and 2 * np.count_nonzero(lengths == usual) > len(lengths) else unit
            )
    return unit


def _unique(keys: Array) -> tuple[Array, Array]:
    """As ``np.unique`` with the inverse; it is quick where keys are sorted in runs, as those of a term are."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first = np.ones(len(keys), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    inverse = np.empty(len(keys), np.intp)
    inverse[order] = np.cumsum(first) - 1
    return ordered[first], inverse


def _equal(form: Form, slots: Sequence[Array]) -> dict[int, tuple[int, ...]]:
    """For terms with a factor all others that go to the same slots with arrays of the same shape."""
    found: dict[int, tuple[int, ...]] = {}
    for number, term in enumerate(form.terms):
        if term.factors:
            alike = (
                k for k in found
                if _held_shape(form.terms[k]) == _held_shape(term) and np.array_equal(slots[k], slots[number])
            )  # fmt: skip
            first = next(alike, number)
            found[first] = (*found.get(first, ()), number)
    return found


def _held_shape(term: Term) -> tuple[Shape, Shape]:
    """The label space, and the part of it that the term's array covers; it has one entry along the other labels."""
    order, shape = label_space(term)
    return shape, tuple(n if i in term.carried else 1 for i, n in zip(order, shape, strict=True))


def _writes(
    form: Form,
    slots: Sequence[Array],
    existing: Sequence[Array | None],
    equal: Mapping[int, object],
    count: int,
    unit: int,
) -> Iterator[Piece | Window | Listed]:
    """What is written: constants, then what is assigned, slot by slot; then what is added."""
    constant, begun, written = np.zeros(count, form.dtype), np.zeros(count, bool), np.zeros(count, bool)
    for term, some in zip(form.terms, slots, strict=True):
        if not term.factors:
            constant += term.sign * np.bincount(some, minlength=count)
            begun[some] = written[some] = True
    windows, lists = list[Window](), list[Listed]()
    for number, (term, some, exists) in enumerate(zip(form.terms, slots, existing, strict=True)):
        if number not in equal:
            continue
        once = not some.size or bool(np.bincount(some).max() == 1)
        before = written[some] if once else np.ones(len(some), bool)
        begun[some] |= before & ~written[some]
        written[some] = True
        for added in (False, True):
            grid = np.full(label_space(term)[1], -1, some.dtype)
            grid[np.ones(grid.shape, bool) if exists is None else exists] = np.where(before == added, some, -1)
            found, rest = evenly(grid) if once else ([], np.ones(grid.shape, bool))
            for box, start, steps in found:
                for part, first in blocks(box, start, steps):
                    shape = tuple(s.stop - s.start for s in part)
                    windows.append(Window(number, _cut(term, part), first, shape, steps, added))
            rest &= grid >= 0
            if rest.any():
                where = None if rest.all() and term.carried >= term.kept else _flat(term, rest)
                lists.append(Listed(number, where, grid[rest].astype(np.intp), added, once))
    pieces = [Piece(start, some) for start, some in repeated(constant, unit) if begun[start : start + len(some)].any()]
    ordered: list[Piece | Window] = [*pieces, *windows]
    ordered.sort(key=_turn)
    for added in (False, True):
        yield from (one for one in ordered if one.added == added)
        yield from (one for one in lists if one.added == added)


def _turn(write: Piece | Window) -> float:
    """What is written first: pieces before the windows above them, which reach over BLOCK entries at most, or wait."""
    if isinstance(write, Piece):
        return write.start - BLOCK - 0.5
    return write.start if reach(write.shape, write.steps) <= BLOCK else inf


def _repeating(array: Array, unit: int) -> Repeating:
    """An array of integers in pieces; those that are the same but for an offset are stored once."""
    pieces, known = [], dict[int, tuple[Array, int]]()
    for start, some in repeated(np.diff(array, prepend=array[:1]), unit):
        first = int(array[start])
        values, offset = known.setdefault(id(some), (array[start : start + len(some)].copy(), first))
        pieces.append((start, values, first - offset))
    return Repeating(len(array), array.dtype, tuple(pieces))


def _cut(term: Term, box: Box) -> Box:
    """A part of the label space in the term's array, which has one entry along the labels that it does not carry."""
    order, _ = label_space(term)
    return tuple(part if i in term.carried else slice(None) for i, part in zip(order, box, strict=True))


def _flat(term: Term, chosen: Array) -> Array:
    """The flat positions of some entries of the label space in the term's array."""
    shape, held = _held_shape(term)
    return np.broadcast_to(np.arange(prod(held)).reshape(held), shape)[chosen]


# --- values -----------------------------------------------------------------------------------------------------------


def values(form: Form, arrays: Sequence[Array], found: Pattern) -> Array:
    """The entries in their order."""
    data: Array = memory.empty((found.indices.size,), form.dtype)()
    dtype, itemsize = data.dtype, data.itemsize
    held = {k: _held([form.terms[n] for n in numbers], arrays) for k, numbers in found.equal.items()}
    for one in found.writes:
        if isinstance(one, Piece):
            data[one.start : one.start + len(one.values)] = one.values
            continue
        value, sign = held[one.term]
        if isinstance(one, Listed):
            some = value.reshape(-1) if one.values is None else value.reshape(-1)[one.values]
            some = some if sign > 0 else -some
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


def _held(terms: Sequence[Term], arrays: Sequence[Array]) -> tuple[Array, int]:
    """The sum of the arrays of some terms, so that it broadcasts over the labels, and its sign."""
    total: Any = None
    for term in terms:
        ((number, labels, _),) = term.factors
        value = arranged(labels, label_space(term)[0])(arrays[number])
        if total is None:
            total, sign = value, term.sign
        else:
            total = total + value if term.sign == sign else total - value
    return np.asarray(total), sign
