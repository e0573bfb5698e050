"""`Jacobian`: a generalized Jacobian that is not written out.

The axes are the output axes, then the axes of what we differentiate by ("wrt"): numerator layout, everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from jacobians.engine import algebra, compiler, entries
from jacobians.engine.sparse import sparse
from jacobians.engine.tape import Array
from jacobians.notation.formula import equation, times
from jacobians.notation.markup import latex
from jacobians.notation.structure import Factor, Form, Shape, Term, plain
from jacobians.notation.symbols import symbol_of
from jacobians.show.html import jacobian_html
from jacobians.show.layouts import Layouts, layouts
from jacobians.show.plot import Kind, plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Scalar = compiler.Scalar
POSITION = np.dtype(np.intp)  # the type of positions in a lookup


def _apply(operation: compiler.Operation, *jacobians: Jacobian, static: tuple[Any, ...] = ()) -> Jacobian:
    """Apply an operation of the algebra to Jacobians."""
    program, form = compiler.compiled(operation, tuple([j.form for j in jacobians]), static)
    program.require_memory()
    return Jacobian(form, program([array for j in jacobians for array in j.arrays]))


def numbers(array: Array, lookup: bool, what: str) -> Array:
    """Floating-point numbers for a factor; positions for a lookup, which must hold integers."""
    if lookup:
        if array.dtype.kind not in "iu" and array.size:  # an empty list is one of positions, too
            raise ValueError(f"in the formula {what} is a lookup, so it must hold integers, not {array.dtype}")
        return array.astype(POSITION)  # of unsigned ones, those that are too large become negative: they do not exist
    if array.dtype.kind not in "biu":
        raise ValueError(f"in the formula {what} must hold numbers, not {array.dtype}")
    return array.astype(np.float64)


def plain_number(value: Any) -> Any:
    """A plain Python number, so that it does not decide the dtype of what it multiplies."""
    return value.item() if isinstance(value, np.generic | np.ndarray) else value


class Jacobian:
    """A generalized Jacobian ∂y_i/∂x_j for multi-indices i and j, as a sum of products of arrays and deltas.

    Its shape is `out_shape + wrt_shape`. It is immutable and stays unmaterialised: products, sums and selections work
    on the factors; only `full` and `np.asarray` write all entries.

    Layers make Jacobians (`Layer.linearize`), as does `term`.

    Examples
    --------
    ∂z/∂A of z = Ax for a 500×400 matrix holds nothing but x:

    >>> from jacobians import term
    >>> x = np.ones(400)
    >>> J = term("x_k -> i;ik", x).bind((500,), (500, 400))
    >>> J
    Jacobian 500 × (500×400): ∂y_i/∂x_jk = δ_ij x_k
    >>> J.nbytes, J.full_nbytes
    (3200, 800000000)
    >>> (np.ones(500) @ J).shape
    (500, 400)
    """

    __slots__ = ("arrays", "form")
    __array_ufunc__ = None  # numpy leaves +, -, *, @ to us
    form: Form
    arrays: tuple[Array, ...]

    def __init__(self, form: Form, arrays: tuple[Array, ...]) -> None:
        object.__setattr__(self, "form", form)
        object.__setattr__(self, "arrays", arrays)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Jacobian is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a Jacobian is immutable")

    def __reduce__(self) -> tuple[object, ...]:
        return Jacobian, (self.form, self.arrays)

    @classmethod
    def from_array(cls, values: ArrayLike, out_ndim: int) -> Jacobian:
        """The Jacobian with these entries, of which the first `out_ndim` axes are output axes."""
        array = np.asarray(values)
        if array.dtype.kind not in "fc":
            array = numbers(array, lookup=False, what="J")
        axes = tuple(plain(k, n) for k, n in enumerate(array.shape))
        one = Term(array.shape, (Factor(0, tuple(range(array.ndim)), symbol_of("J", array.ndim)),), (),
                   axes[:out_ndim], axes[out_ndim:])  # fmt: skip
        return cls(Form(array.shape[:out_ndim], array.shape[out_ndim:], array.dtype, (one,)), (array,))

    def named(self, out_name: str, wrt_name: str) -> Jacobian:
        """The same Jacobian, written ∂out_name/∂wrt_name."""
        return Jacobian(_renamed(self.form, out_name, wrt_name), self.arrays)

    # -- as an array ---------------------------------------------------------------------------------------------------

    @property
    def out_shape(self) -> Shape:
        """The shape of the output."""
        return self.form.out_shape

    @property
    def wrt_shape(self) -> Shape:
        """The shape of what we differentiate by."""
        return self.form.wrt_shape

    @property
    def shape(self) -> Shape:
        """`out_shape + wrt_shape`."""
        return self.form.out_shape + self.form.wrt_shape

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

    def full(self, out: Array | None = None) -> Array:
        """The full tensor, of shape `out_shape + wrt_shape`.

        Parameters
        ----------
        out
            An array to write into, of that shape and dtype; it is returned.

        Raises
        ------
        JacobianTooLarge
            A `MemoryError`, before anything is allocated, if the tensor would not fit into memory.
        """
        if out is None:
            program = compiler.writer(self.form, into=False)
            program.require_memory()
            return program(self.arrays)[0]
        if not isinstance(out, np.ndarray) or out.shape != self.shape or out.dtype != self.dtype:
            given = f"{out.dtype} of shape {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
            raise ValueError(f"out must be a {self.dtype} array of shape {self.shape}, not {given}")
        if out.flags.c_contiguous and not any(np.may_share_memory(out, a) for a in self.arrays):
            compiler.writer(self.form, into=True)((*self.arrays, out))
        else:
            out[...] = self.full()
        return out

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
        chosen = _apply(algebra.select, self, static=(_selection(key, self.shape),)).full()
        return chosen[()] if chosen.ndim == 0 else chosen

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a Jacobian without axes")
        return self.shape[0]

    def per_example(self, axes: int = 1) -> Array:
        """Each example's own Jacobian: an array (batch…, out…, wrt…).

        For an output and an argument that both start with `axes` batch axes, ∂y_b/∂x_c is zero unless b = c; these
        zeros are left out.

        Raises
        ------
        ValueError
            If an example's output depends on another example's input.
        """
        if not 0 <= axes <= min(len(self.out_shape), len(self.wrt_shape)):
            raise ValueError(f"there are no {axes} batch axes in {self._words()}")
        try:
            return _apply(algebra.tied, self, static=(axes,)).full()
        except algebra.NotTied as error:
            raise ValueError(
                f"the first {axes} axes of the output and of {self.form.wrt_name} are not the same examples: "
                f"{self.formula} couples them (or {self.form.wrt_name} has no batch axes: use full())"
            ) from error

    # -- algebra -------------------------------------------------------------------------------------------------------

    @property
    def T(self) -> Jacobian:
        """The two groups of axes swapped: the denominator layout."""
        return _apply(algebra.transpose, self)

    def __matmul__(self, other: Any) -> Any:
        """The chain rule: contract the wrt axes with the output axes of a Jacobian, or with an array of wrt_shape."""
        if isinstance(other, Jacobian):
            self._require_equal("J @ K needs K's output axes to be J's wrt axes", self.wrt_shape, other.out_shape)
            return _apply(algebra.product, self, other)
        if getattr(other, "__array_ufunc__", ...) is None:  # written terms: they know how to bind themselves
            return NotImplemented
        h = np.asarray(other)
        self._require_equal("J @ h needs an h of J's wrt_shape", self.wrt_shape, h.shape)
        full = _apply(algebra.product, self, Jacobian.from_array(h, h.ndim)).full()
        return full[()] if full.ndim == 0 else full

    def __rmatmul__(self, other: Any) -> Any:
        """U @ J for an array of out_shape: uᵀJ, of wrt_shape."""
        u = np.asarray(other)
        self._require_equal("u @ J needs a u of J's out_shape", self.out_shape, u.shape)
        full = _apply(algebra.product, Jacobian.from_array(u, 0), self).full()
        return full[()] if full.ndim == 0 else full

    def conj(self) -> Jacobian:
        """The complex conjugate; the same Jacobian if it is real."""
        if self.dtype.kind != "c":
            return self
        return Jacobian(self.form, tuple([a.conj() if a.dtype.kind == "c" else a for a in self.arrays]))

    def gram(self) -> Jacobian:
        """J Jᴴ over the wrt axes, of shape `out_shape + out_shape`: summed over parameters, the empirical NTK."""
        return _apply(algebra.product, self, self.conj().T)

    def normal(self) -> Jacobian:
        """Jᴴ J over the output axes, of shape `wrt_shape + wrt_shape`: the matrix of Gauss–Newton."""
        return _apply(algebra.product, self.conj().T, self)

    def norm(self) -> float:
        """The Frobenius norm, the root of Σ |∂y_i/∂x_j|²."""
        squares = _apply(algebra.inner, self.conj(), self).full()
        return float(np.sqrt(np.maximum(squares.real, 0)))

    def sparse(self) -> Any:
        """The matrix as ``scipy.sparse.csr_array``, with the entries that can be non-zero (extra ``scipy``)."""
        return sparse(self.form, self.arrays)

    def _require_equal(self, rule: str, mine: Shape, theirs: Shape) -> None:
        if mine != theirs:
            raise ValueError(f"{rule}: J is {self._words()}, so {mine} is needed; it is {theirs}")

    def __add__(self, other: Any) -> Jacobian:
        """The sum of two paths."""
        if not isinstance(other, Jacobian):
            return NotImplemented
        if (self.out_shape, self.wrt_shape) != (other.out_shape, other.wrt_shape):
            raise ValueError(f"J + K needs equal shapes; J is {self._words()}, K is {other._words()}")
        return _apply(algebra.add, self, other)

    def __radd__(self, other: Any) -> Jacobian:
        if isinstance(other, int) and other == 0:  # sum() begins with 0
            return self
        return self.__add__(other)

    def __sub__(self, other: Any) -> Jacobian:
        return self.__add__(-other) if isinstance(other, Jacobian) else NotImplemented

    def __rsub__(self, other: Any) -> Jacobian:
        return (-self).__add__(other)

    def __neg__(self) -> Jacobian:
        return _apply(algebra.negative, self)

    def __mul__(self, factor: Scalar) -> Jacobian:
        """A scalar multiple."""
        if isinstance(factor, Jacobian) or np.ndim(factor) != 0:
            raise ValueError("a Jacobian is multiplied by a scalar; use @ for the chain rule, and full() for an array")
        number = plain_number(factor)
        if number == -1:
            return -self
        value = np.asarray(number, np.result_type(self.dtype, number))
        scale = Jacobian(_scale_form(f"{number:g}", value.dtype), (value,))
        return _apply(algebra.scaled, self, scale)

    __rmul__ = __mul__

    def __truediv__(self, factor: Scalar) -> Jacobian:
        return self * (1 / factor)

    # -- looking at it -------------------------------------------------------------------------------------------------

    @property
    def formula(self) -> str:
        """The entries in index notation, as in "∂z_i/∂A_jk = δ_ij x_k"."""
        return equation(self.form)

    @property
    def nonzeros(self) -> int:
        """How many entries can be different from zero."""
        return entries.count(self.form, self.arrays)

    def _words(self) -> str:
        return times(self.out_shape, self.wrt_shape)

    def __repr__(self) -> str:
        return f"Jacobian {self._words()}: {self.formula}"

    def plot(self, *, kind: Kind = "heat", order: Literal["C", "F"] = "C") -> Figure:
        """Draw the Jacobian with matplotlib: see `jacobians.show.plot.plot`."""
        return plot(self.form, self.arrays, self.matrix, kind, order)

    def layouts(self) -> Layouts:
        """Show how different books write this derivative, as a table: see `jacobians.show.layouts`."""
        return layouts(self.form)

    def _repr_latex_(self) -> str:
        return f"$$ {latex(self.formula)} $$"

    def _repr_html_(self) -> str:
        return jacobian_html(self.form, self.arrays)


@lru_cache(maxsize=4096)
def _renamed(form: Form, out_name: str, wrt_name: str) -> Form:
    return replace(form, out_name=out_name, wrt_name=wrt_name)


@lru_cache(maxsize=256)
def _scale_form(text: str, dtype: np.dtype[Any]) -> Form:
    """A number as the Jacobian of a scalar with respect to a scalar."""
    return Form((), (), dtype, (Term((), (Factor(0, (), symbol_of(text, 0)),), (), (), ()),))


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
