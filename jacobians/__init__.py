"""Explicit Jacobians and generalized Jacobians, in index notation, with NumPy.

For y = f(x) the generalized Jacobian ∂y/∂x has the axes of y, then the axes of x (numerator layout, everywhere): entry
[i, j] is ∂y_i/∂x_j for multi-indices i and j.

The map of the package, from the inside out:

- `notation`: the text ``"x_k -> i;ik"``, parsed; `structure`: labels and sizes without numbers.
- `algebra`: the chain rule, sums and selections, on structure; `draft`: one term, united and summed; `merging`: terms
  added up; `order`: the cheapest order along a chain.
- `contract`: products as NumPy calls; `writing`: full tensors, with `covering` for the terms that fill them and
  `elementwise` for outer products; `program` and `engine`: calls recorded once, run many times; `replay`: a chain at
  shapes seen before; `memory` and `parallel`.
- `jacobian`: `Jacobian`; `terms`: `term`; `nonzeros` and `sparse`: where entries can be.
- `layer`: `Layer`, with `shapes`; `layers`: the catalogue; `chain`: `Chain`; `residual`: `Residual`; `nn`: the
  lecture's `NN`; `training`.
- `check`: against finite differences; `show`: formulas, tables, derivations, pictures, HTML.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jacobians import layers
from jacobians.chain import Chain
from jacobians.jacobian import Jacobian
from jacobians.layer import Layer, Parameter
from jacobians.layers import *  # noqa: F403 - the catalogue, listed in layers.__all__
from jacobians.memory import JacobianTooLarge
from jacobians.nn import NN
from jacobians.residual import Residual
from jacobians.terms import Terms, term

if TYPE_CHECKING:
    from jacobians import check as check
    from jacobians.check import check_jacobian, check_jvp, check_vjp, numerical_jacobian
    from jacobians.training import gauss_newton, gradient_descent

__version__ = "0.1.0"

__all__ = [
    "NN",
    "Chain",
    "Jacobian",
    "JacobianTooLarge",
    "Layer",
    "Parameter",
    "Residual",
    "Terms",
    "check",
    "check_jacobian",
    "check_jvp",
    "check_vjp",
    "gauss_newton",
    "gradient_descent",
    "numerical_jacobian",
    "term",
    *layers.__all__,
]
_LATER = {  # imported when they are asked for: `import jacobians` stays light
    "check_jacobian": "jacobians.check",
    "check_jvp": "jacobians.check",
    "check_vjp": "jacobians.check",
    "numerical_jacobian": "jacobians.check",
    "gauss_newton": "jacobians.training",
    "gradient_descent": "jacobians.training",
}


def __getattr__(name: str) -> Any:
    if name == "check":  # a package that can be called
        return import_module("jacobians.check")
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'jacobians' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER, "check"})
