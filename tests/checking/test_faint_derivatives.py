"""Derivatives that are next to nothing beside f: their rounding errors are no mistakes, but mistakes are found."""

from __future__ import annotations

import numpy as np
import pytest

import jacobians as J
from jacobians import check, check_jacobian


def saturated_attention(seed):
    """A transformer block whose attention weights are 1, but for rounding errors: p − p² is nothing else."""
    rng = np.random.default_rng(seed)
    T, D = (int(n) for n in rng.integers(2, 5, size=2))

    def weights(*shape):
        return rng.normal(size=shape) * rng.choice([0.1, 1, 3])

    attention = J.Chain(J.LayerNorm(weights(D), weights(D)), J.SelfAttention(*[weights(D, D) for _ in range(4)]))
    return attention, weights, (T, D)


@pytest.mark.parametrize("seed", [209, 455])
def test_rounding_errors_are_no_mistakes(seed):
    attention, weights, (T, D) = saturated_attention(seed)
    for shape in ((D,), (D,), (2 * D, D), (2 * D,), (D, 2 * D), (D,)):  # the other half of the block
        weights(*shape)
    assert check(attention, weights(T, D)).ok


@pytest.mark.parametrize(
    ("f", "right"),
    [
        (lambda x: 1e-13 * x, np.diag([1e-13, 1e-13])),
        (lambda x: np.array([x[0], 1e-12 * x[1]]), np.diag([1, 1e-12])),
        (lambda x: np.array([x[0] * 1e12, 1e-3 * x[1]]), np.diag([1e12, 1e-3])),
        (lambda x: np.exp(-40 * x), np.diag(-40 * np.exp(-40 * np.array([0.7, 1.3])))),
        (lambda x: x + 1e-7 * x[::-1], np.array([[1, 1e-7], [1e-7, 1]])),
    ],
)
def test_mistakes_are_found_however_small(f, right):
    x = np.array([0.7, 1.3])
    assert check_jacobian(f, x, right).ok
    for place in np.argwhere(right):
        for factor in (2, 1.05):
            claimed = right.copy()
            claimed[tuple(place)] *= factor
            assert not check_jacobian(f, x, claimed).ok


@pytest.mark.parametrize("faint", [0.0, 5e-324, -2.1e-320, 1e-316, -1e-310, 1e-300])
def test_numbers_of_a_few_bits_are_as_good_as_zero(faint):
    W = np.array([[0.3, -2.0, 1.0], [1.0, 1.0, 1.0]])
    x = np.array([1.0, faint, 0.5])
    assert check_jacobian(lambda x: W @ x, x, W).ok
    assert not check_jacobian(lambda x: W @ x, x, W * [[1, 1.01, 1], [1, 1, 1]]).ok
