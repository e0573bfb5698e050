"""Torch modules and JAX functions: whatever turns into arrays can be checked."""

import numpy as np
import pytest

from jacobians.checking import check, check_jacobian, check_vjp

x = np.array([0.3, -1.2, 2.0])


def test_torch_module():
    torch = pytest.importorskip("torch", reason="checks what is written with it")
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh()).double()

    def f(x):
        return net(torch.as_tensor(x))

    J = torch.func.jacrev(net)(torch.as_tensor(x))
    assert check_jacobian(f, x, J).ok
    assert not check_jacobian(f, x, 1.001 * J).ok
    assert check_jacobian(f, torch.as_tensor(x), J).ok


def test_torch_module_in_single_precision():
    torch = pytest.importorskip("torch", reason="checks what is written with it")
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh())
    single = x.astype(np.float32)

    def f(x):
        return net(torch.as_tensor(x))

    J = torch.func.jacrev(net)(torch.as_tensor(single))
    assert check_jacobian(f, single, J).ok
    assert not check_jacobian(f, single, 1.01 * J).ok


def test_torch_backward():
    torch = pytest.importorskip("torch", reason="checks what is written with it")

    def vjp(x, u):
        leaf = torch.tensor(x, requires_grad=True)
        torch.tanh(leaf).backward(torch.as_tensor(u))
        return leaf.grad

    assert check_vjp(np.tanh, x, vjp).ok


def test_jax():
    jax = pytest.importorskip("jax", reason="checks what is written with it")

    def f(x):
        return jax.numpy.tanh(jax.numpy.outer(x, x))

    assert check_jacobian(f, x, jax.jacobian(f)(x.astype(np.float32))).ok
    assert not check_jacobian(f, x, 2 * jax.jacobian(f)(x.astype(np.float32))).ok


def test_torch_as_it_stands():
    torch = pytest.importorskip("torch", reason="checks what is written with it")
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    report = check(net, x)
    assert report.ok, str(report)
    assert [one.name for one in report] == ["∂f/∂0.weight", "∂f/∂0.bias", "∂f/∂2.weight", "∂f/∂2.bias", "∂f/∂x"]
    assert check(net, torch.as_tensor(x.astype(np.float32))).ok

    g = lambda t: torch.tanh(t) * t.sum()
    assert check(g, torch.as_tensor(x)).ok
    assert check_jacobian(g, torch.as_tensor(x), torch.func.jacrev(g)).ok


def test_a_hand_written_torch_backward():
    torch = pytest.importorskip("torch", reason="checks what is written with it")

    class Cube(torch.autograd.Function):
        factor = 3

        @staticmethod
        def forward(ctx, t):
            ctx.save_for_backward(t)
            return t**3

        @classmethod
        def backward(cls, ctx, u):
            (t,) = ctx.saved_tensors
            return u * cls.factor * t**2

    class Wrong(Cube):
        factor = 2

    tensor = torch.tensor(x, requires_grad=True)
    assert check(Cube.apply, tensor)
    report = check(Wrong.apply, tensor)
    assert "J ≈ ⅔·D" in str(report)
    assert check(lambda A, t: A @ Cube.apply(t), torch.ones(2, 3, dtype=torch.float64), tensor)


def test_jax_custom_vjp():
    jax = pytest.importorskip("jax", reason="checks what is written with it")

    def made(factor):
        @jax.custom_vjp
        def cube(t):
            return t**3

        cube.defvjp(lambda t: (t**3, t), lambda t, u: (factor * u * t**2,))
        return cube

    assert check(made(3.0), x)
    assert not check(made(2.0), x)
    assert check(lambda p, t: jax.numpy.tanh(p["W"] @ t), {"W": jax.numpy.ones((2, 3))}, jax.numpy.asarray(x))


def test_autograd():
    autograd = pytest.importorskip("autograd", reason="checks what is written with it")
    anp = autograd.numpy
    cube = autograd.extend.primitive(lambda t: t**3)
    autograd.extend.defvjp(cube, lambda ans, t: lambda u: 3 * u * t**2)
    assert check(cube, x)
    g = lambda t: anp.tanh(t) * t
    assert check_jacobian(g, x, autograd.jacobian(g)).ok


def test_a_numpy_function_is_traced():
    assert check(lambda A, x: np.tanh(A @ x), np.ones((2, 3)) / 3, x).ok
    with pytest.raises(TypeError, match="neither a layer nor a function"):
        check(3.0, x)
