"""Torch modules and JAX functions: whatever turns into arrays can be checked."""

import numpy as np
import pytest

from jacobians.checking import check_jacobian, check_vjp

x = np.array([0.3, -1.2, 2.0])


def test_torch_module() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh()).double()

    def f(x):
        return net(torch.as_tensor(x))

    J = torch.func.jacrev(net)(torch.as_tensor(x))
    assert check_jacobian(f, x, J).ok
    assert not check_jacobian(f, x, 1.001 * J).ok
    assert check_jacobian(f, torch.as_tensor(x), J).ok


def test_torch_module_in_single_precision() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh())
    single = x.astype(np.float32)

    def f(x):
        return net(torch.as_tensor(x))

    J = torch.func.jacrev(net)(torch.as_tensor(single))
    assert check_jacobian(f, single, J).ok
    assert not check_jacobian(f, single, 1.01 * J).ok


def test_torch_backward() -> None:
    torch = pytest.importorskip("torch")

    def vjp(x, u):
        leaf = torch.tensor(x, requires_grad=True)
        torch.tanh(leaf).backward(torch.as_tensor(u))
        return leaf.grad

    assert check_vjp(np.tanh, x, vjp).ok


def test_jax() -> None:
    jax = pytest.importorskip("jax")

    def f(x):
        return jax.numpy.tanh(jax.numpy.outer(x, x))

    assert check_jacobian(f, x, jax.jacobian(f)(x.astype(np.float32))).ok
    assert not check_jacobian(f, x, 2 * jax.jacobian(f)(x.astype(np.float32))).ok
