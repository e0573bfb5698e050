"""A Jacobian as a sparse matrix: the entries that its terms can reach, written straight from the terms.

Where the entries are depends on the structure and on the lookup arrays alone, not on the numbers. So it is found out
once, and found again as long as the lookups hold the same positions.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from math import prod
from threading import Lock
from typing import Any, Literal

import numpy as np

from jacobians.engine import compiler
from jacobians.engine.builder import TermBuilder
from jacobians.engine.sparsity import Pattern, pattern, values
from jacobians.engine.tape import Array, Program, Tape
from jacobians.kept import is_frozen, kept
from jacobians.notation.structure import Form

Format = Literal["csr", "csc", "coo"]
MOST = 1 << 26  # bytes of the patterns that are kept


def sparse(form: Form, arrays: Sequence[Array], kind: Format = "csr") -> Any:
    """The matrix (∏ out_shape × ∏ wrt_shape) as a sparse array of SciPy, both groups of axes flattened by rows.

    It is canonical: the entries of a row are sorted and stand once.
    """
    try:
        from scipy import sparse as scipy_sparse
    except ImportError as error:
        raise ImportError('J.sparse() needs SciPy: pip install "jacobians[scipy]"') from error
    if kind not in ("csr", "csc", "coo"):
        raise ValueError(f'format must be "csr", "csc" or "coo", not {kind!r}')
    program, cores = _cores(form)
    program.require_memory()
    made = program(arrays)
    found = _known(cores, kind == "csc", made)
    data, indices, indptr = values(cores, made, found), found.indices.made(), found.indptr.made()
    shape = prod(form.out_shape), prod(form.wrt_shape)
    if kind == "csc":
        matrix = scipy_sparse.csc_array((data, indices, indptr), shape=shape)
    elif kind == "csr":
        matrix = scipy_sparse.csr_array((data, indices, indptr), shape=shape)
    else:
        rows = np.repeat(np.arange(shape[0], dtype=indices.dtype), np.diff(indptr))
        matrix = scipy_sparse.coo_array((data, (rows, indices)), shape=shape)
    matrix.has_canonical_format = True
    return matrix


@kept
def _cores(form: Form) -> tuple[Program, Form]:
    """Every term with its factors multiplied into one array."""
    tape = Tape(form.arrays, form.dtype)
    builders = [TermBuilder(tape, (term,)) for term in form.terms]
    for builder in builders:
        builder.reduce(most=1)
    return compiler.finished(tape, replace(form, terms=tuple(b.finish() for b in builders if not b.zero)))


# --- patterns that are kept -------------------------------------------------------------------------------------------

_kept: OrderedDict[tuple[Form, bool], tuple[tuple[Array, ...], Pattern]] = OrderedDict()  # last used last
_lock = Lock()


def _known(form: Form, columns: bool, arrays: Sequence[Array]) -> Pattern:
    """The pattern, found again if the lookups are equal to those that it was found for."""
    key = form, columns
    lookups = [arrays[k] for k in dict.fromkeys(f.array for t in form.terms for f in t.lookups)]
    with _lock:
        before = _kept.get(key)
        if before is not None:
            _kept.move_to_end(key)
    if before is not None and all(a is b or np.array_equal(a, b) for a, b in zip(before[0], lookups, strict=True)):
        return before[1]
    found = pattern(form, columns, arrays)
    copies = tuple(a if is_frozen(a) else a.copy() for a in lookups)
    with _lock:
        _kept[key] = copies, found
        _kept.move_to_end(key)
        while _kept and sum(p.nbytes + sum(a.nbytes for a in some) for some, p in _kept.values()) > MOST:
            _kept.popitem(last=False)
    return found
