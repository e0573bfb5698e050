"""Properties of the algebra, on random sums of terms with deltas, tilings, index maps and lookups."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import Affine, Chain, Conv2d, Reshape, term
from tests.dense import Formula, Place, jacobians, shapes


def close(actual, desired):
    np.testing.assert_allclose(np.asarray(actual), desired, rtol=1e-11, atol=1e-11)


rng = np.random.default_rng(1)
few = settings(max_examples=40, deadline=None)


@few
@given(st.data(), shapes, shapes)
def test_full_is_the_sum_over_all_labels(data, out, wrt):
    J, twin = data.draw(jacobians(out, wrt))
    assert J.shape == out + wrt
    before = [a.copy() for a in J.arrays]
    full = J.full()
    assert type(full) is np.ndarray
    close(full, twin)
    for array, copy in zip(J.arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)
        assert not np.shares_memory(array, full)
    close(J.T.full(), twin.transpose(*range(len(out), twin.ndim), *range(len(out))))
    close((-J).full(), -twin)
    close((2.5 * J).full(), 2.5 * twin)
    close(pickle.loads(pickle.dumps(J)).full(), twin)
    written = np.full(twin.shape, np.nan)
    assert J.full(out=written) is written
    close(written, twin)


@few
@given(st.data(), shapes, shapes, shapes)
def test_product_is_the_contraction_of_the_full_tensors(data, out, middle, wrt):
    J, left = data.draw(jacobians(out, middle))
    K, right = data.draw(jacobians(middle, wrt))
    close((J @ K).full(), np.tensordot(left, right, len(middle)))
    close(((J @ K).T).full(), (K.T @ J.T).full())
    h = np.arange(1.0, 1 + np.prod(middle, dtype=int)).reshape(middle)
    close(J @ h, np.tensordot(left, h, len(middle)))
    close(h @ K, np.tensordot(h, right, len(middle)))


@settings(max_examples=30, deadline=None)
@given(st.data(), shapes, shapes, shapes, shapes)
def test_product_is_associative_and_bilinear(data, a, b, c, d):
    J, one = data.draw(jacobians(a, b, maps=False))
    K, two = data.draw(jacobians(b, c, maps=False))
    L, three = data.draw(jacobians(c, d, maps=False))
    K2, other = data.draw(jacobians(b, c, maps=False))
    expected = np.tensordot(np.tensordot(one, two, len(b)), three, len(c))
    close(((J @ K) @ L).full(), expected)
    close((J @ (K @ L)).full(), expected)
    close((J @ (K + K2)).full(), np.tensordot(one, two + other, len(b)))
    close((J @ (K - K2)).full(), (J @ K - J @ K2).full())


@few
@given(st.data(), shapes, shapes)
def test_vector_products_are_adjoint(data, out, wrt):
    J, _ = data.draw(jacobians(out, wrt))
    rng = np.random.default_rng(0)
    h, u = rng.normal(size=wrt), rng.normal(size=out)
    close(np.vdot(J @ h, u), np.vdot(h, J.T @ u))
    close(np.vdot(J @ h, u), np.vdot(h, u @ J))


@few
@given(st.data(), shapes, shapes)
def test_indexing_equals_indexing_the_full_tensor(data, out, wrt):
    J, twin = data.draw(jacobians(out, wrt))
    key = []
    for n in twin.shape:
        if data.draw(st.booleans()):
            key.append(data.draw(st.integers(-n, n - 1)))
        else:
            ends = st.none() | st.integers(-n - 1, n + 1)
            step = data.draw(st.sampled_from([None, 1, 2, -1, -2]))
            key.append(slice(data.draw(ends), data.draw(ends), step))
    if key and data.draw(st.booleans()):
        cut = data.draw(st.integers(0, len(key)))
        stop = data.draw(st.integers(cut, len(key)))
        key[cut:stop] = [Ellipsis]
    chosen = J[tuple(key)]
    assert np.shape(chosen) == twin[tuple(key)].shape
    close(chosen, twin[tuple(key)])


@few
@given(st.data(), shapes, shapes)
def test_nonzeros_bound_what_is_there(data, out, wrt):
    J, twin = data.draw(jacobians(out, wrt))
    assert np.count_nonzero(np.abs(twin) > 1e-12) <= J.nonzeros <= twin.size


def test_nonzeros_of_deltas_are_exact():
    ones = np.ones((3, 3))
    formulas = [("-> ij;ij", 9), ("-> ij;ji", 9), ("-> ii;jj", 9), ("A_ij -> i;j", 9), ("-> ii;ii", 3)]
    for formula, count in formulas:
        arrays = [ones] * formula.count("A")
        J = term(formula, *arrays).bind(*[(3,) * len(side) for side in formula.split("->")[1].strip().split(";")])
        assert J.nonzeros == np.count_nonzero(J.full()) == count
    J = (term("-> ij;ij") + term("-> ii;jj")).bind((3, 3), (3, 3))
    assert J.nonzeros == np.count_nonzero(J.full()) == 9 + 9 - 3


def test_nonzeros_of_index_maps_are_exact():
    """Entries that several terms, or several values of the labels of one, reach are counted once."""
    assert term("A_ij -> ;(i+j)", np.ones((2, 2))).bind((), (5,)).nonzeros == 3
    u = np.ones(8)
    stencil = term("a_i -> i;(i)", u) + term("a_i -> i;(i+1)", u) + term("b_i -> i;(i)", u)
    assert stencil.bind((8,), (10,)).nonzeros == 16
    n = np.array([0, 1, 1, 2])
    both = term("-> i;(n_i)", n) + term("-> i;(m_i)", np.array([0, 1, 2, 3]))
    assert both.bind((4,), (4,)).nonzeros == 6
    blocks = (term("-> bi;b(i+1)") + term("-> bi;b(i)")).bind((50, 3), (50, 4))
    assert blocks.nonzeros == np.count_nonzero(blocks.full()) == 300


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint32, np.uint64, np.intp])
def test_lookups_of_every_type_of_integers(dtype):
    """Positions do not overflow where maps of them are composed."""
    n = np.array([120, 3, 77, 100], dtype)
    J = term("-> i;(n_i)", n).bind((4,), (128,))
    K = term("-> (3j+2);j").bind((400,), (128,))
    expected = np.zeros((4, 400))
    expected[np.arange(4), 3 * n.astype(int) + 2] = 1
    np.testing.assert_array_equal((J @ K.T).full(), expected)
    np.testing.assert_array_equal(J.full(), np.eye(128)[n.astype(int)])


def test_maps_of_maps_are_one_map():
    """Lookups of lookups, of affine maps, and the reverse, hold no 0/1 factor and no table of pairs."""
    n, m = np.arange(4000) % 70, np.arange(70)[::-1].copy()
    gather, other = term("-> i;(n_i)", n).bind((4000,), (70,)), term("-> i;(m_i)", m).bind((70,), (70,))
    column = term("-> i;i(2)").bind((4000,), (4000, 3))
    spread = term("-> (3j+1);j").bind((300,), (70,))
    every = [gather @ other, other @ spread.T, spread @ other, spread.T @ spread, spread @ gather.T, column.T @ gather]
    picked = term("-> i;(2i+1)").bind((100,), (300,)) @ spread
    for J in (*every, picked):
        assert len(J.form.terms) == 1
        assert J.nbytes <= 2 * 8 * 4000
        left = np.count_nonzero(J.full())
        assert left == J.nonzeros
    np.testing.assert_array_equal((gather @ other).full(), np.eye(70)[m][n])


def test_lookups_without_labels_are_not_those_of_other_terms():
    """One entry of a gather beside all of another: in products each keeps its own positions."""
    gather = term("-> i;(n_i)", np.array([0, 2, 1, 1])).bind((4,), (3,))
    one = term("-> ;(0)").bind((), (4,)) @ gather
    every = term("-> ;i").bind((), (4,)) @ gather
    J = 2 * one + every
    full = J.full()
    np.testing.assert_array_equal(full, [3, 2, 1])
    for left, right in ((J, J), (one, every), (every, one), (one, J)):
        np.testing.assert_array_equal((left @ right.T).full(), left.full() @ right.full())
    np.testing.assert_array_equal(J.gram().full(), full @ full)


def test_what_cannot_be_is_left_out():
    """Positions that never meet give no term at all."""
    stack = [term(f"-> i({k});i").bind((5, 2), (5,)) for k in (0, 1)]
    column = term("-> i;i(1)").bind((5,), (5, 2))
    assert (column @ stack[0]).form.terms == ()
    assert not (column @ stack[0]).full().any()
    np.testing.assert_array_equal((column @ (stack[0] + stack[1])).full(), np.eye(5))
    assert len((column @ (stack[0] + stack[1])).form.terms) == 1


@pytest.mark.parametrize("size", [1, 2])
def test_a_batch_of_one_is_a_batch(size):
    net = Chain(
        Conv2d(rng.normal(size=(2, 1, 2, 2)), rng.normal(size=2)),
        Reshape((size, -1)),
        Affine(rng.normal(size=(3, 8)), np.zeros(3)),
    )
    x = rng.normal(size=(size, 1, 3, 3))
    J = net.linearize(x, wrt="x")[1]["x"]
    full = J.full()
    np.testing.assert_allclose(J.per_example(), full[np.arange(size), :, np.arange(size)], rtol=1e-12)


def test_structure_is_kept_in_products():
    x, d, n = np.ones(400), np.ones(500), np.arange(400) % 7
    A = term("x_k -> i;ik", x).bind((500,), (500, 400))
    D = term("d_i -> i;i", d).bind()
    assert (D @ A).nbytes == x.nbytes + d.nbytes
    assert (D @ D @ D).nbytes == d.nbytes
    gather = term("-> j;(n_j)", n).bind((400,), (7,))
    assert (gather @ gather.T).nbytes <= 8 * 400 * 400
    kernel = term("w_u -> y;(y+u)", np.ones(3)).bind((98,), (100,))
    assert kernel.nbytes == 24
    assert (np.ones(98) @ kernel).shape == (100,)


def test_a_product_that_two_terms_share_is_not_overwritten():
    A, B, p, q = rng.normal(size=(30, 5)), rng.normal(size=(5, 30)), rng.normal(size=30), rng.normal(size=30)
    J = (term("A_ik B_kj p_i -> i;j", A, B, p) + term("A_ik B_kj q_j -> i;j", A, B, q)).bind()
    for _ in range(2):
        close(J.full(), (A @ B) * p[:, None] + (A @ B) * q)


@pytest.mark.parametrize("coefficient", [1, -1, 2.0])
def test_axes_of_size_1_are_views_that_nobody_writes_to(coefficient):
    A = rng.normal(size=(1, 4, 3))
    before = A.copy()
    full = (coefficient * term("A_uij -> i;j", A)).bind().full()
    np.testing.assert_array_equal(A, before)
    close(full, coefficient * before[0])
    assert not np.shares_memory(full, A)


def test_terms_do_not_multiply_along_a_residual_chain():
    rng = np.random.default_rng(0)
    J = None
    for _ in range(30):
        W = rng.normal(size=(4, 4)) / 4
        step = term("W_ij -> i;j", W).bind() + term("-> i;i").bind((4,), (4,))
        J = step if J is None else step @ J
    assert len(J.form.terms) == 1
    assert J.nbytes == 4 * 4 * 8


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("x_k -> i;ik", "x_k -> i;ki"),
        ("A_ij -> i;j", "A_ji -> i;j"),
        ("p_i -> i;i", "p_j -> i;j"),
        ("w_k -> j;(j+k)", "w_k -> j;(j-k)"),
        ("Y_ik Y_lj -> ij;kl", "Y_ik Y_jl -> ij;kl"),
    ],
)
def test_the_oracle_rejects_wrong_formulas(right, wrong):
    """The dense twin of one formula is not that of another: the checks above can fail."""
    made = {
        name: 1.0 + rng.permutation(2**n).reshape((2,) * n)  # no two are equal, so nothing is symmetric
        for name, n in (("x", 1), ("A", 2), ("p", 1), ("w", 1), ("Y", 2))
    }
    twins = []
    for text in (right, wrong):
        left, sides = text.split(" -> ")
        factors = [(word, tuple(word[2:]), made[word[0]]) for word in left.split()]
        steps = {"(j+k)": (1, 1), "(j-k)": (1, -1)}
        places = [
            [Place(token, tuple(c for c in token if c in "ijkl"), steps.get(token, (1,)))
             for token in re.findall(r"\([^()]*\)|.", side)]
            for side in sides.split(";")
        ]  # fmt: skip
        twins.append(Formula(*places, factors))
        shape = (2,) * sum(map(len, places))
        J = term(text, *(a for *_, a in factors)).bind(*[(2,) * len(p) for p in places])
        np.testing.assert_array_equal(J.full(), twins[-1].dense(shape))
    assert not np.array_equal(twins[0].dense(shape), twins[1].dense(shape))


@few
@given(st.data(), shapes, shapes)
def test_gram_normal_norm_and_sparse(data, out, wrt):
    J, twin = data.draw(jacobians(out, wrt))
    rows, columns = np.prod(out, dtype=int), np.prod(wrt, dtype=int)
    matrix = twin.reshape(rows, columns)
    close(J.gram().matrix(), matrix @ matrix.T)
    close(J.normal().matrix(), matrix.T @ matrix)
    np.testing.assert_allclose(J.norm(), np.linalg.norm(matrix), rtol=1e-9, atol=1e-7)
    sparse = J.sparse()
    assert sparse.shape == matrix.shape
    close(sparse.toarray(), matrix)


def test_the_empirical_ntk_is_a_sum_of_grams():
    rng = np.random.default_rng(0)
    x, A = rng.normal(size=(4, 2)), rng.normal(size=(3, 2))
    by_A = term("x_...k -> ...i;ik", x).bind((4, 3), (3, 2))
    by_b = term("-> ...i;i").bind((4, 3), (3,))
    kernel = np.asarray(sum(J.gram() for J in (by_A, by_b)))
    expected = np.einsum("bk,ck,ij->bicj", x, x, np.eye(3)) + np.einsum("ij,bc->bicj", np.eye(3), np.ones((4, 4)))
    np.testing.assert_allclose(kernel, expected)
    Z = (1j * term("A_ij -> i;j", A)).bind()
    np.testing.assert_allclose(Z.gram().full(), A @ A.T)
    np.testing.assert_allclose(Z.norm(), np.linalg.norm(A))


def test_sparse_holds_what_can_be_non_zero():
    x = np.ones(30)
    J = term("x_k -> i;ik", x).bind((40,), (40, 30))
    assert J.sparse().nnz == J.nonzeros == 40 * 30
