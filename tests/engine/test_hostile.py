"""Threads, interrupts, pickles and callers that change what they have passed or been given."""

from __future__ import annotations

import pickle
import signal
import threading

import numpy as np
import pytest

from jacobians import Affine, Chain, LayerNorm, Linear, Softmax, Tanh, jacobian, trace

rng = np.random.default_rng(0)


def network(n=4, m=5):
    first, last = Affine(rng.normal(size=(m, n)), rng.normal(size=m)), Linear(rng.normal(size=(3, m)))
    return Chain(first, Tanh(), Softmax(), last)


def test_eight_threads_on_one_chain_and_one_function():
    net, points = network(), rng.normal(size=(20, 4))
    f = jacobian(lambda x: np.sum(np.tanh(x[1:] * x[:-1])) * x)
    expected = [(net.jacobians(x, method="explicit"), f(x)) for x in points]
    wrong = []

    def work(seed):
        for i in np.random.default_rng(seed).integers(0, len(points), 40):
            chain, function = expected[i]
            for name, J in net.jacobians(points[i]).items():
                if not np.allclose(J, chain[name], atol=1e-12):
                    wrong.append(name)
                J[...] = np.nan  # what a caller does with a result is nobody else's business
            if not np.allclose(f(points[i]), function, atol=1e-12):
                wrong.append("f")

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_pickles():
    net, x = network(), rng.normal(size=4)
    twin = pickle.loads(pickle.dumps(net))
    for name, J in net.jacobians(x).items():
        np.testing.assert_array_equal(twin.jacobians(x)[name], J)
    J = trace(lambda x: np.sin(x)[::-1] * x[[0, 0, 2, 1]], x).jacobian(0)
    again = pickle.loads(pickle.dumps(J))
    np.testing.assert_array_equal(again.full(), J.full())
    assert again.formula == J.formula


# an interrupt may land in a callback of the garbage collector, where Python only notes it
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers on this system")
def test_an_interrupt_leaves_nothing_half_made():
    """Ctrl-C at any moment, also while a new shape is compiled; the next call is right."""
    armed = False

    def interrupt(*_):
        nonlocal armed
        if armed:
            armed = False
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    interrupted = 0
    try:
        for k in range(25):
            n, m = 2 + k, 3 + k % 4
            net = Chain(Affine(rng.normal(size=(m, n)), rng.normal(size=m)), LayerNorm(np.ones(m), np.zeros(m)), Tanh())
            x = rng.normal(size=n)
            try:
                armed = True
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-4, 4e-3))
                net.jacobians(x)
                armed = False
            except KeyboardInterrupt:
                interrupted += 1
            expected = net.jacobians(x, method="explicit")
            for name, J in net.jacobians(x).items():
                np.testing.assert_allclose(J, expected[name], rtol=1e-10, atol=1e-12, err_msg=name)
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupted


def test_arrays_that_are_one_and_then_two():
    """The same array twice, equal arrays, and other ones have plans of their own."""
    f = jacobian(lambda a, b: a * b + np.sin(a), argnums=(0, 1))
    a, b = rng.normal(size=(2, 3))
    for one, two in ((a, a), (a, a.copy()), (a, b), (a, a), (b, a[::-1]), (a[:1], b), (a, b[:1])):
        by_one, by_two = f(one, two)
        wide = np.broadcast_shapes(one.shape, two.shape)
        first = np.broadcast_to(two, wide) + np.cos(np.broadcast_to(one, wide))
        for J, x, value in ((by_one, one, first), (by_two, two, np.broadcast_to(one, wide))):
            expected = np.zeros(wide + x.shape)
            for k in range(wide[0]):
                expected[k, k if len(x) > 1 else 0] = value[k]
            np.testing.assert_allclose(J, expected, rtol=1e-14)
