"""Probability distributions of ``scipy.stats``: their densities and distribution functions, in SciPy's ufuncs.

A distribution has a stand-in, once ``scipy.stats`` has been imported. Source: the documentation of ``scipy.stats``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import log, pi
from typing import Any

import numpy as np

from jacobians.core.rules import refuse
from jacobians.core.traced import Traced
from jacobians.functions.assembling import any_traced
from jacobians.functions.scientific import special, symmetric, verified
from jacobians.functions.stand_ins import fresh, replaced_later, whole

Call = Callable[..., Any]


def _gammaln(x: Any) -> Any:
    return special("gammaln")(x)


def _within(y: Any, inside: Any, value: Call) -> Any:
    """A logarithm of a density that is 0 outside of its support."""
    return np.where(inside, value(np.where(inside, y, 0.5)), -np.inf)


def _counted(k: Any, most: Any, value: Call) -> Any:
    """A logarithm of the mass of a number from 0 to the most; other numbers have none."""
    inside = (k >= 0) & (k <= most) & (np.floor(k) == k)
    return np.where(inside, value(np.where(inside, k, 0)), -np.inf)


LOG_DENSITIES: dict[str, Call] = {
    "norm": lambda y: -y * y / 2 - log(2 * pi) / 2,
    "halfnorm": lambda y: _within(y, y >= 0, lambda y: log(2 / pi) / 2 - y * y / 2),
    "expon": lambda y: _within(y, y >= 0, lambda y: -y),
    "laplace": lambda y: -np.abs(y) - log(2),
    "logistic": lambda y: -np.abs(y) - 2 * np.log1p(np.exp(-np.abs(y))),
    "cauchy": lambda y: -np.log1p(y * y) - log(pi),
    "uniform": lambda y: _within(y, (y >= 0) & (y <= 1), lambda y: 0 * y),
    "t": lambda y, df: (_gammaln((df + 1) / 2) - _gammaln(df / 2) - np.log(pi * df) / 2
                        - (df + 1) / 2 * np.log1p(y * y / df)),
    "gamma": lambda y, a: _within(y, y >= 0, lambda y: special("xlogy")(a - 1, y) - y - _gammaln(a)),
    "chi2": lambda y, df: _within(
        y, y >= 0, lambda y: special("xlogy")(df / 2 - 1, y / 2) - y / 2 - _gammaln(df / 2) - log(2)),
    "beta": lambda y, a, b: _within(y, (y >= 0) & (y <= 1), lambda y: (
        special("xlogy")(a - 1, y) + special("xlog1py")(b - 1, -y) - special("betaln")(a, b))),
    "lognorm": lambda y, s: _within(y, y > 0, lambda y: -((np.log(y) / s) ** 2) / 2 - np.log(s * y) - log(2 * pi) / 2),
}  # fmt: skip
"""log p(y) for a location of 0 and a scale of 1."""

LOG_MASSES: dict[str, Call] = {
    "poisson": lambda k, mu: _counted(k, np.inf, lambda k: special("xlogy")(k, mu) - _gammaln(k + 1.0) - mu),
    "bernoulli": lambda k, p: _counted(k, 1, lambda k: special("xlogy")(k, p) + special("xlog1py")(1 - k, -p)),
    "binom": lambda k, n, p: _counted(k, n, lambda k: (
        _gammaln(n + 1.0) - _gammaln(k + 1.0) - _gammaln(n - k + 1.0) + special("xlogy")(k, p)
        + special("xlog1py")(n - k, -p))),
}  # fmt: skip
"""log p(k)."""

DISTRIBUTION_FUNCTIONS: dict[str, dict[str, Call]] = {
    "norm": {"cdf": lambda y: special("ndtr")(y), "sf": lambda y: special("ndtr")(-y),
             "logcdf": lambda y: special("log_ndtr")(y), "logsf": lambda y: special("log_ndtr")(-y)},
    "logistic": {"cdf": lambda y: special("expit")(y), "sf": lambda y: special("expit")(-y),
                 "logcdf": lambda y: special("log_expit")(y), "logsf": lambda y: special("log_expit")(-y)},
    "expon": {"cdf": lambda y: -np.expm1(-np.maximum(y, 0)), "sf": lambda y: np.exp(-np.maximum(y, 0)),
              "logsf": lambda y: -np.maximum(y, 0)},
    "cauchy": {"cdf": lambda y: 0.5 + np.arctan(y) / pi, "sf": lambda y: 0.5 - np.arctan(y) / pi},
    "laplace": {"cdf": lambda y: np.where(y < 0, np.exp(-np.abs(y)) / 2, 1 - np.exp(-np.abs(y)) / 2)},
    "uniform": {"cdf": lambda y: np.clip(y, 0, 1)},
    "t": {"cdf": lambda y, df: special("stdtr")(df, y), "sf": lambda y, df: special("stdtr")(df, -y)},
    "gamma": {"cdf": lambda y, a: special("gammainc")(a, np.maximum(y, 0)),
              "sf": lambda y, a: special("gammaincc")(a, np.maximum(y, 0))},
    "chi2": {"cdf": lambda y, df: special("chdtr")(df, np.maximum(y, 0)),
             "sf": lambda y, df: special("chdtrc")(df, np.maximum(y, 0))},
    "beta": {"cdf": lambda y, a, b: special("betainc")(a, b, np.clip(y, 0, 1))},
    "lognorm": {"cdf": lambda y, s: np.where(y > 0, special("ndtr")(np.log(np.where(y > 0, y, 1)) / s), 0)},
    "poisson": {"cdf": lambda k, mu: special("pdtr")(np.floor(k), mu)},
}  # fmt: skip
QUANTILES: dict[str, Call] = {
    "norm": lambda q: special("ndtri")(q),
    "logistic": lambda q: special("logit")(q),
    "expon": lambda q: -np.log1p(-q),
    "cauchy": lambda q: np.tan(pi * (q - 0.5)),
    "uniform": lambda q: q,
}


class Distribution:
    """A distribution in the place of SciPy's: of traced values, its methods are computed with functions above."""

    def __init__(self, original: Any) -> None:
        self.__wrapped__ = original

    def __call__(self, *parameters: Any, **options: Any) -> Any:
        """The distribution with these parameters."""
        return Frozen(self, parameters, options)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.__wrapped__, name)
        return partial(self._method, name, found) if callable(found) else found

    def _method(self, name: str, original: Call, *arguments: Any, **options: Any) -> Any:
        if not any_traced([*arguments, *options.values()]):
            return fresh(original(*arguments, **options), *arguments)
        rule = self._rule(name)
        if rule is None:
            kind = type(self.__wrapped__).__name__.removesuffix("_gen")
            refuse(f"scipy.stats.{kind}.{name}", "write it with SciPy's ufuncs, such as scipy.special.gammaln")
        arguments, options = tuple(map(whole, arguments)), {key: whole(value) for key, value in options.items()}
        return verified(rule(*arguments, **options), original, arguments, options, f"scipy.stats: {name}")

    def _rule(self, method: str) -> Call | None:
        """What a method computes: a function of x, the parameters, and perhaps location and scale."""
        one = self.__wrapped__
        shapes = [] if one.shapes is None else [name.strip() for name in one.shapes.split(",")]
        discrete, exponential = one.name in LOG_MASSES, not method.startswith("log")
        density = {**LOG_MASSES, **LOG_DENSITIES}.get(one.name)
        if method in ("logpmf", "pmf") if discrete else method in ("logpdf", "pdf"):
            standard = density
        elif method == "ppf":
            standard, exponential = QUANTILES.get(one.name), False
        else:
            standard, exponential = _distribution_function(one.name, method), False
        if standard is None:
            return None

        def rule(x: Any, *parameters: Any, **options: Any) -> Any:
            names = [*shapes, "loc"] if discrete else [*shapes, "loc", "scale"]
            given = {"loc": 0, "scale": 1, **dict(zip(names, parameters, strict=False)), **options}
            chosen = [given[name] for name in shapes]
            if method == "ppf":
                return given["loc"] + given["scale"] * standard(x, *chosen)
            y = (x - given["loc"]) / given["scale"]
            found = standard(y, *chosen)
            if density is standard and not discrete:
                found = found - np.log(given["scale"])
            return np.exp(found) if exponential else found

        return rule


def _distribution_function(name: str, method: str) -> Call | None:
    """The distribution function or the survival function, or the logarithm of one."""
    known = DISTRIBUTION_FUNCTIONS.get(name, {})
    plain = known.get(method.removeprefix("log"))
    if method in known or plain is None or not method.startswith("log"):
        return known.get(method)
    return lambda *arguments: np.log(plain(*arguments))


class Frozen:
    """A distribution with its parameters."""

    def __init__(self, distribution: Any, parameters: tuple[Any, ...], options: Mapping[str, Any]) -> None:
        self._of, self._parameters, self._options = distribution, parameters, options

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("rvs", "mean", "var", "std", "entropy", "stats", "median"):
            return lambda *a, **k: getattr(self._of, name)(*self._parameters, *a, **self._options, **k)
        return lambda x, *a, **k: getattr(self._of, name)(x, *self._parameters, *a, **self._options, **k)


class MultivariateNormal(Distribution):
    """The normal distribution in several dimensions."""

    def _rule(self, method: str) -> Call | None:
        methods: dict[str, Call] = {
            "logpdf": _log_normal,
            "pdf": lambda *a, **k: np.exp(_log_normal(*a, **k)),
            "entropy": _entropy_of_normal,
        }
        return methods.get(method)


def _entropy_of_normal(mean: Any = None, cov: Any = 1) -> Any:
    """½ log det 2πeΣ."""
    matrix = _covariance(mean, cov)
    return (np.linalg.slogdet(matrix)[1] + matrix.shape[0] * (1 + log(2 * pi))) / 2


def _log_normal(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    """−½ (x−μ)ᵀ Σ⁻¹ (x−μ) − ½ log det 2πΣ; of Σ, SciPy reads the lower triangle."""
    cov = _covariance(mean, cov)
    x, size = x if isinstance(x, Traced) else np.asarray(x, float), cov.shape[0]
    if allow_singular and np.linalg.matrix_rank(cov) < size:
        refuse("scipy.stats.multivariate_normal with a singular covariance", "it has no density in all directions")
    points = x if x.ndim > 1 else np.reshape(x, (-1, size))
    d = points - (0 if mean is None else mean)
    squares = np.sum(d * np.linalg.solve(cov, d[..., None])[..., 0], axis=-1)
    found = -(squares + np.linalg.slogdet(cov)[1] + size * log(2 * pi)) / 2
    return np.squeeze(found) if found.size != 1 else np.reshape(found, ())


def _covariance(mean: Any, cov: Any) -> Any:
    """The covariance as a matrix: given as one, as its diagonal, or as a number; SciPy reads the lower triangle."""
    cov = cov if isinstance(cov, Traced) else np.asarray(cov, float)
    if cov.ndim == 0:
        return cov * np.eye(1 if mean is None else np.size(mean))
    return np.diag(cov) if cov.ndim == 1 else symmetric(cov, lower=True)


class Dirichlet(Distribution):
    """The Dirichlet distribution."""

    def _rule(self, method: str) -> Call | None:
        return {"logpdf": _log_dirichlet, "pdf": lambda x, alpha: np.exp(_log_dirichlet(x, alpha))}.get(method)


def _log_dirichlet(x: Any, alpha: Any) -> Any:
    """Σ (α_k − 1) log x_k − log B(α), for points that stand in columns."""
    if x.shape[0] == np.shape(alpha)[0] - 1:
        x = np.concatenate([x, 1 - np.sum(x, axis=0)[None]])
    normal = np.sum(_gammaln(alpha)) - _gammaln(np.sum(alpha))
    return np.sum(special("xlogy")((alpha - 1).T, x.T).T, axis=0) - normal


for _name in {*LOG_DENSITIES, *LOG_MASSES}:
    replaced_later("scipy.stats", _name, Distribution)
replaced_later("scipy.stats", "multivariate_normal", MultivariateNormal)
replaced_later("scipy.stats", "dirichlet", Dirichlet)
