"""Errors name the layer, the argument and the shapes."""

import numpy as np
import pytest

import jacobians.layers as L

Z = np.zeros
CASES = [
    (lambda: L.Affine(Z((3, 2)), Z(3))(Z(5)), "Affine: A is (3, 2), so the last axis of x must be 2; x is (5,)"),
    (lambda: L.Add()(Z(2), Z(3)), "Add: x and y must broadcast; x is (2,), y is (3,)"),
    (
        lambda: L.MatMul()(Z((2, 3)), Z((2, 3))),
        "MatMul: x must be (..., M, K) and y (..., K, N); x is (2, 3), y is (2, 3)",
    ),
    (lambda: L.MatMul()(Z((2, 2, 3)), Z((4, 3, 2))), "MatMul: the stacks of x and y must broadcast"),
    (lambda: L.MatMul()(1.0, Z(3)), "MatMul: x must be"),
    (lambda: L.Dot()(Z(2), Z(3)), "Dot: x is (2,), so y must be (..., 2, N) or (2,); y is (3,)"),
    (lambda: L.Einsum("ij,jk->ik")(Z((2, 3)), Z((2, 3))), "Einsum: label j is 3 in x0 but 2 in x1"),
    (lambda: L.Einsum("ij->ik"), "no input has the label k"),
    (lambda: L.Einsum("i->ii"), "a label stands twice in the output"),
    (lambda: L.Einsum("i1->i"), "labels must be letters"),
    (lambda: L.Einsum("ij->i")(Z(2)), "Einsum: x0 must have 2 axes"),
    (lambda: L.Polynomial([])(Z(2)), "Polynomial: theta must have at least one coefficient"),
    (lambda: L.Embedding(Z((3, 2)))([3]), "Embedding: index 3 is out of bounds for E of size 3"),
    (lambda: L.Embedding(Z((3, 2)))([0.5]), "Embedding: x must hold integers"),
    (lambda: L.Power([1, 2]), "Power: the exponent must be a number"),
    (lambda: L.Clip(1, 0), "Clip: low must be a number not above high"),
    (lambda: L.Softplus(beta=0), "Softplus: beta must be a positive number"),
    (lambda: L.Sum(axis=2)(Z(2)), "Sum: axis 2 is out of bounds"),
    (lambda: L.Sum(axis=(0, -1))(Z(2)), "names an axis twice"),
    (lambda: L.Max()(Z((0, 3))), "Max: there must be entries along axis None; x is (0, 3)"),
    (lambda: L.Mean(axis=0)(Z((0, 3))), "Mean: there must be entries"),
    (lambda: L.Reshape((2, 2))(Z(3)), "Reshape: the new shape is (2, 2), so x must have as many entries; x is (3,)"),
    (lambda: L.Transpose((0, 1, 2))(Z((2, 2))), "Transpose"),
    (lambda: L.Transpose((0, 0))(Z((2, 2))), "Transpose"),
    (lambda: L.Take([4], 0)(Z(3)), "Take: index 4 is out of bounds for axis 0 of x, which is (3,), of size 3"),
    (lambda: L.Take([0.5], 0), "Take: indices must hold integers"),
    (
        lambda: L.Concatenate(0)(Z((2, 3)), Z((2, 4))),
        "Concatenate: x is (2, 3), so y must be so but for axis 0; y is (2, 4)",
    ),
    (lambda: L.BroadcastTo((2,))(Z(3)), "BroadcastTo: the shape is (2,), so x must broadcast to it; x is (3,)"),
    (lambda: L.Pad(-1)(Z(3)), "Pad: the width must be of integers that are not negative"),
    (lambda: L.Pad(((1, 1), (1, 1), (1, 1)))(Z((2, 2))), "Pad: width"),
    (
        lambda: L.LayerNorm(Z(3), Z(3))(Z((2, 4))),
        "LayerNorm: gamma is (3,), so the last axis of x must be 3; x is (2, 4)",
    ),
    (
        lambda: L.BatchNorm(Z(3), Z(3))(Z((3, 2))),
        "BatchNorm: gamma is (3,), so the last axis of x must be 3; x is (3, 2)",
    ),
    (lambda: L.GroupNorm(Z(3), Z(3), 2), "GroupNorm: 2 groups must divide the channels; gamma is (3,)"),
    (
        lambda: L.Conv2d(Z((2, 3, 2, 2)), Z(2))(Z((2, 5, 5))),
        "Conv2d: W is (2, 3, 2, 2) and there is 1 group, so axis 0 of x must be 3",
    ),
    (lambda: L.Conv2d(Z((2, 1, 4, 4)), Z(2))(Z((1, 3, 3))), "Conv2d: the kernel reaches over (4, 4)"),
    (lambda: L.Conv1d(Z((2, 1, 2)), Z(2), stride=0), "Conv1d: stride must be an integer of at least 1"),
    (lambda: L.Conv2d(Z((2, 1, 2, 2)), Z(2), padding=(1, 1, 1)), "Conv2d: padding must be"),
    (lambda: L.Conv2d(Z((3, 1, 2, 2)), Z(3), groups=2), "Conv2d: 2 groups must divide the output channels"),
    (
        lambda: L.ConvTranspose2d(Z((1, 1, 2, 2)), Z(1), padding=3)(Z((1, 2, 2))),
        "ConvTranspose2d: the padding 3 leaves nothing",
    ),
    (
        lambda: L.MaxPool2d(3)(Z((2, 5))),
        "MaxPool2d: the size is (3, 3), so the last axes of x must be as large; x is (2, 5)",
    ),
    (lambda: L.AvgPool2d(2.5), "AvgPool2d: size must be an integer"),
    (lambda: L.ScaledDotProductAttention()(Z((2, 3)), Z((2, 4)), Z((2, 3))), "ScaledDotProductAttention: q is (2, 3)"),
    (lambda: L.SelfAttention(*[Z((4, 3))] * 3, Z((3, 4)), heads=3), "SelfAttention: 3 heads must divide"),
    (lambda: L.LSTMCell(Z((6, 2)), Z((6, 2)), Z(6)), "LSTMCell: Wh must be (4H, H)"),
    (
        lambda: L.GRUCell(Z((6, 2)), Z((6, 2)), Z(6), Z(6))(Z(3), Z(2)),
        "GRUCell: Wx is (6, 2), so the last axis of x must be 2",
    ),
    (lambda: L.SquaredError(Z(3))(Z((3, 1))), "SquaredError: the target is (3,), so x must be; x is (3, 1)"),
    (lambda: L.Hinge(Z((2, 2)))(Z(2)), "Hinge: the target is (2, 2), so x must be; x is (2,)"),
    (lambda: L.Huber(Z(2), delta=-1), "Huber: delta must be a positive number"),
    (lambda: L.SoftmaxCrossEntropy([3])(Z((1, 3))), "SoftmaxCrossEntropy: labels must be 0 … 2; there is 3"),
    (lambda: L.SoftmaxCrossEntropy([-1])(Z((1, 3))), "labels must be 0 … 2; there is -1"),
    (lambda: L.SoftmaxCrossEntropy([0.0])(Z((1, 3))), "SoftmaxCrossEntropy: labels must be integers"),
    (lambda: L.SoftmaxCrossEntropy([0, 1])(Z((3, 3))), "so the target must be (3,) or (3, 3); it is (2,)"),
    (lambda: L.SoftmaxCrossEntropy(0, reduction="max"), "reduction must be"),
    (lambda: L.CrossEntropy()(Z(2), Z(3)), "CrossEntropy: p is (2,), so the last axis of q must be 2; q is (3,)"),
    (lambda: L.BayesPosterior()([0.5, 0.5], [0.0, 0.0]), "BayesPosterior: the evidence"),
    (
        lambda: L.GaussianLogDensity()(Z(2), Z(2), -np.eye(2)),
        "GaussianLogDensity: covariance must be positive definite",
    ),
    (lambda: L.Inverse()(Z((2, 3))), "Inverse: x is (2, 3), so the last axis of x must be 2; x is (2, 3)"),
    (lambda: L.Inverse()(Z((2, 2))), "Inverse: x is singular"),
    (lambda: L.LogDet()(Z((2, 2))), "LogDet: x is singular"),
    (lambda: L.Solve()(Z((2, 2)), Z(2)), "Solve: A is singular"),
    (lambda: L.Solve()(np.eye(2), Z(3)), "Solve: A is (2, 2), so b must be (2,) or (..., 2, C); b is (3,)"),
    (lambda: L.MatrixPower(-1)(Z((2, 2))), "MatrixPower: x is singular"),
    (lambda: L.MatrixPower(0.5), "MatrixPower: n must be an integer"),
    (lambda: L.PseudoInverse().jacobians(Z((2, 3))), "PseudoInverse: x must have full rank"),
    (lambda: L.Cholesky()(-np.eye(2)), "Cholesky: x must be positive definite"),
    (lambda: L.Trace()(Z(3)), "Trace: x must have at least 2 axes"),
    (lambda: L.Determinant()(Z((2, 3))), "Determinant: x is (2, 3)"),
]


@pytest.mark.parametrize(("call", "message"), CASES, ids=lambda v: v[:40] if isinstance(v, str) else "")
def test_message(call, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared below
        call()
    assert message in str(error.value)
