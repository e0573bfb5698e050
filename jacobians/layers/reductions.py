"""Reductions along axes. The axes that stay are tied between output and input; those that are reduced are not.

In the formulas below, a are the positions that stay and b those that are reduced: z_a is made of all x_ab.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod

import numpy as np

from jacobians.core.applying import apply
from jacobians.core.layer import Array, Layer, Local
from jacobians.core.rules import RULES
from jacobians.core.terms import Terms, term
from jacobians.layers.arithmetic import ratio
from jacobians.layers.axes import letters, normalized, twins, unraveled
from jacobians.layers.softmax import log_sum_exp, softmax

__all__ = [
    "CumulativeProduct",
    "CumulativeSum",
    "LogSumExp",
    "Max",
    "Mean",
    "Min",
    "Norm",
    "Product",
    "StandardDeviation",
    "Sum",
    "Variance",
]

Axes = int | tuple[int, ...] | None


class Reduction(Layer):
    """z_a = f(x_a1, x_a2, …) along some axes: all of them if axis is None."""

    axis: Axes = None
    keepdims: bool = False

    def axes(self, x: Array) -> tuple[int, ...]:
        """The axes that are reduced."""
        return normalized(type(self).__name__, self.axis, x.ndim)

    def labels(self, x: Array) -> tuple[str, str]:
        """The labels of z and of x; a reduced axis that is kept with size 1 is the position 0."""
        return _labels(self.axes(x), self.keepdims, x.ndim)

    def spread(self, x: Array, z: Array) -> Array:
        """z with size 1 along the reduced axes, so that it broadcasts against x."""
        axes = self.axes(x)
        return z.reshape([1 if k in axes else n for k, n in enumerate(x.shape)])

    def number(self, x: Array) -> int:
        """How many entries go into one."""
        return prod(x.shape[k] for k in self.axes(x))

    def require_entries(self, x: Array) -> None:
        """Raise a ValueError where there is nothing to reduce."""
        if self.number(x) == 0:
            raise ValueError(f"{type(self).__name__}: there must be entries along axis {self.axis}; x is {x.shape}")


@lru_cache(maxsize=4096)
def _labels(axes: tuple[int, ...], keepdims: bool, ndim: int) -> tuple[str, str]:
    labels = letters(ndim)
    return "".join(("(0)" if keepdims else "") if k in axes else c for k, c in enumerate(labels)), labels


class Sum(Reduction):
    """z_a = Σ_b x_ab, as ``np.sum``.

    ∂z_a/∂x_cb = δ_ac.
    Shapes: x of any shape; z without the axes of the sum, or with size 1 there (keepdims).
    Source: Parr & Howard, vector sum reduction.

    Examples
    --------
    >>> Sum().jacobians([1.0, 2.0, 3.0])["x"]
    array([1., 1., 1.])
    """

    def forward(self, x: Array) -> Array:
        return np.asarray(x.sum(axis=self.axes(x), keepdims=self.keepdims))

    def local(self, x: Array, z: Array) -> Local:
        a, ab = self.labels(x)
        return {"x": term(f"-> {a};{ab}")}


class Mean(Reduction):
    """z_a = 1/N Σ_b x_ab, over N entries.

    ∂z_a/∂x_cb = δ_ac / N.
    Shapes: x of any shape; z without the axes of the mean, or with size 1 there (keepdims).
    Errors: ValueError for a mean of nothing.
    Source: Parr & Howard, vector sum reduction.

    Examples
    --------
    >>> Mean().jacobians([1.0, 2.0, 3.0, 4.0])["x"]
    array([0.25, 0.25, 0.25, 0.25])
    """

    def forward(self, x: Array) -> Array:
        self.require_entries(x)
        return np.asarray(x.mean(axis=self.axes(x), keepdims=self.keepdims))

    def local(self, x: Array, z: Array) -> Local:
        a, ab = self.labels(x)
        return {"x": 1 / self.number(x) * term(f"-> {a};{ab}")}


class Product(Reduction):
    """z_a = Π_b x_ab.

    ∂z_a/∂x_cb = δ_ac Π_{d≠b} x_ad: the product of the others, which needs no division and is right at zeros.
    Shapes: x of any shape; z without the axes of the product, or with size 1 there (keepdims).
    Source: The Matrix Cookbook, first order derivatives.

    Examples
    --------
    >>> Product().jacobians([2.0, 3.0, 0.0])["x"]
    array([0., 0., 6.])
    """

    def forward(self, x: Array) -> Array:
        return np.asarray(x.prod(axis=self.axes(x), keepdims=self.keepdims))

    def local(self, x: Array, z: Array) -> Local:
        a, ab = self.labels(x)
        return {"x": term(f"(z/x)_{ab} -> {a};{ab}" if ab else "-> ;", *([others(x, self.axes(x))] if ab else []))}


def others(x: Array, axes: tuple[int, ...]) -> Array:
    """For every entry the product of all others along the axes: those before it times those behind it."""
    last = tuple(range(x.ndim - len(axes), x.ndim))
    moved = np.moveaxis(x, axes, last)
    rows = moved.reshape(*moved.shape[: x.ndim - len(axes)], prod(moved.shape[x.ndim - len(axes) :]))
    before, behind = np.ones_like(rows), np.ones_like(rows)
    before[..., 1:] = np.cumprod(rows[..., :-1], axis=-1)
    behind[..., :-1] = np.cumprod(rows[..., :0:-1], axis=-1)[..., ::-1]
    return np.moveaxis((before * behind).reshape(moved.shape), last, axes)


class Spread(Reduction):
    """How far the entries are from their mean."""

    ddof: float = 0
    holomorphic = False

    def centred(self, x: Array) -> Array:
        """x without its mean."""
        centred: Array = x - x.mean(axis=self.axes(x), keepdims=True)
        return centred


class Variance(Spread):
    """z_a = 1/(N − d) Σ_b (x_ab − m_a)², with the mean m_a: ``np.var``, for d = ddof.

    ∂z_a/∂x_cb = 2/(N − d) (x_ab − m_a) δ_ac; the path through the mean is zero, since Σ_b (x_ab − m_a) = 0.
    Shapes: x of any shape; z without the axes of the variance, or with size 1 there (keepdims).
    Errors: ValueError for a variance of nothing.
    Source: The Matrix Cookbook, statistics: mean and variance.

    Examples
    --------
    >>> Variance().jacobians([1.0, 2.0, 3.0, 6.0])["x"]
    array([-1. , -0.5,  0. ,  1.5])
    """

    def forward(self, x: Array) -> Array:
        self.require_entries(x)
        return np.asarray(x.var(axis=self.axes(x), keepdims=self.keepdims, ddof=self.ddof))

    def local(self, x: Array, z: Array) -> Local:
        a, ab = self.labels(x)
        formula = f"(x-m)_{ab} -> {a};{ab}" if ab else "(x-m) -> ;"
        return {"x": 2 / (self.number(x) - self.ddof) * term(formula, self.centred(x))}


class StandardDeviation(Spread):
    """z_a = √(1/(N − d) Σ_b (x_ab − m_a)²), with the mean m_a: ``np.std``, for d = ddof.

    ∂z_a/∂x_cb = (x_ab − m_a) / ((N − d) z_a) δ_ac; where z_a = 0, where there is a kink, it is 0.
    Shapes: x of any shape; z without the axes of the deviation, or with size 1 there (keepdims).
    Errors: ValueError for a deviation of nothing.
    Source: The Matrix Cookbook, statistics: mean and variance.

    Examples
    --------
    >>> StandardDeviation().jacobians([1.0, 3.0])["x"]
    array([-0.5,  0.5])
    """

    def forward(self, x: Array) -> Array:
        self.require_entries(x)
        return np.asarray(x.std(axis=self.axes(x), keepdims=self.keepdims, ddof=self.ddof))

    def local(self, x: Array, z: Array) -> Local:
        a, ab = self.labels(x)
        scaled = ratio(self.centred(x), np.broadcast_to(self.spread(x, z), x.shape))
        return {
            "x": 1
            / (self.number(x) - self.ddof)
            * term(f"((x-m)/z)_{ab} -> {a};{ab}" if ab else "((x-m)/z) -> ;", scaled)
        }


class Extremum(Reduction):
    """The largest or smallest entry; its position is a lookup for every reduced axis."""

    holomorphic = False

    def chosen(self, x: Array, number: Array) -> Terms:
        """The term for the entries that these numbers name, which count along all reduced axes together."""
        a, ab = self.labels(x)
        axes = self.axes(x)
        kept = "".join(c for k, c in enumerate(ab) if k not in axes)
        positions = unraveled(number, [x.shape[k] for k in axes]) if axes else ()
        names = {k: f"(n{k}_{kept})" if kept else f"({n})" for k, n in zip(axes, positions, strict=True)}
        return term(f"-> {a};{''.join(names.get(k, c) for k, c in enumerate(ab))}", *(positions if kept else ()))

    def flat(self, x: Array) -> Array:
        """x with the reduced axes as one last axis."""
        axes = self.axes(x)
        moved = np.moveaxis(x, axes, range(x.ndim - len(axes), x.ndim))
        cut = x.ndim - len(axes)
        return moved.reshape(*moved.shape[:cut], prod(moved.shape[cut:]))


class Max(Extremum):
    """z_a = max_b x_ab.

    ∂z_a/∂x_cb = δ_ac [b = n_a], for the position n_a of the largest entry: a lookup. Of several that are largest, the
    first one counts.
    Shapes: x of any shape; z without the axes of the maximum, or with size 1 there (keepdims).
    Errors: ValueError for a maximum of nothing.
    Source: Parr & Howard, max as the neuron activation.

    Examples
    --------
    >>> Max(axis=1).jacobians([[1.0, 3.0], [5.0, 2.0]])["x"]
    array([[[0., 1.],
            [0., 0.]],
           [[0., 0.],
            [1., 0.]]])
    """

    def forward(self, x: Array) -> Array:
        self.require_entries(x)
        return np.asarray(x.max(axis=self.axes(x), keepdims=self.keepdims))

    def local(self, x: Array, z: Array) -> Local:
        return {"x": self.chosen(x, self.flat(x).argmax(axis=-1))}


class Min(Extremum):
    """z_a = min_b x_ab.

    ∂z_a/∂x_cb = δ_ac [b = n_a], for the position n_a of the smallest entry: a lookup. Of several that are smallest, the
    first one counts.
    Shapes: x of any shape; z without the axes of the minimum, or with size 1 there (keepdims).
    Errors: ValueError for a minimum of nothing.
    Source: Parr & Howard, max as the neuron activation.

    Examples
    --------
    >>> Min().jacobians([4.0, 2.0, 3.0])["x"]
    array([0., 1., 0.])
    """

    def forward(self, x: Array) -> Array:
        self.require_entries(x)
        return np.asarray(x.min(axis=self.axes(x), keepdims=self.keepdims))

    def local(self, x: Array, z: Array) -> Local:
        return {"x": self.chosen(x, self.flat(x).argmin(axis=-1))}


class LogSumExp(Reduction):
    """z_a = log Σ_b exp(x_ab).

    ∂z_a/∂x_cb = δ_ac p_ab, for the softmax p along the reduced axes.
    Shapes: x of any shape; z without the axes of the sum, or with size 1 there (keepdims).
    Errors: ValueError for a sum of nothing.
    Source: ``scipy.special.logsumexp``.

    Examples
    --------
    >>> LogSumExp().jacobians([0.0, 0.0])["x"]
    array([0.5, 0.5])
    """

    def forward(self, x: Array) -> Array:
        self.require_entries(x)
        z = log_sum_exp(x, self.axes(x))
        return z if self.keepdims else np.asarray(z.squeeze(axis=self.axes(x)))

    def local(self, x: Array, z: Array) -> Local:
        a, ab = self.labels(x)
        return {"x": term(f"p_{ab} -> {a};{ab}" if ab else "p -> ;", softmax(x, self.axes(x)))}


class Norm(Reduction):
    """z_a = (Σ_b |x_ab|^p)^(1/p); p = 2 is the norm of a vector, or the Frobenius norm of a matrix.

    ∂z_a/∂x_cb = δ_ac sign(x_ab) (|x_ab| / z_a)^{p−1}, which is x_ab / z_a for p = 2; at z_a = 0, where there is a kink,
    it is 0.
    Shapes: x of any shape; z without the axes of the norm, or with size 1 there (keepdims).
    Errors: the Jacobian raises ValueError for p < 1 where an entry is 0, since the slope is infinite there.
    Source: The Matrix Cookbook, derivatives of norms; ``numpy.linalg.norm``.

    Examples
    --------
    >>> Norm().jacobians([3.0, 4.0])["x"]
    array([0.6, 0.8])
    """

    p: float = 2
    holomorphic = False

    def __post_init__(self) -> None:
        if not (np.ndim(self.p) == 0 and np.isfinite(self.p) and self.p != 0):
            raise ValueError(f"Norm: p must be a finite number other than 0; it is {self.p!r}")
        super().__post_init__()

    def forward(self, x: Array) -> Array:
        axes, size = self.axes(x), np.abs(x)
        if self.p < 0:  # the smallest entries count, and one that is 0 makes it 0
            with np.errstate(divide="ignore"):
                return np.asarray(np.sum(size**self.p, axis=axes, keepdims=self.keepdims) ** (1 / self.p))
        largest = size.max(axis=axes, keepdims=True, initial=0)
        scale = np.where(
            (largest > 0) & (largest < np.inf), largest, 1
        )  # powers of x / scale neither overflow nor vanish
        z = scale * np.sum((size / scale) ** self.p, axis=axes, keepdims=True) ** (1 / self.p)
        return np.asarray(z if self.keepdims else z.squeeze(axes), x.dtype)

    def local(self, x: Array, z: Array) -> Local:
        a, ab = self.labels(x)
        spread = self.spread(x, z)
        if self.p == 2:
            slope = ratio(x, np.broadcast_to(spread, x.shape))
        elif self.p < 1 and bool(np.any(x == 0)):
            raise ValueError(f"Norm: for p = {self.p} the slope is infinite where an entry of x is 0")
        else:
            slope = np.sign(x) * ratio(np.abs(x), np.broadcast_to(spread, x.shape)) ** (self.p - 1)
        text = "(x/z)" if self.p == 2 else "(sign(x)(|x|/z)^(p-1))"
        return {"x": term(f"{text}_{ab} -> {a};{ab}" if ab else f"{text} -> ;", slope)}


class CumulativeSum(Layer):
    """z_i = Σ_{k≤i} x_k along an axis.

    ∂z_i/∂x_k = U_ik = [k ≤ i], a triangle of ones; other axes are tied.
    Shapes: x of any shape with at least one axis gives z of the same shape.
    Source: ``numpy.cumsum``.

    Examples
    --------
    >>> CumulativeSum(0).jacobians([5.0, 6.0, 7.0])["x"]
    array([[1., 0., 0.],
           [1., 1., 0.],
           [1., 1., 1.]])
    """

    axis: int

    def forward(self, x: Array) -> Array:
        (axis,) = normalized("CumulativeSum", self.axis, x.ndim)
        return x.cumsum(axis=axis)

    def local(self, x: Array, z: Array) -> Local:
        (axis,) = normalized("CumulativeSum", self.axis, x.ndim)
        out, wrt = twins(x.ndim, (axis,))
        return {"x": term(f"U_{out[axis]}{wrt[axis]} -> {out};{wrt}", np.tri(x.shape[axis], dtype=x.dtype))}


class CumulativeProduct(Layer):
    """z_i = Π_{k≤i} x_k along an axis.

    ∂z_i/∂x_k = [k ≤ i] Π_{l≤i, l≠k} x_l: the product of the others, which is right at zeros; other axes are tied.
    Shapes: x of any shape with at least one axis gives z of the same shape.
    Source: ``numpy.cumprod``.

    Examples
    --------
    >>> CumulativeProduct(0).jacobians([2.0, 0.0, 4.0])["x"]
    array([[1., 0., 0.],
           [0., 2., 0.],
           [0., 8., 0.]])
    """

    axis: int

    def forward(self, x: Array) -> Array:
        (axis,) = normalized("CumulativeProduct", self.axis, x.ndim)
        return x.cumprod(axis=axis)

    def local(self, x: Array, z: Array) -> Local:
        (axis,) = normalized("CumulativeProduct", self.axis, x.ndim)
        out, wrt = twins(x.ndim, (axis,))
        n = x.shape[axis]
        rows = np.moveaxis(x, axis, -1)[..., None, :]
        others = np.where(np.eye(n, dtype=bool), 1, np.broadcast_to(rows, (*rows.shape[:-2], n, n)))  # [..., k, i]
        products = np.cumprod(others, axis=-1) * np.tri(n, dtype=x.dtype).T
        labels = out[:axis] + out[axis + 1 :] + wrt[axis] + out[axis]
        return {"x": term(f"(z/x)_{labels} -> {out};{wrt}", products)}


RULES[log_sum_exp] = lambda x, axis: apply(LogSumExp(axis, keepdims=True), x)
