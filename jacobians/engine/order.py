"""In what order a chain of Jacobians is multiplied: forward, reverse or across, whichever costs least.

The cost of ∂f_k/∂f_j · ∂f_j/∂f_i is estimated from three numbers for each: the sizes of output and input, and the size
of what ties them (the batch; everything, for an entrywise function). A product then has about

    2 · out/tie · middle · in/tie′

operations: each of the out·middle/tie entries of the left meets the in/tie′ entries of a row of the right.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from jacobians.notation.structure import Form, Term

LONGEST = 128  # layers; beyond this the order is reverse, as in backpropagation


class Extent(NamedTuple):
    """The size of a Jacobian's output, of its input, and of what ties them."""

    out: int
    wrt: int
    tie: float


def extent(form: Form) -> Extent:
    """What the order of a chain depends on."""
    ties = [_tie(term) for term in form.terms] or [1]
    return Extent(prod(form.out_shape), prod(form.wrt_shape), min(ties))


def _tie(term: Term) -> int:
    """The size of the labels that stand on both sides."""
    out = {i for a in term.out for i in a.labels()}
    return max(1, term.size(out & {i for a in term.wrt for i in a.labels()}))


def cost(left: Extent, right: Extent) -> float:
    """Operations of a product, about."""
    return 2.0 * left.out / left.tie * left.wrt * right.wrt / right.tie


def product(left: Extent, right: Extent) -> Extent:
    """The extent of a product."""
    return Extent(left.out, right.wrt, max(1, min(left.tie, right.tie)))


def splits(through: Sequence[Extent | None], needed: Sequence[int]) -> dict[tuple[int, int], int]:
    """Where to split each product of layers low … high − 1.

    `through[k]` belongs to ∂f_{k+1}/∂f_k. `needed` are the k for which ∂f_K/∂f_k is wanted. Either all of them come
    from one sweep from the output, which shares its products; or each is multiplied in its own best order. The cheaper
    of the two is taken.
    """
    count = len(through)
    if not needed:
        return {}
    low = needed[0]
    sweep = {(k, count): k + 1 for k in range(low, count - 1)}
    if len(sweep) < 2 or count - low > LONGEST:
        return sweep

    extents: dict[tuple[int, int], Extent] = {}
    total: dict[tuple[int, int], float] = {}
    best: dict[tuple[int, int], int] = {}
    for k in range(low, count):
        one = through[k]
        assert one is not None
        extents[k, k + 1], total[k, k + 1] = one, 0.0
    for length in range(2, count - low + 1):
        for k in range(low, count - length + 1):
            end = k + length
            extents[k, end] = product(extents[k + 1, end], extents[k, k + 1])
            choices = [
                (total[k, m] + total[m, end] + cost(extents[m, end], extents[k, m]), m) for m in range(k + 1, end)
            ]
            total[k, end], best[k, end] = min(choices)

    def spent(chosen: dict[tuple[int, int], int]) -> tuple[float, dict[tuple[int, int], int]]:
        """The cost of all wanted products with common parts once, and the splits that they use."""
        used: dict[tuple[int, int], int] = {}
        waiting = [(k, count) for k in needed if count - k > 1]
        amount = 0.0
        while waiting:
            k, end = waiting.pop()
            if end - k > 1 and (k, end) not in used:
                m = used[k, end] = chosen[k, end]
                amount += cost(extents[m, end], extents[k, m])
                waiting += [(k, m), (m, end)]
        return amount, used

    across, own = spent(best)
    reverse, _ = spent(sweep)
    return own if across < reverse else sweep
