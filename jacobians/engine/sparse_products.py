"""Sparse Jacobians multiplied by SciPy, where the index maps of two local Jacobians meet.

A scatter after a gather, or one sparse matrix times another, ties entries to each other whose positions only numbers
tell. SciPy multiplies such matrices in the time that their entries take.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from math import prod
from typing import Any

import numpy as np

from jacobians.engine import compiler, memory
from jacobians.engine.compiler import Edge
from jacobians.engine.linearized import Linearized
from jacobians.engine.sparse import Format, sparse
from jacobians.engine.tape import Array
from jacobians.notation.structure import Form


def has_scipy() -> bool:
    """Whether SciPy is there."""
    return find_spec("scipy") is not None


def multiplied(graph: Linearized, number: int, kind: Format, pattern: bool = False) -> Any:
    """A wanted Jacobian of a graph as a sparse array, from the first value to the last, or back if that is narrower.

    With `pattern`, every entry of the local Jacobians is 1, so that none is lost because a sum happens to be zero.
    """
    one = graph.structure.wanted[number]
    edges = compiler.between(graph.structure.edges, one.value, one.argument)
    backwards = prod(one.out_shape) < prod(one.wrt_shape)
    start, end = (one.value, one.argument) if backwards else (one.argument, one.value)
    found: dict[int, Any] = {}
    for edge in sorted(edges, key=lambda e: -e.argument if backwards else e.value):
        here, there = (edge.value, edge.argument) if backwards else (edge.argument, edge.value)
        path = _local(edge, graph.arrays)
        if pattern:
            path.data = np.ones(path.nnz)
        if here != start:
            path = _product(*((found[here], path) if backwards else (path, found[here])))
        found[there] = found[there] + path if there in found else path
    if end not in found:  # the same value, or one that does not depend on the argument
        form = compiler.identity(one.out_shape, one.dtype)
        return sparse(form if end == start else Form(one.out_shape, one.wrt_shape, one.dtype, ()), [], kind)
    matrix = found[end].asformat(kind)
    matrix.sum_duplicates()
    return matrix


def _local(edge: Edge, arrays: Sequence[Array]) -> Any:
    """A local Jacobian."""
    if not isinstance(edge.local, tuple):
        return sparse(edge.local, [arrays[n] for n in edge.arrays], "csr")
    numbers = {n: k for k, n in enumerate(dict.fromkeys(n for *_, some in edge.local for n in some))}
    pattern: Any = tuple([(*rest, tuple([numbers[n] for n in some])) for *rest, some in edge.local])
    program, form = compiler.bound(pattern, *edge[2:7])
    return sparse(form, program([arrays[n] for n in numbers]), "csr")


def _product(left: Any, right: Any) -> Any:
    """The product, if there is memory for its entries: a bound of them is the number of pairs."""
    pairs = int(np.diff(left.tocsc().indptr).astype(np.int64) @ np.diff(right.indptr))
    if pairs > left.shape[0] * right.shape[1]:
        pairs = left.shape[0] * right.shape[1]
    memory.require((pairs,), left.dtype, "a product of sparse Jacobians", "Take products with vectors.", 8 * pairs)
    return left @ right
