"""Sums of products, as they stand on the right side of a formula.

A product is `Written` with `Sign`s: names with indices, deltas, numbers and conditions. Letters that a delta fixes are
summed away here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

DELTA = "δ"
NUMBER = r"\d+(?:\.\d*)?(?:e[+-]?\d+)?(?:/\d+)?"


class Sign(NamedTuple):
    """What stands in a product: A_ij, δ_ij, a number (without indices) or a condition such as [j=2i+k−1]."""

    name: str
    indices: tuple[str, ...] = ()

    def __str__(self) -> str:
        return subscripted(self.name, self.indices)

    @property
    def is_number(self) -> bool:
        """Whether this is a number."""
        return not self.indices and re.fullmatch(rf"{NUMBER}|\({NUMBER}\)", self.name) is not None

    @property
    def value(self) -> float:
        """The value of a number."""
        above, _, below = self.name.strip("()").partition("/")
        return float(above) / float(below or 1)

    @property
    def rank(self) -> int:
        """Where it stands in a product: numbers first, then deltas and conditions, then names."""
        if self.is_number:
            return 0
        return 1 if self.name == DELTA or (self.name.startswith("[") and not self.indices) else 2


class Written(NamedTuple):
    """± a product, summed over some letters."""

    sign: int
    signs: tuple[Sign, ...]
    summed: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.summed:
            return " ".join(map(str, self.signs)) or "1"
        numbers, rest = ([str(s) for s in self.signs if s.is_number is number] for number in (True, False))
        return " ".join([*numbers, f"Σ_{''.join(self.summed)}", *(rest or ["1"])])


def collected(products: Sequence[Written]) -> list[Written]:
    """Equal products as one: A_ij + A_ij is 2 A_ij, and A_ij − A_ij is nothing."""
    found: dict[tuple[object, ...], tuple[float, Written]] = {}
    products = [one for one in products if not any(s.is_number and s.value == 0 for s in one.signs)]
    for one in products:
        number, rest = 1.0, []
        for sign in one.signs:
            if sign.is_number:
                number *= sign.value
            else:
                rest.append(sign)
        key = (one.summed, *sorted(map(str, rest)))
        before, first = found.get(key, (0.0, one._replace(signs=tuple(rest))))
        found[key] = before + one.sign * number, first
    if len(found) == len(products):
        return list(products)
    return [
        arranged(one._replace(sign=1 if number > 0 else -1, signs=(Sign(f"{abs(number):.12g}"), *one.signs)))
        for number, one in found.values() if number
    ]  # fmt: skip


def summed(products: Sequence[Written]) -> str:
    """A sum of products as text."""
    text = ""
    for one in collected(products):
        text += (" − " if one.sign < 0 else " + ") if text else ("−" if one.sign < 0 else "")
        text += str(one)
    return text or "0"


def subscripted(name: str, indices: Sequence[str]) -> str:
    """A_ij, or a bare name."""
    return f"{name}_{''.join(indices)}" if indices else name


def summing_delta(product: Written) -> tuple[Sign, str, str] | None:
    """Find a delta that sums a letter away: the delta, that letter, and the letter that takes its place."""
    texts = "".join(s.name for s in product.signs if s.name.startswith("["))
    for one in product.signs:
        if one.name == DELTA and len(one.indices) == 2:
            a, b = one.indices
            for gone, kept in ((b, a), (a, b)):
                if gone in product.summed and gone not in texts and gone != kept:
                    return one, gone, kept
    return None


def without(product: Written, delta: Sign, gone: str, kept: str) -> Written:
    """Sum a letter away: the delta disappears and the other letter stands everywhere."""
    rest = list(product.signs)
    rest.remove(delta)
    signs = [Sign(s.name, tuple(kept if i == gone else i for i in s.indices)) for s in rest]
    signs = [s for s in signs if s.name != DELTA or len(set(s.indices)) > 1]
    return arranged(Written(product.sign, tuple(signs), tuple(i for i in product.summed if i != gone)))


def simplified(product: Written) -> Written:
    """Sum all letters away that deltas fix."""
    while (found := summing_delta(product)) is not None:
        product = without(product, *found)
    return arranged(product)


def ranged(product: Written, sizes: Mapping[str, int]) -> Written:
    """Give summed letters that no name carries their ranges: [m<2]."""
    carried = {i for s in product.signs for i in s.indices}
    ranges = [Sign(f"[{i}<{sizes[i]}]") for i in product.summed if i not in carried and i in sizes]
    return arranged(product._replace(signs=(*product.signs, *ranges)))


def followed(product: Written, letters: Sequence[str]) -> Written:
    """The names in the order in which the letters lead from one to the next, from the letters of the output on."""
    fixed, names = ([s for s in product.signs if (s.rank < 2) is front] for front in (True, False))
    waiting, seen, found = list(letters), set[str](), list[Sign]()
    while waiting:
        current = waiting.pop(0)
        seen.add(current)
        here = sorted((s for s in names if current in s.indices), key=lambda s: len(s.indices))
        names = [s for s in names if s not in here]
        found += here
        waiting = [i for s in here for i in s.indices if i in product.summed and i not in seen] + waiting
    if not product.summed:
        names.sort(key=lambda s: min(s.indices, default=""))
    return product._replace(signs=(*fixed, *found, *names))


def arranged(product: Written) -> Written:
    """Numbers first, then deltas and conditions, then names; numbers and signs are taken out of names."""
    sign, number = product.sign, 1.0
    signs: list[Sign] = []
    for one in product.signs:
        minus, times, rest = taken_apart(one)
        sign, number = sign * minus, number * times
        signs += rest
    signs = cancelled(signs)
    signs.sort(key=lambda s: s.rank)
    return Written(sign, ((Sign(digits(number)),) if number != 1 else ()) + tuple(signs), product.summed)


@lru_cache(maxsize=4096)
def taken_apart(one: Sign) -> tuple[int, float, tuple[Sign, ...]]:
    """The sign, the number, and the rest of a name: (2e)_i is 2 e_i, and (-p/z)_i is −(p/z)_i.

    >>> [f"{sign * number:g} {' '.join(map(str, rest))}" for sign, number, rest in map(taken_apart, (
    ...     Sign("(2·e)", ("i",)), Sign("(-p/z)", ("i",)), Sign("(1/2)"), Sign("(-2xy)"), Sign("(2-x)"), Sign("(x/2)"),
    ...     Sign("(1/(2√(v+1)))")))]
    ['2 e_i', '-1 (p/z)_i', '0.5 ', '-2 xy', '1 (2-x)', '0.5 x', '0.5 (1/√(v+1))']
    """
    name, sign, number = one.name, 1, 1.0
    inside = name[1:-1] if name.startswith("(") and name.endswith(")") and closed(name[1:-1]) else name
    whole = inside != name
    if not re.search(r"[^(*/^·]-|\+", flat(inside)):  # a product: no sum at the outermost level
        if inside.startswith("-") and (whole or Sign(inside[1:]).is_number):
            sign, inside = -1, inside[1:]
        if re.fullmatch(NUMBER, inside):
            return sign, Sign(inside).value, ()
        if whole and (front := re.match(r"(\d+(?:\.\d+)?)(?=[^\d./²³ˣ^*])", inside)):
            number, inside = float(front[1]), inside[front.end() :].removeprefix("·")
        if whole and (behind := re.search(r"/(\d+(?:\.\d+)?)$", inside)) and "/" not in flat(inside[: behind.start()]):
            number, inside = number / float(behind[1]), inside[: behind.start()]
        if whole and (below := re.fullmatch(rf"([^/]+)/\((\d+(?:\.\d+)?)·?({SINGLE})\)", inside)):
            number, inside = number / float(below[2]), f"{below[1]}/{below[3]}"
        if whole and re.fullmatch(NUMBER, inside):
            return sign, number * float(inside), ()
    if sign == number == 1 and not (whole and re.fullmatch(r"[a-z]\w*\([^()]*\)", inside)):
        return (1, 1.0, ()) if name == "1" else (1, 1.0, (one,))
    bare = re.fullmatch(rf"{ATOM}|\(.*\)", inside) and (inside[0] != "(" or closed(inside[1:-1]))
    return sign, number, (Sign(inside if bare or not whole else f"({inside})", one.indices),)


def cancelled(signs: list[Sign]) -> list[Sign]:
    """A number times a quotient by it: ‖r‖ (r/‖r‖)_i is r_i."""
    for one in signs:
        for k, other in enumerate(signs):
            if not one.indices and other.name == f"({other.name[1 : -len(one.name) - 2]}/{one.name})":
                above = Sign(other.name[1 : -len(one.name) - 2], other.indices)
                return [above if n == k else s for n, s in enumerate(signs) if s is not one]
    return signs


ATOM = r"(?:[A-Za-z]+|[^\W\d_])[₀-₉\u0300-\u036f]*|‖[^‖]*‖|\w+\([^()]*\)"

SINGLE = rf"√?(?:{ATOM}|\([^()]*\))[²³]?"  # what needs no parentheses below a line


def closed(text: str) -> bool:
    """Whether every parenthesis in a text has its partner there."""
    depth = 0
    for c in text:
        depth += (c == "(") - (c == ")")
        if depth < 0:
            return False
    return depth == 0


def flat(text: str) -> str:
    """A text with what stands in parentheses left out."""
    found, depth = "", 0
    for c in re.sub(r"‖[^‖]*‖|\|[^|]*\|", "‖‖", text):
        depth -= c == ")"
        found += c if depth == 0 else ""
        depth += c == "("
    return found


def digits(number: float) -> str:
    """A number with six digits, or the fraction that these digits mean.

    >>> digits(0.333333), digits(0.5), digits(0.707107), digits(0.000714286)
    ('1/3', '0.5', '0.707107', '1/1400')
    """
    decimal = f"{number:g}"
    if len(decimal.replace(".", "").lstrip("0")) < 5:
        return decimal
    for fraction in (Fraction(number).limit_denominator(100), Fraction(1, max(1, round(1 / number)))):
        if fraction.denominator <= 10_000 and abs(float(fraction) - number) <= 2e-6 * abs(number):
            return str(fraction)
    return decimal
