"""Small NumPy programs as people write them: they just work."""

from __future__ import annotations

import pytest

from tests.functions.differences import right
from tests.functions.programs import learning, python, science


@pytest.mark.parametrize(
    ("f", "arguments"),
    [*science.PROGRAMS, *learning.PROGRAMS, *python.PROGRAMS],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_programs(f, arguments):
    right(f, *arguments, tolerance=1e-6)
