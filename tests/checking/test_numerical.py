"""Numerical Jacobians: their values, errors, shapes and refusals."""

import numpy as np
import pytest

from jacobians.checking import numerical_jacobian

x = np.array([0.3, -1.2, 2.0])


@pytest.mark.parametrize(
    ("method", "accuracy"), [("richardson", 1e-11), ("central", 1e-8), ("forward", 1e-6), ("complex", 1e-14)]
)
def test_methods(method: str, accuracy: float):
    A = np.arange(12.0).reshape(4, 3) / 10
    found = numerical_jacobian(lambda x: np.sin(A @ x), x, method=method)
    right = np.cos(A @ x)[:, None] * A
    assert found.value.shape == (4, 3)
    np.testing.assert_allclose(found.value, right, atol=accuracy)
    assert (np.abs(found.value - right) <= 3 * found.error + 1e-15).all()
    assert found.evaluations < 70


def test_generalized_shapes():
    A = np.arange(6.0).reshape(3, 2) / 7 + 0.1
    found = numerical_jacobian(lambda A: A.T @ A, A)
    assert found.value.shape == (2, 2, 3, 2)
    right = np.einsum("il,kj->ijkl", np.eye(2), A) + np.einsum("jl,ki->ijkl", np.eye(2), A)
    np.testing.assert_allclose(found.value, right, atol=1e-11)
    assert np.asarray(found).shape == (2, 2, 3, 2)
    assert repr(found).startswith("NumericalJacobian((2×2) × (3×2)")


def test_several_arguments():
    A = np.arange(6.0).reshape(3, 2)
    v = np.array([0.5, -1.0])
    by_v = numerical_jacobian(lambda A, v: A @ v, A, v, argnums=1)
    np.testing.assert_allclose(by_v.value, A, atol=1e-11)
    by_A, again = numerical_jacobian(lambda A, v: A @ v, A, v, argnums=(0, 1))
    assert by_A.value.shape == (3, 3, 2)
    np.testing.assert_allclose(again.value, A, atol=1e-11)
    with pytest.raises(ValueError, match="argnums has 2"):
        numerical_jacobian(lambda A, v: A @ v, A, v, argnums=2)


def test_smoothness_and_noise():
    found = numerical_jacobian(np.abs, np.array([0.0, 1.0]))
    assert found.smoothness[0, 0] == "kink"
    assert found.smoothness[1, 1] == "smooth"
    single = numerical_jacobian(lambda x: np.tanh(np.float32(x)), np.array([0.3, 0.9]))
    assert (single.noise > 1e-10).all()
    assert (single.error.diagonal() > 1e-9).all()


def test_the_argument_is_not_handed_over():
    given = x.copy()
    seen = []

    def f(value):
        seen.append(np.shares_memory(value, given))
        value *= 2
        return value

    found = numerical_jacobian(f, given)
    assert not any(seen)
    np.testing.assert_array_equal(given, x)
    np.testing.assert_allclose(found.value, 2 * np.eye(3), atol=1e-12)
    assert found.notes == ("f writes into its argument; it was given copies",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.sin, "text"), "not numeric"),
        ((lambda x: "text", x), "output of f is not numeric"),
        ((lambda x: [[1.0], [1.0, 2.0]], x), "does not turn into a numeric array"),
        ((np.sin,), "needs a function and the point"),
    ],
)
def test_errors(arguments: tuple, message: str):
    with pytest.raises(ValueError, match=message):
        numerical_jacobian(*arguments)


def test_bad_method():
    with pytest.raises(ValueError, match="one of 'richardson'"):
        numerical_jacobian(np.sin, x, method="magic")
    with pytest.raises(ValueError, match="not analytic"):
        numerical_jacobian(np.abs, x, method="complex")


def test_an_exception_at_x_is_the_callers():
    def f(x):
        raise ZeroDivisionError("at x")

    with pytest.raises(ZeroDivisionError, match="at x"):
        numerical_jacobian(f, x)


def test_where_the_shape_changes_f_has_no_value():
    found = numerical_jacobian(lambda x: x[: 1 + int(x[0] > 0.3)], x)
    np.testing.assert_allclose(found, [[1, 0, 0]], atol=1e-9)
    assert "changes the shape" in found.notes[0]


def test_it_behaves_as_an_array():
    A = np.arange(12.0).reshape(4, 3) / 10
    found = numerical_jacobian(lambda x: A @ x, x)
    assert found.shape == (4, 3)
    np.testing.assert_allclose(found.T, A.T, atol=1e-11)
    np.testing.assert_allclose(found[1], A[1], atol=1e-11)
    assert "0.1" in repr(found)


@pytest.mark.parametrize("method", ["richardson", "central", "forward", "complex"])
def test_sparsity(method: str):
    n, calls = 60, 0

    def f(x):
        nonlocal calls
        calls += 1
        return x**3 + np.roll(x, 1)

    y = np.linspace(0.5, 2, n)
    pattern = np.eye(n, dtype=bool) | np.roll(np.eye(n, dtype=bool), 1, axis=0)
    found = numerical_jacobian(f, y, sparsity=pattern, method=method)
    np.testing.assert_allclose(found, np.diag(3 * y**2) + np.roll(np.eye(n), 1, axis=0), atol=1e-5)
    assert calls < 60
    sparse = pytest.importorskip("scipy.sparse", reason="SciPy is optional")
    again = numerical_jacobian(f, y, sparsity=sparse.csr_array(pattern), method=method)
    assert again.value.nnz == 2 * n
    np.testing.assert_allclose(again.value.toarray(), found.value)
    with pytest.raises(ValueError, match="sparsity has shape"):
        numerical_jacobian(f, y, sparsity=pattern[:3])


def test_complex_derivatives_only_where_there_are_some():
    z = np.array([1 + 2j, -0.5 + 0.1j])
    np.testing.assert_allclose(numerical_jacobian(np.exp, z), np.diag(np.exp(z)), atol=1e-10)
    for f in (np.conj, np.abs, lambda z: z * z.real):
        with pytest.raises(ValueError, match="not holomorphic"):
            numerical_jacobian(f, z)
