"""Losses: a number for an output x and its target, summed over all entries unless said.

Index legend: i, j entries; c classes; ... examples. Targets are options; they have the shape of x, except labels.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from jacobians.core.layer import Array, Layer, Local
from jacobians.core.terms import term
from jacobians.core.vectors import numbers
from jacobians.layers import stable
from jacobians.layers.activations import require_positive
from jacobians.layers.probability import over
from jacobians.layers.softmax import log_sum_exp, peak, softmax

__all__ = [
    "AbsoluteError",
    "BinaryCrossEntropy",
    "BinaryCrossEntropyWithLogits",
    "Hinge",
    "Huber",
    "MeanSquaredError",
    "NegativeLogLikelihood",
    "SoftmaxCrossEntropy",
    "SquaredError",
]


class Loss(Layer):
    """A loss with a target, which it owns."""

    target: Any
    holomorphic = False

    def __post_init__(self) -> None:
        target = numbers(self.target, f"{type(self).__name__}: target").copy()
        target.flags.writeable = False
        object.__setattr__(self, "target", target)
        super().__post_init__()

    def goal(self, x: Array) -> Array:
        """The target as an array like x."""
        if x.shape != self.target.shape:
            raise ValueError(f"{type(self).__name__}: the target is {self.target.shape}, so x must be; x is {x.shape}")
        return np.asarray(self.target, x.dtype)


class SquaredError(Loss):
    """L = scale · Σ_i (x_i − t_i)²; the lecture's ½‖t − x‖² by default.

    ∂L/∂x_i = 2 scale (x_i − t_i).
    Shapes: target (...), x (...) give L ().
    Source: the lecture, multivariate chain rule and putting things together.

    Examples
    --------
    >>> SquaredError([1.0, 2.0]).jacobians([2.0, 0.0])["x"]
    array([ 1., -2.])
    """

    scale: float = 0.5

    def forward(self, x: Array) -> Array:
        e = x - self.goal(x)
        return np.asarray(float(self.scale) * np.vdot(e, e))

    def local(self, x: Array, L: Array) -> Local:
        return {"x": 2 * self.scale * term("(x-t)_... -> ;...", x - self.goal(x))}


class MeanSquaredError(Loss):
    """L = 1/N Σ_i (x_i − t_i)², the mean over all N entries.

    ∂L/∂x_i = 2/N (x_i − t_i).
    Shapes: target (...), x (...) give L ().
    Errors: ValueError for a mean of nothing.
    Source: ``torch.nn.MSELoss``.

    Examples
    --------
    >>> MeanSquaredError([1.0, 2.0]).jacobians([2.0, 0.0])["x"]
    array([ 1., -2.])
    """

    def forward(self, x: Array) -> Array:
        e = x - self.goal(x)
        if not e.size:
            raise ValueError(f"MeanSquaredError: there must be entries; x is {x.shape}")
        return np.asarray((e * e).mean())

    def local(self, x: Array, L: Array) -> Local:
        return {"x": 2 / x.size * term("(x-t)_... -> ;...", x - self.goal(x))}


class AbsoluteError(Loss):
    """L = Σ_i |x_i − t_i|.

    ∂L/∂x_i = sign(x_i − t_i); at the kink x_i = t_i it is 0.
    Shapes: target (...), x (...) give L ().
    Source: ``torch.nn.L1Loss``, summed.

    Examples
    --------
    >>> AbsoluteError([1.0, 2.0]).jacobians([5.0, 0.0])["x"]
    array([ 1., -1.])
    """

    def forward(self, x: Array) -> Array:
        return np.asarray(np.abs(x - self.goal(x)).sum())

    def local(self, x: Array, L: Array) -> Local:
        return {"x": term("sign(x-t)_... -> ;...", np.sign(x - self.goal(x)))}


class Huber(Loss):
    """L = Σ_i ½ e_i² where |e_i| ≤ δ, else δ (|e_i| − ½ δ), for e = x − t.

    ∂L/∂x_i = min(max(−δ, e_i), δ); there is no kink.
    Shapes: target (...), x (...) give L ().
    Source: Huber, Robust estimation of a location parameter; ``torch.nn.HuberLoss``, summed.

    Examples
    --------
    >>> Huber([0.0, 0.0]).jacobians([0.5, -3.0])["x"]
    array([ 0.5, -1. ])
    """

    delta: float = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive("Huber", "delta", self.delta)

    def forward(self, x: Array) -> Array:
        e = np.abs(x - self.goal(x))
        inner = np.minimum(e, float(self.delta))
        return np.asarray((inner * (e - inner / 2)).sum())

    def local(self, x: Array, L: Array) -> Local:
        slope = np.clip(x - self.goal(x), -float(self.delta), float(self.delta))
        return {"x": term("clip(x-t)_... -> ;...", slope)}


class Hinge(Loss):
    """L = Σ_i max(0, 1 − t_i x_i) for targets of ±1.

    ∂L/∂x_i = −t_i [t_i x_i < 1]; at the kink t_i x_i = 1 it is 0.
    Shapes: target (...), x (...) give L ().
    Source: Cortes & Vapnik, Support-vector networks.

    Examples
    --------
    >>> Hinge([1.0, -1.0]).jacobians([0.5, -2.0])["x"]
    array([-1.,  0.])
    """

    def forward(self, x: Array) -> Array:
        return np.asarray(np.maximum(0, 1 - self.goal(x) * x).sum())

    def local(self, x: Array, L: Array) -> Local:
        t = self.goal(x)
        return {"x": term("-t[t·x<1]_... -> ;...", np.where(t * x < 1, -t, 0))}


class BinaryCrossEntropy(Loss):
    """L = −Σ_i t_i log x_i + (1 − t_i) log(1 − x_i), for probabilities x and targets between 0 and 1.

    ∂L/∂x_i = (1 − t_i)/(1 − x_i) − t_i/x_i; a fraction with numerator 0 is 0, and 0 log 0 = 0.
    Shapes: target (...), x (...) give L ().
    Source: ``torch.nn.BCELoss``, summed.

    Examples
    --------
    >>> BinaryCrossEntropy([1.0, 0.0]).jacobians([0.5, 0.5])["x"]
    array([-2.,  2.])
    """

    def forward(self, x: Array) -> Array:
        t = self.goal(x)
        yes = np.log(x, where=t != 0, out=np.zeros_like(x))
        no = np.log1p(-x, where=t != 1, out=np.zeros_like(x))
        return np.asarray(-(t * yes + (1 - t) * no).sum())

    def local(self, x: Array, L: Array) -> Local:
        t = self.goal(x)
        return {"x": term("((1-t)/(1-x)-t/x)_... -> ;...", over(1 - t, 1 - x) - over(t, x))}


class BinaryCrossEntropyWithLogits(Loss):
    """L = Σ_i log(1 + exp(x_i)) − t_i x_i: the binary cross-entropy of σ(x).

    ∂L/∂x_i = (1 − t_i) σ(x_i) − t_i σ(−x_i), which is σ(x_i) − t_i without its cancellation.
    Shapes: target (...), x (...) give L ().
    Source: ``torch.nn.BCEWithLogitsLoss``, summed.

    Examples
    --------
    >>> BinaryCrossEntropyWithLogits([1.0, 0.0]).jacobians([0.0, 0.0])["x"]
    array([-0.5,  0.5])
    """

    def forward(self, x: Array) -> Array:
        t = self.goal(x)
        return np.asarray((stable.damped(stable.softplus(-x), t) + stable.damped(stable.softplus(x), 1 - t)).sum())

    def local(self, x: Array, L: Array) -> Local:
        t = self.goal(x)
        return {"x": term("(σ(x)-t)_... -> ;...", (1 - t) * stable.sigmoid(x) - t * stable.sigmoid(-x))}


class Classification(Layer):
    """A loss for classes: the target has a label for each example, or a distribution over the classes."""

    target: Any
    shapes = "x (..., C)"
    holomorphic = False

    def __post_init__(self) -> None:
        target = np.array(self.target)
        if target.dtype.kind not in "iufb":
            raise ValueError(f"{type(self).__name__}: the target must hold numbers, not {target.dtype}")
        target.flags.writeable = False
        object.__setattr__(self, "target", target)
        super().__post_init__()

    def distribution(self, x: Array) -> Array:
        """The target as a distribution over the classes for every example: labels become rows of 0 and a 1."""
        layer, target, classes = type(self).__name__, self.target, x.shape[-1]
        if target.shape == x.shape:
            return np.asarray(target, x.dtype)
        if target.shape != x.shape[:-1]:
            raise ValueError(
                f"{layer}: x is {x.shape}, so the target must be {x.shape[:-1]} or {x.shape}; it is {target.shape}"
            )
        if target.dtype.kind not in "iu":
            raise ValueError(f"{layer}: labels must be integers, not {target.dtype}")
        outside = (target < 0) | (target >= classes)
        if outside.any():
            raise ValueError(f"{layer}: labels must be 0 … {classes - 1}; there is {target[outside].flat[0]}")
        return np.asarray(target[..., None] == np.arange(classes), x.dtype)


class SoftmaxCrossEntropy(Classification):
    """L = −Σ_c t_c log p_c with p = softmax(x), for logits x: the sum over examples, their mean, or none of both.

    ∂L/∂x_j = p_j Σ_c t_c − t_j, which is p − t for a distribution t. With reduction "none", L has an entry for each
    example, and examples are tied.
    Shapes: target (...) of labels or (..., C), x (..., C) give L (), or (...) with reduction "none".
    Errors: ValueError for a label that is no class, or a mean of nothing.
    Source: the lecture, cross entropy; ``torch.nn.CrossEntropyLoss``.

    Examples
    --------
    >>> SoftmaxCrossEntropy(1).jacobians([0.0, 0.0])["x"]
    array([ 0.5, -0.5])
    """

    reduction: Literal["sum", "mean", "none"] = "sum"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.reduction not in ("sum", "mean", "none"):
            raise ValueError(f'SoftmaxCrossEntropy: reduction must be "sum", "mean" or "none", not {self.reduction!r}')

    def forward(self, x: Array) -> Array:
        t = self.distribution(x)
        shifted = x - peak(x, -1)
        each = t.sum(axis=-1) * log_sum_exp(shifted, -1)[..., 0] - stable.damped(shifted, t).sum(axis=-1)
        if self.reduction == "mean" and not each.size:
            raise ValueError(f"SoftmaxCrossEntropy: there must be examples to take the mean of; x is {x.shape}")
        return np.asarray(each if self.reduction == "none" else each.sum() if self.reduction == "sum" else each.mean())

    def local(self, x: Array, L: Array) -> Local:
        t = self.distribution(x)
        slope = softmax(x, -1) * t.sum(axis=-1, keepdims=True) - t
        if self.reduction == "none":
            return {"x": term("(p-t)_...j -> ...;...j", slope)}
        if self.reduction == "sum":
            return {"x": term("(p-t)_... -> ;...", slope)}
        return {"x": x.shape[-1] / x.size * term("(p-t)_... -> ;...", slope)}


class NegativeLogLikelihood(Classification):
    """L = −Σ_c t_c x_c, summed over examples, for log-probabilities x; −x_t for a label t.

    ∂L/∂x_c = −t_c, which is −[c = t] for a label t.
    Shapes: target (...) of labels or (..., C), x (..., C) give L ().
    Errors: ValueError for a label that is no class.
    Source: the lecture, maximum likelihood estimation; ``torch.nn.NLLLoss``, summed.

    Examples
    --------
    >>> NegativeLogLikelihood(1).jacobians([-1.0, -0.5])["x"]
    array([-0., -1.])
    """

    def forward(self, x: Array) -> Array:
        return np.asarray(-stable.damped(x, self.distribution(x)).sum())

    def local(self, x: Array, L: Array) -> Local:
        return {"x": -term("t_... -> ;...", self.distribution(x))}
