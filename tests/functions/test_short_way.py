"""Small arrays of doubles take a short way to their nodes: what is recorded is what the way for everything records."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians.core.traced import Traced
from jacobians.functions.evaluation import Evaluation, evaluated
from jacobians.layers import Replace
from tests.functions.test_programs import MODULES, programs


def recorded(f, arguments):
    """What a call of a function records."""
    numbers, names = range(len(arguments)), [f"x{k}" for k in range(len(arguments))]
    found = evaluated(
        f, lambda again: Evaluation(f, arguments, {}, numbers, names, ends_only=True, is_thorough=again)
    ).recording
    kinds = [(type(n.layer), n.names, n.numbers, n.value, len(n.inputs)) for n in found.nodes]
    made = [n.value for n in found.nodes if not isinstance(n.layer, Replace)]  # np.empty may be written into
    return kinds, found.graph, [np.asarray(found.values[n]) for n in made]


@pytest.mark.parametrize("module", MODULES)
def test_both_ways_record_the_same(module, monkeypatch):
    for f, arguments in programs(module):
        quick = recorded(f, arguments)
        with monkeypatch.context() as patch:
            patch.setattr(Traced, "doubles", property(lambda self: None, lambda self, value: None))
            slow = recorded(f, arguments)
        assert quick[0] == slow[0], f
        assert quick[1] == slow[1], f
        for a, b in zip(quick[2], slow[2], strict=True):
            np.testing.assert_array_equal(a, b, strict=True, err_msg=str(f))
