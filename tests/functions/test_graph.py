"""Graphs: formulas as the author of the function would write them, names from the source, what is refused."""

from __future__ import annotations

import functools
import sys
import threading

import numpy as np
import pytest

from jacobians import TracingError, jacobian, trace
from jacobians.core import second

rng = np.random.default_rng(0)
A, X = rng.normal(size=(3, 2)), rng.normal(size=(3, 2))
W = rng.normal(size=(3, 3))
x, y, v = rng.normal(size=2), rng.normal(size=3), rng.normal(size=3)


# --- formulas, against derivations by hand ----------------------------------------------------------------------------


def squares(A, x, y):
    f = np.tanh(A @ x)
    e = y - f
    loss = np.sum(e**2) / 2
    return loss  # noqa: RET504 - a name to be found


def squares_in_one_line(A, x, y):
    return 0.5 * np.sum((y - np.tanh(A @ x)) ** 2)


def least_squares(A, x, b):
    r = A @ x - b
    return r @ r


def norm_squared(A, x, b):
    return np.linalg.norm(A @ x - b) ** 2


def logistic(w, X, y):
    m = y * (X @ w)
    loss = np.sum(np.log1p(np.exp(-m)))
    return loss  # noqa: RET504 - a name to be found


def mean_squares(w, X, t):
    return np.mean((X @ w - t) ** 2)


def gauss(x, mu, sigma):
    z = (x - mu) / sigma
    return np.exp(-(z**2) / 2)


def weighted(learning_rate, x_1, W1, lambda_):
    h = W1 @ x_1
    return learning_rate * np.sum(h**2) + lambda_ * np.sum(W1**2)


def shared(W, x):
    h = np.tanh(W @ x)
    h = np.tanh(W @ h)
    return h  # noqa: RET504 - a name to be found


@pytest.mark.parametrize(
    ("f", "arguments", "wrt", "formula"),
    [
        (squares, (A, x, y), "A", "∂loss/∂A_ij = −e_i (1-f²)_i x_j"),
        (squares, (A, x, y), "x", "∂loss/∂x_i = −Σ_j e_j (1-f²)_j A_ji"),
        (squares, (A, x, y), "y", "∂loss/∂y_i = e_i"),
        (squares_in_one_line, (A, x, y), "A", "∂f/∂A_ij = −(y-tanh(Ax))_i (1-tanh(Ax)²)_i x_j"),
        (least_squares, (A, x, y), "x", "∂f/∂x_i = 2 Σ_j r_j A_ji"),
        (least_squares, (A, x, y), "A", "∂f/∂A_ij = 2 r_i x_j"),
        (norm_squared, (A, x, y), "x", "∂f/∂x_i = 2 Σ_j (Ax-b)_j A_ji"),
        (logistic, (x, X, np.sign(y)), "w", "∂loss/∂w_i = −Σ_j (1/(1+exp(-m)))_j exp(-m)_j y_j X_ji"),
        (mean_squares, (x, X, y), "w", "∂f/∂w_i = 2/3 Σ_j (Xw-t)_j X_ji"),
        (gauss, (x, 0.1, 2.0), "x", "∂gauss_i/∂x_j = −δ_ij gauss_i z_i (1/sigma)"),
        (weighted, (0.1, x, A, 0.3), "W1", "∂f/∂W₁_ij = 2 lambda W₁_ij + 2 learningˍrate h_i x₁_j"),
        (lambda x, y: x / y, (x, x + 3), "y", "∂f_i/∂y_j = −δ_ij (f/y)_i"),
        (lambda x: x + x, (x,), "x", "∂f_i/∂x_j = 2 δ_ij"),
        (lambda x: 3 * x**2 - x * x, (x,), "x", "∂f_i/∂x_j = 4 δ_ij x_i"),
        (lambda W, x: x @ W @ x, (W, y), "W", "∂f/∂W_ij = x_i x_j"),
    ],
)
def test_formulas(f, arguments, wrt, formula):
    g = trace(f, *arguments)
    assert g.jacobian(wrt).formula == formula
    k = g._argument_names.index(wrt)
    np.testing.assert_allclose(g.jacobian(wrt), jacobian(f, k)(*arguments), rtol=1e-12, atol=1e-12)


def test_weights_that_are_shared_have_one_name():
    g = trace(shared, W, y)
    assert g.jacobian("x").formula == "∂h₂_i/∂x_j = Σ_k (1-h₂²)_i W_ik (1-h₁²)_k W_kj"


# --- names from the source --------------------------------------------------------------------------------------------


class Net:
    def __init__(self):
        self.W, self.b = W, y

    def __call__(self, x):
        return np.tanh(self.W @ x + self.b)

    def forward(self, x):
        return np.tanh(self.W @ x + self.b)


class Loud:
    def __init__(self):
        self.net = Net()


def two_names(x):
    a = b = x * 2
    return a * b


def swapped(x, y):
    x, y = y, x
    return x - y


def rebound(x):
    y = x * x
    y += x
    y *= 2
    return y


def layer(v):
    out = np.tanh(v)
    return out  # noqa: RET504 - a name to be found


def helped(x):
    h = layer(W @ x)
    return layer(h) * h


def loop(x):
    s = 0.0
    for w in x:
        s = s + w * w
    return s


def members(params):
    h = params["W1"] @ params["x"]
    return [np.tanh(row) for row in h]


GLOBAL = W + 1


@pytest.mark.parametrize(
    ("f", "argument", "names"),
    [
        (two_names, y, ("x", "a", "f")),
        (rebound, y, ("x", "y₁", "y₂", "y₃")),
        (helped, y, ("x", "v", "h", "out", "f")),
        (loop, y, ("x", "w₁", "w₁²", "s₁", "w₂", "w₂²", "s₂", "w₃", "w₃²", "s₃")),
        (lambda x: np.sin(x) * 2, y, ("x", "sin(x)", "f")),
        (lambda x: GLOBAL @ x, y, ("x", "f")),
    ],
)
def test_names(f, argument, names):
    assert trace(f, argument).names == names


def test_every_name_leads_to_its_value():
    g = trace(two_names, y)
    np.testing.assert_array_equal(g["b"], 2 * y)
    assert g.jacobian(of="b").formula == "∂a_i/∂x_j = 2 δ_ij"
    g = trace(rebound, y)
    np.testing.assert_array_equal(g["y2"], y * y + y)
    np.testing.assert_array_equal(g["y_1"] if "y_1" in g.names else g["y1"], y * y)
    with pytest.raises(ValueError, match="y has held 3 values: y₁, y₂, y₃"):
        g["y"]
    g = trace(swapped, y, v)
    np.testing.assert_allclose(g.jacobian("x"), -np.eye(3))
    g = trace(weighted, 0.1, x, A, 0.3)
    for name in ("x_1", "W1", "learning_rate", "lambda_"):
        assert g.jacobian(name).wrt_shape == np.shape(g[name])


def test_names_of_constants():
    assert trace(lambda x: GLOBAL @ x, y).jacobian().formula == "∂f_i/∂x_j = GLOBAL_ij"
    assert trace(Net(), y).jacobian().formula == "∂f_i/∂x_j = (1-f²)_i W_ij"
    assert trace(Net().forward, y).jacobian().formula == "∂f_i/∂x_j = (1-f²)_i W_ij"
    K = W - 1
    assert trace(lambda x: K @ x, y).jacobian().formula == "∂f_i/∂x_j = K_ij"
    assert trace(functools.partial(lambda M, x: M @ x, W), y).jacobian().formula == "∂f_i/∂x_j = M_ij"


def test_nested_arguments_have_dotted_names():
    g = trace(members, {"W1": W, "x": y, "depth": "two"})
    assert {"params.W₁", "params.x", "h"} <= set(g.names)
    assert g.jacobian("params.W1", of="h").formula == "∂h_i/∂params.W₁_jk = δ_ij params.x_k"
    found = jacobian(members)({"W1": W, "x": y, "depth": "two"})
    assert found[0]["W1"].shape == (3, 3)
    assert found[0]["depth"] is None


def test_a_name_of_several_values_is_numbered_apart_from_others():
    def f(h, h1):
        h = h * h1
        h = h * h
        return h  # noqa: RET504 - a name to be found

    names = trace(f, y, v).names
    assert len(set(names)) == len(names) == 4


# --- tracing does not disturb -----------------------------------------------------------------------------------------


def test_a_tracer_that_is_there_goes_on_and_is_restored():
    seen = []

    def tracer(frame, event, argument):
        if frame.f_code.co_name == "squares":
            seen.append(event)
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        trace(squares, A, x, y)
        assert sys.gettrace() is tracer
        with pytest.raises(ZeroDivisionError):
            trace(lambda x: 1 / 0, y)
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)
    assert seen[0] == "call"
    assert seen.count("line") == 4
    assert seen[-1] == "return"


def test_a_tracer_that_is_set_meanwhile_stays():
    def tracer(frame, event, argument):
        return None

    def f(x):
        sys.settrace(tracer)  # as pdb.set_trace() does
        return x * 2

    before = sys.gettrace()
    try:
        trace(f, y)
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)


def test_threads_have_their_own_names():
    found = {}

    def work(k):
        found[k] = (trace(squares, A + k, x, y).names, sys.gettrace())

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert set(found.values()) == {(trace(squares, A, x, y).names, None)}


# --- what is passed on, and what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "option"),
    [
        (lambda x, n: x[n], np.array([2, 0])),
        (lambda x, n: x[n], np.array([True, False, True])),
        (lambda x, n: sum(x * k for k in range(n)), 3),
        (lambda x, n: x.reshape(n, -1), 3),
        (lambda x, n: np.sum(np.outer(x, x), axis=n), 0),
        (lambda x, n: x * 2 if n == "twice" else x, "twice"),
        (lambda x, n: x if n is None else 2 * x, None),
    ],
)
def test_arguments_that_are_not_differentiable_are_passed_on(f, option):
    g = trace(f, y, option)
    np.testing.assert_allclose(g.jacobian("x"), jacobian(f)(y, option))
    with pytest.raises(ValueError, match="no derivative by n, which is passed on as it is"):
        g.jacobian("n")
    with pytest.raises(ValueError, match=r"no derivative by argument 1; by argument 0 \(x\) there is"):
        g.jacobian(1)


def test_integers_that_are_numbers_are_differentiated_by():
    g = trace(lambda x, n: x * n, y, 3)
    np.testing.assert_array_equal(g.jacobian("n"), y)
    np.testing.assert_array_equal(trace(lambda x: x * x, np.array([1, 2])).jacobian(), [[2, 0], [0, 4]])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: trace(lambda x: None, y), ValueError, "must return arrays of numbers.*None: is a return missing"),
        (lambda: trace(lambda x: "a", y), ValueError, "must return arrays of numbers.*a str"),
        (lambda: jacobian(lambda x: None)(y), ValueError, "is a return missing"),
        (lambda: trace(lambda x: [], y), ValueError, "returns an empty list"),
        (lambda: trace(y, y), TypeError, "trace takes a function"),
        (lambda: jacobian(lambda x: x, argnums=2)(y), ValueError, "argnums is 2, but 1 argument is given"),
        (lambda: jacobian(lambda x: x, argnums="x")(y), TypeError, "argnums must be the number of an argument"),
        (
            lambda: jacobian(lambda s: y)("text"),
            ValueError,
            "no numbers to differentiate by in argument 0; it is a str",
        ),
        (lambda: trace(squares, A, x, y).jacobian("A", of="los"), ValueError, r"'los'; do you mean loss\? There are A"),
        (lambda: trace(squares, A, x, y).explain("params"), ValueError, "no value 'params'"),
        (
            lambda: trace(members, {"W1": W, "x": y}).explain("params", of="h"),
            ValueError,
            "must be one array; here are 2: params.W₁, params.x",
        ),
        (lambda: trace(squares, A, x, y).vjp(np.ones((2, 2))), ValueError, "cotangent"),
        (lambda: trace(squares, A, x, y).check("f"), ValueError, "only arguments can be varied; f is none"),
        (lambda: trace(lambda x: np.float64(x[0]), [1, 2]), TracingError, "float"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- looking at it ----------------------------------------------------------------------------------------------------


def branches(W, x, b):
    u = np.tanh(W @ x + b)
    s = np.sin(W @ u)
    w = np.exp(u) * s
    return {"share": w / np.sum(w), "total": np.sum(s)}


def test_a_graph_with_branches_and_several_outputs():
    g = trace(branches, W, y, v)
    assert repr(g) == "Graph of branches(W (3, 3), x (3,), b (3,)) → share (3,), total (): 10 operations"
    assert g.check().ok
    assert [row.name for row in g.table().rows][-6:] == [f"∂{k}/∂{name}" for k in ("share", "total") for name in "Wxb"]
    assert [row.name for row in g.table(of="u").rows][-3:] == ["∂u/∂W", "∂u/∂x", "∂u/∂b"]
    picture = g.diagram()
    assert len(picture.boxes) == 10
    assert "  → Multiply (exp(u), s) → w (3,)" in str(picture)
    assert picture.svg().startswith("<svg")
    assert "<script" not in g._repr_html_()


def test_the_derivation_of_a_graph_is_its_jacobian():
    g = trace(branches, W, y, v)
    for of in ("u", "s", "w", "share", "total"):
        for wrt in ("W", "x", "b", "u"):
            if (of, wrt) != ("u", "u"):
                found = g.explain(wrt, of=of)
                np.testing.assert_allclose(found.result, g.jacobian(wrt, of=of), atol=1e-12)
                assert str(found)
                assert found.name == f"∂{g._name(g._value(of).numbers[0])}/∂{wrt}"
    assert str(g.explain("x", of="x"))


def test_the_order_that_is_explained_is_the_cheapest():
    tall, wide = rng.normal(size=(50, 2)), rng.normal(size=(2, 40))

    def f(x):
        h = np.tanh(wide @ x)
        return np.tanh(tall @ h) + np.sum(h)

    found = trace(f, rng.normal(size=40)).explain()
    assert found.orders[0].chosen
    assert found.orders[0].flops == min(order.flops for order in found.orders)
    assert found.subscripts == ""


def test_constants_of_one_name_are_numbered():
    def scaled(v, by):
        c = by * np.ones(3)
        return v * c

    g = trace(lambda x: scaled(x, 2) + scaled(x, 3), y)
    assert sorted(g.jacobian().formula.split(" ")[-5:]) == ["+", "c₁_i", "c₂_i", "δ_ij", "δ_ij"]


def test_indices_are_never_called_as_names_are():
    assert trace(lambda k, x: k * x, 2.0, y).jacobian("x").formula == "∂f_i/∂x_j = δ_ij k"
    assert trace(lambda i, M: i * M, 2.0, W).jacobian("M").formula == "∂f_jk/∂M_lm = δ_jl δ_km i"


def test_entries_and_repeated_expressions_have_names():
    def arm(t, length):
        a, b = t[0], t[0] + t[1]
        return length[0] * np.cos(a) + length[1] * np.cos(b)

    formula = trace(arm, y[:2], v[:2]).jacobian("t").formula
    assert formula == "∂arm/∂t_i = −[i=1] length[1] sin(b) − [i=0] length[1] sin(b) − [i=0] length[0] sin(a)"


def test_the_output_is_called_as_the_function_is_and_variables_keep_their_names():
    def loss(A, x, y):
        f = np.tanh(A @ x)
        return np.sum((y - f) ** 2) / 2

    g = trace(loss, A, x, y)
    assert g.jacobian("A").formula == "∂loss/∂A_ij = −(y-f)_i (1-f²)_i x_j"
    assert g.jacobian("x", of="f").formula == "∂f_i/∂x_j = (1-f²)_i A_ij"
    f = lambda x: np.sin(x) * 2
    assert trace(f, y).jacobian().formula == "∂f_i/∂x_j = 2 δ_ij cos(x)_i"

    def network(x):
        f = np.sin(x)
        return f * f

    assert trace(network, y).jacobian().formula == "∂network_i/∂x_j = 2 δ_ij f_i cos(x)_i"

    def h(x):
        h = np.sin(x)
        return h * h

    assert trace(h, y).jacobian().formula == "∂f_i/∂x_j = 2 δ_ij h_i cos(x)_i"


def test_numbers_and_zeros_in_formulas():
    assert trace(lambda x: np.sum(x**3), y).hessian("x").formula == "∂²f/∂x_i∂x_j = 6 δ_ij x_i"
    assert trace(lambda x: x * 0 + 1, y).jacobian().formula == "∂f_i/∂x_j = 0"
    assert trace(lambda x: np.exp(1j * x), y).jacobian().formula == "∂f_i/∂x_k = δ_ik f_i (0+1j)"  # j is no index here


def test_a_value_by_itself():
    g = trace(lambda x: x, y)
    assert g.explain().product == "∂x/∂x = 1"
    assert [row.formula for row in g.table().rows] == ["∂x_i/∂x_j = δ_ij"]
    assert str(g.diagram()) == "x (3,)"


def test_second_derivatives_are_checked(monkeypatch):
    A, x = np.array([[1.0, -2.0, 0.5], [0.3, 0.7, -1.1]]), np.array([0.4, -0.2, 0.9])
    g = trace(lambda p, x: (np.sum(np.tanh(p["A"] @ x)), p["b"] * x**3), {"A": A, "b": x[::-1]}, x)
    report = g.check(order=2)
    assert report.ok
    assert len(report.findings) == 2 * 9
    assert report.findings[1].name == "∂²f₁/∂p.b∂p.A"
    assert len(g.check("x", order=2).findings) == 2
    right = second.hessians
    monkeypatch.setattr(second, "hessians", lambda *arguments: [1.01 * H for H in right(*arguments)])
    wrong = [one.name for one in g.check(order=2).findings if not one.ok]
    assert wrong[:2] == ["∂²f₁/∂p.A∂p.A", "∂²f₁/∂x∂p.A"]
    with pytest.raises(ValueError, match="order must be 1 or 2; it is 0"):
        g.check(order=0)


def test_names_of_our_own_methods_are_not_those_of_the_source():
    """Named tuples and dataclasses have generated methods with local variables of their own."""

    def f(x, W):
        return (x @ W).T @ x

    g = trace(f, np.ones((2, 3)), np.ones((3, 2)))
    assert "∂(xW)/∂x" in str(g.table())
    assert "base" not in str(g.table())
