"""Name the mistake: every explanation is tested against the numbers and offered only where it fits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.diagnosis.difference import differences
from jacobians.checking.diagnosis.evidence import Evidence
from jacobians.checking.diagnosis.factors import factor_text
from jacobians.checking.diagnosis.places import places
from jacobians.checking.diagnosis.rearrangements import rearrangements
from jacobians.checking.diagnosis.structure import batch_statistics, lost_entries, structure, sums, symmetric_arguments
from jacobians.checking.measuring.function import quiet

MOST = 4  # explanations offered


def explain(evidence: Evidence) -> tuple[str, ...]:
    """The explanations that fit, the most telling first."""
    if not evidence.wrong.any():
        return ()
    families: tuple[Callable[[Evidence], Iterator[str]], ...] = (
        nonfinite, factors, rearrangements, symmetric_arguments, batch_statistics, structure, sums, partial_factors,
        scalings, differences, lost_entries, places,
    )  # fmt: skip
    found: list[str] = []
    with quiet():
        for family in families:
            if found and family in (structure, differences):
                continue  # the difference is explained already
            new = [text for text in family(evidence) if text not in found]
            found += [text for text in new if not (found and text.startswith("differs in"))]
    return tuple(found[:MOST])


def nonfinite(evidence: Evidence) -> Iterator[str]:
    """NaN or infinity where the derivative is finite."""
    bad = ~np.isfinite(evidence.claimed) & evidence.wrong
    if bad.any():
        kind = "NaN" if np.isnan(evidence.claimed[bad]).any() else "infinite"
        yield f"J is {kind} in {bad.sum()} of {bad.size} entries where f has a finite derivative"


def _factor(evidence: Evidence, factor: float) -> str:
    """What a factor probably is."""
    sizes = {evidence.axis_name(axis): size for axis, size in enumerate(evidence.shape)}
    sizes["all entries of the argument"] = evidence.point.size
    sizes["all entries of the output"] = evidence.output.size
    return factor_text(factor, sizes)


def _common_ratio(ratio: NDArray[Any]) -> float | None:
    known = ratio[np.isfinite(ratio)]
    if not known.size or (np.iscomplexobj(known) and np.abs(known.imag).max() > 1e-6 * np.abs(known).max()):
        return None
    return float(np.median(known.real))


def factors(evidence: Evidence) -> Iterator[str]:
    """J = c D, J = 0, J = |D|, J = D*, and powers of D."""
    if not np.any(evidence.claimed):
        yield "J is zero everywhere, D is not"
        return
    factor = _common_ratio(evidence.ratio())
    # an error as large as the entry (at a kink) fits everything, a factor of one explains nothing
    told = factor is not None and factor != 0 and not math.isclose(factor, 1, rel_tol=1e-6)
    if told and factor is not None and evidence.fits(lambda array: array, factor):
        yield _factor(evidence, factor)
        return
    if np.iscomplexobj(evidence.measured) and evidence.fits(lambda a: np.conj(a)):
        yield "J is the complex conjugate of D"
    for factor_of_i, said in ((1j, "i·D (a factor −i, or i twice)"), (-1j, "−i·D (a factor i is lost)")):
        if np.iscomplexobj(evidence.measured) and evidence.fits(lambda a: a, factor_of_i):
            yield f"J ≈ {said}"
    if evidence.predicts(np.where(evidence.wrong, -evidence.measured, evidence.measured)):
        yield f"J has the size of D everywhere, but the wrong sign in {evidence.wrong.sum()} entries"
    if evidence.claimed.size > 1:
        rows, columns = math.prod(evidence.shape[: evidence.out_ndim]), evidence.point.size
        matrix = evidence.measured.reshape(rows, columns)
        if rows == columns and rows <= 300 and np.isfinite(matrix).all():
            identity = evidence.claimed.reshape(rows, columns) @ matrix
            if np.allclose(identity, np.eye(rows), atol=1e-6):
                yield "J is the inverse of D"


def partial_factors(evidence: Evidence) -> Iterator[str]:
    """The same factor in all wrong entries, while others are right."""
    ratio = np.where(evidence.wrong, evidence.ratio(), np.nan)
    factor = _common_ratio(ratio)
    count = int(np.isfinite(ratio).sum())
    if factor is None or count < 2 or count < evidence.wrong.sum():
        return
    known = evidence.wrong
    scaled = evidence.close(
        evidence.claimed[known], factor * evidence.measured[known], abs(factor) * evidence.error[known]
    )
    if factor != 0 and scaled.all() and not evidence.fits(lambda a: a, factor):
        yield f"{_factor(evidence, factor)} in the {count} wrong entries only"


def scalings(evidence: Evidence) -> Iterator[str]:
    """A factor that depends on the row or on the column: a derivative of an activation forgotten or mistaken."""
    if evidence.claimed.size < 2 or np.iscomplexobj(evidence.measured):
        return
    x, f = evidence.point, evidence.output
    wrt_axes = tuple(range(evidence.out_ndim, len(evidence.shape)))
    out_side = {
        "f": f, "1/f": 1 / f, "f²": f**2, "1 − f": 1 - f, "1 + f": 1 + f, "1/(1 − f)": 1 / (1 - f),
        "1/(1 + f)": 1 / (1 + f), "1 − f²": 1 - f**2, "1/(1 − f²)": 1 / (1 - f**2), "f/(1 − f²)": f / (1 - f**2),
        "1/(f (1 − f))": 1 / (f * (1 - f)), "f (1 − f)": f * (1 - f),
    }  # fmt: skip
    in_side = {"x": x, "1/x": 1 / x, "x²": x**2, "1/x²": 1 / x**2}
    candidates = [(name, np.expand_dims(value, wrt_axes), "output i") for name, value in out_side.items()]
    candidates += [(name, value, "entry j of the argument") for name, value in in_side.items()]
    for name, value, per in candidates:
        if not np.isfinite(value).all() or np.ptp(value) == 0:
            continue
        predicted = evidence.measured * value
        if evidence.close(evidence.claimed, predicted, evidence.error * np.abs(value)).all():
            yield f"J ≈ D times {name}, for each {per}"
            return
