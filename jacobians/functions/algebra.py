"""``np.linalg``: the layers of the catalogue, or compositions of them.

A matrix that NumPy takes for symmetric is read from one triangle, so no other entry has a derivative; a symmetric
expression, such as A @ A.T, makes this the same as for both. Where eigenvalues or singular values are equal, they and
their vectors have no derivative, which is refused as soon as one is asked for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from jacobians import layers
from jacobians.core.applying import apply
from jacobians.core.layer import Layer
from jacobians.core.rules import refuse, rule
from jacobians.core.traced import Traced
from jacobians.functions.assembling import whole
from jacobians.functions.constants import plain, without_derivative
from jacobians.functions.indexing import is_basic
from jacobians.layers.spectral import require_distinct

INVERSE, SOLVE, DETERMINANT, LOG_DETERMINANT = layers.Inverse(), layers.Solve(), layers.Determinant(), layers.LogDet()
PSEUDO_INVERSE, LEAST_SQUARES = layers.PseudoInverse(), layers.LeastSquares()
LEFT_VECTORS = layers.LeftSingularVectors()
Q_FACTOR, R_FACTOR = layers.OrthogonalFactor(), layers.TriangularFactor()
TRIANGLE = {"L": "lower", "l": "lower", "U": "upper", "u": "upper"}

without_derivative(np.linalg.matrix_rank)


@rule(np.linalg.inv)
def inv(a: Any) -> Any:
    """The inverse."""
    return apply(INVERSE, a, output=np.linalg.inv(a.value))


@rule(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    """The solution of linear equations."""
    a, b = whole(a), whole(b)
    return apply(SOLVE, a, b, output=np.linalg.solve(plain(a), plain(b)))


@rule(np.linalg.det)
def det(a: Any) -> Any:
    """The determinant."""
    return apply(DETERMINANT, a, output=np.asarray(np.linalg.det(a.value)))


class SlogdetResult(NamedTuple):
    """As NumPy's."""

    sign: Any
    logabsdet: Any


@rule(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    """The sign and the logarithm of the determinant; the sign of a real matrix is constant."""
    sign, logarithm = np.linalg.slogdet(a.value)
    return SlogdetResult(sign, apply(LOG_DETERMINANT, a, output=np.asarray(logarithm)))


@rule(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """The Cholesky factor, of one triangle of the matrix."""
    output = np.linalg.cholesky(a.value, upper=upper) if upper else np.linalg.cholesky(a.value)
    if upper:
        return np.swapaxes(apply(layers.Cholesky("upper"), a, output=np.swapaxes(output, -1, -2)), -1, -2)
    return apply(layers.Cholesky("lower"), a, output=output)


# --- eigenvalues and singular values ---------------------------------------------------------------------------------


class Selectable(Traced):
    """Values or vectors of a matrix with equal values: those of the other ones can be taken alone."""

    __slots__ = ("axis", "layer", "matrix")
    layer: Any
    matrix: Traced
    axis: int

    def __getitem__(self, key: Any) -> Traced:
        keys = key if isinstance(key, tuple) else (key,)
        if not is_basic(key) or None in keys or self.version:
            return super().__getitem__(key)
        at = keys.index(Ellipsis) if Ellipsis in keys else len(keys)
        keys = keys[:at] + (slice(None),) * (self.ndim - len(keys) + (at < len(keys))) + keys[at + 1 :]
        which = np.arange(self.shape[self.axis])[keys[self.axis]]
        layer = replace(self.layer, which=tuple(which.reshape(-1).tolist()))
        output = np.take(self.value, which.reshape(-1), self.axis)
        taken = apply(layer, self.matrix, output=output.T if self._rows else output)
        rest = list(keys)
        rest[self.axis] = slice(None) if which.ndim else 0
        return (taken.T if self._rows else taken)[tuple(rest)]

    @property
    def _rows(self) -> bool:
        """Whether the vectors are rows, and columns for the layer."""
        return self.ndim == 2 and self.axis == 0


def selectable(layer: Any, matrix: Traced, output: Any, axis: int = -1, distinct: bool = False) -> Any:
    """Values or vectors that a layer gives, of which some can be taken alone where the values of others are equal."""
    made: Any = apply(layer, matrix, output=np.swapaxes(output, -1, -2) if axis == 0 else output)
    if axis == 0:
        made = np.swapaxes(made, -1, -2)
    if distinct or matrix.ndim > 2:
        return made
    found: Any = Selectable(made.recording, made.number)
    found.layer, found.matrix, found.axis = layer, Traced(matrix.recording, matrix.number), axis % output.ndim
    return found


def _are_distinct(values: Any) -> bool:
    try:
        require_distinct("", values, zero=True)
    except ValueError:
        return False
    return True


@rule(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: Any = "L") -> Any:
    """The eigenvalues of a symmetric matrix, of which one triangle is given."""
    w = np.linalg.eigvalsh(a.value, UPLO)
    return selectable(layers.SymmetricEigenvalues(TRIANGLE[UPLO], distinct=True), a, w, distinct=_are_distinct(w))


class EighResult(NamedTuple):
    """As NumPy's."""

    eigenvalues: Any
    eigenvectors: Any


@rule(np.linalg.eigh)
def eigh(a: Any, UPLO: Any = "L") -> Any:
    """The eigenvalues and eigenvectors of a symmetric matrix, of which one triangle is given."""
    w, V = np.linalg.eigh(a.value, UPLO)
    distinct = _are_distinct(w)
    values = selectable(layers.SymmetricEigenvalues(TRIANGLE[UPLO], distinct=True), a, w, distinct=distinct)
    return EighResult(values, selectable(layers.SymmetricEigenvectors(TRIANGLE[UPLO]), a, V, distinct=distinct))


class EigResult(NamedTuple):
    """As NumPy's."""

    eigenvalues: Any
    eigenvectors: Any


@rule(np.linalg.eigvals)
def eigvals(a: Any) -> Any:
    """The eigenvalues of any square matrix."""
    return apply(layers.Eigenvalues(), a, output=np.linalg.eigvals(a.value))


@rule(np.linalg.eig)
def eig(a: Any) -> Any:
    """The eigenvalues and eigenvectors of any square matrix; complex eigenvectors have no derivative."""
    w, V = np.linalg.eig(a.value)
    values = apply(layers.Eigenvalues(), a, output=w)
    if V.dtype.kind == "c":
        return EigResult(values, apply(Undetermined("a matrix of complex eigenvectors", PHASE), a, output=V))
    return EigResult(values, apply(layers.Eigenvectors(), a, output=V))


class Undetermined(Layer):
    """A value that NumPy has chosen among others: it has no derivative."""

    what: str
    why: str

    def forward(self, x: Any) -> Any:
        """Not to be called: the value is known."""
        raise NotImplementedError

    def local(self, x: Any, z: Any) -> Any:
        """There is none."""
        raise ValueError(f"{self.what} has no derivative: {self.why}")


FILLED = "with full_matrices=True it has vectors that only fill up a basis; use full_matrices=False"
PHASE = "their phase is not determined; their eigenvalues have one"


class SVDResult(NamedTuple):
    """As NumPy's."""

    U: Any
    S: Any
    Vh: Any


@rule(np.linalg.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Singular values and vectors; those vectors that only fill up a basis have no derivative."""
    if hermitian:
        refuse("np.linalg.svd with hermitian=True", "leave it out, or use np.linalg.eigh")
    if not compute_uv:
        return svdvals(a)
    U, s, V = np.linalg.svd(a.value, full_matrices=full_matrices)
    distinct, transposed = _are_distinct(s), np.swapaxes(a, -1, -2)
    left: Any
    right: Any
    if U.shape[-1] > s.shape[-1]:
        left = apply(Undetermined("the matrix U of np.linalg.svd", FILLED), a, output=U)
    else:
        left = selectable(LEFT_VECTORS, a, U, distinct=distinct)
    if V.shape[-2] > s.shape[-1]:
        right = apply(Undetermined("the matrix Vh of np.linalg.svd", FILLED), a, output=V)
    else:
        right = selectable(LEFT_VECTORS, transposed, V, 0, distinct)
    return SVDResult(left, selectable(layers.SingularValues(distinct=True), a, s, distinct=distinct), right)


@rule(np.linalg.svdvals)
def svdvals(x: Any, /) -> Any:
    """The singular values."""
    s = np.linalg.svd(x.value, compute_uv=False)
    return selectable(layers.SingularValues(distinct=True), x, s, distinct=_are_distinct(s))


# --- factors and solutions -------------------------------------------------------------------------------------------


class QRResult(NamedTuple):
    """As NumPy's."""

    Q: Any
    R: Any


@rule(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """The QR factors."""
    rows, columns = a.shape[-2:]
    if mode == "raw":
        refuse('np.linalg.qr with mode="raw"', 'use mode="reduced"')
    if mode == "complete" and rows > columns:
        refuse(
            'np.linalg.qr with mode="complete" of a tall matrix', 'use mode="reduced": more columns have no derivative'
        )
    square = a[..., :rows] if columns > rows else a
    if mode == "r" and columns <= rows:
        return apply(R_FACTOR, a, output=np.linalg.qr(a.value, mode="r"))
    Q, R = np.linalg.qr(a.value)
    first = apply(Q_FACTOR, square, output=Q)
    second: Any = apply(R_FACTOR, square, output=R[..., :rows])
    if columns > rows:
        second = np.concatenate([second, np.swapaxes(first, -1, -2) @ a[..., rows:]], axis=-1)
    return second if mode == "r" else QRResult(first, second)


@rule(np.linalg.pinv)
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = np._NoValue) -> Any:
    """The pseudo-inverse of a matrix of full rank."""
    if hermitian:
        refuse("np.linalg.pinv with hermitian=True", "leave it out")
    options = {} if rtol is np._NoValue else {"rtol": rtol}
    output = np.linalg.pinv(a.value, **({"rcond": rcond} if rcond is not None else options))
    s = np.linalg.svd(a.value, compute_uv=False)
    cut = rcond if rcond is not None else options.get("rtol")
    if cut is not None and bool((s <= np.asarray(cut)[..., None] * s.max(axis=-1, keepdims=True)).any()):
        refuse("np.linalg.pinv that leaves singular values out", "it has a derivative only where the rank is full")
    return apply(PSEUDO_INVERSE, a, output=output)


@rule(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    """The power of a matrix."""
    return apply(layers.MatrixPower(int(n)), a, output=np.linalg.matrix_power(a.value, n))


@rule(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """The least-squares solution, the sums of squared residuals, the rank and the singular values."""
    a, b = whole(a), whole(b)
    x, residuals, rank, s = np.linalg.lstsq(plain(a), plain(b), rcond=rcond)
    if rank < min(a.shape):
        refuse("np.linalg.lstsq of a matrix without full rank", "there is no derivative: leave out dependent columns")
    solution = apply(LEAST_SQUARES, a, b, output=x)
    if residuals.size:
        r = b - np.matmul(a, solution)
        residuals = np.reshape(np.sum(r * r, axis=0), residuals.shape)
    return solution, residuals, rank, svdvals(a) if isinstance(a, Traced) else s


@rule(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse with respect to the products of axes."""
    shape = a.shape[ind:] + a.shape[:ind]
    return np.reshape(inv(np.reshape(a, (int(np.prod(a.shape[ind:])), -1))), shape)


@rule(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """The solution of linear equations for a tensor."""
    a, b = whole(a), whole(b)
    if axes is not None:
        order = list(range(a.ndim))
        for k in axes:
            order.remove(k)
            order.append(k)
        a = np.transpose(a, order)
    shape = a.shape[b.ndim :]
    return np.reshape(solve(np.reshape(a, (-1, int(np.prod(shape)))), np.ravel(b)), shape)
