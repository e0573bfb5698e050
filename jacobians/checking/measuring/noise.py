"""How finely f resolves a change of x: hidden single precision, tables, iterations stopped early."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.measuring.directions import natural_scale
from jacobians.checking.measuring.function import Function

TINY, SMALL = 1e-11, 1e-4  # relative perturbations: below any single-precision quantum, and well above it
POINTS = 8


def coarse_noise(function: Function, seed: int = 0) -> NDArray[np.float64]:
    """Noise of outputs that stay constant under tiny changes of x but move under small ones; zero for the others.

    Such an output was rounded coarsely on its way (float32 inside, a quantised table). The noise is estimated from
    fourth differences along a random line, Δ⁴ the variance of which is 70 σ².
    """
    base = function.base
    quiet_output = np.zeros(base.size)
    if not base.size or not function.point.size:
        return quiet_output
    random = np.random.default_rng(seed)
    scale = natural_scale(function).reshape(function.point.shape)

    def along(direction: NDArray[np.float64], relative: float) -> NDArray[np.generic]:
        return function((function.point + relative * scale * direction).astype(function.point.dtype))

    constant = np.ones(base.size, dtype=bool)
    for _ in range(2):
        direction = random.choice([-1.0, 1.0], size=scale.shape) * random.uniform(0.5, 1.0, size=scale.shape)
        constant &= along(direction, TINY) == base
    if not constant.any():
        return quiet_output
    table = np.array([along(direction, SMALL * k) for k in range(POINTS)])
    change = np.abs(np.diff(table, axis=0))
    largest = change.max(axis=0)
    constant &= np.isfinite(largest) & (largest <= 1e-2 * np.abs(base))
    fourth = np.abs(np.diff(table, n=4, axis=0)).max(axis=0) / np.sqrt(70)
    # a quantum near double precision is ordinary rounding, which is counted elsewhere
    smallest = np.finfo(np.float64).eps * np.abs(base)
    coarse = constant & (fourth > 4 * smallest)
    if not coarse.any():
        return quiet_output
    # what rounds one output rounds the others: those that hardly moved get the same relative noise
    typical = float(np.median(fourth[coarse] / np.abs(base[coarse])))
    return np.where(constant, 2 * np.maximum(fourth, typical * np.abs(base)), 0.0)
