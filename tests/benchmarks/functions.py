"""Workloads that are plain functions, written once for a module `np`: NumPy itself for ours, each peer's own for it.

What differs between the modules is written so that all of them accept it; each function is what a user would write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import jacobians as J
from tests.benchmarks.workloads import Workload, _mlp, _mlp_function, peers, random

Function = Callable[..., Any]


def workload(
    name: str, size: str, f: Function, arrays: Sequence[np.ndarray], wrt: Sequence[int], modes: str = "rev fwd",
    autograd: bool = False,
) -> Workload:  # fmt: skip
    """The Jacobians of f by the arguments `wrt`: `jacobian(f)` and, unmaterialised, `trace(f, …)`."""
    ours = J.jacobian(lambda *a: f(np, *a), tuple(wrt))
    found = peers(f, arrays, wrt, modes, autograd=autograd)
    out = np.size(f(np, *arrays))
    return Workload(
        name, size, lambda: ours(*arrays), found, bytes=8 * out * sum(arrays[k].size for k in wrt),
    )  # fmt: skip


def robot_arm(joints: int) -> Workload:
    """The position of the hand by the angles of the joints: scalar code in a loop."""
    lengths = [1.0 / (k + 1) for k in range(joints)]

    def f(np: Any, q: Any) -> Any:
        x = y = angle = 0.0
        for k in range(joints):
            angle = angle + q[k]
            x = x + lengths[k] * np.cos(angle)
            y = y + lengths[k] * np.sin(angle)
        return np.stack([x, y])

    return workload("robot arm", f"{joints} joints", f, random(20, (joints,)), [0], autograd=True)


def mlp(*sizes: int) -> Workload:
    """The network of the chains, in plain NumPy."""
    parameters, x = _mlp(sizes)
    arrays = [x, *parameters]
    size = "-".join(map(str, sizes))
    return workload("MLP in NumPy, x and all parameters", size, _mlp_function, arrays, range(len(arrays)), "rev")


def attention(T: int, D: int) -> Workload:
    """Self-attention by its input."""
    x, Wq, Wk, Wv = random(21, (T, D), (D, D), (D, D), (D, D))

    def f(np: Any, x: Any, Wq: Any, Wk: Any, Wv: Any) -> Any:
        s = (x @ Wq) @ (x @ Wk).T / D**0.5
        e = np.exp(s)
        return (e / e.sum(-1)[:, None]) @ (x @ Wv)

    return workload("attention ∂y/∂x", f"T = {T}, D = {D}", f, [x * D**0.5, Wq, Wk, Wv], [0])


def distances(n: int, d: int) -> Workload:
    """All squared distances between points."""
    (x,) = random(22, (n, d))

    def f(np: Any, x: Any) -> Any:
        return ((x[:, None, :] - x[None, :, :]) ** 2).sum(-1)

    return workload("pairwise distances", f"{n} points in {d}", f, [x], [0])


def lennard_jones(n: int) -> Workload:
    """The forces between atoms; their Jacobian is the (negative) Hessian of the energy."""
    (x,) = random(23, (n, 3))
    x = 0.2 * x + 2.0 * np.stack(np.unravel_index(np.arange(n), (4, 4, n)), -1)
    one = np.eye(n)  # no atom meets itself

    def f(np: Any, x: Any) -> Any:
        d = x[:, None, :] - x[None, :, :]
        r2 = (d * d).sum(-1) + np.asarray(one)
        s6 = 1 / r2**3
        return ((24 * (2 * s6 * s6 - s6) / r2)[:, :, None] * d).sum(1)

    return workload("Lennard-Jones forces", f"{n} atoms", f, [x], [0])


def runge_kutta(steps: int) -> Workload:
    """The Lorenz system after some steps by its start."""

    def slope(np: Any, u: Any) -> Any:
        x, y, z = u[0], u[1], u[2]
        return np.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])

    def f(np: Any, u: Any) -> Any:
        h = 0.01
        for _ in range(steps):
            a = slope(np, u)
            b = slope(np, u + h / 2 * a)
            c = slope(np, u + h / 2 * b)
            u = u + h / 6 * (a + 2 * b + 2 * c + slope(np, u + h * c))
        return u

    return workload("RK4, Lorenz", f"{steps} steps", f, [np.array([1.0, 2.0, 20.0])], [0], autograd=True)


def stencil(n: int) -> Workload:
    """A reaction–diffusion equation on a line."""
    (u,) = random(24, (n,))

    def f(np: Any, u: Any) -> Any:
        return u[2:] - 2 * u[1:-1] + u[:-2] + u[1:-1] * (1 - u[1:-1]) * (u[1:-1] - 0.3)

    return workload("stencil", f"n = {n}", f, [u], [0], "fwd rev")


def gather(n: int, points: int) -> Workload:
    """The lengths of edges between points that are looked up."""
    (x,) = random(25, (points, 3))
    rng = np.random.default_rng(26)
    start, stop = rng.integers(points, size=n), rng.integers(points, size=n)

    def f(np: Any, x: Any) -> Any:
        d = x[start] - x[stop]
        return (d * d).sum(-1)

    return workload("lengths of edges", f"{n} edges of {points} points", f, [x], [0])


def layer_norm(B: int, D: int) -> Workload:
    """Layer norm by its input."""
    x, gamma, beta = random(27, (B, D), (D,), (D,))

    def f(np: Any, x: Any, gamma: Any, beta: Any) -> Any:
        centred = x - x.mean(-1)[:, None]
        return centred / np.sqrt((centred**2).mean(-1)[:, None] + 1e-5) * gamma + beta

    return workload("layer norm ∂y/∂x", f"{B}×{D}", f, [x, gamma, beta], [0])


def kernel(n: int, d: int) -> Workload:
    """The kernel matrix of a Gaussian process by the points and the length scales."""
    x, scales = random(28, (n, d), (d,))

    def f(np: Any, x: Any, scales: Any) -> Any:
        z = x / np.exp(scales)
        squares = (z * z).sum(-1)
        return np.exp(-0.5 * (squares[:, None] + squares[None, :] - 2 * z @ z.T))

    return workload("GP kernel", f"{n} points in {d}", f, [x, scales], [0, 1])


WORKLOADS: dict[str, Callable[[], Workload]] = {
    "robot-arm": lambda: robot_arm(6),
    "mlp-numpy": lambda: mlp(784, 128, 64, 10),
    "attention": lambda: attention(32, 16),
    "distances": lambda: distances(60, 3),
    "lennard-jones": lambda: lennard_jones(32),
    "rk4": lambda: runge_kutta(10),
    "stencil": lambda: stencil(1000),
    "gather": lambda: gather(1000, 200),
    "layer-norm": lambda: layer_norm(32, 64),
    "kernel": lambda: kernel(60, 3),
}
