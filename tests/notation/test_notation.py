"""The notation: what it means, and errors that quote the formula and name label and sizes."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import term
from jacobians.notation.parse import parse


@pytest.mark.parametrize(
    ("formula", "arrays", "out", "wrt", "expected"),
    [
        ("A_ij -> i;j", [np.arange(6.0).reshape(2, 3)], (2,), (3,), np.arange(6.0).reshape(2, 3)),
        ("-> ;ii", [], (), (2, 2), np.eye(2)),
        ("-> ij;ji", [], (2, 3), (3, 2), np.einsum("il,jk->ijkl", np.eye(2), np.eye(3))),
        ("-> i;ii", [], (2,), (2, 2), np.array([[[1, 0], [0, 0]], [[0, 0], [0, 1.0]]])),
        ("-> ;i", [], (), (3,), np.ones(3)),
        ("c -> i;i", [2.0], (2,), (2,), 2 * np.eye(2)),
        ("A_ii -> ;", [np.arange(4.0).reshape(2, 2)], (), (), np.array(3.0)),
        ("x_k -> ;", [[1, 2, 3]], (), (), np.array(6.0)),
        ("-> (3j+k);jk", [], (6,), (2, 3), np.eye(6).reshape(6, 2, 3)),
        ("-> j;(1)", [], (2,), (3,), np.array([[0, 1, 0], [0, 1.0, 0]])),
        ("-> j;(n_j)", [[2, 0, 2]], (3,), (3,), np.eye(3)[[2, 0, 2]]),
        ("-> i;(2-i)", [], (3,), (3,), np.eye(3)[::-1]),
        ("(1-f²)_i -> i;i", [[1, 2]], (2,), (2,), np.diag([1.0, 2])),
    ],
)
def test_meaning(formula, arrays, out, wrt, expected):
    np.testing.assert_array_equal(term(formula, *arrays).bind(out, wrt).full(), expected)


def test_ellipsis_broadcasts_as_numpy_does():
    y = np.arange(4.0).reshape(4, 1)
    J = term("y_... -> ...;...", y).bind((2, 4, 3), (4, 1))
    expected = np.zeros((2, 4, 3, 4, 1))
    for b, i, j in np.ndindex(2, 4, 3):
        expected[b, i, j, i, 0] = y[i, 0]
    np.testing.assert_array_equal(J.full(), expected)


def test_sums_and_multiples():
    p = np.array([0.25, 0.75])
    softmax = term("p_i -> i;i", p) - term("p_i p_j -> i;j", p, p)
    np.testing.assert_allclose(softmax.full(), np.diag(p) - np.outer(p, p))
    np.testing.assert_allclose((2 * softmax * 3).full(), 6 * (np.diag(p) - np.outer(p, p)))
    np.testing.assert_allclose((1j * softmax).full(), 1j * (np.diag(p) - np.outer(p, p)))
    assert (softmax * np.float32(2)).bind().dtype == np.float64
    assert softmax.bind(dtype=np.float32).full().dtype == np.float32


def test_terms_with_known_sizes_act_as_a_jacobian():
    A = term("A_ij -> i;j", np.ones((2, 3)))
    assert A.shape == (2, 3)
    assert A.formula == "∂y_i/∂x_j = A_ij"
    np.testing.assert_array_equal(A @ np.ones(3), [3, 3])
    np.testing.assert_array_equal(np.ones(2) @ A, [2, 2, 2])
    np.testing.assert_array_equal(np.asarray(A), np.ones((2, 3)))
    assert A[1, 2] == 1


@pytest.mark.parametrize(
    ("formula", "problem"),
    [
        ("x_k", "'->'"),
        ("x_k -> i", "';'"),
        ("x_k -> i;j;k", "';'"),
        ("x_k -> i;j -> k;l", "'->'"),
        ("x_ -> i;i", "as in A_ij"),
        ("x_k1 -> i;k", "'1' of x_k1 is not a letter"),
        ("-> i;?", "'?'"),
        ("-> ......;i", "2 times"),
        ("-> i;(2y*u)", "2y*u"),
        ("-> i;()", "index map"),
        ("-> i;(n_i)(n_j)", "different labels"),
    ],
)
def test_malformed_formulas(formula, problem):
    with pytest.raises(ValueError, match="in the formula") as caught:
        parse(formula)
    assert formula in str(caught.value)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("formula", "arrays", "out", "wrt", "words"),
    [
        (
            "A_ij B_jk -> i;k",
            [np.ones((2, 3)), np.ones((4, 5))],
            None,
            None,
            ["label j is 3 in A (2, 3)", "4 in B (4, 5)"],
        ),
        ("x_k -> i;ik", [np.ones(2)], (3,), (3, 4), ["label k is 4", "(3, 4)", "2 in x (2,)"]),
        ("x_k -> i;ik", [np.ones(2)], None, None, ["size of label i is not known"]),
        ("x_k -> i;ik", [np.ones((2, 2))], (3,), (3, 2), ["x has labels k", "(2, 2)"]),
        ("x_k -> i;ik", [], (3,), (3, 2), ["1 arrays are needed (x), 0 are given"]),
        ("-> ij;i", [], (3,), (3,), ["too few", "(3,)"]),
        ("-> i;i", [], (3, 3), (3,), ["(3, 3)", "1 labels"]),
        ("x_...k -> ...i;ik", [np.ones((5, 2))], (4, 3), (3, 2), ["batch axis", "is 4", "5 in x (5, 2)"]),
        ("-> j;(n_j)", [[0.5, 1.5]], (2,), (3,), ["n is a lookup", "integers"]),
        ("x_i -> i;i", ["ab"], None, None, ["x must hold numbers"]),
        ("-> (3j+k);jk", [], None, (2, 3), ["index map", "size"]),
    ],
)
def test_errors_name_the_label_and_both_sizes(formula, arrays, out, wrt, words):
    with pytest.raises(ValueError, match="formula") as caught:
        term(formula, *arrays).bind(out, wrt)
    message = str(caught.value)
    assert formula in message
    for word in words:
        assert word in message


def test_a_term_is_multiplied_by_scalars_only():
    with pytest.raises(ValueError, match="scalar"):
        term("-> i;i") * np.ones(3)
    with pytest.raises(ValueError, match="equal shapes"):
        (term("x_i -> i;i", [1, 2]) + term("x_i -> i;i", [1, 2, 3])).bind()
