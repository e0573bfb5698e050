"""Arrays that a traced function makes, and what stands where NumPy stood after it."""

from __future__ import annotations

import threading
from functools import partial

import numpy as np
import pytest
from numpy import array, zeros

from jacobians import TracingError, jacobian, trace
from tests.functions.differences import right

rng = np.random.default_rng(0)
v = rng.normal(size=3)


def written(x):
    y = zeros(3)
    y[0] = x[0] * x[1]
    y[1:] = x[:2] ** 2
    M = np.eye(3)
    M[0, 2] = x[2]
    F = np.full((3,), x[0])
    F[1] = 2.0
    return M @ y * F


def accumulated(x):
    s, p, out = np.zeros(3), np.ones(3), np.empty((2, 3))
    for k in range(3):
        s += k * x
        p *= x
    out[0], out[1] = s, p
    return out


def built(x):
    S = np.array([[x[0] ** 2 + 1, x[1]], [x[1], 2.0]])
    b = np.asarray([x[2], 1.0], dtype=float)
    return np.linalg.solve(S, b) + np.linalg.norm([x[0], 2.0]) + np.mean([x[0], x[1]]) + array(x, ndmin=2).sum()


def constants(x):
    """Arrays into which nothing traced is written are as plain as ever."""
    X = np.ones((4, 3))
    X[0] = 2.0
    values = np.random.default_rng(0).normal(size=3)  # compiled code that makes arrays by itself
    table = {X[0, 0]: 1.0}
    assert isinstance(np.zeros(3, dtype=int), np.ndarray)
    assert float(X[1, 1]) == 1.0
    assert np.union1d(X, X).shape == (2,)  # there is no rule for it
    return X @ x * table[2.0] + values.sum()


@pytest.mark.parametrize("f", [written, accumulated, built, constants])
def test_arrays_that_are_made(f):
    right(f, v)
    assert trace(f, v).output == pytest.approx(f(v))


class Model:
    def __init__(self, scale):
        self.scale = scale

    def __call__(self, x):
        return self.method(x)

    def method(self, x):
        y = np.zeros(3)
        y[:] = x * self.scale
        return y


@pytest.mark.parametrize("f", [Model(2.0), Model(2.0).method, partial(Model.method, Model(2.0)), partial(written)])
def test_whatever_can_be_called(f):
    right(f, v)


def test_numpy_is_what_it_was():
    before = np, zeros, array

    def failing(x):
        raise KeyError("no")

    with pytest.raises(KeyError):
        jacobian(failing)(v)
    jacobian(lambda x: jacobian(written)(np.ones(3)) @ x)(v)
    assert before == (np, zeros, array)
    assert type(np.zeros(3)) is np.ndarray


def test_other_threads_get_plain_arrays():
    found = []

    def f(x):
        thread = threading.Thread(target=lambda: found.append((np.zeros(3), np.array([1.0, 2.0]))))
        thread.start()
        thread.join()
        return x * 2

    jacobian(f)(v)
    assert all(type(one) is np.ndarray for one in found[0])


def test_two_threads_trace_at_once():
    results = {}

    def run(k):
        for _ in range(20):
            results[k] = jacobian(written)(v)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for one in results.values():
        np.testing.assert_array_equal(one, results[0])
    assert type(np.zeros(3)) is np.ndarray


OUTSIDE = np.zeros(3)


def test_arrays_from_outside_are_refused_and_left_alone():
    def f(x):
        OUTSIDE[0] = x[0]
        return OUTSIDE

    with pytest.raises(TracingError, match=r"OUTSIDE\[0\] = x\[0\]"):
        jacobian(f)(v)
    assert not OUTSIDE.any()
