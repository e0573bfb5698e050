"""Where stand-ins stand while a function is traced: in its module, its closure, and the modules of what it calls.

This is the one piece of state that threads share. It is harmless, since a stand-in is as good as its original for
everybody else; and it is taken back when the last function that is traced with a module has ended.
"""

from __future__ import annotations

import builtins
import dis
import functools
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from jacobians.core.graph import Recording
from jacobians.functions import creation, iterating
from jacobians.functions.mathematics import BUILTINS
from jacobians.functions.stand_ins import (
    StandIn,
    begin,
    end,
    in_place_of,
    innermost,
    require_imported,
    thorough,
)

_ = creation, iterating  # they enter their stand-ins
OURS = "numpy", "scipy", "jacobians"
MISSING = object()
WAIT = 1.0  # seconds for which nobody holds the lock, unless it has been lost to an interrupt or a fork


class Lock:
    """A lock that is replaced if it is lost: it is never held for long."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=WAIT):
            self._lock = threading.Lock()
            self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        if self._lock.locked():
            self._lock.release()


lock = Lock()


class Names:
    """The names of a module, or the cell of a closure, while some of them are replaced."""

    def __init__(self, names: Any) -> None:
        self.names = names
        self.replaced: dict[str, tuple[Any, Any]] = {}
        self.holders: list[Recording] = []

    def enter(self, recording: Recording, wanted: dict[str, Any]) -> None:
        """Replace names until the recording is closed."""
        self.holders.append(recording)
        names, replaced = self.names, self.replaced
        for name, value in wanted.items():
            now = names.get(name, MISSING)
            if name not in replaced or now is not replaced[name][1]:
                replaced[name] = now, value
                names[name] = value

    def leave(self, recording: Recording) -> bool:
        """Take it back if nobody else needs it; what has been changed meanwhile stays."""
        self.holders = [one for one in self.holders if one is not recording and one.is_open]
        if self.holders:
            return False
        for name, (before, value) in self.replaced.items():
            if self.names.get(name, MISSING) is value:
                if before is MISSING:
                    del self.names[name]
                else:
                    self.names[name] = before
        return True


class Cell:
    """The cell of a closure, as the names of a module with one name."""

    __slots__ = ("cell",)

    def __init__(self, cell: CellType) -> None:
        self.cell = cell

    def get(self, name: str, default: Any = None) -> Any:
        """What is in the cell."""
        return _content(self.cell, default)

    def __setitem__(self, name: str, value: Any) -> None:
        self.cell.cell_contents = value


def _content(cell: CellType, default: Any = MISSING) -> Any:
    """What is in the cell of a closure, unless it is empty."""
    try:
        return cell.cell_contents
    except ValueError:
        return default


class Plan(NamedTuple):
    """What to replace in a module with so many names as long as some stand for what they did; the modules it needs."""

    names: int
    before: dict[str, Any]
    wanted: dict[str, Any]
    modules: tuple[str, ...]


_entered: dict[int, Names] = {}
_plans: dict[Any, Plan] = {}


def called_with_stand_ins(
    call: Callable[[], Any], function: Callable[..., Any], recording: Recording, is_thorough: bool
) -> Any:
    """Call something while stand-ins stand in all modules that a function reaches."""
    found: dict[int, Names] = {}
    try:
        begin(recording, is_thorough)
        require_imported()
        with lock:
            for names, wanted in _places(function, is_thorough):
                key = id(names.cell) if type(names) is Cell else id(names)
                one = found[key] = _entered.get(key) or Names(names)
                _entered[key] = one
                one.enter(recording, wanted)
        return call()
    finally:
        recording.is_open = False
        end()
        with lock:
            for key, one in found.items():
                if _entered.get(key) is one and one.leave(recording):
                    del _entered[key]


def _places(function: Callable[..., Any], is_thorough: bool) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The names of all modules and closures that a function reaches, and what to replace in them."""
    functions: list[FunctionType] = []
    if type(function) is FunctionType and not (function.__closure__ or function.__defaults__ or function.__dict__):
        functions.append(function)  # it reaches its module alone
    else:
        _collect(function, functions, 0)
    seen: set[int] = set()
    waiting: list[str] = []
    for one in functions:
        names = one.__globals__
        if _is_ours(names.get("__name__")):
            continue
        plan = _plan(names, one.__code__, is_thorough)
        yield names, plan.wanted
        seen.add(id(names))
        waiting += plan.modules
        for name, cell in zip(one.__code__.co_freevars, one.__closure__ or (), strict=False):
            value = _content(cell)
            stand_in = thorough(value) if is_thorough else in_place_of(value)
            if stand_in is not value:
                yield Cell(cell), {name: stand_in}
            elif isinstance(value, ModuleType) and _is_users(value.__name__, ""):
                waiting.append(value.__name__)
    while waiting:
        module = sys.modules.get(waiting.pop())
        if module is not None and id(vars(module)) not in seen:
            seen.add(id(vars(module)))
            plan = _plan(vars(module), None, is_thorough)
            yield vars(module), plan.wanted
            waiting += plan.modules
    if is_thorough:
        yield vars(builtins), {"__import__": _IMPORT}


@functools.lru_cache(maxsize=4096)
def _is_ours(name: Any) -> bool:
    """Whether a module is one in which nothing is replaced."""
    return str(name).partition(".")[0] in OURS


def _imported(
    name: str, names: Any = None, local: Any = None, fromlist: Any = (), level: int = 0
) -> Any:  # as `__import__` is called
    """What an import statement in a function of the user's gives him."""
    entered = _entered.get(id(vars(builtins)))
    original = _import if entered is None else entered.replaced["__import__"][0]
    module = original(name, names, local, fromlist, level)
    return thorough(module) if innermost() is not None and id(names) in _entered else module


_import = builtins.__import__
_IMPORT = StandIn(_import, _imported)


def _collect(function: Any, found: list[FunctionType], depth: int) -> None:
    """The Python functions in whatever can be called: methods, partial functions, wrappers, objects, closures."""
    if depth > 8 or any(one is function for one in found):
        return
    if isinstance(function, FunctionType):
        found.append(function)
        inner: list[Any] = [function.__dict__.get("__wrapped__"), *(function.__defaults__ or ())]
        inner += map(_content, function.__closure__ or ())
    elif isinstance(function, MethodType):
        inner = [function.__func__, *_of_class(type(function.__self__))]
    elif isinstance(function, functools.partial):
        inner = [function.func, *function.args, *function.keywords.values()]
    elif isinstance(function, type | ModuleType) or type(function).__module__ in ("builtins", *OURS):
        return
    else:
        attributes = getattr(function, "__dict__", None)
        inner = _of_class(type(function))
        if isinstance(attributes, dict):
            inner += [attributes.get(name) for name in ("__wrapped__", "func", "py_func")]
    for one in inner:
        if callable(one) and not isinstance(one, type | StandIn):
            _collect(one, found, depth + 1)


def _of_class(kind: type) -> list[Any]:
    """A function of every class that a class derives from, for their modules; and what it does when it is called."""
    found: list[Any] = [next((one for one in vars(base).values() if isinstance(one, FunctionType)), None)
                        for base in kind.__mro__]  # fmt: skip
    return [*found, *[vars(base).get("__call__") for base in kind.__mro__]]


# --- what to replace in a module --------------------------------------------------------------------------------------


def _plan(names: dict[str, Any], code: CodeType | None, is_thorough: bool) -> Plan:
    """The plan for a module; it holds as long as no names come in and those that it knows stand for what they did."""
    key = id(names), code, is_thorough
    plan = _plans.get(key)
    entered = _entered.get(id(names))
    if entered is None and plan is not None and plan.names == len(names):
        for name, value in plan.before.items():
            if names.get(name, MISSING) is not value:
                break
        else:
            return plan
    replaced = {} if entered is None else {n: b for n, (b, value) in entered.replaced.items() if names.get(n) is value}
    count = len(names) - sum(before is MISSING for before in replaced.values())
    if (
        plan is not None
        and plan.names == count
        and all(replaced.get(name, names.get(name, MISSING)) is value for name, value in plan.before.items())
    ):
        return plan
    now = {name: value for name, value in {**names, **replaced}.items() if value is not MISSING}
    if len(_plans) > 1024:
        _plans.clear()
    plan = _plans[key] = _planned(now, code, is_thorough)
    return plan


def _planned(names: dict[str, Any], code: CodeType | None, is_thorough: bool) -> Plan:
    wanted = {}
    for name, value in names.items():
        stand_in = thorough(value) if is_thorough else in_place_of(value)
        if stand_in is not value and not name.startswith("__"):
            wanted[name] = stand_in
    before: dict[str, Any] = {name: names[name] for name in wanted}
    codes = [*_codes(names.values(), names), *([] if code is None else _nested(code))]
    for name, kind in BUILTINS.items():
        if name not in names and any(name in one.co_names for one in codes):
            before[name] = MISSING
            if not any(_compares(one, name) for one in codes):
                wanted[name] = kind
    home = str(names.get("__name__", "")).partition(".")[0]
    modules = {_module_of(value) for value in names.values()} - {names.get("__name__"), None}
    return Plan(len(names), before, wanted, tuple(sorted(str(one) for one in modules if _is_users(str(one), home))))


def _module_of(value: Any) -> Any:
    """The name of the module that a value belongs to."""
    if isinstance(value, ModuleType):
        return value.__name__
    found = getattr(value if isinstance(value, FunctionType | type) else type(value), "__module__", None)
    return found if isinstance(found, str) else None


def _is_users(name: str, home: str) -> bool:
    """Whether a module is the user's: neither Python's nor, but for the package at home, one that is installed."""
    root = name.partition(".")[0]
    if root in OURS or root in sys.stdlib_module_names or root == "builtins":
        return False
    file = getattr(sys.modules.get(name), "__file__", None)
    return file is not None and (root == home or not {"site-packages", "dist-packages"} & {*Path(file).parts})


def _codes(values: Any, names: dict[str, Any]) -> Iterator[CodeType]:
    """The code of the functions of a module, and of the methods of its classes."""
    for value in values:
        if isinstance(value, FunctionType) and value.__globals__.get("__name__") == names.get("__name__"):
            yield from _nested(value.__code__)
        elif isinstance(value, type) and value.__module__ == names.get("__name__"):
            yield from _codes([one for one in vars(value).values() if isinstance(one, FunctionType)], names)


def _nested(code: CodeType) -> Iterator[CodeType]:
    """Code, and the code of the functions in it."""
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _nested(one)


@functools.lru_cache(maxsize=4096)
def _compares(code: CodeType, name: str) -> bool:
    """Whether code might ask if a type *is* the one of this name, which no stand-in can answer."""
    if name not in code.co_names:
        return False
    found = list(dis.get_instructions(code))
    comparisons = [one.positions for one in found if one.opname == "IS_OP"]
    places = [one.positions for one in found if one.argval == name and one.opname.startswith("LOAD_")]
    return any(None in (a, b) or _lies_in(a, b) for a in places for b in comparisons)


def _lies_in(inner: Any, outer: Any) -> bool:
    """Whether a piece of the source is part of another one."""
    if None in (*inner, *outer):  # the source is not known
        return True
    begins = (outer.lineno, outer.col_offset) <= (inner.lineno, inner.col_offset)
    return begins and (inner.end_lineno, inner.end_col_offset) <= (outer.end_lineno, outer.end_col_offset)
