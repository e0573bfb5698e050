"""Discrete Fourier transforms along an axis: linear, with the matrix that NumPy's transform of unit vectors gives."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from jacobians.core.layer import Array, Layer, Local
from jacobians.core.terms import term
from jacobians.errors import JacobianTooLarge
from jacobians.layers.axes import normalized, twins

LINEAR, HERMITIAN = ("fft", "ifft", "rfft", "ihfft"), ("irfft", "hfft")
SMALL = 256  # matrices up to this size are kept
LARGEST = 1 << 27  # entries of a matrix


def matrix(function: str, size: int, n: int | None, norm: str | None, dtype: Any, unit: complex = 1) -> Array:
    """The matrix of a transform of this many numbers; that of `unit` times them."""
    rows = size if n is None else n
    if rows * size > LARGEST:
        raise JacobianTooLarge(f"the matrix {rows} × {size} of np.fft.{function} is too large: transform fewer points")
    if max(rows, size) <= SMALL:
        return _small(function, size, n, norm, dtype, unit)
    return _matrix(function, size, n, norm, dtype, unit)


def _matrix(function: str, size: int, n: int | None, norm: str | None, dtype: Any, unit: complex) -> Array:
    ones = np.eye(size, dtype=dtype) if unit == 1 else unit * np.eye(size, dtype=dtype)
    F: Array = getattr(np.fft, function)(ones, n=n, axis=0, norm=norm)
    F.flags.writeable = False
    return F


_small = lru_cache(maxsize=64)(_matrix)


class Transform(Layer):
    """A transform of NumPy's along an axis: cut or filled up with zeros to n numbers, scaled as `norm` says."""

    function: str
    n: int | None = None
    axis: int = -1
    norm: str | None = None

    def transformed(self, x: Array) -> Array:
        """The transform."""
        (axis,) = normalized(type(self).__name__, self.axis, x.ndim)
        transform: Any = getattr(np.fft, self.function)
        return np.asarray(transform(x, n=self.n, axis=axis, norm=self.norm))

    def written(self, x: Array, unit: complex = 1) -> tuple[str, Array]:
        """The formula of the Jacobian without the factor's name, and the matrix."""
        (axis,) = normalized(type(self).__name__, self.axis, x.ndim)
        out, wrt = twins(x.ndim, (axis,))
        F = matrix(self.function, x.shape[axis], self.n, self.norm, x.real.dtype, unit)
        return f"_{out[axis]}{wrt[axis]} -> {out};{wrt}", F


class FourierTransform(Transform):
    """z_k = Σ_j F_kj x_j along an axis, with the function "fft", "ifft", "rfft" or "ihfft" of ``np.fft``.

    ∂z_k/∂x_j = F_kj, for "fft" exp(−2πi kj/n); other axes are tied. The Jacobian by real x is complex.
    Shapes: x of any shape with at least one axis; z with the length of the transform along the axis.
    Errors: ValueError for "rfft" and "ihfft" of complex x.
    Source: ``numpy.fft``.

    Examples
    --------
    >>> FourierTransform("fft").jacobians([5.0, 6.0])["x"].real
    array([[ 1.,  1.],
           [ 1., -1.]])
    """

    def __post_init__(self) -> None:
        if self.function not in LINEAR:
            raise ValueError(f"FourierTransform: the function must be of {', '.join(LINEAR)}; it is {self.function!r}")
        super().__post_init__()

    def forward(self, x: Array) -> Array:
        if x.dtype.kind == "c" and self.function in ("rfft", "ihfft"):
            raise ValueError(f"FourierTransform: x must be real for {self.function}")
        return self.transformed(x)

    def local(self, x: Array, z: Array) -> Local:
        formula, F = self.written(x)
        return {"x": term(f"F{formula}", F)}


class HermitianFourierTransform(Transform):
    """z = the real transform "irfft" or "hfft" of ``np.fft`` of x + i y along an axis, for real x and y.

    The other half of x + i y is its conjugate, so z is linear in x and in y: ∂z_k/∂x_j = F_kj, ∂z_k/∂y_j = G_kj with
    the transforms F of the unit vectors and G of i times them; other axes are tied.
    Shapes: x, y of the same shape with at least one axis; z with the length of the transform along the axis.
    Source: ``numpy.fft``.

    Examples
    --------
    >>> HermitianFourierTransform("irfft").jacobians([5.0, 6.0], [0.0, 0.0])["x"]
    array([[ 0.5,  0.5],
           [ 0.5, -0.5]])
    """

    holomorphic = False

    def __post_init__(self) -> None:
        if self.function not in HERMITIAN:
            raise ValueError(
                f'HermitianFourierTransform: the function must be "irfft" or "hfft"; it is {self.function!r}'
            )
        super().__post_init__()

    def forward(self, x: Array, y: Array) -> Array:
        if x.shape != y.shape:
            raise ValueError(f"HermitianFourierTransform: x and y must have one shape; x is {x.shape}, y is {y.shape}")
        return self.transformed(x + 1j * y)

    def local(self, x: Array, y: Array, z: Array) -> Local:
        (formula, F), (_, G) = self.written(x), self.written(x, 1j)
        return {"x": term(f"F{formula}", F), "y": term(f"G{formula}", G)}
