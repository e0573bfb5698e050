"""Entries of taken entries: of several lookups without a label, none is taken for another."""

import numpy as np

from tests.functions.oracles import right


def test_an_entry_of_taken_entries():
    x = np.arange(4.0).reshape(2, 2)
    right(lambda x: np.ravel(x)[[0, 3, 2, 1]][1], x)
    right(lambda x: np.sort(np.ravel(x))[2] * x[[1, 0]][:, [1, 0]][0, 0], x)
