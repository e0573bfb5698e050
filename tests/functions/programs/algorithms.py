"""Algorithms as textbooks have them: kinetics, control, graphics, statistics, optimisation, linear algebra."""

import math

import numpy as np
from scipy import special as sp
from scipy.special import erf, expit, gammaln

from tests.functions.programs.registry import Programs, more_data

prog = Programs()
R, (v3, v4, v5, v6, v8), (p3, p4, p5, p6, p8), (M33, M34, M43, M22) = more_data()
SPD = M33 @ M33.T + 3 * np.eye(3)


@prog(p4)
def arrhenius(p):
    A, Ea, T, c = p
    k = A * np.exp(-Ea * 1000.0 / (8.314 * 300 * T))
    return np.array([k * c, k * c**2])


@prog(p3)
def michaelis(p):
    Vm, Km, S = p
    v = []
    for _ in range(10):
        r = Vm * S / (Km + S)
        S -= 0.05 * r
        v.append(r)
    return np.array(v)


@prog(p3)
def reaction_network(k):
    S = np.array([[-1, 1, 0], [1, -1, -1], [0, 0, 1]])
    c = np.array([1.0, 0.5, 0.0])
    hist = np.zeros((6, 3))
    hist[0] = c
    for i in range(5):
        r = k * np.array([c[0], c[1], c[1] ** 2])
        c = c + 0.1 * (S @ r)
        hist[i + 1, :] = c
    return hist


@prog(np.array(2.5))
def ph_solver(pKa):
    H = 0.001
    for _ in range(60):
        f = H * H + 10 ** (-pKa) * H - 10 ** (-pKa) * 0.1
        df = 2 * H + 10 ** (-pKa)
        H = H - f / df
    return -np.log10(H)


@prog(p3)
def vdw(p):
    V, T, n = p
    a, b = (0.5, 0.03)
    return n * T / (V - n * b) - a * n**2 / V**2


@prog(v6)
def morse_dimer(x):
    a, b = x.reshape(2, 3)
    r = np.linalg.norm(a - b)
    return (1 - np.exp(-(r - 1))) ** 2


@prog(R.normal(size=(4, 3)))
def coulomb_matrix(X):
    Z = np.array([1, 6, 1, 8])
    n = len(Z)
    M = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            M[i, j] = 0.5 * Z[i] ** 2.4 if i == j else Z[i] * Z[j] / np.linalg.norm(X[i] - X[j])
    return np.linalg.eigvalsh(M)


@prog(R.normal(size=(4, 3)))
def dihedral(X):
    b0, b1, b2 = (X[0] - X[1], X[2] - X[1], X[3] - X[2])
    b1 /= np.linalg.norm(b1)
    v = b0 - np.dot(b0, b1) * b1
    w = b2 - np.dot(b2, b1) * b1
    return np.degrees(np.arctan2(np.dot(np.cross(b1, v), w), np.dot(v, w)))


@prog(R.normal(size=(4, 3)))
def rgyr(X):
    return np.sqrt(np.mean(np.sum((X - np.mean(X, axis=0)) ** 2, axis=1)))


@prog(R.normal(size=(4, 3)))
def kabsch(X):
    Y = np.random.default_rng(1).normal(size=(4, 3))
    U, S, Vt = np.linalg.svd((X - X.mean(0)).T @ (Y - Y.mean(0)))
    d = np.sign(np.linalg.det(Vt.T @ U.T))
    D = np.diag([1, 1, d])
    Rm = Vt.T @ D @ U.T
    return np.sqrt(((X - X.mean(0)) @ Rm.T - (Y - Y.mean(0))) ** 2).sum()


@prog(v4)
def lqr(K):
    A = np.array([[1, 0.1], [0, 1]])
    B = np.array([[0], [0.1]])
    x = np.array([1.0, 0.0])
    J = 0
    Km = K[:2].reshape(1, 2)
    for _ in range(8):
        u = -Km @ x
        J += x @ x + 0.1 * u @ u
        x = A @ x + B @ u
    return J


@prog(p3)
def pid(g):
    kp, ki, kd = g
    y = 0.0
    I = 0.0
    pe = 0.0
    out = []
    for k in range(8):
        e = 1.0 - y
        I += e * 0.1
        D = (e - pe) / 0.1 if k else 0.0
        u = kp * e + ki * I + kd * D * 0.01
        u = min(max(u, -5), 5)
        y += 0.1 * (u - y)
        pe = e
        out += [y]
    return np.array(out)


@prog(M22)
def riccati(A):
    A = A * 0.3
    Pm = np.eye(2)
    Q = np.eye(2)
    Rr = np.array([[1.0]])
    B = np.array([[0.0], [1.0]])
    for _ in range(10):
        Pm = A.T @ Pm @ A - A.T @ Pm @ B @ np.linalg.inv(Rr + B.T @ Pm @ B) @ B.T @ Pm @ A + Q
    return Pm


@prog(M22)
def lyap(A):
    A = A * 0.2
    n = 2
    K = np.kron(np.eye(n), np.eye(n)) - np.kron(A, A)
    return np.linalg.solve(K, np.eye(n).ravel()).reshape(n, n)


@prog(M22)
def matexp_taylor(A):
    E = np.eye(2)
    T = np.eye(2)
    for k in range(1, 12):
        T = T @ A / k
        E += T
    return E


@prog(v4)
def bode(c):
    w = np.logspace(-1, 1, 4)
    s_ = 1j * w
    H = (c[0] * s_ + c[1] ** 2 + 1) / (s_**2 + c[2] ** 2 * s_ + c[3] ** 2 + 1)
    return np.concatenate([20 * np.log10(np.abs(H)), np.unwrap(np.angle(H))])


@prog(v4)
def ctrb(a):
    A = np.diag(np.ones(2), 1)
    A[-1, :] = a[:3]
    B = np.zeros((3, 1))
    B[2] = 1
    C = np.hstack([np.linalg.matrix_power(A, k) @ B for k in range(3)])
    return C


@prog(v3)
def phong(n):
    n = n / np.linalg.norm(n)
    l = np.array([1, 1, 1]) / np.sqrt(3)
    r = 2 * np.dot(n, l) * n - l
    return 0.1 + max(np.dot(n, l), 0) + max(r[2], 0) ** 8


@prog(v3, v3)
def raysphere(o, d):
    d = d / np.linalg.norm(d)
    o = o * 0.1 + np.array([0, 0, 0.0])
    b = 2 * np.dot(o, d)
    c = np.dot(o, o) - 4
    disc = b * b - 4 * c
    if disc < 0:
        return np.zeros(3)
    t = (-b + np.sqrt(disc)) / 2
    return o + t * d


@prog(v6)
def bezier(c):
    P_ = c.reshape(3, 2)
    t = np.linspace(0, 1, 4)[:, None]
    return (1 - t) ** 2 * P_[0] + 2 * t * (1 - t) * P_[1] + t**2 * P_[2]


@prog(v8)
def casteljau(c):
    pts = [p for p in c.reshape(4, 2)]
    t = 0.3
    while len(pts) > 1:
        pts = [(1 - t) * a + t * b for a, b in zip(pts[:-1], pts[1:])]
    return pts[0]


@prog(v3)
def project(p):
    Pm = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0.2], [0, 0, 0.5, 3]])
    h = np.append(p, 1.0)
    q = Pm @ h
    return q[:3] / q[3]


@prog(v3)
def lookat(eye):
    f = -eye / np.linalg.norm(eye)
    s_ = np.cross(f, [0, 1, 0])
    s_ /= np.linalg.norm(s_)
    u = np.cross(s_, f)
    M = np.identity(4)
    M[0, :3] = s_
    M[1, :3] = u
    M[2, :3] = -f
    M[:3, 3] = -M[:3, :3] @ eye
    return M


@prog(p3)
def rgb2hsv(c):
    r, g, b = c / 3
    mx = max(r, g, b)
    mn = min(r, g, b)
    d = mx - mn
    if mx == mn:
        h = 0
    elif mx == r:
        h = (g - b) / d % 6
    elif mx == g:
        h = (b - r) / d + 2
    else:
        h = (r - g) / d + 4
    return np.array([h * 60, 0 if mx == 0 else d / mx, mx])


@prog(R.uniform(0, 1, size=(4, 4)))
def bilinear(img):
    y, x = (1.3, 2.4)
    x0, y0 = (int(x), int(y))
    dx, dy = (x - x0, y - y0)
    return (
        img[y0, x0] * (1 - dx) * (1 - dy)
        + img[y0, x0 + 1] * dx * (1 - dy)
        + img[y0 + 1, x0] * (1 - dx) * dy
        + img[y0 + 1, x0 + 1] * dx * dy
    )


@prog(np.array([1.3, 2.4]))
def bilinear_pos(p):
    img = np.arange(16.0).reshape(4, 4) ** 1.5
    x, y = p
    x0, y0 = (int(np.floor(x)), int(np.floor(y)))
    dx, dy = (x - x0, y - y0)
    return (
        (1 - dx) * (1 - dy) * img[y0, x0]
        + dx * (1 - dy) * img[y0, x0 + 1]
        + (1 - dx) * dy * img[y0 + 1, x0]
        + dx * dy * img[y0 + 1, x0 + 1]
    )


@prog(R.uniform(0, 1, size=(4, 4)))
def sobel(img):
    gx = np.zeros_like(img)
    gy = np.zeros_like(img)
    gx[1:-1, 1:-1] = img[1:-1, 2:] - img[1:-1, :-2]
    gy[1:-1, 1:-1] = img[2:, 1:-1] - img[:-2, 1:-1]
    return np.hypot(gx, gy)[1:-1, 1:-1]


@prog(R.uniform(0, 1, size=(4, 4)))
def gauss_blur(img):
    k = np.exp(-(np.arange(-1, 2) ** 2) / 2.0)
    k /= k.sum()
    p = np.pad(img, 1, mode="reflect")
    t = np.apply_along_axis(lambda m: np.convolve(m, k, mode="valid"), 0, p)
    return np.apply_along_axis(np.convolve, 1, t, k, "valid")


@prog(R.uniform(0, 1, size=(4, 4)))
def hist_eq(img):
    h, b = np.histogram(img, bins=4, range=(0, 1))
    cdf = h.cumsum() / h.sum()
    return np.interp(img, b[:-1], cdf)


@prog(R.uniform(0, 1, size=(4, 4, 3)))
def grey(img):
    return img @ [0.299, 0.587, 0.114]


@prog(v6)
def tri_area(c):
    a, b, d = c.reshape(3, 2)
    return 0.5 * abs(a[0] * (b[1] - d[1]) + b[0] * (d[1] - a[1]) + d[0] * (a[1] - b[1]))


@prog(v8)
def shoelace(c):
    x, y = (c[::2], c[1::2])
    return 0.5 * np.abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))


@prog(v8)
def shoelace_loop(c):
    pts = c.reshape(-1, 2)
    A = 0.0
    n = len(pts)
    for i, (x1, y1) in enumerate(pts):
        x2, y2 = pts[(i + 1) % n]
        A += x1 * y2 - x2 * y1
    return abs(A) / 2


@prog(v6)
def circumcircle(c):
    (ax, ay), (bx, by), (cx, cy) = c.reshape(3, 2)
    d = 2 * (ax * (by - cy) + bx * (cy - ay) + cx * (ay - by))
    ux = ((ax**2 + ay**2) * (by - cy) + (bx**2 + by**2) * (cy - ay) + (cx**2 + cy**2) * (ay - by)) / d
    return ux


@prog(np.array([48.1, 11.5, 52.5, 13.4]))
def haversine(p):
    la1, lo1, la2, lo2 = map(math.radians, p)
    a = math.sin((la2 - la1) / 2) ** 2 + math.cos(la1) * math.cos(la2) * math.sin((lo2 - lo1) / 2) ** 2
    return 2 * 6371 * math.asin(math.sqrt(a))


@prog(v3)
def spherical(p):
    r = np.sqrt((p**2).sum())
    return np.array([r, np.arccos(p[2] / r), np.arctan2(p[1], p[0])])


@prog(v4)
def quatmul(q):
    p = np.array([0.5, 0.5, -0.5, 0.5])
    a1, b1, c1, d1 = q
    a2, b2, c2, d2 = p
    return np.array(
        [
            a1 * a2 - b1 * b2 - c1 * c2 - d1 * d2,
            a1 * b2 + b1 * a2 + c1 * d2 - d1 * c2,
            a1 * c2 - b1 * d2 + c1 * a2 + d1 * b2,
            a1 * d2 + b1 * c2 - c1 * b2 + d1 * a2,
        ]
    )


@prog(v4)
def slerp(q):
    a = q / np.linalg.norm(q)
    b = np.array([1.0, 0, 0, 0])
    d = np.dot(a, b)
    if d < 0:
        b = -b
        d = -d
    if d > 0.9995:
        return a
    th = np.arccos(d)
    return (np.sin(0.7 * th) * a + np.sin(0.3 * th) * b) / np.sin(th)


@prog(p6)
def gamma_ll(x):
    return np.sum((2 - 1) * np.log(x) - x / 1.5 - gammaln(2.0) - 2 * np.log(1.5))


@prog(p3)
def beta_ll(p):
    return (p[0] - 1) * np.log(0.3) + (p[1] - 1) * np.log(0.7) - sp.betaln(p[0], p[1])


@prog(v6)
def norm_cdf(x):
    return 0.5 * (1 + erf(x / np.sqrt(2)))


@prog(v6)
def probit(x):
    return np.log(sp.ndtr(x)).sum() + expit(x)


@prog(M34)
def mvn(X):
    S = np.cov(np.random.default_rng(5).normal(size=(4, 9)))
    L = np.linalg.cholesky(S)
    z = np.linalg.solve(L, X.T)
    return -0.5 * (z**2).sum() - np.log(np.diag(L)).sum()


@prog(v6)
def skewkurt(x):
    z = (x - x.mean()) / x.std()
    return np.array([np.mean(z**3), np.mean(z**4) - 3])


@prog(v6, p6)
def ols(x, y):
    X = np.column_stack([np.ones_like(x), x, x**2])
    b, res, rk, sv = np.linalg.lstsq(X, y, rcond=None)
    return b


@prog(v6, p6)
def ols2(x, y):
    X = np.vstack((np.ones(6), x)).T
    return np.linalg.inv(X.T @ X) @ X.T @ y


@prog(v6, p6)
def ridge(x, y):
    X = np.vander(x, 3, increasing=True)
    return np.linalg.solve(X.T @ X + 0.1 * np.eye(X.shape[1]), X.T @ y)


@prog(v6, p6)
def theil(x, y):
    s_ = [(y[j] - y[i]) / (x[j] - x[i]) for i in range(6) for j in range(i + 1, 6)]
    return np.median(s_)


@prog(v6, p6)
def spearman(x, y):
    rx = np.argsort(np.argsort(x))
    return np.corrcoef(rx, y)[0, 1]


@prog(v6, p6)
def wmean(x, w):
    return np.average(x, weights=w) + np.sqrt(np.average((x - np.average(x, weights=w)) ** 2, weights=w))


@prog(v6)
def kde(x):
    g = np.linspace(-2, 2, 5)
    h = 1.06 * x.std(ddof=1) * len(x) ** (-1 / 5)
    return np.mean(np.exp(-0.5 * ((g[:, None] - x[None, :]) / h) ** 2), axis=1) / h


@prog(v6)
def trimmed(x):
    return np.sort(x)[1:-1].mean()


@prog(v6)
def winsor(x):
    lo, hi = np.percentile(x, [10, 90])
    return np.clip(x, lo, hi)


@prog(v6)
def mad(x):
    return 1.4826 * np.median(np.abs(x - np.median(x)))


@prog(p6)
def gini(x):
    x = np.sort(x)
    n = len(x)
    i = np.arange(1, n + 1)
    return 2 * np.sum(i * x) / (n * x.sum()) - (n + 1) / n


@prog(p6)
def geomean(x):
    return np.exp(np.log(x).mean()) + len(x) / np.sum(1.0 / x) + np.prod(x) ** (1 / 6)


@prog(v6)
def jackknife(x):
    return np.array([np.delete(x, i).mean() for i in range(len(x))]).var()


@prog(v6)
def bootstrap(x):
    rng = np.random.default_rng(0)
    return np.array([x[rng.integers(0, 6, 6)].mean() for _ in range(5)]).std()


@prog(v6)
def permute(x):
    rng = np.random.RandomState(0)
    idx = rng.permutation(6)
    return x[idx][:3].mean() - x[idx][3:].mean()


@prog(v6)
def ar1(x):
    return np.sum((x[1:] - 0.5 * x[:-1]) ** 2) / len(x)


@prog(v6)
def acf(x):
    x = x - np.mean(x)
    return np.array([np.sum(x[: len(x) - k] * x[k:]) for k in range(3)]) / np.sum(x**2)


@prog(R.uniform(0.1, 1, size=(3, 3)))
def markov(T):
    T = T / T.sum(axis=1, keepdims=True)
    p = np.ones(3) / 3
    for _ in range(20):
        p = p @ T
    return p


@prog(R.uniform(0.1, 1, size=(2, 2)))
def hmm_forward(T):
    T = T / T.sum(1)[:, None]
    E = np.array([[0.7, 0.3], [0.2, 0.8]])
    a = np.array([0.5, 0.5]) * E[:, 0]
    ll = 0.0
    for o in [1, 0, 1]:
        a = a @ T * E[:, o]
        c = a.sum()
        a /= c
        ll += np.log(c)
    return ll


@prog(R.uniform(0.1, 1, size=(2, 2)))
def viterbi(T):
    lT = np.log(T)
    d = np.log([0.5, 0.5])
    for o in range(3):
        s_ = d[:, None] + lT
        d = s_.max(axis=0)
    return d.max()


@prog(v6)
def logsumexp_(x):
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m)))


@prog(p4)
def dirichlet(a):
    return gammaln(a.sum()) - gammaln(a).sum() + ((a - 1) * np.log([0.1, 0.2, 0.3, 0.4])).sum()


@prog(v4)
def rosen(x):
    return sum(100.0 * (x[1:] - x[:-1] ** 2.0) ** 2.0 + (1 - x[:-1]) ** 2.0)


@prog(v4)
def rosen_loop(x):
    f = 0
    for i in range(len(x) - 1):
        f += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return f


@prog(v4)
def rastrigin(x):
    return 10 * len(x) + np.sum(x**2 - 10 * np.cos(2 * np.pi * x))


@prog(v4)
def ackley(x):
    return -20 * np.exp(-0.2 * np.sqrt(np.mean(x**2))) - np.exp(np.mean(np.cos(2 * np.pi * x))) + 20 + np.e


@prog(np.array([0.3, 0.7]))
def himmel(x):
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


@prog(np.array([1.5, 0.7]))
def beale(xy):
    x, y = xy
    return np.power(1.5 - x + x * y, 2) + pow(2.25 - x + x * y * y, 2) + (2.625 - x + x * y**3) ** 2


@prog(v4)
def newton_opt(x):
    for _ in range(3):
        g = 4 * x**3 - 2 * x
        H = np.diag(12 * x**2 + 2)
        x = x - np.linalg.solve(H, g)
    return x


@prog(v4)
def bfgs_step(x):
    H = np.eye(4)
    g = 2 * x * np.arange(1, 5)
    xn = x - 0.1 * H @ g
    gn = 2 * xn * np.arange(1, 5)
    s_ = xn - x
    y = gn - g
    rho = 1 / np.dot(y, s_)
    I = np.eye(4)
    H = (I - rho * np.outer(s_, y)) @ H @ (I - rho * np.outer(y, s_)) + rho * np.outer(s_, s_)
    return H @ gn


@prog(v4)
def cg(b):
    A = np.diag([1.0, 2, 3, 4]) + 0.1
    x = np.zeros(4)
    r = b - A @ x
    p = r.copy()
    rs = r @ r
    for _ in range(4):
        Ap = A @ p
        al = rs / (p @ Ap)
        x += al * p
        r -= al * Ap
        rn = r @ r
        p = r + rn / rs * p
        rs = rn
    return x


@prog(v4)
def jacobi_it(b):
    A = np.diag([4.0, 5, 6, 7]) + np.ones((4, 4))
    x = np.zeros_like(b)
    D = np.diag(A)
    Rm = A - np.diagflat(D)
    for _ in range(10):
        x = (b - Rm @ x) / D
    return x


@prog(v4)
def gauss_seidel(b):
    A = np.diag([4.0, 5, 6, 7]) + np.ones((4, 4))
    x = np.zeros(4)
    for _ in range(5):
        for i in range(4):
            x[i] = (b[i] - A[i, :i] @ x[:i] - A[i, i + 1 :] @ x[i + 1 :]) / A[i, i]
    return x


@prog(v4)
def tdma(d):
    n = 4
    a = np.full(n, -1.0)
    b = np.full(n, 4.0)
    c = np.full(n, -1.0)
    cp = np.zeros(n)
    dp = np.zeros(n)
    cp[0] = c[0] / b[0]
    dp[0] = d[0] / b[0]
    for i in range(1, n):
        m = b[i] - a[i] * cp[i - 1]
        cp[i] = c[i] / m
        dp[i] = (d[i] - a[i] * dp[i - 1]) / m
    x = np.zeros(n)
    x[-1] = dp[-1]
    for i in range(n - 2, -1, -1):
        x[i] = dp[i] - cp[i] * x[i + 1]
    return x


@prog(M33 + 3 * np.eye(3))
def lu_det(A):
    n = 3
    L = np.eye(n)
    U = A.copy()
    for k in range(n - 1):
        for i in range(k + 1, n):
            L[i, k] = U[i, k] / U[k, k]
            U[i, k:] -= L[i, k] * U[k, k:]
    return np.stack([L, U])


@prog(SPD)
def chol(A):
    n = len(A)
    L = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            s_ = sum((L[i, k] * L[j, k] for k in range(j)))
            if i == j:
                L[i, j] = np.sqrt(A[i, i] - s_)
            else:
                L[i, j] = (A[i, j] - s_) / L[j, j]
    return L


@prog(M33)
def gram_schmidt(A):
    Q = np.zeros_like(A)
    for j in range(A.shape[1]):
        v = A[:, j].copy()
        for i in range(j):
            v -= np.dot(Q[:, i], A[:, j]) * Q[:, i]
        Q[:, j] = v / np.linalg.norm(v)
    return Q


@prog(SPD)
def power_it(A):
    v = np.ones(3)
    for _ in range(30):
        v = A @ v
        v /= np.linalg.norm(v)
    return v @ A @ v


@prog(M33)
def householder(A):
    Rm = A.copy()
    for k in range(2):
        x = Rm[k:, k]
        e = np.zeros_like(x)
        e[0] = np.sign(x[0]) * np.linalg.norm(x)
        u = x + e
        u = u / np.linalg.norm(u)
        Rm[k:] -= 2 * np.outer(u, u @ Rm[k:])
    return np.triu(Rm)


@prog(M33)
def givens(A):
    for j in range(2):
        for i in range(2, j, -1):
            a, b = (A[i - 1, j], A[i, j])
            r = np.hypot(a, b)
            c, s_ = (a / r, b / r)
            G = np.eye(3)
            G[[i - 1, i], [i - 1, i]] = c
            G[i - 1, i] = s_
            G[i, i - 1] = -s_
            A = G @ A
    return A


@prog(v4)
def bisect(c):
    lo, hi = (0.0, 4.0)
    f = lambda x: x**3 - x - 5 - 0.01 * c[0]
    for _ in range(60):
        mid = (lo + hi) / 2
        if f(mid) > 0:
            hi = mid
        else:
            lo = mid
    x = lo
    return x - f(x) / (3 * x**2 - 1)


@prog(v3)
def fixedpoint(p):
    x = np.zeros(3)
    while True:
        xn = np.cos(0.3 * x + p)
        if np.max(np.abs(xn - x)) < 1e-14:
            return xn
        x = xn


@prog(v4)
def simpson(c):
    x = np.linspace(0, 1, 5)
    f = np.polyval(c, x)
    return (x[1] - x[0]) / 3 * (f[0] + 4 * f[1:-1:2].sum() + 2 * f[2:-1:2].sum() + f[-1])


@prog(v4)
def gaussquad(c):
    x, w = np.polynomial.legendre.leggauss(4)
    return np.sum(w * np.sin(c[0] * x + c[1]) * np.exp(c[2] * x))


@prog(v4)
def romberg(c):
    f = lambda x: np.exp(c[0] * x) * c[1]
    Rm = np.zeros((4, 4))
    for i in range(4):
        n = 2**i
        x = np.linspace(0, 1, n + 1)
        Rm[i, 0] = np.trapezoid(f(x), x)
        for k in range(1, i + 1):
            Rm[i, k] = Rm[i, k - 1] + (Rm[i, k - 1] - Rm[i - 1, k - 1]) / (4**k - 1)
    return Rm[-1, -1]


@prog(v5)
def cubic_spline(y):
    n = 5
    A = np.zeros((n, n))
    r = np.zeros(n)
    A[0, 0] = A[-1, -1] = 1
    for i in range(1, n - 1):
        A[i, i - 1 : i + 2] = [1, 4, 1]
        r[i] = 6 * (y[i + 1] - 2 * y[i] + y[i - 1])
    m = np.linalg.solve(A, r)
    x = 1.4
    i = int(x)
    h = x - i
    return m[i] * (1 - h) ** 3 / 6 + m[i + 1] * h**3 / 6 + (y[i] - m[i] / 6) * (1 - h) + (y[i + 1] - m[i + 1] / 6) * h


@prog(v5)
def lagrange(y):
    x = np.arange(5.0)
    t = 1.7
    s_ = 0
    for i in range(5):
        L = 1.0
        for j in range(5):
            if i != j:
                L *= (t - x[j]) / (x[i] - x[j])
        s_ += y[i] * L
    return s_


@prog(v5)
def divided(y):
    n = 5
    x = np.arange(n) * 0.5
    c = np.array(y)
    for j in range(1, n):
        c[j:] = (c[j:] - c[j - 1 : -1]) / (x[j:] - x[: n - j])
    return c


@prog(p4)
def chebdiff(y):
    N = 3
    x = np.cos(np.pi * np.arange(N + 1) / N)
    c = np.hstack([2, np.ones(N - 1), 2]) * (-1) ** np.arange(N + 1)
    X = np.tile(x, (N + 1, 1)).T
    dX = X - X.T
    D = np.outer(c, 1 / c) / (dX + np.eye(N + 1))
    D = D - np.diag(D.sum(axis=1))
    return D @ y


@prog(v8)
def fem1d(k):
    n = 8
    K = np.zeros((n + 1, n + 1))
    for e in range(n):
        ke = (k[e] ** 2 + 1) * np.array([[1, -1], [-1, 1]])
        idx = [e, e + 1]
        K[np.ix_(idx, idx)] += ke
    u = np.zeros(n + 1)
    u[1:] = np.linalg.solve(K[1:, 1:], np.ones(n))
    return u


@prog(v4)
def truss(A):
    dofs = np.array([[0, 1], [1, 2], [0, 2], [2, 3]])
    K = np.zeros((4, 4))
    for e, (i, j) in enumerate(dofs):
        k = A[e] ** 2 + 1
        K[i, i] += k
        K[j, j] += k
        K[i, j] -= k
        K[j, i] -= k
    return np.linalg.inv(K + np.eye(4))[0]


@prog(v6)
def graph_laplacian(w):
    edges = [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (0, 3)]
    L = np.zeros((4, 4))
    for (i, j), wi in zip(edges, w**2):
        L[i, j] -= wi
        L[j, i] -= wi
        L[i, i] += wi
        L[j, j] += wi
    return np.linalg.eigvalsh(L)[1:]


@prog(R.uniform(0, 1, (4, 4)))
def pagerank(A):
    M = A / A.sum(axis=0)
    r = np.ones(4) / 4
    for _ in range(10):
        r = 0.15 / 4 + 0.85 * M @ r
    return r


@prog(R.uniform(0.1, 1, (4, 4)))
def floyd(D):
    D = D.copy()
    np.fill_diagonal(D, 0)
    for k in range(4):
        for i in range(4):
            for j in range(4):
                if D[i, k] + D[k, j] < D[i, j]:
                    D[i, j] = D[i, k] + D[k, j]
    return D


@prog(R.uniform(0.1, 1, (4, 4)))
def floyd_np(D):
    for k in range(4):
        D = np.minimum(D, D[:, [k]] + D[[k], :])
    return D


@prog(R.uniform(0.1, 1, (3, 4)))
def dtw(C):
    n, m = C.shape
    D = np.full((n + 1, m + 1), np.inf)
    D[0, 0] = 0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            D[i, j] = C[i - 1, j - 1] + min(D[i - 1, j], D[i, j - 1], D[i - 1, j - 1])
    return D[n, m]


@prog(p5)
def sinkhorn(a):
    a = a / a.sum()
    b = np.ones(5) / 5
    C = np.abs(np.subtract.outer(np.arange(5), np.arange(5))).astype(float)
    K = np.exp(-C)
    u = np.ones(5)
    for _ in range(10):
        v = b / (K.T @ u)
        u = a / (K @ v)
    return np.sum(u[:, None] * K * v * C)


@prog(p5)
def wasserstein(x):
    y = np.linspace(0, 1, 5)
    return np.mean(np.abs(np.sort(x) - np.sort(y)))


@prog(v5)
def softdtw(x):
    r = np.zeros(6)
    g = 0.5
    for i in range(1, 6):
        a = np.array([r[i - 1], x[i - 1]])
        r[i] = -g * np.log(np.sum(np.exp(-a / g)))
    return r


@prog(v5)
def crf(x):
    a = x[:2].copy()
    for k in range(3):
        a = np.logaddexp.reduce(a[:, None] + np.array([[0.1, 0.2], [0.3, 0.4]]) * x[k + 2], axis=0)
    return np.logaddexp.reduce(a)
