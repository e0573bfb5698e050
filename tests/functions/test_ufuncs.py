"""NumPy's ufuncs of traced values, with their options and methods, and the operators."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import TracingError, jacobian
from tests.functions.differences import right

rng = np.random.default_rng(0)
v, p, u = rng.normal(size=5), rng.uniform(0.2, 1.8, 5), rng.uniform(-0.9, 0.9, 5)
M, row = rng.normal(size=(3, 4)), rng.normal(size=4) * 0.4

OUTSIDE = np.zeros(5)

UNARY = (
    "negative positive exp exp2 expm1 square sin cos tan sinh cosh tanh arcsinh absolute fabs deg2rad rad2deg radians "
    "degrees sinc conjugate rint floor sign arctan trunc ceil spacing"
)
POSITIVE = "log log1p log2 log10 sqrt reciprocal cbrt"
BINARY = (
    "add subtract multiply divide true_divide maximum minimum fmax fmin hypot arctan2 logaddexp logaddexp2 copysign "
    "fmod remainder mod nextafter heaviside floor_divide"
)


@pytest.mark.parametrize(
    ("name", "x"),
    [(n, v) for n in UNARY.split()]
    + [(n, p) for n in POSITIVE.split()]
    + [(n, u) for n in ("arcsin", "arccos", "arctanh")]
    + [("arccosh", p + 1), ("cbrt", -p)],
)
def test_functions_of_one_array(name, x):
    right(lambda x: getattr(np, name)(x) + x * 0, x)


@pytest.mark.parametrize("name", BINARY.split())
def test_functions_of_two_arrays(name):
    function = getattr(np, name)
    right(lambda x, y: function(x, y) + 0 * x, v, p)
    right(lambda x, y: function(x, y) + 0 * x, M, row)
    right(lambda x: function(x, 0.37) + 0 * x, v)
    right(lambda x: function(1.37, x) + 0 * x, v)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: x**3, v),
        (lambda x: x**2, v),
        (lambda x: x**-1, v),
        (lambda x: x**0.5, p),
        (lambda x: x**-1.5, p),
        (lambda x: 2**x, v),
        (lambda x: x**x, p),
        (lambda x: x**0, np.array([0.0, 1, 2])),
        (lambda x: x ** np.array([0, 1, 2, 3]), np.array([0.5, -1, 2, -3])),
        (lambda x: np.float_power(x, 2.5), p),
        (lambda x: 0.0**x, p),
        (lambda x: x % 0.3, v),
        (lambda x: 1.5 % x, v),
        (lambda x: divmod(x, 0.3)[1] + np.divmod(x, 0.4)[1], v),
        (lambda x: x // 0.3 + x, v),
        (lambda x: np.modf(x)[0] * np.modf(x)[1], v),
        (lambda x: np.frexp(x)[0], v),
        (lambda x: np.ldexp(x, np.array([1, 2, 3, 4, 5])), v),
        (lambda x: -x + +x * abs(x), v),
        (lambda x: np.exp(x, dtype=np.float64), v),
        (lambda x: np.fmax(x, np.array([np.nan, 0, 0, np.nan, 1])), v),
        (lambda x: np.fmin(np.array([np.nan, 0, 0, np.nan, 1]), x), v),
    ],
)
def test_powers_quotients_and_operators(f, x):
    right(f, x)


def in_place(x):
    y = x.copy()
    y += 1
    y *= x
    y -= x / 2
    y /= 3 + x
    y **= 2
    y %= 0.5
    z = y
    z //= 1e9
    return y + x


def into_arrays(x):
    y = np.zeros_like(x)
    np.multiply(x, x, out=y)
    np.add(y, 1, y)
    return y


@pytest.mark.parametrize(
    "f",
    [
        in_place,
        into_arrays,
        lambda x: np.divide(1, x, out=np.zeros_like(x), where=x > 0),
        lambda x: np.sqrt(x, out=np.zeros_like(x), where=x > 0),
        lambda x: np.multiply(x[:, None], x, out=np.ones_like(x[:, None] * x), where=x > 0),
    ],
)
def test_out_and_where(f):
    right(f, v)


def test_where_leaves_no_nan_from_entries_that_are_left_out():
    x = np.array([-1.0, 0.0, 4.0])
    J = jacobian(lambda x: np.sqrt(x, out=np.zeros_like(x), where=x > 0))(x)
    np.testing.assert_array_equal(J, np.diag([0, 0, 0.25]))


def at(ufunc, *values):
    def f(x):
        y = x * 2
        ufunc.at(y, [0, 1, 1], *[value(x) if callable(value) else value for value in values])
        return y

    return f


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: np.add.reduce(x), M),
        (lambda x: np.add.reduce(x, axis=None), M),
        (lambda x: np.multiply.reduce(x, axis=1, keepdims=True), M),
        (lambda x: np.maximum.reduce(x, axis=-1), M),
        (lambda x: np.minimum.reduce(x, axis=(0, 1)), M),
        (lambda x: np.logaddexp.reduce(x, axis=0), M),
        (lambda x: np.logaddexp.reduce(x, axis=None, keepdims=True), M),
        (lambda x: np.hypot.reduce(x, axis=0), M),
        (lambda x: np.subtract.reduce(x, axis=1), M),
        (lambda x: np.add.accumulate(x, axis=1), M),
        (lambda x: np.multiply.accumulate(x, axis=0), M),
        (lambda x: np.maximum.accumulate(x, axis=1), M),
        (lambda x: np.logaddexp.accumulate(x), M),
        (lambda x: np.add.outer(x, x), v),
        (lambda x: np.multiply.outer(x, np.ones((2, 2))), v),
        (lambda x: np.subtract.outer(np.arange(3.0), x), v),
        (lambda x: np.add.reduceat(x, [0, 2, 3]), v),
        (lambda x: np.multiply.reduceat(x, [0, 2, 3, 1], axis=1), M),
        (at(np.add, lambda x: x[:3]), v),
        (at(np.subtract, lambda x: x[0]), v),
        (at(np.add, 2.5), v),
        (at(np.multiply, lambda x: x[:3]), v),
        (at(np.negative), v),
    ],
)
def test_methods(f, x):
    right(f, x)


@pytest.mark.parametrize(
    ("f", "what"),
    [
        (lambda x: np.gcd(x, 2), "np.gcd"),
        (lambda x: np.sqrt(x, where=x > 0), "where= without out="),
        (lambda x: np.multiply(x, x, out=OUTSIDE), "plain array"),
        (lambda x: np.add.at(OUTSIDE, [0], x[0]), "np.add.at of a plain array"),
        (lambda x: np.maximum(x, 1j * x), "Maximum of complex values"),
        (lambda x: np.ldexp(1.0, x), "ldexp"),
    ],
)
def test_what_has_no_derivative_is_refused(f, what):
    with pytest.raises((TracingError, AttributeError), match=what):
        jacobian(f)(v)


def test_float32_is_kept():
    J = jacobian(lambda x: np.tanh(x * 2 + np.arange(5, dtype=np.int8)) ** 2 / 3)(v.astype(np.float32))
    assert J.dtype == np.float32
