"""Functions of two arrays, entry by entry, which broadcast as in NumPy: ∂z_i/∂x_j and ∂z_i/∂y_j are diagonal.

``...`` broadcasts: an argument of size 1 along an axis is used by all positions there, so its Jacobian ties nothing
there. Scalar expansion is broadcasting. Source: Parr & Howard, element-wise binary operators and scalar expansion.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from jacobians.core.layer import Array, Layer, Local
from jacobians.core.terms import term
from jacobians.layers import stable

__all__ = ["Add", "Arctan2", "Divide", "Hypot", "LogAddExp", "Maximum", "Minimum", "Multiply", "Pow", "Subtract"]

DELTA = term("-> ...;...")
"""δ_ij, which broadcasts."""


class Broadcasting(Layer):
    """z = f(x, y) for two arrays that broadcast."""

    def prepared(self, inputs: tuple[ArrayLike, ...]) -> tuple[Array, ...]:
        x, y = super().prepared(inputs)
        try:
            np.broadcast_shapes(x.shape, y.shape)
        except ValueError:
            raise ValueError(f"{type(self).__name__}: x and y must broadcast; x is {x.shape}, y is {y.shape}") from None
        return x, y


class Add(Broadcasting):
    """z = x + y.

    ∂z_i/∂x_j = δ_ij, ∂z_i/∂y_j = δ_ij.
    Shapes: x (...), y (...), which broadcast, give z (...).
    Source: Parr & Howard, element-wise binary operators.

    Examples
    --------
    >>> Add().jacobians([1.0, 2.0], 3.0)["y"]
    array([1., 1.])
    """

    def forward(self, x: Array, y: Array) -> Array:
        return np.asarray(x + y)

    def local(self, x: Array, y: Array, z: Array) -> Local:
        return {"x": DELTA, "y": DELTA}


class Subtract(Broadcasting):
    """z = x − y.

    ∂z_i/∂x_j = δ_ij, ∂z_i/∂y_j = −δ_ij.
    Shapes: x (...), y (...), which broadcast, give z (...).
    Source: Parr & Howard, element-wise binary operators.

    Examples
    --------
    >>> Subtract().jacobians([1.0, 2.0], 3.0)["y"]
    array([-1., -1.])
    """

    def forward(self, x: Array, y: Array) -> Array:
        return np.asarray(x - y)

    def local(self, x: Array, y: Array, z: Array) -> Local:
        return {"x": DELTA, "y": -DELTA}


class Multiply(Broadcasting):
    """z = x ⊙ y.

    ∂z_i/∂x_j = y_i δ_ij, ∂z_i/∂y_j = x_i δ_ij.
    Shapes: x (...), y (...), which broadcast, give z (...).
    Source: Parr & Howard, element-wise binary operators.

    Examples
    --------
    >>> Multiply().jacobians([1.0, 2.0], [3.0, 4.0])["x"]
    array([[3., 0.],
           [0., 4.]])
    """

    def forward(self, x: Array, y: Array) -> Array:
        return np.asarray(x * y)

    def local(self, x: Array, y: Array, z: Array) -> Local:
        return {"x": term("y_... -> ...;...", y), "y": term("x_... -> ...;...", x)}


class Divide(Broadcasting):
    """z = x / y.

    ∂z_i/∂x_j = δ_ij / y_i, ∂z_i/∂y_j = −z_i/y_i δ_ij.
    Shapes: x (...), y (...), which broadcast, give z (...).
    Source: Parr & Howard, element-wise binary operators.

    Examples
    --------
    >>> Divide().jacobians([1.0, 4.0], [2.0, 2.0])["y"].diagonal()
    array([-0.25, -1.  ])
    """

    def forward(self, x: Array, y: Array) -> Array:
        return np.asarray(x / y)

    def local(self, x: Array, y: Array, z: Array) -> Local:
        return {"x": term("(1/y)_... -> ...;...", 1 / y), "y": term("(-z/y)_... -> ...;...", -z / y)}


class Maximum(Broadcasting):
    """z = max(x, y).

    ∂z_i/∂x_j = [x_i ≥ y_i] δ_ij, ∂z_i/∂y_j = [x_i < y_i] δ_ij: where both are equal, x counts.
    Shapes: x (...), y (...), which broadcast, give z (...).
    Source: Parr & Howard, element-wise binary operators.

    Examples
    --------
    >>> Maximum().jacobians([1.0, 4.0], 2.0)["y"]
    array([1., 0.])
    """

    holomorphic = False

    def forward(self, x: Array, y: Array) -> Array:
        return np.maximum(x, y)

    def local(self, x: Array, y: Array, z: Array) -> Local:
        first = (x >= y).astype(z.dtype)
        return {"x": term("[x≥y]_... -> ...;...", first), "y": term("[x<y]_... -> ...;...", 1 - first)}


class Minimum(Broadcasting):
    """z = min(x, y).

    ∂z_i/∂x_j = [x_i ≤ y_i] δ_ij, ∂z_i/∂y_j = [x_i > y_i] δ_ij: where both are equal, x counts.
    Shapes: x (...), y (...), which broadcast, give z (...).
    Source: Parr & Howard, element-wise binary operators.

    Examples
    --------
    >>> Minimum().jacobians([1.0, 4.0], 2.0)["y"]
    array([0., 1.])
    """

    holomorphic = False

    def forward(self, x: Array, y: Array) -> Array:
        return np.minimum(x, y)

    def local(self, x: Array, y: Array, z: Array) -> Local:
        first = (x <= y).astype(z.dtype)
        return {"x": term("[x≤y]_... -> ...;...", first), "y": term("[x>y]_... -> ...;...", 1 - first)}


class Pow(Broadcasting):
    """z = x^y.

    ∂z_i/∂x_j = y_i x_i^{y_i−1} δ_ij, ∂z_i/∂y_j = z_i log x_i δ_ij. For y_i = 0 the first is 0, for x_i = 0 < y_i the
    second; for x_i < 0 the power exists for integers y_i alone, so the second is NaN.
    Shapes: x (...), y (...), which broadcast, give z (...).
    Source: The Matrix Cookbook, derivatives of scalars.

    Examples
    --------
    >>> Pow().jacobians([2.0, 3.0], 2.0)["x"].diagonal()
    array([4., 6.])
    """

    def forward(self, x: Array, y: Array) -> Array:
        return np.asarray(x**y)

    def local(self, x: Array, y: Array, z: Array) -> Local:
        base = y * np.power(np.where((x == 0) & (y == 0), 1, x), y - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            exponent = z * np.log(np.where(z == 0, 1, x))
        return {"x": term("(y·x^(y-1))_... -> ...;...", base), "y": term("(z·log(x))_... -> ...;...", exponent)}


class Hypot(Broadcasting):
    """z = √(x² + y²).

    ∂z_i/∂x_j = x_i/z_i δ_ij, ∂z_i/∂y_j = y_i/z_i δ_ij; at the kink x_i = y_i = 0 both are 0.
    Shapes: x (...), y (...), which broadcast, give z (...).
    Source: ``numpy.hypot``.

    Examples
    --------
    >>> Hypot().jacobians(3.0, 4.0)["y"]
    array(0.8)
    """

    holomorphic = False

    def forward(self, x: Array, y: Array) -> Array:
        return np.hypot(x, y)

    def local(self, x: Array, y: Array, z: Array) -> Local:
        return {"x": term("(x/z)_... -> ...;...", ratio(x, z)), "y": term("(y/z)_... -> ...;...", ratio(y, z))}


class Arctan2(Broadcasting):
    """z = the angle whose tangent is x/y, in the quadrant of the point (y, x), as ``np.arctan2(x, y)``.

    ∂z_i/∂x_j = y_i/r_i² δ_ij, ∂z_i/∂y_j = −x_i/r_i² δ_ij for r² = x² + y²; at r_i = 0, where there is no derivative, 0.
    Shapes: x (...), y (...), which broadcast, give z (...).
    Source: ``numpy.arctan2``.

    Examples
    --------
    >>> Arctan2().jacobians(3.0, 4.0)["x"]
    array(0.16)
    """

    holomorphic = False

    def forward(self, x: Array, y: Array) -> Array:
        return np.arctan2(x, y)

    def local(self, x: Array, y: Array, z: Array) -> Local:
        r = np.hypot(x, y)
        return {
            "x": term("(y/r²)_... -> ...;...", ratio(ratio(y, r), r)),
            "y": term("(-x/r²)_... -> ...;...", ratio(ratio(-x, r), r)),
        }


class LogAddExp(Broadcasting):
    """z = log(exp(x) + exp(y)).

    ∂z_i/∂x_j = σ(x_i − y_i) δ_ij, ∂z_i/∂y_j = σ(y_i − x_i) δ_ij, for σ(t) = 1 / (1 + exp(−t)).
    Shapes: x (...), y (...), which broadcast, give z (...).
    Source: ``numpy.logaddexp``.

    Examples
    --------
    >>> LogAddExp().jacobians(0.0, 0.0)["x"]
    array(0.5)
    """

    holomorphic = False

    def forward(self, x: Array, y: Array) -> Array:
        return np.logaddexp(x, y)

    def local(self, x: Array, y: Array, z: Array) -> Local:
        same = (x == y) & np.isinf(x)
        d = np.where(same, 0, x - np.where(same, 0, y)) if same.any() else x - y  # ∞ − ∞ is 0 here
        return {
            "x": term("σ(x-y)_... -> ...;...", stable.sigmoid(d)),
            "y": term("σ(y-x)_... -> ...;...", stable.sigmoid(-d)),
        }


def ratio(a: Array, b: Array) -> Array:
    """a / b, and 0 where b is 0."""
    zero = b == 0
    return np.where(zero, 0, a / np.where(zero, 1, b)) if zero.any() else np.divide(a, b)
