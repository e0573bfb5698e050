"""Inputs for a layer at which mistakes show: distinct entries of both signs, no zeros, no symmetry, unequal axes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.measuring.function import quiet

__all__ = ["sample_point"]

_FREE = (3, 4, 5, 2, 6, 7)  # sizes of axes that nothing determines, all different
_MOST_AXES = 4


def sample_point(layer: Any, *shapes: tuple[int, ...], seed: int = 0) -> tuple[NDArray[np.float64], ...]:
    """Return inputs for a layer or chain that hide no mistakes.

    Their entries are distinct, neither zero nor one, of both signs where the layer allows it, and not symmetric.
    Shapes that are not given are found by trying: the sizes of the parameters' axes, and unequal ones for free axes.

    Parameters
    ----------
    layer : a layer or chain
    *shapes : the shapes of its inputs; found by trying if absent
    seed : of the entries

    Returns
    -------
    tuple of arrays, to be used as ``check(layer, *sample_point(layer))``

    Examples
    --------
    >>> from jacobians import Affine
    >>> (x,) = sample_point(Affine([[1.0, -2.0], [0.5, 3.0], [2.0, 0.1]], [0.0, 1.0, 2.0]))
    >>> x.shape
    (5, 2)
    """
    count = len(layer.input_names)
    if shapes and len(shapes) != count:
        raise ValueError(
            f"{type(layer).__name__} takes {count} inputs ({', '.join(layer.input_names)}), not {len(shapes)}"
        )
    random = np.random.default_rng(seed)
    for candidate in [shapes] if shapes else _candidates(layer, count):
        for kind in ("signed", "positive", "fraction", "integer"):
            inputs = tuple(_entries(shape, kind, random) for shape in candidate)
            if _works(layer, inputs):
                return inputs
    hint = "" if shapes else "; give the shapes of its inputs"
    raise ValueError(f"sample_point finds no inputs that {type(layer).__name__} accepts{hint}")


def _entries(shape: tuple[int, ...], kind: str, random: np.random.Generator) -> Any:
    """Distinct numbers between 0.2 and 1.8 on an irregular grid, with signs, or other kinds that layers may need."""
    size = int(np.prod(shape))
    grid = (np.arange(size) + random.uniform(0.2, 0.8, size=size)) / max(size, 1)
    values = random.permutation(0.2 + 1.6 * grid)
    if kind == "fraction":
        values = values / 2
    if kind == "signed":
        values = values * random.permutation(np.where(np.arange(size) % 2, -1.0, 1.0))
    if kind == "integer":
        return random.integers(0, 2, size=shape)
    return values.reshape(shape)


def _works(layer: Any, inputs: tuple[Any, ...]) -> bool:
    try:
        with quiet():
            output = layer(*inputs)
            layer.linearize(*inputs)
    except (ValueError, TypeError, IndexError, KeyError):
        return False
    return bool(np.isfinite(np.asarray(output)).all())


def _candidates(layer: Any, count: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Shapes to try, the most telling first: a batch axis and the sizes that the parameters suggest."""
    known = list(dict.fromkeys(n for value in layer.parameters.values() for n in np.shape(value) if n > 1))
    last = [*known, *(n for n in _FREE if n not in known)]
    free = [n for n in (5, 3, 4, 7, 6, 2) if n not in known] or [5, 3, 4]
    singles: list[tuple[int, ...]] = [(free[0], n) for n in last] + [(n,) for n in last]
    # images and signals: (batch, channels, height, width) with the channels that the parameters suggest
    singles += [(2, n, 7, 6) for n in last] + [(2, n, 8) for n in last] + [(2, 7, 6, n) for n in last]
    singles += [(2, free[0], n) for n in last] + [(n, n) for n in last] + [()]
    if count == 1:
        yield from ((shape,) for shape in singles)
        return
    yield (((3, 4),) * count)
    if count == 2:
        yield ((3, 4), (4, 2))
    yield from itertools.islice(itertools.product(singles, repeat=count), 4000)
