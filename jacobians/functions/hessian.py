"""`hessian(f)`: second derivatives of plain NumPy functions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jacobians.core import second
from jacobians.core.nodes import Wanted
from jacobians.functions.evaluation import Evaluation, evaluated
from jacobians.functions.trace import argument_positions, jacobian, numbered


def gradient_and_hessian(f: Callable[..., Any], x: Any) -> tuple[float, Any, Any]:
    """The value of a function of one array, which must be a number, its gradient and its Hessian, in full."""
    found = evaluated(f, lambda again: Evaluation(f, [x], {}, [0], ("x",), is_thorough=again))
    (out,), (n,) = found.output.numbers, found.inputs[0].numbers
    value = found.recording.values[out]
    if value.shape != ():
        raise ValueError(f"the value of f must be a number to be minimised; it is an array of shape {value.shape}")
    (gradient,) = found.recording.full([Wanted(out, n, "f", "x")])
    (H,) = second.full(found.recording, [second.Second(out, n, n, ("f", "x", "x"))])
    return float(value), gradient, H


def hessian(f: Callable[..., Any], argnums: int | Sequence[int] = 0, sparse: bool = False) -> Callable[..., Any]:
    """The function that gives all second derivatives of a NumPy function: ∂²f_i/∂x_j∂x_k, output axes first.

    Parameters
    ----------
    f
        A function of arrays (or of nested tuples, lists, dicts and dataclasses of arrays) that NumPy computes.
    argnums
        The number of the argument to differentiate by, or several: then by all pairs of them.
    sparse
        Whether to give ``scipy.sparse.csr_array`` of the 2-D matrix (∏ output · ∏ first × ∏ second) instead (extra
        ``scipy``).

    Returns
    -------
    Callable
        A function of the same arguments. Its result has f's shape, then twice the argument's shape. For several
        arguments it is a tuple of tuples, [k][l] by argument k, then by argument l; for a nested output or argument it
        is nested in the same way: output, first argument, second argument, as ``jax.hessian``.

    Raises
    ------
    TracingError
        When called, if f, or the local Jacobian of a layer in it, does something that cannot be traced.
    JacobianTooLarge
        When called, if a tensor would not fit into memory.

    Notes
    -----
    Where f has a kink, there is no second derivative; what is returned is that of the pieces beside it: zero for
    ``abs`` and ``maximum``.

    Examples
    --------
    >>> A = np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> hessian(lambda x: x @ A @ x / 2)(np.ones(2))
    array([[2., 1.],
           [1., 3.]])
    """
    single = isinstance(argnums, int | np.integer)

    @functools.wraps(f)
    def hessian_of_f(*arguments: Any, **options: Any) -> Any:
        positions = argument_positions(argnums, len(arguments))
        names, by_number = numbered(len(arguments)), dict.fromkeys(positions)
        found = evaluated(
            f, lambda again: Evaluation(f, arguments, options, by_number, names, ends_only=True, is_thorough=again)
        )
        inputs = [found.inputs[k] for k in positions]
        by = [(n, name) for leaves in inputs for n, name in zip(leaves.numbers, leaves.names, strict=True)]
        wanted = [
            second.Second(value, first, other, ("f", name, another))
            for value in found.output.numbers
            for first, name in by
            for other, another in by
        ]
        made = second.sparse(found.recording, wanted) if sparse else second.full(found.recording, wanted)
        if made is None:  # matrices of matrices: the gradient has them one after another
            return jacobian(jacobian(f, argnums), argnums, sparse=True)(*arguments, **options)
        rest = iter(made)

        def nested(leaf: Callable[[], Any]) -> Any:
            parts = [leaves.rebuild([leaf() for _ in leaves.numbers]) for leaves in inputs]
            return parts[0] if single else tuple(parts)

        return found.output.rebuild([nested(lambda: nested(lambda: next(rest))) for _ in found.output.numbers])

    return hessian_of_f
