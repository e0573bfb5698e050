"""Reports as text: aligned, worst first, in colour on a terminal."""

from __future__ import annotations

import os
import sys

from jacobians.checking.report.report import CANNOT_TELL, WRONG, Entry, Finding, Report

__all__ = ["number", "summary", "text", "wants_colour"]

_COLOURS = {WRONG: "31;1", CANNOT_TELL: "33"}
_MARKS = {WRONG: "✗", CANNOT_TELL: "?"}


def wants_colour() -> bool:
    """Whether standard output is a terminal that takes colours."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def number(value: complex | float, digits: int = 6) -> str:
    """Write a number shortly."""
    if isinstance(value, complex):
        return f"{value:.{digits}g}".strip("()")
    return f"{value:.{digits}g}"


def _digits(finding: Finding) -> str:
    return "" if finding.digits is None else f"{finding.digits:.1f} digits"


def summary(finding: Finding) -> tuple[str, ...]:
    """Return the cells of a finding: mark, name, shape, verdict, digits, largest relative error, worst entry."""
    worst = finding.worst[0].name if finding.worst and not finding.ok else ""
    error = "" if finding.relative_error != finding.relative_error else f"rel. error {finding.relative_error:.1e}"
    mark = _MARKS.get(finding.verdict, "✓")
    return (mark, finding.name, finding.shape, finding.verdict, _digits(finding), error, worst)


def _entry(entry: Entry) -> tuple[str, str, str]:
    measured = f"{number(entry.measured, 10)} ± {entry.error:.1e}"
    return entry.name, number(entry.claimed, 10), measured


def _columns(rows: list[tuple[str, ...]], indent: str = "") -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)] if rows else []
    return [
        indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width).rstrip()
        for row in rows
    ]


def text(report: Report, *, colour: bool = False) -> str:
    """Write a report as text."""
    findings = report.worst_first()
    lines = []
    if report.title:
        lines.append(report.title)
    table = _columns([summary(finding) for finding in findings])
    for finding, line in zip(findings, table, strict=True):
        code = _COLOURS.get(finding.verdict, "32")
        lines.append(f"\x1b[{code}m{line}\x1b[0m" if colour else line)
        lines += [f"    → {explanation}" for explanation in finding.explanations]
        if not finding.ok and finding.worst:
            lines += _columns([("", "claimed", "measured"), *map(_entry, finding.worst)], "    ")
        lines += [f"    note: {note}" for note in finding.notes]
    lines += [f"note: {note}" for note in report.notes]
    return "\n".join(lines)
