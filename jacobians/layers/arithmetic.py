"""Functions of two arrays, entry by entry, which broadcast as in NumPy.

An argument of size 1 along an axis is used by all positions there, so its Jacobian is summed over nothing and ties
nothing there: scalar expansion is broadcasting. Source: Parr & Howard, element-wise binary operators and scalar expansion.
"""

from __future__ import annotations

from jacobians.jacobian import term
from jacobians.layer import Array, Layer, Local


class Add(Layer):
    """z = x + y. ∂z_i/∂x_j = δ_ij, ∂z_i/∂y_j = δ_ij, for x and y that broadcast.

    Examples
    --------
    >>> Add().jacobians([1.0, 2.0], 3.0)["y"]
    array([1., 1.])
    """

    def forward(self, x: Array, y: Array) -> Array:
        return x + y

    def local(self, x: Array, y: Array, z: Array) -> Local:
        return {"x": term("-> ...;..."), "y": term("-> ...;...")}


class Multiply(Layer):
    """z = x ⊙ y. ∂z_i/∂x_j = y_i δ_ij, ∂z_i/∂y_j = x_i δ_ij, for x and y that broadcast.

    Examples
    --------
    >>> Multiply().jacobians([1.0, 2.0], [3.0, 4.0])["x"]
    array([[3., 0.],
           [0., 4.]])
    """

    def forward(self, x: Array, y: Array) -> Array:
        return x * y

    def local(self, x: Array, y: Array, z: Array) -> Local:
        return {"x": term("y_... -> ...;...", y), "y": term("x_... -> ...;...", x)}
