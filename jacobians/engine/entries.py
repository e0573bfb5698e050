"""Which entries of a Jacobian can be different from zero."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import prod

import numpy as np

from jacobians.engine import contract
from jacobians.engine.tape import Array
from jacobians.notation.structure import Form, Term
from jacobians.notation.symbols import Label

MOST = 1 << 24  # entries of an index-mapped term that are written out to be counted


def count(form: Form, arrays: Sequence[Array]) -> int:
    """How many entries the deltas and index maps of the terms leave, whatever the factors hold.

    Exact for deltas. Index maps of one term are counted by listing their positions; where several terms have index
    maps, their common entries are counted twice, up to the size of the tensor.
    """
    whole = prod(form.shape)
    if not form.terms or not whole:
        return 0
    if all(a.label is not None for t in form.terms for a in t.axes):
        patterns = {tuple(a.label for a in t.axes) for t in form.terms}
        return _union([_classes(p) for p in patterns], form.shape)
    distinct = {(t.out, t.wrt, t.sizes) if not t.lookups else k: t for k, t in enumerate(form.terms)}
    return min(whole, sum(_mapped(t, arrays) for t in distinct.values()))


def _classes(pattern: Sequence[Label | None]) -> tuple[int, ...]:
    """For every axis the first axis that is tied to it."""
    return tuple(pattern.index(i) for i in pattern)


def _union(patterns: list[tuple[int, ...]], shape: Sequence[int]) -> int:
    """The size of a union of diagonals, by inclusion and exclusion; diagonals inside others are left out first."""
    patterns = [p for p in patterns if not any(q != p and _common([p, q]) == _classes(p) for q in patterns)]
    patterns = list(dict.fromkeys(patterns))
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


def _mapped(term: Term, arrays: Sequence[Array]) -> int:
    """Count the entries of a term with index maps, one group of connected axes at a time."""
    sizes = dict(enumerate(term.sizes))
    groups: list[tuple[set[Label], list[int]]] = []
    for k, axis in enumerate(term.axes):
        labels, members = set(axis.labels()), [k]
        for group in [g for g in groups if g[0] & labels]:
            labels |= group[0]
            members += group[1]
            groups.remove(group)
        groups.append((labels, members))
    total = 1
    for labels, members in groups:
        order = sorted(labels)
        shape = tuple(sizes[i] for i in order)
        axes = [term.axes[k] for k in members]
        if len(axes) == 1 and axes[0].label is not None:
            total *= axes[0].size
        elif prod(shape) > MOST:
            total *= prod(a.size for a in axes)
        else:
            flat, exists = np.zeros(shape, np.int64), np.ones(shape, np.bool_)
            for axis in axes:
                lookup = term.lookups[axis.lookup] if axis.lookup is not None else None
                call = contract.positions(axis, order, sizes, lookup.labels if lookup else ())
                at = call(*([arrays[lookup.array]] if lookup else []))
                exists &= (at >= 0) & (at < axis.size)
                flat = flat * axis.size + at
            total *= len(np.unique(flat[exists]))
    return total
