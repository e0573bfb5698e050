"""A Jacobian as a sparse matrix: the entries that its terms can reach, written straight from the terms.

Where the entries are depends on the structure and on the lookup arrays alone, not on the numbers. So it is found out
once, and found again as long as the lookups hold the same positions.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from math import prod
from threading import Lock
from typing import Any, Literal, NamedTuple

import numpy as np

from jacobians.engine import compiler, contract, memory
from jacobians.engine.builder import TermBuilder
from jacobians.engine.entries import listed
from jacobians.engine.tape import Array, Program, Tape
from jacobians.kept import kept
from jacobians.notation.structure import Form, Shape, Term

Format = Literal["csr", "csc", "coo"]
MOST = 1 << 26  # bytes of the positions that are kept


class Place(NamedTuple):
    """Where the entries of a term are among the values of the matrix.

    Either at `start` with `steps` along every axis of its label space, or at `slots`; `exists` says which entries of
    the label space there are, `once` whether no two of them are the same entry of the matrix.
    """

    start: int
    steps: tuple[int, ...]
    slots: Array | None
    exists: Array | None
    once: bool


class Positions(NamedTuple):
    """The positions of all entries, row by row (or column by column), as SciPy has them."""

    indptr: Array
    indices: Array
    places: tuple[Place, ...]
    disjoint: bool
    """Whether no entry belongs to two terms."""

    @property
    def nbytes(self) -> int:
        """Bytes that are held."""
        arrays = (a for p in self.places for a in (p.slots, p.exists) if a is not None)
        return self.indptr.nbytes + self.indices.nbytes + sum(a.nbytes for a in arrays)


def sparse(form: Form, arrays: Sequence[Array], kind: Format = "csr") -> Any:
    """The matrix (∏ out_shape × ∏ wrt_shape) as a sparse array of SciPy, both groups of axes flattened by rows.

    It is canonical: the entries of a row are sorted and stand once.
    """
    try:
        from scipy import sparse as scipy_sparse
    except ImportError as error:
        raise ImportError('J.sparse() needs SciPy: pip install "jacobians[scipy]"') from error
    if kind not in ("csr", "csc", "coo"):
        raise ValueError(f'format must be "csr", "csc" or "coo", not {kind!r}')
    program, cores = _cores(form)
    program.require_memory()
    made = program(arrays)
    positions = _known(cores, kind == "csc", made)
    data = _values(cores, made, positions)
    shape = prod(form.out_shape), prod(form.wrt_shape)
    indptr, indices = map(_copied, (positions.indptr, positions.indices))  # SciPy writes into them
    if kind == "csc":
        found = scipy_sparse.csc_array((data, indices, indptr), shape=shape)
    elif kind == "csr":
        found = scipy_sparse.csr_array((data, indices, indptr), shape=shape)
    else:
        rows = np.repeat(np.arange(shape[0], dtype=indices.dtype), np.diff(indptr))
        found = scipy_sparse.coo_array((data, (rows, indices)), shape=shape)
    found.has_canonical_format = True
    return found


def _copied(array: Array) -> Array:
    """A copy, in memory of earlier results if there is any."""
    copy = memory.empty(array.shape, array.dtype)()
    copy[...] = array
    return copy


@kept
def _cores(form: Form) -> tuple[Program, Form]:
    """Every term with its factors multiplied into one array."""
    tape = Tape(form.arrays, form.dtype)
    builders = [TermBuilder(tape, (term,)) for term in form.terms]
    for builder in builders:
        builder.reduce(most=1)
    return compiler.finished(tape, replace(form, terms=tuple(b.finish() for b in builders if not b.zero)))


# --- values -----------------------------------------------------------------------------------------------------------


def _values(form: Form, arrays: Sequence[Array], positions: Positions) -> Array:
    """The entries in their order."""
    size = len(positions.indices)
    data = memory.empty((size,), form.dtype)()
    if not positions.disjoint:
        data.fill(0)
    for term, place in zip(form.terms, positions.places, strict=True):
        order, shape = _label_space(term)
        value: Array = np.ones((), form.dtype)
        for factor in term.factors:
            value = contract.arranged(factor.labels, order)(arrays[factor.array])
        if place.slots is None:
            strides = tuple(s * data.itemsize for s in place.steps)
            entries = np.ndarray(shape, data.dtype, data, place.start * data.itemsize, strides)
            if positions.disjoint and term.sign > 0:
                entries[...] = value
            elif positions.disjoint:
                np.multiply(value, -1, out=entries, casting="same_kind")
            else:
                (np.add if term.sign > 0 else np.subtract)(entries, value, out=entries, casting="same_kind")
            continue
        value = np.broadcast_to(value, shape)
        value = term.sign * (value.reshape(-1) if place.exists is None else value[place.exists])
        if positions.disjoint:
            data[place.slots] = value
        elif place.once:
            data[place.slots] += value
        else:
            np.add.at(data, place.slots, value)
    return data


def _label_space(term: Term) -> tuple[list[int], Shape]:
    order = sorted(term.kept)
    return order, tuple(term.sizes[i] for i in order)


# --- positions --------------------------------------------------------------------------------------------------------

_kept: OrderedDict[tuple[Form, bool], tuple[tuple[Array, ...], Positions]] = OrderedDict()  # last used last
_lock = Lock()


def _known(form: Form, columns: bool, arrays: Sequence[Array]) -> Positions:
    """The positions, found again if the lookups are equal to those that they were found for."""
    key = form, columns
    lookups = [arrays[k] for k in dict.fromkeys(f.array for t in form.terms for f in t.lookups)]
    with _lock:
        before = _kept.get(key)
        if before is not None:
            _kept.move_to_end(key)
    if before is not None and all(map(np.array_equal, before[0], lookups)):
        return before[1]
    positions = _positions(form, columns, arrays)
    copies = tuple(a.copy() for a in lookups)
    with _lock:
        _kept[key] = copies, positions
        _kept.move_to_end(key)
        while _kept and sum(p.nbytes + sum(a.nbytes for a in some) for some, p in _kept.values()) > MOST:
            _kept.popitem(last=False)
    return positions


def _positions(form: Form, columns: bool, arrays: Sequence[Array]) -> Positions:
    """Where all entries are, sorted by rows, then columns; by columns, then rows, for `columns`."""
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
        order, _ = _label_space(term)
        (out, there), (wrt, here) = (listed(term, side, order, arrays) for side in (term.out, term.wrt))
        key = wrt * minor_size + out if columns else out * minor_size + wrt
        exists = there & here
        existing.append(None if exists.all() else exists)
        keys.append(key.reshape(-1) if existing[-1] is None else key[exists])
    unique, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    major, minor = np.divmod(unique, max(minor_size, 1))
    small = np.int32 if max(len(unique), *sizes) < 1 << 31 else np.int64
    indptr = np.zeros(major_size + 1, small)
    np.cumsum(np.bincount(major, minlength=major_size), out=indptr[1:])
    places, at = [], 0
    for term, key, some in zip(form.terms, keys[1:], existing, strict=True):
        places.append(_place(inverse[at : at + len(key)], _label_space(term)[1], some))
        at += len(key)
    return Positions(indptr, minor.astype(small), tuple(places), len(unique) == len(inverse))


def _place(slots: Array, shape: Shape, exists: Array | None) -> Place:
    """The places of a term's entries: evenly spaced ones take no memory."""
    once = not slots.size or bool(np.bincount(slots).max() == 1)
    if exists is None and slots.size and once:
        grid = slots.reshape(shape)
        start = int(grid[(0,) * grid.ndim])
        steps = tuple(
            int(grid[tuple(int(k == a) for k in range(grid.ndim))]) - start if n > 1 else 0 for a, n in enumerate(shape)
        )
        even: Any = start
        for axis, (step, n) in enumerate(zip(steps, shape, strict=True)):
            even = even + step * np.arange(n).reshape([-1 if k == axis else 1 for k in range(grid.ndim)])
        if (grid == even).all():
            return Place(start, steps, None, None, once)
    return Place(0, (), slots.astype(np.int32) if len(slots) < 1 << 31 else slots, exists, once)
