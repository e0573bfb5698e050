"""The workloads: the same Jacobian by this library, by PyTorch, by JAX and by autograd.

A workload is built for a size and gives callables that return the same list of arrays. What a peer is good at is chosen
for it: forward or reverse mode, whichever is faster, and for JAX everything compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch

import jacobians as J

jax.config.update("jax_enable_x64", True)

Run = Callable[[], Sequence[Any]]


@dataclass
class Workload:
    """What is measured: `ours`, an unmaterialised variant if there is one, and the peers by name."""

    name: str
    size: str
    ours: Run
    peers: dict[str, Run] = field(default_factory=dict)
    unmaterialised: Callable[[], Any] | None = None
    flops: float = 0.0
    bytes: int = 0


def peers(function: Callable[..., Any], arrays: Sequence[np.ndarray], wrt: Sequence[int], modes: str = "rev fwd",
          torch_function: Callable[..., Any] | None = None, autograd: bool = False) -> dict[str, Run]:  # fmt: skip
    """The Jacobians of a function written with the array functions of a module `np`, by all peers."""
    found: dict[str, Run] = {}
    tensors = [torch.tensor(a) for a in arrays]
    jax_arrays = [jnp.asarray(a) for a in arrays]
    wrt = tuple(wrt)
    for mode in modes.split():
        by_torch = getattr(torch.func, f"jac{mode}")
        there = torch_function or (lambda *a: function(torch, *a))
        found[f"torch jac{mode}"] = lambda by=by_torch, f=there: by(f, wrt)(*tensors)
        compiled = jax.jit(getattr(jax, f"jac{mode}")(lambda *a: function(jnp, *a), wrt))
        found[f"jax jac{mode}"] = lambda by=compiled: jax.block_until_ready(by(*jax_arrays))
    if autograd:
        import autograd as hips
        import autograd.numpy as anp

        each = [hips.jacobian(lambda *a: function(anp, *a), k) for k in wrt]
        found["autograd"] = lambda: [by(*arrays) for by in each]
    return found


def random(seed: int, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Normal numbers, matrices scaled by the root of their columns."""
    rng = np.random.default_rng(seed)
    return [rng.normal(size=s) / np.sqrt(s[-1] if len(s) > 1 else 1) for s in shapes]


def linear(M: int, N: int) -> Workload:
    """∂z/∂A of z = Ax."""
    A, x = random(1, (M, N), (N,))
    layer = J.Linear(A)
    return Workload(
        "∂z/∂A, z = Ax", f"{M}×{N}", lambda: [layer.jacobians(x, wrt="A")["A"]],
        peers(lambda np, A: A @ np.asarray(x), [A], [0], "rev",
              lambda A, t=torch.tensor(x): A @ t),
        lambda: layer.linearize(x, wrt="A"), bytes=8 * M * M * N,
    )  # fmt: skip


def lecture(M: int, N: int) -> Workload:
    """∂f/∂A of f = tanh(Ax + b)."""
    A, b, x = random(2, (M, N), (M,), (N,))
    chain = J.Chain(J.Affine(A, b), J.Tanh())
    return Workload(
        "∂f/∂A, f = tanh(Ax + b)", f"{M}×{N}", lambda: [chain.jacobians(x, wrt="0.A")["0.A"]],
        peers(lambda np, A, b, x: np.tanh(A @ x + b), [A, b, x], [0], "rev", autograd=M <= 50),
        lambda: chain.linearize(x, wrt="0.A"), flops=M * N, bytes=8 * M * M * N,
    )  # fmt: skip


def _mlp(sizes: Sequence[int], seed: int = 3) -> tuple[list[np.ndarray], np.ndarray]:
    parameters = random(seed, *[s for n, m in pairwise(sizes) for s in ((m, n), (m,))])
    return parameters, random(seed + 1, (sizes[0],))[0]


def _mlp_function(np: Any, x: Any, *parameters: Any) -> Any:
    for A, b in zip(parameters[::2], parameters[1::2], strict=True):
        x = np.tanh(x @ A.T + b)
    return x


def _mlp_chain(parameters: Sequence[np.ndarray]) -> J.Chain:
    layers: list[J.Layer] = []
    for A, b in zip(parameters[::2], parameters[1::2], strict=True):
        layers += [J.Affine(A, b), J.Tanh()]
    return J.Chain(*layers)


def mlp(*sizes: int) -> Workload:
    """All Jacobians of a deep network."""
    parameters, x = _mlp(sizes)
    chain = _mlp_chain(parameters)
    arrays = [x, *parameters]
    return Workload(
        "MLP, x and all parameters", "-".join(map(str, sizes)), lambda: list(chain.jacobians(x).values()),
        peers(_mlp_function, arrays, range(len(arrays)), "rev"), lambda: chain.linearize(x),
        bytes=8 * sizes[-1] * sum(a.size for a in arrays),
    )  # fmt: skip


def mlp_input(*sizes: int) -> Workload:
    """∂y/∂x of a network with a bottleneck or a bulge."""
    parameters, x = _mlp(sizes)
    chain = _mlp_chain(parameters)
    return Workload(
        "MLP ∂y/∂x", "-".join(map(str, sizes)), lambda: [chain.jacobians(x, wrt="x")["x"]],
        peers(_mlp_function, [x, *parameters], [0]), lambda: chain.linearize(x, wrt="x"),
        bytes=8 * sizes[0] * sizes[-1],
    )  # fmt: skip


def mlp_batch(batch: int, *sizes: int, wrt: str) -> Workload:
    """∂Y/∂W1 or ∂Y/∂X of a network on a batch."""
    parameters, _ = _mlp(sizes)
    (x,) = random(5, (batch, sizes[0]))
    chain = _mlp_chain(parameters)
    size = x.size if wrt == "x" else parameters[0].size
    return Workload(
        f"MLP ∂Y/∂{'X' if wrt == 'x' else 'W1'}, batch {batch}", "-".join(map(str, sizes)),
        lambda: [chain.jacobians(x, wrt=wrt)[wrt]],
        peers(_mlp_function, [x, *parameters], [0 if wrt == "x" else 1], "rev"),
        lambda: chain.linearize(x, wrt=wrt), bytes=8 * batch * sizes[-1] * size,
    )  # fmt: skip


def per_example(batch: int, *sizes: int) -> Workload:
    """Each example's own ∂y/∂x."""
    parameters, _ = _mlp(sizes)
    (x,) = random(6, (batch, sizes[0]))
    chain = _mlp_chain(parameters)
    tensors, jax_arrays = [torch.tensor(p) for p in parameters], [jnp.asarray(p) for p in parameters]
    t, j = torch.tensor(x), jnp.asarray(x)
    by_torch = torch.func.vmap(torch.func.jacrev(lambda x: _mlp_function(torch, x, *tensors)))
    by_jax = jax.jit(jax.vmap(jax.jacrev(lambda x: _mlp_function(jnp, x, *jax_arrays))))
    return Workload(
        "per example ∂y/∂x", f"batch {batch}, {'-'.join(map(str, sizes))}",
        lambda: [chain.linearize(x, wrt="x")[1]["x"].per_example()],
        {"torch vmap(jacrev)": lambda: [by_torch(t)], "jax vmap(jacrev)": lambda: [jax.block_until_ready(by_jax(j))]},
        bytes=8 * batch * sizes[0] * sizes[-1],
    )  # fmt: skip


def softmax(n: int) -> Workload:
    """diag(p) − p pᵀ."""
    (x,) = random(7, (n,))
    layer = J.Softmax()
    return Workload(
        "softmax", f"{n}", lambda: [layer.jacobians(x)["x"]],
        {"torch jacrev": lambda t=torch.tensor(x): [torch.func.jacrev(lambda x: torch.softmax(x, -1))(t)],
         "jax jacrev": lambda j=jnp.asarray(x), f=jax.jit(jax.jacrev(jax.nn.softmax)): [jax.block_until_ready(f(j))],
         "jax jacfwd": lambda j=jnp.asarray(x), f=jax.jit(jax.jacfwd(jax.nn.softmax)): [jax.block_until_ready(f(j))]},
        bytes=8 * n * n,
    )  # fmt: skip


def inverse(n: int) -> Workload:
    """∂A⁻¹/∂A = −Y_ik Y_lj."""
    (A,) = random(8, (n, n))
    A = A + 2 * np.eye(n)
    layer = J.Inverse()
    return Workload("inverse", f"{n}", lambda: [layer.jacobians(A)["x"]],
                    peers(lambda np, A: np.linalg.inv(A), [A], [0]), flops=n**4, bytes=8 * n**4)  # fmt: skip


def convolution(inputs: int, outputs: int, size: int, kernel: int = 3) -> Workload:
    """∂y/∂x of a convolution with padding kernel // 2 … 0."""
    W, b, x = random(9, (outputs, inputs, kernel, kernel), (outputs,), (inputs, size, size))
    layer = J.Conv2d(W, b)

    def by_jax(x: Any) -> Any:
        return jax.lax.conv_general_dilated(x[None], W, (1, 1), "VALID")[0] + b[:, None, None]

    rev, fwd = jax.jit(jax.jacrev(by_jax)), jax.jit(jax.jacfwd(by_jax))
    t, tw, tb, j = torch.tensor(x), torch.tensor(W), torch.tensor(b), jnp.asarray(x)
    f = lambda x: torch.nn.functional.conv2d(x[None], tw, tb)[0]
    out = size - kernel + 1
    return Workload(
        "convolution ∂y/∂x", f"{inputs}→{outputs}, {size}×{size}", lambda: [layer.jacobians(x, wrt="x")["x"]],
        {"torch jacrev": lambda: [torch.func.jacrev(f, chunk_size=512)(t)],
         "torch jacfwd": lambda: [torch.func.jacfwd(f)(t)],
         "jax jacrev": lambda: [jax.block_until_ready(rev(j))], "jax jacfwd": lambda: [jax.block_until_ready(fwd(j))]},
        lambda: layer.linearize(x, wrt="x"), bytes=8 * outputs * out * out * x.size,
    )  # fmt: skip


def transformer(T: int, D: int) -> Workload:
    """∂y/∂x of a pre-norm transformer block with one head and a GELU-free (tanh) feed-forward part."""
    Wq, Wk, Wv, Wo, W1, W2 = random(10, *[(D, D)] * 4, (2 * D, D), (D, 2 * D))
    gamma, beta, zeros1, zeros2 = np.ones(D), np.zeros(D), np.zeros(2 * D), np.zeros(D)
    (x,) = random(11, (T, D))
    x = x * np.sqrt(D)
    block = J.Chain(
        J.Residual(J.Chain(J.LayerNorm(gamma, beta), J.SelfAttention(Wq, Wk, Wv, Wo))),
        J.Residual(J.Chain(J.LayerNorm(gamma, beta), J.Affine(W1, zeros1), J.Tanh(), J.Affine(W2, zeros2))),
    )

    def function(np: Any, softmax: Any, Wq: Any, Wk: Any, Wv: Any, Wo: Any, W1: Any, W2: Any, x: Any) -> Any:
        def norm(x: Any) -> Any:
            mean = x.mean(-1)[:, None]
            variance = ((x - mean) ** 2).mean(-1)[:, None]
            return (x - mean) / np.sqrt(variance + 1e-5)

        h = norm(x)
        p = softmax((h @ Wq.T) @ (h @ Wk.T).T / np.sqrt(np.asarray(float(D))))
        y = x + p @ (h @ Wv.T) @ Wo.T
        return y + np.tanh(norm(y) @ W1.T) @ W2.T

    weights = [Wq, Wk, Wv, Wo, W1, W2]
    jw, tw = [jnp.asarray(w) for w in weights], [torch.tensor(w) for w in weights]
    rev, fwd = (
        jax.jit(mode(lambda x: function(jnp, lambda s: jax.nn.softmax(s, -1), *jw, x)))
        for mode in (jax.jacrev, jax.jacfwd)
    )
    t, j = torch.tensor(x), jnp.asarray(x)
    f = lambda x: function(torch, lambda s: torch.softmax(s, -1), *tw, x)
    return Workload(
        "transformer block ∂y/∂x", f"T = {T}, D = {D}", lambda: [block.jacobians(x, wrt="x")["x"]],
        {"torch jacrev": lambda: [torch.func.jacrev(f, chunk_size=512)(t)],
         "jax jacrev": lambda: [jax.block_until_ready(rev(j))], "jax jacfwd": lambda: [jax.block_until_ready(fwd(j))]},
        lambda: block.linearize(x, wrt="x"), bytes=8 * (T * D) ** 2,
    )  # fmt: skip


def network(M: int, N: int) -> Workload:
    """The lecture's NN()."""
    A, b, x = random(12, (M, N), (M,), (N,))

    def function(np: Any, A: Any, b: Any, x: Any) -> Any:
        return np.tanh(A @ x + b)

    found = peers(function, [A, b, x], [0, 1, 2], "rev", autograd=True)
    return Workload("NN()", f"{M}×{N}", lambda: J.NN(x, A, b)[1:], found, bytes=8 * (M * M * N + M * M + M * N))


def network_chain(M: int, N: int) -> Workload:
    """The same through a chain."""
    A, b, x = random(12, (M, N), (M,), (N,))
    chain = J.Chain(J.Affine(A, b), J.Tanh())
    one = network(M, N)
    names = ["0.A", "0.b", "x"]
    return Workload(
        "the same by Chain.jacobians", f"{M}×{N}", lambda: [found[n] for found in [chain.jacobians(x)] for n in names],
        one.peers, bytes=one.bytes,
    )  # fmt: skip


WORKLOADS: dict[str, Callable[[], Workload]] = {
    "linear": lambda: linear(256, 1024),
    "lecture-50": lambda: lecture(50, 50),
    "lecture-500": lambda: lecture(500, 500),
    "mlp-784": lambda: mlp(784, 128, 64, 10),
    "mlp-256": lambda: mlp(256, 256, 256, 256, 64),
    "mlp-64": lambda: mlp(*[64] * 17),
    "bottleneck": lambda: mlp_input(2000, 1000, 10, 1000, 2000),
    "bulge": lambda: mlp_input(10, 2000, 2000, 10),
    "batch-w": lambda: mlp_batch(32, 784, 256, 10, wrt="0.A"),
    "batch-x": lambda: mlp_batch(32, 784, 256, 10, wrt="x"),
    "per-example": lambda: per_example(256, 64, 64, 10),
    "softmax": lambda: softmax(4096),
    "inverse": lambda: inverse(80),
    "convolution": lambda: convolution(3, 16, 32),
    "transformer": lambda: transformer(64, 64),
    "nn": lambda: network(3, 2),
    "nn-chain": lambda: network_chain(3, 2),
}
