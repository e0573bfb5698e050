"""Functions of traced values that are plain: shapes, comparisons, positions, and piecewise constant values.

A piecewise constant function has the derivative zero wherever it has one, so its plain value loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians.core.applying import recording_of
from jacobians.core.rules import METHODS, RULES, rule
from jacobians.core.traced import Traced


def plain(x: Any) -> Any:
    """The value of a traced array, or of traced arrays in a list; anything else as it is. Not to be written into."""
    if isinstance(x, Traced):
        return x.value[()] if x.ndim == 0 else x.value
    if isinstance(x, list | tuple):
        return type(x)(map(plain, x)) if not hasattr(x, "_fields") else type(x)(*map(plain, x))
    return x


RULES["plain"] = plain


@rule("all constant")
def all_constant(x: Any) -> bool:
    """Whether all traced values in nested arguments depend on nothing."""
    if isinstance(x, dict):
        return all(map(all_constant, x.values()))
    return all(map(all_constant, x)) if isinstance(x, list | tuple) else not isinstance(x, Traced) or x.is_constant


def without_derivative(function: Callable[..., Any]) -> None:
    """Enter a function of the plain values."""

    def call(*arguments: Any, **options: Any) -> Any:
        return function(*[plain(a) for a in arguments], **{name: plain(o) for name, o in options.items()})

    RULES[function] = call


for _function in (
    # piecewise constant
    np.sign, np.floor, np.ceil, np.rint, np.trunc, np.fix, np.round, np.around, np.floor_divide,
    np.spacing, np.digitize, np.searchsorted,
    # comparisons and logic
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.isclose, np.allclose,
    np.array_equal, np.array_equiv, np.logical_and, np.logical_or, np.logical_not, np.logical_xor, np.any, np.all,
    np.isnan, np.isinf, np.isfinite, np.isposinf, np.isneginf, np.signbit, np.isreal, np.iscomplex,
    np.iscomplexobj, np.isrealobj, np.isin,
    # positions
    np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort, np.lexsort, np.argpartition, np.nonzero,
    np.flatnonzero, np.argwhere, np.count_nonzero, np.unravel_index, np.diag_indices_from, np.tril_indices_from,
    np.triu_indices_from, np.linalg.matrix_rank, np.nanargmin,
    # shapes and dtypes
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.min_scalar_type, np.common_type, np.shares_memory,
    np.may_share_memory, np.iterable,
    # words
    np.array2string, np.array_repr, np.array_str, np.save, np.savetxt, np.savez, np.savez_compressed,
):  # fmt: skip
    without_derivative(_function)


def _maker(function: Callable[..., Any]) -> None:
    """An array of constants that can be written into: it is traced, but depends on nothing."""

    def call(x: Any, *arguments: Any, **options: Any) -> Any:
        recording = recording_of((x, *arguments, *options.values()))
        if function is np.full_like and isinstance(fill := (*arguments, options.get("fill_value"))[0], Traced):
            shape = (*arguments, None, None, None, None)[4] or options.get("shape") or np.shape(plain(x))
            return RULES["copied"](RULES[np.broadcast_to](fill, shape))
        made = function(plain(x), *arguments, **options)
        if made.dtype.kind not in "fc":
            return made
        return Traced(recording, recording.constant(made))

    RULES[function] = call


for _like in (np.zeros_like, np.ones_like, np.full_like, np.empty_like):
    _maker(_like)

for _name in ("argmax", "argmin", "argsort", "nonzero", "any", "all", "argpartition"):
    METHODS[_name] = lambda x, name=_name: getattr(x.value, name)
METHODS["strides"] = lambda x: x.value.strides
METHODS["round"] = lambda x: lambda decimals=0: x.value.round(decimals)
