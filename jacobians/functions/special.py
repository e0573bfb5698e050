"""SciPy's ufuncs: ``scipy.special`` dispatches as NumPy does, so its functions are known as soon as one comes along.

The table has the derivative by every argument, or None where there is none in closed form: such an argument must be
plain. SciPy is not imported here; the functions in the table are taken from the module that the user has imported.

Source: NIST Digital Library of Mathematical Functions; the documentation of ``scipy.special``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from math import pi, sqrt
from typing import Any

import numpy as np

from jacobians.core.applying import apply
from jacobians.core.extras import extra
from jacobians.core.layer import Layer
from jacobians.core.rules import RULES, refuse, rule
from jacobians.core.terms import term
from jacobians.core.traced import Traced
from jacobians.functions.constants import without_derivative
from jacobians.functions.ufuncs import entered

Slope = Callable[..., Any]
S: Any = None  # the module scipy.special, once it is needed

INTEGERS = ("eval_hermite", "eval_hermitenorm")  # whose degree SciPy wants as integers
PIECEWISE_CONSTANT = ("gammasgn", "round")
ROOT_2_PI = sqrt(2 * pi)


def _nonzero(x: Any) -> Any:
    """x, and 1 where it is 0."""
    return np.where(x == 0, 1, x)


def _log(x: Any) -> Any:
    return np.where(x == 0, -np.inf, np.log(_nonzero(x)))


def _tail(x: Any, sign: int) -> Any:
    """The first terms of Σ_n (±1)ⁿ (2n+1)!! / (2x²)ⁿ, for large x."""
    t = sign / (2 * x * x)
    return 1 + 3 * t * (1 + 5 * t * (1 + 7 * t * (1 + 9 * t * (1 + 11 * t))))


def _far(x: Any) -> Any:
    """x, and 40 where it is smaller: from there on, series in 1/x are used."""
    return np.where(np.abs(x) > 40, x, 40)


def _erfcx(x: Any, z: Any) -> Any:
    near = np.where(x > 40, 0, x)  # far out, 2xz − 2/√π cancels
    far = np.where(x > 40, x, 40)
    return np.where(x > 40, -_tail(far, -1) / (sqrt(pi) * far * far), 2 * near * np.where(x > 40, 1, z) - 2 / sqrt(pi))


def _dawsn(x: Any, z: Any) -> Any:
    return np.where(np.abs(x) > 40, -_tail(_far(x), 1) / (2 * _far(x) ** 2), 1 - 2 * x * z)


def _gamma_density(a: Any, x: Any) -> Any:
    return np.exp(S.xlogy(a - 1, x) - x - S.gammaln(a))


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    return np.exp(S.xlogy(a - 1, x) + S.xlog1py(b - 1, -x) - S.betaln(a, b))


def _t_density(v: Any, t: Any) -> Any:
    scale = S.gammaln((v + 1) / 2) - S.gammaln(v / 2) - np.log(v * pi) / 2
    return np.exp(scale - (v + 1) / 2 * np.log1p(t * t / v))


def _mean(function: str, sign: int) -> Slope:
    """(B_{v−1} ± B_{v+1}) / 2 for a Bessel function B."""
    return lambda v, x: (getattr(S, function)(v - 1, x) + sign * getattr(S, function)(v + 1, x)) / 2


def _minus(slope: Slope) -> Slope:
    return lambda *inputs: -slope(*inputs)


# fmt: off
ONE: Mapping[str, Slope] = {  # of x and of z = f(x)
    "expit": lambda x, z: z * S.expit(-x),
    "logit": lambda x, z: 1 / (x * (1 - x)),
    "log_expit": lambda x, z: S.expit(-x),
    "erf": lambda x, z: 2 / sqrt(pi) * np.exp(-x * x),
    "erfc": lambda x, z: -2 / sqrt(pi) * np.exp(-x * x),
    "erfcx": _erfcx,
    "erfi": lambda x, z: 2 / sqrt(pi) * np.exp(x * x),
    "erfinv": lambda x, z: sqrt(pi) / 2 * np.exp(z * z),
    "erfcinv": lambda x, z: -sqrt(pi) / 2 * np.exp(z * z),
    "dawsn": _dawsn,
    "ndtr": lambda x, z: np.exp(-x * x / 2) / ROOT_2_PI,
    "ndtri": lambda x, z: ROOT_2_PI * np.exp(z * z / 2),
    "log_ndtr": lambda x, z: sqrt(2 / pi) / S.erfcx(-x / sqrt(2)),
    "ndtri_exp": lambda x, z: sqrt(pi / 2) * S.erfcx(-z / sqrt(2)),
    "gamma": lambda x, z: z * S.psi(x),
    "gammaln": lambda x, z: S.psi(x),
    "loggamma": lambda x, z: S.psi(x),
    "rgamma": lambda x, z: -z * S.psi(x),
    "psi": lambda x, z: S.zeta(2, x),
    "entr": lambda x, z: -_log(x) - 1,
    "j0": lambda x, z: -S.j1(x),
    "j1": lambda x, z: (S.j0(x) - S.jv(2, x)) / 2,
    "y0": lambda x, z: -S.y1(x),
    "y1": lambda x, z: (S.y0(x) - S.yv(2, x)) / 2,
    "i0": lambda x, z: S.i1(x),
    "i1": lambda x, z: (S.i0(x) + S.iv(2, x)) / 2,
    "i0e": lambda x, z: S.i1e(x) - np.sign(x) * z,
    "i1e": lambda x, z: (S.i0e(x) + S.ive(2, x)) / 2 - np.sign(x) * z,
    "k0": lambda x, z: -S.k1(x),
    "k1": lambda x, z: -(S.k0(x) + S.kv(2, x)) / 2,
    "k0e": lambda x, z: z - S.k1e(x),
    "k1e": lambda x, z: z - (S.k0e(x) + S.kve(2, x)) / 2,
    "expi": lambda x, z: np.exp(x) / x,
    "exp1": lambda x, z: -np.exp(-x) / x,
    "exprel": lambda x, z: S.hyp1f1(2, 3, x) / 2,
    "exp2": lambda x, z: np.log(2) * z,
    "exp10": lambda x, z: np.log(10) * z,
    "expm1": lambda x, z: np.exp(x),
    "log1p": lambda x, z: 1 / (1 + x),
    "cbrt": lambda x, z: 1 / (3 * z * z),
    "cosm1": lambda x, z: -np.sin(x),
    "sindg": lambda x, z: pi / 180 * S.cosdg(x),
    "cosdg": lambda x, z: -pi / 180 * S.sindg(x),
    "tandg": lambda x, z: pi / 180 * (1 + z * z),
    "ellipk": lambda m, z: pi / 8 * S.hyp2f1(1.5, 1.5, 2, m),
    "ellipkm1": lambda p, z: -pi / 8 * S.hyp2f1(1.5, 1.5, 2, 1 - p),
    "ellipe": lambda m, z: -pi / 8 * S.hyp2f1(0.5, 1.5, 2, m),
    "spence": lambda x, z: np.where(x == 1, -1, _log(x) / _nonzero(1 - x)),
    "wrightomega": lambda x, z: z / (1 + z),
}
SEVERAL: Mapping[str, tuple[Slope | None, ...]] = {  # of all arguments
    "xlogy": (lambda x, y: _log(y), lambda x, y: np.where(x == 0, 0, x / np.where(x == 0, 1, y))),
    "xlog1py": (lambda x, y: _log(1 + y), lambda x, y: np.where(x == 0, 0, x / np.where(x == 0, 1, 1 + y))),
    "rel_entr": (lambda x, y: _log(x / y) + 1, lambda x, y: -x / y),
    "kl_div": (lambda x, y: _log(x / y), lambda x, y: 1 - x / y),
    "beta": (lambda a, b: S.beta(a, b) * (S.psi(a) - S.psi(a + b)),
             lambda a, b: S.beta(a, b) * (S.psi(b) - S.psi(a + b))),
    "betaln": (lambda a, b: S.psi(a) - S.psi(a + b), lambda a, b: S.psi(b) - S.psi(a + b)),
    "binom": (lambda n, k: S.binom(n, k) * (S.psi(n + 1) - S.psi(n - k + 1)),
              lambda n, k: S.binom(n, k) * (S.psi(n - k + 1) - S.psi(k + 1))),
    "poch": (lambda x, m: S.poch(x, m) * (S.psi(x + m) - S.psi(x)), lambda x, m: S.poch(x, m) * S.psi(x + m)),
    "powm1": (lambda x, y: y * x ** (y - 1), lambda x, y: x**y * np.log(x)),
    "huber": (lambda d, r: np.maximum(np.abs(r) - d, 0), lambda d, r: np.clip(r, -d, d)),
    "pseudo_huber": (lambda d, r: 2 * d * (np.hypot(1, r / d) - 1) - r * r / (d * np.hypot(1, r / d)),
                     lambda d, r: r / np.hypot(1, r / d)),
    "gammainc": (None, _gamma_density),
    "gammaincc": (None, _minus(_gamma_density)),
    "gammaincinv": (None, lambda a, y: 1 / _gamma_density(a, S.gammaincinv(a, y))),
    "gammainccinv": (None, lambda a, y: -1 / _gamma_density(a, S.gammainccinv(a, y))),
    "betainc": (None, None, _beta_density),
    "betaincc": (None, None, _minus(_beta_density)),
    "betaincinv": (None, None, lambda a, b, y: 1 / _beta_density(a, b, S.betaincinv(a, b, y))),
    "stdtr": (None, _t_density),
    "stdtrit": (None, lambda v, p: 1 / _t_density(v, S.stdtrit(v, p))),
    "chdtr": (None, lambda v, x: _gamma_density(v / 2, x / 2) / 2),
    "chdtrc": (None, lambda v, x: -_gamma_density(v / 2, x / 2) / 2),
    "pdtr": (None, lambda k, m: -_gamma_density(np.floor(k) + 1, m)),
    "pdtrc": (None, lambda k, m: _gamma_density(np.floor(k) + 1, m)),
    "jv": (None, _mean("jv", -1)),
    "yn": (None, _mean("yv", -1)),
    "yv": (None, _mean("yv", -1)),
    "iv": (None, _mean("iv", 1)),
    "kn": (None, _minus(_mean("kv", 1))),
    "kv": (None, _minus(_mean("kv", 1))),
    "ive": (None, lambda v, x: _mean("ive", 1)(v, x) - np.sign(x) * S.ive(v, x)),
    "kve": (None, lambda v, x: S.kve(v, x) - _mean("kve", 1)(v, x)),
    "expn": (None, lambda n, x: -S.expn(n - 1, x)),
    "_zeta": (None, lambda s, q: -s * S.zeta(s + 1, q)),
    "hyp0f1": (None, lambda b, x: S.hyp0f1(b + 1, x) / b),
    "hyp1f1": (None, None, lambda a, b, x: a / b * S.hyp1f1(a + 1, b + 1, x)),
    "hyp2f1": (None, None, None, lambda a, b, c, x: a * b / c * S.hyp2f1(a + 1, b + 1, c + 1, x)),
    "boxcox": (lambda x, p: x ** (p - 1), None),
    "boxcox1p": (lambda x, p: (1 + x) ** (p - 1), None),
    "inv_boxcox": (lambda y, p: S.inv_boxcox(y, p) ** (1 - p), None),
    "inv_boxcox1p": (lambda y, p: (1 + S.inv_boxcox1p(y, p)) ** (1 - p), None),
    "owens_t": (lambda h, a: -np.exp(-h * h / 2) * S.erf(a * h / sqrt(2)) / (2 * ROOT_2_PI),
                lambda h, a: np.exp(-h * h * (1 + a * a) / 2) / (2 * pi * (1 + a * a))),
    "eval_chebyt": (None, lambda n, x: n * S.eval_chebyu(n - 1, x)),
    "eval_legendre": (None, lambda n, x: (n + 1) / 2 * S.eval_jacobi(n - 1, 1, 1, x)),
    "eval_hermite": (None, lambda n, x: 2 * n * S.eval_hermite(np.maximum(n - 1, 0).astype(int), x)),
    "eval_hermitenorm": (None, lambda n, x: n * S.eval_hermitenorm(np.maximum(n - 1, 0).astype(int), x)),
    "eval_laguerre": (None, lambda n, x: -S.eval_genlaguerre(n - 1, 1, x)),
}
# fmt: on


def function(name: str) -> Any:
    """The ufunc of this name."""
    return getattr(S, name, None) or getattr(S._ufuncs, name)


class Special(Layer):
    """z_i = f(x_i, y_i, …) for a ufunc of ``scipy.special`` with derivatives in the table; arguments broadcast."""

    name: str
    holomorphic = False

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs."""
        return ("x",) if self.name in ONE else ("x", "y", "v", "w")[: len(SEVERAL[self.name])]

    def forward(self, *inputs: Any) -> Any:
        """SciPy's value."""
        return np.asarray(function(self.name)(*inputs))

    def local(self, *inputs_and_z: Any) -> Any:
        """The derivatives in the table."""
        *inputs, z = inputs_and_z
        slopes = (ONE[self.name],) if self.name in ONE else SEVERAL[self.name]
        found = {}
        for name, slope in zip(self.input_names, slopes, strict=True):
            if slope is not None:
                value = slope(*inputs, z) if self.name in ONE else slope(*inputs)
                found[name] = term("f'_... -> ...;...", value.astype(z.dtype))
        return found


def _special(layer: Special, *inputs: Any, compute: Callable[..., Any]) -> Traced:
    slopes = (ONE[layer.name],) if layer.name in ONE else SEVERAL[layer.name]
    for x, slope, name in zip(inputs, slopes, layer.input_names, strict=True):
        if isinstance(x, Traced) and slope is None:
            refuse(f"scipy.special.{layer.name} by its argument {name!r}", "its derivative has no closed form")
    if layer.name in INTEGERS:
        return apply(layer, *inputs, compute=lambda n, x: compute(n.astype(int), x))
    return apply(layer, *inputs, compute=compute)


def _of_objects(ufunc: np.ufunc, *inputs: Any) -> Any:
    """A Python function of every entry by itself."""
    found = ufunc(*[x.__array__(object) if isinstance(x, Traced) else x for x in inputs])
    return tuple(map(RULES["whole"], found)) if isinstance(found, tuple) else RULES["whole"](found)


@rule("unknown ufunc")
def unknown(ufunc: np.ufunc) -> Callable[..., Any] | None:
    """The rule for a ufunc that has none yet, if it is one of SciPy's."""
    global S
    if all(set(types) <= set("O->") for types in ufunc.types):  # made of a Python function by np.frompyfunc
        return partial(_of_objects, ufunc)
    module, name = sys.modules.get("scipy.special"), ufunc.__name__
    if ufunc not in (getattr(module, name, None), getattr(getattr(module, "_ufuncs", None), name, None)):
        return None
    S = module
    if name in PIECEWISE_CONSTANT:
        without_derivative(ufunc)
    elif name in ONE or name in SEVERAL:
        entered(ufunc, partial(_special, Special(name)))
    else:
        refuse(f"scipy.special.{name}", "teach it with jacobians.derivative, or write it with other functions")
    return RULES[ufunc]


@rule(np.i0)
def i0(x: Traced) -> Traced:
    """The modified Bessel function of order 0, of which NumPy has no derivative: SciPy has."""
    found: Traced = extra("scipy.special", "scipy", "the derivative of np.i0").i0(x)
    return found
