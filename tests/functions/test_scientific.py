"""SciPy's functions that are no ufuncs, as people call them, against differences of SciPy's own values."""

from __future__ import annotations

import numpy as np
import pytest
import scipy
import scipy.fft
import scipy.integrate
import scipy.linalg
import scipy.signal
import scipy.spatial.distance
import scipy.special
import scipy.stats
from scipy import stats
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.special import log_softmax, logsumexp, softmax
from scipy.stats import multivariate_normal, norm

from jacobians import TracingError, jacobian

rng = np.random.default_rng(33)
A = rng.normal(size=(3, 3)) + 4 * np.eye(3)
S = A @ A.T
x = rng.normal(size=3)
X = rng.normal(size=(4, 3))
u = rng.uniform(0.2, 0.8, size=4)
k = np.array([0.0, 1.0, 3.0])


def differences(f, x, h=1e-6):
    x = np.array(x, float)
    columns = []
    for place in np.ndindex(x.shape):
        d = np.zeros_like(x)
        d[place] = h
        columns.append((np.asarray(f(x + d)) - np.asarray(f(x - d))) / (2 * h))
    return np.stack(columns, -1).reshape(*np.shape(f(x)), *x.shape)


PROGRAMS = {
    "logsumexp": (lambda x: logsumexp(x), X),
    "logsumexp along an axis": (lambda x: logsumexp(x, axis=1, keepdims=True), X),
    "logsumexp with weights": (lambda x: logsumexp(x, axis=0, b=np.array([[1.0], [2.0], [0.5], [0.0]])), X),
    "logsumexp of large numbers": (lambda x: logsumexp(1000 + x), x),
    "logsumexp by its weights": (lambda b: logsumexp(x, b=b), np.array([1.0, 2.0, 0.5])),
    "softmax": (lambda x: softmax(x, axis=-1), X),
    "softmax of all": (lambda x: softmax(x), X),
    "log_softmax": (lambda x: log_softmax(x, axis=0), X),
    "multigammaln": (lambda a: scipy.special.multigammaln(a, 3), np.array([4.5])),
    "polygamma": (lambda x: scipy.special.polygamma(2, x), np.array([0.7, 3.0])),
    "polygamma of order 0": (lambda x: scipy.special.polygamma(0, x), np.array([0.7, 3.0])),
    "inv": (lambda a: scipy.linalg.inv(a), A),
    "det": (lambda a: scipy.linalg.det(a, check_finite=False), A),
    "norm": (lambda a: scipy.linalg.norm(a, axis=0), A),
    "pinv": (lambda a: scipy.linalg.pinv(a), X),
    "solve": (lambda a: scipy.linalg.solve(a, x), A),
    "solve by b": (lambda b: scipy.linalg.solve(A, b), X.T),
    "solve transposed": (lambda a: scipy.linalg.solve(a, x, transposed=True), A),
    "solve a symmetric system": (lambda a: scipy.linalg.solve(a, x, assume_a="pos"), S),
    "solve_triangular": (lambda a: solve_triangular(a, x, lower=True), A),
    "solve_triangular transposed": (lambda a: solve_triangular(a, x, trans=1, unit_diagonal=True), A),
    "solve_banded": (lambda ab: scipy.linalg.solve_banded((1, 1), ab, u), X.T + np.array([[0.0], [5.0], [0.0]])),
    "solve_banded by b": (lambda b: scipy.linalg.solve_banded((1, 0), X.T[:2] + 3, b), u),
    "cholesky": (lambda a: scipy.linalg.cholesky(a), S),
    "lower cholesky": (lambda a: scipy.linalg.cholesky(a, lower=True), S),
    "cho_solve": (lambda a: cho_solve(cho_factor(a), x), S),
    "lower cho_solve": (lambda a: cho_solve(cho_factor(a, lower=True), X.T), S),
    "expm": (lambda a: scipy.linalg.expm(a / 4), A),
    "lstsq": (lambda a: scipy.linalg.lstsq(a, u)[0], X),
    "eigvalsh": (lambda a: scipy.linalg.eigvalsh(a), S),
    "eigh": (lambda a: scipy.linalg.eigh(a)[0], S),
    "eigenvectors": (lambda a: np.abs(scipy.linalg.eigh(a)[1]), S),
    "eigenvectors of the upper triangle": (lambda a: np.abs(scipy.linalg.eigh(a, lower=False)[1]), S),
    "left singular vectors": (lambda a: np.abs(scipy.linalg.svd(a, full_matrices=False)[0]), X),
    "residues": (lambda a: scipy.linalg.lstsq(a, u)[1], X),
    "eigvals_only": (lambda a: scipy.linalg.eigh(a, eigvals_only=True, lower=False), S),
    "svdvals": (lambda a: scipy.linalg.svdvals(a), X),
    "svd": (lambda a: scipy.linalg.svd(a, full_matrices=False)[1], X),
    "qr": (lambda a: np.abs(scipy.linalg.qr(a, mode="economic")[1]), X),
    "qr's r": (lambda a: np.abs(scipy.linalg.qr(a, mode="r")[0]), A),
    "block_diag": (lambda a: scipy.linalg.block_diag(a, 2.0, a[:, :1]), A),
    "toeplitz": (lambda c: scipy.linalg.toeplitz(c), x),
    "circulant": (lambda c: scipy.linalg.circulant(c), x),
    "convolve": (lambda x: scipy.signal.convolve(x, u), x),
    "convolve with itself": (lambda x: scipy.signal.convolve(x, x[::-1], mode="same"), x),
    "fftconvolve in two axes": (lambda x: scipy.signal.fftconvolve(x, A[:2, :2], mode="valid"), X),
    "convolve in two axes": (lambda k: scipy.signal.convolve(X, k, "same"), A[:2, :2]),
    "correlate": (lambda x: scipy.signal.correlate(x, u, "full"), x),
    "simpson": (lambda y: scipy.integrate.simpson(y, dx=0.1), X),
    "simpson at points": (lambda y: scipy.integrate.simpson(y, x=np.array([0.0, 0.3, 0.7]), axis=-1), X),
    "cumulative_trapezoid": (lambda y: scipy.integrate.cumulative_trapezoid(y, initial=0, axis=0), X),
    "savgol_filter": (lambda y: scipy.signal.savgol_filter(y, 5, 2), rng.normal(size=9)),
    "lfilter": (lambda y: scipy.signal.lfilter([0.2, 0.1], [1, -0.5], y), rng.normal(size=(2, 5))),
    "detrend": (lambda y: scipy.signal.detrend(y), rng.normal(size=6)),
    "dct": (lambda y: scipy.fft.dct(y, norm="ortho"), X),
    "fft": (lambda y: np.abs(scipy.fft.rfft(y)) ** 2, rng.normal(size=6)),
    "cdist": (lambda a: scipy.spatial.distance.cdist(a, X), A),
    "pdist": (lambda a: scipy.spatial.distance.pdist(a, "sqeuclidean"), X),
    "norm.logpdf": (lambda x: norm.logpdf(x), x),
    "norm.logpdf by its parameters": (lambda p: norm.logpdf(x, p[0], np.exp(p[1])), np.array([0.3, -0.2])),
    "norm.logpdf by names": (lambda p: stats.norm.logpdf(x, loc=p[0], scale=np.exp(p[1])), np.array([0.3, -0.2])),
    "norm.pdf": (lambda x: norm.pdf(x, 0.5, 2.0), x),
    "norm.cdf": (lambda x: norm.cdf(x, scale=2.0), x),
    "norm.logcdf": (lambda x: norm.logcdf(x), np.array([-8.0, 0.2])),
    "norm.sf": (lambda x: norm.sf(x), x),
    "norm.ppf": (lambda q: norm.ppf(q, 1.0, 2.0), u),
    "a frozen distribution": (lambda p: norm(p[0], p[1] ** 2).logpdf(x).sum(), np.array([0.3, 1.2])),
    "a frozen distribution of x": (lambda x: scipy.stats.norm(0.1, 2).cdf(x), x),
    "multivariate_normal": (lambda x: multivariate_normal.logpdf(x, np.zeros(3), S), X),
    "multivariate_normal by its mean": (lambda m: multivariate_normal.logpdf(X, m, S).sum(), x),
    "multivariate_normal by its covariance": (lambda c: multivariate_normal.logpdf(X, x, c), S),
    "multivariate_normal.pdf": (lambda x: multivariate_normal.pdf(x, cov=2.0), x),
    "one point of a multivariate_normal": (lambda x: multivariate_normal.logpdf(x, mean=u[:3]), x),
    "t": (lambda p: stats.t.logpdf(x, p[0], p[1], p[2]), np.array([3.5, 0.2, 1.5])),
    "t.cdf": (lambda x: stats.t.cdf(x, 3.5), x),
    "t.logcdf": (lambda x: stats.t.logcdf(x, 3.5), x),
    "multivariate_normal.entropy": (lambda c: multivariate_normal.entropy(x, c), S),
    "gamma": (lambda p: stats.gamma.logpdf(u, p[0], scale=p[1]), np.array([2.5, 0.7])),
    "gamma.pdf": (lambda x: stats.gamma.pdf(x, 2.5, loc=0.1), u),
    "gamma.cdf": (lambda x: stats.gamma.cdf(x, 2.5), u),
    "beta": (lambda p: stats.beta.logpdf(u, p[0], p[1]), np.array([2.5, 0.7])),
    "beta.cdf": (lambda x: stats.beta.cdf(x, 2.5, 0.7), u),
    "chi2": (lambda p: stats.chi2.logpdf(u, p), 3.3),
    "chi2.sf": (lambda x: stats.chi2.sf(x, 3.3), u),
    "expon": (lambda s: stats.expon.logpdf(u, scale=s), 1.7),
    "expon.pdf": (lambda x: stats.expon.pdf(x), np.array([-1.0, 0.5])),
    "laplace": (lambda x: stats.laplace.logpdf(x, 0.1, 2.0), x),
    "laplace.cdf": (lambda x: stats.laplace.cdf(x), x),
    "logistic": (lambda x: stats.logistic.pdf(x), x),
    "cauchy": (lambda x: stats.cauchy.logpdf(x, 0.2), x),
    "halfnorm": (lambda x: stats.halfnorm.logpdf(x), u),
    "uniform": (lambda x: stats.uniform.cdf(x, 0.1, 2.0), u),
    "lognorm": (lambda p: stats.lognorm.logpdf(u, p[0], scale=p[1]), np.array([0.9, 1.3])),
    "lognorm.cdf": (lambda x: stats.lognorm.cdf(x, 0.9), u),
    "poisson": (lambda mu: stats.poisson.logpmf(k, mu), 2.2),
    "poisson.pmf": (lambda mu: stats.poisson.pmf(k, mu), 2.2),
    "poisson.cdf": (lambda mu: stats.poisson.cdf(k, mu), 2.2),
    "bernoulli": (lambda p: stats.bernoulli.logpmf(np.array([0, 1, 1]), p), 0.3),
    "binom": (lambda p: stats.binom.pmf(k, 5, p), 0.3),
    "bernoulli of other numbers": (lambda p: stats.bernoulli.pmf(np.array([0, 1, 2, 0.5, -1]), p), 0.3),
    "poisson of other numbers": (lambda mu: stats.poisson.pmf(np.array([-1.0, 2.5, 2.0]), mu), 2.2),
    "lognorm.cdf of negative numbers": (lambda x: stats.lognorm.cdf(x, 0.9), np.array([-1.0, 0.5])),
    "multivariate_normal by a variance": (lambda v: multivariate_normal.logpdf(x, u[:3], np.exp(v[0])), u[:1]),
    "multivariate_normal by variances": (lambda v: multivariate_normal.entropy(x, v), u[:3]),
    "dirichlet": (lambda a: stats.dirichlet.logpdf(np.array([0.2, 0.3, 0.5]), a), np.array([1.5, 2.0, 0.7])),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_jacobians(name):
    f, at = PROGRAMS[name]
    np.testing.assert_allclose(jacobian(f)(at), differences(f, at), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("f", [logsumexp, softmax, norm.logpdf, scipy.linalg.norm, stats.laplace.cdf])
def test_the_function_may_be_one_of_scipys(f):
    np.testing.assert_allclose(jacobian(f)(x), differences(f, x), rtol=1e-6, atol=1e-8)


log_density = norm.logpdf


def test_a_method_may_have_a_name_of_its_own():
    pdf = stats.expon.pdf
    np.testing.assert_allclose(jacobian(lambda m: log_density(x, m).sum())(0.3), (x - 0.3).sum())
    np.testing.assert_allclose(jacobian(lambda y: pdf(y))(u), np.diag(-np.exp(-u)))


@pytest.mark.parametrize("name", PROGRAMS)
def test_values(name):
    f, at = PROGRAMS[name]
    inside = []
    jacobian(lambda x: inside.append(f(x)) or inside[0])(at)
    np.testing.assert_allclose(np.asarray(inside[0].value), f(np.array(at)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("f", [
    lambda x: scipy.linalg.solve(x, np.ones(3), assume_a="banded"),
    lambda x: logsumexp(x, return_sign=True),
    lambda x: stats.norm.rvs(loc=x),
    lambda x: stats.norminvgauss.logpdf(0.3, 20.0, x[0, 0]),
    lambda x: scipy.spatial.distance.cdist(x, A, "cosine"),
    lambda x: scipy.signal.lfilter(x[0], [1.0], np.ones(4)),
    lambda x: scipy.linalg.sqrtm(x),
    lambda x: stats.norm.cdf(x, scale=-1.0),
    lambda x: scipy.signal.savgol_filter(x[0], 3, 1, mode="constant", cval=1.0),
])  # fmt: skip
def test_what_is_refused(f):
    with pytest.raises((TracingError, TypeError, ValueError)):
        jacobian(f)(A)


def test_beyond_the_support_densities_are_zero():
    found = jacobian(lambda x: stats.gamma.pdf(x, 2.5))(np.array([-1.0, 0.5]))
    assert found[0, 0] == 0
    assert found[1, 1] != 0


def test_nothing_is_different_for_plain_values():
    f = lambda p: p * norm.logpdf(0.3, 0.1, 2.0) + logsumexp([1.0, 2.0]) + norm(1.0, 2.0).mean()
    np.testing.assert_allclose(jacobian(f)(2.0), norm.logpdf(0.3, 0.1, 2.0))
    assert type(norm).__name__ == "norm_gen"
    assert logsumexp.__module__.startswith("scipy")
