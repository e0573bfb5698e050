"""Where the boxes of a graph are drawn: in layers, few wires crossing, wires as straight as they can be.

The method of Sugiyama, Tagawa and Toda: every box in the layer after the last one that it needs; on wires that pass
through layers, points that are placed like boxes; layers ordered by the mean position of their neighbours; then moved
towards them, without overlap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

SWEEPS = 8
Place = tuple[float, float]


class Wire(NamedTuple):
    """A wire between two boxes."""

    start: int
    end: int


class Layout(NamedTuple):
    """The centres of boxes, by number: (along, across); the points of every wire; and the size of all."""

    centres: Mapping[int, Place]
    wires: Mapping[Wire, Sequence[Place]]
    length: float
    breadth: float


def layout(sizes: Mapping[int, Place], wires: Sequence[Wire], gaps: Mapping[int, float], between: float) -> Layout:
    """Place boxes of these sizes (along, across) so that all wires lead forward.

    `gaps` is the room that a box needs behind it, `between` the room between neighbours.
    """
    layer = _layers(sizes, wires)
    routes, sizes = _routes(wires, layer, dict(sizes))
    before: dict[int, list[int]] = {n: [] for n in sizes}
    after: dict[int, list[int]] = {n: [] for n in sizes}
    for route in routes.values():
        for a, b in pairwise(route):
            after[a].append(b)
            before[b].append(a)
    rows: list[list[int]] = [[] for _ in range(1 + max(layer.values(), default=0))]
    for n in sizes:
        rows[layer[n]].append(n)
    for sweep in range(SWEEPS):
        near = before if sweep % 2 == 0 else after
        for row in rows if near is before else reversed(rows):
            position = {n: k for some in rows for k, n in enumerate(some)}
            row.sort(key=lambda n, p=position: _mean([p[m] for m in near[n]], p[n]))  # type: ignore[misc]  # a default
    across = _across(rows, sizes, before, after, between)
    along, starts = 0.0, []
    for row in rows:
        deep = max((sizes[n][0] for n in row), default=0.0)
        starts.append(along + deep / 2)
        along += deep + max((gaps.get(n, 0.0) for n in row), default=0.0)
    low = min((across[n] - sizes[n][1] / 2 for n in sizes), default=0.0)
    centres = {n: (starts[layer[n]], across[n] - low) for n in sizes}
    last = max((gaps.get(n, 0.0) for n in rows[-1]), default=0.0)
    breadth = max((centres[n][1] + sizes[n][1] / 2 for n in sizes), default=0.0)
    return Layout(centres, {w: [centres[n] for n in route] for w, route in routes.items()}, along - last, breadth)


def _layers(sizes: Mapping[int, Place], wires: Sequence[Wire]) -> dict[int, int]:
    """Every box after those that it needs; what needs nothing, just before it is used."""
    needs: dict[int, list[int]] = {n: [] for n in sizes}
    for start, end in wires:
        needs[end].append(start)
    layer: dict[int, int] = {}
    for n in sorted(sizes):
        layer[n] = 1 + max((layer[m] for m in needs[n]), default=-1)
    for n in sizes:
        if not needs[n]:
            layer[n] = min((layer[end] for start, end in wires if start == n), default=1) - 1
    return layer


def _routes(
    wires: Sequence[Wire], layer: dict[int, int], sizes: dict[int, Place]
) -> tuple[dict[Wire, list[int]], dict[int, Place]]:
    """Every wire as a sequence of boxes and of points, one in each layer; points are numbered down from −1."""
    routes = {}
    for wire in dict.fromkeys(wires):
        route = [wire.start]
        for k in range(layer[wire.start] + 1, layer[wire.end]):
            point = -1 - sum(n < 0 for n in sizes)
            sizes[point], layer[point] = (0.0, 12.0), k
            route.append(point)
        routes[wire] = [*route, wire.end]
    return routes, sizes


def _across(
    rows: Sequence[Sequence[int]], sizes: Mapping[int, Place], before: Mapping[int, Sequence[int]],
    after: Mapping[int, Sequence[int]], between: float,
) -> dict[int, float]:  # fmt: skip
    """Positions along the layers: packed first, then moved towards their neighbours."""
    across: dict[int, float] = {}
    for row in rows:
        at = -sum(sizes[n][1] + between for n in row) / 2
        for n in row:
            across[n] = at + sizes[n][1] / 2
            at += sizes[n][1] + between
    for sweep in range(2 * SWEEPS):
        near = (before, after)[sweep % 2]
        for row in rows if near is before else list(reversed(rows)):
            wish = {n: _mean([across[m] for m in near[n]], across[n]) for n in row}
            across.update(_placed(row, wish, sizes, between))
    return across


def _placed(
    row: Sequence[int], wish: Mapping[int, float], sizes: Mapping[int, Place], between: float
) -> dict[int, float]:
    """Boxes in this order as near to their wishes as they can be: blocks that touch take the mean of their wishes."""
    blocks: list[tuple[float, int, list[tuple[int, float]]]] = []  # where it starts, how many, the boxes and offsets
    for n in row:
        half = sizes[n][1] / 2
        blocks.append((wish[n] - half, 1, [(n, half)]))
        while len(blocks) > 1:
            (at, count, first), (start, more, second) = blocks[-2:]
            n_last, offset = first[-1]
            end = offset + sizes[n_last][1] / 2 + between
            if at + end <= start:
                break
            mean = (at * count + (start - end) * more) / (count + more)
            blocks[-2:] = [(mean, count + more, [*first, *((m, o + end) for m, o in second)])]
    return {n: at + offset for at, _, some in blocks for n, offset in some}


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default
