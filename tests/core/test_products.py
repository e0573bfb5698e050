"""Products with vectors: on Jacobians, layers, chains and graphs, against full tensors and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.linalg import gmres, lsmr, svds

from jacobians import Affine, Chain, Linear, MatMul, Multiply, Residual, Softmax, Tanh, numerical_jacobian, trace
from jacobians.engine import memory
from jacobians.layers import registry

rng = np.random.default_rng(11)
net = Chain(Affine(rng.normal(size=(4, 3)), rng.normal(size=4)), Residual(Chain(Tanh(), Linear(np.eye(4)))), Softmax())


@pytest.mark.parametrize("x", [rng.normal(size=3), rng.normal(size=(2, 3))], ids=["vector", "batch"])
@pytest.mark.parametrize("wrt", net.arguments)
def test_products_of_a_chain(x, wrt):
    J = net.jacobians(x)[wrt]
    h, u = rng.normal(size=J.shape[x.ndim :]), rng.normal(size=J.shape[: x.ndim])
    np.testing.assert_allclose(net.jvp(x, h, wrt=wrt), np.tensordot(J, h, h.ndim), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(net.vjp(x, u, wrt=wrt), np.tensordot(u, J, u.ndim), rtol=1e-12, atol=1e-14)
    several, many = rng.normal(size=(5, *h.shape)), rng.normal(size=(5, *u.shape))
    np.testing.assert_allclose(net.jvp(x, several, wrt=wrt), [net.jvp(x, h, wrt=wrt) for h in several], atol=1e-14)
    np.testing.assert_allclose(net.vjp(x, many, wrt=wrt), [net.vjp(x, u, wrt=wrt) for u in many], atol=1e-14)


def test_the_first_input_is_the_default_and_several_names_give_dicts():
    x, u = rng.normal(size=3), rng.normal(size=4)
    np.testing.assert_array_equal(net.vjp(x, u), net.vjp(x, u, wrt="x"))
    np.testing.assert_array_equal(net.jvp(x, x), net.jvp(x, x, wrt="x"))
    every = net.vjp(x, u, wrt=net.arguments)
    assert list(every) == list(net.arguments)
    for name, product in every.items():
        np.testing.assert_allclose(product, net.vjp(x, u, wrt=name), rtol=1e-12, atol=1e-15)
    tangents = {"0.A": rng.normal(size=(4, 3)), "x": rng.normal(size=3)}
    total = sum(net.jvp(x, h, wrt=name) for name, h in tangents.items())
    np.testing.assert_allclose(net.jvp(x, tangents), total)
    np.testing.assert_allclose(net.jvp(x, tangents, wrt=["x", "0.A"]), total)


def test_against_finite_differences():
    x, h = rng.normal(size=3), rng.normal(size=3)
    along = numerical_jacobian(lambda t: net(x + t * h), np.array(0.0))
    np.testing.assert_allclose(net.jvp(x, h), along.value, atol=1e-8)


def test_several_inputs_and_numbers():
    w, x = rng.normal(size=3), rng.normal(size=3)
    np.testing.assert_allclose(Multiply().jvp(w, x, [1, 2, 3], wrt="y"), w * [1, 2, 3])
    np.testing.assert_allclose(Multiply().vjp(w, x, [1, 2, 3]), x * [1, 2, 3])
    A = rng.normal(size=(2, 3))
    names = MatMul().input_names
    np.testing.assert_allclose(MatMul().jvp(A, A.T, {names[0]: A, names[1]: A.T}), 2 * A @ A.T)
    loss = trace(lambda x: (x * x).sum(), x)
    assert isinstance(loss.jvp(x), np.floating)
    assert loss.jvp(x) == pytest.approx(2 * x @ x)


EXAMPLES = list(registry.examples())


@pytest.mark.parametrize(("layer", "inputs"), [e[1:] for e in EXAMPLES[::8]], ids=[e[0] for e in EXAMPLES[::8]])
def test_products_of_layers(layer, inputs):
    z = np.asarray(layer(*inputs))
    for wrt in layer.arguments:
        J = layer.jacobians(*inputs, wrt=wrt)[wrt]
        h = rng.normal(size=J.shape[z.ndim :])
        u = rng.normal(size=z.shape)
        scale = 1e-12 * (1 + np.abs(J).max(initial=0)) * max(1, h.size, u.size)
        np.testing.assert_allclose(layer.jvp(*inputs, h, wrt=wrt), np.tensordot(J, h, h.ndim), atol=scale)
        np.testing.assert_allclose(layer.vjp(*inputs, u, wrt=wrt), np.tensordot(u, J, u.ndim), atol=scale)


@pytest.mark.parametrize("call", [
    lambda: net.jvp(np.ones(3), np.ones(4)),
    lambda: net.jvp(np.ones(3), np.ones((2, 2, 3))),
    lambda: net.vjp(np.ones(3), np.ones(3)),
    lambda: net.jvp(np.ones(3), np.ones(3), wrt="y"),
    lambda: net.jvp(np.ones(3), {"x": np.ones((2, 3)), "0.b": np.ones(4)}),
    lambda: net.jvp(np.ones(3), ["a", "b", "c"]),
])  # fmt: skip
def test_errors_name_what_is_needed(call):
    with pytest.raises(ValueError, match=r"tangent|cotangent|wrt must be of"):
        call()
    with pytest.raises(TypeError, match="takes 1 input"):
        net.jvp(np.ones(3))


def test_no_matrix_is_made(monkeypatch):
    """Batches whose Jacobians would take terabytes; only vectors are there."""
    monkeypatch.setattr(memory, "available", lambda: 2e9)
    A, b = np.full((300, 300), 0.01), np.zeros(300)
    wide = Chain(Affine(A, b), Tanh(), Affine(A, b))
    x = np.ones((1000, 300))
    assert wide.vjp(x, x, wrt="0.A").shape == (300, 300)
    assert wide.jvp(x, np.ones((300, 300)), wrt="0.A").shape == (1000, 300)


def test_linear_operators_in_solvers():
    A = rng.normal(size=(12, 6))
    g = trace(lambda x: np.tanh(A @ x), rng.normal(size=6) / 9)
    operator, matrix, b = g.linear_operator("x"), g.jacobian("x").matrix(), rng.normal(size=12)
    np.testing.assert_allclose(operator @ np.eye(6), matrix, atol=1e-14)
    np.testing.assert_allclose(operator.H @ np.eye(12), matrix.T, atol=1e-14)
    np.testing.assert_allclose(lsmr(operator, b, atol=1e-12, btol=1e-12)[0], np.linalg.lstsq(matrix, b)[0], atol=1e-8)
    np.testing.assert_allclose(svds(operator, 2, random_state=0)[1], np.linalg.svd(matrix)[1][1::-1], rtol=1e-8)
    square = trace(lambda x: x + 0.1 * np.tanh(A[:6] @ x), rng.normal(size=6))
    found, failed = gmres(square.linear_operator(), b[:6], rtol=1e-12)
    assert not failed
    np.testing.assert_allclose(square.jacobian().matrix() @ found, b[:6], atol=1e-9)


def test_graphs_take_lists():
    g = trace(lambda x: x * x, np.array([1.0, 2.0]))
    np.testing.assert_array_equal(g.jvp([3, 4]), [6, 16])
    np.testing.assert_array_equal(g.vjp([[1.0, 0.0], [0.0, 1.0]]), [[2, 0], [0, 4]])


def test_complex_operators_are_adjoint():
    A = rng.normal(size=(3, 2)) + 1j * rng.normal(size=(3, 2))
    J = Linear(A).linearize(np.ones(2, complex))[1]["x"]
    u = rng.normal(size=3) + 1j * rng.normal(size=3)
    np.testing.assert_allclose(J.linear_operator().rmatvec(u), A.conj().T @ u)
    np.testing.assert_allclose(J.linear_operator().rmatmat(u[:, None]), A.conj().T @ u[:, None])
