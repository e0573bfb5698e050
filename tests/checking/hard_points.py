"""Correct derivatives at points where checkers give false alarms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.checking.cases import HardPoint

POINTS: list[HardPoint] = []


def add(name: str, f: Callable[[Any], Any], x: Any, right: Any) -> None:
    POINTS.append(HardPoint(name, f, x, right))


def _magnitudes() -> None:
    for x in (1e-200, 1e-30, 1e-8, 1e8, 1e12):
        add(f"log at {x:g}", np.log, x, 1 / x)
        add(f"square root at {x:g}", np.sqrt, x, 0.5 / math.sqrt(x))
    for x in (1e3, 1e8, 1e12):
        add(f"sin at {x:g}", np.sin, x, math.cos(x))
        add(f"x³ at {x:g}", lambda x: x**3, x, 3 * x**2)
        add(f"1/x at {x:g}", lambda x: 1 / x, x, -1 / x**2)
    add("x² at 1e-200", lambda x: x**2, 1e-200, 2e-200)
    add("1e-200 sin", lambda x: 1e-200 * np.sin(x), 1.0, 1e-200 * math.cos(1))
    add("1e12 tanh", lambda x: 1e12 * np.tanh(x), 0.3, 1e12 / math.cosh(0.3) ** 2)
    add("exp at 100", np.exp, 100.0, math.exp(100))
    add("exp at −700", np.exp, -700.0, math.exp(-700))
    add("exp at 700", np.exp, 700.0, math.exp(700))
    wide = np.array([1e-12, 1e-3, 1.0, 1e5, 1e12])
    add("log over 24 orders of magnitude", np.log, wide, np.diag(1 / wide))
    add("squares over 24 orders", np.square, wide, np.diag(2 * wide))
    add("sum of squares over 24 orders", lambda x: np.sum(x * x), wide, 2 * wide)
    add("sum of logs over 24 orders", lambda x: np.sum(np.log(x)), wide, 1 / wide)
    add("product over 24 orders", np.prod, wide, np.prod(wide) / wide)
    add("sin(1000 x)", lambda x: np.sin(1000 * x), 1.0, 1000 * math.cos(1000))
    add("exp(−1e4 x) at 0", lambda x: np.exp(-1e4 * x), 0.0, -1e4)
    add("saturated tanh", np.tanh, np.array([20.0, -18.0]), np.diag([0.0, 1 - np.tanh(18) ** 2]))
    add("saturated sigmoid", lambda x: 1 / (1 + np.exp(-x)), 40.0, math.exp(-40))


def _cancellation() -> None:
    add("1 + x² at 1e-9", lambda x: 1 + x**2, 1e-9, 2e-9)
    add("(1 + x) − 1 at 1e-12", lambda x: (1 + x) - 1, 1e-12, 1.0)
    add("log(1 + x) at 1e-10", lambda x: np.log(1 + x), 1e-10, 1 / (1 + 1e-10))
    for x in (1e-8, 1e-7, 1e-4):
        add(f"(1 − cos x)/x² at {x:g}", lambda x: (1 - np.cos(x)) / x**2, x, -x / 12)
    add("sin(x)/x at 1e-5", lambda x: np.sin(x) / x, 1e-5, -1e-5 / 3)
    add("(exp(x) − 1)/x at 1e-9", lambda x: (np.exp(x) - 1) / x, 1e-9, 0.5)
    add("1e8 + sin x", lambda x: 1e8 + np.sin(x), 1.0, math.cos(1))
    add("sqrt(x² + 1) − x at 1e4", lambda x: np.sqrt(x * x + 1) - x, 1e4, 1e4 / math.sqrt(1e8 + 1) - 1)
    random = np.random.default_rng(20)
    A, y = random.normal(size=(8, 5)), random.normal(size=5)
    add(
        "least squares at its minimum",
        lambda y: np.sum((A @ y - A @ np.full(5, 0.7)) ** 2),
        np.full(5, 0.7),
        np.zeros(5),
    )
    add("cross entropy with huge logits", lambda y: np.log(np.exp(y - y.max()).sum()) + y.max(), 300 * y,
        np.exp(300 * (y - y.max())) / np.exp(300 * (y - y.max())).sum())  # fmt: skip
    add("softmax far from the maximum", lambda z: np.exp(z - z.max()) / np.exp(z - z.max()).sum(),
        np.array([0.0, -40.0, -80.0]), _softmax_jacobian(np.array([0.0, -40.0, -80.0])))  # fmt: skip


def _softmax_jacobian(z: Any) -> Any:
    p = np.exp(z - z.max())
    p /= p.sum()
    return np.diag(p) - np.outer(p, p)


def _precision() -> None:
    random = np.random.default_rng(21)
    A, x = random.normal(size=(6, 5)), random.normal(size=5)
    A32, x32 = A.astype(np.float32), x.astype(np.float32)
    J = (1 - np.tanh(A @ x) ** 2)[:, None] * A
    add("float32 inside", lambda x: np.tanh(A32 @ x.astype(np.float32)), x, J)
    add("float32 inside, float64 outside", lambda x: np.tanh(A32 @ x.astype(np.float32)).astype(np.float64), x, J)
    J32 = (1 - np.tanh(A32 @ x32) ** 2)[:, None] * A32
    add("float32 x and J", lambda x: np.tanh(A32 @ x), x32, J32)
    add("float32 x, float64 weights", lambda x: np.tanh(A @ x), x32, J32)
    add("float32, then averaged in float64", lambda x: np.mean(np.float32(x) ** 2, dtype=np.float64), x, 2 * x / 5)
    add("float16 inside", lambda x: np.float16(x * 3), np.array([0.3, 0.7]), 3 * np.eye(2))
    add("noise of 1e-8", _Noisy(1e-8), 1.2, 2.4)
    add("noise of 1e-5", _Noisy(1e-5), 1.2, 2.4)
    add("noise of 1e-3", _Noisy(1e-3), 1.2, 2.4)
    add("fixed-point iteration stopped at 1e-9", _iterated, 2.0, 0.5 / math.sqrt(2))
    add("trapezoidal sum", lambda x: np.trapezoid(np.sin(x * np.linspace(0, 1, 101)), dx=0.01), 1.3,
        np.trapezoid(np.linspace(0, 1, 101) * np.cos(1.3 * np.linspace(0, 1, 101)), dx=0.01))  # fmt: skip


class _Noisy:
    """x² with noise from its own generator."""

    def __init__(self, level: float) -> None:
        self.level, self.random = level, np.random.default_rng(5)

    def __call__(self, x: Any) -> Any:
        return x**2 + self.level * self.random.uniform(-1, 1)


def _iterated(a: Any) -> Any:
    x = 1.0
    while abs(x * x - a) > 1e-9:
        x = 0.75 * x + 0.25 * a / x
    return x


def _kinks() -> None:
    relu = lambda x: np.maximum(x, 0)
    add("ReLU at 0, 0", relu, np.array([0.0, 2.0]), np.diag([0.0, 1]))
    add("ReLU at 0, 1", relu, np.array([0.0, 2.0]), np.diag([1.0, 1]))
    add("ReLU at 0, ½", relu, np.array([0.0, 2.0]), np.diag([0.5, 1]))
    add("ReLU near 0", relu, np.array([1e-7, -1e-9, 3.0]), np.diag([1.0, 0, 1]))
    add("ReLU next to a bias", lambda x: relu(x - 1), np.array([1 + 1e-7, 1 - 1e-6]), np.diag([1.0, 0]))
    add("|x| at 0", np.abs, 0.0, 0.0)
    add("|x| at 0, −1", np.abs, 0.0, -1.0)
    add("leaky ReLU at 0", lambda x: np.where(x > 0, x, 0.1 * x), 0.0, 0.1)
    add("max at a tie, first", np.max, np.array([1.0, 1.0, 0.5]), [1.0, 0, 0])
    add("max at a tie, shared", np.max, np.array([1.0, 1.0, 0.5]), [0.5, 0.5, 0])
    add("max of five equal", np.max, np.full(5, 2.0), [0.0, 0, 0, 1, 0])
    add("min at a tie", np.min, np.array([1.0, 1.0]), [0.0, 1.0])
    add("ℓ1 norm at 0", lambda x: np.abs(x).sum(), np.zeros(4), np.zeros(4))
    add("ℓ2 norm at 0", np.linalg.norm, np.zeros(3), np.zeros(3))
    add("clip inside", lambda x: np.clip(x, -1, 1), np.array([0.5, 2.0, -3.0]), np.diag([1.0, 0, 0]))
    add("clip at its edge", lambda x: np.clip(x, -1, 1), 1.0, 0.0)
    add("floor between integers", np.floor, np.array([2.5, -0.3]), np.zeros((2, 2)))
    add("Huber at its corner", lambda x: np.where(abs(x) < 1, x * x / 2, abs(x) - 0.5), 1.0, 1.0)
    add("x|x| at 0", lambda x: x * abs(x), 0.0, 0.0)
    random = np.random.default_rng(22)
    A, B, x = random.normal(size=(12, 6)), random.normal(size=(4, 12)), random.normal(size=6)
    add("a ReLU network", lambda x: B @ relu(A @ x), x, (B * (A @ x > 0)) @ A)
    add("sorted", np.sort, x, np.eye(6)[np.argsort(x)])


def _edges() -> None:
    add("sqrt near 0", np.sqrt, np.array([1e-12, 1e-4]), np.diag(0.5 / np.sqrt([1e-12, 1e-4])))
    add("log(1 − x) near 1", lambda x: np.log(1 - x), 1 - 1e-9, -1 / (1 - (1 - 1e-9)))
    add("arcsin near 1", np.arcsin, 1 - 1e-8, 1 / math.sqrt(1 - (1 - 1e-8) ** 2))
    add("x^1.5 at 0", lambda x: x**1.5, 0.0, 0.0)
    add("x log x at 1e-10", lambda x: x * np.log(x), 1e-10, math.log(1e-10) + 1)
    add("math.log raises outside its domain", math.log, 0.01, 100.0)
    add("tan next to its pole", np.tan, math.pi / 2 - 1e-5, 1 / math.cos(math.pi / 2 - 1e-5) ** 2)
    add("entropy with a tiny probability", lambda p: -np.sum(p * np.log(p)), np.array([1e-9, 0.4, 0.6]),
        -np.log([1e-9, 0.4, 0.6]) - 1)  # fmt: skip


def _kinds() -> None:
    x = np.array([0.3, -1.2, 2.0])
    add("0-d array", np.sin, np.array(0.4), np.array(math.cos(0.4)))
    add("Python number", math.sin, 0.4, math.cos(0.4))
    add("empty x", lambda x: x * 2, np.zeros(0), np.zeros((0, 0)))
    add("empty output", lambda x: x[:0], x, np.zeros((0, 3)))
    add("empty x, scalar output", np.sum, np.zeros((0, 2)), np.zeros((0, 2)))
    add("constant", lambda x: 5.0, x, np.zeros(3))
    add("f returns a list", lambda x: [x[0] * x[1], x[2] ** 2], x, [[-1.2, 0.3, 0], [0, 0, 4.0]])
    add("list x", lambda x: np.array([x[0] * x[1]]), [2.0, 3.0], [[3.0, 2.0]])
    add("integer x", lambda x: x**2, np.array([1, 2, -3]), np.diag([2, 4, -6]))
    z = np.array([1 + 2j, -0.5 + 0.1j])
    add("complex x", np.exp, z, np.diag(np.exp(z)))
    add("complex output", lambda x: np.exp(1j * x), x, np.diag(1j * np.exp(1j * x)))
    add("complex64 x", lambda z: z**2, z.astype(np.complex64), np.diag(2 * z).astype(np.complex64))
    A = np.arange(12.0).reshape(3, 4) / 7 + 0.1
    add("x not contiguous", lambda A: A.sum(axis=1), A.T[::2].T[:, ::-1], np.einsum("ik,l->ikl", np.eye(3), np.ones(2)))
    add("x in Fortran order", lambda A: A[0] * A[1], np.asfortranarray(A), _rows(A))
    add("f writes into its argument", _in_place, x, 2 * np.eye(3))
    add("f reuses its output", _Buffer(), x, 3 * np.eye(3))
    add("one by one", lambda X: X**2, np.array([[3.0]]), np.array([[[[6.0]]]]))
    add("boolean mask", lambda x: np.where([True, False, True], x, 0), x, np.diag([1.0, 0, 1]))


def _rows(A: Any) -> Any:
    J = np.zeros((4, 3, 4))
    for j in range(4):
        J[j, 0, j], J[j, 1, j] = A[1, j], A[0, j]
    return J


def _in_place(x: Any) -> Any:
    x *= 2
    return x


class _Buffer:
    """3x in a buffer that is used again."""

    def __init__(self) -> None:
        self.buffer = np.zeros(3)

    def __call__(self, x: Any) -> Any:
        np.multiply(x, 3, out=self.buffer)
        return self.buffer


_magnitudes()
_cancellation()
_precision()
_kinks()
_edges()
_kinds()
