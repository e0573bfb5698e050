"""Layers that take and place entries by their positions: every function that moves entries is one of them.

Index legend: a, b, … are axes of the output. The positions along an axis of the argument are read off an array of
positions: an axis that follows one axis of the output is that label or an affine map of labels, anything else a lookup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jacobians.core.layer import Array, Layer, Local
from jacobians.core.terms import Terms, term
from jacobians.core.traced import plain
from jacobians.kept import found_once, frozen
from jacobians.layers.axes import LETTERS, unraveled
from jacobians.notation.expressions import positions
from jacobians.notation.structure import Shape

__all__ = ["Assemble", "Rearrange", "Replace", "Scatter", "Where"]

LABELS = LETTERS + LETTERS.upper()


class Rearrange(Layer):
    """z_a = x at position n_a, counted row by row through x; 0 where n_a is −1.

    ∂z_a/∂x_b = [b = n_a]: a transposed array, a slice, a diagonal, a repetition, a permutation, all are positions.
    Shapes: n (...) of integers gives z (...), for x of the given shape.
    Errors: ValueError for a position outside x.
    Source: ``numpy.take`` of the flat array.

    Examples
    --------
    >>> Rearrange([[1, 0], [3, 2]], shape=(4,)).linearize([1.0, 2.0, 3.0, 4.0])[1]["x"]
    Jacobian (2×2) × 4: ∂z_ij/∂x_k = [k=2i−j+1]
    """

    positions: Any
    shape: Sequence[int]

    def __post_init__(self) -> None:
        positions = np.array(self.positions, dtype=np.intp if np.size(self.positions) == 0 else None)
        if positions.dtype.kind not in "iu":
            raise ValueError(f"Rearrange: positions must be integers, not {positions.dtype}")
        shape = tuple(self.shape)
        size = int(np.prod(shape))
        if positions.size and not -1 <= positions.min() <= positions.max() < size:
            raise ValueError(f"Rearrange: positions must be from −1 to {size - 1}, for x of shape {shape}")
        positions.flags.writeable = False
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "shape", shape)
        formula, lookups = maps(positions, shape)
        object.__setattr__(self, "written", {"x": term(formula, *lookups)})
        super().__post_init__()

    @property
    def operation(self) -> str:
        """What is taken, as NumPy writes it: [1:-1]."""
        ((_, formula, _),) = vars(self)["written"]["x"].written
        return positions(formula, tuple(self.shape), self.positions.shape) or repr(self)

    def forward(self, x: Array) -> Array:
        if x.shape != self.shape:
            raise ValueError(f"Rearrange: x must be {self.shape}; x is {x.shape}")
        if not x.size:
            return np.zeros(self.positions.shape, x.dtype)
        taken = x.reshape(-1)[self.positions]
        return np.asarray(np.where(self.positions < 0, x.dtype.type(0), taken))

    def local(self, x: Array, z: Array) -> Local:
        written: Local = vars(self)["written"]
        return written


def maps(positions: Array, shape: Shape) -> tuple[str, list[Array]]:
    """The formula for taking entries at these positions of an array of this shape, and its lookups.

    >>> maps(np.arange(6).reshape(3, 2).T, (3, 2))[0]
    '-> ab;ba'
    >>> maps(np.array([1, 3, 5]), (6,))[0]
    '-> a;(2a+1)'
    >>> maps(np.array([4, 0, 2]), (6,))[0]
    '-> a;(n0_a)'
    """
    out = LABELS[: positions.ndim]
    if positions.size == 0 or 0 in shape:
        return f"-> {out};{LABELS[positions.ndim : positions.ndim + len(shape)]}", []
    missing = positions < 0
    axes, lookups = [], []
    along = unraveled(np.maximum(positions, 0), shape) if shape else ()
    for k, (at, size) in enumerate(zip(along, shape, strict=True)):
        if k == 0 and missing.any():
            at = np.where(missing, -1, at)
        follows = [a for a in range(at.ndim) if at.shape[a] > 1 and (at != at.take([0], axis=a)).any()]
        at = at[tuple(slice(None) if a in follows else 0 for a in range(at.ndim))]
        text = _affine(at, "".join(out[a] for a in follows), size)
        if text is None:
            text = f"(n{k}_{''.join(out[a] for a in follows)})"
            lookups.append(frozen(at))
        axes.append(text)
    return f"-> {out};{''.join(axes)}", lookups


def _affine(at: Array, labels: str, size: int) -> str | None:
    """The positions as an affine map of labels, if they are one."""
    first = int(at[(0,) * at.ndim])
    steps = [int(at[tuple(int(k == a) for k in range(at.ndim))]) - first for a in range(at.ndim)]
    expected = first + sum(
        (c * np.arange(n).reshape([-1 if k == a else 1 for k in range(at.ndim)])
         for a, (c, n) in enumerate(zip(steps, at.shape, strict=True))), np.intp(0)
    )  # fmt: skip
    if (at != expected).any():
        return None
    if first == 0 and steps == [1] and at.shape == (size,):
        return labels
    parts = "".join(f"{c:+d}{label}" for c, label in zip(steps, labels, strict=True))
    return f"({parts.lstrip('+')}{first:+d})" if parts else f"({first})"


class Assemble(Layer):
    """z is put together from x0, x1, …, each at its own positions; the rest of z is 0.

    ∂z_i/∂x_j = [i = p_j], with the position p of every entry. A place is, for each axis of z, an integer (fixed there)
    or a start, a step and a length: the axes of x in order.
    Shapes: x0, x1, … of the shapes that the places say give z of the given shape. Places must not overlap.
    Source: ``numpy.concatenate``, ``numpy.stack``.

    Examples
    --------
    >>> Assemble([[(0, 1, 2)], [2]], shape=(3,)).jacobians([5.0, 6.0], 7.0)["x1"]
    array([0., 0., 1.])
    """

    places: Any
    shape: Sequence[int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))
        places = tuple(tuple(p if isinstance(p, int) else tuple(p) for p in place) for place in self.places)
        object.__setattr__(self, "places", places)
        written = {}
        for k, place in enumerate(places):
            out = wrt = ""
            for axis, p in enumerate(place):
                if isinstance(p, int):
                    out += f"({p})"
                    continue
                start, step, length = p
                label = LABELS[len(wrt)]
                wrt += label
                whole = (start, step, length) == (0, 1, self.shape[axis])
                out += label if whole else f"({step}{label}{start:+d})"
            written[f"x{k}"] = term(f"-> {out};{wrt}")
        object.__setattr__(self, "written", written)
        object.__setattr__(self, "names", tuple(written))
        super().__post_init__()

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs: x0, x1, …."""
        names: tuple[str, ...] = vars(self)["names"]
        return names

    def forward(self, *x: Array) -> Array:
        z = np.zeros(self.shape, np.result_type(*x))
        for place, one in zip(self.places, x, strict=True):
            key = tuple(p if isinstance(p, int) else np.arange(p[2]) * p[1] + p[0] for p in place)
            lengths = [p[2] for p in place if not isinstance(p, int)]
            if list(one.shape) != lengths:
                raise ValueError(f"Assemble: x must be {tuple(lengths)} for the place {place}; x is {one.shape}")
            z[np.ix_(*([k] if isinstance(k, int) else k for k in key))] = one.reshape(
                [1 if isinstance(k, int) else len(k) for k in key]
            )
        return z

    def local(self, *z: Array) -> Local:  # the inputs, then z
        written: Local = vars(self)["written"]
        return written


class Replace(Layer):
    """z is x with other entries written over it: at the positions of x0, x1, …, in this order.

    ∂z_i/∂x_j = δ_ij where nothing is written, and 0 elsewhere; ∂z_i/∂xk_j = [i = p_j] where nothing later is written.
    A place is a key of NumPy's for z: integers, slices, or an array of the flat positions for every entry.
    Shapes: x of the given shape; x0, x1, … of the shapes of their places; z as x.
    Source: assignment to an array's entries, ``z[key] = x0``.

    Examples
    --------
    >>> Replace([(0,), (slice(1, 3),)], shape=(3,)).jacobians([1.0, 1.0, 1.0], 5.0, [6.0, 7.0])["x1"]
    array([[0., 0.],
           [1., 0.],
           [0., 1.]])
    """

    places: Any
    shape: Sequence[int]

    def __post_init__(self) -> None:
        shape = tuple(self.shape)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "places", tuple(self.places))
        super().__post_init__()

    @found_once
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs: x, then x0, x1, …."""
        return ("x", *(f"x{k}" for k in range(len(self.places))))

    def forward(self, x: Array, *pieces: Array) -> Array:
        if np.shape(x) != self.shape:
            raise ValueError(f"Replace: x must be {self.shape}; x is {np.shape(x)}")
        z = np.array(x, np.result_type(x, *pieces))
        for place, piece in zip(self.places, pieces, strict=True):
            there = place.shape if isinstance(place, np.ndarray) else z[place].shape
            if np.shape(piece) != there:
                raise ValueError(f"Replace: {there} is needed for the place {place}; it is {np.shape(piece)}")
            (z.reshape(-1) if isinstance(place, np.ndarray) else z)[place] = piece
        return z

    def local(self, *z: Array) -> Mapping[str, Any]:  # x, the pieces, then z
        known = vars(self).setdefault("known", {})
        key = z[0].dtype, tuple([piece.shape for piece in z[1:-1]])
        if key not in known:
            known[key] = self._terms(*key)
        return dict(known[key])

    def _terms(self, dtype: np.dtype[Any], pieces: Sequence[Shape]) -> dict[str, Terms]:
        """The terms for x and pieces of these shapes; they do not depend on numbers."""
        shape = tuple(self.shape)
        flat = np.arange(int(np.prod(shape))).reshape(shape)
        owner = np.full(flat.size, -1)
        targets = []
        for k, place in enumerate(self.places):
            targets.append(place if isinstance(place, np.ndarray) else flat[place])
            owner[targets[-1].reshape(-1)] = k
        found = {"x": term("kept_... -> ...;...", (owner < 0).reshape(shape).astype(dtype))}
        for k, (target, piece) in enumerate(zip(targets, pieces, strict=True)):
            at = target.reshape(-1)
            last = np.full(flat.size, -1)
            last[at] = np.arange(at.size)  # where a position stands twice, the last one counts
            source = last[at]
            left = (owner[at] == k) & (source == np.arange(at.size))
            formula, arrays = _pairs(at[left], shape, np.flatnonzero(left), piece)
            found[f"x{k}"] = term(formula, *arrays)
        return found


class Scatter(Layer):
    """z_i = Σ_{k: p_k = i} x_k: every entry of x is added to the entry of z at its position, counted row by row.

    ∂z_i/∂x_k = [i = p_k].
    Shapes: p and x (...) of one shape give z of the given shape.
    Errors: ValueError for a position outside z.
    Source: ``numpy.add.at``, ``numpy.bincount``.

    Examples
    --------
    >>> Scatter([1, 1, 0], shape=(2,)).jacobians([5.0, 6.0, 7.0])["x"]
    array([[0., 0., 1.],
           [1., 1., 0.]])
    """

    positions: Any
    shape: Sequence[int]

    def __post_init__(self) -> None:
        positions, shape = np.array(self.positions), tuple(self.shape)
        size = int(np.prod(shape))
        if positions.size and not (positions.dtype.kind in "iu" and 0 <= positions.min() <= positions.max() < size):
            raise ValueError(f"Scatter: positions must be integers from 0 to {size - 1}, for z of shape {shape}")
        positions.flags.writeable = False
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "written", maps(positions, shape))
        super().__post_init__()

    def forward(self, x: Array) -> Array:
        if x.shape != self.positions.shape:
            raise ValueError(f"Scatter: x must be {self.positions.shape}, as the positions; x is {x.shape}")
        z = np.zeros(int(np.prod(self.shape)), x.dtype)
        np.add.at(z, self.positions.reshape(-1), x.reshape(-1))
        return z.reshape(self.shape)

    def local(self, x: Array, z: Array) -> Local:
        if not x.size or not z.size:
            return {"x": 0 * term(f"-> {LABELS[: z.ndim]};{LABELS[z.ndim : z.ndim + x.ndim]}")}
        formula, lookups = vars(self)["written"]
        wrt, _, out = formula.removeprefix("-> ").partition(";")
        return {"x": term(f"-> {out};{wrt}", *lookups)}


class Choosing(Layer):
    """A layer whose Jacobians are ones where it has chosen an entry, and zeros.

    What is not chosen counts for nothing, not even where its value or its slope is infinite.
    """

    chooses = True

    def without_zeros(self, *inputs_and_output: Any) -> Local:
        """The local Jacobians as positions: instead of zeros they have nothing."""
        *inputs, z = inputs_and_output
        local, found = self.local(*inputs_and_output), {}
        for name, x in zip(self.input_names, inputs, strict=True):
            ((_, _, (counts,)),) = local[name].written  # type: ignore[union-attr]  # terms, each of one factor
            found[name] = _chosen(np.broadcast_to(plain(counts) != 0, z.shape), x.shape)
        return found


class Where(Choosing):
    """z_i = x_i where a condition c_i holds, else y_i.

    ∂z_i/∂x_j = [c_i] δ_ij, ∂z_i/∂y_j = [¬c_i] δ_ij. What is not chosen counts for nothing, even NaN.
    Shapes: c, x and y, which broadcast, give z (...).
    Source: ``numpy.where``.

    Examples
    --------
    >>> Where([True, False]).jacobians([1.0, 2.0], 5.0)["y"]
    array([0., 1.])
    """

    condition: Any

    def __post_init__(self) -> None:
        condition = np.array(self.condition, bool)
        condition.flags.writeable = False
        object.__setattr__(self, "condition", condition)
        super().__post_init__()

    def forward(self, x: Array, y: Array) -> Array:
        return np.where(self.condition, x, y)

    def local(self, x: Array, y: Array, z: Array) -> Local:
        c = np.broadcast_to(self.condition, z.shape)
        return {
            "x": term("[c]_... -> ...;...", c.astype(z.dtype)),
            "y": term("[¬c]_... -> ...;...", (~c).astype(z.dtype)),
        }


def _chosen(condition: Array, shape: Shape) -> Terms:
    """The term for entries of an array that broadcasts where a condition holds: the others are not even zero times."""
    positions = np.broadcast_to(np.arange(int(np.prod(shape))).reshape(shape), condition.shape)
    formula, arrays = _pairs(np.flatnonzero(condition), condition.shape, positions[condition], shape, ordered=False)
    return term(formula, *arrays)


def _pairs(out: Array, out_shape: Shape, wrt: Array, wrt_shape: Shape, ordered: bool = True) -> tuple[str, list[Array]]:
    """The formula for ones at these pairs of flat positions, and its arrays.

    Where all entries of the argument are placed in order, its own axes are the labels; else one label counts the pairs.
    """
    size = int(np.prod(wrt_shape))
    if ordered and wrt.size == size:
        labels, counts, sides = LABELS[: len(wrt_shape)], wrt_shape, [(out, out_shape)]
    else:
        labels, counts, sides = "a", (wrt.size,), [(out, out_shape), (wrt, wrt_shape)]
    texts, lookups = [], []
    for name, (flat, shape) in zip("nm", sides, strict=False):
        text = ""
        for k, at in enumerate(unraveled(flat, shape) if shape else ()):
            grid = at.reshape(counts)
            follows = [a for a in range(grid.ndim) if grid.shape[a] > 1 and (grid != grid.take([0], axis=a)).any()]
            some = "".join(labels[a] for a in follows)
            if not grid.size:
                text += "(0)"
                continue
            grid = grid[tuple(slice(None) if a in follows else 0 for a in range(grid.ndim))]
            found = _affine(grid, some, shape[k])
            if found is None:
                found = f"({name}{k}_{some})"
                lookups.append(frozen(grid))
            text += found
        texts.append(text)
    if len(texts) == 1:
        return f"-> {texts[0]};{labels}", lookups
    return f"1_a -> {texts[0]};{texts[1]}", [np.ones(counts), *lookups]
