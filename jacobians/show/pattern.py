"""A small picture of which entries of a Jacobian can be different from zero, as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from jacobians.engine.tape import Array
from jacobians.notation.structure import Form, Shape

CELLS = 1 << 14
SIDE = 190  # pixels


def mask(form: Form, arrays: Sequence[Array]) -> Array:
    """Which entries can be different from zero: a boolean array of the full shape, from deltas and index maps alone."""
    result = np.zeros(form.shape, np.bool_)
    for term in form.terms:
        order = sorted({i for a in term.axes for i in a.labels()})
        shape = tuple(term.sizes[i] for i in order)
        places: list[Array] = []
        exists = np.ones(shape, np.bool_)
        for axis in term.axes:
            at: Array = np.full(shape, axis.offset)
            if axis.lookup is not None:
                lookup = term.lookups[axis.lookup]
                values = arrays[lookup.array].transpose(np.argsort(lookup.labels))
                at = np.broadcast_to(values.reshape([term.sizes[i] if i in lookup.labels else 1 for i in order]), shape)
            else:
                for label, c in axis.steps:
                    where = order.index(label)
                    at = at + c * np.arange(shape[where]).reshape([-1 if k == where else 1 for k in range(len(order))])
            exists &= (at >= 0) & (at < axis.size)
            places.append(at)
        result[tuple(p[exists] for p in places)] = True
    return result


def pattern(form: Form, arrays: Sequence[Array]) -> str:
    """The picture of the matrix (∏ out × ∏ wrt) with lines between its blocks; nothing where it would be too large."""
    rows, columns = prod(form.out_shape), prod(form.wrt_shape)
    if not rows or not columns or rows * columns > CELLS or max(rows, columns) > 256:
        return ""
    grid = mask(form, arrays).reshape(rows, columns)
    cell = max(2.0, min(16.0, SIDE / max(rows, columns)))
    width, height = columns * cell, rows * cell
    parts = [f'<rect x="0" y="0" width="{width:g}" height="{height:g}" fill="none" stroke="currentColor"/>']
    path = "".join(
        f"M{start * cell:g} {r * cell:g}h{(stop - start) * cell:g}v{cell:g}h{-(stop - start) * cell:g}z"
        for r in range(rows) for start, stop in _runs(grid[r])
    )  # fmt: skip
    parts.append(f'<path d="{path}" fill="currentColor" fill-opacity=".55"/>')
    lines = "".join(f"M{c * cell:g} 0v{height:g}" for c in _cuts(form.wrt_shape))
    lines += "".join(f"M0 {r * cell:g}h{width:g}" for r in _cuts(form.out_shape))
    if lines:
        parts.append(f'<path d="{lines}" fill="none" stroke="currentColor" stroke-opacity=".6"/>')
    title = f"non-zero entries of the {rows} × {columns} matrix"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 2:g}" height="{height + 2:g}" '
        f'viewBox="-1 -1 {width + 2:g} {height + 2:g}" role="img" aria-label="{title}"><title>{title}</title>'
        f"{''.join(parts)}</svg>"
    )


def _cuts(shape: Shape) -> range:
    """Where a flattened group of axes starts a new block: at every position of all axes but the last."""
    if len(shape) < 2:
        return range(0)
    return range(shape[-1], prod(shape), shape[-1])


def _runs(row: Array) -> list[tuple[int, int]]:
    """The stretches of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], row.astype(np.int8), [0]))))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
