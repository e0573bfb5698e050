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

from jacobians import writing
from jacobians.program import Program, Tape
from jacobians.structure import Form

Operation = Callable[..., Form]


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
    return Program(tape, [writing.full(tape, form, out=count if into else None)])
