"""Tell whether a Jacobian is right, and if not, what is wrong with it.

    check(layer, x)                    every Jacobian of a layer or a chain
    check_jacobian(f, x, J)            anybody's function and claimed Jacobian
    check_vjp(f, x, vjp)               a hand-written backward pass
    check_jvp(f, x, jvp)               a hand-written forward pass
    numerical_jacobian(f, x)           the measured Jacobian, with an error for every entry
    sample_point(layer)                inputs at which mistakes show

The checks return a `Report`: ``report.ok``, ``print(report)``, ``report.to_dict()``. In a test suite one line is
enough, and the failure prints the report::

    check_jacobian(f, x, J).raise_if_wrong()
"""

import sys
from types import ModuleType
from typing import Any

from numpy.typing import ArrayLike

from jacobians.check.claims import check_jacobian
from jacobians.check.layers import check
from jacobians.check.numerical import NumericalJacobian, numerical_jacobian
from jacobians.check.products import check_jvp, check_vjp
from jacobians.check.report import Finding, Report, WrongJacobian
from jacobians.check.sampling import sample_point
from jacobians.layer import Layer

__all__ = [
    "Finding",
    "NumericalJacobian",
    "Report",
    "WrongJacobian",
    "check",
    "check_jacobian",
    "check_jvp",
    "check_vjp",
    "numerical_jacobian",
    "sample_point",
]


class _Check(ModuleType):
    """The package itself, which can be called: ``jacobians.check(layer, x)`` is ``jacobians.check.check(layer, x)``."""

    def __call__(self, layer: Layer, *inputs: ArrayLike, **options: Any) -> Report:
        return check(layer, *inputs, **options)


sys.modules[__name__].__class__ = _Check
