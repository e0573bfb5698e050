"""Functions of large arrays that are not computed before somebody asks for their numbers, as no Jacobian does.

Only where nothing but Jacobians is wanted, and only sums and products, of which NumPy could say no more than that they
overflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jacobians import layers
from jacobians.core.layer import Layer
from jacobians.core.postponed import Postponed, computed
from jacobians.core.rules import rule

LAYERS: dict[Any, type[Layer]] = {
    np.add: layers.Add,
    np.subtract: layers.Subtract,
    np.negative: layers.Negative,
    np.positive: layers.Identity,
    np.multiply: layers.Multiply,
    np.true_divide: layers.Divide,
    np.square: layers.Square,
}
MULTIPLY, SQUARE = layers.Multiply(), layers.Square()


@rule("later")
def later(
    layer: Any, compute: Any, arrays: Sequence[Any], numbers: Sequence[int | None]
) -> tuple[Any, Sequence[Any], Any] | None:
    """The layer, its inputs and the postponed output of a function of arrays; None if it is computed at once."""
    if type(layer) is layers.Square and compute is None:
        compute = np.square
    if type(layer) is not LAYERS.get(compute):
        return None
    shape, dtype = max((x.shape for x in arrays), key=len), arrays[0].dtype
    for x in arrays:
        if type(x) is not Postponed and type(x) is not np.ndarray:  # traced in another trace
            return None
        if x.dtype != dtype or dtype.kind != "f" or x.shape not in (shape, ()):
            return None
    if compute is np.true_divide:
        if numbers[1] is not None:
            return None
        x, y = arrays  # by a constant: nobody needs the quotient
        return MULTIPLY, (x, np.true_divide(1, y)), Postponed(np.true_divide, (x, y), shape, dtype)
    if compute is np.square or (compute is np.multiply and None not in numbers):
        arrays = [computed(x) for x in arrays]  # of which the Jacobians consist
    return layer, arrays, Postponed(compute, arrays, shape, dtype)
