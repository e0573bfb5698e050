"""What is remembered between calls stays within its bounds, and is what it was."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from jacobians import Affine, Chain, Tanh, kept


def total():
    return sum(max(0, e.objects) for e in kept._entries), sum(max(0, e.nbytes) for e in kept._entries)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(kept, "OBJECTS", 3000)
    monkeypatch.setattr(kept, "BYTES", 1 << 20)
    monkeypatch.setattr(kept, "BATCH", 1)


def test_objects_and_bytes_are_bounded(small):
    for n in range(1, 60):
        Chain(Affine(np.ones((3, n)), np.ones(3)), Tanh()).jacobians(np.ones(n))
        assert total()[0] <= 3000 or len(kept._entries) <= kept.LEAST
    memory = kept.Memory()
    for n in range(60):
        memory.recall(n, lambda: np.zeros(1 << 15))
    assert total()[1] <= 1 << 20 or len(kept._entries) <= kept.LEAST
    memory.cache_clear()


def test_weights_count_what_is_reachable_but_not_what_all_share():
    array = np.zeros(100)
    assert kept.weight([array, [array, (array,)]]) == (4, 800)
    assert kept.weight(np.sin, np, int, "text", 3.0)[0] == 0
    step = lambda x, scale=array: x * scale
    assert kept.weight(step) == (2, 800)
    assert kept.weight(lambda x: x + array)[1] == 800


def test_the_least_recently_used_is_forgotten_first(small, monkeypatch):
    monkeypatch.setattr(kept, "LEAST", 4)
    made = []
    memory = kept.Memory()

    def value(k):
        return memory.recall(k, lambda: made.append(k) or list(map(str, range(100))) + [[] for _ in range(200)])

    for k in range(200):
        value("often")
        value(k)
    assert made.count("often") == 1
    value(0)
    assert made.count(0) == 2
    memory.cache_clear()


def test_a_function_is_called_once_for_equal_arguments():
    calls = []

    @kept.kept
    def double(x, by=2):
        """Twice."""
        calls.append(x)
        return [x * by]

    assert double(3) is double(3)
    assert double(3, by=2) is double(3, by=2)
    assert calls == [3, 3]
    assert double.__doc__ == "Twice."
    double.cache_clear()
    double(3)
    assert calls == [3, 3, 3]
    with pytest.raises(TypeError, match="unsupported"):
        double(object())
    assert len(calls) == 4


def test_threads_get_one_value(small):
    memory, found = kept.Memory(), []

    def work():
        for k in range(200):
            found.append((k, memory.recall(k % 7, lambda: [0] * 50)))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1600
    assert all(v == [0] * 50 for _, v in found)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_does_not_wait_for_a_lock():
    """In a process of its own, where no other library watches forks."""
    program = """
import os
import numpy as np
from jacobians import Linear, kept

with kept._lock:
    if not os.fork():
        Linear(np.ones((2, 3))).jacobians(np.ones(3))
        os._exit(0)
    raise SystemExit(os.waitstatus_to_exitcode(os.wait()[1]))
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_many_shapes_leave_few_objects():
    gc.collect()
    before = len(gc.get_objects())
    for n in range(1, 150):
        Chain(Affine(np.ones((2, n)), np.ones(2)), Tanh()).jacobians(np.ones(n))
    gc.collect()
    assert len(gc.get_objects()) - before < 2 * kept.OBJECTS
