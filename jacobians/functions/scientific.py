"""SciPy's functions that are no ufuncs, written with NumPy's functions and SciPy's ufuncs.

NumPy's protocols do not cover them, so they have stand-ins, once SciPy has been imported. Options that stand in no
rule here are refused. Source: the documentation of ``scipy``.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from jacobians import layers
from jacobians.core.applying import apply
from jacobians.core.rules import refuse
from jacobians.core.traced import Traced
from jacobians.functions.assembling import any_traced
from jacobians.functions.constants import plain
from jacobians.functions.moving import moved
from jacobians.functions.nested import flatten
from jacobians.functions.stand_ins import fresh, stands_for_later, whole

Call = Callable[..., Any]
IGNORED = frozenset(
    {"overwrite_a", "overwrite_b", "overwrite_ab", "check_finite", "method", "lapack_driver", "workers"}
)
"""Options that say how something is computed, and not what."""


def of_scipy(
    module: str, *names: str, given_tuples: bool = False, is_verified: bool = True
) -> Callable[[Call], Call]:  # fmt: skip
    """Enter a function of traced values that computes what these functions of SciPy's do.

    Lists and tuples of traced numbers are arrays for it, unless it is `given_tuples` that are none. The values are
    `verified`, unless SciPy leaves some of them undefined.
    """

    def enter(rule: Call) -> Call:
        signature = inspect.signature(rule)
        known = signature.parameters

        @stands_for_later(f"scipy.{module}", *names)
        def call(original: Call, *arguments: Any, **options: Any) -> Any:
            if not any_traced([*arguments, *options.values()]):
                return fresh(original(*arguments, **options), *arguments)
            given = {name: value for name, value in options.items() if name not in IGNORED}
            given |= {"original": original} if "original" in known else {}
            if not given_tuples:
                arguments, given = tuple(map(whole, arguments)), {name: whole(value) for name, value in given.items()}
            try:
                signature.bind(*arguments, **given)
            except TypeError as error:
                refuse(f"scipy.{module}.{original.__name__} called like this ({error})", "write it with NumPy")
            found = rule(*arguments, **given)
            given.pop("original", None)
            what = f"scipy.{module}.{original.__name__}"
            return verified(found, original, arguments, given, what) if is_verified else found

        return rule

    return enter


def verified(found: Any, original: Call, arguments: Sequence[Any], options: Mapping[str, Any], what: str) -> Any:
    """What a rule has found, if SciPy finds the same: no other function is taken for one of SciPy's."""
    expected = original(*plain(tuple(arguments)), **{name: plain(value) for name, value in options.items()})
    ours, theirs = flatten(found)[1], flatten(expected)[1]
    for one, other in zip(ours, theirs, strict=len(ours) == len(theirs)):
        value, right = np.asarray(plain(one)), np.asarray(other)
        exact = value.dtype.kind not in "fc" or np.finfo(value.dtype).eps < 1e-10
        size = float(np.max(np.abs(right), where=np.isfinite(right), initial=0)) if right.dtype.kind in "fc" else 0.0
        close = {"rtol": 1e-7, "atol": 1e-9 * size} if exact else {"rtol": 1e-3, "atol": 1e-4 * size}
        if value.shape != right.shape or not np.allclose(value, right, **close, equal_nan=True):
            refuse(f"{what} with these values", "SciPy does something else here; write it with NumPy's functions")
    return found


def special(name: str) -> Call:
    """A ufunc of ``scipy.special``, which has been imported."""
    found: Call = getattr(sys.modules["scipy.special"], name)
    return found


# --- scipy.special ----------------------------------------------------------------------------------------------------


@of_scipy("special", "logsumexp")
def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Any:
    """log Σ b exp(a)."""
    if b is None:
        return apply(layers.LogSumExp(axis, keepdims=bool(keepdims)), a)
    largest = np.max(plain(a), axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)
    total = np.log(np.sum(b * np.exp(a - largest), axis=axis, keepdims=True)) + largest
    return total if keepdims else np.squeeze(total, axis)


@of_scipy("special", "softmax")
def softmax(x: Any, axis: Any = None) -> Any:
    """exp(x) / Σ exp(x)."""
    return apply(layers.Softmax(axis), x)


@of_scipy("special", "log_softmax")
def log_softmax(x: Any, axis: Any = None) -> Any:
    """x − log Σ exp(x)."""
    return apply(layers.LogSoftmax(axis), x)


@of_scipy("special", "multigammaln")
def multigammaln(a: Any, d: int) -> Any:
    """The logarithm of the gamma function of several dimensions."""
    return d * (d - 1) / 4 * np.log(np.pi) + sum(special("gammaln")(a - j / 2) for j in range(int(d)))


@of_scipy("special", "polygamma")
def polygamma(n: Any, x: Any) -> Any:
    """The n-th derivative of the digamma function."""
    if isinstance(n, Traced) or np.ndim(n):
        refuse("scipy.special.polygamma of several n", "n is a single integer")
    return special("psi")(x) if n == 0 else (-1.0) ** (n + 1) * special("gamma")(n + 1.0) * special("zeta")(n + 1, x)


# --- scipy.linalg -----------------------------------------------------------------------------------------------------


def symmetric(a: Any, lower: bool) -> Any:
    """The symmetric matrix of which one triangle is read."""
    side = np.tril if lower else np.triu
    return side(a) + np.swapaxes(side(a, -1 if lower else 1), -1, -2)


def _triangle(a: Any, lower: bool, unit_diagonal: bool = False) -> Any:
    if unit_diagonal:
        return (np.tril(a, -1) if lower else np.triu(a, 1)) + np.eye(a.shape[-1])
    return np.tril(a) if lower else np.triu(a)


for _name in ("inv", "det", "norm", "pinv"):
    of_scipy("linalg", _name)(getattr(np.linalg, _name))


@of_scipy("linalg", "solve")
def solve(a: Any, b: Any, lower: bool = False, *, assume_a: Any = None, transposed: bool = False) -> Any:
    """The solution of linear equations."""
    if assume_a in ("sym", "symmetric", "pos", "positive definite"):
        a = symmetric(a, lower)
    elif assume_a not in (None, "gen", "general"):
        refuse(f"scipy.linalg.solve with assume_a={assume_a!r}", "leave it out")
    return np.linalg.solve(np.swapaxes(a, -1, -2) if transposed else a, b)


@of_scipy("linalg", "solve_triangular")
def solve_triangular(a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False) -> Any:
    """The solution of linear equations with a triangular matrix."""
    a = _triangle(a, lower, unit_diagonal)
    return np.linalg.solve(a if trans in (0, "N") else np.swapaxes(a, -1, -2), b)


@of_scipy("linalg", "solve_banded", given_tuples=True)
def solve_banded(l_and_u: Any, ab: Any, b: Any) -> Any:
    """The solution of linear equations with a matrix of which the diagonals are given, from the uppermost on."""
    lower, upper = l_and_u
    ab, b = whole(ab), whole(b)
    i, j = np.indices((ab.shape[1], ab.shape[1]))
    inside = (j - i <= upper) & (i - j <= lower)
    return np.linalg.solve(np.where(inside, ab[np.where(inside, upper + i - j, 0), j], 0), b)


@of_scipy("linalg", "cholesky")
def cholesky(a: Any, lower: bool = False) -> Any:
    """The Cholesky factor."""
    return np.linalg.cholesky(a, upper=not lower)


@of_scipy("linalg", "cho_factor", is_verified=False)
def cho_factor(a: Any, lower: bool = False) -> tuple[Any, bool]:
    """The Cholesky factor, and on which side it is."""
    return np.linalg.cholesky(a, upper=not lower), lower


@of_scipy("linalg", "cho_solve", given_tuples=True)
def cho_solve(c_and_lower: Any, b: Any) -> Any:
    """The solution of linear equations with a matrix of which the Cholesky factor is known."""
    c, lower = c_and_lower
    factor = _triangle(c, lower)
    first, second = (factor, factor.T) if lower else (factor.T, factor)
    return np.linalg.solve(second, np.linalg.solve(first, b))


@of_scipy("linalg", "expm")
def expm(A: Any) -> Any:
    """The exponential of a matrix."""
    return apply(layers.MatrixExponential(), A)


@of_scipy("linalg", "lstsq")
def lstsq(a: Any, b: Any, cond: Any = None, *, original: Any = None) -> Any:
    """The solution of least squares."""
    solution, residues, rank, values = np.linalg.lstsq(a, b, rcond=cond)
    theirs = original(plain(a), plain(b), cond)[1]
    return solution, np.reshape(residues, theirs.shape) if residues.size == theirs.size else theirs, rank, values


@of_scipy("linalg", "eigh")
def eigh(a: Any, *, lower: bool = True, eigvals_only: bool = False, original: Any = None) -> Any:
    """The eigenvalues and eigenvectors of a symmetric matrix; of real ones, with the signs that SciPy gives them."""
    if eigvals_only:
        return eigvalsh(a, lower=lower)
    values, vectors = np.linalg.eigh(a, "L" if lower else "U")
    theirs = original(plain(a), lower=lower)[1]
    return values, vectors * np.sign(np.sum(plain(vectors) * theirs, axis=0).real)


@of_scipy("linalg", "eigvalsh")
def eigvalsh(a: Any, *, lower: bool = True) -> Any:
    """The eigenvalues of a symmetric matrix."""
    return np.linalg.eigvalsh(a, "L" if lower else "U")


@of_scipy("linalg", "svd")
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """The singular value decomposition."""
    return np.linalg.svd(a, full_matrices=full_matrices) if compute_uv else svdvals(a)


@of_scipy("linalg", "svdvals")
def svdvals(a: Any) -> Any:
    """The singular values."""
    return np.linalg.svd(a, compute_uv=False)


@of_scipy("linalg", "qr")
def qr(a: Any, *, mode: str = "full") -> Any:
    """The orthogonal and the triangular factor."""
    found = np.linalg.qr(a, {"full": "complete", "economic": "reduced"}.get(mode, mode))  # type: ignore[call-overload]  # any mode
    return (found,) if mode == "r" else tuple(found)


@of_scipy("linalg", "block_diag")
def block_diag(*arrays: Any) -> Any:
    """Matrices along the diagonal of another one."""
    blocks = [np.atleast_2d(a) for a in arrays]
    rows = [[block if k == j else np.zeros((block.shape[0], other.shape[1])) for j, other in enumerate(blocks)]
            for k, block in enumerate(blocks)]  # fmt: skip
    return np.block(rows)


@of_scipy("linalg", "toeplitz", "circulant")
def toeplitz(c: Any, original: Any = None) -> Any:
    """A matrix of which all entries are those of a vector."""
    if c.dtype.kind == "c":
        refuse(f"scipy.linalg.{original.__name__} of complex values", "take c[positions] with an array of positions")
    vector: Any = np.ravel(c)
    return moved(original, vector)


# --- scipy.signal -----------------------------------------------------------------------------------------------------


@of_scipy("signal", "convolve", "fftconvolve", "oaconvolve")
def convolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    """z_i = Σ_k x_{i−k} y_k in all axes."""
    x, y = (np.asarray(a) if not isinstance(a, Traced) else a for a in (in1, in2))
    if axes is not None or x.ndim != y.ndim:
        refuse("scipy.signal.convolve along some axes", "convolve arrays with as many axes in all of them")
    if mode == "valid" and all(n <= m for n, m in zip(x.shape, y.shape, strict=True)):
        x, y = y, x
    sizes = y.shape
    padded = x if mode == "valid" else np.pad(x, [(n - 1, n - 1) for n in sizes])
    windows = np.lib.stride_tricks.sliding_window_view(padded, sizes)
    found = np.tensordot(windows, np.flip(y), y.ndim)
    if mode != "same":
        return found
    return found[tuple(slice((n - 1) // 2, (n - 1) // 2 + m) for n, m in zip(sizes, x.shape, strict=True))]


@of_scipy("signal", "correlate")
def correlate(in1: Any, in2: Any, mode: str = "full") -> Any:
    """z_i = Σ_k x_{i+k} ȳ_k in all axes."""
    return convolve(in1, np.flip(np.conj(in2)), mode)


# --- what is linear along an axis -------------------------------------------------------------------------------------


def linear(module: str, name: str, position: int, axis: int = -1) -> None:
    """Enter a function that is linear in one argument, along an axis: it is found by what it makes of unit vectors."""

    @stands_for_later(f"scipy.{module}", name)
    def call(original: Call, *arguments: Any, **options: Any) -> Any:
        others = [*arguments[:position], *arguments[position + 1 :], *options.values()]
        if not any_traced([*arguments, *options.values()]):
            return fresh(original(*arguments, **options), *arguments)
        if any_traced(others) or len(arguments) <= position:
            refuse(f"scipy.{module}.{name} by its options", "only the values that it is applied to can be traced")
        bound = inspect.signature(original).bind(*arguments, **options)
        bound.apply_defaults()
        y = whole(arguments[position])
        along = int(bound.arguments.get("axis", axis)) % y.ndim
        given = list(arguments)
        given[position] = np.eye(y.shape[along])
        if "axis" in inspect.signature(original).parameters:
            bound = inspect.signature(original).bind(*given, **options)
            bound.arguments["axis"] = 0
            matrix = original(*bound.args, **bound.kwargs)
        else:
            matrix = original(*given, **options)
        if matrix.ndim == 1:
            found = np.tensordot(y, matrix, (along, 0))
        else:
            found = np.moveaxis(np.tensordot(y, matrix, (along, 1)), -1, along)
        return verified(found, original, arguments, options, f"scipy.{module}.{name}")


for _module, _name, _position in (
    ("integrate", "simpson", 0), ("integrate", "trapezoid", 0), ("integrate", "cumulative_trapezoid", 0),
    ("integrate", "romb", 0), ("signal", "savgol_filter", 0), ("signal", "detrend", 0), ("signal", "lfilter", 2),
    ("signal", "sosfilt", 1), ("signal", "filtfilt", 2), ("fft", "dct", 0), ("fft", "idct", 0), ("fft", "dst", 0),
    ("fft", "idst", 0),
):  # fmt: skip
    linear(_module, _name, _position)
for _name in ("fft", "ifft", "rfft", "irfft", "fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn",
              "hfft", "ihfft", "fftshift", "ifftshift"):  # fmt: skip
    of_scipy("fft", _name)(getattr(np.fft, _name))


# --- scipy.spatial ----------------------------------------------------------------------------------------------------


@of_scipy("spatial.distance", "cdist")
def cdist(XA: Any, XB: Any, metric: str = "euclidean") -> Any:
    """The distances between the points of two sets."""
    return _length(XA[:, None, :] - XB[None, :, :], metric)


@of_scipy("spatial.distance", "pdist")
def pdist(X: Any, metric: str = "euclidean") -> Any:
    """The distances between the points of a set, each once."""
    first, second = np.triu_indices(X.shape[0], 1)
    return _length(X[first] - X[second], metric)


def _length(d: Any, metric: str) -> Any:
    lengths: dict[str, Call] = {
        "euclidean": lambda: np.linalg.norm(d, axis=-1),
        "sqeuclidean": lambda: np.sum(d * d, axis=-1),
        "cityblock": lambda: np.sum(np.abs(d), axis=-1),
    }
    if metric not in lengths:
        refuse(f"distances with metric={metric!r}", "write them with NumPy's functions")
    return lengths[metric]()
