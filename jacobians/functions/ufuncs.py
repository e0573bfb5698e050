"""NumPy's ufuncs of traced values: one layer each, or a composition; and their methods.

A value is computed by NumPy itself, so that it is exactly what the function would return; the layer says what its
Jacobians are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobians import layers
from jacobians.core.layer import Layer
from jacobians.core.traced import RULES, Traced, prepared, recording_of, refuse

ENTRYWISE: dict[np.ufunc, Layer] = {
    np.negative: layers.Negative(),
    np.positive: layers.Identity(),
    np.exp: layers.Exp(),
    np.expm1: layers.Expm1(),
    np.log: layers.Log(),
    np.log1p: layers.Log1p(),
    np.sqrt: layers.Sqrt(),
    np.square: layers.Square(),
    np.reciprocal: layers.Reciprocal(),
    np.sin: layers.Sin(),
    np.cos: layers.Cos(),
    np.tan: layers.Tan(),
    np.sinh: layers.Sinh(),
    np.cosh: layers.Cosh(),
    np.tanh: layers.Tanh(),
    np.arctan: layers.Arctan(),
    np.arcsinh: layers.Arcsinh(),
    np.fabs: layers.Abs(),
}
BROADCASTING: dict[np.ufunc, Layer] = {
    np.add: layers.Add(),
    np.subtract: layers.Subtract(),
    np.multiply: layers.Multiply(),
    np.true_divide: layers.Divide(),
    np.maximum: layers.Maximum(),
    np.minimum: layers.Minimum(),
    np.fmax: layers.Maximum(),
    np.fmin: layers.Minimum(),
    np.hypot: layers.Hypot(),
    np.arctan2: layers.Arctan2(),
    np.logaddexp: layers.LogAddExp(),
}


def teach(ufunc: np.ufunc, layer: Layer) -> None:
    """Enter a ufunc that is a layer."""
    count = len(layer.input_names)

    def call(*inputs: Any, where: Any = True, dtype: Any = None, casting: Any = None, **options: Any) -> Any:
        if len(inputs) != count:
            raise TypeError(f"{ufunc.__name__}() takes {count} arguments, {len(inputs)} given")
        if dtype is not None and np.dtype(dtype).kind not in "fc":
            refuse(f"{ufunc.__name__} with dtype={np.dtype(dtype)}", "leave the dtype out")
        if where is not True:
            refuse(f"{ufunc.__name__} with where= and no out=", "write np.where(condition, value, other)")
        recording = recording_of(inputs)
        arrays, numbers = prepared(recording, inputs)
        output = ufunc(*arrays) if dtype is None else ufunc(*arrays, dtype=dtype)
        return Traced(recording, recording.add(layer, tuple(arrays), numbers, output))

    RULES[ufunc] = call


for _table in (ENTRYWISE, BROADCASTING):
    for _ufunc, _layer in _table.items():
        teach(_ufunc, _layer)
