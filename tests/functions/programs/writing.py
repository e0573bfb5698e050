"""Programs that write into arrays, through views, and in place; and what else has a meaning of its own."""

import functools
import itertools
import operator

import numpy as np

from tests.functions.programs.registry import Programs, more_data

prog = Programs()
R, (v3, v4, v5, v6, v8), (p3, p4, p5, p6, p8), (M33, M34, M43, M22) = more_data()
T0 = np.arange(9.0).reshape(3, 3)
LST = [1.0, 2.0, 3.0]


class Holder:
    K = np.eye(3) * 2


H = Holder()
H.M = np.ones((3, 3))


@prog(v3)
def a1(x):
    y = np.zeros(3, int)
    y[0] = x[0] * 10
    y[1:] = x[1:] * 7
    return y * x


@prog(v3)
def a3(x):
    y = T0.copy()
    y[[0, 0, 1], [1, 1, 2]] += x
    return y


@prog(v3)
def a4(x):
    y = T0.copy()
    y[y > 3] *= x[0]
    y[:, 1] -= x
    y[::2, ::-1] = np.outer(x[:2], x)
    return y


@prog(v3)
def a5(x):
    y = np.array(H.M)
    y[0] = x
    return y @ np.array(H.K)


@prog(v3)
def a6(x):
    L = list(LST)
    L[0] = x[0]
    L.append(x[1])
    return np.array(L) * 2


@prog(v3)
def a7(x):
    y = np.array(LST)
    y[:] = x
    z = np.asarray(LST)
    z = z * x
    return y * z


@prog(v3)
def a8(x):
    y = np.ones((2, 3))
    y[0], y[1] = (x, y[0])
    return y


@prog(v3)
def a9(x):
    y = np.ones((2, 3))
    a, b = y
    a *= x
    b += a
    return y


@prog(v3)
def b1(x):
    y = np.zeros((3, 3))
    for_ = [y[i] for i in range(3)]
    for i, r in enumerate(for_):
        r += x[i]
    return y


@prog(v3)
def b2(x):
    y = np.linspace(0, 1, 3)
    z = y
    y = y + x
    z[0] = x[0]
    return y * z


@prog(v3)
def b3(x):
    y = np.linspace(0, 1, 4)
    z = y[1:]
    z *= x
    y[0] = z.sum()
    return y


@prog(v3)
def b4(x):
    y = np.arange(6.0).reshape(2, 3)
    y[1] = x
    y.T[0] *= x[0]
    return y


@prog(v3)
def b5(x):
    y = np.arange(6.0).reshape(2, 3)
    w = y.ravel()
    w[2] = x[2]
    return y


@prog(v3)
def b6(x):
    buf = np.zeros(3)
    out = []
    for k in range(3):
        buf[k] = x[k]
        out.append(buf)
    return np.stack(out)


@prog(v3)
def b7(x):
    buf = np.zeros(3)
    out = []
    for k in range(3):
        buf[k] = x[k]
        out.append(buf.copy())
    return np.stack(out)


@prog(v3)
def b8(x):
    d = {}
    for k, v in enumerate(x):
        d.setdefault(k % 2, []).append(v)
    return np.array([sum(v) * len(v) for v in d.values()])


@prog(v3)
def b9(x):
    y = x
    x = x * 2
    y[0] = 5
    return x * y


@prog(v3)
def c1(x):
    y = x[:]
    y += 1
    return x * x


@prog(v3)
def c2(x):
    y = x + 0
    y += 1
    return x * x * y


@prog(v3)
def c3(x):
    y = np.asarray(x, dtype=float)
    y[1] = 0
    return x * x


@prog(v3)
def c5(x):
    x = np.atleast_2d(x)
    x[0, 0] = 3
    return x * x


@prog(v3)
def c6(x):
    x.shape
    y = x.reshape(1, -1)
    y[0, 1] *= 2
    return x * x


@prog(np.array(1.3))
def c7(x):
    y = np.asarray(x)
    z = np.zeros(2)
    z[...] = y
    z[0] += y * y
    return z * float(x)


@prog(np.array(1.3))
def c8(x):
    y = x
    y += 1
    return x * y


@prog(np.array(1.3))
def c9(x):
    y = x.copy()
    y *= 2
    return x * y


@prog(np.array(1.3))
def d1(x):
    x[...] = x * 2
    return x * x


@prog(np.array(1.3))
def d2(x):
    y = x.reshape(1)
    y[0] = 4
    return x * x


@prog(np.array(1.3))
def d3(x):
    y = x[None]
    y *= 3
    return x * x


@prog(np.array(1.3))
def d4(x):
    v = x[()]
    v += 1
    return x * v


@prog(v3)
def d5(x):
    s = np.zeros(())
    t = s
    s += x[0]
    return t * x


@prog(v3)
def d6(x):
    s = np.array(0.0)
    for v in x:
        s += v
    return s * x


@prog(v3)
def d7(x):
    y = x[..., 0]
    z = x[0, ...]
    z += 1
    return x * y


@prog(v3)
def d8(x):
    y = np.squeeze(x[:1])
    y += 1
    return x * x


@prog(v3)
def d9(x):
    y = np.broadcast_to(x, (2, 3)).copy()
    y[0] = 0
    return y * x


@prog(v3)
def e1(x):
    y = np.where(x > 0, x, 0.0)
    y[0] = 1
    return x * y


@prog(v3)
def e2(x):
    a = np.add(x, 1)
    a[0] = 0
    b = np.abs(x)
    b[1] = x[1]
    c = x.clip(-1, 1)
    c[2] = 7
    return a + b + c


@prog(v3)
def e3(x):
    u, v = np.split(x, [1])
    u[0] = v[0] * 2
    v += 1
    return x * x


@prog(v3)
def e4(x):
    y = np.diag(x)
    z = np.diag(y.copy())
    y2 = y.copy()
    np.fill_diagonal(y2, x**2)
    return y + y2 + z


@prog(v3)
def e5(x):
    y = np.tile(x, 2)
    y[0] = 1
    z = np.repeat(x, 2)
    z[1] = x[2]
    return y * z


@prog(v3)
def e6(x):
    y = np.flip(x)
    y[0] = 9
    return x * x


@prog(v3)
def e7(x):
    y = x[::-1]
    y[0] = 9
    y *= x
    return x


@prog(v3)
def e8(x):
    x[1:] = x[:-1]
    x[:-1] += x[1:]
    return x * x


@prog(v3)
def e9(x):
    x[:] = x[::-1]
    return x * np.arange(3.0)


@prog(v3)
def f1(x):
    x -= x.mean()
    x /= x.std()
    x **= 2
    x %= 0.7
    return x


@prog(v3)
def f2(x):
    x //= 0.3
    return x + 1.0


@prog(p3)
def f3(x):
    x = x.astype(int) + x
    return np.floor(x) * x


@prog(v3)
def f4(x):
    y = np.roll(x, 1)
    y[0] = 0
    z = np.sort(x)
    z[0] = 5
    return x + y * z


@prog(v3)
def f5(x):
    y = np.cumsum(x)
    y[0] *= 2
    return np.diff(y, prepend=0) * x


@prog(M33)
def f6(A):
    r = A[0]
    A[0] = A[1]
    A[1] = r
    return A * A


@prog(M33)
def f7(A):
    r = A[0].copy()
    A[0] = A[1]
    A[1] = r
    A[[0, 2]] = A[[2, 0]]
    return A * np.arange(9.0).reshape(3, 3)


@prog(M33)
def f8(A):
    for i in range(3):
        for j in range(i):
            A[i, j] = A[j, i]
    A[np.triu_indices(3)] *= 2
    A[np.diag_indices(3)] -= 1
    return A


@prog(M33)
def f9(A):
    B = A.T
    B += A
    return A * B


@prog(M33)
def g1(A):
    v = A.flat
    v[0] = 3
    B = A.ravel("F")
    B[1] = 7
    C = A.flatten()
    C[2] = 1
    D = A.reshape(-1)
    D[3] = A[0, 1]
    return A * A


@prog(M33)
def g2(A):
    A[A < 0] = 0
    A[0][1] = A[2][2]
    A[1][:2] += 1
    A[2] += A[0]
    return A * A


@prog(M33)
def g3(A):
    m = A > 0
    B = A[m]
    B *= 2
    A[m] = B
    A[~m] = A[m].sum()
    return A


@prog(M33)
def g4(A):
    d = np.diagonal(A)
    e = A.diagonal()
    t = np.trace(A)
    return d * e * t


@prog(M33)
def g5(A):
    A = A.swapaxes(0, 1)
    A[0] *= 2
    A = np.moveaxis(A, 0, 1)
    A[:, 0] += 1
    return A * A


@prog(M33)
def g6(A):
    out = np.empty((3,))
    for i, row in enumerate(A):
        out[i] = row @ row
        row[0] = out[i]
    return A * out


@prog(M33)
def g7(A):
    a = A[:, 0]
    b = A[:, 0]
    a += b
    return A * A


@prog(M33)
def g8(A):
    np.add(A[0], A[1], out=A[2])
    np.multiply(A, 2, out=A)
    np.copyto(A[0], A[1])
    np.maximum(A, 0, out=A, where=A < 1)
    return A * A


@prog(M33)
def g9(A):
    A[..., 1] = A[..., 0] ** 2
    A[:, None, 2][:] = A[:, None, 1]
    return A


@prog(v3)
def h1(x):

    def upd(a, v):
        a[0] = v
        return None

    y = np.zeros(3)
    upd(y, x[1])
    upd(x, y[0] * 2)
    return x * y


@prog(v3)
def h2(x):

    class Acc:
        def __init__(s):
            s.g = np.zeros(3)
            s.n = 0

        def add(s, v):
            s.g += v
            s.n += 1
            return s

    a = Acc()
    a.add(x).add(x**2)
    b = a.g
    a.add(x)
    return b / a.n


@prog(v3)
def h3(x):
    stack = [x]
    while stack:
        a = stack.pop()
        if len(stack) < 2 and a[0] < 50:
            stack.append(a * 2 + 60)
    return a


@prog(v3)
def h4(x):
    it = iter(x)
    a = next(it)
    b = next(it, None)
    return np.array([a * b, *it])


@prog(v3)
def h5(x):
    y = copy_ = x.copy()
    y *= 2
    return copy_ * x


@prog(v3)
def h6(x):
    import copy

    y = copy.deepcopy(x)
    y[0] = 1
    z = copy.copy(x)
    z[1] = 2
    d = copy.deepcopy({"a": [x]})
    d["a"][0][2] = 5
    return x * y * z + d["a"][0]


@prog(v3)
def h7(x):
    return np.array([x, x * 2]).T.tolist()[1][0] * x


@prog(v3)
def h8(x):
    r = []
    [r.append(v**2) for v in x]
    r.sort()
    r.reverse()
    return np.asarray(r)


@prog(v3)
def h9(x):
    if not len(x):
        return x
    if (
        x.any()
        and (x != 0).all()
        and (x.size == 3)
        and (x.sum().item() != 0)
        and bool(x[0])
        and (not np.isnan(x).any())
    ):
        return x / x.sum()
    return x


@prog(v3)
def i1(x):
    return sum(x) / len(x) + np.sum([v for v in x if v > 0]) + np.prod([1.0, *x])


@prog(v3)
def i2(x):
    return np.dot([1, 2, 3], x) + np.dot(x, LST) + np.inner(LST, x) + x.dot(LST) + np.vdot(x, LST) + np.matmul(LST, x)


@prog(v3)
def i3(x):
    return LST @ x if False else np.array(LST) @ x + x @ LST + (x * LST).sum() + (LST * x).sum() + (LST - x).prod()


@prog(v3)
def i4(x):
    x = x.tolist()
    x[0], x[1] = (x[1], x[0])
    x += [x[0] * x[2]]
    return np.array(x, dtype=np.float64)


@prog(v3)
def i5(x):
    return np.interp(x[0], LST, [x[1], x[2], 1.0]) + np.interp(1.5, [1, 2, 3], x)


@prog(v3)
def i6(x):
    return np.concatenate([x, LST, [x[0]]], axis=0) + np.hstack((x, 1.0, x))[0] + np.append(x, [x[0], 2])[4]


@prog(v3)
def i7(x):
    return np.stack([x, LST]) * np.vstack([LST, x]) + np.column_stack([x, LST]).T + np.array([LST, x])


@prog(v3)
def i8(x):
    return np.einsum("i,i->", x, LST) * np.einsum("i,j->ij", LST, x)


@prog(v3)
def i9(x):
    n = 0
    while np.linalg.norm(x) > 0.001 and n < 5:
        x = x - 0.3 * x
        n += 1
    return x * n


@prog(v3)
def j1(x):
    return (lambda *a, **k: a[0] * k["b"])(x, b=x[::-1])


@prog(v3)
def j2(x):
    return functools.partial(np.multiply, x)(x)


@prog(v3)
def j3(x):
    return list(map(np.sin, x))[0] + list(filter(lambda v: v > 0, x))[0]


@prog(v3)
def j4(x):
    return operator.itemgetter(0, 1)(x)[1] * operator.mul(x[0], x[1]) + operator.add(x, x)


@prog(v3)
def j5(x):
    return np.prod([a - b for a, b in itertools.combinations(x, 2)]) + sum((a * b for a, b in itertools.product(x, x)))


@prog(v3)
def j7(x):
    np.random.seed(0)
    z = np.random.randn(3)
    return x * z + np.random.choice(3, 1)[0] * x


@prog(v3)
def j8(x):
    return (
        np.power(x, 2) + np.power(2.0, x) + np.power(np.abs(x), x) + x**3.0 + np.float_power(np.abs(x), 1.5) + pow(x, 3)
    )


@prog(v3)
def j9(x):
    return x.sum(0) + x.mean(-1) + x.max(axis=0) + x.prod(keepdims=True) + x.var(ddof=1) + x.cumsum()[-1] + x.argmax()


@prog(v3)
def k1(x):
    s = np.array(x[0])
    t = s
    s += x[1]
    return t * x


@prog(v3)
def k2(x):
    s = np.asarray(x[0] * 2)
    t = s
    s *= x[1]
    return t * x * s


@prog(v3)
def k3(x):
    y = np.zeros(3)
    z = y[0, ...]
    z += x[0]
    z *= 2
    return y * x


@prog(v3)
def k4(x):
    y = x.copy()
    z = y[1:2].reshape(())
    z -= 5
    w = y[..., 2]
    w[...] = x[0]
    return y * x


@prog(v3)
def k5(x):
    s = float(x[..., 0])
    t = s
    s += 1
    return x * s * t


@prog(v3)
def k6(x):
    y = np.zeros((2, 3), int)
    y[0] = x * 10
    y[1, 1] += 1
    b = np.zeros(3, bool)
    b[:] = x
    return y * x + b
