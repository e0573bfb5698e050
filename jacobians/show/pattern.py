"""A small picture of which entries of a Jacobian can be different from zero, as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from jacobians.engine.entries import mask
from jacobians.engine.tape import Array
from jacobians.notation.structure import Form, Shape

CELLS = 1 << 14
SIDE = 190  # pixels


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
