"""Second derivatives against JAX: full and factored, by one argument and by several.

JAX takes a second to compile each function, so the suite takes every twelfth; ``JAX=all pytest`` takes all.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from jacobians import hessian, trace
from tests.functions.hessian_functions import FUNCTIONS

jax = pytest.importorskip("jax", reason="the oracle is JAX")
jnp = jax.numpy
rng = np.random.default_rng(3)


@pytest.mark.parametrize("name", FUNCTIONS if os.environ.get("JAX") == "all" else list(FUNCTIONS)[::12])
def test_agrees_with_jax(name):
    f, *arguments = FUNCTIONS[name]
    every = tuple(range(len(arguments)))
    with jax.enable_x64(True):
        expected = jax.hessian(lambda *some: f(jnp, *some), every)(*arguments)
    found = hessian(lambda *some: f(np, *some), every)(*arguments)
    g = trace(lambda *some: f(np, *some), *arguments)
    for k in every:
        for l in every:
            want = np.asarray(expected[k][l])
            close = {"rtol": 1e-9, "atol": 1e-10 * (1 + np.abs(want).max())}
            assert found[k][l].shape == want.shape
            np.testing.assert_allclose(found[k][l], want, **close)
            H = g.hessian(k, l)
            np.testing.assert_allclose(H.full(), want, **close)
            h = rng.normal(size=np.shape(arguments[l]))
            np.testing.assert_allclose(H @ h, np.tensordot(want, h, h.ndim), **close)
