"""The oracle: random formulas that know what they mean, and Jacobians written out from them, label by label.

A formula is drawn as a structure (labels, sizes, axes), from which both its text, for the library, and its dense twin
are made. Nothing here parses anything. All numbers are small integers, so that results are equal and not only close.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from math import prod

import numpy as np
from hypothesis import strategies as st

from jacobians import Jacobian, term

LETTERS = {0: "z", 1: "ab", 2: "ijkl", 3: "pqrs"}  # the size of a label can be read off it
SIZES = {letter: size for size, letters in LETTERS.items() for letter in letters}
DTYPES = [np.int64, np.int64, np.int32, np.int8, np.uint8, np.uint64]


@dataclass
class Place:
    """An axis: the label (or the affine map or the array looked up) that says the position."""

    text: str
    labels: tuple[str, ...]
    steps: tuple[int, ...] = (1,)
    offset: int = 0
    lookup: np.ndarray | None = None

    def at(self, values):
        if self.lookup is not None:
            return int(self.lookup[tuple(values[i] for i in self.labels)])
        return self.offset + sum(c * values[i] for c, i in zip(self.steps, self.labels, strict=True))


@dataclass
class Formula:
    """A term: its factors (text, labels and array) and the places of its axes; `sizes` has every label."""

    out: list[Place]
    wrt: list[Place]
    factors: list[tuple[str, tuple[str, ...], np.ndarray]] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=lambda: dict(SIZES))

    @property
    def text(self):
        sides = ["".join(p.text for p in side) for side in (self.out, self.wrt)]
        return f"{' '.join(text for text, *_ in self.factors)} -> {';'.join(sides)}"

    @property
    def arrays(self):
        lookups = {p.text: p.lookup for p in (*self.out, *self.wrt) if p.lookup is not None}
        return [*(a for *_, a in self.factors), *lookups.values()]

    @property
    def labels(self):
        found = [i for _, labels, _ in self.factors for i in labels]
        return list(dict.fromkeys([*found, *(i for p in (*self.out, *self.wrt) for i in p.labels)]))

    def dense(self, shape, ones=False):
        """Σ over all values of all labels of the product of the factors, added at the positions of the axes."""
        total = np.zeros(shape)
        labels = self.labels
        for numbers in product(*(range(self.sizes[i]) for i in labels)):
            values = dict(zip(labels, numbers, strict=True))
            position = tuple(p.at(values) for p in (*self.out, *self.wrt))
            if all(0 <= p < n for p, n in zip(position, shape, strict=True)):
                total[position] += (
                    1
                    if ones
                    else prod(int(array[tuple(values[i] for i in carried)]) for _, carried, array in self.factors)
                )
        return total


def numbers(random, shape):
    """Small integers that are not zero."""
    return np.array([random.choice([-2, -1, 1, 2, 3]) for _ in range(prod(shape))], float).reshape(shape)


def place(random, size, lookups, maps=True):
    """A random axis of this size."""
    kind = random.choice(["letter"] * 3 + ["affine", "lookup"]) if maps else "letter"
    if kind == "affine":
        labels = random.sample("abijklpqrs", random.choice([0, 1, 1, 2]))
        steps = [random.choice([1, 1, 2, -1, 3]) for _ in labels]
        offset = random.randint(-1, 2)
        parts = [
            f"{c:+d}{i}" if abs(c) > 1 else f"{'+' if c > 0 else '-'}{i}" for c, i in zip(steps, labels, strict=True)
        ]
        text = "".join(parts)
        return Place(f"({text.lstrip('+')}{offset:+d})" if text else f"({offset})", tuple(labels), tuple(steps), offset)
    if kind == "lookup" and lookups and random.random() < 0.2:
        return random.choice(lookups)
    if kind == "lookup":
        labels = tuple(random.sample("ipaq", random.choice([1, 1, 2])))
        shape, dtype = [SIZES[i] for i in labels], random.choice(DTYPES)
        low = 0 if np.dtype(dtype).kind == "u" else -1
        array = np.array([random.randint(low, size) for _ in range(prod(shape))], dtype).reshape(shape)
        lookups.append(Place(f"(n{len(lookups)}_{''.join(labels)})", labels, lookup=array))
        return lookups[-1]
    label = random.choice(LETTERS[size])
    return Place(label, (label,))


def formula(random, out_shape, wrt_shape, maps=True):
    """A random formula for these shapes."""
    lookups: list[Place] = []
    found = Formula(*([place(random, n, lookups, maps) for n in shape] for shape in (out_shape, wrt_shape)))
    near = [i for p in (*found.out, *found.wrt) for i in p.labels] or ["i"]
    for k in range(random.randint(0, 3)):
        labels = tuple(random.choice([*near, "i", "p", "a"]) for _ in range(random.randint(0, 3)))
        array = numbers(random, [SIZES[i] for i in labels])
        found.factors.append((f"{'ABC'[k]}_{''.join(labels)}" if labels else "ABC"[k], labels, array))
    known = {i for _, labels, _ in found.factors for i in labels}
    known |= {p.text for p in (*found.out, *found.wrt)} | {i for p in lookups for i in p.labels}
    unknown = tuple(sorted(set(found.labels) - known))
    if unknown:  # a label that only index maps use gets its size from a factor
        found.factors.append((f"D_{''.join(unknown)}", unknown, numbers(random, [SIZES[i] for i in unknown])))
    return found


def draw(random, out_shape, wrt_shape, maps=True):
    """A random sum of terms: the Jacobian, its dense twin, and how many entries can be different from zero."""
    total, shape = None, out_shape + wrt_shape
    twin, reached = np.zeros(shape), np.zeros(shape)
    for _ in range(random.choice([1, 1, 2, 2, 3])):
        one = formula(random, out_shape, wrt_shape, maps)
        coefficient = random.choice([1, -1, 0.5])
        written = coefficient * term(one.text, *one.arrays)
        total = written if total is None else total + written
        twin += coefficient * one.dense(shape)
        reached += one.dense(shape, ones=True)
    J = total.bind(out_shape, wrt_shape)
    assert isinstance(J, Jacobian)
    return J, twin, np.count_nonzero(reached)


@st.composite
def jacobians(draw_from, out_shape, wrt_shape, maps=True):
    """A random sum of terms, and its dense twin."""
    return draw(draw_from(st.randoms(use_true_random=False)), out_shape, wrt_shape, maps)[:2]


shapes = st.lists(st.sampled_from([1, 2, 2, 3, 3]), max_size=3).map(tuple)


def random_shape(random, most=3):
    """A shape, now and then with an axis of size 0."""
    return tuple(random.choice([1, 2, 2, 2, 3, 3, 3] * 8 + [0]) for _ in range(random.randint(0, most)))
