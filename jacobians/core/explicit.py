"""The reference: every local Jacobian in full, contracted along the graph as the lecture does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jacobians.core.graph import Recording
from jacobians.core.jacobian import Jacobian
from jacobians.core.nodes import Wanted
from jacobians.engine import compiler, contract, memory
from jacobians.engine.tape import INSTEAD, Array


def explicit(recording: Recording, wanted: Sequence[Wanted]) -> list[Array]:
    """Every local Jacobian in full, contracted with ``opt_einsum.contract`` along the graph, as the lecture does.

    Where several paths meet, each is contracted and they are added.
    """
    written, arrays = recording.written(wanted)
    edges = recording.edges(written)
    found: dict[tuple[int, int], Array] = {}
    for target in dict.fromkeys(one.value for one in wanted):
        factors: dict[int, list[Array]] = {target: []}
        ndim = recording.values[target].ndim
        for edge in reversed(edges):
            if edge.value not in factors:
                continue
            path = [*factors[edge.value], _tensor(edge, arrays)]
            if edge.argument in factors:
                path = [_product(recording, p, edge.argument, ndim) for p in (factors[edge.argument], path)]
                path = [path[0] + path[1]]
            factors[edge.argument] = path
        for one in wanted:
            if one.value == target:
                path = factors.get(one.argument, [])
                found[target, one.argument] = (
                    _product(recording, path, one.argument, ndim) if path or one.argument == target
                    else np.zeros(recording.values[target].shape + recording.values[one.argument].shape)
                )  # fmt: skip
    return [found[one.value, one.argument] for one in wanted]


def _tensor(edge: compiler.Edge, arrays: Sequence[Array]) -> Array:
    """A local Jacobian in full."""
    if isinstance(edge.local, tuple):
        numbers = {n: k for k, n in enumerate(dict.fromkeys(n for *_, some in edge.local for n in some))}
        pattern: Any = tuple((*rest, tuple(numbers[n] for n in some)) for *rest, some in edge.local)
        program, form = compiler.bound(pattern, *edge[2:7])
        return Jacobian(form, program([arrays[n] for n in numbers])).full()
    return Jacobian(edge.local, tuple([arrays[n] for n in edge.arrays])).full()


def _product(recording: Recording, factors: Sequence[Array], argument: int, ndim: int) -> Array:
    """The product of full tensors from a value with `ndim` axes to an argument."""
    if not factors:
        shape = recording.values[argument].shape
        return np.eye(int(np.prod(shape))).reshape(shape + shape)
    shapes = []
    for factor in factors:
        shapes.append((factor.shape[:ndim], factor.shape[ndim:]))
        ndim = factor.ndim - ndim
    dtype = np.result_type(*factors)
    memory.require(shapes[0][0] + shapes[-1][1], dtype, "the full Jacobian", INSTEAD)
    return contract.contract(contract.subscripts(shapes), *factors)
