"""Sparse Jacobians of NumPy functions, beside JAX: ``python -m tests.benchmarks.sparse``.

Ours are finished matrices (``scipy.sparse.csr_array``), assembly included. JAX's are what it can give: the blocks of
the bundle adjustment alone, by ``vmap(jacfwd)``, and as many products with vectors as the stencil has colours. Results
are compared first; medians by turns. "Copied" is the time in which NumPy copies the finished arrays once: nobody writes
them much sooner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jacobians import jacobian
from tests.benchmarks.__main__ import in_turns

jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(0)


class Case(NamedTuple):
    """What is measured: ours, and a peer where there is one."""

    name: str
    ours: Callable[[], Any]
    peer: str
    theirs: Callable[[], Any]
    check: Callable[[], None] = lambda: None


def bundle_adjustment(observations: int = 20_000, cameras: int = 40, points: int = 4000) -> Case:
    """Two matrices, with blocks of 2×6 and 2×3, from the function as one writes it."""
    ci, pi = rng.integers(0, cameras, observations), rng.integers(0, points, observations)
    c, p, seen = rng.normal(size=(cameras, 6)) / 9, rng.normal(size=(points, 3)), rng.normal(size=(observations, 2))
    c[:, 5] += 5

    def project(np: Any, camera: Any, point: Any) -> Any:
        rx, ry, rz, tx, ty, tz = camera
        x, y, z = point
        depth = -ry * x + rx * y + z + tz
        return np.stack([(x - rz * y + ry * z + tx) / depth, (rz * x + y - rx * z + ty) / depth], axis=-1)

    def residuals(cameras: Any, points: Any) -> Any:
        camera, point = cameras[ci], points[pi]
        columns = [camera[:, k] for k in range(6)], [point[:, k] for k in range(3)]
        return project(np, *columns) - seen

    ours = jacobian(residuals, argnums=(0, 1), sparse=True)
    each = jax.vmap(jax.jacfwd(lambda c, p: project(jnp, c, p), (0, 1)))
    theirs = jax.jit(lambda c, p: each(c[ci], p[pi]))

    def check() -> None:
        for matrix, blocks, where in zip(ours(c, p), theirs(c, p), (ci, pi), strict=True):
            for k in (0, 7, observations - 1):
                width = blocks.shape[-1]
                mine = matrix[2 * k : 2 * k + 2, width * where[k] : width * where[k] + width].toarray()
                np.testing.assert_allclose(mine, blocks[k], rtol=1e-9, atol=1e-12)

    return Case(f"bundle adjustment, {observations} observations, to two CSR matrices", lambda: ours(c, p),
                "jax vmap(jacfwd), blocks alone", lambda: jax.block_until_ready(theirs(c, p)), check)  # fmt: skip


def stencil(size: int = 200_000) -> Case:
    """A second difference and a nonlinear term."""
    u = rng.normal(size=size)

    def f(u: Any) -> Any:
        return u[2:] - 2 * u[1:-1] + u[:-2] + u[1:-1] * u[1:-1]

    ours = jacobian(f, sparse=True)
    seeds = [jnp.asarray((np.arange(size) % 3 == k).astype(float)) for k in range(3)]
    product = jax.jit(lambda u, s: jax.jvp(f, (u,), (s,))[1])

    def check() -> None:
        matrix = ours(u)
        assert matrix.nnz == 3 * (size - 2)
        for s in seeds:
            np.testing.assert_allclose(matrix @ np.asarray(s), product(u, s), rtol=1e-9, atol=1e-12)

    return Case(f"stencil, {size} points, to CSR", lambda: ours(u), "jax, three coloured JVPs",
                lambda: [jax.block_until_ready(product(u, s)) for s in seeds], check)  # fmt: skip


def reaction_diffusion(side: int = 100) -> Case:
    """Two fields on a torus, by ``np.roll``."""
    fields = rng.normal(size=(2, side, side))

    def f(np: Any, fields: Any) -> Any:
        a, b = fields
        turned = [(s, axis) for s in (1, -1) for axis in (0, 1)]
        first, second = (sum(np.roll(w, s, axis) for s, axis in turned) - 4 * w for w in (a, b))
        return np.stack([first - a * b * b + 0.04 * (1 - a), second / 2 + a * b * b - 0.1 * b])

    ours = jacobian(lambda x: f(np, x), sparse=True)
    product = jax.jit(lambda x, s: jax.jvp(lambda x: f(jnp, x), (x,), (s,))[1])
    h = rng.normal(size=fields.shape)

    def check() -> None:
        np.testing.assert_allclose(ours(fields) @ h.ravel(), np.ravel(product(fields, h)), rtol=1e-9, atol=1e-12)

    return Case(f"reaction and diffusion, 2×{side}×{side}, to CSR", lambda: ours(fields), "jax, ten JVPs",
                lambda: [jax.block_until_ready(product(fields, h)) for _ in range(10)], check)  # fmt: skip


def time_steps(steps: int = 20, size: int = 50) -> Case:
    """Explicit Euler steps of a nonlinear diffusion; the full tensor."""
    u = rng.normal(size=size)

    def f(np: Any, u: Any) -> Any:
        for _ in range(steps):
            p = np.concatenate([np.zeros(1), u, np.zeros(1)])
            u = u + 0.1 * (p[2:] - 2 * p[1:-1] + p[:-2]) - 0.1 * u**3
        return u

    ours = jacobian(lambda u: f(np, u))
    theirs = jax.jit(jax.jacfwd(lambda u: f(jnp, u)))
    return Case(f"{steps} time steps of {size} points, full tensor", lambda: ours(u), "jax jacfwd",
                lambda: jax.block_until_ready(theirs(u)),
                lambda: np.testing.assert_allclose(ours(u), theirs(u), rtol=1e-9, atol=1e-12))  # fmt: skip


def cases() -> Iterator[Case]:
    """All of them."""
    yield from (bundle_adjustment(), stencil(), reaction_diffusion(), time_steps())


def copying(result: Any) -> Callable[[], Any]:
    """Copy the arrays of one or several results into memory that is there."""
    arrays: list[Any] = []
    for one in result if isinstance(result, tuple) else (result,):
        arrays += [one] if isinstance(one, np.ndarray) else [one.data, one.indices, one.indptr]
    places = [array.copy() for array in arrays]
    return lambda: [np.copyto(place, array) for place, array in zip(places, arrays, strict=True)]


def main() -> None:
    print("| workload | ours, ms | peer, ms | copied, ms | |\n|---|--:|--:|--:|---|")
    for case in cases():
        case.check()
        times = in_turns([case.ours, case.theirs, copying(case.ours())], 1.0)
        print(f"| {case.name} | {' | '.join(f'{1e3 * t:.3g}' for t in times)} | {case.peer} |")


if __name__ == "__main__":
    main()
