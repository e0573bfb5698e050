"""All entries of a Jacobian read off its factors: what `writing` writes, for arrays that are traced.

Entries are added where several values of the labels mean the same one. Here they are taken instead: for every entry the
place of its first value among the products of the factors, of its second, and so on, until there are no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from jacobians.engine.contract import arranged
from jacobians.engine.index_maps import places
from jacobians.engine.tape import Array, Step
from jacobians.notation.structure import Shape, Term


def gathering(terms: Sequence[Term], shape: Shape) -> Step:
    """The sum of terms of at most two factors each, without labels to sum; their arrays come one term after another."""
    steps = [_term(term, shape) for term in terms]
    counts = [len(term.factors) + len(term.lookups) for term in terms]

    def call(*arrays: Any) -> Any:
        total: Any = None
        for step, count in zip(steps, counts, strict=True):
            part, arrays = step(*arrays[:count]), arrays[count:]
            total = part if total is None else total + part
        return np.zeros(shape) if total is None else total

    return call


def _term(term: Term, shape: Shape) -> Step:
    """All entries of a term."""
    sizes = dict(enumerate(term.sizes))
    order = list(dict.fromkeys(i for a in term.axes for i in a.labels()))
    space = tuple(sizes[i] for i in order)
    strides = [prod(shape[k + 1 :]) for k in range(len(shape))]
    place = places(term.axes, order, sizes, [f.labels for f in term.lookups], strides)
    views = [arranged(f.labels, order) for f in term.factors]
    cut = len(term.factors)

    def call(*arrays: Any) -> Any:
        flat, exists = place(*arrays[cut:])
        value: Any = float(term.sign)
        for view, x in zip(views, arrays[:cut], strict=False):
            value = value * view(x)
        value = np.broadcast_to(value, space)
        flat = np.broadcast_to(flat, space).reshape(-1)
        kept = np.arange(flat.size) if exists is None else np.flatnonzero(np.broadcast_to(exists, space))
        padded = np.concatenate([value.reshape(-1), np.zeros(1, value.dtype)])
        total: Any = None
        for where in _rounds(flat[kept], kept, prod(shape), flat.size):
            part = padded[where].reshape(shape)
            total = part if total is None else total + part
        return np.zeros(shape) if total is None else total

    return call


def _rounds(entries: Array, values: Array, count: int, nothing: int) -> Iterator[Array]:
    """For every entry the number of a value that belongs to it, each value once; `nothing` where there is none left."""
    while entries.size:
        where = np.full(count, nothing)
        where[entries] = values  # the last one counts
        yield where
        left = where[entries] != values
        entries, values = entries[left], values[left]
