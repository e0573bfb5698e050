"""Two oracles for the Jacobians of functions: finite differences and, where it is installed, JAX."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from jacobians import jacobian


def differences(f, arguments, k, step=1e-3):
    """∂f/∂argument k by central differences, extrapolated twice; f may be complex."""
    x = np.asarray(arguments[k], np.result_type(np.asarray(arguments[k]), float))
    y = np.asarray(f(*arguments))
    J = np.zeros(y.shape + x.shape, np.result_type(y, x))
    for i in np.ndindex(x.shape):
        size = step * max(1.0, abs(x[i]))
        rows = []
        for h in (size, size / 2, size / 4):
            e = np.zeros_like(x)
            e[i] = h
            forth, back = (np.asarray(f(*arguments[:k], x + s * e, *arguments[k + 1 :])) for s in (1, -1))
            rows.append((forth - back) / (2 * h))
        once = [(4 * b - a) / 3 for a, b in pairwise(rows)]
        J[(..., *i)] = (16 * once[1] - once[0]) / 15
    return J


def right(f, *arguments, tolerance=1e-6):
    """Every Jacobian agrees with differences in numbers, shape and kind, and with the products without a matrix."""
    value = np.asarray(f(*arguments))
    found = jacobian(f, tuple(range(len(arguments))))(*arguments)
    for k, J in enumerate(found):
        measured = differences(f, arguments, k)
        assert J.shape == value.shape + np.shape(arguments[k])
        assert J.dtype == np.result_type(value, np.asarray(arguments[k]), np.float32), k
        scale = max(1.0, np.abs(measured).max(initial=0))
        np.testing.assert_allclose(J, measured, rtol=tolerance, atol=tolerance * scale, err_msg=f"argument {k}")
