"""Small NumPy programs as people write them: they just work."""

from __future__ import annotations

import importlib
from copy import deepcopy

import numpy as np
import pytest

from jacobians import jacobian, trace
from jacobians.functions.nested import flatten
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


def float32(argument):
    """An argument with numbers of half the bytes."""
    _, leaves, rebuild = flatten(argument)
    return rebuild([x.astype(np.float32) if isinstance(x, np.ndarray) and x.dtype == float else x for x in leaves])


OF_PYTHON = "algorithms.haversine", *[f"features.{name}" for name in ("mathf", "floatx", "tolist", "tolist2", "item")]
OTHERWISE = dict.fromkeys(OF_PYTHON, "Python's numbers have 64 bits") | {
    "features.viewc2": "it looks at the bytes of doubles",
    "features.rc": "np.r_ takes plain numbers among traced ones for doubles",
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("module", MODULES)
def test_dtypes_are_those_of_numpy(module):
    counted = 0
    for f, arguments in programs(module):
        given = [float32(one) for one in arguments]
        try:
            expected = flatten(f(*map(deepcopy, given)))[1]
        except (TypeError, ValueError):  # what it takes must be doubles
            continue
        if f"{module}.{f.__name__}" not in OTHERWISE:
            found = flatten(trace(f, *given).output)[1]
            assert [np.asarray(x).dtype for x in found] == [np.asarray(x).dtype for x in expected], f
            if isinstance(given[0], np.ndarray) and given[0].dtype == np.float32:
                J = flatten(jacobian(f)(*given))[1]
                assert [x.dtype for x in J] == [np.result_type(np.asarray(x), np.float32) for x in expected], f
            counted += 1
    assert counted > 0.9 * len(programs(module)) - 2
