"""check_vjp and check_jvp: hand-written backward and forward passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jacobians.checking.judging.options import RTOL, Options
from jacobians.checking.measuring.arguments import Argnums
from jacobians.checking.passes.backward import Backward
from jacobians.checking.passes.forward import Forward
from jacobians.checking.report.report import Report


def check_vjp(
    f: Callable[..., Any],
    x: Any,
    vjp: Callable[..., Any],
    *,
    argnums: Argnums = None,
    rtol: float = RTOL,
    atol: float = 0.0,
    directions: int | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Report:
    """Check a backward pass: vjp(x, u) = uᵀ ∂f/∂x, of x's shape, for u of f's shape.

    The Jacobian is put together from products with unit vectors u (random combinations of outputs if there are many)
    and checked entry by entry; the pass must also be linear in u, and give the same when it is called again.

    Parameters
    ----------
    f, x, argnums, rtol, atol
        As for `check_jacobian`.
    vjp
        ``vjp(x, u)``, or ``vjp(u)`` of a single argument, before which f is called at x. For several arguments
        ``vjp(a, b, u)``, ``vjp((a, b), u)`` or ``vjp(u)``. It returns one array for each argument that is
        differentiated by, nested as that is; u is nested as the output of f is.
    directions
        The number of random combinations of outputs; by default all outputs one by one, and 24 beyond 1024.
    seed
        Of the random combinations.
    progress
        Whether to show a progress bar.

    Returns
    -------
    Report
        It is true if all is right.

    Examples
    --------
    >>> import numpy as np
    >>> check_vjp(np.tanh, np.array([0.5, -1.0]), lambda x, u: u * (1 - np.tanh(x) ** 2)).ok
    True
    """
    options = Options(rtol, atol, seed=seed, progress=progress)
    return Backward(f, x, vjp, argnums, options, directions).report()


def check_jvp(
    f: Callable[..., Any],
    x: Any,
    jvp: Callable[..., Any],
    *,
    argnums: Argnums = None,
    rtol: float = RTOL,
    atol: float = 0.0,
    directions: int | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Report:
    """Check a forward pass: jvp(x, h) = ∂f/∂x h, of f's shape, for h of x's shape.

    Parameters
    ----------
    f, x, argnums, rtol, atol
        As for `check_jacobian`.
    jvp
        ``jvp(x, h)``, or ``jvp(h)`` of a single argument. For several arguments ``jvp((a, b), (h, k))`` as in JAX,
        ``jvp(a, b, h, k)``, or ``jvp((h, k))``; there is one tangent for each argument that is differentiated by.
    directions
        The number of random combinations of entries of x; by default all entries one by one, and 24 beyond 1024.
    seed
        Of the random combinations.
    progress
        Whether to show a progress bar.

    Returns
    -------
    Report
        It is true if all is right.

    Examples
    --------
    >>> import numpy as np
    >>> check_jvp(np.tanh, np.array([0.5, -1.0]), lambda x, h: h * (1 - np.tanh(x) ** 2)).ok
    True
    """
    options = Options(rtol, atol, seed=seed, progress=progress)
    return Forward(f, x, jvp, argnums, options, directions).report()
