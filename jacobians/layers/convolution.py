"""Convolutions, channels first. Index legend: o output channels, c input channels, y x positions of the output,
u v positions of the kernel; s t strides, p q paddings, d e dilations; g groups; ... batch.

The output at y x sees the input at (sy+du−p, tx+ev−q); positions in the padding do not exist, so they are zero. With
several groups, output channel Og + o sees only the input channels Cg + c of its own group g.
"""  # noqa: D205 - the index legend takes two lines

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from jacobians.core.layer import Array, Layer, Local, Parameter
from jacobians.core.terms import term
from jacobians.layers.axes import pair

__all__ = ["Conv1d", "Conv2d", "ConvTranspose2d", "Convolve"]

Sizes = int | Sequence[int]


class Convolution(Layer):
    """Cross-correlation along one or two axes: what Conv1d and Conv2d share."""

    W: Parameter
    b: Parameter
    stride: Sizes = 1
    padding: Sizes = 0
    dilation: Sizes = 1
    groups: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.options()
        if self.groups < 1 or len(self.W) % self.groups:
            raise ValueError(f"{self.name}: {self.groups} groups must divide the output channels; W is {self.W.shape}")

    @property
    def name(self) -> str:
        """The name for errors."""
        return type(self).__name__

    def options(self) -> list[tuple[int, int, int]]:
        """Stride, padding and dilation of every spatial axis."""
        named = (("stride", self.stride, 1), ("padding", self.padding, 0), ("dilation", self.dilation, 1))
        s, p, d = (pair(self.name, option, value, least, self.W.ndim - 2) for option, value, least in named)
        return list(zip(s, p, d, strict=True))

    def channels(self) -> tuple[str, str, str]:
        """Label the groups, the output channels and the input channels."""
        if self.groups == 1:
            return "", "o", "c"
        return "g", f"({len(self.W) // self.groups}g+o)", f"({self.W.shape[1]}g+c)"

    def ones(self) -> list[Array]:
        """With groups, a factor 1_o that says how many o there are in (Og+o)."""
        return [] if self.groups == 1 else [np.ones(len(self.W) // self.groups, self.W.dtype)]

    def kernel(self) -> Array:
        """W_ocuv, or W_gocuv if there are groups."""
        return (
            self.W if self.groups == 1 else self.W.reshape(self.groups, len(self.W) // self.groups, *self.W.shape[1:])
        )

    def patches(self, x: Array) -> Array:
        """X_cyxuv = x_{c, sy+du−p, tx+ev−q}, or X_gcyxuv if there are groups, as a view of the padded input."""
        spatial, options = self.W.ndim - 2, self.options()
        batch, channels, sizes = x.shape[: -spatial - 1], self.groups * self.W.shape[1], x.shape[-spatial:]
        if x.shape[-spatial - 1] != channels:
            raise ValueError(
                f"{self.name}: W is {self.W.shape} and there {'are' if self.groups > 1 else 'is'} {self.groups} group"
                f"{'s' * (self.groups > 1)}, so axis {len(batch)} of x must be {channels}; x is {x.shape}"
            )
        reach = tuple(d * (n - 1) + 1 for (_, _, d), n in zip(options, self.W.shape[2:], strict=True))
        if any(n + 2 * p < m for n, (_, p, _), m in zip(sizes, options, reach, strict=True)):
            raise ValueError(
                f"{self.name}: the kernel reaches over {reach}, so the last axes of the padded x must be as large; "
                f"x is {x.shape}, the padding {self.padding}"
            )
        padded = np.pad(x, [(0, 0)] * (len(batch) + 1) + [(p, p) for _, p, _ in options])
        windows = sliding_window_view(padded, reach, axis=tuple(range(-spatial, 0)))
        strides, dilations = [slice(None, None, s) for s, *_ in options], [slice(None, None, d) for *_, d in options]
        every = [slice(None)] * (len(batch) + 1)
        found: Array = windows[tuple(every + strides + dilations)]
        if self.groups > 1:
            count = found.shape[len(batch)] // self.groups
            found = found.reshape(*batch, self.groups, count, *found.shape[len(batch) + 1 :])
        return found

    def forward(self, x: Array) -> Array:
        g, yx, uv = self.channels()[0], "yx"[: self.W.ndim - 2], "uv"[: self.W.ndim - 2]
        z = np.einsum(f"{g}oc{uv},...{g}c{yx}{uv}->...{g}o{yx}", self.kernel(), self.patches(x), optimize=True)
        z = z.reshape(*x.shape[: 1 - self.W.ndim], len(self.W), *z.shape[2 - self.W.ndim :])
        return np.asarray(z + self.b.reshape(-1, *(1 for _ in yx)))


class Conv1d(Convolution):
    """z_oy = Σ_cu W_ocu x_{c, sy+du−p} + b_o: cross-correlation with stride s, padding p and dilation d.

    ∂z_oy/∂x_ci = W_ocu where i = sy + du − p, ∂z_oy/∂W_Ocu = δ_oO x_{c, sy+du−p}, ∂z_oy/∂b_O = δ_oO.
    Shapes: W (O, C/groups, K), b (O), x (..., C, L) give z (..., O, ⌊(L + 2p − d(K − 1) − 1)/s⌋ + 1).
    Errors: ValueError if the channels do not fit or the kernel reaches further than the padded input.
    Source: Dumoulin & Visin, A guide to convolution arithmetic; ``torch.nn.Conv1d``.

    Examples
    --------
    >>> Conv1d([[[1.0, 2.0]]], [0.0]).jacobians([[5.0, 6.0, 7.0]])["x"].squeeze()
    array([[1., 2., 0.],
           [0., 1., 2.]])
    """

    shapes = "W (O, C, K), b (O), x (..., channels, L)"

    def local(self, x: Array, z: Array) -> Local:
        g, o, c = self.channels()
        ((s, p, d),) = self.options()
        return {
            "x": term(f"W_{g}ocu -> ...{o}y;...{c}({s}y+{d}u-{p})", self.kernel()),
            "W": term(f"{g and '1_o '}X_...{g}cyu -> ...{o}y;{o}cu", *self.ones(), self.patches(x)),
            "b": term("-> ...oy;o"),
        }


class Conv2d(Convolution):
    """z_oyx = Σ_cuv W_ocuv x_{c, sy+du−p, tx+ev−q} + b_o: cross-correlation with strides, paddings and dilations.

    ∂z_oyx/∂x_cij = W_ocuv where i = sy + du − p and j = tx + ev − q; ∂z_oyx/∂W_Ocuv = δ_oO x_{c, sy+du−p, tx+ev−q};
    ∂z_oyx/∂b_O = δ_oO.
    Shapes: W (O, C/groups, K, L), b (O), x (..., C, H, B) give z (..., O, Y, X); Y = ⌊(H + 2p − d(K − 1) − 1)/s⌋ + 1.
    Errors: ValueError if the channels do not fit or the kernel reaches further than the padded input.
    Source: Dumoulin & Visin, A guide to convolution arithmetic; ``torch.nn.Conv2d``.

    Examples
    --------
    >>> Conv2d([[[[1.0, 2.0]]]], [0.0]).jacobians([[[5.0, 6.0, 7.0]]])["x"].squeeze()
    array([[1., 2., 0.],
           [0., 1., 2.]])
    """

    shapes = "W (O, C, K, L), b (O), x (..., channels, H, B)"

    def local(self, x: Array, z: Array) -> Local:
        g, o, c = self.channels()
        (s, p, d), (t, q, e) = self.options()
        return {
            "x": term(f"W_{g}ocuv -> ...{o}yx;...{c}({s}y+{d}u-{p})({t}x+{e}v-{q})", self.kernel()),
            "W": term(f"{g and '1_o '}X_...{g}cyxuv -> ...{o}yx;{o}cuv", *self.ones(), self.patches(x)),
            "b": term("-> ...oyx;o"),
        }


class ConvTranspose2d(Layer):
    """z_{o, sy+u−p, tx+v−q} = Σ_c W_couv x_cyx + b_o, summed over all that meet there: Conv2d's Jacobian, transposed.

    ∂z_oij/∂x_cyx = W_couv where i = sy + u − p and j = tx + v − q; ∂z_oij/∂W_couv = x_cyx there; ∂z_oij/∂b_O = δ_oO.
    Shapes: W (C, O, K, L), b (O), x (..., C, H, B) give z (..., O, s(H − 1) + K − 2p, t(B − 1) + L − 2q).
    Errors: ValueError if the channels do not fit or the padding leaves nothing.
    Source: Dumoulin & Visin, A guide to convolution arithmetic; ``torch.nn.ConvTranspose2d``.

    Examples
    --------
    >>> ConvTranspose2d([[[[1.0, 2.0]]]], [0.0]).jacobians([[[5.0, 6.0]]])["x"].squeeze()
    array([[1., 0.],
           [2., 1.],
           [0., 2.]])
    """

    W: Parameter
    b: Parameter
    stride: Sizes = 1
    padding: Sizes = 0
    shapes = "W (C, O, K, L), b (O), x (..., C, H, B)"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._options()

    def _options(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return pair("ConvTranspose2d", "stride", self.stride, 1), pair("ConvTranspose2d", "padding", self.padding, 0)

    def forward(self, x: Array) -> Array:
        (s, t), (p, q) = self._options()
        _, O, K, L = self.W.shape
        H, B = x.shape[-2:]
        full = (s * (H - 1) + K, t * (B - 1) + L)
        if not (H and B) or full[0] <= 2 * p or full[1] <= 2 * q:
            raise ValueError(f"ConvTranspose2d: the padding {self.padding} leaves nothing of {full}; x is {x.shape}")
        parts = np.einsum("couv,...cyx->...ouvyx", self.W, x, optimize=True)
        z = np.zeros((*x.shape[:-3], O, *full), parts.dtype)
        for u in range(K):
            for v in range(L):
                z[..., u : u + s * H : s, v : v + t * B : t] += parts[..., u, v, :, :]
        return np.asarray(z[..., p : full[0] - p, q : full[1] - q] + self.b[:, None, None])

    def local(self, x: Array, z: Array) -> Local:
        (s, t), (p, q) = self._options()
        return {
            "x": term(f"W_couv -> ...o({s}y+u-{p})({t}x+v-{q});...cyx", self.W),
            "W": term(f"x_...cyx -> ...o({s}y+u-{p})({t}x+v-{q});couv", x),
            "b": term("-> ...oyx;o"),
        }


class Convolve(Layer):
    """z_n = Σ_k x_k y_{n−k} of two sequences: ``np.convolve``, of which ``mode`` says how much is kept.

    ∂z_i/∂x_j = y_{i−j}, ∂z_i/∂y_j = x_{i−j}, for i counted from the first one that is kept.
    Shapes: x (M), y (N) give z: (M + N − 1) for "full", the larger of both for "same", (|M − N| + 1) for "valid".
    Errors: ValueError for an empty sequence.
    Source: ``numpy.convolve``.

    Examples
    --------
    >>> Convolve().jacobians([1.0, 2.0], [3.0, 4.0])["x"]
    array([[3., 0.],
           [4., 3.],
           [0., 4.]])
    """

    mode: str = "full"
    shapes = "x (M), y (N)"

    def __post_init__(self) -> None:
        if self.mode not in ("full", "same", "valid"):
            raise ValueError(f"Convolve: mode must be full, same or valid, not {self.mode!r}")
        super().__post_init__()

    def forward(self, x: Array, y: Array) -> Array:
        return np.convolve(x, y, self.mode)  # type: ignore[call-overload,no-any-return]  # one of three words

    def local(self, x: Array, y: Array, z: Array) -> Local:
        less = min(x.size, y.size) - 1
        first = {"full": 0, "same": less // 2, "valid": less}[self.mode]
        return {"x": term(f"y_b -> (a+b-{first});a", y), "y": term(f"x_a -> (a+b-{first});b", x)}
