"""Functions of several arguments: each argument in turn, the others held fixed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Partial", "is_argument_tuple", "resolve"]


@dataclass(frozen=True)
class Partial:
    """f as a function of one of its arguments."""

    f: Callable[[Any], Any]
    x: Any
    name: str


def _parameter_names(f: Callable[..., Any]) -> list[str]:
    """Names of the positional parameters of f that have no default; empty where Python does not know."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.kind in kinds and p.default is inspect.Parameter.empty]


def is_argument_tuple(f: Callable[..., Any], x: Any, argnums: int | tuple[int, ...] | None) -> bool:
    """Whether a tuple is the arguments of f: if argnums is given, or f requires exactly that many."""
    if not isinstance(x, tuple):
        return False
    return argnums is not None or (len(x) > 1 and len(_parameter_names(f)) == len(x))


def resolve(f: Callable[..., Any], arguments: Sequence[Any], argnums: int | tuple[int, ...]) -> tuple[Partial, ...]:
    """Return f as a function of each of the arguments named by ``argnums``."""
    wanted = argnums if isinstance(argnums, tuple) else (argnums,)
    names = _parameter_names(f)
    partials = []
    for number in wanted:
        if not -len(arguments) <= number < len(arguments):
            raise ValueError(f"argnums has {number}, but f is given {len(arguments)} arguments")
        position = number % len(arguments)

        def partial(value: Any, position: int = position) -> Any:
            return f(*arguments[:position], value, *arguments[position + 1 :])

        known = len(names) >= len(arguments) and len(arguments) > 1
        name = names[position] if known else ("x" if len(arguments) == 1 else f"x{position}")
        partials.append(Partial(f if len(arguments) == 1 else partial, arguments[position], name))
    return tuple(partials)
