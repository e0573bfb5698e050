"""The same derivative as different books write it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import prod

from jacobians.notation.formula import equation, letter, times
from jacobians.notation.markup import html
from jacobians.notation.structure import Form, Shape
from jacobians.notation.sums import subscripted
from jacobians.show.columns import aligned
from jacobians.show.style import styled

HEADINGS = ("layout", "written", "shape", "entry", "in NumPy", "also called; used by")


@dataclass(frozen=True)
class Layouts:
    """A row for each way of writing a derivative."""

    title: str
    rows: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        (head, *lines), widths = aligned([HEADINGS, *self.rows])
        return "\n".join([self.title, "", head, "  ".join("─" * w for w in widths), *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(h)}</th>" for h in HEADINGS)
        body = "".join(
            f"<tr><td>{name}</td><td>{html(written)}</td><td>{shape}</td><td>{html(entry)}</td>"
            f'<td><code>{escape(numpy)}</code></td><td class="words">{escape(used)}</td></tr>'
            for name, written, shape, entry, numpy, used in self.rows
        )
        return styled(
            f'<div class="jacobians"><p>{html(self.title)}</p>'
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )


def layouts(form: Form) -> Layouts:
    """How a derivative is written in numerator and denominator layout, and as a matrix by rows and by columns.

    Examples
    --------
    >>> from jacobians import Linear
    >>> J = Linear([[1, 2], [3, 4], [5, 6]]).linearize([1, -1])[1]["x"]
    >>> [(row[0], row[2]) for row in layouts(J.form).rows][:2]
    [('numerator', '3 × 2'), ('denominator', '2 × 3')]
    """
    y, x, out, wrt = form.out_name, form.wrt_name, form.out_shape, form.wrt_shape
    i, j = _letters(0, out), _letters(len(out), wrt)
    entry = f"∂{subscripted(y, i)}/∂{subscripted(x, j)}"
    rows, columns = _size(out), _size(wrt)
    by_rows = f"[{_flat(i, out)}, {_flat(j, wrt)}]"
    by_columns = f"[{_flat(i[::-1], out[::-1])}, {_flat(j[::-1], wrt[::-1])}]"
    found = [
        ("numerator", f"∂{y}/∂{x}", times(out, wrt), f"[{_comma(i + j)}] = {entry}", "J.full()",
         "Jacobian formulation; the lecture, Parr & Howard, JAX, PyTorch"),
        ("denominator", f"(∂{y}/∂{x})ᵀ", times(wrt, out), f"[{_comma(j + i)}] = {entry}", "J.T.full()",
         "Hessian formulation, gradient layout; much of statistics and econometrics"),
        ("matrix by rows", f"∂rvec({y})/∂rvec({x})ᵀ", f"{rows} × {columns}", f"{by_rows} = {entry}", "J.matrix()",
         "NumPy's reshape"),
        ("matrix by columns", f"∂vec({y})/∂vec({x})ᵀ", f"{rows} × {columns}", f"{by_columns} = {entry}",
         'J.matrix(order="F")', "D f; Magnus & Neudecker"),
    ]  # fmt: skip
    if not out:
        shape = " × ".join(str(n) for n in wrt) or "1"
        found.append(("gradient", f"∇{y}", shape, f"[{_comma(j)}] = {entry}", "J.full()",
                      "shaped like the argument: what an optimiser subtracts"))  # fmt: skip
    return Layouts(f"{equation(form)}, for {y} {out} and {x} {wrt}", tuple(found))


def _letters(start: int, shape: Shape) -> list[str]:
    return [letter(start + k) for k in range(len(shape))]


def _size(shape: Shape) -> str:
    return str(prod(shape))


def _comma(letters: list[str]) -> str:
    return ", ".join(letters)


def _flat(letters: list[str], shape: Shape) -> str:
    """The position in a flattened group: 2j+k."""
    if not shape:
        return "0"
    text = letters[0]
    for k, n in zip(letters[1:], shape[1:], strict=True):
        text = f"{n}·{text if len(text) == 1 else f'({text})'}+{k}"
    return text
