"""Programs of statistics and machine learning, as people write them with NumPy."""

import numpy as np

from tests.functions.programs.registry import Programs, data

rng, A, B, v3, v4, v6, pos = data()
prog = Programs()


@prog(rng.normal(size=(5, 2)), np.array(0.7))
def gp_kernel(X, ell):
    d2 = ((X[:, None, :] - X[None, :, :]) ** 2).sum(-1)
    return np.exp(-0.5 * d2 / ell**2) + 1e-3 * np.eye(len(X))


@prog(rng.normal(size=(4, 2)), rng.normal(size=4), np.array(0.7))
def gp_loglik(X, y, ell):
    d2 = np.sum(X**2, 1)[:, None] + np.sum(X**2, 1) - 2 * X @ X.T
    K = np.exp(-0.5 * d2 / ell**2) + 0.1 * np.eye(4)
    L = np.linalg.cholesky(K)
    alpha = np.linalg.solve(L.T, np.linalg.solve(L, y))
    return -0.5 * y @ alpha - np.sum(np.log(np.diag(L))) - 2 * np.log(2 * np.pi)


@prog(rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.normal(size=(4, 3)))
def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[-1])
    S = S - S.max(axis=-1, keepdims=True)
    E = np.exp(S)
    return E / E.sum(axis=-1, keepdims=True) @ V


@prog(rng.normal(size=(3, 2)))
def kmeans(C):
    X = np.random.default_rng(0).normal(size=(8, 2))
    D = ((X[:, None] - C[None]) ** 2).sum(2)
    return D.min(axis=1).mean()


@prog(rng.normal(size=(3, 4)), v4, v4)
def layer_norm(x, g, b):
    mu = x.mean(-1, keepdims=True)
    var = x.var(-1, keepdims=True)
    return g * (x - mu) / np.sqrt(var + 1e-5) + b


@prog(rng.normal(size=(5, 5)), rng.normal(size=(3, 3)))
def conv_loops_plain(img, k):
    out = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            out[i, j] = np.sum(img[i : i + 3, j : j + 3] * k)
    return out


@prog(rng.normal(size=(5, 5)), rng.normal(size=(3, 3)))
def conv_windows(img, k):
    w = np.lib.stride_tricks.sliding_window_view(img, (3, 3))
    return np.einsum("ijkl,kl->ij", w, k)


class Net:
    def __init__(self):
        r = np.random.default_rng(1)
        self.W = [r.normal(size=(4, 3)), r.normal(size=(2, 4))]
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        for k, W in enumerate(self.W):
            x = W @ x
            if k < len(self.W) - 1:
                x = np.tanh(x)
        return x


net = Net()


@prog(v3)
def class_net(x):
    return net(x)


class RNN:
    def __init__(self):
        self.h = np.zeros(3)

    def step(self, x):
        self.h = np.tanh(A @ self.h + x)
        return self.h


@prog(B)
def class_state(xs):
    r = RNN()
    return np.stack([r.step(x) for x in xs])


@prog(v4)
def softmax_ce(z):
    y = 2
    return -z[y] + np.log(np.sum(np.exp(z - z.max()))) + z.max()


@prog(rng.normal(size=(5, 3)))
def ce_batch(logits):
    labels = np.array([0, 2, 1, 1, 0])
    z = logits - logits.max(1, keepdims=True)
    lp = z - np.log(np.exp(z).sum(1, keepdims=True))
    return -lp[np.arange(5), labels].mean()


@prog(rng.normal(size=(5, 3)))
def onehot(logits):
    Y = np.eye(3)[[0, 2, 1, 1, 0]]
    p = np.exp(logits) / np.exp(logits).sum(1)[:, None]
    return -(Y * np.log(p)).sum()


@prog(v6)
def zscore(x):
    return (x - np.mean(x)) / np.std(x, ddof=1)


@prog(rng.normal(size=(6, 3)))
def pca_loss(X):
    Xc = X - X.mean(0)
    C = Xc.T @ Xc / (len(X) - 1)
    return np.linalg.eigvalsh(C)[-1]


@prog(rng.normal(size=(6, 3)))
def covariance(X):
    return np.cov(X, rowvar=False)


@prog(v3, np.array(0.2))
def ridge(w, lam):
    X = np.random.default_rng(2).normal(size=(8, 3))
    y = X @ np.ones(3)
    return np.mean((X @ w - y) ** 2) + lam * np.sum(w**2) + 0.1 * np.abs(w).sum()


@prog(v3)
def logistic(w):
    X = np.random.default_rng(2).normal(size=(8, 3))
    y = np.sign(X[:, 0])
    return np.mean(np.log1p(np.exp(-y * (X @ w))))


@prog(v3)
def logaddexp_nll(w):
    X = np.random.default_rng(2).normal(size=(8, 3))
    return np.logaddexp(0, X @ w).sum()


@prog(v3)
def huber(r):
    return np.where(np.abs(r) <= 1, 0.5 * r**2, np.abs(r) - 0.5).sum()


@prog(v6)
def sliding(x):
    return np.array([x[i : i + 3].max() for i in range(4)])


@prog(v6)
def median_filter(x):
    return np.array([np.median(x[i : i + 3]) for i in range(4)])


@prog(v6)
def quantiles(x):
    return np.quantile(x, [0.1, 0.5, 0.9])


@prog(v6)
def sortnet(x):
    y = np.sort(x)
    return np.cumsum(y) / np.sum(y**2)


@prog(v6)
def gini(x):
    x = np.sort(np.abs(x))
    n = len(x)
    i = np.arange(1, n + 1)
    return np.sum((2 * i - n - 1) * x) / (n * np.sum(x))


@prog(pos)
def entropy(p):
    p = p / p.sum()
    return -np.sum(p * np.log(p))


@prog(pos, pos[::-1].copy())
def kl(p, q):
    p = p / p.sum()
    q = q / q.sum()
    return np.sum(np.where(p > 0, p * np.log(p / q), 0))


@prog(rng.normal(size=(2, 3, 4)))
def einsum_(T):
    return np.einsum("ijk,ijl->kl", T, T)


@prog(B)
def pairwise(X):
    return np.sqrt(((X[:, None] - X[None]) ** 2).sum(-1) + 1e-9)


@prog(B)
def cosine_sim(X):
    n = np.linalg.norm(X, axis=1, keepdims=True)
    Y = X / n
    return Y @ Y.T


@prog(v6)
def triu_fill(p):
    M = np.zeros_like(p, shape=(3, 3))
    M[np.triu_indices(3)] = p
    return M.T @ M


@prog(v6)
def chol_param(p):
    L = np.zeros((3, 3))
    L[np.tril_indices(3)] = p
    return L @ L.T


@prog(v6)
def bmat(p):
    a = p[:4].reshape(2, 2)
    return np.block([[a, np.zeros((2, 2))], [np.eye(2), a.T]])


@prog(rng.normal(size=(2, 4)), v4)
def bn(x, g):
    mu = np.mean(x, axis=0)
    v = np.var(x, axis=0)
    return g * (x - mu) / np.sqrt(v + 1e-5)


@prog(v6)
def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


@prog(v6)
def leaky(x):
    return np.where(x > 0, x, 0.01 * x) + np.maximum(x, 0.1 * x)


@prog(rng.normal(size=(4, 4)))
def maxpool(x):
    return x.reshape(2, 2, 2, 2).max(axis=(1, 3))


@prog(v6)
def mask(x):
    y = x.copy()
    y[y < 0] = 0
    y[x > 1] = 1
    return y


@prog(v6)
def mask_mul(x):
    return x * (x > 0) + (x <= 0) * np.exp(x)


@prog(v6)
def argmax_(x):
    return x[np.argmax(x)] - x[x.argmin()]


@prog(v6)
def top_k(x):
    return x[np.argsort(-x)[:3]]


@prog(v6)
def scatter_add(x):
    out = np.zeros_like(x, shape=3)
    np.add.at(out, [0, 1, 2, 0, 1, 1], x)
    return out


@prog(v6)
def bincount_(x):
    return np.bincount([0, 1, 2, 0, 1, 1], weights=x)


@prog(v6)
def histogram_w(x):
    return np.histogram(np.arange(6), bins=3, weights=x)[0]


@prog(v3)
def sigmoid_stable(x):
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


@prog(v4)
def stats(x):
    return np.array([x.mean(), x.std(), x.min(), x.max(), np.ptp(x), np.median(x)])


@prog(v4)
def skewness(x):
    m = x.mean()
    s = x.std()
    return np.mean(((x - m) / s) ** 3)


@prog(v4)
def mixture(mu):
    d = np.array([-1.0, 0.5, 2.0])
    w = np.ones(4) / 4
    lp = np.log(w) - 0.5 * (d[:, None] - mu) ** 2 - 0.5 * np.log(2 * np.pi)
    m = lp.max(1, keepdims=True)
    return np.sum(m[:, 0] + np.log(np.exp(lp - m).sum(1)))
