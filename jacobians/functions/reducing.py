"""Sums, means and other reductions along axes, and what accumulates along them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from jacobians import layers
from jacobians.core.layer import Layer
from jacobians.core.traced import METHODS, RULES, Traced, refuse


def _given(name: str, order: tuple[str, ...], arguments: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
    """The options of a call by name, without those that say nothing."""
    found = {**dict(zip(order, arguments, strict=False)), **options}
    found = {key: value for key, value in found.items() if value is not None and value is not np._NoValue}
    for key in ("where", "initial", "out"):
        if key in found and found[key] is not True:
            refuse(f"{name} with {key}=", "write np.where(condition, x, neutral) or maximum(x, initial) yourself")
        found.pop(key, None)
    if isinstance(found.get("axis"), list):
        found["axis"] = tuple(found["axis"])
    return found


def _reduced(function: Any, kind: Any, *order: str) -> None:
    """Enter a reduction that is a layer with the options axis and keepdims (and ddof)."""
    name = function.__name__

    def call(a: Any, *arguments: Any, **options: Any) -> Any:
        if not isinstance(a, Traced):
            refuse(f"np.{name} with a traced option", "options are plain numbers")
        found = _given(f"np.{name}", order, arguments, options)
        value = a.value
        output = function(value, **found)
        found.pop("dtype", None)
        layer = _layer(kind, tuple(found.items()))
        return Traced(a.recording, a.recording.add(layer, (value,), (a.number,), output))

    RULES[function] = call
    METHODS[name] = lambda x: lambda *arguments, **more: call(x, *arguments, **more)


@lru_cache(maxsize=4096)
def _layer(kind: Any, options: tuple[tuple[str, Any], ...]) -> Layer:
    layer: Layer = kind(**dict(options))
    return layer


_reduced(np.sum, layers.Sum, "axis", "dtype", "out", "keepdims", "initial", "where")
_reduced(np.prod, layers.Product, "axis", "dtype", "out", "keepdims", "initial", "where")
_reduced(np.mean, layers.Mean, "axis", "dtype", "out", "keepdims")
_reduced(np.max, layers.Max, "axis", "out", "keepdims", "initial", "where")
_reduced(np.min, layers.Min, "axis", "out", "keepdims", "initial", "where")
