"""An `Explanation` on paper: as text, as HTML, as LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from textwrap import wrap
from typing import Any

from jacobians.engine.memory import in_words
from jacobians.notation.markup import html, latex, typeset
from jacobians.notation.structure import Form
from jacobians.show.columns import aligned
from jacobians.show.derivation import Definition, Step
from jacobians.show.explained import Explained, name_of, shape_of, whole_formula
from jacobians.show.legend import broken
from jacobians.show.style import shown, styled

WIDE = 110  # letters in a line of text

# --- as text ----------------------------------------------------------------------------------------------------------
COUPLING = "where C is 1 at the entries where the positions of two index maps are equal, and 0 elsewhere"


def text(found: Explained[Any]) -> Iterator[str]:
    """The lines of the derivation."""
    yield from _under_each_factor(found)
    yield ""
    yield "The local Jacobians:"
    local = dict.fromkeys((name_of(f.form), shape_of(f.form), whole_formula(f.form)) for f in found.factors)
    yield from _aligned([
        row for name, shape, formula in local for first, *more in [broken(formula)]
        for row in ((name, shape, first), *(("", "", line) for line in more))
    ])  # fmt: skip
    for name, meaning in found.legend:
        yield f"  where {name} = {meaning}"
    if found.steps:
        yield ""
        yield from _contraction(found)
        yield ""
    for step in found.steps:
        yield from _step_text(step)
    yield ""
    yield f"Result: {shape_of(found.result.form)}"
    yield from _broken(f"  {found.formula}")
    for one in found.definitions:
        yield from _broken(f"  where {one.left} = {one.right}")
    if found.couplings:
        yield f"  {COUPLING}"
    if len(found.orders) > 1:
        yield ""
        yield "Cost:"
        yield from _aligned(_costs(found))


def _broken(line: str) -> Iterator[str]:
    """A line in lines that are not too wide, indented alike."""
    indent = " " * (len(line) - len(line.lstrip()))
    first, *more = broken(line.strip(), WIDE - len(indent))
    yield indent + first
    yield from (f"{indent}  {one}" for one in more)


def _contraction(found: Explained[Any]) -> Iterator[str]:
    """What is contracted, in a line or two."""
    if found.axes:
        yield f"Contracted: {found.subscripts}"
        yield from wrap(found.axes, WIDE, initial_indent="  ", subsequent_indent="  ", break_long_words=False)
    elif found.subscripts:
        yield "A product of numbers:"
    else:
        yield "One value after another eliminated, the paths through it added up:"


def _under_each_factor(found: Explained[Any]) -> Iterator[str]:
    """The product, with the shape of each factor under it."""
    above, below = [found.name, "="], [shape_of(found.result.form), ""]
    for k, factor in enumerate(found.factors):
        above += ["·"] if k else []
        below += [""] if k else []
        above.append(name_of(factor.form))
        below.append(shape_of(factor.form))
    if len(found.factors) <= 6 and found.subscripts:
        widths = [max(len(a), len(b)) for a, b in zip(above, below, strict=True)]
        yield "  ".join(a.center(w) for a, w in zip(above, widths, strict=True)).rstrip()
        yield "  ".join(b.center(w) for b, w in zip(below, widths, strict=True)).rstrip()
    else:
        yield from _broken(found.product)
        yield f"shape {shape_of(found.result.form)}"


def _step_text(step: Step | Definition) -> Iterator[str]:
    if isinstance(step, Definition):
        yield from _broken(f"    where {step.left} = {step.known or step.right}")
        return
    room = max(40, WIDE - 5 - len(step.left))
    width = max((len(line.text) for line in step.lines if len(line.text) <= min(80, room)), default=0)
    for k, line in enumerate(step.lines):
        left = step.left if not k else " " * len(step.left)
        first, *more = broken(line.text, room)
        yield f"  {left} = {first.ljust(width)}   {line.reason}".rstrip()
        yield from (f"  {' ' * len(step.left)}   {one}" for one in more)


def _costs(found: Explained[Any]) -> list[tuple[str, ...]]:
    itemsize = found.result.form.dtype.itemsize
    rows: list[tuple[str, ...]] = [("order", "structured", "largest", "full tensors", "largest")]
    for order in found.orders:
        name = f"{order.name}, chosen" if order.chosen and len(found.orders) > 1 else order.name
        rows.append((name, f"{order.flops:,} FLOPs", in_words(order.largest * itemsize),
                     f"{order.dense_flops:,} FLOPs", in_words(order.dense_largest * itemsize)))  # fmt: skip
    return rows


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield from (f"  {line}" for line in aligned(rows)[0])


# --- as HTML ----------------------------------------------------------------------------------------------------------


def page(found: Explained[Any]) -> str:
    """The derivation as HTML."""
    boxes = typeset(found.rule)
    if found.subscripts:
        boxes = " · ".join(_under(f.form) for f in found.factors)
    parts = [f"<p>{_under(found.result.form)} = {boxes}</p>"]
    rows = "".join(dict.fromkeys(_local(f.form) for f in found.factors))
    parts.append(f"<p>The local Jacobians:</p><table>{rows}</table>")
    parts += [f"<p>where {typeset(f'{name} = {meaning}')}</p>" for name, meaning in found.legend]
    if found.steps:
        string = f"Contracted: <code>{escape(found.subscripts)}</code>, {html(found.axes)}"
        parts.append(f"<p>{string if found.axes else ' '.join(_contraction(found))}</p>")
        lines = []
        for step in found.steps:
            if isinstance(step, Definition):
                lines.append(_cells(f"where {typeset(step.left)}", shown(f"= {step.known or step.right}"), ""))
                continue
            for k, line in enumerate(step.lines):
                reason = f'<span class="muted">{html(line.reason)}</span>'
                lines.append(_cells("" if k else typeset(step.left), shown(f"= {line.text}"), reason))
        parts.append(f'<table class="steps">{"".join(lines)}</table>')
    parts.append(f"<p>Result, {shape_of(found.result.form)}:</p>{shown(found.formula)}")
    parts += [f"<p>where {typeset(f'{one.left} = {one.right}')}</p>" for one in found.definitions]
    parts += [f"<p>{COUPLING}</p>"] if found.couplings else []
    if len(found.orders) > 1:
        head, *body = _costs(found)
        cells = "".join(f"<th>{c}</th>" for c in head)
        rows = "".join(_cells(*row) for row in body)
        summary = "Cost of the contraction, in the orders worth naming"
        parts.append(f"<details><summary>{summary}</summary><table><tr>{cells}</tr>{rows}</table></details>")
    return styled(f'<div class="jacobians">{"".join(parts)}</div>')


def _under(form: Form) -> str:
    """∂f/∂A with its shape below."""
    shape = (
        f'<span class="below"><span class="unstyled"> (</span>{shape_of(form)}<span class="unstyled">)</span></span>'
    )
    return f'<span class="under">{typeset(name_of(form))}{shape}</span>'


def _local(form: Form) -> str:
    return _cells(typeset(name_of(form)), shape_of(form), shown(whole_formula(form)))


def _cells(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{c}</td>' for c in cells)}</tr>"


# --- as LaTeX ---------------------------------------------------------------------------------------------------------


def _paths(rule: str) -> str:
    return " + ".join(r" \; ".join(latex(one) for one in path.split(" · ")) for path in rule.split(" + "))


def mathematics(found: Explained[Any]) -> str:
    """The derivation as LaTeX."""
    factors = (
        _paths(found.rule)
        if not found.subscripts
        else r" \; ".join(
            rf"\underbrace{{{latex(name_of(f.form))}}}_{{{latex(shape_of(f.form))}}}" for f in found.factors
        )
    )
    rows = [rf"\underbrace{{{latex(found.name)}}}_{{{latex(shape_of(found.result.form))}}} &= {factors}"]
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
