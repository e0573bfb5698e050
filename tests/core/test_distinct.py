"""Different arrays have different names in one formula, the same array has one."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import Chain, Jacobian, Linear, Sigmoid, Square, Tanh, term

A, B = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 7.0], [1.0, 0.0]])
x, y = np.array([0.5, -1.0]), np.array([2.0, 0.25])


def by_x(layer, at=x):
    return layer.linearize(at)[1]["x"]


J, K = by_x(Linear(A)), by_x(Linear(B))


@pytest.mark.parametrize(
    ("found", "formula"),
    [
        (J - K, "∂z_i/∂x_j = A₁_ij − A₂_ij"),
        (J + K, "∂z_i/∂x_j = A₁_ij + A₂_ij"),
        (J @ K, "∂z_i/∂x_j = Σ_k A₁_ik A₂_kj"),
        (J + J, "∂z_i/∂x_j = 2 A_ij"),
        (J - by_x(Linear(A)), "∂z_i/∂x_j = 0"),
        (J @ by_x(Linear(A)), "∂z_i/∂x_j = Σ_k A_ik A_kj"),
        (J - K - by_x(Linear(A + B)), "∂z_i/∂x_j = A₁_ij − A₂_ij − A_ij"),
        (by_x(Tanh()) - by_x(Tanh(), y), "∂f₁_i/∂x_j = δ_ij (1-f₁²)_i − δ_ij (1-f₂²)_i"),
        (by_x(Tanh()) @ J, "∂f_i/∂x_j = (1-f²)_i A_ij"),
        (by_x(Square()) - by_x(Square(), y), "∂f_i/∂x₁_j = 2 δ_ij x₁_i − 2 δ_ij x₂_i"),
        (J.normal(), "∂x_i/∂x_j = Σ_k A_ki A_kj"),
        (by_x(Chain(Linear(A), Tanh())) @ K, "∂f_i/∂x_j = Σ_k (1-f²)_i A₁_ik A₂_kj"),
        (term("A_ij -> i;j", A) @ K, "∂y_i/∂x_j = Σ_k A₁_ik A₂_kj"),
    ],
)
def test_formulas(found, formula):
    assert found.formula == formula


def test_a_formula_is_zero_only_if_the_numbers_are():
    for one in (J - K, by_x(Tanh()) - by_x(Tanh(), y), by_x(Sigmoid()) - by_x(Sigmoid(), y)):
        assert np.any(one.full())
        assert not one.formula.endswith("= 0")
    assert not np.any((J - J).full())


def test_complex_conjugates_have_other_names():
    H = by_x(Linear(A + 1j * B), x + 0j)
    assert len(set(H.gram().formula.rpartition("Σ_k ")[2].split(" "))) == 2
    assert "A₁" in H.gram().formula


def test_what_has_been_multiplied_is_compared_as_a_whole():
    product = J @ K
    assert "0" in (product - product).formula
    assert (product + (K @ J)).formula.count("A") == 4
    other = Jacobian(product.form, tuple(a + 1 for a in product.arrays))
    assert not (product - other).formula.endswith("= 0")


def test_an_array_that_has_been_multiplied_is_known_again():
    assert (J @ K @ J).formula == "∂z_i/∂x_j = Σ_kl A₁_ik A₂_kl A₁_lj"
    assert ((J @ K) + (K @ J)).formula.count("A₁") == 2
    assert (J @ J @ J).formula == "∂z_i/∂x_j = Σ_kl A_ik A_kl A_lj"
