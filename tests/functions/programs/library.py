"""The library of NumPy, several of its functions at a time."""

import numpy as np

from tests.functions.programs.registry import Programs, more_data

prog = Programs()
R, (v3, v4, v5, v6, v8), (p3, p4, p5, p6, p8), (M33, M34, M43, M22) = more_data()
SPD = M33 @ M33.T + 3 * np.eye(3)


@prog(M34)
def a1(X):
    return (
        np.linalg.norm(X, axis=0)
        + np.linalg.norm(X, ord=1, axis=0)
        + np.linalg.norm(X, np.inf, axis=0)
        + np.linalg.norm(X)
    )


@prog(M33)
def a2(A):
    return (
        np.linalg.norm(A, 2)
        + np.linalg.norm(A, "nuc")
        + np.linalg.norm(A, 1)
        + np.linalg.cond(A)
        + np.linalg.norm(A, "fro")
    )


@prog(M33)
def a3(A):
    s, l = np.linalg.slogdet(A)
    return s * l + np.linalg.det(A)


@prog(SPD)
def a4(S):
    w, V = np.linalg.eigh(S)
    return V * np.sqrt(np.abs(w)) @ V.T


@prog(M33)
def a5(A):
    U, s, Vt = np.linalg.svd(A)
    return U[:, :1] * s[0] @ Vt[:1]


@prog(M43)
def a6(A):
    Q, Rr = np.linalg.qr(A)
    return Q @ Rr * np.abs(np.diag(Rr)).sum()


@prog(M43)
def a7(A):
    return np.linalg.pinv(A) @ np.ones(4)


@prog(M33)
def a8(A):
    return np.linalg.matrix_power(A, 3) + np.linalg.matrix_power(A + 3 * np.eye(3), -2) + np.linalg.multi_dot([A, A, A])


@prog(M33)
def a9(A):
    w, V = np.linalg.eig(A @ A.T + np.eye(3))
    return np.sort(w.real)


@prog(M33)
def b1(A):
    return np.linalg.eigvals(A @ A.T).sum() + np.linalg.matrix_rank(A) * A.sum()


@prog(R.normal(size=(2, 3, 3)))
def b2(A):
    return np.linalg.inv(A) @ np.linalg.solve(A, np.ones((2, 3, 1))) + np.linalg.det(A)[:, None, None]


@prog(v8)
def b3(x):
    return np.fft.irfft(np.fft.rfft(x) * np.exp(-np.arange(5))) + np.fft.fftshift(x) + np.fft.ifft(np.fft.fft(x)).real


@prog(M34)
def b4(X):
    return np.abs(np.fft.fft2(X)) + np.real(np.fft.ifft2(X))


@prog(v8)
def b5(x):
    return np.convolve(x, x[:3], "full")[:8] + np.correlate(x, x[:3], "same")


@prog(M34)
def b6(X):
    return np.gradient(X)[0] + np.gradient(X, 0.1, axis=1) + np.diff(X, axis=0, append=0.0)


@prog(M34)
def b7(X):
    return np.cumsum(X, axis=1) + np.cumprod(X, 0) + np.maximum.accumulate(X, axis=1)


@prog(M34)
def b8(X):
    return (
        np.pad(X, ((1, 0), (0, 2)), mode="edge")[:3, :4]
        + np.pad(X, 1, mode="wrap")[1:4, 1:5]
        + np.pad(X, 1)[:3, :4]
        + np.pad(X, 2, mode="symmetric")[:3, :4]
        + np.pad(X, 1, constant_values=3.0)[:3, :4]
    )


@prog(M34)
def b9(X):
    return np.tensordot(X, X, axes=([0], [0])) + np.tensordot(X, X.T, 1).sum() + np.kron(X[:1], X[:1]).sum()


@prog(M34)
def c1(X):
    return (
        np.trapezoid(X, axis=1) + np.average(X, axis=1, weights=[1, 2, 3, 4]) + np.median(X, axis=1) + np.ptp(X, axis=1)
    )


@prog(M34)
def c2(X):
    return np.nanmedian(X, axis=0) + np.nanpercentile(X, 30, axis=0) + np.nanvar(X, axis=0)


@prog(v6)
def c3(x):
    return np.histogram(x, bins=[-3, 0, 3], weights=x**2)[0]


@prog(v6)
def c5(x):
    return np.bincount(np.digitize(x, [-1, 0, 1]), weights=x * x, minlength=4)


@prog(v6)
def c6(x):
    return np.add.reduceat(x, [0, 2, 4]) + np.multiply.reduceat(x, [0, 3, 4])


@prog(v6)
def c7(x):
    return (
        np.maximum.reduce(x)
        + np.minimum.reduce(x, initial=0)
        + np.add.reduce(x, keepdims=True)
        + np.logaddexp.reduce(x)
    )


@prog(v6)
def c8(x):
    return np.partition(x, 2)[:3].sum() * x + np.take(x, np.argpartition(x, 2)[:2]).prod()


@prog(v6)
def d1(x):
    return np.real_if_close(x + 0j) * x + np.nan_to_num(x) + np.positive(x)


@prog(v6)
def d2(x):
    return np.rollaxis(np.outer(x, x), 1)[0] + np.squeeze(x[None]) + np.expand_dims(x, 0)[0] + np.ravel(x[:, None])


@prog(v6)
def d3(x):
    return np.select([x > 0, x < -0.5], [x, x * 2], 0) + np.where([True, False] * 3, x, -x)


@prog(v6)
def d5(x):
    return np.unique(x)[::-1] * x


@prog(v6)
def d6(x):
    v, i = np.unique(np.round(x), return_inverse=True)
    return np.bincount(i, weights=x) / np.bincount(i)


@prog(v6)
def d7(x):
    return np.apply_along_axis(lambda r: np.array([r.sum(), r.prod()]), 0, x.reshape(2, 3))


@prog(v6)
def d8(x):
    return np.array_split(x, 4)[0] * np.array_split(x, 4)[1].sum()


@prog(v6)
def d9(x):
    return np.tri(3) @ x[:3] + np.vander(x[:3]) @ x[3:] + np.diagflat(x[:3]) @ x[3:] + np.identity(3) @ x[:3]


@prog(v6)
def e1(x):
    return (
        np.polynomial.Polynomial([1, 2, 3])(x)
        + np.polynomial.polynomial.polyval(x, [1, 2])
        + np.polynomial.chebyshev.chebval(x, [1, 2, 3])
        + np.polynomial.legendre.legval(x, [1, 2])
        + np.polynomial.hermite.hermval(x, [1.0, 2])
    )


@prog(v6)
def e2(x):
    p = np.poly1d([1, 2, 3])
    return p(x) + np.polyval(p, x) + np.polyval([1.0, 0, 2], x)


@prog(v6)
def e3(x):
    c = np.polynomial.polynomial.polyfit(np.arange(6.0), x, 2)
    return np.polynomial.polynomial.polyval(2.5, c)


@prog(v6)
def e4(x):
    return np.poly1d(np.polyfit(np.arange(6.0), x, 1))(1.5)


@prog(v6)
def e6(x):
    return np.linalg.lstsq(np.vander(np.arange(6.0), 2), x, rcond=None)[0]


@prog(v6)
def e9(x):
    return np.broadcast_arrays(x, x[:, None])[1] * np.broadcast_to(x, (6, 6))


@prog(v6)
def f1(x):
    return np.lib.stride_tricks.sliding_window_view(x, 3) @ [1, 2, 3]


@prog(v6)
def f2(x):
    return np.lib.stride_tricks.as_strided(x, shape=(4, 3), strides=(x.strides[0], x.strides[0])).sum(1)


@prog(v6)
def f3(x):
    return np.nanargmax(x) * x + np.count_nonzero(x > 0) * x + np.flatnonzero(x > 0).sum() * x


@prog(v6)
def f4(x):
    return np.array([np.fabs(v) if v < 0 else np.log1p(v) for v in np.nditer(x)])


@prog(v6)
def f5(x):
    return np.frompyfunc(lambda a, b: a * b + 1, 2, 1)(x, x[::-1]).astype(float)


@prog(v6)
def f7(x):
    a = np.empty(3, dtype=object)
    for k in range(3):
        a[k] = x[2 * k] * x[2 * k + 1]
    return a.sum() * x


@prog(v6)
def f8(x):
    return np.require(x, requirements=["C"]) * np.ascontiguousarray(x[::-1])


@prog(v6)
def f9(x):
    return np.array(x, copy=True, order="C", ndmin=2) * np.asarray(x)[None]


@prog(v6)
def g1(x):
    return np.asarray([x, x])[0] * np.array((x, x * 2)).sum(axis=0) + np.array([[x]]).ravel()


@prog(np.array(1.2))
def g2(t):
    return np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) @ np.array([t, 1.0])


@prog(v6)
def g3(x):
    return np.piecewise(x[0], [x[0] < 0, x[0] >= 0], [lambda v: v**2, lambda v: v**3]) * x


@prog(v6)
def g4(x):
    return np.clip(x, x[0] - 0.5, x[0] + 0.5) + np.clip(x, a_min=-0.2, a_max=None)


@prog(v6)
def g5(x):
    return (
        np.ldexp(x, np.arange(6))
        + np.copysign(x, -1)
        + np.nextafter(x, 2)
        + np.fmax(x, 0)
        + np.fmin(x, 0.1)
        + np.logaddexp2(x, 1)
    )


@prog(v6)
def g6(x):
    return (
        np.cbrt(x)
        + np.exp2(x)
        + np.log2(np.abs(x))
        + np.arcsinh(x)
        + np.arctan(x)
        + np.tan(x)
        + np.cosh(x)
        + np.sinh(x)
    )


@prog(R.uniform(-0.9, 0.9, 6))
def g7(x):
    return np.arccos(x) + np.arcsin(x) + np.arctanh(x) + np.arccosh(x + 3) + np.sinc(x) + np.float_power(x + 2, x)
