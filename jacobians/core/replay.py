"""Replay: a chain at shapes that it has seen before.

The first time, the local Jacobians of a chain are bound, multiplied and compiled as usual. What was written then is
recorded. When the same layers write the same formulas for arrays of the same shapes again, the compiled program runs on
the new arrays at once. Whatever differs is done as usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jacobians.core.layer import Array, Layer
from jacobians.core.terms import Terms
from jacobians.engine.compiler import Plan

if TYPE_CHECKING:
    from jacobians.core.chain import Link

MOST = 64  # recordings that a chain keeps


class Recording(NamedTuple):
    """What each layer wrote: coefficients and formulas, shapes and dtypes; and which of the arrays the plan takes."""

    layers: tuple[tuple[Layer, tuple[str, ...], tuple[int, ...]], ...]  # with the shape of the output
    formulas: list[Any]
    shapes: list[tuple[int, ...]]
    dtypes: list[np.dtype[Any]]
    same: tuple[tuple[int, int], ...]  # arrays that are one object, which the plan takes once
    plan: Plan
    picks: tuple[int, ...]
    constants: tuple[Array, ...]


def record(links: Sequence[Link], outputs: Sequence[Array], plan: Plan) -> Recording | None:
    """Record a chain; None where a layer does more than write terms."""
    layers: list[tuple[Layer, tuple[str, ...], tuple[int, ...]]] = []
    formulas: list[Any] = []
    raw: list[Array] = []
    constants: list[Array] = []
    for link, output in zip(links, outputs, strict=True):
        if link.local is None:
            return None
        for name in link.jacobians:
            terms = link.local[name]
            if not isinstance(terms, Terms):
                return None
            formulas.append(len(terms.written))
            for coefficient, text, arrays in terms.written:
                formulas += (coefficient, text)
                raw += arrays
        layers.append((link.layer, tuple(link.jacobians), np.shape(output)))
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
    shapes, dtypes = [a.shape for a in raw], [a.dtype for a in raw]
    same = tuple((place[id(a)], k) for k, a in enumerate(raw) if place[id(a)] != k)
    return Recording(tuple(layers), formulas, shapes, dtypes, same, plan, tuple(picks), tuple(constants))


def replay(recording: Recording, inputs: tuple[Array, ...]) -> tuple[Array, ...] | None:
    """The full Jacobians at new inputs of the recorded shapes, or None if a layer wrote something else."""
    formulas: list[Any] = []
    raw: list[Array] = []
    for layer, names, shape in recording.layers:
        output = layer.forward(*inputs)
        if type(output) is not np.ndarray:
            output = np.asarray(output)
        if output.shape != shape:
            return None
        local = layer.local(*inputs, output)
        for name in names:
            terms = local.get(name)
            if type(terms) is not Terms:
                return None
            formulas.append(len(terms.written))
            for coefficient, text, arrays in terms.written:
                formulas += (coefficient, text)
                raw += arrays
        inputs = (output,)
    if (
        formulas != recording.formulas
        or [a.shape for a in raw] != recording.shapes
        or [a.dtype for a in raw] != recording.dtypes
        or any(raw[j] is not raw[k] for j, k in recording.same)
    ):
        return None
    raw += recording.constants
    return recording.plan.program([raw[k] for k in recording.picks])
