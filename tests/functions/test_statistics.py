"""Averages with weights, covariances, quantiles and histograms against finite differences."""

import numpy as np
import pytest

from jacobians import TracingError, jacobian
from tests.functions.oracles import right

rng = np.random.default_rng(6)


def a(*shape):
    return rng.normal(size=shape)


X, W = a(3, 5), rng.uniform(0.5, 1.5, size=5)

AVERAGES = {
    "average": np.average,
    "axis": lambda x: np.average(x, axis=1, keepdims=True),
    "weights": lambda x: np.average(x, axis=1, weights=W),
    "all weights": lambda x: np.average(x, axis=0, weights=np.abs(X) + 1),
    "returned": lambda x: np.average(x, axis=1, weights=W, returned=True)[0],
    "returned weights": lambda x: np.average(x, 1, W, True)[1] * x[:, 0],
    "returned number": lambda x: np.average(x, 1, returned=True)[1] * x[:, 0],
}
COVARIANCES = {
    "cov": np.cov,
    "columns": lambda x: np.cov(x, rowvar=False),
    "bias": lambda x: np.cov(x, bias=True),
    "ddof": lambda x: np.cov(x, ddof=2),
    "y": lambda x: np.cov(x, x[0] * x[1]),
    "y, columns": lambda x: np.cov(x, x * x, rowvar=False),
    "aweights": lambda x: np.cov(x, aweights=W),
    "fweights": lambda x: np.cov(x, fweights=[1, 2, 1, 3, 1]),
    "both": lambda x: np.cov(x, aweights=W, fweights=[1, 2, 1, 3, 1], ddof=0),
    "a vector": lambda x: np.cov(x[0]),
    "corrcoef": np.corrcoef,
    "corrcoef, y": lambda x: np.corrcoef(x[0], x[1]),
    "corrcoef, columns": lambda x: np.corrcoef(x, rowvar=False),
}
QUANTILES = {
    "median": np.median,
    "median, axis": lambda x: np.median(x, axis=0),
    "median, even": lambda x: np.median(x[:, :4], axis=1, keepdims=True),
    "median, axes": lambda x: np.median(x.reshape(3, 5, 1), axis=(0, 2)),
    "nanmedian": lambda x: np.nanmedian(np.where(X > 0.9, np.nan, x), axis=1),
    "quantile": lambda x: np.quantile(x, 0.3),
    "quantiles": lambda x: np.quantile(x, [[0.1, 0.5], [0.75, 1]], axis=1),
    "percentile": lambda x: np.percentile(x, [25, 75], axis=0, keepdims=True),
    "nanquantile": lambda x: np.nanquantile(np.where(X > 0.9, np.nan, x), [0.2, 0.6], axis=1),
    "nanpercentile": lambda x: np.nanpercentile(np.where(X > 0.9, np.nan, x), 35),
    "weights": lambda x: np.quantile(x, [0.3, 0.6], axis=1, weights=W, method="inverted_cdf"),
    "difference": lambda x: np.percentile(x, 75, axis=1) - np.percentile(x, 25, axis=1),
}


@pytest.mark.parametrize("name", [*AVERAGES, *COVARIANCES, *QUANTILES])
def test_statistics(name):
    right((AVERAGES | COVARIANCES | QUANTILES)[name], X)


def test_by_weights_and_by_probabilities():
    right(lambda w: np.average(X, axis=1, weights=w), W)
    right(lambda x, w: np.average(x, weights=w), a(5), W)
    right(lambda w: np.cov(X, aweights=w), W)
    right(lambda q: np.quantile(X, q, axis=1), np.array([0.21, 0.63]))
    right(lambda x, q: np.percentile(x, q), a(6), np.array(37.0))
    with pytest.raises(TracingError, match='only method="linear"'):
        jacobian(lambda q: np.quantile(X, q, method="hazen"))(0.3)


METHODS = (
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
)  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_every_method_of_quantiles(method):
    for q in (0, 0.11, 0.5, 0.87, 1):
        f = lambda x, q=q: np.quantile(x, q, axis=1, method=method)
        right(f, X)


def test_complex_covariances():
    right(lambda x: np.cov(x * (1 + 2j) + 1j * X * x), X)


def test_histograms():
    x = a(20)

    def density(x):
        p, edges = np.histogram(x, bins=4, density=True)
        return p * edges[1:]

    right(lambda x: np.histogram(x, bins=5)[1], x)
    right(lambda x: np.histogram(x, bins=5)[0] * np.sum(x), x)
    right(density, x)
    right(lambda x: np.histogram_bin_edges(x, 3), x)
    right(lambda w: np.histogram(x, bins=5, range=(-1, 2), weights=w)[0], a(20))
    right(lambda w: np.histogram(x, bins=5, weights=w, density=True)[0], rng.uniform(1, 2, 20))
    right(lambda w: np.bincount([0, 3, 1, 3], weights=w), a(4))
    right(lambda w: np.bincount([0, 3, 1, 3], w, 6) ** 2.0, a(4))
    assert not jacobian(lambda x: np.histogram(x, bins=5)[0] * 1.0)(x).any()
    right(lambda x: np.histogram2d(x, x, bins=2, range=[[-3, 3], [-3, 3]])[0] * np.sum(x), x)
    with pytest.raises(TracingError, match="give the number of bins"):
        jacobian(lambda x: np.histogram(x, bins="auto")[1])(x)
    with pytest.raises(TracingError, match="give range="):
        jacobian(lambda x: np.histogram2d(x, x)[1])(x)


def test_values_are_those_of_numpy():
    for f in (lambda x: np.quantile(x, 0.37), np.median, lambda x: np.percentile(x, 81, axis=0)):
        seen = []
        jacobian(lambda x, f=f, seen=seen: seen.append(f(x)) or seen[0])(X)
        np.testing.assert_array_equal(seen[0].value, f(X))


def test_nothing_to_take_a_quantile_of():
    with pytest.raises(TracingError, match="of no numbers"), pytest.warns(RuntimeWarning):
        jacobian(lambda x: np.nanquantile(x * np.nan, 0.5))(a(2))
