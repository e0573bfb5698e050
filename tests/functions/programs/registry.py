"""Lists of programs with the arguments that they are called with, and numbers to call them with."""

import numpy as np


class Programs(list):
    """The functions of a module that are programs, each with its arguments."""

    def __call__(self, *arguments):
        def enter(f):
            self.append((f, arguments))
            return f

        return enter


def data():
    """A generator; matrices of 3 × 3 and 4 × 3; vectors of 3, 4 and 6 numbers, and of 4 positive ones."""
    rng = np.random.default_rng(5)
    A, B = rng.normal(size=(3, 3)), rng.normal(size=(4, 3))
    return rng, A, B, rng.normal(size=3), rng.normal(size=4), rng.normal(size=6), rng.uniform(0.5, 1.5, 4)
