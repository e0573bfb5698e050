"""Tell whether a Jacobian is right, and if not, what is wrong with it.

    check(layer, x)                    every Jacobian of a layer or a chain
    check_jacobian(f, x, J)            anybody's function and claimed Jacobian
    check_hessian(f, x, H)             its second derivatives
    check_vjp(f, x, vjp)               a hand-written backward pass
    check_jvp(f, x, jvp)               a hand-written forward pass
    numerical_jacobian(f, x)           the measured Jacobian, with an error for every entry
    sample_point(layer)                inputs at which mistakes show
    grade(name, answer, of=f, at=x)    an answer to an exercise, with a hint

The checks return a `Report`: ``report.ok``, ``print(report)``, ``report.to_dict()``. In a test suite one line is
enough, and the failure prints the report::

    check_jacobian(f, x, J).raise_if_wrong()
"""

from jacobians.checking.grading import Grade, grade
from jacobians.checking.hessian import check_hessian
from jacobians.checking.jacobian import check_jacobian
from jacobians.checking.layer import check
from jacobians.checking.numerical import NumericalJacobian, numerical_jacobian
from jacobians.checking.points import sample_point
from jacobians.checking.products import check_jvp, check_vjp
from jacobians.checking.report.finding import Finding
from jacobians.checking.report.report import Report, WrongJacobian

__all__ = [
    "Finding",
    "Grade",
    "NumericalJacobian",
    "Report",
    "WrongJacobian",
    "check",
    "check_hessian",
    "check_jacobian",
    "check_jvp",
    "check_vjp",
    "grade",
    "numerical_jacobian",
    "sample_point",
]


check.sample_point = sample_point  # type: ignore[attr-defined]  # so that jacobians.check.sample_point is there, too
