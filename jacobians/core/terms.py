"""`term` writes a term of a Jacobian down in index notation; `Terms` are sums of them, not yet bound to shapes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from jacobians.core.jacobian import Jacobian, Scalar, plain_number
from jacobians.core.postponed import Postponed
from jacobians.core.vectors import numbers
from jacobians.engine import compiler
from jacobians.engine.tape import Array, is_traced
from jacobians.errors import TracingError
from jacobians.notation.parse import parse
from jacobians.notation.sizes import resolve
from jacobians.notation.structure import Shape

POSITION = np.dtype(np.intp)  # the type of positions in a lookup
LOOKUP = POSITION.char


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
    kinds = _kinds(formula)
    if not arrays and not kinds:
        return _without_arrays(formula)
    if len(arrays) != len(kinds):
        resolve(formula, tuple(np.shape(a) for a in arrays), None, None)  # raises
    for values, kind in zip(arrays, kinds):  # noqa: B905 - as many; this is the way that every layer takes
        if type(values) is not np.ndarray or values.dtype.char not in kind:
            return Terms(((1, formula, _converted(formula, arrays, kinds)),))
    return Terms(((1, formula, arrays),))  # type: ignore[arg-type]  # they are arrays


@lru_cache(maxsize=4096)
def _kinds(formula: str) -> tuple[str, ...]:
    """The types, as in ``dtype.char``, that the factors and the lookups of a formula have."""
    parsed = parse(formula)
    count = len(parsed.factors)
    return tuple(np.typecodes["AllFloat"] if k < count else LOOKUP for k in range(len(parsed.arrays)))


@lru_cache(maxsize=4096)
def _without_arrays(formula: str) -> Terms:
    return Terms(((1, formula, ()),))


def _converted(formula: str, arrays: Sequence[ArrayLike], kinds: Sequence[str]) -> tuple[Array, ...]:
    """Arrays of numbers of the right types."""
    found: list[Any] = []
    for values, kind in zip(arrays, kinds):  # noqa: B905 - as many
        if type(values) is np.float64 and kind is not LOOKUP:  # what NumPy makes of arrays without axes
            found.append(np.asarray(values))
            continue
        array: Any = values if type(values) is Postponed or is_traced(values) else np.asarray(values)
        if array.dtype.char not in kind:
            name = parse(formula).arrays[len(found)].name
            array = _numbers(array, kind is LOOKUP, f'"{formula}": {name}')
        found.append(array)
    return tuple(found)


def _numbers(array: Array, lookup: bool, what: str) -> Array:
    """Floating-point numbers for a factor; positions for a lookup, which must hold integers."""
    if lookup:
        if array.dtype.kind not in "iu" and array.size:  # an empty list is one of positions, too
            raise ValueError(f"in the formula {what} is a lookup, so it must hold integers, not {array.dtype}")
        return array.astype(POSITION)  # of unsigned ones, those that are too large become negative: they do not exist
    if array.dtype.kind == "O":
        raise TracingError(f"in the formula {what} is an array of objects: leave np.asarray and np.array out")
    return numbers(array, f"in the formula {what}")


Written = tuple[Scalar, str, tuple[Array, ...]]


class Terms:
    """A sum of written terms whose sizes nobody has asked for yet."""

    __slots__ = ("constant", "written")

    def __init__(self, written: tuple[Written, ...]) -> None:
        self.written = written
        self.constant: compiler.Pattern | None = None  # the pattern, where there are no arrays in it

    def bind(
        self, out_shape: Shape | None = None, wrt_shape: Shape | None = None, dtype: DTypeLike | None = None,
        out_name: str = "y", wrt_name: str = "x",
    ) -> Jacobian:  # fmt: skip
        """The `Jacobian` with these shapes; without them, the arrays must fix all sizes."""
        arrays: list[Array] = []
        pattern = self.pattern(arrays, {})
        if dtype is None:
            factors = [a for _, text, ars in self.written for a in ars[: len(parse(text).factors)]]
            dtype = np.result_type(*factors) if factors else np.float64
        exact = dtype if isinstance(dtype, np.dtype) else np.dtype(dtype)
        program, form = compiler.bound(pattern, out_shape, wrt_shape, exact, out_name, wrt_name)
        return Jacobian(form, program(arrays) if program.calls else tuple(arrays))

    def pattern(self, arrays: list[Array], numbers: dict[int, int]) -> compiler.Pattern:
        """What is written, with the arrays as numbers; arrays that are new are put on the list.

        `numbers` has the number of every array on the list by its identity, so that one array is held once.
        """
        if self.constant is not None:
            return self.constant
        written: list[Any] = []
        for coefficient, text, some in self.written:
            if not some:
                written.append((coefficient, text, (), ()))
                continue
            shapes, found = [], []
            for array in some:
                number = numbers.get(id(array))
                if number is None:
                    number = numbers[id(array)] = len(arrays)
                    arrays.append(array)
                shapes.append(array.shape)
                found.append(number)
            written.append((coefficient, text, tuple(shapes), tuple(found)))
        pattern = tuple(written)
        if not any(some for *_, some in pattern):
            self.constant = pattern
        return pattern

    def __add__(self, other: Terms) -> Terms:
        return Terms(self.written + other.written) if isinstance(other, Terms) else NotImplemented

    def __sub__(self, other: Terms) -> Terms:
        return self + -other if isinstance(other, Terms) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        if not isinstance(other, Jacobian):
            return NotImplemented
        return other + self.bind(other.out_shape, other.wrt_shape, other.dtype)

    def __rsub__(self, other: Any) -> Any:
        return (-self).__radd__(other)

    def __neg__(self) -> Terms:
        return -1 * self

    def __mul__(self, factor: Scalar) -> Terms:
        if np.ndim(factor) != 0:
            raise ValueError(f"a term is multiplied by a scalar, not by an array of shape {np.shape(factor)}")
        return Terms(tuple((plain_number(c * factor), text, arrays) for c, text, arrays in self.written))

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
        if name.startswith("_") or not hasattr(Jacobian, name):
            raise AttributeError(f"terms, and the Jacobian that they make, have no attribute {name!r}")
        return getattr(self.bind(), name)

    def __repr__(self) -> str:
        return " + ".join(f'{"" if c == 1 else f"{c:g} * "}term("{text}")' for c, text, _ in self.written)
