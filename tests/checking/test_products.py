"""Backward and forward passes: their arguments, their linearity, and the culprit among many."""

import numpy as np
import pytest

from jacobians.checking import check, check_jvp, check_vjp

random = np.random.default_rng(4)
A, x = random.normal(size=(4, 3)), random.normal(size=3)
big, y = random.normal(size=(150, 120)) / 11, random.normal(size=120)


def f(x):
    return np.tanh(A @ x)


def g(y):
    return np.tanh(big @ y)


def test_right():
    assert check_vjp(f, x, lambda x, u: (u * (1 - f(x) ** 2)) @ A).ok
    assert check_vjp(f, x, lambda u: (u * (1 - f(x) ** 2)) @ A).ok
    assert check_jvp(f, x, lambda x, h: (A @ h) * (1 - f(x) ** 2)).ok
    assert check_jvp(f, x, lambda h: (A @ h) * (1 - f(x) ** 2)).ok


def test_wrong():
    assert "1/(1 + f)" in str(check_vjp(f, x, lambda x, u: (u * (1 - f(x))) @ A))
    assert "sign" in str(check_jvp(f, x, lambda x, h: -(A @ h) * (1 - f(x) ** 2)))


def test_shape():
    report = check_vjp(f, x, lambda x, u: u * (1 - f(x) ** 2))
    assert not report.ok
    assert "vjp returns shape (4,); x has shape (3,)" in str(report)
    assert not check_jvp(f, x, lambda x, h: h).ok


def test_not_linear():
    def squares(x, u):
        return (np.abs(u) * (1 - f(x) ** 2)) @ A

    assert "not linear in u" in str(check_vjp(f, x, squares))


@pytest.mark.parametrize("factor", [1.0, 1.001])
def test_many_outputs(factor: float):
    vjp = check_vjp(g, y, lambda y, u: factor * ((u * (1 - g(y) ** 2)) @ big), directions=24)
    jvp = check_jvp(g, y, lambda y, h: factor * ((big @ h) * (1 - g(y) ** 2)), directions=24)
    assert vjp.ok == jvp.ok == (factor == 1)
    assert "24 random combinations" in str(vjp)


def test_the_culprit_among_many_is_found():
    wrong = big.copy()
    wrong[17, 93] += 0.1
    vjp = check_vjp(lambda y: big @ y, y, lambda y, u: u @ wrong, directions=8)
    assert vjp.findings[0].worst[0].index == (17, 93)
    jvp = check_jvp(lambda y: big @ y, y, lambda y, h: wrong @ h, directions=8)
    assert jvp.findings[0].worst[0].index == (17, 93)
    assert "∂f[17]/∂y[93]" in str(jvp) or "∂f[17]/∂x[93]" in str(jvp)


def test_matrix_argument():
    B = random.normal(size=(3, 2))
    assert check_vjp(lambda A: A @ B, A, lambda A, u: u @ B.T).ok
    assert not check_vjp(lambda A: A @ B, A, lambda A, u: (u @ B.T)[::-1]).ok


def affine(A, b, x):
    return np.tanh(A @ x + b)


def test_several_arguments():
    b = random.normal(size=4)

    def vjp(A, b, x, u):
        delta = u * (1 - affine(A, b, x) ** 2)
        return np.outer(delta, x), delta, delta @ A

    def jvp(primals, tangents):
        (A, b, x), (dA, db, dx) = primals, tangents
        return (1 - affine(A, b, x) ** 2) * (dA @ x + db + A @ dx)

    assert check_vjp(affine, (A, b, x), vjp).ok
    assert check_vjp(affine, (A, b, x), lambda arguments, u: vjp(*arguments, u)).ok
    assert check_jvp(affine, (A, b, x), jvp).ok
    assert check_jvp(affine, (A, b, x), lambda A, b, x, dA, db, dx: jvp((A, b, x), (dA, db, dx))).ok
    assert check_vjp(affine, (A, b, x), lambda A, b, x, u: vjp(A, b, x, u)[2], argnums=2).ok
    report = check_vjp(
        affine, (A, b, x), lambda A, b, x, u: (vjp(A, b, x, u)[0], -vjp(A, b, x, u)[1], vjp(A, b, x, u)[2])
    )
    assert report.wrong == ("vjp: ∂f/∂b",)
    assert "sign" in str(report)
    with pytest.raises(ValueError, match="must return 3"):
        check_vjp(affine, (A, b, x), lambda A, b, x, u: (u,))


def test_nested_arguments_and_outputs():
    params = {"A": A, "b": random.normal(size=4)}

    def model(params, x):
        h = np.tanh(params["A"] @ x + params["b"])
        return {"h": h, "loss": h @ h / 2}

    def vjp(params, x, u):
        h = model(params, x)["h"]
        delta = (u["h"] + u["loss"] * h) * (1 - h**2)
        return {"A": np.outer(delta, x), "b": delta}, delta @ params["A"]

    def jvp(primals, tangents):
        (params, x), (dp, dx) = primals, tangents
        h = model(params, x)["h"]
        dh = (1 - h**2) * (dp["A"] @ x + dp["b"] + params["A"] @ dx)
        return {"h": dh, "loss": h @ dh}

    assert check_vjp(model, (params, x), vjp).ok
    assert check_jvp(model, (params, x), jvp).ok
    wrong = check_vjp(
        model, (params, x), lambda p, x, u: ({**vjp(p, x, u)[0], "b": vjp(p, x, u)[0]["b"] * 2}, vjp(p, x, u)[1])
    )
    assert wrong.wrong == ("vjp: ∂f.h/∂params.b", "vjp: ∂f.loss/∂params.b")


class Affine3:
    """A class with a forward and a backward pass of three arguments."""

    def forward(self, A, b, x):
        self.A, self.x, self.z = A, x, np.tanh(A @ x + b)
        return self.z

    def backward(self, u):
        delta = u * (1 - self.z**2)
        return np.outer(delta, self.x), delta, self.A.T @ delta


class Wrong3(Affine3):
    def backward(self, u):
        by_A, by_b, by_x = super().backward(u)
        return by_A, by_b, 2 * by_x


def test_a_class_with_three_arguments_in_one_line():
    b = random.normal(size=4)
    assert check(Affine3(), A, b, x)
    assert check_vjp((layer := Affine3()).forward, (A, b, x), layer.backward)
    assert check(Wrong3(), A, b, x).wrong == ("vjp: ∂f/∂x",)


def test_a_buffer_that_is_used_again_and_one_that_is_added_to():
    buffer = np.zeros(3)

    def reused(x, u):
        np.matmul(u * (1 - f(x) ** 2), A, out=buffer)
        return buffer

    def added(x, u):
        nonlocal buffer
        buffer = buffer + (u * (1 - f(x) ** 2)) @ A
        return buffer

    assert check_vjp(f, x, reused).ok
    assert "added up over calls" in str(check_vjp(f, x, added))
    assert check_vjp(f, x, lambda x, u: ((u * (1 - f(x) ** 2)) @ A,)).ok


def test_a_forgotten_return_has_its_sentence():
    assert "what vjp returns is None: a forgotten return?" in str(check_vjp(f, x, lambda x, u: None))
    assert "what jvp returns is None: a forgotten return?" in str(check_jvp(f, x, lambda x, h: None))
    with pytest.raises(ValueError, match="the output of f is None: a forgotten return"):
        check_vjp(lambda x: None, x, lambda x, u: u)
