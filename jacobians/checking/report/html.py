"""Reports as HTML for notebooks: a table, an error map and the step-size curve of the worst entry, as inline SVG."""

from __future__ import annotations

import math
from html import escape

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.report.report import CANNOT_TELL, WRONG, Curve, Finding, Report
from jacobians.checking.report.text import number, summary

__all__ = ["html", "page"]

_COLOURS = {WRONG: "#d2392b", CANNOT_TELL: "#c28a00"}
_GREEN = "#2a8f4f"
_CELL = "padding:2px 10px 2px 0;text-align:left;border:none;background:none;color:inherit"


def html(report: Report) -> str:
    """Write a report as an HTML fragment that suits light and dark pages: text takes the page's colour."""
    parts = ['<div class="jacobians-report" style="font-family:sans-serif;color:inherit">']
    if report.title:
        parts.append(f"<p><b>{escape(report.title)}</b></p>")
    parts.append('<table style="border-collapse:collapse;color:inherit;background:none">')
    for finding in report.worst_first():
        colour = _COLOURS.get(finding.verdict, _GREEN)
        cells = "".join(
            f'<td style="{_CELL}{f";color:{colour};font-weight:bold" if k in (0, 3) else ""}">{escape(cell)}</td>'
            for k, cell in enumerate(summary(finding))
        )
        parts.append(f'<tr style="background:none">{cells}</tr>')
    parts.append("</table>")
    for finding in report.worst_first():
        parts.append(_details(finding))
    parts += [f"<p>note: {escape(note)}</p>" for note in report.notes]
    parts.append("</div>")
    return "".join(parts)


def page(report: Report) -> str:
    """Write a report as a complete HTML page."""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f"<title>{escape(report.title or 'Check of Jacobians')}</title></head><body>{html(report)}</body></html>\n"
    )


def _details(finding: Finding) -> str:
    lines = [f"<li><b>{escape(text)}</b></li>" for text in finding.explanations]
    lines += [f"<li>note: {escape(text)}</li>" for text in finding.notes]
    if finding.ok:
        return f"<p style='margin:4px 0'>{escape(finding.name)}</p><ul>{''.join(lines)}</ul>" if lines else ""
    rows = "".join(
        f'<tr style="background:none"><td style="{_CELL}">{escape(entry.name)}</td>'
        f'<td style="{_CELL}">{number(entry.claimed, 10)}</td>'
        f'<td style="{_CELL}">{number(entry.measured, 10)} ± {entry.error:.1e}</td></tr>'
        for entry in finding.worst
    )
    head = "".join(f'<th style="{_CELL}">{name}</th>' for name in ("entry", "claimed", "measured"))
    table = (
        f'<table style="border-collapse:collapse;color:inherit"><tr style="background:none">{head}</tr>{rows}</table>'
    )
    pictures = ""
    if finding.map is not None and finding.map.size > 1:
        pictures += _map(finding.map, finding)
    if finding.curve is not None:
        pictures += _curve(finding.curve)
    return (
        f"<p style='margin:8px 0 2px'><b>{escape(finding.name)}</b></p><ul>{''.join(lines)}</ul>"
        f'{table if rows else ""}<div style="display:flex;gap:24px;flex-wrap:wrap">{pictures}</div>'
    )


def _map(errors: NDArray[np.float64], finding: Finding) -> str:
    """Picture of the Jacobian as a matrix: grey where right, red where wrong."""
    rows, columns = errors.shape
    side = max(2.0, min(16.0, 260.0 / max(rows, columns)))
    cells = []
    for (row, column), value in np.ndenumerate(errors):
        colour = "#d2392b" if value > 0.5 else "#c28a00" if value > 0 else "#8884"
        cells.append(
            f'<rect x="{column * side:.1f}" y="{row * side:.1f}" width="{side * 0.94:.1f}" height="{side * 0.94:.1f}" '
            f'fill="{colour}"/>'
        )
    label = f"error map of {finding.name}: rows are outputs, columns the entries of the argument; red is wrong"
    return (
        f'<figure style="margin:6px 0"><svg role="img" aria-label="{escape(label)}" width="{columns * side:.0f}" '
        f'height="{rows * side:.0f}" viewBox="0 0 {columns * side:.1f} {rows * side:.1f}">{"".join(cells)}</svg>'
        '<figcaption style="font-size:smaller">where it is wrong (rows: outputs, columns: argument)</figcaption>'
        "</figure>"
    )


def _curve(curve: Curve) -> str:
    """Picture of |difference quotient - claimed| and - measured| against the step, both logarithmic."""
    width, height, margin = 320, 180, 34
    steps = np.log10(np.array(curve.steps))
    series = {}
    for name, reference, colour in (("claimed", curve.claimed, "#d2392b"), ("measured", curve.measured, _GREEN)):
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
        f'<text x="{margin}" y="{height - 16}" {style}>step 1e{steps.min():.0f}</text>'
        f'<text x="{width - 40}" y="{height - 16}" {style}>1e{steps.max():.0f}</text>'
    )
    return (
        f'<figure style="margin:6px 0"><svg role="img" aria-label="difference quotients of {escape(curve.name)}" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">{lines}{labels}</svg>'
        f'<figcaption style="font-size:smaller">{escape(curve.name)}: distance of the difference quotient from the '
        f'<span style="color:#d2392b">claimed</span> and the <span style="color:{_GREEN}">measured</span> value, '
        f"by step</figcaption></figure>"
    )
