"""What is known of one claimed Jacobian: plain data, without any rendering."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.notation.formula import times

CANNOT_TELL = "cannot tell"
WRONG = "wrong"
RIGHT = "right"
RIGHT_AT_KINK = "right, at a kink"
SEVERITY = {WRONG: 0, CANNOT_TELL: 1, RIGHT_AT_KINK: 2, RIGHT: 3}


@dataclass(frozen=True)
class Entry:
    """One entry of a Jacobian: what is claimed and what was measured, with its error bar."""

    index: tuple[int, ...]
    name: str
    claimed: complex | float
    measured: complex | float
    error: float
    verdict: str


@dataclass(frozen=True)
class Curve:
    """Difference quotients of one entry against the step."""

    name: str
    steps: tuple[float, ...]
    quotients: tuple[float, ...]
    claimed: float
    measured: float


@dataclass(frozen=True)
class Finding:
    """What is known of one claimed Jacobian.

    Attributes
    ----------
    name
        What is differentiated by what, for example "∂z/∂A".
    out_shape, wrt_shape
        The two groups of axes.
    verdict
        "right", "right, at a kink", "wrong", or "cannot tell".
    counts
        Entries by verdict.
    digits
        Decimal digits to which every entry agrees that could be resolved; None if none could.
    relative_error, absolute_error
        The largest differences between claimed and measured.
    worst
        The worst entries, worst first.
    explanations
        Mistakes that would explain the numbers, the most telling first.
    notes
        Warnings, and how the measurement was made.
    evaluations
        Calls of f.
    follows
        Whether it is made of other Jacobians of the report that are wrong, so that it says nothing new.
    map
        Errors on a grid of blocks for the picture: 0 right … 1 wrong, or None.
    curve
        Difference quotients of the worst entry, or None.
    """

    name: str
    out_shape: tuple[int, ...]
    wrt_shape: tuple[int, ...]
    verdict: str
    counts: dict[str, int] = field(default_factory=dict)
    digits: float | None = None
    relative_error: float = math.nan
    absolute_error: float = math.nan
    worst: tuple[Entry, ...] = ()
    explanations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    evaluations: int = 0
    follows: bool = False
    map: NDArray[np.float64] | None = None
    curve: Curve | None = None

    @property
    def ok(self) -> bool:
        """Whether every entry is right, zero within error, or consistent at a kink."""
        return self.verdict in (RIGHT, RIGHT_AT_KINK)

    def __bool__(self) -> bool:
        return self.ok

    @property
    def shape(self) -> str:
        """The shape as ``3 × (3×2)``."""
        return times(self.out_shape, self.wrt_shape)

    def to_dict(self) -> dict[str, Any]:
        """Plain Python data, fit for JSON."""
        return {
            "name": self.name,
            "shape": self.shape,
            "out_shape": list(self.out_shape),
            "wrt_shape": list(self.wrt_shape),
            "ok": self.ok,
            "verdict": self.verdict,
            "counts": dict(self.counts),
            "digits": self.digits,
            "relative_error": plain(self.relative_error),
            "absolute_error": plain(self.absolute_error),
            "worst": [
                {
                    "index": list(entry.index),
                    "name": entry.name,
                    "claimed": plain(entry.claimed),
                    "measured": plain(entry.measured),
                    "error": plain(entry.error),
                    "verdict": entry.verdict,
                }
                for entry in self.worst
            ],
            "explanations": list(self.explanations),
            "notes": list(self.notes),
            "evaluations": self.evaluations,
            "follows": self.follows,
        }


def plain(value: complex | float) -> float | str | list[Any] | None:
    """A number as JSON has it: complex ones as pairs, infinity as a word, NaN as null."""
    if isinstance(value, complex):
        return [plain(value.real), plain(value.imag)]
    return float(value) if math.isfinite(value) else (None if math.isnan(value) else str(value))


def worst_first(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings, wrong ones first, and of these first the ones that say something new."""
    return tuple(sorted(findings, key=lambda finding: (SEVERITY[finding.verdict], finding.follows)))
