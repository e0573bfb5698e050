"""Findings as text: aligned, worst first, in colour on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from jacobians.checking.report.finding import CANNOT_TELL, WRONG, Entry, Finding, worst_first
from jacobians.show.columns import aligned

COLOURS = {WRONG: "31;1", CANNOT_TELL: "33"}
MARKS = {WRONG: "✗", CANNOT_TELL: "?"}
LISTED = 6  # names of Jacobians that follow from wrong ones, in one line


def wants_colour() -> bool:
    """Whether standard output is a terminal that takes colours."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def number(value: complex | float, digits: int = 6) -> str:
    """A number in a few digits."""
    return f"{value:.{digits}g}".strip("()")


def summary(finding: Finding) -> tuple[str, ...]:
    """The cells of a finding: mark, name, shape, verdict, digits or largest relative error, worst entry."""
    if finding.ok:
        agreement, worst = "" if finding.digits is None else f"{finding.digits:.1f} digits", ""
    else:
        known = finding.relative_error == finding.relative_error
        agreement = f"rel. error {finding.relative_error:.1e}" if known else ""
        worst = finding.worst[0].name if finding.worst else ""
    return (MARKS.get(finding.verdict, "✓"), finding.name, finding.shape, finding.verdict, agreement, worst)


def entry_cells(entry: Entry) -> tuple[str, str, str]:
    """The cells of an entry: name, claimed and measured value."""
    return entry.name, number(entry.claimed, 10), f"{number(entry.measured, 10)} ± {entry.error:.1e}"


def consequences(findings: Sequence[Finding]) -> str:
    """One line for all the Jacobians that are made of wrong ones; empty if there are none."""
    names = [finding.name for finding in findings if finding.follows]
    if not names:
        return ""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"made of what is wrong above, and wrong, too: {', '.join(names[:LISTED])}{more}"


def text(findings: tuple[Finding, ...], title: str = "", notes: Sequence[str] = (), *, colour: bool = False) -> str:
    """Findings as text."""
    shown = [finding for finding in worst_first(findings) if not finding.follows]
    lines = [title] if title else []
    table = _lines([summary(finding) for finding in shown])
    told = False
    for finding, line in zip(shown, table, strict=True):
        if finding.verdict != WRONG and not told:
            lines += filter(None, [consequences(findings)])
            told = True
        code = COLOURS.get(finding.verdict, "32")
        lines.append(f"\x1b[{code}m{line}\x1b[0m" if colour else line)
        lines += [f"    → {explanation}" for explanation in finding.explanations]
        if not finding.ok and finding.worst:
            rows = [("", "claimed", "measured"), *map(entry_cells, finding.worst)]
            lines += [f"    {row}" for row in _lines(rows)]
        lines += [f"    note: {note}" for note in finding.notes]
    lines += [] if told else list(filter(None, [consequences(findings)]))
    lines += [f"note: {note}" for note in notes]
    return "\n".join(lines)


def _lines(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """The rows in columns; those that are empty take no room."""
    kept = [k for k in range(len(rows[0])) if any(row[k] for row in rows)] if rows else []
    return aligned([[row[k] for k in kept] for row in rows])[0] if rows else []
