"""What the `local` of a layer gives, as patterns and arrays; where it gives something else, an error that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np

from jacobians.core.jacobian import Jacobian
from jacobians.core.nodes import Node, Numbers
from jacobians.core.terms import Terms
from jacobians.engine.tape import Array
from jacobians.errors import locate
from jacobians.notation.structure import Form


def local_patterns(
    values: Sequence[Array], node: Node, local: Any, depends: Set[int] | None, arrays: list[Array],
    numbers: dict[int, int],
) -> list[tuple[Any, ...]]:  # fmt: skip
    """The patterns of the local Jacobians by all arguments that depend on something; arrays are put on the list."""
    if type(local) is not dict and not isinstance(local, Mapping):
        problem = f'local must give a dict with an entry for every argument, {{"x": term(…), …}}; it gives {local!r}'
        raise located(node, problem)
    found: list[tuple[Any, ...]] = []
    for name, number in zip(node.names, node.numbers, strict=True):
        if depends is None or number in depends:
            one = local.get(name)
            if type(one) is Terms:
                if one.written:  # a sum of no terms is zero
                    found.append((name, number, one.pattern(arrays, numbers), ()))
            else:
                found.append((name, number, *_given(values, node, name, one, number, arrays)))
    return found


def _given(
    values: Sequence[Array], node: Node, name: str, written: Any, number: int, arrays: list[Array]
) -> tuple[Form, Numbers]:
    """A local Jacobian that is one already, or an array of all its entries."""
    layer, out_name = type(node.layer).__name__, node.layer.output_name
    output, argument = values[node.value], values[number]
    if written is None:
        known = ", ".join(map(repr, node.layer.local(*node.inputs, output))) or "nothing"
        problem = f"there is no derivative by {name!r}: {layer}.local gives {known}"
        raise located(node, problem)
    if isinstance(written, np.ndarray):
        if written.shape != output.shape + argument.shape:
            needed = output.shape + argument.shape
            problem = f"∂{out_name}/∂{name} must be an array of shape {needed}; it is {written.shape}"
            raise located(node, problem)
        written = Jacobian.from_array(written, output.ndim)
    if not isinstance(written, Jacobian):
        problem = (
            f"∂{out_name}/∂{name} must be written with term(…), or be a Jacobian or an array; "
            f"{layer}.local gives a {type(written).__name__}"
        )
        raise located(node, problem)
    if (written.out_shape, written.wrt_shape) != (output.shape, argument.shape):
        raise located(
            node, f"∂{out_name}/∂{name} must be {output.shape} × {argument.shape}; "
            f"it is {written.out_shape} × {written.wrt_shape}"
        )  # fmt: skip
    first = len(arrays)
    arrays += written.arrays
    return written.form, tuple(range(first, len(arrays)))


def located(node: Node, problem: str) -> ValueError:
    """An error of a layer, with the path to it."""
    error = ValueError(f"{type(node.layer).__name__}: {problem}")
    return locate(node.path.rstrip("."), error) if node.path.rstrip(".") else error
