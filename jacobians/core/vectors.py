"""What a Jacobian is multiplied with: arrays of numbers of a given shape, or several along one more leading axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from jacobians.engine.tape import Array, is_traced
from jacobians.notation.structure import Shape


def numbers(values: ArrayLike, what: str) -> Array:
    """An array of floating-point or complex numbers; integers become float64, what is traced stays so."""
    if is_traced(values):
        traced: Any = values
        return traced  # type: ignore[no-any-return]  # it stands for an array
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{what} is not an array of numbers: {error}") from error
    if array.dtype.kind in "fc":
        return array
    if array.dtype.kind in "biu":
        return array.astype(np.float64)
    raise ValueError(f"{what} must hold numbers, not {array.dtype}")


def vectors(values: ArrayLike, shape: Shape, what: str) -> Array:
    """An array of this shape, or several along one more axis in front."""
    array = numbers(values, what)
    if array.shape[max(0, array.ndim - len(shape)) :] != shape or array.ndim > len(shape) + 1:
        raise ValueError(f"{what} must be {shape}, or have one more axis in front; it is {array.shape}")
    return array


def number(array: Array) -> Any:
    """An array; one without axes as a number."""
    return array[()] if array.ndim == 0 else array
