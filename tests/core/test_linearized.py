"""Jacobians that nobody has multiplied yet: every question gets the right answer, in any order."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import (
    Affine,
    Chain,
    Jacobian,
    JacobianTooLarge,
    Layer,
    Linear,
    Multiply,
    Residual,
    Softmax,
    Sum,
    Tanh,
    jacobian,
    term,
    trace,
)  # fmt: skip
from jacobians.engine import memory

rng = np.random.default_rng(5)


def mlp(*sizes):
    layers = []
    for a, b in pairwise(sizes):
        layers += [Affine(rng.normal(size=(b, a)), rng.normal(size=b)), Tanh()]
    return Chain(*layers)


NETS = {
    "layers": lambda: (mlp(3, 4, 2), (3,)),
    "batch": lambda: (mlp(3, 4, 2), (2, 3)),
    "residual": lambda: (Chain(Residual(mlp(3, 4, 3)), Softmax(), Residual(Linear(rng.normal(size=(3, 3))))), (3,)),
    "one layer": lambda: (Chain(Tanh()), (2, 2)),
    "one matrix": lambda: (Chain(Linear(rng.normal(size=(2, 3)))), (3,)),
    "to a number": lambda: (Chain(mlp(3, 4), Sum()), (3,)),
}


def forward(J, d, h):
    several = h.reshape(-1, *J.wrt_shape)
    expected = np.stack([np.tensordot(d, one, one.ndim) for one in several])
    return J.jvp(h), expected.reshape(h.shape[: h.ndim - len(J.wrt_shape)] + J.out_shape)


def backward(J, d, u):
    several = u.reshape(-1, *J.out_shape)
    expected = np.stack([np.tensordot(one, d, one.ndim) for one in several])
    return J.vjp(u), expected.reshape(u.shape[: u.ndim - len(J.out_shape)] + J.wrt_shape)


QUESTIONS = {
    "full": lambda J, d, r: (J.full(), d),
    "into": lambda J, d, r: (J.full(out=np.full(J.shape, np.nan)), d),
    "entry": lambda J, d, r: (J[tuple(-1 for _ in J.shape)], d[tuple(-1 for _ in J.shape)]),
    "first": lambda J, d, r: (J[0], d[0]),
    "last": lambda J, d, r: (J[..., -1], d[..., -1]),
    "backwards": lambda J, d, r: (J[..., ::-2], d[..., ::-2]),
    "none": lambda J, d, r: (J[..., 1:1], d[..., 1:1]),
    "both": lambda J, d, r: (J[-1:, ..., 1:], d[-1:, ..., 1:]),
    "matrix": lambda J, d, r: (J.matrix(), d.reshape(J.matrix().shape)),
    "jvp": lambda J, d, r: forward(J, d, r.normal(size=J.wrt_shape)),
    "jvps": lambda J, d, r: forward(J, d, r.normal(size=(3, *J.wrt_shape))),
    "vjp": lambda J, d, r: backward(J, d, r.normal(size=J.out_shape)),
    "vjps": lambda J, d, r: backward(J, d, r.normal(size=(3, *J.out_shape))),
    "norm": lambda J, d, r: (J.norm(), np.linalg.norm(d)),
    "sum": lambda J, d, r: ((J + J).full(), 2 * d),
    "gram": lambda J, d, r: (J.gram().full(),
                             np.tensordot(d, d, ((w := range(len(J.out_shape), d.ndim)), w))),
    "transposed": lambda J, d, r: (J.T.matrix(), d.reshape(J.matrix().shape).T),
    "pickled": lambda J, d, r: (pickle.loads(pickle.dumps(J)).full(), d),
    "copied": lambda J, d, r: (copy.deepcopy(J).full(), d),
    "named": lambda J, d, r: (J.named("q", "r").full(), d),
}  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(NETS)), st.lists(st.sampled_from(sorted(QUESTIONS)), min_size=1, max_size=4),
    st.integers(0, 2**31),
)  # fmt: skip
def test_every_question_in_any_order(which, questions, seed):
    r = np.random.default_rng(seed)
    net, shape = NETS[which]()
    x = r.normal(size=shape)
    dense = net.jacobians(x)
    _, found = net.linearize(x)
    for question in questions:
        name = r.choice(list(found))
        J, d = found[name], dense[name]
        if d.ndim == 0 or (question in ("first", "both") and not d.shape[0]) or (d.ndim == 1 and question == "both"):
            continue
        answer, expected = QUESTIONS[question](J, d, r)
        np.testing.assert_allclose(answer, expected, rtol=1e-11, atol=1e-12, err_msg=f"{which} {name} {questions}")
        assert (J.shape, J.dtype, J.ndim) == (d.shape, d.dtype, d.ndim)


def test_nothing_is_multiplied_before_it_is_wanted(monkeypatch):
    A, B = np.ones((30_000, 20)), np.ones((20, 30_000))
    net, x = Chain(Linear(B), Tanh(), Linear(A)), np.ones(30_000)
    monkeypatch.setattr(memory, "available", lambda: 1e9)
    _, found = net.linearize(x)
    J = found["x"]
    assert (J.shape, J.full_nbytes) == ((30_000, 30_000), 7_200_000_000)
    assert J.formula.startswith("∂z₂_i/∂x_j = ")
    assert (J @ x).shape == (30_000,)
    assert J[5].shape == (30_000,)
    assert J[7, 2:5].shape == (3,)
    with pytest.raises(JacobianTooLarge):
        J.full()


@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_dtypes(dtype):
    A, x = rng.normal(size=(3, 2)).astype(dtype), rng.normal(size=2).astype(dtype)
    _, found = Chain(Linear(A), Tanh(), Linear(A.T)).linearize(x)
    for J in found.values():
        assert J.dtype == J.full().dtype == J[0].dtype == (J @ np.ones(J.wrt_shape, dtype)).dtype == dtype


def test_mixed_dtypes_are_the_same_however_it_is_made():
    A, b = rng.normal(size=(3, 2)).astype(np.float32), rng.normal(size=3)
    _, found = Chain(Affine(A, b), Tanh(), Linear(A.T)).linearize(np.ones(2, np.float32))
    for J in found.values():
        assert J.full().dtype == J.dtype == pickle.loads(pickle.dumps(J)).full().dtype


def test_a_pickle_holds_only_what_it_needs():
    net, x = mlp(200, 200, 200, 3), rng.normal(size=200)
    _, found = net.linearize(x)
    assert len(pickle.dumps(found["4.A"])) < 200 * 8 + 3 * 8 + 4000 < 200 * 200 * 8
    assert len(pickle.dumps(found["4.A"].named("a", "b"))) < 200 * 200 * 8
    twin = pickle.loads(pickle.dumps(found["0.b"]))
    np.testing.assert_allclose(twin.full(), found["0.b"].full())
    assert twin.formula == found["0.b"].formula


def test_what_is_linearized_stays(monkeypatch):
    net, x = Chain(Multiply(), Softmax()), rng.normal(size=3)
    y = np.array([2.0])
    expected = net.jacobians(x, y)
    output, found = net.linearize(x, y)
    x[:], y[:], output[:] = 0, 0, 0
    for name, J in found.items():
        np.testing.assert_allclose(J.full(), expected[name])
    again = net.linearize(np.ones(3), [5.0])[1]
    np.testing.assert_allclose(again["x"].full(), net.jacobians(np.ones(3), [5.0])["x"])


def test_threads_see_the_same():
    net, x = mlp(20, 30, 20, 5), rng.normal(size=20)
    expected = net.jacobians(x)
    _, found = net.linearize(x)
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            for name, full in pool.map(lambda name: (name, found[name].full()), list(found) * 4):
                np.testing.assert_allclose(full, expected[name], rtol=1e-11, atol=1e-12)
            assert len({id(a) for some in pool.map(lambda _: found["x"].arrays, range(8)) for a in some}) < 99


def test_products_own_their_memory():
    J = term("-> i;i").bind((3,), (3,), np.float64)
    h = np.ones(3)
    for product in (J @ h, h @ J, J.jvp(np.ones((2, 3)))):
        assert not np.may_share_memory(product, h)
        product[...] = 7
        np.testing.assert_array_equal(J @ np.ones(3), np.ones(3))


def test_formulas_that_do_not_fit_are_refused_at_once():
    class Wrong(Layer):
        def forward(self, x):
            return x

        def local(self, x, z):
            return {"x": term("x_i -> i;ij", x)}

    with pytest.raises(ValueError, match="Wrong: ∂z/∂x"):
        Chain(Wrong()).linearize(np.ones(3))


def test_values_of_other_shapes_are_no_repetition():
    for n in (2, 3, 1):
        g = trace(lambda x, n=n: np.sum(x[:n] * x[:n]), np.arange(4.0))
        assert g.jacobian(g.names[1]).shape == (n,)
        assert jacobian(lambda x, n=n: np.ones(n))(np.ones(2)).shape == (n, 2)


@pytest.mark.parametrize("shape", [(), (2,), (2, 4), (1, 2, 3, 2)])
def test_products_refuse_other_shapes(shape):
    J = Linear(rng.normal(size=(3, 2))).linearize(np.ones(2))[1]["A"]
    for product in (J.jvp, J.vjp):
        with pytest.raises(ValueError, match=r"J is 3 × \(3×2\), so .* must be .*, or have one more axis in front"):
            product(np.ones(shape))


def test_arrays_on_either_side_are_told_what_to_write():
    J = Linear(rng.normal(size=(3, 2))).linearize(np.ones(2))[1]["x"]
    S, T = np.eye(2), np.eye(3)
    with pytest.raises(ValueError, match=r"J S Jᵀ write J.propagate\(S\).*J @ Jacobian.from_array\(S, 1\)"):
        J @ S @ J.T
    with pytest.raises(ValueError, match=r"write Jacobian.from_array\(S, 1\) @ J.*J.vjp"):
        T @ J
    with pytest.raises(ValueError, match=r"several vectors along the first axis write J.jvp"):
        J @ np.ones((5, 2))
    for wrong in (lambda: J + np.ones((3, 2)), lambda: np.ones((3, 2)) + J, lambda: J - np.ones(2), lambda: 1.0 - J):
        with pytest.raises(TypeError, match=r"write J.full\(\) \+ … or .*Jacobian.from_array\(…, 1\)"):
            wrong()
    np.testing.assert_allclose((J @ Jacobian.from_array(S, 1)).full(), J.full())
    np.testing.assert_allclose((Jacobian.from_array(T, 1) @ J).full(), J.full())
