"""Small programs of many fields: signals, learning, mechanics, finance."""

import functools
import math

import numpy as np
from numpy import array, cos, sin, zeros

from tests.functions.programs.registry import Programs, more_data

prog = Programs()
R, (v3, v4, v5, v6, v8), (p3, p4, p5, p6, p8), (M33, M34, M43, M22) = more_data()
SPD = M33 @ M33.T + 3 * np.eye(3)


@prog(v8)
def fir(x):
    h = [0.2, 0.5, 0.3]
    y = np.zeros(len(x) + 2)
    for n in range(len(y)):
        for k in range(3):
            if 0 <= n - k < len(x):
                y[n] += h[k] * x[n - k]
    return y


@prog(v8)
def iir(x):
    b = (0.1, 0.2)
    a = (1.0, -0.7)
    y = np.zeros_like(x)
    for n in range(x.shape[0]):
        y[n] = b[0] * x[n]
        if n > 0:
            y[n] += b[1] * x[n - 1] - a[1] * y[n - 1]
    return y


@prog(v8)
def moving_avg(x):
    c = np.cumsum(np.insert(x, 0, 0))
    return (c[3:] - c[:-3]) / 3.0


@prog(v8)
def psd(x):
    w = np.hanning(8)
    X = np.fft.fft(x * w)
    return np.real(X * np.conj(X)) / 8


@prog(v8)
def dct_manual(x):
    N = len(x)
    out = np.empty(N)
    for k in range(N):
        out[k] = np.sum(x * np.cos(np.pi * k * (2 * np.arange(N) + 1) / (2 * N)))
    return out


@prog(v8)
def hilbert_env(x):
    X = np.fft.fft(x)
    h = np.zeros(8)
    h[0] = h[4] = 1
    h[1:4] = 2
    return np.abs(np.fft.ifft(X * h))


@prog(v8)
def autocorr(x):
    x = x - x.mean()
    r = np.correlate(x, x, mode="full")
    r = r[r.size // 2 :]
    return r / r[0]


@prog(v8)
def rms_frames(x):
    frames = np.lib.stride_tricks.sliding_window_view(x, 4)[::2]
    return np.sqrt((frames**2).mean(axis=1))


@prog(v8)
def preemph(x):
    return np.append(x[0], x[1:] - 0.97 * x[:-1])


@prog(v8)
def zero_cross_soft(x):
    return np.tanh(5 * x[1:] * x[:-1]).sum()


@prog(v8)
def goertzel(x):
    s1 = s2 = 0.0
    c = 2 * math.cos(2 * math.pi * 2 / 8)
    for xi in x:
        s0 = xi + c * s1 - s2
        s2, s1 = (s1, s0)
    return s1**2 + s2**2 - c * s1 * s2


@prog(v8)
def decimate(x):
    return x.reshape(-1, 2).mean(axis=-1)


@prog(v8)
def upsample(x):
    y = np.zeros(2 * len(x))
    y[::2] = x
    return np.convolve(y, [0.5, 1, 0.5], mode="same")


@prog(v6)
def haar(x):
    x = np.array(x, dtype=float)
    a = (x[0::2] + x[1::2]) / np.sqrt(2)
    d = (x[0::2] - x[1::2]) / np.sqrt(2)
    return np.concatenate((a, d))


@prog(v8)
def stft(x):
    out = []
    for i in range(0, 5, 2):
        out.append(np.abs(np.fft.rfft(x[i : i + 4] * np.hamming(4))) ** 2)
    return np.array(out)


@prog(v8)
def lms(x):
    w = np.zeros(2)
    e = []
    for n in range(2, 8):
        u = x[n - 2 : n][::-1]
        y = w @ u
        err = x[n] - y
        w = w + 0.1 * err * u
        e.append(err)
    return np.asarray(e)


@prog(v8)
def lms_inplace(x):
    w = np.zeros(2)
    errs = np.zeros(8)
    for n in range(2, 8):
        u = x[n - 2 : n][::-1]
        errs[n] = x[n] - np.dot(w, u)
        w += 0.1 * errs[n] * u
    return errs


@prog(v8)
def median_filter(x):
    xp = np.pad(x, 1, mode="edge")
    return np.array([np.median(xp[i : i + 3]) for i in range(len(x))])


@prog(v8)
def envelope(x):
    e = np.zeros_like(x)
    for i, v in enumerate(np.abs(x)):
        prev = e[i - 1] if i else 0.0
        a = 0.9 if v > prev else 0.3
        e[i] = a * v + (1 - a) * prev
    return e


@prog(v8)
def cepstrum(x):
    return np.fft.ifft(np.log(np.abs(np.fft.fft(x)))).real


@prog(v8)
def quant(x):
    return x - np.round(x * 4) / 4


@prog(v8)
def gain_db(x):
    return 20 * np.log10(np.abs(x) + 0.001)


@prog(v8)
def interp1(x):
    return np.interp(np.linspace(0, 7, 15), np.arange(8), x)


@prog(v5, v5)
def interp_both(xp, fp):
    return np.interp([0.1, -0.2, 0.3], np.sort(xp), fp)


@prog(v8)
def unwrap(x):
    return np.unwrap(4 * x)


@prog(v8)
def kalman1d(z):
    x = 0.0
    Pv = 1.0
    xs = []
    for zk in z:
        Pv = Pv + 0.1
        K = Pv / (Pv + 0.5)
        x = x + K * (zk - x)
        Pv = (1 - K) * Pv
        xs.append(x)
    return np.array(xs)


@prog(v4)
def kalman2d(z):
    F = np.array([[1, 1.0], [0, 1]])
    H = np.array([[1.0, 0]])
    Q = 0.01 * np.eye(2)
    Rm = np.array([[0.5]])
    x = np.zeros((2, 1))
    Pm = np.eye(2)
    hist = []
    for k in range(len(z)):
        x = F @ x
        Pm = F @ Pm @ F.T + Q
        y = z[k] - H @ x
        S = H @ Pm @ H.T + Rm
        K = Pm @ H.T @ np.linalg.inv(S)
        x = x + K @ y
        Pm = (np.eye(2) - K @ H) @ Pm
        hist.append(x.flatten())
    return np.vstack(hist)


class Dense:
    def __init__(self, W, b):
        self.W = W
        self.b = b

    def __call__(self, x):
        self.x = x
        return x @ self.W + self.b

    def params(self):
        return [self.W, self.b]


class Net:
    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        for l in self.layers:
            x = l(x)
        return x


@prog(M34, v4, v3)
def net_class(W, b, x):
    return np.tanh(Net([Dense(W, b)]).forward(x))


@prog(M34)
def softmax_rows(z):
    z = z - z.max(axis=1, keepdims=True)
    e = np.exp(z)
    e /= e.sum(axis=1, keepdims=True)
    return e


@prog(M34)
def xent(logits):
    y = np.array([0, 2, 1])
    z = logits - logits.max(1)[:, None]
    lse = np.log(np.exp(z).sum(1))
    return np.mean(lse - z[np.arange(3), y])


@prog(M34)
def batchnorm(x):
    mu = x.mean(axis=0)
    var = x.var(axis=0)
    return (x - mu) / np.sqrt(var + 1e-05)


@prog(M34)
def dropout(x):
    rng = np.random.default_rng(0)
    mask = (rng.random(x.shape) > 0.5) / 0.5
    return x * mask


@prog(M33)
def attention(x):
    q = x @ np.ones((3, 2))
    k = x[:, :2]
    v = x
    s = q @ k.T / np.sqrt(k.shape[-1])
    s = np.where(np.tril(np.ones((3, 3))) == 1, s, -1000000000.0)
    w = np.exp(s - s.max(-1, keepdims=True))
    w = w / w.sum(-1, keepdims=True)
    return w @ v


@prog(M34, v4)
def rnn(W, h):
    Wh = W.T @ W
    for t in range(3):
        h = np.tanh(Wh @ h + t)
    return h


@prog(v4)
def lstm_cell(z):
    sig = lambda t: 1 / (1 + np.exp(-t))
    i, f, o, g = (sig(z[0]), sig(z[1]), sig(z[2]), np.tanh(z[3]))
    c = f * 0.5 + i * g
    return np.array([o * np.tanh(c), c])


@prog(R.normal(size=(5, 5)))
def conv2d(img):
    k = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1.0]])
    out = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            out[i, j] = np.sum(img[i : i + 3, j : j + 3] * k)
    return out


@prog(R.normal(size=(4, 4)))
def maxpool(img):
    out = np.zeros((2, 2))
    for i in range(2):
        for j in range(2):
            out[i, j] = img[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max()
    return out


@prog(R.normal(size=(4, 4)))
def maxpool2(img):
    return img.reshape(2, 2, 2, 2).max(axis=(1, 3))


@prog(v6)
def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


@prog(v6)
def leaky(x):
    y = x.copy()
    y[y < 0] *= 0.01
    return y


@prog(v6)
def elu(x):
    return np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1)


@prog(v6)
def relu6(x):
    return np.minimum(np.maximum(0, x), 6)


@prog(v3)
def adam(theta):
    m = np.zeros_like(theta)
    v = np.zeros_like(theta)
    for t in range(1, 4):
        g = 2 * theta * np.array([1, 2, 3.0])
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        mh = m / (1 - 0.9**t)
        vh = v / (1 - 0.999**t)
        theta = theta - 0.1 * mh / (np.sqrt(vh) + 1e-08)
    return theta


@prog(v3)
def adam_dict(theta):
    st = {"m": np.zeros(3), "v": np.zeros(3), "t": 0}
    for _ in range(3):
        st["t"] += 1
        g = theta * 2 + 1
        st["m"] *= 0.9
        st["m"] += 0.1 * g
        st["v"] *= 0.99
        st["v"] += 0.01 * g * g
        theta = theta - 0.1 * st["m"] / (1 - 0.9 ** st["t"]) / (np.sqrt(st["v"]) + 0.001)
    return theta


@prog(v3)
def linreg_gd(w):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(10, 3))
    y = X @ np.array([1, 2, 3.0])
    for _ in range(5):
        grad = np.zeros(3)
        for i in range(10):
            grad += 2 * (X[i] @ w - y[i]) * X[i]
        w = w - 0.01 * grad / 10
    return w


@prog(M43)
def pca(X):
    Xc = X - X.mean(0)
    C = Xc.T @ Xc / (len(X) - 1)
    w = np.linalg.eigvalsh(C)
    return w[::-1] / w.sum()


@prog(M43)
def kmeans_step(X):
    c = X[:2]
    d = ((X[:, None, :] - c[None]) ** 2).sum(-1)
    lab = d.argmin(1)
    return np.array([X[lab == k].mean(axis=0) for k in range(2)])


@prog(M43)
def kmeans_obj(X):
    c = np.array([[0, 0, 0], [1, 1, 1.0]])
    d = np.linalg.norm(X[:, None] - c, axis=2)
    return np.min(d, axis=1).sum()


@prog(M43)
def knn(X):
    d = np.sqrt(((X[:, None] - X) ** 2).sum(-1) + 1e-09)
    idx = np.argsort(d, axis=1)[:, 1:3]
    return np.take_along_axis(d, idx, axis=1).mean(1)


@prog(v4)
def logistic_nll(w):
    X = np.random.default_rng(1).normal(size=(6, 4))
    y = np.array([0, 1, 1, 0, 1, 0])
    p = 1 / (1 + np.exp(-X @ w))
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))


@prog(v4)
def huber(r):
    return np.where(np.abs(r) <= 1.0, 0.5 * r**2, np.abs(r) - 0.5).sum()


@prog(v4)
def hinge(w):
    s = 0.0
    for xi, yi in zip(np.eye(4), [1, -1, 1, -1]):
        s += max(0, 1 - yi * np.dot(w, xi))
    return s + 0.5 * np.dot(w, w)


@prog(M34)
def embed(E):
    ids = [0, 2, 2, 1]
    return E[ids].mean(0)


@prog(M34)
def layernorm(x):
    m = np.mean(x, axis=-1, keepdims=True)
    s_ = np.std(x, axis=-1, keepdims=True)
    return (x - m) / (s_ + 1e-06) * 2 + 1


@prog(M33)
def gat(A):
    A = A @ A.T
    D = np.diag(1 / np.sqrt(A.sum(1) ** 2))
    return D @ A @ D


@prog(v6)
def topk(x):
    idx = np.argpartition(x, -3)[-3:]
    return np.sort(x[idx])


@prog(v6)
def softmax_T(x):

    def sm(z, T=1.0):
        z = np.asarray(z) / T
        z = z - np.max(z)
        return np.exp(z) / np.exp(z).sum()

    return sm(x, 0.5)


@prog(M34)
def onehot_loss(p):
    Y = np.eye(4)[[0, 1, 3]]
    q = np.exp(p) / np.exp(p).sum(1, keepdims=True)
    return -(Y * np.log(q)).sum() / 3


@prog(M34)
def cosine_sim(X):
    n = np.linalg.norm(X, axis=1, keepdims=True)
    Xn = X / n
    return Xn @ Xn.T


@prog(M34)
def triplet(X):
    a, p, n = X
    return max(np.linalg.norm(a - p) - np.linalg.norm(a - n) + 5.0, 0.0)


@prog(M43)
def gmm_ll(X):
    mus = np.array([[0, 0, 0], [1, 0, 1.0]])
    ll = 0
    for x in X:
        c = [np.log(0.5) - 0.5 * np.sum((x - m) ** 2) - 1.5 * np.log(2 * np.pi) for m in mus]
        ll += np.logaddexp(*c)
    return ll


@prog(p4)
def entropy(p):
    p = p / p.sum()
    return -np.sum(p * np.log2(p))


@prog(p4, p4)
def kl(p, q):
    p = p / np.sum(p)
    q = q / np.sum(q)
    return np.sum(np.where(p != 0, p * np.log(p / q), 0))


@prog(v4)
def backprop_manual(w):
    W1 = w.reshape(2, 2)
    x = np.array([1.0, -1])
    h = np.maximum(W1 @ x, 0)
    dy = 2 * (h.sum() - 1)
    dh = dy * np.ones(2) * (h > 0)
    return np.outer(dh, x)


@prog(M34)
def im2col(x):
    cols = [x[i : i + 2, j : j + 2].ravel() for i in range(2) for j in range(3)]
    return np.stack(cols, axis=1).T @ np.array([1, 2, 3, 4.0])


@prog(v4)
def pendulum_rk4(y):

    def f(y):
        return np.array([y[1], -9.81 * np.sin(y[0]), y[3], -np.cos(y[2])])

    h = 0.01
    for _ in range(5):
        k1 = f(y)
        k2 = f(y + h / 2 * k1)
        k3 = f(y + h / 2 * k2)
        k4 = f(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


@prog(v6)
def nbody(r):
    r = r.reshape(3, 2)
    F = np.zeros((3, 2))
    m = [1, 2, 3]
    for i in range(3):
        for j in range(3):
            if i == j:
                continue
            d = r[j] - r[i]
            F[i] += m[i] * m[j] * d / np.linalg.norm(d) ** 3
    return F


@prog(v6)
def verlet(q):
    x = q[:3].copy()
    v = q[3:].copy()
    dt = 0.05
    a = -x
    for _ in range(4):
        x += v * dt + 0.5 * a * dt**2
        an = -x - 0.1 * x**3
        v += 0.5 * (a + an) * dt
        a = an
    return np.hstack([x, v])


@prog(v8)
def heat(u):
    u = u.copy()
    for _ in range(4):
        un = u.copy()
        u[1:-1] = un[1:-1] + 0.2 * (un[2:] - 2 * un[1:-1] + un[:-2])
        u[0] = u[1]
        u[-1] = 0
    return u


@prog(v8)
def burgers(u):
    for n in range(3):
        un = np.copy(u)
        for i in range(1, len(u)):
            u[i] = un[i] - un[i] * 0.1 * (un[i] - un[i - 1])
        u[0] = un[0] - un[0] * 0.1 * (un[0] - un[-1])
    return u


@prog(R.normal(size=(5, 5)))
def laplace2d(p):
    for _ in range(3):
        pn = p.copy()
        p[1:-1, 1:-1] = (pn[1:-1, 2:] + pn[1:-1, :-2] + pn[2:, 1:-1] + pn[:-2, 1:-1]) / 4
        p[:, -1] = p[:, -2]
        p[0, :] = 1.0
    return p


@prog(p4)
def lj(r):
    e = 0
    for i in range(3):
        for j in range(i + 1, 4):
            d = abs(r[i] - r[j]) + 1
            e += 4 * ((1 / d) ** 12 - (1 / d) ** 6)
    return e


@prog(v3, v3)
def lorentz(E, B):
    v = np.array([1.0, 0, 0])
    t = B * 0.05
    sv = 2 * t / (1 + np.dot(t, t))
    vm = v + E * 0.05
    vp = vm + np.cross(vm, t)
    vn = vm + np.cross(vp, sv)
    return vn + E * 0.05


@prog(np.array(0.3))
def kepler(e):
    M = 1.0
    E = M
    for _ in range(50):
        dE = (E - e * np.sin(E) - M) / (1 - e * np.cos(E))
        E -= dE
        if abs(dE) < 1e-13:
            break
    return np.array([np.cos(E) - e, np.sqrt(1 - e**2) * np.sin(E)])


@prog(v4)
def ising_energy(s_):
    g = np.tanh(s_).reshape(2, 2)
    return -(g * np.roll(g, 1, 0) + g * np.roll(g, 1, 1)).sum()


@prog(v3)
def quat(w):
    th = np.linalg.norm(w)
    a = w / th
    q = np.concatenate([[np.cos(th / 2)], a * np.sin(th / 2)])
    return q


@prog(v4)
def quat2rot(q):
    w, x, y, z = q / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


@prog(v3)
def euler_zyx(a):

    def Rx(t):
        return np.array([[1, 0, 0], [0, cos(t), -sin(t)], [0, sin(t), cos(t)]])

    def Ry(t):
        return array([[cos(t), 0, sin(t)], [0, 1, 0], [-sin(t), 0, cos(t)]])

    def Rz(t):
        return np.matrix([[cos(t), -sin(t), 0], [sin(t), cos(t), 0], [0, 0, 1]])

    return Rx(a[0]) @ Ry(a[1])


@prog(v4)
def dh_chain(q):
    T = np.eye(4)
    for i, th in enumerate(q):
        c, s_ = (np.cos(th), np.sin(th))
        A = np.eye(4)
        A[0, 0] = c
        A[0, 1] = -s_
        A[1, 0] = s_
        A[1, 1] = c
        A[0, 3] = (i + 1) * c
        A[1, 3] = (i + 1) * s_
        T = T @ A
    return T[:3, 3]


@prog(v4)
def dh_dot(q):
    Ts = [np.array([[np.cos(t), -np.sin(t), 0.5], [np.sin(t), np.cos(t), 0], [0, 0, 1]]) for t in q]
    return functools.reduce(np.dot, Ts)


@prog(v3)
def skew_exp(w):
    K = zeros((3, 3))
    K[0, 1], K[0, 2], K[1, 2] = (-w[2], w[1], -w[0])
    K -= K.T
    return np.eye(3) + K + K @ K / 2


@prog(v3)
def spring_mass(k):
    K = np.diag(k**2) + np.diag(-k[:-1], 1) + np.diag(-k[:-1], -1) + 5 * np.eye(3)
    return np.linalg.solve(K, np.ones(3))


@prog(p4)
def blackscholes(p):
    S, K, sig, T = p
    r = 0.05
    d1 = (np.log(S / K) + (r + 0.5 * sig**2) * T) / (sig * np.sqrt(T))
    d2 = d1 - sig * np.sqrt(T)
    N = lambda t: 0.5 * (1 + np.tanh(0.8 * t))
    return S * N(d1) - K * np.exp(-r * T) * N(d2)


@prog(p3)
def binomial(p):
    S, sig, K = p
    n = 5
    dt = 1 / n
    u = np.exp(sig * np.sqrt(dt))
    d = 1 / u
    q = (np.exp(0.03 * dt) - d) / (u - d)
    V = np.maximum(S * u ** np.arange(n, -1, -1) * d ** np.arange(0, n + 1) - K, 0)
    for _ in range(n):
        V = np.exp(-0.03 * dt) * (q * V[:-1] + (1 - q) * V[1:])
    return V[0]


@prog(p3)
def mc_option(p):
    rng = np.random.default_rng(0)
    Z = rng.standard_normal(50)
    ST = p[0] * np.exp(-0.5 * p[1] ** 2 + p[1] * Z)
    return np.mean(np.maximum(ST - p[2], 0))


@prog(p4)
def sharpe(w):
    w = w / np.sum(w)
    Rr = np.random.default_rng(2).normal(0.1, 1, size=(20, 4))
    r = Rr @ w
    return r.mean() / r.std(ddof=1) * np.sqrt(252)


@prog(p6)
def drawdown(r):
    c = np.cumprod(1 + 0.1 * (r - 1))
    peak = np.maximum.accumulate(c)
    return ((c - peak) / peak).min()


@prog(p6)
def ewma(x):
    return functools.reduce(lambda acc, v: 0.9 * acc + 0.1 * v, x, 0.0)


@prog(np.array(0.07))
def npv(r):
    return sum((cf / (1 + r) ** t for t, cf in enumerate([-100, 30, 40, 50])))


@prog(np.array([30.0, 40, 50]))
def irr(c):
    r = 0.1
    for _ in range(30):
        f = -100 + sum((ci / (1 + r) ** (i + 1) for i, ci in enumerate(c)))
        df = sum((-(i + 1) * ci / (1 + r) ** (i + 2) for i, ci in enumerate(c)))
        r = r - f / df
    return r


@prog(p3)
def bond(y):
    return np.sum([5 * np.exp(-yi * t) for t, yi in enumerate(y, 1)]) + 100 * np.exp(-y[-1] * 3)


@prog(p4)
def garch(x):
    v = np.empty(5)
    v[0] = 0.1
    for t in range(4):
        v[t + 1] = 0.05 + 0.1 * x[t] ** 2 + 0.85 * v[t]
    return -0.5 * np.sum(np.log(v[1:]) + x**2 / v[1:])
