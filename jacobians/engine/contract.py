"""Execution: how factors are viewed, multiplied and summed, as calls for a `Tape`.

Each function here decides everything that shapes alone decide and returns the call that does the rest. This is also the
one gate to opt_einsum. A batched pair goes to ``np.matmul``, which uses BLAS, where opt_einsum alone would not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import prod

import numpy as np
import opt_einsum
from opt_einsum.parser import get_symbol

from jacobians.engine import memory, outer
from jacobians.engine.tape import Array, Step, Tape, plainly
from jacobians.notation.symbols import Label

Labels = tuple[Label, ...]
Sizes = Mapping[Label, int]


# --- opt_einsum -------------------------------------------------------------------------------------------------------


def contract(subscripts: str, *operands: Array) -> Array:
    """``opt_einsum.contract``: the einsum of the operands, in the order that opt_einsum finds."""
    return np.asarray(opt_einsum.contract(subscripts, *operands))


def subscripts(shapes: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]) -> str:
    """The einsum string of a product of Jacobians with these shapes (output, argument), as in ``il,ljk->ijk``.

    The axes of the result come first in the alphabet, from i on; then the axes that are summed.
    """
    groups = [shapes[0][0], *(wrt for _, wrt in shapes)]
    count = 0
    words = [""] * len(groups)
    for k in (0, len(groups) - 1, *range(1, len(groups) - 1)):
        numbers = range(count, count + len(groups[k]))
        words[k] = "".join(get_symbol((8 + n) % 26 if n < 26 else n) for n in numbers)
        count += len(groups[k])
    return f"{','.join(a + b for a, b in pairwise(words))}->{words[0]}{words[-1]}"


LARGE = 1 << 14  # entries of products that are made in memory of earlier ones
Pairs = list[tuple[int, int]]
SHORT = 16  # entries of an axis that is too short to loop over
READ = Tape.ENTRY / 8  # nanoseconds to read an entry of what is left in the end, about
FEW = 5  # factors whose order is found by trying all


def path(factors: Sequence[Labels], kept: set[Label], sizes: Sizes, most: int) -> Pairs:
    """The order in which to contract factors pair by pair, as positions in a list that each product is appended to.

    It ends when at most so many factors are left and every label that is not kept has been summed. A few factors are
    contracted in the cheapest order, counting operations and the entries of all products; more, as opt_einsum says.
    """
    if len(factors) <= FEW:
        return _cheapest(tuple(frozenset(f) for f in factors), kept, sizes, most)[1]
    letters = {label: get_symbol(k) for k, label in enumerate(sizes)}
    words = ["".join(letters[i] for i in labels) for labels in factors]
    result = "".join(letters[i] for i in dict.fromkeys(i for f in factors for i in f) if i in kept)
    shapes = [tuple(sizes[i] for i in labels) for labels in factors]
    found, _ = opt_einsum.contract_path(",".join(words) + "->" + result, *shapes, shapes=True, optimize="auto")
    left = [frozenset(f) for f in factors]
    pairs: Pairs = []
    for together in found:  # what opt_einsum would multiply in one go is multiplied pair by pair
        chosen = [left[k] for k in together]
        while len(chosen) > 1 and len(left) > FEW:
            one, two = left.index(chosen[0]), left.index(chosen[1], left.index(chosen[0]) + (chosen[0] == chosen[1]))
            pairs.append((one, two))
            left = _contracted(left, one, two, kept)
            chosen = [left[-1], *chosen[2:]]
    return pairs + _cheapest(tuple(left), kept, sizes, most)[1]


def _contracted(factors: Sequence[frozenset[Label]], one: int, two: int, kept: set[Label]) -> list[frozenset[Label]]:
    """The factors after one product, which comes last."""
    rest = [f for k, f in enumerate(factors) if k not in (one, two)]
    return [*rest, (factors[one] | factors[two]) & frozenset(kept).union(*rest)]


def _cheapest(factors: tuple[frozenset[Label], ...], kept: set[Label], sizes: Sizes, most: int) -> tuple[float, Pairs]:
    """The cheapest order and its cost, by trying all."""
    if len(factors) < 2 or (len(factors) <= most and all(f <= kept for f in factors)):
        return READ * sum(prod(sizes[i] for i in f) for f in factors), []
    best: tuple[float, Pairs] = (float("inf"), [])
    for one in range(len(factors)):
        for two in range(one + 1, len(factors)):
            left = _contracted(factors, one, two, kept)
            cost = Tape.ENTRY * prod(sizes[i] for i in left[-1])
            if not factors[one] | factors[two] <= left[-1]:
                cost += 2 * Tape.FLOP * prod(sizes[i] for i in factors[one] | factors[two])
            if cost < best[0]:
                more, pairs = _cheapest(tuple(left), kept, sizes, most)
                best = min(best, (cost + more, [(one, two), *pairs]))
    return best


# --- views and pairs --------------------------------------------------------------------------------------------------


def arranged(labels: Labels, order: Sequence[Label], index: Mapping[Label, int | slice] | None = None) -> Step:
    """View an array so that it broadcasts against `order`: axes sorted, missing ones of size 1.

    `index` takes entries (an integer: the label is then no axis any more) or ranges (a slice) of some labels.
    """
    index = index or {}
    sorted_labels = sorted(labels, key=list(order).index)
    permutation = tuple(labels.index(i) for i in sorted_labels)
    key = [index.get(i, slice(None)) if i in labels else None for i in order
           if i in labels or not isinstance(index.get(i), int)]  # fmt: skip
    while key and key[0] is None:  # leading axes broadcast by themselves
        key.pop(0)
    selection = tuple(key) if any(k != slice(None) for k in key) else None
    if permutation == tuple(range(len(labels))):
        return as_it_is if selection is None else lambda x: x[selection]
    if selection is None:
        return lambda x: x.transpose(permutation)
    return lambda x: x.transpose(permutation)[selection]


def as_it_is(x: Array) -> Array:
    """The array itself."""
    return x


def of_both(function: Step, left: Step, right: Step) -> Step:
    """A function of views of two arrays."""
    return function if left is right is as_it_is else lambda x, y: function(left(x), right(y))


def summed(labels: Labels, gone: Iterable[Label]) -> tuple[Step, Labels]:
    """Sum an array over some of its labels."""
    gone = set(gone)
    axes = tuple(k for k, i in enumerate(labels) if i in gone)
    return lambda x: x.sum(axis=axes), tuple(i for i in labels if i not in gone)


def pair(
    a: Labels, b: Labels, kept: Iterable[Label], sizes: Sizes, order: Sequence[Label] = ()
) -> tuple[Step, Labels, int]:
    """Multiply two arrays and sum the labels that both carry and nobody keeps: the call, its labels, its FLOPs.

    The labels of the result come in the given order as far as that costs nothing.
    """
    kept = set(kept)
    common = [i for i in a if i in b]
    gone = [i for i in common if i not in kept]
    if not gone:
        swap = prod(sizes[i] for i in b) > prod(sizes[i] for i in a)
        first, second = (b, a) if swap else (a, b)
        more = tuple(i for i in second if i not in first)
        short = prod(sizes[i] for i in more) < SHORT <= sizes[first[-1]] if first else False
        result = (*more, *first) if short else (*first, *more)  # NumPy loops over the last axis
        left, right = arranged(a, result), arranged(b, result)
        shape = tuple(sizes[i] for i in result)
        size, product = prod(shape), of_both(np.multiply, left, right)
        if size >= LARGE:
            into = outer.product(result, shape, a, b, cached=8 * size <= outer.CACHE)
            product = plainly(lambda x, y: into(_room(shape, x, y), left(x), right(y)), product)
        elif short and more:
            ordered = plainly(
                lambda x, y: np.multiply(outer.lined(left(x), size), outer.lined(right(y), size)), product
            )
            return ordered, result, size
        return product, result, size

    rank = {i: k for k, i in enumerate(order)}
    batch, rows, columns = (
        sorted(group, key=lambda i: rank.get(i, 0))
        for group in (
            [i for i in common if i in kept],
            [i for i in a if i not in common],
            [i for i in b if i not in common],
        )
    )
    if rows and columns and rank.get(columns[0], 0) < rank.get(rows[0], 0):
        call, result, flops = pair(b, a, kept, sizes, order)
        instead = getattr(call, "instead", call)
        return plainly(lambda x, y: call(y, x), lambda x, y: instead(y, x)), result, flops
    result = (*batch, *rows, *columns)
    left, right = _matrix(a, batch, rows, gone, sizes), _matrix(b, batch, gone, columns, sizes)
    multiply: Step = np.matmul if batch else np.dot
    shape = tuple(sizes[i] for i in result)
    flops = 2 * prod(sizes[i] for i in (*result, *gone))
    if prod(shape) >= LARGE:
        groups = [[i] for i in batch] + [g for g in (rows, columns) if g or batch]
        matrix = tuple(prod(sizes[i] for i in g) for g in groups)
        call = plainly(lambda x, y: np.matmul(left(x), right(y), _room(matrix, x, y)).reshape(shape),
                       lambda x, y: multiply(left(x), right(y)).reshape(shape))  # fmt: skip
        return call, result, flops
    if not batch and len(rows) <= 1 and len(columns) <= 1:
        return of_both(multiply, left, right), result, flops
    return (lambda x, y: multiply(left(x), right(y)).reshape(shape)), result, flops


def _room(shape: tuple[int, ...], x: Array, y: Array) -> Array:
    """An array for a product, in memory of an earlier one if there is any."""
    return memory.empty(shape, x.dtype if x.dtype == y.dtype else np.result_type(x, y))()


def _matrix(labels: Labels, batch: list[Label], rows: list[Label], columns: list[Label], sizes: Sizes) -> Step:
    """View an array as a (stack of) matrices; without batch, a group without labels gives a vector."""
    order = (*batch, *rows, *columns)
    permutation = tuple(labels.index(i) for i in order)
    groups = [rows, columns] if batch else [g for g in (rows, columns) if g]
    shape = (*(sizes[i] for i in batch), *(prod(sizes[i] for i in g) for g in groups))
    same = permutation == tuple(range(len(labels)))
    if shape == tuple(sizes[i] for i in order):
        return as_it_is if same else (lambda x: x.transpose(permutation))
    return (lambda x: x.reshape(shape)) if same else (lambda x: x.transpose(permutation).reshape(shape))


def diagonal(labels: Labels) -> tuple[Step, Labels]:
    """View the entries of an array where its repeated labels agree."""
    distinct = tuple(dict.fromkeys(labels))
    numbers = [distinct.index(i) for i in labels]
    order = list(range(len(distinct)))
    text = "".join(map(chr, (97 + n for n in numbers))) + "->" + "".join(map(chr, (97 + n for n in order)))
    return plainly(lambda x: np.einsum(x, numbers, order), lambda x: np.einsum(text, x)), distinct
