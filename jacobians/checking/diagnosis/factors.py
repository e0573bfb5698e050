"""Names of factors: a sign, 2, ½, ln 10, the size of an axis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

CONSTANTS = {
    "ln 10": math.log(10), "1/ln 10": 1 / math.log(10), "ln 2": math.log(2), "1/ln 2": 1 / math.log(2), "π": math.pi,
    "1/π": 1 / math.pi, "2π": 2 * math.pi, "1/2π": 0.5 / math.pi, "π/180": math.pi / 180, "180/π": 180 / math.pi,
    "√2": math.sqrt(2), "1/√2": math.sqrt(0.5), "√2π": math.sqrt(2 * math.pi), "e": math.e,
}  # fmt: skip
FRACTIONS = {Fraction(1, 2): "½", Fraction(1, 3): "⅓", Fraction(1, 4): "¼", Fraction(2, 3): "⅔", Fraction(3, 2): "3/2"}
LARGEST = 12  # denominator of a fraction that people would write
CLOSE = 1e-5


def factor_text(factor: float, sizes: Mapping[str, int] | None = None) -> str:
    """What J = factor · D means.

    Parameters
    ----------
    factor
        The factor.
    sizes
        The numbers of entries that may be behind it, by what they are numbers of.

    Examples
    --------
    >>> factor_text(-1.0), factor_text(0.5), factor_text(math.log(10))
    ('J ≈ −D (sign)', 'J ≈ ½·D (factor)', 'J ≈ 2.30259·D (factor ln 10)')
    >>> factor_text(6.0, {"axis 0": 6})
    'J ≈ 6·D (factor N = 6, the number of axis 0: a mean taken for a sum?)'
    """
    if math.isclose(factor, -1, rel_tol=1e-4):
        return "J ≈ −D (sign)"
    number = _fraction(factor)
    for name, size in (sizes or {}).items():
        if size > 2 and math.isclose(abs(factor), size, rel_tol=CLOSE):
            said = f"factor N = {size}, the number of {name}: a mean taken for a sum?"
            return f"J ≈ {_written(factor, number)}·D ({said})"
        if size > 2 and math.isclose(abs(factor) * size, 1, rel_tol=CLOSE):
            said = f"factor 1/N, N = {size}, the number of {name}: a sum taken for a mean?"
            return f"J ≈ {_written(factor, number)}·D ({said})"
    for name, constant in CONSTANTS.items():
        if number is None and math.isclose(abs(factor), constant, rel_tol=CLOSE):
            return f"J ≈ {factor:.6g}·D (factor {'−' if factor < 0 else ''}{name})"
    return f"J ≈ {_written(factor, number)}·D (factor)"


def _fraction(factor: float) -> Fraction | None:
    number = Fraction(factor).limit_denominator(LARGEST) if math.isfinite(factor) else Fraction(0)
    return number if number != 0 and math.isclose(float(number), factor, rel_tol=CLOSE) else None


def _written(factor: float, number: Fraction | None) -> str:
    if number is None:
        inverse = _fraction(1 / factor)
        return f"1/{inverse}" if inverse is not None and inverse.denominator == 1 else f"{factor:.6g}"
    return FRACTIONS.get(number, str(number)).replace("-", "−")
