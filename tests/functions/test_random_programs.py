"""Random programs of statements that write, view, move and compute: each is right."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.functions.differences import right

STATEMENTS = [
    "y = y * x",
    "y = np.sin(y)",
    "y = y + 0.5",
    "y[0] = x[1] * x[2]",
    "y[1:3] = x[:2]",
    "y[::-1][0] = x[0]",
    "z = y[1:]; z *= x[0]",
    "z = y.reshape(2,2); z[0] = x[2:]",
    "z = y.reshape(2,2).T; z[1] += x[:2]",
    "y += x",
    "y -= y[::-1]",
    "y[[0,2]] = y[[2,0]]",
    "y[y > 0.3] *= x[0]",
    "np.add.at(y, [0,0,3], x[:3])",
    "y = np.where(y > 0, y, x)",
    "y = np.concatenate([y[2:], x[:2]])",
    "w = y; w[3] = x[3] ** 2",
    "w = y.copy(); w[3] = 7",
    "b = np.zeros(4); b[:] = y; b[1] = x[0]; y = b",
    "b = np.zeros((2,4)); b[0] = y; b[1, 1:] = x[1:]; y = b.sum(0)",
    "y = np.array([y[0], y[1] * x[0], 2.0, y[3]])",
    "y = np.cumsum(y)",
    "y = np.roll(y, 1)",
    "for k in range(1, 4): y[k] = y[k-1] * x[k]",
    "for r in y.reshape(2,2): r[1] = r[0] * x[0]",
    "y = np.sort(y)",
    "y[-1] = y.max()",
    "y.flat[1] = x[1]",
    "y = np.asarray(y); y[2] = x[0]",
    "a, b2 = y[:2], y[2:]; a[:] = b2 * x[0]",
    "y = np.stack([y, x])[1:].ravel() + y",
    "y[:2], y[2:] = y[2:].copy(), y[:2].copy()",
    "y = np.pad(y, 1)[1:-1]",
    "np.copyto(y, x, where=y > 0)",
    "np.multiply(y, 2, out=y, where=x > 0)",
    "y = np.clip(y, -1.1, 1.2)",
    "y = y @ np.outer(x, x) * 0.1",
    "y[1] += y[0]; y[0] -= y[1]",
    "v = y[0]; v += 1; y[1] = v",
    "y[None][0, 2] = x[3]",
    "y = y[[0, 1, 2, 3]]; y[0] = 1",
    "t = y[...]; t[1] = x[2]",
    "s = y.ravel(); s[2] = s[3] * x[0]",
    "y = np.full(4, y[0]); y[2] = x[1]",
    "y = np.full_like(x, y[1]); y[0] += x[3]",
    "M = np.eye(4); M[0] = y; y = M @ x",
    "y = np.broadcast_to(y, (2, 4)).copy()[1]; y[3] = x[1]",
    "y.fill(y[1]); y[0] = x[2]",
    "y = np.atleast_2d(y)[0]; y[0] *= 2",
    "u = np.squeeze(y[:, None]); u[3] = x[0]",
    "p, q = np.split(y, 2); p += q",
    "np.fill_diagonal(y.reshape(2, 2), x[0])",
    "np.put(y, [1, 2], x[2:])",
    "h = y; y = y * 2; h[0] = 5 * x[0]; y = y + h",
    "if y[0] > 0: y[1] = x[0]",
    "y = np.append(y[:3], x[0] * y[3])",
    "e = [y[k] for k in range(4)]; e[1] = x[0]; y = np.array(e)",
    "y = np.take(y, [3, 2, 1, 0]); y[1] *= x[0]",
    "z = y[1:]; y[1] = x[2]; y = y * z[0]",
    "z = y[1:]; w = z[:2]; y[2] = x[1]; y = y + w.sum()",
    "z = y[1:]; w = z[:2]; w[1] = x[0]; y = y * z.sum() - y[2]",
    "z = y[::2]; z[1] = x[0]; y = y * z.sum()",
    "z = y.reshape(2, 2); y += x; y = y * z[1, 0]",
    "z = y[:]; c = z * 2; z[0] = x[3]; y = y + c - z",
    "z = y[None]; z *= 2; y = y * z[0, 1]",
    "z, c = y[2:], y[2]; y[2] = x[1] * x[3]; y[3] = c + z[0]",
]


@pytest.mark.parametrize("seed", range(100))
def test_random_programs(seed):
    choose = random.Random(seed)
    lines = ["def f(x):", "y = x * 1.0", *choose.choices(STATEMENTS, k=choose.randint(2, 15)), "return y"]
    found = {}
    exec("\n    ".join(lines), {"np": np}, found)
    x = np.random.default_rng(seed).normal(size=4)
    scale = max(1, np.abs(found["f"](x.copy())).max())
    right(found["f"], x, tolerance=1e-5 * scale)
