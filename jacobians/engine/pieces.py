"""A tensor in pieces: blocks that fit into memory, in the order of its entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, prod

from jacobians.engine import algebra, compiler
from jacobians.engine.sources import Factors
from jacobians.engine.tape import Array, Tape
from jacobians.notation.structure import Shape

Index = tuple[slice, ...]
BLOCK = 1 << 26  # bytes of a block, if nothing else is said


def block_shape(shape: Shape, itemsize: int, nbytes: int, unit: Sequence[int] | None = None) -> Shape:
    """The shape of the largest blocks of at most `nbytes`: the last axes whole, a part of one, one of all before.

    Where `unit` (the shape of a chunk of what is written to) fits, blocks are multiples of it.
    """
    if nbytes < itemsize:
        raise ValueError(f"a block must hold at least one entry of {itemsize} bytes; nbytes is {nbytes}")
    one = tuple(min(u, n) for u, n in zip(unit or (1,) * len(shape), shape, strict=True))
    if prod(one) * itemsize > nbytes:
        one = tuple(min(1, n) for n in shape)
    sizes = list(one)
    for axis in reversed(range(len(shape))):
        room = nbytes // max(1, prod(sizes) * itemsize)
        sizes[axis] = min(shape[axis], one[axis] * min(room, ceil(shape[axis] / max(1, one[axis]))))
        if sizes[axis] < shape[axis]:
            break
    return tuple(sizes)


def grid(shape: Shape, block: Shape) -> Shape:
    """How many blocks there are along every axis."""
    return tuple([ceil(n / size) if size else 0 for n, size in zip(shape, block, strict=True)])


def indices(shape: Shape, block: Shape, start: int = 0) -> Iterator[Index]:
    """The indices of all blocks from number `start` on, in order; none for a tensor without entries."""
    counts = grid(shape, block)
    for number in range(start, prod(counts)):
        rest, corner = number, []
        for count in reversed(counts):
            rest, k = divmod(rest, count)
            corner.append(k)
        yield tuple([
            slice(k * size, min((k + 1) * size, n)) for k, size, n in zip(reversed(corner), block, shape, strict=True)
        ])  # fmt: skip


def block(factors: Factors, index: Index, refuse: bool = True) -> Array:
    """One block, made by a program of its own, which is not kept: the next block has another one.

    With `refuse`, a `JacobianTooLarge` is raised where memory for it is not available at this moment.
    """
    form = factors.form
    tape = Tape(form.arrays, form.dtype)
    key = tuple([(s.start, 1, s.stop - s.start) for s in index])
    program = compiler.written(tape, [algebra.select(tape, form, key)])
    if refuse:
        program.require_memory()
    return program(factors.arrays)[0]
