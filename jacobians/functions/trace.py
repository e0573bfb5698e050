"""`jacobian(f)` and `trace(f, …)`: plain NumPy functions with their Jacobians."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.core.graph import Recording, Wanted
from jacobians.core.layer import Layer
from jacobians.core.traced import RULES, Traced, apply, rule
from jacobians.errors import TracingError
from jacobians.functions.assembling import whole
from jacobians.functions.nested import Rebuild, flatten
from jacobians.functions.ufuncs import teach

Array = NDArray[Any]
NO_PATHS: dict[int, str] = {}


@rule("output")
def _output(value: Any, recording: Recording) -> Any:
    """An output of a function as a traced value, or a plain one where it depends on nothing."""
    value = whole(value)
    if isinstance(value, Traced) and value.recording is not recording:
        raise TracingError("a function must return values of its own arguments; this one is left from another trace")
    return value


def derivative(function: Callable[..., Any], layer: Layer) -> None:
    """Teach the tracer a function: NumPy's, SciPy's or one's own ufunc, whose Jacobians a layer knows.

    Parameters
    ----------
    function
        A ufunc, or a function that NumPy dispatches.
    layer
        A layer with the same inputs in the same order, such as ``Sigmoid()`` for ``scipy.special.expit``.

    Raises
    ------
    TypeError
        If it is a function of which NumPy would not tell: call the layer in its place then.

    Examples
    --------
    >>> from jacobians import Square, jacobian
    >>> area = np.frompyfunc(lambda x: x * x, 1, 1)
    >>> derivative(area, Square())
    >>> float(jacobian(area)(3.0))
    6.0
    """
    if isinstance(function, np.ufunc):
        teach(function, layer)
    elif hasattr(function, "__wrapped__") or getattr(function, "__module__", "").startswith("numpy"):
        RULES[function] = functools.partial(apply, layer)
    else:
        raise TypeError(
            f"{function!r} is neither a ufunc nor a function of NumPy, so nobody tells us when it is called; "
            f"call {type(layer).__name__} in its place"
        )


def jacobian(f: Callable[..., Any], argnums: int | Sequence[int] = 0, sparse: bool = False) -> Callable[..., Any]:
    """The function that gives the full Jacobian of a NumPy function: ∂f_i/∂x_j, output axes first.

    Parameters
    ----------
    f
        A function of arrays (or of nested tuples, lists, dicts and dataclasses of arrays) that NumPy computes.
    argnums
        The number of the argument to differentiate by, or several.
    sparse
        Whether to give ``scipy.sparse.csr_array`` of the 2-D matrix (∏ output × ∏ argument) instead (extra ``scipy``).

    Returns
    -------
    A function of the same arguments. Its result has f's shape, then the argument's shape; for several arguments it is a
    tuple, for a nested output or argument it is nested in the same way, output first.

    Raises
    ------
    TracingError
        When called, if f does something to its arguments that cannot be traced; the message names the line.
    JacobianTooLarge
        When called, if a tensor would not fit into memory.

    Examples
    --------
    >>> def f(A, x):
    ...     return np.tanh(A @ x)
    >>> A, x = np.ones((3, 2)), np.zeros(2)
    >>> jacobian(f, argnums=(0, 1))(A, x)[1]
    array([[1., 1.],
           [1., 1.],
           [1., 1.]])
    """
    numbers = (argnums,) if isinstance(argnums, int | np.integer) else tuple(argnums)

    @functools.wraps(f)
    def jacobian_of_f(*arguments: Any, **options: Any) -> Any:
        count = len(arguments)
        for k in numbers:
            if not -count <= k < count:
                raise ValueError(f"argnums is {argnums}, but {count} arguments are given")
        traced = _Call(f, arguments, options, {k % count for k in numbers})
        if sparse:
            made = traced.recording.jacobians(traced.wanted(numbers))
            values: list[Any] = [one.sparse() for one in made]
        else:
            values = traced.recording.full(traced.wanted(numbers))
        return traced.nested(values, numbers, isinstance(argnums, int | np.integer))

    return jacobian_of_f


class _Call:
    """One call of a function with traced arguments."""

    def __init__(
        self, f: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any], traced: Iterable[int]
    ) -> None:
        self.recording = recording = Recording(NO_PATHS)
        self.inputs: dict[int, tuple[list[int], Rebuild]] = {}
        given = list(arguments)
        for k in sorted(traced):
            names, leaves, rebuild = flatten(arguments[k], str(k))
            numbers = [recording.leaf(name, _number(leaf, k)) for name, leaf in zip(names, leaves, strict=True)]
            self.inputs[k] = numbers, rebuild
            given[k] = rebuild([Traced(recording, n) for n in numbers])
        output = f(*given, **options)
        _, leaves, self.rebuild = flatten(output, "")
        self.outputs = [self._value(leaf) for leaf in leaves]

    def _value(self, leaf: Any) -> int:
        value = RULES["output"](leaf, self.recording)
        if isinstance(value, Traced):
            return value.number
        self.recording.values.append(_number(value, None))
        return len(self.recording.values) - 1

    def wanted(self, numbers: Iterable[int]) -> list[Wanted]:
        """Every output by every input."""
        return [
            Wanted(out, n, "f", "x")
            for out in self.outputs for k in numbers for n in self.inputs[k % self.count][0]
        ]  # fmt: skip

    @property
    def count(self) -> int:
        """One more than the largest number of a traced argument."""
        return 1 + max(self.inputs)

    def nested(self, values: list[Any], numbers: Sequence[int], single: bool) -> Any:
        """The results, nested as the output is, then as the arguments are."""
        rest = iter(values)
        rows = []
        for _ in self.outputs:
            parts = []
            for k in numbers:
                some, rebuild = self.inputs[k % self.count]
                parts.append(rebuild([next(rest) for _ in some]))
            rows.append(parts[0] if single else tuple(parts))
        return self.rebuild(rows)


def _number(value: Any, argument: int | None) -> Array:
    """An argument as an array of floating-point numbers of our own."""
    array = np.asarray(value)
    if array.dtype.kind in "biu":
        return array.astype(np.float64)
    if array.dtype.kind not in "fc":
        what = "the output" if argument is None else f"argument {argument}"
        raise ValueError(f"{what} must hold numbers, not {array.dtype}")
    return array.copy() if array.flags.writeable else array


class Graph:
    """TODO."""


def trace(f: Callable[..., Any], *arguments: Any, **options: Any) -> Graph:
    """TODO."""
    return Graph()
