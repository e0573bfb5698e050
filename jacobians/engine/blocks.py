"""Terms that cover the output: assigned or added block by block, each block while it is in the cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from math import prod

import numpy as np

from jacobians.engine import outer
from jacobians.engine.contract import SHORT, arranged
from jacobians.engine.outer import Into
from jacobians.engine.tape import Array, Step
from jacobians.notation.structure import Shape, Term

BLOCK = 1 << 15  # entries that are written at a time where several terms cover the output

Block = tuple[int | slice, ...]
Summand = tuple[Into, Sequence[Array]]
"""A product, and its factors as views that broadcast against the output."""


def cover(terms: Sequence[Term], shape: Shape, add: bool, cached: bool) -> Step:
    """Assign or add the sum of terms, of at most two factors each, that write every entry.

    `cached`: the output is likely to be in the cache.
    """
    if len(terms) > 1 and outer.MANY <= prod(shape) <= BLOCK and shape[-1] < SHORT <= max(shape):
        return _turned(terms, shape, add, cached)
    plans: list[tuple[int, list[Step], Into]] = []
    for term in terms:
        order, carried = [a.steps[0][0] for a in term.axes], [f.labels for f in term.factors]
        into = copied if len(carried) < 2 else outer.product(order, shape, carried[0], carried[1], None, cached)
        plans.append((term.sign, [arranged(labels, order) for labels in carried], into))
    matrices = None if add else outer.summed(shape, [
        [{k for k, a in enumerate(term.axes) if a.steps[0][0] in f.labels} for f in term.factors] for term in terms
    ])  # fmt: skip
    if matrices is not None:
        return _together(matrices, plans)
    entries, ndim = prod(shape), len(shape)
    size = BLOCK if len(terms) + add > 1 else entries
    several = entries > size
    blocks = cache(lambda: tuple(_blocks(shape, size)))  # when they are needed: what is too large never is
    if [(sign, len(arrange)) for sign, arrange, _ in plans] == [(1, 2)] and not add and not several:
        ((_, (left, right), product),) = plans
        return lambda out, x, y: product(out, left(x), right(y))

    def call(out: Array, *factors: Array) -> Array:
        at = 0
        summands: list[Summand] = []
        for sign, arrange, into in plans:
            views = [step(x) for step, x in zip(arrange, factors[at:], strict=False)] or [np.ones((), out.dtype)]
            at += len(arrange)
            if sign < 0:
                views[-1] = views[-1] * -1
            summands.append((into, views))
        if not several:
            _assign(out, summands, add)
            return out
        summands = [(into, [v.reshape((1,) * (ndim - v.ndim) + v.shape) for v in views]) for into, views in summands]

        for block in blocks():
            part = [(into, [v[_within(block, v.shape)] for v in views]) for into, views in summands]
            _assign(out[block], part, add)
        return out

    return call


def _turned(terms: Sequence[Term], shape: Shape, add: bool, cached: bool) -> Step:
    """The sum with a long axis last, since NumPy loops over the last one, put where it belongs when it is done."""
    long = max(k for k, n in enumerate(shape) if n >= SHORT)
    order = [k for k in range(len(shape)) if k != long] + [long]
    turned, back = tuple([shape[k] for k in order]), tuple(np.argsort(order))
    step = cover([replace(t, out=tuple([t.axes[k] for k in order]), wrt=()) for t in terms], turned, False, cached)

    def call(out: Array, *factors: Array) -> Array:
        total = step(np.empty(turned, out.dtype), *factors).transpose(back)
        if add:
            np.add(out, total, out=out, casting="same_kind")
        else:
            out[...] = total
        return out

    return call


def _together(matrices: Into, plans: Sequence[tuple[int, list[Step], Into]]) -> Step:
    """The sum of products as one product of matrices."""
    steps = [(step, sign if k else 1) for sign, arrange, _ in plans for k, step in enumerate(arrange)]

    def call(out: Array, *factors: Array) -> Array:
        views = [step(x) for (step, _), x in zip(steps, factors, strict=True)]
        return matrices(out, *[view if sign > 0 else view * -1 for (_, sign), view in zip(steps, views, strict=True)])

    return call


def copied(out: Array, x: Array) -> Array:
    """The product of one array."""
    np.copyto(out, x, casting="same_kind")
    return out


def _assign(out: Array, summands: Sequence[Summand], add: bool) -> None:
    """Assign or add a sum of products."""
    for into, views in summands:
        if add:
            value = views[0] if len(views) == 1 else into(np.empty_like(out), *views)
            np.add(out, value, out=out, casting="same_kind")
        else:
            into(out, *views)
            add = True


def _blocks(shape: Shape, size: int) -> Iterator[Block]:
    """Cut an array into blocks of at most so many entries (or single rows of the last axis)."""
    lead = 0
    while lead < len(shape) and prod(shape[lead:]) > size:
        lead += 1
    rows = max(1, size // max(1, prod(shape[lead:])))
    for index in np.ndindex(*shape[: lead - 1]):
        for start in range(0, shape[lead - 1], rows):
            yield (*index, slice(start, start + rows))


def _within(block: Block, shape: Shape) -> Block:
    """The part of a broadcasting array that a block needs."""
    return tuple(b if n != 1 else 0 if isinstance(b, int) else slice(None) for b, n in zip(block, shape, strict=False))
