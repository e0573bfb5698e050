"""Replay: a chain at shapes that it has seen before.

The first time, the local Jacobians of a chain are bound, multiplied and compiled as usual. What was written then is
recorded. When the same layers write the same formulas for arrays of the same shapes again, the compiled program runs on
the new arrays at once. Whatever differs is done as usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jacobians.engine import Plan
from jacobians.layer import Array, Layer
from jacobians.terms import Terms

if TYPE_CHECKING:
    from jacobians.chain import Link

MOST = 64  # recordings that a chain keeps

Written = tuple[tuple[Any, str, tuple[tuple[tuple[int, ...], np.dtype[Any]], ...]], ...]
"""Coefficient, formula, and the shapes and dtypes of the arrays, of every term."""


class Recording(NamedTuple):
    """What each layer wrote, and where the arrays of the plan are among the arrays that were written."""

    layers: tuple[tuple[Layer, tuple[tuple[str, Written], ...]], ...]
    plan: Plan
    picks: tuple[int, ...]
    constants: tuple[Array, ...]


def record(links: Sequence[Link], plan: Plan) -> Recording | None:
    """Record a chain; None where a layer does more than write terms."""
    layers = []
    raw: list[Array] = []
    constants: list[Array] = []
    for link in links:
        if link.local is None:
            return None
        patterns = []
        for name in link.jacobians:
            terms = link.local[name]
            if not isinstance(terms, Terms):
                return None
            patterns.append((name, _pattern(terms)))
            raw += [a for _, _, arrays in terms.written for a in arrays]
        layers.append((link.layer, tuple(patterns)))
    place = {id(a): k for k, a in reversed(list(enumerate(raw)))}
    picks = []
    for array in (a for link in links for a in link.arrays):
        if id(array) in place:
            picks.append(place[id(array)])
        elif array.ndim == 0:  # the coefficient of a term
            picks.append(len(raw) + len(constants))
            constants.append(array)
        else:
            return None
    return Recording(tuple(layers), plan, tuple(picks), tuple(constants))


def _pattern(terms: Terms) -> Written:
    return tuple((c, text, tuple((a.shape, a.dtype) for a in arrays)) for c, text, arrays in terms.written)


def replay(recording: Recording, inputs: tuple[Array, ...]) -> tuple[Array, ...] | None:
    """The full Jacobians at new inputs of the recorded shapes, or None if a layer wrote something else."""
    raw: list[Array] = []
    for layer, patterns in recording.layers:
        output = layer.forward(*inputs)
        if type(output) is not np.ndarray:
            output = np.asarray(output)
        local = layer.local(*inputs, output)
        for name, pattern in patterns:
            terms = local.get(name)
            if type(terms) is not Terms or len(terms.written) != len(pattern):
                return None
            for (c, text, arrays), (old_c, old_text, kinds) in zip(terms.written, pattern):  # noqa: B905 - latency
                if text != old_text or c != old_c:
                    return None
                for array, (shape, dtype) in zip(arrays, kinds):  # noqa: B905 - equal formulas take as many arrays
                    if array.shape != shape or array.dtype is not dtype:
                        return None
                    raw.append(array)
        inputs = (output,)
    raw += recording.constants
    return recording.plan.program([raw[k] for k in recording.picks])
