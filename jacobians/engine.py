"""Compiling: an operation of the algebra is carried out once on structure, and its program is kept.

A program is found again by the forms that it was compiled for. The caches are bounded, and safe to share between
threads: what is kept is never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from jacobians import algebra, order, writing
from jacobians.program import Program, Tape
from jacobians.structure import Form

Operation = Callable[..., Form]
LinkForms = tuple[tuple[str, bool, Form], ...]
"""The local Jacobians of a layer in a chain: their names, whether they are by an input, and their forms."""


def shifted(form: Form, by: int) -> Form:
    """The form with its arrays numbered from `by` on."""
    return replace(form, terms=tuple(t.with_arrays(lambda k: k + by) for t in form.terms)) if by else form


def finished(tape: Tape, form: Form) -> tuple[Program, Form]:
    """The program that makes the arrays of a form, and the form with these arrays numbered in order."""
    used = sorted({f.array for t in form.terms for f in t.factors + t.lookups})
    numbers = {old: new for new, old in enumerate(used)}
    return Program(tape, used), replace(form, terms=tuple(t.with_arrays(numbers.__getitem__) for t in form.terms))


def tape_for(forms: Sequence[Form]) -> tuple[Tape, list[Form]]:
    """A tape whose inputs are the arrays of the forms, one form after another."""
    tape = Tape(sum(f.arrays for f in forms), np.result_type(*(f.dtype for f in forms)))
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
    tape = Tape(count + into, form.dtype)
    program = Program(tape, [writing.full(tape, form, out=count if into else None)])
    program.outputs = ((form.shape, form.dtype, f"∂{form.out_name}/∂{form.wrt_name}"),)
    return program


@lru_cache(maxsize=1024)
def plan(
    links: tuple[LinkForms, ...], wanted: tuple[str, ...], full: bool
) -> tuple[Program, tuple[tuple[Form, tuple[int, ...]], ...]]:
    """The products of local Jacobians that give the Jacobians of a chain, in the cheapest order.

    The program takes the arrays of all local Jacobians. With `full` it returns the full tensors; otherwise the arrays
    of all results, with their forms and the numbers of their arrays.
    """
    tape, forms = tape_for([form for link in links for _, _, form in link])
    rest = iter(forms)
    local = [{name: (by_input, next(rest)) for name, by_input, _ in link} for link in links]
    through = [next((form for by_input, form in link.values() if by_input), None) for link in local]
    place = {name: k for k, link in enumerate(local) for name, (by_input, _) in link.items() if not by_input or not k}

    needed = sorted({place[name] + 1 for name in wanted} - {len(links)})
    last: dict[tuple[int, int], Form] = {}

    def between(low: int, high: int) -> Form:
        """∂f_high/∂f_low, of layers low … high − 1."""
        if high == low + 1:
            form = through[low]
            assert form is not None
            return form
        if (low, high) not in last:
            middle = splits[low, high]
            last[low, high] = algebra.product(tape, between(middle, high), between(low, middle))
        return last[low, high]

    splits = order.splits([f and order.extent(f) for f in through], needed)
    results = []
    for name in wanted:
        k = place[name]
        _, form = local[k][name]
        if k + 1 < len(links):
            form = algebra.product(tape, between(k + 1, len(links)), form)
        results.append(replace(form, out_name=forms_name(links), wrt_name=name))
    if not full:
        numbers = [sorted({f.array for t in form.terms for f in t.factors + t.lookups}) for form in results]
        used = sorted({k for some in numbers for k in some})
        final = []
        for form, some in zip(results, numbers, strict=True):
            renumbered = {old: new for new, old in enumerate(some)}
            form = replace(form, terms=tuple(t.with_arrays(renumbered.__getitem__) for t in form.terms))
            final.append((form, tuple(used.index(k) for k in some)))
        return Program(tape, used), tuple(final)
    values: list[int] = []
    for form in results:
        value = writing.full(tape, form)
        values.append(tape.emit(np.copy, value) if value in values else value)
    program = Program(tape, values)
    program.outputs = tuple((form.shape, form.dtype, f"∂{form.out_name}/∂{form.wrt_name}") for form in results)
    return program, ()


def forms_name(links: tuple[LinkForms, ...]) -> str:
    """What the output of the last layer is called."""
    return links[-1][0][2].out_name if links[-1] else "f"
