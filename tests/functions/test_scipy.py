"""Exact Jacobians in SciPy's own solvers, in place of their finite differences, with their own counts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import approx_fprime, curve_fit, least_squares, minimize, root
from scipy.sparse import issparse
from scipy.sparse.linalg import LinearOperator, cg

from jacobians import hessian, jacobian, trace

rng = np.random.default_rng(21)


class Counted:
    """A function that counts how often it is called, by finite differences, too."""

    def __init__(self, f):
        self.f, self.calls = f, 0

    def __call__(self, *arguments, **options):
        self.calls += 1
        return self.f(*arguments, **options)


def decay(p, t, y):
    """Residuals of a sum of two exponentials."""
    return p[0] * np.exp(-p[1] * t) + p[2] * np.exp(-p[3] * t) - y


t = np.linspace(0, 4, 60)
y = decay(np.array([2.0, 0.5, 1.0, 3.0]), t, 0.0) + 1e-3 * rng.normal(size=60)
start = np.array([1.0, 0.3, 1.5, 2.0])


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
def test_least_squares(method):
    options = {"args": (t, y), "method": method, "xtol": 1e-12, "ftol": 1e-12}
    one, other = Counted(decay), Counted(decay)
    exact = least_squares(one, start, jac=jacobian(decay), **options)
    differences = least_squares(other, start, **options)
    assert exact.success
    np.testing.assert_allclose(exact.x, [2.0, 0.5, 1.0, 3.0], rtol=0.02)
    np.testing.assert_allclose(exact.x, differences.x, rtol=1e-4)
    assert one.calls < other.calls / 2


def test_least_squares_with_keywords_and_curve_fit():
    exact = least_squares(decay, start, jac=jacobian(decay), kwargs={"t": t, "y": y})
    assert exact.success
    model = lambda t, a, b, c, d: decay(np.stack([a, b, c, d]), t, 0.0)
    by_argument = jacobian(model, argnums=(1, 2, 3, 4))
    found, covariance = curve_fit(model, t, y, start, jac=lambda *p: np.stack(by_argument(*p), -1))
    np.testing.assert_allclose(found, exact.x, rtol=1e-4)
    J = trace(lambda p: decay(p, t, y), found).jacobian()
    noise = (decay(found, t, y) ** 2).sum() / (60 - 4)
    np.testing.assert_allclose(noise * np.linalg.inv(J.normal().full()), covariance, rtol=1e-3)


def broyden(x):
    """Broyden's tridiagonal system."""
    wide = np.concatenate([np.zeros(1), x, np.zeros(1)])
    return (3 - 2 * x) * x - wide[:-2] - 2 * wide[2:] + 1


def test_sparse_least_squares():
    x0 = -np.ones(300)
    jac = jacobian(broyden, sparse=True)
    assert issparse(jac(x0))
    assert jac(x0).nnz == 3 * 300 - 2
    found = least_squares(broyden, x0, jac=jac, method="trf", tr_solver="lsmr", xtol=1e-12, ftol=1e-14, gtol=1e-12)
    assert np.abs(found.fun).max() < 1e-9
    dense = least_squares(broyden, x0, jac=jacobian(broyden))
    np.testing.assert_allclose(found.x, dense.x, atol=1e-7)
    assert dense.nfev < 300, "finite differences take 300 calls for one Jacobian"


def test_least_squares_with_linear_operators():
    found = least_squares(broyden, -np.ones(50), jac=lambda x: trace(broyden, x).linear_operator(), tr_solver="lsmr")
    assert np.abs(found.fun).max() < 1e-7


@pytest.mark.parametrize("method", ["hybr", "lm"])
def test_root(method):
    one, other = Counted(broyden), Counted(broyden)
    exact = root(one, -np.ones(20), jac=jacobian(broyden), method=method)
    differences = root(other, -np.ones(20), method=method)
    assert exact.success
    assert one.calls < other.calls / 2
    np.testing.assert_allclose(exact.x, differences.x, rtol=1e-6)


def robertson(t, c, k=(0.04, 3e7, 1e4)):
    """Robertson's stiff reaction."""
    a = k[0] * c[0]
    b = k[1] * c[1] * c[1]
    d = k[2] * c[1] * c[2]
    return np.stack([d - a, a - b - d, b])


@pytest.mark.parametrize("method", ["BDF", "Radau", "LSODA"])
def test_stiff_equations(method):
    options = {"method": method, "rtol": 1e-6, "atol": 1e-10}
    one, other = Counted(robertson), Counted(robertson)
    exact = solve_ivp(one, (0, 1e4), [1.0, 0.0, 0.0], jac=jacobian(robertson, argnums=1), **options)
    differences = solve_ivp(other, (0, 1e4), [1.0, 0.0, 0.0], **options)
    assert exact.success
    assert abs(exact.y[:, -1].sum() - 1) < 1e-9
    np.testing.assert_allclose(exact.y[:, -1], differences.y[:, -1], rtol=1e-3)
    assert one.calls < other.calls


def test_stiff_equations_with_arguments_and_sparse_jacobians():
    def diffusion(t, u, strength):
        wide = np.concatenate([u[:1], u, u[-1:]])
        return strength * (wide[2:] - 2 * u + wide[:-2]) - u**3

    u0, strength = np.exp(-(np.linspace(-3, 3, 80) ** 2)), 400.0
    for method in ("BDF", "Radau"):
        jac = jacobian(diffusion, argnums=1, sparse=True)
        one, other = Counted(diffusion), Counted(diffusion)
        sparse = solve_ivp(one, (0, 0.5), u0, method, args=(strength,), jac=jac, rtol=1e-6)
        dense = solve_ivp(diffusion, (0, 0.5), u0, method, args=(strength,), jac=jacobian(diffusion, 1), rtol=1e-6)
        differences = solve_ivp(other, (0, 0.5), u0, method, args=(strength,), rtol=1e-6)
        np.testing.assert_allclose(sparse.y[:, -1], dense.y[:, -1], rtol=1e-6)
        np.testing.assert_allclose(sparse.y[:, -1], differences.y[:, -1], rtol=1e-4)
        assert one.calls < other.calls


def rosenbrock(x, a, b):
    return np.sum(b * (x[1:] - x[:-1] ** 2) ** 2 + (a - x[:-1]) ** 2)


@pytest.mark.parametrize("method", ["BFGS", "CG", "L-BFGS-B", "SLSQP", "TNC"])
def test_minimize_with_gradients(method):
    x0, args = np.linspace(-1, 1, 6), (1.0, 100.0)
    gradient = jacobian(rosenbrock)(x0, *args)
    assert gradient.shape == x0.shape
    np.testing.assert_allclose(gradient, approx_fprime(x0, rosenbrock, 1e-8, *args), rtol=1e-3, atol=1e-3)
    options = {"maxfun": 5000} if method == "TNC" else {}
    exact = minimize(rosenbrock, x0, args, method, jac=jacobian(rosenbrock), options=options)
    differences = minimize(rosenbrock, x0, args, method, options=options)
    assert exact.fun <= max(1e-6, differences.fun)
    assert exact.nfev < differences.nfev


@pytest.mark.parametrize("method", ["Newton-CG", "trust-exact", "trust-ncg", "trust-krylov"])
def test_minimize_with_hessians(method):
    x0, args = np.linspace(0.5, 1.5, 6), (1.0, 100.0)
    dense = minimize(rosenbrock, x0, args, method, jac=jacobian(rosenbrock), hess=hessian(rosenbrock))
    assert dense.success
    assert dense.fun < 1e-8
    if method == "trust-exact":
        return
    hessp = lambda x, p, a, b: trace(lambda x: rosenbrock(x, a, b), x).hvp(p)
    products = minimize(rosenbrock, x0, args, method, jac=jacobian(rosenbrock), hessp=hessp)
    assert products.fun < 1e-8
    assert abs(products.nit - dense.nit) <= 3


def test_one_newton_step_by_products():
    x, b = rng.normal(size=40), rng.normal(size=40)
    g = trace(lambda x: np.sum(np.cosh(x)) + x @ x, x)
    operator = LinearOperator((40, 40), g.hvp, dtype=float)
    found, failed = cg(operator, b, rtol=1e-12)
    assert not failed
    np.testing.assert_allclose(found, b / (np.cosh(x) + 2), rtol=1e-9)
