"""``np.linalg`` against finite differences and JAX, at regular points and where there is no derivative."""

import numpy as np
import pytest
from numpy import linalg
from numpy.linalg import LinAlgError

from jacobians import TracingError, jacobian, trace
from tests.functions.oracles import right

rng = np.random.default_rng(3)


def a(*shape):
    return rng.normal(size=shape)


def s(n, *stack):
    root = a(*stack, n, n)
    return root @ np.swapaxes(root, -1, -2) + 0.5 * np.eye(n)


SQUARE, TALL, WIDE, STACK, SYMMETRIC = a(3, 3), a(3, 2), a(2, 3), a(2, 3, 3), s(3)
LOW_RANK = a(4, 2)
C = a(3, 3) + 1j * a(3, 3)

SQUARES = {
    "inv": linalg.inv,
    "det": linalg.det,
    "slogdet": lambda x: linalg.slogdet(x)[1],
    "slogdet, sign": lambda x: linalg.slogdet(x).sign[..., None] * x[..., 0],
    "eigvalsh": linalg.eigvalsh,
    "eigvalsh, upper": lambda x: linalg.eigvalsh(x, "U"),
    "eigh": lambda x: linalg.eigh(x)[1],
    "eigh, upper": lambda x: linalg.eigh(x, UPLO="U").eigenvectors,
    "eigvals": lambda x: linalg.eigvals(x),
    "eigvals, abs": lambda x: np.abs(linalg.eigvals(x)),
    "cholesky": lambda x: linalg.cholesky(x @ np.swapaxes(x, -1, -2) + np.eye(3)),
    "cholesky, upper": lambda x: linalg.cholesky(x @ np.swapaxes(x, -1, -2) + np.eye(3), upper=True),
    "svd": lambda x: linalg.svd(x).Vh,
    "power -2": lambda x: linalg.matrix_power(x, -2),
    "power 0": lambda x: linalg.matrix_power(x, 0),
    "power 3": lambda x: linalg.matrix_power(x, 3),
    "cond": linalg.cond,
    "matrix_norm": linalg.matrix_norm,
    "matrix_norm 2": lambda x: linalg.matrix_norm(x, ord=2, keepdims=True),
    "diagonal": lambda x: linalg.diagonal(x) @ linalg.matrix_transpose(x),
    "qr": lambda x: linalg.qr(x).Q,
    "lower triangle only": lambda x: linalg.cholesky(np.eye(3) * 9 + x * np.tri(3)),
}


@pytest.mark.parametrize("name", SQUARES)
def test_square_matrices_and_stacks(name):
    right(SQUARES[name], SQUARE)
    right(SQUARES[name], STACK)


MATRICES = {
    "singular values": lambda x: linalg.svd(x, compute_uv=False),
    "svdvals": linalg.svdvals,
    "U": lambda x: linalg.svd(x, full_matrices=False)[0],
    "S": lambda x: linalg.svd(x).S,
    "Vh": lambda x: linalg.svd(x, full_matrices=False)[2],
    "all of it": lambda x: (lambda u, s, v: (u * s * s) @ v)(*linalg.svd(x, full_matrices=False)),
    "pinv": linalg.pinv,
    "pinv, rcond": lambda x: linalg.pinv(x, rcond=1e-10),
    "cond": linalg.cond,
    "Q": lambda x: linalg.qr(x)[0],
    "R": lambda x: linalg.qr(x)[1],
    "r": lambda x: linalg.qr(x, mode="r"),
    "matrix_rank": lambda x: linalg.matrix_rank(x) * x,
}


@pytest.mark.parametrize("x", [TALL, WIDE, SQUARE], ids=["tall", "wide", "square"])
@pytest.mark.parametrize("name", MATRICES)
def test_matrices_of_every_form(name, x):
    right(MATRICES[name], x)


@pytest.mark.parametrize("x", [TALL, WIDE, SQUARE], ids=["tall", "wide", "square"])
def test_lstsq(x):
    for b in (a(len(x)), a(len(x), 2)):
        for k in (0, 1, 3):
            right(lambda A, b, k=k: linalg.lstsq(A, b, rcond=None)[k], x, b)


ORDERS = (None, 1, 2, 3, 0.5, -1, -2, np.inf, -np.inf, "fro", "nuc")


@pytest.mark.parametrize("order", ORDERS)
def test_norms(order):
    for axis in (None, 0, -1, (0, 1), (1, 0)):
        for keepdims in (False, True):
            try:
                linalg.norm(TALL, order, axis, keepdims)
            except ValueError:
                continue
            right(lambda x, n=axis, k=keepdims: linalg.norm(x, order, n, k), TALL)
    if not isinstance(order, str):
        right(lambda x: linalg.norm(x, order), a(3))
        right(lambda x: linalg.cond(x, order), SQUARE) if order not in (3, 0.5) else None


def test_more_norms():
    right(lambda x: linalg.norm(x, 0) * x, a(3))
    right(linalg.norm, STACK)
    right(lambda x: linalg.norm(x, 2, axis=(0, 2)), STACK)
    right(lambda x: linalg.norm(x, "nuc", axis=(2, 0), keepdims=True), STACK)
    right(lambda x: linalg.vector_norm(x, axis=(0, 2), ord=3), STACK)
    right(lambda x: linalg.norm(C @ x) + linalg.norm(C @ x, 1), a(3))
    right(lambda x: linalg.norm(x) / linalg.norm(x - 1, axis=0), np.array([3.0, 4.0]))
    assert not jacobian(linalg.norm)(np.zeros(3)).any()  # the kink, as documented


def test_solve_and_tensors():
    for b in (a(3), a(3, 2), a(2, 3, 2)):
        right(linalg.solve, SQUARE, b)
        right(linalg.solve, STACK, b)
    right(lambda b: linalg.solve(SQUARE, b), a(3))
    right(lambda x: linalg.tensorinv(x, 1), a(4, 2, 2))
    right(linalg.tensorsolve, a(2, 2, 4), a(2, 2))
    right(lambda A, b: linalg.tensorsolve(A, b, axes=(0,)), a(4, 2, 2), a(2, 2))
    right(lambda x: linalg.det(x), np.ones((2, 2)))  # singular


def test_complex_matrices_of_real_values():
    for f in (linalg.inv, linalg.det, lambda x: linalg.solve(x, C[0])):
        right(lambda x, f=f: np.abs(f(C + 1j * np.outer(x, x))), a(3))
    right(linalg.eigvals, C)
    with pytest.raises(TracingError, match="SymmetricEigenvalues of complex values"):
        jacobian(lambda x: linalg.eigvalsh(C + 1j * x))(SQUARE)


SELECTED = {
    "largest eigenvalue": lambda x: linalg.eigvalsh(x @ x.T)[-1],
    "eigenvalues": lambda x: linalg.eigh(x @ x.T).eigenvalues[..., 2:],
    "eigenvector": lambda x: linalg.eigh(x @ x.T)[1][:, -1],
    "eigenvectors": lambda x: linalg.eigh(x @ x.T)[1][1:3, -2:],
    "singular values": lambda x: linalg.svd(x @ x.T)[1][:2],
    "U": lambda x: linalg.svd(x @ x.T)[0][:, :2],
    "Vh": lambda x: linalg.svd(x @ x.T)[2][:2],
    "Vh, an entry": lambda x: linalg.svd(x @ x.T)[2][0, 1],
    "norm": lambda x: linalg.norm(x @ x.T, 2),
    "PCA of few": lambda x: (x.T - np.mean(x.T, 0)) @ linalg.svd(x.T - np.mean(x.T, 0), full_matrices=False)[2][0],
}


@pytest.mark.parametrize("name", SELECTED)
def test_values_that_are_not_repeated_have_derivatives_beside_those_that_are(name):
    right(SELECTED[name], LOW_RANK)


REFUSED = {
    "equal eigenvalues": (linalg.eigvalsh, np.eye(3), "are equal"),
    "one of equal eigenvalues": (lambda x: linalg.eigvalsh(x)[1], np.eye(3), "are equal"),
    "eigenvectors of equal eigenvalues": (lambda x: linalg.eigh(x)[1], np.eye(3), "are equal"),
    "equal singular values": (lambda x: linalg.svd(x)[1], np.eye(3), "are equal"),
    "singular value zero": (lambda x: linalg.svd(x)[1], np.diag([1.0, 0]), "kink"),
    "2-norm": (lambda x: linalg.norm(x, 2), np.eye(3), "are equal"),
    "nuclear norm": (lambda x: linalg.norm(x, "nuc"), np.ones((2, 2)), "full rank"),
    "p-norm": (lambda x: linalg.norm(x, 0.5), np.array([0, 1.0]), "infinite"),
    "inverse": (linalg.inv, np.ones((2, 2)), "[sS]ingular"),
    "slogdet": (lambda x: linalg.slogdet(x)[1], np.ones((2, 2)), "singular"),
    "cholesky": (linalg.cholesky, -np.eye(2), "positive definite"),
    "pinv": (linalg.pinv, np.ones((3, 2)), "full rank"),
    "pinv that cuts": (lambda x: linalg.pinv(x, rcond=0.9), SQUARE, "rank is full"),
    "lstsq": (lambda x: linalg.lstsq(x, np.ones(3))[0], np.ones((3, 2)), "without full rank"),
    "full U": (lambda x: linalg.svd(x)[0], TALL, "full_matrices=False"),
    "full Vh": (lambda x: linalg.svd(x)[2], WIDE, "full_matrices=False"),
    "complex eigenvectors": (lambda x: linalg.eig(x)[1], np.array([[0, 1.0], [-2, 0.3]]), "phase"),
    "defective": (linalg.eigvals, np.array([[1, 1.0], [0, 1]]), "are equal"),
    "qr": (lambda x: linalg.qr(x)[0], np.ones((3, 2)), "full rank"),
    "complete qr": (lambda x: linalg.qr(x, "complete")[0], TALL, "reduced"),
    "raw qr": (lambda x: linalg.qr(x, "raw")[0], TALL, "reduced"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_where_there_is_no_derivative_it_is_refused(name):
    f, x, message = REFUSED[name]
    with pytest.raises((ValueError, TracingError, LinAlgError), match=message):
        jacobian(f)(x)


def test_nearly_equal_values_are_right():
    x = np.diag([1.0, 1 + 1e-6, 2])
    J = jacobian(lambda x: linalg.eigh(x)[1])(x)
    assert abs(J[0, 1, 1, 0]) == pytest.approx(1e6, rel=1e-9)
    np.testing.assert_allclose(jacobian(linalg.eigvalsh)(x)[0], np.diag([1.0, 0, 0]), atol=1e-9)


def test_what_is_not_used_is_not_refused():
    right(lambda x: linalg.svd(x)[1], TALL)
    right(lambda x: linalg.eig(x)[0], np.array([[0, 1.0], [-2, 0.3]]))


def test_batch_axes_stay_deltas():
    for f in (linalg.inv, linalg.cholesky, linalg.eigvalsh, lambda x: linalg.svd(x)[0]):
        J = trace(f, s(2, 5)).jacobian()
        assert J.nonzeros <= 5 * J.full()[0, ..., 0, :, :].size


def several(n, x):
    w, V = n.linalg.eigh(x.T @ x)
    return n.stack([n.linalg.norm(x, 3, axis=1)[0], n.linalg.norm(x, "nuc"), w[0], V[0, 1] * V[1, 1]])


JAX = {
    "norms and eigenvectors": (several, TALL),
    "det of an inverse": (lambda n, x: n.linalg.det(n.linalg.inv(x)), SQUARE),
    "qr": (lambda n, x: n.linalg.qr(x)[1], TALL),
    "lstsq": (lambda n, x: n.linalg.lstsq(x, np.ones(3))[0], TALL),
    "modulus": (lambda n, x: n.abs(n.exp(1j * x) @ C), WIDE),
}


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", JAX)
def test_agrees_with_jax(name):
    jax = pytest.importorskip("jax", reason="JAX is optional")
    f, x = JAX[name]
    with jax.enable_x64(True):
        expected = np.asarray(jax.jacrev(lambda x: f(jax.numpy, x))(x))
    np.testing.assert_allclose(jacobian(lambda x: f(np, x))(x), expected, rtol=1e-9, atol=1e-11)
