"""Functions that move entries: whatever NumPy does to the array is done to an array of positions.

The positions decide the Jacobian (`jacobians.layers.placing`). They depend on shapes alone, so they are found once.
Where NumPy gives a view, the traced array is one, too.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable
from types import NoneType
from typing import Any, NamedTuple

import numpy as np

from jacobians.core.applying import apply, noted
from jacobians.core.postponed import Postponed
from jacobians.core.rules import METHODS, RULES, refuse, rule
from jacobians.core.traced import Traced, plain
from jacobians.kept import Memory
from jacobians.layers.entrywise import Identity
from jacobians.layers.placing import Rearrange, Replace

_layers = Memory()


def moved(function: Callable[..., Any], x: Traced, *arguments: Any, **options: Any) -> Traced:
    """What a function that only moves entries makes of x, as a rearrangement of its entries."""
    layer, remembered = rearrangement(function, x.shape, arguments, options)
    if function is np.roll and remembered and x.size >= x.recording.postpones:
        return rearranged(function, x, *arguments, **options)
    value: Any = x.value if x.doubles is None else x.doubles
    output = function(value, *arguments, **options)
    made = moved_to(x, layer, remembered, output)
    seen, given = plain(output), plain(value)  # in a trace in another one, these are traced there
    if not (isinstance(seen, np.ndarray) and (seen.base is given or np.may_share_memory(seen, given))):
        return made
    is_readonly = given.flags.writeable and not seen.flags.writeable
    return viewed(x, made, layer, remembered, lambda array: function(array, *arguments, **options), is_readonly)


def viewed(
    x: Traced, made: Traced, layer: Rearrange, remembered: bool, move: Callable[[Any], Any], is_readonly: bool = False
) -> Traced:
    """Moved entries as a view of x."""

    def make(base: Traced) -> Traced:
        return moved_to(base, layer, remembered, move(base.value))

    def write(base: Traced, new: Traced) -> None:
        def replacing() -> Replace:
            return Replace((layer.positions,), base.shape)

        known = _layers.recall(("written", layer), replacing) if remembered else replacing()
        base.become(apply(known, base, new))

    return x.viewed(make, None if is_readonly else write, made)


def rearranged(function: Callable[..., Any], x: Traced, *arguments: Any, **options: Any) -> Traced:
    """What a function makes of x that always makes a new array of its entries, with zeros between them."""
    layer, remembered = rearrangement(function, x.shape, arguments, options)
    value: Any = x.recording.values[x.number]
    later = remembered and x.size >= x.recording.postpones and type(value) in (Postponed, np.ndarray)
    if later and list not in map(type, (*arguments, *options.values())):  # nobody can change the arguments
        output = Postponed(lambda x: function(x, *arguments, **options), (value,), layer.positions.shape, x.dtype)
        return moved_to(x, layer, remembered, output)
    return moved_to(x, layer, remembered, function(x.value, *arguments, **options))


def moved_to(x: Traced, layer: Rearrange, remembered: bool, output: Any) -> Traced:
    """A node for moved entries; where only ends are asked for, all moves one after another are one."""
    recording, number = x.recording, x.number
    moves = recording.moves
    if moves is not None and (number in moves or output.ndim):
        made, before = Move(number, layer, remembered), moves.get(number)
        number, layer, _ = moves[len(recording.values)] = made if before is None else _composed(before, made)
    if x.doubles is not None:
        return noted(recording, layer, layer.input_names, (number,), (recording.values[number],), output)
    return Traced(recording, recording.add(layer, (recording.values[number],), (number,), output))


class Move(NamedTuple):
    """How the entries of a value are those of another one, and whether this is remembered between calls."""

    source: int
    layer: Rearrange
    remembered: bool


def _composed(first: Move, second: Move) -> Move:
    """One move after another one."""

    def make() -> Rearrange:
        positions = second.layer.positions
        if first.layer.positions.size:
            positions = np.where(positions < 0, -1, first.layer.positions.reshape(-1)[positions])
        return Rearrange(positions, first.layer.shape)

    remembered = first.remembered and second.remembered
    layer = _layers.recall((first.layer, second.layer), make) if remembered else make()
    return Move(first.source, layer, remembered)


def picked(x: Traced, positions: Any) -> Traced:
    """The entries at these positions, counted row by row; 0 at −1."""
    return apply(Rearrange(positions, x.shape), x)


def rearrangement(
    function: Callable[..., Any], shape: tuple[int, ...], arguments: tuple[Any, ...], options: dict[str, Any]
) -> tuple[Rearrange, bool]:
    """The layer for a function of an array of this shape; it is remembered where the arguments are hashable."""
    if len(arguments) == 1 and type(arguments[0]) is int and not options:  # as in x[k]
        key: Hashable = function, shape, arguments[0]
    else:
        found = hashable((arguments, *options.items()) if options else arguments)
        key = None if found is None else (function, shape, found)

    def make() -> Rearrange:
        positions = np.arange(1, int(np.prod(shape)) + 1).reshape(shape)  # 0 is what is not in x
        return Rearrange(np.asarray(function(positions, *arguments, **options)) - 1, shape)

    return (make(), False) if key is None else (_layers.recall(key, make), True)


def hashable(value: Any) -> Hashable:
    """A key for arguments of a call; None where they hold arrays."""
    found = _hashable(value)
    return None if found is _NONE else found


_NONE = object()
ENDS = frozenset({int, NoneType})


def _hashable(value: Any) -> Any:
    """A key for arguments of a call; `_NONE` where they hold arrays."""
    kind = type(value)
    if kind is int:
        return value
    if kind is tuple or isinstance(value, list | tuple):
        parts = [v if type(v) in ENDS else _hashable(v) for v in value]
        return _NONE if _NONE in parts else (kind, *parts)
    if kind is slice:  # it has no hash before Python 3.12
        ends = value.start, value.stop, value.step
        return (slice, *ends) if ENDS.issuperset(map(type, ends)) else _hashable((slice, *ends))
    if kind is np.ndarray:
        return _NONE
    try:
        hash(value)
    except TypeError:
        return _NONE
    return kind, value  # True is not 1 where it is an index


def mover(function: Callable[..., Any], name: str | None = None) -> None:
    """Enter a function whose first argument is the array whose entries it moves; `name`: it is a method, too."""

    def call(x: Any, *arguments: Any, **options: Any) -> Any:
        if not isinstance(x, Traced):
            refuse(f"np.{function.__name__} with a traced option", "options are plain numbers")
        return moved(function, x, *arguments, **options)

    RULES[function] = call
    if name is not None:
        METHODS[name] = lambda x: lambda *arguments, **options: call(x, *arguments, **options)


def filler(function: Callable[..., Any]) -> None:
    """Enter a function that moves entries and puts zeros between them."""

    def call(x: Any, *arguments: Any, **options: Any) -> Any:
        if not isinstance(x, Traced):
            refuse(f"np.{function.__name__} with a traced option", "options are plain numbers")
        return rearranged(function, x, *arguments, **options)

    RULES[function] = call


MOVERS: tuple[Callable[..., Any], ...] = (
    np.flip, np.fliplr, np.flipud, np.rot90, np.roll, np.tile, np.resize, np.delete, np.broadcast_to, np.expand_dims,
    np.moveaxis, np.rollaxis, np.matrix_transpose, np.take_along_axis, np.linalg.diagonal, np.linalg.matrix_transpose,
    np.lib.stride_tricks.sliding_window_view,
)  # fmt: skip
METHODS_TOO: tuple[Callable[..., Any], ...] = (np.repeat, np.swapaxes, np.squeeze, np.diagonal, np.ravel)
FILLERS: tuple[Callable[..., Any], ...] = (np.diagflat, np.tril, np.triu)
for _function in FILLERS:
    filler(_function)
for _function in MOVERS:
    mover(_function)
for _function in METHODS_TOO:
    mover(_function, _function.__name__)


@rule(np.reshape)
def reshape(a: Any, /, shape: Any = None, order: str = "C", *, copy: bool | None = None) -> Traced:
    """The entries in another shape."""
    return moved(np.reshape, a, shape) if order == "C" else moved(np.reshape, a, shape, order=order)


@rule(np.transpose)
def transpose(a: Any, axes: Any = None) -> Traced:
    """The axes in another order."""
    return moved(np.transpose, a) if axes is None else moved(np.transpose, a, axes)


@rule(np.diag)
def diag(v: Any, k: int = 0) -> Any:
    """The diagonal of a matrix, which is a view, or a matrix with a diagonal."""
    if v.ndim == 2:
        return moved(np.diag, v, k)
    return rearranged(np.diag, v, k)


@rule(np.take)
def take(a: Any, indices: Any, axis: int | None = None, out: None = None, mode: str = "raise") -> Any:
    """The entries at some positions along an axis."""
    if not isinstance(a, Traced) or isinstance(RULES["whole"](indices), Traced):
        refuse("np.take of traced positions", "positions have no derivative")
    return moved(np.take, a, indices, axis, mode=mode)


METHODS["take"] = lambda x: lambda *arguments, **options: take(x, *arguments, **options)


def _at_least(function: Any) -> None:
    """Enter a function that gives its arguments more axes."""

    def call(*arys: Any) -> Any:
        found = [moved(function, x) if isinstance(x, Traced) else function(x) for x in map(RULES["whole"], arys)]
        return found[0] if len(found) == 1 else tuple(found)

    RULES[function] = call


for _function in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
    _at_least(_function)


# --- several at once --------------------------------------------------------------------------------------------------


def _splitter(function: Callable[..., Any], fixed: int | None = None) -> None:
    """Enter a function that gives parts of an array along an axis, as views."""
    split: Any = np.array_split if function is np.array_split else np.split

    def call(ary: Traced, indices_or_sections: Any, axis: int = 0) -> list[Traced]:
        axis = axis % ary.ndim if fixed is None else min(fixed, ary.ndim - 1)
        before = (slice(None),) * axis
        parts = split(np.arange(ary.shape[axis]), indices_or_sections)
        return [ary[(*before, slice(int(p[0]), int(p[-1]) + 1) if p.size else slice(0, 0))] for p in parts]

    RULES[function] = call


for _function, _fixed in ((np.split, None), (np.array_split, None), (np.vsplit, 0), (np.hsplit, 1), (np.dsplit, 2)):
    _splitter(_function, _fixed)


@rule(np.unstack)
def unstack(x: Traced, /, *, axis: int = 0) -> tuple[Traced, ...]:
    """The parts along an axis."""
    return tuple(RULES[np.moveaxis](x, axis, 0))


@rule(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    """Arrays in one shape."""
    found = [RULES["whole"](x) for x in args]
    shape = np.broadcast_shapes(*map(np.shape, found))
    return tuple([np.broadcast_to(x, shape) for x in found])


@rule(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> list[Any]:
    """Coordinates of a grid."""
    given = [RULES["whole"](x) for x in xi]
    axes = np.meshgrid(*[np.arange(np.size(x)) for x in given], sparse=sparse, indexing=indexing)  # type: ignore[call-overload]  # as many arrays as are given
    return [np.ravel(x)[k] for x, k in zip(given, axes, strict=True)]


def _variadic(call: Any) -> Any:
    """A method that takes a tuple or its parts."""
    return lambda x: lambda *axes, **options: call(x, axes[0] if len(axes) == 1 else axes or None, **options)


METHODS["reshape"] = _variadic(reshape)
METHODS["transpose"] = _variadic(transpose)
METHODS["T"] = transpose
METHODS["mT"] = lambda x: RULES[np.matrix_transpose](x)
METHODS["flatten"] = lambda x: lambda order="C": copied(reshape(x, -1, order=order))


@rule("copied")
def copied(x: Traced) -> Traced:
    """The same values in an array of its own."""
    return Traced(x.recording, x.number)


def flat(x: Traced) -> Traced:
    """The entries in one row, through which the array can be written into."""
    positions = np.arange(x.size)

    def write(base: Traced, new: Traced) -> None:
        base.become(reshape(new, base.shape))

    return x.viewed(lambda base: apply(Rearrange(positions, base.shape), base), write)


METHODS["flat"] = flat


@rule("astype")
def astype(
    x: Traced, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True
) -> Any:
    """The values with another dtype; as integers or booleans they are constants."""
    kind = np.dtype(dtype).kind
    if kind in "biu":
        return x.value.astype(dtype)
    if kind == "O":
        return x.__array__()
    if kind not in "fc" or (x.dtype.kind == "c" and kind == "f"):
        refuse(f"astype({np.dtype(dtype)}) of {x.dtype} values", "use np.real for the real part")
    return copied(x) if x.dtype == dtype else apply(Identity(), x, output=x.value.astype(dtype))


def view(x: Traced, dtype: Any = None) -> Traced:
    """The same memory; pairs of real numbers as complex ones, and the other way round."""
    if dtype is None or dtype is np.ndarray or np.dtype(dtype) == x.dtype:
        return moved(operator.getitem, x, ...)
    kinds = x.dtype.kind + np.dtype(dtype).kind
    if np.dtype(dtype).itemsize == 2 * x.itemsize and kinds == "fc":
        make = _complex_pairs
    elif 2 * np.dtype(dtype).itemsize == x.itemsize and kinds == "cf":
        make = _real_pairs
    else:
        refuse(
            f"the bytes of {x.dtype} values as {np.dtype(dtype)}", "bytes have no derivative; astype converts numbers"
        )
    return x.viewed(make, None)


def _complex_pairs(x: Traced) -> Traced:
    found: Traced = x[..., 0::2] + 1j * x[..., 1::2]
    return found


def _real_pairs(x: Traced) -> Traced:
    pairs: Any = np.stack([np.real(x), np.imag(x)], axis=-1)
    found: Traced = reshape(pairs, (*x.shape[:-1], -1))
    return found


def item(x: Traced) -> Callable[..., Traced]:
    """An entry by its flat position or by its indices."""

    def call(*key: Any) -> Traced:
        if not key and x.size != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        found: Traced = flat(x)[key or (0,)] if len(key) <= 1 else x[key]
        return found

    return call


def tolist(x: Traced) -> Any:
    """The entries in nested lists."""
    return [tolist(row) for row in x] if x.ndim else x


METHODS["item"] = item
METHODS["view"] = lambda x: lambda *arguments, **options: view(x, *arguments, **options)
METHODS["tolist"] = lambda x: lambda: tolist(x)
rule(np.astype)(astype)
METHODS["astype"] = lambda x: lambda dtype, *arguments, **options: astype(x, dtype, *arguments, **options)
rule(np.copy)(lambda a, order="K", subok=False: copied(a))
METHODS["copy"] = lambda x: lambda order="C": copied(x)
