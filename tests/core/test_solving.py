"""Uses of a Jacobian: covariances, determinants, solutions, singular values; dense and sparse, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import Jacobian, Linear, Tanh, term, trace
from jacobians.core import solving
from tests.dense import jacobians

rng = np.random.default_rng(3)
shapes = st.sampled_from([(), (2,), (3,), (2, 3)])


@settings(max_examples=60, deadline=None)
@given(shapes.flatmap(lambda m: shapes.flatmap(lambda n: jacobians(m, n))), st.integers(0, 2**31))
def test_covariances_gram_and_normal(drawn, seed):
    J, dense = drawn
    r = np.random.default_rng(seed)
    m, n = int(np.prod(J.out_shape)), int(np.prod(J.wrt_shape))
    matrix, root = dense.reshape(m, n), r.normal(size=(n, n))
    S, s = root @ root.T, r.uniform(size=n)
    close = {"rtol": 1e-10, "atol": 1e-10}
    both = J.out_shape + J.out_shape
    np.testing.assert_allclose(J.gram().full(), (matrix @ matrix.T).reshape(both), **close)
    np.testing.assert_allclose(J.normal().full(), (matrix.T @ matrix).reshape(J.wrt_shape + J.wrt_shape), **close)
    found = J.propagate(S.reshape(J.wrt_shape + J.wrt_shape), kind="covariance")
    np.testing.assert_allclose(found, (matrix @ S @ matrix.T).reshape(both), **close)
    found = J.propagate(s.reshape(J.wrt_shape), kind="deviations")
    np.testing.assert_allclose(found, (matrix @ np.diag(s**2) @ matrix.T).reshape(both), **close)


def test_propagation_against_samples():
    def f(x):
        return np.array([x[0] * x[1], np.sin(x[2])])

    x, s = np.array([1.0, 2.0, 0.3]), np.array([1e-3, 2e-3, 1e-3])
    samples = np.stack([f(y) for y in rng.normal(x, s, size=(20_000, 3))])
    covariance = trace(f, x).jacobian().propagate(s)
    np.testing.assert_allclose(np.cov(samples.T), covariance, rtol=0.05, atol=1e-7)


def test_propagation_says_what_it_needs():
    J = Linear(rng.normal(size=(3, 2))).linearize(np.ones(2))[1]["x"]
    for wrong in (np.ones(3), np.ones((3, 3)), np.ones((1, 2, 2)), 1.0):
        with pytest.raises(ValueError, match=r"of shape \(2, 2\) or standard deviations of shape \(2,\); it is"):
            J.propagate(wrong)
    with pytest.raises(ValueError, match="kind is 'deviations'"):
        J.propagate(np.eye(2), kind="deviations")
    with pytest.raises(ValueError, match="not negative"):
        J.propagate([1.0, -1.0])
    scalar = term("c -> ;", 3.0).bind()
    with pytest.raises(ValueError, match='kind="covariance" or kind="deviations"'):
        scalar.propagate(2.0)
    assert scalar.propagate(2.0, kind="covariance") == 18
    assert scalar.propagate(2.0, kind="deviations") == 36


def test_complex_covariances_are_hermitian():
    A = rng.normal(size=(3, 2)) + 1j * rng.normal(size=(3, 2))
    J = Jacobian.from_array(A, 1)
    np.testing.assert_allclose(J.propagate(np.eye(2)), A @ A.conj().T)
    np.testing.assert_allclose(J.propagate([1.0, 2.0]), A @ np.diag([1, 4]) @ A.conj().T)


def large(n, complex_=False):
    """A sparse matrix with maps and a diagonal, and its dense twin."""
    d, p = rng.normal(size=n), rng.permutation(n)
    e = rng.uniform(2, 3, size=n) * (np.exp(1j * rng.normal(size=n)) if complex_ else 1)
    J = term("e_i -> i;i", e).bind((n,), (n,)) + 0.1 * term("d_i -> i;(n_i)", d, p).bind((n,), (n,))
    M = np.diag(e)
    M[np.arange(n), p] += 0.1 * d
    return J, M


@pytest.mark.parametrize("complex_", [False, True])
def test_sparse_matrices_give_what_dense_ones_give(complex_, monkeypatch):
    J, M = large(60, complex_)
    b = rng.normal(size=(3, 60))
    monkeypatch.setattr(solving, "SMALL", 100)
    assert solving._is_sparse(J)
    np.testing.assert_allclose(J.slogdet(), np.linalg.slogdet(M))
    np.testing.assert_allclose(J.solve(b), np.linalg.solve(M, b.T).T)
    np.testing.assert_allclose(J.solve(b[0] + 1j), np.linalg.solve(M, b[0] + 1j))
    np.testing.assert_allclose(J.lstsq(b), np.linalg.solve(M, b.T).T, rtol=1e-9)
    np.testing.assert_allclose(J.singular_values(3), np.linalg.svd(M)[1][:3])
    np.testing.assert_allclose(J.singular_values(), np.linalg.svd(M)[1])


def test_the_sign_of_permutations():
    for _ in range(20):
        p = rng.permutation(7)
        assert solving._sign(p) == pytest.approx(np.linalg.det(np.eye(7)[p]))


def test_singular_matrices(monkeypatch):
    for small in (solving.SMALL, 4):
        monkeypatch.setattr(solving, "SMALL", small)
        J = term("d_i -> i;i", np.r_[np.ones(30), 0.0]).bind()
        assert J.slogdet() == (0, -np.inf)
        with pytest.raises(np.linalg.LinAlgError, match="Singular"):
            J.solve(np.ones(31))
        np.testing.assert_allclose(J.lstsq(np.full(31, 2.0)), np.r_[np.full(30, 2.0), 0], atol=1e-12)


def test_shapes_of_solutions():
    A = rng.normal(size=(6, 6))
    J = Jacobian.from_array(A.reshape(2, 3, 3, 2), 2)
    b = rng.normal(size=(2, 3))
    np.testing.assert_allclose(J.solve(b), np.linalg.solve(A, b.ravel()).reshape(3, 2))
    np.testing.assert_allclose(J.solve(np.stack([b, 2 * b]))[1], 2 * J.solve(b))
    tall = Jacobian.from_array(rng.normal(size=(5, 2)), 1)
    assert tall.lstsq(np.ones(5)).shape == (2,)
    assert tall.lstsq(np.ones((0, 5))).shape == (0, 2)
    assert term("c -> ;", 2.0).bind().solve(3.0) == 1.5
    for call in (tall.slogdet, lambda: tall.solve(np.ones(5))):
        with pytest.raises(ValueError, match="square matrix; J is 5 × 2"):
            call()
    for k in (-1, 3):
        with pytest.raises(ValueError, match="from 0 to 2"):
            tall.singular_values(k)


def test_a_change_of_variables():
    """log p(y) = log p(x) − log |det ∂y/∂x| for y = tanh x, entry by entry."""
    x = rng.normal(size=50)
    _, found = Tanh().linearize(x)
    assert found["x"].slogdet()[1] == pytest.approx(np.log(1 - np.tanh(x) ** 2).sum())
