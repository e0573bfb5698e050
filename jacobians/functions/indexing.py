"""Entries taken, ``x[key]``, and written, ``x[key] = value``, with every kind of key that NumPy has."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from jacobians import layers
from jacobians.core.traced import RULES, Traced, apply, refuse, rule
from jacobians.functions.moving import moved
from jacobians.layers.placing import Replace


def plain_key(key: Any) -> Any:
    """A key without traced values: positions have no derivative."""
    parts = key if isinstance(key, tuple) else (key,)
    for part in parts:
        if isinstance(part, Traced) or (isinstance(part, slice) and any(
            isinstance(end, Traced) for end in (part.start, part.stop, part.step)
        )):  # fmt: skip
            refuse("a traced value as an index", "an index is a plain integer: positions have no derivative")
    return key


def is_basic(key: Any) -> bool:
    """Whether a key makes a view: integers, slices, newaxis and the ellipsis."""
    return all(
        part is None or part is Ellipsis or isinstance(part, slice)
        or (isinstance(part, int | np.integer) and not isinstance(part, bool | np.bool))
        for part in (key if isinstance(key, tuple) else (key,))
    )  # fmt: skip


@rule(operator.getitem)
def take(x: Traced, key: Any) -> Traced:
    """Entries of an array."""
    key = plain_key(key)
    if is_basic(key):
        return moved(operator.getitem, x, key)
    value = x.value
    along = _along(key, value.ndim)
    if along is not None:
        axis, indices = along
        output = value[key]
        layer = layers.Take(indices, axis)
        return Traced(x.recording, x.recording.add(layer, (value,), (x.number,), output))
    frozen = (
        tuple(np.array(k) if isinstance(k, list | np.ndarray) else k for k in key) if isinstance(key, tuple) else key
    )
    return moved(operator.getitem, x, np.array(frozen) if isinstance(frozen, list | np.ndarray) else frozen)


def _along(key: Any, ndim: int) -> tuple[int, Any] | None:
    """The axis and the positions of a key that takes positions along one axis, and everything along the others."""
    parts = list(key) if isinstance(key, tuple) else [key]
    arrays = [k for k, part in enumerate(parts) if isinstance(part, list | np.ndarray)]
    if len(arrays) != 1 or any(
        not isinstance(p, slice) or p != slice(None) for k, p in enumerate(parts) if k != arrays[0]
    ):
        return None
    indices = np.asarray(parts[arrays[0]])
    if indices.dtype.kind == "b" and indices.ndim == 1:
        indices = np.flatnonzero(indices)
    return (arrays[0], np.array(indices)) if indices.dtype.kind in "iu" and arrays[0] < ndim else None


@rule(operator.setitem)
def put(x: Traced, key: Any, value: Any) -> Traced:
    """An array with entries written over; one node holds all that has been written one after another."""
    key = plain_key(key)
    recording, shape = x.recording, x.shape
    target = np.arange(x.size).reshape(shape)[key]
    piece = value if isinstance(value, Traced) else np.asarray(value)
    if isinstance(piece, np.ndarray) and piece.dtype == object:
        piece = RULES["stack objects"](piece)
    if np.shape(piece) != target.shape:
        piece = RULES[np.broadcast_to](_without_leading(piece, np.ndim(target)), target.shape) if isinstance(
            piece, Traced) else np.broadcast_to(piece, target.shape)  # fmt: skip
    place = _frozen(key) if is_basic(key) else np.asarray(target)
    output = x.value.copy()
    output[key] = piece.value if isinstance(piece, Traced) else piece
    base: Any = x
    places, pieces = [place], [piece]
    last = recording.nodes[-1] if recording.nodes else None
    if last is not None and last.value == x.number and isinstance(last.layer, Replace):
        names = dict(last.arguments)
        known = [
            Traced(recording, names[name]) if name in names else array
            for name, array in zip(last.layer.input_names, last.inputs, strict=True)
        ]
        base, places, pieces = known[0], [*last.layer.places, place], [*known[1:], piece]
    return apply(Replace(places, shape), base, *pieces, output=output)


def _frozen(key: Any) -> Any:
    return key if isinstance(key, tuple) else (key,)


def _without_leading(piece: Traced, ndim: int) -> Traced:
    """Leading axes of size 1 are dropped in an assignment."""
    while piece.ndim > ndim and piece.shape[0] == 1:
        piece = piece[0]
    return piece
