"""Products of arrays. Index legend: i rows, j columns of the output, k summed, ... batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from jacobians.core.layer import Array, Layer, Local, Parameter
from jacobians.core.terms import term
from jacobians.kept import found_once
from jacobians.layers.axes import letters

__all__ = ["Dot", "Einsum", "Kronecker", "MatMul", "Outer", "QuadraticForm", "SparseMatMul"]


class MatMul(Layer):
    """z_ij = x_ik y_kj: every case of ``np.matmul``, vectors, matrices and stacks that broadcast.

    ∂z_ij/∂x_lk = δ_il y_kj, ∂z_ij/∂y_kl = x_ik δ_jl.
    Shapes: x (..., M, K), y (..., K, N) give z (..., M, N); a vector x has no M, a vector y no N.
    Source: The Matrix Cookbook, derivatives of products.

    Examples
    --------
    >>> MatMul().jacobians([[1.0, 2.0]], [[3.0], [4.0]])["x"]
    array([[[[3., 4.]]]])
    """

    def forward(self, x: Array, y: Array) -> Array:
        if not (x.ndim and y.ndim) or x.shape[-1] != y.shape[-2 if y.ndim > 1 else 0]:
            raise ValueError(f"MatMul: x must be (..., M, K) and y (..., K, N); x is {x.shape}, y is {y.shape}")
        try:
            return np.asarray(x @ y)
        except ValueError:
            raise ValueError(f"MatMul: the stacks of x and y must broadcast; x is {x.shape}, y is {y.shape}") from None

    def local(self, x: Array, y: Array, z: Array) -> Local:
        i, j = "i" if x.ndim > 1 else "", "j" if y.ndim > 1 else ""
        xs, ys = ("..." if x.ndim > 2 else ""), ("..." if y.ndim > 2 else "")
        zs = "..." if x.ndim > 2 or y.ndim > 2 else ""
        return {
            "x": term(f"y_{ys}k{j} -> {zs}{i}{j};{xs}{i}k", y),
            "y": term(f"x_{xs}{i}k -> {zs}{i}{j};{ys}k{j}", x),
        }


class SparseMatMul(Layer):
    """z_i = Σ_e [i = r_e] a_e x_{c_e}: a sparse matrix, with the entry a_e in row r_e and column c_e, times x.

    ∂z_i/∂x_j = Σ_e a_e [i = r_e] [j = c_e], ∂z_i/∂a_e = [i = r_e] x_{c_e}; entries at the same place add up.
    Shapes: a, r, c (E) for a matrix of the given shape (M, N); x (N, ...) gives z (M, ...).
    Errors: ValueError for an entry outside the matrix.
    Source: ``scipy.sparse``, ``A @ x``.

    Examples
    --------
    >>> SparseMatMul([5.0, 6.0, 7.0], [0, 1, 1], [1, 0, 1], shape=(2, 2)).jacobians([1.0, 1.0])["x"]
    array([[0., 5.],
           [6., 7.]])
    """

    a: Parameter
    r: Any
    c: Any
    shape: Sequence[int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))
        super().__post_init__()
        for name, size in zip("rc", self.shape, strict=True):
            places = np.array(getattr(self, name), np.intp)
            if places.ndim != 1 or places.shape != self.a.shape:
                raise ValueError(
                    f"SparseMatMul: a, r and c must be vectors of one length; a is {self.a.shape}, {name} is "
                    f"{places.shape}"
                )
            if places.size and not 0 <= places.min() <= places.max() < size:
                raise ValueError(f"SparseMatMul: {name} must be from 0 to {size - 1}; the matrix is {self.shape}")
            places.flags.writeable = False
            object.__setattr__(self, name, places)

    def forward(self, x: Array) -> Array:
        if not x.ndim or x.shape[0] != self.shape[1]:
            raise ValueError(f"SparseMatMul: the matrix is {self.shape}, so x must be ({self.shape[1]}, ...); "
                             f"x is {x.shape}")  # fmt: skip
        z = np.zeros((self.shape[0], *x.shape[1:]), np.result_type(self.a, x))
        np.add.at(z, self.r, self.a.reshape(-1, *(1,) * (x.ndim - 1)) * x[self.c])
        return z

    def local(self, x: Array, z: Array) -> Local:
        rest = "".join(i for i in letters(x.ndim + 3) if i not in "acer")[: x.ndim - 1]
        return {
            "x": term(f"a_e -> (r_e){rest};(c_e){rest}", self.a, self.r, self.c),
            "a": term(f"x[c]_e{rest} -> (r_e){rest};e", x[self.c], self.r),
        }


class Dot(Layer):
    """z = Σ_k x_k y_k, and every other case of ``np.dot``: the last axis of x with the last but one of y.

    ∂z/∂x_k = y_k, ∂z/∂y_k = x_k; other axes of x and y are axes of z: ∂z_ab/∂x_ck = δ_ac y_kb.
    Shapes: x (N), y (N) give z (); in general x (A..., K), y (B..., K, C) give z (A..., B..., C).
    Source: Parr & Howard, the derivative of w · x; The Matrix Cookbook, first order derivatives.

    Examples
    --------
    >>> Dot().jacobians([1.0, 2.0], [3.0, 4.0])["x"]
    array([3., 4.])
    """

    def forward(self, x: Array, y: Array) -> Array:
        if x.ndim and y.ndim and x.shape[-1] != y.shape[-2 if y.ndim > 1 else 0]:
            raise ValueError(
                f"Dot: x is {x.shape}, so y must be (..., {x.shape[-1]}, N) or ({x.shape[-1]},); y is {y.shape}"
            )
        return np.asarray(np.dot(x, y))

    def local(self, x: Array, y: Array, z: Array) -> Local:
        a, b = letters(x.ndim), letters(y.ndim).upper()
        ab = a + b
        if x.ndim and y.ndim:
            k = b[-2:][0]
            ab, a = (a[:-1] + b).replace(k, ""), a[:-1] + k
        return {"x": term(f"y_{b} -> {ab};{a}" if b else f"y -> {ab};{a}", y),
                "y": term(f"x_{a} -> {ab};{b}" if a else f"x -> {ab};{b}", x)}  # fmt: skip


class Outer(Layer):
    """z_ij = x_i y_j.

    ∂z_ij/∂x_k = δ_ik y_j, ∂z_ij/∂y_k = x_i δ_jk.
    Shapes: x (M), y (N) give z (M, N).
    Source: The Matrix Cookbook, derivatives of products.

    Examples
    --------
    >>> Outer().jacobians([1.0, 2.0], [3.0])["x"].shape
    (2, 1, 2)
    """

    shapes = "x (M), y (N)"

    def forward(self, x: Array, y: Array) -> Array:
        return np.multiply.outer(x, y)

    def local(self, x: Array, y: Array, z: Array) -> Local:
        return {"x": term("y_j -> ij;i", y), "y": term("x_i -> ij;j", x)}


class Kronecker(Layer):
    """z_{iP+k, jQ+l} = x_ij y_kl, as ``np.kron``, for arrays of any number of axes.

    Position iP + k of the output is row i of x and row k of y, so the output axis is the index map (Pi+k).
    ∂z_{iP+k, jQ+l}/∂x_ij = y_kl, ∂z_{iP+k, jQ+l}/∂y_kl = x_ij.
    Shapes: x (M, N), y (P, Q) give z (MP, NQ); the smaller number of axes is filled up with ones in front.
    Source: The Matrix Cookbook, the Kronecker product.

    Examples
    --------
    >>> Kronecker().jacobians([1.0, 2.0], [3.0, 4.0])["x"]
    array([[3., 0.],
           [4., 0.],
           [0., 3.],
           [0., 4.]])
    """

    def forward(self, x: Array, y: Array) -> Array:
        return np.kron(x, y)

    def local(self, x: Array, y: Array, z: Array) -> Local:
        a, b = letters(z.ndim)[z.ndim - x.ndim :], letters(z.ndim).upper()[z.ndim - y.ndim :]
        axes = [
            f"({size}{c}+{c.upper()})" if c in a and c.upper() in b else c if c in a else c.upper()
            for c, size in zip(letters(z.ndim), (1,) * (z.ndim - y.ndim) + y.shape, strict=True)
        ]
        out = "".join(axes)
        return {"x": term(f"y_{b} -> {out};{a}" if b else f"y -> {out};{a}", y),
                "y": term(f"x_{a} -> {out};{b}" if a else f"x -> {out};{b}", x)}  # fmt: skip


class QuadraticForm(Layer):
    """z = x_i A_ij x_j.

    ∂z/∂x_k = A_kj x_j + x_i A_ik, ∂z/∂A_ij = x_i x_j.
    Shapes: x (..., N), A (N, N) give z (...).
    Source: The Matrix Cookbook, derivatives of quadratic forms.

    Examples
    --------
    >>> QuadraticForm().jacobians([1.0, 2.0], [[1.0, 2.0], [0.0, 3.0]])["x"]
    array([ 6., 14.])
    """

    shapes = "A (N, N), x (..., N)"

    def forward(self, x: Array, A: Array) -> Array:
        return np.asarray(((x @ A) * x).sum(axis=-1))

    def local(self, x: Array, A: Array, z: Array) -> Local:
        return {
            "x": term("((A+Aᵀ)x)_...k -> ...;...k", x @ (A + A.T)),
            "A": term("x_...i x_...j -> ...;ij", x, x),
        }


class Einsum(Layer):
    """z = any product of arrays in the notation of ``np.einsum``, with inputs x0, x1, ….

    z is linear in every input, so ∂z/∂x0 is the product of the others, with the labels of z as output axes and those of
    x0 as wrt axes: for ``ik,kj->ij``, ∂z_ij/∂x0_lk = δ_il x1_kj. A label that stands twice is a delta there too.
    Shapes: as the subscripts say; an ellipsis broadcasts.
    Source: the lecture, derivatives with respect to tensors; Laue et al., A simple and efficient tensor calculus.

    Examples
    --------
    >>> Einsum("i,i->").jacobians([1.0, 2.0], [3.0, 4.0])["x0"]
    array([3., 4.])
    """

    subscripts: str

    def __post_init__(self) -> None:
        terms, arrow, out = self.subscripts.replace(" ", "").partition("->")
        if not arrow:  # NumPy's implicit output: the labels that stand once, in alphabetical order
            counted = Counter(terms.replace("...", "").replace(",", ""))
            out = "..." * ("..." in terms) + "".join(sorted(c for c in counted if counted[c] == 1))
        object.__setattr__(self, "subscripts", f"{terms}->{out}")
        for labels in (*terms.split(","), out):
            if not (letters_of := labels.replace("...", "", 1)).isalpha() and letters_of:
                raise ValueError(
                    f'Einsum: the labels must be letters, or "..."; the subscripts are "{self.subscripts}"'
                )
        if unknown := set(out.replace(".", "")) - set(terms):
            raise ValueError(f'Einsum: no input has the label {min(unknown)} of the output of "{self.subscripts}"')
        if len(set(out)) < len(out.replace("...", ".")):
            raise ValueError(f'Einsum: a label stands twice in the output of "{self.subscripts}"')
        super().__post_init__()

    @property
    def _inputs(self) -> list[str]:
        return self.subscripts.partition("->")[0].split(",")

    @found_once
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs: x0, x1, …."""
        return tuple(f"x{k}" for k in range(len(self._inputs)))

    def prepared(self, inputs: tuple[ArrayLike, ...]) -> tuple[Array, ...]:
        arrays = super().prepared(inputs)
        known: dict[str, tuple[int, str]] = {}
        for labels, name, x in zip(self._inputs, self.input_names, arrays, strict=True):
            before, dots, after = labels.partition("...")
            if x.ndim < len(before + after) or (not dots and x.ndim > len(before)):
                raise ValueError(
                    f'Einsum: {name} must have {len(before + after)} axes, as in "{labels}"; {name} is {x.shape}'
                )
            sizes = x.shape[: len(before)] + x.shape[x.ndim - len(after) :]
            for label, size in zip(before + after, sizes, strict=True):
                expected, origin = known.setdefault(label, (size, name))
                if size != expected:
                    raise ValueError(
                        f"Einsum: label {label} is {expected} in {origin} but {size} in {name}, which is {x.shape}"
                    )
        return arrays

    def forward(self, *x: Array) -> Array:
        return np.array(np.einsum(self.subscripts, *x, optimize=len(x) > 2))

    def local(self, *z: Array) -> Local:  # the inputs, then z
        out = self.subscripts.partition("->")[2]
        found = {}
        for name, labels in zip(self.input_names, self._inputs, strict=True):
            others = [
                (f"{other}_{ls}" if ls else other, x)
                for other, ls, x in zip(self.input_names, self._inputs, z, strict=False) if other != name
            ]  # fmt: skip
            found[name] = term(f"{' '.join(text for text, _ in others)} -> {out};{labels}", *(x for _, x in others))
        return found
