"""What the source of a function calls its values.

While a function is traced for people to look at, the local variables of its frames are looked at after every line: a
traced value is called what the variable is called that holds it first, a constant likewise. Nothing of this runs where
only numbers are asked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

import numpy as np

from jacobians.core.traced import OURS, THEIRS, Traced
from jacobians.functions.nested import flatten

STANDARD = str(Path(os.__file__).parent)  # the standard library


class SourceNames:
    """The names of values, by number, and of constants, by identity; collected while it is entered.

    Parameters
    ----------
    function
        The function that is traced: its closure and its globals name constants, too.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.values: dict[int, str] = {}
        self.constants: dict[int, str] = {}
        self._kept: list[Any] = []  # so that an identity stays what it was
        self._before: Any = None
        inner = getattr(function, "__func__", function)
        cells = dict(zip(getattr(getattr(inner, "__code__", None), "co_freevars", ()),
                         getattr(inner, "__closure__", None) or (), strict=False))  # fmt: skip
        names = getattr(getattr(inner, "__code__", None), "co_names", ())
        outside = getattr(inner, "__globals__", {})
        for name in names:
            if name in outside:
                self._note(name, outside[name])
        for name, cell in cells.items():
            try:
                self._note(name, cell.cell_contents)
            except ValueError:  # not filled yet
                continue

    def __enter__(self) -> Self:
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        sys.settrace(self._before)

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        file = frame.f_code.co_filename
        inside = (
            file.startswith((OURS, THEIRS, "<frozen"))
            or (file.startswith(STANDARD) and "-packages" not in file)
            or frame.f_code.co_name in ("<listcomp>", "<genexpr>")
        )
        return None if inside else self._line

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        for name, value in frame.f_locals.items():
            self._note(name, value)
        return self._line

    def _note(self, name: str, value: Any) -> None:
        if isinstance(value, Traced):
            self.values.setdefault(value.number, name)
        elif isinstance(value, np.ndarray):
            if id(value) not in self.constants:
                self.constants[id(value)] = name
                self._kept.append(value)
        elif isinstance(value, tuple | list | dict) and 0 < len(value) <= 64:
            for path, one in zip(*flatten(value, name)[:2], strict=True):
                if isinstance(one, Traced | np.ndarray):
                    self._note(path, one)
