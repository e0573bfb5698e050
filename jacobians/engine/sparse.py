"""A Jacobian as a sparse matrix: the entries that its terms can reach, and no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from jacobians.engine import compiler, contract, memory
from jacobians.engine.builder import TermBuilder
from jacobians.engine.entries import listed
from jacobians.engine.tape import Array, Program, Tape
from jacobians.notation.structure import Form, Term


def sparse(form: Form, arrays: Sequence[Array]) -> Any:
    """The matrix (∏ out_shape × ∏ wrt_shape) as ``scipy.sparse.csr_array``, both groups of axes flattened by rows."""
    try:
        from scipy import sparse as scipy_sparse
    except ImportError as error:
        raise ImportError('J.sparse() needs SciPy: pip install "jacobians[scipy]"') from error
    program, form = _cores(form)
    entries = sum(t.size(t.kept) for t in form.terms)
    memory.require((entries,), form.dtype, "the sparse Jacobian", "Take rows of it with J[i].", extra=16 * entries)
    arrays = program(arrays)
    rows, columns, values = [], [], []
    for term in form.terms:
        at_out, at_wrt, value = _entries(term, arrays)
        rows.append(at_out)
        columns.append(at_wrt)
        values.append(value)
    shape = prod(form.out_shape), prod(form.wrt_shape)
    if not rows:
        return scipy_sparse.csr_array(shape, dtype=form.dtype)
    places = np.concatenate(rows), np.concatenate(columns)
    found = scipy_sparse.coo_array((np.concatenate(values).astype(form.dtype, copy=False), places), shape=shape)
    return found.tocsr()


@lru_cache(maxsize=1024)
def _cores(form: Form) -> tuple[Program, Form]:
    """Every term with its factors multiplied into one array."""
    tape = Tape(form.arrays, form.dtype)
    terms = []
    for term in form.terms:
        builder = TermBuilder(tape, (term,))
        builder.reduce(most=1)
        if not builder.zero:
            terms.append(builder.finish())
    return compiler.finished(tape, replace(form, terms=tuple(terms)))


def _entries(term: Term, arrays: Sequence[Array]) -> tuple[Array, Array, Array]:
    """Row, column and value of every entry of a term."""
    order = sorted(term.kept)
    shape = tuple(term.sizes[i] for i in order)
    (rows, there), (columns, here) = (listed(term, side, order, arrays) for side in (term.out, term.wrt))
    value: Array = np.asarray(term.sign)
    for factor in term.factors:
        value = value * contract.arranged(factor.labels, order)(arrays[factor.array])
    exists = there & here
    return rows[exists], columns[exists], np.broadcast_to(value, shape)[exists]
