"""A heat map that can be asked: every entry says its formula and its value when the mouse rests on it. No script."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

from jacobians.engine.tape import Array
from jacobians.notation.formula import equation, left_side, letter, times, written
from jacobians.notation.markup import html, typeset
from jacobians.notation.structure import Form, Shape
from jacobians.notation.sums import DELTA, Sign, Written, summed
from jacobians.show.style import styled

MOST = 1024  # entries
WIDE = 30  # pixels of a cell with a number in it
WRITTEN = 16  # entries along the longer side up to which numbers are written into them
POSITIVE, NEGATIVE = (178, 24, 43), (33, 102, 172)
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class EntryTable:
    """The matrix of a Jacobian as a table in colours; `titles` is what its entries say."""

    heading: str
    formula: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: Array
    titles: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        return "\n".join([self.heading, *(title for row in self.titles for title in row)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        limit = self._limit()
        bar = "".join(
            f'<span style="display:inline-block;width:14px;height:10px;background-color:{_colour(k / 8)}"></span>'
            for k in range(-8, 9)
        )
        return styled(
            f'<div class="jacobians"><p>{html(self.heading)}, {typeset(self.formula)}</p>'
            f'{self.table()}<p>−{limit:.3g} {bar}<span class="unstyled"> to</span> {limit:.3g}</p></div>'
        )

    def _limit(self) -> float:
        return float(np.abs(self.values).max(initial=0.0)) or 1.0

    def table(self) -> str:
        """The entries alone, as an HTML table."""
        cell = WIDE if max(self.values.shape) <= WRITTEN else 12
        named = cell == WIDE
        side = "padding:1px 5px;border:0;font-weight:normal;color:inherit;text-align:"
        head = "".join(f'<th style="{side}center">{html(c)}</th>' for c in self.columns)
        lines = [f'<tr><th style="border:0"></th>{head}</tr>'] if named else []
        for name, values, titles in zip(self.rows, self.values, self.titles, strict=True):
            row = "".join(_cell(v, t, self._limit(), cell) for v, t in zip(values, titles, strict=True))
            lines.append(f'<tr><th style="{side}right">{html(name) if named else ""}</th>{row}</tr>')
        return f'<table style="border-collapse:collapse;margin:4px 0">{"".join(lines)}</table>'


def cells(form: Form, values: Array, order: str) -> str:
    """The entries of a small Jacobian as an HTML table."""
    return entry_table(form, values, order).table()


def _cell(value: float, title: str, limit: float, size: int) -> str:
    text = ("0" if not value else f"{value:.2g}") if size == WIDE else ""
    share = value / limit
    ink = "#ffffff" if abs(share) > 0.55 else "#000000" if value else "#777777"
    style = (
        f"padding:1px;width:{size}px;height:{size * 0.7:g}px;text-align:center;border:1px solid #999999;"
        f"font-size:11px;background-color:{_colour(share)};color:{ink}"
    )
    return f'<td style="{style}" title="{escape(title)}">{text}</td>'


def _colour(share: float) -> str:
    """White at 0, red above it, blue below it."""
    end = POSITIVE if share >= 0 else NEGATIVE
    red, green, blue = (round(255 + (c - 255) * min(1.0, abs(share) * 0.9)) for c in end)
    return f"#{red:02x}{green:02x}{blue:02x}"


def entry_table(form: Form, values: Array, order: str) -> EntryTable:
    """The matrix of a Jacobian (`values`, flattened in this order), each entry with its formula and its value."""
    words = times(form.out_shape, form.wrt_shape)
    if values.size > MOST:
        raise ValueError(f'plot(kind="entries") shows up to {MOST} entries; this is {words}, {values.size}')
    if np.iscomplexobj(values):
        raise ValueError('plot(kind="entries") shows real numbers; this Jacobian is complex')
    rows, columns = _positions(form.out_shape, order), _positions(form.wrt_shape, order)
    titles = tuple(
        tuple(_title(form, i, j, float(values[r, c])) for c, j in enumerate(columns)) for r, i in enumerate(rows)
    )
    return EntryTable(
        f"{left_side(form, ())}: {words}", equation(form),
        tuple(_name(form.out_name, i) for i in rows), tuple(_name(form.wrt_name, j) for j in columns), values, titles,
    )  # fmt: skip


def _positions(shape: Shape, order: str) -> list[tuple[int, ...]]:
    return list(np.ndindex(*shape)) if order == "C" else [p[::-1] for p in np.ndindex(*shape[::-1])]


def _name(name: str, index: tuple[int, ...]) -> str:
    return name + _numbers(index)


def _numbers(index: tuple[int, ...]) -> str:
    """Indices as on paper: from 1, lowered."""
    return ("," if max(index, default=0) > 8 else "").join(str(k + 1) for k in index).translate(LOWERED)


def _title(form: Form, i: tuple[int, ...], j: tuple[int, ...], value: float) -> str:
    """∂f₂/∂A₂₁ = (1−f²)₂ x₁ = 0.24."""
    letters = [letter(k) for k in range(len(form.shape))]
    numbers = {name: str(k + 1).translate(LOWERED) for name, k in zip(letters, i + j, strict=True)}
    left = left_side(form, [numbers[name] for name in letters]).replace("_", "")
    kept = [one for product in written(form) for one in [_put_in(product, numbers)] if one is not None]
    right = summed(kept).replace("_", "") if kept else ""
    end = "0" if not value else f"{value:.4g}"
    return f"{left} = {right} = {end}" if right and right != end else f"{left} = {end}"


def _put_in(product: Written, numbers: dict[str, str]) -> Written | None:
    """A product with numbers for its letters; None where a delta makes it zero."""
    signs = []
    for one in product.signs:
        indices = tuple(numbers.get(k, k) for k in one.indices)
        if one.name == DELTA and all(k in numbers for k in one.indices):
            if len(set(indices)) > 1:
                return None
        else:
            signs.append(Sign(one.name, indices))
    return Written(product.sign, tuple(signs), product.summed)
