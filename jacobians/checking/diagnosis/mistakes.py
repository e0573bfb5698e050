"""Name the mistake: every explanation is tested against the numbers and offered only where it fits."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.diagnosis.difference import residuals
from jacobians.checking.diagnosis.evidence import Evidence
from jacobians.checking.diagnosis.factors import factor_text
from jacobians.checking.diagnosis.places import places
from jacobians.checking.measuring.function import quiet

MOST = 4  # explanations offered


def explain(evidence: Evidence) -> tuple[str, ...]:
    """Return the explanations that fit, the most telling first."""
    if not evidence.wrong.any():
        return ()
    families: tuple[Callable[[Evidence], Iterator[str]], ...] = (
        nonfinite, factors, rearrangements, structure, sums, partial_factors, scalings, residuals, places,
    )  # fmt: skip
    found: list[str] = []
    with quiet():
        for family in families:
            if found and family in (structure, residuals):
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
    known = np.isfinite(evidence.error)
    both = np.abs(evidence.claimed), np.abs(evidence.measured)
    if evidence.close(both[0], both[1], np.where(known, evidence.error, np.inf)).all():
        yield f"J has the size of D everywhere, but the wrong sign in {evidence.wrong.sum()} entries"
    if evidence.claimed.size > 1:
        rows, columns = math.prod(evidence.shape[: evidence.out_ndim]), evidence.point.size
        matrix = evidence.measured.reshape(rows, columns)
        if rows == columns and rows <= 300 and np.isfinite(matrix).all():
            identity = evidence.claimed.reshape(rows, columns) @ matrix
            if np.allclose(identity, np.eye(rows), atol=1e-6):
                yield "J is the inverse of D"


def rearrangements(evidence: Evidence) -> Iterator[str]:
    """Yield the right numbers in the wrong places: transposes, memory order, flips, rolls, swapped indices."""
    shape, split = evidence.shape, evidence.out_ndim
    rows, columns = math.prod(shape[:split]), math.prod(shape[split:])

    def found(*transforms: Callable[[NDArray[Any]], NDArray[Any]]) -> str | None:
        for transform in transforms:
            for factor, suffix in ((1.0, ""), (-1.0, ", with the sign reversed")):
                if evidence.fits(transform, factor):
                    return suffix
        return None

    if rows == columns and rows > 1:
        suffix = found(lambda a: a.reshape(rows, columns).T.reshape(shape))
        if suffix is not None:
            yield f"J is the transpose of D{suffix}"
            return
    yield from _permuted(evidence)
    wide, tall = len(shape) - split > 1, split > 1
    orders = (
        (wide, "columns in Fortran order: the entries of the argument are numbered by columns", (False, True)),
        (tall, "rows in Fortran order: the entries of the output are numbered by columns", (True, False)),
        (wide and tall, "rows and columns in Fortran order", (True, True)),
    )
    for possible, text, which in orders:
        if (
            possible
            and found(*(partial(_fortran, split=split, which=which, back=back) for back in (False, True))) == ""
        ):
            yield text
    suffix = found(
        lambda a: a.reshape(columns, rows).T.reshape(shape), lambda a: a.reshape(rows, columns).T.reshape(shape)
    )
    if suffix is not None:
        yield f"J is the transpose of D, reshaped instead of transposed back{suffix}"
    for count in range(1, len(shape) + 1):
        for axes in itertools.combinations([axis for axis, size in enumerate(shape) if size > 1], count):
            # mypy cannot infer a lambda with a default
            if evidence.fits(lambda a, axes=axes: np.flip(a, axes)):  # type: ignore[misc]
                yield _flipped(evidence, axes)
                return
    for axis, size in enumerate(shape):
        for shift in (1, -1, 2, -2):
            # mypy cannot infer a lambda with a default
            if size > abs(shift) and evidence.fits(lambda a, s=shift, k=axis: np.roll(a, s, axis=k)):  # type: ignore[misc]
                by = {1: "one", -1: "minus one", 2: "two", -2: "minus two"}[shift]
                yield f"rolled by {by} along axis {axis} ({evidence.axis_name(axis)})"
                return
    yield from _swapped(evidence)


def _fortran(array: NDArray[Any], split: int, which: tuple[bool, bool], back: bool) -> NDArray[Any]:
    """Mistake the numbering of rows or columns for Fortran order, or the other way round."""
    matrix = array.reshape(math.prod(array.shape[:split]), -1)
    for axis, (mistaken, shape) in enumerate(zip(which, (array.shape[:split], array.shape[split:]), strict=True)):
        if mistaken:
            order = np.arange(matrix.shape[axis]).reshape(shape).ravel(order="F")
            matrix = np.take(matrix, np.argsort(order) if back else order, axis=axis)
    return matrix.reshape(array.shape)


def _flipped(evidence: Evidence, axes: tuple[int, ...]) -> str:
    named = " and ".join(evidence.axis_name(axis) for axis in axes)
    ndim, split = len(evidence.shape), evidence.out_ndim
    if len(axes) > 1 and axes == tuple(range(ndim - len(axes), ndim)) and axes[0] >= split:
        return f"the kernel axes are flipped ({named}): convolution and correlation confused?"
    return f"flipped along {named}"


def _permuted(evidence: Evidence) -> Iterator[str]:
    """Axes in the wrong order."""
    shape = evidence.shape
    if not 2 <= len(shape) <= 6:
        return
    for order in itertools.permutations(range(len(shape))):
        if order == tuple(range(len(shape))) or tuple(shape[k] for k in order) != shape:
            continue
        # mypy cannot infer a lambda with a default
        if evidence.fits(lambda a, order=order: a.transpose(order)):  # type: ignore[misc]
            moved = [axis for axis, other in enumerate(order) if axis != other]
            named = " and ".join(evidence.axis_name(axis) for axis in moved)
            yield f"the axes are permuted (transposed): {named} stand in the order {list(order)}"
            return


def _swapped(evidence: Evidence) -> Iterator[str]:
    """Slices of one axis exchanged: an index swap or another permutation."""
    for axis, size in enumerate(evidence.shape):
        if size > 512 or size < 2:
            continue
        claimed = np.moveaxis(evidence.claimed, axis, 0).reshape(size, -1)
        measured = np.moveaxis(evidence.measured, axis, 0).reshape(size, -1)
        error = np.moveaxis(evidence.error, axis, 0).reshape(size, -1)
        wrong = np.flatnonzero(np.moveaxis(evidence.wrong, axis, 0).reshape(size, -1).any(axis=1))
        if not 2 <= len(wrong) <= 64:
            continue
        source = []
        for index in wrong:
            same = [k for k in wrong if k != index and evidence.close(claimed[index], measured[k], error[k]).all()]
            source.append(same[0] if same else -1)
        if sorted(source) == wrong.tolist():
            if len(wrong) == 2:
                yield f"index swap: {wrong[0]} and {wrong[1]} are exchanged along {evidence.axis_name(axis)}"
            else:
                yield f"index swap: {evidence.axis_name(axis)} is permuted, {wrong.tolist()} take {source}"
            return


def structure(evidence: Evidence) -> Iterator[str]:
    """Yield the diagonal alone, no diagonal, one triangle, blocks that are repeated."""
    claimed, measured, _, wrong = evidence.matrices()
    rows, columns = claimed.shape
    if rows == columns and rows > 1:
        diagonal = np.eye(rows, dtype=bool)
        off_is_zero = not claimed[~diagonal].any()
        if not wrong[diagonal].any() and wrong[~diagonal].any():
            if off_is_zero:
                yield "only the diagonal is right: the off-diagonal entries are missing"
            elif wrong[~diagonal].mean() > 0.5:
                yield "only the diagonal is right"
        elif wrong[diagonal].any() and not wrong[~diagonal].any() and measured[~diagonal].any():
            missing = not claimed[diagonal].any()
            yield "only the diagonal is wrong" + (": it is missing (zero)" if missing else "")
        for name, keep in (("lower", np.tril), ("upper", np.triu)):
            # mypy cannot infer a lambda with a default
            if not off_is_zero and evidence.fits(lambda a, keep=keep: keep(a.reshape(rows, rows)).reshape(a.shape)):  # type: ignore[misc]
                yield f"only the {name} triangle is there"
        for factor, name in ((1.0, "D + Dᵀ"), (0.5, "(D + Dᵀ)/2")):
            if evidence.fits(lambda a: (a.reshape(rows, rows) + a.reshape(rows, rows).T).reshape(a.shape), factor):
                yield f"J is symmetrised: {name}"
    yield from _blocks(evidence)


def _blocks(evidence: Evidence) -> Iterator[str]:
    """Block structure of a pair of equal axes, output and argument (a batch): blocks repeated or dropped."""
    shape, split = evidence.shape, evidence.out_ndim
    if len(shape) < 3:
        return
    for out in range(split):
        for axis in range(split, len(shape)):
            size = shape[out]
            if size != shape[axis] or size < 2:
                continue
            same = np.eye(size, dtype=bool).reshape([size if k in (out, axis) else 1 for k in range(len(shape))])
            own = np.broadcast_to(same, shape)

            def repeated(array: NDArray[Any], out: int = out, axis: int = axis) -> NDArray[Any]:
                blocks = np.diagonal(array, axis1=out, axis2=axis)
                return np.broadcast_to(np.expand_dims(np.moveaxis(blocks, -1, out), axis), shape)

            which = f"{evidence.axis_name(out)} and {evidence.axis_name(axis)}"
            if evidence.fits(repeated):
                yield f"the blocks of the batch are repeated off their diagonal ({which}): a Kronecker delta is missing"
                return
            # mypy cannot infer a lambda with a default
            if evidence.fits(lambda a, out=out: np.broadcast_to(a.sum(axis=out, keepdims=True), shape)):  # type: ignore[misc]
                return  # named by `sums`
            if not evidence.claimed[~own].any() and not evidence.wrong[own].any():
                yield f"only the diagonal blocks are right: entries that couple {which} are missing"
                return


def sums(evidence: Evidence) -> Iterator[str]:
    """Yield sums or means over an axis, broadcast back to the right shape."""
    for axis, size in enumerate(evidence.shape):
        if size < 2:
            continue
        for factor, verb in ((1.0, "summed"), (1 / size, "averaged")):
            if evidence.fits(
                # mypy cannot infer a lambda with a default
                lambda a, axis=axis: np.broadcast_to(a.sum(axis=axis, keepdims=True), a.shape),  # type: ignore[misc]
                factor,
            ):
                batch = " the batch," if axis == 0 and evidence.out_ndim > 1 else ""
                yield f"{verb} over{batch} {evidence.axis_name(axis)}, where blocks are due"
                return


def partial_factors(evidence: Evidence) -> Iterator[str]:
    """Yield the same factor in all wrong entries, while others are right."""
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
    """Yield a factor that depends on the row or on the column: a derivative of an activation forgotten or mistaken."""
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
