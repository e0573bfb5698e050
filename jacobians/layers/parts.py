"""Complex values as pairs of real ones: layers that put the parts together, and that take a layer apart.

A holomorphic layer z = f(w) with the Jacobian J takes parts to parts (the equations of Cauchy and Riemann):

    ∂Re z/∂Re w = Re J    ∂Re z/∂Im w = −Im J    ∂Im z/∂Re w = Im J    ∂Im z/∂Im w = Re J
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import numpy as np

from jacobians.core.applying import forwarded
from jacobians.core.jacobian import Jacobian
from jacobians.core.layer import Array, Layer, Local
from jacobians.core.terms import Terms, term
from jacobians.notation.parse import parse


class Complex(Layer):
    """z = x + i y, for real x and y; or x − i y."""

    sign: int = 1

    def forward(self, x: Array, y: Array) -> Array:
        return np.asarray(x + 1j * (self.sign * y))

    def local(self, x: Array, y: Array, z: Array) -> Local:
        return {"x": term("-> ...;..."), "y": (1j * self.sign) * term("-> ...;...")}


class Part(Layer):
    """The real or the imaginary part of a holomorphic layer, with real inputs: the parts of those that are complex."""

    layer: Any
    imaginary: bool
    split: Sequence[bool]

    @property
    def input_names(self) -> tuple[str, ...]:
        """Of every input that is split, the real part and the imaginary part."""
        names: list[str] = []
        for name, split in zip(self.layer.input_names, self.split, strict=True):
            names += [name, f"{name}'"] if split else [name]
        return tuple(names)

    @property
    def output_name(self) -> str:
        """As the output of the layer."""
        name: str = self.layer.output_name
        return name

    def _whole(self, inputs: Sequence[Any]) -> list[Any]:
        """The inputs of the layer."""
        rest = iter(inputs)
        return [next(rest) + 1j * next(rest) if split else next(rest) for split in self.split]

    def forward(self, *inputs: Array) -> Array:
        z = self.layer.forward(*self._whole(inputs))
        return np.asarray(z.imag if self.imaginary else z.real).copy()

    def local(self, *inputs_and_z: Array) -> Local:
        inputs = self._whole(inputs_and_z[:-1])
        local = self.layer.local(*inputs, forwarded(self.layer, inputs))
        found = {}
        for name, split in zip(self.layer.input_names, self.split, strict=True):
            if name in local:
                found[name] = part(local[name], self.imaginary)
                if split:  # by Cauchy and Riemann
                    found[f"{name}'"] = part(local[name], False) if self.imaginary else -1 * part(local[name], True)
        return found


def part(J: Terms | Jacobian | Array, imaginary: bool) -> Any:
    """The real or the imaginary part of a local Jacobian."""
    if isinstance(J, Terms):
        return Terms(tuple(one for written in J.written for one in _written(*written, imaginary)))
    full = J.full() if isinstance(J, Jacobian) else J
    return np.imag(full) if imaginary else np.real(full)


def _written(coefficient: Any, formula: str, arrays: Sequence[Any], imaginary: bool) -> Iterable[tuple[Any, str, Any]]:
    """The part of one term: a product of complex factors is multiplied out."""
    factors, count = parse(formula).factors, len(parse(formula).factors)
    right = formula.partition("->")[2]
    choices = [
        (("Re", np.real), ("Im", np.imag)) if array.dtype.kind == "c" else (("", None),) for array in arrays[:count]
    ]
    for chosen in product(*choices):
        turned = coefficient * 1j ** sum(name == "Im" for name, _ in chosen)
        number = complex(turned).imag if imaginary else complex(turned).real
        if number:
            names = [f"{name}({f.name})" if name else f.name for (name, _), f in zip(chosen, factors, strict=True)]
            labels = ["".join(f.labels) for f in factors]
            text = " ".join(f"{name}_{one}" if one else name for name, one in zip(names, labels, strict=True))
            taken = [a if take is None else take(a).copy() for (_, take), a in zip(chosen, arrays, strict=False)]
            yield number, f"{text} ->{right}", (*taken, *arrays[count:])
