"""Where the entries of a Jacobian are: the positions of its terms, and how many of them there are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import prod

import numpy as np

from jacobians.engine.index_maps import places
from jacobians.engine.tape import Array
from jacobians.notation.structure import Axis, Form, Shape, Term, pattern_of
from jacobians.notation.symbols import Label

MOST = 1 << 25  # positions that are listed to be counted
TABLE = 1 << 28  # entries of a table in which positions are crossed off
PATTERNS = 12  # diagonals whose union is counted by inclusion and exclusion


def strides(shape: Shape) -> list[int]:
    """How far apart neighbours along every axis are in the flat array."""
    return [prod(shape[k + 1 :]) for k in range(len(shape))]


def listed(term: Term, axes: Sequence[Axis], order: Sequence[Label], arrays: Sequence[Array]) -> tuple[Array, Array]:
    """The flat position along some axes of a term for all values of the labels in `order`, and whether it exists."""
    shape = tuple(term.sizes[i] for i in order)
    lookups = [f.labels for f in term.lookups]
    steps = strides(tuple(a.size for a in axes))
    call = places(axes, order, dict(enumerate(term.sizes)), lookups, steps)
    flat, exists = call(*(arrays[f.array] for f in term.lookups))
    return np.broadcast_to(flat, shape), np.broadcast_to(True if exists is None else exists, shape)


def mask(form: Form, arrays: Sequence[Array]) -> Array:
    """Which entries can be different from zero: a boolean array of the full shape, from deltas and index maps alone."""
    result = np.zeros(prod(form.shape), np.bool_)
    for term in [t for t in form.terms if 0 not in t.sizes]:
        _cross_off(result, term, term.axes, arrays)
    return result.reshape(form.shape)


def _cross_off(table: Array, term: Term, axes: Sequence[Axis], arrays: Sequence[Array]) -> None:
    flat, exists = listed(term, axes, sorted({i for a in axes for i in a.labels()}), arrays)
    table[flat if exists.all() else flat[exists]] = True


# --- counting ---------------------------------------------------------------------------------------------------------


def count(form: Form, arrays: Sequence[Array]) -> int:
    """How many entries the deltas and index maps of the terms leave, whatever the factors hold.

    Exact; only where more than 2²⁵ positions would have to be listed is it a bound, the sum over the terms.
    """
    if not form.terms or not prod(form.shape):
        return 0
    terms = list({t.pattern: t for t in form.terms if 0 not in t.sizes}.values())
    total, together = 1, list[int]()
    for group in _components(terms, len(form.shape)):
        patterns = {pattern_of([t.axes[k] for k in group], t) for t in terms}
        if len(patterns) == 1:  # the same in all terms: the other axes go through all of it
            total *= _union(terms[:1], group, arrays)
        else:
            together += group
    return total * _union(terms, sorted(together), arrays) if together and terms else total * bool(terms)


def _components(terms: Sequence[Term], ndim: int) -> list[list[int]]:
    """The axes in groups that share no label in any term."""
    root = list(range(ndim))
    for term in terms:
        first: dict[Label, int] = {}
        for k, axis in enumerate(term.axes):
            for i in axis.labels():
                a, b = sorted((root[k], root[first.setdefault(i, k)]))
                root = [a if r == b else r for r in root]
    return [[k for k in range(ndim) if root[k] == r] for r in dict.fromkeys(root)]


def _union(terms: Sequence[Term], group: Sequence[int], arrays: Sequence[Array]) -> int:
    """How many positions along a group of axes the terms reach together."""
    patterns = [[t.axes[k] for k in group] for t in terms]
    shape = tuple(a.size for a in patterns[0])
    if all(a.label is not None for p in patterns for a in p):
        ties = _outermost({_classes([a.label for a in p]) for p in patterns})
        if len(ties) <= PATTERNS:
            return _diagonals(ties, shape)
    sizes = [t.size({i for a in p for i in a.labels()}) for t, p in zip(terms, patterns, strict=True)]
    whole = prod(shape)
    if sum(sizes) > MOST:
        return min(whole, sum(sizes))
    if whole <= TABLE and whole <= 64 * sum(sizes):
        table = np.zeros(whole, np.bool_)
        for term, pattern in zip(terms, patterns, strict=True):
            _cross_off(table, term, pattern, arrays)
        return int(np.count_nonzero(table))
    found = []
    for term, pattern in zip(terms, patterns, strict=True):
        flat, exists = listed(term, pattern, sorted({i for a in pattern for i in a.labels()}), arrays)
        found.append(flat[exists])
    return len(np.unique(np.concatenate(found)))


def _classes(pattern: Sequence[Label | None]) -> tuple[int, ...]:
    """For every axis the first axis that is tied to it."""
    return tuple(pattern.index(i) for i in pattern)


def _outermost(patterns: set[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The diagonals that are not inside others."""
    return [p for p in patterns if not any(q != p and _common([p, q]) == p for q in patterns)]


def _diagonals(patterns: Sequence[tuple[int, ...]], shape: Shape) -> int:
    """The size of a union of diagonals, by inclusion and exclusion."""
    total = 0
    for number in range(1, len(patterns) + 1):
        for some in combinations(patterns, number):
            common = _common(some)
            total -= (-1) ** number * prod(n for k, n in enumerate(shape) if common[k] == k)
    return total


def _common(patterns: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The ties of all the patterns together."""
    root = list(range(len(patterns[0])))
    for pattern in patterns:
        for k, first in enumerate(pattern):
            a, b = sorted((root[k], root[first]))
            root = [a if r == b else r for r in root]
    return tuple(root)
