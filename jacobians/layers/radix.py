"""How the positions of two shapes with the same entries, row by row, are index maps of common labels."""

from __future__ import annotations

from itertools import pairwise
from math import prod

import numpy as np

from jacobians.core.layer import Array
from jacobians.layers.axes import LETTERS
from jacobians.notation.structure import Shape

NAMES = LETTERS + LETTERS.upper()


def places(shape: Shape) -> list[int]:
    """The place value of every axis: how many entries lie between neighbours along it.

    >>> places((2, 3, 4))
    [12, 4, 1]
    """
    return [prod(shape[k + 1 :]) for k in range(len(shape))]


def refined(out: Shape, wrt: Shape) -> tuple[str, str, str, list[Array]]:
    """Factors (ones), labels of the output, labels of the argument, and the arrays, for the notation of a reshape.

    Both shapes are cut at the places where an axis of either begins. The pieces are the digits of a mixed radix, one
    label each: 24 entries as (6, 4) and (3, 8) have the digits a, b, c of sizes 3, 2, 4, and are (2a+b)c and a(4b+c).

    >>> refined((6, 4), (3, 8))[:3]
    ('1_b', '(2a+b)c', 'a(4b+c)')

    Where two neighbouring cuts do not divide, as in (2, 3) and (3, 2), the axes between the nearest common cuts are
    lookups of one label that counts through them.

    >>> refined((2, 3), (3, 2))[:3]
    ('', '(n0_a)(n1_a)', '(m0_a)(m1_a)')
    """
    total = prod(out)
    if total == 0:
        return "", "".join(NAMES[: len(out)]), "".join(NAMES[len(out) : len(out) + len(wrt)]), []
    starts = [{place * n for place, n in zip(places(s), s, strict=True)} | {1, total} for s in (out, wrt)]
    cuts = sorted(starts[0] | starts[1], reverse=True)
    common = sorted(starts[0] & starts[1], reverse=True)
    digits: list[tuple[int, int]] = []  # of each label its place and size
    awkward: set[int] = set()  # the places of labels that count through several axes
    for high, low in pairwise(common):
        inner = [c for c in cuts if low <= c <= high]
        if any(a % b for a, b in pairwise(inner)):
            inner = [high, low]
            awkward.add(low)
        digits += [(b, a // b) for a, b in pairwise(inner)]

    lookups: list[Array] = []
    texts: list[str] = []
    bare: list[set[str]] = []  # labels that are an axis by themselves, so that their size is known
    for name, shape in zip("nm", (out, wrt), strict=True):
        text, plain = "", set()
        for k, (place, n) in enumerate(zip(places(shape), shape, strict=True)):
            if n == 1:
                text += "(0)"
                continue
            parts = [(NAMES[d], p, size) for d, (p, size) in enumerate(digits) if p < place * n and p * size > place]
            (label, low, size), *more = parts
            if low in awkward and not (low == place and size == n):
                text += f"({name}{k}_{label})"
                lookups.append(np.arange(size) * low // place % n)
            elif more:
                text += "(" + "+".join(f"{p // place if p > place else ''}{c}" for c, p, _ in parts) + ")"
            else:
                text += label
                plain.add(label)
        texts.append(text)
        bare.append(plain)
    unknown = [(NAMES[d], size) for d, (place, size) in enumerate(digits)
               if NAMES[d] not in bare[0] | bare[1] and place not in awkward]  # fmt: skip
    ones = " ".join(f"1_{label}" for label, _ in unknown)
    return ones, texts[0], texts[1], [np.ones(size) for _, size in unknown] + lookups
