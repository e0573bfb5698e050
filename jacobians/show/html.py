"""HTML for notebooks: no scripts, colours of the page's own theme, readable without colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from math import prod
from typing import Literal

import numpy as np

from jacobians.engine import entries, memory
from jacobians.engine.tape import Array
from jacobians.notation.formula import equation, left_side, share, times
from jacobians.notation.markup import typeset
from jacobians.notation.structure import Form
from jacobians.show.entry_table import cells
from jacobians.show.pattern import pattern
from jacobians.show.style import shown, styled

FEW = 48  # entries that are shown with their numbers


def jacobian_html(form: Form, arrays: Sequence[Array], matrix: Callable[[Literal["C", "F"]], Array]) -> str:
    """A Jacobian as HTML: its shape in two groups of axes, its formula, its non-zeros and a picture of its blocks.

    Few real entries are shown with their numbers; `matrix` writes the Jacobian out.
    """
    size = prod(form.shape)
    held = sum({id(a): a.nbytes for a in arrays}.values())
    words = (
        f"{share(entries.count(form, arrays), size)} of {size:,} entries can be non-zero; "
        f"{memory.in_words(held)} held, {memory.in_words(size * form.dtype.itemsize)} in full"
    )
    formula = equation(form)
    name = typeset(left_side(form, ()))
    numbers = 0 < size <= FEW and form.dtype.kind != "c"
    picture = cells(form, np.asarray(matrix("C")), "C") if numbers else pattern(form, arrays)
    return styled(
        f'<div class="jacobians"><p>{name}: {times(form.out_shape, form.wrt_shape)}</p>'
        f'<p title="{escape(formula)}">{shown(formula)}</p>'
        f'{picture}<p class="muted">{words}</p></div>'
    )
