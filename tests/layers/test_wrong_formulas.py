"""Planted mistakes: the comparison that passes for the library's layers has to reject each of these."""

import numpy as np
import pytest

from jacobians import layers as L
from jacobians import term
from tests.layers.numerical import differences

rng = np.random.default_rng(5)


def a(*shape):
    return rng.normal(size=shape)


class Doubled(L.Affine):
    def local(self, x, z):
        return super().local(x, z) | {"x": 2 * term("A_ik -> ...i;...k", self.A)}


class Transposed(L.Linear):
    def local(self, x, z):
        return {"x": term("A_ki -> ...i;...k", self.A), "A": term("x_...k -> ...i;ik", x)}


class NoMean(L.LayerNorm):
    def local(self, x, y):
        r = 1 / np.sqrt(x.var(-1) + self.eps)
        return {"x": term("γ_i r_... -> ...i;...i", self.gamma, r)}


class OnePositionOff(L.Conv1d):
    def local(self, x, z):
        return {"x": term("W_ocu -> ...oy;...c(y+u-1)", self.W)}


class Last(L.Max):
    def local(self, x, z):
        return {"x": self.chosen(x, self.flat(x).argmin(axis=-1))}


class NoMinus(L.Inverse):
    def local(self, x, Y):
        return {"x": term("Y_...ik Y_...lj -> ...ij;...kl", Y, Y)}


class SwappedFactors(L.MatrixPower):
    def local(self, x, Y):
        p = self._powers(x)[..., :-1, :, :]
        return {"x": term("B_...mik C_...mjl -> ...ij;...kl", p, p[..., ::-1, :, :])}


class OutputGateForgotten(L.LSTMCell):
    def local(self, x, h, c, z):
        found = super().local(x, h, c, z)
        return {"c": 1.01 * found["c"]}


class DiagonalSoftmax(L.Softmax):
    def local(self, x, p):
        return {"x": term("(p(1-p))_...i -> ...i;...i", p * (1 - p))}


class SmallSlip(L.SquaredError):
    def local(self, x, L_):
        return {"x": (2 * self.scale + 1e-7) * term("e_... -> ;...", x - self.goal(x))}


WRONG = [
    (Doubled(a(3, 2), a(3)), [a(2)]),
    (Transposed(a(3, 3)), [a(3)]),
    (NoMean(a(3), a(3)), [a(2, 3)]),
    (OnePositionOff(a(2, 1, 2), a(2)), [a(1, 4)]),
    (Last(), [a(4)]),
    (NoMinus(), [a(3, 3)]),
    (SwappedFactors(3), [a(3, 3)]),
    (OutputGateForgotten(a(8, 2), a(8, 2), a(8)), [a(2), a(2), a(2)]),
    (DiagonalSoftmax(), [a(3)]),
    (SmallSlip(a(3)), [a(3)]),
]


@pytest.mark.parametrize(("layer", "inputs"), WRONG, ids=lambda v: type(v).__name__)
def test_a_mistake_is_seen(layer, inputs):
    name = "c" if isinstance(layer, L.LSTMCell) else "x"
    k = layer.input_names.index(name)
    found = layer.jacobians(*inputs, wrt=name)[name]
    expected, error = differences(lambda v: layer(*inputs[:k], v, *inputs[k + 1 :]), inputs[k])
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(found, expected, rtol=0, atol=error)
