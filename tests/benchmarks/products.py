"""Products with vectors against NumPy by hand and compiled JAX: ``python -m tests.benchmarks.products``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jacobians as J
from tests.benchmarks.__main__ import in_turns

jax.config.update("jax_enable_x64", True)
Product = tuple[str, Callable[[], Any], Callable[[], Any], Callable[[], Any]]


def layers(*sizes: int, activation: bool) -> Iterator[Product]:
    """jvp and vjp of an MLP with respect to x; each includes the forward pass."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(m, n)) / n**0.5 for n, m in pairwise(sizes)]
    chain = [part for A in weights for part in (J.Affine(A, np.zeros(len(A))), J.Tanh())]
    net = J.Chain(*(chain[:-1] if activation else chain[::2]))
    x, h, u = rng.normal(size=sizes[0]), rng.normal(size=sizes[0]), rng.normal(size=sizes[-1])
    slopes: list[np.ndarray] = []

    def forward(f: np.ndarray) -> np.ndarray:
        slopes.clear()
        for k, A in enumerate(weights):
            f = A @ f
            if activation and k < len(weights) - 1:
                f = np.tanh(f)
                slopes.append(1 - f * f)
        return f

    def tangent() -> np.ndarray:
        forward(x)
        t = h
        for k, A in enumerate(weights):
            t = A @ t
            if activation and k < len(weights) - 1:
                t = slopes[k] * t
        return t

    def cotangent() -> np.ndarray:
        forward(x)
        t = u
        for k in reversed(range(len(weights))):
            if activation and k < len(weights) - 1:
                t = t * slopes[k]
            t = t @ weights[k]
        return t

    held = [jnp.asarray(A) for A in weights]

    def network(weights: Any, x: Any) -> Any:
        for k, A in enumerate(weights):
            x = A @ x
            if activation and k < len(weights) - 1:
                x = jnp.tanh(x)
        return x

    jvp = jax.jit(lambda weights, x, h: jax.jvp(lambda x: network(weights, x), (x,), (h,))[1])
    vjp = jax.jit(lambda weights, x, u: jax.vjp(lambda x: network(weights, x), x)[1](u)[0])
    name = "-".join(map(str, sizes))
    yield f"jvp {name}", lambda: net.jvp(x, h), tangent, lambda: jax.block_until_ready(jvp(held, x, h))
    yield f"vjp {name}", lambda: net.vjp(x, u), cotangent, lambda: jax.block_until_ready(vjp(held, x, u))


def main() -> None:
    print("| product | ours, ms | NumPy by hand, ms | JAX jitted, ms |\n|---|--:|--:|--:|")
    for products in (
        layers(3000, 3000, 3000, activation=False), layers(784, 128, 64, 10, activation=True),
        layers(*[64] * 17, activation=True),
    ):  # fmt: skip
        for name, *runs in products:
            results = [np.asarray(run()) for run in runs]
            for other in results[1:]:
                np.testing.assert_allclose(results[0], other, rtol=1e-8, atol=1e-10)
            print(f"| {name} | {' | '.join(f'{1e3 * seconds:.3g}' for seconds in in_turns(runs, 1.0))} |")


if __name__ == "__main__":
    main()
