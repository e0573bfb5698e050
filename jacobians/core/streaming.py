"""Writing a tensor that does not fit into memory: block by block, into a file or into a ``dask.array``."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np

from jacobians.core.extras import extra
from jacobians.engine import memory, pieces
from jacobians.engine.sources import Factors

PATIENCE = 2.0  # seconds before a progress bar appears


def write(factors: Factors, out: Any, nbytes: int, start: int) -> None:
    """Write all entries into something that takes ``out[index] = block``, from block number `start` on."""
    form = factors.form
    unit = getattr(out, "chunks", None)
    block = pieces.block_shape(form.shape, form.dtype.itemsize, nbytes, unit)
    count = prod(pieces.grid(form.shape, block))
    if not 0 <= start <= count:
        raise ValueError(f"there are {count} blocks, so start must be from 0 to {count}; it is {start}")
    done, label = start, f"∂{form.out_name}/∂{form.wrt_name}"
    try:
        for index in _watched(pieces.indices(form.shape, block, start), start, count, label):
            out[index] = pieces.block(factors, index)
            done += 1
    except BaseException as error:
        error.add_note(f"{done} of {count} blocks are written; J.full(out, nbytes={nbytes}, start={done}) goes on")
        raise


def _watched(indices: Iterable[pieces.Index], start: int, count: int, label: str) -> Iterable[pieces.Index]:
    """The indices, with a progress bar on a terminal if it takes long and tqdm is there."""
    if not sys.stderr.isatty():
        return indices
    try:
        from tqdm import tqdm
    except ImportError:
        return indices
    bar: Iterable[pieces.Index] = tqdm(indices, label, count, initial=start, unit="block", leave=False, delay=PATIENCE)
    return bar


def dask_array(factors: Factors, chunks: Any) -> Any:
    """A ``dask.array`` whose chunks are made where they are used; all take the one key that holds the factors."""
    array: Any = extra("dask.array", "dask", "J.dask()")
    graphs: Any = extra("dask.highlevelgraph", "dask", "J.dask()")
    shape, dtype = factors.form.shape, factors.form.dtype
    sizes = array.core.normalize_chunks(chunks, shape, dtype=dtype)
    memory.require([max(some, default=0) for some in sizes], dtype, "a chunk", "Give smaller chunks.")
    name = f"jacobian-{uuid.uuid4().hex}"
    held = f"factors-{name}"
    graph: dict[Any, Any] = {held: (Factors, factors.form, list(factors.arrays))}
    bounds = [np.cumsum((0, *some)) for some in sizes]
    for place in np.ndindex(*[len(some) for some in sizes]):
        index = tuple([slice(int(b[k]), int(b[k + 1])) for b, k in zip(bounds, place, strict=True)])
        graph[name, *place] = (pieces.block, held, index, False)  # workers mind their memory themselves
    return array.Array(graphs.HighLevelGraph.from_collections(name, graph), name, sizes, dtype=dtype)
