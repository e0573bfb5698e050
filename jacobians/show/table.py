"""The shape table: a row for every Jacobian, with its shape, formula, share of non-zeros and bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html import escape
from math import prod

from jacobians.engine import memory
from jacobians.notation.formula import equation, share, times
from jacobians.notation.markup import typeset
from jacobians.notation.renaming import words
from jacobians.notation.structure import Form
from jacobians.show.columns import aligned
from jacobians.show.derivatives import Derivatives, J, Pair
from jacobians.show.legend import Legend, broken, shortened
from jacobians.show.style import shown, styled

PRODUCT = 80  # letters in a formula of a product
MEANINGS = {
    "Jacobian": "what is differentiated by what",
    "shape": "the axes of what is differentiated × the axes of what it is differentiated by",
    "formula": "an entry in index notation",
    "non-zero": "the share of entries that can be different from zero by the formula",
    "held": "the bytes of the arrays in the formula; more than in full where the factors are larger than the product",
    "full": "the bytes of the whole array with its zeros",
}
HEADINGS = tuple(MEANINGS)
RIGHT = ' class="right"'  # numbers


@dataclass(frozen=True)
class Row:
    """A Jacobian in words; the numbers are there as numbers, too."""

    name: str
    path: str
    shape: str
    formula: str
    nonzeros: int
    size: int
    nbytes: int
    full_nbytes: int

    @property
    def title(self) -> str:
        """∂f/∂A₁, and the path in the chain where the name alone does not say it."""
        return f"{self.name} ({self.path})" if self.path else self.name

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as text, one cell for each heading."""
        words = (share(self.nonzeros, self.size), memory.in_words(self.nbytes), memory.in_words(self.full_nbytes))
        return (self.title, self.shape, self.formula, *words)

    def lines(self) -> list[tuple[str, ...]]:
        """The row as text, a long formula in several lines."""
        name, shape, formula, *words = self.cells
        first, *more = broken(formula)
        return [(name, shape, first, *words), *(("", "", line, "", "", "") for line in more)]

    def html_cells(self) -> Iterator[str]:
        """The row as HTML."""
        path = f" ({escape(self.path)})" if self.path else ""
        marked = {0: typeset(self.name) + path, 2: shown(self.formula)}
        for k, cell in enumerate(self.cells):
            yield f"<td{RIGHT if k > 2 else ''}>{marked.get(k, escape(cell))}</td>"


@dataclass(frozen=True)
class Table:
    """Rows in groups: first the local Jacobians, then their products."""

    title: str
    groups: tuple[tuple[str, tuple[Row, ...]], ...]
    legend: Legend = ()
    """What letters stand for that are not the source's."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows."""
        return tuple(row for _, rows in self.groups for row in rows)

    def __str__(self) -> str:
        rows = [line for row in self.rows for line in row.lines()]
        (head, *lines), widths = aligned([HEADINGS, *rows], right={3, 4, 5})
        text, rest = [self.title, "", head], iter(lines)
        for heading, group in self.groups:
            text.append(_ruled(heading, sum(widths) + 10) if heading else "  ".join("─" * w for w in widths))
            text += [next(rest) for row in group for _ in row.lines()]
        return "\n".join([*text, *(f"where {name} = {meaning}" for name, meaning in self.legend)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(
            f'<th{RIGHT if k > 2 else ""} title="{escape(meaning)}">{escape(heading)}</th>'
            for k, (heading, meaning) in enumerate(MEANINGS.items())
        )
        legend = [f"<p>where {typeset(f'{name} = {meaning}')}</p>" for name, meaning in self.legend]
        body = []
        for heading, rows in self.groups:
            if heading:
                body.append(f'<tr><th colspan="{len(HEADINGS)}" class="group">{escape(heading)}</th></tr>')
            body += [f"<tr>{''.join(row.html_cells())}</tr>" for row in rows]
        return styled(
            f'<div class="jacobians"><p>{escape(self.title)}</p>'
            f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>{''.join(legend)}</div>"
        )


def table(title: str, graph: Derivatives[J], composed: Mapping[Pair, J], headings: tuple[str, str]) -> Table:
    """The shape table of a graph. Nothing is materialised for it.

    Parameters
    ----------
    title
        What the graph is of.
    graph
        The values and the local Jacobians.
    composed
        The Jacobians of the outputs by the arguments; those that are local ones are not shown again.
    headings
        What the two groups are called, where there are both.
    """
    local = [_row(graph, pair, jacobian) for pair, jacobian in graph.local.items()]
    rest = [
        _row(graph, pair, jacobian) for pair, jacobian in composed.items()
        if pair not in graph.local or len(graph.between(*pair).local) > 1
    ]  # fmt: skip
    local = list(dict.fromkeys(local))  # an entry may have been taken several times
    rows = [*local, *rest]
    taken = {word[0] for one in graph.values.values() for word in words(one.name)}
    formulas, legend = shortened([row.formula for row in rows], taken)
    rows = [replace(row, formula=formula) for row, formula in zip(rows, formulas, strict=True)]
    both = graph.legend + legend
    if not rest or not local:
        return Table(title, (("", tuple(rows)),), both)
    return Table(title, tuple(zip(headings, (tuple(rows[: len(local)]), tuple(rows[len(local) :])), strict=True)), both)


def _ruled(heading: str, width: int) -> str:
    return f"── {heading} ".ljust(width, "─")


def _row(graph: Derivatives[J], pair: Pair, jacobian: J) -> Row:
    form = jacobian.form
    path = graph.values[pair[1]].path
    size = prod(form.shape)
    return Row(
        graph.name(pair), path, times(form.out_shape, form.wrt_shape), _formula(graph, pair, form),
        jacobian.nonzeros, size, jacobian.nbytes, size * form.dtype.itemsize,
    )  # fmt: skip


def _formula(graph: Derivatives[J], pair: Pair, form: Form) -> str:
    """The formula, or where it is long the Jacobians that it comes from."""
    formula = equation(form)
    if pair in graph.local or (len(formula) <= PRODUCT and "[…]" not in formula):
        return formula
    return f"{graph.name(pair)} = {graph.written(*pair)}"
