"""Ufuncs of small arrays of doubles by a short way: scalar code consists of them.

They make the nodes that `apply` makes, and leave to it whatever is not a small array of doubles that depends on
something, or a Python number or another such array beside one: options, other dtypes, values of several recordings.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from jacobians.core.applying import apply, noted, small_constant
from jacobians.core.nodes import Differentiable
from jacobians.core.traced import Traced


def of_one(ufunc: Callable[..., Any], layer: Differentiable) -> Callable[..., Any]:
    """The rule of a ufunc of one argument that is a layer."""
    otherwise, names = partial(apply, layer, compute=ufunc), layer.input_names

    def call(x: Any, **options: Any) -> Any:
        if type(x) is Traced and not options and (a := x.doubles) is not None:
            return noted(x.recording, layer, names, (x._number,), (a,), ufunc(a))
        return otherwise(x, **options)

    return call


def of_two(ufunc: Callable[..., Any], layer: Differentiable) -> Callable[..., Any]:
    """The rule of a ufunc of two arguments that is a layer."""
    otherwise, names = partial(apply, layer, compute=ufunc), layer.input_names
    first, second = names[:1], names[1:]

    def call(x: Any, y: Any, **options: Any) -> Any:
        if options:
            return otherwise(x, y, **options)
        if type(x) is Traced:
            recording, a = x.recording, x.doubles
            if a is not None:
                if type(y) is Traced:
                    if (b := y.doubles) is not None and y.recording is recording:
                        return noted(recording, layer, names, (x._number, y._number), (a, b), ufunc(a, b))
                elif recording.origins is None and (b := small_constant(y)) is not None:
                    return noted(recording, layer, first, (x._number,), (a, b), ufunc(a, b))
        elif type(y) is Traced and (b := y.doubles) is not None:
            recording = y.recording
            if recording.origins is None and (a := small_constant(x)) is not None:
                return noted(recording, layer, second, (y._number,), (a, b), ufunc(a, b))
        return otherwise(x, y)

    return call
