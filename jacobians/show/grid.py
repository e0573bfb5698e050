"""A Jacobian as the map that it is: a grid of small steps, and where f and f(x) + J h take it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from jacobians.engine.tape import Array
from jacobians.notation.formula import times
from jacobians.notation.structure import Form

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LINES = 9  # of the grid, each way
COLUMNS = ("#d95f02", "#1b9e77")  # the colours of the two columns
STEPS = (1.0, 0.25)  # what is drawn: steps of this share of the reach


def draw_map(
    new: Any, form: Form, J: Array, of: Callable[..., Any] | None, at: ArrayLike | None, reach: float
) -> Figure:
    """Draw the map of a 2 × 2 Jacobian: its columns as arrows, its determinant as an area, and f beside it."""
    if J.shape != (2, 2):
        raise ValueError(
            f'plot(kind="map") draws a plane in a plane, 2 × 2; this is {times(form.out_shape, form.wrt_shape)}'
        )
    if (of is None) != (at is None):
        raise ValueError('plot(kind="map"): give both the function `of` and the point `at`, or neither')
    if not reach > 0:
        raise ValueError(f'plot(kind="map"): reach must be above 0, not {reach}')
    if np.iscomplexobj(J):
        raise ValueError('plot(kind="map") draws real numbers; this Jacobian is complex')
    origin = np.zeros(2) if at is None else np.asarray(at, dtype=float).reshape(2)

    def image(h: Array) -> Array:
        if of is None:
            return h @ J.T
        return np.array([np.asarray(of((origin + one).reshape(form.wrt_shape))).reshape(2) for one in h])

    steps = (1.0,) if of is None else STEPS
    figure = new(figsize=(3.1 * (len(steps) + 1), 3.2), layout="constrained")
    before, *after = figure.subplots(1, len(steps) + 1)
    x = form.wrt_name
    _plane(before, origin, np.eye(2), reach)
    for line in _grid(reach):
        before.plot(*(origin + line).T, color="0.6", linewidth=0.7)
    before.set_title(f"steps h around {x}", fontsize=9)
    middle = image(np.zeros((1, 2)))[0]
    for axes, share in zip(after, steps, strict=True):
        size = reach * share
        worst = 0.0
        for line in _grid(size):
            true, linear = image(line), middle + line @ J.T
            worst = max(worst, float(np.abs(true - linear).max()))
            axes.plot(*linear.T, color="#d95f02", linewidth=0.7, alpha=0.55)
            if of is not None:
                axes.plot(*true.T, color="black", linewidth=0.8)
        _plane(axes, middle, J, size)
        area = f"area × |det J| = {abs(np.linalg.det(J)):.3g}"
        if of is None:
            axes.set_title(f"J h: {area}", fontsize=9)
        else:
            error = f"|h| ≤ {size:g}: error {worst:.2g}, error / |h| {worst / size:.2g}"
            axes.set_title(f"f({x} + h) black, f({x}) + J h orange\n{error}\n{area}", fontsize=8)
    return figure  # type: ignore[no-any-return]  # matplotlib is untyped


def _grid(size: float) -> list[Array]:
    """The lines of a square grid with its middle at 0, each as points."""
    along, across = np.linspace(-size, size, 33), np.linspace(-size, size, LINES)
    lines = [np.stack([along, np.full_like(along, c)], axis=1) for c in across]
    return lines + [line[:, ::-1] for line in lines]


def _plane(axes: Any, origin: Array, columns: Array, size: float) -> None:
    """Two arrows from the middle, and the area between them."""
    corners = np.array([np.zeros(2), columns[:, 0], columns.sum(axis=1), columns[:, 1]]) * size + origin
    axes.fill(*corners.T, color="#7570b3", alpha=0.25, linewidth=0)
    for k, colour in enumerate(COLUMNS):
        arrow = {"arrowstyle": "->", "color": colour, "lw": 2}
        axes.annotate("", origin + size * columns[:, k], origin, arrowprops=arrow)
        axes.annotate(f"column {k + 1}", origin + size * columns[:, k], color=colour, fontsize=8)
    axes.set_aspect("equal", adjustable="datalim")
    axes.tick_params(labelsize=7)
