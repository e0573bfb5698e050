"""Compiling: an operation of the algebra is carried out once on structure, and its program is kept.

A program is found again by the forms that it was compiled for. The caches are bounded, and safe to share between
threads: what is kept is never changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from jacobians.engine import algebra, order, outer, writing
from jacobians.engine.tape import Program, Tape
from jacobians.notation.structure import Form

Operation = Callable[..., Form]
LinkForms = tuple[tuple[str, bool, Form], ...]
"""The local Jacobians of a layer in a chain: their names, whether they are by an input, and their forms."""


def shifted(form: Form, by: int) -> Form:
    """The form with its arrays numbered from `by` on."""
    return replace(form, terms=tuple(t.with_arrays(lambda k: k + by) for t in form.terms)) if by else form


def finished(tape: Tape, form: Form) -> tuple[Program, Form]:
    """The program that makes the arrays of a form, and the form with these arrays numbered in order."""
    used = sorted({f.array for t in form.terms for f in t.factors + t.lookups})
    return Program(tape, used), _numbered(form, used)


def tape_for(forms: Sequence[Form]) -> tuple[Tape, list[Form]]:
    """A tape whose inputs are the arrays of the forms, one form after another."""
    dtype = np.result_type(*(f.dtype for f in forms)) if forms else np.dtype(np.float64)
    tape = Tape(sum(f.arrays for f in forms), dtype)
    moved, at = [], 0
    for form in forms:
        moved.append(shifted(form, at))
        at += form.arrays
    return tape, moved


@lru_cache(maxsize=4096)
def compiled(operation: Operation, forms: tuple[Form, ...], static: tuple[Any, ...] = ()) -> tuple[Program, Form]:
    """An operation of the algebra: its program and the form of its result."""
    tape, moved = tape_for(forms)
    return finished(tape, operation(tape, *moved, *static))


@lru_cache(maxsize=4096)
def writer(form: Form, into: bool) -> Program:
    """The program that writes a form in full; with `into`, into an output that is its last input."""
    count = form.arrays
    return _written(Tape(count + into, form.dtype), [form], out=count if into else None)


class UnknownName(KeyError):
    """A Jacobian was asked for that does not exist."""

    def __str__(self) -> str:
        name, known = self.args
        return f"{name!r}: wrt must be of {', '.join(known)}"


class Plan(NamedTuple):
    """The Jacobians of a chain as one program on the arrays of all local Jacobians.

    The program returns the full tensors, or (unmaterialised) all arrays; then `results` has the form of every Jacobian
    and the numbers of its arrays.
    """

    program: Program
    names: tuple[str, ...]
    results: tuple[tuple[Form, tuple[int, ...]], ...]


@lru_cache(maxsize=1024)
def plan(links: tuple[LinkForms, ...], names: tuple[str, ...] | None, full: bool) -> Plan:
    """The products of local Jacobians that give the Jacobians of a chain (None: all), in the cheapest order."""
    tape, forms = tape_for([form for link in links for _, _, form in link])
    rest = iter(forms)
    local = [{name: (by_input, next(rest)) for name, by_input, _ in link} for link in links]
    through = [next((form for by_input, form in link.values() if by_input), None) for link in local]
    place = {name: 0 for name, (by_input, _) in local[0].items() if by_input}
    place |= {name: k for k, link in enumerate(local) for name, (by_input, _) in link.items() if not by_input}
    for name in names or ():
        if name not in place:
            raise UnknownName(name, tuple(place))
    wanted = tuple(place) if names is None else names

    splits = order.splits(
        [order.extent(f) if f else None for f in through], sorted({place[n] + 1 for n in wanted} - {len(links)})
    )
    uses = Counter(
        [place[n] + 1 for n in wanted] + [middle for (_, high), middle in splits.items() if high == len(links)]
    )
    made: dict[tuple[int, int], Form] = {}

    def between(low: int, high: int) -> Form:
        """∂f_high/∂f_low, of layers low … high − 1."""
        one = through[low]
        if high == low + 1:
            assert one is not None
            return one
        if (low, high) not in made:
            middle = splits[low, high]
            form = algebra.product(tape, between(middle, high), between(low, middle))
            made[low, high] = algebra.folded(tape, form) if high == len(links) and uses[low] > 1 else form
        return made[low, high]

    out_name = links[-1][0][2].out_name if links[-1] else "f"
    results = []
    for name in wanted:
        k = place[name]
        _, form = local[k][name]
        if k + 1 < len(links):
            form = algebra.product(tape, between(k + 1, len(links)), form)
        results.append(replace(form, out_name=out_name, wrt_name=name))
    if full:
        return Plan(_written(tape, results), wanted, ())
    numbers = [sorted({f.array for t in form.terms for f in t.factors + t.lookups}) for form in results]
    used = sorted({k for some in numbers for k in some})
    return Plan(Program(tape, used), wanted, tuple(
        (_numbered(form, some), tuple(used.index(k) for k in some)) for form, some in zip(results, numbers, strict=True)
    ))  # fmt: skip


def _numbered(form: Form, used: Sequence[int]) -> Form:
    """The form with these arrays numbered from 0 on."""
    number = {old: new for new, old in enumerate(used)}
    return replace(form, terms=tuple(t.with_arrays(number.__getitem__) for t in form.terms))


def _written(tape: Tape, forms: Sequence[Form], out: int | None = None) -> Program:
    """The program that writes forms in full; no two results share memory."""
    values: list[int] = []
    cached = sum(prod(form.shape) * form.dtype.itemsize for form in forms) <= outer.CACHE
    for form in forms:
        value = writing.full(tape, form, out, cached)
        values.append(tape.emit(np.copy, value) if value in values else value)
    program = Program(tape, values)
    program.outputs = tuple((form.shape, form.dtype, f"∂{form.out_name}/∂{form.wrt_name}") for form in forms)
    return program
