"""`LinearMap`: a linear map between arrays of two shapes, which is not written out.

Its axes are those of the output, then those of the argument. It can be applied from both sides without its matrix, and
written out, in full or in pieces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, Literal, Self, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from jacobians.core import streaming
from jacobians.core.operators import linear_operator
from jacobians.core.vectors import number, vectors
from jacobians.engine import pieces
from jacobians.engine.sources import Between, Factors
from jacobians.engine.tape import Array
from jacobians.notation.formula import times
from jacobians.notation.structure import Form, Shape

Source = Factors | Between
T = TypeVar("T")


class LinearMap:
    """A linear map from arrays of `wrt_shape` to arrays of `out_shape`, immutable and unmaterialised."""

    __slots__ = ("_source",)
    __array_ufunc__ = None  # numpy leaves +, -, *, @ to us
    _source: Source

    def __init__(self, form: Form, arrays: tuple[Array, ...]) -> None:
        object.__setattr__(self, "_source", Factors(form, arrays))

    @classmethod
    def of(cls, source: Source) -> Self:
        """The one that has its entries from there."""
        new = object.__new__(cls)
        object.__setattr__(new, "_source", source)
        return new

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a {type(self).__name__} is immutable")

    def __reduce__(self) -> tuple[object, ...]:
        return type(self).of, (self._source.own(),)

    @property
    def form(self) -> Form:
        """Its structure: what the factors are, and how they make the entries."""
        return self._source.form

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays of the factors. They are multiplied when they are first asked for."""
        return self._source.arrays

    # -- as an array ---------------------------------------------------------------------------------------------------

    @property
    def out_shape(self) -> Shape:
        """The shape of the output."""
        return self._source.shapes[0]

    @property
    def wrt_shape(self) -> Shape:
        """The shape of what we differentiate by."""
        return self._source.shapes[1]

    @property
    def shape(self) -> Shape:
        """`out_shape + wrt_shape`."""
        out_shape, wrt_shape = self._source.shapes
        return out_shape + wrt_shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the full tensor."""
        return self.form.dtype

    @property
    def nbytes(self) -> int:
        """Bytes held now, by the factors."""
        return sum({id(a): a.nbytes for a in self.arrays}.values())

    @property
    def full_nbytes(self) -> int:
        """Bytes that `full()` would take."""
        return prod(self.shape) * self.dtype.itemsize

    @overload
    def full(self) -> Array: ...
    @overload
    def full(self, out: T, *, nbytes: int | None = None, start: int = 0) -> T: ...
    def full(self, out: Any = None, *, nbytes: int | None = None, start: int = 0) -> Any:
        """The full tensor, of shape `out_shape + wrt_shape`.

        Parameters
        ----------
        out
            What to write into, of that shape and dtype; it is returned. An array is written at once. A ``np.memmap``,
            a Zarr array, an HDF5 dataset, or whatever else takes ``out[index] = block``, is written block by block; on
            a terminal, long work has a progress bar (extra ``dask`` or ``notebook``: tqdm).
        nbytes
            The size of a block at most; 64 MB by default. With it, arrays are written in blocks, too.
        start
            The number of the block to begin with, for work that was interrupted: the error notes it.

        Raises
        ------
        JacobianTooLarge
            A `MemoryError`, before anything is allocated, if the tensor would not fit into memory.
        """
        if out is None:
            if nbytes is not None or start:
                raise ValueError("full() writes in blocks only into something: give out=…")
            return self._source.full()
        shape, dtype = getattr(out, "shape", None), getattr(out, "dtype", None)
        if shape is None or tuple(shape) != self.shape or dtype != self.dtype:
            given = f"{dtype} of shape {shape}" if shape is not None else type(out).__name__
            raise ValueError(f"out must be a {self.dtype} array of shape {self.shape}, not {given}")
        if nbytes is not None or start or isinstance(out, np.memmap) or not isinstance(out, np.ndarray):
            streaming.write(self._factors, out, pieces.BLOCK if nbytes is None else nbytes, start)
        elif out.flags.c_contiguous and not any(np.may_share_memory(out, a) for a in self._source.held):
            self._source.full_into(out)
        else:
            out[...] = self._source.full()
        return out

    def blocks(self, nbytes: int = pieces.BLOCK) -> Iterator[tuple[pieces.Index, Array]]:
        """All entries in pieces of at most `nbytes`: pairs (index, array) with ``J[index] == array``, in order.

        An index is a tuple of slices. The blocks are the same every time, so that work can go on where it was left.

        Examples
        --------
        >>> from jacobians import term
        >>> J = term("x_k -> i;ik", np.arange(1.0, 4.0)).bind((2,), (2, 3))
        >>> [(index[0], array.sum()) for index, array in J.blocks(nbytes=48)]
        [(slice(0, 1, None), np.float64(6.0)), (slice(1, 2, None), np.float64(6.0))]
        """
        shape = pieces.block_shape(self.shape, self.dtype.itemsize, nbytes)
        factors = self._factors
        return ((index, pieces.block(factors, index)) for index in pieces.indices(self.shape, shape))

    def dask(self, chunks: Any = "auto") -> Any:
        """A ``dask.array`` with these entries, whose chunks are made where they are used (extra ``dask``).

        The factors are one key of its graph: they travel to a worker once, however many chunks it makes.

        Parameters
        ----------
        chunks
            As for ``dask.array.from_array``: ``"auto"``, or sizes for all axes.
        """
        return streaming.dask_array(self._factors, chunks)

    @property
    def _factors(self) -> Factors:
        return Factors(self.form, self.arrays)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("a Jacobian is not stored as an array, so it cannot become one without a copy")
        full = self.full()
        return full if dtype is None else full.astype(dtype, copy=False)

    def matrix(self, order: Literal["C", "F"] = "C") -> Array:
        """The 2-D matrix (∏ out_shape × ∏ wrt_shape); 1×N for the gradient of a scalar.

        Parameters
        ----------
        order
            How both groups of axes are flattened: ``"C"`` by rows, ``"F"`` by columns, which is ∂vec(y)/∂vec(x).
        """
        if order not in ("C", "F"):
            raise ValueError(f'order must be "C" (by rows) or "F" (by columns), not {order!r}')
        full = self.full()
        cut = len(self.out_shape)
        if order == "F":
            full = full.transpose((*reversed(range(cut)), *reversed(range(cut, self.ndim))))
        return full.reshape(prod(self.out_shape), prod(self.wrt_shape))

    def __getitem__(self, key: Any) -> Array:
        """Those entries only, computed without the full tensor: integers, slices and ``...`` as for an array."""
        chosen = self._source.select(_selection(key, self.shape))
        return chosen[()] if chosen.ndim == 0 else chosen

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a Jacobian without axes")
        return self.shape[0]

    @property
    def nonzeros(self) -> int:
        """How many entries can be different from zero."""
        return self._source.nonzeros()

    def sparse(self, format: Literal["csr", "csc", "coo"] = "csr") -> Any:  # noqa: A002 - as in SciPy
        """The matrix as a sparse array of SciPy, with the entries that can be non-zero (extra ``scipy``).

        Parameters
        ----------
        format
            ``"csr"`` for ``scipy.sparse.csr_array``, ``"csc"`` or ``"coo"``. The matrix is canonical: sorted, and every
            entry once.
        """
        return self._source.sparse(format)

    # -- applied to vectors --------------------------------------------------------------------------------------------

    def jvp(self, h: ArrayLike) -> Any:
        """The product Σ_j ∂y_i/∂x_j h_j, without the matrix.

        Parameters
        ----------
        h
            A tangent, of wrt_shape; or several, along one more leading axis.

        Returns
        -------
        The product, of out_shape; behind the leading axis, if there is one.

        Examples
        --------
        >>> from jacobians import Linear
        >>> _, found = Linear([[1.0, 2.0], [3.0, 4.0]]).linearize([0.0, 0.0])
        >>> found["x"].jvp([1.0, 1.0])
        array([3., 7.])
        """
        return number(self._source.jvp(vectors(h, self.wrt_shape, f"J is {self.words}, so h in J.jvp(h)")))

    def vjp(self, u: ArrayLike) -> Any:
        """The product Σ_i u_i ∂y_i/∂x_j, without the matrix (and without conjugation).

        Parameters
        ----------
        u
            A cotangent, of out_shape; or several, along one more leading axis.

        Returns
        -------
        The product, of wrt_shape; behind the leading axis, if there is one.
        """
        return number(self._source.vjp(vectors(u, self.out_shape, f"J is {self.words}, so u in J.vjp(u)")))

    def linear_operator(self) -> Any:
        """The matrix as ``scipy.sparse.linalg.LinearOperator``, which only multiplies (extra ``scipy``).

        Its shape is (∏ out_shape, ∏ wrt_shape), both groups of axes flattened by rows; ``lsmr``, ``gmres``, ``svds``
        and SciPy's other iterative solvers take it.
        """
        return linear_operator(self.out_shape, self.wrt_shape, self.dtype, self.jvp, self.vjp)

    @property
    def words(self) -> str:
        """The shape, as in 3 × (3×2)."""
        return times(self.out_shape, self.wrt_shape)


def _selection(key: Any, shape: Sequence[int]) -> tuple[int | tuple[int, int, int], ...]:
    """An index, normalised: a position or (start, step, length) for every axis."""
    keys = list(key) if isinstance(key, tuple) else [key]
    if any(k is Ellipsis for k in keys):
        at = next(n for n, k in enumerate(keys) if k is Ellipsis)
        keys[at : at + 1] = [slice(None)] * (len(shape) - len(keys) + 1)
    if len(keys) > len(shape) or any(k is Ellipsis for k in keys):
        raise IndexError(f"too many indices: the Jacobian has {len(shape)} axes, {shape}")
    keys += [slice(None)] * (len(shape) - len(keys))
    result: list[int | tuple[int, int, int]] = []
    for axis, (k, size) in enumerate(zip(keys, shape, strict=True)):
        if isinstance(k, slice):
            start, stop, step = k.indices(size)
            result.append((start, step, len(range(start, stop, step))))
        elif isinstance(k, int | np.integer) and not isinstance(k, bool):
            if not -size <= k < size:
                raise IndexError(f"index {k} is out of bounds for axis {axis} of size {size}")
            result.append(int(k) % size)
        else:
            raise IndexError(
                f"a Jacobian is indexed by integers, slices and ..., not by {k!r}; use full()[…] for the rest"
            )
    return tuple(result)
