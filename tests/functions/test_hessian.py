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
    TracingError,
    check_hessian,
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


def test_the_checker_accepts_them_and_nothing_else():
    for f in (lambda x: np.sum(np.sin(x) * x[::-1]), lambda x: np.tanh(A @ x)):
        H = trace(f, x).hessian()
        assert check_hessian(f, x, H).ok
        wrong = H.full()
        wrong[..., 0, 1] += 1e-3
        assert not check_hessian(f, x, wrong).ok


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
         "∂²L/∂x_i∂x_j = Σ_k A_ki c₂_k (σ(-z)(1-σ(-z)))_k A_kj + Σ_k A_ki c₁_k (σ(z)(1-σ(z)))_k A_kj"),
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


def test_second_derivatives_are_written_as_such():
    H = trace(lambda x: np.exp(A @ x), x).hessian()
    assert H._repr_latex_().startswith(r"$$ \frac{\partial^{2} f_{i}}{\partial x_{j} \partial x_{k}} = f_{i}")
    assert "∂<sup>2</sup><i>f</i>" in H._repr_html_()
    assert H.T.shape == (4, 3, 4)
    assert (H @ H.T).shape == (3, 4, 3, 4)
    np.testing.assert_allclose((H @ H.T).full(), np.einsum("ijk,lmk->ijlm", H.full(), H.full()))


# --- traces in traces -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, (_, *arguments) in FUNCTIONS.items() if len(arguments) == 1])
def test_the_jacobian_of_the_jacobian_is_the_hessian(name):
    f, one = FUNCTIONS[name]
    found, expected = jacobian(jacobian(lambda x: f(np, x)))(one), hessian(lambda x: f(np, x))(one)
    assert type(found) is np.ndarray
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * (1 + np.abs(expected).max()))


def scalar(x):
    return np.sum(np.exp(A @ x)) * x[0]


def newton_step(x):
    return x - np.linalg.solve(hessian(scalar)(x), jacobian(scalar)(x))


def residual_of_an_equation(theta):
    W, w = theta[:8].reshape(4, 2), theta[8:]
    total = 0

    def u(p):
        return np.tanh(W @ p) @ w

    for p in (np.array([0.1, 0.2]), np.array([0.4, -0.3])):
        H = jacobian(jacobian(u))(p)
        total = total + (H[0, 0] + H[1, 1] - u(p)) ** 2
    return total


@pytest.mark.parametrize(
    ("f", "at"),
    [
        (lambda x: jacobian(scalar)(x) @ A.T, x),
        (lambda x: hessian(scalar)(x), x),
        (lambda x: hessian(lambda x: np.tanh(A @ x))(x), x),
        (lambda x: hessian(lambda x: np.exp(x) / np.sum(np.exp(x)))(x), x),
        (jacobian(jacobian(lambda x: x * x * x[0])), x),
        (lambda x: jacobian(lambda y: np.sum(x * y * y) + x[0] ** 2)(M[0]), x),
        (lambda x: jacobian(lambda y: np.array([x[0] * y[0], np.sin(y[1] * x[1])]))(x * x), x),
        (lambda x: trace(lambda y: np.sum(np.sin(y) * x), x).hvp(x), x),
        (lambda x: trace(lambda y: np.tanh(A @ y), x).jacobian() @ x, x),
        (lambda x: Chain(Linear(A), Tanh()).hessian(x).full(), x),
        (newton_step, x),
        (residual_of_an_equation, rng.normal(size=12)),
    ],
)
def test_a_function_that_is_traced_may_trace_others(f, at):
    step, h = 1e-5, rng.normal(size=at.shape)
    measured = (f(at + step * h) - f(at - step * h)) / (2 * step)
    found = jacobian(f)(at)
    assert found.shape == np.shape(f(at)) + at.shape
    np.testing.assert_allclose(found @ h, measured, rtol=1e-6, atol=1e-7 * (1 + np.abs(measured).max()))


def test_third_derivatives_are_symmetric():
    T = jacobian(hessian(lambda x: np.log(np.sum(np.exp(x)))))(x)
    for order in ((0, 2, 1), (2, 1, 0), (1, 2, 0)):
        np.testing.assert_allclose(T, T.transpose(order), atol=1e-14)
    p = np.exp(x) / np.sum(np.exp(x))
    assert T[0, 1, 2] == pytest.approx(2 * p[0] * p[1] * p[2])


def test_values_that_are_left_from_a_trace_are_refused():
    left = []
    jacobian(lambda x: left.append(x) or np.sum(x))(x)
    with pytest.raises(TracingError, match="left from another trace"):
        jacobian(lambda y: y * left[0])(x)
    with pytest.raises(TracingError, match="left from another trace"):
        jacobian(lambda y: left[0])(x)

    def outer(x):
        y = np.zeros_like(x)
        jacobian(lambda z: y.__setitem__(0, z[0]) or z)(x)
        return y

    with pytest.raises(TracingError, match="writing a value of an inner trace into an array of an outer one"):
        jacobian(outer)(x)


def complex_on_the_way(x):
    z = np.exp(1j * x)
    w = np.zeros(4, complex)
    w[0], w[1:] = z[1] * x[0], x[1:] ** 2 + 2j * x[:-1]
    return np.array([np.abs(z.sum()) ** 2, (z**3 * x).imag.sum(), (w * w * z).real.sum(), np.abs(np.fft.fft(w))[1]])


def test_second_derivatives_through_complex_values():
    x = np.array([0.3, 0.5, 0.7, 0.2])
    H = hessian(complex_on_the_way)(x)
    assert check_hessian(complex_on_the_way, x, H).ok
    np.testing.assert_allclose(jacobian(jacobian(complex_on_the_way))(x), H, atol=1e-12)


def test_derivatives_of_derivatives_of_kronecker_products():
    A = np.array([[0.3, 0.5], [-0.2, 0.9]])

    def f(A):
        return np.linalg.solve(np.eye(4) - np.kron(A, A), np.eye(2).ravel())

    np.testing.assert_allclose(jacobian(jacobian(f))(A), hessian(f)(A), atol=1e-12)
