"""A second, harder set of points with right derivatives, written before the checker saw it; nothing is tuned on it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.checking.cases import HardPoint

HARDER: list[HardPoint] = []
eye = np.eye


def add(name: str, f: Callable[..., Any], x: Any, right: Any, **options: bool) -> None:
    HARDER.append(HardPoint(name, f, x, right, **options))


def _magnitudes() -> None:
    """Functions of one number over all orders of magnitude."""
    table: list[tuple[str, Callable[[Any], Any], Callable[[float], float], tuple[float, ...]]] = [
        ("log", np.log, lambda x: 1 / x, (1e-307, 1e-150, 1e-20, 1e-3, 0.99999, 1 + 1e-9, 1e5, 1e20, 1e150, 1e300)),
        ("√", np.sqrt, lambda x: 0.5 / math.sqrt(x), (1e-300, 1e-100, 1e-15, 1e-5, 1e7, 1e50, 1e300)),
        ("cube root", np.cbrt, lambda x: 1 / (3 * np.cbrt(x) ** 2), (1e-200, 1e-9, -1e-4, 2.5, -1e10, 1e250)),
        ("3x", lambda x: 3 * x, lambda x: 3.0, (1e-310, 1e-305, 1e-200, 1e-12, 1e30, 1e200, 1e307)),
        ("x²", lambda x: x * x, lambda x: 2 * x, (1e-150, 1e-60, 1e-5, 1e6, 1e80, 1e150)),
        ("1/x", lambda x: 1 / x, lambda x: -1 / x**2, (1e-150, 1e-40, 1e-6, 1e9, 1e70, 1e150)),
        ("x^5", lambda x: x**5, lambda x: 5 * x**4, (1e-60, 1e-9, 0.01, 50.0, 1e20, 1e60)),
        ("exp", np.exp, math.exp, (-745.0, -300.0, -40.0, -1e-9, 1e-12, 5.0, 200.0, 709.0)),
        ("expm1", np.expm1, math.exp, (-50.0, -1e-8, 1e-300, 1e-15, 3.0)),
        ("log1p", np.log1p, lambda x: 1 / (1 + x), (-0.999999, -1e-12, 1e-250, 1e-9, 4.0, 1e18)),
        ("sin", np.sin, math.cos, (1e-300, 1e-10, 1.5707, 100.0, 1e6, 1e10)),
        ("cos", np.cos, lambda x: -math.sin(x), (1e-7, 1e-3, 3.14159, 1e4, 1e9)),
        ("tan", np.tan, lambda x: 1 / math.cos(x) ** 2, (1e-20, 1.57, 4.712, 50.0)),
        ("tanh", np.tanh, lambda x: 1 / math.cosh(x) ** 2, (1e-100, 1e-8, 0.5, 5.0, 12.0, 17.0)),
        ("arctan", np.arctan, lambda x: 1 / (1 + x * x), (1e-30, 0.1, 1e3, 1e7)),
        ("arcsin", np.arcsin, lambda x: 1 / math.sqrt((1 - x) * (1 + x)), (1e-50, 0.9, 0.9999, -0.999999)),
        ("arccosh", np.arccosh, lambda x: 1 / math.sqrt((x - 1) * (x + 1)), (1.0001, 1.5, 1e5, 1e100)),
        ("sinh", np.sinh, math.cosh, (1e-20, 1e-4, 3.0, 300.0)),
        ("logistic", lambda x: 1 / (1 + np.exp(-x)), lambda x: math.exp(-abs(x)) / (1 + math.exp(-abs(x))) ** 2,
         (-600.0, -30.0, -1e-6, 2.0, 25.0)),
        ("softplus", lambda x: np.logaddexp(0, x), lambda x: 1 / (1 + math.exp(-x)), (-100.0, -1e-9, 0.3, 30.0)),
        ("x^0.3", lambda x: x**0.3, lambda x: 0.3 * x**-0.7, (1e-250, 1e-12, 1e4, 1e200)),
        ("x log x", lambda x: x * np.log(x), lambda x: math.log(x) + 1, (1e-200, 1e-9, 0.3, 1e8, 1e200)),
        ("exp(−x²)", lambda x: np.exp(-x * x), lambda x: -2 * x * math.exp(-x * x), (1e-6, 0.7, 4.0, 10.0, 25.0)),
    ]  # fmt: skip
    for name, f, slope, points in table:
        for x in points:
            add(f"{name} at {x:g}", f, x, slope(x))
    wide = np.array([1e-300, 1e-100, 1.0, 1e100, 1e300])
    add("log over 600 orders of magnitude", np.log, wide, np.diag(1 / wide))
    add("√ over 600 orders of magnitude", np.sqrt, wide, np.diag(0.5 / np.sqrt(wide)))
    add("3x over 600 orders of magnitude", lambda x: 3 * x, wide, 3 * eye(5))
    add("ratios over 20 orders", lambda x: x[0] / x[1], np.array([1e-10, 1e10]), [1e-10, -1e-30])
    add("scale 1e150", lambda x: 1e150 * np.sin(x), 0.4, 1e150 * math.cos(0.4))
    add("scale 1e-150", lambda x: 1e-150 * np.sin(x), 0.4, 1e-150 * math.cos(0.4))
    add("fast oscillation", lambda x: np.sin(1e5 * x), 0.3, 1e5 * math.cos(3e4))
    add("slow beside fast", lambda x: np.array([np.sin(1e-6 * x), np.sin(1e4 * x)]), 0.3,
        [1e-6 * math.cos(3e-7), 1e4 * math.cos(3e3)])  # fmt: skip
    add("steep logistic", lambda x: 1 / (1 + np.exp(-1e6 * (x - 0.5))), 0.5, 2.5e5)
    add("narrow bell", lambda x: np.exp(-((x - 2) ** 2) * 1e8), 2 + 5e-5, -1e4 * math.exp(-0.25))
    add(
        "product of 30",
        np.prod,
        np.linspace(0.5, 1.6, 30),
        np.prod(np.linspace(0.5, 1.6, 30)) / np.linspace(0.5, 1.6, 30),
    )


def _ripples() -> None:
    for amplitude, frequency in ((1e-5, 1e4), (1e-8, 1e8), (1e-6, 1e5), (1e-3, 1e2), (1e-7, 1e6)):
        f = lambda x, a=amplitude, w=frequency: x + a * np.sin(w * x)
        add(f"ripple of {amplitude:g}, frequency {frequency:g}", f, 0.7,
            1 + amplitude * frequency * math.cos(0.7 * frequency), open=True)  # fmt: skip


def _cancellation() -> None:
    add("(1 + x)² − 1 at 1e-10", lambda x: (1 + x) ** 2 - 1, 1e-10, 2.0)
    add("1e6 + x² at 0.5", lambda x: 1e6 + x * x, 0.5, 1.0)
    add("1e10 + exp x", lambda x: 1e10 + np.exp(x), 0.2, math.exp(0.2))
    add("difference of squares", lambda x: x[0] ** 2 - x[1] ** 2, np.array([1e5, 1e5 - 1]), [2e5, -2e5 + 2])
    add("(x − 1)³ near 1", lambda x: (x - 1) ** 3, 1 + 1e-4, 3e-8)
    add("expanded (x − 1)³", lambda x: x**3 - 3 * x**2 + 3 * x - 1, 1.1, 0.03)
    add("variance of large numbers", np.var, 1e6 + np.array([0.5, -1.0, 2.0]),
        2 / 3 * (np.array([0.5, -1.0, 2.0]) - 0.5))  # fmt: skip
    add("log-sum-exp of −1000s", lambda x: np.log(np.exp(x - x.max()).sum()) + x.max(), np.array([-1000.0, -1001.0]),
        np.exp([0.0, -1]) / np.exp([0.0, -1]).sum())  # fmt: skip
    add("stationary point", lambda x: np.cos(x), 0.0, 0.0)
    add("saddle", lambda x: x[0] * x[1], np.zeros(2), np.zeros(2))
    add("monkey saddle", lambda x: x[0] ** 3 - 3 * x[0] * x[1] ** 2, np.zeros(2), np.zeros(2))
    add("x⁴ at 0", lambda x: x**4, 0.0, 0.0)
    add("constant 7", lambda x: 7.0 + 0 * x, 0.3, 0.0)
    add("large constant", lambda x: 1e12 + 0 * x, 0.3, 0.0)
    add("sin² + cos²", lambda x: np.sin(x) ** 2 + np.cos(x) ** 2, 0.9, 0.0)
    r = np.random.default_rng(3001)
    A = r.normal(size=(5, 5))
    Q = np.linalg.qr(A)[0]
    add("Qᵀ(Qx)", lambda x: Q.T @ (Q @ x), r.normal(size=5), eye(5))
    H = np.array([[1 / (i + j + 1) for j in range(6)] for i in range(6)])
    add("Hilbert matrix", lambda x: H @ x, r.normal(size=6), H)
    v = r.normal(size=6)
    add("solve with a Hilbert matrix", lambda x: np.linalg.solve(H, x), v, np.linalg.inv(H), open=True)
    add(
        "determinant near zero",
        np.linalg.det,
        np.array([[1.0, 2.0], [0.5, 1.0 + 1e-9]]),
        [[1 + 1e-9, -0.5], [-2.0, 1.0]],
    )


def _precision() -> None:
    r = np.random.default_rng(3002)
    A, x = r.normal(size=(5, 4)), r.normal(size=4)
    A32 = A.astype(np.float32)
    J = (1 - np.tanh(A @ x) ** 2)[:, None] * A
    add("float32 matrix product", lambda x: A32 @ x.astype(np.float32), x, A32.astype(float))
    add("float32 sum, float64 outside", lambda x: float(np.sum(x.astype(np.float32) ** 2)), x, 2 * x)
    add("float32 claim of a double function", lambda x: np.tanh(A @ x), x, J.astype(np.float32))
    add("float32 x, float32 f", lambda x: np.tanh(A32 @ x), x.astype(np.float32),
        ((1 - np.tanh(A32 @ x.astype(np.float32)) ** 2)[:, None] * A32))  # fmt: skip
    add("float16 x", lambda x: x * np.float16(2), np.array([0.5, 1.5], np.float16), 2 * eye(2))
    add("rounded to 6 digits", lambda x: np.round(np.sin(x), 6), 0.8, math.cos(0.8), open=True)
    add("rounded to 10 digits", lambda x: np.round(np.sin(x), 10), 0.8, math.cos(0.8))
    for level in (1e-12, 1e-9, 1e-7, 1e-6, 1e-4, 1e-3, 1e-2):
        add(f"noise of {level:g}", _Noisy(level), 1.2, 2.4, open=level > 1e-4)
        add(f"repeatable noise of {level:g}", _Hashed(level), 1.2, 2.4, open=level > 1e-7)
    add("bisection to 1e-10", _bisected, 2.0, 0.5 / math.sqrt(2))
    add("bisection to 1e-6", lambda a: _bisected(a, 1e-6), 2.0, 0.5 / math.sqrt(2), open=True)
    add("Euler's method", _euler, 0.7, _euler_slope(0.7))
    add("interpolated table", lambda x: np.interp(x, np.linspace(0, 3, 31), np.linspace(0, 3, 31) ** 2), 1.234, 2.5)
    add("interpolated table at a node", lambda x: np.interp(x, np.linspace(0, 3, 31), np.linspace(0, 3, 31) ** 2),
        float(np.linspace(0, 3, 31)[12]), 2.4)  # fmt: skip


class _Noisy:
    """x² with noise from its own generator."""

    def __init__(self, level: float) -> None:
        self.level, self.random = level, np.random.default_rng(99)

    def __call__(self, x: Any) -> Any:
        return x**2 + self.level * self.random.uniform(-1, 1)


class _Hashed:
    """x² with noise that is a function of x."""

    def __init__(self, level: float) -> None:
        self.level = level

    def __call__(self, x: Any) -> Any:
        return x**2 + self.level * (math.sin(float(x) * 1e13) * 1e4 % 1 - 0.5)


def _bisected(a: Any, width: float = 1e-10) -> Any:
    low, high = 0.0, 4.0
    while high - low > width:
        middle = (low + high) / 2
        low, high = (middle, high) if middle * middle < a else (low, middle)
    # one step of the secant makes it a smooth function of a, up to the square of the width
    return (a + low * high) / (low + high)


def _euler(x: Any) -> Any:
    for _ in range(200):
        x = x + 0.01 * x * (1 - x)
    return x


def _euler_slope(x: float) -> float:
    slope = 1.0
    for _ in range(200):
        slope *= 1 + 0.01 * (1 - 2 * x)
        x = x + 0.01 * x * (1 - x)
    return slope


def _kinks() -> None:
    r = np.random.default_rng(3003)
    unit = r.normal(size=3)
    unit /= np.linalg.norm(unit)
    add("norm at 0, a unit vector", np.linalg.norm, np.zeros(3), unit)
    add("norm at 0, an axis", np.linalg.norm, np.zeros(3), [0.0, 1.0, 0.0])
    add("norm at 0, inside", np.linalg.norm, np.zeros(3), 0.5 * unit)
    add("norm of two at 0, a unit vector", np.linalg.norm, np.zeros(2), [0.6, -0.8])
    add("ℓ1 norm at 0, a corner", lambda x: np.abs(x).sum(), np.zeros(3), [1.0, -1.0, 1.0])
    add("ℓ1 norm at 0, an edge", lambda x: np.abs(x).sum(), np.zeros(2), [1.0, 0.3])
    add("ℓ∞ norm at a tie", lambda x: np.abs(x).max(), np.array([1.0, -1.0, 0.2]), [0.25, -0.75, 0])
    add(
        "distance from a point, there",
        lambda x: np.linalg.norm(x - np.array([1.0, 2.0])),
        np.array([1.0, 2.0]),
        [0.6, 0.8],
    )
    add("max of |x| at 0", lambda x: np.maximum(x, -x), 0.0, 0.7)
    add("ReLU6 at 6", lambda x: np.clip(x, 0, 6), 6.0, 1.0)
    add("ReLU of a sum at 0", lambda x: np.maximum(x.sum(), 0), np.array([1.0, -1.0]), [0.5, 0.5])
    add("hinge at its corner", lambda x: np.maximum(0, 1 - x), 1.0, -0.3)
    add("median of three", np.median, np.array([3.0, 1.0, 2.0]), [0.0, 0.0, 1.0])
    add("median at a tie", np.median, np.array([2.0, 2.0, 5.0]), [1.0, 0.0, 0.0])
    add("sort at a tie", np.sort, np.array([1.0, 1.0, 3.0]), eye(3))
    add("maximum of two at a tie", lambda x: np.maximum(x[0], x[1]), np.array([1.5, 1.5]), [0.5, 0.5])
    add("minimum of three lines", lambda x: np.min([x, 2 * x, -x]), 0.0, 1.3)
    add("spectral radius of a diagonal", lambda x: np.max(np.abs(x)), np.array([1.0, 0.5]), [1.0, 0.0])
    add("plateau of 1e-9, inside", lambda x: np.sign(x) * np.maximum(np.abs(x) - 1e-9, 0), 0.0, 0.0, open=True)
    add("plateau of 1e-3, inside", lambda x: np.sign(x) * np.maximum(np.abs(x) - 1e-3, 0), 0.0, 0.0)
    add("plateau of 0.1, inside", lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.1, 0), 0.02, 0.0)
    add("staircase of 1e-3, slope", lambda x: np.floor(x * 1e3) / 1e3, 0.70042, 1.0, open=True)
    add("staircase of 1e-3, flat", lambda x: np.floor(x * 1e3) / 1e3, 0.70042, 0.0, open=True)
    add("staircase of 1", np.floor, 3.3, 0.0)
    add("round between", np.round, 2.2, 0.0)
    add("sawtooth", lambda x: x - np.floor(x), 5.3, 1.0)
    add("kink at 1e-6 beside x", lambda x: np.abs(x - 1), 1 + 1e-6, 1.0)
    add("kink at 1e-9 beside x", lambda x: np.abs(x - 1), 1 - 1e-9, -1.0)
    add("kink at 1e-3 beside x", lambda x: np.maximum(x, 2 * x), 1e-3, 2.0)
    add("smooth |x|", lambda x: np.sqrt(x * x + 1e-12), 1e-6, 1e-6 / math.sqrt(2e-12))
    add("Huber of 1e-4", lambda x: np.where(np.abs(x) < 1e-4, x * x / 2e-4, np.abs(x) - 5e-5), 5e-5, 0.5)
    add("|x|^1.2 at 0", lambda x: np.abs(x) ** 1.2, 0.0, 0.0)
    add("x² sin(1/x) at 0", lambda x: np.where(x == 0, 0.0, x * x * np.sin(1 / np.where(x == 0, 1, x))), 0.0, 0.0)
    A, b = r.normal(size=(20, 8)), r.normal(size=20)
    x = r.normal(size=8)
    add("ReLU network, 20 units", lambda x: np.maximum(A @ x + b, 0), x, A * (A @ x + b > 0)[:, None])
    add("max pooling", lambda x: x.reshape(4, 2).max(axis=1), x, _chosen(x))


def _chosen(x: Any) -> Any:
    J = np.zeros((4, 8))
    for i in range(4):
        J[i, 2 * i + int(x[2 * i + 1] > x[2 * i])] = 1
    return J


class _OutOfRange(Exception):
    pass


def _edges() -> None:
    xlogx = lambda x: np.where(x == 0, 0.0, x * np.log(np.where(x == 0, 1, x)))
    add("x log x at 0", xlogx, 0.0, -math.inf)
    add("√ at 0", np.sqrt, 0.0, math.inf)
    add("cube root at 0", np.cbrt, 0.0, math.inf)
    add("√ at 0, one of three", np.sqrt, np.array([0.0, 1.0, 4.0]), np.diag([math.inf, 0.5, 0.25]))
    add("1 − √x at 0", lambda x: 1 - np.sqrt(x), 0.0, -math.inf)
    add("x√x at 0", lambda x: x * np.sqrt(x), 0.0, 0.0)
    add("log at the smallest normal", np.log, 2.3e-308, 1 / 2.3e-308)
    for error in (RuntimeError, KeyError, IndexError, AssertionError, TypeError, ZeroDivisionError, _OutOfRange):
        add(f"raises {error.__name__} above x", _bounded(error, 1.3), 1.3, 3 * 1.3**2)
        add(f"raises {error.__name__} just above x", _bounded(error, 1.3 + 1e-7), 1.3, 3 * 1.3**2)
    add("raises below 0", lambda x: math.sqrt(x), 1e-5, 0.5 / math.sqrt(1e-5))
    add("factorial of small numbers only", lambda x: math.gamma(x), 170.0, math.gamma(170.0) * 5.132856159133)
    add(
        "changes its shape above x",
        lambda x: x * x if x[0] <= 1 else np.append(x, x),
        np.array([1.0, 0.5]),
        np.diag([2.0, 1.0]),
    )
    add("returns None above x", lambda x: x**2 if x <= 2 else None, 2.0, 4.0)
    add("one output is NaN", lambda x: np.array([np.nan, x[0] * x[1]]), np.array([2.0, 3.0]),
        [[np.nan, np.nan], [3.0, 2.0]],
        open=True)  # fmt: skip
    add("one output is −∞", lambda x: np.array([-np.inf, x[0] * x[1]]), np.array([2.0, 3.0]), [[0.0, 0.0], [3.0, 2.0]],
        open=True)  # fmt: skip


def _bounded(error: type[Exception], bound: float) -> Callable[[Any], Any]:
    def cube(x: Any) -> Any:
        if x > bound:
            raise error("outside")
        return x**3

    return cube


def _kinds() -> None:
    r = np.random.default_rng(3004)
    z = r.normal(size=3) + 1j * r.normal(size=3)
    M = r.normal(size=(2, 3)) + 1j * r.normal(size=(2, 3))
    for name, f, slope in (
        ("exp", np.exp, np.exp), ("sin", np.sin, np.cos), ("log", np.log, lambda z: 1 / z), ("1/z", lambda z: 1 / z,
         lambda z: -1 / z**2), ("√", np.sqrt, lambda z: 0.5 / np.sqrt(z)),
         ("tanh", np.tanh, lambda z: 1 / np.cosh(z) ** 2),
        ("z⁷", lambda z: z**7, lambda z: 7 * z**6),
    ):  # fmt: skip
        add(f"complex {name}", f, z, np.diag(slope(z)))
    add("complex matrix", lambda z: M @ z, z, M)
    add("complex zᵀz", lambda z: z @ z, z, 2 * z)
    add("complex, purely real point", lambda z: z * z, np.array([1.0 + 0j, -2.0 + 0j]), np.diag([2.0 + 0j, -4.0]))
    add("complex, purely imaginary point", lambda z: z**3, np.array([1j, 2j]), np.diag([-3.0 + 0j, -12.0]))
    add("complex at 0", np.exp, np.zeros(2, complex), eye(2).astype(complex))
    add("complex, one part tiny", np.exp, np.array([1 + 1e-12j]), np.array([[np.exp(1 + 1e-12j)]]))
    add("Fourier transform", np.fft.fft, z, np.fft.fft(eye(3)).T)
    add("Fourier transform of real x", np.fft.rfft, r.normal(size=4), np.fft.rfft(eye(4), axis=0))
    add("power spectrum of real x", lambda x: np.abs(np.fft.rfft(x)) ** 2, z.real, _spectrum(z.real))
    add("complex64", lambda z: z * z, z.astype(np.complex64), np.diag(2 * z).astype(np.complex64))
    add("4-D argument", lambda x: x.sum(axis=(0, 2)), r.normal(size=(2, 2, 2, 2)),
        np.einsum("bm,dn->bdmn", eye(2), eye(2))[:, :, None, :, None, :] * np.ones((1, 1, 2, 1, 2, 1)))  # fmt: skip
    add("size 0 axis", lambda x: x * 2, np.zeros((0, 3)), np.zeros((0, 3, 0, 3)))
    add("bool output", lambda x: (x > 0) * 1, np.array([0.5, -1.0]), np.zeros((2, 2)))
    add("reads only part of x", lambda x: x[3] ** 2, np.arange(1.0, 9.0), 8.0 * (np.arange(8) == 3))
    add("hundred equal entries", np.sum, np.full(100, 0.1), np.ones(100))
    add("returns its argument", lambda x: x, np.array([1.0, 2.0]), eye(2))
    add("returns a view", lambda x: x[::-1], np.array([1.0, 2.0]), eye(2)[::-1])
    add(
        "returns a read-only array",
        lambda x: np.broadcast_to(x[0], (3,)),
        np.array([1.0, 2.0]),
        [[1.0, 0], [1, 0], [1, 0]],
    )
    add("refuses arrays that are not its own shape", _strict, np.array([1.0, 2.0]), 2 * eye(2))


def _spectrum(x: Any) -> Any:
    F = np.fft.rfft(eye(len(x)), axis=0)
    return 2 * ((F @ x).conj()[:, None] * F).real


def _strict(x: Any) -> Any:
    if type(x) is not np.ndarray or x.shape != (2,) or x.dtype != np.float64:
        raise TypeError("an array of two numbers, please")
    return 2 * x


_magnitudes()
_ripples()
_cancellation()
_precision()
_kinks()
_edges()
_kinds()
