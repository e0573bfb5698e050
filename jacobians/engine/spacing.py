"""What is evenly spaced, and what repeats, in arrays of positions.

Integers that are known to be spaced evenly along every axis need no list: a strided view reads or writes what they
mean. Index legend: a box is a part of an array, with a range along every axis.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

from jacobians.engine.tape import Array

FEW = 64  # entries that are listed sooner than looked at
MOST = 64  # boxes
COVERED = 8  # of so many entries at least one must be in a box, or all are listed
BLOCK = 1 << 16  # positions that a box reaches over: they stay in the cache until the next one
LEAST = 1 << 10  # entries that are not worth to be cut, however far they reach
CHUNK = 1 << 14  # entries of a piece that may be the same as others

Box = tuple[slice, ...]
Steps = tuple[int, ...]


def evenly(grid: Array) -> tuple[list[tuple[Box, int, Steps]], Array]:
    """Boxes with evenly spaced positions, the first position and the steps of each; and what is in none of them.

    Negative positions do not exist.

    >>> evenly(np.array([1, 3, 5, 8]))
    ([((slice(0, 3, None),), 1, (2,))], array([False, False, False,  True]))
    """
    found: list[tuple[Box, int, Steps]] = []
    rest = np.ones(grid.shape, bool)
    waiting = [tuple(slice(0, n) for n in grid.shape)] if (grid >= 0).any() else []
    while waiting and len(found) < MOST:
        box = waiting.pop()
        part = grid[box]
        inner, start, steps = _around_the_middle(part)
        count = prod(s.stop - s.start for s in inner)
        if count * COVERED < part.size or count < min(FEW, grid.size - 1):
            continue
        placed = tuple(slice(s.start + o.start, s.start + o.stop) for s, o in zip(box, inner, strict=True))
        found.append((placed, start, steps))
        rest[placed] = False
        for k, (outer, own) in enumerate(zip(box, placed, strict=True)):  # what is left before and behind, axis by axis
            for side in (slice(outer.start, own.start), slice(own.stop, outer.stop)):
                if side.start < side.stop:
                    waiting.append((*placed[:k], side, *box[k + 1 :]))
    return found, rest


def _around_the_middle(grid: Array) -> tuple[Box, int, Steps]:
    """A box around the middle in which positions are spaced as they are there, the first one, and the steps."""
    middle = tuple(n // 2 for n in grid.shape)
    neighbours = [grid[(*middle[:k], middle[k] - (n > 1), *middle[k + 1 :])] for k, n in enumerate(grid.shape)]
    if min((grid[middle], *neighbours)) < 0:
        return (slice(0, 0),) * max(1, grid.ndim), 0, ()
    steps = [int(grid[middle]) - int(before) for before in neighbours]
    expected = np.asarray(int(grid[middle]))
    for k, (step, n) in enumerate(zip(steps, grid.shape, strict=True)):
        apart = step * (np.arange(n) - middle[k])
        expected = expected + apart.reshape([-1 if a == k else 1 for a in range(grid.ndim)])
    good = (grid == expected) & (grid >= 0)
    box = tuple(_run(good[(*middle[:k], slice(None), *middle[k + 1 :])], at) for k, at in enumerate(middle))
    if not good[box].all():  # shorter along the axis where that costs least
        at = [m - s.start for m, s in zip(middle, box, strict=True)]
        others = [tuple(a for a in range(grid.ndim) if a != k) for k in range(grid.ndim)]
        runs = [_run(good[box].all(axis=others[k]), at[k]) for k in range(grid.ndim)]
        share = [(r.stop - r.start) / (s.stop - s.start) for r, s in zip(runs, box, strict=True)]
        k = share.index(max(share))
        box = (*box[:k], slice(box[k].start + runs[k].start, box[k].start + runs[k].stop), *box[k + 1 :])
    return box, int(grid[tuple(s.start for s in box)]) if 0 not in good[box].shape else 0, tuple(steps)


def _run(line: Array, at: int) -> slice:
    """The range around a place in which everything is true."""
    before, behind = np.flatnonzero(~line[: at + 1]), np.flatnonzero(~line[at:])
    start = int(before[-1]) + 1 if len(before) else 0
    return slice(start, max(start, at + int(behind[0]) if len(behind) else len(line)))


def reach(shape: Sequence[int], steps: Sequence[int]) -> int:
    """Over how many positions a box of this shape goes."""
    return sum(abs(step) * (n - 1) for step, n in zip(steps, shape, strict=True))


def blocks(box: Box, start: int, steps: Steps) -> Iterator[tuple[Box, int]]:
    """A box in parts that reach over few positions, each with its first position."""
    shape = tuple(s.stop - s.start for s in box)
    if reach(shape, steps) <= BLOCK or prod(shape) <= LEAST:
        yield box, start
        return
    along = [abs(step) * (n - 1) for step, n in zip(steps, shape, strict=True)]
    k = along.index(max(along))
    half = box[k].start + shape[k] // 2
    for side in (slice(box[k].start, half), slice(half, box[k].stop)):
        moved = start + steps[k] * (side.start - box[k].start)
        yield from blocks((*box[:k], side, *box[k + 1 :]), moved, steps)


def repeated(array: Array, unit: int) -> list[tuple[int, Array]]:
    """An array in pieces of a multiple of `unit`, where each begins; many that are equal are one array."""
    length = unit * max(1, CHUNK // unit)
    middle = array[len(array) // (2 * length) * length :][:length].copy()
    found = []
    for start in range(0, len(array), length):
        piece = array[start : start + length]
        found.append((start, middle if np.array_equal(piece, middle) else piece.copy()))
    return found
