"""``np.pad`` with all of its modes."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobians.core.applying import apply
from jacobians.core.rules import refuse, rule
from jacobians.core.traced import Traced
from jacobians.functions.constants import plain
from jacobians.functions.moving import moved, rearranged
from jacobians.layers.arithmetic import Add

MOVING = "edge", "reflect", "symmetric", "wrap"
STATISTICS: dict[str, Any] = {"mean": np.mean, "maximum": np.max, "minimum": np.min, "median": np.median}


@rule(np.pad)
def pad(array: Traced, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    """An array with more entries around it."""
    if not isinstance(mode, str):
        refuse("np.pad with a function as mode", "put the array together with np.concatenate")
    if mode in MOVING and options.pop("reflect_type", "even") == "even":
        return moved(np.pad, array, pad_width, mode)
    if mode == "constant":
        around = options.get("constant_values", 0)
        inside = rearranged(np.pad, array, pad_width)
        if isinstance(around, int | float) and around == 0:
            return inside
        if np.ndim(plain(around)) == 0:
            return np.where(np.pad(np.ones(array.shape, bool), pad_width), inside, around)
        output = np.pad(array.value, pad_width, constant_values=around)
        return apply(Add(), inside, np.where(np.pad(np.ones(array.shape, bool), pad_width), 0, output), output=output)
    if mode != "linear_ramp" and mode not in STATISTICS:
        refuse(f"np.pad with mode={mode!r}" + (" and reflect_type" if mode in MOVING else ""), "use np.concatenate")
    return _along_axes(array, pad_width, mode, **options)


def _along_axes(x: Any, pad_width: Any, mode: str, end_values: Any = 0, stat_length: Any = None) -> Any:
    """Pad one axis after the other, as NumPy does."""
    some: Any

    widths = _pairs(pad_width, x.ndim)
    lengths: Any
    ends, lengths = np.broadcast_to(np.asarray(end_values), (x.ndim, 2)), _pairs(stat_length, x.ndim)
    for axis in range(x.ndim):
        n = x.shape[axis]
        sides = []
        for side, width in enumerate(widths[axis]):
            if mode == "linear_ramp":
                edge = np.take(x, [0] if side == 0 else [n - 1], axis=axis)
                way = np.arange(width) / max(width, 1)
                t = (way if side == 0 else way[::-1]).reshape([-1 if k == axis else 1 for k in range(x.ndim)])
                sides.append(ends[axis][side] * (1 - t) + edge * t)
            else:
                count = n if lengths[axis][side] is None else min(int(lengths[axis][side]), n)
                some = np.take(x, range(count) if side == 0 else range(n - count, n), axis=axis)
                sides.append(np.repeat(STATISTICS[mode](some, axis=axis, keepdims=True), width, axis=axis))
        x = np.concatenate([sides[0], x, sides[1]], axis=axis)
    return x


def _pairs(value: Any, ndim: int) -> Any:
    """Two numbers for every axis."""
    if isinstance(value, dict):
        return [np.broadcast_to(np.asarray(value.get(k, value.get(k - ndim, 0))), 2).tolist() for k in range(ndim)]
    return np.broadcast_to(np.asarray(value, object), (ndim, 2)).tolist()
