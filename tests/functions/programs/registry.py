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


def more_data():
    """A generator; vectors of 3, 4, 5, 6 and 8 numbers, and of positive ones; matrices of 3 × 3, 3 × 4, 4 × 3, 2 × 2."""
    rng = np.random.default_rng(3)
    return (
        rng,
        [rng.normal(size=n) for n in (3, 4, 5, 6, 8)],
        [rng.uniform(0.3, 2, size=n) for n in (3, 4, 5, 6, 8)],
        [rng.normal(size=shape) for shape in ((3, 3), (3, 4), (4, 3), (2, 2))],
    )
