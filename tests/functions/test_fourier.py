"""``np.fft``: linear, so that the transforms of unit vectors are the Jacobian; and spectra as people write them."""

import numpy as np
import pytest

from jacobians import jacobian, trace
from jacobians.layers.fourier import FourierTransform, HermitianFourierTransform
from tests.functions.oracles import right

rng = np.random.default_rng(4)


def a(*shape):
    return rng.normal(size=shape)


ONE = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")


@pytest.mark.parametrize("name", ONE)
def test_one_axis(name):
    f = getattr(np.fft, name)
    for n in (None, 3, 6, 7):
        for norm in (None, "ortho", "forward", "backward"):
            right(lambda x, n=n, norm=norm: f(x, n, norm=norm), a(5))
    right(lambda x: f(x, axis=0), a(4, 2))
    right(lambda x: f(x, 3, -2), a(2, 4, 2))


@pytest.mark.parametrize("name", ["fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn"])
def test_several_axes(name):
    f = getattr(np.fft, name)
    right(f, a(3, 4))
    right(lambda x: f(x, s=(4, 3), axes=(0, 1), norm="ortho"), a(3, 4))
    right(lambda x: f(x, axes=(2, 0)), a(2, 2, 3))
    right(lambda x: f(x, s=(-1, 3), axes=(0, 2)), a(3, 2, 4))


def test_complex_input():
    z = a(4) + 1j * a(4)
    for f in (np.fft.fft, np.fft.ifft, lambda z: np.fft.fftshift(np.fft.fft(z, 6))):
        right(f, z)
    right(lambda x: np.fft.irfft(np.fft.rfft(x) * z[:3]), a(5))
    right(lambda x: np.fft.hfft(np.fft.ihfft(x) * z[:3]), a(5))


def poisson(f):
    k = 2 * np.pi * np.fft.fftfreq(4)
    k2 = k[:, None] ** 2 + k[None, :] ** 2
    k2[0, 0] = 1
    return np.real(np.fft.ifft2(np.fft.fft2(f) / k2))


def spectral_loss(x):
    p = np.abs(np.fft.rfft(x * np.hanning(8)))
    return np.mean(np.log(1 + p * p)) + np.sum(np.angle(np.fft.rfft(x)))


def autocorrelation(x):
    z = np.fft.fft(x, 2 * len(x))
    return np.fft.ifft(z * np.conj(z)).real[: len(x)]


def test_spectra():
    right(lambda x: np.abs(np.fft.fft(x)), a(6))
    right(spectral_loss, a(8))
    right(autocorrelation, a(4))
    right(poisson, a(4, 4))
    right(lambda x: np.fft.ifftshift(np.fft.fftshift(x) * x), a(5))
    right(lambda h, x: np.fft.irfft(np.fft.rfft(h, 9) * np.fft.rfft(x, 9), 9), a(4), a(6))
    right(lambda x: np.abs(np.fft.fft(np.abs(np.fft.fft(x)))), a(4))


def test_structure_and_precision():
    J = trace(lambda x: np.fft.fft(x, axis=0), a(4, 6)).jacobian()
    assert J.nonzeros == 4 * 4 * 6
    assert jacobian(np.fft.fft)(a(4).astype(np.float32)).dtype == np.complex64
    assert jacobian(lambda x: np.abs(np.fft.fft(x)))(a(4).astype(np.float32)).dtype == np.float32


def test_mistakes():
    with pytest.raises(ValueError, match="must be of fft, ifft, rfft, ihfft"):
        FourierTransform("irfft")
    with pytest.raises(ValueError, match='must be "irfft" or "hfft"'):
        HermitianFourierTransform("fft")
    with pytest.raises(ValueError, match="x must be real for rfft"):
        FourierTransform("rfft")([1j, 2])
    with pytest.raises(ValueError, match="must have one shape"):
        HermitianFourierTransform("irfft")(np.ones(3), np.ones(2))


def test_agrees_with_loops():
    n = 5
    F = FourierTransform("fft").jacobians(a(n))["x"]
    for k in range(n):
        for j in range(n):
            assert F[k, j] == pytest.approx(np.exp(-2j * np.pi * k * j / n))
