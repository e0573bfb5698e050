"""A module of a user's, which functions in other modules call: it makes arrays, too."""

from math import sqrt

import numpy as np

WEIGHTS = np.array([0.5, 0.25, 0.25])


def squares(x):
    out = np.zeros(len(x))
    for k in range(len(x)):
        out[k] = x[k] ** 2
    return out


def weighted(x):
    w = WEIGHTS.copy()
    w[0] = x[0]
    return w * x


class Norm:
    def __call__(self, x):
        return sqrt(x @ x)
