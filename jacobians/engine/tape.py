"""Programs: straight lines of NumPy calls, recorded once for a structure and run on numbers many times.

All symbolic work (which labels are united, what is contracted, in what order) happens while a `Tape` is recorded. The
`Program` that comes out of it does nothing but call functions on arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import cached_property
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jacobians.engine import memory

Array = NDArray[Any]
Step = Callable[..., Any]
INSTEAD = "Keep it unmaterialised: J @ h, u @ J, J[i, :, k], J.per_example() and sums of these need no full tensor."


def is_traced(array: Any) -> bool:
    """Whether this stands for an array in a recording."""
    return hasattr(array, "recording")


def plainly(step: Step, instead: Step) -> Step:
    """A step, and what does the same with NumPy's functions alone, for arrays that are traced.

    These know neither memory that results are written into nor views by strides.
    """
    step.instead = instead  # type: ignore[attr-defined]  # an attribute of a function of ours
    return step


class Mark(NamedTuple):
    """A place on a tape to come back to."""

    calls: int
    flops: int
    largest: int
    cost: float


class Tape:
    """Records calls. A value is known by its number: first the inputs, then the results of the calls in order."""

    ENTRY = 1.0  # nanoseconds to make an entry of an array, about
    FLOP = 0.03  # nanoseconds of a floating-point operation in a matrix product, about

    def __init__(self, inputs: int, dtype: np.dtype[np.generic]) -> None:
        self.dtype = dtype  # of arrays that the tape makes itself
        self.numeric = False  # whether only numbers are wanted of it, and no formulas
        self.calls: list[tuple[Step, tuple[int, ...]]] = []
        self.inputs = inputs
        self.flops = 0
        self.largest = 0  # entries of the largest array made on the way
        self.cost = 0.0  # nanoseconds, about
        self.own: set[int] = set()  # values in new memory that only this tape knows
        self.sizes: dict[int, int] = {}  # entries of the arrays made on the way
        self.results: set[int] = set()  # values in whose memory a full tensor is written
        self.couplings: set[int] = set()  # 0/1 factors over the labels of two index maps
        self.tables: set[int] = set()  # Jacobians in full that are made instead of these
        self._made: dict[Hashable, int] = {}

    def emit(self, function: Step, *operands: int, flops: int = 0, size: int = 0, key: Hashable = None) -> int:
        """Record a call and return the number of its result.

        `flops` and `size` (of the result) are the cost. A call with the same key as an earlier one is not repeated.
        """
        if key is not None and key in self._made:
            return self._made[key]
        self.calls.append((function, operands))
        self.flops += flops
        self.largest = max(self.largest, size)
        self.cost += self.FLOP * flops + self.ENTRY * size
        number = self.inputs + len(self.calls) - 1
        self.sizes[number] = size
        if key is not None:
            self._made[key] = number
        return number

    def take(self, number: int) -> None:
        """Let a value of the tape's own be overwritten: no later call gets it in place of its own result."""
        self.own.remove(number)
        self._made = {key: n for key, n in self._made.items() if n != number}

    def mark(self) -> Mark:
        """Where the tape is now."""
        return Mark(len(self.calls), self.flops, self.largest, self.cost)

    def rewind(self, mark: Mark) -> None:
        """Forget everything since the mark."""
        del self.calls[mark.calls :]
        self.flops, self.largest, self.cost = mark[1:]
        end = self.inputs + mark.calls
        self._made = {key: n for key, n in self._made.items() if n < end}
        self.own = {n for n in self.own if n < end}
        self.couplings, self.tables = ({n for n in some if n < end} for some in (self.couplings, self.tables))


class Call(NamedTuple):
    """A recorded call: what it takes, and what nobody needs after it."""

    function: Step
    operands: tuple[int, ...]
    released: tuple[int, ...]


class Program:
    """The calls of a tape that lead to the wanted values; each intermediate is dropped after its last use."""

    def __init__(self, tape: Tape, results: Sequence[int]) -> None:
        self.inputs = tape.inputs
        self.flops, self.largest, self.cost, self.dtype = tape.flops, tape.largest, tape.cost, tape.dtype
        self.outputs: tuple[tuple[tuple[int, ...], np.dtype[Any], str], ...] = ()  # what is written in full
        needed = set(results)
        calls: list[tuple[int, Step, tuple[int, ...]]] = []
        for at in reversed(range(len(tape.calls))):
            function, operands = tape.calls[at]
            if tape.inputs + at in needed:
                needed.update(operands)
                calls.append((tape.inputs + at, function, operands))
        self.couplings = len(tape.couplings & needed)
        self.coupled = max((tape.sizes[n] for n in (tape.couplings | tape.tables) & needed), default=0)
        calls.reverse()
        moved = {k: k for k in range(tape.inputs)}  # numbers move up where unneeded calls were left out
        for old, *_ in calls:
            moved[old] = len(moved)
        keep = {*results, *range(tape.inputs)}
        ordered: list[Call] = []
        for _, function, operands in reversed(calls):
            released = tuple(moved[k] for k in set(operands) - keep)
            keep.update(operands)
            ordered.append(Call(function, tuple(moved[k] for k in operands), released))
        self.beside = max((tape.sizes[n] for n, *_ in calls if n not in tape.results), default=0)
        self.calls = tuple(reversed(ordered))
        self.results = tuple(moved[k] for k in results)

    @cached_property
    def needed(self) -> int:
        """Bytes of the outputs and of the largest intermediate."""
        outputs = sum(prod(shape) * dtype.itemsize for shape, dtype, _ in self.outputs)
        return self.beside * self.dtype.itemsize + outputs

    def require_memory(self) -> None:
        """Refuse to run where the outputs and the largest intermediate would not fit into memory."""
        if self.needed <= memory.SMALL:
            return
        largest = max(self.outputs, key=lambda o: prod(o[0]), default=None)
        if largest is None:
            memory.require((self.beside,), self.dtype, "an intermediate product", INSTEAD)
        else:
            shape, dtype, name = largest
            extra = self.needed - prod(shape) * dtype.itemsize
            memory.require(shape, dtype, f"the full Jacobian {name}", INSTEAD, extra)

    def __call__(self, arrays: Sequence[Any]) -> tuple[Array, ...]:
        """Run on the inputs; return the wanted values."""
        for array in arrays:
            if type(array) is not np.ndarray and is_traced(array):
                return self._traced(arrays)
        return tuple([v if type(v) is np.ndarray else np.asarray(v) for v in self._line(*arrays)])

    @cached_property
    def _line(self) -> Step:
        """The calls as one function of Python, an assignment each, to names of which few are needed."""
        names = [f"a{k}" for k in range(self.inputs)]
        free: list[str] = []
        lines = []
        for k, (_, operands, released) in enumerate(self.calls):
            taken = ", ".join([names[n] for n in operands])
            over = [names[n] for n in released]
            name = over.pop() if over else free.pop() if free else f"v{k}"
            lines += [f"{name} = f{k}({taken})", *[f"del {one}" for one in over]]
            names.append(name)
            free += over
        known: dict[str, Any] = {f"f{k}": call.function for k, call in enumerate(self.calls)}
        given = ", ".join([*names[: self.inputs], *[f"{name}={name}" for name in known]])
        lines.append(f"return [{', '.join([names[n] for n in self.results])}]")
        exec(f"def line({given}):\n " + "\n ".join(lines), known)
        line: Step = known["line"]
        return line

    def _traced(self, arrays: Sequence[Any]) -> tuple[Any, ...]:
        """Run on inputs of which some are traced: the same calls are recorded there."""
        values = list(arrays)
        for function, operands, _ in self.calls:
            values.append(getattr(function, "instead", function)(*[values[k] for k in operands]))
        return tuple([v if is_traced(v) else np.asarray(v) for v in [values[k] for k in self.results]])
