"""Large arrays of which only Jacobians are wanted: values that wait, and entries that are moved several times."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from jacobians import Sigmoid, hessian, jacobian, trace
from jacobians.core.graph import Recording
from jacobians.core.postponed import DEEPEST, LARGE, Postponed

rng = np.random.default_rng(0)
N = LARGE + 3
NEAR = rng.integers(-N, N, (N, 3))


def product(f, u, h):
    """The directional derivative of f by central differences."""
    step = 1e-6
    return (f(u + step * h) - f(u - step * h)) / (2 * step)


FUNCTIONS = {
    "stencil": lambda u: u[2:] - 2 * u[1:-1] + u[:-2] + u[1:-1] * u[1:-1],
    "quotient by a constant": lambda u: (u[2:] - 2 * u[1:-1] + u[:-2]) / 0.5**2,
    "negated": lambda u: -(3 - u) + (+u) ** 2,
    "squares": lambda u: np.square(u + u) + (u - 1) ** 2,
    "Burgers on a circle": lambda u: u * (np.roll(u, -1) - np.roll(u, 1)) / 2,
    "rolled and back": lambda u: np.roll(np.roll(u, -1), 1) * u,
    "a sum that is needed": lambda u: np.sin(u + 2 * u) + np.exp(-(u / 4)),
    "a sum that is compared": lambda u: np.where(u + u > 0, u + u, u * u),
    "a sum that decides": lambda u: u * 2 if (u + u)[0] > 0 else u * 3,
    "a sum that is cut": lambda u: (u + u)[1:] * (u * u)[:-1],
    "a sum that is written into": lambda u: written(u + u, u),
    "a sum that is a constant": lambda u: u * (np.ones_like(u) + np.ones_like(u)),
    "a layer of a sum": lambda u: Sigmoid()(u + u),
    "a sum that is summed": lambda u: np.cumsum(u + u) / N,
    "powers": lambda u: u**3 + u**2 - u**1 + (u + u) ** 4,
    "padded": lambda u: np.pad(u + u, 1)[2:] * u + np.pad(u, (0, 3))[3:] + np.pad(u, 1, mode="edge")[:-2],
    "a triangle": lambda u: np.tril(np.outer(u[:100], u[:100])) + np.triu((u[:100] + u[-1])[None, :] + u[:100, None]),
    "put together": lambda u: np.concatenate([[1.0], u + u, np.zeros(2)])[2:-1] * u,
    "stacked": lambda u: np.stack([u * u, -u, u / 3], axis=-1) * np.stack([u, u, u + u], axis=1),
    "written at places": lambda u: places(u),
    "neighbours": lambda u: u[NEAR].sum(axis=1) - (u + u)[NEAR[:, 0]] * u,
    "a mean": lambda u: np.mean(u * u) * u[:9] + np.sum(u.reshape(-1, 5), axis=0, keepdims=True)[0, 0],
    "columns": lambda u: u[: 4 * (N // 4)].reshape(4, -1) + u[: N // 4],
    "broadcast": lambda u: (u + u)[None, :] * np.ones((2, 1)) + u,
    "many after each other": lambda u: many(u),
}


def written(y, u):
    y[3:5] = u[:2] ** 2
    y += u
    return y + y


def places(u):
    y = np.zeros_like(u)
    y[1:-1] = u[2:] - u[:-2]
    y[1:] += u[:-1] * u[1:]
    y[::2] -= 3 * u[::2]
    return y


def many(u):
    y = u
    for k in range(5 * DEEPEST):
        y = y + u if k % 2 else -(y - u)
    return y * u


@pytest.mark.parametrize("name", FUNCTIONS)
def test_jacobians_of_large_arrays(name):
    f = FUNCTIONS[name]
    u, h = rng.normal(size=(2, N)) / 2
    found = trace(f, u).jvp(h) if name == "a sum that is summed" else jacobian(f, sparse=True)(u) @ h
    np.testing.assert_allclose(found, product(f, u, h).ravel(), rtol=1e-6, atol=1e-6)


def test_of_float32_stays_so_and_is_the_same():
    u = rng.normal(size=N).astype(np.float32)
    found = jacobian(lambda u: (u + 2 * u) * u, sparse=True)(u)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.diagonal(), 6 * u, rtol=1e-6)


def test_mixed_dtypes_and_shapes_are_computed_at_once():
    u = rng.normal(size=(2, N))
    with pytest.raises(ValueError, match="broadcast"):
        jacobian(lambda u: u + np.ones(N + 1), sparse=True)(u)
    found = jacobian(lambda u: u + np.arange(N, dtype=np.float32) + u[:1] * 1j, sparse=True)(u)
    assert found.dtype == np.complex128
    np.testing.assert_allclose(found @ np.ones(u.size), np.repeat(1 + 1j, u.size))


def test_wrong_positions_are_errors_of_numpy():
    u = rng.normal(size=N)
    for key in (NEAR + N, np.full(N, -N - 1), np.ones(N + 1, bool), np.ones(N - 1, bool)):
        with pytest.raises(IndexError) as expected:
            u[key]
        with pytest.raises(IndexError) as found:
            jacobian(lambda u, key=key: u[key], sparse=True)(u)
        assert str(found.value) == str(expected.value)
    np.testing.assert_array_equal(jacobian(lambda u: u[u > 0], sparse=True)(u).indices, np.flatnonzero(u > 0))


def test_second_derivatives_of_large_sums():
    u = rng.normal(size=N)
    H = hessian(lambda u: np.sum((u[1:] - u[:-1]) ** 2 * u[1:]), sparse=True)(u)
    e = u[1:] - u[:-1]
    expected = np.zeros(N)
    expected[1:] += 2 * u[1:] + 4 * e
    expected[:-1] += 2 * u[1:]
    np.testing.assert_allclose(H.diagonal(), expected)
    np.testing.assert_allclose(H.diagonal(1), -2 * u[1:] - 2 * e)


def test_a_trace_in_a_trace():
    u = rng.normal(size=N)

    def f(u):
        return np.sum((u + u) * u * u)

    def gradient(u):
        return jacobian(lambda v: f(v))(u + 0 * u)

    np.testing.assert_allclose(jacobian(gradient, sparse=True)(u).diagonal(), 12 * u)


def test_only_what_is_asked_for_is_computed(monkeypatch):
    """Of a stencil no sum is computed, of its trace all are."""
    count = []
    computed = Postponed.array.fget
    monkeypatch.setattr(Postponed, "array", property(lambda self: (count.append(self), computed(self))[1]))
    jacobian(FUNCTIONS["stencil"], sparse=True)(rng.normal(size=N))
    assert not count
    g = trace(FUNCTIONS["stencil"], np.arange(N + 0.0))
    np.testing.assert_array_equal(g.output, FUNCTIONS["stencil"](np.arange(N + 0.0)))
    assert not count


def test_moved_back_is_the_identity():
    p = rng.permutation(N)

    def turned(u):
        return np.roll(np.roll(u.reshape(-1, N), (3, -1), (0, 1)), (-3, 1), (0, 1)).reshape(-1)

    def sorted_back(u):
        return u[p][np.argsort(p)]

    for f in (turned, sorted_back, lambda u: u[::-1][::-1], lambda u: np.flip(np.roll(np.flip(np.roll(u, 1)), 1))):
        u = rng.normal(size=N)
        found = jacobian(f, sparse=True)(u)
        np.testing.assert_array_equal(found.indices, np.arange(N))
        np.testing.assert_array_equal(found.data, np.ones(N))


def test_views_of_views_that_are_written_into():
    def f(u):
        y = u + 0
        z = y[1:][::2]
        z[1:3] = u[:2] * u[5]
        return np.roll(y, 2)[1:] * np.roll(z, -1)[0]

    u = rng.normal(size=8)
    expected = np.array([product(f, u, e) for e in np.eye(8)]).T
    np.testing.assert_allclose(jacobian(f)(u), expected, atol=1e-8)
    np.testing.assert_allclose(trace(f, u).jacobian().full(), expected, atol=1e-8)


def test_what_f_changes_afterwards_does_not_count():
    """A shift in a list, or positions in an array, may be changed before a value is computed."""
    u = rng.normal(size=N)
    shift, place, scale = [1], np.arange(N), np.full(N, 2.0)

    def f(u):
        y, z, w = np.roll(u, shift, [0]) + u, u[place] + u, u * scale + u
        shift[0], place[:], scale[:] = 5, 0, 0.0
        found = np.sin(y) + np.sin(z) + np.sin(w)
        shift[0], place[:], scale[:] = 1, np.arange(N), 2.0
        return found

    def same(u):
        return np.sin(np.roll(u, 1) + u) + np.sin(2 * u) + np.sin(3 * u)

    h = rng.normal(size=N)
    np.testing.assert_allclose(jacobian(f, sparse=True)(u) @ h, product(same, u, h), rtol=1e-6, atol=1e-6)


def test_nothing_of_a_call_is_held_after_it():
    """Neither the arrays nor the recording: no cycle waits for the garbage collector, and no list remembers them."""
    held = lambda: [one for one in gc.get_objects() if type(one) in (Recording, Postponed)]
    u = rng.normal(size=N)
    gc.collect()
    before = {id(one) for one in held()}  # other tests may hold some
    gc.disable()
    try:
        for f in (FUNCTIONS["stencil"], FUNCTIONS["written at places"], lambda u: u[NEAR].sum(axis=1), lambda u: 2 * u):
            jacobian(f, sparse=True)(u)
            hessian(lambda u, f=f: np.sum(f(u) ** 2), sparse=True)(u)
            with pytest.raises(ZeroDivisionError):
                jacobian(lambda u: u / (1 // 0))(u)
        assert not [one for one in held() if id(one) not in before]
    finally:
        gc.enable()
