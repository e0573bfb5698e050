"""`explain`: the derivation of one Jacobian of a chain, as a person would write it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import ArrayLike

from jacobians.chain import subscripts
from jacobians.jacobian import Jacobian
from jacobians.layer import Layer
from jacobians.memory import in_words
from jacobians.program import Array
from jacobians.show.costs import Order, orders
from jacobians.show.derivation import Definition, Step, derivation
from jacobians.show.formula import equation, times
from jacobians.show.markup import html, latex
from jacobians.show.names import path_of
from jacobians.structure import LONGEST, Index


@dataclass(frozen=True)
class Explanation:
    """How ∂output/∂argument comes about. Printing it shows all of it, as text, HTML or LaTeX."""

    wrt: str
    factors: tuple[Jacobian, ...]
    """The local Jacobians whose product it is, from the output to the argument."""

    subscripts: str
    """The einsum string of the contraction, as in ``il,ljk->ijk``."""

    orders: tuple[Order, ...]
    """What the contraction costs in the orders worth naming; first the chain's own order, which is derived."""

    steps: tuple[Step | Definition, ...]
    result: Jacobian
    known: tuple[Jacobian, ...] = ()
    """All local Jacobians of the chain; their factors are what the names in the formulas stand for."""

    @property
    def name(self) -> str:
        """∂f/∂A."""
        return _name(self.result)

    @property
    def formula(self) -> str:
        """The simplified result, as in "∂f_i/∂A_jk = δ_ij (1-f²)_i x_k"."""
        return _formula(self.result)

    @property
    def values(self) -> Mapping[tuple[str, int], Array]:
        """The arrays that the names in the formulas stand for, by the name and the number of its indices."""
        found: dict[tuple[str, int], Array] = {}
        for jacobian in (*self.known, *self.factors):
            for term in jacobian.form.terms:
                for factor in (*term.factors, *term.lookups):
                    if len(factor.symbol) == 1 and len(factor.symbol[0].names) == 1:
                        ((name, indices),) = factor.symbol[0].names
                        if all(isinstance(i, int) and i >= 0 for i in indices):
                            found[name, len(indices)] = _indexed(jacobian.arrays[factor.array], indices)
        return found

    @property
    def product(self) -> str:
        """∂f/∂A = ∂f/∂z · ∂z/∂A."""
        return f"{self.name} = {' · '.join(_name(f) for f in self.factors)}"

    @property
    def axes(self) -> str:
        """What each letter of the einsum string runs over."""
        inputs, _, output = self.subscripts.partition("->")
        words = inputs.split(",")
        ends = [words[0][: len(self.factors[0].out_shape)]]
        for word, factor in zip(words, self.factors, strict=True):
            ends.append(word[len(factor.out_shape) :])
        names = [self.factors[0].form.out_name, *(f.form.wrt_name for f in self.factors)]
        shapes = [self.factors[0].out_shape, *(f.wrt_shape for f in self.factors)]
        parts = [f"{letters} of {name} {shape}" + ("" if set(letters) <= set(output) else ", summed")
                 for letters, name, shape in zip(ends, names, shapes, strict=True) if letters]  # fmt: skip
        return "; ".join(parts)

    def __str__(self) -> str:
        return "\n".join(_text(self))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return _html(self)

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"

    def latex(self) -> str:
        """The derivation as LaTeX for a display, without dollars."""
        return _latex(self)


def explain(chain: Layer, *inputs: ArrayLike, wrt: str | None = None) -> Explanation:
    """The derivation of one Jacobian of a chain or layer.

    Parameters
    ----------
    chain
        The chain. Chains inside it are written out.
    *inputs
        The inputs of the first layer.
    wrt
        What to differentiate by, such as ``"0.A"``; the first parameter (or input) by default.

    Examples
    --------
    >>> from jacobians import Affine, Chain, Tanh
    >>> derivation = explain(Chain(Affine([[1, 2], [3, 4], [5, 6]], [0, 0, 0]), Tanh()), [0.1, 0.2], wrt="0.A")
    >>> derivation.product, derivation.subscripts, derivation.formula
    ('∂f/∂A = ∂f/∂z · ∂z/∂A', 'il,ljk->ijk', '∂f_i/∂A_jk = δ_ij (1-f²)_i x_k')
    """
    path = path_of(chain, inputs)
    names = list(path.wrt)
    if wrt is None:
        wrt = next((n for n in names if n not in chain.input_names), names[0])
    factors = path.factors(wrt)
    costs = orders(factors)
    product, steps = derivation(factors, costs[0].pairs if costs else ())
    product = product.named(path.links[-1].name, factors[-1].form.wrt_name)
    return Explanation(wrt, tuple(factors), subscripts(factors), costs, steps, product, tuple(path.every()))


def _indexed(array: Array, indices: Sequence[Index]) -> Array:
    """The array with an axis for each index; an index that stands twice, as in A_ii, is an axis twice."""
    if len(set(indices)) == len(indices):
        return array
    whole = np.zeros([array.shape[i] for i in indices if isinstance(i, int)], array.dtype)
    np.einsum(whole, list(indices), list(range(array.ndim)))[...] = array
    return whole


def _formula(jacobian: Jacobian) -> str:
    return equation(jacobian.form, longest=LONGEST)


def _name(jacobian: Jacobian) -> str:
    return f"∂{jacobian.form.out_name}/∂{jacobian.form.wrt_name}"


def _shape(jacobian: Jacobian) -> str:
    return times(jacobian.out_shape, jacobian.wrt_shape)


# --- as text ----------------------------------------------------------------------------------------------------------


def _text(found: Explanation) -> Iterator[str]:
    yield from _under_each_factor(found)
    yield ""
    yield "The local Jacobians:"
    yield from _aligned([(_name(f), _shape(f), _formula(f)) for f in found.factors])
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
    yield f"Result: {_shape(found.result)}"
    yield f"  {found.formula}"
    if found.orders:
        yield ""
        yield "Cost:"
        yield from _aligned(_costs(found))


def _under_each_factor(found: Explanation) -> Iterator[str]:
    """The product, with the shape of each factor under it."""
    above, below = [found.name, "="], [_shape(found.result), ""]
    for k, factor in enumerate(found.factors):
        above += ["·"] if k else []
        below += [""] if k else []
        above.append(_name(factor))
        below.append(_shape(factor))
    if len(found.factors) <= 6:
        widths = [max(len(a), len(b)) for a, b in zip(above, below, strict=True)]
        yield "  ".join(a.center(w) for a, w in zip(above, widths, strict=True)).rstrip()
        yield "  ".join(b.center(w) for b, w in zip(below, widths, strict=True)).rstrip()
    else:
        yield found.product
        yield f"shape {_shape(found.result)}"


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
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()


# --- as HTML ----------------------------------------------------------------------------------------------------------


def _html(found: Explanation) -> str:
    from jacobians.show.html import STYLE

    boxes = " · ".join(f'<span class="under">{html(_name(f))}<small>{_shape(f)}</small></span>' for f in found.factors)
    parts = [f'<p><span class="under">{html(found.name)}<small>{_shape(found.result)}</small></span> = {boxes}</p>']
    rows = "".join(_cells(html(_name(f)), _shape(f), html(_formula(f))) for f in found.factors)
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
    parts.append(f"<p>Result: <b>{html(found.formula)}</b>, {_shape(found.result)}</p>")
    if found.orders:
        head, *body = _costs(found)
        cells = "".join(f"<th>{c}</th>" for c in head)
        rows = "".join(_cells(*row) for row in body)
        parts.append(f"<table><tr>{cells}</tr>{rows}</table>")
    return f'{STYLE}<div class="jacobians">{"".join(parts)}</div>'


def _cells(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{c}</td>' for c in cells)}</tr>"


# --- as LaTeX ---------------------------------------------------------------------------------------------------------


def _latex(found: Explanation) -> str:
    factors = r" \; ".join(rf"\underbrace{{{latex(_name(f))}}}_{{{latex(_shape(f))}}}" for f in found.factors)
    rows = [rf"\underbrace{{{latex(found.name)}}}_{{{latex(_shape(found.result))}}} &= {factors}"]
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
