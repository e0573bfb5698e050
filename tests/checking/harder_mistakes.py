"""A second, harder set of mistakes with correct twins, written before the checker saw it; nothing is tuned on it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.checking.cases import Kind, Mistake

HARDER: list[Mistake] = []
eye, outer, einsum = np.eye, np.outer, np.einsum


def add(
    name: str, f: Callable[..., Any], x: Any, right: Any, wrong: Any, cause: str = "", *, kind: Kind = "jacobian",
    twin: Callable[..., Any] | None = None,
) -> None:  # fmt: skip
    HARDER.append(Mistake(name, f, x, right, wrong, cause, kind, twin))


def _random(seed: int) -> np.random.Generator:
    return np.random.default_rng(2000 + seed)


def _entrywise() -> None:
    """Derivatives of entrywise functions, each with what people write instead."""
    x = np.array([0.37, -1.23, 1.71, -0.58, 2.05])
    p = np.abs(x)
    s = lambda x: 1 / (1 + np.exp(-x))
    phi = lambda x: np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    softplus = lambda x: np.log1p(np.exp(x))
    silu = lambda x: x * s(x)
    table: list[tuple[str, Any, Any, Any, Any, str]] = [
        ("tanh, derivative at the output", np.tanh, x, 1 - np.tanh(x) ** 2, 1 - np.tanh(np.tanh(x)) ** 2, "output"),
        ("sigmoid, derivative at the output", s, x, s(x) * (1 - s(x)), s(s(x)) * (1 - s(s(x))), "output"),
        ("sin, derivative at the output", np.sin, x, np.cos(x), np.cos(np.sin(x)), "output"),
        ("exp, derivative at the output", np.exp, x, np.exp(x), np.exp(np.exp(x)), "output"),
        ("arctan, 1 + x for 1 + x²", np.arctan, x, 1 / (1 + x * x), 1 / (1 + x), ""),
        ("log10, ln 10 forgotten", np.log10, p, 1 / (p * math.log(10)), 1 / p, "factor"),
        ("2^x, ln 2 forgotten", lambda x: 2.0**x, x, 2.0**x * math.log(2), 2.0**x, "factor"),
        ("sqrt, ½ forgotten", np.sqrt, p, 0.5 / np.sqrt(p), 1 / np.sqrt(p), "2·D"),
        ("degrees, 180/π for π/180", np.deg2rad, x, np.full(5, math.pi / 180), np.full(5, 180 / math.pi), "factor"),
        ("x³, exponent not lowered", lambda x: x**3, x, 3 * x**2, 3 * x**3, "x"),
        ("1/x, sign", lambda x: 1 / x, x, -1 / x**2, 1 / x**2, "sign"),
        ("softplus, 1 − σ for σ", softplus, x, s(x), 1 - s(x), ""),
        ("SiLU, product rule forgotten", silu, x, s(x) + x * s(x) * (1 - s(x)), x * s(x) * (1 - s(x)), ""),
        ("Gauss, x forgotten", phi, x, -x * phi(x), -phi(x), "x"),
        ("cosh, sign of sinh", np.cosh, x, np.sinh(x), -np.sinh(x), "sign"),
        ("log1p, 1/x", np.log1p, p, 1 / (1 + p), 1 / p, ""),
        ("|x|³, sign forgotten", lambda x: np.abs(x) ** 3, x, 3 * x * np.abs(x), 3 * x * x, "sign"),
        ("clip, derivative 1 outside", lambda x: np.clip(x, -1, 1), x, (np.abs(x) < 1) * 1.0, np.ones(5), ""),
        ("leaky ReLU, slope on the wrong side", lambda x: np.where(x > 0, x, 0.1 * x), x, np.where(x > 0, 1, 0.1),
         np.where(x > 0, 0.1, 1), ""),
        ("ELU, −1 forgotten", lambda x: np.where(x > 0, x, np.expm1(x)), x, np.where(x > 0, 1, np.exp(x)),
         np.where(x > 0, 1, np.expm1(x)), ""),
    ]  # fmt: skip
    for name, f, at, right, wrong, cause in table:
        add(name, f, at, np.diag(right), np.diag(wrong), cause)
    add("tanh, given as a vector", np.tanh, x, np.diag(1 - np.tanh(x) ** 2), 1 - np.tanh(x) ** 2, "diagonal")
    add("one entry in a million off by 1e-4", np.exp, x, np.diag(np.exp(x)),
        np.diag(np.exp(x) * (1 + 1e-4 * (np.arange(5) == 3))), "1 of 25")  # fmt: skip
    add("a NaN off the diagonal", np.exp, x, np.diag(np.exp(x)), np.diag(np.exp(x)) + np.where(eye(5, k=2), np.nan, 0),
        "NaN")  # fmt: skip
    mixed = np.array([1e-7, 1.0, 1e7])
    add("small column wrong among large ones", lambda x: np.array([x.sum(), x[0] * 1e3]), mixed,
        [[1.0, 1, 1], [1e3, 0, 0]], [[1.0, 1, 1], [1.01e3, 0, 0]], "1 of 6")  # fmt: skip
    add("small column zero among large ones", lambda x: 1e-9 * x[0] + x[1] * x[2], np.array([2.0, 3.0, 5.0]),
        [1e-9, 5, 3], [0.0, 5, 3], "zero")  # fmt: skip
    add("doubled entry among mixed scales", lambda x: x * np.array([1e-8, 1, 1e8]), np.ones(3) * 1.3,
        np.diag([1e-8, 1, 1e8]), np.diag([2e-8, 1, 1e8]), "1 of 9")  # fmt: skip


def _matrices() -> None:
    """Matrix calculus: transposes, Kronecker products, conventions for symmetric matrices."""
    r = _random(1)
    A, B, C = r.normal(size=(3, 3)), r.normal(size=(3, 3)), r.normal(size=(2, 3))
    S = A + A.T + 6 * eye(3)
    X, v, w = r.normal(size=(3, 3)), r.normal(size=3), r.normal(size=3)
    inverse = np.linalg.inv(S)
    add("log det, symmetric convention", lambda X: np.linalg.slogdet(X)[1], S, inverse.T,
        2 * inverse - np.diag(np.diag(inverse)), "symmetric")  # fmt: skip
    add(
        "vᵀXv, symmetric convention", lambda X: v @ X @ v, S, outer(v, v), 2 * outer(v, v) - np.diag(v * v), "symmetric"
    )
    add("tr XᵀX, symmetric convention", lambda X: np.trace(X.T @ X), S, 2 * S, 4 * S - np.diag(2 * np.diag(S)),
        "symmetric")  # fmt: skip
    add("tr(AX), transpose", lambda X: np.trace(A @ X), X, A.T, A, "permuted")
    add("vᵀXw, arguments exchanged", lambda X: v @ X @ w, X, outer(v, w), outer(w, v), "permuted")
    add("AXB by the row convention", lambda X: A @ X @ B, X, einsum("im,nj->ijmn", A, B),
        np.kron(B, A.T).reshape(3, 3, 3, 3), "Kronecker")  # fmt: skip
    add("kron(A, X), factors exchanged", lambda X: np.kron(A, X), C,
        _kron_by_second(A, C), _kron_by_first(A, C), "Kronecker")  # fmt: skip
    add("X ⊗ b flattened, factors exchanged", lambda v: np.kron(v, w), v, np.kron(eye(3), w[:, None]),
        np.kron(w[:, None], eye(3)), "Kronecker")  # fmt: skip
    add("matrix square, one side forgotten", lambda X: X @ X, X,
        einsum("im,nj->ijmn", eye(3), X) + einsum("im,nj->ijmn", X, eye(3)),
        einsum("im,nj->ijmn", eye(3), X))  # fmt: skip
    add("matrix square, 2X", lambda X: X @ X, X,
        einsum("im,nj->ijmn", eye(3), X) + einsum("im,nj->ijmn", X, eye(3)),
        2 * einsum("im,nj->ijmn", X, eye(3)))  # fmt: skip
    add("XXᵀ, XᵀX taken", lambda X: X @ X.T, X,
        einsum("im,jn->ijmn", eye(3), X) + einsum("jm,in->ijmn", eye(3), X),
        einsum("im,nj->ijmn", eye(3), X) + einsum("jm,ni->ijmn", eye(3), X))  # fmt: skip
    Y = np.linalg.inv(X)
    add("inverse, Yᵀ for Y", np.linalg.inv, X, -einsum("im,nj->ijmn", Y, Y), -einsum("mi,jn->ijmn", Y, Y), "permuted")
    add("determinant, det forgotten", np.linalg.det, X, np.linalg.det(X) * Y.T, Y.T, "factor")
    add("Frobenius norm, squared", np.linalg.norm, X, X / np.linalg.norm(X), 2 * X, "factor")
    add("solve, sign by A", lambda A: np.linalg.solve(A, v), S, -einsum("im,n->imn", inverse, inverse @ v),
        einsum("im,n->imn", inverse, inverse @ v), "sign")  # fmt: skip
    add("solve, x for y", lambda A: np.linalg.solve(A, v), S, -einsum("im,n->imn", inverse, inverse @ v),
        -einsum("im,n->imn", inverse, v), "")  # fmt: skip
    add("Ax by A, columns for rows", lambda A: A @ v, A, einsum("im,n->imn", eye(3), v), einsum("in,m->imn", eye(3), v),
        "permuted")  # fmt: skip
    add("Ax by A, flattened by columns", lambda A: A @ v, A, einsum("im,n->imn", eye(3), v),
        einsum("im,n->imn", eye(3), v).reshape(3, 9)[:, np.arange(9).reshape(3, 3).T.reshape(-1)]
        .reshape(3, 3, 3), "Fortran")  # fmt: skip
    add(
        "Ax by A, given as a matrix", lambda A: A @ v, A, einsum("im,n->imn", eye(3), v), np.kron(eye(3), v), "reshaped"
    )
    add("Ax by A, given as a matrix by columns", lambda A: A @ v, A, einsum("im,n->imn", eye(3), v), np.kron(v, eye(3)),
        "Fortran")  # fmt: skip
    add("denominator layout", lambda v: C @ v, v, C, C.T, "transpose")
    add("Rayleigh quotient, denominator forgotten", lambda v: v @ S @ v / (v @ v), v,
        2 * (S @ v / (v @ v) - v * (v @ S @ v) / (v @ v) ** 2), 2 * S @ v / (v @ v))  # fmt: skip
    add("cross product, order", lambda v: np.cross(v, w), v, _cross(w), -_cross(w), "sign")
    add("outer product, other argument", lambda v: outer(v, w), v, einsum("im,j->ijm", eye(3), w),
        einsum("jm,i->ijm", eye(3), w), "permuted")  # fmt: skip
    add("trace, all ones", np.trace, X, eye(3), np.ones((3, 3)))
    add("expm by series, first order only", _exponential, 0.3 * A, _exponential_jacobian(0.3 * A),
        einsum("im,nj->ijmn", eye(3), _exponential(0.3 * A)))  # fmt: skip


def _kron_by_second(A: Any, C: Any) -> Any:
    J = einsum("ik,jm,ln->ijklmn", A, eye(C.shape[0]), eye(C.shape[1]))
    return J.reshape(A.shape[0] * C.shape[0], A.shape[1] * C.shape[1], *C.shape)


def _kron_by_first(A: Any, C: Any) -> Any:
    J = einsum("ik,jm,ln->jilkmn", A, eye(C.shape[0]), eye(C.shape[1]))
    return J.reshape(A.shape[0] * C.shape[0], A.shape[1] * C.shape[1], *C.shape)


def _cross(w: Any) -> Any:
    return np.array([[0, w[2], -w[1]], [-w[2], 0, w[0]], [w[1], -w[0], 0]])


def _exponential(A: Any) -> Any:
    total = term = eye(len(A))
    for k in range(1, 19):
        term = term @ A / k
        total = total + term
    return total


def _exponential_jacobian(A: Any) -> Any:
    powers = [eye(len(A))]
    for _ in range(19):
        powers.append(powers[-1] @ A)
    total = np.zeros((len(A),) * 4)
    for k in range(1, 19):
        for m in range(k):
            total = total + einsum("im,nj->ijmn", powers[m], powers[k - 1 - m]) / math.factorial(k)
    return total


def _networks() -> None:
    """Backward passes of the usual layers."""
    r = _random(2)
    X, g = r.normal(size=(5, 3)) + 0.3, r.normal(size=3)
    N = len(X)
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    Z = (X - mean) / deviation
    normal = lambda X: g * (X - X.mean(axis=0)) / X.std(axis=0)
    delta, channel = eye(N), eye(3)
    full = einsum("bc,ij->bicj", delta - 1 / N, channel) - einsum("bi,ci,ij->bicj", Z, Z, channel) / N
    right = einsum("bicj,i,i->bicj", full, g, 1 / deviation)
    no_mean = einsum("bc,ij->bicj", delta, channel) - einsum("bi,ci,ij->bicj", Z, Z, channel) / N
    no_n = einsum("bc,ij->bicj", delta - 1, channel) - einsum("bi,ci,ij->bicj", Z, Z, channel)
    no_variance = einsum("bc,ij->bicj", delta - 1 / N, channel) + 0 * full
    scale = lambda J: einsum("bicj,i,i->bicj", J, g, 1 / deviation)
    add("batch norm, 1/N missing", normal, X, right, scale(no_n), "1/N")
    add("batch norm, mean held constant", normal, X, right, scale(no_mean))
    add("batch norm, variance held constant", normal, X, right, scale(no_variance))
    add(
        "batch norm, statistics held constant",
        normal,
        X,
        right,
        scale(einsum("bc,ij->bicj", delta, channel)),
        "diagonal",
    )
    add("batch norm, gamma forgotten", normal, X, right, einsum("bicj,i->bicj", full, 1 / deviation))
    add("batch norm, N − 1 for N", normal, X, right, scale(
        einsum("bc,ij->bicj", delta - 1 / N, channel) - einsum("bi,ci,ij->bicj", Z, Z, channel) / (N - 1)))  # fmt: skip
    x = r.normal(size=6)
    layer_norm = lambda x: (x - x.mean()) / np.sqrt(x.var() + 1e-5)
    d, z = math.sqrt(x.var() + 1e-5), layer_norm(x)
    J = (eye(6) - 1 / 6 - outer(z, z) / 6) / d
    add("layer norm, projection forgotten", layer_norm, x, J, (eye(6) - 1 / 6) / d, "rank 1")
    add("layer norm, mean forgotten", layer_norm, x, J, (eye(6) - outer(z, z) / 6) / d, "same number")
    add("layer norm, variance for deviation", layer_norm, x, J, J / d, "factor")
    q = np.exp(x - x.max()) / np.exp(x - x.max()).sum()
    add("log-softmax, p on the wrong axis", lambda x: x - np.log(np.exp(x).sum()), x, eye(6) - q, eye(6) - q[:, None],
        "transpose")  # fmt: skip
    target = eye(6)[2]
    add("cross-entropy, target forgotten", lambda x: np.log(np.exp(x).sum()) - x[2], x, q - target, q, "1 of 6")
    add("cross-entropy, sign", lambda x: np.log(np.exp(x).sum()) - x[2], x, q - target, target - q, "sign")
    add(
        "squared error, mean for sum",
        lambda x: np.sum((x - target) ** 2),
        x,
        2 * (x - target),
        2 * (x - target) / 6,
        "1/N",
    )
    W, U, b = r.normal(size=(3, 3)) * 0.7, r.normal(size=(3, 2)), r.normal(size=3)
    T = 5
    inputs = r.normal(size=(T, 2))

    def rnn(inputs: Any) -> Any:
        h = np.zeros(3)
        for row in inputs:
            h = np.tanh(W @ h + U @ row + b)
        return h

    states = [np.zeros(3)]
    for row in inputs:
        states.append(np.tanh(W @ states[-1] + U @ row + b))
    by_input = np.zeros((3, T, 2))
    for t in range(T):
        J = (1 - states[t + 1] ** 2)[:, None] * U
        for later in range(t + 2, T + 1):
            J = (1 - states[later] ** 2)[:, None] * W @ J
        by_input[:, t] = J
    for steps in (1, 2, 3):
        cut = by_input.copy()
        cut[:, : T - steps] = 0
        add(f"recurrent net, truncated after {steps} steps", rnn, inputs, by_input, cut, "truncated")
    shifted = np.roll(by_input, 1, axis=1)
    add("recurrent net, time shifted by one", rnn, inputs, by_input, shifted, "rolled by one")
    forgotten = np.stack(
        [(1 - states[T] ** 2)[:, None] * np.linalg.matrix_power(W, T - 1 - t) @ U for t in range(T)], 1
    )
    add("recurrent net, inner tanh forgotten", rnn, inputs, by_input, forgotten)
    by_W = _rnn_by_w(W, U, b, inputs, T)
    add("recurrent net by W, last step only", lambda W: _rnn(W, U, b, inputs), W, by_W, _rnn_by_w(W, U, b, inputs, 1))
    add("recurrent net by W, two steps", lambda W: _rnn(W, U, b, inputs), W, by_W, _rnn_by_w(W, U, b, inputs, 2))
    Q, K = r.normal(size=(4, 3)), r.normal(size=(4, 3))
    scores = lambda Q: Q @ K.T / math.sqrt(3)
    add("attention scores, √d forgotten", scores, Q, einsum("im,jn->ijmn", eye(4), K) / math.sqrt(3),
        einsum("im,jn->ijmn", eye(4), K), "factor")  # fmt: skip
    add("attention scores, d for √d", scores, Q, einsum("im,jn->ijmn", eye(4), K) / math.sqrt(3),
        einsum("im,jn->ijmn", eye(4), K) / 3, "factor")  # fmt: skip
    soft = lambda Q: _softmax(scores(Q))
    P = soft(Q)
    local = einsum("ij,jk->ijk", P, eye(4)) - einsum("ij,ik->ijk", P, P)
    J = einsum("ijk,im,kn->ijmn", local, eye(4), K) / math.sqrt(3)
    add("attention, rows of the softmax coupled", soft, Q, J,
        einsum("ijk,kn->ijn", local, K)[:, :, None] * np.ones((1, 1, 4, 1)) / math.sqrt(3),
        "batch")  # fmt: skip
    add("attention, −ppᵀ forgotten", soft, Q, J, einsum("ij,im,jn->ijmn", P, eye(4), K) / math.sqrt(3))
    image = r.normal(size=(6, 6))
    pool = lambda x: x.reshape(3, 2, 3, 2).mean(axis=(1, 3))
    by_image = einsum("ac,bd,uv->abcudv", eye(3), eye(3), np.ones((2, 2)))
    by_image = by_image.reshape(3, 3, 6, 6) / 4
    add("average pooling, 1/4 forgotten", pool, image, by_image, 4 * by_image, "4")
    add("max pooling, whole window", lambda x: x.reshape(3, 2, 3, 2).max(axis=(1, 3)), image,
        4 * by_image * (image == np.kron(image.reshape(3, 2, 3, 2).max(axis=(1, 3)), np.ones((2, 2)))),
        4 * by_image)  # fmt: skip
    y = r.normal(size=7)
    add(
        "circular shift, wrong way", lambda y: np.roll(y, 1), y, np.roll(eye(7), 1, axis=0), np.roll(eye(7), -1, axis=0)
    )
    add("difference, sign of one", np.diff, y, eye(6, 7, k=1) - eye(6, 7), eye(6, 7, k=1) + eye(6, 7))
    add(
        "cumulative product, last factor kept",
        np.cumprod,
        y,
        _cumprod(y),
        np.tril(np.cumprod(y)[:, None] * np.ones(7)),
        "x",
    )
    add("maximum of two, both", lambda y: np.maximum(y[:3], y[3:6]), y, _maximum(y), eye(3, 7) + eye(3, 7, k=3))
    add("sorted, not permuted", np.sort, y, eye(7)[np.argsort(y)], eye(7), "index swap")
    add("sorted, inverse permutation", np.sort, y, eye(7)[np.argsort(y)], eye(7)[np.argsort(y)].T, "transpose")
    add("variance, N − 1 for N", np.var, y, 2 * (y - y.mean()) / 7, 2 * (y - y.mean()) / 6, "factor")
    add("norm, squared norm in the denominator", lambda y: y / np.linalg.norm(y), y,
        eye(7) / np.linalg.norm(y) - outer(y, y) / np.linalg.norm(y) ** 3,
        eye(7) / np.linalg.norm(y) - outer(y, y) / np.linalg.norm(y) ** 2, "rank 1")  # fmt: skip
    add("gather, scattered twice", lambda y: y[[0, 2, 2]], y, eye(7)[[0, 2, 2]], 2 * eye(7)[[0, 2, 2]], "2·D")
    add(
        "log-sum-exp, not normalised",
        lambda y: np.log(np.exp(y).sum()),
        y,
        np.exp(y) / np.exp(y).sum(),
        np.exp(y),
        "factor",
    )


def _softmax(z: Any) -> Any:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _rnn(W: Any, U: Any, b: Any, inputs: Any) -> Any:
    h = np.zeros(len(b))
    for row in inputs:
        h = np.tanh(W @ h + U @ row + b)
    return h


def _rnn_by_w(W: Any, U: Any, b: Any, inputs: Any, steps: int) -> Any:
    """∂h_T/∂W, of the last steps only."""
    h, J = np.zeros(len(b)), np.zeros((len(b), *W.shape))
    for t, row in enumerate(inputs):
        new = np.tanh(W @ h + U @ row + b)
        own = einsum("im,n->imn", eye(len(b)), h) if t >= len(inputs) - steps else 0
        J = (1 - new**2)[:, None, None] * (np.tensordot(W, J, 1) + own)
        h = new
    return J


def _cumprod(y: Any) -> Any:
    return np.tril(np.cumprod(y)[:, None] / y)


def _maximum(y: Any) -> Any:
    first = (y[:3] > y[3:6])[:, None]
    return np.where(first, eye(3, 7), eye(3, 7, k=3))


def _complex() -> None:
    """Functions of complex numbers; where there is no complex derivative, whatever is claimed is wrong."""
    r = _random(3)
    z = r.normal(size=3) + 1j * r.normal(size=3)
    M = r.normal(size=(3, 3)) + 1j * r.normal(size=(3, 3))
    diagonal = np.diag
    none = [
        ("conj z claimed 1", np.conj, lambda z: z, eye(3), eye(3)),
        ("|z|² claimed 2 Re z", lambda z: (z * np.conj(z)).real, lambda z: z**2, diagonal(2 * z), diagonal(2 * z.real)),
        ("|z|² claimed 2z", lambda z: np.abs(z) ** 2, lambda z: z**2, diagonal(2 * z), diagonal(2 * z)),
        ("|z|² claimed conj z", lambda z: np.abs(z) ** 2, lambda z: z**2, diagonal(2 * z), diagonal(np.conj(z))),
        ("|z| claimed Re z/|z|", np.abs, lambda z: z**3, diagonal(3 * z**2), diagonal(z.real / np.abs(z))),
        ("|z| claimed z/|z|", np.abs, lambda z: z**3, diagonal(3 * z**2), diagonal(z / np.abs(z))),
        ("Re z claimed 1", np.real, lambda z: z + 1, eye(3), eye(3)),
        ("Re z claimed ½", np.real, lambda z: z / 2, eye(3) / 2, eye(3) / 2),
        ("Im z claimed 0", np.imag, lambda z: 0 * z, 0 * eye(3), 0 * eye(3)),
        ("phase claimed 0", np.angle, lambda z: 0 * z, 0 * eye(3), 0 * eye(3)),
        ("conj inside a sum", lambda z: np.sum(z * z + 0.1 * np.conj(z)), lambda z: np.sum(z * z + 0.1 * z),
         2 * z + 0.1,
         2 * z + 0.1),
        ("Mz + conj z", lambda z: M @ z + np.conj(z), lambda z: M @ z + z, M + eye(3), M + eye(3)),
        ("zᴴz", lambda z: np.vdot(z, z), lambda z: z @ z, 2 * z, np.conj(z)),
        ("zᴴMz", lambda z: np.vdot(z, M @ z), lambda z: z @ M @ z, (M + M.T) @ z, np.conj(z) @ M),
    ]  # fmt: skip
    for name, f, twin, right, wrong in none:
        add(name, f, z, right, wrong, "holomorphic", twin=twin)
    add("Mz, Hermitian transpose", lambda z: M @ z, z, M, M.conj().T, "Hermitian")
    add("Mz, transpose", lambda z: M @ z, z, M, M.T, "transpose")
    add("Mz, conjugate", lambda z: M @ z, z, M, M.conj(), "conjugate")
    add("exp(iz), i lost", lambda z: np.exp(1j * z), z, diagonal(1j * np.exp(1j * z)), diagonal(np.exp(1j * z)), "i")
    add(
        "exp(iz), −i",
        lambda z: np.exp(1j * z),
        z,
        diagonal(1j * np.exp(1j * z)),
        diagonal(-1j * np.exp(1j * z)),
        "sign",
    )
    add("exp(ix) of real x, i lost", lambda x: np.exp(1j * x), z.real, diagonal(1j * np.exp(1j * z.real)),
        diagonal(np.exp(1j * z.real)), "i")  # fmt: skip
    add("sin z, conjugated", np.sin, z, diagonal(np.cos(z)), diagonal(np.conj(np.cos(z))), "conjugate")
    add("log z, real part", np.log, z, diagonal(1 / z), diagonal((1 / z).real))
    add("Fourier matrix, inverse", np.fft.fft, z, np.fft.fft(eye(3)), np.fft.ifft(eye(3)))
    add(
        "Fourier matrix, sign of the exponent",
        np.fft.fft,
        z,
        np.fft.fft(eye(3)),
        np.conj(np.fft.fft(eye(3))),
        "conjugate",
    )
    add("zᵀMz, Hermitian part", lambda z: z @ M @ z, z, (M + M.T) @ z, (M + M.conj().T) @ z)


def _hidden() -> None:
    """Mistakes that large steps, one direction or one output do not show."""
    for amplitude, frequency in ((1e-5, 1e4), (1e-8, 1e8), (1e-6, 1e5), (1e-4, 3e3), (1e-7, 1e6), (3e-9, 1e8)):
        f = lambda x, a=amplitude, w=frequency: x + a * np.sin(w * x)
        at = 0.7
        true = 1 + amplitude * frequency * math.cos(frequency * at)
        add(f"ripple of {amplitude:g}, frequency {frequency:g}", f, at, true, 1.0)
    r = _random(4)
    A, x = r.normal(size=(4, 3)), r.normal(size=3)
    J = (1 - np.tanh(A @ x) ** 2)[:, None] * A
    big = J.copy()
    big[3, 1] += 1e-3 * abs(big[3, 1])
    add("one entry off by a thousandth", lambda x: np.tanh(A @ x), x, J, big, "1 of 12")
    tiny = lambda x: np.array([1e6 * x[0], x[1] * x[2]])
    add(
        "small row beside a large one",
        tiny,
        x,
        [[1e6, 0, 0], [0, x[2], x[1]]],
        [[1e6, 0, 0], [0, x[2], 1.01 * x[1]]],
        "1 of 6",
    )
    cancel = np.zeros((4, 3))
    cancel[0] = [x[1], -x[0], 0]
    add("errors that cancel along x", lambda x: np.tanh(A @ x), x, J, J + cancel)
    zero = np.zeros((4, 3))
    zero[:, 2] = J[:, 2]
    add("a column lost", lambda x: np.tanh(A @ x), x, J, J - zero, "zero columns")
    add("a row lost", lambda x: np.tanh(A @ x), x, J, J * (np.arange(4) != 1)[:, None], "zero rows")
    step = lambda x: np.where(x[0] > 10, 0.0, 1.0) * (x @ x)
    add("branch not taken", step, x, 2 * x, 0 * x, "zero")
    size = 40
    B, y = r.normal(size=(size, size)) / 6, r.normal(size=size)
    K = (1 - np.tanh(B @ y) ** 2)[:, None] * B
    for k, (row, column) in enumerate([(0, 0), (39, 39), (17, 4), (4, 17)]):
        wrong = K.copy()
        wrong[row, column] *= 1.01
        add(f"one of 1600 off by a hundredth, {k}", lambda y: np.tanh(B @ y), y, K, wrong, f"[{row}, {column}]")
    add("rows 3 and 30 exchanged", lambda y: np.tanh(B @ y), y, K, K[_exchanged(size, 3, 30)], "index swap")
    add("columns 3 and 30 exchanged", lambda y: np.tanh(B @ y), y, K, K[:, _exchanged(size, 3, 30)], "index swap")
    half = K.copy()
    half[20:] *= 2
    add("second half doubled", lambda y: np.tanh(B @ y), y, K, half, "2·D")
    last = K.copy()
    last[:, -1] = 0
    add("last column off by one", lambda y: np.tanh(B @ y), y, K, last, "zero columns")
    add("single precision in the claim is no mistake", lambda y: np.tanh(B @ y), y, K.astype(np.float32),
        (1.01 * K).astype(np.float32), "factor")  # fmt: skip


def _exchanged(size: int, one: int, other: int) -> Any:
    order = np.arange(size)
    order[[one, other]] = other, one
    return order


class _Noisy:
    def __init__(self, level: float) -> None:
        self.level, self.random = level, np.random.default_rng(77)

    def __call__(self, x: Any) -> Any:
        return x**2 + self.level * self.random.uniform(-1, 1)


def _noise() -> None:
    for level, off in ((1e-8, 1.01), (1e-5, 1.05), (1e-4, 1.1), (1e-3, 1.1), (1e-3, 1.5), (1e-2, 2.0)):
        add(f"noise of {level:g}, {off:g} times", _Noisy(level), 1.2, 2.4, 2.4 * off)
    r = _random(5)
    A, x = r.normal(size=(4, 3)).astype(np.float32), r.normal(size=3)
    J = (1 - np.tanh(A @ x) ** 2)[:, None] * A
    add("float32 inside, 1 % off", lambda x: np.tanh(A @ x.astype(np.float32)), x, J, 1.01 * J, "factor")
    add("float32 inside, sign", lambda x: np.tanh(A @ x.astype(np.float32)), x, J, -J, "sign")
    add("float16 inside, factor 2", lambda x: np.float16(x) * np.float16(x), 1.3, 2.6, 5.2)


def _kinks() -> None:
    relu = lambda x: np.maximum(x, 0)
    at = np.array([0.0, 1.5, -0.5])
    add("ReLU at 0, −1", relu, at, np.diag([0.0, 1, 0]), np.diag([-1.0, 1, 0]), "hull")
    add("ReLU at 0, right there and wrong elsewhere", relu, at, np.diag([0.5, 1, 0]), np.diag([0.5, 1, 0.5]), "1 of 9")
    add("|x| at 0, 1.01", np.abs, 0.0, 0.3, 1.01, "hull")
    add("ℓ2 norm at 0, too long", np.linalg.norm, np.zeros(3), [0.6, 0, 0.8], [1.0, 0, 1.0], "hull")
    add("ℓ1 norm at 0, 2", lambda x: np.abs(x).sum(), np.zeros(2), [1.0, -1.0], [2.0, -1.0], "hull")
    add("ℓ∞ norm at a tie, both", lambda x: np.abs(x).max(), np.array([1.0, -1.0]), [0.5, -0.5], [1.0, -1.0], "hull")
    add("median at a tie, twice", np.max, np.array([3.0, 3.0]), [0.25, 0.75], [0.75, 0.75], "hull")
    add("hinge at its corner", lambda x: np.maximum(0, 1 - x), 1.0, -0.5, 0.5, "hull")
    add("sqrt at 0, finite", np.sqrt, 0.0, math.inf, 1e3)
    add("|x| + x², slope of x² wrong", lambda x: np.abs(x) + x * x, 0.5, 2.0, 1.5)


def _exceptions() -> None:
    """Functions that raise near x, or have no value there."""
    for error in (RuntimeError, KeyError, IndexError, AssertionError, TypeError, _OutOfRange):
        add(f"raises {error.__name__} above 1.3, 1 % off", _bounded(error), 1.3, 3 * 1.3**2, 1.01 * 3 * 1.3**2)
    add("changes its shape above 1, factor 2", lambda x: x * x if x[0] <= 1 else np.append(x, x), np.array([1.0, 0.5]),
        np.diag([2.0, 1.0]), np.diag([4.0, 2.0]), "2·D")  # fmt: skip
    add("3x at 1e-310", lambda x: 3 * x, 1e-310, 3.0, 2.0, "factor")
    wide = np.array([1e-300, 1e-100, 1.0, 1e100, 1e300])
    add(
        "log over 600 orders, one wrong",
        np.log,
        wide,
        np.diag(1 / wide),
        np.diag([1e300, 2e100, 1, 1e-100, 1e-300]),
        "1 of 25",
    )
    add("√ over 600 orders, factor 2", np.sqrt, wide, np.diag(0.5 / np.sqrt(wide)), np.diag(1 / np.sqrt(wide)), "2·D")
    add(
        "x log x at 0, finite", lambda x: np.where(x == 0, 0.0, x * np.log(np.where(x == 0, 1, x))), 0.0, -math.inf, 1.0
    )
    add(
        "x log x at 0, +∞",
        lambda x: np.where(x == 0, 0.0, x * np.log(np.where(x == 0, 1, x))),
        0.0,
        -math.inf,
        math.inf,
    )


class _OutOfRange(Exception):
    pass


def _bounded(error: type[Exception]) -> Callable[[Any], Any]:
    def cube(x: Any) -> Any:
        if x > 1.3:
            raise error("outside")
        return x**3

    return cube


class _Reused:
    """A backward pass that returns one buffer again and again."""

    def __init__(self, A: Any, factor: float = 1.0) -> None:
        self.A, self.factor, self.buffer = A, factor, np.zeros(A.shape[1])

    def __call__(self, x: Any, u: Any) -> Any:
        np.matmul(u, self.factor * self.A, out=self.buffer)
        return self.buffer


class _Accumulated(_Reused):
    """A backward pass that adds to what it returned before."""

    def __call__(self, x: Any, u: Any) -> Any:
        self.buffer = self.buffer + u @ self.A
        return self.buffer


class _Jacobian:
    """A Jacobian that is added up over the calls."""

    def __init__(self, J: Any) -> None:
        self.J, self.total = J, 0 * J

    def __call__(self, x: Any) -> Any:
        self.total = self.total + self.J
        return self.total


def _products() -> None:
    """Backward and forward passes."""
    r = _random(6)
    A, x, h = r.normal(size=(4, 3)), r.normal(size=3), np.tanh
    f = lambda x: A @ x
    g = lambda x: h(A @ x)
    d = lambda x: 1 - h(A @ x) ** 2
    add("vjp, returned in one buffer, factor", f, x, _Reused(A), _Reused(A, 2.0), "2·D", kind="vjp")
    add("vjp, accumulated over calls", f, x, lambda x, u: u @ A, _Accumulated(A), "calls", kind="vjp")
    add("J, accumulated over calls", f, x, lambda x: A, _Jacobian(A), "calls")
    add("vjp, tuple of one, sign", f, x, lambda x, u: (u @ A,), lambda x, u: (-u @ A,), "sign", kind="vjp")
    add(
        "vjp, derivative at the output",
        g,
        x,
        lambda x, u: (u * d(x)) @ A,
        lambda x, u: (u * (1 - h(g(x)) ** 2)) @ A,
        kind="vjp",
    )
    add("vjp, u forgotten", g, x, lambda x, u: (u * d(x)) @ A, lambda x, u: d(x) @ A, "linear", kind="vjp")
    add("vjp, u squared", g, x, lambda x, u: (u * d(x)) @ A, lambda x, u: (u * u * d(x)) @ A, "linear", kind="vjp")
    add("jvp, affine in h", g, x, lambda x, t: d(x) * (A @ t), lambda x, t: d(x) * (A @ t) + 0.01, "linear", kind="jvp")
    add("jvp, sign", g, x, lambda x, t: d(x) * (A @ t), lambda x, t: -d(x) * (A @ t), "sign", kind="jvp")
    add("jvp, tanh forgotten", g, x, lambda x, t: d(x) * (A @ t), lambda x, t: A @ t, kind="jvp")
    add("jvp, primal returned", g, x, lambda x, t: d(x) * (A @ t), lambda x, t: g(x + 0 * t), "linear", kind="jvp")
    add(
        "vjp, last output dropped",
        g,
        x,
        lambda x, u: (u * d(x)) @ A,
        lambda x, u: (u[:3] * d(x)[:3]) @ A[:3],
        "zero rows",
        kind="vjp",
    )
    B = r.normal(size=(3, 3))
    add(
        "vjp, transpose of a square matrix",
        lambda x: B @ x,
        x,
        lambda x, u: u @ B,
        lambda x, u: B @ u,
        "transpose",
        kind="vjp",
    )
    add(
        "jvp, transpose of a square matrix",
        lambda x: B @ x,
        x,
        lambda x, t: B @ t,
        lambda x, t: t @ B,
        "transpose",
        kind="jvp",
    )
    X = r.normal(size=(4, 3))
    P = r.normal(size=(3, 2))
    add(
        "vjp of a product, batch averaged",
        lambda P: X @ P,
        P,
        lambda P, u: X.T @ u,
        lambda P, u: X.T @ u / 4,
        "1/N",
        kind="vjp",
    )
    add(
        "vjp of a broadcast, sum forgotten",
        lambda b: X + b,
        x,
        lambda b, u: u.sum(axis=0),
        lambda b, u: u[0],
        kind="vjp",
    )
    add("J without return", f, x, A, None, "return")
    add("J is NaN everywhere", f, x, A, np.full((4, 3), np.nan), "NaN")
    add("J flattened by columns", f, x, A, A.reshape(-1, order="F"), "Fortran")
    add("J flattened", f, x, A, A.reshape(-1), "reshaped")
    add("J transposed and flattened into shape", f, x, A, A.T.reshape(4, 3), "transpose")


_entrywise()
_matrices()
_networks()
_complex()
_hidden()
_noise()
_kinks()
_exceptions()
_products()
