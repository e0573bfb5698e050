"""Entrywise functions with an option or a parameter. All Jacobians are diagonal in x. Definitions as in ``jax.nn``."""

from __future__ import annotations

import numpy as np

from jacobians.core.layer import Array, Layer, Local, Parameter
from jacobians.core.terms import term
from jacobians.layers import stable
from jacobians.layers.placing import Choosing

__all__ = ["CELU", "ELU", "GELU", "Clip", "LeakyReLU", "PReLU", "Power", "Softplus"]


def require_positive(layer: str, name: str, value: float) -> None:
    """Raise a ValueError unless the option is a positive number."""
    if not (np.ndim(value) == 0 and value > 0):
        raise ValueError(f"{layer}: {name} must be a positive number; it is {value!r}")


class Power(Layer):
    """f_i = x_i^p for a fixed exponent p.

    ∂f_i/∂x_j = p x_i^{p−1} δ_ij.
    Shapes: x (...) gives f (...).
    Source: Parr & Howard, element-wise operators.

    Examples
    --------
    >>> Power(3).jacobians([2.0])["x"]
    array([[12.]])
    """

    exponent: float

    def __post_init__(self) -> None:
        if np.ndim(self.exponent) != 0:
            raise ValueError(f"Power: the exponent must be a number (two arrays: Pow); it is {np.shape(self.exponent)}")
        super().__post_init__()

    def forward(self, x: Array) -> Array:
        return np.asarray(x ** np.asarray(self.exponent).item())

    def local(self, x: Array, f: Array) -> Local:
        p = np.asarray(self.exponent).item()
        return {"x": term("(p·x^(p-1))_... -> ...;...", p * x ** (p - 1) if p != 0 else np.zeros_like(x))}


class Clip(Choosing):
    """f_i = min(max(low, x_i), high).

    ∂f_i/∂x_j = [low < x_i < high] δ_ij; at the kinks it is 0.
    Shapes: x (...) gives f (...).
    Errors: ValueError if low is above high.
    Source: ``jax.numpy.clip``.

    Examples
    --------
    >>> Clip(0, 1).jacobians([-1.0, 0.5])["x"].diagonal()
    array([0., 1.])
    """

    low: float
    high: float
    holomorphic = False

    def __post_init__(self) -> None:
        if not (np.ndim(self.low) == np.ndim(self.high) == 0 and self.low <= self.high):
            raise ValueError(f"Clip: low must be a number not above high; they are {self.low!r} and {self.high!r}")
        super().__post_init__()

    def forward(self, x: Array) -> Array:
        return np.clip(x, float(self.low), float(self.high))

    def local(self, x: Array, f: Array) -> Local:
        inside = (self.low < x) & (x < self.high)
        return {"x": term("[low<x<high]_... -> ...;...", inside.astype(x.dtype))}


class Softplus(Layer):
    """f_i = log(1 + exp(β x_i)) / β.

    ∂f_i/∂x_j = σ(β x_i) δ_ij, for σ(t) = 1 / (1 + exp(−t)).
    Shapes: x (...) gives f (...).
    Source: ``jax.nn.softplus``; Dugas et al., Incorporating second-order functional knowledge.

    Examples
    --------
    >>> Softplus().jacobians([0.0])["x"]
    array([[0.5]])
    """

    beta: float = 1
    holomorphic = False

    def __post_init__(self) -> None:
        require_positive("Softplus", "beta", self.beta)
        super().__post_init__()

    def _scaled(self, x: Array) -> Array:
        """β x, but not so large that it overflows: beyond, exp(−|βx|) is 0."""
        return float(self.beta) * np.clip(x, -1e4 / float(self.beta), 1e4 / float(self.beta))

    def forward(self, x: Array) -> Array:
        return np.asarray(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(self._scaled(x)))) / float(self.beta))

    def local(self, x: Array, f: Array) -> Local:
        return {"x": term("σ(βx)_... -> ...;...", stable.sigmoid(self._scaled(x)))}


class LeakyReLU(Layer):
    """f_i = x_i where x_i > 0, else slope · x_i.

    ∂f_i/∂x_j = δ_ij where x_i > 0, else slope δ_ij; at the kink x_i = 0 it is the slope.
    Shapes: x (...) gives f (...).
    Source: ``jax.nn.leaky_relu``.

    Examples
    --------
    >>> LeakyReLU(0.1).jacobians([-1.0, 2.0])["x"].diagonal()
    array([0.1, 1. ])
    """

    slope: float = 0.01
    holomorphic = False

    def forward(self, x: Array) -> Array:
        return np.where(x > 0, x, float(self.slope) * x)

    def local(self, x: Array, f: Array) -> Local:
        return {"x": term("f'_... -> ...;...", np.where(x > 0, 1, float(self.slope)).astype(x.dtype))}


class PReLU(Layer):
    """f_i = x_i where x_i > 0, else a_i x_i, with a slope a_i for every position of the last axis.

    ∂f_i/∂x_j = δ_ij where x_i > 0, else a_i δ_ij; ∂f_i/∂a_j = min(x_i, 0) δ_ij; at the kink x_i = 0 the slope counts.
    Shapes: slope (N), x (..., N) give f (..., N).
    Source: He et al., Delving deep into rectifiers.

    Examples
    --------
    >>> PReLU([0.1, 0.2]).jacobians([-1.0, 2.0])["slope"].diagonal()
    array([-1.,  0.])
    """

    slope: Parameter
    shapes = "slope (N), x (..., N)"
    holomorphic = False

    def forward(self, x: Array) -> Array:
        return np.where(x > 0, x, self.slope * x)

    def local(self, x: Array, f: Array) -> Local:
        return {
            "x": term("f'_... -> ...;...", np.where(x > 0, 1, self.slope)),
            "slope": term("min(x,0)_...i -> ...i;i", np.minimum(x, 0)),
        }


class ELU(Layer):
    """f_i = x_i where x_i > 0, else α (exp(x_i) − 1).

    ∂f_i/∂x_j = δ_ij where x_i > 0, else α exp(x_i) δ_ij; at the kink x_i = 0 it is α.
    Shapes: x (...) gives f (...).
    Source: ``jax.nn.elu``; Clevert et al., Exponential linear units.

    Examples
    --------
    >>> ELU(2.0).jacobians([0.0])["x"]
    array([[2.]])
    """

    alpha: float = 1
    holomorphic = False

    def forward(self, x: Array) -> Array:
        return np.where(x > 0, x, float(self.alpha) * np.expm1(np.minimum(x, 0)))

    def local(self, x: Array, f: Array) -> Local:
        return {"x": term("f'_... -> ...;...", np.where(x > 0, 1, float(self.alpha) * np.exp(np.minimum(x, 0))))}


class CELU(Layer):
    """f_i = x_i where x_i > 0, else α (exp(x_i/α) − 1).

    ∂f_i/∂x_j = exp(min(x_i, 0)/α) δ_ij; there is no kink.
    Shapes: x (...) gives f (...).
    Source: ``jax.nn.celu``; Barron, Continuously differentiable exponential linear units.

    Examples
    --------
    >>> CELU(2.0).jacobians([0.0])["x"]
    array([[1.]])
    """

    alpha: float = 1
    holomorphic = False

    def __post_init__(self) -> None:
        require_positive("CELU", "alpha", self.alpha)
        super().__post_init__()

    def forward(self, x: Array) -> Array:
        alpha = float(self.alpha)
        return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha))

    def local(self, x: Array, f: Array) -> Local:
        return {"x": term("exp(min(x,0)/α)_... -> ...;...", np.exp(np.minimum(x, 0) / float(self.alpha)))}


class GELU(Layer):
    """f_i = x_i Φ(x_i) for the normal distribution Φ, or its tanh approximation.

    ∂f_i/∂x_j = (Φ(x_i) + x_i φ(x_i)) δ_ij, with the density φ(t) = exp(−t²/2)/√(2π). With ``approximate=True``,
    Φ(x) ≈ σ(2u) for u = √(2/π) (x + 0.044715 x³), and φ is its derivative 2 u′ σ(2u) σ(−2u).
    Shapes: x (...) gives f (...).
    Source: ``jax.nn.gelu``; Hendrycks & Gimpel, Gaussian error linear units.

    Examples
    --------
    >>> GELU().jacobians([0.0])["x"]
    array([[0.5]])
    """

    approximate: bool = False
    holomorphic = False

    def _distribution(self, x: Array) -> tuple[Array, Array]:
        """Φ(x) and φ(x)."""
        if not self.approximate:
            return stable.normal_cdf(x), stable.gauss(x / 2**0.5) / (2 * np.pi) ** 0.5
        t = np.clip(x, -50, 50)  # beyond, σ is 0 or 1 to the last digit, and t³ must not overflow
        u = (2 / np.pi) ** 0.5 * (t + 0.044715 * t**3)
        slope = (2 / np.pi) ** 0.5 * (1 + 3 * 0.044715 * t**2)
        return stable.sigmoid(2 * u), 2 * slope * stable.sigmoid(2 * u) * stable.sigmoid(-2 * u)

    def forward(self, x: Array) -> Array:
        return stable.damped(x, self._distribution(x)[0])

    def local(self, x: Array, f: Array) -> Local:
        cdf, density = self._distribution(x)
        return {"x": term("(Φ(x)+xφ(x))_... -> ...;...", cdf + stable.damped(x, density))}
