"""One call of a function with traced arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jacobians.core.graph import Recording, Wanted
from jacobians.core.traced import RULES, Traced, rule
from jacobians.core.vectors import numbers
from jacobians.errors import TracingError
from jacobians.functions.assembling import whole
from jacobians.functions.nested import Rebuild, flatten

Array = NDArray[Any]
NO_PATHS: Mapping[int, str] = {}


class Leaves(NamedTuple):
    """The arrays of a nested argument or output: their names and numbers, and how to nest others likewise."""

    names: tuple[str, ...]
    numbers: tuple[int, ...]
    rebuild: Rebuild


class Evaluation:
    """A function called with traced arguments.

    Parameters
    ----------
    f
        The function.
    arguments, options
        What it is called with.
    traced
        The positions of the arguments that are to be differentiated by.
    names
        The names of the arguments.
    named
        Whether it will be asked what constants are called.
    """

    def __init__(
        self, f: Callable[..., Any], arguments: Sequence[Any], options: Mapping[str, Any], traced: Iterable[int],
        names: Sequence[str], named: bool = False,
    ) -> None:  # fmt: skip
        self.recording = recording = Recording(NO_PATHS)
        recording.origins = {} if named else None
        self.inputs: dict[int, Leaves] = {}
        given = list(arguments)
        for k in traced:
            paths, leaves, rebuild = flatten(arguments[k], names[k])
            places = [recording.leaf(path, own(leaf, path)) for path, leaf in zip(paths, leaves, strict=True)]
            self.inputs[k] = Leaves(tuple(paths), tuple(places), rebuild)
            given[k] = rebuild([Traced(recording, n) for n in places])
        try:
            output = called(f, given, options)
        except Exception as error:
            _explain(error)
            raise
        paths, leaves, rebuild = flatten(whole(output) if _is_objects(output) else output)
        self.output = Leaves(tuple(paths), tuple([self._value(leaf) for leaf in leaves]), rebuild)

    def _value(self, leaf: Any) -> int:
        """The number of an output."""
        value = RULES["output"](leaf, self.recording)
        if isinstance(value, Traced):
            return value.number
        self.recording.values.append(own(value, "the output"))
        return len(self.recording.values) - 1

    def wanted(self, positions: Sequence[int]) -> list[Wanted]:
        """Every output by every array of these arguments."""
        return [
            Wanted(out, n, "f", name)
            for out in self.output.numbers
            for k in positions
            for name, n in zip(self.inputs[k].names, self.inputs[k].numbers, strict=True)
        ]

    def nested(self, values: Sequence[Any], positions: Sequence[int], single: bool) -> Any:
        """Results in the order of `wanted`, nested as the output is, then as the arguments are."""
        rest = iter(values)
        rows = []
        for _ in self.output.numbers:
            parts = [self.inputs[k].rebuild([next(rest) for _ in self.inputs[k].numbers]) for k in positions]
            rows.append(parts[0] if single else tuple(parts))
        return self.output.rebuild(rows)


def called(f: Callable[..., Any], arguments: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Call a function with traced arguments; what NumPy says of them is said in our words."""
    try:
        return f(*arguments, **options)
    except ValueError as error:
        if isinstance(error.__cause__, TracingError):  # NumPy: setting an array element with a sequence
            raise error.__cause__ from None
        if "read-only" in str(error):
            raise TracingError(
                f"NumPy cannot write here: {error}. What np.asarray makes of a traced array is no array to write into; "
                "leave np.asarray out, or take x.copy()"
            ) from error
        raise
    except TypeError as error:
        if "dtype('O')" in str(error) or "type Traced" in str(error):
            raise TracingError(
                f"NumPy cannot take an array here that np.array([…]) or np.asarray made of traced numbers: {error}; "
                "make it with np.stack([…]), np.block([…]) or np.reshape"
            ) from error
        raise


def _explain(error: Exception) -> None:
    """A note on errors that other packages raise when they get a traced value."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    name = frame.tb_frame.f_globals.get("__name__", "").partition(".")[0] if frame is not None else ""
    file = frame.tb_frame.f_code.co_filename if frame is not None else ""
    if "site-packages" in file and name not in ("numpy", "jacobians") and not isinstance(error, TracingError):
        error.add_note(
            f"{name} has got a traced value and made an array of objects of it. Functions of NumPy can be traced, and "
            "SciPy's ufuncs: np.linalg for scipy.linalg, np.logaddexp.reduce for logsumexp; others can be a Layer."
        )


def _is_objects(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == object


def own(value: Any, what: str) -> Array:
    """An array of numbers that nobody else can change, not even the function that gets it."""
    array = numbers(value, what)
    return array.copy() if array.flags.writeable else array


@rule("output")
def output(value: Any, recording: Recording) -> Any:
    """What a function returns, as a traced value, or a plain one where it depends on nothing."""
    value = whole(value)
    if isinstance(value, Traced) and value.recording is not recording:
        raise TracingError("a function must return values of its own arguments; this one is left from another trace")
    return value
