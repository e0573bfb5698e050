"""Real and imaginary parts, conjugates and absolute values of complex values that are made of real ones."""

import numpy as np
import pytest

from jacobians import TracingError, jacobian, trace
from tests.functions.oracles import right

rng = np.random.default_rng(2)
C = rng.normal(size=(5, 4)) + 1j * rng.normal(size=(5, 4))
x = rng.normal(size=4)


def written_into(x):
    z = np.zeros(3, complex)
    z = np.zeros_like(C[0] * x)
    z[1:] = np.exp(1j * x[1:])
    return np.abs(z + 1) + z.imag


FUNCTIONS = {
    "abs": lambda x: np.abs(C @ x),
    "abs, the operator": lambda x: abs(C @ x),
    "power": lambda x: np.square(np.abs(C @ x)),
    "z conj(z)": lambda x: ((C @ x) * np.conj(C @ x)).real,
    "conj": lambda x: (C @ x).conj() @ C,
    "real": lambda x: np.real(np.exp(1j * x) * C[0]),
    "imag": lambda x: (np.exp(1j * x) * C[0]).imag,
    "imag of real": lambda x: np.imag(x) + np.real(x) + np.conj(x),
    "angle": lambda x: np.angle(np.exp(1j * x) * C[0]),
    "angle in degrees": lambda x: np.angle(np.exp(1j * x) * C[0], deg=True),
    "one in another": lambda x: np.abs(np.conj(np.exp(1j * np.abs(C @ x))) @ C).sum(),
    "quotient": lambda x: np.abs(1 / (1 + 1j * x * C[0])),
    "sign": lambda x: np.sign(C @ x),
    "vdot": lambda x: np.vdot(C @ x, C @ (x * x)),
    "written into": written_into,
    "product of parts": lambda x: np.real(1j * x) + np.imag(1j * x * x),
    "real if close": lambda x: np.real_if_close(np.exp(1j * x) * np.exp(-1j * x) * x),
    "real if not close": lambda x: np.real_if_close(np.exp(1j * x)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_real_values(name):
    right(FUNCTIONS[name], x)


def test_single_precision_stays():
    assert jacobian(lambda x: np.abs(C.astype(np.complex64) @ x))(x.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    "f", [np.abs, lambda z: z.real, np.imag, np.conj, lambda z: np.abs(z * z), lambda z: np.vdot(z, z), np.angle]
)
def test_a_complex_argument_is_refused(f):
    with pytest.raises(TracingError, match="no complex derivative"):
        jacobian(f)(C[0])


def test_layers_without_complex_derivative_are_refused():
    with pytest.raises(TracingError, match="Maximum of complex values has no complex derivative"):
        jacobian(lambda x: np.maximum(C @ x, 0))(x)


def test_the_derivative_by_a_complex_value_on_the_way_is_refused():
    def f(x):
        w = C @ x
        p = np.abs(w)
        return p + 1

    g = trace(f, x)
    np.testing.assert_allclose(g.jacobian("x", of="w"), C)
    assert g.jacobian("x", of="p").dtype == float
    for product in (lambda: g.jacobian("w"), lambda: g.jvp(C[:, 0], "w"), lambda: g.vjp(x[:1].repeat(5), "w")):
        with pytest.raises(ValueError, match="there is no complex derivative"):
            product()


def test_deltas_stay():
    g = trace(lambda x: np.abs(np.exp(1j * x) + 1), rng.normal(size=50))
    assert g.jacobian("x").nonzeros == 50
