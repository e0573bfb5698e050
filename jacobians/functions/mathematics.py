"""Python's functions of numbers, of traced ones: ``float``, ``complex``, and the modules ``math`` and ``cmath``.

The original is called with the plain numbers first, so that what it raises is raised.
"""

from __future__ import annotations

import cmath
import copyreg
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians.core.extras import extra
from jacobians.core.like_array import Text
from jacobians.core.rules import RULES, refuse
from jacobians.core.traced import Traced, plain
from jacobians.functions.assembling import any_traced
from jacobians.functions.stand_ins import Kind, Lens, enter, named, stands_for, whole

Call = Callable[..., Any]


def number(x: Any) -> Any:
    """A traced number; an array of one entry is taken for it, as by Python."""
    return RULES[np.reshape](x, ())[()] if isinstance(x, Traced) and x.is_array and x.size == 1 else x


def value(x: Any) -> Any:
    """The plain number, or array, of a traced one, in however many traces."""
    x = plain(x)
    return x[()] if isinstance(x, np.ndarray) and not x.ndim else x


class Float(metaclass=Kind, original=float):
    """``float``, which leaves traced numbers what they are."""

    @staticmethod
    def make(*arguments: Any) -> Any:
        """A floating-point number."""
        if len(arguments) == 1 and isinstance(x := arguments[0], Traced) and not x.is_constant:
            float(value(x))
            return number(x)
        if arguments and isinstance(arguments[0], Text):
            refuse("float() of the text of a traced value", "use the value itself, or np.round(x, digits)")
        return float(*arguments)


class Complex(metaclass=Kind, original=complex):
    """``complex``, which puts traced numbers together."""

    @staticmethod
    def make(*arguments: Any, **options: Any) -> Any:
        """A complex number."""
        if not any(isinstance(x, Traced) for x in (*arguments, *options.values())):
            return complex(*arguments, **options)
        real, imag = (
            (*arguments, options.get("imag", 0.0))[:2] if arguments else (options.get("real", 0.0), options["imag"])
        )
        complex(value(real), value(imag))
        return number(real) + 1j * number(imag)


BUILTINS = {"float": Float, "complex": Complex}
copyreg.pickle(Kind, lambda kind: (named, (kind.original.__module__, kind.original.__name__)))


def alike(rule: Any, *originals: Call) -> None:
    """Enter what takes the place of functions of numbers: a function of traced numbers."""

    def call(original: Call, *arguments: Any, **options: Any) -> Any:
        if not any_traced(arguments):
            return original(*arguments, **options)
        original(*map(value, arguments), **options)
        return rule(*map(number, arguments), **options)

    stands_for(*originals)(call)


def _complex(rule: Any) -> Call:
    return lambda x, *more: rule(x + 0j, *more)


def _log(x: Any, base: Any = None) -> Any:
    return np.log(x) if base is None else np.log(x) / np.log(base)


def _remainder(x: Any, y: Any) -> Any:
    return x - y * np.rint(value(x) / value(y))


def _special(name: str) -> Call:
    return lambda x: getattr(extra("scipy.special", "scipy", f"the derivative of math.{name}"), _SPECIAL[name])(x)


_SPECIAL = {"erf": "erf", "erfc": "erfc", "gamma": "gamma", "lgamma": "gammaln"}
_INVERSE = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh",
            "atanh": "arctanh", "atan2": "arctan2", "pow": "float_power"}  # fmt: skip
for _name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "asinh", "acosh", "atanh", "exp",
              "sqrt", "log10"):  # fmt: skip
    _rule = getattr(np, _INVERSE.get(_name, _name))
    alike(_rule, getattr(math, _name))
    alike(_complex(_rule), getattr(cmath, _name))
for _name in ("exp2", "expm1", "log1p", "log2", "cbrt", "fabs", "degrees", "radians", "fmod", "copysign", "ldexp",
              "atan2", "pow", "modf", "frexp", "nextafter"):  # fmt: skip
    if hasattr(math, _name):  # some are of Python 3.11
        alike(getattr(np, _INVERSE.get(_name, _name)), getattr(math, _name))
for _name in _SPECIAL:
    alike(_special(_name), getattr(math, _name))
alike(_log, math.log)
alike(_complex(_log), cmath.log)
alike(_remainder, math.remainder)
alike(np.angle, cmath.phase)
alike(lambda x: (np.abs(x), np.angle(x)), cmath.polar)
alike(lambda r, phi: r * np.exp(1j * phi), cmath.rect)
alike(lambda *xs: np.sqrt(sum(x * x for x in xs)) if len(xs) != 2 else np.hypot(*xs), math.hypot)


def _of_sequences(rule: Call, original: Call) -> None:
    """Enter what takes the place of a function of sequences of numbers."""

    def call(original: Call, *sequences: Any, **options: Any) -> Any:
        given = [one if isinstance(one, list | tuple | np.ndarray) else list(one) for one in sequences]
        if not any_traced([list(one) for one in given]):
            return original(*given, **options)
        return rule(*map(whole, given), **options)

    stands_for(original)(call)


_of_sequences(np.sum, math.fsum)
_of_sequences(lambda x, start=1: np.prod(x) * start, math.prod)
_of_sequences(lambda p, q: RULES[np.linalg.norm](np.subtract(p, q)), math.dist)
if hasattr(math, "sumprod"):  # of Python 3.12
    _of_sequences(np.dot, math.sumprod)


def _plain(original: Call, *arguments: Any, **options: Any) -> Any:
    return original(*map(value, arguments), **options)


for _module in (math, cmath):
    stands_for(*[getattr(_module, name) for name in ("isclose", "isnan", "isinf", "isfinite")])(_plain)
    enter(_module, Lens(_module))
