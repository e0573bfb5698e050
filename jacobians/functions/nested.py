"""Arguments and outputs that are tuples, lists, dicts, named tuples or dataclasses of arrays, nested as one likes.

>>> names, leaves, rebuilt = flatten({"W": 1.0, "b": [2.0, 3.0]}, "params")
>>> names
['params.W', 'params.b.0', 'params.b.1']
>>> rebuilt([10, 20, 30])
{'W': 10, 'b': [20, 30]}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from jacobians.core.traced import Traced

Rebuild = Callable[[Sequence[Any]], Any]


def flatten(value: Any, name: str = "") -> tuple[list[str], list[Any], Rebuild]:
    """The leaves of a nested value, their dotted names, and how to put others in their places."""
    parts_of_value = children(value)
    if parts_of_value is None:
        return [name], [value], only
    names: list[str] = []
    leaves: list[Any] = []
    parts: list[tuple[int, Rebuild]] = []
    for key, child in parts_of_value:
        more, some, rebuild = flatten(child, f"{name}.{key}" if name else str(key))
        names += more
        leaves += some
        parts.append((len(some), rebuild))

    def rebuilt(new: Sequence[Any]) -> Any:
        made, at = [], 0
        for count, rebuild in parts:
            made.append(rebuild(new[at : at + count]))
            at += count
        return like(value, made)

    return names, leaves, rebuilt


def only(leaves: Sequence[Any]) -> Any:
    """What is not nested."""
    return leaves[0]


def children(value: Any) -> list[tuple[Any, Any]] | None:
    """The parts of a container with their keys; None for a leaf."""
    if type(value) is np.ndarray or type(value) is Traced:
        return None
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return list(zip(value._fields, value, strict=True))
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    if isinstance(value, Mapping):
        return list(value.items())
    if is_dataclass(value) and not isinstance(value, type) and not hasattr(value, "local"):
        return [(f.name, getattr(value, f.name)) for f in fields(value) if f.init]
    return None


def like(value: Any, parts: list[Any]) -> Any:
    """A container of the same kind with other parts."""
    if hasattr(value, "_fields"):
        return type(value)(*parts)
    if isinstance(value, list | tuple):
        return type(value)(parts)
    if isinstance(value, Mapping):
        made = dict(zip(value, parts, strict=True))
        return made if type(value) is dict else type(value)(made)  # type: ignore[call-arg]  # as other mappings are made
    return replace(value, **dict(zip([f.name for f in fields(value) if f.init], parts, strict=True)))
