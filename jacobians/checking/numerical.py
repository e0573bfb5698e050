"""`numerical_jacobian`: the measured Jacobian, with an error for every entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.measuring.arguments import Arguments
from jacobians.checking.measuring.directions import Lines, columns
from jacobians.checking.measuring.function import Function, quiet
from jacobians.checking.measuring.grouping import group_columns, group_lines, pattern_of
from jacobians.checking.measuring.numerical import METHODS, Measured, Method, measured_jacobian
from jacobians.checking.measuring.progress import progress_bar
from jacobians.notation.formula import times


@dataclass(frozen=True)
class NumericalJacobian:
    """A measured Jacobian; it behaves as the array of its values.

    Attributes
    ----------
    value
        The derivative, of shape out_shape + wrt_shape; of a sparse pattern, a ``scipy.sparse.csr_array`` of the matrix.
    error
        An estimate of the error of every entry, of the same shape.
    smoothness
        Per entry "smooth", "kink" (the value is the mean of both one-sided slopes), or "unknown".
    noise
        Per output, by how much f is known to fluctuate beyond rounding (random, or single precision inside).
    evaluations
        Calls of f.
    out_shape, wrt_shape
        The two groups of axes.
    notes
        Warnings, such as f writing into its argument.
    """

    value: Any
    error: Any
    smoothness: NDArray[np.str_]
    noise: NDArray[np.float64]
    evaluations: int
    out_shape: tuple[int, ...]
    wrt_shape: tuple[int, ...]
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values."""
        return tuple(self.value.shape)

    @property
    def ndim(self) -> int:
        """The number of axes of the values."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the values."""
        dtype: np.dtype[Any] = self.value.dtype
        return dtype

    @property
    def T(self) -> Any:
        """The values with the argument's axes first: the denominator layout."""
        if not isinstance(self.value, np.ndarray):
            return self.value.T
        split = len(self.out_shape)
        return self.value.transpose([*range(split, self.ndim), *range(split)])

    def __getitem__(self, index: Any) -> Any:
        return self.value[index]

    def __len__(self) -> int:
        return len(self.value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        dense = self.value if isinstance(self.value, np.ndarray) else self.value.toarray()
        return np.array(dense, dtype=dtype, copy=True if copy is None else copy)

    def __repr__(self) -> str:
        worst = float(np.max(self.error if isinstance(self.error, np.ndarray) else self.error.data, initial=0))
        head = f"NumericalJacobian({times(self.out_shape, self.wrt_shape)}, error ≤ {worst:.1e}, "
        numbers = np.array2string(self.value, threshold=64) if isinstance(self.value, np.ndarray) else repr(self.value)
        return f"{head}{self.evaluations} evaluations)\n{numbers}"


def numerical_jacobian(
    f: Callable[..., Any],
    *args: Any,
    argnums: int | Sequence[int] | None = None,
    method: Method = "richardson",
    sparsity: Any = None,
    progress: bool | None = None,
) -> Any:
    """Measure ∂f/∂x, of shape out_shape + wrt_shape, with an error for every entry.

    Parameters
    ----------
    f
        A function of one or several arrays that returns anything that turns into an array; it is given copies.
    *args
        The arguments of f; integers are promoted to float64, complex ones are taken as holomorphic variables.
    argnums
        Which argument to differentiate by, the first one by default; a sequence gives a tuple of results.
    method
        "richardson": central differences at falling steps, extrapolated; the step is chosen for every entry.
        "central": (f(x + h) − f(x − h)) / 2h, h = u^⅓ |x|; four calls of f per entry of x.
        "forward": (f(x + h) − f(x)) / h, h = √u |x|; two calls per entry.
        "complex": Im f(x + ih) / h, exact for functions that are analytic, a ValueError for others.
    sparsity
        The entries that can be non-zero: a matrix (outputs by entries of x) or an array out_shape + wrt_shape, dense or
        of scipy.sparse. Columns that share no row are measured together. Of a sparse pattern the result is sparse.
    progress
        Whether to show a progress bar; by default for long work on a terminal, with tqdm.

    Returns
    -------
    NumericalJacobian
        A tuple of them if ``argnums`` is a sequence.

    Examples
    --------
    >>> J = numerical_jacobian(np.sin, 1e12)
    >>> bool(abs(J.value - np.cos(1e12)) <= J.error < 1e-2)
    True
    >>> J = numerical_jacobian(np.cumsum, [1.0, 2.0, 4.0])
    >>> J.shape, np.round(J[2], 6)
    ((3, 3), array([1., 1., 1.]))
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; it is one of {', '.join(map(repr, METHODS))}")
    if not args:
        raise ValueError("numerical_jacobian needs a function and the point at which to differentiate it")
    single = argnums is None or isinstance(argnums, int | np.integer)
    arguments = Arguments.of(f, args, 0 if argnums is None else argnums)
    results = []
    for variable in arguments.variables():
        with quiet():
            function = Function(variable.f, variable.x)
            results.append(_measured(function, method, sparsity, progress))
    return results[0] if single and len(results) == 1 else tuple(results)


def _measured(function: Function, method: Method, sparsity: Any, progress: bool | None) -> NumericalJacobian:
    lines, groups, pattern = columns(function, np.arange(function.point.size, dtype=np.intp)), None, None
    if sparsity is not None:
        pattern = pattern_of(sparsity, function.shape, function.point.shape)
        groups = group_columns(*pattern, function.point.size)
        lines = group_lines(function, groups)
    with progress_bar(len(lines), "numerical Jacobian", progress) as advance:
        found = measured_jacobian(function, method, lines, advance)
    if function.point.dtype.kind == "c":
        _require_holomorphic(function, found, lines, method)
    if groups is not None and pattern is not None:
        return _spread(function, found, lines, pattern, hasattr(sparsity, "tocsc"))
    shape = function.shape + function.point.shape

    def shaped(array: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(array.T).reshape(shape)

    return NumericalJacobian(
        shaped(found.value),
        shaped(found.error),
        shaped(found.smoothness),
        found.noise.reshape(function.shape),
        function.evaluations,
        function.shape,
        function.point.shape,
        tuple(function.remarks),
    )


def _require_holomorphic(function: Function, found: Measured, lines: Lines, method: Method) -> None:
    """Refuse functions whose derivatives along the real and the imaginary axis differ: they have no complex one."""
    turned = Lines(function, lines.indices, [1j * weight for weight in lines.weights], 1j if lines.is_columns else None)
    across = measured_jacobian(function, method, turned)
    size = np.maximum(np.abs(found.value), np.abs(across.value))
    may = 10 * (found.error + across.error) + 1e-4 * size
    if (np.isfinite(may) & (np.abs(across.value / 1j - found.value) > may)).any():
        raise ValueError(
            "f is not holomorphic at x, so it has no complex derivative; differentiate by its real and imaginary part"
        )


def _spread(
    function: Function, found: Measured, lines: Lines, pattern: tuple[NDArray[np.intp], NDArray[np.intp]], sparse: bool
) -> NumericalJacobian:
    """The entries of a sparse pattern from derivatives along groups of columns."""
    pointers, rows = pattern
    columns_of = np.repeat(np.arange(function.point.size), np.diff(pointers))
    group_of, weight_of = np.zeros(function.point.size, np.intp), np.ones(function.point.size)
    for number, (index, weight) in enumerate(zip(lines.indices, lines.weights, strict=True)):
        group_of[index], weight_of[index] = number, weight
    scale = weight_of[columns_of]
    value = found.value[group_of[columns_of], rows] / scale
    error = found.error[group_of[columns_of], rows] / np.abs(scale)
    kinds = found.smoothness[group_of[columns_of], rows]
    shape, flat = function.shape + function.point.shape, (function.base.size, function.point.size)

    def dense(data: NDArray[Any], fill: Any) -> NDArray[Any]:
        full = np.full(flat, fill, dtype=data.dtype)
        full[rows, columns_of] = data
        return full.reshape(shape)

    def matrix(data: NDArray[Any]) -> Any:
        from scipy.sparse import csc_array

        return csc_array((data, rows, pointers), shape=flat).tocsr()

    return NumericalJacobian(
        matrix(value) if sparse else dense(value, 0),
        matrix(error) if sparse else dense(error, 0),
        kinds if sparse else dense(kinds, "smooth"),
        found.noise.reshape(function.shape),
        function.evaluations,
        function.shape,
        function.point.shape,
        tuple(function.remarks),
    )
