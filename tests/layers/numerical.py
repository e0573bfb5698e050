"""Finite differences for the tests: central differences at two steps, extrapolated, with an estimate of their error."""

import numpy as np


def differences(function, x, step=1e-4):
    """∂function/∂x and an error estimate, for a function of one array."""
    value = np.asarray(function(x))
    shape = value.shape + x.shape
    found, rough = np.empty(shape), np.empty(shape)
    for index in np.ndindex(x.shape):

        def at(h, index=index):
            moved = np.array(x, dtype=float)
            moved[index] += h
            return np.asarray(function(moved))

        one, two, four = ((at(m * step) - at(-m * step)) / (2 * m * step) for m in (1, 2, 4))
        better, worse = (4 * one - two) / 3, (4 * two - four) / 3
        found[(..., *index)] = (16 * better - worse) / 15
        rough[(..., *index)] = better
    rounding = 2e-15 * np.abs(value).max(initial=1) / step
    return found, np.abs(found - rough).max(initial=0) + 10 * rounding


def arguments_of(layer, inputs):
    """For every argument with a Jacobian: its name, its value, and the layer as a function of it alone."""
    for k, (name, x) in enumerate(zip(layer.input_names, inputs, strict=True)):
        if name not in layer.integers:
            yield name, x, lambda v, k=k: layer(*inputs[:k], v, *inputs[k + 1 :])
    for name, value in layer.parameters.items():
        yield name, value, lambda v, name=name: layer.with_parameters({name: v})(*inputs)
