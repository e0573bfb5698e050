"""Polynomials given by their coefficients, the highest power first, as ``np.polyval`` has them; and ``np.vander``.

The functions of ``np.polynomial`` compute with what they get, so they need no rules; their coefficients must be plain.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobians.core.applying import apply
from jacobians.core.rules import refuse, rule
from jacobians.core.traced import Traced
from jacobians.functions.assembling import whole
from jacobians.functions.constants import plain
from jacobians.layers.affine import PolynomialValue


def _coefficients(p: Any) -> Any:
    """The coefficients as an array of one axis."""
    if isinstance(p, np.poly1d):
        return p.coeffs
    p = whole(p)
    return np.atleast_1d(p) if isinstance(p, Traced) else np.atleast_1d(np.asarray(p))


@rule(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    """The value of a polynomial."""
    if isinstance(x, np.poly1d):
        refuse("np.polyval of a polynomial at a polynomial", "multiply the coefficients with np.polymul")
    p, x = _coefficients(p), whole(x)
    if p.ndim > 1:  # every row is a coefficient
        y: Any = np.zeros(())
        for row in p:
            y = y * x + row
        return y
    return apply(PolynomialValue(), p, x, output=np.asarray(np.polyval(plain(p), plain(x))))


@rule(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of every entry as a row."""
    x = whole(x)
    powers = np.arange(x.shape[0] if N is None else N)
    return x[:, None] ** (powers if increasing else powers[::-1])


@rule(np.polyder)
def polyder(p: Any, m: int = 1) -> Any:
    """The derivative of a polynomial."""
    p = _coefficients(p)
    for _ in range(int(m)):
        p = p[:-1] * np.arange(p.shape[0] - 1, 0, -1)
    return p


@rule(np.polyint)
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """The integral of a polynomial, with the constants k."""
    p, m = _coefficients(p), int(m)
    constants = np.zeros(m) if k is None else whole(k)
    constants = constants if isinstance(constants, Traced) else np.atleast_1d(np.asarray(constants, float))
    if constants.shape[0] == 1:
        constants = np.broadcast_to(constants, (m,))
    for n in range(m):
        p = np.concatenate([p / np.arange(p.shape[0], 0, -1), constants[n : n + 1]])
    return p


def _added(a: Any, b: Any, sign: int) -> Any:
    """The sum or difference, the shorter one filled up in front."""
    a, b = _coefficients(a), _coefficients(b)
    n = max(a.shape[0], b.shape[0])
    a, b = (np.concatenate([np.zeros(n - c.shape[0], c.dtype), c]) if c.shape[0] < n else c for c in (a, b))
    return a + b if sign > 0 else a - b


@rule(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    """The sum of polynomials."""
    return _added(a1, a2, 1)


@rule(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    """The difference of polynomials."""
    return _added(a1, a2, -1)


@rule(np.polymul)
def polymul(a1: Any, a2: Any) -> Any:
    """The product of polynomials."""
    return np.convolve(_trimmed(a1), _trimmed(a2))


def _trimmed(p: Any) -> Any:
    """Without leading zeros."""
    p = _coefficients(p)
    nonzero = np.flatnonzero(plain(p))
    return p[nonzero[0] :] if len(nonzero) else p[-1:]


@rule(np.polydiv)
def polydiv(u: Any, v: Any) -> Any:
    """The quotient and the remainder of polynomials."""
    u, v = _coefficients(u), _coefficients(v)
    steps = u.shape[0] - v.shape[0]
    known = np.polydiv(plain(u), plain(v))
    quotient = []
    for k in range(steps + 1):
        d = u[k] / v[0]
        quotient.append(d)
        rest = u[k : k + v.shape[0]] - d * v
        u = np.concatenate([u[:k], rest, u[k + v.shape[0] :]])
    first = np.stack(quotient) if quotient else known[0]
    return first, u[u.shape[0] - len(known[1]) :]


@rule(np.poly)
def poly(seq_of_zeros: Any) -> Any:
    """The polynomial with these zeros, or the characteristic one of a matrix."""
    zeros = whole(seq_of_zeros)
    if zeros.ndim == 2:
        zeros = np.linalg.eigvals(zeros)
    p: Any = np.ones(1, zeros.dtype)
    for k in range(zeros.shape[0]):
        nothing = np.zeros(1, zeros.dtype)
        p = np.concatenate([p, nothing]) - np.concatenate([nothing, p * zeros[k]])
    if zeros.dtype.kind == "c" and np.poly(plain(seq_of_zeros)).dtype.kind != "c":
        return np.real(p)
    return p


@rule(np.roots)
def roots(p: Any) -> Any:
    """The zeros of a polynomial: the eigenvalues of its companion matrix."""
    p = whole(p)
    nonzero = np.flatnonzero(plain(p))
    if not len(nonzero):
        return np.array([])
    behind = p.shape[0] - 1 - int(nonzero[-1])
    p = p[int(nonzero[0]) : int(nonzero[-1]) + 1]
    n = p.shape[0] - 1
    if n < 1:
        return np.zeros(behind)
    below = np.eye(n, k=-1, dtype=p.dtype)[1:]
    found = np.linalg.eigvals(np.concatenate([(-p[1:] / p[0])[None, :], below], axis=0))
    return np.concatenate([found, np.zeros(behind, found.dtype)]) if behind else found


@rule(np.polyfit)
def polyfit(
    x: Any, y: Any, deg: int, rcond: float | None = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:  # fmt: skip
    """The polynomial that fits best, by least squares."""
    x, y, w = whole(x), whole(y), whole(w)
    if full:
        refuse("np.polyfit with full=True", "leave it out, or use np.linalg.lstsq")
    order = int(deg) + 1
    powers = np.arange(order - 1, -1, -1)
    lhs, rhs = (x if isinstance(x, Traced) else np.asarray(x, float))[:, None] ** powers, y
    if w is not None:
        w = w if isinstance(w, Traced) else np.asarray(w, float)
        lhs, rhs = lhs * w[:, None], rhs * (w[:, None] if rhs.ndim == 2 else w)
    scale = np.sqrt(np.sum(plain(lhs) ** 2, axis=0))  # for the condition; it is divided out again
    lhs = lhs / scale
    solution: Any = np.linalg.lstsq(lhs, rhs, rcond)[0]
    c = (solution.T / scale).T
    if cov is False:
        return c
    inverse = np.linalg.inv(lhs.T @ lhs) / np.multiply.outer(scale, scale)
    if cov != "unscaled":
        r = rhs - lhs @ solution
        inverse = (inverse if y.ndim == 1 else inverse[..., None]) * (np.sum(r * r, axis=0) / (x.shape[0] - order))
    elif y.ndim == 2:
        inverse = inverse[..., None]
    return c, inverse
