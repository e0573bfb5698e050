"""Layers that users write: what they may leave out, and what is said when something is wrong."""

import numpy as np
import pytest

from jacobians import (
    Add,
    Affine,
    Divide,
    Embedding,
    Layer,
    Linear,
    LogAddExp,
    Maximum,
    Multiply,
    Parameter,
    Pow,
    Subtract,
    Tanh,
    jacobian,
    term,
)  # fmt: skip
from jacobians.core.diagonal import Diagonal, table


def test_an_array_of_all_entries_is_a_local_jacobian():
    class Map(Layer):
        A: Parameter

        def forward(self, x):
            return self.A @ np.sin(x)

        def local(self, x, z):
            return {"x": self.A * np.cos(x), "A": term("s_k -> i;ik", np.sin(x))}

    A, x = np.arange(6.0).reshape(3, 2), np.array([0.3, -2.0])
    np.testing.assert_allclose(Map(A).jacobians(x)["x"], A * np.cos(x))
    assert Map(A).linearize(x)[1]["x"].full().shape == (3, 2)


def test_without_local_the_forward_is_traced():
    class Swish(Layer):
        a: Parameter

        def forward(self, x):
            return x / (1 + np.exp(-self.a * x))

    x, a = np.array([0.3, -2.0]), np.array([1.5, 0.5])
    s = 1 / (1 + np.exp(-a * x))
    found = Swish(a).jacobians(x)
    np.testing.assert_allclose(found["x"], np.diag(s + x * a * s * (1 - s)), rtol=1e-14)
    np.testing.assert_allclose(found["a"], np.diag(x * x * s * (1 - s)), rtol=1e-14)


def test_layers_made_of_layers_show_their_parameters():
    class Twice(Layer):
        first: Layer
        scale: float

        def forward(self, x):
            return self.first(self.first(x)) * self.scale

    A, x = np.array([[0.5, 2.0], [1.0, -1.0]]), np.array([0.3, -2.0])
    layer = Twice(Linear(A), 3.0)
    assert list(layer.parameters) == ["first.A"]
    found = layer.jacobians(x)
    np.testing.assert_allclose(found["x"], 3 * A @ A, rtol=1e-14)
    expected = 3 * (np.einsum("ij,k->ijk", np.eye(2), A @ x) + np.einsum("ij,k->ijk", A, x))
    np.testing.assert_allclose(found["first.A"], expected, rtol=1e-14)


def test_every_layer_has_its_table():
    assert "∂z/∂E" in str(Embedding([[1.0], [2.0]]).table([0, 1]))


@pytest.mark.parametrize("name", ["table", "jacobians", "parameters", "inner", "diagram"])
def test_a_field_must_not_hide_what_every_layer_has(name):
    with pytest.raises(TypeError, match=f"Hiding: a field must not be called {name}"):
        type("Hiding", (Layer,), {"__annotations__": {name: Parameter}})


def test_options_may_be_called_layer_and_layers():
    class Repeated(Layer):
        layers: int
        layer: str

        def forward(self, x):
            return x * self.layers

        def local(self, x, z):
            return {"x": self.layers * term("-> ...;...")}

    layer = Repeated(3, "any")
    assert layer.parameters == {}
    assert str(layer.table([1.0]))
    assert layer.diagram([1.0])
    np.testing.assert_array_equal(layer.jacobians([1.0])["x"], [[3.0]])


class Assigning(Layer):
    def __init__(self, A):
        self.A = A

    def forward(self, x):
        return x


class WithoutForward(Layer):
    def local(self, x, z):
        return {"x": term("-> i;i")}


class NotADict(Layer):
    def forward(self, x):
        return x

    def local(self, x, z):
        return term("-> i;i")


class Misnamed(Layer):
    A: Parameter

    def forward(self, x):
        return self.A @ x

    def local(self, x, z):
        return {"x": term("A_ij -> i;j", self.A), "W": term("x_k -> i;ik", x)}


class Vector(Layer):
    def forward(self, x):
        return np.tanh(x)

    def local(self, x, z):
        return {"x": 1 - z**2}


class Nested(Layer):
    def forward(self, x):
        return x

    def local(self, x, z):
        return {"x": np.eye(2).tolist()}


class Word(Layer):
    def forward(self, x):
        return "word"

    def local(self, x, z):
        return {"x": np.eye(2)}


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Assigning(3), AttributeError, "Assigning cannot assign A: write `A: Parameter`"),
        (WithoutForward, NotImplementedError, "WithoutForward has no forward: write `def forward"),
        (NotADict, ValueError, "NotADict: local must give a dict with an entry for every argument"),
        (lambda: Misnamed(np.eye(2)), ValueError, "there is no derivative by 'A': Misnamed.local gives 'x', 'W'"),
        (Vector, ValueError, r"Vector: ∂z/∂x must be an array of shape \(2, 2\); it is \(2,\)"),
        (Nested, ValueError, "Nested: ∂z/∂x must be written with term.* gives a list"),
        (Word, ValueError, "Word: forward must give an array of numbers; it gives 'word'"),
    ],
)
def test_what_is_said(make, error, message):
    with pytest.raises(error, match=message):
        make().jacobians([1.0, 2.0])


def test_a_layer_stays_frozen():
    layer = Affine(np.eye(2), np.zeros(2))
    with pytest.raises(AttributeError, match="with_parameters"):
        layer.A = np.eye(2)
    with pytest.raises(AttributeError, match="Tanh cannot assign power"):
        Tanh().power = 2


def test_terms_have_the_attributes_of_a_jacobian_and_no_others():
    terms = term("x_k -> i;ik", np.ones(2))
    assert not hasattr(terms, "foo")
    with pytest.raises(AttributeError, match="no attribute 'foo'"):
        _ = terms.foo
    with pytest.raises(ValueError, match="size of label i is not known"):
        _ = terms.shape
    assert term("A_ij -> i;j", np.ones((3, 2))).shape == (3, 2)


def test_a_local_of_its_own_counts_more_than_an_inherited_table():
    class Straight(Multiply):
        def local(self, x, y, z):
            return {"x": term("w_... -> ...;...", 3 * y), "y": term("x_... -> ...;...", x)}

    x, y = np.array([1.0, 2.0]), np.array([5.0, 7.0])
    np.testing.assert_array_equal(Straight().jacobians(x, y)["x"], np.diag(3 * y))
    np.testing.assert_array_equal(Multiply().jacobians(x, y)["x"], np.diag(y))


@pytest.mark.parametrize("layer", [Add(), Subtract(), Multiply(), Divide(), Maximum(), Pow(), LogAddExp()])
def test_tables_say_what_local_says(layer):
    x, y = np.array([0.5, 2.0, 3.0]), np.array([1.5, -0.5, 2.0])
    z = layer.forward(x, y)
    for name, terms in layer.local(x, y, z).items():
        np.testing.assert_array_equal(layer.jacobians(x, y)[name], terms.bind((3,), (3,)).full())


def test_nothing_is_computed_for_arguments_that_are_constant():
    asked = []

    class Product(Multiply):
        diagonals = table(
            x=Diagonal("y", lambda x, y, z: asked.append("x") or y),
            y=Diagonal("x", lambda x, y, z: asked.append("y") or x),
        )

    found = jacobian(lambda x: Product()(x, np.array([2.0, 3.0])))(np.array([1.0, 1.0]))
    np.testing.assert_array_equal(found, np.diag([2.0, 3.0]))
    assert set(asked) == {"x"}


def test_parameters_may_be_annotated_in_any_way():
    class Written(Layer):
        a: "Parameter"
        b: "layers.Parameter"  # noqa: F821 - as in a module that imports another name for it

        def forward(self, x):
            return self.a * x + self.b

        def local(self, x, z):
            return {"x": term("a_i -> i;i", self.a), "a": term("x_i -> i;i", x), "b": term("-> i;i")}

    layer = Written([2.0, 3.0], [1.0, 1.0])
    assert list(layer.parameters) == ["a", "b"]
    np.testing.assert_array_equal(layer.jacobians([1.0, 4.0])["b"], np.eye(2))
