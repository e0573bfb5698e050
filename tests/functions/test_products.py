"""Products of vectors, matrices and stacks of them, in all the forms that NumPy has."""

import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import jacobian, trace
from tests.functions.oracles import right

rng = np.random.default_rng(1)


def a(*shape):
    return rng.normal(size=shape)


EINSUMS = [
    ("ij,jk->ik", a(3, 4), a(4, 2)),
    ("ij,jk", a(3, 4), a(4, 2)),
    ("ba", a(3, 4)),
    ("ii", a(3, 3)),
    ("ii->i", a(3, 3)),
    ("iij->j", a(2, 2, 3)),
    ("ijj,j->i", a(2, 3, 3), a(3)),
    ("...ii->...i", a(2, 3, 3)),
    ("...ij,...jk->...ik", a(2, 3, 4), a(4, 2)),
    ("i...,i...->...", a(3, 2), a(3, 2)),
    ("...i,...i", a(2, 3), a(1, 3)),
    (" b i , b j -> b i j", a(2, 3), a(2, 2)),
    ("i,i->i", a(1), a(3)),
    ("ij,kj->ik", a(3, 4), a(1, 1)),
    ("a...b,b->a...", a(2, 2, 3), a(1)),
    (",i->i", a(), a(3)),
    ("i->", a(3)),
    ("ij,jk,kl->il", a(3, 4), a(4, 2), a(2, 2)),
    ("Ab,bA->A", a(2, 3), a(3, 2)),
]


@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize("case", EINSUMS, ids=[case[0] for case in EINSUMS])
def test_einsum(case, optimize):
    subscripts, *operands = case
    right(lambda *x: np.einsum(subscripts, *x, optimize=optimize), *operands)


def test_einsum_of_lists_and_of_one_operand_several_times():
    A, B = a(3, 4), a(4, 2)
    right(lambda A, B: np.einsum(A, [0, 1], B, [1, 2], [0, 2]), A, B)
    right(lambda A, B: np.einsum(A, [3, 1], B, [1, 2]), A, B)
    right(lambda A, B: np.einsum(A, [0, Ellipsis], B, [Ellipsis, 2], [0, Ellipsis, 2]), A, B[:, :1].T[:, :4])
    right(lambda A: np.einsum("ij,ik->jk", A, A), A)
    right(lambda A: np.einsum("ij,ij,ij->i", A, A, A, optimize="greedy"), A)
    assert np.einsum_path("ij,jk", A, B)[0] == jacobian_of_path(A, B)


def jacobian_of_path(A, B):
    found = []
    jacobian(lambda A: found.append(np.einsum_path("ij,jk", A, B)[0]) or A)(A)
    return found[0]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_einsum_of_any_labels(data):
    labels = string.ascii_letters[:4]
    sizes = {label: data.draw(st.integers(1, 3)) for label in labels}
    sides = data.draw(st.lists(st.text(labels, min_size=0, max_size=3), min_size=1, max_size=3))
    known = sorted(set("".join(sides)))
    out = "".join(data.draw(st.permutations(known))[: data.draw(st.integers(0, 3))])
    operands = [a(*(sizes[label] for label in side)) for side in sides]
    subscripts = f"{','.join(sides)}->{out}"
    found = jacobian(lambda *x: np.einsum(subscripts, *x), tuple(range(len(operands))))(*operands)
    for k, J in enumerate(found):  # linear in every operand: the differences are exact
        for i in np.ndindex(operands[k].shape):
            e = np.zeros_like(operands[k])
            e[i] = 1
            expected = np.einsum(subscripts, *operands[:k], e, *operands[k + 1 :])
            np.testing.assert_allclose(J[(..., *i)], expected, rtol=1e-12, atol=1e-13)


PRODUCTS = {
    "dot of stacks": (np.dot, a(2, 3, 4), a(2, 4, 2)),
    "dot, vector and stack": (np.dot, a(4), a(2, 4, 2)),
    "dot, stack and vector": (np.dot, a(2, 3, 4), a(4)),
    "dot of a number": (np.dot, a(), a(3)),
    "dot, the method": (lambda x, y: x.dot(y), a(2, 3), a(3, 2)),
    "inner": (np.inner, a(2, 4), a(3, 4)),
    "inner of vectors": (np.inner, a(4), a(4)),
    "inner of a number": (np.inner, a(), a(3)),
    "vdot": (np.vdot, a(2, 3), a(2, 3)),
    "outer": (np.outer, a(2, 2), a(3)),
    "linalg.outer": (np.linalg.outer, a(2), a(3)),
    "kron": (np.kron, a(2, 3), a(2, 2)),
    "kron of other numbers of axes": (np.kron, a(2), a(2, 2)),
    "tensordot": (np.tensordot, a(2, 3, 4), a(3, 4, 2)),
    "tensordot, one axis": (lambda x, y: np.tensordot(x, y, 1), a(2, 3), a(3, 2)),
    "tensordot, no axis": (lambda x, y: np.tensordot(x, y, 0), a(2), a(3)),
    "tensordot, axes": (lambda x, y: np.tensordot(x, y, ([0, 1], [1, 0])), a(2, 3), a(3, 2, 2)),
    "tensordot, negative axis": (lambda x, y: np.tensordot(x, y, (0, -1)), a(2, 3), a(3, 2)),
    "linalg.tensordot": (np.linalg.tensordot, a(2, 3, 4), a(3, 4, 2)),
    "cross": (np.cross, a(3), a(3)),
    "cross, broadcast": (np.cross, a(2, 3), a(3)),
    "cross, axis": (lambda x, y: np.cross(x, y, axis=0), a(3, 2), a(3, 2)),
    "cross, axes": (lambda x, y: np.cross(x, y, axisa=0, axisb=1, axisc=0), a(3, 2), a(2, 3)),
    "linalg.cross": (np.linalg.cross, a(3), a(3)),
    "matmul, broadcast": (np.matmul, a(2, 1, 3, 4), a(3, 4, 2)),
    "matmul, vector": (np.matmul, a(4), a(3, 4, 2)),
    "matmul, the operator": (lambda x, y: x @ y, a(2, 3, 4), a(4)),
    "linalg.matmul": (np.linalg.matmul, a(3, 4), a(4, 2)),
    "multi_dot": (lambda *x: np.linalg.multi_dot(x), a(3), a(3, 4), a(4, 2), a(2)),
    "multi_dot of two": (lambda *x: np.linalg.multi_dot(x), a(3, 4), a(4, 2)),
    "trace": (np.trace, a(3, 3)),
    "trace, offset": (lambda x: np.trace(x, 1), a(3, 4)),
    "trace, axes": (lambda x: np.trace(x, -1, 2, 0), a(3, 2, 3)),
    "trace, the method": (lambda x: x.trace(), a(3, 3)),
    "linalg.trace": (np.linalg.trace, a(2, 3, 3)),
    "linalg.vecdot": (np.linalg.vecdot, a(2, 3), a(2, 3)),
    "vecdot": (lambda x, y: np.vecdot(x, y), a(2, 3), a(3)),
    "vecdot, axis": (lambda x, y: np.vecdot(x, y, axis=0), a(3, 2), a(3, 2)),
    "matvec": (lambda x, y: np.matvec(x, y), a(2, 3, 4), a(4)),
    "vecmat": (lambda x, y: np.vecmat(x, y), a(2, 3), a(3, 4)),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products(name):
    f, *operands = PRODUCTS[name]
    if name in ("matvec", "vecmat") and not hasattr(np, name):
        pytest.skip("NumPy 2.2")
    right(f, *operands)
    right(lambda x, f=f, rest=operands[1:]: f(x, *rest), operands[0])  # with constants


def test_complex_operands():
    A, x = a(3, 4) + 1j * a(3, 4), a(4) + 1j * a(4)
    right(lambda A, x: np.einsum("ij,j->i", A, x), A, x)
    right(lambda x: np.cross(x[:3], A[0, :3]), x)


def test_batch_axes_stay_deltas():
    g = trace(lambda X, W: np.einsum("bi,ij->bj", X, W), a(5, 3), a(3, 2))
    assert g.jacobian("X").formula == "∂z_bj/∂X_ci = δ_bc W_ij" or g.jacobian("X").nonzeros == 5 * 3 * 2
