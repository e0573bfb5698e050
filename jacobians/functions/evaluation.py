"""One call of a function with traced arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from itertools import compress
from types import CodeType
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from jacobians.core.graph import Recording
from jacobians.core.nodes import Wanted
from jacobians.core.postponed import LARGE
from jacobians.core.rules import RULES, rule
from jacobians.core.traced import Traced
from jacobians.core.vectors import numbers
from jacobians.errors import TracingError
from jacobians.functions.assembling import whole
from jacobians.functions.nested import Rebuild, flatten, only
from jacobians.functions.replacing import called_with_stand_ins
from jacobians.functions.stand_ins import in_place_of

Array = NDArray[Any]
T = TypeVar("T")
NO_PATHS: Mapping[int, str] = {}


_thorough: set[CodeType] = set()  # the functions that have been found to need it


def evaluated(f: Callable[..., Any], evaluate: Callable[[bool], T]) -> T:
    """Evaluate a function; once more and thoroughly, if a traced value is written into an array that is plain."""
    code = getattr(f, "__code__", None)
    if code in _thorough:
        return evaluate(True)
    try:
        return evaluate(False)
    except TracingError:
        with suppress(Exception):
            found = evaluate(True)
            if code is not None and len(_thorough) < 4096:
                _thorough.add(code)
            return found
        raise


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
    ends_only
        Whether nothing is wanted but Jacobians of the outputs by the arguments.
    kinds
        The kinds of numbers, as in ``dtype.kind``, that can be differentiated by; anything else in the arguments is
        passed on as it is.
    is_thorough
        Whether traced values can be written into all new arrays that NumPy makes in the function, and into arguments.
    """

    def __init__(
        self, f: Callable[..., Any], arguments: Sequence[Any], options: Mapping[str, Any], traced: Iterable[int],
        names: Sequence[str], named: bool = False, kinds: str = "fciu", ends_only: bool = False,
        is_thorough: bool = False,
    ) -> None:  # fmt: skip
        self.recording = recording = Recording(NO_PATHS)
        recording.origins = {} if named else None
        if ends_only:
            recording.postpones, recording.moves = LARGE, {}
        self.inputs: dict[int, Leaves] = {}
        given = list(arguments)
        for k in traced:
            if type(argument := arguments[k]) is np.ndarray and argument.dtype.kind in kinds:  # the usual one
                self.inputs[k] = self._leaves(names[k : k + 1], (argument,), only)
                given[k] = Traced(recording, self.inputs[k].numbers[0])
                continue
            paths, leaves, rebuild = flatten(arguments[k], names[k])
            chosen = [is_number(leaf, kinds) for leaf in leaves]
            if not any(chosen):
                raise ValueError(
                    f"there are no numbers to differentiate by in argument {k}; it is {_told(arguments[k])}"
                )
            if all(chosen):
                self.inputs[k] = self._leaves(paths, leaves, rebuild)
                given[k] = rebuild([Traced(recording, n) for n in self.inputs[k].numbers])
                continue
            self.inputs[k] = self._leaves(
                list(compress(paths, chosen)), list(compress(leaves, chosen)),
                _filled(rebuild, [None] * len(chosen), chosen),
            )  # fmt: skip
            given[k] = _filled(rebuild, leaves, chosen)([Traced(recording, n) for n in self.inputs[k].numbers])
        if is_thorough:
            for k in range(len(given)):
                if type(given[k]) is np.ndarray and given[k].dtype.kind in "fc":
                    given[k] = Traced(recording, recording.constant(own(given[k], names[k])))
        try:
            output = called_with_stand_ins(lambda: called(in_place_of(f), given, options), f, recording, is_thorough)
        except Exception as error:
            _explain(error)
            raise
        finally:
            recording.is_open = False
        paths, leaves, rebuild = flatten(whole(output) if _is_objects(output) else output)
        if not leaves:
            raise ValueError(
                f"{_called(f)} returns an empty {type(output).__name__}: there is nothing to differentiate"
            )
        self.output = Leaves(tuple(paths), tuple([self._value(leaf, f) for leaf in leaves]), rebuild)

    def _leaves(self, paths: Sequence[str], leaves: Sequence[Any], rebuild: Rebuild) -> Leaves:
        """Arrays of an argument as leaves of the recording."""
        places = []
        for path, leaf in zip(paths, leaves, strict=True):
            places.append(number := self.recording.leaf(path, own(leaf, path)))
            if isinstance(leaf, np.ndarray) and not leaf.ndim:
                self.recording.zero_dimensional.add(number)
        return Leaves(tuple(paths), tuple(places), rebuild)

    def _value(self, leaf: Any, f: Callable[..., Any]) -> int:
        """The number of an output."""
        if leaf is None or isinstance(leaf, str | bytes):
            hint = ": is a return missing?" if leaf is None else ""
            raise ValueError(
                f"{_called(f)} must return arrays of numbers, however nested; it returns {_told(leaf)}{hint}"
            )
        if type(leaf) is Traced and leaf.recording is self.recording:
            return leaf.number
        value = RULES["output"](leaf, self.recording)
        if isinstance(value, Traced) and value.recording is self.recording:
            return value.number
        self.recording.values.append(own(value, f"the output of {_called(f)}"))
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
    """A note on errors that come up where another package has got a traced value."""
    name = ""
    for one in (error, error.__cause__):
        frame = one.__traceback__ if one is not None else None
        while frame is not None:
            package = str(frame.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
            if "site-packages" in frame.tb_frame.f_code.co_filename and package not in ("numpy", "jacobians"):
                name = package
            frame = frame.tb_next
    if name:
        error.add_note(
            f"{name} has got a traced value and takes it for an array. NumPy's functions can be traced, "
            "SciPy's ufuncs, and many others of scipy.special, linalg, signal, fft and stats; others can be a Layer."
        )


def is_number(leaf: Any, kinds: str) -> bool:
    """Whether a leaf is an array of numbers, or a number, of these kinds; a truth value is none."""
    if isinstance(leaf, Traced):  # of an outer trace
        return leaf.dtype.kind in kinds
    try:
        return np.asarray(leaf).dtype.kind in kinds
    except ValueError:  # a list of arrays of several shapes
        return False


def _filled(rebuild: Rebuild, others: Sequence[Any], chosen: Sequence[bool]) -> Rebuild:
    """How to nest values for the chosen leaves, with these others between them."""

    def rebuilt(values: Sequence[Any]) -> Any:
        rest = iter(values)
        return rebuild([next(rest) if one else other for one, other in zip(chosen, others, strict=True)])

    return rebuilt


def _told(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def _called(f: Callable[..., Any]) -> str:
    return str(getattr(f, "__name__", None) or type(f).__name__)


def _is_objects(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == object


def own(value: Any, what: str) -> Array:
    """An array of numbers that nobody else can change, not even the function that gets it."""
    if isinstance(value, Traced):  # of an outer trace
        traced: Any = copy(value)
        return traced  # type: ignore[no-any-return]  # it stands for an array
    array = numbers(value, what)
    return array.copy() if array.flags.writeable else array


@rule("output")
def output(value: Any, recording: Recording) -> Any:
    """What a function returns, as a traced value, or a plain one where it depends on nothing."""
    value = whole(value)
    if isinstance(value, Traced) and value.recording is not recording:
        if value.recording.is_open and value.recording.serial < recording.serial:  # a constant here
            return value
        raise TracingError("a function must return values of its own arguments; this one is left from another trace")
    return value
