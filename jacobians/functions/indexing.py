"""Entries taken, ``x[key]``, and written, ``x[key] = value``, with every kind of key that NumPy has."""

from __future__ import annotations

import operator
from collections.abc import Hashable
from functools import lru_cache, partial
from math import prod
from typing import Any

import numpy as np

from jacobians import layers
from jacobians.core.applying import apply, noted
from jacobians.core.postponed import Postponed
from jacobians.core.rules import RULES, refuse, rule
from jacobians.core.traced import Traced
from jacobians.functions.assembling import any_traced
from jacobians.functions.moving import ENDS, hashable, moved, moved_to, rearrangement, viewed
from jacobians.kept import Memory
from jacobians.layers.placing import Replace


def plain_key(key: Any) -> Any:
    """A key without traced values: positions have no derivative."""
    for part in key if type(key) is tuple else (key,):
        kind = type(part)
        if kind is int or part is None or part is Ellipsis:
            continue
        for end in (part.start, part.stop, part.step) if kind is slice else (part,):
            if end is not None and type(end) is not int and (type(end) is Traced or any_traced(end)):
                refuse("a traced value as an index", "an index is a plain integer: positions have no derivative")
    return key


def is_basic(key: Any) -> bool:
    """Whether a key makes a view: integers, slices, newaxis and the ellipsis."""
    for part in key if type(key) is tuple else (key,):
        kind = type(part)
        if kind is int or kind is slice or part is None or part is Ellipsis:
            continue
        if not isinstance(part, int | np.integer) or isinstance(part, bool | np.bool):
            return False
    return True


_layers = Memory()


# --- single rows and entries, which programs write and read one after another -----------------------------------------

Form = tuple[int, ...]


class Pending:
    """Rows written into an array one after another, all by keys of one form: integers for the same axes, else ``:``.

    What is read again is what was written, so that a recurrence is recorded without the array in which it is kept.
    """

    def __init__(self, form: Form) -> None:
        self.form = form
        self.rows: dict[tuple[int, ...], Any] = {}


def row_of(key: Any, shape: tuple[int, ...]) -> tuple[Form, tuple[int, ...]] | None:
    """The axes of which a key names one position, and the positions; None for keys of other kinds."""
    parts = key if type(key) is tuple else (key,)
    form, row = [], []
    if len(parts) > len(shape):
        return None
    for axis, part in enumerate(parts):
        if isinstance(part, int | np.integer) and not isinstance(part, bool | np.bool):
            position, size = int(part), shape[axis]
            if not -size <= position < size:
                return None  # NumPy says so
            form.append(axis)
            row.append(position % size)
        elif part != slice(None) if type(part) is slice else True:
            return None
    return (tuple(form), tuple(row)) if form else None


def _key(form: Form, row: tuple[int, ...]) -> tuple[Any, ...]:
    key: list[Any] = [slice(None)] * (form[-1] + 1)
    for axis, position in zip(form, row, strict=True):
        key[axis] = position
    return tuple(key)


@rule("written")
def written(base: Traced, pending: Pending) -> Traced:
    """An array with all that has been written into it."""
    rows, pieces = tuple(pending.rows), list(pending.rows.values())
    places = [_key(pending.form, row) for row in rows]
    output = _copied_for(pieces, base.value)
    for place, piece in zip(places, pieces, strict=True):
        output[place] = piece.value if isinstance(piece, Traced) else piece
    layer = _layers.recall((pending.form, rows, output.shape), lambda: Replace(places, output.shape))
    return apply(layer, base, *pieces, output=output)


def _copied_for(pieces: list[Any], array: Any) -> Any:
    """A copy of an array to write pieces into, of which some may be of an outer trace: then it must be, too."""
    if not isinstance(array, Traced):
        for piece in pieces:
            if isinstance(piece, Traced) and isinstance(value := piece.value, Traced):
                return Traced(value.recording, value.recording.constant(array.copy(order="K")))
    return array.copy(order="K")


# --- reading ----------------------------------------------------------------------------------------------------------


@rule(operator.getitem)
def take(x: Traced, key: Any) -> Any:
    """Entries of an array."""
    if type(key) is int and x.ndim == 1 and x.pending is None:
        return _number(x, key)
    if (array := x.doubles) is not None and (form := _form(key)) is not None:
        move = _layers.recall((array.shape, form), lambda: rearrangement(operator.getitem, array.shape, (key,), {})[0])
        output = array[key]
        made = moved_to(x, move, True, output)
        return made if type(output) is np.float64 else viewed(x, made, move, True, operator.itemgetter(key))
    pending = x.pending
    key = plain_key(key)
    if pending is not None:
        found = row_of(key, x.shape)
        if found is not None and found[0] == pending.form:
            form, row = found
            if len(form) == x.ndim:
                return pending.rows[row] if row in pending.rows else take(x.settled, key)
            if isinstance(pending.rows.get(row), Traced):
                return x.viewed(partial(_row, key), lambda base, new: put(base, key, new))
    if is_basic(key):
        entries = moved(operator.getitem, x, key)
        return entries.value[()] if not entries.is_array and entries.is_constant else entries
    along = _along(key, x.shape)
    if along is not None:
        axis, indices = along
        layer = layers.Take(indices, axis)
        later = _later(x, layer)
        return apply(layer, x, output=x.value[key] if later is None else later)
    return moved(operator.getitem, x, tuple(map(_own, key)) if isinstance(key, tuple) else _own(key))


def _form(key: Any) -> Hashable:
    """What a basic key consists of; None for any other."""
    if type(key) is not tuple:
        return _form_of_part(key)
    forms = [one if type(one) is int else _form_of_part(one) for one in key]
    return None if None in forms else (tuple, *forms)


def _form_of_part(part: Any) -> Hashable:
    kind = type(part)
    if kind is slice:  # it has no hash before Python 3.12
        ends = part.start, part.stop, part.step
        return ends if ENDS.issuperset(map(type, ends)) else None
    if kind is int:
        return int(part)
    return (kind,) if part is None or part is Ellipsis else None


def _later(x: Traced, layer: layers.Take) -> Postponed | None:
    """Many entries, not taken yet; None where they are few, or where NumPy may have something to say about them."""
    indices, axis = layer.indices, layer.axis
    value: Any = x.recording.values[x.number]
    if indices.size < x.recording.postpones or type(value) not in (Postponed, np.ndarray) or axis is None:
        return None
    size = x.shape[axis]
    if not -size <= indices.min() <= indices.max() < size:
        return None
    shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    return Postponed(lambda x: np.take(x, indices, axis), (value,), shape, x.dtype)


def _number(x: Traced, position: int) -> Any:
    """An entry of a vector: a number of its own."""
    recording, vector = x.recording, x.doubles
    if vector is not None and not (recording.moves and x.number in recording.moves):
        layer = _entry(vector.size, position)
        return noted(recording, layer, layer.input_names, (x.number,), (vector,), vector[position])
    entry = x.value[position]
    if x.is_constant:
        return entry
    return moved_to(x, *rearrangement(operator.getitem, x.shape, (position,), {}), entry)


@lru_cache(maxsize=4096)
def _entry(size: int, position: int) -> layers.Rearrange:
    layer, _ = rearrangement(operator.getitem, (size,), (position,), {})
    return layer


def _own(key: Any) -> Any:
    """An index array of our own."""
    if isinstance(key, list | np.ndarray):
        return np.array(key, np.intp if isinstance(key, list) and not key else None)
    return key


def _row(key: Any, x: Traced) -> Traced:
    """A row of an array, which may be pending."""
    found = row_of(key, x.shape)
    if x.pending is not None and found is not None and found[0] == x.pending.form:
        piece = x.pending.rows.get(found[1])
        if isinstance(piece, Traced):
            return piece
    return moved(operator.getitem, x, key)


def _along(key: Any, shape: tuple[int, ...]) -> tuple[int, Any] | None:
    """The axis and the positions of a key that takes positions along one axis, and everything along the others."""
    parts = list(key) if isinstance(key, tuple) else [key]
    arrays = [k for k, part in enumerate(parts) if isinstance(part, list | np.ndarray)]
    if len(arrays) != 1 or any(
        not isinstance(p, slice) or p != slice(None) for k, p in enumerate(parts) if k != arrays[0]
    ):
        return None
    indices = np.asarray(parts[arrays[0]])
    if indices.dtype.kind == "b" and indices.shape == shape[arrays[0] : arrays[0] + 1]:
        indices = np.flatnonzero(indices)
    return (arrays[0], indices) if indices.dtype.kind in "iu" and arrays[0] < len(shape) else None


# --- writing ----------------------------------------------------------------------------------------------------------


@rule(operator.setitem)
def put(x: Traced, key: Any, value: Any) -> None:
    """Write entries over."""
    key = plain_key(key)
    piece = RULES["whole"](value)
    if isinstance(piece, Traced):
        piece = Traced(x.recording, piece.number) if piece.recording is x.recording else apply(_IDENTITY, x, piece)
    else:
        piece = np.array(piece)
    if (piece.dtype.kind == "c") > (x.dtype.kind == "c"):
        refuse("writing complex values into a real array", "make the array with dtype=complex")
    found = None if x.is_view else row_of(key, x.shape)
    if found is not None:
        form, row = found
        shape = tuple(n for axis, n in enumerate(x.shape) if axis not in form)
        pending = x.pending if x.pending is not None and x.pending.form == form else None
        if pending is None:
            _ = x.number  # what is pending otherwise is settled
            pending = Pending(form)
        pending.rows.pop(row, None)
        pending.rows[row] = _cast(_broadcast(piece, shape), x)
        x.written(pending)
        return
    layer, shape = _replacing(key, x.shape)
    piece = _cast(_broadcast(piece, shape), x)
    output = _copied_for([piece], x.value)
    output[key] = piece.value if isinstance(piece, Traced) else piece
    x.become(apply(layer, x, piece, output=output))


def _replacing(key: Any, shape: tuple[int, ...]) -> tuple[Replace, tuple[int, ...]]:
    """The layer that writes at a key, and the shape of what it writes; it is remembered for keys that make views."""
    if is_basic(key):
        place = key if isinstance(key, tuple) else (key,)
        written = np.shape(np.broadcast_to(np.int8(0), shape)[key])
        return _layers.recall(hashable((place, shape)), lambda: Replace([place], shape)), written
    target = np.asarray(np.arange(prod(shape)).reshape(shape)[key])
    return Replace([target], shape), target.shape


_IDENTITY = layers.Identity()


def _cast(piece: Any, x: Traced) -> Any:
    """A piece with the dtype of the array that it is written into."""
    if piece.dtype == x.dtype:
        return piece if isinstance(piece, Traced) or piece.ndim else piece[()]
    return RULES["astype"](piece, x.dtype) if isinstance(piece, Traced) else piece.astype(x.dtype)[()]


def _broadcast(piece: Any, shape: tuple[int, ...]) -> Any:
    """A piece in the shape of its place; leading axes of size 1 are dropped."""
    if piece.shape == shape:
        return piece
    while piece.ndim > len(shape) and piece.shape[0] == 1:
        piece = piece[0]
    return RULES[np.broadcast_to](piece, shape) if isinstance(piece, Traced) else np.broadcast_to(piece, shape)
