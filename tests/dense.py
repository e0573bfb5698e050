"""The oracle: a Jacobian written out from its formula, entry by entry, with loops and nothing else."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
from hypothesis import strategies as st

from jacobians import Jacobian, term
from jacobians.notation.parse import parse

LETTERS = {0: "z", 1: "ab", 2: "ijkl", 3: "pqrs"}  # the size of a label can be read off it
SIZES = {letter: size for size, letters in LETTERS.items() for letter in letters}


def dense(formula, arrays, out_shape, wrt_shape):
    """Σ over all values of all labels of the product of the factors, added at the positions of the axes."""
    parsed = parse(formula)
    count = len(parsed.factors)
    lookups = {f.name: (f.labels, a) for f, a in zip(parsed.arrays[count:], arrays[count:], strict=True)}
    labels = dict.fromkeys(label for f in parsed.arrays for label in f.labels)
    for axis in parsed.out + parsed.wrt:
        labels.update(dict.fromkeys([axis.letter] if axis.letter else [label for label, _ in axis.steps]))
    total = np.zeros(out_shape + wrt_shape, np.result_type(float, *arrays[:count]))
    for values in product(*(range(SIZES[label]) for label in labels)):
        at = dict(zip(labels, values, strict=True))
        position = []
        for axis in parsed.out + parsed.wrt:
            if axis.lookup is not None:
                names, array = lookups[axis.lookup.name]
                position.append(array[tuple(at[i] for i in names)])
            elif axis.letter:
                position.append(at[axis.letter])
            else:
                position.append(axis.offset + sum(c * at[i] for i, c in axis.steps))
        if all(0 <= p < n for p, n in zip(position, total.shape, strict=True)):
            value = 1.0
            for factor, array in zip(parsed.factors, arrays, strict=False):
                value = value * array[tuple(at[i] for i in factor.labels)]
            total[tuple(position)] += value
    return total


@st.composite
def one_term(draw, out_shape, wrt_shape, maps=True):
    """A random formula for these shapes, and its arrays."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lookups = []

    def axis(size):
        kind = draw(st.sampled_from(["letter"] * 3 + ["affine", "lookup"] if maps else ["letter"]))
        every = "abijklpqrs"
        if kind == "affine":
            steps = [
                (draw(st.sampled_from(every)), draw(st.sampled_from([1, 2, -1])))
                for _ in range(draw(st.integers(0, 2)))
            ]
            text = "".join(f"{c:+d}{i}" if abs(c) > 1 else f"{'+' if c > 0 else '-'}{i}" for i, c in steps)
            return f"({text}{draw(st.integers(-1, 2)):+d})".replace("(+", "(")
        if kind == "lookup":
            labels = "".join(draw(st.permutations("ipa")))[: draw(st.integers(0, 2))]
            name = f"n{len(lookups)}"
            if not labels:
                return draw(st.sampled_from(LETTERS[size]))
            lookups.append(rng.integers(-1, size + 1, [SIZES[i] for i in labels]))
            return f"({name}_{labels})"
        return draw(st.sampled_from(LETTERS[size]))

    out, wrt = "".join(axis(n) for n in out_shape), "".join(axis(n) for n in wrt_shape)
    near = [c for c in out + wrt if c in SIZES] or ["i"]
    factors, arrays = [], []
    for k in range(draw(st.integers(0, 3))):
        labels = "".join(draw(st.sampled_from([*near, "i", "p", "a"])) for _ in range(draw(st.integers(0, 3))))
        factors.append(f"{'ABC'[k]}_{labels}" if labels else "ABC"[k])
        arrays.append(rng.normal(size=[SIZES[i] for i in labels]))
    known = {c for side in (out, wrt) for c in re.sub(r"\([^()]*\)", "", side)} | {c for f in factors for c in f[2:]}
    unknown = "".join(sorted({c for c in re.sub(r"n\d_", "", out + wrt) if c in SIZES} - known))
    if unknown:  # a label that only index maps use gets its size from a factor
        factors.append(f"D_{unknown}")
        arrays.append(rng.normal(size=[SIZES[i] for i in unknown]))
    return f"{' '.join(factors)} -> {out};{wrt}", [*arrays, *lookups]


@st.composite
def jacobians(draw, out_shape, wrt_shape, maps=True):
    """A random sum of terms: the Jacobian and its dense twin."""
    total, twin = None, np.zeros(out_shape + wrt_shape)
    for _ in range(draw(st.integers(1, 2))):
        formula, arrays = draw(one_term(out_shape, wrt_shape, maps))
        coefficient = draw(st.sampled_from([1, -1, 0.5]))
        one = coefficient * term(formula, *arrays)
        total = one if total is None else total + one
        twin = twin + coefficient * dense(formula, arrays, out_shape, wrt_shape)
    J = total.bind(out_shape, wrt_shape)
    assert isinstance(J, Jacobian)
    return J, twin


shapes = st.lists(st.sampled_from([1, 2, 2, 3, 3]), max_size=3).map(tuple)
