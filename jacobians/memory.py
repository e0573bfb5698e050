"""How much memory an array would take, and whether the machine has it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

SMALL = 1 << 26  # bytes below which nobody asks


class JacobianTooLarge(MemoryError):
    """The array that was asked for does not fit into memory; nothing has been allocated."""


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
            f"{what} of shape {tuple(shape)} takes {in_words(needed)} and {in_words(there_are)} are available. {instead}"
        )
