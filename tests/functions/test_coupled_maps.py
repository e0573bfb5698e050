"""Scatters after gathers, and sparse matrices one after another: positions tie entries that only numbers tell."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import hessian, jacobian, trace
from jacobians.engine import algebra, linearized
from tests.functions.differences import differences

sparse = pytest.importorskip("scipy.sparse", reason="needs SciPy")
rng = np.random.default_rng(0)


def operators(n, m, size):
    near = rng.integers(0, n, (size, 3))
    B = sparse.random_array((m, n), density=3 / n, rng=rng).tocsr()
    K = sparse.diags_array([np.ones(n - 1), -2 * np.ones(n), np.ones(n - 1)], offsets=[-1, 0, 1]).tocsr()
    return near, B, K


def functions(n, m, size):
    near, B, K = operators(n, m, size)

    def diffusion(u):
        flow = (u[near[:, 0]] - u[near[:, 1]]) ** 3
        return np.bincount(near[:, 0], flow, minlength=n) - np.bincount(near[:, 1], flow, minlength=n)

    def elements(u):
        local = u[near]
        y = np.zeros(n)
        np.add.at(y, near, np.stack([local[:, 0] * local[:, 1], np.sin(local[:, 2]), local[:, 0]], axis=1))
        return y

    return {
        "B": lambda u: B.T @ ((1 + (B @ u) ** 2) * (B @ u)),
        "K": lambda u: K @ (u**3 + K @ np.exp(K @ u)),
        "diffusion, twice": lambda u: diffusion(u + 0.1 * diffusion(u)),
        "elements of elements": lambda u: elements(elements(u))[near[:, 0]],
        "nested": lambda u: {"a": B @ (K @ u), "b": [elements(u) * (K @ (K @ u)), u]},
        "one number": lambda u: np.sum(elements(K @ (K @ u)) ** 2),
        "mixed": lambda u: np.cumsum(diffusion(u)) * np.roll(K @ (K @ u), 1),
    }


@pytest.mark.parametrize("least", [0, algebra.COUPLED])
@pytest.mark.parametrize("name", functions(4, 3, 2))
def test_small_ones_against_differences(name, least, monkeypatch):
    """With tables of pairs, and without any."""
    for module in (algebra, linearized):
        monkeypatch.setattr(module, "COUPLED", least)
    n = 11 + (least > 0)  # no program is found again
    f, u = functions(n, 7, 9)[name], rng.normal(size=n) / 2
    if name == "nested":
        f = (lambda g: lambda u: np.concatenate([g(u)["a"], *g(u)["b"]]))(f)
    expected = differences(f, [u], 0).reshape(-1, n)
    found = jacobian(f, sparse=True)(u)
    assert found.has_canonical_format
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(jacobian(f)(u).reshape(-1, n), expected, rtol=1e-5, atol=1e-5)
    J = trace(f, u).jacobian()
    for kind in ("csr", "csc", "coo"):
        assert J.sparse(kind).format == kind
        np.testing.assert_allclose(J.sparse(kind).toarray(), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(J.full().reshape(-1, n), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in functions(4, 3, 2) if name != "mixed"])
def test_large_ones_stay_sparse(name):
    n = 3000
    f, u, h = functions(n, 4000, 3000)[name], rng.normal(size=n) / 3, rng.normal(size=n)
    found = jacobian(f, sparse=True)(u)
    step = 1e-6
    plus, minus = f(u + step * h), f(u - step * h)
    if name == "nested":
        assert found["a"].nnz < 60 * n
        found, plus, minus = found["b"][0], plus["b"][0], minus["b"][0]
    assert found.nnz < 60 * n
    if name != "nested":
        assert trace(f, u).jacobian().nonzeros >= found.nnz  # also of entries that happen to be zero
    np.testing.assert_allclose(found @ h, np.ravel(plus - minus) / (2 * step), rtol=1e-5, atol=1e-5)


def test_hessians():
    n = 1500
    _, B, K = operators(n, 2000, 10)
    u = rng.normal(size=n)
    found = hessian(lambda u: np.sum((B @ u) ** 4) + u @ (K @ u), sparse=True)(u)
    D = sparse.diags_array(12 * (B @ u) ** 2)
    expected = B.T @ D @ B + K + K.T
    assert found.nnz <= expected.nnz
    assert abs(found - expected).max() < 1e-10
