"""Functions of every entry by itself: ∂f_i/∂x_j = f′(x_i) δ_ij, so the Jacobian is diagonal.

They are a table: name, formula, f(x), the text of f′, f′ from x and f, and f′(½) (or at another
point) to four places. Layers with options,
such as ``Softplus(beta)``, are in `jacobians.layers.activations`.

Source: Parr & Howard, element-wise operators (the diagonal condition); activations are defined as in ``jax.nn``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from jacobians.core.diagonal import Diagonal, diagonal_terms, table
from jacobians.core.layer import Array, Layer, Local
from jacobians.layers import stable

__all__ = [
    "SELU",
    "Abs",
    "Arccos",
    "Arccosh",
    "Arcsin",
    "Arcsinh",
    "Arctan",
    "Arctanh",
    "Cbrt",
    "Cos",
    "Cosh",
    "Erf",
    "Exp",
    "Exp2",
    "Expm1",
    "HardSigmoid",
    "HardSwish",
    "HardTanh",
    "Identity",
    "Log",
    "Log1p",
    "Log2",
    "Log10",
    "LogSigmoid",
    "Mish",
    "Negative",
    "ReLU",
    "ReLU6",
    "Reciprocal",
    "SiLU",
    "Sigmoid",
    "Sin",
    "Sinc",
    "Sinh",
    "Softsign",
    "Sqrt",
    "Square",
    "Tan",
    "Tanh",
    "TanhShrink",
]

Value = Callable[[Array], Array]
Slope = Callable[[Array, Array], Array]


class Entrywise(Layer):
    """f_i = f(x_i), for any function f and its derivative."""

    value: ClassVar[Value]

    def forward(self, x: Array) -> Array:
        return np.asarray(type(self).value(x), x.dtype)

    def local(self, x: Array, f: Array) -> Local:
        return diagonal_terms(self.diagonals, x, f)


def entrywise(
    name: str, formula: str, value: Value, derivative: str, slope: Slope, result: float, *, real: bool = False,
    at: float = 0.5, note: str = "", source: str = "Parr & Howard, element-wise operators.",
) -> type[Entrywise]:  # fmt: skip
    """Make the layer of one row of the table; `real`: it has no complex derivative."""
    symbol = derivative if len(derivative) == 1 else f"({derivative})"
    indexed = re.sub("(?<![a-z])([xf])(?![a-z])", r"\1_i", symbol).replace("-", "−")
    lines = [
        f"f_i = {formula}.\n",
        f"∂f_i/∂x_j = {indexed} δ_ij.{note and f' {note}'}",
        "Shapes: x (...) gives f (...).",
        f"Source: {source}\n",
        "Examples\n--------",
        f'>>> round(float({name}().jacobians({at})["x"]), 4)\n{result}\n',
    ]

    def exact(x: Array, f: Array) -> Array:
        found = slope(x, f)
        return found if found.dtype is x.dtype else found.astype(x.dtype)

    members = {
        "__doc__": "\n".join(lines), "__module__": __name__, "holomorphic": not real, "value": staticmethod(value),
        "diagonals": table(x=Diagonal(symbol, exact)),
    }  # fmt: skip
    return type(name, (Entrywise,), members)


class Identity(Entrywise):
    """f_i = x_i.

    ∂f_i/∂x_j = δ_ij.
    Shapes: x (...) gives f (...).
    Source: Parr & Howard, element-wise operators.

    Examples
    --------
    >>> Identity().jacobians([3.0, 4.0])["x"]
    array([[1., 0.],
           [0., 1.]])
    """

    diagonals = table(x=Diagonal())

    def forward(self, x: Array) -> Array:
        return x.copy()


class Negative(Entrywise):
    """f_i = −x_i.

    ∂f_i/∂x_j = −δ_ij.
    Shapes: x (...) gives f (...).
    Source: Parr & Howard, element-wise operators.

    Examples
    --------
    >>> Negative().jacobians([3.0, 4.0])["x"]
    array([[-1.,  0.],
           [ 0., -1.]])
    """

    diagonals = table(x=Diagonal(sign=-1))

    def forward(self, x: Array) -> Array:
        return -x


# fmt: off
Exp = entrywise("Exp", "exp(x_i)", np.exp, "f", lambda x, f: f, 1.6487)
Expm1 = entrywise("Expm1", "exp(x_i) − 1", np.expm1, "exp(x)", lambda x, f: np.exp(x), 1.6487)
Log = entrywise("Log", "log x_i", np.log, "1/x", lambda x, f: np.reciprocal(x), 2.0)
Log1p = entrywise("Log1p", "log(1 + x_i)", np.log1p, "1/(1+x)", lambda x, f: np.reciprocal(1 + x), 0.6667)
Sqrt = entrywise("Sqrt", "√x_i", np.sqrt, "1/(2f)", lambda x, f: 0.5 / f, 0.7071)
Square = entrywise("Square", "x_i²", lambda x: x * x, "2x", lambda x, f: 2 * x, 1.0)
Reciprocal = entrywise("Reciprocal", "1 / x_i", lambda x: 1 / x, "-f²", lambda x, f: -f * f, -4.0)
Sin = entrywise("Sin", "sin x_i", np.sin, "cos(x)", lambda x, f: np.cos(x), 0.8776)
Cos = entrywise("Cos", "cos x_i", np.cos, "-sin(x)", lambda x, f: -np.sin(x), -0.4794)
Tan = entrywise("Tan", "tan x_i", np.tan, "1+f²", lambda x, f: 1 + f * f, 1.2984)
Sinh = entrywise("Sinh", "sinh x_i", np.sinh, "cosh(x)", lambda x, f: np.cosh(x), 1.1276)
Cosh = entrywise("Cosh", "cosh x_i", np.cosh, "sinh(x)", lambda x, f: np.sinh(x), 0.5211)
Tanh = entrywise("Tanh", "tanh x_i", np.tanh, "1-f²", stable.tanh_slope, 0.7864,
                 source="the lecture, gradients of a single-layer neural network: ∂f/∂z = diag(1 − tanh²(z)).")
Arctan = entrywise("Arctan", "arctan x_i", np.arctan, "1/(1+x²)", lambda x, f: np.square(stable.over_hypot(x)), 0.8)
Arcsinh = entrywise("Arcsinh", "arcsinh x_i", np.arcsinh, "1/√(1+x²)", lambda x, f: stable.over_hypot(x), 0.8944)
Exp2 = entrywise("Exp2", "2^(x_i)", np.exp2, "f·log(2)", lambda x, f: f * np.log(2.0).item(), 0.9803)
Log2 = entrywise("Log2", "log₂ x_i", np.log2, "1/(x·log(2))", lambda x, f: 1 / (x * np.log(2.0).item()), 2.8854)
Log10 = entrywise("Log10", "log₁₀ x_i", np.log10, "1/(x·log(10))", lambda x, f: 1 / (x * np.log(10.0).item()), 0.8686)
Cbrt = entrywise("Cbrt", "∛x_i", np.cbrt, "1/(3f²)", lambda x, f: 1 / (3 * f * f), 0.5291, real=True)
Arcsin = entrywise("Arcsin", "arcsin x_i", np.arcsin, "1/√(1-x²)", lambda x, f: 1 / (np.sqrt(1 - x) * np.sqrt(1 + x)),
                   1.1547)
Arccos = entrywise("Arccos", "arccos x_i", np.arccos, "-1/√(1-x²)",
                   lambda x, f: -1 / (np.sqrt(1 - x) * np.sqrt(1 + x)), -1.1547)
Arccosh = entrywise("Arccosh", "arccosh x_i, for x_i ≥ 1", np.arccosh, "1/√(x²-1)",
                    lambda x, f: 1 / (np.sqrt(x - 1) * np.sqrt(x + 1)), 1.3333, at=1.25)
Arctanh = entrywise("Arctanh", "arctanh x_i", np.arctanh, "1/(1-x²)", lambda x, f: 1 / ((1 - x) * (1 + x)), 1.3333)
Sinc = entrywise("Sinc", "sin(πx_i) / (πx_i), and 1 at 0", np.sinc, "(cos(πx)-f)/x", stable.sinc_slope, -1.2732,
                 source="``numpy.sinc``.")
Sigmoid = entrywise("Sigmoid", "1 / (1 + exp(−x_i))", stable.sigmoid, "f(1-f)",
                    lambda x, f: f * stable.sigmoid(-x), 0.235)
TanhShrink = entrywise("TanhShrink", "x_i − tanh x_i", lambda x: x - np.tanh(x), "tanh²(x)",
                       lambda x, f: np.square(np.tanh(x)), 0.2136)

Erf = entrywise("Erf", "2/√π ∫_0^{x_i} exp(−t²) dt", stable.erf, "2exp(-x²)/√π",
                lambda x, f: 2 / np.pi**0.5 * stable.gauss(x), 0.8788, real=True)
LogSigmoid = entrywise("LogSigmoid", "−log(1 + exp(−x_i))", lambda x: -stable.softplus(-x), "σ(-x)",
                       lambda x, f: stable.sigmoid(-x), 0.3775, real=True)
SiLU = entrywise("SiLU", "x_i σ(x_i)", lambda x: stable.damped(x, stable.sigmoid(x)), "σ(x)(1+xσ(-x))",
                 stable.silu_slope, 0.74, real=True)
Mish = entrywise("Mish", "x_i tanh(log(1 + exp(x_i)))", lambda x: stable.damped(x, np.tanh(stable.softplus(x))),
                 "tanh(s)+xσ(x)/cosh²(s)", stable.mish_slope, 0.8864, real=True, note="Here s = log(1 + exp(x_i)).")
Softsign = entrywise("Softsign", "x_i / (1 + |x_i|)", stable.softsign, "1/(1+|x|)²",
                     lambda x, f: np.square(1 / (1 + np.abs(x))), 0.4444, real=True)
Abs = entrywise("Abs", "|x_i|", np.abs, "sign(x)", lambda x, f: np.sign(x), 1.0, real=True,
                note="At the kink x_i = 0 it is 0.")
ReLU = entrywise("ReLU", "max(0, x_i)", lambda x: np.maximum(x, 0), "[x>0]", lambda x, f: x > 0, 1.0, real=True,
                 note="At the kink x_i = 0 it is 0.")
ReLU6 = entrywise("ReLU6", "min(max(0, x_i), 6)", lambda x: np.clip(x, 0, 6), "[0<x<6]",
                  lambda x, f: (x > 0) & (x < 6), 1.0, real=True, note="At the kinks 0 and 6 it is 0.")
SELU = entrywise("SELU", "λ x_i where x_i > 0, else λ α (exp(x_i) − 1)", stable.selu, "λ[x>0]+λαexp(x)[x≤0]",
                 stable.selu_slope, 1.0507, real=True,
                 note="λ = 1.0507…, α = 1.6732…; at the kink x_i = 0 it is λ α.")
HardTanh = entrywise("HardTanh", "min(max(−1, x_i), 1)", lambda x: np.clip(x, -1, 1), "[-1<x<1]",
                     lambda x, f: np.abs(x) < 1, 1.0, real=True, note="At the kinks ±1 it is 0.")
HardSigmoid = entrywise("HardSigmoid", "min(max(0, x_i + 3), 6) / 6", lambda x: np.clip(x + 3, 0, 6) / 6, "[-3<x<3]/6",
                        lambda x, f: (np.abs(x) < 3) / 6, 0.1667, real=True, note="At the kinks ±3 it is 0.")
HardSwish = entrywise("HardSwish", "x_i min(max(0, x_i + 3), 6) / 6",
                      lambda x: stable.damped(x, np.clip(x + 3, 0, 6) / 6), "[x≥3]+[-3<x<3](2x+3)/6",
                      stable.hard_swish_slope, 0.6667, real=True, note="At the kinks −3 and 3 it is 0 and 1.")
# fmt: on
