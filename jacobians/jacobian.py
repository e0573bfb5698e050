"""`Jacobian`: a generalized Jacobian that is not written out, and `term`, which writes one down.

The axes are the output axes, then the axes of what we differentiate by ("wrt"): numerator layout, everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from jacobians import algebra, draft, engine
from jacobians.notation import parse, resolve
from jacobians.program import Array, Program, Tape
from jacobians.structure import Factor, Form, Shape, Term, plain, symbol_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jacobians.show.layouts import Layouts

Scalar = int | float | complex | np.number[Any]


def term(formula: str, *arrays: ArrayLike) -> Terms:
    """Write down one term of a Jacobian in index notation.

    Parameters
    ----------
    formula
        ``"x_k -> i;ik"``; the notation is described in `jacobians.notation`.
    *arrays
        One array for each factor left of the arrow, then one integer array for each lookup right of it.

    Returns
    -------
    Terms
        Terms add up (``+``, ``-``) and take scalar multiples; a `Layer` gives them the shapes of its output and
        argument. Where the arrays fix all sizes, the result can be used as a `Jacobian` at once.

    Raises
    ------
    ValueError
        If the formula is malformed or does not fit the arrays; the message quotes the formula.

    Examples
    --------
    The Jacobian of softmax, p_i δ_ij − p_i p_j:

    >>> p = np.array([0.5, 0.25, 0.25])
    >>> (term("p_i -> i;i", p) - term("p_i p_j -> i;j", p, p)).full()
    array([[ 0.25  , -0.125 , -0.125 ],
           [-0.125 ,  0.1875, -0.0625],
           [-0.125 , -0.0625,  0.1875]])
    """
    parsed = parse(formula)
    if len(arrays) != len(parsed.arrays):
        resolve(formula, tuple(np.shape(a) for a in arrays), None, None)  # raises
    ready: list[Array] = []
    count = len(parsed.factors)
    for k, values in enumerate(arrays):
        array = values if type(values) is np.ndarray else np.asarray(values)
        if array.dtype.kind not in ("fc" if k < count else "iu"):
            array = _numbers(array, lookup=k >= count, what=f'"{formula}": {parsed.arrays[k].name}')
        ready.append(array)
    return Terms(((1, formula, tuple(ready)),))


def _numbers(array: Array, lookup: bool, what: str) -> Array:
    """Floating-point numbers for a factor; a lookup must hold integers."""
    if lookup:
        raise ValueError(f"in the formula {what} is a lookup, so it must hold integers, not {array.dtype}")
    if array.dtype.kind not in "biu":
        raise ValueError(f"in the formula {what} must hold numbers, not {array.dtype}")
    return array.astype(np.float64)


Written = tuple[Scalar, str, tuple[Array, ...]]


@dataclass(frozen=True, eq=False)
class Terms:
    """A sum of written terms whose sizes nobody has asked for yet."""

    written: tuple[Written, ...]

    def bind(
        self, out_shape: Shape | None = None, wrt_shape: Shape | None = None, dtype: DTypeLike | None = None,
        out_name: str = "y", wrt_name: str = "x",
    ) -> Jacobian:  # fmt: skip
        """The `Jacobian` with these shapes; without them, the arrays must fix all sizes."""
        values: Sequence[Array]
        if len(self.written) == 1:
            ((coefficient, text, values),) = self.written
            pattern: Pattern = ((coefficient, text, tuple([a.shape for a in values]), ()),)
        else:  # arrays that stand in several terms are held once
            arrays = {id(a): a for _, _, ars in self.written for a in ars}
            number = {key: k for k, key in enumerate(arrays)}
            pattern = tuple([(c, text, tuple([a.shape for a in ars]), tuple([number[id(a)] for a in ars]))
                             for c, text, ars in self.written])  # fmt: skip
            values = list(arrays.values())
        if dtype is None:
            factors = [a for _, text, ars in self.written for a in ars[: len(parse(text).factors)]]
            dtype = np.result_type(*factors) if factors else np.float64
        exact = dtype if isinstance(dtype, np.dtype) else np.dtype(dtype)
        program, form, scalars = _bound(pattern, out_shape, wrt_shape, exact, out_name, wrt_name)
        values = (*values, *scalars)
        return Jacobian(form, program(values) if program.calls else values)

    def __add__(self, other: Terms) -> Terms:
        return Terms(self.written + other.written) if isinstance(other, Terms) else NotImplemented

    def __sub__(self, other: Terms) -> Terms:
        return self + -other if isinstance(other, Terms) else NotImplemented

    def __neg__(self) -> Terms:
        return -1 * self

    def __mul__(self, factor: Scalar) -> Terms:
        if np.ndim(factor) != 0:
            raise ValueError(f"a term is multiplied by a scalar, not by an array of shape {np.shape(factor)}")
        return Terms(tuple((_scalar(c * factor), text, arrays) for c, text, arrays in self.written))

    __rmul__ = __mul__
    __array_ufunc__ = None

    def __matmul__(self, other: Any) -> Any:
        return self.bind() @ other

    def __rmatmul__(self, other: Any) -> Any:
        return other @ self.bind()

    def __getitem__(self, key: Any) -> Any:
        return self.bind()[key]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        return self.bind().__array__(dtype, copy)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.bind(), name)

    def __repr__(self) -> str:
        return " + ".join(f'{"" if c == 1 else f"{c:g} * "}term("{text}")' for c, text, _ in self.written)


def _scalar(value: Any) -> Any:
    """A plain Python number, so that it does not decide the dtype of what it multiplies."""
    return value.item() if isinstance(value, np.generic | np.ndarray) else value


Pattern = tuple[tuple[Scalar, str, tuple[Shape, ...], tuple[int, ...]], ...]
"""Of every written term: coefficient, formula, the shapes of its arrays and their numbers (empty: 0, 1, 2, …)."""


@lru_cache(maxsize=4096)
def _bound(
    written: Pattern, out_shape: Shape | None, wrt_shape: Shape | None, dtype: np.dtype[np.generic],
    out_name: str, wrt_name: str,
) -> tuple[Program, Form, tuple[Array, ...]]:  # fmt: skip
    """The form of a sum of written terms, the views that its arrays need, and its scalar factors."""
    written = tuple((c, text, shapes, numbers or tuple(range(len(shapes)))) for c, text, shapes, numbers in written)
    count = 1 + max((n for *_, numbers in written for n in numbers), default=-1)
    scalars: list[Array] = []
    bound: list[tuple[Scalar, Term, tuple[tuple[int, ...], ...], tuple[int, ...]]] = []
    terms: list[Term] = []
    shapes: tuple[Shape, Shape] | None = None
    for coefficient, text, array_shapes, numbers in written:
        found = resolve(text, array_shapes, out_shape, wrt_shape)
        if shapes is not None and shapes != (found.out_shape, found.wrt_shape):
            raise ValueError(
                f'the terms of a sum need equal shapes: "{text}" gives {found.out_shape} × {found.wrt_shape}, '
                f"the terms before it {shapes[0]} × {shapes[1]}"
            )
        shapes = found.out_shape, found.wrt_shape
        bound.append((coefficient, found.term, found.dropped, numbers))
        if coefficient not in (1, -1):
            scalars.append(np.asarray(coefficient, np.result_type(dtype, coefficient)))
    assert shapes is not None
    dtype = np.result_type(dtype, *scalars)
    tape = Tape(count + len(scalars), dtype)
    number = iter(range(count, count + len(scalars)))
    for coefficient, one, dropped, numbers in bound:
        views = iter(zip(numbers, dropped, strict=True))
        factors = [draft.viewed(tape, f._replace(array=k), drop) for f, (k, drop) in zip(one.factors, views)]  # noqa: B905
        lookups = [draft.viewed(tape, f._replace(array=k), drop) for f, (k, drop) in zip(one.lookups, views)]  # noqa: B905
        if coefficient not in (1, -1):
            factors.insert(0, Factor(next(number), (), symbol_of(f"{coefficient:g}", 0)))
        sign = -1 if coefficient == -1 else 1
        terms.append(replace(one, factors=tuple(factors), lookups=tuple(lookups), sign=sign))
    program, form = engine.finished(tape, Form(*shapes, dtype, tuple(terms), out_name, wrt_name))
    return program, form, tuple(scalars)


def _apply(operation: engine.Operation, *jacobians: Jacobian, static: tuple[Any, ...] = ()) -> Jacobian:
    """Apply an operation of the algebra to Jacobians."""
    program, form = engine.compiled(operation, tuple([j.form for j in jacobians]), static)
    program.require_memory()
    return Jacobian(form, program([array for j in jacobians for array in j.arrays]))


class Jacobian:
    """A generalized Jacobian ∂y_i/∂x_j for multi-indices i and j, as a sum of products of arrays and deltas.

    Its shape is `out_shape + wrt_shape`. It is immutable and stays unmaterialised: products, sums and selections work
    on the factors; only `full` and `np.asarray` write all entries.

    Layers make Jacobians (`Layer.linearize`), as does `term`.

    Examples
    --------
    ∂z/∂A of z = Ax for a 500×400 matrix holds nothing but x:

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
            array = _numbers(array, lookup=False, what="J")
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
            program = engine.writer(self.form, into=False)
            program.require_memory()
            return program(self.arrays)[0]
        if not isinstance(out, np.ndarray) or out.shape != self.shape or out.dtype != self.dtype:
            given = f"{out.dtype} of shape {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
            raise ValueError(f"out must be a {self.dtype} array of shape {self.shape}, not {given}")
        if out.flags.c_contiguous and not any(np.may_share_memory(out, a) for a in self.arrays):
            engine.writer(self.form, into=True)((*self.arrays, out))
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
        if isinstance(other, Terms):
            other = other.bind()
        if isinstance(other, Jacobian):
            self._require_equal("J @ K needs K's output axes to be J's wrt axes", self.wrt_shape, other.out_shape)
            return _apply(algebra.product, self, other)
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
        from jacobians.sparse import sparse

        return sparse(self)

    def _require_equal(self, rule: str, mine: Shape, theirs: Shape) -> None:
        if mine != theirs:
            raise ValueError(f"{rule}: J is {self._words()}, so {mine} is needed; it is {theirs}")

    def __add__(self, other: Any) -> Jacobian:
        """The sum of two paths."""
        if isinstance(other, Terms):
            other = other.bind(self.out_shape, self.wrt_shape, self.dtype)
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
        return self.__add__(-other) if isinstance(other, Jacobian | Terms) else NotImplemented

    def __rsub__(self, other: Any) -> Jacobian:
        return (-self).__add__(other)

    def __neg__(self) -> Jacobian:
        return _apply(algebra.negative, self)

    def __mul__(self, factor: Scalar) -> Jacobian:
        """A scalar multiple."""
        if isinstance(factor, Jacobian | Terms) or np.ndim(factor) != 0:
            raise ValueError("a Jacobian is multiplied by a scalar; use @ for the chain rule, and full() for an array")
        number = _scalar(factor)
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
        from jacobians.show.formula import equation

        return equation(self.form)

    @property
    def nonzeros(self) -> int:
        """How many entries can be different from zero."""
        from jacobians.nonzeros import count

        return count(self.form, self.arrays)

    def _words(self) -> str:
        from jacobians.show.formula import times

        return times(self.out_shape, self.wrt_shape)

    def __repr__(self) -> str:
        return f"Jacobian {self._words()}: {self.formula}"

    def plot(self, *, kind: Literal["heat", "spy", "slices"] = "heat", order: Literal["C", "F"] = "C") -> Figure:
        """Draw the Jacobian with matplotlib: see `jacobians.show.plot.plot`."""
        from jacobians.show.plot import plot

        return plot(self, kind=kind, order=order)

    def layouts(self) -> Layouts:
        """Show how different books write this derivative, as a table: see `jacobians.show.layouts`."""
        from jacobians.show.layouts import layouts

        return layouts(self)

    def _repr_latex_(self) -> str:
        from jacobians.show.markup import latex

        return f"$$ {latex(self.formula)} $$"

    def _repr_html_(self) -> str:
        from jacobians.show.html import jacobian_html

        return jacobian_html(self)


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
