"""Functions of every kind, for second derivatives: each takes NumPy, or JAX's, and then its arguments."""

from __future__ import annotations

import numpy as np

rng = np.random.default_rng(3)
x, y, p = rng.normal(size=5), rng.normal(size=5), rng.uniform(0.3, 1.5, size=5)
A, B, S = rng.normal(size=(3, 5)), rng.normal(size=(5, 4)), rng.normal(size=(4, 4))
S = S @ S.T + np.eye(4)
n = np.array([2, 0, 2])


def rosenbrock(np, x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def logistic(np, w):
    return np.sum(np.log1p(np.exp(-(B.T @ w))))


def log_sum_exp(np, x):
    return np.log(np.sum(np.exp(x - np.max(x)))) + np.max(x)


def softmax(np, x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def network(np, W, b, V):
    h = np.tanh(B.T @ W.T + b)
    return np.mean((h @ V - 1) ** 2)


def recurrent(np, W, h):
    for t in range(3):
        h = np.tanh(W @ h + 0.1 * t)
    return h


def branch(np, x):
    return x**3 if x[0] < x[1] else np.sin(x)


def attention(np, q):
    scores = q @ q.T / 2
    return softmax(np, scores) @ q


def oscillator(np, k):
    u, v = k[0], k[1]
    for _ in range(4):
        u, v = u + 0.1 * v, v - 0.1 * k[2] * np.sin(u)
    return np.stack([u, v])


FUNCTIONS = {
    "quadratic form": (lambda np, x: x @ (B @ B.T) @ x / 2, x),
    "squares": (lambda np, x: np.sum((A @ x - 1) ** 2), x),
    "logistic": (logistic, x),
    "log sum exp": (log_sum_exp, x),
    "softmax": (softmax, x),
    "softmax of rows": (softmax, A),
    "tanh of a layer": (lambda np, x: np.tanh(A @ x), x),
    "rosenbrock": (rosenbrock, x),
    "powers": (lambda np, x: np.sum(x**3 + 2 * x**2 - x), x),
    "powers of positives": (lambda np, p: p**p + p**0.5, p),
    "norm": (lambda np, x: np.sqrt(np.sum(x * x)), x),
    "norm of linalg": (lambda np, x: np.linalg.norm(x), x),
    "normalized": (lambda np, x: x / np.linalg.norm(x), x),
    "cosine": (lambda np, x, y: (x @ y) / (np.linalg.norm(x) * np.linalg.norm(y)), x, y),
    "inverse": (lambda np, S: np.linalg.inv(S), S),
    "determinant": (lambda np, S: np.linalg.det(S), S),
    "log determinant": (lambda np, S: np.linalg.slogdet(S)[1], S),
    "solution": (lambda np, S, b: np.linalg.solve(S, b), S, x[:4]),
    "matrix factorisation": (lambda np, U: np.sum((U @ U.T - 1) ** 2), A),
    "trace of a power": (lambda np, S: np.trace(S @ S @ S), S),
    "bilinear": (lambda np, x, A, y: x[:3] @ A @ y, x, A, y),
    "network": (network, rng.normal(size=(3, 5)), x[:3], y[:3]),
    "recurrent": (recurrent, 0.5 * rng.normal(size=(3, 3)), x[:3]),
    "branch": (branch, x),
    "shared values": (lambda np, x: np.sum((h := np.sin(x)) * np.exp(h) + h[::-1] * x), x),
    "indexing": (lambda np, x: x[n] * x[n + 2] * np.sum(x[::2]), x),
    "slices": (lambda np, x: np.diff(x) ** 2 * x[1:], x),
    "concatenated": (lambda np, x: np.concatenate([x * x, np.exp(x)[:2]]) ** 2, x),
    "where": (lambda np, x: np.where(x > 0, x**3, np.sin(x)), x),
    "clip": (lambda np, x: np.clip(x, -0.5, 0.5) ** 2 * x, x),
    "maximum": (lambda np, x: np.maximum(x**2, 0.3) * np.abs(x), x),
    "largest": (lambda np, A: np.max(A**2, axis=1) * A[:, 0], A),
    "products": (lambda np, x: np.prod(x) + np.cumprod(x), x),
    "products with a zero": (lambda np, x: np.prod(x), np.array([2.0, 0.0, 3.0])),
    "variance": (lambda np, A: np.var(A, axis=0) + np.std(A), A),
    "outer": (lambda np, x: np.outer(x, np.exp(x)), x),
    "einsum": (lambda np, A: np.einsum("ij,kj,kl->il", A, A, A), A),
    "attention": (attention, A),
    "kernel": (lambda np, A: np.exp(-np.sum((A[:, None] - A[None]) ** 2, axis=-1)), A),
    "entropy": (lambda np, p: -np.sum(p * np.log(p)), p),
    "trigonometry": (lambda np, x: np.arctan2(x, np.cos(x)) + np.hypot(x, 2.0) + np.sinh(x) * np.arctan(x), x),
    "number": (lambda np, t: np.sin(t) * t**2 / (1 + t), np.array(0.7)),
    "oscillator": (oscillator, x[:3]),
    "polar": (lambda np, q: np.stack([q[0] * np.cos(q[1]), q[0] * np.sin(q[1])]), p[:2]),
    "covariance": (lambda np, A: (A - np.mean(A, axis=0)).T @ (A - np.mean(A, axis=0)) / 2, A),
    "cholesky": (lambda np, S: np.sum(np.log(np.diagonal(np.linalg.cholesky(S @ S.T)))), S),
    "eigenvalues": (lambda np, S: np.linalg.eigvalsh(S + S.T), S),
    "roll": (lambda np, x: (np.roll(x, 1) - 2 * x + np.roll(x, -1)) * x**2, x),
    "sorted": (lambda np, x: np.sort(x) ** 2 * x, x),
}
