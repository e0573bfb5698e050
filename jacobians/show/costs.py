"""What the contraction of a product of Jacobians costs, in different orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import opt_einsum

from jacobians.core.jacobian import Jacobian
from jacobians.engine import algebra, elimination
from jacobians.engine.compiler import compiled, writer
from jacobians.engine.contract import subscripts

Pairs = tuple[tuple[int, int], ...]
FROM_OUTPUT = "from the output (reverse mode)"
FROM_ARGUMENT = "from the argument (forward mode)"


@dataclass(frozen=True)
class Order:
    """An order of contraction: pairs of positions in the shrinking list of factors, and its cost.

    `flops` and `largest` (entries of the largest intermediate) are for structured Jacobians, `dense_flops` and
    `dense_largest` for full tensors.
    """

    name: str
    pairs: Pairs
    flops: int
    largest: int
    dense_flops: int
    dense_largest: int
    chosen: bool = False
    """Whether this is the order in which a chain multiplies, when it is asked for this Jacobian alone."""


def orders(factors: Sequence[Jacobian]) -> tuple[Order, ...]:
    """Give the orders worth naming, the chosen one first.

    They are from the output, from the argument, the chain's own, and what opt_einsum finds for full tensors.
    """
    count = len(factors)
    if count == 1:
        return ()
    reverse = tuple((0, 1) for _ in range(count - 1))
    names: dict[Pairs, str] = {reverse: FROM_OUTPUT if count > 2 else "the only one"}
    if count > 2:
        names.setdefault(tuple((n - 2, n - 1) for n in range(count, 1, -1)), FROM_ARGUMENT)
        names.setdefault(own := _own(factors), "across (the chain's own)")
        names.setdefault(_best(factors), "across (opt_einsum's, for full tensors)")
    else:
        own = reverse
    found = [replace(_order(name, pairs, factors), chosen=pairs == own) for pairs, name in names.items()]
    return tuple(sorted(found, key=lambda o: not o.chosen))


def _own(factors: Sequence[Jacobian]) -> Pairs:
    """Ask the engine for the order of a chain."""
    last = len(factors)
    edges = {(k + 1, k): elimination.extent(f.form) for k, f in enumerate(reversed(factors))}
    (best, *_) = elimination.orders(edges, range(1, last))
    rest = list(range(last, -1, -1))  # the values that are left, from the output on
    pairs = []
    for vertex in best.vertices:
        at = rest.index(vertex)
        pairs.append((at - 1, at))
        del rest[at]
    return tuple(pairs)


def _order(name: str, pairs: Pairs, factors: Sequence[Jacobian]) -> Order:
    flops = largest = dense = dense_largest = 0
    forms = [f.form for f in factors]
    shapes = [(f.out_shape, f.wrt_shape) for f in factors]
    for a, b in pairs:
        program, form = compiled(algebra.product, (forms[a], forms[b]))
        flops, largest = flops + program.flops, max(largest, program.largest)
        forms[a : b + 1] = [form]
        (out, middle), (_, wrt) = shapes[a], shapes[b]
        dense += 2 * prod(out) * prod(middle) * prod(wrt)
        shapes[a : b + 1] = [(out, wrt)]
        dense_largest = max(dense_largest, prod(out) * prod(wrt))
    writing = writer(forms[0], into=False)
    size = prod(forms[0].shape)
    return Order(name, pairs, flops + writing.flops, max(largest, writing.largest, size), dense, dense_largest)


def _best(factors: Sequence[Jacobian]) -> Pairs:
    """The order that opt_einsum finds for full tensors, as pairs of neighbours."""
    shapes = [(f.out_shape, f.wrt_shape) for f in factors]
    path, _ = opt_einsum.contract_path(subscripts(shapes), *(f.shape for f in factors), shapes=True, optimize="auto")
    chain = [{k} for k in range(len(factors))]
    listed = list(chain)
    pairs = []
    for step in path:
        chosen = [listed[k] for k in step]
        for k in sorted(step, reverse=True):
            del listed[k]
        merged = chosen[0]
        for other in chosen[1:]:
            a, b = sorted((chain.index(merged), chain.index(other)))
            if b != a + 1:  # an outer product of factors that are not neighbours: not an order of the chain rule
                return tuple((0, 1) for _ in range(len(factors) - 1))
            pairs.append((a, b))
            merged = merged | other
            chain[a : b + 1] = [merged]
        listed.append(merged)
    return tuple(pairs)
