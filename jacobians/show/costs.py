"""What the Jacobians along a graph cost, multiplied in different orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import opt_einsum

from jacobians.engine import algebra, elimination
from jacobians.engine.compiler import compiled, writer
from jacobians.engine.contract import subscripts
from jacobians.notation.structure import Form
from jacobians.show.derivatives import Derivatives, Pair

NAMES = {
    "reverse": "from the output (reverse mode)",
    "forward": "from the argument (forward mode)",
    "greedy": "the cheapest value first (greedy)",
    "across": "across (chains in their best order)",
}
FULL = "across (opt_einsum's, for full tensors)"
MOST = 150  # values to eliminate: in larger graphs, orders are not tried out


@dataclass(frozen=True)
class Order:
    """An order in which the values between are eliminated, and its cost.

    To eliminate a value is to multiply what is made of it with what it is made of: see `jacobians.engine.elimination`.
    `flops` and `largest` (entries of the largest intermediate) are for structured Jacobians, `dense_flops` and
    `dense_largest` for full tensors.
    """

    name: str
    vertices: tuple[int, ...]
    flops: int
    largest: int
    dense_flops: int
    dense_largest: int
    couplings: int = 0
    """The 0/1 factors over all pairs of two index maps' labels that are multiplied with on the way."""

    chosen: bool = False
    """Whether this is the order that the engine takes, when it is asked for this Jacobian alone."""


def orders(graph: Derivatives[Any], value: int, argument: int) -> tuple[Order, ...]:
    """Give the orders worth naming, the chosen one first; none where there is nothing to multiply."""
    inner = [n for n in graph.values if n not in (value, argument)]
    if not inner or len(inner) > MOST:
        return ()
    forms = {pair: jacobian.form for pair, jacobian in graph.local.items()}
    found = elimination.orders({pair: elimination.extent(form) for pair, form in forms.items()}, inner)
    ways = {order.vertices: NAMES[order.name] for order in found}
    if len(inner) == 1:
        ways = {(*inner,): "the only one"}
    elif graph.is_chain:
        ways.setdefault(_best([forms[pair] for pair in sorted(forms, reverse=True)], inner), FULL)
    priced = [_order(name, vertices, forms, (value, argument)) for vertices, name in ways.items()]
    different: dict[tuple[int, ...], Order] = {}
    for order in priced:  # of orders that cost the same in every respect, the first one
        different.setdefault((order.flops, order.largest, order.dense_flops, order.dense_largest), order)
    (chosen, *others) = different.values()
    return replace(chosen, chosen=True), *others


def _order(name: str, vertices: Sequence[int], forms: Mapping[Pair, Form], ends: Pair) -> Order:
    """Go through an order on structure alone, and add up what it costs."""
    left = dict(forms)
    flops = largest = dense = dense_largest = couplings = 0
    for v in vertices:
        above = [pair for pair in left if pair[1] == v]
        below = [pair for pair in left if pair[0] == v]
        for one in above:
            for two in below:
                pair, (before, after) = (one[0], two[1]), (left[one], left[two])
                program, form = compiled(algebra.product, (before, after))
                flops, largest = flops + program.flops, max(largest, program.largest)
                couplings += program.couplings
                size = prod(form.shape)
                dense, dense_largest = dense + 2 * size * prod(before.wrt_shape), max(dense_largest, size)
                if pair in left:
                    program, form = compiled(algebra.add, (left[pair], form))
                    flops, largest, dense = flops + program.flops, max(largest, program.largest), dense + size
                left[pair] = form
        for pair in (*above, *below):
            del left[pair]
    writing = writer(left[ends], into=False)
    return Order(
        name, tuple(vertices), flops + writing.flops, max(largest, writing.largest, prod(left[ends].shape)),
        dense, dense_largest, couplings + writing.couplings,
    )  # fmt: skip


def _best(factors: Sequence[Form], inner: Sequence[int]) -> tuple[int, ...]:
    """The order that opt_einsum finds for full tensors: the values between, in the order in which they disappear."""
    shapes = [(f.out_shape, f.wrt_shape) for f in factors]
    path, _ = opt_einsum.contract_path(subscripts(shapes), *(f.shape for f in factors), shapes=True, optimize="auto")
    between = list(reversed(inner))  # value k stands between the factors k and k + 1
    listed = [{k} for k in range(len(factors))]
    vertices: list[int] = []
    for step in path:
        merged = set[int]().union(*[listed[k] for k in step])
        for k in sorted(step, reverse=True):
            del listed[k]
        listed.append(merged)
        vertices += [v for k, v in enumerate(between) if {k, k + 1} <= merged and v not in vertices]
    return tuple(vertices)
