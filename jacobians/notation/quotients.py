"""Quotients in a product, cancelled and called by their names: (1/p)_i (p/s)_i is 1/s, and e_i/s is p_i if p = e/s.

Layers write the derivative of a quotient with quotients of their own; in a graph, their parts have names and shapes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jacobians.notation.structure import Shape
from jacobians.notation.sums import Sign, Written, arranged, closed, collected, flat


@dataclass(frozen=True)
class Quotients:
    """What is known of the names in formulas.

    >>> known = Quotients({"p": (3,), "e": (3,), "s": ()}, {("e", "s"): "p"})
    >>> product = Written(1, (Sign("(1/p)", ("i",)), Sign("(p/s)", ("i",)), Sign("e", ("j",))))
    >>> str(known([product])[0])
    'p_j'
    """

    shapes: Mapping[str, Shape] = field(default_factory=dict)
    """The shapes of values, by name."""

    named: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """The names of quotients, by what is above and below the line."""

    def __call__(self, products: Sequence[Written]) -> list[Written]:
        """The products, shorter where they can be; equal ones together."""
        return collected([self._shortened(one) for one in products]) if self.shapes else list(products)

    def _shortened(self, product: Written) -> Written:
        above: list[Sign] = []
        below: list[Sign] = []
        for one in product.signs:
            parts = self._parts(one) or (one, None)
            above += self._factors(parts[0])
            below += self._factors(parts[1]) if parts[1] else []
        before = len(above), len(below)
        while self._cancelled(above, below) or self._called(above, below):
            pass
        if before == (len(product.signs), len(below)) and len(above) == before[0]:
            return product
        ones = [Sign(f"(1/{one.name})", one.indices) for one in below]
        signs = (*(one for one in above if one.name != "1"), *ones)
        return arranged(product._replace(signs=signs))

    def _factors(self, one: Sign) -> list[Sign]:
        """A product with a number, taken apart: (c·x)_i is c x_i."""
        parts = re.fullmatch(r"\((.+)·(.+)\)", one.name)
        if parts is None or not closed(one.name[1:-1]) or re.search("[-+/]|·.*·", flat(one.name[1:-1])):
            return [one]
        shapes = [self.shapes.get(text) for text in parts.groups()]
        if () not in shapes or None in shapes:
            return [one]
        return [
            part for text, shape in zip(parts.groups(), shapes, strict=True)
            for part in self._factors(Sign(text, one.indices if shape else ()))
        ]  # fmt: skip

    @staticmethod
    def _cancelled(above: list[Sign], below: list[Sign]) -> bool:
        """Take what stands above and below the line away, if there is such a thing."""
        for one in below:
            if one in above:
                above.remove(one)
                below.remove(one)
                return True
        return False

    def _called(self, above: list[Sign], below: list[Sign]) -> bool:
        """Call a quotient by its name, if one has a name."""
        for divisor in below:
            for one in (*above, Sign("1")):
                name = self.named.get((one.name, divisor.name))
                indices = one.indices or divisor.indices
                if name and len(indices) == len(self.shapes[name]):
                    below.remove(divisor)
                    found = Sign(name, indices)
                    at = above.index(one if one in above else found) if {one, found} & {*above} else len(above)
                    above[at : at + (one in above)] = [found]
                    return True
        return False

    def _parts(self, one: Sign) -> tuple[Sign, Sign] | None:
        """What is above and below the line, each with its indices."""
        quotient = re.fullmatch(r"\((.+)/(.+)\)", one.name)
        if quotient is None or not closed(one.name[1:-1]) or re.search("[-+]|/.*/", flat(one.name[1:-1])):
            return None
        found, shapes = [], []
        for text in quotient.groups():
            name = next((name for name in (text, f"({text})") if name in self.shapes), text)
            shape = () if text == "1" else self.shapes.get(name)
            if shape is None or len(shape) not in (0, len(one.indices)):
                return None
            shapes.append(shape)
            found.append(Sign(name, one.indices if shape else ()))
        if len({shape for shape in shapes if shape}) > 1:
            return None
        return found[0], found[1]
