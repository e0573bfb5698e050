"""Extreme values, against formulas in higher precision: no overflow, no NaN of our making, tails that keep digits."""

import numpy as np
import pytest

import jacobians.layers as L

INFINITE = np.array(
    [-np.inf, -1e300, -1e4, -800.0, -40.0, -1e-8, -1e-300, 0.0, 1e-300, 1e-8, 40.0, 800.0, 1e4, 1e300, np.inf]
)
BOUNDED = [
    L.Arctan(),
    L.Arcsinh(),
    L.Tanh(),
    L.Erf(),
    L.Sigmoid(),
    L.LogSigmoid(),
    L.Softplus(),
    L.Softplus(beta=3),
    L.ReLU(),
    L.ReLU6(),
    L.LeakyReLU(),
    L.ELU(),
    L.SELU(),
    L.CELU(alpha=2),
    L.GELU(),
    L.GELU(approximate=True),
    L.SiLU(),
    L.Mish(),
    L.Softsign(),
    L.HardTanh(),
    L.HardSigmoid(),
    L.HardSwish(),
    L.Clip(-1, 2),
    L.Abs(),
    L.Identity(),
    L.Negative(),
]


@pytest.mark.parametrize("layer", BOUNDED, ids=repr)
def test_no_warning_and_no_nan(layer):
    """Warnings are errors in the test run."""
    for dtype in (np.float64, np.float32):
        x = np.clip(INFINITE, *((-3e38, 3e38) if dtype == np.float32 else (-np.inf, np.inf))).astype(dtype)
        if dtype == np.float32:
            x[[0, -1]] = -np.inf, np.inf
        y, J = layer(x), layer.linearize(x)[1]["x"].per_example(1)
        assert not np.isnan(y).any(), (x[np.isnan(y)], dtype)
        assert np.isfinite(J).all(), (x[~np.isfinite(J)], dtype)
        assert np.abs(J).max() <= 2


def test_nan_stays_nan():
    for layer in (L.Tanh(), L.Sigmoid(), L.SiLU(), L.GELU(), L.Mish(), L.Softplus(), L.ELU(), L.Erf()):
        assert np.isnan(layer.jacobians([np.nan])["x"]).all(), layer


precise = np.longdouble
X = np.array([-60.0, -25.0, -9.0, -2.0, -1e-3, -1e-9, 1e-9, 1e-3, 2.0, 9.0, 25.0, 60.0])
HIGH = {
    "Tanh": (L.Tanh(), lambda x: 1 / np.cosh(x) ** 2),
    "Sigmoid": (L.Sigmoid(), lambda x: np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))) ** 2),
    "LogSigmoid": (L.LogSigmoid(), lambda x: 1 / (1 + np.exp(x))),
    "Softplus": (L.Softplus(), lambda x: 1 / (1 + np.exp(-x))),
    "Expm1": (L.Expm1(), np.exp),
    "TanhShrink": (L.TanhShrink(), lambda x: np.tanh(x) ** 2),
    "SiLU": (L.SiLU(), lambda x: (1 + np.exp(-x) + x * np.exp(-x)) / (1 + np.exp(-x)) ** 2),
    "Arctan": (L.Arctan(), lambda x: 1 / (1 + x * x)),
    "Erf": (L.Erf(), lambda x: 2 / np.sqrt(precise("3.14159265358979323846264338")) * np.exp(-x * x)),
}


@pytest.mark.parametrize("name", HIGH)
def test_relative_accuracy_against_higher_precision(name):
    layer, derivative = HIGH[name]
    expected = derivative(X.astype(precise))
    found = layer.linearize(X)[1]["x"].per_example(1)
    normal = np.abs(expected) > 1e-300
    # exp(t) is as accurate as t: the rounding of an argument of size 3600 is 4e-13
    np.testing.assert_allclose(found[normal], expected[normal].astype(float), rtol=1e-12)


def test_mish_and_gelu_tails_have_digits():
    x = np.array([-30.0, -20.0, -10.0])
    e = np.exp(x.astype(precise))
    # tanh(log(1+e)) = (e²+2e)/(e²+2e+2), differentiated
    t, dt = (e * e + 2 * e) / (e * e + 2 * e + 2), 2 * (2 * e * e + 2 * e) / (e * e + 2 * e + 2) ** 2
    np.testing.assert_allclose(L.Mish().linearize(x)[1]["x"].per_example(1), (t + x * dt).astype(float), rtol=1e-12)
    density = np.exp(-(x.astype(precise) ** 2) / 2) / np.sqrt(2 * precise("3.14159265358979323846264338"))
    series = 1 - 1 / x**2 + 3 / x**4 - 15 / x**6 + 105 / x**8 - 945 / x**10  # of Φ(x)|x|/φ(x), asymptotic
    expected = (density * (x - series / x)).astype(float)
    np.testing.assert_allclose(L.GELU().linearize(x)[1]["x"].per_example(1), expected, rtol=2e-8)


@pytest.mark.parametrize("layer", [L.Softmax(), L.LogSoftmax(), L.LogSumExp(), L.SoftmaxCrossEntropy(1)], ids=repr)
@pytest.mark.parametrize(
    "x", [[1e4, -1e4, 0.0], [1e4, 1e4, 1e4], [-1e4, -1e4, -1e4 - 1], [1e300, 0, -1e300], [-np.inf, 0, 1.0]]
)
def test_softmax_family(layer, x):
    x = np.array(x)
    high = np.exp((x - x.max()).astype(precise))
    p = (high / high.sum()).astype(float)
    expected = {
        "Softmax": np.diag(p) - np.outer(p, p),
        "LogSoftmax": np.eye(3) - p,
        "LogSumExp": p,
        "SoftmaxCrossEntropy": p - [0, 1, 0],
    }[type(layer).__name__]
    np.testing.assert_allclose(layer.jacobians(x)["x"], expected, rtol=1e-12, atol=1e-300)
    assert not np.isnan(layer(x)).any()


def test_softmax_where_all_is_masked():
    x = np.full(3, -np.inf)
    for layer in (L.Softmax(), L.LogSoftmax(), L.LogSumExp()):
        assert not np.isnan(layer(x)).any()
        assert not np.isnan(layer.jacobians(x)["x"]).any()
    assert (L.Softmax().jacobians(x)["x"] == 0).all()


def test_masked_entries_are_exact_zeros():
    x = np.array([[-np.inf, 1.0, 2.0], [0.5, -np.inf, 1.0]])
    J = L.Softmax().jacobians(x)["x"]
    assert (J[0, 0] == 0).all()
    assert (J[0, :, 0, 0] == 0).all()
    assert L.SoftmaxCrossEntropy([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]])(x) == pytest.approx(
        -(0.5 * np.log(np.exp(-1) / (np.exp(-1) + 1)) + 0.5 * np.log(1 / (np.exp(-1) + 1))) + np.log(1 + np.exp(0.5))
    )


def test_losses():
    x = np.array([1e4, -1e4, 40.0, -40.0])
    layer = L.BinaryCrossEntropyWithLogits([0, 1, 1, 0])
    assert layer(x) == 2e4
    np.testing.assert_allclose(layer.jacobians(x)["x"], [1, -1, -np.exp(-40), np.exp(-40)], rtol=1e-12)
    layer = L.BinaryCrossEntropy([0, 1])
    assert layer([0.0, 1.0]) == 0
    np.testing.assert_array_equal(layer.jacobians([0.0, 1.0])["x"], [1, -1])


def test_probability_at_zero():
    p, q = np.array([0.0, 1.0]), np.array([0.0, 1.0])
    assert L.CrossEntropy()(p, q) == 0
    assert L.KLDivergence()(p, q) == 0
    assert L.ShannonEntropy()(p) == 0
    np.testing.assert_array_equal(L.KLDivergence().jacobians(p, q)["q"], [0, -1])
    np.testing.assert_array_equal(L.ShannonEntropy().jacobians(p)["p"], [np.inf, -1])


def test_two_inputs():
    big = np.array([1e300, -1e300, 0.0])
    for layer in (L.Hypot(), L.Arctan2()):
        found = layer.jacobians(big, big[::-1].copy())
        assert all(np.isfinite(J).all() for J in found.values())
    assert (L.Hypot().jacobians(0.0, 0.0)["x"], L.Hypot().jacobians(0.0, 0.0)["y"]) == (0, 0)
    found = L.LogAddExp().jacobians([-np.inf, 0.0, -np.inf, 1e4], [-np.inf, -np.inf, 3.0, -1e4])
    np.testing.assert_array_equal(found["x"].diagonal(), [0.5, 1, 0, 1])
    found = L.Pow().jacobians([0.0, 0.0, -2.0], [2.0, 0.0, 3.0])
    np.testing.assert_array_equal(found["x"].diagonal(), [0, 0, 12])
    assert found["y"][0, 0] == 0
    assert np.isnan(found["y"][2, 2])


def test_norms():
    np.testing.assert_allclose(L.Norm().jacobians([3e200, 4e200])["x"], [0.6, 0.8])
    np.testing.assert_allclose(L.Norm().jacobians([3e-200, 4e-200])["x"], [0.6, 0.8])
    assert L.Norm()([3e200, 4e200]) == pytest.approx(5e200)
    np.testing.assert_array_equal(L.Norm().jacobians(np.zeros(2))["x"], [0, 0])
    x = 1e6 + np.array([1.0, 2.0, 4.0])
    shifted = L.LayerNorm(np.ones(3), np.zeros(3)).jacobians(x)["x"]
    np.testing.assert_allclose(
        shifted, L.LayerNorm(np.ones(3), np.zeros(3)).jacobians(x - 1e6)["x"], rtol=1e-8, atol=1e-9
    )


def test_attention_with_huge_scores():
    q = np.array([[1e4, 0.0], [0.0, 1e4]])
    for causal in (False, True):
        found = L.ScaledDotProductAttention(causal).jacobians(q, q, np.eye(2))
        assert all(np.isfinite(J).all() for J in found.values())


def test_recurrent_cells_when_saturated():
    cell = L.LSTMCell(np.full((4, 1), 1e4), np.zeros((4, 1)), np.zeros(4))
    for x in (1.0, -1.0):
        assert all(np.isfinite(J).all() for J in cell.jacobians([x], [0.0], [0.0]).values())


def test_kinks():
    """What is chosen where there is no derivative, as the docstrings say."""
    at = {
        L.ReLU(): (0, 0),
        L.ReLU6(): (6, 0),
        L.Abs(): (0, 0),
        L.LeakyReLU(0.1): (0, 0.1),
        L.HardTanh(): (1, 0),
        L.HardSigmoid(): (-3, 0),
        L.HardSwish(): (3, 1),
        L.Clip(-1, 1): (-1, 0),
        L.ELU(2.0): (0, 2),
    }
    for layer, (x, slope) in at.items():
        assert layer.jacobians(float(x))["x"] == slope, layer
    found = L.Maximum().jacobians(1.0, 1.0)
    assert (found["x"], found["y"]) == (1, 0)
    np.testing.assert_array_equal(L.Max().jacobians([2.0, 2.0])["x"], [1, 0])
    np.testing.assert_array_equal(L.PReLU([0.5]).jacobians([0.0])["x"], [[0.5]])
