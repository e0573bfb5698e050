"""Entries of taken entries: of several lookups without a label, none is taken for another."""

import numpy as np
import pytest

from jacobians import jacobian, trace
from tests.functions.oracles import right


def test_an_entry_of_taken_entries():
    x = np.arange(4.0).reshape(2, 2)
    right(lambda x: np.ravel(x)[[0, 3, 2, 1]][1], x)
    right(lambda x: np.sort(np.ravel(x))[2] * x[[1, 0]][:, [1, 0]][0, 0], x)


@pytest.mark.parametrize("size", [5, 60])
def test_several_lookups_of_one_array_at_once(size):
    """x[i, j] and reshapes after a nonlinear function: the entries are taken, not rows and then columns."""
    rng = np.random.default_rng(size)
    i, j, k = rng.integers(-size, size, (3, 4 * size))
    x, h = rng.normal(size=(2, size, size))
    functions = (
        lambda x: np.sin(x)[i, j] * x[j, i],
        lambda x: (np.sin(x)[i, i] + x[i, j]) ** 2,
        lambda x: np.sin(x).ravel() ** 2,
        lambda x: np.exp(x[:, :5]).T.ravel() * 2,
        lambda x: np.sin(x[:4, :3]).reshape(2, 6) ** 2,
        lambda x: (x[:, :3, None] * x[:, None, 3:5])[i, j % 3, k % 2] ** 2,
        lambda x: np.sin(np.sin(x)[i[:, None], j[None, :3]])[k, k % 3],
        lambda x: np.sum(np.exp(x)[i, j] * np.cos(x)[j, i]),
    )
    for f in functions:
        expected = (f(x + 1e-6 * h) - f(x - 1e-6 * h)) / 2e-6
        np.testing.assert_allclose(trace(f, x).jvp(h), expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(jacobian(f, sparse=True)(x) @ h.ravel(), np.ravel(expected), rtol=1e-5, atol=1e-6)
        J = trace(f, x).jacobian()
        assert max(a.size for a in J.arrays) <= 12 * size + size * size
