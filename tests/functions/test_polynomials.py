"""Polynomials against finite differences."""

import numpy as np
import pytest

from jacobians import TracingError, jacobian, trace
from tests.functions.oracles import right

rng = np.random.default_rng(7)


def a(*shape):
    return rng.normal(size=shape)


P, Q, x = np.array([2.0, -1, 0.5, 3]), np.array([1.5, -0.3]), a(5)

FUNCTIONS = {
    "polyval": (np.polyval, P, a(2, 3)),
    "polyval at x": (lambda x: np.polyval([1, 2.0, 3], x), x),
    "polyval, a number": (np.polyval, P, a()),
    "poly1d at x": (lambda x: np.poly1d([1, 2.0, 3])(x), x),
    "vander": (np.vander, x),
    "vander, increasing": (lambda x: np.vander(x, 3, increasing=True), x),
    "polyder": (np.polyder, P),
    "polyder twice": (lambda p: np.polyder(p, 2), P),
    "polyint": (np.polyint, P),
    "polyint, constants": (lambda p, k: np.polyint(p, 2, k), P, a(2)),
    "polyadd": (np.polyadd, P, Q),
    "polysub": (np.polysub, Q, P),
    "polymul": (np.polymul, P, Q),
    "quotient": (lambda u, v: np.polydiv(u, v)[0], P, Q),
    "remainder": (lambda u, v: np.polydiv(u, v)[1], P, Q),
    "poly": (np.poly, a(4)),
    "poly of a matrix": (np.poly, a(3, 3)),
    "roots": (np.roots, np.array([1.0, -6, 11, -6.1])),
    "roots, complex": (np.roots, P),
    "roots, modulus": (lambda p: np.abs(np.roots(p)), P),
    "polyfit": (lambda x, y: np.polyfit(x, y, 2), x, a(5)),
    "polyfit, columns": (lambda x, y: np.polyfit(x, y, 1), x, a(5, 2)),
    "polyfit, weights": (lambda x, y, w: np.polyfit(x, y, 2, w=w), x, a(5), rng.uniform(1, 2, 5)),
    "polyfit of constants": (lambda y: np.polyfit([0, 1, 2, 3.0, 5], y, 2), a(5)),
    "polyfit, covariance": (lambda x, y: np.polyfit(x, y, 1, cov=True)[1], x, a(5)),
    "polyfit, unscaled": (lambda x, y: np.polyfit(x, y, 1, cov="unscaled")[1], x, a(5)),
    "polynomial.polyval": (lambda x: np.polynomial.polynomial.polyval(x, [1.0, 2, 3]), x),
    "chebval": (lambda x: np.polynomial.chebyshev.chebval(x, [1.0, 2, 3, 4]), x),
    "legval": (lambda x: np.polynomial.legendre.legval(x, [1.0, 2, 3, 4]), x),
    "hermval": (lambda x: np.polynomial.hermite.hermval(x, [1.0, 2, 3, 4]), x),
    "Polynomial": (lambda x: np.polynomial.Polynomial([1.0, 2, 3])(x), x),
    "Chebyshev": (lambda x: np.polynomial.Chebyshev([1.0, 2, 3], domain=[-3, 3])(x), x),
    "Polynomial of coefficients": (lambda p: np.polynomial.Polynomial(p)(0.5), P),
    "poly1d of coefficients": (lambda p: np.poly1d(p)(0.5), P),
    "fitted and evaluated": (lambda y: np.polyval(np.polyfit(x, y, 2), [0.5, 1.5]), a(5)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_polynomials(name):
    f, *arguments = FUNCTIONS[name]
    value = f(*arguments)
    np.testing.assert_allclose(trace_of(f, arguments), value, rtol=1e-12, atol=1e-13)
    right(f, *arguments)


def trace_of(f, arguments):
    return trace(f, *arguments).output


def test_what_is_refused():
    with pytest.raises(TracingError, match="full=True"):
        jacobian(lambda p: np.polyfit(p, p, 1, full=True))(P)
    with pytest.raises(TracingError, match="polynomial at a polynomial"):
        jacobian(lambda p: np.polyval(p, np.poly1d([1, 2])))(P)
    with pytest.raises(ValueError, match="the output of poly1d must hold numbers"):
        jacobian(np.poly1d)(P)
