"""Plain NumPy functions: exact Jacobians against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import TracingError, jacobian, numerical_jacobian

rng = np.random.default_rng(0)


def right(f, *arguments):
    """The Jacobians by every argument agree with finite differences, and the shapes are those of f and x."""
    found = jacobian(f, tuple(range(len(arguments))))(*arguments)
    for k, J in enumerate(found):

        def by(v, k=k):
            return f(*arguments[:k], v, *arguments[k + 1 :])

        measured = numerical_jacobian(by, arguments[k])
        assert J.shape == np.shape(f(*arguments)) + np.shape(arguments[k])
        np.testing.assert_allclose(J, measured.value, rtol=1e-6, atol=1e-6)


def recurrence(x):
    y = np.zeros_like(x)
    y[0] = x[0] * x[0]
    for i in range(1, len(x)):
        y[i] = y[i - 1] * x[i]
    y[1:3] += x[0]
    return y


def rotation(t):
    c, s = np.cos(t), np.sin(t)
    return np.array([[c, -s], [s, c]]) @ np.array([1.0, 2.0])


def views(x):
    y = x.reshape(2, 3)
    row = y[0]
    row[1] = 5 * x[0]
    y += 1
    return np.concatenate([y.ravel(), row, x[[2, 0, 0]], x[x > 0], x.T])


@pytest.mark.parametrize(
    ("f", "arguments"),
    [
        (lambda A, x, b: np.tanh(A @ x + b), (rng.normal(size=(3, 2)), rng.normal(size=2), rng.normal(size=3))),
        (lambda x: np.sum(x[1:] * x[:-1] * x[::-1][1:]), (rng.normal(size=5),)),
        (recurrence, (rng.normal(size=5),)),
        (rotation, (np.array(0.3),)),
        (views, (rng.normal(size=6),)),
    ],
)  # fmt: skip
def test_functions_as_people_write_them(f, arguments):
    right(f, *arguments)


@pytest.mark.parametrize("f", [float, np.asarray, lambda x: np.frexp(x)])
def test_what_cannot_be_traced_is_refused(f):
    with pytest.raises(TracingError, match=r"cannot be traced in .*test_basics.py"):
        jacobian(lambda x: f(x))(np.ones(2))
