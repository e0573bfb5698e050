"""Two things at a time: NumPy lets go of the interpreter while it writes large arrays, and memory has room for two."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Lock

WORTH = 1 << 18  # entries to write that are worth a second thread

_helper = Lock()  # held while the second thread is busy


def both(first: Callable[[], object], second: Callable[[], object]) -> None:
    """Call both, at the same time if a second core is there and free."""
    if _cores() < 2 or not _helper.acquire(blocking=False):
        first()
        second()
        return
    try:
        other = _executor().submit(first)
        try:
            second()
        finally:
            other.result()
    finally:
        _helper.release()


@cache
def _cores() -> int:
    """How many cores may be used; OMP_NUM_THREADS is heeded, as by NumPy's own matrix products."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(there, int(asked)) if asked.isdigit() and asked != "0" else there


@cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="jacobians")


def _after_fork() -> None:
    """A child process has no threads yet."""
    global _helper
    _helper = Lock()
    _executor.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
