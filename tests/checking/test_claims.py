import math

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
def test_kinds_of_claims(claim) -> None:
    assert check_jacobian(f, x, claim).ok


def test_a_jacobian() -> None:
    from jacobians import Linear

    _, found = Linear(A).linearize(x)
    assert isinstance(found["x"], Jacobian)
    assert check_jacobian(f, x, found["x"]).ok
    assert not check_jacobian(f, x, 2 * found["x"]).ok


def test_sparse() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    assert check_jacobian(f, x, sparse.csr_matrix(A)).ok
    assert not check_jacobian(f, x, sparse.coo_array(1.01 * A)).ok
    assert "shape" in str(check_jacobian(f, x, sparse.csc_matrix(A.T)))


def test_several_arguments() -> None:
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


def test_a_tuple_is_a_vector_for_a_function_of_one_argument() -> None:
    assert check_jacobian(lambda x: x[0] * x[1], (2.0, 3.0), [3.0, 2.0]).ok


def test_shapes_must_agree() -> None:
    report = check_jacobian(f, x, A[:1])
    assert report.findings[0].verdict == "wrong"
    assert "J has shape (1, 3); out_shape + wrt_shape is (4,) + (3,)" in str(report)
    assert not check_jacobian(np.sum, x, np.ones((1, 3))).ok
    assert not check_jacobian(np.sum, x, 1.0).ok


def test_cannot_tell() -> None:
    report = check_jacobian(np.sign, 0.0, 0.0)
    assert not report.ok
    assert report.findings[0].verdict == "cannot tell"
    with pytest.raises(WrongJacobian):
        report.raise_if_wrong()
    report.raise_if_wrong(allow_inconclusive=True)
    undefined = check_jacobian(lambda x: np.log(x), -1.0, np.nan)
    assert undefined.findings[0].verdict == "cannot tell"


def test_infinite_slope() -> None:
    assert check_jacobian(np.sqrt, 0.0, math.inf).ok
    assert not check_jacobian(np.sqrt, 0.0, -math.inf).ok
    assert not check_jacobian(np.sqrt, 0.0, 0.0).ok


def test_notes() -> None:
    assert "zeros" in str(check_jacobian(np.sin, np.zeros(3), np.eye(3)))
    assert "holomorphic" in str(check_jacobian(np.exp, 1j, np.exp(1j)))

    def writes(x):
        x += 1
        return x

    assert "writes into its argument" in str(check_jacobian(writes, x, np.eye(3)))


def test_the_claim_is_called_with_a_copy() -> None:
    given = x.copy()

    def claim(x):
        x[:] = 0
        return A

    assert check_jacobian(f, given, claim).ok
    np.testing.assert_array_equal(given, x)


def test_the_pytest_pattern() -> None:
    with pytest.raises(AssertionError, match="J ≈ 2·D"):
        check_jacobian(f, x, 2 * A).raise_if_wrong()
    check_jacobian(f, x, A).raise_if_wrong()
