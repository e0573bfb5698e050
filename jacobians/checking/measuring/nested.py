"""Nested arguments, outputs and claims: tuples, lists, dicts, named tuples and dataclasses of arrays.

A list is an array if it is one of numbers, and so is a tuple of plain numbers; every other container is nested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from jacobians.functions.nested import children, like

Key = str | int
Path = tuple[Key, ...]
Rebuild = Callable[[Sequence[Any]], Any]


def flatten(value: Any) -> tuple[list[Path], list[Any], Rebuild]:
    """The arrays in a nested value, where they are, and how to put others in their places.

    >>> paths, arrays, rebuild = flatten({"W": 1.0, "b": ([2.0, 3.0], 4.0)})
    >>> paths
    [('W',), ('b', 0), ('b', 1)]
    >>> rebuild([10, 20, 30])
    {'W': 10, 'b': (20, 30)}
    """
    parts = None if _is_array(value) else children(value)
    if parts is None:
        return [()], [value], lambda arrays: arrays[0]
    paths: list[Path] = []
    arrays: list[Any] = []
    rebuilds: list[tuple[int, Rebuild]] = []
    for key, child in parts:
        inner, some, rebuild = flatten(child)
        paths += [(key, *path) for path in inner]
        arrays += some
        rebuilds.append((len(some), rebuild))

    def rebuilt(new: Sequence[Any]) -> Any:
        rest: Iterator[Any] = iter(new)
        return like(value, [rebuild([next(rest) for _ in range(count)]) for count, rebuild in rebuilds])

    return paths, arrays, rebuilt


def _is_array(value: Any) -> bool:
    """Whether a list or a tuple is an array, and not a container of arrays."""
    if type(value) is tuple:
        return all(isinstance(one, int | float | complex | np.generic) for one in value)
    numbers = (int, float, complex, np.generic)
    return type(value) is list and all(isinstance(one, numbers) or _is_array(one) for one in value)


def dotted(first: str, path: Path) -> str:
    """The name of an array in a nested value: ``params.W.0``."""
    return ".".join([first, *map(str, path)]) if first else ".".join(map(str, path))


def pick(nested: Any, path: Path, what: str) -> Any:
    """What stands at a path in a claim that is nested as the thing itself is.

    A mapping may also have the dotted name of the rest of the path as a key, and an array may stand for a sequence.
    """
    for k, key in enumerate(path):
        rest = ".".join(map(str, path[k:]))
        if isinstance(nested, Mapping):
            if key in nested:
                nested = nested[key]
                continue
            if rest in nested:
                return nested[rest]
            raise ValueError(f"{what} has no entry for {rest!r}; it has {', '.join(map(str, nested))}")
        if isinstance(key, int) and isinstance(nested, tuple | list | np.ndarray):
            if np.shape(nested)[:1] <= (key,) if isinstance(nested, np.ndarray) else key >= len(nested):
                raise ValueError(f"{what} has no entry number {key}; it has {np.size(nested)} entries")
            nested = nested[key]
        elif isinstance(key, str) and hasattr(nested, key):
            nested = getattr(nested, key)
        else:
            raise ValueError(f"{what} must have an entry for {rest!r}; it is a {type(nested).__name__}")
    return nested
