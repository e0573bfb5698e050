"""Claimed against measured: the verdicts of all entries of one Jacobian, summarised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.diagnosis.evidence import Evidence
from jacobians.checking.diagnosis.places import index_text
from jacobians.checking.measuring.function import Function, Output, quiet
from jacobians.checking.measuring.nested import dotted
from jacobians.checking.measuring.verdicts import Verdict
from jacobians.checking.report.finding import CANNOT_TELL, RIGHT, RIGHT_AT_KINK, WRONG, Entry

Mask = NDArray[np.bool_]
Array = NDArray[np.float64]

LISTED = 5
MAP_SIDE = 48
WORDS = {
    Verdict.RIGHT: "right", Verdict.ZERO: "negligible", Verdict.KINK: "consistent at a kink",
    Verdict.NOISE: "cannot tell (noise)", Verdict.JUMP: "cannot tell (f jumps)",
    Verdict.KINK_WRONG: "inconsistent at a kink", Verdict.WRONG: "wrong",
}  # fmt: skip


@dataclass(frozen=True)
class Names:
    """What is differentiated by what; `wrt` may have a bar for the derivative by a conjugate."""

    output: str = "f"
    wrt: str = "x"

    def of(self, output: Output) -> Names:
        """The names for one of several outputs."""
        return Names(dotted(self.output, output.path), self.wrt)

    @property
    def title(self) -> str:
        """∂f/∂x."""
        return f"∂{self.output}/∂{self.wrt}"

    def entry(self, index: Sequence[int], split: int) -> str:
        """∂f[0]/∂x[1,2] for a multi-index, of which the first `split` numbers are those of the output."""
        return f"∂{self.output}{index_text(tuple(index[:split]))}/∂{self.wrt}{index_text(tuple(index[split:]))}"


def multi_index(row: int, column: int, out_shape: tuple[int, ...], wrt_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The multi-index of an entry of the matrix."""
    own = tuple(int(k) for k in np.unravel_index(row, out_shape)) if out_shape else ()
    return own + (tuple(int(k) for k in np.unravel_index(column, wrt_shape)) if wrt_shape else ())


@dataclass(frozen=True)
class Comparison:
    """The verdicts of all entries of one Jacobian, as matrices: outputs by entries of x.

    Attributes
    ----------
    output, wrt_shape, names
        What is differentiated by what.
    claimed, value, error, verdict
        J, D, the error of D, and what follows for every entry.
    columns
        Which entries of x the columns belong to, if they are not all.
    """

    output: Output
    wrt_shape: tuple[int, ...]
    names: Names
    claimed: NDArray[Any]
    value: NDArray[Any]
    error: Array
    verdict: NDArray[np.int8]
    columns: NDArray[np.intp] | None = None

    @property
    def wrong(self) -> Mask:
        """The entries that the measurement contradicts."""
        return np.asarray(self.verdict >= Verdict.KINK_WRONG)

    @property
    def undecided(self) -> Mask:
        """The entries that cannot be told."""
        return np.asarray((self.verdict == Verdict.NOISE) | (self.verdict == Verdict.JUMP))

    @property
    def overall(self) -> str:
        """The verdict on the Jacobian as a whole."""
        if self.wrong.any():
            return WRONG
        if self.undecided.any():
            return CANNOT_TELL
        return RIGHT_AT_KINK if (self.verdict == Verdict.KINK).any() else RIGHT

    @property
    def counts(self) -> dict[str, int]:
        """The number of entries of every verdict."""
        return {WORDS[kind]: int((self.verdict == kind).sum()) for kind in Verdict if (self.verdict == kind).any()}

    @property
    def distance(self) -> Array:
        """|J − D|."""
        with quiet():
            return np.asarray(np.abs(self.claimed - self.value))

    @property
    def relative(self) -> Array:
        """|J − D| / max(|J|, |D|)."""
        with quiet():
            size = np.maximum(np.abs(self.claimed), np.abs(self.value))
            return np.asarray(np.where(size > 0, self.distance / size, 0.0))

    @property
    def digits(self) -> float | None:
        """The decimal digits to which all entries agree that are right; None if there are none."""
        right = self.verdict == Verdict.RIGHT
        if not right.any():
            return None
        with quiet():
            size = np.maximum(np.abs(self.claimed), np.abs(self.value))
            loss = np.where(right, (self.distance + 3 * self.error) / size, 0.0)
        return float(-math.log10(max(np.max(loss, where=np.isfinite(loss), initial=0.0), 1e-16)))

    @property
    def interesting(self) -> Mask:
        """The entries that decide: the wrong ones, else those that cannot be told, else those that are right."""
        if self.wrong.any():
            return self.wrong
        return self.undecided if self.undecided.any() else np.asarray(self.verdict == Verdict.RIGHT)

    def largest(self, amounts: Array) -> float:
        """The largest of some errors, of the entries that decide."""
        return float(np.max(amounts, where=self.interesting & np.isfinite(self.relative), initial=0.0))

    def worst(self) -> tuple[Entry, ...]:
        """The entries with the largest errors."""
        flat = np.flatnonzero(self.interesting)
        amount = self.distance.reshape(-1)[flat]
        order = np.lexsort((-self.relative.reshape(-1)[flat], -np.where(np.isfinite(amount), amount, np.inf)))
        return tuple(self.entry(*divmod(int(place), self.claimed.shape[1])) for place in flat[order[:LISTED]])

    def entry(self, row: int, column: int) -> Entry:
        """One entry."""
        place = column if self.columns is None else int(self.columns[column])
        index = multi_index(row, place, self.output.shape, self.wrt_shape)
        return Entry(
            index=index,
            name=self.names.entry(index, len(self.output.shape)),
            claimed=self.claimed[row, column].item(),
            measured=self.value[row, column].item(),
            error=float(self.error[row, column]),
            verdict=WORDS[Verdict(int(self.verdict[row, column]))],
        )

    def evidence(self, function: Function) -> Evidence:
        """What a diagnosis goes by."""
        shape = self.output.shape + self.wrt_shape
        return Evidence(
            claimed=self.claimed.reshape(shape),
            measured=self.value.reshape(shape),
            error=np.where(self.undecided, np.inf, self.error).reshape(shape),
            wrong=self.wrong.reshape(shape),
            out_ndim=len(self.output.shape),
            point=function.point,
            output=function.base[self.output.rows].reshape(self.output.shape),
        )

    def picture(self) -> Array:
        """Errors on at most 48 × 48 blocks: 1 where an entry of the block is wrong, ½ where one cannot be told."""
        picture = np.maximum(self.wrong * 1.0, self.undecided * 0.5)
        for axis in (0, 1):
            size = picture.shape[axis]
            if size > MAP_SIDE:
                starts = np.unique(np.linspace(0, size, MAP_SIDE, endpoint=False).astype(int))
                picture = np.maximum.reduceat(picture, starts, axis=axis)
        return np.asarray(picture, dtype=np.float64)
