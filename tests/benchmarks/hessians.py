"""Second derivatives: `hessian(f)` against ``jax.jit(jax.hessian(f))``. Each function is written for a module `np`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import jacobians as J
from tests.benchmarks.workloads import Run, Workload, random

Function = Callable[..., Any]


def workload(name: str, size: str, f: Function, x: np.ndarray) -> Workload:
    """The full Hessian of f, and unmaterialised `trace(f, …).hessian()`."""
    ours = J.hessian(lambda x: f(np, x))
    out = np.size(f(np, x))
    return Workload(
        name, size, lambda: [ours(x)], {"JAX": _jax(f, x)},
        unmaterialised=lambda: J.trace(lambda x: f(np, x), x).hessian(), bytes=8 * out * x.size**2,
    )  # fmt: skip


def _jax(f: Function, x: np.ndarray) -> Run:
    import jax

    jax.config.update("jax_enable_x64", True)
    compiled = jax.jit(jax.hessian(lambda x: f(jax.numpy, x)))
    return lambda: [compiled(x).block_until_ready()]


def logistic_regression(n: int, d: int) -> Workload:
    """The loss of logistic regression by its weights."""
    X, w, noise = random(40, (n, d), (d,), (n,))
    y = np.sign(noise)
    return workload(
        "logistic regression", f"n = {n}, d = {d}", lambda np, w: np.sum(np.log1p(np.exp(-y * (X @ w)))), w / d
    )


def factorisation(n: int, k: int) -> Workload:
    """‖UUᵀ − T‖²."""
    U, T = random(41, (n, k), (n, n))
    return workload("‖UUᵀ − T‖²", f"U {n}×{k}", lambda np, U: np.sum((U @ U.T - T) ** 2), U)


def network(examples: int, inputs: int, hidden: int, outputs: int) -> Workload:
    """The loss of a network by its first weights."""
    X, Y, W, V = random(42, (examples, inputs), (examples, outputs), (hidden, inputs), (outputs, hidden))
    return workload(
        "MLP's loss by W", f"W {hidden}×{inputs}, {examples} examples",
        lambda np, W: np.mean((np.tanh(X @ W.T) @ V.T - Y) ** 2), W / inputs**0.5,
    )  # fmt: skip


def softmax(n: int) -> Workload:
    """Softmax of a vector."""

    def f(np: Any, x: Any) -> Any:
        e = np.exp(x - np.max(x))
        return e / np.sum(e)

    return workload("softmax", f"n = {n}", f, random(43, (n,))[0])


def layer(m: int, n: int) -> Workload:
    """tanh(Wx)."""
    W, x = random(44, (m, n), (n,))
    return workload("tanh(Wx)", f"W {m}×{n}", lambda np, x: np.tanh(W @ x), x / n**0.5)


def inverse(n: int) -> Workload:
    """The inverse of a matrix."""
    (X,) = random(45, (n, n))
    return workload("inverse", f"{n}×{n}", lambda np, X: np.linalg.inv(X), X + 5 * np.eye(n))


def quadratic_form(n: int) -> Workload:
    """xᵀMx."""
    M, x = random(46, (n, n), (n,))
    return workload("xᵀMx", f"n = {n}", lambda np, x: x @ M @ x, x)


def rosenbrock(n: int) -> Workload:
    """Rosenbrock's function, whose Hessian is tridiagonal."""
    return workload(
        "Rosenbrock", f"n = {n}",
        lambda np, x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2), random(47, (n,))[0],
    )  # fmt: skip


def lennard_jones(n: int) -> Workload:
    """The energy of atoms."""
    (x,) = random(48, (n, 3))
    x = 0.2 * x + 2.0 * np.stack(np.unravel_index(np.arange(n), (4, 4, n)), -1)
    one = np.eye(n)

    def f(np: Any, x: Any) -> Any:
        d = x[:, None, :] - x[None, :, :]
        s6 = 1 / ((d * d).sum(-1) + one) ** 3
        return 2 * np.sum((s6 * s6 - s6) * (1 - one))

    return workload("Lennard-Jones energy", f"{n} atoms", f, x)


def log_sum_exp(m: int, n: int) -> Workload:
    """log Σ exp(Ax): geometric programming."""
    A, x = random(49, (m, n), (n,))
    return workload("log Σ exp(Ax)", f"A {m}×{n}", lambda np, x: np.log(np.sum(np.exp(A @ x))), x / n)


def log_determinant(n: int) -> Workload:
    """log det X."""
    (X,) = random(50, (n, n))
    return workload("log det", f"{n}×{n}", lambda np, X: np.linalg.slogdet(X)[1], X + n * np.eye(n))


WORKLOADS: dict[str, Callable[[], Workload]] = {
    "hessian-logistic": lambda: logistic_regression(4000, 300),
    "hessian-factorisation": lambda: factorisation(60, 12),
    "hessian-mlp": lambda: network(256, 48, 64, 10),
    "hessian-softmax": lambda: softmax(120),
    "hessian-tanh": lambda: layer(100, 200),
    "hessian-inverse": lambda: inverse(18),
    "hessian-quadratic": lambda: quadratic_form(1000),
    "hessian-rosenbrock": lambda: rosenbrock(1000),
    "hessian-lennard-jones": lambda: lennard_jones(32),
    "hessian-logsumexp": lambda: log_sum_exp(2000, 200),
    "hessian-logdet": lambda: log_determinant(30),
}
