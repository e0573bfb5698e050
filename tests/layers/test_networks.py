"""Whole networks as chains: structured against explicit, against finite differences, and against PyTorch."""

import numpy as np
import pytest

from jacobians import Chain, Residual
from jacobians import layers as L
from tests.layers.numerical import arguments_of, differences

rng = np.random.default_rng(4)


def a(*shape):
    return 0.5 * rng.normal(size=shape)


def transformer_block(features, heads, hidden):
    D, F = features, hidden
    weights = [a(D, D) for _ in range(4)]
    attention = Chain(norm=L.LayerNorm(1 + a(D), a(D)), attention=L.SelfAttention(*weights, heads=heads, causal=True))
    up, down = L.Affine(a(F, D), a(F)), L.Affine(a(D, F), a(D))
    perceptron = Chain(norm=L.RMSNorm(1 + a(D)), up=up, act=L.GELU(), down=down)
    return Chain(attend=Residual(attention), think=Residual(perceptron))


NETWORKS = {
    "transformer block": (transformer_block(4, 2, 5), [a(3, 4)]),
    "transformer blocks in a batch, with a loss": (
        Chain(transformer_block(2, 1, 3), L.Linear(a(3, 2)), L.SoftmaxCrossEntropy([[0, 2], [1, 1]], reduction="mean")),
        [a(2, 2, 2)],
    ),
    "LSTM step": (
        Chain(L.LSTMCell(a(8, 3), a(8, 2), a(8)), L.Affine(a(2, 4), a(2)), L.SquaredError(a(2))),
        [a(3), a(2), a(2)],
    ),
    "LSTM step in a batch": (
        Chain(L.LSTMCell(a(8, 3), a(8, 2), a(8)), L.Take([0, 1], -1)),
        [a(2, 3), a(2, 2), a(2, 2)],
    ),
    "convolutional net": (
        Chain(
            L.Conv2d(a(2, 1, 3, 3), a(2), padding=1),
            L.ReLU(),
            L.MaxPool2d(2),
            L.Conv2d(a(3, 2, 2, 2), a(3)),
            L.Tanh(),
            L.Reshape(-1),
            L.Affine(a(3, 12), a(3)),
            L.SoftmaxCrossEntropy(1),
        ),
        [a(1, 6, 6)],
    ),
    "convolutional net in a batch": (
        Chain(
            L.Conv2d(a(4, 1, 3, 3), a(4), stride=2, padding=1, groups=2),
            L.BatchNorm(1 + a(4), a(4)),
            L.SiLU(),
            L.AvgPool2d(2, stride=1),
            L.Reshape((2, -1)),
            L.Affine(a(3, 16), a(3)),
            L.SoftmaxCrossEntropy([0, 2], reduction="none"),
        ),
        [a(2, 2, 5, 5)],
    ),
    "there and back": (
        Chain(
            L.Conv2d(a(2, 1, 2, 2), a(2), stride=2),
            L.GroupNorm(1 + a(2), a(2), 2),
            L.ConvTranspose2d(a(2, 1, 2, 2), a(1), stride=2),
            L.Flip(-1),
            L.Pad(((0, 0), (0, 0), (1, 0), (0, 1))),
            L.CumulativeSum(-1),
            L.Sigmoid(),
        ),
        [a(1, 1, 4, 4)],
    ),
    "gathers": (
        Chain(L.Embedding(a(5, 3)), L.Take([1, 0, 1], -1), L.Transpose(), L.Softmax(0), L.Max(axis=1), L.Norm()),
        [rng.integers(5, size=4)],
    ),
    "matrices": (Chain(L.MatrixExponential(), L.Inverse(), L.Diagonal(), L.DiagonalMatrix(), L.LogDet()), [a(3, 3)]),
}
each = pytest.mark.parametrize("name", NETWORKS)


@each
def test_auto_equals_explicit_and_linearize(name):
    network, inputs = NETWORKS[name]
    auto, explicit = network.jacobians(*inputs), network.jacobians(*inputs, method="explicit")
    _, local = network.linearize(*inputs)
    assert list(auto) == list(explicit) == list(local)
    for argument, J in auto.items():
        np.testing.assert_allclose(
            J, explicit[argument], rtol=1e-10, atol=1e-13 * max(1, np.abs(J).max()), err_msg=argument
        )
        np.testing.assert_allclose(local[argument].full(), J, rtol=1e-12, atol=1e-14, err_msg=argument)


@each
def test_agrees_with_finite_differences(name):
    network, inputs = NETWORKS[name]
    found = network.jacobians(*inputs)
    for argument, x, function in arguments_of(network, inputs):
        if argument in network.input_names and np.asarray(x).dtype.kind in "iu":
            continue
        expected, error = differences(function, x)
        np.testing.assert_allclose(found[argument], expected, rtol=0, atol=error, err_msg=argument)


@each
def test_agrees_with_torch(name):
    torch = pytest.importorskip("torch", reason="PyTorch is optional")
    from tests.layers.torch_forward import FORWARD

    network, inputs = NETWORKS[name]

    def forward(layer, prefix, parameters, values):
        if isinstance(layer, Chain):
            for path, inner in layer.layers.items():
                values = [forward(inner, f"{prefix}{path}.", parameters, values)]
            return values[0]
        if isinstance(layer, Residual):
            return values[0] + forward(layer.layer, prefix, parameters, values)
        own = {n: parameters[prefix + n] for n in layer.parameters}
        return FORWARD[type(layer).__name__](layer, **dict(zip(layer.input_names, values, strict=True)), **own)

    parameters = {n: torch.tensor(v, requires_grad=True) for n, v in network.parameters.items()}
    values = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in inputs]
    output = forward(network, "", parameters, values)
    wanted = parameters | {n: v for n, v in zip(network.input_names, values, strict=True) if v.requires_grad}
    found = network.jacobians(*inputs)
    assert set(found) == set(wanted)
    for index in np.ndindex(*output.shape):
        rows = torch.autograd.grad(output[index], list(wanted.values()), retain_graph=True, allow_unused=True)
        for n, row in zip(wanted, rows, strict=True):
            expected = 0 if row is None else row.numpy()
            np.testing.assert_allclose(found[n][index], expected, rtol=1e-8, atol=1e-12, err_msg=n)


def test_layer_norm_over_positions_ties_them():
    layer, x = L.LayerNorm(a(4), a(4)), a(6, 4)
    J = layer.linearize(x)[1]["x"]
    assert J.nonzeros == 6 * 4 * 4
    assert J.per_example(1).shape == (6, 4, 4)
    assert J.nbytes < J.full_nbytes / 4


def test_structured_layers_hold_less_than_their_tensor():
    """Entries held against entries that can be different from zero, and never more than a few times the factors."""
    cases = [
        (L.Conv2d(a(3, 2, 3, 3), a(3), padding=1), [a(2, 12, 12)]),
        (L.MaxPool2d(2), [a(2, 12, 12)]),
        (L.Inverse(), [a(8, 8)]),
        (L.Softmax(), [a(20, 10)]),
        (L.SelfAttention(*[a(6, 6)] * 4, heads=2), [a(10, 6)]),
        (L.Kronecker(), [a(4, 5), a(5, 4)]),
        (L.MatrixPower(3), [a(8, 8)]),
        (L.Embedding(a(50, 8)), [rng.integers(50, size=9)]),
        (L.Reshape((8, 30)), [a(4, 60)]),
        (L.Cholesky(), [4 * np.eye(8)]),
        (L.AvgPool2d(3), [a(2, 12, 12)]),
        (L.Einsum("ij,jk->ik"), [a(9, 8), a(8, 7)]),
        (L.GroupNorm(a(8), a(8), 4), [a(3, 8, 5)]),
        (L.BatchNorm(a(8), a(8)), [a(20, 8)]),
        (L.CumulativeSum(0), [a(9, 9)]),
    ]
    for layer, inputs in cases:
        for argument, J in layer.linearize(*inputs)[1].items():
            assert J.nbytes <= 0.6 * J.full_nbytes, (layer, argument)
            assert J.nbytes <= 8 * max(J.nonzeros, 1) + 1024, (layer, argument)


def test_attention_stays_a_product_over_positions():
    """∂y_ti/∂x_wj of one head is made of factors A_tw and small ones: nothing of the size T²D² is held."""
    T, D = 40, 6
    J = L.SelfAttention(*[a(D, D) for _ in range(4)]).linearize(a(T, D))[1]["x"]
    assert J.nbytes < 8 * (3 * T * T + 8 * T * D * D)
    assert "A_" in J.formula
