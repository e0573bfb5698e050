"""Every planted mistake is caught and named; its correct twin is not complained about."""

import pytest

from jacobians.checking import check_jacobian
from tests.checking.cases import Mistake
from tests.checking.hard_points import POINTS
from tests.checking.mistakes import MISTAKES
from tests.checking.rivals import RULES
from tests.checking.scores import rival, score

cases = pytest.mark.parametrize("case", MISTAKES, ids=[case.name for case in MISTAKES])


@cases
def test_caught_and_named(case: Mistake):
    report = check_jacobian(case.f, case.x, case.wrong)
    assert not report.ok
    assert report.findings[0].verdict == "wrong"
    assert case.cause in " ".join(report.findings[0].explanations)


@cases
def test_correct_twin(case: Mistake):
    report = check_jacobian(case.f, case.x, case.right)
    assert report.ok, str(report)
    assert report.findings[0].explanations == ()


def test_there_are_enough():
    assert len(MISTAKES) >= 40
    assert len({case.name for case in MISTAKES}) == len(MISTAKES)
    assert sum(bool(case.cause) for case in MISTAKES) >= 40


@pytest.mark.parametrize("name", RULES)
def test_the_rules_of_others_do_worse(name: str):
    caught, twins, hard = score(rival(RULES[name]), MISTAKES, POINTS)
    assert caught < len(MISTAKES)
    assert twins + hard > 20


def test_previous_x():
    import numpy as np

    x, earlier = np.array([0.3, -1.1]), np.array([0.5, -0.7])
    report = check_jacobian(np.sin, x, np.diag(np.cos(earlier)), previous_x=earlier)
    assert report.findings[0].explanations[0] == "J agrees at the previous x: a stale forward value"


def test_a_backward_pass_that_keeps_its_first_x():
    import numpy as np

    kept = np.cos(np.array([0.5, -0.7]))
    report = check_jacobian(np.sin, np.array([0.3, -1.1]), lambda x: np.diag(kept))
    assert "stale forward value" in " ".join(report.findings[0].explanations)
