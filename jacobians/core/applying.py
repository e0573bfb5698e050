"""Layers applied to traced values: each becomes a node of the recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import lru_cache, partial
from threading import get_ident
from typing import TYPE_CHECKING, Any

import numpy as np

from jacobians.core.graph import Recording
from jacobians.core.nodes import Node
from jacobians.core.postponed import LARGE, Postponed, computed
from jacobians.core.rules import RULES, refuse
from jacobians.core.traced import DOUBLE, PLAIN, Traced, together
from jacobians.engine.tape import Array, is_traced

if TYPE_CHECKING:
    from jacobians.core.nodes import Differentiable


def apply(
    layer: Differentiable, *inputs: Any, output: Any = None, compute: Callable[..., Any] | None = None,
    dtype: Any = None, casting: str = "same_kind", **_: Any,
) -> Traced:  # fmt: skip
    """A node: a layer applied to traced values and constants.

    `output` where it has been computed already, `compute` where something else than the layer's forward computes it:
    a ufunc, perhaps with NumPy's options, of which only `dtype` and `casting` matter here.
    """
    if dtype is not None and compute is not None:
        compute = with_dtype(compute, dtype, casting)
    elif (short := _of_small_doubles(layer, inputs)) is not None:
        known, names, numbers_known, small = short
        if output is None:
            output = compute(*small) if compute is not None else layer.forward(*small)
        if type(output) is np.float64 or (type(output) is np.ndarray and output.dtype is DOUBLE):
            return noted(known, layer, names, numbers_known, small, output)
    recording, arrays, numbers = prepared(inputs)
    if output is None and (
        arrays[0].size >= recording.postpones or arrays[-1].size >= recording.postpones
        or (len(arrays) > 2 and recording.moves is not None)
    ):  # fmt: skip
        later = RULES["later"](layer, compute, arrays, numbers)
        if later is not None:
            layer, arrays, output = later
    if recording.postponed and type(output) is not Postponed:
        arrays = [computed(x) for x in arrays]
    if output is None:
        output = compute(*arrays) if compute is not None else forwarded(layer, arrays)
    if type(output) is np.ndarray and output.dtype.kind == "O":  # of values of an outer trace
        output = _stacked(output)
    return Traced(recording, recording.add(layer, tuple(arrays), numbers, output))


# --- the short way ----------------------------------------------------------------------------------------------------
#
# Most of what programs do, and all that scalar code does, is done with small arrays of doubles.


def noted(
    recording: Recording, layer: Differentiable, names: tuple[str, ...], numbers: tuple[int, ...],
    inputs: tuple[Array, ...], output: Any,
) -> Traced:  # fmt: skip
    """A new value, of doubles, with the node that made it: what `Recording.add` does, but with nothing to ask."""
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


_new, _node = object.__new__, tuple.__new__


def _of_small_doubles(
    layer: Differentiable, inputs: tuple[Any, ...]
) -> tuple[Recording, tuple[str, ...], tuple[int, ...], tuple[Array, ...]] | None:
    """The recording, and the names, numbers and arrays of inputs, if all of them are small arrays of doubles."""
    if len(layer.input_names) != len(inputs):
        return None
    recording: Any = None
    names: list[str] = []
    numbers: list[int] = []
    arrays: list[Array] = []
    fixed = False
    for name, x in zip(layer.input_names, inputs, strict=True):
        if type(x) is Traced:
            if (array := x.doubles) is None or (recording is not None and x.recording is not recording):
                return None
            recording = x.recording
            numbers.append(x._number)
            names.append(name)
        elif (array := small_constant(x)) is not None:
            fixed = True
        else:
            return None
        arrays.append(array)
    if recording is None or recording.paths or (fixed and recording.origins is not None):
        return None
    return recording, tuple(names), tuple(numbers), tuple(arrays)


def small_constant(x: Any) -> Array | None:
    """A Python number or a small array of doubles, which is copied, as a constant; None for anything else."""
    kind = type(x)
    if kind is float or kind is int or kind is np.float64:
        return np.asarray(x, DOUBLE)
    if kind is np.ndarray and x.dtype is DOUBLE and x.size < LARGE:
        array: Array = x.copy() if x.flags.writeable else x
        return array
    return None


# --- the way for everything -------------------------------------------------------------------------------------------


def with_dtype(ufunc: Callable[..., Any], dtype: Any, casting: str) -> Callable[..., Any]:
    """A ufunc with the option `dtype`, which must be one of numbers that have derivatives."""
    if np.dtype(dtype).kind not in "fc":
        refuse(f"np.{ufunc.__name__} with dtype={np.dtype(dtype)}", "leave the dtype out")
    return partial(ufunc, dtype=dtype, casting=casting)


def applied(layer: Any, inputs: Sequence[Any]) -> Traced:
    """A layer that checks its inputs, and may be made of others, applied to traced and plain values."""
    recording, arrays, numbers = prepared(inputs)
    arrays = [computed(x) for x in arrays]
    return Traced(recording, layer.record(recording, layer.prepared(tuple(arrays)), numbers))


def recording_of(inputs: Sequence[Any]) -> Recording:
    """The recording that traced inputs belong to: the innermost one."""
    found = [x.recording for x in map(_stacked, inputs) if isinstance(x, Traced)]
    return max(found, key=lambda recording: recording.serial)


def prepared(inputs: Sequence[Any]) -> tuple[Recording, list[Array], list[int | None]]:
    """The recording of traced inputs; all inputs as arrays; and the numbers of those that are traced.

    Arrays of the caller's are copied; values may be postponed.
    """
    recording: Any = None
    dtype: Any = None
    numbers: list[int | None] = []
    arrays: list[Any] = []
    for x in inputs:
        if type(x) is not Traced and (type(x) in PLAIN or type(x := _stacked(x)) is not Traced):
            numbers.append(None)
            arrays.append(x)
            continue
        if recording is None:
            recording = x.recording
        elif recording is not x.recording:
            return prepared(together([_stacked(one) for one in inputs]))
        number = x.number
        array = recording.values[number]
        if dtype is not array.dtype:
            dtype = array.dtype if dtype is None else np.result_type(dtype, array)
        numbers.append(number)
        arrays.append(array)
    if None in numbers:
        for k, x in enumerate(arrays):
            if numbers[k] is None:
                arrays[k] = constant(x, dtype)
                if recording.origins is not None:
                    recording.origins[id(arrays[k])] = x
    return recording, arrays, numbers


def _stacked(x: Any) -> Any:
    """Lists and arrays of objects with traced values in them, as traced arrays."""
    kind = type(x)
    return RULES["whole"](x) if kind is list or kind is tuple or (kind is np.ndarray and x.dtype.kind == "O") else x


def constant(x: Any, dtype: np.dtype[Any]) -> Array:
    """A constant beside values of a dtype, as an array of numbers; a Python number gets their dtype."""
    kind: Any = type(x)
    if kind in PLAIN:
        return np.asarray(x, dtype if dtype is DOUBLE and kind is not complex else _promoted(dtype, kind))
    if is_sparse(x):
        refuse("a SciPy sparse matrix in this place", "write A @ x for a product, or A.toarray()")
    array = np.asarray(x)
    if array.dtype.kind in "biu":
        return array.astype(np.result_type(array, dtype))
    if array.dtype.kind not in "fc":
        refuse(f"a computation with {array.dtype} values", "it must hold numbers")
    return array.copy() if array.flags.writeable else array


def is_sparse(x: Any) -> bool:
    """Whether it is a matrix of ``scipy.sparse``."""
    return type(x).__module__.startswith("scipy.sparse") and hasattr(x, "tocoo")


@lru_cache(maxsize=64)
def _promoted(dtype: np.dtype[Any], number: type[int | float | complex]) -> np.dtype[Any]:
    """The dtype of values of this dtype together with a Python number of this type."""
    return np.result_type(dtype, number(1))


def traced_layer(layer: Differentiable, parameters: Mapping[str, Traced]) -> Any:
    """The layer with traced values in place of parameters."""
    if not parameters:
        return layer
    twin = object.__new__(type(layer))
    vars(twin).update(vars(layer))
    vars(twin).update(parameters)
    return twin


def forwarded(layer: Differentiable, arrays: Sequence[Any]) -> Any:
    """The output of a layer; of values of an outer trace, one that is traced there."""
    return apply(layer, *arrays) if any(map(is_traced, arrays)) else layer.forward(*arrays)


def run(
    recording: Recording, function: Callable[..., Any], inputs: Sequence[Array], numbers: Sequence[int | None]
) -> int:
    """Call a function with traced values; return the number of its output."""
    given = [x if n is None else Traced(recording, n) for x, n in zip(inputs, numbers, strict=True)]
    output = RULES["output"](function(*given), recording)
    if isinstance(output, Traced) and output.recording is recording:
        return output.number
    value: Any = copy(output) if isinstance(output, Traced) else np.asarray(output)
    recording.values.append(value)
    return len(recording.values) - 1
