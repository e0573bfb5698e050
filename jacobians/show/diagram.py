"""A chain as boxes, with the shapes of the values along the arrows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape

from numpy.typing import ArrayLike

from jacobians.core.chain import Chain
from jacobians.core.layer import Layer
from jacobians.core.residual import Residual
from jacobians.notation.signature import labels_of
from jacobians.show.html import STYLE
from jacobians.show.names import Link, every, nodes_of, path_of


@dataclass(frozen=True)
class Box:
    """A layer: its name, its parameters with their shapes, and what is inside it."""

    title: str
    details: str = ""
    inside: tuple[Box, ...] = ()
    value: str = ""
    """The name and shape of its output, where they are known."""


@dataclass(frozen=True)
class Diagram:
    """Boxes in a row. `start` says what goes in."""

    start: str
    boxes: tuple[Box, ...]

    def __str__(self) -> str:
        return "\n".join(_lines(self.start, self.boxes, ""))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f'{STYLE}<div class="jacobians"><p class="flow">{_arrow(self.start)}{_boxes(self.boxes)}</p></div>'


def diagram(layer: Layer, *inputs: ArrayLike) -> Diagram:
    """Draw a layer or chain; with inputs, the values have names and shapes, without them what the parameters tell.

    Examples
    --------
    >>> from jacobians import Affine, Tanh
    >>> diagram(Chain(Affine([[1, 2], [3, 4], [5, 6]], [0, 0, 0]), Tanh()), [0.1, 0.2])
    x (2,)
      → Affine [A (3, 2), b (3,)] → z (3,)
      → Tanh → f (3,)
    """
    if not inputs:
        nodes = list(every(nodes_of("", layer)))
        start = " ".join(filter(None, [", ".join(layer.input_names), _expected(nodes[0].layer)]))
        values = ["" if n.inside else _expected(n.layer) for n in nodes[1:]]
    else:
        path = path_of(layer, inputs)
        start = ", ".join(f"{name} {x.shape}" for name, x in path.inputs.items())
        values = [f"{link.name} {link.value.shape}" for link in _inner_first(path.links)]
    found = iter([*values, ""])
    return Diagram(start, tuple(_drawn("", layer, found)) if isinstance(layer, Chain) else (_box("", layer, found),))


def _expected(layer: Layer) -> str:
    """The shape of the input that the parameters of a layer fix, as in (…, 2); nothing if it has several or none."""
    axes = labels_of(layer.shapes)
    sizes = {i: n for p, array in layer.parameters.items() for i, n in zip(axes.get(p, ()), array.shape, strict=False)}
    labels = axes.get(layer.input_names[0], ())
    if len(layer.input_names) != 1 or not sizes.keys() & set(labels):
        return ""
    return f"({', '.join('…' if i == '...' else str(sizes.get(i, i)) for i in labels)})"


def _inner_first(links: tuple[Link, ...]) -> Iterator[Link]:
    for link in links:
        yield from _inner_first(link.inside)
        yield link


def _drawn(path: str, chain: Chain, values: Iterator[str]) -> Iterator[Box]:
    for name, layer in chain.layers.items():
        yield _box(f"{path}{name}", layer, values)


def _box(path: str, layer: Layer, values: Iterator[str]) -> Box:
    name = path.rpartition(".")[2]
    title = type(layer).__name__ if not name or name.isdigit() else f"{name}: {type(layer).__name__}"
    if isinstance(layer, Chain):
        boxes = tuple(_drawn(f"{path}.", layer, values))
        *before, last = boxes
        return Box(title, inside=(*before, replace(last, value="")), value=last.value)
    if isinstance(layer, Residual):
        inner = layer.layer
        boxes = tuple(_drawn("", inner, values)) if isinstance(inner, Chain) else (_box("", inner, values),)
        return Box(f"{title}: x + …", inside=boxes, value=next(values, ""))
    details = ", ".join(f"{p} {a.shape}" for p, a in layer.parameters.items())
    return Box(title, details, value=next(values, ""))


def _lines(start: str, boxes: tuple[Box, ...], indent: str) -> Iterator[str]:
    yield f"{indent}{start}"
    indent += "  "
    for box in boxes:
        details = f" [{box.details}]" if box.details else ""
        value = f" → {box.value}" if box.value else ""
        if box.inside:
            yield from _lines(f"→ {box.title}", box.inside, indent)
            if value:
                yield f"{indent} {value}"
        else:
            yield f"{indent}→ {box.title}{details}{value}"


def _boxes(boxes: tuple[Box, ...], *, inner: bool = False) -> str:
    text = ""
    for k, box in enumerate(boxes):
        inside = f'<span class="inside">{_boxes(box.inside, inner=True)}</span>' if box.inside else ""
        details = f"<small>{escape(box.details)}</small>" if box.details else ""
        leaves = not inner or box.value or k + 1 < len(boxes)
        text += f'<span class="box">{escape(box.title)}{details}{inside}</span>{_arrow(box.value) if leaves else ""}'
    return text


def _arrow(value: str) -> str:
    """An arrow with the name and shape of the value on it."""
    return f'<span class="arrow"><small>{escape(value)}</small>⟶</span>'
