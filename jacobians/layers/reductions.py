"""Reductions along axes. The axes that stay are tied between output and input; those that are reduced are not."""

from __future__ import annotations

from jacobians.jacobian import term
from jacobians.layer import Array, Layer, Local
from jacobians.layers.axes import letters, normalized


def reduced_labels(ndim: int, axes: tuple[int, ...], keepdims: bool) -> tuple[str, str]:
    """Labels of the input, and of the output after a reduction; a kept axis of size 1 is the position 0."""
    labels = letters(ndim)
    return labels, "".join(("(0)" if keepdims else "") if k in axes else c for k, c in enumerate(labels))


class Sum(Layer):
    """z = Σ x over some axes, as ``np.sum``. ∂z_a/∂x_bc = δ_ab, for every position c along the summed axes.

    Source: Parr & Howard, vector sum reduction.

    Examples
    --------
    >>> Sum().jacobians([1.0, 2.0, 3.0])["x"]
    array([1., 1., 1.])
    """

    axis: int | tuple[int, ...] | None = None
    keepdims: bool = False

    def forward(self, x: Array) -> Array:
        return x.sum(axis=normalized("Sum", self.axis, x.ndim), keepdims=self.keepdims)

    def local(self, x: Array, z: Array) -> Local:
        whole, rest = reduced_labels(x.ndim, normalized("Sum", self.axis, x.ndim), self.keepdims)
        return {"x": term(f"-> {rest};{whole}")}
