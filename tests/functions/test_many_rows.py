"""More than 8192 rows, the buffer of NumPy's iterators: shapes that small examples never have."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import jacobian, trace

rng = np.random.default_rng(0)
N = 10_000
NEAR = rng.integers(0, N, (N, 2))

FUNCTIONS = {
    "a column": lambda x: x[:, None] * np.ones((1, 2)),
    "a column of a column": lambda x: x[:, None, None] + np.zeros((N, 1, 2)),
    "differences of neighbours": lambda x: np.sin(x[NEAR] - x[:, None]).sum(axis=1),
    "expanded": lambda x: np.expand_dims(x, 1) * x[:, np.newaxis],
    "reshaped": lambda x: x.reshape(-1, 1) ** 2 + x.reshape(N, 1, 1)[:, 0],
    "rows": lambda x: x[None, :] * x,
    "kept": lambda x: np.sum(x.reshape(-1, 2), axis=1, keepdims=True) * np.max(x.reshape(-1, 2), axis=1, keepdims=True),
    "smallest": lambda x: np.min(x.reshape(-1, 1), axis=1, keepdims=True),
    "sorted": lambda x: np.sort(x.reshape(-1, 2), axis=1)[:, :1],
    "taken": lambda x: np.take(x, np.arange(N)[::-1][:, None]) * np.take(x, NEAR[:, :1]),
    "taken along": lambda x: np.take_along_axis(x.reshape(-1, 2), NEAR[: N // 2, :1] % 2, axis=1),
    "repeated": lambda x: np.repeat(x[:, None], 2, axis=1) * np.tile(x[:, None], (1, 2)),
    "stacked": lambda x: np.stack([x, x * x], axis=1)[:, 1:] + np.column_stack([x, x])[:, :1],
    "rolled": lambda x: np.roll(x[:, None], 1, axis=0) * np.flip(x[:, None], 0),
    "padded": lambda x: np.pad(x[:, None], ((1, 1), (0, 0)))[2:] * x[:, None],
    "written": lambda x: written(x),
    "matrix": lambda x: x[:, None] @ np.ones((1, 1)),
    "where": lambda x: np.where(x[:, None] > 0, x[:, None], 2 * x[:, None] ** 2),
    "einsum": lambda x: np.einsum("ia,i->ia", x[:, None], x),
    "broadcast": lambda x: np.broadcast_to(x[:, None], (N, 3)) * np.array([1.0, 2, 3]),
    "squeezed": lambda x: np.squeeze(x[:, None] * x[:, None], 1),
    "moved": lambda x: np.moveaxis(x[:, None, None], 0, 2) * x,
    "diagonal": lambda x: np.diff(x[:, None], axis=0) ** 2,
    "added": lambda x: np.bincount(NEAR[:, 0], x, minlength=N)[:, None] * x[:, None],
}


def written(x):
    y = np.zeros((N, 2))
    y[:, :1] = x[:, None]
    y[:, 1:] += x[:, None] ** 2
    return y


@pytest.mark.parametrize("name", FUNCTIONS)
def test_of_many_rows(name):
    f, x, h = FUNCTIONS[name], rng.normal(size=N), rng.normal(size=N)
    step = 1e-7
    expected = (f(x + step * h) - f(x - step * h)) / (2 * step)
    np.testing.assert_allclose(trace(f, x).jvp(h), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(jacobian(f, sparse=True)(x) @ h, expected.ravel(), rtol=1e-5, atol=1e-5)
