"""Correct derivatives at hard points raise no alarm, and a wrong one at the same point does where f resolves it."""

import numpy as np
import pytest

from jacobians.checking import check_jacobian, numerical_jacobian
from tests.checking.cases import HardPoint
from tests.checking.hard_points import POINTS

cases = pytest.mark.parametrize("case", POINTS, ids=[case.name for case in POINTS])


@cases
def test_no_alarm(case: HardPoint):
    report = check_jacobian(case.f, case.x, case.right)
    assert report.ok, str(report)


def _is_resolved(case: HardPoint) -> bool:
    """Whether f shows every entry of the derivative to two digits or more."""
    finding = check_jacobian(case.f, case.x, case.right).findings[0]
    return set(finding.counts) == {"right"} and finding.digits is not None and finding.digits > 2.5


RESOLVED = [case for case in POINTS if _is_resolved(case)]


@pytest.mark.parametrize("case", RESOLVED, ids=[case.name for case in RESOLVED])
def test_alarm_for_a_wrong_one(case: HardPoint):
    for factor in (-1.0, 0.0, 2.0, 1.01):
        assert not check_jacobian(case.f, case.x, factor * np.asarray(case.right)).ok, factor


# where f(x) itself consists of rounding error, only a claim can tell which of its slopes is meant
_ROUNDING = ("(1 − cos x)/x²", "(exp(x) − 1)/x", "(1 + x) − 1", "sqrt(x² + 1) − x", "least squares")


MEASURABLE = [case for case in POINTS if not case.name.startswith(_ROUNDING)]


@pytest.mark.parametrize("case", MEASURABLE, ids=[case.name for case in MEASURABLE])
def test_numerical_jacobian_within_its_error(case: HardPoint):
    right = np.asarray(case.right)
    found = numerical_jacobian(case.f, case.x)
    assert found.value.shape == found.error.shape == right.shape
    smooth = (found.smoothness == "smooth") & np.isfinite(found.error)
    # float32 claims carry an error of their own
    own = 64 * np.finfo(np.float32).eps if "float32" in case.name or right.dtype == np.complex64 else 1e-12
    distance = np.abs(found.value - right)
    inside = distance <= 10 * found.error + own * np.abs(right).max(initial=0)
    assert inside[smooth].all()


def test_there_are_enough():
    assert len(POINTS) >= 70
    assert len({case.name for case in POINTS}) == len(POINTS)
    assert len(RESOLVED) > 45
