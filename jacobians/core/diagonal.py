"""`Diagonal`: a Jacobian ± d_i δ_ij, as an entry of a table.

Functions of every entry by itself, and of two arrays entry by entry, have no others. What stands in a table is computed
where it is asked for: of x / 2, nobody differentiates by 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians.core.terms import Terms, term
from jacobians.engine.tape import Array

Numbers = tuple[int, ...]


class Diagonal:
    """∂z_i/∂x_j = ± d_i δ_ij, in axes that broadcast.

    Parameters
    ----------
    symbol
        What d is called in formulas; nothing where it is 1.
    entries
        The function of the inputs and the output that gives d.
    sign
        1 or −1.
    """

    __slots__ = ("entries", "formula", "sign")

    def __init__(self, symbol: str = "", entries: Callable[..., Any] | None = None, sign: int = 1) -> None:
        self.formula = f"{symbol}_... -> ...;..." if symbol else "-> ...;..."
        self.entries, self.sign = entries, sign

    def terms(self, inputs_and_output: tuple[Any, ...]) -> Terms:
        """The Jacobian as `Layer.local` gives it."""
        arrays = () if self.entries is None else (self.entries(*inputs_and_output),)
        return self.sign * term(self.formula, *arrays)

    def written(self, inputs_and_output: tuple[Any, ...], arrays: list[Array], numbers: dict[int, int]) -> Any:
        """What is written of it, as short as possible, and read by `spelled`; a new array is put on the list."""
        if self.entries is None:
            return self, ()
        array = self.entries(*inputs_and_output)
        if type(array) is not np.ndarray:
            if type(array) is not np.float64:
                return self.terms(inputs_and_output).pattern(arrays, numbers), ()
            array = np.asarray(array)
        number = numbers.get(id(array))
        if number is None:
            number = numbers[id(array)] = len(arrays)
            arrays.append(array)
        return self, (array.shape, number)


def spelled(written: Any, of: tuple[Any, ...]) -> tuple[Any, Numbers]:
    """The pattern of what is written, or the form, and the numbers of the form's arrays."""
    if type(written) is not Diagonal:
        return written, of
    if not of:
        return ((written.sign, written.formula, (), ()),), ()
    shape, number = of
    return ((written.sign, written.formula, (shape,), (number,)),), ()


class Diagonals(dict[str, Diagonal]):
    """The diagonal Jacobians of a layer, by its arguments; it does not change, and is what it is by its identity."""

    __slots__ = ()
    __hash__ = object.__hash__  # type: ignore[assignment]  # a dict has none
    __eq__ = object.__eq__

    def __setitem__(self, name: str, diagonal: Diagonal) -> None:
        raise TypeError("a table of diagonals does not change: make another one")


def table(**by: Diagonal) -> Diagonals:
    """The diagonal Jacobians of a layer, by its arguments."""
    return Diagonals(by)


def diagonal_terms(diagonals: Diagonals, *inputs_and_output: Any) -> dict[str, Terms]:
    """The Jacobians by all arguments."""
    return {name: one.terms(inputs_and_output) for name, one in diagonals.items()}
