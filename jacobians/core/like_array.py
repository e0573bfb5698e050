"""`LikeArray`: what a traced value has in common with the array that it stands for, and what it has not."""

from __future__ import annotations

import math
import sys
from opcode import opmap
from types import FrameType
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from jacobians.core.rules import refuse
from jacobians.engine.tape import Array


class Text(str):
    """What a traced value says: it is read by people; a number made of it again would depend on nothing."""

    __slots__ = ()


class LikeArray(NDArrayOperatorsMixin):
    """An array that depends on others."""

    __slots__ = ()

    @property
    def like(self) -> Array:
        """An array of its shape and dtype."""
        raise NotImplementedError

    @property
    def value(self) -> Array:
        """The array that it stands for."""
        raise NotImplementedError

    @property
    def is_constant(self) -> bool:
        """Whether it depends on nothing."""
        raise NotImplementedError

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return self.like.shape

    @shape.setter
    def shape(self, shape: Any) -> None:
        refuse("assigning to the shape of a traced array", "write y = y.reshape(…), as NumPy advises")

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.like.ndim

    @property
    def size(self) -> int:
        """The number of entries."""
        return self.like.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype."""
        return self.like.dtype

    @property
    def itemsize(self) -> int:
        """Bytes of an entry."""
        return self.like.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all entries."""
        return self.like.nbytes

    def __len__(self) -> int:
        return len(self.like)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __contains__(self, item: Any) -> bool:
        return bool(np.any(self == item))

    def __repr__(self) -> str:
        return f"Traced({np.array2string(self.value, threshold=20)})"

    def __str__(self) -> str:
        return Text(self.value)

    def __format__(self, spec: str) -> str:
        return Text(format(self.value[()], spec))

    # -- what only a number can do -------------------------------------------------------------------------------------

    def __float__(self) -> float:
        if not self.is_constant and not _formats(sys._getframe(1)):
            use = "leave it out, and use NumPy's functions, as in np.sin for math.sin"
            refuse_plain(sys._getframe(1), "float() of a traced value", use)
        return float(self.value)

    def __complex__(self) -> complex:
        if not self.is_constant:
            refuse("complex() of a traced value", "write a + 1j * b")
        return complex(self.value)

    def __index__(self) -> NoReturn:
        refuse("a traced value as an index", "an index is a plain integer: positions have no derivative")

    # What is rounded is constant between the jumps.

    def __int__(self) -> int:
        return int(self.value)

    def __round__(self, digits: int | None = None) -> Any:
        return round(self.value.item(), digits)

    def __trunc__(self) -> int:
        found: int = math.trunc(self.value.item())
        return found

    def __ceil__(self) -> int:
        found: int = math.ceil(self.value.item())
        return found

    def __floor__(self) -> int:
        found: int = math.floor(self.value.item())
        return found


def _formats(frame: FrameType) -> bool:
    """Whether a frame is at ``text % number``, the one operator that asks a traced value for a number: for the text."""
    code, at = frame.f_code.co_code, frame.f_lasti
    return code[at] == opmap["BINARY_OP"] and code[at + 1] in REMAINDERS


REMAINDERS = 6, 19
"""The arguments of BINARY_OP for ``%`` and ``%=``."""


def refuse_plain(frame: FrameType, what: str, instead: str) -> NoReturn:
    """Refuse to be a plain number or array; where a frame is at ``y[k] = x``, say so."""
    if frame.f_code.co_code[frame.f_lasti] == opmap["STORE_SUBSCR"]:
        what = "writing a traced value into a plain array"
        instead = "make the array in the function, by np.zeros or np.array(y) for a copy of y"
    refuse(what, instead)
