"""Second derivatives of every layer of the catalogue: no layer says anything about them, all come from its `local`."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest

from jacobians import Layer, Parameter, TracingError, term
from jacobians.layers import registry

STEP = 1e-5
FIRST = {  # an example of every layer
    name: [(layer, inputs) for _, layer, inputs in list(some)[:1]]
    for name, some in groupby(registry.examples(), key=lambda example: type(example[1]).__name__)
}


def moved(layer, inputs, name, by):
    """The layer and its inputs with one argument moved."""
    if name in layer.input_names:
        k = layer.input_names.index(name)
        return layer, (*inputs[:k], inputs[k] + by, *inputs[k + 1 :])
    return layer.with_parameters({name: layer.parameters[name] + by}), inputs


def measured(layer, inputs, wrt, name, h):
    """The derivative of ∂z/∂wrt along h, by central differences of the exact Jacobian."""
    ends = []
    for sign in (1, -1):
        other, at = moved(layer, inputs, name, sign * STEP * h)
        ends.append(other.jacobians(*at, wrt=wrt)[wrt])
    return (ends[0] - ends[1]) / (2 * STEP)


@pytest.mark.parametrize("name", FIRST)
def test_agrees_with_differences_of_the_jacobian_along_a_direction(name):
    random = np.random.default_rng(0)
    for layer, inputs in FIRST[name]:
        known = dict(zip(layer.input_names, inputs, strict=True)) | layer.parameters
        for k, wrt in enumerate(layer.arguments):
            for other in layer.arguments[k:] if k == 0 else [wrt]:
                H = layer.hessian(*inputs, wrt=wrt, wrt2=other)
                h = random.normal(size=known[other].shape)
                expected = measured(layer, inputs, wrt, other, h)
                assert H.shape == expected.shape + h.shape
                np.testing.assert_allclose(H @ h, expected, rtol=1e-6, atol=1e-7 * (1 + np.abs(expected).max()))


class Hidden(Layer):
    """z = x³, with a derivative that forgets its argument."""

    def forward(self, x):
        return x**3

    def local(self, x, z):
        return {"x": term("s_... -> ...;...", 3 * np.asarray(x) ** 2)}


class Scaled(Layer):
    """z = a·x, whose derivative by x is a program that NumPy does not see."""

    a: Parameter

    def forward(self, x):
        return self.a * x

    def local(self, x, z):
        return {"x": term("a_... -> ...;...", np.array([float(v) for v in self.a])), "a": term("x_... -> ...;...", x)}


def test_a_local_jacobian_that_hides_what_it_depends_on_is_refused():
    with pytest.raises(TracingError, match="Hidden has no second derivative: its local Jacobian cannot be traced"):
        Hidden().hessian([1.0, 2.0])
    layer = Scaled([1.0, 2.0])
    with pytest.raises(TracingError, match="Scaled has no second derivative"):
        layer.hessian([1.0, 2.0], wrt="x", wrt2="a")
