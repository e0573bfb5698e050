import numpy as np
import pytest

from jacobians.checking import check_jvp, check_vjp

random = np.random.default_rng(4)
A, x = random.normal(size=(4, 3)), random.normal(size=3)
big, y = random.normal(size=(150, 120)) / 11, random.normal(size=120)


def f(x):
    return np.tanh(A @ x)


def g(y):
    return np.tanh(big @ y)


def test_right() -> None:
    assert check_vjp(f, x, lambda x, u: (u * (1 - f(x) ** 2)) @ A).ok
    assert check_vjp(f, x, lambda u: (u * (1 - f(x) ** 2)) @ A).ok
    assert check_jvp(f, x, lambda x, h: (A @ h) * (1 - f(x) ** 2)).ok
    assert check_jvp(f, x, lambda h: (A @ h) * (1 - f(x) ** 2)).ok


def test_wrong() -> None:
    assert "1/(1 + f)" in str(check_vjp(f, x, lambda x, u: (u * (1 - f(x))) @ A))
    assert "sign" in str(check_jvp(f, x, lambda x, h: -(A @ h) * (1 - f(x) ** 2)))


def test_shape() -> None:
    report = check_vjp(f, x, lambda x, u: u * (1 - f(x) ** 2))
    assert not report.ok
    assert "vjp returns shape (4,); x has shape (3,)" in str(report)
    assert not check_jvp(f, x, lambda x, h: h).ok


def test_not_linear() -> None:
    def squares(x, u):
        return (np.abs(u) * (1 - f(x) ** 2)) @ A

    assert "not linear in u" in str(check_vjp(f, x, squares))


@pytest.mark.parametrize("factor", [1.0, 1.001])
def test_many_outputs(factor: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jacobians.checking.products._MOST_PRODUCTS", 50)
    vjp = check_vjp(g, y, lambda y, u: factor * ((u * (1 - g(y) ** 2)) @ big))
    jvp = check_jvp(g, y, lambda y, h: factor * ((big @ h) * (1 - g(y) ** 2)))
    assert vjp.ok == jvp.ok == (factor == 1)
    assert "24 random combinations" in str(vjp)


def test_matrix_argument() -> None:
    B = random.normal(size=(3, 2))
    assert check_vjp(lambda A: A @ B, A, lambda A, u: u @ B.T).ok
    assert not check_vjp(lambda A: A @ B, A, lambda A, u: (u @ B.T)[::-1]).ok
