"""Functions that stand in derivatives: layers, so that derivatives can be differentiated accurately, too.

Each is what a function of `jacobians.layers.stable` is where its argument is traced.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from jacobians.core.applying import apply
from jacobians.core.layer import Array, Layer, Local
from jacobians.core.rules import RULES
from jacobians.core.terms import Terms, term
from jacobians.layers import matrices, stable
from jacobians.layers.activations import Softplus
from jacobians.layers.entrywise import Erf, Sigmoid, entrywise

NOTHING = Terms(())  # the sum of no terms: a Jacobian that is zero


class TanhSlope(Layer):
    """s_i = 1 − f_i² for f = tanh x.

    ∂s_i/∂x_j = −2 f_i s_i δ_ij; all of it is said to come through x, and nothing through f.
    """

    def forward(self, x: Array, f: Array) -> Array:
        return stable.sech2(x)

    def local(self, x: Array, f: Array, s: Array) -> Local:
        return {"x": -2 * term("f_... (1-f²)_... -> ...;...", f, s), "f": NOTHING}


class Cofactors(Layer):
    """C_ij = ∂det X/∂x_ij.

    For X = U s V, ∂C_ij/∂x_kl = det U det V Σ_{a≠b} (Π_{m≠a,b} s_m) (U_ia V_aj U_kb V_bl − U_ia V_bj U_kb V_al).
    """

    def forward(self, x: Array) -> Array:
        return matrices.cofactors(x)

    def local(self, x: Array, C: Array) -> Local:
        U, s, V = np.linalg.svd(x)
        n = s.shape[-1]
        pairs = np.broadcast_to(s[..., None, None, :], (*s.shape[:-1], n, n, n))
        left_out = np.eye(n, dtype=bool)[:, None] | np.eye(n, dtype=bool)
        P = np.where(left_out, 1, pairs).prod(axis=-1) * (1 - np.eye(n, dtype=s.dtype))
        P = P * (np.linalg.det(U) * np.linalg.det(V))[..., None, None]
        U, V = U.conj(), V.conj()
        return {
            "x": term("P_...ab U_...ia V_...aj U_...kb V_...bl -> ...ij;...kl", P, U, V, U, V)
            - term("P_...ab U_...ia V_...bj U_...kb V_...al -> ...ij;...kl", P, U, V, U, V)
        }


# fmt: off
OverHypot = entrywise("OverHypot", "1/√(1 + x_i²)", stable.over_hypot, "-xf³",
                      lambda x, f: -stable.damped(x, f) * f * f, -0.3578)
Gauss = entrywise("Gauss", "exp(−x_i²)", stable.gauss, "-2xf", lambda x, f: -2 * stable.damped(x, f), -0.7788,
                  real=True)
NormalDistribution = entrywise("NormalDistribution", "Φ(x_i)", stable.normal_cdf, "φ(x)",
                               lambda x, f: stable.gauss(x / 2**0.5) / (2 * np.pi) ** 0.5, 0.3521, real=True)
# fmt: on


def _sech2(x: Any) -> Any:
    return apply(TanhSlope(), x, np.tanh(x))


RULES |= {
    stable.sigmoid: partial(apply, Sigmoid()),
    stable.softplus: partial(apply, Softplus()),
    stable.erf: partial(apply, Erf()),
    stable.tanh_slope: partial(apply, TanhSlope()),
    stable.sech2: _sech2,
    stable.over_hypot: partial(apply, OverHypot()),
    stable.gauss: partial(apply, Gauss()),
    stable.normal_cdf: partial(apply, NormalDistribution()),
    matrices.cofactors: partial(apply, Cofactors()),
}
