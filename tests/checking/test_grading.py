"""Answers to exercises: right ones pass, wrong ones are told what is wrong, missing ones get the hint."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.checking import grade

A = np.array([[0.5, 1.0], [-1.0, 0.3], [0.2, 0.8]])
x = np.array([1.0, -0.5])
b = np.array([0.1, -0.2, 0.0])
f = np.tanh(A @ x + b)
by_A = np.einsum("il,ljk->ijk", np.diag(1 - f**2), np.einsum("lj,k->ljk", np.eye(3), x))


def of(A):
    return np.tanh(A @ x + b)


def test_a_right_jacobian():
    found = grade("∂f/∂A", by_A, of=of, at=A, hint="never shown")
    assert found.right is True
    assert "18 entries agree" in str(found)
    assert "Hint" not in str(found)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (np.einsum("i,k->ik", 1 - f**2, x), "the axes of f, then those of A; yours is (3, 2)"),
        (by_A.transpose(1, 2, 0), "denominator layout"),
        (np.broadcast_to(np.einsum("i,k->ik", 1 - f**2, x)[:, None], (3, 3, 2)), "a Kronecker delta is missing"),
        (-by_A, "6 of 18 entries are wrong"),
        (2 * by_A, "∂f₁/∂A₁₁: yours is"),
        ("no array", "array of numbers"),
    ],
)
def test_wrong_jacobians_are_told_why(answer, says):
    found = grade("∂f/∂A", answer, of=of, at=A, hint="look at the rows")
    assert found.right is False
    assert says in str(found)
    assert "Hint: look at the rows" in str(found)
    assert "look at the rows" in found._repr_html_()


@pytest.mark.parametrize("answer", [..., (..., ...), [1, ...]])
def test_a_missing_answer_gets_the_hint(answer):
    found = grade("∂f/∂A", answer, of=of, at=A, hint="look at the rows")
    assert found.right is None
    assert "Hint: look at the rows" in str(found)


@pytest.mark.parametrize(
    ("answer", "expected", "right"),
    [
        ((3, 3, 2), (3, 3, 2), True),
        ([3, 3, 2], (3, 3, 2), True),
        ((3, 2, 3), (3, 3, 2), False),
        ((3, 3), (3, 3, 2), False),
        (-12, -12.0, True),
        (0.125, 0.0625, False),
        ("il,lj->ij", "ik,kj->ij", True),
        ("il, lj", "ik,kj->ij", True),
        ("il,lj->ji", "ik,kj->ij", False),
        ("Reverse", "reverse", True),
        (True, True, True),
        ({1, 2}, {2, 1}, True),
        ({1}, {2, 1}, False),
    ],
)  # fmt: skip
def test_other_answers(answer, expected, right):
    assert grade("it", answer, expected=expected).right is right


def test_there_must_be_something_to_compare_with():
    with pytest.raises(ValueError, match="of"):
        grade("it", 1)
