"""Pooling of images. Index legend: y x positions of the output, u v in the window; s t strides; ... all other axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from jacobians.core.layer import Array, Layer, Local
from jacobians.core.terms import term
from jacobians.core.traced import plain
from jacobians.layers.axes import pair

__all__ = ["AvgPool2d", "MaxPool2d"]

Sizes = int | Sequence[int]


class Pooling(Layer):
    """A number for every window of the last two axes; windows that would leave the image do not exist."""

    size: Sizes
    stride: Sizes | None = None
    shapes = "x (..., H, B)"
    holomorphic = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.options()

    def options(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Size and stride along both axes; the stride is the size by default."""
        size = pair(type(self).__name__, "size", self.size, 1)
        return size, size if self.stride is None else pair(type(self).__name__, "stride", self.stride, 1)

    def windows(self, x: Array) -> Array:
        """x_{..., sy+u, tx+v} with the axes ... y x u v, as a view."""
        (h, b), (s, t) = self.options()
        if x.shape[-2] < h or x.shape[-1] < b:
            raise ValueError(
                f"{type(self).__name__}: the size is {h, b}, so the last axes of x must be as large; x is {x.shape}"
            )
        return sliding_window_view(x, (h, b), axis=(-2, -1))[..., ::s, ::t, :, :]


class MaxPool2d(Pooling):
    """z_yx = max_uv x_{sy+u, tx+v}.

    ∂z_yx/∂x_ij = [i = row_yx] [j = column_yx] for the row and the column of the largest entry of the window, two
    lookups. Of several that are largest, the first one counts.
    Shapes: x (..., H, B) gives z (..., ⌊(H − size)/stride⌋ + 1, ⌊(B − size)/stride⌋ + 1).
    Errors: ValueError if the window is larger than the image.
    Source: ``torch.nn.MaxPool2d``.

    Examples
    --------
    >>> MaxPool2d(2).jacobians([[1.0, 4.0], [3.0, 2.0]])["x"]
    array([[[[0., 1.],
             [0., 0.]]]])
    """

    def forward(self, x: Array) -> Array:
        return np.asarray(self.windows(x).max(axis=(-2, -1)))

    def local(self, x: Array, z: Array) -> Local:
        (h, b), (s, t) = self.options()
        windows = self.windows(plain(x))
        u, v = np.divmod(windows.reshape(*z.shape, h * b).argmax(axis=-1), b)
        row = u + s * np.arange(z.shape[-2])[:, None]
        column = v + t * np.arange(z.shape[-1])
        return {"x": term("-> ...yx;...(row_...yx)(column_...yx)", row, column)}


class AvgPool2d(Pooling):
    """z_yx = Σ_uv w_uv x_{sy+u, tx+v}, with w_uv = 1 / size².

    ∂z_yx/∂x_ij = w_uv where i = sy + u and j = tx + v.
    Shapes: x (..., H, B) gives z (..., ⌊(H − size)/stride⌋ + 1, ⌊(B − size)/stride⌋ + 1).
    Errors: ValueError if the window is larger than the image.
    Source: ``torch.nn.AvgPool2d``.

    Examples
    --------
    >>> AvgPool2d((1, 2)).jacobians([[1.0, 4.0, 3.0, 2.0]])["x"].squeeze()
    array([[0.5, 0.5, 0. , 0. ],
           [0. , 0. , 0.5, 0.5]])
    """

    holomorphic = True

    def forward(self, x: Array) -> Array:
        return np.asarray(self.windows(x).mean(axis=(-2, -1)))

    def local(self, x: Array, z: Array) -> Local:
        size, (s, t) = self.options()
        weights = np.full(size, 1 / (size[0] * size[1]), x.dtype)
        return {"x": term(f"w_uv -> ...yx;...({s}y+u)({t}x+v)", weights)}
