"""Ufuncs of small arrays of doubles by a short way: scalar code consists of them.

They make the nodes that `apply` makes, and leave to it whatever is not a small array of doubles that depends on
something, or a Python number or another such array beside one: options, other dtypes, values of several recordings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from threading import get_ident
from typing import Any

import numpy as np

from jacobians.core.applying import apply
from jacobians.core.graph import Recording
from jacobians.core.nodes import Differentiable, Node
from jacobians.core.traced import DOUBLE, Traced
from jacobians.engine.tape import Array


def noted(
    recording: Recording, layer: Differentiable, names: tuple[str, ...], numbers: tuple[int, ...],
    inputs: tuple[Array, ...], output: Any,
) -> Traced:  # fmt: skip
    """A new value, of doubles, with the node that made it."""
    if recording.thread != get_ident():
        recording.require_thread()
    if type(output) is np.float64:
        output = np.asarray(output)
    values = recording.values
    made = _new(Traced)
    made.recording = recording
    made._number = number = len(values)
    made._version = 0
    made._view = made._views = made._pending = None
    made.doubles = output if output.size < recording.postpones else None
    values.append(output)
    recording.nodes.append(_node(Node, (layer, "", names, numbers, inputs, number)))
    recording.graph.append((type(layer), layer.diagonals, layer.output_name, names, numbers, number))
    return made


def noted_of(layer: Differentiable, inputs: Sequence[Any], compute: Callable[..., Any]) -> Traced | None:
    """A layer applied to small arrays of doubles; None where there is anything else among the inputs."""
    recording, numbers, arrays = None, [], []
    for x in inputs:
        if type(x) is not Traced or (array := x.doubles) is None:
            return None
        if recording is not x.recording:
            if recording is not None:
                return None
            recording = x.recording
        numbers.append(x._number)
        arrays.append(array)
    if recording is None:
        return None
    return noted(recording, layer, layer.input_names, tuple(numbers), tuple(arrays), compute(arrays))


_new, _node = object.__new__, tuple.__new__


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
                elif (b := _constant(y, recording)) is not None:
                    return noted(recording, layer, first, (x._number,), (a, b), ufunc(a, b))
        elif type(y) is Traced and (b := y.doubles) is not None:
            recording = y.recording
            if (a := _constant(x, recording)) is not None:
                return noted(recording, layer, second, (y._number,), (a, b), ufunc(a, b))
        return otherwise(x, y)

    return call


def _constant(x: Any, recording: Recording) -> Array | None:
    """A Python number or a small array of doubles, which is copied, as a constant; None for anything else."""
    kind = type(x)
    if recording.origins is None:
        if kind is float or kind is int:
            return np.asarray(x, DOUBLE)
        if kind is np.ndarray and x.dtype is DOUBLE and x.size < recording.postpones:
            array: Array = x.copy() if x.flags.writeable else x
            return array
    return None
