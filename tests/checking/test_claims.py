"""Claims of every kind: arrays, functions, nested ones, operators; what is said of those that are wrong."""

import math
import time
from dataclasses import dataclass

import numpy as np
import pytest

from jacobians import Jacobian
from jacobians.checking import WrongJacobian, check_jacobian

x = np.array([0.3, -1.2, 2.0])
A = np.arange(12.0).reshape(4, 3) / 10


class Claimed:
    """Something with the interface of a Jacobian."""

    out_shape, wrt_shape, dtype = (4,), (3,), np.dtype(float)

    def full(self) -> np.ndarray:
        return A

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return A


def f(x):
    return A @ x


@pytest.mark.parametrize("claim", [A, A.tolist(), Claimed(), lambda x: A, lambda x: Claimed(), np.asfortranarray(A)])
def test_kinds_of_claims(claim):
    assert check_jacobian(f, x, claim).ok


def test_a_jacobian():
    from jacobians import Linear

    _, found = Linear(A).linearize(x)
    assert isinstance(found["x"], Jacobian)
    assert check_jacobian(f, x, found["x"]).ok
    assert not check_jacobian(f, x, 2 * found["x"]).ok


def test_sparse():
    sparse = pytest.importorskip("scipy.sparse", reason="SciPy is optional")
    assert check_jacobian(f, x, sparse.csr_matrix(A)).ok
    assert not check_jacobian(f, x, sparse.coo_array(1.01 * A)).ok
    assert "shape" in str(check_jacobian(f, x, sparse.csc_matrix(A.T)))


def test_several_arguments():
    by_A = np.einsum("ik,l->ikl", np.eye(4), x)
    product = lambda A, x: A @ x
    assert check_jacobian(product, (A, x), (by_A, A)).ok
    assert check_jacobian(product, (A, x), {"A": by_A, "x": A}).ok
    assert check_jacobian(product, (A, x), A, argnums=1).ok
    report = check_jacobian(product, (A, x), (by_A, -A))
    assert report.wrong == ("∂f/∂x",)
    assert report["x"].explanations[0] == "J ≈ −D (sign)"
    with pytest.raises(ValueError, match="tuple of 2"):
        check_jacobian(product, (A, x), A)


def test_a_tuple_is_a_vector_for_a_function_of_one_argument():
    assert check_jacobian(lambda x: x[0] * x[1], (2.0, 3.0), [3.0, 2.0]).ok


def test_shapes_must_agree():
    report = check_jacobian(f, x, A[:1])
    assert report.findings[0].verdict == "wrong"
    assert "J has shape (1, 3); out_shape + wrt_shape is (4,) + (3,)" in str(report)
    assert not check_jacobian(np.sum, x, np.ones((1, 3))).ok
    assert not check_jacobian(np.sum, x, 1.0).ok


def test_cannot_tell():
    report = check_jacobian(np.sign, 0.0, 0.0)
    assert not report.ok
    assert report.findings[0].verdict == "cannot tell"
    with pytest.raises(WrongJacobian):
        report.raise_if_wrong()
    report.raise_if_wrong(allow_inconclusive=True)
    undefined = check_jacobian(lambda x: np.log(x), -1.0, np.nan)
    assert undefined.findings[0].verdict == "cannot tell"


def test_infinite_slope():
    assert check_jacobian(np.sqrt, 0.0, math.inf).ok
    assert not check_jacobian(np.sqrt, 0.0, -math.inf).ok
    assert not check_jacobian(np.sqrt, 0.0, 0.0).ok


def test_notes():
    assert "zeros" in str(check_jacobian(np.sin, np.zeros(3), np.eye(3)))
    assert "holomorphic" in str(check_jacobian(np.conj, 1j, 1.0))

    def writes(x):
        x += 1
        return x

    assert "writes into its argument" in str(check_jacobian(writes, x, np.eye(3)))


def test_the_claim_is_called_with_a_copy():
    given = x.copy()

    def claim(x):
        x[:] = 0
        return A

    assert check_jacobian(f, given, claim).ok
    np.testing.assert_array_equal(given, x)


def test_the_pytest_pattern():
    with pytest.raises(AssertionError, match="J ≈ 2·D"):
        check_jacobian(f, x, 2 * A).raise_if_wrong()
    check_jacobian(f, x, A).raise_if_wrong()


@dataclass
class Params:
    A: np.ndarray
    b: np.ndarray


@pytest.mark.parametrize("make", [dict, Params])
def test_nested(make):
    params = make(A=A, b=np.arange(4.0) / 3)
    get = lambda p, name: p[name] if isinstance(p, dict) else getattr(p, name)

    def model(params, x):
        return {"z": get(params, "A") @ x + get(params, "b"), "norm": [x @ x, x[0] * x[1]]}

    by_A = np.einsum("ik,l->ikl", np.eye(4), x)
    right = {
        "z": (make(A=by_A, b=np.eye(4)), A),
        "norm": (make(A=np.zeros((2, 4, 3)), b=np.zeros((2, 4))), np.array([2 * x, [x[1], x[0], 0]])),
    }
    report = check_jacobian(model, (params, x), right)
    assert report.ok, str(report)
    assert [one.name for one in report][:2] == ["∂f.z/∂params.A", "∂f.norm/∂params.A"]
    right["norm"] = (right["norm"][0], right["norm"][1] * 2)
    report = check_jacobian(model, (params, x), right)
    assert report.wrong == ("∂f.norm/∂x",)
    right["z"] = (right["z"][0], A.T)
    report = check_jacobian(model, (params, x), right)
    assert report.wrong == ("∂f.z/∂x", "∂f.norm/∂x")
    assert "2·D" in str(report["∂f.norm/∂x"].explanations)
    with pytest.raises(ValueError, match="no entry for 'norm'"):
        check_jacobian(model, (params, x), {"z": right["z"]})


def test_one_nested_argument():
    params = {"A": A, "b": np.arange(4.0)}
    g = lambda params: params["A"].sum() * params["b"]
    claim = {"A": np.einsum("i,jk->ijk", params["b"], np.ones((4, 3))), "b": A.sum() * np.eye(4)}
    assert check_jacobian(g, params, claim).ok
    assert check_jacobian(g, params, {"A": claim["A"], "b": 2 * claim["b"]}).wrong == ("∂f/∂x.b",)


def test_linear_operator():
    linalg = pytest.importorskip("scipy.sparse.linalg", reason="SciPy is optional")
    assert check_jacobian(f, x, linalg.aslinearoperator(A)).ok
    assert not check_jacobian(f, x, linalg.aslinearoperator(1.01 * A)).ok


def test_tolerances():
    assert not check_jacobian(f, x, 1.001 * A).ok
    assert check_jacobian(f, x, 1.001 * A, rtol=1e-2).ok
    assert check_jacobian(f, x, A + 1e-4, atol=1e-3).ok
    with pytest.raises(ValueError, match="rtol"):
        check_jacobian(f, x, A, rtol=-1)


def test_wirtinger():
    z = np.array([1 + 2j, -0.5 + 0.3j])
    g = lambda z: (z * np.conj(z)).real
    pair = np.diag(np.conj(z)), np.diag(z)
    assert check_jacobian(g, z, pair, wirtinger=True).ok
    report = check_jacobian(g, z, (pair[0], -pair[1]), wirtinger=True)
    assert report.wrong == ("∂f/∂x̄",)
    assert check_jacobian(np.conj, z, (0 * np.eye(2), np.eye(2)), wirtinger=True).ok
    with pytest.raises(ValueError, match="complex"):
        check_jacobian(f, x, (A, A), wirtinger=True)


def test_also_at():
    symmetric = np.array([[2.0, 0.5], [0.5, 1.0]])
    wrong = lambda X: X  # of trace(X @ X) / 2, where the transpose is due
    g = lambda X: np.trace(X @ X) / 2
    assert check_jacobian(g, symmetric, wrong).ok
    assert "symmetric" in str(check_jacobian(g, symmetric, wrong))
    report = check_jacobian(g, symmetric, wrong, also_at="nearby")
    assert not report.ok
    assert "x hides this mistake" in str(report)
    assert check_jacobian(g, symmetric, lambda X: X.T, also_at="nearby").ok
    assert not check_jacobian(g, symmetric, wrong, also_at=[np.array([[1.0, 2.0], [3.0, 4.0]])]).ok
    with pytest.raises(ValueError, match="J as a function"):
        check_jacobian(g, symmetric, symmetric, also_at="nearby")


def test_the_verdict_is_a_function_of_the_inputs():
    def slow(x):
        time.sleep(0.0005)
        return np.tanh(A @ x)

    J = (1 - np.tanh(A @ x) ** 2)[:, None] * A
    J[2, 1] *= 1.01
    first, second = (check_jacobian(slow, x, J).to_dict() for _ in range(2))
    assert first == second
    assert not first["ok"]


def test_exchanged_arguments():
    u, v = np.array([0.3, -1.2]), np.array([2.0, 0.7])
    report = check_jacobian(lambda u, v: u @ u * v, (u, v), (u @ u * np.eye(2), 2 * np.outer(v, u)))
    assert len(report.wrong) == 2
    assert "the Jacobians by u and v are exchanged" in str(report)
    report = check_jacobian(lambda A, x: A @ x, (A, x), (A, np.einsum("ik,l->ikl", np.eye(4), x)))
    assert "the Jacobians by A and x are exchanged" in str(report)


@pytest.mark.parametrize("error", [RuntimeError, KeyError, IndexError, AssertionError, TypeError])
def test_an_error_near_x_is_no_value_there_and_one_at_x_is_the_callers(error):
    def g(x):
        if x > 0.6:
            raise error("too large")
        return x**2

    report = check_jacobian(g, 0.6, 1.2)
    assert report.ok
    assert f"f raises {error.__name__} near x" in str(report)
    assert not check_jacobian(g, 0.6, 1.3).ok
    with pytest.raises(error, match="too large"):
        check_jacobian(g, 0.61, 1.22)


def test_one_bad_output_does_not_blind_the_rest():
    g = lambda x: np.array([np.nan, x[0] * x[1], x[2]])
    J = np.array([[0, 0, 0], [x[1], x[0], 0], [0, 0, 1.0]])
    report = check_jacobian(g, x, J)
    assert report.findings[0].verdict == "cannot tell"
    assert report.findings[0].counts["right"] == 3
    J[1, 0] *= 1.01
    report = check_jacobian(g, x, J)
    assert report.findings[0].worst[0].index == (1, 0)
    assert report.findings[0].counts["wrong"] == 1


def test_few_calls():
    calls = 0

    def g(x):
        nonlocal calls
        calls += 1
        return np.tanh(W @ x)

    rng = np.random.default_rng(5)
    W, y = rng.normal(size=(100, 100)) / 10, rng.normal(size=100)
    J = (1 - np.tanh(W @ y) ** 2)[:, None] * W
    assert check_jacobian(g, y, J).ok
    assert calls < 2.5 * 100
    calls = 0
    assert not check_jacobian(g, y, -J).ok
    assert calls < 10 * 100


@pytest.mark.parametrize("claim", [None, np.full((4, 3), np.nan), A.T, A.ravel(), A.ravel(order="F"), A.T.ravel()])
def test_claims_of_the_wrong_kind_have_their_sentence(claim):
    said = " ".join(check_jacobian(f, x, claim).findings[0].explanations)
    assert any(word in said for word in ("return", "NaN", "denominator layout", "reshaped", "Fortran")), said


def test_a_diagonal_as_a_vector():
    said = " ".join(check_jacobian(np.tanh, x, 1 - np.tanh(x) ** 2).findings[0].explanations)
    assert "np.diag" in said


@pytest.mark.parametrize("options", [{}, {"directions": 8}])
def test_functions_that_are_not_holomorphic(options):
    z = np.array([1 + 2j, -0.5 + 0.1j])
    assert check_jacobian(np.exp, z, np.diag(np.exp(z)), **options).ok
    assert not check_jacobian(np.conj, z, np.eye(2), **options).ok
    assert not check_jacobian(lambda z: z * np.conj(z), z, np.diag(2 * z.real), **options).ok
