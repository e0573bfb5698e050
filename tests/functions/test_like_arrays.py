"""Traced values are told from arrays and numbers by nothing that a program asks, and are written into alike."""

from __future__ import annotations

import numbers

import numpy as np
import pytest

from jacobians import TracingError, hessian, jacobian, trace
from tests.functions.differences import right

rng = np.random.default_rng(0)
v, M = rng.normal(size=4), rng.normal(size=(3, 4))


# --- what isinstance is told ------------------------------------------------------------------------------------------


def test_what_an_array_is():
    def f(x):
        assert isinstance(x, np.ndarray)
        assert not isinstance(x, list | tuple | float | np.generic)
        assert isinstance(x[0], float)
        assert isinstance(x[0], np.float64)
        assert isinstance(x[0], numbers.Real)
        assert not isinstance(x[0], np.ndarray | int)
        assert np.isscalar(x[0])
        assert not np.isscalar(x)
        assert isinstance((1j * x)[0], complex)
        assert isinstance(np.zeros(3), np.ndarray)
        return x

    jacobian(f)(v)
    hessian(lambda x: np.sum(f(x)))(v)


def test_an_array_without_axes_is_no_number():
    def f(x):
        assert isinstance(x, np.ndarray)
        assert isinstance(x + 1, float)
        y = x
        y *= 3  # x, too
        return x * y

    def g(x):
        assert isinstance(x, float)
        y = x
        y *= 3
        return x * y

    assert jacobian(f)(np.array(2.0)) == 36
    assert jacobian(g)(2.0) == jacobian(g)(np.float64(2.0)) == 12


def test_branches_by_kind():
    def f(x):
        y = x**2 if isinstance(x, np.ndarray) else x**3
        for k, one in enumerate(x):
            y[k] = y[k] * (one if isinstance(one, float) else 7.0)
        return y

    right(f, v)


# --- out= in every place ----------------------------------------------------------------------------------------------


def by_position(X):
    total, largest, product = np.empty(4), np.empty(3), np.empty((3, 3))
    np.sum(X, 0, None, total)
    np.max(X, 1, largest)
    np.dot(X, X.T, product)
    running = np.empty((3, 4))
    np.cumsum(X, 1, None, running)
    np.clip(running, -1, 1, running)
    both = np.empty((6, 4))
    np.concatenate([X, running], 0, both)
    return both @ total + np.sum(product @ largest)


def of_methods(X):
    total, mean, spread = np.zeros(4), np.zeros(4), np.zeros(4)
    X.sum(axis=0, out=total)
    X.mean(0, None, mean)
    X.std(axis=0, out=spread)
    running = np.zeros((3, 4))
    X.cumsum(0, None, running)
    X.clip(-0.5, 0.5, out=X)
    return X * total + running * mean - spread


def plain_places(X):
    positive, signs, places = np.empty((3, 4), bool), np.zeros((3, 4)), np.empty(3, int)
    np.greater(X, 0, out=positive)
    np.sign(X, out=signs)
    np.argmax(X, 1, places)
    rounded = np.empty((3, 4))
    X.round(1, rounded)
    return X * positive + signs * X**2 + X[np.arange(3), places].sum() + rounded


@pytest.mark.parametrize("f", [by_position, of_methods, plain_places])
def test_out(f):
    right(f, M)


# --- views in traces of traces ----------------------------------------------------------------------------------------


def written_through_a_slice(x):
    part = x[1:]
    part *= 2
    return np.sum(x**3)


def written_through_a_transpose(x):
    y = x.reshape(2, 2).copy()
    rows = y.T
    rows[0] = x[1] ** 2
    y.reshape(-1)[3] *= x[0]
    return np.sum(y**3)


@pytest.mark.parametrize("f", [written_through_a_slice, written_through_a_transpose])
def test_views_are_written_through_in_traces_of_traces(f):
    right(jacobian(f), v, tolerance=1e-6)
    np.testing.assert_allclose(jacobian(jacobian(f))(v), hessian(f)(v), atol=1e-12)


def memory(x):
    y = x.view()
    y[0] = x[1] ** 2
    z = x.view(complex)
    return np.concatenate([x * x, z.real * z.imag, (z * z).view(float)])


def test_views_of_the_same_memory():
    right(memory, v)
    with pytest.raises(TracingError, match="bytes"):
        jacobian(lambda x: x.view(np.float32))(v)


def test_texts():
    def f(x):
        text = "%.3f and %d" % (x[0], 3)  # noqa: UP031
        text += f"{x[0]:.3f} {x} {x!r}" + "{:8.2e} {}".format(x[1], x[2]) + str(x[1])  # noqa: UP032
        assert text.startswith("%.3f and 3" % x[0])  # noqa: UP031
        return x * 2

    right(f, v)
    with pytest.raises(TracingError, match="cannot be traced"):
        jacobian(lambda x: x[0] % np.float64(x[0]))(v)


@pytest.mark.parametrize("text", [str, "{}".format, "{:.17g}".format, lambda x: f"{x}"])
def test_a_number_out_of_a_text_is_refused(text):
    with pytest.raises(TracingError, match=r"float\(\) of the text of a traced value .*np.round"):
        jacobian(lambda x: float(text(x[0])) * x[1])(v)
    right(lambda x: x * float("2.5"), v)


def test_what_cannot_be_written_into_says_so():
    held = {"table": np.ones(3)}

    def f(x):
        held["table"][0] = x[0]
        return held["table"]

    with pytest.raises(TracingError, match=r"writing a traced value into a plain array .*np.array\(y\)"):
        jacobian(f)(v)
    assert (held["table"] == 1).all()


def test_matrices_are_refused():
    with pytest.raises(TracingError, match="A @ B"):
        jacobian(lambda x: np.matrix([[x[0], x[1]]]) * np.matrix([[1.0], [2.0]]))(v)


def test_arrays_of_several_shapes():
    right(lambda x: sum(one.sum() ** 2 for one in np.array([x[:1], x[1:]], dtype=object)), v)


# --- what is not chosen -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.where(x > 0, np.sqrt(np.maximum(x, 0)), 0),
        lambda x: np.sqrt(np.maximum(x, 0)),
        lambda x: np.sum(np.sqrt(np.clip(x, 0, 3)) @ np.outer(x, x)),
        lambda x: np.where(np.eye(3, dtype=bool), 0, np.sqrt(np.square(x[:, None] - x))) @ x,
        lambda x: np.maximum(np.log(np.where(x > 0, x, 0)), -5) + np.where(x > 0, 1 / np.where(x > 0, x, 0), x),
    ],
)
def test_what_is_not_chosen_counts_for_nothing(f):
    x = np.array([-1.0, 2.0, 0.5])
    with np.errstate(all="ignore"):
        right(f, x)
        np.testing.assert_allclose(hessian(f)(x), jacobian(jacobian(f))(x), atol=1e-12)
        np.testing.assert_allclose(trace(f, x).jacobian("x").full(), jacobian(f)(x))
        np.testing.assert_allclose(trace(f, x).jvp(x), jacobian(f)(x) @ x)


def test_where_a_slope_is_infinite_it_is_chosen_or_not():
    x = np.array([0.0, 1.0, 4.0])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(jacobian(lambda x: np.where(x > 0, np.sqrt(x), 0))(x), np.diag([0, 0.5, 0.25]))
        assert jacobian(lambda x: np.where(x >= 0, np.sqrt(x), 0))(x)[0, 0] == np.inf


def test_a_shape_is_not_assigned():
    def f(x):
        y = x.copy()
        y.shape = (2, 2)
        return y

    with pytest.raises(TracingError, match=r"y\.shape = \(2, 2\).*write y = y\.reshape"):
        jacobian(f)(np.arange(4.0))
