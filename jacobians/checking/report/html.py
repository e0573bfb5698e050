"""Findings as HTML for notebooks: a table, an error map and the step-size curve of the worst entry, as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.report.finding import CANNOT_TELL, WRONG, Curve, Finding, worst_first
from jacobians.checking.report.text import consequences, entry_cells, summary
from jacobians.show.style import styled

RED, YELLOW, GREEN = "#d2392b", "#c28a00", "#2a8f4f"
COLOURS = {WRONG: RED, CANNOT_TELL: YELLOW}


def html(findings: tuple[Finding, ...], title: str = "", notes: Sequence[str] = ()) -> str:
    """Findings as an HTML fragment that suits light and dark pages: text takes the page's colour."""
    shown = [finding for finding in worst_first(findings) if not finding.follows]
    rows = []
    for finding in shown:
        colour = COLOURS.get(finding.verdict, GREEN)
        cells = [
            f'<td style="color:{colour};font-weight:bold">{escape(cell)}</td>'
            if k in (0, 3)
            else f"<td>{escape(cell)}</td>"
            for k, cell in enumerate(summary(finding))
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    heading = f"<p><b>{escape(title)}</b></p>" if title else ""
    remarks = [*filter(None, [consequences(findings)]), *(f"note: {note}" for note in notes)]
    return styled(
        f'<div class="jacobians">{heading}<table>{"".join(rows)}</table>{"".join(map(_details, shown))}'
        f"{''.join(f'<p>{escape(remark)}</p>' for remark in remarks)}</div>"
    )


def page(findings: tuple[Finding, ...], title: str = "", notes: Sequence[str] = ()) -> str:
    """Findings as a complete HTML page."""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f"<title>{escape(title or 'Check of Jacobians')}</title></head><body>{html(findings, title, notes)}"
        "</body></html>\n"
    )


def _details(finding: Finding) -> str:
    """The explanations, the worst entries and the pictures of one finding."""
    items = [f"<li><b>{escape(explanation)}</b></li>" for explanation in finding.explanations]
    items += [f"<li>note: {escape(note)}</li>" for note in finding.notes]
    if finding.ok:
        return f"<p>{escape(finding.name)}</p><ul>{''.join(items)}</ul>" if items else ""
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in entry_cells(entry))}</tr>" for entry in finding.worst
    )
    table = f"<table><tr><th>entry</th><th>claimed</th><th>measured</th></tr>{rows}</table>" if rows else ""
    pictures = _map(finding.map, finding.name) if finding.map is not None and finding.map.size > 1 else ""
    pictures += _curve(finding.curve) if finding.curve is not None else ""
    return (
        f"<p><b>{escape(finding.name)}</b></p><ul>{''.join(items)}</ul>{table}"
        f'<div style="display:flex;flex-wrap:wrap">{pictures}</div>'
    )


def _map(errors: NDArray[np.float64], name: str) -> str:
    """Picture of the Jacobian as a matrix: grey where right, red where wrong."""
    rows, columns = errors.shape
    side = max(2.0, min(16.0, 260.0 / max(rows, columns)))
    cells = []
    for (row, column), value in np.ndenumerate(errors):
        colour = RED if value > 0.5 else YELLOW if value > 0 else "#8884"
        cells.append(
            f'<rect x="{column * side:.1f}" y="{row * side:.1f}" width="{side * 0.94:.1f}" height="{side * 0.94:.1f}" '
            f'fill="{colour}"/>'
        )
    label = f"error map of {name}: rows are outputs, columns the entries of the argument; red is wrong"
    return (
        f'<figure><svg role="img" aria-label="{escape(label)}" width="{columns * side:.0f}" '
        f'height="{rows * side:.0f}" viewBox="0 0 {columns * side:.1f} {rows * side:.1f}">{"".join(cells)}</svg>'
        '<figcaption style="font-size:smaller">where it is wrong (rows: outputs, columns: argument)</figcaption>'
        "</figure>"
    )


def _curve(curve: Curve) -> str:
    """Picture of |difference quotient - claimed| and - measured| against the step, both logarithmic."""
    width, height, margin = 320, 180, 34
    steps = np.log10(np.array(curve.steps))
    series = {}
    for name, reference, colour in (("claimed", curve.claimed, RED), ("measured", curve.measured, GREEN)):
        with np.errstate(all="ignore"):
            distance = np.log10(np.abs(np.array(curve.quotients) - reference))
        series[name] = (np.where(np.isfinite(distance), distance, np.nan), colour)
    values = np.concatenate([distance for distance, _ in series.values()])
    if not np.isfinite(values).any() or np.ptp(steps) == 0:
        return ""
    low, high = math.floor(np.nanmin(values)), math.ceil(np.nanmax(values))
    high = max(high, low + 1)

    def place(step: float, value: float) -> str:
        across = margin + (step - steps.min()) / np.ptp(steps) * (width - margin - 8)
        down = 8 + (high - value) / (high - low) * (height - margin - 8)
        return f"{across:.1f},{down:.1f}"

    lines = "".join(
        f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
        + " ".join(place(step, value) for step, value in zip(steps, distance, strict=True) if np.isfinite(value))
        + '"/>'
        for distance, colour in series.values()
    )
    style = 'font-size="10" fill="currentColor"'
    labels = (
        f'<text x="2" y="16" {style}>1e{high}</text><text x="2" y="{height - margin}" {style}>1e{low}</text>'
        f'<text x="{margin}" y="{height - 16}" {style}>step 1e{round(steps.min())}</text>'
        f'<text x="{width - 40}" y="{height - 16}" {style}>1e{round(steps.max())}</text>'
    )
    return (
        f'<figure><svg role="img" aria-label="difference quotients of {escape(curve.name)}" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">{lines}{labels}</svg>'
        f'<figcaption style="font-size:smaller">{escape(curve.name)}: distance of the difference quotient from the '
        f'<span style="color:{RED}">claimed</span> and the <span style="color:{GREEN}">measured</span> value, '
        f"by step</figcaption></figure>"
    )
