"""Memory for results: whether the machine has it, and where it comes from.

The entries of a full Jacobian are computed faster than the system hands out fresh memory. So memory of results that
nobody holds any more is kept for the next ones, as other libraries' allocators do; and a tensor that is nearly all zero
is taken in small pages, of which only those that are written ever become real.
"""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from jacobians.errors import JacobianTooLarge

CACHE_LINE = 64  # bytes
SMALL = 1 << 26  # bytes below which nobody asks whether they are there
HUGE_PAGE = 1 << 21  # bytes of a huge page
HUGE_PAGES = 1 << 22  # bytes from which NumPy asks the system for huge pages
KEPT = range(1 << 17, 1 << 26)  # bytes of an array whose memory is kept for the next one
MOST_KEPT = 1 << 28  # bytes that are kept at most
PRIVATE = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_ANONYMOUS") else {}
"""Pages of one process: by default, ``mmap`` shares them with its children, who could write into our arrays."""


def in_words(count: float) -> str:
    """A number of bytes as people say it: 216 GB.

    >>> in_words(216e9), in_words(48)
    ('216 GB', '48 bytes')
    """
    for unit, size in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.0f} bytes"


def available() -> float:
    """Bytes that can still be allocated: what the system says, or infinity where it does not say."""
    limits = [float("inf")]
    try:
        with Path("/proc/meminfo").open() as lines:
            limits += [1024 * float(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    except OSError:
        if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
            limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    try:  # a container's own limit
        group = Path("/sys/fs/cgroup")
        limits.append(float((group / "memory.max").read_text()) - float((group / "memory.current").read_text()))
    except (OSError, ValueError):
        pass
    return min(limits)


def require(shape: Iterable[int], dtype: DTypeLike, what: str, instead: str, extra: int = 0) -> None:
    """Raise `JacobianTooLarge` if an array of this shape, and `extra` bytes beside it, would not fit."""
    needed = prod(shape) * np.dtype(dtype).itemsize + extra
    if needed > SMALL and needed > (there_are := available()):
        raise JacobianTooLarge(
            f"{what} of shape {tuple(shape)} takes {in_words(needed)} and {in_words(there_are)} are available. "
            f"{instead}"
        )


# --- where arrays come from -------------------------------------------------------------------------------------------

_kept: dict[int, list[_Kept]] = {}  # by size, the sizes least recently returned first


class _Kept(np.ndarray[Any, np.dtype[np.uint8]]):
    """Memory that belongs to nobody's array; a type of its own, or NumPy would let arrays refer to it directly."""


class _Lent(np.ndarray[Any, np.dtype[np.uint8]]):
    """Memory on loan to an array; it comes back when the array and all its views are gone."""

    def __del__(self) -> None:
        memory = self.base
        if isinstance(memory, _Kept) and not sys.is_finalizing():
            same = _kept.pop(memory.nbytes, [])
            same.append(memory)
            _kept[memory.nbytes] = same[-max(1, MOST_KEPT // memory.nbytes) :]
            while len(_kept) > 1 and sum(size * len(some) for size, some in list(_kept.items())) > MOST_KEPT:
                _kept.pop(next(iter(_kept), 0), None)


Maker = Callable[[], NDArray[Any]]


def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Maker:
    """How to make arrays as ``np.empty`` does, in memory that an earlier result of the same size has left."""
    size = prod(shape) * dtype.itemsize
    return partial(_borrowed, shape, dtype, size) if size in KEPT else partial(np.empty, shape, dtype)


def zeros(shape: tuple[int, ...], dtype: np.dtype[Any], touched: int) -> Maker:
    """How to make arrays as ``np.zeros`` does; where few of their pages will be `touched`, in small pages."""
    size = prod(shape) * dtype.itemsize
    dense = size < HUGE_PAGES or 2 * touched * mmap.PAGESIZE > size
    return partial(np.zeros, shape, dtype) if dense else partial(_in_small_pages, shape, dtype, size)


def _borrowed(shape: tuple[int, ...], dtype: np.dtype[Any], size: int) -> NDArray[Any]:
    try:
        memory = _kept[size].pop()
    except (KeyError, IndexError):
        memory = _new(size)
    return np.ndarray(shape, dtype, memory.view(_Lent))


def _new(size: int) -> _Kept:
    """Memory of its own, aligned; in huge pages where they fit, which are quicker to write and stay as long as it."""
    unit = HUGE_PAGE if size >= HUGE_PAGE else CACHE_LINE
    if unit == HUGE_PAGE:
        pages = mmap.mmap(-1, size + unit, **PRIVATE)
        _advise(pages, "MADV_HUGEPAGE")
        whole = _Kept(size + unit, np.uint8, pages)
    else:
        whole = _Kept(size + unit, np.uint8)
    start = -whole.ctypes.data % unit
    return whole[start : start + size].view(_Kept)


def _in_small_pages(shape: tuple[int, ...], dtype: np.dtype[Any], size: int) -> NDArray[Any]:
    pages = mmap.mmap(-1, size, **PRIVATE)
    _advise(pages, "MADV_NOHUGEPAGE")
    return np.ndarray(shape, dtype, pages)


def _advise(pages: mmap.mmap, advice: str) -> None:
    """Tell the system how pages will be used, where it takes such advice."""
    with suppress(AttributeError, OSError):
        pages.madvise(getattr(mmap, advice))
