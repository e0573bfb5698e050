"""Functions of several or nested arguments: every array in them in turn, the others held fixed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobians.checking.measuring.frameworks import native
from jacobians.checking.measuring.nested import Path, dotted, flatten

Argnums = int | Sequence[int] | None


@dataclass(frozen=True)
class Variable:
    """f as a function of one array in its arguments.

    Attributes
    ----------
    f
        The function of that array; everything else is given to f as copies.
    x
        The array.
    name
        Its dotted name, such as ``params.W``.
    argument
        The place of its argument among those that are asked for, None if a single one is asked for without a tuple.
    argument_name
        The name of the argument.
    path
        Where it stands within the argument.
    """

    f: Callable[[Any], Any]
    x: Any
    name: str
    argument: int | None
    argument_name: str
    path: Path


@dataclass(frozen=True)
class Arguments:
    """The arguments of a function, and which of them are differentiated by."""

    f: Callable[..., Any]
    values: tuple[Any, ...]
    names: tuple[str, ...]
    wanted: tuple[int, ...]
    several: bool

    @classmethod
    def of(
        cls, f: Callable[..., Any], x: Any, argnums: Argnums = None, names: Sequence[str] | None = None
    ) -> Arguments:
        """Arguments of f from a point: a tuple is all arguments if argnums is given, or if f requires that many."""
        if isinstance(argnums, int | np.integer):
            argnums, single = (int(argnums),), True
        else:
            argnums, single = None if argnums is None else tuple(int(k) for k in argnums), False
        known = parameter_names(f)
        unpacked = isinstance(x, tuple) and (argnums is not None or (len(x) > 1 and len(known) == len(x)))
        values = x if unpacked else (x,)
        count = len(values)
        for number in argnums or ():
            if not -count <= number < count:
                raise ValueError(f"argnums has {number}, but f is given {count} arguments")
        if names is None:
            names = (
                known[:count] if len(known) >= count > 1 else ["x"] if count == 1 else [f"x{k}" for k in range(count)]
            )
        wanted = tuple(k % count for k in argnums) if argnums is not None else tuple(range(count))
        return cls(
            native(f, values), tuple(values), tuple(names), wanted, not single and (unpacked or argnums is not None)
        )

    def variables(self) -> list[Variable]:
        """Every array in the arguments that are differentiated by."""
        found = []
        for place, number in enumerate(self.wanted):
            paths, arrays, _ = flatten(self.values[number])
            for k, (path, array) in enumerate(zip(paths, arrays, strict=True)):
                name = self.names[number]
                found.append(Variable(
                    self._by(number, k), array, dotted(name, path), place if self.several else None, name, path
                ))  # fmt: skip
        return found

    def _by(self, number: int, k: int) -> Callable[[Any], Any]:
        """f as a function of the k-th array in an argument."""
        _, arrays, rebuild = flatten(self.values[number])

        def f(value: Any) -> Any:
            mine = rebuild([*map(copied, arrays[:k]), value, *map(copied, arrays[k + 1 :])])
            before, after = self.values[:number], self.values[number + 1 :]
            return self.f(*map(copied, before), mine, *map(copied, after))

        return f

    def copies(self) -> tuple[Any, ...]:
        """All arguments, copied."""
        return tuple(map(copied, self.values))


def copied(value: Any) -> Any:
    """A nested value with copies of its arrays."""
    if isinstance(value, np.ndarray):
        return value.copy(order="K")
    if isinstance(value, dict | list | tuple):
        _, arrays, rebuild = flatten(value)
        if len(arrays) != 1 or arrays[0] is not value:
            return rebuild([array.copy(order="K") if isinstance(array, np.ndarray) else array for array in arrays])
        return type(value)(value) if isinstance(value, list) else value
    return value


def parameter_names(f: Callable[..., Any]) -> list[str]:
    """The names of the positional parameters of f that have no default; none where Python does not know."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.kind in kinds and p.default is inspect.Parameter.empty]
