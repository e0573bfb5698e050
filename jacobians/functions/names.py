"""What the source of a function calls its values.

While a function is traced for people to look at, the local variables of its frames are looked at after every line: a
traced value is called what the variable is called that holds it first, a constant likewise. Nothing of this runs where
only numbers are asked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import Any, Self

import numpy as np

from jacobians.core.rules import OURS, THEIRS
from jacobians.core.traced import Traced
from jacobians.functions.nested import flatten

STANDARD = str(Path(os.__file__).parent)  # the standard library
GENERATED = "namedtuple_", "jacobians.", "numpy."  # modules of methods that named tuples and dataclasses are given
MOST = 64  # members of a container, or attributes of an object, that are looked at


class SourceNames:
    """The names of values, by number, and of constants, by identity; collected while it is entered.

    A value is called what the outermost variable is called that holds it first. A tracer that is there already, of a
    debugger or a coverage tool, goes on; it is restored in the end, unless somebody has set another one meanwhile.

    Parameters
    ----------
    function
        The function that is traced: its closure and its globals name constants, too.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.values: dict[int, str] = {}
        self.constants: dict[int, str] = {}
        self.held: dict[str, list[int]] = {}
        """The numbers of all values that a variable has held, in order."""

        self._depths: dict[int, int] = {}  # of the frame that has given a value its name
        self._kept: list[Any] = []  # so that an identity stays what it was
        self._before: Any = None
        self._start: FrameType | None = None
        inner = getattr(function, "func", function)  # of a functools.partial
        self._note("self", getattr(inner, "__self__", inner), 0)
        inner = getattr(inner, "__func__", inner)
        cells = dict(zip(getattr(getattr(inner, "__code__", None), "co_freevars", ()),
                         getattr(inner, "__closure__", None) or (), strict=False))  # fmt: skip
        self._globals(getattr(inner, "__code__", None), getattr(inner, "__globals__", {}))
        for name, cell in cells.items():
            with suppress(ValueError):  # not filled yet
                self._note(name, cell.cell_contents, 0)

    def __enter__(self) -> Self:
        self._before, self._start = sys.gettrace(), sys._getframe(1)
        sys.settrace(self._call)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if sys.gettrace() == self._call:  # else a debugger has been started inside
            sys.settrace(self._before)
        self._start = None

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        other = self._before(frame, event, argument) if self._before is not None else None
        code = frame.f_code
        file = code.co_filename
        if file.startswith((OURS, THEIRS, "<frozen")) or (file.startswith(STANDARD) and "-packages" not in file):
            return other
        if file == "<string>" and str(frame.f_globals.get("__name__")).startswith(GENERATED):
            return other
        depth, outer = 0, frame.f_back
        while outer is not None and outer is not self._start:
            depth, outer = depth + 1, outer.f_back
        self._globals(code, frame.f_globals)

        def line(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal other
            for name, value in list(frame.f_locals.items()):
                if not name.startswith("."):  # the iterator of a comprehension
                    self._note(name, value, depth)
            if other is not None:
                other = other(frame, event, argument)
            return line

        return line

    def _globals(self, code: CodeType | None, outside: Mapping[str, Any]) -> None:
        """The global arrays that some code uses."""
        for name in code.co_names if code is not None else ():
            if isinstance(outside.get(name), np.ndarray | tuple | list | dict):
                self._note(name, outside[name], 0)

    def _note(self, name: str, value: Any, depth: int) -> None:
        if isinstance(value, Traced):
            if value.is_constant:
                self._note(name, value.value, depth)
            elif value.pending is None:  # else it has a value when somebody asks for it
                self._name(name, value.number, depth)
        elif isinstance(value, np.ndarray):
            if id(value) not in self.constants:
                self.constants[id(value)] = name
                self._kept.append(value)
        elif (isinstance(value, tuple | list) or type(value) is dict) and 0 < len(value) <= MOST:
            with suppress(Exception):  # whatever a container of the user's does, f goes on
                for path, one in zip(*flatten(value, name)[:2], strict=True):
                    if isinstance(one, Traced | np.ndarray):
                        self._note(path, one, depth)
        elif depth <= 1 and not isinstance(value, ModuleType | type) and not hasattr(value, "__code__"):
            attributes = getattr(value, "__dict__", None)
            for attribute, one in list(attributes.items())[:MOST] if isinstance(attributes, dict) else ():
                if isinstance(one, Traced | np.ndarray):
                    self._note(attribute if name == "self" else f"{name}.{attribute}", one, depth)

    def _name(self, name: str, number: int, depth: int) -> None:
        if depth < self._depths.get(number, 1 << 30):
            self.values[number], self._depths[number] = name, depth
        numbers = self.held.setdefault(name, [])
        if number not in numbers[-1:] and number not in numbers:
            numbers.append(number)
