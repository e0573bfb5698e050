"""Functions with constant matrices of ``scipy.sparse``: discretised operators, finite elements, graphs."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import TracingError, hessian, jacobian, trace

sparse = pytest.importorskip("scipy.sparse", reason="needs SciPy")
rng = np.random.default_rng(0)
M, N = 7, 5
FORMATS = ("csr", "csc", "coo", "dia", "lil", "bsr", "dok")


def random_matrix(m, n, kind="csr", matrix=False):
    found = sparse.random_array((m, n), density=0.4, rng=rng, format="coo")
    return (sparse.coo_matrix(found) if matrix else found).asformat(kind)


@pytest.mark.parametrize("matrix", [False, True])
@pytest.mark.parametrize("kind", FORMATS)
def test_products_from_both_sides(kind, matrix):
    A, B = random_matrix(M, N, kind, matrix), random_matrix(N, M, kind, matrix)
    D, E = A.toarray(), B.toarray()
    x, X = rng.normal(size=N), rng.normal(size=(N, 3))
    for f, g, point in (
        (lambda x: A @ x, lambda x: D @ x, x),
        (lambda x: A.dot(x) * (A @ x), lambda x: D.dot(x) * (D @ x), x),
        (lambda x: (x * x) @ B, lambda x: (x * x) @ E, x),
        (lambda x: np.sin(A @ x) @ A, lambda x: np.sin(D @ x) @ D, x),
        (lambda x: A @ x, lambda x: D @ x, X),
        (lambda x: x.T @ B, lambda x: x.T @ E, X),
        (lambda x: B.T @ (x * x), lambda x: E.T @ (x * x), x[:N]),
        (lambda x: B @ (A @ x) + x, lambda x: E @ (D @ x) + x, x),
    ):
        expected = jacobian(g)(point)
        np.testing.assert_allclose(jacobian(f)(point), expected, atol=1e-13)
        found = jacobian(f, sparse=True)(point)
        np.testing.assert_allclose(found.toarray(), expected.reshape(found.shape), atol=1e-13)
        np.testing.assert_array_equal(trace(f, point).output, f(point))
        np.testing.assert_allclose(f(point), g(point))


def test_the_old_star_of_matrices_is_their_product():
    A, x = random_matrix(M, N, matrix=True), rng.normal(size=N)
    with pytest.raises(TracingError, match="A @ x"):
        jacobian(lambda x: A * x)(x)


def test_second_derivatives_and_products():
    K = random_matrix(N, N)
    x = rng.normal(size=N)

    def energy(u):
        return u @ (K @ u) / 2 + np.sum(u**4)

    dense = K.toarray()
    expected = (dense + dense.T) / 2 + np.diag(12 * x**2)
    np.testing.assert_allclose(hessian(energy)(x), expected)
    np.testing.assert_allclose(hessian(energy, sparse=True)(x).toarray(), expected)
    np.testing.assert_allclose(trace(energy, x).hvp(np.ones(N)), expected @ np.ones(N))
    assert trace(lambda u: K @ u, x).check().ok


def test_its_pattern_is_that_of_the_matrix_and_follows_it():
    K = sparse.diags_array([np.ones(999), -2 * np.ones(1000), np.ones(999)], offsets=[-1, 0, 1]).tocsr()
    f = jacobian(lambda u: K @ u + u**3, sparse=True)
    u = rng.normal(size=1000)
    found = f(u)
    assert found.nnz == K.nnz
    np.testing.assert_allclose((found - K).toarray(), np.diag(3 * u**2))
    K.data[:] = 1  # other numbers at the same places, then other places
    np.testing.assert_allclose((f(u) - K).toarray(), np.diag(3 * u**2))
    K = sparse.eye_array(1000, format="csr")[rng.permutation(1000)]
    np.testing.assert_allclose((f(u) - K).toarray(), np.diag(3 * u**2))


def test_float32_complex_and_integers():
    A, x = random_matrix(M, N), rng.normal(size=N)
    assert jacobian(lambda x: A.astype(np.float32) @ x, sparse=True)(x.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(jacobian(lambda x: 1j * A @ x)(x + 0j), 1j * A.toarray())
    np.testing.assert_allclose(jacobian(lambda x: (A > 0).astype(int) @ x)(x), (A.toarray() > 0).astype(float))
    np.testing.assert_allclose(jacobian(lambda x: (A > 0) @ x)(x), (A.toarray() > 0).astype(float))
    np.testing.assert_allclose(jacobian(lambda x: A @ x)(np.arange(N)), A.toarray())


def test_errors():
    A, x = random_matrix(M, N), rng.normal(size=N)
    for f in (lambda x: A @ x[:-1], lambda x: A.T @ x, lambda x: x @ A, lambda x: A @ x.sum()):
        with pytest.raises(ValueError, match=r"do not fit|dimension mismatch|Scalar"):
            jacobian(f)(x)
    for f in (lambda x: A + x, lambda x: A.multiply(x) @ x, lambda x: x * A):
        with pytest.raises((TracingError, ValueError, TypeError)):
            jacobian(f)(x)


def test_a_matrix_of_traced_values_is_refused_and_its_sum_is_right():
    A, x = random_matrix(M, N), rng.normal(size=N)
    np.testing.assert_allclose(jacobian(lambda x: A.multiply(x).sum())(x), A.toarray().sum(axis=0))
    with pytest.raises(TracingError, match=r"A @ \(c \* x\)"):
        jacobian(lambda x: A.multiply(x) @ x)(x)


def test_a_trace_in_a_trace_and_a_constant():
    A, x = random_matrix(M, N), rng.normal(size=N)

    def gradient(x):
        return jacobian(lambda y: np.sum((A @ y) ** 3))(x)

    D = A.toarray()
    np.testing.assert_allclose(jacobian(gradient)(x), 6 * D.T @ np.diag(D @ x) @ D)
    np.testing.assert_allclose(jacobian(lambda x: x[0] * (A @ np.zeros_like(x)))(x), np.zeros((M, N)))
