"""`Jacobian` as an object: shapes, bytes, views, errors, memory."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from jacobians import Chain, Jacobian, JacobianTooLarge, Linear, term
from jacobians.engine import memory


@pytest.fixture
def affine():
    return term("x_k -> i;ik", np.arange(1.0, 3)).bind((3,), (3, 2), np.float64).named("z", "A")


def test_it_looks_like_an_array(affine):
    assert (affine.shape, affine.out_shape, affine.wrt_shape, affine.ndim) == ((3, 3, 2), (3,), (3, 2), 3)
    assert affine.dtype == np.float64
    assert (affine.nbytes, affine.full_nbytes) == (16, 3 * 3 * 2 * 8)
    assert len(affine) == 3
    full = np.asarray(affine)
    np.testing.assert_array_equal(full, affine.full())
    assert full.flags.writeable
    assert np.asarray(affine, dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="copy"):
        np.array(affine, copy=False)


def test_formula_and_repr(affine):
    assert affine.formula == "∂z_i/∂A_jk = δ_ij x_k"
    assert repr(affine) == "Jacobian 3 × (3×2): ∂z_i/∂A_jk = δ_ij x_k"
    assert affine.T.formula == "∂A_ij/∂z_k = δ_ik x_j"
    p = np.ones(2)
    softmax = (term("p_i -> i;i", p) - term("p_i p_j -> i;j", p, p)).bind()
    assert softmax.formula == "∂y_i/∂x_j = δ_ij p_i − p_i p_j"
    Y = np.ones((2, 2))
    assert (-term("Y_ik Y_lj -> ij;kl", Y, Y)).bind().formula == "∂y_ij/∂x_kl = −Y_ik Y_lj"
    assert (
        "[m=j+o] [n=k+p] W_ilop"
        in term("W_ocuv -> oyx;c(y+u)(x+v)", np.ones((1, 1, 2, 2))).bind((1, 2, 2), (1, 3, 3)).formula
    )
    assert affine._repr_html_().count("∂z") >= 1


def test_it_is_immutable(affine):
    with pytest.raises(AttributeError, match="immutable"):
        affine.form = None
    with pytest.raises(AttributeError, match="immutable"):
        del affine.arrays
    full = affine.full()
    full[...] = 7
    assert affine[0, 0, 0] == 1


def test_copies_and_pickles(affine):
    for twin in (pickle.loads(pickle.dumps(affine)), copy.deepcopy(affine), copy.copy(affine)):
        np.testing.assert_array_equal(twin.full(), affine.full())
        assert twin.formula == affine.formula


def test_matrix_orders():
    J = Jacobian.from_array(np.arange(48.0).reshape(2, 3, 4, 2), out_ndim=2)
    full = J.full()
    np.testing.assert_array_equal(J.matrix(), full.reshape(6, 8))
    by_columns = J.matrix(order="F")
    for i, j, k, m in np.ndindex(full.shape):
        assert by_columns[i + 2 * j, k + 4 * m] == full[i, j, k, m]
    assert Jacobian.from_array(np.ones(3), out_ndim=0).matrix().shape == (1, 3)
    with pytest.raises(ValueError, match="order"):
        J.matrix(order="A")


def test_full_into_out(affine):
    out = np.full((3, 3, 2), np.nan)
    assert affine.full(out=out) is out
    np.testing.assert_array_equal(out, affine.full())
    strided = np.full((3, 3, 4), np.nan)[..., ::2]
    np.testing.assert_array_equal(affine.full(out=strided), affine.full())
    for wrong in (np.empty((3, 3)), np.empty((3, 3, 2), np.float32), [1]):
        with pytest.raises(ValueError, match=r"out must be a float64 array of shape \(3, 3, 2\)"):
            affine.full(out=wrong)


def test_full_into_an_array_that_it_reads():
    A = np.arange(4.0).reshape(2, 2)
    J = Jacobian.from_array(A, 1).T
    expected = A.T.copy()
    np.testing.assert_array_equal(J.full(out=A), expected)


def test_too_large_is_refused_before_allocation():
    huge = term("x_k -> i;ik", np.ones(300)).bind((300_000,), (300_000, 300))
    with pytest.raises(JacobianTooLarge, match=r"216 TB") as caught:
        huge.full()
    assert isinstance(caught.value, MemoryError)
    assert "(300000, 300000, 300)" in str(caught.value)
    assert "J @ h" in str(caught.value)
    assert huge[3, 3, 1] == 1
    assert (huge @ np.ones((300_000, 300))).shape == (300_000,)


def test_too_large_depends_on_what_is_there(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 200e9)
    J = term("x_k -> i;ik", np.ones(300)).bind((9486,), (9486, 300))
    assert J.full_nbytes > 215e9
    with pytest.raises(JacobianTooLarge, match=r"216 GB and 200 GB are available"):
        J.full()
    monkeypatch.setattr(memory, "available", lambda: 230e9)
    memory.require(J.shape, J.dtype, "the full Jacobian", "J @ h")


def test_the_explicit_product_may_be_too_large(monkeypatch):
    net = Chain(Linear(np.ones((2, 4000))), Linear(np.ones((4000, 2))))
    monkeypatch.setattr(memory, "available", lambda: 100e6)
    with pytest.raises(JacobianTooLarge, match=r"\(4000, 4000\)"):
        net.jacobians(np.ones(4000), wrt="x", method="explicit")


def test_per_example():
    rng = np.random.default_rng(0)
    x, A = rng.normal(size=(4, 2)), rng.normal(size=(3, 2))
    by_x = term("A_ij -> ...i;...j", A).bind((4, 3), (4, 2))
    np.testing.assert_array_equal(by_x.per_example(), np.broadcast_to(A, (4, 3, 2)))
    two = term("A_ij -> ...i;...j", A).bind((5, 4, 3), (5, 4, 2))
    assert two.per_example(axes=2).shape == (5, 4, 3, 2)
    by_A = term("x_...k -> ...i;ik", x).bind((4, 3), (3, 2))
    with pytest.raises(ValueError, match="not the same examples"):
        by_A.per_example()
    with pytest.raises(ValueError, match="3 batch axes"):
        by_x.per_example(axes=3)
    coupled = Jacobian.from_array(rng.normal(size=(4, 3, 4, 2)), 2)
    with pytest.raises(ValueError, match="couples"):
        coupled.per_example()


def test_scalars_and_empties():
    J = term("c -> ;", 3.0).bind()
    assert J.shape == ()
    assert J.full().shape == ()
    assert J[()] == 3
    assert (J @ 2.0) == 6
    empty = term("x_k -> i;ik", np.ones(0)).bind((3,), (3, 0))
    assert empty.full().shape == (3, 3, 0)
    np.testing.assert_array_equal(empty @ np.ones((3, 0)), np.zeros(3))
    assert empty.nonzeros == 0
    with pytest.raises(TypeError, match="axes"):
        len(J)


@pytest.mark.parametrize("key", [3, -4, (0, 5), (0, 0, 0, 0), np.array([1]), "a", None, 1.0, True])
def test_bad_indices(affine, key):
    with pytest.raises(IndexError):
        affine[key]


def test_shape_errors(affine):
    with pytest.raises(ValueError, match=r"wrt_shape: J is 3 × \(3×2\), so \(3, 2\) is needed; it is \(2,\)"):
        affine @ np.ones(2)
    with pytest.raises(ValueError, match=r"out_shape.*\(3,\) is needed; it is \(2,\)"):
        np.ones(2) @ affine
    with pytest.raises(ValueError, match="K's output axes"):
        affine @ affine
    with pytest.raises(ValueError, match="equal shapes"):
        affine + affine.T
    with pytest.raises(ValueError, match="scalar"):
        affine * np.ones(3)
    with pytest.raises(ValueError, match="scalar"):
        affine * affine
    with pytest.raises(TypeError):
        affine + 1


def test_dtypes():
    x = np.arange(2, dtype=np.float32)
    J = term("x_k -> i;ik", x).bind((3,), (3, 2))
    assert J.dtype == J.full().dtype == np.float32
    assert (J * 0.1).full().dtype == np.float32
    assert (J * 1j).full().dtype == np.complex64
    D = term("d_i -> i;i", np.ones(3, np.float32)).bind()
    assert (D @ J).full().dtype == np.float32
    assert (D + term("-> i;i")).full().dtype == np.float32
    Z = term("z_i -> i;i", np.array([1 + 2j, 3])).bind()
    np.testing.assert_array_equal((Z @ Z).full(), np.diag([(1 + 2j) ** 2, 9]))
