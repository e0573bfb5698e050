"""Mistakes planted in hand-written Jacobians, each beside its correct twin and the words its diagnosis must contain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.checking.cases import Mistake


def _random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


MISTAKES: list[Mistake] = []


def add(name: str, f: Callable[[Any], Any], x: Any, right: Any, wrong: Any, cause: str = "") -> None:
    MISTAKES.append(Mistake(name, f, x, np.asarray(right), np.asarray(wrong), cause))


def _dense() -> None:
    random = _random(10)
    A, b, x = random.normal(size=(4, 3)), random.normal(size=4), random.normal(size=3)
    S = random.normal(size=(5, 5))
    v = random.normal(size=5)
    add("affine, sign", lambda x: A @ x + b, x, A, -A, "sign")
    add("affine, transpose of a square A", lambda v: S @ v, v, S, S.T, "transpose")
    add("affine, denominator layout", lambda x: A @ x + b, x, A, A.T, "transpose")
    add("affine, row missing", lambda x: A @ x, x, A, np.where(np.arange(4)[:, None] == 2, 0, A), "zero rows")
    zero = A.copy()
    zero[:, 1] = 0
    add("affine, zero column", lambda x: A @ x, x, A, zero, "zero columns")
    swapped = A[:, [0, 2, 1]]
    add("affine, two columns swapped", lambda x: A @ x, x, A, swapped, "index swap")
    add("affine, columns rolled", lambda v: S @ v, v, S, np.roll(S, 1, axis=1), "rolled by one along axis 1")
    add("affine, rows flipped", lambda v: S @ v, v, S, S[::-1], "flipped")
    one = A.copy()
    one[2, 1] *= 1.001
    add("affine, one entry off by 0.1 %", lambda x: A @ x, x, A, one, "differs in 1 of 12")
    add("affine, all off by 0.1 %", lambda x: A @ x, x, A, 1.001 * A, "factor")
    add("affine, claimed zero where J is 1e-6", lambda x: 1e-6 * (A @ x), x, 1e-6 * A, 0 * A, "zero")
    add("affine, broadcastable shape", lambda x: A @ x, x, A, A[:1], "shape")
    add("affine, NaN", lambda x: A @ x, x, A, np.where(A[1, 1] == A, np.nan, A), "NaN")
    add("affine, infinite", lambda x: A @ x, x, A, np.where(A[1, 1] == A, np.inf, A), "infinite")
    big = random.normal(size=(300, 300)) / 17
    y = random.normal(size=300)
    J = (1 - np.tanh(big @ y) ** 2)[:, None] * big
    one = J.copy()
    one[123, 45] += 0.01
    add("one of 90000", lambda y: np.tanh(big @ y), y, J, one, "differs in 1 of 90000 entries: [123, 45]")
    add("quadratic form, factor ½", lambda v: v @ S @ v, v, (S + S.T) @ v, (S + S.T) @ v / 2, "½")
    add("quadratic form, S not symmetrised", lambda v: v @ S @ v, v, (S + S.T) @ v, 2 * S @ v)
    add("squared norm, factor 2", lambda v: v @ v, v, 2 * v, 4 * v, "2·D")
    add("symmetrised", lambda v: S @ v, v, S, (S + S.T) / 2, "symmetrised")
    add("triangle only", lambda v: S @ v, v, S, np.tril(S), "lower triangle")


def _entrywise() -> None:
    random = _random(11)
    x = random.normal(size=5)
    t = np.tanh(x)
    add("tanh, f for f²", np.tanh, x, np.diag(1 - t**2), np.diag(1 - t), "1/(1 + f)")
    add("tanh, derivative forgotten", np.tanh, x, np.diag(1 - t**2), np.eye(5), "1/(1 − f²)")
    s = 1 / (1 + np.exp(-x))
    add("sigmoid, f for f (1 − f)", lambda x: 1 / (1 + np.exp(-x)), x, np.diag(s * (1 - s)), np.diag(s), "1/(1 − f)")
    add("tanh, a full row instead of a diagonal", np.tanh, x, np.diag(1 - t**2), np.tile(1 - t**2, (5, 1)))
    add("tanh, not a diagonal but a vector", np.tanh, x, np.diag(1 - t**2), 1 - t**2, "diagonal")
    add("tanh, stale x", np.tanh, x, np.diag(1 - t**2), np.diag(1 - np.tanh(x + 0.05) ** 2))
    p = np.exp(x) / np.exp(x).sum()
    softmax = lambda x: np.exp(x - x.max()) / np.exp(x - x.max()).sum()
    add("softmax, −ppᵀ missing", softmax, x, np.diag(p) - np.outer(p, p), np.diag(p), "rank 1")
    only = np.diag(p * (1 - p))
    add("softmax, only the diagonal", softmax, x, np.diag(p) - np.outer(p, p), only, "only the diagonal")
    plus = np.diag(p) + np.outer(p, p)
    add("softmax, plus for minus", softmax, x, np.diag(p) - np.outer(p, p), plus, "rank 1")
    add("residual, identity missing", lambda x: x + np.tanh(x), x, np.diag(2 - t**2), np.diag(1 - t**2), "identity")
    add("relu at 0", lambda x: np.maximum(x, 0), np.array([0.0, 1.0, -2.0]), np.diag([0.0, 1, 0]), np.diag([1.5, 1, 0]),
        "convex hull")  # fmt: skip
    add("relu, always 1", lambda x: np.maximum(x, 0), x, np.diag((x > 0) * 1.0), np.eye(5))
    add("max, both at a tie", np.max, np.array([2.0, 2.0, 1.0]), [0.5, 0.5, 0], [1.0, 1, 0], "convex hull")
    add("max, neither at a tie", np.max, np.array([2.0, 2.0, 1.0]), [1.0, 0, 0], [0.0, 0, 0], "convex hull")
    add("abs, 1 for the sign", np.abs, x, np.diag(np.sign(x)), np.eye(5), "sign")
    add("log, x for 1/x", np.log, np.abs(x), np.diag(1 / np.abs(x)), np.diag(np.abs(x)), "x²")
    add("mean, factor N", np.mean, x, np.full(5, 0.2), np.ones(5), "N = 5")
    add("sum, factor 1/N", np.sum, x, np.ones(5), np.full(5, 0.2), "1/N")
    add("norm, not divided", np.linalg.norm, x, x / np.linalg.norm(x), x, "factor")
    z = np.array([1 + 2j, 0.5 - 1j, 2 + 0.3j])
    add("complex square, conjugated", lambda z: z**2, z, np.diag(2 * z), np.diag(2 * np.conj(z)), "conjugate")
    add("cumsum, upper for lower", np.cumsum, x, np.tril(np.ones((5, 5))), np.triu(np.ones((5, 5))), "transpose")
    centred = np.eye(5) - 0.2
    add("centring, mean forgotten", lambda x: x - x.mean(), x, centred, np.eye(5), "same number everywhere")


def _tensors() -> None:
    random = _random(12)
    A, B, x = random.normal(size=(3, 4)), random.normal(size=(4, 2)), random.normal(size=4)
    X, W = random.normal(size=(6, 4)), random.normal(size=(3, 4))
    by_A = np.einsum("im,n->imn", np.eye(3), x)
    add("∂(Ax)/∂A, δ missing", lambda A: A @ x, A, by_A, np.broadcast_to(x, (3, 3, 4)))
    fortran = by_A.reshape(3, 4, 3).transpose(0, 2, 1)
    add("∂(Ax)/∂A, Fortran order", lambda A: A @ x, A, by_A, by_A.transpose(0, 2, 1).reshape(3, 3, 4), "Fortran order")
    add("∂(Ax)/∂A, axes exchanged by reshape", lambda A: A @ x, A, by_A, fortran, "Fortran order")
    product = np.einsum("im,nj->ijmn", np.eye(3), B)
    C = random.normal(size=(3, 3))
    D = random.normal(size=(3, 3))
    square = np.einsum("im,nj->ijmn", np.eye(3), D)
    add("∂(AB)/∂A, Bᵀ for B", lambda C: C @ D, C, square, np.einsum("im,jn->ijmn", np.eye(3), D), "transpose")
    add("∂(AB)/∂A, sign of one block", lambda A: A @ B, A, product,
        np.where(np.arange(3)[:, None, None, None] == 1, -product, product), "sign")  # fmt: skip
    right = np.einsum("bc,ij->bicj", np.eye(6), W)
    add(
        "batch, block repeated", lambda X: X @ W.T, X, right, np.broadcast_to(W[None, :, None, :], right.shape), "batch"
    )
    by_W = np.einsum("ik,bl->bikl", np.eye(3), X)
    summed = np.broadcast_to(by_W.sum(axis=0), by_W.shape)
    add("batch, summed for blocks", lambda W: X @ W.T, W, by_W, summed, "summed over the batch")
    add("batch, summed shape", lambda W: X @ W.T, W, by_W, by_W.sum(axis=0), "summed over the batch")
    add("batch, averaged", lambda W: X @ W.T, W, by_W, np.broadcast_to(by_W.mean(axis=0), by_W.shape), "averaged")
    P = np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)
    both = np.einsum("bc,ij,bi->bicj", np.eye(6), np.eye(4), P)
    full = both - np.einsum("bc,bi,bj->bicj", np.eye(6), P, P)
    add("softmax of a batch, −ppᵀ missing",
        lambda X: np.exp(X) / np.exp(X).sum(axis=1, keepdims=True), X, full, both, "rank 1")  # fmt: skip
    coupled = np.einsum("bc,ij->bicj", np.eye(6), np.eye(4)) - np.einsum("bc,ij->bicj", np.ones((6, 6)), np.eye(4)) / 6
    blocks = np.einsum("bc,ij->bicj", np.eye(6), np.eye(4)) * 5 / 6
    add("batch mean, coupling forgotten", lambda X: X - X.mean(axis=0), X, coupled, blocks, "only the diagonal")
    inverse = np.linalg.inv(C)
    add("inverse, sign", np.linalg.inv, C, -np.einsum("ik,lj->ijkl", inverse, inverse),
        np.einsum("ik,lj->ijkl", inverse, inverse), "sign")  # fmt: skip
    add("inverse, indices exchanged", np.linalg.inv, C, -np.einsum("ik,lj->ijkl", inverse, inverse),
        -np.einsum("il,kj->ijkl", inverse, inverse), "permuted")  # fmt: skip
    add("determinant, transposed cofactors", np.linalg.det, C, np.linalg.det(C) * inverse.T, np.linalg.det(C) * inverse,
        "permuted")  # fmt: skip
    add("transpose of a matrix", lambda A: A.T, A, np.einsum("jk,il->ijkl", np.eye(3), np.eye(4)),
        np.einsum("jk,il->ijkl", np.eye(3), np.eye(4))[::-1], "flip")  # fmt: skip


def _convolutions() -> None:
    random = _random(13)
    signal, kernel = random.normal(size=9), random.normal(size=3)
    by_signal = np.array([[kernel[j - i] if 0 <= j - i < 3 else 0 for j in range(9)] for i in range(7)])
    flipped = np.array([[kernel[2 - (j - i)] if 0 <= j - i < 3 else 0 for j in range(9)] for i in range(7)])
    correlate = lambda signal: np.correlate(signal, kernel, "valid")
    add("correlation, kernel flipped", correlate, signal, by_signal, flipped, "flipped")
    image, weights = random.normal(size=(5, 6)), random.normal(size=(2, 3))
    windows = lambda image: np.lib.stride_tricks.sliding_window_view(image, (2, 3))
    by_weights = windows(image).copy()
    convolve = lambda weights: np.einsum("yxuv,uv->yx", windows(image), weights)
    add("convolution, kernel axes flipped", convolve, weights, by_weights, by_weights[..., ::-1, ::-1], "kernel axes")
    add("convolution, shifted by one", convolve, weights, by_weights, np.roll(by_weights, 1, axis=0), "rolled by one")
    blur = lambda v: (np.roll(v, 1) + v + np.roll(v, -1)) / 3
    ring = (np.eye(9) + np.roll(np.eye(9), 1, axis=1) + np.roll(np.eye(9), -1, axis=1)) / 3
    border = ring.copy()
    border[0, 8] = border[8, 0] = 0
    add("blur, border forgotten", blur, signal, ring, border, "border")
    padded = lambda v: np.convolve(v, [1.0, -2, 1], "same")
    laplace = -2 * np.eye(9) + np.eye(9, k=1) + np.eye(9, k=-1)
    reflected = laplace.copy()
    reflected[0, 0] = reflected[8, 8] = -1
    add("Laplace, another border condition", padded, signal, laplace, reflected, "border")


_dense()
_entrywise()
_tensors()
_convolutions()
