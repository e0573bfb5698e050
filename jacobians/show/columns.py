"""Text in columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence


def width(text: str) -> int:
    """How many columns a text takes: a letter and its hat take one."""
    return sum(not unicodedata.combining(c) for c in text)


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> tuple[list[str], list[int]]:
    """The rows as lines, and the widths of the columns; the columns in `right` are aligned to the right.

    >>> aligned([("x̂", "10"), ("long", "5")], right={1})[0]
    ['x̂     10', 'long   5']
    """
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        blanks = [" " * (w - width(cell)) for cell, w in zip(row, widths, strict=True)]
        cells = [b + c if k in right else c + b for k, (c, b) in enumerate(zip(row, blanks, strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines, widths
