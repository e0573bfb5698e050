"""The catalogue of layers as text: the list, and a page for one layer."""

from __future__ import annotations

import textwrap
from itertools import groupby

from jacobians.layers import registry

WIDTH = 110


def layer_table() -> str:
    """Every layer: name, formula, shapes, source; a block for each family."""
    lines = [f"{len(registry.entries())} layers; `layers NAME` shows the derivation of one."]
    width = max(len(one.name) for one in registry.entries())
    for family, group in groupby(registry.entries(), key=lambda one: one.family):
        lines += ["", family]
        for one in group:
            lines.append(f"  {one.name:{width}}  {one.formula}")
            for text in (one.shapes, one.source):
                lines += textwrap.wrap(
                    text, WIDTH, initial_indent=" " * (width + 4), subsequent_indent=" " * (width + 4)
                )
    return "\n".join(lines)


def layer_page(name: str) -> tuple[str, bool]:
    """One layer: what its docstring says, its Jacobians at an example, and their check; and whether that succeeded.

    A ValueError says which layers begin alike where there is none of that name.
    """
    from jacobians.checking import check

    try:
        one = registry.entry(name)
    except KeyError as error:
        raise ValueError(str(error.args[0])) from error
    layer, inputs = one.examples[0]
    lines = [f"{one.name}: {one.formula}", "", one.jacobians]
    for title, text in (("Shapes", one.shapes), ("Errors", one.errors), ("Source", one.source)):
        lines += textwrap.wrap(f"{title}: {text}", WIDTH, subsequent_indent="  ") if text else []
    report = check(layer, *inputs)
    lines += ["", str(layer.table(*inputs)), "", "Against finite differences:", str(report)]
    return "\n".join(lines), report.ok
