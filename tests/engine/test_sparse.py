"""Sparse matrices: every format, canonical, the numbers of now at the positions of now."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import Jacobian, jacobian, term
from jacobians.engine import sparse
from tests.dense import jacobians, shapes

rng = np.random.default_rng(0)


@settings(max_examples=60, deadline=None)
@given(st.data(), shapes, shapes, st.sampled_from(["csr", "csc", "coo"]))
def test_every_format_is_canonical_and_equal(data, out, wrt, kind):
    J, twin = data.draw(jacobians(out, wrt))
    matrix = twin.reshape(np.prod(out, dtype=int), np.prod(wrt, dtype=int))
    for one, expected in ((J, matrix), (-J, -matrix), (J.T, matrix.T)):
        for _ in range(2):  # found, and found again
            found = one.sparse(kind)
            assert found.format == kind
            np.testing.assert_array_equal(found.toarray(), expected)
            assert found.nnz == J.nonzeros
            places = np.array(found.tocoo().coords)
            assert len(np.unique(places, axis=1).T) == found.nnz
            if kind == "csr":
                assert found.has_sorted_indices
                copy = found.copy()
                copy.has_sorted_indices = False
                copy.sort_indices()
                np.testing.assert_array_equal(copy.indices, found.indices)


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match=r'"csr", "csc" or "coo", not .bsr.'):
        term("-> i;i").bind((3,), (3,)).sparse("bsr")


def test_what_the_caller_changes_does_not_come_back():
    """Neither a matrix that is changed in place, nor lookups and factors that are."""
    n, a = np.array([2, 0, 1]), np.array([1.0, 2.0, 3.0])
    J = term("a_i -> i;(n_i)", a, n).bind((3,), (4,))
    for _ in range(3):
        matrix = J.sparse()
        np.testing.assert_array_equal(matrix.toarray(), J.full())
        matrix.data[0] = 0
        matrix.eliminate_zeros()
        matrix.indices[:] = 0
        n[:] = np.roll(n, 1)
        a *= 2


def test_positions_take_bounded_memory():
    for k in range(30):
        n = rng.integers(0, 1 << 18, 1 << 18)
        term("-> i;(n_i)", n).bind((1 << 18,), ((1 << 18) + k,)).sparse()
    assert sum(p.nbytes for _, p in sparse._kept.values()) <= sparse.MOST


def test_blocks_and_stencils_of_numpy_functions():
    n = rng.integers(0, 5, 40)

    def gathered(x):
        y = x[n]
        return np.stack([y[:, 0] * y[:, 1], y[:, 2] ** 2], axis=1)

    x = rng.normal(size=(5, 3))
    found, full = jacobian(gathered, sparse=True)(x), jacobian(gathered)(x).reshape(80, 15)
    np.testing.assert_allclose(found.toarray(), full)
    assert found.nnz == 40 * 3
    u = rng.normal(size=50)
    found = jacobian(lambda u: u[2:] - 2 * u[1:-1] + u[:-2] + u[1:-1] * u[1:-1], sparse=True)(u)
    assert found.nnz == 3 * 48
    expected = np.eye(48, 50, 2) + np.eye(48, 50) + np.diag(2 * u - 2)[1:-1]
    np.testing.assert_allclose(found.toarray(), expected)


def test_empty_ones():
    assert Jacobian.from_array(np.zeros((0, 3)), 1).sparse().shape == (0, 3)
    J = term("-> i;i(0)").bind((4,), (4, 2)) @ term("-> i(1);i").bind((4, 2), (4,))
    assert J.sparse().nnz == 0
    assert J.sparse("csc").shape == (4, 4)
    assert pickle.loads(pickle.dumps(J)).nonzeros == 0


def test_entries_that_do_not_exist_are_not_the_next_ones_of_a_row():
    """δ(i = 1 − j): the slots 1, 0 go on as −1, which marks what does not exist."""
    J = term("-> ;(-j+1)j").bind((), (2, 3))
    np.testing.assert_array_equal(J.sparse().toarray(), [[0, 1, 0, 1, 0, 0]])
