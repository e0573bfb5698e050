"""`jacobian(f)` and `trace(f, …)`: plain NumPy functions with their Jacobians."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from jacobians.core.applying import apply
from jacobians.core.layer import Layer
from jacobians.core.rules import RULES
from jacobians.errors import TracingError
from jacobians.functions.evaluation import Evaluation, evaluated, is_number
from jacobians.functions.graph import Graph
from jacobians.functions.names import SourceNames
from jacobians.functions.nested import flatten
from jacobians.functions.ufuncs import teach


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
    Callable
        A function of the same arguments. Its result has f's shape, then the argument's shape; for several arguments it
        is a tuple, for a nested output or argument it is nested in the same way, output first.

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
    single = isinstance(argnums, int | np.integer)

    @functools.wraps(f)
    def jacobian_of_f(*arguments: Any, **options: Any) -> Any:
        positions = argument_positions(argnums, len(arguments))
        names, by_number = numbered(len(arguments)), dict.fromkeys(positions)
        found = evaluated(
            f, lambda again: Evaluation(f, arguments, options, by_number, names, ends_only=True, is_thorough=again)
        )
        wanted = found.wanted(positions)
        if sparse:
            return found.nested([one.sparse() for one in found.recording.jacobians(wanted)], positions, single)
        return found.nested(found.recording.full(wanted), positions, single)

    return jacobian_of_f


def argument_positions(argnums: int | Sequence[int], count: int) -> list[int]:
    """Which of so many arguments to differentiate by; negative numbers count from the end."""
    numbers = [argnums] if isinstance(argnums, int | np.integer) else list(argnums)
    for k in numbers:
        if not isinstance(k, int | np.integer):
            raise TypeError(f"argnums must be the number of an argument, or several; it is {argnums!r}")
        if not -count <= k < count:
            given = f"{count} argument{'s are' if count != 1 else ' is'} given"
            raise ValueError(f"argnums is {argnums}, but {given}")
    return [int(k) % count for k in numbers]


@functools.lru_cache
def numbered(count: int) -> tuple[str, ...]:
    """Names for arguments whose names do not matter."""
    return tuple(f"x{k}" for k in range(count))


def trace(f: Callable[..., Any], *arguments: Any, **options: Any) -> Graph:
    """Evaluate a NumPy function once and keep everything in it: its values, with all Jacobians between them.

    Values are called what the source of f calls them.

    Parameters
    ----------
    f
        A function of arrays (or of nested tuples, lists, dicts and dataclasses of arrays) that NumPy computes.
    *arguments
        Its arguments; it can be differentiated by all numbers in them. Strings, None, truth values and the like are
        passed on as they are. So are integers where f needs them as integers (positions, sizes, axes): f is then called
        a second time with all integers as they are, and cannot be differentiated by them.
    **options
        Passed on as they are.

    Raises
    ------
    TracingError
        If f does something to its arguments that cannot be traced; the message names the line.

    Examples
    --------
    >>> def network(A, x, y):
    ...     f = np.tanh(A @ x)
    ...     e = y - f
    ...     return np.sum(e * e) / 2
    >>> g = trace(network, np.ones((3, 2)), np.array([0.1, 0.2]), np.ones(3))
    >>> round(float(g.output), 4)
    0.7534
    >>> g.jacobian("A").shape
    (3, 2)
    """
    if not callable(f):
        raise TypeError(f"trace takes a function and its arguments; the first argument is a {type(f).__name__}")
    names = _argument_names(f, len(arguments))
    try:
        return _traced(f, arguments, options, names, "fciu")
    except (TracingError, TypeError, ValueError, IndexError):
        if not all(any(_holds(one, kinds) for one in arguments) for kinds in ("iu", "fc")):
            raise
        with suppress(Exception):  # integers may be meant as such
            return _traced(f, arguments, options, names, "fc")
        raise


def _traced(f: Callable[..., Any], arguments: Sequence[Any], options: Any, names: Sequence[str], kinds: str) -> Graph:
    """The graph of a function that is differentiated by all numbers of these kinds."""
    traced = [k for k, argument in enumerate(arguments) if _holds(argument, kinds)]

    def evaluate(again: bool) -> tuple[Evaluation, SourceNames]:
        with SourceNames(f) as source:
            return Evaluation(f, arguments, options, traced, names, True, kinds, is_thorough=again), source

    found, source = evaluated(f, evaluate)
    return Graph(f, arguments, options, found, names, source)


def _argument_names(f: Callable[..., Any], count: int) -> list[str]:
    """What a function calls its arguments."""
    names: list[str] = []
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):  # a function that does not say
        parameters = []
    for one in parameters:
        if one.kind is one.VAR_POSITIONAL:
            names += [f"{one.name}{k}" for k in range(count - len(names))]
        elif one.kind is not one.KEYWORD_ONLY and one.kind is not one.VAR_KEYWORD:
            names.append(one.name)
    return (names + [f"x{k}" for k in range(len(names), count)])[:count]


def _holds(argument: Any, kinds: str) -> bool:
    """Whether there are numbers of these kinds in an argument."""
    return any(is_number(leaf, kinds) for leaf in flatten(argument)[1])


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
    >>> from jacobians import Square
    >>> area = np.frompyfunc(lambda x: x * x, 1, 1)
    >>> derivative(area, Square())
    >>> float(jacobian(area)(3.0))
    6.0
    """
    if isinstance(function, np.ufunc):
        teach(function, layer)
    elif getattr(function, "__module__", "").partition(".")[0] == "numpy":
        RULES[function] = functools.partial(apply, layer)
    else:
        raise TypeError(
            f"{function!r} is neither a ufunc nor a function of NumPy, so nobody tells us when it is called; "
            f"call {type(layer).__name__} in its place"
        )
