"""Sparse matrices: every format, canonical, the numbers of now at the positions of now."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jacobians import Jacobian, JacobianTooLarge, jacobian, term, trace
from jacobians.engine import spacing, sparse, sparsity
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


@pytest.fixture
def tiny(monkeypatch):
    """Blocks and pieces of a few entries, so that small matrices are written as large ones are."""
    for name, number in {"FEW": 2, "LEAST": 2, "BLOCK": 5, "CHUNK": 4}.items():
        for module in (spacing, sparsity):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, number)
    sparse._kept.clear()
    yield
    sparse._kept.clear()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), shapes, shapes, st.sampled_from(["csr", "csc"]))
def test_every_way_to_write_gives_the_same(tiny, data, out, wrt, kind):
    sparse._kept.clear()
    (J, twin), (K, other) = data.draw(jacobians(out, wrt)), data.draw(jacobians(out, wrt))
    matrix = (twin + other).reshape(np.prod(out, dtype=int), np.prod(wrt, dtype=int))
    for one, expected in ((J + K, matrix), ((J + K).T, matrix.T), (J - K - J + K + K, (other).reshape(matrix.shape))):
        found = one.sparse(kind)
        np.testing.assert_array_equal(found.toarray(), expected)
        require_canonical(found)


def require_canonical(found):
    """What the matrix says about itself is so: each position stands once, in order."""
    assert found.has_sorted_indices
    assert found.has_canonical_format
    twin = type(found)((found.data, found.indices.copy(), found.indptr.copy()), shape=found.shape)
    assert twin.has_sorted_indices
    assert twin.has_canonical_format  # SciPy looks
    assert found.indices.dtype == found.indptr.dtype == np.int32
    twin.check_format(full_check=True)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", [(1,), (2,), (3,), (40,), (1, 1), (2, 7), (9, 11), (1, 30), (30, 1), (4, 5, 6)])
@pytest.mark.parametrize("kind", ["csr", "csc"])
def test_stencils_of_every_shape(tiny, periodic, shape, kind):
    def shifted(u, by, axis):
        if periodic:
            return np.roll(u, by, axis)
        p = np.pad(u, 1)
        return p[tuple(slice(1 + by, (by - 1) or None) if k == axis else slice(1, -1) for k in range(u.ndim))]

    def f(u):
        total = -2 * u + u * u
        for axis in range(u.ndim):
            total = total + shifted(u, 1, axis) * u - 3 * shifted(u, -1, axis)
        return total

    u = rng.normal(size=shape)
    J = trace(f, u).jacobian()
    found = J.sparse(kind)
    np.testing.assert_allclose(found.toarray(), J.full().reshape(u.size, u.size), rtol=1e-12)
    np.testing.assert_allclose(jacobian(f, sparse=True)(u).toarray(), found.toarray(), rtol=1e-12)
    assert found.nnz == J.nonzeros
    require_canonical(found)


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


def test_positions_beyond_32_bits_are_64_bits():
    wide = term("-> i;i(0)").bind((4,), (4, 1 << 33))
    found = wide.sparse()
    assert found.indices.dtype == found.indptr.dtype == np.int64
    np.testing.assert_array_equal(found.indices, np.arange(4) << 33)
    assert found.has_canonical_format
    with pytest.raises(JacobianTooLarge, match="index pointers"):
        wide.sparse("csc")
    with pytest.raises(ValueError, match="64 bits"):
        term("-> i(0);i(0)").bind((4, 1 << 30), (4, 1 << 33)).sparse()


def test_no_matrix_is_changed_through_another_one():
    """Data, indices and indptr of every matrix are its own, also where they repeat and where memory is used again."""
    u = rng.normal(size=70_000)
    of = jacobian(lambda u: np.roll(u, 1) * u - 2 * u[::-1] + np.roll(u, -1), sparse=True)
    first, second = of(u), of(u)
    kept = [a.copy() for a in (second.data, second.indices, second.indptr)]
    first.data[:] = first.indices[:] = first.indptr[:] = 7
    third = of(u)
    third.data[:] = third.indices[:] = third.indptr[:] = 8
    del first, third
    for matrix in (second, of(u)):
        for own, expected in zip((matrix.data, matrix.indices, matrix.indptr), kept, strict=True):
            np.testing.assert_array_equal(own, expected)


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
