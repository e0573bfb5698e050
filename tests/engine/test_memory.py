"""Memory that is kept for the next result is never lent twice."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import numpy as np
import pytest

from jacobians import term
from jacobians.engine import memory

SHAPE, FLOAT = (300, 200), np.dtype(float)


def test_in_words():
    assert memory.in_words(8) == "8 bytes"
    assert memory.in_words(2.5e9) == "2.5 GB"


def test_memory_in_use_is_not_lent_again():
    held = []
    for k in range(6):
        array = memory.empty(SHAPE, FLOAT)()
        array[...] = k
        held.append(array[1:])  # a view keeps the memory, too
        del array
        gc.collect()
    for k, view in enumerate(held):
        assert (view == k).all()


def test_memory_comes_back():
    first = memory.empty(SHAPE, FLOAT)()
    address = first.ctypes.data
    view = first[3:]
    del first
    assert memory.empty(SHAPE, FLOAT)().ctypes.data != address
    del view
    addresses = {memory.empty(SHAPE, FLOAT)().ctypes.data for _ in range(3)}
    assert len(addresses) == 1


def test_results_are_ordinary_arrays():
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(300, 3)), rng.normal(size=(3, 200))
    J = term("A_ij B_jk -> i;k", A, B).bind()
    results = [J.full() for _ in range(4)]
    results[0][...] = 7
    for other in results[1:]:
        np.testing.assert_allclose(other, A @ B)
    assert all(type(r) is np.ndarray and r.flags.writeable for r in results)


def test_zeros_in_small_pages():
    big = memory.zeros((1000, 1000, 3), FLOAT, touched=10)()
    assert not big.any()
    big[5, 5, 1] = 1
    assert big.sum() == 1
    assert memory.zeros((2, 3), FLOAT, touched=1)().shape == (2, 3)
    x = np.arange(1.0, 200)
    J = term("x_k -> i;ik", x).bind((500,), (500, 199))
    full = J.full()
    np.testing.assert_array_equal(full[7, 7], x)
    assert full.sum() == 500 * x.sum()


FORKED = """
import os
import numpy as np
from jacobians.engine import memory

for make in (memory.empty((600, 600), np.dtype(float)), memory.zeros((1000, 1000, 3), np.dtype(float), touched=10)):
    array = make()
    array[0] = 1
    if not os.fork():
        array[0] = 7
        os._exit(0)
    os.wait()
    assert (array[0] == 1).all(), array[0]
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_process_does_not_write_into_our_results():
    subprocess.run([sys.executable, "-c", FORKED], check=True)


def test_what_is_kept_for_later_is_bounded():
    size = 1 << 25
    for _ in range(2):
        held = [memory.empty((size // 8,), FLOAT)() for _ in range(12)]
        for array in held:
            array[0] = 1
        del held, array
        gc.collect()
        assert sum(n * len(some) for n, some in memory._kept.items()) <= memory.MOST_KEPT
    memory._kept.clear()
