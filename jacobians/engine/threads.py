"""Two things at a time, where NumPy lets go of the interpreter: large arrays are written in two halves.

That pays where the memory is new, since the system clears it page by page. Memory that has been written before takes
one thread's numbers about as fast as those of two.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from threading import Lock, Thread

WORTH = 1 << 23  # entries worth a second thread: for results of that size the system has to find new memory

Task = Callable[[], object]


class _Helper:
    """A thread that waits for one task at a time; it is woken and answers through locks, which takes microseconds."""

    def __init__(self) -> None:
        self.busy, self._begin, self._done = Lock(), Lock(), Lock()
        self._begin.acquire()
        self._done.acquire()
        self._task: Task | None = None
        self._error: BaseException | None = None
        Thread(target=self._work, name="jacobians", daemon=True).start()

    def _work(self) -> None:
        while True:
            self._begin.acquire()
            try:
                assert self._task is not None
                self._task()
            except BaseException as error:  # raised again where the task came from
                self._error = error
            self._task = None
            self._done.release()

    def start(self, task: Task) -> None:
        """Begin a task; the caller holds `busy`."""
        self._task, self._error = task, None
        self._begin.release()

    def finish(self) -> None:
        """Wait for the task; an error in it is raised here."""
        self._done.acquire()
        if self._error is not None:
            raise self._error


def both(first: Task, second: Task) -> None:
    """Call both, at the same time if a second core is there and free."""
    helper = _helper() if _cores() > 1 else None
    if helper is None or not helper.busy.acquire(blocking=False):
        first()
        second()
        return
    try:
        helper.start(first)
        try:
            second()
        finally:
            helper.finish()
    finally:
        helper.busy.release()


@cache
def _cores() -> int:
    """How many cores may be used; OMP_NUM_THREADS is heeded, as by NumPy's own matrix products."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(there, int(asked)) if asked.isdigit() and asked != "0" else there


@cache
def _helper() -> _Helper:
    return _Helper()


if hasattr(os, "register_at_fork"):  # a child process has no threads yet
    os.register_at_fork(after_in_child=_helper.cache_clear)
