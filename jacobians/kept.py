"""What is remembered between calls: structures, plans and programs, in one store that is bounded.

Compiled programs consist of many small objects, and Python's garbage collector visits each in every full collection. So
the store counts objects, and bytes of arrays, and not entries; what has not been used for longest is given up first.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Hashable
from functools import cached_property, update_wrapper
from itertools import count, takewhile
from threading import Lock
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

OBJECTS = 50_000  # that are kept at most
BYTES = 1 << 27  # of arrays that are kept at most
LEAST = 32  # entries that are kept whatever they weigh: what one call needs again and again
BATCH = 64  # new entries after which all are weighed
ATOMS = frozenset(
    {int, float, complex, bool, str, bytes, type(None), type(...), np.ufunc, ModuleType, BuiltinFunctionType}
)

P = ParamSpec("P")
T = TypeVar("T")


class _Entry:
    """A value, when it was used last, and what it weighs."""

    __slots__ = ("home", "key", "nbytes", "objects", "used", "value")

    def __init__(self, home: dict[Hashable, _Entry], key: Hashable, value: Any) -> None:
        self.home, self.key, self.value = home, key, value
        self.objects = self.nbytes = -1  # not known yet
        self.used = next(_clock)


_clock = count()
_entries: list[_Entry] = []
_lock = Lock()


def _unlocked() -> None:
    global _lock
    _lock = Lock()


if hasattr(os, "register_at_fork"):  # a thread of the parent may have held it
    os.register_at_fork(after_in_child=_unlocked)


class Memory:
    """Values by their keys; all memories share one store."""

    def __init__(self) -> None:
        self._found: dict[Hashable, _Entry] = {}

    def recall(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of a key, made now if it is not known."""
        entry = self._found.get(key)
        if entry is None:
            return self.keep(key, make())
        entry.used = next(_clock)
        value: T = entry.value
        return value

    def keep(self, key: Hashable, value: T) -> T:
        """Remember a value; return the one that is remembered: another thread may have been quicker."""
        new = _Entry(self._found, key, value)
        with _lock:
            entry = self._found.setdefault(key, new)
            if entry is new:
                _entries.append(new)
                _give_up()
        found: T = entry.value
        return found

    def cache_clear(self) -> None:
        """Forget everything."""
        with _lock:
            _entries[:] = [e for e in _entries if e.home is not self._found]
            self._found.clear()


class Kept(Memory, Generic[P, T]):
    """A function whose results are remembered by its arguments."""

    def __init__(self, function: Callable[P, T]) -> None:
        super().__init__()
        self._function = function
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **options: P.kwargs) -> T:
        """What the function returns, or has returned."""
        key: Hashable = (*args, *options.items()) if options else args
        entry = self._found.get(key)
        if entry is None:
            return self.keep(key, self._function(*args, **options))
        entry.used = next(_clock)
        value: T = entry.value
        return value


def kept(function: Callable[P, T]) -> Kept[P, T]:
    """Remember what a function returns, as ``functools.lru_cache`` does, in the store that all share."""
    return Kept(function)


if TYPE_CHECKING:
    found_once = cached_property
else:

    class found_once(cached_property):
        """A cached property without the lock that `cached_property` has before Python 3.12."""

        def __get__(self, instance, owner=None):
            if instance is None:
                return self
            found = vars(instance)[self.attrname] = self.func(instance)
            return found


_frozen: WeakValueDictionary[int, NDArray[Any]] = WeakValueDictionary()  # by their identities


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A copy that nobody writes into: who meets it again knows what is in it."""
    found = array.copy()
    found.flags.writeable = False
    _frozen[id(found)] = found
    return found


def is_frozen(array: NDArray[Any]) -> bool:
    """Whether an array was made by `frozen`."""
    return _frozen.get(id(array)) is array


def _give_up() -> None:
    """Forget what has not been used for longest, if there is too much; a quarter at once, so that it is rare.

    Entries are weighed many at a time, so that few shapes cost nothing.
    """
    new = list(takewhile(lambda e: e.objects < 0, reversed(_entries)))
    if len(new) < BATCH:
        return
    for entry in new:
        entry.objects, entry.nbytes = weight(entry.key, entry.value)
    objects, nbytes = sum(e.objects for e in _entries), sum(e.nbytes for e in _entries)
    if objects <= OBJECTS and nbytes <= BYTES:
        return
    _entries.sort(key=lambda e: -e.used)
    while len(_entries) > LEAST and (objects > 0.75 * OBJECTS or nbytes > 0.75 * BYTES):
        oldest = _entries.pop()
        oldest.home.pop(oldest.key, None)
        objects, nbytes = objects - oldest.objects, nbytes - oldest.nbytes


def weight(*roots: object) -> tuple[int, int]:
    """How many objects are reachable, about, and how many bytes of arrays; what all programs share is not counted."""
    objects = nbytes = 0
    seen: set[int] = set()
    waiting = list(roots)
    while waiting and objects < OBJECTS:
        one = waiting.pop()
        kind = type(one)
        if kind in ATOMS or id(one) in seen or isinstance(one, type):
            continue
        seen.add(id(one))
        objects += 1
        if isinstance(one, np.ndarray):
            nbytes += one.nbytes
        elif isinstance(one, FunctionType):
            waiting.extend(one.__closure__ or ())
            waiting.extend(one.__defaults__ or ())
        else:
            waiting.extend(gc.get_referents(one))
    return objects, nbytes
