"""NumPy's classes and functions that go through arrays entry by entry: ``vectorize``, ``nditer``, ``fromiter``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from jacobians.core.rules import refuse
from jacobians.core.traced import Traced, View
from jacobians.functions.assembling import any_traced
from jacobians.functions.indexing import put
from jacobians.functions.stand_ins import Kind, constant, enter, fresh, innermost, stands_for, whole


@stands_for(np.fromiter)
def fromiter(original: Callable[..., Any], values: Any, dtype: Any, count: int = -1, **options: Any) -> Any:
    """An array of the values of an iterator."""
    if innermost() is None:
        return original(values, dtype, count, **options)
    values = [one for _, one in zip(range(count), values, strict=False)] if count >= 0 else list(values)
    if not any_traced(values) or np.dtype(dtype).kind not in "fc":
        return fresh(original(values, dtype, count, **options))
    return whole(values).astype(dtype)


class Vectorize(metaclass=Kind, original=np.vectorize):
    """``np.vectorize``, which leaves the values of the function what they are, whatever `otypes` says."""

    @staticmethod
    def make(pyfunc: Any = None, otypes: Any = None, **options: Any) -> Any:
        """A function of numbers, made one of arrays."""
        given = {} if pyfunc is None else {"pyfunc": pyfunc}
        made = np.vectorize(**given, otypes=otypes, **options)
        return made if innermost() is None or pyfunc is None or otypes is None else vectorized(made)


def vectorized(made: np.vectorize) -> Callable[..., Any]:
    """What a vectorized function with the types of its outputs does with traced values."""
    kinds = [np.dtype(kind) for kind in made.otypes or ()]
    free = np.vectorize(made.pyfunc, excluded=made.excluded, signature=made.signature)

    def call(*arguments: Any, **options: Any) -> Any:
        if not any_traced([*arguments, *options.values()]):
            return made(*arguments, **options)
        found = free(*arguments, **options)
        results = [whole(one) for one in (found if isinstance(found, tuple) else (found,))]
        cast = [one.astype(kind) for one, kind in zip(results, kinds, strict=True)]
        return tuple(cast) if isinstance(found, tuple) else cast[0]

    return call


class NDIter(metaclass=Kind, original=np.nditer):
    """``np.nditer``, which goes through traced arrays, too."""

    @staticmethod
    def make(op: Any, flags: Any = (), op_flags: Any = None, *more: Any, **options: Any) -> Any:
        """An iterator through the entries of arrays."""
        operands = list(op) if isinstance(op, list | tuple) else [op]
        if not any(isinstance(one, Traced) for one in operands):
            return np.nditer(op, flags, *([] if op_flags is None else [op_flags]), *more, **options)
        unknown = {*flags} - {"multi_index", "c_index", "refs_ok", "zerosize_ok", "buffered", "copy_if_overlap"}
        if unknown or more or {*options} - {"order"} or options.get("order", "K") not in ("C", "K"):
            refuse("np.nditer with such options", "write a loop over np.ndindex(x.shape)")
        return Entries(operands, op_flags)


class Entries:
    """The entries of arrays that are broadcast against each other, as views without axes."""

    def __init__(self, operands: list[Any], op_flags: Any) -> None:
        shape = np.broadcast_shapes(*[np.shape(one) for one in operands if one is not None])
        self.operands = tuple(constant(np.zeros(shape)) if one is None else one for one in operands)
        several = bool(op_flags) and isinstance(op_flags[0], list | tuple)
        flags = [] if op_flags is None else list(op_flags) if several else [op_flags] * len(operands)
        self._writes = [one is None or "readonly" not in (flags[k] if flags else ["readonly"])
                        for k, one in enumerate(operands)]  # fmt: skip
        self.shape, self.itersize = shape, int(np.prod(shape))
        self.iterindex = self.index = -1
        self.multi_index: tuple[int, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def close(self) -> None:
        """There is nothing to write back."""

    def __len__(self) -> int:
        return self.itersize

    def __iter__(self) -> Iterator[Any]:
        for k, place in enumerate(np.ndindex(self.shape)):
            self.iterindex, self.index, self.multi_index = k, k, tuple(place)
            found = [self._entry(one, writes) for one, writes in zip(self.operands, self._writes, strict=True)]
            yield found[0] if len(found) == 1 else tuple(found)

    def _entry(self, array: Any, writes: bool) -> Any:
        missing = len(self.shape) - np.ndim(array)
        place = tuple(0 if n == 1 else k for n, k in zip(np.shape(array), self.multi_index[missing:], strict=True))
        if not isinstance(array, Traced):
            entry: Any = np.asarray(array)
            return entry[(*place, ...)]
        entry = array[place]
        if not isinstance(entry, Traced):  # a constant
            entry = array.recording.constant(np.asarray(entry)), array
            entry = Traced(array.recording, entry[0])
        if not writes:
            return entry
        view = View(array, array.version, lambda base: _traced(base, place), lambda base, new: put(base, place, new))
        found = Traced(array.recording, entry.number, view)
        array.recording.zero_dimensional.add(entry.number)
        return found


def _traced(base: Traced, place: tuple[int, ...]) -> Traced:
    entry = base[place]
    if not isinstance(entry, Traced):
        entry = Traced(base.recording, base.recording.constant(np.asarray(entry)))
    base.recording.zero_dimensional.add(entry.number)
    return entry


enter(np.vectorize, Vectorize)
enter(np.nditer, NDIter)
