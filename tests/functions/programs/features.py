"""What NumPy and Python offer, each thing in a small program."""

import functools
import itertools
import math
from collections import namedtuple
from dataclasses import dataclass, field, replace

import numpy as np

from tests.functions.programs.registry import Programs, more_data

prog = Programs()
R, (v3, v4, v5, v6, v8), (p3, p4, p5, p6, p8), (M33, M34, M43, M22) = more_data()
SPD = M33 @ M33.T + 3 * np.eye(3)


@prog(v5)
def at(x):
    out = np.zeros(3)
    np.add.at(out, [0, 2, 2, 1, 0], x)
    return out


@prog(v5)
def at2(x):
    out = np.ones(3)
    np.subtract.at(out, np.array([0, 2, 2, 1, 0]), x**2)
    np.multiply.at(out, [1], x[0])
    np.maximum.at(out, [0, 1], x[1:3])
    return out


@prog(v5)
def binc(x):
    return np.bincount([0, 1, 1, 2, 0], weights=x)


@prog(v5)
def binc2(x):
    return np.bincount([0, 1, 1, 2, 0], weights=x, minlength=5) / np.maximum(
        np.bincount([0, 1, 1, 2, 0], minlength=5), 1
    )


@prog(v5)
def hist(x):
    return np.histogram(np.arange(5), bins=3, weights=x)[0]


@prog(v5)
def hist2(x):
    h, e = np.histogram(x, bins=3)
    return h * x[0] + e[0]


@prog(v5)
def hist3(x):
    h, e = np.histogram(x, bins=np.array([-3, 0, 3.0]))
    return h * x[0]


@prog(v5)
def dig(x):
    b = np.digitize(x, [-1, 0, 1])
    return x * b


@prog(v5)
def ss(x):
    k = np.searchsorted(np.sort(x), 0.1)
    return x[k - 1] ** 2


@prog(v5)
def uniq(x):
    u, inv, c = np.unique(x, return_inverse=True, return_counts=True)
    return u[inv] * c[inv]


@prog(v5)
def nz(x):
    return x[np.nonzero(x > 0)] * 2


@prog(v5)
def nzm(x):
    return x[(x > 0).nonzero()[0]].sum()


@prog(v5)
def fw(x):
    return x[np.flatnonzero(x < 0)] ** 2


@prog(v5)
def argw(x):
    return x[np.argwhere(x > 0).ravel()].prod()


@prog(v5)
def where_1(x):
    (i,) = np.where(x > 0)
    return x[i] ** 3


@prog(v5)
def pw(x):
    return np.piecewise(x, [x < 0, x >= 0], [lambda t: t**2, lambda t: np.sin(t)])


@prog(v5)
def pw2(x):
    return np.piecewise(x, [x < 0, x > 1], [-1, lambda t: t, 0.5])


@prog(v5)
def pw3(x):
    return np.piecewise(x, [x < -0.5, (x >= -0.5) & (x < 0.5)], [0.0, lambda v: v + 0.5, 1.0])


@prog(v5)
def sel(x):
    return np.select([x < -1, x < 0, x < 1], [-x, x**2, np.exp(x)], default=0.0)


@prog(v5)
def choose(x):
    return np.choose(np.array([0, 1, 0, 1, 0]), [x, x**2])


@prog(v5)
def choose2(x):
    return np.choose((x > 0).astype(int), [x * 2, x**2])


@prog(v5)
def compress(x):
    return np.compress(x > 0, x)


@prog(v5)
def extract(x):
    return np.extract(x > 0, x) * 3


@prog(v5)
def vecsig(x):
    return np.vectorize(lambda a, b: a * b if a > b else a + b)(x, x[::-1])


@prog(v5)
def vec2(x):

    @np.vectorize
    def g(t):
        return math.sin(1.0) * t * t

    return g(x)


@prog(v5)
def vec3(x):
    f = np.vectorize(lambda r: (r**2).sum(), signature="(n)->()")
    return f(x.reshape(1, 5))


@prog(v5)
def vec_ot(x):
    return np.vectorize(lambda t: t**2 + 1, otypes=[float])(x)


@prog(M34)
def aaa(X):
    return np.apply_along_axis(lambda r: r / r.sum(), 1, X)


@prog(M34)
def aaa2(X):
    return np.apply_along_axis(np.sort, 0, X)


@prog(M34)
def aaa3(X):
    return np.apply_along_axis(lambda r, p: np.linalg.norm(r, ord=p), 1, X, 3)


@prog(M34)
def aoa(X):
    return np.apply_over_axes(np.sum, X, [0, 1])


@prog(v5)
def fromiter(x):
    return np.fromiter((t**2 for t in x), dtype=float)


@prog(v5)
def fromiter2(x):
    return np.fromiter((t * i for i, t in enumerate(x)), float, count=5)


@prog(v5)
def fromfunction(x):
    return np.fromfunction(lambda i, j: x[0] * i + x[1] * j, (3, 3))


@prog(v5)
def fromfunction2(x):
    return np.fromfunction(lambda i: x[i] ** 2, (5,), dtype=int)


@prog(v5)
def mathf(x):
    return math.sin(x[0]) + math.exp(x[1]) * math.sqrt(abs(x[2]))


@prog(np.array(0.4))
def mathf2(x):
    return math.log1p(x) + math.atan2(x, 2) + math.hypot(x, 1) + math.pow(x, 3) + math.tanh(x)


@prog(v5)
def floatx(x):
    return float(x[0]) ** 2 + float(x[1])


@prog(v5)
def tolist(x):
    a, b, *c = x.tolist()
    return a * b + sum(c) ** 2


@prog(v5)
def tolist2(x):
    s_ = 0.0
    for v in x.tolist():
        s_ += v * v
    return s_


@prog(v5)
def item(x):
    return x.item(0) * x[1].item() + x.sum().item()


@prog(v5)
def astype(x):
    return x.astype(np.float64) * x.astype(float, copy=False)


@prog(v5)
def asint(x):
    return x * x.astype(int) + x * (x > 0).astype(float)


@prog(M34)
def flat(X):
    s_ = 0
    for v in X.flat:
        s_ = s_ + v**2
    return s_ + X.flat[3] * X.flat[-1]


@prog(M34)
def flat2(X):
    return X.flat[2:7] * 2


@prog(M34)
def nditer(X):
    s_ = 0
    for v in np.nditer(X):
        s_ = s_ + v**3
    return s_


@prog(M34)
def nditer2(X):
    it = np.nditer(X, flags=["multi_index"])
    out = np.zeros(X.shape)
    for v in it:
        out[it.multi_index] = v * v
    return out


@prog(M34)
def nditer3(X):
    Y = X.copy()
    with np.nditer(Y, op_flags=["readwrite"]) as it:
        for v in it:
            v[...] = 2 * v
    return Y


@prog(M34)
def ndenum(X):
    out = np.zeros_like(X)
    for (i, j), v in np.ndenumerate(X):
        out[i, j] = v * (i + j)
    return out


@prog(M34)
def ndindex(X):
    return np.array([X[i] ** 2 for i in np.ndindex(X.shape)])


@prog(v5)
def isinst(x):
    return x**2 if isinstance(x, np.ndarray) else x**3


@prog(v5)
def isinst2(x):
    if not isinstance(x, (list, np.ndarray)):
        raise TypeError("x must be array")
    return x * 2


@prog(np.array(0.7))
def isscalar(x):
    return x**2 if np.isscalar(x) or x.ndim == 0 else x**3


@prog(v5)
def isinst3(x):
    t = 0
    for v in x:
        if isinstance(v, float):
            t = t + v**2
        elif isinstance(v, (np.floating, int)):
            t = t + v**3
        else:
            t = t + v**4
    return t


@prog(v5)
def finfo(x):
    return x / (np.linalg.norm(x) + np.finfo(x.dtype).eps)


@prog(v5)
def errst(x):
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.where(x > 0, 1 / x, 0.0)
    return y


@prog(v5)
def red(x):
    return functools.reduce(lambda a, b: a * b + 1, x)


@prog(v5)
def red2(x):
    return functools.reduce(np.add, [x, x * 2, x**2])


@prog(v5)
def accu(x):
    return list(itertools.accumulate(x, lambda a, b: a * b))[-1]


@prog(v5)
def sgen(x):
    return sum((v * w for v, w in zip(x, x[1:])))


@prog(v5)
def mx(x):
    return max(x[0], x[1]) * min(x[2], 0.5) + max(x) - min(x)


@prog(v5)
def absr(x):
    return abs(x[0]) + round(x[1]) * x[1] + divmod(x[2], 0.7)[1] + x[3] % 0.3 + x[4] // 0.4


@prog(v5)
def sgn(x):
    return np.sign(x) * x**2 + np.floor(x) * x + np.heaviside(x, 0.5) * x + np.rint(x) + np.trunc(x) * x + np.ceil(x)


@prog(v5)
def sorted_(x):
    return sorted(x)[0] * 2 + sorted(x, key=lambda t: -t)[1]


@prog(v5)
def cplx(x):
    z = np.exp(1j * x)
    return np.abs(z.sum()) ** 2 + z.real.sum() + (z**2).imag.sum()


@prog(v5)
def cplx2(x):
    z = x[:2] + 1j * x[2:4]
    return np.array([np.angle(z[0]), np.abs(z[1]), (z[0] * z[1].conjugate()).real])


@prog(v5)
def cplx3(x):
    z = np.zeros(5, dtype=complex)
    for k in range(5):
        z[k] = np.exp(2j * np.pi * k * x[k])
    return np.abs(np.sum(z))


@prog(v5)
def cplx4(x):
    z = complex(0, 1) * x
    w = z * z
    return w.real


@prog(v5)
def cplx5(x):
    r = np.roots([1, -abs(x[0]) - 3, 1])
    return r.real.sum()


@prog(p3)
def roots(x):
    return np.sort(np.roots([1, -(x[0] + x[1] + 5), x[2]]))


@prog(v5)
def poly1(x):
    return np.poly(x)


@prog(v5)
def polyfit(y):
    return np.polyfit(np.arange(5.0), y, 2)


@prog(v5)
def polyfit2(x):
    return np.polyfit(np.sort(x), np.arange(5.0) ** 2, 1)


@prog(v5)
def polyv(c):
    return np.polyval(c, 0.5) + np.polyval(np.polyder(c), 0.3) + np.polyval(np.polyint(c), 0.2)


@prog(v5)
def polyn(c):
    return (
        np.polynomial.polynomial.polyval(0.3, c)
        + np.polynomial.chebyshev.chebval(0.3, c)
        + np.polynomial.Polynomial(c)(0.2)
    )


@prog(v5)
def polymul(c):
    return np.polymul(c[:3], c[3:]) + np.polyadd(c[:2], c[:4])


@prog(v5)
def poly1d(c):
    p = np.poly1d(c)
    return p(0.3) + p.deriv()(0.2)


@prog(v5)
def trap(y):
    return np.trapezoid(y, dx=0.1) + np.trapezoid(y, np.arange(5.0))


@prog(v5)
def cumtrap(y):
    return np.concatenate([[0], np.cumsum((y[1:] + y[:-1]) / 2 * 0.1)])


@prog(M34)
def cov(X):
    return np.cov(X) + np.cov(X, rowvar=True, bias=True)


@prog(M34)
def cov2(X):
    return np.cov(X, rowvar=False, ddof=0)


@prog(M34)
def corr(X):
    return np.corrcoef(X, rowvar=False)


@prog(v5, p5)
def corr2(x, y):
    return np.corrcoef(x, y)[0, 1]


@prog(v5, p5)
def covw(x, y):
    return np.cov(x, y)[0, 1] / np.var(x, ddof=1)


@prog(v6)
def perc(x):
    return np.percentile(x, [10, 50, 90])


@prog(v6)
def quant(x):
    q1, q3 = np.quantile(x, [0.25, 0.75])
    return (x - np.median(x)) / (q3 - q1)


@prog(v6)
def quantm(x):
    return (
        np.quantile(x, 0.3, method="nearest")
        + np.percentile(x, 33, method="lower")
        + np.quantile(x, 0.4, method="hazen")
    )


@prog(M34)
def medax(X):
    return np.median(X, axis=1)


@prog(M34)
def argm(X):
    return X[np.arange(3), X.argmax(axis=1)] + X.take(X.argmin(), axis=None)


@prog(M34)
def unrav(X):
    i, j = np.unravel_index(np.argmax(X), X.shape)
    return X[i, j] ** 2 + X[i].sum()


@prog(M34)
def lexs(X):
    return X[np.lexsort((X[:, 1], X[:, 0]))]


@prog(v5)
def einsums(x):
    return (
        np.einsum("i,i", x, x) + np.einsum("i->", x) + np.einsum("i,j->ij", x, x).sum() + np.einsum(x, [0], x, [0], [])
    )


@prog(M33)
def einsum2(A):
    return (
        np.einsum("ii->i", A) + np.einsum("ii", A) + np.einsum("ij->ji", A)[0] + np.einsum("ij,jk,kl->il", A, A, A)[1]
    )


@prog(R.normal(size=(2, 3, 3)))
def einsum3(A):
    return np.einsum("...ij,...jk->...ik", A, A) + np.einsum("bij->bji", A) + np.einsum("bii->b", A)[:, None, None]


@prog(M33)
def einsum4(A):
    return np.einsum("ij,ij->i", A, A, optimize=True) + np.einsum("ij,j", A, A[0]) + np.einsum("i...,i...->...", A, A)


@prog(M33, v3)
def einsum5(A, x):
    out = np.zeros(3)
    np.einsum("ij,j->i", A, x, out=out)
    return out


@prog(M34)
def outs(X):
    out = np.empty((3, 3))
    np.dot(X, X.T, out=out)
    np.exp(out / 10, out=out)
    np.add(out, 1, out=out)
    return out


@prog(M34)
def outs2(X):
    out = np.empty(4)
    np.sum(X, axis=0, out=out)
    np.multiply(out, 2, out=out)
    X.mean(axis=0, out=out)
    return out


@prog(M34)
def outs3(X):
    out = np.zeros(4)
    np.clip(X[0], -0.5, 0.5, out=out)
    np.cumsum(out, out=out)
    np.maximum(out, 0, out=out)
    return out


@prog(M34)
def outs4(X):
    out = np.zeros((3, 4))
    np.divide(1, X, out=out, where=X > 0)
    return out


@prog(M34)
def outs5(X):
    out = np.zeros((3, 3))
    np.matmul(X, X.T, out=out)
    np.take(X, [0, 1, 2], axis=1, out=out)
    return out


@prog(v5)
def where_kw(x):
    return np.log(x, out=np.zeros_like(x), where=x > 0)


@prog(v5)
def where_kw2(x):
    return np.sqrt(x, where=x > 0, out=np.full(5, 2.0))


@prog(v5)
def masked(x):
    m = np.ma.masked_array(x, mask=[0, 1, 0, 0, 1])
    return m.mean()


@prog(v5)
def masked2(x):
    return np.ma.masked_less(x, 0).sum()


@prog(v5)
def masked3(x):
    m = np.ma.array(x, mask=x < 0)
    return m.filled(0) * 2


@prog(v5)
def objar(x):
    a = np.empty(2, dtype=object)
    a[0] = x[:2]
    a[1] = x[2:]
    return a[0].sum() * a[1].sum()


@prog(v5)
def objar2(x):
    a = np.array([x[:2], x[2:]], dtype=object)
    return sum((t.sum() ** 2 for t in a))


@prog(v5)
def ragged(x):
    g = [x[:2], x[2:]]
    return np.array([t.mean() for t in g])


@prog(v5)
def view(x):
    y = x.view()
    y = y * 2
    return y


@prog(v5)
def viewc(x):
    return x[:4].astype(complex).view(float) ** 2


@prog(v4)
def viewc2(x):
    return x.view(complex).real + x.view(np.complex128).imag


@prog(v5)
def resize(x):
    y = np.resize(x, (2, 3))
    return y * y


@prog(v5)
def setat(x):
    y = np.zeros((5, 5))
    y[np.diag_indices(5)] = x
    y[np.triu_indices(5, 1)] = x[0]
    i, j = np.tril_indices(5, -1)
    y[i, j] = x[1] * np.arange(10)
    return y


@prog(v5)
def ix(x):
    A = np.outer(x, x)
    return A[np.ix_([0, 2], [1, 3])]


@prog(v5)
def ixset(x):
    A = np.zeros((5, 5))
    A[np.ix_([0, 2], [1, 3])] += np.outer(x[:2], x[:2])
    return A


@prog(v5)
def mg(x):
    X, Y = np.meshgrid(x, np.arange(3), indexing="ij")
    return X * Y + X**2


@prog(v5)
def mgr(x):
    i, j = np.mgrid[0:3, 0:2]
    return x[0] * i + x[1] * j**2


@prog(v5)
def ogr(x):
    i, j = np.ogrid[:3, :2]
    return x[i] * x[j]


@prog(v5)
def rc(x):
    return np.r_[x[:2], 0, x[2:]] + np.c_[x, x][:, 0].sum()


@prog(v5)
def split(x):
    a, b = np.split(x, [2])
    c, d, e = np.array_split(x, 3)
    return a.sum() * b.sum() + c.sum() * d[0] + e[-1]


@prog(M34)
def splits(X):
    a, b = np.hsplit(X, 2)
    t = np.vsplit(X, 3)
    return a * b + t[0][0, :2]


@prog(v5)
def tile(x):
    return np.tile(x, (2, 1)) * np.repeat(x, 2).reshape(2, 5) + np.repeat(x, [1, 2, 0, 1, 1])


@prog(v5)
def flip(x):
    return np.flip(x) * x + np.flipud(x) + x[::-1] + np.rot90(np.outer(x, x))[0]


@prog(v5)
def dele(x):
    return np.delete(x, [1, 3]) * np.delete(x, 0)[:3]


@prog(v5)
def trim(x):
    return np.trim_zeros(np.maximum(x, 0))


@prog(v5)
def ediff(x):
    return np.ediff1d(x) + np.diff(x) + np.diff(x, n=2, prepend=0)


@prog(v5)
def cumu(x):
    return np.cumsum(x) * np.cumprod(x) + np.maximum.accumulate(x) + np.nancumsum(x)


@prog(v5)
def crossv(x):
    return np.cross(x[:3], x[2:])


@prog(v5)
def nans(x):
    y = np.where(x > 1, np.nan, x)
    return np.nanmean(y) + np.nanstd(y) + np.nansum(y) + np.nanmax(y)


@prog(v5)
def nans2(x):
    y = x.copy()
    y[1] = np.nan
    y[np.isnan(y)] = np.nanmean(y)
    return y


@prog(v5)
def clipm(x):
    return x.clip(-0.5, 0.5) + x.clip(min=0) + np.clip(x, None, 1)


@prog(v5)
def angle(x):
    return np.arctan2(x, x[::-1]) + np.deg2rad(x) + np.degrees(x) + np.hypot(x, 1) + np.radians(x)


@prog(v5)
def specials(x):
    return (
        np.sinc(x)
        + np.i0(x)
        + np.logaddexp(x, 0)
        + np.exp2(x)
        + np.log1p(np.abs(x))
        + np.expm1(x)
        + np.cbrt(x)
        + np.square(x)
        + np.reciprocal(x)
    )


@prog(v5)
def fmods(x):
    return (
        np.fmod(x, 0.3)
        + np.mod(x, 0.7)
        + np.remainder(x, -0.4)
        + np.floor_divide(x, 0.3)
        + np.modf(x)[0] * x
        + np.copysign(2, x) * x
        + np.ldexp(x, 2)
        + np.frexp(x)[0]
    )


@prog(v5)
def bits(x):
    n = int(np.floor(abs(x[0]) * 10))
    return x * n if n & 1 else x**2


@prog(v5)
def walrus(x):
    return [(y := (x**2)), y * 2][1]


@prog(v5)
def matchcase(x):
    match x.shape:
        case [n] if n > 3:
            return x**2
        case _:
            return x


@prog(v5)
def trye(x):
    try:
        return np.linalg.inv(x.reshape(1, 5))
    except np.linalg.LinAlgError:
        return x**2


@prog(v5)
def star(x):
    return np.hypot(*x[:2]) + max(*x) + np.array([*x, *x]).sum()


@prog(v5)
def dctn(x):
    d = {k: v for k, v in zip("abcde", x)}
    d["a"] *= 2
    return np.array(list(d.values()))


NT = namedtuple("NT", "pos vel")


@prog(v4)
def nt(x):
    s_ = NT(x[:2], x[2:])
    s_ = s_._replace(pos=s_.pos + 0.1 * s_.vel)
    return np.concatenate(s_)


@dataclass
class State:
    x: np.ndarray
    v: np.ndarray = field(default_factory=lambda: np.zeros(2))

    def step(self):
        return replace(self, x=self.x + self.v, v=self.v * 0.9)


@prog(v4)
def dcl(x):
    s_ = State(x[:2], x[2:])
    for _ in range(3):
        s_ = s_.step()
    return s_.x


@prog(v5)
def rec(x):

    def msum(a):
        return a[0] if len(a) == 1 else msum(a[: len(a) // 2]) * msum(a[len(a) // 2 :])

    return msum(x)


@prog(v5)
def fftr(x):

    def fft(a):
        n = len(a)
        if n == 1:
            return a
        e, o = (fft(a[::2]), fft(a[1::2]))
        t = np.exp(-2j * np.pi * np.arange(n // 2) / n) * o
        return np.concatenate([e + t, e - t])

    return np.abs(fft(x[:4]))


@prog(v5)
def clos(x):
    c = 0

    def inc(v):
        nonlocal c
        c = c + v
        return c

    return np.array([inc(v) for v in x])


@prog(v5)
def glob(x):
    return x @ _G


_G = np.arange(5.0)


@prog(M34)
def o1(X):
    o = np.empty(4)
    np.sum(X, 0, None, o)
    a = np.empty(3)
    np.max(X, 1, a)
    return np.concatenate([o, a])


@prog(M34)
def o2(X):
    o = np.empty((3, 4))
    X.cumsum(0, None, o)
    np.clip(o, -1, 1, o)
    np.dot(np.eye(3), X * o, o)
    return o


@prog(M34)
def o3(X):
    o = np.empty(4, bool)
    np.any(X > 0, 0, o)
    b = np.zeros((3, 4), bool)
    np.greater(X, 0, out=b)
    f = np.empty((3, 4))
    np.sign(X, out=f)
    np.round(X, 1, f)
    X.round(1, f)
    k = np.empty(3, int)
    X.argmax(1, out=k)
    np.argmax(X, 1, k)
    return X * b * o + f + X[:, k].sum()


@prog(M34)
def o4(X):
    a, b = (np.empty((3, 4)), np.empty((3, 4)))
    np.modf(X, a, b)
    np.modf(X, out=(a, None))
    np.divmod(X, 0.3, out=(a, b))
    return a * X + b


@prog(M34)
def o5(X):
    o = np.empty((6, 4))
    np.concatenate([X, X * 2], 0, o)
    np.stack([X, X], out=o.reshape(2, 3, 4))
    s = np.zeros(4)
    X.std(axis=0, out=s)
    X.mean(0, None, s)
    return o * s


@prog(M34)
def o6(X):
    o = np.zeros(())
    X.sum(out=o)
    p = np.zeros(1)
    np.sum(X, keepdims=True, out=p.reshape(1, 1))
    return o * X + p


@prog(M34)
def o7(X):
    X.sort(axis=1)
    X.partition(1)
    np.negative(X, X)
    np.abs(X, out=X)
    X.round(2)
    X.conj()
    return X**2


@prog(v4)
def o8(x):
    y = np.ones(4)
    y.dot(x)
    y.clip(0, x[0], out=y)
    y *= x
    np.sqrt(np.abs(y), y)
    return y


A0 = np.eye(3)


B0 = np.arange(3.0)


@prog(v3)
def c1(x):
    y = np.array([0.0, 0.0, 0.0])
    y[0] = x[0]
    return y


@prog(v3)
def c2(x):
    y = np.zeros_like(A0)
    y[0] = x
    return y


@prog(v3)
def c3(x):
    y = A0.copy()
    y[0] = x
    return y


@prog(v3)
def c4(x):
    y = np.copy(A0)
    y[0] = x
    return y


@prog(v3)
def c5(x):
    y = np.linspace(0, 1, 3)
    y[0] = x[0]
    return y


@prog(v3)
def c6(x):
    y = np.arange(3.0)
    y += x
    return y


@prog(v3)
def c7(x):
    y = np.diag([1.0, 2, 3])
    y[0, 1] = x[0]
    return y


@prog(v3)
def c8(x):
    y = B0 * 2
    y += x
    return y


@prog(v3)
def c9(x):
    y = 2 * np.ones(3)
    y[1] *= x[0]
    return y


@prog(v3)
def d2(x):
    y = np.zeros(3, dtype=complex)
    y[0] = x[0]
    return y.real


@prog(v3)
def d3(x):
    y = [0] * 3
    y[1] = x[1]
    return np.array(y)


@prog(v3)
def d4(x):
    y = np.array(A0)
    y[1] = x
    return y


@prog(v3)
def d5(x):
    y = np.full_like(A0, 2.0)
    y[1] = x
    y2 = np.empty(A0.shape)
    y2[:] = x
    return y + y2


@prog(v3)
def d6(x):
    y = np.tile(B0, (2, 1))
    y[0] = x
    z = np.concatenate([B0, B0])
    z[:3] = x
    return y.sum() * z


@prog(v3)
def d7(x):
    y = np.zeros((3, 3), order="F")
    y[:, 0] = x
    z = np.zeros(shape=(3,))
    z[0] = x[0]
    return y @ z


@prog(v3)
def d8(x):
    y = np.asarray([1, 2, 3], dtype=float)
    y[0] = x[0]
    z = np.array([1, 2, 3.0]).reshape(3, 1)
    z[0] = x[0]
    return y * z


@prog(v3)
def d9(x):
    y = np.zeros(3)
    y.flat[1] = x[0]
    y.put(2, x[1])
    y.itemset if False else None
    return y


@prog(v3)
def e1(x):
    y = np.outer(B0, B0)
    y[0] = x
    y[np.eye(3, dtype=bool)] = x
    return y


@prog(v3)
def e2(x):
    y = np.sin(B0)
    y[0] = x[0]
    return y


@prog(v3)
def e3(x):
    y = np.float64(0)
    y += x[0]
    t = np.float32(1.5) * x
    return t + y


@prog(v3)
def e4(x):
    M = np.triu(np.ones((3, 3)))
    M[0] *= x
    return M
