"""Every operation on random sums of terms, equal to the same on dense tensors.

Longer by hand: ``CASES=20000 python -m pytest tests/engine/test_random_notations.py``; ``FIRST`` is the first seed.
"""

from __future__ import annotations

import os
from math import prod
from random import Random

import numpy as np
import pytest

from tests.dense import draw, random_shape

FIRST, CASES = int(os.environ.get("FIRST", "0")), int(os.environ.get("CASES", "48"))


def same(found, expected, what):
    np.testing.assert_array_equal(np.asarray(found), expected, err_msg=what)


def random_key(random, shape):
    key = []
    for n in shape:
        if n and random.random() < 0.4:
            key.append(random.randint(-n, n - 1))
        else:
            start, stop = (random.choice([None, *range(-n - 1, n + 2)]) for _ in range(2))
            key.append(slice(start, stop, random.choice([None, 1, 2, -1, -2])))
    return tuple(key)


def case(seed):
    """One random case; what is compared is exact, since all numbers are small integers."""
    random = Random(seed)
    out, middle, wrt = (random_shape(random) for _ in range(3))
    maps = random.random() < 0.9
    (J, left, count), (K, right, _) = draw(random, out, middle, maps), draw(random, middle, wrt, maps)
    (J2, other, _), (L, third, _) = draw(random, out, middle, maps), draw(random, wrt, out, maps)
    rows, columns = prod(out), prod(middle)
    matrix, product = left.reshape(rows, columns), np.tensordot(left, right, len(middle))

    same(J.full(), left, "full")
    same(J.T.full(), left.transpose(*range(len(out), left.ndim), *range(len(out))), "T")
    same(J.matrix(), matrix, "matrix")
    same((J + J2).full(), left + other, "sum")
    same((J - J2).full(), left - other, "difference")
    same((-0.5 * J).full(), -0.5 * left, "multiple")
    P = J @ K
    same(P.full(), product, "product")
    same(((J + J2) @ K).full(), product + np.tensordot(other, right, len(middle)), "product of a sum")
    triple = np.tensordot(product, third, len(wrt))
    same((P @ L).full(), triple, "product from the left")
    same((J @ (K @ L)).full(), triple, "product from the right")
    same(J.gram().matrix(), matrix @ matrix.T, "gram")
    same(J.normal().matrix(), matrix.T @ matrix, "normal")
    np.testing.assert_allclose(J.norm(), np.linalg.norm(matrix), rtol=1e-12)
    h, u = (np.array([random.randint(-3, 3) for _ in range(prod(s))], float).reshape(s) for s in (middle, out))
    same(J @ h, np.tensordot(left, h, len(middle)), "J @ h")
    same(u @ J, np.tensordot(u, left, len(out)), "u @ J")
    assert J.nonzeros == count, "nonzeros"
    sparse = J.sparse()
    same(sparse.toarray(), matrix, "sparse")
    assert sparse.nnz == count
    key = random_key(random, left.shape)
    same(J[key], left[key], f"index {key}")
    key = random_key(random, product.shape)
    same(P[key], product[key], f"index of a product {key}")
    if middle and out:
        batched(random, J, left)


def batched(random, J, left):
    """Examples in front: each one's own Jacobian, for a batch of one, too."""
    from jacobians import term

    for size in (1, 2):
        scale = np.array([random.choice([-1.0, 2.0]) for _ in range(size)])
        letters = iter("cdefghmnoxyw")
        out, wrt = ("".join(next(letters) for _ in shape) for shape in (J.out_shape, J.wrt_shape))
        text = f"s_b J_{out}{wrt} -> b{out};b{wrt}"
        many = term(text, scale, left).bind((size, *J.out_shape), (size, *J.wrt_shape))
        same(many.per_example(), scale.reshape(-1, *[1] * left.ndim) * left, "per_example")


@pytest.mark.parametrize("part", range(4))
def test_every_operation_on_random_notations(part):
    for seed in range(FIRST + part, FIRST + CASES, 4):
        try:
            case(seed)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
