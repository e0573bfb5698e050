"""Plain NumPy functions: exact Jacobians against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import TracingError, jacobian, numerical_jacobian, trace

OUTSIDE = np.zeros(3)
rng = np.random.default_rng(0)


def right(f, *arguments):
    """The Jacobians by every argument agree with finite differences, and the shapes are those of f and x."""
    found = jacobian(f, tuple(range(len(arguments))))(*arguments)
    for k, J in enumerate(found):

        def by(v, k=k):
            return f(*arguments[:k], v, *arguments[k + 1 :])

        measured = numerical_jacobian(by, arguments[k])
        assert J.shape == np.shape(f(*arguments)) + np.shape(arguments[k])
        np.testing.assert_allclose(J, measured.value, rtol=1e-6, atol=1e-6)


def recurrence(x):
    y = np.zeros_like(x)
    y[0] = x[0] * x[0]
    for i in range(1, len(x)):
        y[i] = y[i - 1] * x[i]
    y[1:3] += x[0]
    return y


def rotation(t):
    c, s = np.cos(t), np.sin(t)
    return np.array([[c, -s], [s, c]]) @ np.array([1.0, 2.0])


def views(x):
    y = x.reshape(2, 3)
    row = y[0]
    row[1] = 5 * x[0]
    y += 1
    return np.concatenate([y.ravel(), row, x[[2, 0, 0]], x[x > 0], x.T])


@pytest.mark.parametrize(
    ("f", "arguments"),
    [
        (lambda A, x, b: np.tanh(A @ x + b), (rng.normal(size=(3, 2)), rng.normal(size=2), rng.normal(size=3))),
        (lambda x: np.sum(x[1:] * x[:-1] * x[::-1][1:]), (rng.normal(size=5),)),
        (recurrence, (rng.normal(size=5),)),
        (rotation, (np.array(0.3),)),
        (views, (rng.normal(size=6),)),
    ],
)  # fmt: skip
def test_functions_as_people_write_them(f, arguments):
    right(f, *arguments)


@pytest.mark.parametrize(
    "f", [float, lambda x: np.float64(x[0]), lambda x: OUTSIDE.__setitem__(0, x[0]), np.unique_all]
)
def test_what_cannot_be_traced_is_refused(f):
    with pytest.raises(TracingError, match=r"cannot be traced in .*test_basics.py"):
        jacobian(lambda x: f(x))(np.ones(2))


def network(A, x, y):
    h = np.tanh(A @ x)
    for _ in range(2):
        h = np.tanh(h * h)
    e = y - h
    loss = np.sum(e * e) / 2
    return loss  # noqa: RET504 - a name to be found


def test_graphs_have_names_from_the_source_and_every_jacobian():
    A, x, y = rng.normal(size=(3, 2)), rng.normal(size=2), rng.normal(size=3)
    g = trace(network, A, x, y)
    assert g.output == network(A, x, y)
    assert set(g.names) >= {"A", "x", "y", "h₁", "h₂", "h₃", "e", "loss"}
    assert g.jacobian("x", of="h1").formula == "∂h₁_i/∂x_j = (1-h₁²)_i A_ij"
    np.testing.assert_allclose(g.jacobian("A").full(), jacobian(network)(A, x, y))
    np.testing.assert_allclose(g.jacobian("h₁", of="e") @ g.jacobian(0, of="h₁"), g.jacobian(of="e"))
    np.testing.assert_array_equal(g["e"], y - g["h₃"])
    with pytest.raises(ValueError, match="h has held 3 values: h₁, h₂, h₃"):
        g.jacobian("A", of="h")
    with pytest.raises(ValueError, match="there is no value 'q'"):
        g.jacobian("q")


def test_products_need_no_matrix():
    A, x, y = rng.normal(size=(3, 2)), rng.normal(size=2), rng.normal(size=3)
    g = trace(lambda A, x: np.tanh(A @ x), A, x)
    J = g.jacobian("x").full()
    h, u = rng.normal(size=(4, 2)), rng.normal(size=(5, 3))
    np.testing.assert_allclose(g.jvp(h[0], "x"), J @ h[0])
    np.testing.assert_allclose(g.jvp(h, "x"), h @ J.T)
    np.testing.assert_allclose(g.vjp(u, "x"), u @ J)
    np.testing.assert_allclose(g.vjp(y), np.einsum("i,ijk->jk", y, g.jacobian("A").full()))
    with pytest.raises(ValueError, match="the tangent of x must be"):
        g.jvp(np.ones(3), "x")


def test_nested_arguments_and_outputs():
    def f(params, x):
        h = params["W"] @ x + params["b"][0]
        return {"h": h, "s": (np.sum(h), params["b"][1] * 2)}

    params = {"W": rng.normal(size=(3, 2)), "b": [rng.normal(size=3), 2.0]}
    found = jacobian(f)(params, rng.normal(size=2))
    assert found["h"]["W"].shape == (3, 3, 2)
    assert found["s"][1]["b"][1] == 2
    assert not found["h"]["b"][1].any()
    g = trace(f, params, rng.normal(size=2))
    assert "params.b.0" in g.names
    assert g.jacobian("params.W", of="h").shape == (3, 3, 2)


def test_an_entry_of_taken_entries():
    x = np.arange(4.0).reshape(2, 2)
    for f in (lambda x: np.ravel(x)[[0, 3, 2, 1]][1], lambda x: np.sort(np.ravel(x))[2] * x[[1, 0]][:, [1, 0]][0, 0]):
        right(f, x)  # lookups without a label: of several, none may be taken for another
