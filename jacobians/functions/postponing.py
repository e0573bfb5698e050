"""Functions of large arrays that are not computed before somebody asks for their numbers, as no Jacobian does.

Only where nothing but Jacobians is wanted, and only sums and products, of which NumPy could say no more than that they
overflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from jacobians import layers
from jacobians.core.layer import Layer
from jacobians.core.postponed import LARGE, Postponed, computed
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
LINEAR = frozenset({np.add, np.subtract, np.negative, np.positive})
MULTIPLY = layers.Multiply()


@rule("later")
def later(
    layer: Any, compute: Any, arrays: Sequence[Any], numbers: Sequence[int | None]
) -> tuple[Any, Sequence[Any], Any] | None:
    """The layer, its inputs and the postponed output of a function of arrays; None if it is computed at once."""
    if type(layer) is layers.Assemble:
        return _assembled(layer, compute, arrays)
    if compute is None and (type(layer) is layers.Square or _is_power(layer)):
        compute = layer.forward
    elif type(layer) is not LAYERS.get(compute):
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
    if compute not in LINEAR and None not in numbers:
        arrays = [computed(x) for x in arrays]  # of which the Jacobians consist
    return layer, arrays, Postponed(compute, arrays, shape, dtype)


def _is_power(layer: Any) -> bool:
    """Whether it is a whole positive power, which is never undefined."""
    return type(layer) is layers.Power and layer.exponent > 0 and float(layer.exponent).is_integer()


def _assembled(layer: layers.Assemble, compute: Any, arrays: Sequence[Any]) -> tuple[Any, Sequence[Any], Any] | None:
    """Arrays put together into a large one."""
    shape, dtype = tuple(layer.shape), arrays[0].dtype
    if compute is None or prod(shape) < LARGE:
        return None
    if any(type(x) not in (Postponed, np.ndarray) or x.dtype != dtype for x in arrays):
        return None
    return layer, arrays, Postponed(compute, arrays, shape, dtype)
