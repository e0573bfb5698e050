"""np.asarray shares the entries of an array, np.array copies them: a write must be seen where NumPy would see it."""

import numpy as np
import pytest

from jacobians import TracingError, jacobian

x = np.array([0.5, -1.5, 2.0, 3.0])


def of_copy(x):
    z = np.array(x)
    x[0] = 7
    return z * z


def of_list(x):
    z = np.array([x, x])
    x *= 2
    return z * z


def rows(x):
    history = []
    for k in range(3):
        x[k] = x[k + 1] * 2
        history.append(x.copy())
        z = np.array(history)
    return z


def for_a_moment(x):
    z = np.asarray(x) * 2
    x[0] = 7
    return z * x


def right(f):
    h = 1e-6
    columns = [(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(4)]
    np.testing.assert_allclose(jacobian(f)(x), np.stack(columns, -1), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("f", [of_copy, of_list, rows, for_a_moment])
def test_copies_are_right(f):
    right(f)


def write_into_it(x, asarray=None):
    z = (asarray or np.asarray)(x)
    z[1] = 3
    return x * x


def write_into_a_part(x, asarray=None):
    z = (asarray or np.asarray)(x[1:])
    z *= 2
    return x * x


def write_beside_it(x, asarray=None):
    z = (asarray or np.asarray)(x)
    x[0] = 7
    return z * z


def write_beside_a_part(x, asarray=None):
    z = (asarray or np.asarray)(x[1:])[1:]
    x[2] = 7
    return z * z


SHARING = [write_into_it, write_into_a_part, write_beside_it, write_beside_a_part]


@pytest.mark.parametrize("f", SHARING)
def test_what_is_shared_is_written_into(f):
    right(f)


@pytest.mark.parametrize("f", SHARING)
def test_what_another_module_shares_is_not_written_into(f):
    asarray = np.asarray  # no name of the module, so that it stays NumPy's own
    with pytest.raises(TracingError, match=r"np\.asarray"):
        jacobian(f)(x, asarray=asarray)
