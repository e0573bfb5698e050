"""Reductions and accumulations with all their options, and values chosen by conditions and by order."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import TracingError, jacobian, trace
from tests.functions.differences import right

rng = np.random.default_rng(1)
v, M, T = rng.normal(size=5), rng.normal(size=(3, 4)), rng.normal(size=(2, 3, 4))
m = M > 0
missing = np.array([True, False, False, True, False])
NAMES = [
    "sum",
    "prod",
    "mean",
    "max",
    "min",
    "amax",
    "amin",
    "var",
    "std",
    "ptp",
    "nansum",
    "nanprod",
    "nanmean",
    "nanmax",
    "nanmin",
    "nanvar",
    "nanstd",
]


@pytest.mark.parametrize("name", NAMES)
def test_axes(name):
    function = getattr(np, name)
    right(lambda x: function(x), M)
    right(lambda x: function(x, -1), M)
    right(lambda x: function(x, axis=(0, 2), keepdims=True), T)
    right(lambda x: function(x, axis=1, keepdims=True), M)
    right(lambda x: function(x), np.array(1.5))
    if hasattr(np.ndarray, name):
        right(lambda x: getattr(x, name)(axis=0), M)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "std"])
def test_where(name):
    function = getattr(np, name)
    right(lambda x: function(x, axis=1, where=m), M)
    right(lambda x: function(x, axis=0, keepdims=True, where=[[True], [False], [True]]), M)


@pytest.mark.parametrize("name", ["nansum", "nanmean", "nanmax", "nanmin", "nanvar", "nanstd", "nanprod", "nancumsum"])
def test_nan_is_left_out(name):
    right(lambda x: getattr(np, name)(np.where(missing, np.nan, x)), v)


EXPRESSIONS = [
    "np.var(x, ddof=1, axis=1)",
    "np.std(x, ddof=1, axis=1)",
    "np.nanvar(x, ddof=1)",
    "np.var(x, axis=1, ddof=1, where=np.array([True, True, False, True]))",
    "np.std(x, correction=1)",
    "np.max(x, axis=1, where=m, initial=0.1)",
    "np.min(x, axis=1, initial=0.3)",
    "np.sum(x, initial=3.0)",
    "np.prod(x, initial=3.0, axis=0)",
    "np.sum(x, dtype=np.float64)",
    "np.prod(x * (x > 0), axis=1)",
    "np.cumprod(x * (x > 0))",
    "np.cumsum(x)",
    "x.cumsum(axis=1)",
    "x.cumprod(0)",
    "np.nancumprod(x)",
    "np.cumulative_sum(x, axis=1, include_initial=True)",
    "np.cumulative_prod(x, axis=0, include_initial=True)",
    "np.where(x > 0, x, x**2)",
    "np.where(x > 0, x, 0)",
    "np.where(m, x[0], x[:, :1])",
    "np.where(x > 0, 1, 2.0) * x",
    "np.select([x > 0.5, x > 0], [x**2, x**3], -x)",
    "np.select([x > 0.5, x > 0], [x**2, 1.0])",
    "np.piecewise(x, [x < 0, x >= 0], [lambda t: -(t**2), lambda t: t**3])",
    "np.piecewise(x, [x < 0], [-1, lambda t: t**3])",
    "np.clip(x, -0.5, 0.5)",
    "x.clip(0)",
    "np.clip(x, None, 0.3)",
    "np.clip(x, x[::-1], 1)",
    "x.clip(min=-0.1, max=0.1)",
    "np.clip(x, a_min=0, a_max=None)",
    "np.clip(x, np.zeros(4), np.ones(4))",
    "np.clip(0.2, x[0], x[1])",
    "np.nan_to_num(x / np.array([1, 0, 2.0, 3]) * np.array([1, 0, 1, 1]))",
    "np.choose([0, 1, 1, 0], [x, x**2])",
    "np.compress([True, False, True], x, axis=0)",
    "np.extract(x > 0, x)",
    "np.sort(x)",
    "np.sort(x, axis=None)",
    "np.sort(x, axis=0)",
    "np.partition(x, 2)",
    "np.partition(x, (1, 2), axis=1)",
    "np.unique(x)",
    "np.unique(x, return_counts=True)[0]",
    "np.trim_zeros(x[0] * np.array([0, 1, 2, 0]))",
    "x[:, np.argsort(x[0])] * np.arange(4)",
]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions(text):
    right(eval(f"lambda x: {text}", {"np": np, "m": m}), M)


@pytest.mark.parametrize(
    "text",
    [
        "np.bincount([0, 1, 1, 3, 0], x, 6)",
        "np.histogram(x, 3)[1]",
        "np.histogram(x, 3)[0] + 0 * x[:3]",
        "np.histogram(x, 3, weights=x)[0]",
        "np.histogram(x, [-1, 0, 1.0], weights=x)[0]",
        "np.histogram(x, 3, density=True)[0]",
        "np.heaviside(np.array([0.0, 1, -1, 0, 2]), x)",
    ],
)
def test_counts_are_constants_but_weights_and_edges_are_not(text):
    right(eval(f"lambda x: {text}", {"np": np}), v)


@pytest.mark.parametrize("text", ["np.where(x > 0, np.log(x), 0)", "np.where(x > 0, 1 / x, x)"])
def test_what_is_not_chosen_counts_for_nothing(text):
    f = eval(f"lambda x: {text}", {"np": np})
    with np.errstate(all="ignore"):
        J = jacobian(f)(np.array([0.0, 2.0]))
    assert np.isfinite(J).all()
    assert J[1, 1] == (0.5 if "log" in text else -0.25)


@pytest.mark.parametrize("text", ["np.sum(x, dtype=int)", "np.var(x, mean=x[0])", "np.max(x, where=x > 0)"])
def test_options_without_a_derivative_are_refused(text):
    with pytest.raises((TracingError, ValueError)):
        jacobian(eval(f"lambda x: {text}", {"np": np}))(v)


def test_reductions_of_nothing_and_of_one_entry():
    x = np.array([0.4, -1.2, 2.0])
    for f in (
        lambda x: np.exp(np.logaddexp.reduce(x[:0])) + x,
        lambda x: np.subtract.reduce(x[:0], initial=2.0) * x,
        lambda x: np.hypot.reduce(x[:1]) + np.logaddexp.reduce(x[1:2]) * x,
        lambda x: np.divide.reduce(x[1:], initial=0.5) * x,
        lambda x: np.logaddexp.reduce(np.stack([x, x * x]), axis=1, keepdims=True),
        lambda x: np.subtract.reduce(x[:0], initial=x[0]) * x,
    ):
        right(f, x)
        np.testing.assert_array_equal(trace(f, x).output, f(x))
    with pytest.raises(ValueError, match="zero-size"):
        jacobian(lambda x: np.arctan2.reduce(x[:0]) * x)(x)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("endpoint", [True, False])
def test_sequences_of_few_numbers(count, endpoint):
    right(lambda x: np.linspace(x[0], x[1], count, endpoint=endpoint), np.array([0.5, 2.0]))
    right(lambda x: np.geomspace(x[0], x[1], count, endpoint=endpoint), np.array([0.5, 2.0]))
