"""Layers that move entries and change none: their Jacobians are deltas and index maps, without any factor.

Index legend: a, b, … are positions. Source of all: NumPy's functions of the same names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jacobians.core.layer import Array, Layer, Local
from jacobians.core.terms import term
from jacobians.layers.axes import letters, normalized, unraveled, wrapped
from jacobians.layers.radix import refined

__all__ = ["BroadcastTo", "Concatenate", "Diagonal", "DiagonalMatrix", "Flip", "Pad", "Reshape", "Take", "Transpose"]


class Reshape(Layer):
    """z = the entries of x in another shape, row by row.

    ∂z_i/∂x_j is 1 where i and j have the same place in the row: for 6 entries as 2×3, ∂z_ab/∂x_i = [i = 3a + b]. Where
    one shape does not nest in the other, as 2×3 and 3×2, the positions along each axis are lookups of that place.
    Shapes: x of any shape gives z of the new shape; one −1 stands for what is left.
    Errors: ValueError if the sizes differ.
    Source: ``numpy.reshape``.

    Examples
    --------
    >>> Reshape((2, 2)).linearize([1.0, 2.0, 3.0, 4.0])[1]["x"]
    Jacobian (2×2) × 4: ∂z_ij/∂x_k = [k=2i+j]
    """

    shape: int | Sequence[int]

    def forward(self, x: Array) -> Array:
        shape = (self.shape,) if isinstance(self.shape, int) else tuple(self.shape)
        try:
            return x.reshape(shape).copy()
        except ValueError:
            raise ValueError(
                f"Reshape: the new shape is {shape}, so x must have as many entries; x is {x.shape}"
            ) from None

    def local(self, x: Array, z: Array) -> Local:
        ones, out, wrt, lookups = refined(z.shape, x.shape)
        return {"x": term(f"{ones} -> {out};{wrt}", *lookups)}


class Transpose(Layer):
    """z_ji = x_ij: the axes in another order, all reversed by default.

    ∂z_ji/∂x_kl = δ_ik δ_jl.
    Shapes: x (M, N) gives z (N, M); ``axes`` as in ``np.transpose``.
    Errors: ValueError if the axes are not a permutation of those of x.
    Source: The Matrix Cookbook, derivatives of transposes.

    Examples
    --------
    >>> Transpose().linearize([[1.0, 2.0]])[1]["x"]
    Jacobian (2×1) × (1×2): ∂z_ij/∂x_kl = δ_jk δ_il
    """

    axes: Sequence[int] | None = None

    def _order(self, x: Array) -> tuple[int, ...]:
        axes = tuple(range(x.ndim))[::-1] if self.axes is None else tuple(self.axes)
        if len(axes) != x.ndim or normalized("Transpose", axes, x.ndim) != tuple(range(x.ndim)):
            raise ValueError(f"Transpose: axes {axes} must name each of the {x.ndim} axes of x; x is {x.shape}")
        return axes

    def forward(self, x: Array) -> Array:
        return x.transpose(self._order(x)).copy()

    def local(self, x: Array, z: Array) -> Local:
        ab = letters(x.ndim)
        return {"x": term(f"-> {''.join(ab[k] for k in self._order(x))};{ab}")}


class Take(Layer):
    """z_ajb = x_{a n_j b}: the positions n_j along an axis, as ``np.take``; along the flat array if axis is None.

    ∂z_ajb/∂x_cid = δ_ac [i = n_j] δ_bd: a lookup.
    Shapes: x (..., N, ...) gives z (..., *indices.shape, ...). Negative indices count from the end.
    Errors: ValueError for an index outside the axis.
    Source: ``numpy.take``.

    Examples
    --------
    >>> Take([2, 0], 0).jacobians([5.0, 6.0, 7.0])["x"]
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """

    indices: Any
    axis: int | None

    def __post_init__(self) -> None:
        indices = np.array(self.indices, dtype=np.intp if np.size(self.indices) == 0 else None)
        if indices.dtype.kind not in "iu":
            raise ValueError(f"Take: indices must hold integers, not {indices.dtype}")
        indices.flags.writeable = False
        object.__setattr__(self, "indices", indices)
        super().__post_init__()

    def _positions(self, x: Array) -> tuple[int | None, Array]:
        """The axis as a number from 0 on, and the positions along it."""
        axis = None if self.axis is None else normalized("Take", self.axis, x.ndim)[0]
        size = x.size if axis is None else x.shape[axis]
        return axis, wrapped("Take", self.indices, size, f"axis {self.axis} of x, which is {x.shape},")

    def forward(self, x: Array) -> Array:
        axis, n = self._positions(x)
        return np.asarray(np.take(x, n, axis=axis))

    def local(self, x: Array, z: Array) -> Local:
        axis, n = self._positions(x)
        ab, j = letters(x.ndim), letters(n.ndim).upper()
        before, behind = ("", "") if axis is None else (ab[:axis], ab[axis + 1 :])
        positions = unraveled(n, x.shape) if axis is None else (n,)
        taken = "".join(f"(n{k}_{j})" if j else f"({p})" for k, p in enumerate(positions))
        return {"x": term(f"-> {before}{j}{behind};{before}{taken}{behind}", *(positions if j else ()))}


class Concatenate(Layer):
    """z = x and then y along an axis.

    ∂z_i/∂x_j = [i = j], ∂z_i/∂y_j = [i = j + M], for x of M positions along the axis; other axes are tied.
    Shapes: x (M, ...), y (N, ...) give z (M + N, ...), with the axis anywhere.
    Errors: ValueError if the other axes differ.
    Source: ``numpy.concatenate``.

    Examples
    --------
    >>> Concatenate(0).jacobians([1.0, 2.0], [3.0])["y"]
    array([[0.],
           [0.],
           [1.]])
    """

    axis: int

    def forward(self, x: Array, y: Array) -> Array:
        (axis,) = normalized("Concatenate", self.axis, x.ndim)
        if x.ndim != y.ndim or any(m != n for k, (m, n) in enumerate(zip(x.shape, y.shape, strict=True)) if k != axis):
            raise ValueError(f"Concatenate: x is {x.shape}, so y must be so but for axis {self.axis}; y is {y.shape}")
        return np.concatenate([x, y], axis=axis)

    def local(self, x: Array, y: Array, z: Array) -> Local:
        (axis,) = normalized("Concatenate", self.axis, x.ndim)
        ab = letters(x.ndim)
        before, b, behind = ab[:axis], ab[axis], ab[axis + 1 :]
        return {
            "x": term(f"-> {before}({b}+0){behind};{ab}"),
            "y": term(f"-> {before}({b}+{x.shape[axis]}){behind};{ab}"),
        }


class BroadcastTo(Layer):
    """z = x repeated along new axes and axes of size 1.

    ∂z_ab/∂x_c = δ_bc: nothing is tied along the new axes.
    Shapes: x that broadcasts to the shape gives z of that shape.
    Errors: ValueError if it does not.
    Source: Parr & Howard, scalar expansion; ``numpy.broadcast_to``.

    Examples
    --------
    >>> BroadcastTo((3,)).jacobians(5.0)["x"]
    array([1., 1., 1.])
    """

    shape: int | Sequence[int]

    def forward(self, x: Array) -> Array:
        shape = (self.shape,) if isinstance(self.shape, int) else tuple(self.shape)
        try:
            return np.broadcast_to(x, shape).copy()
        except ValueError:
            raise ValueError(f"BroadcastTo: the shape is {shape}, so x must broadcast to it; x is {x.shape}") from None

    def local(self, x: Array, z: Array) -> Local:
        return {"x": term("-> ...;...")}


class Flip(Layer):
    """z_i = x_{N−1−i}: the entries along an axis (or several, or all for None) in reverse order.

    ∂z_i/∂x_j = [j = N − 1 − i].
    Shapes: x of any shape gives z of the same shape.
    Source: ``numpy.flip``.

    Examples
    --------
    >>> Flip(0).linearize([1.0, 2.0, 3.0])[1]["x"]
    Jacobian 3 × 3: ∂z_i/∂x_j = [j=−i+2]
    """

    axis: int | tuple[int, ...] | None

    def forward(self, x: Array) -> Array:
        return np.flip(x, normalized("Flip", self.axis, x.ndim)).copy()

    def local(self, x: Array, z: Array) -> Local:
        ab, axes = letters(x.ndim), normalized("Flip", self.axis, x.ndim)
        wrt = "".join(f"({x.shape[k] - 1}-{c})" if k in axes else c for k, c in enumerate(ab))
        return {"x": term(f"-> {ab};{wrt}")} if x.size else {"x": term(f"-> {ab};{ab}")}


class Pad(Layer):
    """z_{i+w} = x_i, with zeros around.

    ∂z_k/∂x_i = [k = i + w].
    Shapes: x of any shape; the width is a number for all sides, (before, after) for all axes, or such a pair for each.
    Errors: ValueError for a negative width or a wrong number of pairs.
    Source: ``numpy.pad``, which takes the same width.

    Examples
    --------
    >>> Pad((1, 0)).jacobians([5.0])["x"]
    array([[0.],
           [1.]])
    """

    width: int | Sequence[int] | Sequence[Sequence[int]]

    def _widths(self, x: Array) -> list[list[int]]:
        try:
            widths = np.broadcast_to(np.asarray(self.width), (x.ndim, 2))
        except ValueError:
            raise ValueError(
                f"Pad: width {self.width} must be one pair, or one for each axis of x; x is {x.shape}"
            ) from None
        if widths.dtype.kind not in "iu" or (widths < 0).any():
            raise ValueError(f"Pad: the width must be of integers that are not negative; it is {self.width}")
        return [[int(n) for n in pair] for pair in widths]

    def forward(self, x: Array) -> Array:
        return np.pad(x, self._widths(x)) if x.ndim else x.copy()

    def local(self, x: Array, z: Array) -> Local:
        ab = letters(x.ndim)
        out = "".join(f"({c}+{before})" for c, (before, _) in zip(ab, self._widths(x), strict=True))
        return {"x": term(f"-> {out};{ab}")}


class Diagonal(Layer):
    """z_i = x_ii, of the last two axes.

    ∂z_i/∂x_jk = δ_ij δ_ik.
    Shapes: x (..., M, N) gives z (..., min(M, N)).
    Source: The Matrix Cookbook, derivatives of traces; ``numpy.linalg.diagonal``.

    Examples
    --------
    >>> Diagonal().linearize([[1.0, 2.0], [3.0, 4.0]])[1]["x"]
    Jacobian 2 × (2×2): ∂z_i/∂x_jk = δ_ij δ_ik
    """

    shapes = "x (..., M, N)"

    def forward(self, x: Array) -> Array:
        return np.diagonal(x, axis1=-2, axis2=-1).copy()

    def local(self, x: Array, z: Array) -> Local:
        square = x.shape[-2] == x.shape[-1]
        return {"x": term("-> ...i;...ii" if square else "-> ...i;...(i+0)(i+0)")}


class DiagonalMatrix(Layer):
    """z_ij = x_i δ_ij, of the last axis.

    ∂z_ij/∂x_k = δ_ij δ_ik.
    Shapes: x (..., N) gives z (..., N, N).
    Source: Parr & Howard, diag(x); ``numpy.diag``.

    Examples
    --------
    >>> DiagonalMatrix().linearize([1.0, 2.0])[1]["x"]
    Jacobian (2×2) × 2: ∂z_ij/∂x_k = δ_ij δ_ik
    """

    shapes = "x (..., N)"

    def forward(self, x: Array) -> Array:
        return np.asarray(x[..., None] * np.eye(x.shape[-1], dtype=x.dtype))

    def local(self, x: Array, z: Array) -> Local:
        return {"x": term("-> ...ii;...i")}
