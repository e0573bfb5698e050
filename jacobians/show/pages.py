"""An `Explanation` on paper: as text, as HTML, as LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from jacobians.core.jacobian import Jacobian
from jacobians.engine.memory import in_words
from jacobians.notation.formula import equation, times
from jacobians.notation.markup import html, latex
from jacobians.notation.symbols import LONGEST
from jacobians.show.columns import aligned
from jacobians.show.derivation import Definition, Step
from jacobians.show.html import STYLE

if TYPE_CHECKING:
    from jacobians.show.explanation import Explanation


def whole_formula(jacobian: Jacobian) -> str:
    """The formula without […]."""
    return equation(jacobian.form, longest=LONGEST)


def name_of(jacobian: Jacobian) -> str:
    """∂f/∂A."""
    return f"∂{jacobian.form.out_name}/∂{jacobian.form.wrt_name}"


def shape_of(jacobian: Jacobian) -> str:
    """The shape in its two groups."""
    return times(jacobian.out_shape, jacobian.wrt_shape)


# --- as text ----------------------------------------------------------------------------------------------------------


def text(found: Explanation) -> Iterator[str]:
    """The lines of the derivation."""
    yield from _under_each_factor(found)
    yield ""
    yield "The local Jacobians:"
    yield from _aligned([(name_of(f), shape_of(f), whole_formula(f)) for f in found.factors])
    if found.steps:
        yield ""
        if found.axes:
            yield f"Contracted: {found.subscripts}"
            yield f"  {found.axes}"
        else:
            yield "A product of numbers:"
        yield ""
    for step in found.steps:
        yield from _step_text(step)
    yield ""
    yield f"Result: {shape_of(found.result)}"
    yield f"  {found.formula}"
    if found.orders:
        yield ""
        yield "Cost:"
        yield from _aligned(_costs(found))


def _under_each_factor(found: Explanation) -> Iterator[str]:
    """The product, with the shape of each factor under it."""
    above, below = [found.name, "="], [shape_of(found.result), ""]
    for k, factor in enumerate(found.factors):
        above += ["·"] if k else []
        below += [""] if k else []
        above.append(name_of(factor))
        below.append(shape_of(factor))
    if len(found.factors) <= 6:
        widths = [max(len(a), len(b)) for a, b in zip(above, below, strict=True)]
        yield "  ".join(a.center(w) for a, w in zip(above, widths, strict=True)).rstrip()
        yield "  ".join(b.center(w) for b, w in zip(below, widths, strict=True)).rstrip()
    else:
        yield found.product
        yield f"shape {shape_of(found.result)}"


def _step_text(step: Step | Definition) -> Iterator[str]:
    if isinstance(step, Definition):
        yield f"    where {step.left} = {step.known or step.right}"
        return
    width = max((len(line.text) for line in step.lines if len(line.text) <= 80), default=0)
    for k, line in enumerate(step.lines):
        left = step.left if not k else " " * len(step.left)
        yield f"  {left} = {line.text.ljust(width)}   {line.reason}".rstrip()


def _costs(found: Explanation) -> list[tuple[str, ...]]:
    itemsize = found.result.dtype.itemsize
    rows: list[tuple[str, ...]] = [("order", "structured", "largest", "full tensors", "largest")]
    for order in found.orders:
        name = f"{order.name}, chosen" if order.chosen and len(found.orders) > 1 else order.name
        rows.append((name, f"{order.flops:,} FLOPs", in_words(order.largest * itemsize),
                     f"{order.dense_flops:,} FLOPs", in_words(order.dense_largest * itemsize)))  # fmt: skip
    return rows


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield from (f"  {line}" for line in aligned(rows)[0])


# --- as HTML ----------------------------------------------------------------------------------------------------------


def page(found: Explanation) -> str:
    """The derivation as HTML."""
    boxes = " · ".join(
        f'<span class="under">{html(name_of(f))}<small>{shape_of(f)}</small></span>' for f in found.factors
    )
    parts = [f'<p><span class="under">{html(found.name)}<small>{shape_of(found.result)}</small></span> = {boxes}</p>']
    rows = "".join(_cells(html(name_of(f)), shape_of(f), html(whole_formula(f))) for f in found.factors)
    parts.append(f"<p>The local Jacobians:</p><table>{rows}</table>")
    if found.steps:
        string = f"Contracted: <code>{escape(found.subscripts)}</code>, {html(found.axes)}"
        parts.append(f"<p>{string if found.axes else 'A product of numbers:'}</p>")
        lines = []
        for step in found.steps:
            if isinstance(step, Definition):
                lines.append(_cells(f"where {html(step.left)}", f"= {html(step.known or step.right)}", ""))
                continue
            for k, line in enumerate(step.lines):
                reason = f'<span class="muted">{html(line.reason)}</span>'
                lines.append(_cells("" if k else html(step.left), f"= {html(line.text)}", reason))
        parts.append(f'<table class="steps">{"".join(lines)}</table>')
    parts.append(f"<p>Result: <b>{html(found.formula)}</b>, {shape_of(found.result)}</p>")
    if found.orders:
        head, *body = _costs(found)
        cells = "".join(f"<th>{c}</th>" for c in head)
        rows = "".join(_cells(*row) for row in body)
        parts.append(f"<table><tr>{cells}</tr>{rows}</table>")
    return f'{STYLE}<div class="jacobians">{"".join(parts)}</div>'


def _cells(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{c}</td>' for c in cells)}</tr>"


# --- as LaTeX ---------------------------------------------------------------------------------------------------------


def mathematics(found: Explanation) -> str:
    """The derivation as LaTeX."""
    factors = r" \; ".join(rf"\underbrace{{{latex(name_of(f))}}}_{{{latex(shape_of(f))}}}" for f in found.factors)
    rows = [rf"\underbrace{{{latex(found.name)}}}_{{{latex(shape_of(found.result))}}} &= {factors}"]
    for step in found.steps:
        if isinstance(step, Definition):
            rows.append(rf"{latex(step.left)} &:= {latex(step.known or step.right)}")
            continue
        for k, line in enumerate(step.lines):
            rows.append(f"{latex(step.left) if not k else ''} &= {latex(line.text)}")
    if not found.steps:
        left, _, right = found.formula.partition(" = ")
        rows.append(f"{latex(left)} &= {latex(right)}")
    body = " \\\\\n".join(rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"
