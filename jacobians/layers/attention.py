"""Attention. Index legend: t w positions that ask and that are asked, d features, e values, h heads; ... batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jacobians.core.jacobian import Jacobian
from jacobians.core.layer import Array, Layer, Local, Parameter
from jacobians.core.terms import Terms, term
from jacobians.layers.softmax import softmax

__all__ = ["ScaledDotProductAttention", "SelfAttention"]


def weights(q: Array, k: Array, causal: bool) -> Array:
    """A_tw = softmax over w of q_t · k_w / √D; if causal, position t asks no w > t."""
    scores = q @ np.swapaxes(k, -1, -2) / q.dtype.type(max(1, q.shape[-1]) ** 0.5)
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:]) > 0, scores, -np.inf)
    return softmax(scores, -1)


class ScaledDotProductAttention(Layer):
    """y_te = Σ_w A_tw v_we, with A_tw = softmax over w of s_tw = q_t · k_w / √D.

    The softmax gives ∂y_te/∂s_tw = A_tw (v_we − y_te), and ∂s_tw/∂q_td = k_wd/√D, ∂s_tw/∂k_wd = q_td/√D. Therefore

        ∂y_te/∂q_ud = δ_tu (Σ_w A_tw v_we k_wd − y_te m_td)/√D for m_td = Σ_w A_tw k_wd,
        ∂y_te/∂k_wd = A_tw (v_we − y_te) q_td/√D,
        ∂y_te/∂v_wf = A_tw δ_ef.

    With ``causal``, A_tw = 0 for w > t.
    Shapes: q (..., T, D), k (..., W, D), v (..., W, E) give y (..., T, E).
    Source: Vaswani et al., Attention is all you need.

    Examples
    --------
    >>> attention = ScaledDotProductAttention(causal=True)
    >>> attention.jacobians([[1.0], [2.0]], [[1.0], [1.0]], [[3.0], [4.0]])["v"].squeeze()
    array([[1. , 0. ],
           [0.5, 0.5]])
    """

    causal: bool = False
    shapes = "q (..., T, D), k (..., W, D), v (..., W, E)"
    holomorphic = False

    def forward(self, q: Array, k: Array, v: Array) -> Array:
        return weights(q, k, self.causal) @ v

    def local(self, q: Array, k: Array, v: Array, y: Array) -> Local:
        A = weights(q, k, self.causal)
        scale = 1 / max(1, q.shape[-1]) ** 0.5
        return {
            "q": scale * term("A_...tw v_...we k_...wd -> ...te;...td", A, v, k)
            - scale * term("y_...te m_...td -> ...te;...td", y, A @ k),
            "k": scale * term("A_...tw v_...we q_...td -> ...te;...wd", A, v, q)
            - scale * term("A_...tw y_...te q_...td -> ...te;...wd", A, y, q),
            "v": term("A_...tw -> ...te;...we", A),
        }


class SelfAttention(Layer):
    """z_ti = Σ_hf Wo_{i, Fh+f} y_htf, with heads y_h = attention(x Wqᵀ, x Wkᵀ, x Wvᵀ) that split the features.

    Head h has the features Dh + d of the queries q_{t, Dh+d} = Wq_{Dh+d, j} x_tj (keys and values likewise), so the
    chain rule runs over three paths, ∂z/∂x = ∂z/∂y (∂y/∂q ∂q/∂x + ∂y/∂k ∂k/∂x + ∂y/∂v ∂v/∂x), with the Jacobians of
    `ScaledDotProductAttention` in the middle. For one head, the path through v is ∂z_ti/∂x_wj = A_tw (Wo Wv)_ij.
    Shapes: Wq (P, N), Wk (P, N), Wv (V, N), Wo (M, V), x (..., T, N) give z (..., T, M).
    Errors: ValueError unless the heads divide P and V.
    Source: Vaswani et al., Attention is all you need, multi-head attention.

    Examples
    --------
    >>> one = np.eye(2)
    >>> J = SelfAttention(one, one, one, one, heads=2, causal=True).jacobians([[1.0, 2.0], [3.0, 4.0]])["x"]
    >>> bool((J[0, :, 1, :] == 0).all())  # what comes first does not see what comes later
    True
    """

    Wq: Parameter
    Wk: Parameter
    Wv: Parameter
    Wo: Parameter
    heads: int = 1
    causal: bool = False
    shapes = "Wq (P, N), Wk (P, N), Wv (V, N), Wo (M, V), x (..., T, N)"
    holomorphic = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.heads < 1 or len(self.Wq) % self.heads or len(self.Wv) % self.heads:
            raise ValueError(
                f"SelfAttention: {self.heads} heads must divide the features of queries and values; "
                f"Wq is {self.Wq.shape}, Wv is {self.Wv.shape}"
            )

    def _split(self, W: Array) -> Array:
        """W_hdj of a matrix whose rows are Dh + d."""
        return W.reshape(self.heads, len(W) // self.heads, W.shape[-1])

    def _inner(self, x: Array) -> tuple[Array, Array, Array]:
        """q, k and v with the axes ... h t d."""
        return tuple(np.einsum("hdj,...tj->...htd", self._split(W), x, optimize=True)
                     for W in (self.Wq, self.Wk, self.Wv))  # fmt: skip

    def _joined(self, y: Array) -> Array:
        """Put the heads y_htf side by side: y_{t, Fh+f}."""
        y = np.moveaxis(y, -3, -2)
        return y.reshape(*y.shape[:-2], y.shape[-2] * y.shape[-1])

    def forward(self, x: Array) -> Array:
        y = ScaledDotProductAttention(self.causal)(*self._inner(x))
        z: Array = self._joined(y) @ self.Wo.T
        return z

    def local(self, x: Array, z: Array) -> Local:
        attention, inner = ScaledDotProductAttention(self.causal), self._inner(x)
        y = attention(*inner)
        y_by: Mapping[str, Any] = attention.local(*inner, y)
        Wo = self.Wo.reshape(len(self.Wo), self.heads, self.Wo.shape[1] // self.heads)
        z_by_y = term("Wo_ihf -> ...ti;...htf", Wo).bind(z.shape, y.shape, z.dtype)
        found: dict[str, Terms | Jacobian] = {}
        paths = []
        for name, one in zip("qkv", inner, strict=True):
            W, shape, D = getattr(self, f"W{name}"), one.shape, one.shape[-1]
            path = z_by_y @ y_by[name].bind(y.shape, shape, z.dtype)
            paths.append(path @ term(f"W{name}_hdj -> ...htd;...tj", self._split(W)).bind(shape, x.shape, z.dtype))
            found[f"W{name}"] = path @ term(f"x_...tj -> ...htd;({D}h+d)j", x).bind(shape, W.shape, z.dtype)
        return {
            "x": paths[0] + paths[1] + paths[2],
            **found,
            "Wo": term("y_...tf -> ...ti;if", self._joined(y)),
        }
