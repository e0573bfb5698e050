"""`jacobian(f)` and `trace(f, …)`: plain NumPy functions with their Jacobians."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jacobians.core.layer import Layer
from jacobians.core.traced import RULES, apply
from jacobians.functions.evaluation import Evaluation
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
        found = Evaluation(f, arguments, options, dict.fromkeys(positions), numbered(len(arguments)))
        wanted = found.wanted(positions)
        if sparse:
            return found.nested([one.sparse() for one in found.recording.jacobians(wanted)], positions, single)
        return found.nested(found.recording.full(wanted), positions, single)

    return jacobian_of_f


def argument_positions(argnums: int | Sequence[int], count: int) -> list[int]:
    """Which of so many arguments to differentiate by; negative numbers count from the end."""
    numbers = [int(argnums)] if isinstance(argnums, int | np.integer) else [int(k) for k in argnums]
    for k in numbers:
        if not -count <= k < count:
            raise ValueError(f"argnums is {argnums}, but {count} arguments are given")
    return [k % count for k in numbers]


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
        Its arguments; it can be differentiated by all of them. Those that are no numbers are passed on as they are.
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
    names = _argument_names(f, len(arguments))
    traced = [k for k, argument in enumerate(arguments) if _holds_numbers(argument)]
    with SourceNames(f) as source:
        found = Evaluation(f, arguments, options, traced, names, named=True)
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


def _holds_numbers(argument: Any) -> bool:
    """Whether an argument is made of numbers: one that is not (a string, an option, integers) is passed on."""
    _, leaves, _ = flatten(argument)
    try:
        return bool(leaves) and all(np.asarray(leaf).dtype.kind in "fcbiu" for leaf in leaves)
    except ValueError:
        return False


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
