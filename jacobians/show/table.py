"""The shape table: a row for every Jacobian, with its shape, formula, share of non-zeros and bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from html import escape
from math import prod
from operator import matmul

from numpy.typing import ArrayLike

from jacobians.core.jacobian import Jacobian
from jacobians.core.layer import Layer
from jacobians.engine import memory
from jacobians.notation.formula import share, times
from jacobians.notation.markup import html
from jacobians.show.columns import aligned
from jacobians.show.html import STYLE
from jacobians.show.names import Link, Path, path_of

LONG = 80  # letters in a formula of a product
HEADINGS = ("Jacobian", "shape", "formula", "non-zero", "held", "full")


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

    def html_cells(self) -> Iterator[str]:
        """The row as HTML."""
        path = f" ({escape(self.path)})" if self.path else ""
        marked = {0: html(self.name) + path, 2: html(self.formula)}
        for k, cell in enumerate(self.cells):
            yield f'<td class="c{k}">{marked.get(k, escape(cell))}</td>'


@dataclass(frozen=True)
class Table:
    """Rows in groups: a chain has its local Jacobians first, then their products."""

    title: str
    groups: tuple[tuple[str, tuple[Row, ...]], ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows."""
        return tuple(row for _, rows in self.groups for row in rows)

    def __str__(self) -> str:
        (head, *lines), widths = aligned([HEADINGS, *(row.cells for row in self.rows)], right={3, 4, 5})
        text, rest = [self.title, "", head], iter(lines)
        for heading, rows in self.groups:
            text.append(_ruled(heading, sum(widths) + 10) if heading else "  ".join("─" * w for w in widths))
            text += [next(rest) for _ in rows]
        return "\n".join(text)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(h)}</th>" for h in HEADINGS)
        body = []
        for heading, rows in self.groups:
            if heading:
                body.append(f'<tr><th colspan="{len(HEADINGS)}" class="group">{escape(heading)}</th></tr>')
            body += [f"<tr>{''.join(row.html_cells())}</tr>" for row in rows]
        return (
            f'{STYLE}<div class="jacobians"><p>{escape(self.title)}</p>'
            f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
        )


def table(layer: Layer, *inputs: ArrayLike) -> Table:
    """The shape table of a layer or chain. Nothing is materialised for it.

    Parameters
    ----------
    layer
        A layer; a chain shows the local Jacobians of all its layers, and their products.
    *inputs
        The inputs of the layer.

    Examples
    --------
    >>> from jacobians import Affine
    >>> print(table(Affine([[1, 2], [3, 4], [5, 6]], [0, 0, 0]), [1, -1]))
    Affine(A (3, 2), b (3,)) for x (2,)
    <BLANKLINE>
    Jacobian  shape      formula                non-zero      held       full
    ────────  ─────────  ─────────────────────  ────────  ────────  ─────────
    ∂z/∂x     3 × 2      ∂z_i/∂x_j = A_ij           100%  48 bytes   48 bytes
    ∂z/∂A     3 × (3×2)  ∂z_i/∂A_jk = δ_ij x_k       33%  16 bytes  144 bytes
    ∂z/∂b     3 × 3      ∂z_i/∂b_j = δ_ij            33%   0 bytes   72 bytes
    """
    path = path_of(layer, inputs)
    shapes = ", ".join(f"{name} {x.shape}" for name, x in path.inputs.items())
    title = f"{layer!r} for {shapes}"
    local = tuple(_local(path.links))
    if len(path.links) == 1 and not path.links[0].inside:
        return Table(title, (("", local),))
    return Table(title, (("of each layer", local), ("of the chain", tuple(_composed(path)))))


def _ruled(heading: str, width: int) -> str:
    return f"── {heading} ".ljust(width, "─")


def _local(links: Iterable[Link]) -> Iterator[Row]:
    """The local Jacobians, those inside of a residual layer first; with the paths of numbered parameters."""
    for link in links:
        yield from _local(link.inside)
        for name, jacobian in link.jacobians.items():
            if name in link.layer.input_names or not link.inside:
                numbered = name in link.layer.parameters and link.arguments[name] != name
                yield _row(jacobian, f"{link.path}.{name}" if numbered else "", [jacobian])


def _composed(path: Path) -> Iterator[Row]:
    """The products, from the output to each argument; products from the output on are shared."""
    last = path.links[-1]
    for name in path.wrt:
        factors = path.factors(name)
        if len(factors) > 1 or path.links[-1].inside:
            product = reduce(matmul, factors)
            yield _row(product.named(last.name, factors[-1].form.wrt_name), name if "." in name else "", factors)


def _row(jacobian: Jacobian, path: str, factors: Sequence[Jacobian]) -> Row:
    form = jacobian.form
    plain = form.wrt_name == path.rpartition(".")[2]
    return Row(
        _name(jacobian), "" if plain else path, times(form.out_shape, form.wrt_shape), _formula(jacobian, factors),
        jacobian.nonzeros, prod(form.shape), jacobian.nbytes, jacobian.full_nbytes,
    )  # fmt: skip


def _formula(jacobian: Jacobian, factors: Sequence[Jacobian]) -> str:
    """The formula, or where it is long the product of Jacobians that it comes from."""
    formula = jacobian.formula
    if len(factors) == 1 or (len(formula) <= LONG and "[…]" not in formula):
        return formula
    names = [_name(f) for f in factors]
    short = names if len(names) <= 6 else [*names[:3], "⋯", *names[-2:]]
    return f"{_name(jacobian)} = {' · '.join(short)}"


def _name(jacobian: Jacobian) -> str:
    return f"∂{jacobian.form.out_name}/∂{jacobian.form.wrt_name}"
