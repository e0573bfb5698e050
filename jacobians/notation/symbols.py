"""How a factor is called: names with indices, and what becomes of them when factors are multiplied and summed.

An index of a name is the number of an axis of the factor (≥ 0), a label that was summed away (< 0), or the text parts
of an index map such as (2y+u-1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple

Label = int
Index = int | tuple[int | str, ...]


class Named(NamedTuple):
    """A name with its indices, as in A_ij."""

    name: str
    indices: tuple[Index, ...] = ()


class Product(NamedTuple):
    """± a product of names."""

    sign: int
    names: tuple[Named, ...]


Symbol = tuple[Product, ...]
LONGEST = 48  # names in a symbol; what is longer is written […]


def symbol_of(name: str, axes: int) -> Symbol:
    """The symbol of an array of so many axes."""
    return (Product(1, (Named(name, tuple(range(axes))),)),)


def reindexed(symbol: Symbol, new: Callable[[int], Index]) -> Symbol:
    """The symbol with every axis number and every summed label replaced."""

    def parts(index: Index) -> Index:
        if isinstance(index, int):
            return new(index)
        flat: list[int | str] = []
        for part in index:
            renamed = new(part) if isinstance(part, int) else part
            flat.extend([renamed] if isinstance(renamed, int | str) else renamed)
        return tuple(flat)

    return tuple(
        Product(sign, tuple(Named(name, tuple(parts(i) for i in indices)) for name, indices in names))
        for sign, names in symbol
    )


def _summed(symbol: Symbol) -> int:
    """How many labels have been summed away inside the symbol (they are numbered −1, −2, …)."""
    inner = [0]

    def note(index: int) -> int:
        inner.append(-index)
        return index

    reindexed(symbol, note)
    return max(inner)


def _placed(labels: tuple[Label, ...], where: Mapping[Label, int], shift: int, index: int) -> int:
    """Where the axis of a factor is in a product; labels that were summed before are numbered on."""
    return where[labels[index]] if index >= 0 else index - shift


def multiplied(symbols: Iterable[tuple[Symbol, tuple[Label, ...]]], result: tuple[Label, ...]) -> Symbol:
    """The symbol of a product of factors, given with their labels; labels not in `result` are summed."""
    where: dict[Label, int] = {label: k for k, label in enumerate(result)}
    total: Symbol = (Product(1, ()),)
    inner = 0
    for symbol, labels in symbols:
        for label in labels:
            if label not in where:
                inner += 1
                where[label] = -inner
        first = inner
        inner += _summed(symbol)
        renamed = reindexed(symbol, partial(_placed, labels, where, first))
        total = tuple(Product(a.sign * b.sign, a.names + b.names) for a in total for b in renamed)
    return shortened(total, len(result))


def shortened(symbol: Symbol, axes: int) -> Symbol:
    """The symbol, or […] where it has grown too long to read."""
    return symbol if sum(len(p.names) for p in symbol) <= LONGEST else symbol_of("[…]", axes)
