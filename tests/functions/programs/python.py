"""Programs that use what Python has: loops, closures, classes, containers, arrays to be written into."""

import functools
import itertools
import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from tests.functions.programs.registry import Programs, data

rng, A, B, v3, v4, v6, pos = data()
prog = Programs()


@prog(v6)
def string_options(x, kind="relu", norm="l2"):
    h = {"relu": lambda t: np.maximum(t, 0), "tanh": np.tanh}[kind](x)
    return h / np.sqrt((h**2).sum()) if norm == "l2" else h


@prog(v6)
def generator(x):
    def gen(x):
        s = 0
        for xi in x:
            s = s + xi * xi
            yield s

    return np.array(list(gen(x)))


@dataclass
class Params:
    a: float
    b: float


@prog(np.array(1.2), np.array(0.4))
def dataclass_(a, b):
    p = Params(a, b)
    return p.a * np.exp(-p.b)


@prog(v3)
def if_branch(x):
    if x[0] > 0:
        return x**2
    if np.any(x < -10):
        return x
    return -x * 3


@prog(np.array(0.7))
def collatz_like(x):
    n = 0
    while x < 10 and n < 20:
        x = x * 2 if n % 2 == 0 else x + 1
        n += 1
    return x


@prog(v3)
def norm_of_list(p):
    return np.linalg.norm([p[0] - 1, p[1] * 2])


@prog(v3)
def mean_of_list(p):
    return np.mean([np.sin(q) for q in p]) + np.std([p[0], p[1], p[2]])


@prog(v3)
def asarray_float(p):
    x = np.asarray(p, dtype=float)
    return x**2


@prog(v3)
def asarray_(p):
    x = np.asarray(p)
    return np.sum(x**2) * x


@prog(v3)
def zeros_write(p):
    y = np.zeros(3)
    y[0] = p[0] * p[1]
    y[1:] = p[:2]
    return y


@prog(v3)
def empty_write(p):
    out = np.empty((2, 3))
    out[0] = p
    out[1] = p**2
    return out


@prog(v3)
def zeros_accum(p):
    s = np.zeros(3)
    for k in range(3):
        s += p * k
    return s


@prog(v3)
def ones_mul(p):
    s = np.ones(3)
    s *= p
    return s


@prog(v3)
def eye_write(p):
    M = np.eye(3)
    M[0, 2] = p[0]
    M[1, 2] = p[1]
    return M @ p


@prog(v3)
def math_pi(p):
    return math.pi * p + math.sqrt(2)


@prog(v3)
def py_round(p):
    return p * round(2.7) + round(3.14159, 2)


@prog(v6)
def enumerate_(x):
    return np.array([i * xi for i, xi in enumerate(x)])


@prog(v6)
def reduce_(x):
    return functools.reduce(lambda a, b: a * b + 1, x)


@prog(v4)
def combos(x):
    return sum(a * b for a, b in itertools.combinations(x, 2))


@prog(v4)
def deque_(x):
    d = deque(x)
    d.rotate(1)
    return np.stack(list(d)) * x


@prog(v4)
def dict_(x):
    d = {"a": x[0], "b": x[1:]}
    return np.concatenate([[d["a"]], d["b"] * 2])


@prog(v4)
def recursion(x):
    def tree(v):
        return v[0] if len(v) == 1 else tree(v[: len(v) // 2]) * tree(v[len(v) // 2 :]) + 1

    return tree(x)


@prog(np.array(0.3))
def fib(x):
    @functools.lru_cache(None)
    def f(n):
        return x if n < 2 else f(n - 1) * f(n - 2) + 1

    return f(6)


@prog(v4)
def try_except(x):
    try:
        return x / x.sum()
    except ZeroDivisionError:
        return x


@prog(v6)
def reshape_ops(x):
    return x.reshape(2, 3).T.ravel()[::-1].reshape(3, -1).sum(axis=0)


@prog(v3)
def ufunc_methods(x):
    return np.add.outer(x, x) * np.multiply.reduce(x)


@prog(v6)
def slices(x):
    a, b = x[:3], x[3:]
    return np.outer(a, b).trace() + np.inner(a, b) + np.vdot(a, b) + np.kron(a, b).sum()


@prog(v6)
def star(x):
    a, *rest = x
    return a * sum(rest)


@prog(v6)
def matrix_power_(x):
    M = x[:4].reshape(2, 2)
    return np.linalg.matrix_power(M, 3)


@prog(v4)
def global_const(x):
    return x @ W0


W0 = np.arange(4.0)


@prog(v4)
def nested_closure(x):
    scale = x.max()

    def inner(t):
        return t / scale

    return np.array(list(map(inner, x)))


@prog(v4)
def ternary(x):
    return np.stack([xi if xi > 0 else -xi * 0.5 for xi in x])


@prog(v4)
def tile_(x):
    return (np.tile(x, (3, 1)) * np.arange(3)[:, None]).T


@prog(v4)
def meshgrid_(x):
    X, Y = np.meshgrid(x, x)
    return X * np.exp(-(X**2) - Y**2)


@prog(v4)
def newaxis_(x):
    return (x[:, np.newaxis] - x[np.newaxis, :]) ** 2


@prog(v4)
def vectorize_(x):
    f = np.vectorize(lambda t: t**2 if t > 0 else -t)
    return f(x)


@prog(v6)
def inplace_slices(x):
    y = x * 1.0
    y[1:] -= y[:-1]
    y[::2] *= 2
    y[-1] = y[0]
    return y


@prog(v6)
def swap(x):
    y = x.copy()
    y[0], y[1] = y[1], y[0]
    y[[2, 3]] = y[[3, 2]]
    return y * np.arange(6)


@prog(v6)
def bubble(x):
    y = list(x)
    for i in range(len(y)):
        for j in range(len(y) - 1 - i):
            if y[j] > y[j + 1]:
                y[j], y[j + 1] = y[j + 1], y[j]
    return np.array(y) * np.arange(6)


@prog(v4)
def with_errstate(x):
    with np.errstate(divide="ignore"):
        return np.true_divide(1, x)


@prog(v4)
def safe_div(x):
    return np.divide(x, x - x[0], out=np.zeros_like(x), where=(x - x[0]) != 0)
