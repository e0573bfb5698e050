"""``np.fft``: every transform is one along each of its axes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from jacobians.core.applying import apply
from jacobians.core.rules import RULES, refuse
from jacobians.core.traced import Traced
from jacobians.functions.conjugation import is_complex, parts
from jacobians.functions.moving import mover
from jacobians.layers.fourier import HERMITIAN, FourierTransform, HermitianFourierTransform


@lru_cache(maxsize=1024)
def _layer(function: str, n: int | None, axis: int, norm: str | None) -> Any:
    return (HermitianFourierTransform if function in HERMITIAN else FourierTransform)(function, n, axis, norm)


def _along(function: str, a: Traced, n: int | None, axis: int, norm: str | None) -> Traced:
    """One transform along one axis."""
    n = None if n is None else int(n)
    transform: Any = getattr(np.fft, function)
    output = transform(a.value, n, axis, norm)
    layer = _layer(function, n, int(axis), norm)
    if function not in HERMITIAN:
        return apply(layer, a, output=output)
    real, imaginary = parts(a) if is_complex(a) else (a, np.zeros(a.shape, a.dtype))
    return apply(layer, real, imaginary, output=output)


def _one(function: str) -> None:
    def call(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: None = None) -> Any:
        if not isinstance(a, Traced):
            refuse(f"np.fft.{function} with a traced option", "options are plain numbers")
        return _along(function, a, n, axis, norm)

    RULES[getattr(np.fft, function)] = call


def _several(function: str, of_last: str, of_others: str, first_last: bool, axes_by_default: Any) -> None:
    """Enter a transform along several axes: one for the last of them, and one for the others, in NumPy's order."""

    def call(
        a: Any, s: Any = None, axes: Any = axes_by_default, norm: str | None = None, out: None = None
    ) -> Any:  # fmt: skip
        if not isinstance(a, Traced):
            refuse(f"np.fft.{function} with a traced option", "options are plain numbers")
        if axes is None:
            axes = range(-len(s), 0) if s is not None else range(a.ndim)
        lengths = [None] * len(axes) if s is None else [None if n in (-1, None) else n for n in s]
        if s is not None and any(n == -1 for n in s):
            lengths = [a.shape[k] if n == -1 else n for k, n in zip(axes, s, strict=True)]
        steps = list(zip([of_others] * (len(axes) - 1) + [of_last], lengths, axes, strict=True))
        for name, n, axis in steps[::-1] if first_last else steps:
            a = _along(name, a, n, axis, norm)
        return a

    RULES[getattr(np.fft, function)] = call


for _name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
    _one(_name)
for _name, _axes in (("2", (-2, -1)), ("n", None)):
    _several(f"fft{_name}", "fft", "fft", True, _axes)
    _several(f"ifft{_name}", "ifft", "ifft", True, _axes)
    _several(f"rfft{_name}", "rfft", "fft", True, _axes)
    _several(f"irfft{_name}", "irfft", "ifft", False, _axes)
_shifts: tuple[Callable[..., Any], ...] = (np.fft.fftshift, np.fft.ifftshift)
for _shift in _shifts:
    mover(_shift)
