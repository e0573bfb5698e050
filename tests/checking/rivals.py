"""The rules of other checkers, restated in a few lines of NumPy: True where they accept a claimed Jacobian."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def _point(x: Any) -> Any:
    point = np.asarray(x)
    return point.astype(float) if point.dtype.kind in "iub" else point


def _central(f: Callable[[Any], Any], x: Any, step: float) -> Any:
    x = _point(x)
    columns = []
    for index in np.ndindex(x.shape):
        ends = []
        for sign in (1, -1):
            end = np.array(x, copy=True)
            end[index] += sign * step
            ends.append(np.array(f(end[()] if np.ndim(x) == 0 else end), copy=True))
        columns.append((ends[0] - ends[1]) / (2 * step))
    shape = np.shape(f(np.array(x, copy=True)[()] if np.ndim(x) == 0 else np.array(x, copy=True)))
    return np.stack(columns, axis=-1).reshape(shape + x.shape) if columns else np.zeros(shape + x.shape)


def torch_gradcheck(f: Callable[[Any], Any], x: Any, J: Any) -> bool:
    """torch.autograd.gradcheck: step 1e-6, allclose with rtol 1e-3 and atol 1e-5."""
    D = _central(f, x, 1e-6)
    return np.shape(J) == D.shape and bool(np.allclose(J, D, rtol=1e-3, atol=1e-5))


def jax_check_grads(f: Callable[[Any], Any], x: Any, J: Any) -> bool:
    """jax.test_util.check_grads, order 1 in double precision: one random direction, step 1e-4, tolerance 1e-4."""
    x = _point(x)
    random = np.random.default_rng(0)
    direction = random.standard_normal(x.shape)
    ends = [np.array(f((x + sign * 0.5e-4 * direction)[()]), copy=True) for sign in (1, -1)]
    D = (ends[0] - ends[1]) / 1e-4
    along = np.tensordot(np.asarray(J), direction, axes=x.ndim)
    if np.shape(along) != np.shape(D):
        return False
    size = max(1, int(np.prod(np.shape(D))))
    return bool(np.allclose(along, D, rtol=1e-4 * size, atol=1e-4 * size))


def scipy_check_grad(f: Callable[[Any], Any], x: Any, J: Any) -> bool:
    """scipy.optimize.check_grad: forward differences of step 1.5e-8, the 2-norm of the difference below 1e-6."""
    x = _point(x)
    base = np.array(f(np.array(x, copy=True)[()]), copy=True)
    columns = []
    for index in np.ndindex(x.shape):
        end = np.array(x, copy=True)
        end[index] += 1.49e-8
        columns.append((np.array(f(end[()]), copy=True) - base) / 1.49e-8)
    D = np.stack(columns, axis=-1).reshape(base.shape + x.shape) if columns else np.zeros(base.shape + x.shape)
    return bool(np.sqrt(np.sum(np.abs(np.asarray(J) - D) ** 2)) < 1e-6 * np.sqrt(max(1, D.size)))


RULES = {
    "torch gradcheck": torch_gradcheck,
    "jax check_grads": jax_check_grads,
    "SciPy check_grad": scipy_check_grad,
}
