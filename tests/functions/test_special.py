"""SciPy's ufuncs against finite differences and JAX."""

import subprocess
import sys

import numpy as np
import pytest

from jacobians import Multiply, Sigmoid, Square, TracingError, derivative, jacobian
from jacobians.core.rules import METHODS, RULES
from jacobians.functions import special as table
from tests.functions.oracles import right

special = pytest.importorskip("scipy.special", reason="SciPy is optional")
ndimage = pytest.importorskip("scipy.ndimage", reason="SciPy is optional")
rng = np.random.default_rng(8)
between = rng.uniform(0.15, 0.85, (2, 3))
positive = rng.uniform(0.6, 3.0, (2, 3))
real = rng.normal(size=(2, 3))

DOMAINS = {
    "logit": between, "erfinv": between, "erfcinv": between, "ndtri": between, "ndtri_exp": -positive,
    "gamma": positive, "gammaln": positive, "loggamma": positive, "psi": positive, "entr": positive, "y0": positive,
    "y1": positive, "k0": positive, "k1": positive, "k0e": positive, "k1e": positive, "expi": positive,
    "exp1": positive, "log1p": positive, "cbrt": positive, "ellipk": between, "ellipe": between,
    "ellipkm1": between, "spence": positive,
}  # fmt: skip
ORDER = np.array([1.0, 2.0, 3.0])
SEVERAL = {
    "xlogy": (positive, positive), "xlog1py": (positive, positive), "rel_entr": (positive, positive),
    "kl_div": (positive, positive), "beta": (positive, positive), "betaln": (positive, positive),
    "binom": (positive + 2, positive), "poch": (positive, positive), "powm1": (positive, real),
    "huber": (1.0, real * 2), "pseudo_huber": (1.3, real),
    "gammaincinv": (2.5, between), "gammainccinv": (2.5, between),
    "betainc": (1.5, 2.5, between), "betaincc": (1.5, 2.5, between), "betaincinv": (1.5, 2.5, between),
    "stdtr": (3.0, real), "stdtrit": (3.0, between), "pdtr": (2.0, positive), "pdtrc": (2.0, positive),
    "yn": (2, positive), "kn": (2, positive), "expn": (2, positive), "hyp1f1": (0.7, 1.8, real),
    "hyp2f1": (0.7, 0.4, 1.8, between), "boxcox": (positive, 0.7), "boxcox1p": (positive, 0.0),
    "inv_boxcox": (positive, 0.7), "inv_boxcox1p": (positive, 0.7), "owens_t": (real, real[::-1]),
    "eval_chebyt": (4, between), "eval_legendre": (ORDER, between), "eval_hermite": (3, real),
    "eval_hermitenorm": (0, real), "eval_laguerre": (3, real), "_zeta": (2.0, positive),
}  # fmt: skip


@pytest.mark.parametrize("name", table.ONE)
def test_functions_of_one_argument(name):
    f = getattr(special, name)
    x = DOMAINS.get(name, real)
    right(lambda x: f(x), x)
    assert jacobian(f)(x.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("name", table.SEVERAL)
def test_functions_of_several_arguments(name):
    arguments = [np.asarray(x) for x in SEVERAL.get(name, (2.5, positive))]
    f = getattr(special, name, None) or getattr(special._ufuncs, name)
    if name in ("yn", "kn"):
        f = lambda n, x, f=f: f(int(n) if np.ndim(n) == 0 and not hasattr(n, "recording") else n, x)
    for k, slope in enumerate(table.SEVERAL[name]):

        def by(x, k=k):
            return f(*arguments[:k], x, *arguments[k + 1 :])

        if slope is not None:
            right(by, arguments[k].astype(float))
        else:
            with pytest.raises(TracingError, match="no closed form"):
                jacobian(by)(arguments[k].astype(float))


def test_extreme_arguments():
    far = np.array([-1e4, -50.0, -3.0, 0.0, 5.0, 40.0, 1e3])
    J = jacobian(special.log_ndtr)(far).diagonal()
    np.testing.assert_allclose(J[:2], [1e4 + 1e-4, 50.01998403195], rtol=1e-11)
    assert (J[-2:] < 1e-300).all()
    J = jacobian(special.erfcx)(np.array([30.0, 40.1, 1e3, 1e8])).diagonal()
    x = np.array([30.0, 40.1, 1e3, 1e8])
    series = -(1 - 1.5 / x**2 + 3.75 / x**4 - 13.125 / x**6) / (np.sqrt(np.pi) * x**2)
    np.testing.assert_allclose(J, series, rtol=1e-9)
    np.testing.assert_allclose(jacobian(special.expit)(np.array([-800.0, 800.0])), np.zeros((2, 2)))
    np.testing.assert_allclose(jacobian(special.j1)(0.0), 0.5)
    np.testing.assert_allclose(jacobian(special.spence)(1.0), -1)
    np.testing.assert_allclose(jacobian(special.ellipk)(0.0), np.pi / 8)
    np.testing.assert_allclose(jacobian(special.exprel)(0.0), 0.5)
    assert jacobian(lambda y: special.xlogy(0.0, y))(0.0) == 0


def test_continuous_where_series_take_over():
    for f in (special.erfcx, special.dawsn):
        J = jacobian(f)(np.array([39.9999999, 40.0000001])).diagonal()
        assert J[0] == pytest.approx(J[1], rel=1e-7)


def test_constants_and_unknown_ones():
    right(lambda x: special.round(x * 1.01) * x, real)
    with pytest.raises(TracingError, match=r"scipy.special.struve cannot be traced"):
        jacobian(lambda x: special.struve(1.0, x))(real)
    with pytest.raises(RuntimeError) as caught:
        jacobian(lambda x: ndimage.gaussian_filter(x, 1.0))(real)
    assert "SciPy's ufuncs" in caught.value.__notes__[0]


@pytest.fixture
def taught():
    """A function that teaches ufuncs until the test ends."""
    before = dict(RULES), dict(METHODS)
    yield derivative
    for rules, old in zip((RULES, METHODS), before, strict=True):
        rules.clear()
        rules.update(old)


def test_a_derivative_that_was_taught_counts(taught):
    taught(special.expit, Sigmoid())
    right(special.expit, real)


def test_own_ufuncs_of_python_functions(taught):
    area, product = np.frompyfunc(lambda x: x * x, 1, 1), np.frompyfunc(lambda x, y: x * y, 2, 1)
    taught(area, Square())
    taught(product, Multiply())
    assert float(jacobian(area)(3.0)) == 6.0
    for x in (real, real.astype(np.float32), np.empty((0, 3))):
        J = np.asarray(jacobian(lambda x: product(area(x), x[::-1]).sum(axis=0))(x))
        expected = np.asarray(jacobian(lambda x: ((x * x) * x[::-1]).sum(axis=0))(x))
        assert J.dtype == x.dtype
        np.testing.assert_allclose(J, expected, rtol=1e-6)


def test_scipy_is_not_imported():
    code = "import sys, numpy as np, jacobians; jacobians.jacobian(np.tanh)(1.0); print('scipy.special' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


@pytest.mark.filterwarnings("default")
def test_agrees_with_jax():
    jax = pytest.importorskip("jax", reason="JAX is optional")

    def f(s, x):
        return (
            s.gammaln(x) + s.log_ndtr(-x) * s.i0e(x) + s.erf(x) * s.digamma(x) + s.xlogy(x, x) + s.betainc(2.0, 1.5, x)
        )

    with jax.enable_x64(True):
        expected = np.asarray(jax.jacfwd(lambda x: f(jax.scipy.special, x))(between))
    np.testing.assert_allclose(jacobian(lambda x: f(special, x))(between), expected, rtol=1e-9, atol=1e-11)
