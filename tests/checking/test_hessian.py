"""Claimed Hessians, against gradients that are given, traced or numerical."""

import math

import numpy as np
import pytest

from jacobians import check_hessian

random = np.random.default_rng(8)
x = random.normal(size=4)
A = random.normal(size=(3, 4))


def logistic(x):
    return np.sum(np.log1p(np.exp(A @ x)))


def second(x):
    s = 1 / (1 + np.exp(-A @ x))
    return A.T @ ((s * (1 - s))[:, None] * A)


def untraceable(x):
    return sum(math.log1p(math.exp(v)) for v in np.asarray(A @ np.asarray(x, dtype=float)))


@pytest.mark.parametrize("f", [logistic, untraceable, lambda x: np.array(untraceable(x))])
def test_right_and_wrong(f):
    assert check_hessian(f, x, second(x)).ok
    assert check_hessian(f, x, second).ok
    assert not check_hessian(f, x, 1.001 * second(x)).ok
    report = check_hessian(f, x, np.triu(second(x)))
    assert not report.ok
    assert "not symmetric" in str(report)
    assert report.findings[0].name == "∂∇f/∂x"


def test_a_gradient_that_is_given():
    grad = lambda x: (1 / (1 + np.exp(-A @ x))) @ A
    report = check_hessian(logistic, x, second(x), grad=grad)
    assert report.ok
    assert "given" in report.notes[-1]


def test_several_outputs():
    f = lambda x: np.array([x[0] ** 2 * x[1], x[2] * x[3]])
    H = np.zeros((2, 4, 4))
    H[0, 0, 0], H[0, 0, 1], H[0, 1, 0] = 2 * x[1], 2 * x[0], 2 * x[0]
    H[1, 2, 3] = H[1, 3, 2] = 1
    assert check_hessian(f, x, H).ok
    assert check_hessian(lambda M: np.trace(M @ M @ M), np.eye(2) + 0.1, _trace_of_cube(np.eye(2) + 0.1)).ok


def _trace_of_cube(M):
    return 3 * (np.einsum("jk,li->ijkl", np.eye(2), M) + np.einsum("jk,li->ijkl", M, np.eye(2)))


def test_several_arguments():
    f = lambda a, b: np.sum(a * a) * np.sum(b)
    a, b = np.array([0.5, -1.0]), np.array([2.0, 0.3, 1.1])
    H = ((2 * b.sum() * np.eye(2), 2 * np.outer(a, np.ones(3))), (2 * np.outer(np.ones(3), a), np.zeros((3, 3))))
    assert check_hessian(f, (a, b), H).ok
    assert check_hessian(f, (a, b), {"a": {"a": H[0][0], "b": H[0][1]}, "b": {"a": H[1][0], "b": H[1][1]}}).ok
    report = check_hessian(f, (a, b), ((H[0][0], 2 * H[0][1]), H[1]))
    assert report.wrong == ("∂∇f.a/∂b",)
    assert check_hessian(f, (a, b), H[0][0], argnums=0).ok
    with pytest.raises(ValueError, match="2 rows"):
        check_hessian(f, (a, b), H[:1])
