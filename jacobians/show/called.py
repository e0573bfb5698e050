"""A graph with the names that a reader uses, in place of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from jacobians.notation.expressions import readable
from jacobians.notation.renaming import FUNCTIONS, names_in, rewritten, with_symbols, words
from jacobians.notation.sums import DELTA
from jacobians.show.derivatives import Derivatives, J

NAME = re.compile(r"[^\W\d_]+[₀-₉′]*|[^\W\d_][\u0302\u0304]")


def called(
    graph: Derivatives[J], names: Mapping[str, str], paths: Mapping[str, str], what: str
) -> tuple[Derivatives[J], Callable[[J], J]]:
    """The graph with these names replaced, and what replaces them in a Jacobian.

    A name is a value's, a parameter's or its path, or a letter in the formulas.

    Raises
    ------
    ValueError
        If there is no such name, if a new one cannot stand in a formula, or if two things would share one; `what` says
        where.
    """
    known = _known(graph)
    new: dict[str, str] = {}
    for old, name in names.items():
        one = next((n for n in (old, paths.get(old, ""), readable(old), f"({old})") if n in known), "")
        if not one:
            raise ValueError(f"{what}: there is no {old!r} to be called {name!r}; there are {', '.join(known)}")
        new[one] = readable(name) if isinstance(name, str) else ""
        if not NAME.fullmatch(new[one]) or new[one] in FUNCTIONS or new[one] == DELTA:
            raise ValueError(f"{what}: {old!r} cannot be called {name!r}: a name is letters, with a number behind them")
    _require_apart([new.get(name, name) for name in known if name in new or NAME.fullmatch(name)], what)
    values = {n: one._replace(name=_new(one.name, new), expression=_new(one.expression, new))
              for n, one in graph.values.items()}  # fmt: skip

    def change(one: J) -> J:
        form = with_symbols(one.form, lambda name: _new(name, new))
        form = replace(form, out_name=_new(form.out_name, new), wrt_name=_new(form.wrt_name, new))
        return one.with_form(form)

    return Derivatives(values, {pair: change(one) for pair, one in graph.local.items()}), change


def _known(graph: Derivatives[J]) -> dict[str, None]:
    """All names: of the values, then those in the formulas."""

    def every() -> Iterator[str]:
        for one in graph.values.values():
            yield one.name
        for one in graph.values.values():
            yield from words(one.name)
        for jacobian in graph.local.values():
            for name in names_in(jacobian.form):
                yield from words(name)

    return dict.fromkeys(every())


def _require_apart(names: list[str], what: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{what}: two things would be called {name!r}")


def _new(name: str, names: Mapping[str, str]) -> str:
    """A name with the names in it replaced; those of expressions, as in (Ax+b), wherever they stand."""
    if name in names:
        return names[name]
    for old, new in names.items():
        if old.startswith("("):
            name = re.sub(rf"(?<=\w){re.escape(old)}", f"({new})", name).replace(old, new)
    return rewritten(name, {old: new for old, new in names.items() if not old.startswith("(")})
