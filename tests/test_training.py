from itertools import pairwise

import numpy as np
import pytest

from jacobians import Affine, Chain, Linear, Polynomial, ReLU, SoftmaxCrossEntropy, SquaredError, Tanh
from jacobians.training import Diverged, gauss_newton, gradient_descent, newton

rng = np.random.default_rng(0)
X = rng.normal(size=(20, 2))
A, b = rng.normal(size=(3, 2)), rng.normal(size=3)
Y = np.tanh(X @ A.T + b)


def network(seed=1):
    start = np.random.default_rng(seed)
    return Chain(Affine(start.normal(size=(3, 2)), np.zeros(3)), Tanh())


def test_a_step_is_the_lectures_formula():
    net = network()
    (_, loss, first), (_, _, second) = gradient_descent(net, X, Y, rate=0.01, steps=1)
    assert first is net
    f = net(X)
    delta = (f - Y) * (1 - f**2)
    np.testing.assert_allclose(loss, 0.5 * ((f - Y) ** 2).sum())
    np.testing.assert_allclose(second.parameters["0.A"], net.parameters["0.A"] - 0.01 * delta.T @ X)
    np.testing.assert_allclose(second.parameters["0.b"], net.parameters["0.b"] - 0.01 * delta.sum(0))


def test_a_loss_at_the_end_of_the_chain_is_the_same_as_a_target():
    net = network()
    with_target = [loss for _, loss, _ in gradient_descent(net, X, Y, rate=0.02, steps=5)]
    with_loss = [loss for _, loss, _ in gradient_descent(Chain(*net, SquaredError(Y)), X, rate=0.02, steps=5)]
    np.testing.assert_allclose(with_target, with_loss)


def test_the_loss_falls_and_the_chain_that_went_in_stays_as_it_is():
    net = network()
    before = {name: value.copy() for name, value in net.parameters.items()}
    losses = [loss for _, loss, _ in gradient_descent(net, X, Y, rate=0.02, steps=50)]
    assert len(losses) == 51
    assert all(b <= a for a, b in pairwise(losses))
    assert all(np.array_equal(net.parameters[name], value) for name, value in before.items())


def test_only_the_chosen_parameters_change():
    net = network()
    *_, (_, _, last) = gradient_descent(net, X, Y, rate=0.02, steps=3, wrt="0.b")
    assert np.array_equal(last.parameters["0.A"], net.parameters["0.A"])
    assert not np.array_equal(last.parameters["0.b"], net.parameters["0.b"])


def test_classification():
    labels = (X[:, 0] > 0).astype(int)
    net = Chain(Affine(np.zeros((2, 2)), np.zeros(2)), SoftmaxCrossEntropy(labels, reduction="mean"))
    *_, (_, loss, last) = gradient_descent(net, X, rate=1.0, steps=100)
    assert loss < 0.3
    assert (last[:1](X).argmax(axis=1) == labels).mean() > 0.9


@pytest.mark.filterwarnings("ignore:overflow")
def test_divergence_stops_with_the_numbers():
    with pytest.raises(Diverged, match=r"the loss was .* after step \d+\. Try a rate smaller than 5\."):
        list(gradient_descent(Linear(np.ones((1, 2))), X, np.ones((20, 1)), rate=5.0, steps=100))


def test_nan_stops():
    with pytest.raises(Diverged, match="is nan after step 0"):
        list(gradient_descent(Linear([[np.nan, 1.0]]), X, np.ones((20, 1)), rate=0.1, steps=3))
    with pytest.raises(Diverged, match="the loss is nan after step 0"):
        list(gauss_newton(Linear([[np.nan, 1.0]]), X, np.ones((20, 1)), steps=3))


def test_clear_errors():
    with pytest.raises(ValueError, match=r"needs a loss: the output of the chain has shape \(20, 3\)"):
        list(gradient_descent(network(), X, rate=0.1, steps=1))
    with pytest.raises(ValueError, match=r"'0.c' is not a parameter; the parameters are 0.A, 0.b"):
        list(gradient_descent(network(), X, Y, rate=0.1, steps=1, wrt="0.c"))
    with pytest.raises(ValueError, match="Tanh has no parameters to train"):
        list(gradient_descent(Tanh(), X, X, rate=0.1, steps=1))


def test_gauss_newton_solves_linear_least_squares_in_one_step():
    x = np.linspace(-1, 1, 15)
    y = np.cos(3 * x)
    (_, _, _), (_, loss, fitted) = gauss_newton(Polynomial(np.zeros(5)), x, y, steps=1)
    best = np.polynomial.polynomial.polyfit(x, y, 4)
    np.testing.assert_allclose(fitted.theta, best, atol=1e-10)
    np.testing.assert_allclose(loss, 0.5 * ((np.polynomial.polynomial.polyval(x, best) - y) ** 2).sum())


def test_gauss_newton_finds_the_network():
    *_, (_, loss, found) = gauss_newton(network(), X, Y, steps=20)
    assert loss < 1e-20
    np.testing.assert_allclose(found.parameters["0.A"], A, atol=1e-8)
    np.testing.assert_allclose(found.parameters["0.b"], b, atol=1e-8)


def test_gauss_newton_never_raises_the_loss():
    net = Chain(Affine(rng.normal(size=(4, 2)), np.zeros(4)), ReLU(), Affine(rng.normal(size=(1, 4)), np.zeros(1)))
    losses = [loss for _, loss, _ in gauss_newton(net, X, np.sin(X[:, :1]), steps=15, damping=1e-3)]
    assert all(b <= a for a, b in pairwise(losses))
    assert losses[-1] < losses[0]


def test_damping_shortens_the_step():
    steps = []
    for damping in (0.0, 10.0):
        (_, _, first), (_, _, second) = gauss_newton(network(), X, Y, steps=1, damping=damping)
        steps.append(np.linalg.norm(second.parameters["0.A"] - first.parameters["0.A"]))
    assert steps[1] < steps[0]


def test_newton_finds_the_minimum_of_a_quadratic_form_in_one_step():
    M = A @ A.T + np.eye(3)
    steps = list(newton(lambda x: x @ M @ x / 2 - b @ x, np.zeros(3)))
    assert len(steps) == 2
    np.testing.assert_allclose(steps[-1][2], np.linalg.solve(M, b), rtol=1e-12)


def test_newton_falls_all_the_way_and_leaves_saddles():
    def f(x):
        return np.sum(x**4) / 4 - np.sum(x**2) / 2 + 0.1 * x[0] * x[1]

    values = [value for _, value, _ in newton(f, [1e-3, -2e-3])]
    assert all(after <= before for before, after in pairwise(values))
    *_, (step, _, x) = newton(f, [1e-3, -2e-3])
    assert step < 20
    np.testing.assert_allclose(x, [np.sqrt(1.1), -np.sqrt(1.1)], rtol=1e-9)


def test_newton_minimises_over_a_matrix_and_says_what_is_wrong():
    T = rng.normal(size=(3, 2))
    *_, (_, value, W) = newton(lambda W: np.sum(np.cosh(W - T)), np.zeros((3, 2)))
    np.testing.assert_allclose(W, T, atol=1e-9)
    assert value == pytest.approx(6)
    with pytest.raises(ValueError, match=r"must be a number to be minimised; it is an array of shape \(2,\)"):
        next(newton(lambda x: x * x, [1.0, 2.0]))
    with np.errstate(all="ignore"), pytest.raises(Diverged, match="not finite after step 0"):
        next(newton(lambda x: np.log(x[0]), [0.0]))
