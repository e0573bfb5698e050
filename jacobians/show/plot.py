"""Pictures of a Jacobian's numbers, with matplotlib (the extra `notebook`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from io import BytesIO
from math import ceil, prod
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from jacobians.engine.tape import Array
from jacobians.notation.formula import left_side, times
from jacobians.notation.structure import Form, Shape
from jacobians.show.blocks import draw
from jacobians.show.entry_table import EntryTable, entry_table
from jacobians.show.grid import draw_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WRITTEN = 14  # cells along the longer side up to which numbers are written into them
MOST_PANELS = 48
RAISED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
PALE = 1.3  # the largest entry is not drawn in the darkest colour, so that numbers can be read


Kind = Literal["heat", "spy", "slices", "blocks", "entries", "map"]
Flattened = Literal["C", "F"]


def plot(
    form: Form,
    arrays: Sequence[Array],
    matrix: Callable[[Literal["C", "F"]], Array],
    kind: Kind,
    order: Literal["C", "F"],
    of: Callable[..., Any] | None = None,
    at: ArrayLike | None = None,
    reach: float = 0.5,
) -> Figure | EntryTable:
    """Draw a Jacobian.

    Parameters
    ----------
    form, arrays
        The Jacobian.
    matrix
        Writes it out in full, flattened by rows or by columns.
    kind
        ``"heat"`` draws the matrix (∏ out × ∏ wrt) in colours, with lines between its blocks and, where there is room,
        the numbers; ``"spy"`` only marks what is different from zero; ``"slices"`` draws ∂y_i/∂x for every output entry
        i as a picture of its own; ``"blocks"`` draws the derivative of a vector by a matrix as on paper, with names in
        its blocks: xᵀ and 0ᵀ; ``"entries"`` is a table in colours for notebooks, whose entries say their formula and
        value when the mouse rests on them; ``"map"`` draws what a 2 × 2 Jacobian does to a grid: its columns as arrows,
        its determinant as an area.
    order
        How the matrix is flattened, as in `Jacobian.matrix`.
    of, at, reach
        For ``"map"``: the function and the point, to draw f(x + h) beside f(x) + J h for steps h up to `reach`, and up
        to a quarter of it.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    if kind not in get_args(Kind):
        raise ValueError(f"kind must be one of {', '.join(get_args(Kind))}, not {kind!r}")
    if kind == "entries":
        return entry_table(form, matrix(order), order)
    new = _figure()
    if kind == "blocks":
        return draw(new, form, arrays)
    if kind == "map":
        return draw_map(new, form, matrix("C"), of, at, reach)
    values = matrix(order)
    if values.dtype.kind == "c":
        values = np.abs(values)
    return _slices(new, form, values) if kind == "slices" else _matrix(new, form, values, kind, order)


@cache
def _figure() -> Any:
    """Make the class of our figures: matplotlib's, but notebooks show it without pyplot."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("J.plot() draws with matplotlib: pip install 'jacobians[notebook]'") from error

    class Picture(Figure):
        def _repr_png_(self) -> bytes:
            buffer = BytesIO()
            self.savefig(buffer, format="png", dpi=90)
            return buffer.getvalue()

    return Picture


def _matrix(new: Any, form: Form, values: Array, kind: str, order: str) -> Figure:
    rows, columns = values.shape
    cell = min(0.45, 5.6 / max(rows, columns, 1))
    size = (max(2.4, columns * cell + 2.1), max(1.4, rows * cell + 1.2))
    figure = new(figsize=size, layout="constrained")
    axes = figure.subplots()
    image = _image(
        axes, values, np.abs(values).max(initial=0.0), spy=kind == "spy", written=max(rows, columns) <= WRITTEN
    )
    for shape, line in ((form.out_shape, axes.axhline), (form.wrt_shape, axes.axvline)):
        for cut in _cuts(shape, order):
            line(cut - 0.5, color="black", linewidth=1.2)
    if kind == "heat":
        _colour_bar(figure, image, axes)
    axes.set_title(f"{left_side(form, ())}: {times(form.out_shape, form.wrt_shape)}", fontsize=10)
    _ticks(axes, _labels(form.out_name, form.out_shape, order), _labels(form.wrt_name, form.wrt_shape, order))
    return figure  # type: ignore[no-any-return]  # matplotlib is untyped


def _slices(new: Any, form: Form, values: Array) -> Figure:
    """One picture for every output entry, in the grid of the output's last axis."""
    out, wrt = form.out_shape, form.wrt_shape
    count = prod(out)
    if count > MOST_PANELS:
        raise ValueError(f"{form.out_name} has {count} entries, too many for as many pictures")
    across = out[-1] if len(out) > 1 else min(max(count, 1), 6)
    down = max(1, ceil(count / max(across, 1)))
    high, wide = (prod(wrt[:-1]), wrt[-1]) if wrt else (1, 1)
    cell = min(0.45, 2.2 / max(high, wide, 1))
    size = (across * (wide * cell + 0.5) + 0.9, down * (high * cell + 0.5) + 0.4)
    figure = new(figsize=size, layout="constrained")
    grid = figure.subplots(down, max(across, 1), squeeze=False).reshape(-1)
    limit = np.abs(values).max(initial=0.0)
    names = _labels(form.out_name, out, "C")
    for k, axes in enumerate(grid):
        if k >= count:
            axes.axis("off")
            continue
        image = _image(axes, values[k].reshape(high, wide), limit, spy=False, written=max(high, wide) <= 4)
        axes.set_title(f"∂{names[k]}/∂{form.wrt_name}", fontsize=9)
        axes.set_xticks([])
        axes.set_yticks([])
    if count:
        _colour_bar(figure, image, list(grid))
    return figure  # type: ignore[no-any-return]  # matplotlib is untyped


def _image(axes: Any, values: Array, limit: float, *, spy: bool, written: bool) -> Any:
    limit = limit if np.isfinite(limit) and limit else 1.0
    if spy:
        image = axes.imshow(values != 0, cmap="Greys", vmin=0, vmax=1.6, aspect="equal", interpolation="nearest")
    else:
        ends = {"vmin": -PALE * limit, "vmax": PALE * limit}
        image = axes.imshow(values, cmap="RdBu_r", aspect="equal", interpolation="nearest", **ends)
    if not written or spy:
        return image
    for (r, c), value in np.ndenumerate(values):
        colour = "0.6" if value == 0 else "white" if abs(value) > 0.6 * limit else "black"
        text = "0" if value == 0 else f"{value:.2g}"
        axes.text(c, r, text, ha="center", va="center", fontsize=7, color=colour)
    return image


def _colour_bar(figure: Any, image: Any, axes: Any) -> None:
    bar = figure.colorbar(image, ax=axes, fraction=0.05, pad=0.02, aspect=12)
    bar.ax.tick_params(labelsize=7, length=2)
    bar.outline.set_linewidth(0.4)


def _cuts(shape: Shape, order: str) -> range:
    """Where a new block starts in a flattened group of axes."""
    if len(shape) < 2:
        return range(0)
    inner = shape[-1] if order == "C" else shape[0]
    return range(inner, prod(shape), inner)


def _labels(name: str, shape: Shape, order: str) -> list[str]:
    """The entries of a group of axes in the order in which it is flattened, counted from 1 as on paper."""
    if not shape:
        return [name]
    positions = list(np.ndindex(*shape)) if order == "C" else [p[::-1] for p in np.ndindex(*shape[::-1])]
    separator = "" if max(shape) < 10 else ","
    return [f"${_math(name)}_{{{separator.join(str(k + 1) for k in p)}}}$" for p in positions]


def _math(name: str) -> str:
    """A name that matplotlib's mathematics understands."""
    path, _, last = name.rpartition(".")
    if path:
        return rf"{_math(last)}^{{({path.replace('_', ' ')})}}"
    plain = re.sub("[₀-₉]+", lambda found: f"^{{({found[0].translate(RAISED)})}}", name)
    return plain if len(name) == 1 or plain != name else rf"\mathrm{{{name.replace('_', ' ')}}}"


def _ticks(axes: Any, rows: Sequence[str], columns: Sequence[str]) -> None:
    axes.tick_params(length=0, labelsize=8)
    for labels, setter in ((rows, axes.set_yticks), (columns, axes.set_xticks)):
        setter(range(len(labels)), labels) if len(labels) <= 24 else setter([])
    if len(columns) <= 24:
        axes.xaxis.tick_top()
    longest = max((len(re.sub(r"\\mathrm|[{}$_^]", "", label)) for label in columns), default=0)
    if longest > 4 and len(columns) > 6:  # side by side they would run into each other
        axes.tick_params(axis="x", rotation=90)
