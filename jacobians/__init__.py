"""Explicit Jacobians and generalized Jacobians, in index notation, with NumPy.

For y = f(x) the generalized Jacobian ∂y/∂x has the axes of y, then the axes of x (numerator layout, everywhere): entry
[i, j] is ∂y_i/∂x_j for multi-indices i and j.

The map of the package, from the inside out (more in README.md beside this file):

- `notation`: the text ``"x_k -> i;ik"``, parsed, with sizes; what a Jacobian is without numbers (`structure`), and how
  it is written on paper again (`formula`).
- `engine`: what is done with it. `algebra`: chain rule, sums, selections; `uniting` and `builder`: one term;
  `index_maps`: positions along axes; `merging`: terms added up; `elimination`: the order along a graph; `tape`:
  NumPy calls, recorded once; `compiler`: programs for graphs; `writing`: full tensors; `sparsity` and `sparse`: SciPy's
  matrices.
- `core`: what people hold: `Jacobian`, `term`, `Layer`, `Chain`, `Residual`; recordings and traced values.
- `layers`: the catalogue; `functions`: plain NumPy functions, ``jacobian(f)`` and ``trace(f, x)``.
- `checking`: against finite differences; `show`: formulas, tables, derivations, pictures; `training`, `nn`.
- `kept`: what is remembered between calls; `errors`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jacobians import layers
from jacobians.core.chain import Chain
from jacobians.core.jacobian import Jacobian
from jacobians.core.layer import Layer, Parameter
from jacobians.core.residual import Residual
from jacobians.core.terms import Terms, term
from jacobians.errors import JacobianTooLarge, TracingError
from jacobians.functions.graph import Graph
from jacobians.functions.hessian import hessian
from jacobians.functions.trace import derivative, jacobian, trace
from jacobians.layers import *  # noqa: F403 - the catalogue, listed in layers.__all__
from jacobians.nn import NN

if TYPE_CHECKING:
    from jacobians.checking import (
        check,
        check_hessian,
        check_jacobian,
        check_jvp,
        check_vjp,
        numerical_jacobian,
        sample_point,
    )
    from jacobians.training import gauss_newton, gradient_descent, newton

__version__ = "0.1.0"

__all__ = [
    "NN",
    "Chain",
    "Graph",
    "Jacobian",
    "JacobianTooLarge",
    "Layer",
    "Parameter",
    "Residual",
    "Terms",
    "TracingError",
    "check",
    "check_hessian",
    "check_jacobian",
    "check_jvp",
    "check_vjp",
    "derivative",
    "gauss_newton",
    "gradient_descent",
    "hessian",
    "jacobian",
    "newton",
    "numerical_jacobian",
    "sample_point",
    "term",
    "trace",
    *layers.__all__,
]
_LATER = {  # imported when they are asked for: `import jacobians` stays light
    "check": "jacobians.checking",
    "check_hessian": "jacobians.checking",
    "check_jacobian": "jacobians.checking",
    "check_jvp": "jacobians.checking",
    "check_vjp": "jacobians.checking",
    "numerical_jacobian": "jacobians.checking",
    "sample_point": "jacobians.checking",
    "gauss_newton": "jacobians.training",
    "gradient_descent": "jacobians.training",
    "newton": "jacobians.training",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'jacobians' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
