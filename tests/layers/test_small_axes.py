"""Examples of every layer with axes of size 0 and 1: right numbers, or a refusal that names the layer."""

import dataclasses

import numpy as np
import pytest

from jacobians.layers import registry
from tests.layers.numerical import arguments_of, differences

EXAMPLES = {name: (layer, inputs) for name, layer, inputs in registry.examples() if name[-2:] in ("-0", "-1")}


def resized(layer, inputs, old, new):
    """The layer and its inputs with all axes of one size cut (or given) another; None where that cannot be."""

    def cut(array):
        for axis, n in enumerate(array.shape):
            if n == old:
                array = np.take(array, range(new), axis)
        return array

    integers = [name in layer.integers for name in layer.input_names]
    parameters = {name: cut(value) for name, value in layer.parameters.items()}
    try:
        known = {f.name: getattr(layer, f.name) for f in dataclasses.fields(layer) if f.init} if parameters else {}
        small = type(layer)(**{**known, **parameters}) if parameters else layer
    except ValueError:
        return None
    return small, [cut(x) % max(new, 1) if whole else cut(x) for x, whole in zip(inputs, integers, strict=True)]


@pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("new", [0, 1])
@pytest.mark.parametrize("name", EXAMPLES)
def test_small_axes(name, new):
    layer, inputs = EXAMPLES[name]
    arrays = [*inputs, *layer.parameters.values()]
    for old in sorted({n for a in arrays for n in a.shape} - {new}):
        made = resized(layer, inputs, old, new)
        if made is None:
            continue
        small, xs = made
        try:
            with np.errstate(all="ignore"):
                value = small(*xs)
        except (ValueError, IndexError):
            continue  # it does not fit
        with np.errstate(all="ignore"):
            found = small.jacobians(*xs)
            for argument, x, function in arguments_of(small, xs):
                assert found[argument].shape == np.shape(value) + x.shape
                if found[argument].size and np.isfinite(found[argument]).all() and np.isfinite(value).all():
                    expected, error = differences(function, x)
                    np.testing.assert_allclose(
                        found[argument], expected, rtol=1e-6, atol=1e-6 + error, err_msg=argument
                    )
