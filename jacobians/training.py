"""Training on explicit Jacobians: the lecture's gradient descent, and Gauss–Newton and Newton's method beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from jacobians.core.chain import Chain
from jacobians.core.layer import Array, Layer
from jacobians.core.vectors import numbers
from jacobians.functions.hessian import gradient_and_hessian
from jacobians.layers import SquaredError

HOPELESS = 1e6  # times the first loss, or times 1 if that is larger: nothing comes back from there


class Diverged(ArithmeticError):
    """The loss has become infinite, not a number, or hopelessly large."""


def gradient_descent(
    chain: Layer,
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    rate: float,
    steps: int,
    wrt: str | Iterable[str] | None = None,
) -> Iterator[tuple[int, float, Layer]]:
    """Take the steps θ ← θ − rate · (∂L/∂θ)ᵀ of gradient descent.

    Source: the lecture, gradient descent for neural network optimisation.

    Parameters
    ----------
    chain
        A model; or, without `y`, a chain whose last layer is the loss.
    x
        The input, with the examples along the first axis.
    y
        The targets; the loss is then ½ ‖y − chain(x)‖², summed over all entries.
    rate
        The step size γ.
    steps
        How many steps to take.
    wrt
        The names of the parameters to change; all by default.

    Yields
    ------
    step, loss, chain
        Before the first step and after each; `chain` is new every time, the one passed in stays as it is.

    Raises
    ------
    Diverged
        If the loss is not finite any more, or a million times what it was.

    Examples
    --------
    >>> from jacobians import Linear
    >>> x, y = [[1.0], [2.0]], [[3.0], [6.0]]
    >>> for step, loss, model in gradient_descent(Linear([[0.0]]), x, y, rate=0.1, steps=3):
    ...     print(step, round(loss, 3), model.A)
    0 22.5 [[0.]]
    1 5.625 [[1.5]]
    2 1.406 [[2.25]]
    3 0.352 [[2.625]]
    """
    names = _chosen(chain, wrt)
    x = np.asarray(x)
    first: float | None = None
    for step in range(steps + 1):
        loss, gradients = _gradients(chain, x, y, names)
        first = loss if first is None else first
        if not np.isfinite(loss) or loss > HOPELESS * max(first, 1.0):
            change = f"the loss was {first:.3g} at the start and is {loss:.3g} after step {step}"
            raise Diverged(f"gradient descent diverged: {change}. Try a rate smaller than {rate:g}.")
        yield step, loss, chain
        if step < steps:
            parameters = chain.parameters
            chain = chain.with_parameters({n: parameters[n] - rate * g for n, g in gradients.items()})


def gauss_newton(
    chain: Layer,
    x: ArrayLike,
    y: ArrayLike,
    *,
    steps: int,
    damping: float = 0.0,
    wrt: str | Iterable[str] | None = None,
) -> Iterator[tuple[int, float, Layer]]:
    """Minimise ½ ‖y − f(x; θ)‖² with the Gauss–Newton method, which the explicit Jacobian J = ∂f/∂θ makes a line.

    Each step solves the linear least-squares problem min ‖J Δ − (y − f)‖² + damping ‖Δ‖² and takes θ ← θ + Δ; where
    that would raise the loss, the step is halved until it does not.

    Parameters
    ----------
    chain
        The model.
    x, y
        The input and the targets, with the examples along the first axis.
    steps
        How many steps to take at most; it ends earlier where no step lowers the loss.
    damping
        Levenberg's damping; needed where J has not full rank.
    wrt
        The names of the parameters to change; all by default.

    Yields
    ------
    step, loss, chain
        Before the first step and after each.

    Raises
    ------
    Diverged
        If the loss or the Jacobian is not finite.

    Examples
    --------
    >>> from jacobians import Linear
    >>> [round(loss, 9) for _, loss, _ in gauss_newton(Linear([[0.0]]), [[1.0], [2.0]], [[3.0], [6.0]], steps=1)]
    [22.5, 0.0]
    """
    names = _chosen(chain, wrt)
    x, y = np.asarray(x), np.asarray(y)
    loss = _loss(chain, x, y)
    for step in range(steps + 1):
        if not np.isfinite(loss):
            raise Diverged(f"Gauss–Newton stopped: the loss is {loss:.3g} after step {step}.")
        yield step, loss, chain
        if step == steps:
            return
        output, found = chain.linearize(x, wrt=names)
        jacobian = np.hstack([found[n].matrix() for n in names])
        if not np.isfinite(jacobian).all():
            raise Diverged(f"Gauss–Newton stopped: the Jacobian is not finite after step {step}.")
        change = _least_squares(jacobian, (y - np.asarray(output)).reshape(-1), damping)
        for halvings in range(30):
            trial = _moved(chain, names, change / 2**halvings)
            lower = _loss(trial, x, y)
            if lower <= loss:
                break
        else:
            return
        chain, loss = trial, lower


def newton(
    f: Callable[[Any], Any], x: ArrayLike, *, steps: int = 50, tolerance: float = 1e-8
) -> Iterator[tuple[int, float, Array]]:
    """Minimise a NumPy function with Newton's method: x ← x − t H⁻¹ g for its gradient g and its Hessian H.

    Where H is not positive definite, a multiple of 1 is added that makes it so; the step size t is halved from 1 on
    until f falls enough (Armijo's condition). Source: Nocedal and Wright, Numerical optimization, chapter 3.

    Parameters
    ----------
    f
        A function of one array, whose value is a number.
    x
        Where to begin.
    steps
        How many steps to take at most.
    tolerance
        It ends where no entry of the gradient is larger than this, or no step lowers f any more.

    Yields
    ------
    step, value, x
        Before the first step and after each.

    Raises
    ------
    ValueError
        If the value of f is not a number.
    Diverged
        If f or one of its derivatives is not finite.

    Examples
    --------
    >>> def rosenbrock(x):
    ...     return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
    >>> *_, (step, value, x) = newton(rosenbrock, [-1.2, 1.0])
    >>> step, x.round(6)
    (21, array([1., 1.]))
    """
    point = numbers(x, "newton: x")
    for step in range(steps + 1):
        value, gradient, H = gradient_and_hessian(f, point)
        if not (np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(H).all()):
            raise Diverged(f"Newton's method stopped: f or one of its derivatives is not finite after step {step}.")
        yield step, value, point.copy()
        if step == steps or not gradient.size or np.abs(gradient).max() <= tolerance:
            return
        change = _descent(H.reshape(gradient.size, gradient.size), gradient.reshape(-1)).reshape(point.shape)
        slope = float(np.vdot(gradient, change))
        rounding = 4 * float(np.finfo(point.dtype).eps) * abs(value)
        for halvings in range(40):
            t = 0.5**halvings
            trial = point + t * change
            if float(f(trial)) <= value + 1e-4 * t * slope + rounding:
                break
        else:
            return
        point = trial


def _descent(H: Array, g: Array) -> Array:
    """The change −(H + τ 1)⁻¹ g, with the smallest τ of a few that makes the matrix positive definite."""
    H = (H + H.T) / 2
    scale = float(np.abs(H).max()) or 1.0
    lowest = float(H.diagonal().min())
    tau = 0.0 if lowest > 0 else 1e-3 * scale - lowest
    while True:
        try:
            L = np.linalg.cholesky(H + tau * np.eye(len(g), dtype=H.dtype))
        except np.linalg.LinAlgError:
            tau = max(2 * tau, 1e-3 * scale)
        else:
            found: Array = -np.linalg.solve(L.T, np.linalg.solve(L, g))
            return found


def _least_squares(jacobian: Array, residual: Array, damping: float) -> Array:
    if damping:
        count = jacobian.shape[1]
        jacobian = np.vstack([jacobian, np.sqrt(damping) * np.eye(count)])
        residual = np.concatenate([residual, np.zeros(count)])
    change: Array = np.linalg.lstsq(jacobian, residual, rcond=None)[0]
    return change


def _moved(chain: Layer, names: tuple[str, ...], change: Array) -> Layer:
    """The chain with its parameters moved by a flat vector."""
    parameters, start = {}, 0
    for name in names:
        old = chain.parameters[name]
        parameters[name] = old + change[start : start + old.size].reshape(old.shape)
        start += old.size
    return chain.with_parameters(parameters)


def _gradients(
    chain: Layer, x: Array, y: ArrayLike | None, names: tuple[str, ...]
) -> tuple[float, Mapping[str, Array]]:
    """The loss and ∂L/∂θ for every parameter."""
    output = np.asarray(chain(x))
    if y is None:
        if output.shape != ():
            raise ValueError(
                f"gradient descent needs a loss: the output of the chain has shape {output.shape}; "
                "pass y, or end the chain with a loss layer"
            )
        return float(output), chain.vjp(x, np.ones((), output.dtype), wrt=names)
    loss = SquaredError(np.asarray(y))
    return float(loss(output)), chain.vjp(x, loss.vjp(output, 1.0), wrt=names)


def _loss(chain: Layer, x: Array, y: Array) -> float:
    return float(SquaredError(y)(chain(x)))


def _chosen(chain: Layer, wrt: str | Iterable[str] | None) -> tuple[str, ...]:
    known = chain.parameters
    names = tuple(known) if wrt is None else (wrt,) if isinstance(wrt, str) else tuple(wrt)
    for name in names:
        if name not in known:
            raise ValueError(f"{name!r} is not a parameter; the parameters are {', '.join(known) or 'none'}")
    if not names:
        what = "the chain" if isinstance(chain, Chain) else type(chain).__name__
        raise ValueError(f"{what} has no parameters to train")
    return names
