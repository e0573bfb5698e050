"""Second derivatives: against finite differences of exact Jacobians, JAX, and derivations by hand."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import (
    BinaryCrossEntropyWithLogits,
    Chain,
    Inverse,
    JacobianTooLarge,
    Linear,
    LogDet,
    LogSumExp,
    QuadraticForm,
    Tanh,
    hessian,
    jacobian,
    numerical_jacobian,
    trace,
)
from tests.functions.hessian_functions import FUNCTIONS

rng = np.random.default_rng(0)
A, M, b = rng.normal(size=(3, 4)), rng.normal(size=(4, 4)), rng.normal(size=3)
x = rng.normal(size=4)


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


@pytest.mark.parametrize("name", FUNCTIONS)
def test_agrees_with_differences_of_the_jacobian_along_a_direction(name):
    f, *arguments = FUNCTIONS[name]
    every, step = tuple(range(len(arguments))), 1e-5
    found = hessian(lambda *some: f(np, *some), every)(*arguments)
    g = trace(lambda *some: f(np, *some), *arguments)
    for l in every:
        h = rng.normal(size=np.shape(arguments[l]))
        ends = [
            jacobian(lambda *some: f(np, *some), every)(*arguments[:l], arguments[l] + s * h, *arguments[l + 1 :])
            for s in (step, -step)
        ]
        for k in every:
            H, measured = found[k][l], (ends[0][k] - ends[1][k]) / (2 * step)
            assert H.shape == measured.shape + h.shape
            np.testing.assert_allclose(
                np.tensordot(H, h, h.ndim), measured, rtol=1e-6, atol=1e-7 * (1 + np.abs(measured).max())
            )
        close = {"rtol": 1e-9, "atol": 1e-10 * (1 + np.abs(found[l][l]).max())}
        np.testing.assert_allclose(g.hessian(l, l).full(), found[l][l], **close)
        np.testing.assert_allclose(g.hvp(h, l), np.tensordot(found[l][l], h, h.ndim), **close)


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


@pytest.mark.parametrize(
    ("H", "formula"),
    [
        (lambda: QuadraticForm().hessian(x, M), "∂²z/∂x_i∂x_j = (A+Aᵀ)_ji"),
        (lambda: LogSumExp().hessian(x), "∂²z/∂x_i∂x_j = δ_ij p_i − p_i p_j"),
        (lambda: LogDet().hessian(M), "∂²d/∂x_ij∂x_kl = −X⁻¹_li X⁻¹_jk"),
        (lambda: Inverse().hessian(M), "∂²Y_ij/∂x_kl∂x_mn = Y_im Y_lj Y_nk + Y_ik Y_nj Y_lm"),
        (lambda: Chain(Linear(A), Tanh()).hessian(x), "∂²f_i/∂x_j∂x_k = −2 f_i (1-f²)_i A_ij A_ik"),
        (lambda: trace(lambda X: np.trace(X @ X), M).hessian(), "∂²f/∂X_ij∂X_kl = 2 δ_jk δ_il"),
        (lambda: trace(lambda x: (A @ x - b) @ (A @ x - b), x).hessian(), "∂²f/∂x_i∂x_j = 2 Σ_k A_ki A_kj"),
        (lambda: Chain(Linear(A), BinaryCrossEntropyWithLogits([1, 0, 1])).hessian(x),
         "∂²L/∂x_i∂x_j = Σ_k […]_ki A_kj"),
    ],
)  # fmt: skip
def test_formulas_of_the_matrix_cookbook(H, formula):
    assert H().formula == formula


def test_structure_is_kept():
    n = 2000
    at = np.random.default_rng(1).normal(size=n)
    H = trace(lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2), at).hessian()
    assert H.nonzeros <= 3 * n
    assert H.nbytes < 40 * n * 8
    matrix = H.sparse()
    assert matrix.nnz == 3 * n - 2
    np.testing.assert_allclose(matrix.diagonal()[1:-1], 1200 * at[1:-1] ** 2 - 400 * at[2:] + 202)
    np.testing.assert_allclose(matrix.diagonal(1), -400 * at[:-1])
    np.testing.assert_array_equal(hessian(np.sin, sparse=True)(at).nonzero(), (np.arange(n) * (n + 1), np.arange(n)))


def test_memory_is_refused_before_it_is_allocated():
    with pytest.raises(JacobianTooLarge, match="of shape"):
        hessian(lambda X: np.linalg.inv(X))(np.eye(300))
    H = trace(lambda X: np.linalg.inv(X), np.eye(300)).hessian()
    assert H.nbytes < 10 * 300**2 * 8
    assert H[0, 0, 0, 0, 0, 0] == 2
