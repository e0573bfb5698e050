"""`Residual`: x + layer(x)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from jacobians.core.jacobian import Jacobian
from jacobians.core.layer import Array, Layer
from jacobians.core.terms import term


class Residual(Layer):
    """z = x + layer(x), for a layer whose output has the shape of its input.

    ∂z_i/∂x_j = δ_ij + ∂layer_i/∂x_j; the parameters are those of the layer. Source: He et al., Deep residual learning.

    Examples
    --------
    >>> from jacobians import Linear
    >>> Residual(Linear([[0, 1], [2, 0]])).jacobians([5, 7])["x"]
    array([[1., 1.],
           [2., 1.]])
    """

    layer: Layer

    @property
    def input_names(self) -> tuple[str, ...]:
        """The name of the layer's input."""
        return self.layer.input_names

    @property
    def parameters(self) -> dict[str, Array]:
        """The parameters of the layer."""
        return self.layer.parameters

    def with_parameters(self, parameters: Mapping[str, ArrayLike]) -> Self:
        """A new residual layer in which these parameters are replaced."""
        return type(self)(self.layer.with_parameters(parameters))

    def __post_init__(self) -> None:
        if not isinstance(self.layer, Layer) or len(self.layer.input_names) != 1:
            raise ValueError(f"Residual: a layer of one input is needed, not {self.layer!r}")

    def _prepared(self, inputs: tuple[ArrayLike, ...]) -> tuple[Array, ...]:
        return self.layer._prepared(inputs)

    def forward(self, x: Array) -> Array:
        """X + layer(x)."""
        return self._sum(x, self.layer(x))

    def _sum(self, x: Array, inner: Any) -> Array:
        if np.shape(inner) != x.shape:
            raise ValueError(
                f"Residual: the output of {type(self.layer).__name__} must be as x, {x.shape}; it is {np.shape(inner)}"
            )
        return np.asarray(x + inner)

    def _linearized(self, inputs: tuple[Array, ...], names: tuple[str, ...] | None) -> tuple[Any, dict[str, Jacobian]]:
        inner, found = self.layer._linearized(inputs, names)
        (x,) = inputs
        output = self._sum(x, inner)
        return output, {name: (J + term("-> ...;...") if name in self.input_names else J).named("z", name)
                        for name, J in found.items()}  # fmt: skip
