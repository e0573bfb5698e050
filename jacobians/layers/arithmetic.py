"""Functions of two arrays, entry by entry, which broadcast as in NumPy: ∂z_i/∂x_j and ∂z_i/∂y_j are diagonal.

``...`` broadcasts: an argument of size 1 along an axis is used by all positions there, so its Jacobian ties nothing
there. Scalar expansion is broadcasting. Source: Parr & Howard, element-wise binary operators and scalar expansion.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from jacobians.core.diagonal import Diagonal, diagonal_terms, table
from jacobians.core.layer import Array, Layer, Local
from jacobians.layers import stable
from jacobians.layers.placing import Choosing

__all__ = ["Add", "Arctan2", "Divide", "Hypot", "LogAddExp", "Maximum", "Minimum", "Multiply", "Pow", "Subtract"]


class Broadcasting(Layer):
    """z = f(x, y) for two arrays that broadcast."""

    def local(self, x: Array, y: Array, z: Array) -> Local:
        return diagonal_terms(self.diagonals, x, y, z)

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

    diagonals = table(x=Diagonal(), y=Diagonal())

    def forward(self, x: Array, y: Array) -> Array:
        return np.asarray(x + y)


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

    diagonals = table(x=Diagonal(), y=Diagonal(sign=-1))

    def forward(self, x: Array, y: Array) -> Array:
        return np.asarray(x - y)


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

    diagonals = table(x=Diagonal("y", lambda x, y, z: y), y=Diagonal("x", lambda x, y, z: x))

    def forward(self, x: Array, y: Array) -> Array:
        return np.asarray(x * y)


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

    diagonals = table(
        x=Diagonal("(1/y)", lambda x, y, z: 1 / y),
        y=Diagonal("(-z/y)", lambda x, y, z: -z / y),
    )

    def forward(self, x: Array, y: Array) -> Array:
        return np.asarray(x / y)


class Maximum(Choosing, Broadcasting):
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
    diagonals = table(
        x=Diagonal("[x≥y]", lambda x, y, z: (x >= y).astype(z.dtype)),
        y=Diagonal("[x<y]", lambda x, y, z: 1 - (x >= y).astype(z.dtype)),
    )

    def forward(self, x: Array, y: Array) -> Array:
        return np.maximum(x, y)


class Minimum(Choosing, Broadcasting):
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
    diagonals = table(
        x=Diagonal("[x≤y]", lambda x, y, z: (x <= y).astype(z.dtype)),
        y=Diagonal("[x>y]", lambda x, y, z: 1 - (x <= y).astype(z.dtype)),
    )

    def forward(self, x: Array, y: Array) -> Array:
        return np.minimum(x, y)


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

    diagonals = table(
        x=Diagonal("(y·x^(y-1))", lambda x, y, z: _by_base(x, y)),
        y=Diagonal("(z·log(x))", lambda x, y, z: _by_exponent(x, z)),
    )

    def forward(self, x: Array, y: Array) -> Array:
        return np.asarray(x**y)


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
    diagonals = table(
        x=Diagonal("(x/z)", lambda x, y, z: ratio(x, z)),
        y=Diagonal("(y/z)", lambda x, y, z: ratio(y, z)),
    )

    def forward(self, x: Array, y: Array) -> Array:
        return np.hypot(x, y)


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
    diagonals = table(
        x=Diagonal("(y/r²)", lambda x, y, z: _over_square(y, x)),
        y=Diagonal("(-x/r²)", lambda x, y, z: _over_square(-x, y)),
    )

    def forward(self, x: Array, y: Array) -> Array:
        return np.arctan2(x, y)


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
    diagonals = table(
        x=Diagonal("σ(x-y)", lambda x, y, z: stable.sigmoid(_difference(x, y))),
        y=Diagonal("σ(y-x)", lambda x, y, z: stable.sigmoid(_difference(y, x))),
    )

    def forward(self, x: Array, y: Array) -> Array:
        return np.logaddexp(x, y)


def ratio(a: Array, b: Array) -> Array:
    """a / b, and 0 where b is 0."""
    zero = b == 0
    return np.where(zero, 0, a / np.where(zero, 1, b)) if zero.any() else np.divide(a, b)


def _by_base(x: Array, y: Array) -> Array:
    """y x^(y−1), and 0 for y = 0."""
    found: Array = y * np.power(np.where((x == 0) & (y == 0), 1, x), y - 1)
    return found


def _by_exponent(x: Array, z: Array) -> Array:
    """z log x, and 0 for z = 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Array = z * np.log(np.where(z == 0, 1, x))
    return found


def _over_square(a: Array, b: Array) -> Array:
    """a / (a² + b²), and 0 where both are 0."""
    r = np.hypot(a, b)
    return ratio(ratio(a, r), r)


def _difference(x: Array, y: Array) -> Array:
    """x − y, where ∞ − ∞ is 0."""
    same = (x == y) & np.isinf(x)
    found: Array = np.where(same, 0, x - np.where(same, 0, y)) if same.any() else x - y
    return found
