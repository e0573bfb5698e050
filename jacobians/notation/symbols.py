"""How a factor is called: names with indices, and what becomes of them when factors are multiplied and summed.

An index of a name is the number of an axis of the factor (≥ 0), a label that was summed away (< 0), or the text parts
of an index map such as (2y+u-1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
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


Products = tuple[Product, ...]
LONGEST = 48  # names in a symbol; what is longer is written […]
DEEPEST = 64  # symbols that are made of each other before anybody has looked at them


class Symbol:
    """A sum of products of names. It is made when somebody looks at it, since most are never seen.

    Parameters
    ----------
    make
        Makes the products.
    *parents
        The symbols that it is made of.
    """

    __slots__ = ("_depth", "_make", "_products")

    def __init__(self, make: Callable[[], Products], *parents: Symbol) -> None:
        self._products: Products | None = None
        self._make: Callable[[], Products] | None = make
        self._depth: int = 1 + max((p._depth for p in parents), default=0)
        if self._depth > DEEPEST:
            self.products  # noqa: B018 - so that it is made, and the way down stays short

    @property
    def products(self) -> Products:
        """The products."""
        make = self._make
        if self._products is None and make is not None:
            self._products = make()
            self._make, self._depth = None, 0
        assert self._products is not None
        return self._products

    def __iter__(self) -> Iterator[Product]:
        return iter(self.products)

    def __len__(self) -> int:
        return len(self.products)

    def __getitem__(self, key: int) -> Product:
        return self.products[key]

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Symbol) and self.products == other.products)

    def __hash__(self) -> int:
        return hash(self.products)

    def __reduce__(self) -> tuple[object, ...]:
        return of_products, (self.products,)

    def __repr__(self) -> str:
        return f"Symbol{self.products}"


def of_products(products: Products) -> Symbol:
    """A symbol that is known already."""
    symbol = Symbol(lambda: products)
    symbol.products  # noqa: B018 - so that it is made
    return symbol


@lru_cache(maxsize=512)
def symbol_of(name: str, axes: int) -> Symbol:
    """The symbol of an array of so many axes."""
    return of_products((Product(1, (Named(name, tuple(range(axes))),)),))


def changed(symbol: Symbol, change: Callable[[Products], Products]) -> Symbol:
    """What a function makes of the products of a symbol."""
    return Symbol(lambda: change(symbol.products), symbol)


def reindexed(symbol: Symbol, new: Callable[[int], Index]) -> Symbol:
    """The symbol with every axis number and every summed label replaced."""
    return changed(symbol, lambda products: _reindexed(products, new))


def _reindexed(products: Products, new: Callable[[int], Index]) -> Products:
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
        for sign, names in products
    )


def _summed(products: Products) -> int:
    """How many labels have been summed away inside the symbol (they are numbered −1, −2, …)."""
    inner = [0]

    def note(index: int) -> int:
        inner.append(-index)
        return index

    _reindexed(products, note)
    return max(inner)


def _placed(labels: tuple[Label, ...], where: Mapping[Label, int], shift: int, index: int) -> int:
    """Where the axis of a factor is in a product; labels that were summed before are numbered on."""
    return where[labels[index]] if index >= 0 else index - shift


def multiplied(symbols: Sequence[tuple[Symbol, tuple[Label, ...]]], result: tuple[Label, ...]) -> Symbol:
    """The symbol of a product of factors, given with their labels; labels not in `result` are summed."""
    return Symbol(lambda: _multiplied(symbols, result), *(symbol for symbol, _ in symbols))


def _multiplied(symbols: Sequence[tuple[Symbol, tuple[Label, ...]]], result: tuple[Label, ...]) -> Products:
    where: dict[Label, int] = {label: k for k, label in enumerate(result)}
    total: Products = (Product(1, ()),)
    inner = 0
    for symbol, labels in symbols:
        for label in labels:
            if label not in where:
                inner += 1
                where[label] = -inner
        first = inner
        inner += _summed(symbol.products)
        renamed = _reindexed(symbol.products, partial(_placed, labels, where, first))
        total = tuple(Product(a.sign * b.sign, a.names + b.names) for a in total for b in renamed)
    return shortened(total, len(result))


def shortened(products: Products, axes: int) -> Products:
    """The products, or […] where they have grown too long to read."""
    return products if sum(len(p.names) for p in products) <= LONGEST else symbol_of("[…]", axes).products
