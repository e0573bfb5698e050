"""Recurrent cells: one step. Index legend: n units, k gates, d inputs, l units before, m h′ or c′; ... batch.

Gates are stacked: row Hk + n of Wx, Wh and b belongs to gate k of unit n, for H units. In the Jacobians this is an
index map, so that a cell is a few diagonals between its weights.
"""

from __future__ import annotations

import numpy as np

from jacobians.core.layer import Array, Layer, Local, Parameter
from jacobians.core.terms import term
from jacobians.layers.stable import sech2, sigmoid

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]


class RNNCell(Layer):
    """h′_n = tanh(a_n), with a_n = Wx_nd x_d + Wh_nl h_l + b_n.

    With s_n = ∂h′_n/∂a_n = 1 − h′_n²: ∂h′_n/∂x_d = s_n Wx_nd, ∂h′_n/∂h_l = s_n Wh_nl, ∂h′_n/∂Wx_md = δ_nm s_n x_d,
    ∂h′_n/∂Wh_ml = δ_nm s_n h_l, ∂h′_n/∂b_m = δ_nm s_n.
    Shapes: Wx (H, D), Wh (H, H), b (H), x (..., D), h (..., H) give h′ (..., H).
    Source: Elman, Finding structure in time; ``torch.nn.RNNCell``.

    Examples
    --------
    >>> RNNCell([[1.0]], [[2.0]], [0.0]).jacobians([0.0], [0.0])["h"]
    array([[2.]])
    """

    Wx: Parameter
    Wh: Parameter
    b: Parameter
    shapes = "Wx (H, D), Wh (H, H), b (H), x (..., D), h (..., H)"

    def _activation(self, x: Array, h: Array) -> Array:
        activation: Array = x @ self.Wx.T + h @ self.Wh.T + self.b
        return activation

    def forward(self, x: Array, h: Array) -> Array:
        return np.tanh(self._activation(x, h))

    def local(self, x: Array, h: Array, z: Array) -> Local:
        s = sech2(self._activation(x, h))
        return {
            "x": term("s_...n Wx_nd -> ...n;...d", s, self.Wx),
            "h": term("s_...n Wh_nl -> ...n;...l", s, self.Wh),
            "Wx": term("s_...n x_...d -> ...n;nd", s, x),
            "Wh": term("s_...n h_...l -> ...n;nl", s, h),
            "b": term("s_...n -> ...n;n", s),
        }


class LSTMCell(Layer):
    """c′ = f ⊙ c + i ⊙ g and h′ = o ⊙ tanh(c′), with i, f, o = σ(a) and g = tanh(a) of the stacked a = Wx x + Wh h + b.

    The output is h′ and then c′, so row Hm + n is h′_n for m = 0 and c′_n for m = 1. A gate acts on its own unit only:

        G_mkn = ∂(h′ or c′)_n/∂a_{Hk+n}: for c′ it is (g i(1−i), c f(1−f), i (1−g²), 0); for h′ it is
                o (1 − tanh²(c′)) times that, and tanh(c′) o(1−o) for the gate o.

    Then ∂z_{Hm+n}/∂x_d = Σ_k G_mkn Wx_{Hk+n, d}, ∂z_{Hm+n}/∂Wx_{Hk+n, d} = G_mkn x_d, and so for Wh and b, and
    ∂z_{Hm+n}/∂c_n = f_n for c′, o_n (1 − tanh²(c′_n)) f_n for h′.
    Shapes: Wx (4H, D), Wh (4H, H), b (4H), x (..., D), h (..., H), c (..., H) give z (..., 2H).
    Source: Hochreiter & Schmidhuber, Long short-term memory; gates as in ``torch.nn.LSTMCell``.

    Examples
    --------
    >>> LSTMCell(np.zeros((4, 1)), np.zeros((4, 1)), np.zeros(4)).jacobians([0.0], [0.0], [0.0])["c"]
    array([[0.25],
           [0.5 ]])
    """

    Wx: Parameter
    Wh: Parameter
    b: Parameter
    shapes = "Wx (gates, D), Wh (gates, H), b (gates), x (..., D), h (..., H), c (..., H)"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_gates("LSTMCell", 4, self.Wh)

    def _gates(self, x: Array, h: Array) -> tuple[Array, Array]:
        """The activations a and the gates i, f, g, o, with the axes ... k n."""
        a = (x @ self.Wx.T + h @ self.Wh.T + self.b).reshape(*x.shape[:-1], 4, -1)
        gates = sigmoid(a)
        gates[..., 2, :] = np.tanh(a[..., 2, :])
        return a, gates

    def forward(self, x: Array, h: Array, c: Array) -> Array:
        i, f, g, o = np.moveaxis(self._gates(x, h)[1], -2, 0)
        c_new = f * c + i * g
        return np.concatenate([o * np.tanh(c_new), c_new], axis=-1)

    def local(self, x: Array, h: Array, c: Array, z: Array) -> Local:
        a, gates = self._gates(x, h)
        i, f, g, o = np.moveaxis(gates, -2, 0)
        di, df, _, do = np.moveaxis(gates * sigmoid(-a), -2, 0)  # σ′ = σ (1 − σ)
        dg = sech2(a[..., 2, :])
        H = c.shape[-1]
        c_new = z[..., H:]
        through = o * sech2(c_new)  # ∂h′/∂c′
        to_c = np.stack([g * di, c * df, i * dg, np.zeros_like(c_new)], axis=-2)
        to_h = through[..., None, :] * to_c
        to_h[..., 3, :] = np.tanh(c_new) * do
        G = np.stack([to_h, to_c], axis=-3)
        rows, columns = f"...({H}m+n)", f"({H}k+n)"
        return {
            "x": term(f"G_...mkn Wx_knd -> {rows};...d", G, self.Wx.reshape(4, H, -1)),
            "h": term(f"G_...mkn Wh_knl -> {rows};...l", G, self.Wh.reshape(4, H, -1)),
            "c": term(f"e_...mn -> {rows};...n", np.stack([through * f, f], axis=-2)),
            "Wx": term(f"G_...mkn x_...d -> {rows};{columns}d", G, x),
            "Wh": term(f"G_...mkn h_...l -> {rows};{columns}l", G, h),
            "b": term(f"G_...mkn -> {rows};{columns}", G),
        }


class GRUCell(Layer):
    """h′ = (1 − z) ⊙ g + z ⊙ h, with r, z = σ(a + u), g = tanh(a + r ⊙ u) of stacked a = Wx x + bx, u = Wh h + bh.

    The gates are r, z, g as in PyTorch (which calls g the new gate n); each acts on its own unit. For D_g = 1 − g²:

        P_kn = ∂h′_n/∂a_{Hk+n} = ((1−z) D_g u_g r(1−r), (h−g) z(1−z), (1−z) D_g),
        Q_kn = ∂h′_n/∂u_{Hk+n} = the same, but r times it for g.

    Then ∂h′_n/∂x_d = Σ_k P_kn Wx_{Hk+n, d} and ∂h′_n/∂h_l = z_n δ_nl + Σ_k Q_kn Wh_{Hk+n, l}; for the parameters,
    ∂h′_n/∂Wx_{Hk+n, d} = P_kn x_d, ∂h′_n/∂bx_{Hk+n} = P_kn, and so with Q for Wh and bh.
    Shapes: Wx (3H, D), Wh (3H, H), bx (3H), bh (3H), x (..., D), h (..., H) give h′ (..., H).
    Source: Cho et al., Learning phrase representations; ``torch.nn.GRUCell``.

    Examples
    --------
    >>> zeros = np.zeros((3, 1))
    >>> GRUCell(zeros, zeros, np.zeros(3), np.zeros(3)).jacobians([0.0], [1.0])["h"]
    array([[0.5]])
    """

    Wx: Parameter
    Wh: Parameter
    bx: Parameter
    bh: Parameter
    shapes = "Wx (gates, D), Wh (gates, H), bx (gates), bh (gates), x (..., D), h (..., H)"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_gates("GRUCell", 3, self.Wh)

    def _gates(self, x: Array, h: Array) -> tuple[Array, Array, Array]:
        """The arguments of r, z and g, and the part u_g that r acts on; the gates are axis 0."""
        a = np.moveaxis((x @ self.Wx.T + self.bx).reshape(*x.shape[:-1], 3, -1), -2, 0)
        u = np.moveaxis((h @ self.Wh.T + self.bh).reshape(*h.shape[:-1], 3, -1), -2, 0)
        arguments = a + u
        arguments[2] = a[2] + sigmoid(arguments[0]) * u[2]
        return arguments, u[2], sigmoid(arguments)

    def forward(self, x: Array, h: Array) -> Array:
        arguments, _, (_, z, _) = self._gates(x, h)
        return np.asarray((1 - z) * np.tanh(arguments[2]) + z * h)

    def local(self, x: Array, h: Array, y: Array) -> Local:
        arguments, u_g, (r, z, _) = self._gates(x, h)
        dr, dz = sigmoid(arguments[:2]) * sigmoid(-arguments[:2])
        to_g = sigmoid(-arguments[1]) * sech2(arguments[2])
        P = np.stack([to_g * u_g * dr, (h - np.tanh(arguments[2])) * dz, to_g], axis=-2)
        Q = np.stack([P[..., 0, :], P[..., 1, :], r * to_g], axis=-2)
        H = h.shape[-1]
        return {
            "x": term("P_...kn Wx_knd -> ...n;...d", P, self.Wx.reshape(3, H, -1)),
            "h": term("z_...n -> ...n;...n", z) + term("Q_...kn Wh_knl -> ...n;...l", Q, self.Wh.reshape(3, H, -1)),
            "Wx": term(f"P_...kn x_...d -> ...n;({H}k+n)d", P, x),
            "Wh": term(f"Q_...kn h_...l -> ...n;({H}k+n)l", Q, h),
            "bx": term(f"P_...kn -> ...n;({H}k+n)", P),
            "bh": term(f"Q_...kn -> ...n;({H}k+n)", Q),
        }


def require_gates(layer: str, gates: int, Wh: Array) -> None:
    """Raise a ValueError unless there are so many rows for every unit."""
    if len(Wh) != gates * Wh.shape[1]:
        raise ValueError(f"{layer}: Wh must be ({gates}H, H) for {gates} gates of H units; Wh is {Wh.shape}")
