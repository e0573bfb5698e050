"""In what order the Jacobians along a graph are multiplied: vertex elimination.

A graph of local Jacobians has a vertex for every value and an edge ∂v/∂u for every value u that v is made of. To
eliminate a vertex is to connect what is made of it with what it is made of,

    ∂w/∂u ← ∂w/∂u + ∂w/∂v ∂v/∂u        for every w after v and every u before it,

until only the wanted values and arguments are left. Eliminating from the last value to the first is reverse mode, from
the first to the last forward mode; any other order gives the same Jacobians at another cost. Source: Griewank and
Walther, Evaluating Derivatives, chapter 9.

The cost of a product is estimated from three numbers for each factor: the sizes of output and argument, and the size of
what ties them (the batch; everything, for an entrywise function). It has about

    2 · out/tie · middle · in/tie′

operations: each of the out·middle/tie entries of the left meets the in/tie′ entries of a row of the right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import prod
from typing import NamedTuple

from jacobians.notation.structure import Form, Term

Vertex = int
Edges = Mapping[tuple[Vertex, Vertex], "Extent"]
LONGEST = 300  # vertices; of larger graphs only the two sweeps are compared


class Extent(NamedTuple):
    """The size of a Jacobian's output, of its argument, and of what ties them."""

    out: int
    wrt: int
    tie: float


class Order(NamedTuple):
    """An order of elimination, its name and about how many operations it takes."""

    name: str
    vertices: tuple[Vertex, ...]
    cost: float


def extent(form: Form) -> Extent:
    """What the order of elimination depends on."""
    ties = [_tie(term) for term in form.terms] or [1]
    return Extent(prod(form.out_shape), prod(form.wrt_shape), min(ties))


def _tie(term: Term) -> int:
    """The size of the labels that stand on both sides."""
    out = {i for a in term.out for i in a.labels()}
    return max(1, term.size(out & {i for a in term.wrt for i in a.labels()}))


def cost(left: Extent, right: Extent) -> float:
    """Operations of a product, about."""
    return 2.0 * left.out / left.tie * left.wrt * right.wrt / right.tie


def orders(edges: Edges, inner: Sequence[Vertex]) -> tuple[Order, ...]:
    """The orders worth naming, the cheapest first; `inner` are the vertices to eliminate, from first to last.

    Where two cost the same, reverse mode comes before forward mode, and both before the others.
    """
    ways: dict[str, Callable[[], Iterable[Vertex]]] = {
        "reverse": lambda: reversed(inner),
        "forward": lambda: inner,
    }
    if 2 <= len(inner) <= LONGEST:
        ways["greedy"] = lambda: _greedy(edges, inner)
        ways["across"] = lambda: _across(edges, inner)
    found: dict[tuple[Vertex, ...], Order] = {}
    for name, way in ways.items():
        order = tuple(way())
        if order not in found:
            found[order] = Order(name, order, _Graph(edges).eliminated(order))
    return tuple(sorted(found.values(), key=lambda o: o.cost * (1 if o.name in ("reverse", "forward") else 1.01)))


class _Graph:
    """The edges that are left, from both sides."""

    def __init__(self, edges: Edges) -> None:
        self.after: dict[Vertex, dict[Vertex, Extent]] = {}
        self.before: dict[Vertex, dict[Vertex, Extent]] = {}
        for (w, u), one in edges.items():
            self._connect(w, u, one)

    def _connect(self, w: Vertex, u: Vertex, one: Extent) -> None:
        old = self.after.setdefault(u, {}).get(w)
        if old is not None:
            one = one._replace(tie=min(one.tie, old.tie))
        self.after[u][w] = one
        self.before.setdefault(w, {})[u] = one

    def price(self, v: Vertex) -> float:
        """What eliminating a vertex costs now."""
        right = self.before.get(v, {}).values()
        return sum(cost(a, b) for a in self.after.get(v, {}).values() for b in right)

    def eliminate(self, v: Vertex) -> float:
        """Eliminate a vertex; return what it cost."""
        spent = 0.0
        after, before = self.after.pop(v, {}), self.before.pop(v, {})
        for w in after:
            del self.before[w][v]
        for u in before:
            del self.after[u][v]
        for w, left in after.items():
            for u, right in before.items():
                spent += cost(left, right)
                self._connect(w, u, Extent(left.out, right.wrt, max(1, min(left.tie, right.tie))))
        return spent

    def eliminated(self, order: Iterable[Vertex]) -> float:
        """What an order costs."""
        return sum(self.eliminate(v) for v in order)


def _greedy(edges: Edges, inner: Sequence[Vertex]) -> Iterator[Vertex]:
    """Always the vertex that costs least now."""
    graph = _Graph(edges)
    prices = {v: graph.price(v) for v in reversed(inner)}
    while prices:
        v = min(prices, key=prices.__getitem__)
        del prices[v]
        around = {*graph.after.get(v, ()), *graph.before.get(v, ())}
        graph.eliminate(v)
        for near in around:
            if near in prices:
                prices[near] = graph.price(near)
        yield v


def _across(edges: Edges, inner: Sequence[Vertex]) -> Iterator[Vertex]:
    """Every part that is a chain in its own best order, the rest from the last value to the first."""
    graph = _Graph(edges)
    single = {v for v in inner if len(graph.after.get(v, ())) == 1 == len(graph.before.get(v, ()))}
    done: set[Vertex] = set()
    for v in inner:
        if v in single and v not in done:
            run = [v]
            while (following := next(iter(graph.after[run[-1]]))) in single:
                run.append(following)
            done.update(run)
            ends = (next(iter(graph.before[v])), *run, following)
            yield from _best_chain(ends, [graph.after[a][b] for a, b in pairwise(ends)])
    yield from (v for v in reversed(inner) if v not in done)


def _best_chain(ends: Sequence[Vertex], chain: Sequence[Extent]) -> Iterator[Vertex]:
    """The cheapest order for a product of matrices, by dynamic programming: the vertices between them, in order."""
    count = len(chain)
    extents = {(k, k + 1): one for k, one in enumerate(chain)}
    total = dict.fromkeys(extents, 0.0)
    split: dict[tuple[int, int], int] = {}
    for length in range(2, count + 1):
        for low in range(count - length + 1):
            high = low + length
            prices = [
                (total[low, m] + total[m, high] + cost(extents[m, high], extents[low, m]), m)
                for m in range(low + 1, high)
            ]
            total[low, high], split[low, high] = min(prices)
            left, right = extents[high - 1, high], extents[low, high - 1]
            extents[low, high] = Extent(left.out, right.wrt, max(1, min(left.tie, right.tie)))

    def vertices(low: int, high: int) -> Iterator[Vertex]:
        if high - low > 1:
            m = split[low, high]
            yield from vertices(low, m)
            yield from vertices(m, high)
            yield ends[m]

    return vertices(0, count)
