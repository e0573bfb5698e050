"""Normalisation. Index legend: i, j positions that are normalised together; N their number; ... batch.

All four layers are y = γ x̂ + β with x̂ = (x − μ) r and r = 1/√(σ² + ε) for the mean μ and the variance σ² of the N
entries. Their Jacobian is derived once: ∂μ/∂x_j = 1/N and ∂σ²/∂x_j = 2 (x_j − μ)/N, so ∂r/∂x_j = −r² x̂_j/N, and

    ∂x̂_i/∂x_j = (δ_ij − 1/N) r − (x_i − μ) r² x̂_j/N = r (δ_ij − 1/N − x̂_i x̂_j/N).

Entries that are not normalised together, such as the T of a LayerNorm over (T, D), are tied by ... or by their label.
"""

from __future__ import annotations

import numpy as np

from jacobians.core.layer import Array, Layer, Local, Parameter
from jacobians.core.terms import term

__all__ = ["BatchNorm", "GroupNorm", "LayerNorm", "RMSNorm"]


def standardized(x: Array, axes: int | tuple[int, ...], eps: float) -> tuple[Array, Array]:
    """x̂ = (x − μ) r and r = 1/√(σ² + ε), which has size 1 along the axes."""
    centred = x - x.mean(axis=axes, keepdims=True)
    r = 1 / np.sqrt((centred * centred).mean(axis=axes, keepdims=True) + float(eps))
    return centred * r, r


class LayerNorm(Layer):
    """y_i = γ_i x̂_i + β_i, with x̂ = (x − μ)/√(σ² + ε) over the last axis.

    ∂y_i/∂x_j = γ_i r (δ_ij − 1/N − x̂_i x̂_j/N) for r = 1/√(σ² + ε), ∂y_i/∂γ_j = x̂_i δ_ij, ∂y_i/∂β_j = δ_ij.
    Shapes: gamma (N), beta (N), x (..., N) give y (..., N).
    Source: Ba et al., Layer normalization.

    Examples
    --------
    >>> layer = LayerNorm([1.0, 1.0, 1.0], [0.0, 0.0, 0.0])
    >>> bool(abs(layer.jacobians([1.0, 2.0, 4.0])["x"].sum(axis=1)).max() < 1e-12)  # a common shift changes nothing
    True
    """

    gamma: Parameter
    beta: Parameter
    eps: float = 1e-5
    shapes = "gamma (N), beta (N), x (..., N)"
    holomorphic = False

    def forward(self, x: Array) -> Array:
        return self.gamma * standardized(x, -1, self.eps)[0] + self.beta

    def local(self, x: Array, y: Array) -> Local:
        n, (x_hat, r) = x.shape[-1], standardized(x, -1, self.eps)
        scale = self.gamma * r
        return {
            "x": term("(γr)_...i -> ...i;...i", scale)
            - 1 / max(n, 1) * term("γ_i r_... -> ...i;...j", self.gamma, r[..., 0])
            - 1 / max(n, 1) * term("(γrx̂)_...i x̂_...j -> ...i;...j", scale * x_hat, x_hat),
            "gamma": term("x̂_...i -> ...i;i", x_hat),
            "beta": term("-> ...i;i"),
        }


class RMSNorm(Layer):
    """y_i = γ_i x_i r, with r = 1/√(1/N Σ_k x_k² + ε) over the last axis.

    ∂r/∂x_j = −r³ x_j/N, so ∂y_i/∂x_j = γ_i r (δ_ij − r² x_i x_j/N); ∂y_i/∂γ_j = x_i r δ_ij.
    Shapes: gamma (N), x (..., N) give y (..., N).
    Source: Zhang & Sennrich, Root mean square layer normalization.

    Examples
    --------
    >>> RMSNorm([1.0, 1.0], eps=0).jacobians([1.0, 1.0])["x"]
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """

    gamma: Parameter
    eps: float = 1e-5
    shapes = "gamma (N), x (..., N)"
    holomorphic = False

    def _r(self, x: Array) -> Array:
        r: Array = 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) + float(self.eps))
        return r

    def forward(self, x: Array) -> Array:
        return np.asarray(self.gamma * x * self._r(x))

    def local(self, x: Array, y: Array) -> Local:
        n, r = x.shape[-1], self._r(x)
        x_hat, scale = x * r, self.gamma * r
        return {
            "x": term("(γr)_...i -> ...i;...i", scale)
            - 1 / max(n, 1) * term("(γrx̂)_...i x̂_...j -> ...i;...j", scale * x_hat, x_hat),
            "gamma": term("x̂_...i -> ...i;i", x_hat),
        }


class BatchNorm(Layer):
    """y_bcs = γ_c x̂_bcs + β_c, with x̂ = (x − μ_c)/√(σ_c² + ε) over the batch b and all positions s: training mode.

    ∂y_bcs/∂x_BCS = γ_c r_c δ_cC (δ_bB δ_sS − 1/N − x̂_bcs x̂_BcS/N): channels are tied, examples are coupled.
    ∂y_bcs/∂γ_C = x̂_bcs δ_cC, ∂y_bcs/∂β_C = δ_cC.
    Shapes: gamma (C), beta (C), x (B, C, ...) give y (B, C, ...).
    Source: Ioffe & Szegedy, Batch normalization.

    Examples
    --------
    >>> layer = BatchNorm([1.0], [0.0])
    >>> bool(abs(layer.jacobians([[1.0], [2.0], [4.0]])["x"].sum(axis=0)).max() < 1e-12)  # the mean of y is always β
    True
    """

    gamma: Parameter
    beta: Parameter
    eps: float = 1e-5
    shapes = "gamma (C), beta (C), x (B, C, ...)"
    holomorphic = False

    def _axes(self, x: Array) -> tuple[int, ...]:
        return (0, *range(2, x.ndim))

    def forward(self, x: Array) -> Array:
        column = (-1, *(1,) * (x.ndim - 2))
        return self.gamma.reshape(column) * standardized(x, self._axes(x), self.eps)[0] + self.beta.reshape(column)

    def local(self, x: Array, y: Array) -> Local:
        x_hat, r = standardized(x, self._axes(x), self.eps)
        scale = self.gamma * r.reshape(-1)
        n = x.size // max(1, len(self.gamma))
        s, S = _spatial(x), _spatial(x).upper()
        return {
            "x": term(f"(γr)_c -> bc{s};bc{s}", scale)
            - 1 / max(n, 1) * term(f"(γr)_c -> bc{s};Bc{S}", scale)
            - 1 / max(n, 1) * term(f"(γr)_c x̂_bc{s} x̂_Bc{S} -> bc{s};Bc{S}", scale, x_hat, x_hat),
            "gamma": term(f"x̂_bc{s} -> bc{s};c", x_hat),
            "beta": term(f"-> bc{s};c"),
        }


class GroupNorm(Layer):
    """y_bcs = γ_c x̂_bcs + β_c, with x̂ over each group of channels and all positions s; channel c = Kg + k of group g.

    ∂y_{b,Kg+k,s}/∂x_{b,Kg+l,S} = γ_gk r_bg (δ_kl δ_sS − 1/N − x̂_bgks x̂_bglS/N): examples and groups are tied.
    ∂y_bcs/∂γ_C = x̂_bcs δ_cC, ∂y_bcs/∂β_C = δ_cC.
    Shapes: gamma (C), beta (C), x (B, C, ...) give y (B, C, ...).
    Errors: ValueError unless the groups divide the channels.
    Source: Wu & He, Group normalization.

    Examples
    --------
    >>> layer = GroupNorm([1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0], groups=2, eps=0.75)
    >>> layer.jacobians([[1.0, 2.0, 3.0, 5.0]])["x"][0, 0, 0]  # the other group is not seen
    array([ 0.375, -0.375,  0.   ,  0.   ])
    """

    gamma: Parameter
    beta: Parameter
    groups: int
    eps: float = 1e-5
    shapes = "gamma (C), beta (C), x (B, C, ...)"
    holomorphic = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.groups < 1 or len(self.gamma) % self.groups:
            raise ValueError(f"GroupNorm: {self.groups} groups must divide the channels; gamma is {self.gamma.shape}")

    def _standardized(self, x: Array) -> tuple[Array, Array]:
        """x̂ with the axes b, g, k, s, and r with the axes b, g."""
        parts = x.reshape(x.shape[0], self.groups, x.shape[1] // self.groups, *x.shape[2:])
        x_hat, r = standardized(parts, tuple(range(2, parts.ndim)), self.eps)
        return x_hat, r.reshape(r.shape[:2])

    def forward(self, x: Array) -> Array:
        column = (-1, *(1,) * (x.ndim - 2))
        x_hat = self._standardized(x)[0].reshape(x.shape)
        return self.gamma.reshape(column) * x_hat + self.beta.reshape(column)

    def local(self, x: Array, y: Array) -> Local:
        x_hat, r = self._standardized(x)
        gamma = self.gamma.reshape(self.groups, -1)
        K, n = gamma.shape[1], x_hat[:1, :1].size
        s, S = _spatial(x), _spatial(x).upper()
        scale = gamma * r[:, :, None]
        return {
            "x": term(f"(γr)_bc -> bc{s};bc{s}", scale.reshape(len(x), x.shape[1]))
            - 1 / max(n, 1) * term(f"(γr)_bgk 1_l -> b({K}g+k){s};b({K}g+l){S}", scale, np.ones(K, x.dtype))
            - 1 / max(n, 1) * term(f"(γr)_bgk x̂_bgk{s} x̂_bgl{S} -> b({K}g+k){s};b({K}g+l){S}", scale, x_hat, x_hat),
            "gamma": term(f"x̂_bc{s} -> bc{s};c", x_hat.reshape(x.shape)),
            "beta": term(f"-> bc{s};c"),
        }


def _spatial(x: Array) -> str:
    """Labels of the axes behind the channels."""
    return "stuvw"[: x.ndim - 2]
