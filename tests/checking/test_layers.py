"""Layers and what they are made of: the layer that is wrong is the one that is named."""

import numpy as np
import pytest

from jacobians import Affine, Chain, Layer, Parameter, Residual, SquaredError, Tanh, term
from jacobians.checking import check, sample_point

random = np.random.default_rng(3)
first = Affine(random.normal(size=(4, 3)), random.normal(size=4))
last = Affine(random.normal(size=(2, 4)), random.normal(size=2))
x = random.normal(size=3)


class Fake:
    """The least that a layer must offer, with a claimed Jacobian that is wrong by a factor if asked."""

    input_names = ("x",)

    def __init__(self, a: np.ndarray, factor: float = 1.0) -> None:
        self.a, self.factor = np.asarray(a), factor

    def __call__(self, x):
        return self.a * np.asarray(x)

    @property
    def parameters(self):
        return {"a": self.a}

    def with_parameters(self, parameters):
        return Fake(parameters["a"], self.factor)

    def linearize(self, x, wrt=None):
        return self(x), {"x": np.diag(self.a), "a": self.factor * np.diag(np.asarray(x))}


class WrongTanh(Layer):
    """The lecture's mistake: f where 1 − f² is due."""

    def forward(self, x):
        return np.tanh(x)

    def local(self, x, z):
        return {"x": term("s_...i -> ...i;...i", z)}


class WrongShape(Layer):
    """A local Jacobian that does not fit."""

    def forward(self, x):
        return np.tanh(x)

    def local(self, x, z):
        return {"x": term("s_i -> i;", z)}


def test_anything_like_a_layer():
    assert check(Fake([1.0, 2.0]), np.array([0.5, -1.0])).ok
    report = check(Fake([1.0, 2.0], 2.0), np.array([0.5, -1.0]))
    assert report.wrong == ("∂z/∂a",)
    assert "2·D" in str(report)


def test_chain_right():
    chain = Chain(hidden=first, act=Tanh(), out=last, loss=SquaredError(np.array([0.1, -0.4])))
    report = check(chain, x)
    assert report.ok, str(report)
    names = [finding.name for finding in report]
    assert "hidden Affine: ∂z/∂A" in names
    assert "∂L/∂hidden.A" in names
    assert names.index("loss SquaredError: ∂L/∂x") < names.index("∂L/∂x")
    assert report["hidden.A"].shape == "1 × (4×3)"


def test_the_wrong_layer_is_named():
    report = check(Chain(first, WrongTanh(), last), x)
    assert not report.ok
    local = [name for name in report.wrong if ":" in name]
    assert local == ["1 WrongTanh: ∂z/∂x"]
    assert "wrong local Jacobians in 1 WrongTanh" in report.notes
    assert report["0.A"].explanations == ("made of what is wrong inside: 1 WrongTanh: ∂z/∂x",)
    assert str(report).count("∂0.A") == 1
    assert report["2.A"].ok


def test_nested():
    report = check(Chain(first, inner=Chain(Residual(WrongTanh()), Tanh())), x)
    assert "inner.0 WrongTanh: ∂z/∂x" in report.wrong
    assert all("Tanh: ∂z/∂x" not in name or "Wrong" in name for name in report.wrong)


def test_a_wrong_composition_is_told_apart():
    class Forgetful:
        def __init__(self, chain):
            self.chain = chain

        def __getattr__(self, name):
            return getattr(self.chain, name)

        def __call__(self, x):
            return self.chain(x)

        def linearize(self, x, wrt=None):
            output, found = self.chain.linearize(x)
            return output, {**found, "x": 2 * found["x"]}

        def with_parameters(self, parameters):
            return Forgetful(self.chain.with_parameters(parameters))

    report = check(Forgetful(Chain(first, Tanh())), x)
    assert report.wrong == ("∂f/∂x",)
    assert "every local Jacobian is right: the composition is wrong" in report["∂f/∂x"].explanations


def test_linearize_that_fails_is_a_finding():
    report = check(WrongShape(), x)
    assert not report.ok
    assert "linearize fails" in str(report)


def test_selection():
    report = check(Chain(first, Tanh()), x, wrt="0.A")
    assert {finding.name for finding in report} == {"0 Affine: ∂z/∂x", "0 Affine: ∂z/∂A", "∂f/∂0.A"}
    with pytest.raises(ValueError, match="no Jacobian with respect to"):
        check(first, x, wrt="W")


def test_inputs_that_do_not_fit_raise():
    with pytest.raises(ValueError, match="must be 3"):
        check(first, np.ones(5))


def test_vacuous_points_are_noted():
    assert "x is all zeros: whatever is multiplied by it would not show" in check(first, np.zeros(3)).notes
    symmetric = Affine(np.eye(2), np.ones(2))
    notes = check(symmetric, np.array([0.5, 2.0])).notes
    assert "A is symmetric: a transpose would not show" in notes
    assert "b is all ones: a missing factor b would not show" in notes


def test_sample_point():
    (found,) = sample_point(first)
    assert found.shape == (5, 3)
    assert len(np.unique(np.abs(found))) == found.size
    assert (found > 0).any()
    assert (found < 0).any()
    assert sample_point(Chain(first, Tanh()), (3,))[0].shape == (3,)
    with pytest.raises(ValueError, match="takes 1 inputs"):
        sample_point(first, (3,), (3,))
    with pytest.raises(ValueError, match="accepts"):
        sample_point(first, (8,))


def test_a_layer_in_single_precision():
    single = Affine(first.A.astype(np.float32), first.b.astype(np.float32))
    assert check(Chain(single, Tanh()), x.astype(np.float32)).ok


class Padded(Layer):
    """x, with options that are called as the parts of other layers are."""

    layers: int = 2
    layer: str = "none"

    def forward(self, x):
        return x * self.layers

    def local(self, x, z):
        return {"x": self.layers * term("-> ...i;...i")}


def test_options_called_layers_and_layer():
    assert check(Padded(), x).ok
    assert check(Chain(first, Padded(3), last), x).ok


class Pair(Layer):
    """A composite of one's own: two layers, one after the other and beside it."""

    one: Layer
    other: Layer

    def forward(self, x):
        return self.other(self.one(x)) + self.one(x)


def test_a_composite_of_ones_own_is_looked_into():
    square = Affine(random.normal(size=(3, 3)), random.normal(size=3))
    assert check(Pair(square, Tanh()), x).ok
    report = check(Pair(square, WrongTanh()), x)
    assert "other WrongTanh: ∂z/∂x" in report.wrong
    assert "one Affine: ∂z/∂A" not in report.wrong


def test_a_wrong_report_is_false():
    assert check(first, x)
    assert not check(WrongTanh(), x)
    assert not check(WrongTanh(), x)["x"]


class WrongScale(Layer):
    """a_i x_i, with a derivative by x that forgets a."""

    a: Parameter

    def forward(self, x):
        return self.a * x

    def local(self, x, z):
        return {"x": term("-> ...i;...i"), "a": term("x_...i -> ...i;i", x)}


def test_a_second_look_at_a_moved_layer():
    layer = WrongScale(np.ones(3))
    assert check(layer, x).ok
    assert "a is all ones: a missing factor a would not show" in check(layer, x).notes
    report = check(layer, x, also_at="nearby")
    assert report.wrong == ("∂z/∂x nearby",)
    assert "these hide the mistake" in str(report)
    assert check(first, x, also_at="nearby").ok
    assert check(Chain(first, Tanh(), last), x, also_at="nearby").ok
