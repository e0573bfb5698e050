"""Points at which mistakes show, and points at which they hide."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.measuring.function import as_array, quiet
from jacobians.checking.measuring.nested import flatten

FREE = (3, 4, 5, 2, 6, 7)  # sizes of axes that nothing determines, all different
ENOUGH = 4  # entries from which on an order or a common sign is hardly an accident


def sample_point(layer: Any, *shapes: tuple[int, ...], seed: int = 0) -> tuple[NDArray[np.float64], ...]:
    """Inputs for a layer or chain that hide no mistakes.

    Their entries are distinct, neither zero nor one, of both signs where the layer allows it, and not symmetric.
    Shapes that are not given are found by trying: the sizes of the parameters' axes, and unequal ones for free axes.

    Parameters
    ----------
    layer
        A layer or chain.
    *shapes
        The shapes of its inputs; found by trying if absent.
    seed
        Of the entries.

    Returns
    -------
    tuple of arrays
        To be used as ``check(layer, *sample_point(layer))``.

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
    last = [*known, *(n for n in FREE if n not in known)]
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


# -- points that hide mistakes -----------------------------------------------------------------------------------------


def vacuous(x: Any, name: str = "x") -> tuple[str, ...]:
    """A warning for every property of a test point that can hide a mistake.

    Examples
    --------
    >>> vacuous(np.ones(3), "gamma")
    ('gamma is all ones: a missing factor gamma would not show',)
    """
    found: list[str] = []
    paths, leaves, _ = flatten(x)
    for path, leaf in zip(paths, leaves, strict=True):
        try:
            array = as_array(leaf, name)
        except ValueError:
            continue
        if array.size:
            found += _warnings(array, ".".join([name, *map(str, path)]))
    return tuple(found)


def _warnings(array: NDArray[Any], name: str) -> Iterator[str]:
    with quiet():
        length = float(np.linalg.norm(array))
        total, size = complex(array.sum()), float(np.abs(array).sum())
    flat = array.reshape(-1)
    if not array.any():
        yield f"{name} is all zeros: whatever is multiplied by it would not show"
    elif (array == 1).all():
        yield f"{name} is all ones: a missing factor {name} would not show"
    elif array.size > 1 and (array == flat[0]).all():
        yield f"the entries of {name} are all equal: exchanged indices would not show"
    elif _is_symmetric(array):
        yield f"{name} is symmetric: a transpose would not show"
    elif array.ndim >= 1 and array.size > 1:
        if not np.isfinite(size):
            return
        if abs(total) <= 1e-12 * size:
            yield f"{name} has mean zero: a missing mean would not show"
        if abs(length - 1) <= 1e-12:
            yield f"{name} has unit length: a missing division by its norm would not show"
        if abs(total - 1) <= 1e-12 * size:
            yield f"{name} sums to one: a missing division by its sum would not show"
        if array.ndim == 2 and array.shape[0] == array.shape[1] and _is_orthogonal(array):
            yield f"{name} is orthogonal: a transpose taken for an inverse would not show"
        if array.size >= ENOUGH and array.dtype.kind != "c":
            if (flat > 0).all():
                yield f"all entries of {name} are positive: a missing absolute value or sign would not show"
            if array.ndim == 1 and (np.diff(flat) > 0).all():
                yield f"{name} is sorted: a missing permutation would not show"
    if array.ndim >= 2 and array.shape[0] == 1:
        yield f"{name} has a first axis of size one: mistakes between the examples of a batch would not show"


def _is_symmetric(array: NDArray[Any]) -> bool:
    return array.ndim >= 2 and array.shape[-1] == array.shape[-2] > 1 and np.array_equal(array, array.swapaxes(-1, -2))


def _is_orthogonal(array: NDArray[Any]) -> bool:
    with quiet():
        return bool(np.allclose(array @ array.conj().T, np.eye(len(array)), atol=1e-12))


def moved(values: Sequence[Any], seed: int, *, both_signs: bool = False) -> tuple[Any, ...]:
    """Arguments a little away from these, without zeros, symmetry or order.

    Parameters
    ----------
    values
        The arguments; nested arrays of floating-point numbers are moved, all else stays.
    seed
        Of the moves.
    both_signs
        Whether the entries of arrays of one sign get both.
    """
    random = np.random.default_rng([seed, 7])
    found = []
    for value in values:
        _, leaves, rebuild = flatten(value)
        found.append(rebuild([_moved(leaf, random, both_signs) for leaf in leaves]))
    return tuple(found)


def _moved(leaf: Any, random: np.random.Generator, both_signs: bool) -> Any:
    given = leaf if not isinstance(leaf, list | tuple | int | float | complex) else np.asarray(leaf)
    try:
        array = as_array(given, "x")
    except ValueError:
        return leaf
    if not hasattr(given, "dtype") or np.asarray(array).dtype.kind not in "fc" or (array is given and not array.size):
        return leaf
    size = np.where(array == 0, float(np.abs(array).max(initial=0)) or 1.0, np.abs(array))
    new = array + size * random.uniform(0.1, 0.35, size=array.shape) * random.choice([-1.0, 1.0], size=array.shape)
    if both_signs and array.size > 1 and array.dtype.kind == "f" and (np.sign(array) == np.sign(array.flat[0])).all():
        new = new * random.permutation(np.where(np.arange(array.size) % 2, -1.0, 1.0)).reshape(array.shape)
    return np.asarray(new, dtype=array.dtype)
