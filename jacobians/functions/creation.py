"""Arrays that a traced function makes: ``np.array([[c, -s], [s, c]])``, ``y = np.zeros(3)``.

NumPy asks nobody about these functions. So for the time of a call, the names that stand for NumPy in the module of the
function stand for `STAND_IN`: the same module, but for functions that make arrays of traced values, and arrays of
floating-point numbers to be written into. Those are traced arrays that depend on nothing; as long as nothing traced is
written into them, all computations with them are plain.

NumPy itself, packages, and other threads get what they always get.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from types import FunctionType, ModuleType, TracebackType
from typing import Any

import numpy as np

from jacobians.core.graph import Recording
from jacobians.core.rules import RULES
from jacobians.core.traced import Traced
from jacobians.functions.assembling import any_traced
from jacobians.functions.moving import copied

MADE_OF_OTHERS = "array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "asarray_chkfinite", "require"
MADE_OF_NOTHING = "zeros", "ones", "empty", "full", "eye", "identity"
OF_LISTS = "mean", "std", "var", "median", "average", "max", "min", "ptp", "sum", "prod", "quantile", "percentile"


class _Traces(threading.local):
    """The recordings of the functions that are being called in this thread; the innermost one is the last."""

    def __init__(self) -> None:
        self.open: list[Recording] = []


_traces = _Traces()


# --- what the functions do --------------------------------------------------------------------------------------------


def _made_of_others(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def make(*arguments: Any, **options: Any) -> Any:
        if not arguments or not any_traced(arguments[0]):
            return original(*arguments, **options)
        whole = RULES["whole"](arguments[0])
        dtype = arguments[1] if len(arguments) > 1 else options.get("dtype")
        if dtype is not None and np.dtype(dtype) != whole.dtype:
            whole = RULES["astype"](whole, dtype)
        if not isinstance(whole, Traced):  # integers, which are constant
            return original(whole, **options)
        missing = options.get("ndmin", 0) - whole.ndim
        if missing > 0:
            whole = RULES[np.expand_dims](whole, tuple(range(missing)))
        return copied(whole) if name == "array" and options.get("copy", True) else whole

    return make


def _made_of_nothing(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def make(*arguments: Any, **options: Any) -> Any:
        if not _traces.open:
            return original(*arguments, **options)
        if name == "full":
            fill = RULES["whole"](arguments[1] if len(arguments) > 1 else options.get("fill_value"))
            if isinstance(fill, Traced):
                return copied(RULES[np.broadcast_to](fill, arguments[0] if arguments else options["shape"]))
        made = original(*arguments, **options)
        recording = _traces.open[-1]
        return Traced(recording, recording.constant(made)) if made.dtype.kind in "fc" else made

    return make


def _of_list(original: Callable[..., Any]) -> Callable[..., Any]:
    """A function of an array that may be given a list of traced numbers."""

    @functools.wraps(original)
    def call(*arguments: Any, **options: Any) -> Any:
        if arguments and isinstance(arguments[0], list | tuple) and any_traced(arguments[0]):
            arguments = (RULES["whole"](arguments[0]), *arguments[1:])
        return original(*arguments, **options)

    return call


def _stand_in(module: ModuleType, functions: dict[str, Any]) -> ModuleType:
    """A module that is another one but for some functions."""
    twin = ModuleType(module.__name__, module.__doc__)
    vars(twin).update(vars(module))
    vars(twin).update(functions)
    return twin


_NOT_OF_LISTS = "LinAlgError", "multi_dot"
LINALG = _stand_in(
    np.linalg, {name: _of_list(getattr(np.linalg, name)) for name in np.linalg.__all__ if name not in _NOT_OF_LISTS}
)
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _made_of_others(getattr(np, name), name) for name in MADE_OF_OTHERS},
    **{name: _made_of_nothing(getattr(np, name), name) for name in MADE_OF_NOTHING},
    **{name: _of_list(getattr(np, name)) for name in OF_LISTS},
}
STAND_IN = _stand_in(np, {**FUNCTIONS, "linalg": LINALG})
REPLACED: dict[int, Any] = {
    id(np): STAND_IN, id(np.linalg): LINALG, **{id(getattr(np, name)): function for name, function in FUNCTIONS.items()}
}  # fmt: skip
"""What stands for what, by identity."""


# --- where they stand -------------------------------------------------------------------------------------------------

_lock = threading.Lock()
Found = tuple[int, dict[str, Any], dict[str, Any]]
"""How many names a module has; what those stand for that are to stand for something else; and what that is."""

_entered: dict[int, tuple[int, Found]] = {}  # how many calls are going on, for the globals of a module by identity
_known: dict[int, Found] = {}


class Creation:
    """While it is entered, what a function makes with NumPy in this thread belongs to a recording."""

    def __init__(self, function: Callable[..., Any], recording: Recording) -> None:
        self.recording = recording
        self.globals = _globals(function)

    def __enter__(self) -> None:
        _traces.open.append(self.recording)
        names = self.globals
        if names is not None:
            with _lock:
                key = id(names)
                count, found = _entered.get(key) or (0, _replacements(names))
                _entered[key] = count + 1, found
                if count == 0:
                    names.update(found[2])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _traces.open.pop()
        names = self.globals
        if names is not None:
            with _lock:
                key = id(names)
                count, found = _entered.pop(key)
                if count > 1:
                    _entered[key] = count - 1, found
                    return
                _, before, replaced = found
                for name, value in replaced.items():
                    if names.get(name) is value:  # f has not changed it
                        names[name] = before[name]


def _replacements(names: dict[str, Any]) -> Found:
    """The names that stand for NumPy or for a function that is replaced, with what they stand for and are to stand for.

    They are found again as long as no names come in and those that are known stand for what they did.
    """
    found = _known.get(id(names))
    if found is None or found[0] != len(names) or any(names.get(name) is not value for name, value in found[1].items()):
        if len(_known) > 1024:
            _known.clear()
        before = {name: value for name, value in names.items() if id(value) in REPLACED}
        found = _known[id(names)] = len(names), before, {name: REPLACED[id(v)] for name, v in before.items()}
    return found


def _globals(function: Any) -> dict[str, Any] | None:
    """The names of the module of a function, a method, or an object that can be called; not those of a package."""
    while not isinstance(function, FunctionType) or hasattr(function, "__wrapped__"):
        inner = getattr(function, "__wrapped__", None) or getattr(function, "__func__", None)
        if isinstance(function, functools.partial):
            inner = function.func
        if inner is None:
            inner = vars(type(function)).get("__call__")
            if not isinstance(inner, FunctionType):
                return None
        function = inner
    names: dict[str, Any] = function.__globals__
    return None if names.get("__name__", "").partition(".")[0] in ("numpy", "scipy", "jacobians") else names
