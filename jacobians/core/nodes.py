"""`Node`: a layer applied to values of a recording; what a recording needs of a layer, and what it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from jacobians.core.diagonal import Diagonals
from jacobians.core.jacobian import Jacobian
from jacobians.core.terms import Terms
from jacobians.engine.tape import Array
from jacobians.notation.naming import Naming
from jacobians.notation.structure import Shape


class Differentiable(Protocol):
    """What a recording needs of a layer; `Layer` says what each of these is."""

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs."""

    @property
    def output_name(self) -> str:
        """The name of the output."""

    @property
    def operation(self) -> str:
        """What it does, as `jacobians.notation.expressions` reads it."""

    @property
    def own_parameters(self) -> Mapping[str, Array]:
        """The arrays to differentiate by."""

    @property
    def diagonals(self) -> Diagonals:
        """Its Jacobians as a table, if they are diagonal."""

    @property
    def chooses(self) -> bool:
        """Whether its Jacobians are ones and zeros."""

    def without_zeros(self, *inputs_and_output: Any) -> Any:
        """The Jacobians without the zeros, of one that chooses."""

    @property
    def holomorphic(self) -> bool:
        """Whether it can be differentiated by complex arguments."""

    def forward(self, *inputs: Any) -> Any:
        """The output."""

    def local(self, *inputs_and_output: Any) -> Mapping[str, Terms | Jacobian | Array]:
        """The Jacobian by every argument."""


class Node(NamedTuple):
    """A layer applied to values: what it took and the number of what it made."""

    layer: Differentiable
    path: str
    names: tuple[str, ...]
    """The names of the arguments that are values of the graph."""

    numbers: tuple[int, ...]
    """The numbers of these values."""

    inputs: tuple[Array, ...]
    value: int

    @property
    def arguments(self) -> tuple[tuple[str, int], ...]:
        """The name of every argument that is a value of the graph, and its number."""
        return tuple(zip(self.names, self.numbers, strict=True))


Numbers = tuple[int, ...]
Written = tuple[Node, int, Shape, np.dtype[Any], Naming, tuple[tuple[Any, ...], ...]]
"""What a node writes: its value's number, shape, dtype and name, and for every argument its name and number, and two
that `spelled` makes the pattern of its terms of, or the form of its Jacobian and the numbers of the form's arrays."""


class Wanted(NamedTuple):
    """A Jacobian that is asked for: ∂value/∂argument, by their numbers, and what they are called."""

    value: int
    argument: int
    value_name: str
    argument_name: str
