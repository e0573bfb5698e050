"""`Chain` and `Residual`: the composed Jacobians against the explicit method and against other libraries."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import (
    NN,
    Affine,
    Chain,
    Identity,
    Linear,
    MatMul,
    ReLU,
    Residual,
    Sigmoid,
    Softmax,
    Square,
    SquaredError,
    Sum,
    Tanh,
    term,
)


def network(rng, sizes, activation=Tanh):
    layers = []
    for n, m in pairwise(sizes):
        layers += [Affine(rng.normal(size=(m, n)), rng.normal(size=m)), activation()]
    return Chain(*layers)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_auto_equals_explicit_on_random_chains(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    batch = tuple(data.draw(st.lists(st.integers(1, 3), max_size=2)))
    n = data.draw(st.integers(1, 4))
    x = rng.normal(size=(*batch, n))
    layers = []
    for _ in range(data.draw(st.integers(1, 6))):
        m = data.draw(st.integers(1, 4))
        kind = data.draw(
            st.sampled_from(["affine", "linear", "tanh", "sigmoid", "relu", "softmax", "residual", "nested"])
        )
        if kind == "affine":
            layers.append(Affine(rng.normal(size=(m, n)), rng.normal(size=m)))
        elif kind == "linear":
            layers.append(Linear(rng.normal(size=(m, n))))
        elif kind == "nested":
            layers.append(Chain(inner=Linear(rng.normal(size=(m, n))), act=Tanh()))
        elif kind == "residual":
            layers.append(Residual(Chain(Affine(rng.normal(size=(n, n)), rng.normal(size=n)), Softmax())))
        else:
            layers.append({"tanh": Tanh, "sigmoid": Sigmoid, "relu": ReLU, "softmax": Softmax}[kind]())
        n = m if kind in ("affine", "linear", "nested") else n
    if data.draw(st.booleans()):
        layers.append(SquaredError(rng.normal(size=(*batch, n))))
    chain = Chain(*layers)
    auto, explicit = chain.jacobians(x), chain.jacobians(x, method="explicit")
    assert list(auto) == ["x", *chain.parameters]
    assert list(explicit) == list(auto)
    out = np.shape(chain(x))
    for name, J in auto.items():
        assert type(J) is np.ndarray
        assert J.shape == out + np.shape(x if name == "x" else chain.parameters[name])
        np.testing.assert_allclose(J, explicit[name], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("batch", [(), (4,), (2, 3)])
def test_against_torch(batch):
    torch = pytest.importorskip("torch", reason="PyTorch is optional")
    rng = np.random.default_rng(0)
    net = network(rng, [3, 5, 4, 2])
    x = rng.normal(size=(*batch, 3))

    def f(x, *parameters):
        for A, b in zip(parameters[::2], parameters[1::2], strict=True):
            x = torch.tanh(x @ A.T + b)
        return x

    arguments = [torch.tensor(a) for a in (x, *net.parameters.values())]
    theirs = torch.func.jacrev(f, tuple(range(len(arguments))))(*arguments)
    for (name, mine), other in zip(net.jacobians(x).items(), theirs, strict=True):
        np.testing.assert_allclose(mine, other.numpy(), rtol=1e-12, atol=1e-13, err_msg=name)


def test_names_slices_and_values():
    rng = np.random.default_rng(1)
    net = Chain(
        Affine(rng.normal(size=(3, 2)), np.zeros(3)), Tanh(), head=Chain(Linear(rng.normal(size=(2, 3))), Softmax())
    )
    x = rng.normal(size=2)
    assert list(net.parameters) == ["0.A", "0.b", "head.0.A"]
    assert list(net.jacobians(x, wrt="head.0.A")) == ["head.0.A"]
    assert list(net.jacobians(x, wrt=["head.0.A", "x"])) == ["head.0.A", "x"]
    f = net.forward(x)
    assert len(f) == len(net) + 1 == 4
    np.testing.assert_array_equal(f[0], x)
    np.testing.assert_array_equal(f[-1], net(x))
    part = net[1:3]
    assert isinstance(part, Chain)
    np.testing.assert_allclose(part.jacobians(f[1])["x"], part[1].jacobians(f[2])["x"] @ part[0].jacobians(f[1])["x"])
    assert isinstance(net["head"], Chain)
    assert isinstance(net[-1], Chain)
    assert [type(layer) for layer in net[:2]] == [Affine, Tanh]
    assert list(net[1:].parameters) == ["head.0.A"]
    with pytest.raises(KeyError, match="no layer 'tail'"):
        net["tail"]
    with pytest.raises(IndexError):
        net[7]


def test_deltas_are_those_of_backpropagation():
    rng = np.random.default_rng(2)
    net = Chain(*network(rng, [2, 3, 2]), SquaredError(rng.normal(size=2)))
    x = rng.normal(size=2)
    f, deltas = net.forward(x), net.deltas(x)
    assert len(deltas) == len(net)
    assert deltas[0] == 1
    for k, delta in zip(range(len(net) - 1, 0, -1), deltas[1:], strict=True):
        np.testing.assert_allclose(delta, net[k:].jacobians(f[k])["x"], atol=1e-14)


def test_with_parameters_gives_a_new_chain():
    rng = np.random.default_rng(3)
    net = Chain(Chain(a=Linear(rng.normal(size=(2, 2)))), Residual(Linear(np.eye(2))))
    new = net.with_parameters({"0.a.A": np.zeros((2, 2)), "1.A": 2 * np.eye(2)})
    assert new is not net
    np.testing.assert_array_equal(new.parameters["0.a.A"], 0)
    np.testing.assert_array_equal(new([1, 2]), [0, 0])
    assert net.parameters["0.a.A"].any()
    with pytest.raises(ValueError, match=r"no parameter '0\.A'"):
        net.with_parameters({"0.A": np.eye(2)})
    with pytest.raises(ValueError, match=r"1.A is \(2, 2\)"):
        net.with_parameters({"1.A": np.eye(3)})


def test_errors_name_the_layer_by_its_path():
    A = np.ones((3, 2))
    net = Chain(Affine(A, np.zeros(3)), Chain(act=Tanh(), out=Linear(A)))
    for call in (net, net.jacobians, net.linearize, net.forward, net.deltas):
        with pytest.raises(ValueError, match=r"in layer 1\.out: Linear: A is \(3, 2\).*x is \(3,\)"):
            call([1, 2])
        with pytest.raises(ValueError, match=r"in layer 0: Affine: A is \(3, 2\).*x is \(3,\)"):
            call([1, 2, 3])
    with pytest.raises(ValueError, match="Residual: the output of Linear must be as x"):
        Residual(Linear(A))([1, 2])
    with pytest.raises(ValueError, match=r"no derivative by '9\.A'"):
        net.jacobians([1, 2], wrt="9.A")
    with pytest.raises(ValueError, match="method"):
        net.jacobians([1, 2], method="magic")
    with pytest.raises(ValueError, match="missing its"):
        Chain(Tanh)
    with pytest.raises(ValueError, match="at least one layer"):
        Chain()
    with pytest.raises(ValueError, match="takes 2 inputs"):
        Chain(Tanh(), MatMul())
    with pytest.raises(ValueError, match="layer 0") as caught:
        net([1, 2, 3])
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_first_layer_may_take_several_inputs():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(2, 3)), rng.normal(size=(3, 2))
    chain = Chain(MatMul(), Tanh(), Sum())
    found = chain.jacobians(x, y)
    assert set(found) == {"x", "y"}
    inner = 1 - np.tanh(x @ y) ** 2
    np.testing.assert_allclose(found["x"], inner @ y.T)
    np.testing.assert_allclose(found["y"], x.T @ inner)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_dtype_is_kept(dtype):
    rng = np.random.default_rng(5)
    net = Chain(Affine(rng.normal(size=(3, 2)).astype(dtype), np.zeros(3, dtype)), Tanh(), Softmax())
    x = rng.normal(size=(4, 2)).astype(dtype)
    assert net(x).dtype == dtype
    for method in ("auto", "explicit"):
        for name, J in net.jacobians(x, method=method).items():
            assert J.dtype == dtype, name
    tolerance = 1e-4 if np.finfo(dtype).bits == 32 else 1e-12
    explicit = net.jacobians(x, method="explicit")
    for name, J in net.jacobians(x).items():
        np.testing.assert_allclose(J, explicit[name], atol=tolerance)


def test_inputs_of_all_kinds():
    rng = np.random.default_rng(6)
    net = network(rng, [2, 3])
    x = rng.normal(size=(4, 2))
    expected = net.jacobians(x)
    read_only = x.copy()
    read_only.flags.writeable = False
    wide = np.zeros((4, 4))
    wide[:, ::2] = x
    for same in (np.asfortranarray(x), read_only, wide[:, ::2], x.tolist()):
        for name, J in net.jacobians(same).items():
            np.testing.assert_allclose(J, expected[name], rtol=1e-14)
    before = x.copy()
    net.linearize(x)
    np.testing.assert_array_equal(x, before)
    empty = net.jacobians(np.zeros((0, 2)))
    assert empty["x"].shape == (0, 3, 0, 2)
    assert empty["0.A"].shape == (0, 3, 3, 2)
    integers = net.jacobians(np.array([1, 2]))
    np.testing.assert_array_equal(integers["x"], net.jacobians([1.0, 2.0])["x"])
    scalar = Chain(Tanh(), Identity())
    assert scalar.jacobians(0.5)["x"].shape == ()
    np.testing.assert_allclose(scalar.jacobians(0.5)["x"], 1 - np.tanh(0.5) ** 2)


@pytest.mark.parametrize("layer", [Softmax(), Square(), Chain(Softmax(), Softmax()), Residual(Softmax())])
def test_linearize_keeps_its_own_values(layer):  # softmax's Jacobian is made of its output, a square's of its input
    x = np.array([1.0, 2.0])
    expected = layer.jacobians([1.0, 2.0])["x"]
    output, found = layer.linearize(x)
    x[...] = 0
    output[...] = 0
    np.testing.assert_allclose(found["x"].full(), expected, rtol=1e-14)


def test_affine_holds_x_and_nothing_else():
    layer = Affine(np.ones((500, 400)), np.zeros(500))
    found = layer.linearize(np.ones(400))[1]
    assert found["A"].nbytes == 400 * 8
    assert found["b"].nbytes == 0
    assert found["A"].full_nbytes == 500 * 500 * 400 * 8


def test_threads_agree():
    rng = np.random.default_rng(7)
    net = Chain(*network(rng, [4, 6, 5, 3]), Residual(Sigmoid()), Softmax())
    xs = [rng.normal(size=(k % 3 + 1, 4)) for k in range(24)]
    expected = [net.jacobians(x, method="explicit") for x in xs]
    with ThreadPoolExecutor(4) as pool:
        for found, wanted in zip(pool.map(net.jacobians, xs), expected, strict=True):
            for name in wanted:
                np.testing.assert_allclose(found[name], wanted[name], atol=1e-13)


def test_pickling():
    rng = np.random.default_rng(8)
    net = Chain(*network(rng, [2, 3]), last=Residual(Chain(Tanh())))
    twin = pickle.loads(pickle.dumps(net))
    x = rng.normal(size=2)
    for name, J in twin.jacobians(x).items():
        np.testing.assert_array_equal(J, net.jacobians(x)[name])
    assert repr(twin) == repr(net)


def test_nn_is_the_lecture_corrected():
    rng = np.random.default_rng(9)
    x, A, b = rng.normal(size=2), rng.normal(size=(3, 2)), rng.normal(size=3)
    f, dfdA, dfdb, dfdx = NN(x, A, b)
    z = A @ x + b
    dfdz = np.diag(1 - np.tanh(z) ** 2)
    dzdA = np.zeros((3, 3, 2))
    for i in range(3):
        dzdA[i, i, :] = x
    np.testing.assert_allclose(f, np.tanh(z))
    np.testing.assert_allclose(dfdx, np.einsum("il,lj", dfdz, A))
    np.testing.assert_allclose(dfdb, dfdz)
    np.testing.assert_allclose(dfdA, np.einsum("il,ljk", dfdz, dzdA))
    chain = Chain(Affine(A, b), Tanh()).jacobians(x)
    for mine, other in ((dfdA, "0.A"), (dfdb, "0.b"), (dfdx, "x")):
        np.testing.assert_allclose(mine, chain[other], rtol=1e-14)
    for wrong in ((x[:, None], A, b), (x, A, b[:, None]), (x[:1], A, b), (x, A[0], b), ("ab", A, b)):
        with pytest.raises(ValueError, match=r"^NN: "):
            NN(*wrong)


def test_the_slides_version_is_wrong_and_would_be_noticed():
    """With 1 − f² as a vector, einsum raises for 1-D x, and broadcasts to a wrong result for column vectors."""
    rng = np.random.default_rng(10)
    x, A, b = rng.normal(size=(2, 1)), rng.normal(size=(3, 2)), rng.normal(size=(3, 1))
    f = np.tanh(A @ x + b)
    silently = np.einsum("il,lj", 1 - f**2, A)
    _, _, _, right = NN(x[:, 0], A, b[:, 0])
    assert np.abs(silently - right).max() > 0.01
    with pytest.raises(ValueError, match="subscripts"):
        np.einsum("il,lj", 1 - f[:, 0] ** 2, A)


def test_a_users_own_layer():
    from dataclasses import dataclass

    from jacobians import Layer, Parameter

    @dataclass(frozen=True, eq=False)
    class Scale(Layer):
        a: Parameter
        power: int = 1

        def forward(self, x):
            return self.a * x**self.power

        def local(self, x, y):
            slope = self.a * self.power * x ** (self.power - 1)
            return {"x": term("s_...i -> ...i;...i", slope), "a": term("g_...i -> ...i;i", x**self.power)}

    layer = Scale([1, 2, 3], power=2)
    assert list(layer.parameters) == ["a"]
    assert repr(layer) == "Scale(a (3,), power=2)"
    x = np.array([1.0, 2, 3])
    np.testing.assert_allclose(layer.jacobians(x)["x"], np.diag(2 * x * [1, 2, 3]))
    chain = Chain(layer, Tanh(), Linear(np.ones((2, 3))))
    for name, J in chain.jacobians(np.ones((4, 3))).items():
        np.testing.assert_allclose(J, chain.jacobians(np.ones((4, 3)), method="explicit")[name])


def test_wrong_local_formulas_get_a_clear_error():
    from jacobians import Layer, Parameter

    class Wrong(Layer):
        A: Parameter

        def forward(self, x):
            return x @ self.A.T

        def local(self, x, z):
            return {"x": term("A_ij -> ...j;...i", self.A), "A": term("x_...k -> ...i;ki", x)}

    layer = Wrong(np.ones((3, 2)))
    with pytest.raises(
        ValueError, match=r'Wrong: ∂z/∂x in the formula "A_ij -> ...j;...i": label i is 2 .* 3 in A \(3, 2\)'
    ):
        layer.jacobians([1, 2], wrt="x")


def test_layers_are_frozen_and_own_their_parameters():
    A = np.ones((3, 2))
    layer = Linear(A)
    A[...] = 7
    assert (layer.A == 1).all()
    with pytest.raises(ValueError, match="read-only"):
        layer.A[0, 0] = 1
    with pytest.raises(AttributeError, match="immutable"):
        layer.A = A
    with pytest.raises(ValueError, match=r"Affine: A is \(3, 2\), so the last axis of b must be 3; b is \(2,\)"):
        Affine(A, [1, 2])
    with pytest.raises(ValueError, match="A must hold numbers"):
        Linear("text")
    with pytest.raises(ValueError, match="complex derivative"):
        ReLU()(1j)
    with pytest.raises(TypeError, match="takes 1 input"):
        layer([1, 2], [3])
