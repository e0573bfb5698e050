"""The claimed Jacobians of all outputs by all variables: nested, and given by a function or as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobians.checking.measuring.arguments import Arguments, Variable, copied
from jacobians.checking.measuring.frameworks import native
from jacobians.checking.measuring.function import as_array, quiet
from jacobians.checking.measuring.nested import dotted, flatten, pick
from jacobians.checking.points import moved


@dataclass(frozen=True)
class NestedClaim:
    """The claimed Jacobians of all outputs by all variables, nested somehow.

    Attributes
    ----------
    value
        As it was given, or as the function gave it.
    function
        The function that gave it, if there is one.
    differs
        What is to be said if it gives something else when it is called again.
    arguments
        The names of the arguments that are differentiated by.
    """

    value: Any
    function: Callable[..., Any] | None
    differs: str
    arguments: tuple[str, ...]

    @classmethod
    def of(cls, J: Any, arguments: Arguments) -> NestedClaim:
        """Call J if it is a function, twice."""
        names = tuple(arguments.names[k] for k in arguments.wanted)
        if not callable(J) or hasattr(J, "shape") or hasattr(J, "matvec"):
            return cls(J, None, "", names)
        function = native(J, arguments.values)
        with quiet():
            value = copied(function(*arguments.copies()))
            again = function(*arguments.copies())
        same = same_numbers(value, again)
        said = (
            "J is something else when it is called again at the same x: added up over calls, or another state it keeps?"
        )
        return cls(value, function, "" if same else said, names)

    @property
    def is_of_one_output(self) -> bool:
        """Whether the claim is nested as the arguments are, and no further."""
        return isinstance(self.value, tuple | list) and len(self.value) == len(self.arguments)

    def part(self, output: tuple[Any, ...], variable: Variable) -> Any:
        """The claim about one output by one variable."""
        nested = self.value
        if nested is None:
            return None
        nested = pick(nested, output, "J")
        if variable.argument is not None:
            if isinstance(nested, Mapping):
                whole = dotted(variable.argument_name, variable.path)
                key = variable.argument_name if variable.argument_name in nested else whole
                nested = pick(nested, (key,), "J")
                return nested if key == whole else pick(nested, variable.path, "J")
            count, listed = len(self.arguments), ", ".join(self.arguments)
            if not isinstance(nested, tuple | list) or len(nested) != count:
                given = f"of {len(nested)}" if isinstance(nested, tuple | list) else f"but a {type(nested).__name__}"
                raise ValueError(f"J must be a tuple of {count} Jacobians, one per argument ({listed}), not {given}")
            return pick(pick(nested, (variable.argument,), "J"), variable.path, "J")
        if isinstance(nested, Mapping) and variable.argument_name in nested and not variable.path:
            return nested[variable.argument_name]
        if isinstance(nested, tuple) and len(nested) == 1 and not variable.path:
            return nested[0]
        return pick(nested, variable.path, "J")

    def state(self, arguments: Arguments) -> Iterator[str]:
        """Say so if J is a function that does not depend on x, which a stale forward value also looks like."""
        if self.function is None:
            return
        try:
            with quiet():
                elsewhere = self.function(*moved(arguments.values, 1))
        except Exception:  # whatever J objects to, this is only a hint
            return
        if same_numbers(self.value, elsewhere) and any(np.any(as_array(leaf, "J")) for leaf in flatten(self.value)[1]):
            yield "J is the same at another x: it may use a stale forward value"


def same_numbers(one: Any, other: Any) -> bool:
    """Whether two claims have the same numbers, up to rounding; true where that cannot be seen."""
    leaves, others = flatten(one)[1], flatten(other)[1]
    if len(leaves) != len(others):
        return False
    for a, b in zip(leaves, others, strict=True):
        if not isinstance(a, np.ndarray | float | complex) and not hasattr(a, "detach"):
            continue
        left, right = as_array(a, "J"), as_array(b, "J")
        if left.shape != right.shape:
            return False
        size = float(np.max(np.abs(left), where=np.isfinite(left), initial=0))
        precision = max(float(np.finfo(left.dtype).eps), 1e-12)
        if not np.allclose(left, right, rtol=1e4 * precision, atol=100 * precision * size, equal_nan=True):
            return False
    return True
