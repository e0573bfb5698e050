"""Second derivatives: against finite differences of exact Jacobians, JAX, and derivations by hand."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import hessian, jacobian, numerical_jacobian, trace

rng = np.random.default_rng(0)
A, M, b = rng.normal(size=(3, 4)), rng.normal(size=(4, 4)), rng.normal(size=3)
x = rng.normal(size=4)


def product_of_neighbours(x):
    y = np.zeros_like(x)
    y[0] = x[0] * x[0]
    for i in range(1, len(x)):
        y[i] = y[i - 1] * x[i]
    return y


FUNCTIONS = [
    lambda x: x @ M @ x,
    lambda x: np.exp(A @ x) * x[0],
    lambda x: np.sum(x[1:] * x[1:] * x[:-1]),
    lambda x: x / np.sum(x * x),
    lambda x: np.log(np.sum(np.exp(A @ x))),
    lambda x: np.sum((A @ x - b) * (A @ x - b)),
    lambda x: np.sqrt(np.sum(x * x)),
    lambda x: np.array([[np.sin(x[0]), np.cos(x[1])], [x[2] / x[3], x[0]]]),
    lambda x: np.max(x * x) * x[1] if x[0] < 5 else x[0],
    lambda x: np.mean(x * x * x) + x[[2, 0, 0]],
    product_of_neighbours,
]


def right(f, *arguments):
    """All second derivatives agree with finite differences of the exact Jacobians."""
    every = tuple(range(len(arguments)))
    found = hessian(f, every)(*arguments)
    for k in every:
        for l in every:

            def by(v, k=k, l=l):
                return jacobian(f, k)(*arguments[:l], v, *arguments[l + 1 :])

            measured = numerical_jacobian(by, arguments[l])
            assert found[k][l].shape == np.shape(f(*arguments)) + np.shape(arguments[k]) + np.shape(arguments[l])
            np.testing.assert_allclose(found[k][l], measured.value, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("f", FUNCTIONS)
def test_functions_as_people_write_them(f):
    right(f, x)


def test_several_arguments():
    right(lambda A, x: np.exp(A @ x) * x[:3], A, x)
    right(lambda s, A: s * A * np.sum(A), np.array(2.0), A)


def test_nested_arguments_are_nested_twice():
    params = {"W": A, "b": b}
    found = hessian(lambda p: np.sum(np.exp(p["W"] @ x + p["b"])))(params)
    assert found["W"]["b"].shape == (3, 4, 3)
    np.testing.assert_allclose(found["b"]["W"], np.moveaxis(found["W"]["b"], 2, 0))


def test_a_graph_has_second_derivatives_of_every_value():
    def f(A, x):
        h = np.exp(A @ x)
        loss = np.sum(h * h)
        return loss  # noqa: RET504 - a name to be found

    g = trace(f, A, x)
    np.testing.assert_allclose(g.hessian("A", "x").full(), hessian(f, (0, 1))(A, x)[0][1])
    assert g.hessian("x", of="h").formula == "∂²h_i/∂x_j∂x_k = h_i A_ij A_ik"
    assert g.hessian("h").formula == "∂²loss/∂h_i∂h_j = 2 δ_ij"
    with pytest.raises(ValueError, match="h is made of x"):
        g.hessian("x", "h")
    H, h = g.hessian("x").full(), rng.normal(size=(5, 4))
    np.testing.assert_allclose(g.hvp(h[0], "x"), H @ h[0])
    np.testing.assert_allclose(g.hvp(h, "x"), h @ H)
