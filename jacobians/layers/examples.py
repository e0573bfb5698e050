"""Example arguments for every layer: a row of the table makes a list of layers and their inputs.

``a(3, 2)`` is an array of that shape of numbers around zero, ``p(3)`` one of positive numbers, ``n(4, 5)`` integers
below 4 of shape (5,), ``s(3)`` a symmetric positive definite matrix. They are the same at every call.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import jacobians.layers as L
from jacobians.core.layer import Array, Layer

Example = tuple[Layer, tuple[Array, ...]]
Rows = list[tuple[Any, ...]]


class Numbers:
    """Reproducible numbers without ties, kinks or other coincidences."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def a(self, *shape: int) -> Array:
        """Numbers around zero."""
        return self.random.normal(size=shape)

    def p(self, *shape: int) -> Array:
        """Positive numbers."""
        return self.random.uniform(0.2, 1.8, size=shape)

    def n(self, below: int, *shape: int) -> Array:
        """Integers from 0 on."""
        return self.random.integers(below, size=shape)

    def s(self, size: int, *stack: int) -> Array:
        """Symmetric positive definite matrices."""
        root = self.random.normal(size=(*stack, size, size))
        return np.asarray(root @ np.swapaxes(root, -1, -2) + 0.5 * np.eye(size))

    def d(self, *shape: int) -> Array:
        """Distributions along the last axis."""
        numbers = self.p(*shape)
        return np.asarray(numbers / numbers.sum(axis=-1, keepdims=True))


def entrywise(layer: Layer, sample: Callable[..., Array]) -> Rows:
    """Draw a vector, a matrix and a number."""
    return [(layer, sample(4)), (layer, sample(2, 3)), (layer, sample())]


def binary(layer: Layer, sample: Callable[..., Array]) -> Rows:
    """Equal shapes, scalar expansion both ways, and broadcasting along different axes."""
    return [
        (layer, sample(3), sample(3)),
        (layer, sample(2, 3), sample()),
        (layer, sample(), sample(3)),
        (layer, sample(2, 1), sample(3)),
        (layer, sample(1, 3), sample(2, 2, 1)),
    ]


def reduction(layer: Callable[..., Layer], sample: Callable[..., Array]) -> Rows:
    """All axes, one, several, and kept ones."""
    return [
        (layer(), sample(4)),
        (layer(), sample(2, 3)),
        (layer(axis=-1), sample(2, 3)),
        (layer(axis=0), sample(3, 2, 2)),
        (layer(axis=(0, 2), keepdims=True), sample(2, 3, 2)),
        (layer(axis=1, keepdims=True), sample(2, 3)),
        (layer(), sample()),
    ]


def each(names: str, make: Callable[[Any], Rows]) -> dict[str, Callable[[], Rows]]:
    """Make the examples of several layers in one way."""
    return {name: partial(make, getattr(L, name)) for name in names.split()}


def table(r: Numbers) -> dict[str, Callable[[], Rows]]:
    """For every layer the function that makes its examples: rows of a layer and its inputs."""
    a, p, n, s, d = r.a, r.p, r.n, r.s, r.d
    numbers = (
        "Identity Negative Exp Expm1 Square Sin Cos Sinh Cosh Tanh Arctan Arcsinh Erf Sigmoid LogSigmoid SiLU Mish"
    )
    matrix = "Inverse Determinant LogDet Trace MatrixExponential"
    rows = {
        **each(numbers, lambda layer: entrywise(layer(), a)),
        **each("Softsign Abs ReLU SELU TanhShrink", lambda layer: entrywise(layer(), a)),
        **each("Exp2 Sinc", lambda layer: entrywise(layer(), a)),
        **each("Log Log1p Log2 Log10 Sqrt Cbrt Reciprocal Tan", lambda layer: entrywise(layer(), p)),
        **each("Arcsin Arccos Arctanh", lambda layer: entrywise(layer(), lambda *shape: p(*shape) - 1)),
        "Arccosh": lambda: entrywise(L.Arccosh(), lambda *shape: 1 + p(*shape)),
        **each("ReLU6 HardTanh HardSigmoid HardSwish", lambda layer: entrywise(layer(), lambda *shape: 4 * a(*shape))),
        **each("Add Subtract Multiply Maximum Minimum Hypot Arctan2 LogAddExp", lambda layer: binary(layer(), a)),
        **each("Divide Pow", lambda layer: binary(layer(), p)),
        **each("Sum Mean Product Variance StandardDeviation Max Min LogSumExp", lambda layer: reduction(layer, a)),
        **each(matrix, lambda layer: [(layer(), a(3, 3)), (layer(), a(2, 3, 3)), (layer(), a(1, 1))]),
        **each(
            "MeanSquaredError AbsoluteError",
            lambda layer: [(layer(a(*shape)), a(*shape)) for shape in ((3,), (2, 3), ())],
        ),
    }
    return {
        **rows,
        "Affine": lambda: [
            (L.Affine(a(3, 2), a(3)), a(2)),
            (L.Affine(a(3, 2), a(3)), a(4, 2)),
            (L.Affine(a(1, 2), a(1)), a(2, 3, 2)),
        ],
        "Linear": lambda: [(L.Linear(a(3, 2)), a(2)), (L.Linear(a(2, 3)), a(4, 3))],
        "Polynomial": lambda: [
            (L.Polynomial(a(4)), a(3)),
            (L.Polynomial(a(3)), a(2, 3)),
            (L.Polynomial(a(1)), a()),
            (L.Polynomial(a(2)), a(2)),
        ],
        "Embedding": lambda: [
            (L.Embedding(a(5, 2)), n(5, 3)),
            (L.Embedding(a(4, 3)), n(4, 2, 3)),
            (L.Embedding(a(4, 3)), n(4)),
        ],
        "Power": lambda: [*entrywise(L.Power(3), a), *entrywise(L.Power(-1.5), p), *entrywise(L.Power(0), a)],
        "Clip": lambda: entrywise(L.Clip(-0.5, 0.7), a),
        "Softplus": lambda: [*entrywise(L.Softplus(), a), *entrywise(L.Softplus(beta=2.5), a)],
        "LeakyReLU": lambda: [*entrywise(L.LeakyReLU(), a), *entrywise(L.LeakyReLU(slope=0.3), a)],
        "PReLU": lambda: [(L.PReLU(p(4)), a(4)), (L.PReLU(p(3)), a(2, 3)), (L.PReLU(p(2)), a(2, 3, 2))],
        "ELU": lambda: [*entrywise(L.ELU(), a), *entrywise(L.ELU(alpha=0.4), a)],
        "CELU": lambda: [*entrywise(L.CELU(), a), *entrywise(L.CELU(alpha=0.4), a)],
        "GELU": lambda: [*entrywise(L.GELU(), a), *entrywise(L.GELU(approximate=True), a)],
        "SparseMatMul": lambda: [
            (L.SparseMatMul([5.0, 6.0, 7.0, 8.0], [0, 1, 1, 0], [1, 0, 1, 1], (3, 2)), a(2)),
            (L.SparseMatMul([5.0, 6.0, 7.0], [0, 1, 1], [1, 0, 2], (2, 3)), a(3, 4)),
            (L.SparseMatMul([5, 6], [0, 1], [1, 1], (2, 2)), a(2, 2, 3)),
        ],
        "MatMul": lambda: [
            (L.MatMul(), a(2, 3), a(3, 4)),
            (L.MatMul(), a(3), a(3)),
            (L.MatMul(), a(2, 3), a(3)),
            (L.MatMul(), a(3), a(3, 2)),
            (L.MatMul(), a(4, 2, 3), a(4, 3, 2)),
            (L.MatMul(), a(2, 3), a(4, 3, 2)),
            (L.MatMul(), a(4, 2, 3), a(3)),
            (L.MatMul(), a(2, 1, 2, 3), a(3, 3, 2)),
            (L.MatMul(), a(3), a(2, 3, 2)),
        ],
        "Dot": lambda: [
            (L.Dot(), a(3), a(3)),
            (L.Dot(), a(2, 3), a(3)),
            (L.Dot(), a(2, 3), a(4, 3, 2)),
            (L.Dot(), a(2), a()),
            (L.Dot(), a(), a(2, 2)),
        ],
        "Outer": lambda: [(L.Outer(), a(3), a(2))],
        "Kronecker": lambda: [
            (L.Kronecker(), a(2, 3), a(3, 2)),
            (L.Kronecker(), a(3), a(2)),
            (L.Kronecker(), a(2), a(2, 3)),
            (L.Kronecker(), a(2, 1, 2), a(2)),
        ],
        "QuadraticForm": lambda: [(L.QuadraticForm(), a(3), a(3, 3)), (L.QuadraticForm(), a(4, 2), a(2, 2))],
        "Einsum": lambda: [
            (L.Einsum("ik,kj->ij"), a(2, 3), a(3, 4)),
            (L.Einsum("ii->i"), a(3, 3)),
            (L.Einsum("ij->"), a(2, 3)),
            (L.Einsum("i,ij,j->"), a(2), a(2, 3), a(3)),
            (L.Einsum("...ij,...j->...i"), a(2, 2, 3), a(3)),
            (L.Einsum("ij,jk"), a(2, 3), a(3, 2)),
            (L.Einsum("ij,k->k"), a(2, 3), a(4)),
            (L.Einsum("ii,j->j"), a(2, 2), a(3)),
        ],
        "Norm": lambda: [
            *reduction(L.Norm, a),
            *[(L.Norm(axis=-1, p=p), a(2, 3)) for p in (1, 3.5, 0.5, -2)],
            (L.Norm(p=3), a(2, 2)),
        ],
        "CumulativeSum": lambda: [
            (L.CumulativeSum(0), a(4)),
            (L.CumulativeSum(1), a(2, 3)),
            (L.CumulativeSum(-2), a(3, 2)),
        ],
        "Reshape": lambda: [
            (L.Reshape((2, 6)), a(12)),
            (L.Reshape(-1), a(2, 3, 2)),
            (L.Reshape((3, -1)), a(6, 4)),
            (L.Reshape((3, 2)), a(2, 3)),
            (L.Reshape((2, 1, 3)), a(6)),
            (L.Reshape((5, 3, 2)), a(5, 2, 3)),
            (L.Reshape(()), a(1)),
            (L.Reshape((4, 1, 3)), a(4, 3)),
        ],
        "Transpose": lambda: [
            (L.Transpose(), a(2, 3)),
            (L.Transpose((1, 2, 0)), a(2, 3, 4)),
            (L.Transpose((0, -1, 1)), a(2, 3, 4)),
            (L.Transpose(), a(3)),
        ],
        "Take": lambda: [
            (L.Take([2, 0, 2, -1], 0), a(4)),
            (L.Take([[1, 0], [2, 2]], 1), a(2, 3)),
            (L.Take(1, -1), a(2, 3)),
            (L.Take([5, 0], None), a(2, 3)),
        ],
        "Concatenate": lambda: [
            (L.Concatenate(0), a(3), a(2)),
            (L.Concatenate(1), a(2, 3), a(2, 2)),
            (L.Concatenate(-2), a(1, 2), a(3, 2)),
        ],
        "BroadcastTo": lambda: [
            (L.BroadcastTo((2, 3)), a(3)),
            (L.BroadcastTo((2, 3)), a(2, 1)),
            (L.BroadcastTo(4), a()),
            (L.BroadcastTo((2, 2, 3)), a(2, 1, 3)),
        ],
        "Flip": lambda: [
            (L.Flip(0), a(4)),
            (L.Flip(-1), a(2, 3)),
            (L.Flip(None), a(2, 3)),
            (L.Flip((0, 2)), a(2, 2, 3)),
        ],
        "Pad": lambda: [
            (L.Pad(1), a(3)),
            (L.Pad((2, 0)), a(2, 3)),
            (L.Pad(((0, 1), (2, 0))), a(2, 3)),
            (L.Pad(0), a(2)),
        ],
        "Diagonal": lambda: [(L.Diagonal(), a(3, 3)), (L.Diagonal(), a(2, 3)), (L.Diagonal(), a(4, 3, 2))],
        "DiagonalMatrix": lambda: [(L.DiagonalMatrix(), a(3)), (L.DiagonalMatrix(), a(2, 3))],
        "Scatter": lambda: [
            (L.Scatter([2, 0, 2], (4,)), a(3)),
            (L.Scatter([[5, 1], [0, 5]], (2, 3)), a(2, 2)),
            (L.Scatter(1, (2,)), a()),
            (L.Scatter([[1, 3], [5, 7]], (8,)), a(2, 2)),
        ],
        "Where": lambda: [
            (L.Where([True, False, True]), a(3), a(3)),
            (L.Where([[True], [False]]), a(3), a(2, 1)),
            (L.Where(True), a(2), a()),
        ],
        "CumulativeProduct": lambda: [
            (L.CumulativeProduct(0), a(4)),
            (L.CumulativeProduct(-1), a(2, 3)),
            (L.CumulativeProduct(1), a(2, 3, 2)),
        ],
        "Convolve": lambda: [
            (L.Convolve(), a(4), a(3)),
            (L.Convolve("same"), a(3), a(4)),
            (L.Convolve("valid"), a(5), a(2)),
            (L.Convolve("valid"), a(2), a(2)),
        ],
        "Rearrange": lambda: [
            (L.Rearrange(np.arange(6).reshape(2, 3).T, (2, 3)), a(2, 3)),
            (L.Rearrange([4, -1, 0, 4], (2, 3)), a(2, 3)),
            (L.Rearrange([[[1, 3]], [[5, 7]]], (8,)), a(8)),
            (L.Rearrange([0, 0], ()), a()),
        ],
        "Assemble": lambda: [
            (L.Assemble([[(0, 1, 2)], [2]], (3,)), a(2), a()),
            (L.Assemble([[(0, 1, 2), (0, 1, 2)], [(0, 1, 2), (2, 2, 1)]], (2, 4)), a(2, 2), a(2, 1)),
            (L.Assemble([[1, (0, 1, 3)], [0, (1, 1, 2)]], (2, 3)), a(3), a(2)),
        ],
        "Replace": lambda: [
            (L.Replace([(0,), (slice(1, 3),)], (4,)), a(4), a(), a(2)),
            (L.Replace([(slice(None), 1), (0,)], (2, 3)), a(2, 3), a(2), a(3)),
            (L.Replace([np.array([0, 5, 0])], (2, 3)), a(2, 3), a(3)),
        ],
        "Softmax": lambda: [
            (L.Softmax(), a(4)),
            (L.Softmax(), a(2, 3)),
            (L.Softmax(axis=0), a(3, 2)),
            (L.Softmax(axis=1), a(2, 3, 2)),
        ],
        "LogSoftmax": lambda: [
            (L.LogSoftmax(), a(4)),
            (L.LogSoftmax(), a(2, 3)),
            (L.LogSoftmax(axis=0), a(3, 2)),
            (L.LogSoftmax(axis=1), a(2, 3, 2)),
        ],
        "LayerNorm": lambda: [
            (L.LayerNorm(a(4), a(4)), a(4)),
            (L.LayerNorm(a(3), a(3), eps=0.1), a(2, 3)),
            (L.LayerNorm(a(3), a(3)), a(2, 2, 3)),
        ],
        "RMSNorm": lambda: [
            (L.RMSNorm(a(4)), a(4)),
            (L.RMSNorm(a(3), eps=0.1), a(2, 3)),
            (L.RMSNorm(a(3)), a(2, 2, 3)),
        ],
        "BatchNorm": lambda: [
            (L.BatchNorm(a(3), a(3)), a(4, 3)),
            (L.BatchNorm(a(2), a(2), eps=0.1), a(3, 2, 2)),
            (L.BatchNorm(a(2), a(2)), a(2, 2, 2, 3)),
        ],
        "GroupNorm": lambda: [
            (L.GroupNorm(a(4), a(4), 2), a(2, 4)),
            (L.GroupNorm(a(4), a(4), 2, eps=0.1), a(2, 4, 3)),
            (L.GroupNorm(a(2), a(2), 1), a(1, 2, 2, 2)),
            (L.GroupNorm(a(3), a(3), 3), a(2, 3, 2)),
        ],
        "Conv1d": lambda: [
            (L.Conv1d(a(3, 2, 2), a(3)), a(2, 5)),
            (L.Conv1d(a(3, 2, 3), a(3), stride=2, padding=1), a(2, 2, 6)),
            (L.Conv1d(a(4, 1, 2), a(4), dilation=2, groups=2, padding=2), a(2, 2, 5)),
            (L.Conv1d(a(2, 2, 1), a(2), stride=3), a(2, 2, 2, 5)),
        ],
        "Conv2d": lambda: [
            (L.Conv2d(a(2, 3, 2, 3), a(2)), a(3, 4, 5)),
            (L.Conv2d(a(3, 2, 3, 3), a(3), stride=2, padding=1), a(2, 2, 5, 4)),
            (L.Conv2d(a(4, 1, 2, 2), a(4), stride=(1, 2), padding=(0, 1), dilation=(2, 1), groups=2), a(2, 2, 4, 4)),
            (L.Conv2d(a(2, 1, 1, 2), a(2), dilation=3, groups=2), a(2, 3, 5)),
        ],
        "ConvTranspose2d": lambda: [
            (L.ConvTranspose2d(a(2, 3, 2, 3), a(3)), a(2, 3, 2)),
            (L.ConvTranspose2d(a(2, 1, 3, 2), a(1), stride=2, padding=1), a(2, 2, 2, 3)),
            (L.ConvTranspose2d(a(1, 2, 2, 2), a(2), stride=(3, 1), padding=(0, 1)), a(1, 2, 3)),
        ],
        "MaxPool2d": lambda: [
            (L.MaxPool2d(2), a(4, 6)),
            (L.MaxPool2d((2, 3), stride=1), a(2, 4, 5)),
            (L.MaxPool2d(3, stride=(2, 1)), a(2, 2, 5, 5)),
        ],
        "AvgPool2d": lambda: [
            (L.AvgPool2d(2), a(4, 6)),
            (L.AvgPool2d((2, 3), stride=1), a(2, 4, 5)),
            (L.AvgPool2d(3, stride=(2, 1)), a(2, 2, 5, 5)),
        ],
        "ScaledDotProductAttention": lambda: [
            (L.ScaledDotProductAttention(), a(3, 2), a(4, 2), a(4, 3)),
            (L.ScaledDotProductAttention(causal=True), a(3, 2), a(3, 2), a(3, 2)),
            (L.ScaledDotProductAttention(), a(2, 2, 3), a(2, 3, 3), a(2, 3, 1)),
        ],
        "SelfAttention": lambda: [
            (L.SelfAttention(a(4, 3), a(4, 3), a(4, 3), a(3, 4)), a(3, 3)),
            (L.SelfAttention(a(4, 3), a(4, 3), a(2, 3), a(3, 2), heads=2, causal=True), a(4, 3)),
            (L.SelfAttention(a(4, 3), a(4, 3), a(6, 3), a(2, 6), heads=2), a(2, 3, 3)),
        ],
        "RNNCell": lambda: [
            (L.RNNCell(a(3, 2), a(3, 3), a(3)), a(2), a(3)),
            (L.RNNCell(a(2, 3), a(2, 2), a(2)), a(4, 3), a(4, 2)),
        ],
        "LSTMCell": lambda: [
            (L.LSTMCell(a(12, 2), a(12, 3), a(12)), a(2), a(3), a(3)),
            (L.LSTMCell(a(8, 3), a(8, 2), a(8)), a(2, 3), a(2, 2), a(2, 2)),
        ],
        "GRUCell": lambda: [
            (L.GRUCell(a(9, 2), a(9, 3), a(9), a(9)), a(2), a(3)),
            (L.GRUCell(a(6, 3), a(6, 2), a(6), a(6)), a(2, 3), a(2, 2)),
        ],
        "SquaredError": lambda: [(L.SquaredError(a(3)), a(3)), (L.SquaredError(a(2, 3), scale=2), a(2, 3))],
        "Huber": lambda: [(L.Huber(a(4)), a(4)), (L.Huber(a(2, 3), delta=0.3), a(2, 3))],
        "Hinge": lambda: [(L.Hinge([1, -1, 1, -1]), a(4)), (L.Hinge([[1, -1], [-1, -1]]), a(2, 2))],
        "SoftmaxCrossEntropy": lambda: [
            (L.SoftmaxCrossEntropy(2), a(4)),
            (L.SoftmaxCrossEntropy(n(3, 4)), a(4, 3)),
            (L.SoftmaxCrossEntropy(d(2, 3), reduction="mean"), a(2, 3)),
            (L.SoftmaxCrossEntropy(n(3, 2), reduction="none"), a(2, 3)),
            (L.SoftmaxCrossEntropy(n(3, 2, 2), reduction="mean"), a(2, 2, 3)),
            (L.SoftmaxCrossEntropy(p(3), reduction="none"), a(3)),
        ],
        "NegativeLogLikelihood": lambda: [
            (L.NegativeLogLikelihood(2), a(4)),
            (L.NegativeLogLikelihood(n(3, 4)), a(4, 3)),
            (L.NegativeLogLikelihood(d(2, 3)), a(2, 3)),
        ],
        "BinaryCrossEntropy": lambda: [
            (L.BinaryCrossEntropy([1, 0, 0.3]), p(3) / 2),
            (L.BinaryCrossEntropy(d(2, 3)), p(2, 3) / 2),
        ],
        "BinaryCrossEntropyWithLogits": lambda: [
            (L.BinaryCrossEntropyWithLogits([1, 0, 0.3]), a(3)),
            (L.BinaryCrossEntropyWithLogits(d(2, 3)), a(2, 3)),
        ],
        "CrossEntropy": lambda: [(L.CrossEntropy(), d(3), d(3)), (L.CrossEntropy(), d(2, 3), d(2, 3))],
        "KLDivergence": lambda: [(L.KLDivergence(), d(3), d(3)), (L.KLDivergence(), d(2, 3), d(2, 3))],
        "ShannonEntropy": lambda: [(L.ShannonEntropy(), d(4)), (L.ShannonEntropy(), d(2, 3))],
        "BayesPosterior": lambda: [(L.BayesPosterior(), d(3), p(3)), (L.BayesPosterior(), d(2, 3), p(2, 3))],
        "GaussianLogDensity": lambda: [
            (L.GaussianLogDensity(), a(3), a(3), s(3)),
            (L.GaussianLogDensity(), a(4, 2), a(2), s(2)),
        ],
        "PseudoInverse": lambda: [
            (L.PseudoInverse(), a(3, 2)),
            (L.PseudoInverse(), a(2, 3)),
            (L.PseudoInverse(), a(2, 3, 2)),
            (L.PseudoInverse(), a(2, 2)),
        ],
        "Solve": lambda: [
            (L.Solve(), a(3, 3), a(3)),
            (L.Solve(), a(3, 3), a(3, 2)),
            (L.Solve(), a(2, 3, 3), a(2, 3, 2)),
            (L.Solve(), a(2, 2, 2), a(2)),
            (L.Solve(), a(2, 2), a(3, 2, 1)),
            (L.Solve(), a(2, 2, 2), a(2, 3)),
        ],
        "MatrixPower": lambda: [
            (L.MatrixPower(3), a(3, 3)),
            (L.MatrixPower(-2), a(2, 2)),
            (L.MatrixPower(0), a(2, 2)),
            (L.MatrixPower(1), a(2, 2)),
            (L.MatrixPower(2), a(2, 2, 2)),
        ],
        "SingularValues": lambda: [
            (L.SingularValues(), a(3, 2)),
            (L.SingularValues(), a(2, 3)),
            (L.SingularValues(), a(2, 2, 2)),
            (L.SingularValues((1,), distinct=True), a(3, 2)),
        ],
        "SymmetricEigenvalues": lambda: [
            (L.SymmetricEigenvalues(), a(3, 3)),
            (L.SymmetricEigenvalues(), a(2, 3, 3)),
            (L.SymmetricEigenvalues(), a(1, 1)),
            (L.SymmetricEigenvalues("lower"), a(3, 3)),
            (L.SymmetricEigenvalues("upper", (2, 0), distinct=True), a(2, 3, 3)),
        ],
        "NuclearNorm": lambda: [(L.NuclearNorm(), a(3, 2)), (L.NuclearNorm(), a(2, 2, 3))],
        "Cholesky": lambda: [
            (L.Cholesky(), s(3)),
            (L.Cholesky(), s(2, 2)),
            (L.Cholesky(), s(1)),
            (L.Cholesky("lower"), s(3)),
            (L.Cholesky("upper"), s(2, 2)),
        ],
        "SymmetricEigenvectors": lambda: [
            (L.SymmetricEigenvectors(), a(3, 3)),
            (L.SymmetricEigenvectors("lower"), a(2, 2, 2)),
            (L.SymmetricEigenvectors("upper", (2, 0)), a(3, 3)),
        ],
        "LeftSingularVectors": lambda: [
            (L.LeftSingularVectors(), a(3, 2)),
            (L.LeftSingularVectors(), a(2, 3)),
            (L.LeftSingularVectors(), a(2, 2, 2)),
            (L.LeftSingularVectors((1,)), a(4, 3)),
        ],
        "Eigenvalues": lambda: [(L.Eigenvalues(), s(3) @ s(3)), (L.Eigenvalues(), s(2, 2) @ s(2, 2))],
        "Eigenvectors": lambda: [(L.Eigenvectors(), s(3) @ s(3)), (L.Eigenvectors(), s(2, 2) @ s(2, 2))],
        "OrthogonalFactor": lambda: [(L.OrthogonalFactor(), a(3, 2)), (L.OrthogonalFactor(), 5 * a(2, 2, 2))],
        "TriangularFactor": lambda: [(L.TriangularFactor(), a(3, 2)), (L.TriangularFactor(), 2 * a(2, 2, 2))],
        "PolynomialValue": lambda: [
            (L.PolynomialValue(), a(4), a(3)),
            (L.PolynomialValue(), a(3), a(2, 2)),
            (L.PolynomialValue(), a(1), a()),
        ],
        "LeastSquares": lambda: [
            (L.LeastSquares(), a(4, 2), a(4)),
            (L.LeastSquares(), a(4, 2), a(4, 3)),
            (L.LeastSquares(), a(2, 3), a(2)),
            (L.LeastSquares(), a(2, 2), a(2, 1)),
        ],
    }


def examples(name: str) -> list[Example]:
    """Layers and their inputs, for the layer of this name."""
    numbers = Numbers(sum(map(ord, name)))
    return [(layer, inputs) for layer, *rest in table(numbers)[name]() for inputs in (tuple(map(np.asarray, rest)),)]
