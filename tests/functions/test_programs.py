"""Small NumPy programs as people write them: they just work."""

from __future__ import annotations

import importlib

import pytest

from tests.functions.differences import right

MODULES = "science", "learning", "python", "fields", "features", "writing", "library", "algorithms"


def programs(module):
    """The programs of a module; without SciPy, those that need it are not there."""
    try:
        return importlib.import_module(f"tests.functions.programs.{module}").prog
    except ImportError:
        return []


@pytest.mark.parametrize(
    ("f", "arguments"),
    [one for module in MODULES for one in programs(module)],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_programs(f, arguments):
    right(f, *arguments, tolerance=1e-6)
