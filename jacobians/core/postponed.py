"""Values that are computed when their numbers are asked for.

A Jacobian of u + 2v holds neither u + 2v nor its parts. Where a large array is made that only says how it depends on
others, its numbers wait until somebody asks for them, which often nobody does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jacobians.engine.tape import Array

LARGE = 1 << 13  # entries from which it is worth while
DEEPEST = 50  # of values that wait for each other


class Postponed:
    """An array that is a function of others, of which the shape and the dtype are known.

    NumPy takes it for the array that it stands for.
    """

    __slots__ = ("_array", "_call", "_inputs", "depth", "dtype", "shape")
    depth: int

    def __init__(
        self, call: Callable[..., Any], inputs: Sequence[Any], shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self._call, self.shape, self.dtype = call, shape, dtype
        self._array: Array | None = None
        depth: int = 1 + max(one.depth if type(one) is Postponed else 0 for one in inputs)
        if depth > DEEPEST:  # what waits for others calls them
            inputs, depth = [computed(one) for one in inputs], 1
        self._inputs, self.depth = inputs, depth

    @property
    def array(self) -> Array:
        """The array, computed now if it has not been."""
        if self._array is None:
            self._array = np.asarray(self._call(*map(computed, self._inputs)))
            self._inputs = ()
            assert (self._array.shape, self._array.dtype) == (self.shape, self.dtype)
        return self._array

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of entries."""
        return int(np.prod(self.shape))

    @property
    def itemsize(self) -> int:
        """Bytes of an entry."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all entries."""
        return self.size * self.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self.array if dtype is None and not copy else np.array(self.array, dtype, copy=copy)


def computed(value: Any) -> Any:
    """The array of a value that may be postponed."""
    return value.array if type(value) is Postponed else value
