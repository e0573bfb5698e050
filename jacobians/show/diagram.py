"""A graph as boxes and wires, with the names and shapes of the values along the wires."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import NamedTuple

from jacobians.show.columns import width
from jacobians.show.layered import Layout, Place, Wire, layout

WIDEST = 860.0  # pixels that a diagram from left to right may take; a longer one goes from top to bottom
LETTER, SMALL = 7.6, 6.3  # pixels of a letter, about
INK, LINE, FILL, LEAF = "#1f2933", "#6b7785", "#e8f0fb", "#fdf3dc"  # readable on light and on dark pages
FONT = "font-family='system-ui,-apple-system,Segoe UI,Helvetica,Arial,DejaVu Sans,sans-serif'"


class Box(NamedTuple):
    """A layer or function: what it is, its parameters, the values that it takes and the one that it makes."""

    title: str
    details: str
    inputs: tuple[int, ...]
    output: int


@dataclass(frozen=True)
class Diagram:
    """Boxes, and wires for the values between them."""

    labels: Mapping[int, str]
    """The name and shape of every value by its number, as in ``z (3,)``; nothing where they are not known."""

    starts: tuple[int, ...]
    """The values that nothing here makes."""

    boxes: tuple[Box, ...]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        picture = base64.b64encode(self.svg().encode()).decode()
        words = escape(str(self), quote=True).replace("\n", "&#10;")
        return f'<img src="data:image/svg+xml;base64,{picture}" alt="{words}" title="{words}" style="max-width:100%">'

    def _lines(self) -> Iterator[str]:
        """The arguments, then a line for every box; what it takes is named where it is not the value just above."""
        yield ", ".join(filter(None, (self.labels.get(n, "") for n in self.starts)))
        last = self.starts
        for box in self.boxes:
            taken = "" if box.inputs == last else f" ({', '.join(self._name(n) for n in box.inputs)})"
            details = f" [{box.details}]" if box.details else ""
            label = self.labels.get(box.output, "")
            yield f"  → {box.title}{taken}{details}{f' → {label}' if label else ''}"
            last = (box.output,)

    def _name(self, number: int) -> str:
        return self.labels.get(number, "").partition(" ")[0] or "·"

    def svg(self) -> str:
        """The picture: from left to right if it is short, from top to bottom if it is not."""
        flat = self._picture(True)
        return flat if flat is not None else self._picture(False) or ""

    def _picture(self, flat: bool) -> str | None:
        """The picture from left to right, or from top to bottom; None where that would be too wide."""
        makers = {box.output: k for k, box in enumerate(self.boxes)}
        ends = [box.output for box in self.boxes if not any(box.output in b.inputs for b in self.boxes)]
        number = {n: k for k, n in enumerate(sorted({*self.starts, *makers}))}  # the box that a value comes from
        last = {n: len(number) + k for k, n in enumerate(ends)}  # an end without a box, for the label of the output
        sizes, gaps = {}, {}
        for n in number:
            box = self.boxes[makers[n]] if n in makers else None
            wide, high = _box_size(box, self.labels.get(n, ""))
            label = SMALL * width(self.labels.get(n, "")) if box else 0.0
            sizes[number[n]] = (wide, high) if flat else (high, wide)
            gaps[number[n]] = max(34.0, label + 26) if flat else 40.0
        for n, k in last.items():
            sizes[k] = (0.0, 0.0 if flat else SMALL * width(self.labels.get(n, "")))
        wires = [Wire(number[n], number[box.output]) for box in self.boxes for n in dict.fromkeys(box.inputs)]
        wires += [Wire(number[n], k) for n, k in last.items()]
        found = layout(sizes, wires, gaps, 26.0)
        if flat and found.length > WIDEST:
            return None
        return self._drawn(found, sizes, number, makers, flat)

    def _drawn(
        self,
        found: Layout,
        sizes: Mapping[int, Place],
        number: Mapping[int, int],
        makers: Mapping[int, int],
        flat: bool,
    ) -> str:
        def turned(place: Place) -> Place:
            return place if flat else (place[1], place[0])

        parts = [
            _wire(points, sizes[wire.start][0], sizes[wire.end][0], turned) for wire, points in found.wires.items()
        ]
        for n, k in number.items():
            x, y = turned(found.centres[k])
            wide, high = turned(sizes[k])
            label = self.labels.get(n, "")
            if n not in makers:
                parts.append(_rectangle(x, y, wide, high, LEAF, round(high / 2)) + _text(x, y + 4, label, 12))
                continue
            box = self.boxes[makers[n]]
            parts.append(_rectangle(x, y, wide, high, FILL, 6))
            parts.append(_text(x, y + (-2 if box.details else 4.5), box.title, 13))
            parts.append(_text(x, y + 14, _cut(box.details), 10.5, LINE) if box.details else "")
            at = (x + wide / 2 + 8, y - 6) if flat else (x + 7, y + high / 2 + 16)
            parts.append(_text(*at, label, 11, LINE, "start"))
        labels = [SMALL * width(self.labels.get(n, "")) for n in number]
        (wide, high), room = turned((found.length, found.breadth)), max(labels, default=0.0)
        right = 12 if flat else room / 2 + 12
        return (
            f"<svg xmlns='http://www.w3.org/2000/svg' width='{wide + 12 + right:.0f}' height='{high + 24:.0f}' "
            f"viewBox='-12 -12 {wide + 12 + right:.0f} {high + 24:.0f}' {FONT}>"
            f"<defs><marker id='a' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' orient='auto'>"
            f"<path d='M0 0.5L8 4L0 7.5z' fill='{LINE}'/></marker></defs>{''.join(parts)}</svg>"
        )


class Sketch:
    """A diagram of layers that nobody has called yet: sizes as far as the parameters tell."""

    def __init__(self, names: Sequence[str]) -> None:
        self.labels = dict(enumerate(names))
        self.starts = tuple(self.labels)
        self.boxes: list[Box] = []

    def box(self, title: str, details: str, inputs: Sequence[int], expected: str = "") -> int:
        """Add a box; `expected` is the shape that its only input must have. Return the number of its output."""
        if expected:
            name = self.labels.get(inputs[0], "")
            self.labels[inputs[0]] = f"{name} {expected}".strip() if "(" not in name else name
        output = len(self.starts) + len(self.boxes)
        self.boxes.append(Box(title, details, tuple(inputs), output))
        return output

    def finished(self) -> Diagram:
        """The diagram."""
        return Diagram(self.labels, self.starts, tuple(self.boxes))


def titled(path: str, name: str) -> str:
    """What a box says: the layer, with its path where that is more than numbers.

    >>> titled("hidden.0.", "Affine"), titled("0.", "Tanh")
    ('hidden: Affine', 'Tanh')
    """
    named = ".".join(part for part in path.split(".") if part and not part.isdigit())
    return f"{named}: {name}" if named else name


def _cut(text: str) -> str:
    return text if len(text) <= 44 else f"{text[:43]}…"


def _box_size(box: Box | None, label: str) -> Place:
    if box is None:
        return SMALL * 1.1 * width(label) + 22, 26.0
    return max(LETTER * width(box.title), SMALL * width(_cut(box.details))) + 22, 46.0 if box.details else 32.0


def _rectangle(x: float, y: float, wide: float, high: float, fill: str, radius: float) -> str:
    return (
        f"<rect x='{x - wide / 2:.1f}' y='{y - high / 2:.1f}' width='{wide:.1f}' height='{high:.1f}' rx='{radius:g}' "
        f"fill='{fill}' stroke='{LINE}' stroke-width='1.2'/>"
    )


def _text(x: float, y: float, text: str, size: float, fill: str = INK, anchor: str = "middle") -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size:g}' fill='{fill}' text-anchor='{anchor}'>{escape(text)}</text>"
    )


def _wire(points: Sequence[Place], leaves: float, enters: float, turned: object) -> str:
    """A smooth line through points, from the border of one box to that of another."""
    assert callable(turned)
    (a, b), *middle, (c, d) = points
    ends = [(a + leaves / 2, b), *middle, (c - enters / 2, d)]
    path = "M{:.1f} {:.1f}".format(*turned(ends[0]))
    for (x, y), (u, v) in pairwise(ends):
        bend = (u - x) / 2
        places = [turned(one) for one in ((x + bend, y), (u - bend, v), (u, v))]
        path += "C" + ",".join(f"{p:.1f} {q:.1f}" for p, q in places)
    return f"<path d='{path}' fill='none' stroke='{LINE}' stroke-width='1.3' marker-end='url(#a)'/>"
