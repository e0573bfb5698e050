"""`Jacobian`: a generalized Jacobian that is not written out.

The axes are the output axes, then the axes of what we differentiate by ("wrt"): numerator layout, everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from jacobians.core import solving
from jacobians.core.distinct import Held, Origins, kept_apart, origins
from jacobians.core.linear_map import LinearMap
from jacobians.core.vectors import numbers
from jacobians.engine import algebra, compiler
from jacobians.engine.tape import Array, is_traced
from jacobians.kept import kept
from jacobians.notation.formula import equation
from jacobians.notation.markup import latex
from jacobians.notation.structure import Factor, Form, Shape, Term
from jacobians.notation.symbols import symbol_of
from jacobians.show.entry_table import EntryTable
from jacobians.show.html import jacobian_html
from jacobians.show.layouts import Layouts, layouts
from jacobians.show.plot import Kind, plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Scalar = compiler.Scalar


def _apply(operation: compiler.Operation, *jacobians: Jacobian, static: tuple[Any, ...] = ()) -> Jacobian:
    """Apply an operation of the algebra to Jacobians."""
    program, form = compiler.compiled(operation, tuple([j.form for j in jacobians]), static)
    program.require_memory()
    return Jacobian(form, program([array for j in jacobians for array in j.arrays]))


def _combined(operation: compiler.Operation, left: Jacobian, right: Jacobian) -> Jacobian:
    """Apply an operation to two Jacobians, of which neither knows what things are called in the other."""
    held = [Held(j.form, j.arrays, j.origins) for j in (left, right)]
    one, two, known = kept_apart(*held)
    program, form = compiler.compiled(operation, (one, two))
    program.require_memory()
    found = Jacobian(form, program([*held[0].arrays, *held[1].arrays]))
    object.__setattr__(found, "_origins", known)
    return found


def plain_number(value: Any) -> Any:
    """A plain Python number, so that it does not decide the dtype of what it multiplies."""
    return value.item() if isinstance(value, np.generic | np.ndarray) else value


class Jacobian(LinearMap):
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

    __slots__ = ("_origins",)
    _origins: Origins

    @property
    def origins(self) -> Origins:
        """Which arrays the names in the formula stand for, also those that have been multiplied since."""
        return getattr(self, "_origins", None) or origins(self.form, self.arrays)

    @classmethod
    def from_array(cls, values: ArrayLike, out_ndim: int) -> Jacobian:
        """The Jacobian with these entries, of which the first `out_ndim` axes are output axes."""
        array = numbers(values, "a Jacobian")
        return cls(compiler.dense(array.shape, out_ndim, array.dtype), (array,))

    def named(self, out_name: str, wrt_name: str) -> Jacobian:
        """The same Jacobian, written ∂out_name/∂wrt_name."""
        return Jacobian.of(self._source.named(out_name, wrt_name))

    def with_form(self, form: Form, arrays: tuple[Array, ...] | None = None) -> Jacobian:
        """A Jacobian of another form; of these arrays under other names, if none are given."""
        return Jacobian(form, self.arrays if arrays is None else arrays)

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
            raise ValueError(f"there are no {axes} batch axes in {self.words}")
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
            if self.wrt_shape != other.out_shape:
                needed = f"J is {self.words}, so {self.wrt_shape} is needed; it is {other.out_shape}"
                raise ValueError(f"J @ K needs K's output axes to be J's wrt axes: {needed}")
            return _combined(algebra.product, self, other)
        if getattr(other, "__array_ufunc__", ...) is None:  # written terms: they know how to bind themselves
            return NotImplemented
        h = other if is_traced(other) else np.asarray(other)
        if h.shape != self.wrt_shape:
            raise ValueError(f"J @ h needs an h of J's wrt_shape: {self._needed(self.wrt_shape, h.shape, 'right')}")
        return self.jvp(h)

    def __rmatmul__(self, other: Any) -> Any:
        """The product u @ J for an array u of out_shape, of wrt_shape."""
        u = other if is_traced(other) else np.asarray(other)
        if u.shape != self.out_shape:
            raise ValueError(f"u @ J needs a u of J's out_shape: {self._needed(self.out_shape, u.shape, 'left')}")
        return self.vjp(u)

    def conj(self) -> Jacobian:
        """The complex conjugate; the same Jacobian if it is real."""
        if self.dtype.kind != "c":
            return self
        return Jacobian(self.form, tuple([a.conj() if a.dtype.kind == "c" else a for a in self.arrays]))

    def gram(self) -> Jacobian:
        """J Jᴴ over the wrt axes, of shape `out_shape + out_shape`: summed over parameters, the empirical NTK."""
        return _combined(algebra.product, self, self.conj().T)

    def normal(self) -> Jacobian:
        """Jᴴ J over the output axes, of shape `wrt_shape + wrt_shape`: the matrix of Gauss–Newton."""
        return _combined(algebra.product, self.conj().T, self)

    def norm(self) -> float:
        """The Frobenius norm, the root of Σ |∂y_i/∂x_j|²."""
        squares = _apply(algebra.inner, self.conj(), self).full()
        return float(np.sqrt(np.maximum(squares.real, 0)))

    def _needed(self, shape: Shape, given: Shape, side: Literal["left", "right"]) -> str:
        """What is wrong with an array on one side, and what to write instead where it is no vector."""
        text = f"J is {self.words}, so {shape} is needed; it is {given}"
        cut = len(given) - len(shape)
        matrix, vectors = ("J @ Jacobian.from_array(S, {})", "J.jvp") if side == "right" else (
            "Jacobian.from_array(S, {}) @ J", "J.vjp"
        )  # fmt: skip
        if given == shape + shape:
            text += ". For J S Jᵀ write J.propagate(S)" if side == "right" else ""
        if cut > 0 and (given[: len(shape)] if side == "right" else given[cut:]) == shape:
            text += f". For a matrix S write {matrix.format(len(shape) if side == 'right' else cut)}"
        if cut == 1 and given[1:] == shape:
            text += f". For several vectors along the first axis write {vectors}(…)"
        return text

    def __add__(self, other: Any) -> Jacobian:
        """The sum of two paths."""
        if getattr(other, "__array_ufunc__", ...) is None and not isinstance(other, Jacobian):  # written terms
            return NotImplemented
        if not isinstance(other, Jacobian):
            out = len(self.out_shape)
            raise TypeError(
                f"a Jacobian and {_words_for(other)} cannot be added: write J.full() + … or "
                f"J + Jacobian.from_array(…, {out})"
            )
        if (self.out_shape, self.wrt_shape) != (other.out_shape, other.wrt_shape):
            raise ValueError(f"J + K needs equal shapes; J is {self.words}, K is {other.words}")
        return _combined(algebra.add, self, other)

    def __radd__(self, other: Any) -> Jacobian:
        if isinstance(other, int) and other == 0:  # sum() begins with 0
            return self
        return self.__add__(other)

    def __sub__(self, other: Any) -> Jacobian:
        return self.__add__(-other)

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

    # -- uses ----------------------------------------------------------------------------------------------------------

    def propagate(self, S: ArrayLike, *, kind: Literal["covariance", "deviations"] | None = None) -> Array:
        """The covariance of the output, J Σ Jᴴ: linear propagation of errors.

        Parameters
        ----------
        S
            Of shape wrt_shape + wrt_shape, the covariance tensor Σ of the argument; or of wrt_shape, the standard
            deviations of its entries, which are then taken as independent.
        kind
            Which of both, where the shape does not say: for an argument that is a number.

        Returns
        -------
        The covariance tensor, of shape out_shape + out_shape. ``(J @ Jacobian.from_array(S, n)) @ J.T`` is the same,
        unmaterialised. Source: JCGM 102:2011, equation (3).

        Examples
        --------
        >>> from jacobians import trace
        >>> J = trace(lambda x: np.array([x[0] + x[1], x[0] * x[1]]), np.array([2.0, 3.0])).jacobian()
        >>> J.propagate([0.1, 0.2])
        array([[0.05, 0.11],
               [0.11, 0.25]])
        """
        array, wrt = numbers(S, "S"), self.wrt_shape
        allowed = {"covariance": wrt + wrt, "deviations": wrt}
        kinds = [one for one, shape in allowed.items() if shape == array.shape and kind in (None, one)]
        if kind not in (None, *allowed) or not kinds:
            raise ValueError(
                f"propagate: J is {self.words}, so S must be a covariance tensor of shape {wrt + wrt} or standard "
                f"deviations of shape {wrt}; it is {array.shape}{f' and kind is {kind!r}' if kind else ''}"
            )
        if len(kinds) > 1:
            raise ValueError('propagate: for a number say what S is: kind="covariance" or kind="deviations"')
        if kinds == ["covariance"]:
            propagated: Jacobian = self @ Jacobian.from_array(array, len(wrt)) @ self.conj().T
            return propagated.full()
        if np.iscomplexobj(array) or (array < 0).any():
            raise ValueError("propagate: standard deviations are real and not negative")
        scaled: Jacobian = self @ Jacobian(*compiler.diagonal(array))
        return scaled.gram().full()

    def slogdet(self) -> tuple[Any, Any]:
        """The sign of the determinant of the matrix and the logarithm of its absolute value, as ``np.linalg.slogdet``.

        For a density that is transformed by f: log p(y) = log p(x) − log |det ∂y/∂x|.
        """
        return solving.slogdet(self)

    def solve(self, b: ArrayLike) -> Any:
        """The x of wrt_shape with J x = b, for a b of out_shape, or for several along one more leading axis.

        As ``np.linalg.solve`` for the matrix; by ``scipy.sparse.linalg.splu`` where it is large and nearly empty.

        Raises
        ------
        np.linalg.LinAlgError
            If the matrix is singular.
        """
        return solving.solve(self, b)

    def lstsq(self, b: ArrayLike) -> Any:
        """The x of wrt_shape with the least ‖J x − b‖, and of these the shortest; for one b of out_shape or several.

        As ``np.linalg.lstsq`` for the matrix; by ``scipy.sparse.linalg.lsmr`` where it is nearly empty, or too large.
        """
        return solving.lstsq(self, b)

    def singular_values(self, k: int | None = None) -> Array:
        """The k largest singular values of the matrix, the largest first; all by default.

        As ``np.linalg.svd``; by ``scipy.sparse.linalg.svds``, with products only, for a few of a large matrix.
        """
        return solving.singular_values(self, k)

    # -- looking at it -------------------------------------------------------------------------------------------------

    @property
    def formula(self) -> str:
        """The entries in index notation, as in "∂z_i/∂A_jk = δ_ij x_k"."""
        return equation(self.form)

    def __repr__(self) -> str:
        return f"Jacobian {self.words}: {self.formula}"

    def plot(
        self, *, kind: Kind = "heat", order: Literal["C", "F"] = "C", of: Callable[..., Any] | None = None,
        at: ArrayLike | None = None, reach: float = 0.5,
    ) -> Figure | EntryTable:  # fmt: skip
        """Draw the Jacobian: see `jacobians.show.plot.plot`."""
        return plot(self.form, self.arrays, self.matrix, kind, order, of, at, reach)

    def layouts(self) -> Layouts:
        """Show how different books write this derivative, as a table: see `jacobians.show.layouts`."""
        return layouts(self.form)

    def _repr_latex_(self) -> str:
        return f"$$ {latex(self.formula)} $$"

    def _repr_html_(self) -> str:
        return jacobian_html(self.form, self.arrays, self.matrix)


def _words_for(other: Any) -> str:
    return f"an array of shape {other.shape}" if isinstance(other, np.ndarray) else f"a {type(other).__name__}"


@kept
def _scale_form(text: str, dtype: np.dtype[Any]) -> Form:
    """A number as the Jacobian of a scalar with respect to a scalar."""
    return Form((), (), dtype, (Term((), (Factor(0, (), symbol_of(text, 0)),), (), (), ()),))
