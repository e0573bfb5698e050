"""HTML for notebooks: no scripts, colours of the page's own theme, readable without colour."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from jacobians.engine import entries, memory
from jacobians.engine.tape import Array
from jacobians.notation.formula import equation, share, times
from jacobians.notation.markup import html
from jacobians.notation.structure import Form
from jacobians.show.pattern import pattern

STYLE = (
    "<style>.jacobians{font-family:inherit;color:inherit;margin:.4em 0}"
    ".jacobians table{border-collapse:collapse;border:0;margin:.3em 0}"
    ".jacobians tr{background:none!important}"
    ".jacobians th,.jacobians td{text-align:left!important;padding:.15em .7em;border:0;border-bottom:1px solid "
    "color-mix(in srgb,currentColor 25%,transparent);background:none;color:inherit;white-space:nowrap}"
    ".jacobians th.group{font-weight:normal;font-style:italic;padding-top:.7em}"
    ".jacobians td.c3,.jacobians td.c4,.jacobians td.c5{text-align:right!important}"
    ".jacobians code,.jacobians pre{font-family:ui-monospace,Menlo,Consolas,"
    "'DejaVu Sans Mono',monospace;background:none;color:inherit}"
    ".jacobians td.words{white-space:normal;min-width:14em}"
    ".jacobians p{margin:.3em 0}.jacobians svg{vertical-align:middle;margin:.2em .6em .2em 0}"
    ".jacobians .under{display:inline-block;text-align:center;vertical-align:top;margin:0 .2em}"
    ".jacobians .under small{display:block;opacity:.7}.jacobians table.steps td{border:0}"
    ".jacobians .flow{display:flex;flex-wrap:wrap;align-items:center;gap:.3em 0}"
    ".jacobians .box{display:inline-block;border:1.5px solid currentColor;border-radius:.35em;padding:.3em .6em;"
    "text-align:center}.jacobians .box small,.jacobians .arrow small{display:block;opacity:.75;white-space:nowrap}"
    ".jacobians .box .inside{display:flex;align-items:center;margin-top:.3em}"
    ".jacobians .arrow{display:inline-block;text-align:center;padding:0 .35em;line-height:1.1}"
    ".jacobians .muted{opacity:.7}</style>"
)


def jacobian_html(form: Form, arrays: Sequence[Array]) -> str:
    """A Jacobian as HTML: its shape in two groups of axes, its formula, its non-zeros and a picture of its blocks."""
    size = prod(form.shape)
    held = sum({id(a): a.nbytes for a in arrays}.values())
    words = (
        f"{share(entries.count(form, arrays), size)} of {size:,} entries can be non-zero; "
        f"{memory.in_words(held)} held, {memory.in_words(size * form.dtype.itemsize)} in full"
    )
    return (
        f'{STYLE}<div class="jacobians"><p><b>{html(f"∂{form.out_name}/∂{form.wrt_name}")}</b>: '
        f"{times(form.out_shape, form.wrt_shape)}</p><p>{html(equation(form))}</p>"
        f'{pattern(form, arrays)}<p class="muted">{words}</p></div>'
    )
