"""The outcome of a check: one finding per Jacobian, and whether all of them are right."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curve", "Entry", "Finding", "Report", "WrongJacobian", "shape_text"]

CANNOT_TELL = "cannot tell"
WRONG = "wrong"
RIGHT = "right"
RIGHT_AT_KINK = "right, at a kink"
_SEVERITY = {WRONG: 0, CANNOT_TELL: 1, RIGHT_AT_KINK: 2, RIGHT: 3}


class WrongJacobian(AssertionError):
    """Raised by `Report.raise_if_wrong`; the message is the report."""


def shape_text(out_shape: tuple[int, ...], wrt_shape: tuple[int, ...]) -> str:
    """Write a generalized shape as ``3 × (3×2)``: groups of several axes in parentheses, scalars as 1.

    Examples
    --------
    >>> shape_text((3,), (3, 2))
    '3 × (3×2)'
    >>> shape_text((), ())
    '1 × 1'
    """

    def group(shape: tuple[int, ...]) -> str:
        inner = "×".join(str(n) for n in shape) or "1"
        return f"({inner})" if len(shape) > 1 else inner

    return f"{group(out_shape)} × {group(wrt_shape)}"


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
    name : what is differentiated by what, for example "∂z/∂A"
    out_shape, wrt_shape : the two groups of axes
    verdict : "right", "right, at a kink", "wrong", or "cannot tell"
    counts : entries by verdict
    digits : decimal digits to which every entry agrees that could be resolved; None if none could
    relative_error, absolute_error : the largest differences between claimed and measured
    worst : the worst entries, worst first
    explanations : mistakes that would explain the numbers, the most telling first
    notes : warnings, and how the measurement was made
    evaluations : calls of f
    map : errors on a grid of blocks for the picture: 0 right … 1 wrong, or None
    curve : difference quotients of the worst entry, or None
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
        return shape_text(self.out_shape, self.wrt_shape)

    def to_dict(self) -> dict[str, Any]:
        """Return plain Python data, fit for JSON."""
        return {
            "name": self.name,
            "shape": self.shape,
            "out_shape": list(self.out_shape),
            "wrt_shape": list(self.wrt_shape),
            "ok": self.ok,
            "verdict": self.verdict,
            "counts": dict(self.counts),
            "digits": self.digits,
            "relative_error": _plain(self.relative_error),
            "absolute_error": _plain(self.absolute_error),
            "worst": [
                {
                    "index": list(entry.index),
                    "name": entry.name,
                    "claimed": _plain(entry.claimed),
                    "measured": _plain(entry.measured),
                    "error": _plain(entry.error),
                    "verdict": entry.verdict,
                }
                for entry in self.worst
            ],
            "explanations": list(self.explanations),
            "notes": list(self.notes),
            "evaluations": self.evaluations,
        }


def _plain(value: complex | float) -> float | str | list[float] | None:
    if isinstance(value, complex):
        return [value.real, value.imag]
    return float(value) if math.isfinite(value) else (None if math.isnan(value) else str(value))


@dataclass(frozen=True)
class Report:
    """The findings on one or several Jacobians.

    ``report.ok`` is True only if every entry of every Jacobian is right, zero within error, or consistent at a kink.
    In a test, ``check_jacobian(f, x, J).raise_if_wrong()`` fails with the whole report as its message.
    """

    findings: tuple[Finding, ...]
    title: str = ""
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything that was checked is right."""
        return all(finding.ok for finding in self.findings)

    def __bool__(self) -> bool:
        """`ok`, so that ``assert check(…)`` says what it seems to say."""
        return self.ok

    @property
    def wrong(self) -> tuple[str, ...]:
        """Names of the Jacobians that are wrong."""
        return tuple(finding.name for finding in self.findings if finding.verdict == WRONG)

    def __iter__(self) -> Any:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, name: str | int) -> Finding:
        if isinstance(name, int):
            return self.findings[name]
        for finding in self.findings:
            if name in (finding.name, finding.name.rpartition("∂")[2]):
                return finding
        raise KeyError(f"no Jacobian {name!r} in this report; there are {[f.name for f in self.findings]}")

    def worst_first(self) -> tuple[Finding, ...]:
        """Return the findings, wrong ones first."""
        return tuple(sorted(self.findings, key=lambda finding: _SEVERITY[finding.verdict]))

    def raise_if_wrong(self, allow_inconclusive: bool = False) -> None:
        """Raise `WrongJacobian` with the report as its message if a Jacobian is wrong, or cannot be told to be right.

        With ``allow_inconclusive`` only what is known to be wrong raises.
        """
        bad = [f for f in self.findings if not f.ok and not (allow_inconclusive and f.verdict == CANNOT_TELL)]
        if bad:
            raise WrongJacobian("\n" + str(self))

    def to_dict(self) -> dict[str, Any]:
        """Return plain Python data, fit for JSON."""
        return {
            "ok": self.ok,
            "title": self.title,
            "notes": list(self.notes),
            "jacobians": [finding.to_dict() for finding in self.findings],
        }

    def renamed(self, name: str) -> Report:
        """Return the report with its only finding under another name."""
        return replace(self, findings=tuple(replace(finding, name=name) for finding in self.findings))

    def __str__(self) -> str:
        from jacobians.checking.report.text import text

        return text(self)

    def __repr__(self) -> str:
        from jacobians.checking.report.text import text, wants_colour

        return text(self, colour=wants_colour())

    def _repr_html_(self) -> str:
        from jacobians.checking.report.html import html

        return html(self)
