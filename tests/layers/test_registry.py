"""The registry: complete, in order, and read from the docstrings."""

import subprocess
import sys
from importlib import import_module

import pytest

import jacobians
from jacobians.core.layer import Layer
from jacobians.layers import registry


def layers_written_in(module):
    """The layers that a module makes, but for those that are only to be built upon."""
    return [
        one.__name__
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Layer) and one.__module__ == module.__name__ and one.__doc__
        and one.__name__[0] != "_" and one not in bases(module)
    ]  # fmt: skip


def bases(module):
    every = [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, Layer)]
    return {base for one in every for base in one.__bases__}


def test_every_layer_of_the_modules_is_in_the_catalogue():
    found = {}
    for family in registry.FAMILIES:
        module = import_module(f"jacobians.layers.{family}")
        assert sorted(layers_written_in(module)) == sorted(module.__all__), family
        found |= dict.fromkeys(module.__all__, module)
    assert sorted(found) == sorted(jacobians.layers.__all__) == sorted(e.name for e in registry.entries())
    assert all(getattr(jacobians, name) is getattr(module, name) for name, module in found.items())


@pytest.mark.parametrize("one", registry.entries(), ids=lambda e: e.name)
def test_docstrings_say_formula_jacobians_shapes_and_source(one):
    assert one.formula.endswith(".")
    assert len(one.formula) <= 120
    assert one.formula.count("\n") == 0
    assert "∂" in one.jacobians
    assert one.shapes.endswith(".")
    assert one.source.endswith(".")
    assert not any(
        "Source:" in part or "Shapes:" in part for part in (one.formula, one.jacobians, one.shapes, one.source)
    )
    assert ">>>" in one.layer.__doc__


@pytest.mark.parametrize("one", registry.entries(), ids=lambda e: e.name)
def test_examples(one):
    assert len(one.examples) >= (1 if one.name == "Outer" else 2)
    for layer, inputs in one.examples:
        assert type(layer) is one.layer
        assert len(inputs) == len(layer.input_names)
    again = one.examples
    assert all(
        (x == y).all() for (_, a), (_, b) in zip(one.examples, again, strict=True) for x, y in zip(a, b, strict=True)
    )


def test_entry_by_name():
    assert registry.entry("softmax").name == "Softmax"
    with pytest.raises(KeyError, match="SoftmaxCrossEntropy"):
        registry.entry("Softmaks")


def test_families_keep_together():
    families = [e.family for e in registry.entries()]
    assert list(dict.fromkeys(families)) == [f for k, f in enumerate(families) if k == 0 or families[k - 1] != f]


def test_the_package_does_not_import_the_examples():
    code = "import sys, jacobians; print('jacobians.layers.examples' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
