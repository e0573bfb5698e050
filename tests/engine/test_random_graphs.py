"""Random functions and chains, the same with other numbers, shapes and dtypes, against complex steps and full tensors.

Longer by hand: ``CASES=5000 python -m pytest tests/engine/test_random_graphs.py``; ``FIRST`` is the first seed.
"""

from __future__ import annotations

import os
from math import prod
from random import Random

import numpy as np
import pytest

from jacobians import (
    Add,
    Affine,
    Chain,
    Concatenate,
    Divide,
    Flip,
    LayerNorm,
    Linear,
    Multiply,
    Residual,
    Softmax,
    SquaredError,
    Sum,
    Take,
    Tanh,
    jacobian,
    trace,
)

FIRST, CASES = int(os.environ.get("FIRST", "0")), int(os.environ.get("CASES", "60"))


def each(part, parts):
    return range(FIRST + part, FIRST + CASES, parts)


# --- functions --------------------------------------------------------------------------------------------------------


def program(random, shape):
    """A random function of one array: steps on a list of values, the last few of which are its output."""
    steps, shapes = [], [shape]
    for _ in range(random.randint(2, 9)):
        k = random.randrange(max(0, len(shapes) - 3), len(shapes))
        s = shapes[k]
        kind = random.choice(["sin", "square", "scale", "multiply", "slice", "gather", "stack", "concatenate", "roll",
                              "sum", "matmul", "column", "outer", "put", "reverse"])  # fmt: skip
        if kind == "sin":
            step = np.sin
        elif kind == "square":
            step = lambda a: a * a - 0.5 * a
        elif kind == "scale":
            c = np.array([random.uniform(-1, 1) for _ in range(s[-1] if s else 1)]).reshape(s[-1:])
            step = lambda a, c=c: c * a
        elif kind == "multiply":
            j = random.choice([j for j, t in enumerate(shapes) if t == s[len(s) - len(t) :]])
            steps.append((lambda a, b: a * b, (k, j)))
            shapes.append(s)
            continue
        elif kind == "slice" and s and s[0] > 1:
            key = slice(random.choice([None, 1]), random.choice([None, -1]), random.choice([None, 1, 2]))
            step = lambda a, key=key: a[key]
        elif kind == "reverse" and s:
            step = lambda a: a[::-1]
        elif kind == "gather" and s and s[0]:
            n = np.array([random.randrange(s[0]) for _ in range(random.randint(1, 4))])
            step = lambda a, n=n: a[n]
        elif kind == "stack":
            axis = random.randint(0, len(s))
            step = lambda a, axis=axis: np.stack([a, 2 * a, np.sin(a)][: 2 + axis % 2], axis)
        elif kind == "concatenate" and s:
            step = lambda a: np.concatenate([np.zeros_like(a[:1]), a, a[:1] * 3.0])
        elif kind == "roll" and s:
            axis = random.randrange(len(s))
            by = random.randint(-2, 2)
            step = lambda a, axis=axis, by=by: np.roll(a, by, axis)
        elif kind == "sum" and s:
            axis = random.randrange(len(s))
            step = lambda a, axis=axis: np.sum(a, axis)
        elif kind == "matmul" and s:
            W = np.array([random.uniform(-1, 1) for _ in range(s[-1] * 2)]).reshape(s[-1], 2)
            step = lambda a, W=W: a @ W
        elif kind == "column" and s and s[-1]:
            j = random.randrange(s[-1])
            step = lambda a, j=j: a[..., j]
        elif kind == "outer" and len(s) == 1:
            step = lambda a: a[:, None] * a[None, :]
        elif kind == "put" and s and s[0]:
            j = random.randrange(s[0])

            def step(a, j=j):
                y = np.zeros_like(a)
                y[j] = a[j] * 2.0
                return y + a
        else:
            continue
        made = np.shape(step(np.ones(s)))
        if prod(made) > 60:
            continue
        steps.append((step, (k,)))
        shapes.append(made)

    def f(x):
        values = [x]
        for step, arguments in steps:
            values.append(step(*(values[k] for k in arguments)))
        return values[-1]

    return f, shapes[-1]


def complex_steps(f, x, shape):
    """∂f/∂x, exact to rounding."""
    found = np.empty(shape + x.shape)
    for index in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[index] += 1e-30j
        found[(..., *index)] = np.imag(f(moved)) / 1e-30
    return found


def function_case(seed):
    random = Random(seed)
    shape = tuple(random.choice([1, 2, 3, 4]) for _ in range(random.randint(1, 2)))
    f, out = program(random, shape)
    by, sparse = jacobian(f), jacobian(f, sparse=True)
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    for _ in range(3):
        expected = complex_steps(f, x, out)
        close = {"rtol": 1e-9, "atol": 1e-11 * max(1, np.abs(expected).max(initial=0))}
        full = by(x)
        np.testing.assert_allclose(full, expected, **close)
        full[...] = np.nan  # what is returned belongs to the caller
        np.testing.assert_allclose(sparse(x).toarray(), expected.reshape(prod(out), prod(shape)), **close)
        g = trace(f, x)
        J = g.jacobian(0)
        np.testing.assert_allclose(J.full(), expected, **close)
        gram = np.tensordot(expected, expected, (range(len(out), expected.ndim),) * 2)
        np.testing.assert_allclose(J.gram().full(), gram, rtol=1e-9, atol=1e-10 * max(1, np.abs(gram).max(initial=0)))
        h, u = rng.normal(size=shape), rng.normal(size=out)
        np.testing.assert_allclose(J @ h, np.tensordot(expected, h, len(shape)), **close)
        np.testing.assert_allclose(u @ J, np.tensordot(u, expected, len(out)), **close)
        assert J.nonzeros >= np.count_nonzero(np.abs(expected) > 1e-13)
        x[...] = rng.normal(size=shape)  # in place


@pytest.mark.parametrize("part", range(2))
def test_random_functions(part):
    for seed in each(part, 2):
        try:
            function_case(seed)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise


# --- chains -----------------------------------------------------------------------------------------------------------


def random_chain(random, rng, n):
    """A chain of one or two inputs, with shared layers, residual layers and axes of size 1."""
    two = random.random() < 0.4
    layers = [random.choice([Multiply, Add, Divide])() if random.random() < 0.7 else Concatenate(0)] if two else []
    size = 2 * n if layers and isinstance(layers[0], Concatenate) else n
    shared = Tanh()
    for _ in range(random.randint(1, 5)):
        kind = random.choice(["affine", "linear", "shared", "norm", "softmax", "take", "flip", "residual", "one"])
        if kind in ("affine", "linear"):
            m = random.choice([1, 2, 3])
            W = rng.normal(size=(m, size)).astype(random.choice([np.float64, np.float64, np.float32]))
            layers.append(Affine(W, rng.normal(size=m)) if kind == "affine" else Linear(W))
            size = m
        elif kind == "shared":
            layers.append(shared)
        elif kind == "norm":
            layers.append(LayerNorm(rng.normal(size=size), rng.normal(size=size)))
        elif kind == "softmax":
            layers.append(Softmax())
        elif kind == "take":
            count = random.choice([1, 2, 4])
            layers.append(Take(rng.integers(0, size, count).astype(random.choice([np.int8, np.uint64, np.int64])), 0))
            size = count
        elif kind == "flip":
            layers.append(Flip(0))
        elif kind == "residual":
            layers.append(Residual(Chain(shared, Linear(rng.normal(size=(size, size))))))
        else:
            layers.append(Sum(axis=0, keepdims=True))
            size = 1
    if random.random() < 0.3:
        layers.append(SquaredError(rng.normal(size=size)))
    return Chain(*layers), two


def chain_case(seed):
    random, rng = Random(seed), np.random.default_rng(seed)
    n = random.choice([1, 2, 3])
    net, two = random_chain(random, rng, n)
    kept = rng.normal(size=n)
    for turn in range(4):
        other = (1,) if two and not isinstance(net[0], Concatenate) and random.random() < 0.5 else (n,)
        inputs = [kept] + ([rng.uniform(1, 2, size=other)] if two else [])
        if random.random() < 0.2:
            inputs = [x.astype(np.float32) for x in inputs]
        elif random.random() < 0.2 and two and other == (n,):
            inputs = [kept, kept]
        explicit = net.jacobians(*inputs, method="explicit")
        found = net.jacobians(*inputs)
        assert list(found) == list(explicit)
        structured = net.linearize(*inputs)[1]
        for name, J in explicit.items():
            scale = max(1.0, np.abs(J).max(initial=0))
            double = all(a.dtype == np.float64 for a in (*inputs, *net.parameters.values()))
            tolerance = 1e-9 if double else 2e-4
            np.testing.assert_allclose(found[name], J, rtol=tolerance, atol=tolerance * scale, err_msg=f"{name} {turn}")
            np.testing.assert_allclose(structured[name].full(), J, rtol=tolerance, atol=tolerance * scale)
            found[name][...] = np.nan
        kept[...] = rng.normal(size=n)


@pytest.mark.parametrize("part", range(2))
def test_random_chains(part):
    for seed in each(part, 2):
        try:
            chain_case(seed)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
