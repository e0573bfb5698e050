"""Products of vectors, matrices and stacks of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobians import layers
from jacobians.core.traced import METHODS, RULES, apply, rule
from jacobians.functions.ufuncs import teach

teach(np.matmul, layers.MatMul())


@rule(np.dot)
def dot(a: Any, b: Any, out: None = None) -> Any:
    """``np.dot`` in all its cases."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return RULES[np.multiply](a, b)
    return apply(layers.Dot(), a, b)


METHODS["dot"] = lambda x: lambda other: dot(x, other)
