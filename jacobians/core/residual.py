"""`Residual`: x + layer(x)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from jacobians.core.layer import Array, Layer
from jacobians.show.diagram import Sketch


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

    def __post_init__(self) -> None:
        if not isinstance(self.layer, Layer) or len(self.layer.input_names) != 1:
            raise ValueError(f"Residual: a layer of one input is needed, not {self.layer!r}")

    @property
    def input_names(self) -> tuple[str, ...]:
        """The name of the layer's input."""
        return self.layer.input_names

    @property
    def output_name(self) -> str:
        """z, for want of another name."""
        return "z"

    @property
    def inner(self) -> Mapping[str, Layer]:
        """The layer, without a name: its parameters are called as it calls them."""
        return {"": self.layer}

    def with_inner(self, layers: Mapping[str, Layer]) -> Self:
        """A new residual layer around another one."""
        return type(self)(*layers.values()) if layers else self

    def prepared(self, inputs: tuple[ArrayLike, ...]) -> tuple[Array, ...]:
        """The input as the layer takes it."""
        return self.layer.prepared(inputs)

    def sketch(self, sketch: Sketch, inputs: Sequence[int], path: str) -> int:
        """Draw the layer, and the sum."""
        return sketch.box("Add", "", (*inputs, self.layer.sketch(sketch, inputs, path)))

    def forward(self, x: Any) -> Any:
        """x + layer(x)."""
        inner = self.layer(x)
        if np.shape(inner) != x.shape:
            raise ValueError(
                f"Residual: the output of {type(self.layer).__name__} must be as x, {x.shape}; it is {np.shape(inner)}"
            )
        return x + inner
