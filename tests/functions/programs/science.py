"""Programs of physics, geometry and numerical analysis, as people write them with NumPy."""

import math

import numpy as np

from tests.functions.programs.registry import Programs, data

rng, A, B, v3, v4, v6, pos = data()
prog = Programs()


@prog(v3)
def robot_arm(q):
    l = [1.0, 0.8, 0.5]
    x = y = 0.0
    a = 0.0
    for qi, li in zip(q, l, strict=False):
        a += qi
        x += li * np.cos(a)
        y += li * np.sin(a)
    return np.array([x, y])


@prog(v3)
def lorenz(s, sigma=10.0, rho=28.0, beta=8 / 3):
    x, y, z = s
    return np.array([sigma * (y - x), x * (rho - z) - y, x * y - beta * z])


@prog(v3)
def rk4(s):
    def f(u):
        return np.array([10 * (u[1] - u[0]), u[0] * (28 - u[2]) - u[1], u[0] * u[1] - 8 / 3 * u[2]])

    dt = 0.01
    for _ in range(3):
        k1 = f(s)
        k2 = f(s + dt / 2 * k1)
        k3 = f(s + dt / 2 * k2)
        k4 = f(s + dt * k3)
        s = s + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return s


@prog(v6)
def rk4_trajectory(x0):
    n = 5
    out = np.zeros((n, 6))
    out[0] = x0
    f = lambda u: np.roll(u, -1) - u**3
    for k in range(n - 1):
        k1 = f(out[k])
        k2 = f(out[k] + 0.05 * k1)
        out[k + 1] = out[k] + 0.1 * k2
    return out


@prog(v6)
def euler_list(x0):
    xs = [x0]
    for _k in range(4):
        xs.append(xs[-1] + 0.1 * np.sin(xs[-1]))
    return np.array(xs)


@prog(rng.normal(size=(5, 5)))
def laplacian_stencil(u):
    return u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4 * u[1:-1, 1:-1]


@prog(rng.normal(size=(5, 5)))
def heat_step(u):
    un = u.copy()
    un[1:-1, 1:-1] = u[1:-1, 1:-1] + 0.1 * (
        u[2:, 1:-1] - 2 * u[1:-1, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] - 2 * u[1:-1, 1:-1] + u[1:-1, :-2]
    )
    un[0, :] = 0
    un[-1, :] = un[-2, :]
    un[:, 0] = 1.0
    return un


@prog(v6)
def burgers(u):
    dx = 0.1
    f = 0.5 * u**2
    return -(np.roll(f, -1) - np.roll(f, 1)) / (2 * dx) + 0.01 * (np.roll(u, -1) - 2 * u + np.roll(u, 1)) / dx**2


@prog(rng.normal(size=(4, 3)) * 1.5)
def lennard_jones(r):
    d = r[:, None] - r[None]
    i, j = np.triu_indices(len(r), 1)
    r2 = (d[i, j] ** 2).sum(1)
    s6 = 1 / r2**3
    return 4 * np.sum(s6**2 - s6)


@prog(rng.normal(size=(4, 3)) * 1.5)
def lj_forces(pos):
    F = np.zeros_like(pos)
    for i in range(len(pos)):
        for j in range(i + 1, len(pos)):
            rij = pos[i] - pos[j]
            r2 = rij @ rij
            f = 24 * (2 / r2**7 - 1 / r2**4) * rij
            F[i] += f
            F[j] -= f
    return F


@prog(v4, v4[:2])
def kalman(x, z):
    F = np.eye(4) + 0.1 * np.eye(4, k=2)
    H = np.eye(2, 4)
    P_ = np.eye(4)
    Q = 0.1 * np.eye(4)
    R = 0.2 * np.eye(2)
    x = F @ x
    P_ = F @ P_ @ F.T + Q
    S = H @ P_ @ H.T + R
    K = P_ @ H.T @ np.linalg.inv(S)
    return x + K @ (z - H @ x)


@prog(np.array(2.3))
def newton_sqrt(a):
    x = a
    while abs(x * x - a) > 1e-12:
        x = 0.5 * (x + a / x)
    return x


@prog(np.array(0.5), np.array(0.3))
def newton_kepler(M, e):
    E = M
    for _ in range(10):
        E = E - (E - e * np.sin(E) - M) / (1 - e * np.cos(E))
    return E


@prog(rng.uniform(size=(4, 4)))
def dp_path(c):
    n, m = c.shape
    D = np.zeros_like(c)
    for i in range(n):
        for j in range(m):
            if i == 0 and j == 0:
                D[i, j] = c[0, 0]
            elif i == 0:
                D[i, j] = D[i, j - 1] + c[i, j]
            elif j == 0:
                D[i, j] = D[i - 1, j] + c[i, j]
            else:
                D[i, j] = np.minimum(D[i - 1, j], D[i, j - 1]) + c[i, j]
    return D[-1, -1]


@prog(v4, v6)
def dtw(a, b):
    n, m = len(a), len(b)
    D = np.full((n + 1, m + 1), np.inf) * 1.0
    D = [[np.inf] * (m + 1) for _ in range(n + 1)]
    D[0][0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            D[i][j] = (a[i - 1] - b[j - 1]) ** 2 + min(D[i - 1][j], D[i][j - 1], D[i - 1][j - 1])
    return D[n][m]


@prog(v3, v3[::-1].copy())
def homogeneous(angles, t):
    def T(a, p):
        c, s = np.cos(a), np.sin(a)
        return np.array([[c, -s, 0, p], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])

    M = np.eye(4)
    for a, p in zip(angles, t, strict=False):
        M = M @ T(a, p)
    return M[:3, 3]


@prog(v4, v3)
def quaternion(q, v):
    q = q / np.linalg.norm(q)
    w, x, y, z = q
    R = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    return R @ v


@prog(v4, v3)
def quaternion_cross(q, v):
    w, u = q[0], q[1:]
    t = 2 * np.cross(u, v)
    return v + w * t + np.cross(u, t)


@prog(np.array([100.0, 105.0, 0.5, 0.02, 0.3]))
def black_scholes(p):
    S, K, T, r, s = p
    d1 = (np.log(S / K) + (r + 0.5 * s**2) * T) / (s * np.sqrt(T))
    d2 = d1 - s * np.sqrt(T)
    N = lambda z: 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))
    return S * N(d1) - K * np.exp(-r * T) * N(d2)


@prog(np.array([1.0, 0.5, 0.2]))
def ode_residual(p):
    t = np.linspace(0, 1, 8)
    y = p[0] * np.exp(-p[1] * t) + p[2] * t
    return np.gradient(y, t) + p[1] * y


@prog(v4)
def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@prog(v4)
def rosenbrock_loop(x):
    s = 0
    for i in range(len(x) - 1):
        s += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return s


@prog(np.array([0.3, 1.1]))
def himmelblau(p):
    x, y = p
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


@prog(v3)
def rastrigin(x):
    return 10 * len(x) + sum(xi**2 - 10 * np.cos(2 * np.pi * xi) for xi in x)


@prog(v3)
def ackley(x):
    return -20 * np.exp(-0.2 * np.sqrt(np.mean(x**2))) - np.exp(np.mean(np.cos(2 * np.pi * x))) + 20 + np.e


@prog(v6)
def fft_power(x):
    return np.abs(np.fft.rfft(x)) ** 2


@prog(v6)
def fft_filter(x):
    X = np.fft.fft(x)
    X = X * np.exp(-np.arange(6) / 3.0)
    return np.real(np.fft.ifft(X))


@prog(v6)
def autocorr(x):
    x = x - x.mean()
    return np.correlate(x, x, "full")[len(x) - 1 :] / np.dot(x, x)


@prog(v6)
def moving_average(x):
    return np.convolve(x, np.ones(3) / 3, mode="valid")


@prog(v6)
def ema(x):
    a = 0.3
    out = np.empty_like(x)
    out[0] = x[0]
    for i in range(1, len(x)):
        out[i] = a * x[i] + (1 - a) * out[i - 1]
    return out


@prog(v4)
def horner(c):
    x = 1.5
    r = 0
    for ci in c[::-1]:
        r = r * x + ci
    return r


@prog(np.array(0.4))
def taylor_exp(x):
    return sum(x**k / math.factorial(k) for k in range(10))


@prog(v3, v3 * 2 + 1)
def haversine(a, b):
    lat1, lon1 = np.radians(a[0]), np.radians(a[1])
    lat2, lon2 = np.radians(b[0]), np.radians(b[1])
    h = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371 * np.arcsin(np.sqrt(h))


@prog(v3)
def spherical(p):
    x, y, z = p
    r = np.sqrt(x**2 + y**2 + z**2)
    return np.array([r, np.arccos(z / r), np.arctan2(y, x)])


@prog(np.array([2.0, 0.5, 1.0]))
def spherical_inverse(p):
    r, th, ph = p
    return np.array([r * np.sin(th) * np.cos(ph), r * np.sin(th) * np.sin(ph), r * np.cos(th)])


@prog(v3, np.array([0.1, 0.2, 0.3]), np.array([500.0, 320.0, 240.0]))
def reprojection(X, rvec, K):
    th = np.linalg.norm(rvec)
    k = rvec / th
    Xr = X * np.cos(th) + np.cross(k, X) * np.sin(th) + k * (k @ X) * (1 - np.cos(th)) + np.array([0, 0, 5.0])
    f, cx, cy = K
    return np.array([f * Xr[0] / Xr[2] + cx, f * Xr[1] / Xr[2] + cy])


@prog(v3)
def skew(w):
    W = np.array([[0, -w[2], w[1]], [w[2], 0, -w[0]], [-w[1], w[0], 0]])
    return np.eye(3) + W + W @ W / 2


@prog(v3)
def skew_zeros(w):
    W = np.zeros((3, 3))
    W[0, 1] = -w[2]
    W[0, 2] = w[1]
    W[1, 2] = -w[0]
    return W - W.T


@prog(A)
def inv2x2(M):
    a, b, c, d = M[0, 0], M[0, 1], M[1, 0], M[1, 1]
    return np.array([[d, -b], [-c, a]]) / (a * d - b * c)


@prog(v3)
def inv_of_built(p):
    S = np.array([[p[0] ** 2 + 1, p[1]], [p[1], p[2] ** 2 + 1]])
    return np.linalg.inv(S)


@prog(v3)
def det_of_built(p):
    return np.linalg.det(np.array([[p[0], p[1]], [p[2], 1.0]]))


@prog(v3)
def solve_of_built(p):
    return np.linalg.solve(np.array([[p[0] + 3, p[1]], [p[2], 1.0]]), np.array([1.0, p[0]]))


@prog(v4)
def gauss_elim(b):
    M = np.array([[4.0, 1, 0, 0], [1, 4, 1, 0], [0, 1, 4, 1], [0, 0, 1, 4]])
    x = b.copy()
    n = 4
    M = M.copy()
    for k in range(n):
        for i in range(k + 1, n):
            f = M[i, k] / M[k, k]
            M[i] -= f * M[k]
            x[i] -= f * x[k]
    for i in reversed(range(n)):
        x[i] = (x[i] - M[i, i + 1 :] @ x[i + 1 :]) / M[i, i]
    return x


@prog(v4)
def thomas(d):
    n = len(d)
    a = np.ones(n)
    b = 4 * np.ones(n)
    c = np.ones(n)
    cp = np.zeros(n)
    dp = np.zeros_like(d)
    cp[0] = c[0] / b[0]
    dp[0] = d[0] / b[0]
    for i in range(1, n):
        m = b[i] - a[i] * cp[i - 1]
        cp[i] = c[i] / m
        dp[i] = (d[i] - a[i] * dp[i - 1]) / m
    x = np.zeros_like(d)
    x[-1] = dp[-1]
    for i in range(n - 2, -1, -1):
        x[i] = dp[i] - cp[i] * x[i + 1]
    return x


@prog(A + 4 * np.eye(3))
def lu(Am):
    n = 3
    L = np.eye(n) + 0 * Am
    U = Am.copy()
    for k in range(n - 1):
        for i in range(k + 1, n):
            L[i, k] = U[i, k] / U[k, k]
            U[i, k:] -= L[i, k] * U[k, k:]
    return L + U


@prog(A)
def gram_schmidt(V):
    Q = []
    for v in V.T:
        w = v - sum((q @ v) * q for q in Q) if Q else v
        Q.append(w / np.linalg.norm(w))
    return np.column_stack(Q)


@prog(v3)
def power_iter(x0):
    S = A @ A.T
    x = x0
    for _ in range(5):
        x = S @ x
        x /= np.linalg.norm(x)
    return x @ S @ x


@prog(v6)
def simpson(y):
    return (y[0] + 4 * y[1:-1:2].sum() + 2 * y[2:-1:2].sum() + y[-1]) / 3


@prog(v3)
def pendulum(p):
    th, w, L = p
    for _ in range(4):
        w = w - 0.1 * 9.81 / (L + 3) * np.sin(th)
        th = th + 0.1 * w
    return np.array([th, w])


@prog(np.array([10.0, 5.0]))
def lotka(u):
    traj = [u]
    for _ in range(5):
        x, y = traj[-1]
        traj.append(np.array([x + 0.01 * (1.1 * x - 0.4 * x * y), y + 0.01 * (0.1 * x * y - 0.4 * y)]))
    return np.array(traj)[-1]


@prog(np.array([0.9, 0.1, 0.0]), np.array(0.3), np.array(0.1))
def sir(u, beta, gamma):
    S, I, R = u
    for _ in range(4):
        n = beta * S * I
        r = gamma * I
        S, I, R = S - n, I + n - r, R + r
    return np.array([S, I, R])


@prog(v6)
def nbody(p):
    pos = p.reshape(3, 2)
    acc = np.zeros_like(pos)
    for i in range(3):
        for j in range(3):
            if i != j:
                d = pos[j] - pos[i]
                acc[i] += d / (d @ d + 0.1) ** 1.5
    return acc.ravel()


@prog(v3)
def complex_(x):
    z = x[0] + 1j * x[1]
    return np.abs(np.exp(z)) * np.angle(z) + (z * np.conj(z)).real


@prog(v3)
def complex_mod(x):
    H = 1 / (1 + 1j * x)
    return 20 * np.log10(np.abs(H))


@prog(v3)
def hmm(theta):
    T = np.exp(theta[:, None] * np.arange(3) / 3)
    T = T / T.sum(1, keepdims=True)
    a = np.ones(3) / 3
    for o in [0, 1, 2]:
        a = (a @ T) * np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])[:, o]
    return np.log(a.sum())


@prog(v3)
def expm_series(w):
    W = np.array([[0, -w[2], w[1]], [w[2], 0, -w[0]], [-w[1], w[0], 0]])
    E = np.eye(3)
    term = np.eye(3)
    for k in range(1, 8):
        term = term @ W / k
        E = E + term
    return E


@prog(v6)
def savgol(x):
    return np.apply_along_axis(lambda r: np.convolve(r, [1, 2, 1], "same"), 0, x.reshape(3, 2))


@prog(v6)
def diff_(x):
    return np.diff(x, n=2) ** 2
