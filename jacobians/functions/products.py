"""Products of vectors, matrices and stacks of them: all are `MatMul`, `Dot`, `Kronecker` or `Einsum`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np

from jacobians import layers
from jacobians.core.applying import apply, is_sparse
from jacobians.core.rules import METHODS, RULES, refuse, rule
from jacobians.core.short import of_two
from jacobians.core.traced import Traced
from jacobians.functions.assembling import as_arrays, whole
from jacobians.functions.constants import plain, without_derivative
from jacobians.functions.moving import moved
from jacobians.layers.axes import LETTERS

LABELS = LETTERS + LETTERS.upper()
DOT, KRONECKER, OUTER, TRACE = layers.Dot(), layers.Kronecker(), layers.Outer(), layers.Trace()

without_derivative(np.einsum_path)


_matmul = of_two(np.matmul, layers.MatMul())


@rule(np.matmul)
def matmul(x1: Any, x2: Any, /, **options: Any) -> Any:
    """A product of matrices, of which one may be a constant one of ``scipy.sparse``."""
    if type(x1) is not Traced and is_sparse(x1):
        return _sparse_product(x1, x2)
    if type(x2) is not Traced and is_sparse(x2):  # (x A)ᵀ = Aᵀ xᵀ
        columns: Any = RULES[np.moveaxis](x1, -1, 0)
        return RULES[np.moveaxis](_sparse_product(x2.T, columns), 0, -1)
    return _matmul(x1, x2, **options)


def _sparse_product(A: Any, x: Traced) -> Traced:
    """A constant sparse matrix times an array."""
    if A.ndim != 2 or not x.ndim or x.shape[0] != A.shape[1]:
        raise ValueError(f"matmul: a sparse matrix of shape {A.shape} and an array of shape {x.shape} do not fit")
    if A.dtype.kind == "O":
        refuse("a sparse matrix of traced values", "write A.multiply(c) @ x as A @ (c * x), for a constant A")
    entries = A.tocoo()
    layer = layers.SparseMatMul(entries.data, entries.row, entries.col, A.shape)
    value: Any = x.value
    if type(value) is Traced:  # in another trace
        return apply(layer, x)
    output = A @ value.reshape(value.shape[0], -1) if value.ndim > 2 else A @ value
    return apply(layer, x, output=np.asarray(output).reshape(A.shape[0], *value.shape[1:]))


@lru_cache(maxsize=4096)
def _einsum(subscripts: str) -> layers.Einsum:
    return layers.Einsum(subscripts)


def multiplied(subscripts: str, *operands: Any, output: Any = None) -> Traced:
    """``np.einsum`` of complete subscripts; the output is given where NumPy has computed it in another way."""
    if output is None:
        output = np.einsum(subscripts, *[plain(x) for x in operands], optimize=len(operands) > 2)
    layer = _einsum(subscripts)
    if len(operands) != len(layer.input_names):
        raise ValueError(f'einsum: "{subscripts}" has {len(layer.input_names)} operands; {len(operands)} are given')
    return apply(layer, *operands, output=np.asarray(output))


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a traced or plain array."""
    return x.shape if isinstance(x, Traced) else np.shape(x)


@rule(np.einsum)
def einsum(*operands: Any, optimize: Any = False, **options: Any) -> Any:
    """``np.einsum`` in both of its forms."""
    subscripts, arrays = _subscripts(operands)
    output = np.einsum(subscripts, *[plain(x) for x in arrays], optimize=optimize, **options)
    if len(arrays) == 1 and np.may_share_memory(output, plain(arrays[0])):  # a view that can be written into
        return moved(partial(_einsum_of, subscripts), arrays[0])
    complete, squeezed = _completed(subscripts, tuple(map(shape_of, arrays)))
    for k, axes in enumerate(squeezed):
        for axis in axes:
            arrays[k] = np.squeeze(arrays[k], axis)
    return multiplied(complete, *arrays, output=output)


@lru_cache(maxsize=4096)
def _completed(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> tuple[str, list[list[int]]]:
    """Subscripts with their output; and the axes of every operand to be left out, one after another.

    An axis of size 1 broadcasts against a longer one of the same label, so it is no axis of the product.
    """
    inputs, arrow, out = subscripts.replace(" ", "").partition("->")
    sides = inputs.split(",")
    if not arrow:
        out = _einsum(inputs).subscripts.partition("->")[2]
    sizes: dict[str, int] = {}
    for side, shape in zip(sides, shapes, strict=True):
        for label, n in _sizes(side, shape):
            sizes[label] = max(n, sizes.get(label, 0)) if n != 0 else n
    squeezed: list[list[int]] = []
    for k, (side, shape) in enumerate(zip(sides, shapes, strict=True)):
        axes = []
        for label in dict.fromkeys(label for label, n in _sizes(side, shape) if n == 1 != sizes[label]):
            for _ in range(side.count(label)):
                axis = side.index(label)
                axes.append(axis if "..." not in side[:axis] else axis - len(side))
                side = side.replace(label, "", 1)
        sides[k] = side
        squeezed.append(axes)
    return f"{','.join(sides)}->{out}", squeezed


def _einsum_of(subscripts: str, x: Any) -> Any:
    return np.einsum(subscripts, x)


def _sizes(side: str, shape: tuple[int, ...]) -> list[tuple[str, int]]:
    """The labels of an operand with their sizes."""
    before, _, behind = side.partition("...")
    sizes = shape[: len(before)] + shape[len(shape) - len(behind) :]
    return list(zip(before + behind, sizes, strict=False))


def _subscripts(operands: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """The subscripts as text, and the arrays; lists of labels are turned into text."""
    if isinstance(operands[0], str):
        return operands[0], [whole(x) for x in operands[1:]]
    arrays = [whole(x) for x in operands[: len(operands) // 2 * 2 : 2]]
    lists = [*operands[1::2], *operands[len(operands) // 2 * 2 :]]
    labels = sorted({label for one in lists for label in one if label is not Ellipsis})  # NumPy sorts them, too
    names = dict(zip(labels, sorted(LABELS), strict=False))
    texts = ["".join("..." if label is Ellipsis else names[label] for label in one) for one in lists]
    return ",".join(texts[: len(arrays)]) + (f"->{texts[-1]}" if len(operands) % 2 else ""), arrays


@rule(np.dot)
def dot(a: Any, b: Any, out: None = None) -> Any:
    """``np.dot`` in all its cases."""
    a, b = whole(a), whole(b)
    if not shape_of(a) or not shape_of(b):
        return RULES[np.multiply](*as_arrays(a, b))
    return apply(DOT, a, b)


METHODS["dot"] = lambda x: lambda other: dot(x, other)


@rule(np.inner)
def inner(a: Any, b: Any, /) -> Any:
    """The product along the last axes."""
    a, b = whole(a), whole(b)
    m, n = len(shape_of(a)), len(shape_of(b))
    if not m or not n:
        return RULES[np.multiply](*as_arrays(a, b))
    first, second = LABELS[: m - 1], LABELS[m : m + n - 1]
    return multiplied(f"{first}Z,{second}Z->{first}{second}", a, b, output=np.inner(plain(a), plain(b)))


@rule(np.vdot)
def vdot(a: Any, b: Any, /) -> Any:
    """The product of all entries, those of the first one conjugated."""
    return dot(_conjugated(np.ravel(whole(a))), np.ravel(whole(b)))


def _conjugated(x: Any) -> Any:
    return np.conjugate(x) if x.dtype.kind == "c" else x


@rule(np.outer, np.linalg.outer)
def outer(a: Any, b: Any, out: None = None, /) -> Any:
    """The products of all entries of one array with all of another."""
    return apply(OUTER, *[x if np.ndim(x) == 1 else np.ravel(x) for x in (whole(a), whole(b))])


@rule(np.kron)
def kron(a: Any, b: Any) -> Any:
    """The Kronecker product."""
    return apply(KRONECKER, *as_arrays(a, b))


@rule(np.tensordot, np.linalg.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """The product along several axes."""
    a, b = whole(a), whole(b)
    m, n = len(shape_of(a)), len(shape_of(b))
    if isinstance(axes, int | np.integer):
        left: list[Any] = list(range(m - int(axes), m))
        right: list[Any] = list(range(int(axes)))
    else:
        left, right = ([one] if isinstance(one, int | np.integer) else list(one) for one in axes)
    first, second = list(LABELS[:m]), list(LABELS[m : m + n])
    output = np.tensordot(plain(a), plain(b), axes)  # which raises where they do not fit
    for i, j in zip(left, right, strict=True):
        second[j] = first[i]
    both = {first[i] for i in left}
    out = "".join(label for label in first + second if label not in both)
    return multiplied(f"{''.join(first)},{''.join(second)}->{out}", a, b, output=output)


@rule(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[Any], *, out: None = None) -> Any:
    """The product of several matrices; the first and the last one may be vectors."""
    arrays = [whole(x) for x in arrays]
    output = np.linalg.multi_dot([plain(x) for x in arrays])
    sides = [LABELS[k : k + 2] for k in range(len(arrays))]
    if len(shape_of(arrays[0])) == 1:
        sides[0] = sides[0][1:]
    if len(shape_of(arrays[-1])) == 1:
        sides[-1] = sides[-1][:1]
    ends = sides[0][:-1] + sides[-1][1:]
    return multiplied(f"{','.join(sides)}->{ends}", *arrays, output=output)


@rule(np.trace)
def trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None
) -> Any:  # fmt: skip
    """The sum of a diagonal."""
    if offset == 0 and a.ndim == 2 and a.shape[0] == a.shape[1] and dtype is None:
        return apply(TRACE, a)
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


@rule(np.linalg.trace)
def linalg_trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sum of the diagonal of the last two axes."""
    return trace(x, offset, -2, -1, dtype)


METHODS["trace"] = lambda x: lambda *arguments, **options: trace(x, *arguments, **options)

LEVI_CIVITA = np.zeros((3, 3, 3))
LEVI_CIVITA[[0, 1, 2], [1, 2, 0], [2, 0, 1]] = 1
LEVI_CIVITA[[0, 2, 1], [2, 1, 0], [1, 0, 2]] = -1


@rule(np.cross)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The vector product: z_i = ε_ijk a_j b_k; for vectors in the plane the last component alone."""
    if axis is not None:
        axisa = axisb = axisc = axis
    output = np.cross(plain(a), plain(b), axisa, axisb, axisc)
    a, b = _last(whole(a), axisa), _last(whole(b), axisb)
    flat = a.shape[-1] == b.shape[-1] == 2
    epsilon = LEVI_CIVITA[2 if flat else slice(None), : a.shape[-1], : b.shape[-1]]
    epsilon = epsilon.astype(np.result_type(a.dtype, b.dtype))
    ones, two = ("..." if a.ndim > 1 else ""), ("..." if b.ndim > 1 else "")
    both, i = ones or two, "" if flat else "i"
    subscripts = f"{i}jk,{ones}j,{two}k->{both}{i}"
    product = multiplied(subscripts, epsilon, a, b, output=output if flat else np.moveaxis(output, axisc, -1))
    return product if flat or axisc in (-1, product.ndim - 1) else RULES[np.moveaxis](product, -1, axisc)


def _last(x: Any, axis: int) -> Any:
    """An array with this axis as its last one."""
    x = x if isinstance(x, Traced) else np.asarray(x)
    return x if axis in (-1, x.ndim - 1) else np.moveaxis(x, axis, -1)


@rule(np.linalg.cross)
def linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The vector product in space."""
    if shape_of(x1)[axis] != 3 or shape_of(x2)[axis] != 3:
        raise ValueError(f"cross: both must be 3 long along axis {axis}; they are {shape_of(x1)} and {shape_of(x2)}")
    return cross(x1, x2, axis=axis)


def _vectors(ufunc: Any, subscripts: str, conjugated: bool) -> None:
    """Enter a product of vectors and matrices along the last axes."""
    name = ufunc.__name__

    def call(a: Any, b: Any, axes: Any = None, axis: int | None = None, **options: Any) -> Any:
        if axes is not None or any(value is not None for value in options.values()):
            refuse(f"np.{name} with axes= or other options", "move the axes with np.moveaxis, and leave the rest out")
        a, b = whole(a), whole(b)
        if axis is not None:
            a, b = np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)
        a = a if isinstance(a, Traced) else np.asarray(a)
        return multiplied(subscripts, _conjugated(a) if conjugated else a, b, output=ufunc(plain(a), plain(b)))

    RULES[ufunc] = call


for _name, _text, _conjugate in (
    ("vecdot", "...i,...i->...", True), ("matvec", "...ij,...j->...i", False), ("vecmat", "...i,...ij->...j", True)
):  # fmt: skip
    if hasattr(np, _name):  # matvec and vecmat are of NumPy 2.2
        _vectors(getattr(np, _name), _text, _conjugate)


@rule(np.linalg.vecdot)
def linalg_vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The product of vectors, those of the first one conjugated."""
    return RULES[np.vecdot](x1, x2, axis=axis)


@rule(np.linalg.matmul)
def linalg_matmul(x1: Any, x2: Any, /) -> Any:
    """The product of matrices."""
    return RULES[np.matmul](whole(x1), whole(x2))
