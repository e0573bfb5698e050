"""Stand-ins for functions that tell nobody when they are called: ``np.zeros``, ``math.sin``, ``float``.

NumPy's protocols (NEP 13, NEP 18) hand over what is called with traced values. They do not cover functions that make
arrays, nor Python's own functions of numbers. So while a function is traced, the names in its module that stand for
such a function, or for a module that has some, stand for a stand-in (`jacobians.functions.replacing`). In other
threads, and whenever nothing is traced, a stand-in does what the original does.
"""

from __future__ import annotations

import functools
import importlib
import sys
import threading
from collections.abc import Callable
from types import MethodType, ModuleType
from typing import Any

import numpy as np

from jacobians.core.graph import Recording
from jacobians.core.rules import RULES
from jacobians.core.traced import Traced


class _Traces(threading.local):
    """The recordings of the functions that are being called in this thread, and whether each is traced thoroughly."""

    def __init__(self) -> None:
        self.open: list[tuple[Recording, bool]] = []


_traces = _Traces()


def begin(recording: Recording, thorough: bool) -> None:
    """From now on, what is made in this thread belongs to this recording, until it is closed."""
    _traces.open.append((recording, thorough))


def end() -> None:
    """Let go of the recordings that are closed, with all their arrays."""
    innermost()


def innermost() -> Recording | None:
    """The recording of the innermost function that is being traced in this thread."""
    while _traces.open:
        if _traces.open[-1][0].is_open:
            return _traces.open[-1][0]
        _traces.open.pop()  # it has ended, even if an interrupt came in between
    return None


def is_thorough() -> bool:
    """Whether every array of numbers that NumPy makes in this thread is to be written into with traced values."""
    return innermost() is not None and _traces.open[-1][1]


def constant(made: Any) -> Any:
    """A new array, as a traced one that depends on nothing, so that traced values can be written into it."""
    recording = innermost()
    made = made.view(np.ndarray) if isinstance(made, Outside) else made
    if recording is None or type(made) is not np.ndarray or made.dtype.kind not in "fc":
        return made
    number = recording.constant(made)
    if not made.ndim:
        recording.zero_dimensional.add(number)
    return Traced(recording, number)


# --- functions --------------------------------------------------------------------------------------------------------


def named(module: str, name: str) -> Any:
    """An attribute of a module, by names: how a stand-in is pickled."""
    return functools.reduce(getattr, name.split("."), importlib.import_module(module))


class StandIn:
    """A function in the place of another one. It is no function of Python, as the other one is none: no method."""

    def __init__(self, original: Callable[..., Any], call: Callable[..., Any]) -> None:
        functools.update_wrapper(self, original, updated=())
        self.call = call

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """What the function does."""
        return self.call(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        if name == "__wrapped__":  # not there yet
            raise AttributeError(name)
        return getattr(self.__wrapped__, name)

    def __eq__(self, other: object) -> bool:
        return True if other is self or other is self.__wrapped__ else NotImplemented

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __reduce__(self) -> Any:
        original = self.__wrapped__
        return named, (original.__module__, original.__qualname__)


class Kind(type):
    """The type of classes in the place of others: they make their instances, and these are its instances."""

    original: type

    def __new__(cls, name: str, bases: tuple[type, ...], names: dict[str, Any], original: type | None = None) -> Any:
        """A class in the place of another one; where none is named, a class that the user derives from one."""
        if original is None:
            return type(name, tuple(one.original if isinstance(one, Kind) else one for one in bases), names)
        made = super().__new__(cls, name, bases, names)
        made.original = original
        return made

    def __init__(cls, name: str, bases: tuple[type, ...], names: dict[str, Any], original: type | None = None) -> None:
        super().__init__(name, bases, names)

    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        """An instance."""
        return cls.make(*arguments, **options)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.original)

    def __subclasscheck__(cls, subclass: Any) -> bool:
        return issubclass(subclass.original if isinstance(subclass, Kind) else subclass, cls.original)

    def __eq__(cls, other: object) -> bool:
        return True if other is cls or other is cls.original else NotImplemented

    def __hash__(cls) -> int:
        return hash(cls.original)

    def __repr__(cls) -> str:
        return repr(cls.original)

    def __or__(cls, other: Any) -> Any:
        return cls.original | other

    def __ror__(cls, other: Any) -> Any:
        return other | cls.original

    def __getattr__(cls, name: str) -> Any:
        if name == "original":
            raise AttributeError(name)
        return getattr(cls.original, name)

    @property
    def dtype(cls) -> Any:
        """What ``dtype=float`` means to NumPy."""
        return np.dtype(cls.original) if issubclass(cls.original, float | complex) else object


STAND_INS: dict[int, Any] = {}
"""What stands for a function, a class or a module, by its identity."""

_LATER: dict[str, dict[str, Callable[..., Any]]] = {}
_originals: list[Any] = []  # so that an identity stays what it is


def enter(original: Any, stand_in: Any) -> None:
    """Have something stand for something else."""
    STAND_INS[id(original)] = stand_in
    _originals.append(original)


def stands_for(*originals: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function that takes the place of these; its first argument is the original."""

    def enter_all(call: Callable[..., Any]) -> Callable[..., Any]:
        for original in originals:
            enter(original, StandIn(original, functools.partial(call, original)))
        return call

    return enter_all


def stands_for_later(module: str, *names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function that takes the place of these of an optional package, once somebody has imported that."""

    def enter_all(call: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            replaced_later(module, name, lambda original: StandIn(original, functools.partial(call, original)))
        return call

    return enter_all


def replaced_later(module: str, name: str, make: Callable[[Any], Any]) -> None:
    """Enter what makes a stand-in for something of an optional package, once somebody has imported that."""
    _LATER.setdefault(module, {})[name] = make


def require_imported() -> None:
    """Enter what stands for functions of packages that have been imported since."""
    for module in [one for one in _LATER if one in sys.modules]:
        for name, make in _LATER.pop(module).items():
            original = getattr(sys.modules[module], name, None)
            if original is not None and id(original) not in STAND_INS:
                enter(original, make(original))
        while module:
            if id(sys.modules[module]) not in STAND_INS:
                enter(sys.modules[module], Lens(sys.modules[module]))
            module = module.rpartition(".")[0]


def in_place_of(value: Any) -> Any:
    """What stands for something, or for a method of something that has a stand-in; itself if there is none."""
    if type(value) is MethodType and (holder := STAND_INS.get(id(value.__self__))) is not None:
        return getattr(holder, value.__name__)
    return STAND_INS.get(id(value), value)


# --- modules ----------------------------------------------------------------------------------------------------------


class Lens(ModuleType):
    """A module as it is, but for what is replaced in it."""

    def __init__(self, module: ModuleType) -> None:
        super().__init__(module.__name__, module.__doc__)
        names = vars(self)
        names.clear()
        names["_seen"] = module

    def __getattr__(self, name: str) -> Any:
        value = getattr(vars(self)["_seen"], name)
        found = vars(self)[name] = self._stand_in(value)
        return found

    def _stand_in(self, value: Any) -> Any:
        return in_place_of(value)

    def __setattr__(self, name: str, value: Any) -> None:
        vars(self).pop(name, None)
        setattr(vars(self)["_seen"], name, value)

    def __dir__(self) -> list[str]:
        return dir(vars(self)["_seen"])

    def __repr__(self) -> str:
        return repr(vars(self)["_seen"])


class ThoroughLens(Lens):
    """A module in which all functions make arrays that can be written into with traced values."""

    def _stand_in(self, value: Any) -> Any:
        return thorough(value)


def thorough(value: Any) -> Any:
    """What stands for a module, a function or an array of the user's module in a thorough trace."""
    if isinstance(value, ModuleType):
        if value.__name__.partition(".")[0] == "numpy":
            return _thorough_lens(value)
    elif id(value) in STAND_INS:
        return STAND_INS[id(value)]
    elif isinstance(value, np.ufunc) or _is_function_of_numpy(value):
        return _keeping(value)
    elif type(value) is np.ndarray and value.dtype.kind in "fc":
        return value.view(Outside)
    return in_place_of(value)


def _is_function_of_numpy(value: Any) -> bool:
    module = str(getattr(value, "__module__", ""))
    return callable(value) and not isinstance(value, type) and module.partition(".")[0] == "numpy"


@functools.lru_cache
def _thorough_lens(module: ModuleType) -> Lens:
    return ThoroughLens(module)


@functools.lru_cache(maxsize=1024)
def _keeping(original: Callable[..., Any]) -> StandIn:
    def call(*arguments: Any, **options: Any) -> Any:
        return fresh(original(*arguments, **options), *arguments, *options.values())

    return StandIn(original, call)


def fresh(made: Any, *arguments: Any) -> Any:
    """An array as one to write into, if it is a new one: no part of an argument."""
    if not is_thorough() or isinstance(made, Traced) or not isinstance(made, np.ndarray):
        return made
    if any(isinstance(one, np.ndarray) and np.may_share_memory(made, one) for one in arguments):
        return made
    return constant(np.asarray(made))


class Outside(np.ndarray[Any, Any]):
    """An array of the user's module in a thorough trace: its copies, and what is computed of it, can be written into.

    It shares its memory with the array, and is as good as it for everybody else.
    """

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        inputs = tuple(one.view(np.ndarray) if isinstance(one, Outside) else one for one in inputs)
        if "out" in options:
            options["out"] = tuple(one.view(np.ndarray) if isinstance(one, Outside) else one for one in options["out"])
        return fresh(getattr(ufunc, method)(*inputs, **options), *inputs, *options.get("out", ()))

    def copy(self, order: Any = "C") -> Any:
        """A new array."""
        return fresh(np.array(self, order=order, subok=False))

    def astype(self, *arguments: Any, **options: Any) -> Any:
        """A new array of another dtype."""
        made = self.view(np.ndarray).astype(*arguments, **options)
        return fresh(made, self)

    def flatten(self, order: Any = "C") -> Any:
        """A new array of one axis."""
        return fresh(self.view(np.ndarray).flatten(order))

    def __reduce__(self) -> Any:
        return self.view(np.ndarray).__reduce__()


def whole(x: Any) -> Any:
    """Nested lists with traced values in them, as one traced array."""
    return RULES["whole"](x)
