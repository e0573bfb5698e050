"""A part of the second set; ``python -m tests.checking.scores`` runs all of it."""

from jacobians.checking import check_jacobian
from tests.checking.harder_mistakes import HARDER as MISTAKES
from tests.checking.harder_points import HARDER as POINTS
from tests.checking.scores import ours, score


def test_mistakes_are_caught_and_twins_pass():
    part = MISTAKES[::4]
    assert score(ours, part, POINTS[::6]) == (len(part), 0, 0)


def test_there_are_enough():
    assert len(MISTAKES) >= 150
    assert len(POINTS) >= 200
    for cases in (MISTAKES, POINTS):
        assert len({case.name for case in cases}) == len(cases)


def test_most_have_their_name():
    named = [case for case in MISTAKES if case.cause and case.kind == "jacobian"][::6]
    found = [
        case.cause in " ".join(check_jacobian(case.f, case.x, case.wrong).findings[0].explanations) for case in named
    ]
    assert sum(found) >= 0.9 * len(found)
