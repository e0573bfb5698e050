"""What functions of traced values become: the table of rules, and the error for what has none.

The rules for NumPy are in `jacobians.functions`.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import numpy as np

from jacobians.errors import TracingError

Rule = Callable[..., Any]
RULES: dict[Any, Rule] = {}
METHODS: dict[str, Rule] = {}
"""What to do with a function of traced values; a ufunc's methods are found as ``(np.add, "reduce")``."""

OURS = str(Path(__file__).parents[1])
THEIRS = str(Path(np.__file__).parent)


def rule(*functions: Any) -> Callable[[Rule], Rule]:
    """Enter a rule for these functions."""

    def enter(one: Rule) -> Rule:
        for function in functions:
            RULES[function] = one
        return one

    return enter


def refuse(what: str, instead: str) -> NoReturn:
    """Raise an error that says what cannot be traced, where it stands, and what to write instead."""
    frame = _users_frame()
    where = ""
    if frame is not None:
        code = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        name = Path(frame.f_code.co_filename).name
        where = f" in {frame.f_code.co_name} ({name}, line {frame.f_lineno}{f': {code}' if code else ''})"
    raise TracingError(f"{what} cannot be traced{where}: {instead}")


def _users_frame() -> FrameType | None:
    """The innermost frame outside of this library and NumPy."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith((OURS, THEIRS)):
        frame = frame.f_back
    return frame
