"""Products of Jacobians with vectors, along a recording and without matrices, by the names of the arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from jacobians.core.graph import Recording
from jacobians.core.nodes import Wanted
from jacobians.core.vectors import number, vectors
from jacobians.engine.tape import Array
from jacobians.notation.structure import Shape


def jvp(recording: Recording, wanted: Sequence[Wanted], given: Mapping[str, ArrayLike]) -> Any:
    """Σ ∂value/∂x · h over arguments x, by the tangents h that are given for their names."""
    tangents: dict[int, Array] = {}
    leads: dict[str, Shape] = {}
    for one in wanted:
        name, shape = one.argument_name, recording.values[one.argument].shape
        h = vectors(given[name], shape, f"the tangent of {name}")
        leads[name] = h.shape[: h.ndim - len(shape)]
        tangents[one.argument] = h
    if len(set(leads.values())) > 1:
        raise ValueError(f"the leading axes of all tangents must be the same; they are {leads}")
    return number(recording.jvp(wanted[0].value, tangents))


def vjp(recording: Recording, wanted: Sequence[Wanted], u: ArrayLike) -> dict[str, Any]:
    """u · ∂value/∂x for every argument x."""
    value, name = wanted[0].value, wanted[0].value_name
    cotangent = vectors(u, recording.values[value].shape, f"the cotangent of {name}")
    found = recording.vjp({value: cotangent}, [one.argument for one in wanted])
    return dict(zip([one.argument_name for one in wanted], map(number, found), strict=True))
