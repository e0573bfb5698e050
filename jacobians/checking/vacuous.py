"""Points at which mistakes hide: zeros, ones, equal entries, symmetric matrices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["vacuous"]


def vacuous(x: Any, name: str = "x") -> tuple[str, ...]:
    """Return a warning for every property of a test point that can hide a mistake.

    Examples
    --------
    >>> import numpy as np
    >>> vacuous(np.ones(3), "gamma")
    ('gamma is all ones: a missing factor gamma would not show',)
    """
    try:
        array = np.asarray(x)
    except ValueError:
        return ()
    if array.dtype.kind not in "fciu" or not array.size:
        return ()
    return tuple(_warnings(array, name))


def _warnings(array: np.ndarray[Any, np.dtype[Any]], name: str) -> Iterator[str]:
    if not array.any():
        yield f"{name} is all zeros: whatever is multiplied by it would not show"
    elif (array == 1).all():
        yield f"{name} is all ones: a missing factor {name} would not show"
    elif array.size > 1 and (array == array.flat[0]).all():
        yield f"the entries of {name} are all equal: exchanged indices would not show"
    elif (
        array.ndim >= 2 and array.shape[-1] == array.shape[-2] > 1 and np.array_equal(array, np.swapaxes(array, -1, -2))
    ):
        yield f"{name} is symmetric: a transpose would not show"
