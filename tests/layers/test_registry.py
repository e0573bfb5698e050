"""The registry: complete, in order, and read from the docstrings."""

import subprocess
import sys

import pytest

import jacobians
from jacobians.layers import registry

PROMISED = [
    "Affine",
    "Linear",
    "Polynomial",
    "Embedding",
    "Einsum",
    "Identity",
    "Negative",
    "Exp",
    "Expm1",
    "Log",
    "Log1p",
    "Sqrt",
    "Square",
    "Reciprocal",
    "Power",
    "Abs",
    "Sin",
    "Cos",
    "Tan",
    "Sinh",
    "Cosh",
    "Tanh",
    "Arctan",
    "Arcsinh",
    "Erf",
    "Sigmoid",
    "LogSigmoid",
    "Softplus",
    "ReLU",
    "ReLU6",
    "LeakyReLU",
    "PReLU",
    "ELU",
    "SELU",
    "CELU",
    "GELU",
    "SiLU",
    "Mish",
    "Softsign",
    "HardTanh",
    "HardSigmoid",
    "HardSwish",
    "TanhShrink",
    "Clip",
    "Add",
    "Subtract",
    "Multiply",
    "Divide",
    "Maximum",
    "Minimum",
    "Pow",
    "Hypot",
    "Arctan2",
    "LogAddExp",
    "MatMul",
    "Dot",
    "Outer",
    "Kronecker",
    "QuadraticForm",
    "Sum",
    "Mean",
    "Product",
    "Variance",
    "Max",
    "Min",
    "LogSumExp",
    "Norm",
    "CumulativeSum",
    "Reshape",
    "Transpose",
    "Take",
    "Concatenate",
    "BroadcastTo",
    "Flip",
    "Pad",
    "Diagonal",
    "DiagonalMatrix",
    "Softmax",
    "LogSoftmax",
    "LayerNorm",
    "RMSNorm",
    "BatchNorm",
    "GroupNorm",
    "Conv1d",
    "Conv2d",
    "ConvTranspose2d",
    "MaxPool2d",
    "AvgPool2d",
    "ScaledDotProductAttention",
    "SelfAttention",
    "RNNCell",
    "LSTMCell",
    "GRUCell",
    "SquaredError",
    "MeanSquaredError",
    "AbsoluteError",
    "Huber",
    "Hinge",
    "SoftmaxCrossEntropy",
    "NegativeLogLikelihood",
    "BinaryCrossEntropy",
    "BinaryCrossEntropyWithLogits",
    "CrossEntropy",
    "KLDivergence",
    "ShannonEntropy",
    "BayesPosterior",
    "GaussianLogDensity",
    "Inverse",
    "PseudoInverse",
    "Determinant",
    "LogDet",
    "Trace",
    "Solve",
    "MatrixPower",
    "MatrixExponential",
    "SingularValues",
    "Cholesky",
    "SymmetricEigenvalues",
]


def test_every_promised_layer_is_there_and_no_other():
    assert sorted(e.name for e in registry.ENTRIES) == sorted(PROMISED) == sorted(jacobians.layers.__all__)
    assert all(getattr(jacobians, name).__name__ == name for name in PROMISED)


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
    families = [e.family for e in registry.ENTRIES]
    assert list(dict.fromkeys(families)) == [f for k, f in enumerate(families) if k == 0 or families[k - 1] != f]


def test_the_package_does_not_import_the_examples():
    code = "import sys, jacobians; print('jacobians.layers.examples' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
