"""∂z/∂A as it is drawn on paper: a matrix of blocks, xᵀ on the diagonal and 0ᵀ elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jacobians.engine.entries import mask
from jacobians.engine.tape import Array
from jacobians.notation.formula import equation, left_side, times, written
from jacobians.notation.structure import Form
from jacobians.notation.sums import DELTA

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
MOST = 8  # blocks along a side


def names(form: Form, arrays: Sequence[Array]) -> list[list[str]]:
    """What stands in each block of an M × (M×N) Jacobian: a row of N numbers, by its names.

    >>> from jacobians import Affine
    >>> J = Affine([[1, 2, 3], [4, 5, 6]], [0, 0]).linearize([7, 8, 9])[1]["A"]
    >>> names(J.form, J.arrays)
    [['xᵀ', '0ᵀ'], ['0ᵀ', 'xᵀ']]
    """
    products = written(form)
    if (len(form.out_shape), len(form.wrt_shape)) != (1, 2) or len(products) != 1 or products[0].summed:
        raise ValueError(
            "blocks are drawn for a vector by a matrix whose formula is one product without a sum; "
            f"this is {times(form.out_shape, form.wrt_shape)}: {equation(form)}"
        )
    ((rows,), (blocks, _)) = form.out_shape, form.wrt_shape
    if max(rows, blocks) > MOST:
        raise ValueError(f"at most {MOST} × {MOST} blocks are drawn; this is {times(form.out_shape, form.wrt_shape)}")
    there: Array = np.asarray(mask(form, arrays).any(axis=2))
    minus = "−" if products[0].sign < 0 else ""
    signs = [s for s in products[0].signs if s.name != DELTA]

    def name(i: int, j: int) -> str:
        numbers = {"i": str(i + 1).translate(LOWERED), "j": str(j + 1).translate(LOWERED)}
        parts = [s.name + "".join(numbers.get(k, "ᵀ") for k in s.indices) for s in signs]
        return minus + (" ".join(parts) or "1ᵀ")

    return [[name(i, j) if there[i, j] else "0ᵀ" for j in range(blocks)] for i in range(rows)]


def draw(new: Any, form: Form, arrays: Sequence[Array]) -> Figure:
    """Draw the blocks with their names; what can be non-zero is grey."""
    cells = names(form, arrays)
    rows, columns = len(cells), len(cells[0])
    longest = max(len(text) for row in cells for text in row)
    figure = new(figsize=(columns * max(0.9, 0.13 * longest) + 1, rows * 0.5 + 0.8), layout="constrained")
    axes = figure.subplots()
    axes.imshow([[text != "0ᵀ" for text in row] for row in cells], cmap="Greys", vmin=0, vmax=5, aspect="auto")
    for i, row in enumerate(cells):
        for j, text in enumerate(row):
            axes.text(j, i, text, ha="center", va="center", fontsize=11, color="black" if text != "0ᵀ" else "0.45")
    axes.set_xticks(range(columns), [f"row {j + 1} of {form.wrt_name}" for j in range(columns)], fontsize=8)
    axes.set_yticks(range(rows), [f"{form.out_name}{str(i + 1).translate(LOWERED)}" for i in range(rows)], fontsize=9)
    axes.set_xticks([j + 0.5 for j in range(columns - 1)], minor=True)
    axes.set_yticks([i + 0.5 for i in range(rows - 1)], minor=True)
    axes.grid(which="minor", color="black", linewidth=0.8)
    axes.tick_params(which="both", length=0)
    axes.xaxis.tick_top()
    axes.set_title(f"{left_side(form, ())}: {times(form.out_shape, form.wrt_shape)}", fontsize=10)
    return figure  # type: ignore[no-any-return]  # matplotlib is untyped
