"""Jacobians of NumPy functions against central differences of the very same call."""

from __future__ import annotations

import warnings

import numpy as np

from jacobians import jacobian


def differences(f, arguments, k, size=1e-4):
    """∂f/∂x_k by central differences of the fourth order."""
    x = np.asarray(arguments[k], float)
    columns = []
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = size

        def at(times, step=step):
            moved = [np.array(a) for a in arguments]
            moved[k] = np.asarray(x + times * step)
            return np.asarray(f(*moved), float)

        columns.append((8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * size))
    shape = np.shape(f(*[np.array(a) for a in arguments]))
    return np.stack(columns, axis=-1).reshape(shape + x.shape) if columns else np.zeros(shape + x.shape)


def right(f, *arguments, tolerance=1e-7):
    """The Jacobians by every argument are those of differences, and f has the same values when it is traced."""
    arguments = [np.asarray(a, float) for a in arguments]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of NumPy, where f divides by zero and the like
        found = jacobian(f, tuple(range(len(arguments))))(*[a.copy() for a in arguments])
        for k, J in enumerate(found):
            expected = differences(f, arguments, k)
            assert J.shape == expected.shape
            np.testing.assert_allclose(J, expected, rtol=1e-6, atol=tolerance)
