"""Many columns: random directions, groups of a sparse pattern, and the entry that is found."""

import numpy as np
import pytest

from jacobians.checking import check_jacobian
from jacobians.checking.measuring.grouping import group_columns

n = 300
random = np.random.default_rng(6)
A, x = random.normal(size=(n, n)) / 30, random.normal(size=n)
J = (1 - np.tanh(A @ x) ** 2)[:, None] * A


def f(x):
    return np.tanh(A @ x)


@pytest.mark.parametrize("strategy", ["columns", "projections"])
def test_one_wrong_of_very_many(strategy):
    if strategy == "projections":
        assert check_jacobian(f, x, J, strategy=strategy).ok
    wrong = J.copy()
    wrong[250, 121] *= 1.001
    report = check_jacobian(f, x, wrong, strategy=strategy)
    assert not report.ok
    assert report.findings[0].worst[0].index == (250, 121)
    assert "90000 entries: [250, 121]" in str(report)


def test_the_miss_probability_is_stated():
    report = check_jacobian(f, x, J, strategy="projections")
    assert "with probability 2^-30 at most" in str(report)


def test_factor_along_directions():
    assert "(sign)" in str(check_jacobian(lambda x: np.tanh(A[:90] @ x), x, -J[:90], strategy="projections"))


def test_a_sparse_pattern_groups_columns():
    sparse = pytest.importorskip("scipy.sparse", reason="SciPy is optional")
    size = 2000
    T = sparse.diags_array([np.ones(size - 1), -2 * np.ones(size), np.ones(size - 1)], offsets=[-1, 0, 1]).tocsr()
    y = random.normal(size=size)
    S = (T @ sparse.diags_array(3 * y**2)).tocsr()
    groups = group_columns(S.tocsc().indptr, S.tocsc().indices, size)
    assert len(groups) == 3
    calls = 0

    def g(y):
        nonlocal calls
        calls += 1
        return T @ y**3

    assert check_jacobian(g, y, S).ok
    assert calls < 500
    changed = S.tolil()
    changed[17, 18] = 0
    report = check_jacobian(g, y, changed.tocsr())
    assert report.findings[0].worst[0].index == (17, 18)


def test_bad_strategy():
    with pytest.raises(ValueError, match="one of 'auto'"):
        check_jacobian(f, x, J, strategy="magic")
