"""The list of all layers, in order, with what their docstrings say and with example arguments.

A layer's docstring begins with its formula; then come its Jacobians, and lines that begin with "Shapes:", "Errors:" and
"Source:". The registry reads them there, so nothing is said twice. The examples are in `jacobians.layers.examples`.

>>> entry("Softmax").formula
'p_i = exp(x_i) / Σ_k exp(x_k) along an axis.'
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from inspect import getdoc

from jacobians import layers
from jacobians.core.layer import Array, Layer
from jacobians.layers.examples import examples as examples_of

Example = tuple[Layer, tuple[Array, ...]]

FAMILIES = {
    "affine": "Affine",
    "entrywise": "Entrywise",
    "activations": "Entrywise, with options",
    "arithmetic": "Two inputs, broadcasting",
    "products": "Products",
    "reductions": "Reductions",
    "reshaping": "Shape",
    "placing": "Positions",
    "softmax": "Softmax",
    "normalization": "Normalisation",
    "convolution": "Convolution",
    "pooling": "Pooling",
    "attention": "Attention",
    "recurrent": "Recurrent",
    "losses": "Losses",
    "probability": "Probability",
    "matrices": "Matrix functions",
    "spectral": "Matrix functions, spectral",
    "decompositions": "Matrix factorisations",
}
"""The module of every family and what it is called, in order."""


@dataclass(frozen=True)
class Entry:
    """A layer as the catalogue lists it."""

    layer: type[Layer]

    @property
    def name(self) -> str:
        """The name of the class."""
        return self.layer.__name__

    @property
    def family(self) -> str:
        """What the module of the layer is about."""
        return FAMILIES[self.layer.__module__.rpartition(".")[2]]

    @property
    def formula(self) -> str:
        """The first line of the docstring."""
        return self._parts()[0]

    @property
    def jacobians(self) -> str:
        """The Jacobians and their derivation, as the docstring has them."""
        return self._parts()[1]

    @property
    def shapes(self) -> str:
        """The shapes of the parameters, the inputs and the output."""
        return self._said("Shapes")

    @property
    def errors(self) -> str:
        """What raises an error, beyond shapes that do not fit."""
        return self._said("Errors")

    @property
    def source(self) -> str:
        """Where the layer is from."""
        return self._said("Source")

    @property
    def examples(self) -> list[Example]:
        """Layers with inputs: several options, sizes that differ from each other, batch axes where there are any."""
        return examples_of(self.name)

    def _parts(self) -> tuple[str, str]:
        text = (getdoc(self.layer) or "").partition("\nExamples\n")[0]
        formula, _, rest = text.partition("\n\n")
        return formula.replace("\n", " "), re.split(r"^\s*(?:Shapes|Errors|Source): ", rest, maxsplit=1, flags=re.M)[
            0
        ].strip()

    def _said(self, what: str) -> str:
        text = (getdoc(self.layer) or "").partition("\nExamples\n")[0]
        found = re.search(rf"^{what}: (.*?)(?=^(?:Shapes|Errors|Source): |^\s*$|\Z)", text, re.M | re.S)
        return " ".join(found[1].split()) if found else ""


@cache
def entries() -> tuple[Entry, ...]:
    """All layers: families in order, and the layers of a family in the order of their module."""
    order = list(FAMILIES)
    every = [Entry(getattr(layers, name)) for name in layers.__all__]
    return tuple(sorted(every, key=lambda e: (order.index(_module(e)), _place(e))))


def entry(name: str) -> Entry:
    """The entry of a layer; a KeyError names those that begin alike."""
    for one in entries():
        if one.name.lower() == name.lower():
            return one
    alike = [one.name for one in entries() if one.name.lower().startswith(name[:2].lower())]
    raise KeyError(f"there is no layer {name!r}" + (f"; do you mean {', '.join(alike)}?" if alike else ""))


def examples() -> Iterator[tuple[str, Layer, tuple[Array, ...]]]:
    """Every example of every layer, with an identifier such as ``Softmax-1``."""
    for one in entries():
        for number, (layer, inputs) in enumerate(one.examples):
            yield f"{one.name}-{number}", layer, inputs


def _module(one: Entry) -> str:
    return one.layer.__module__.rpartition(".")[2]


def _place(one: Entry) -> int:
    """The position of the layer in its module."""
    return list(vars(sys.modules[one.layer.__module__])).index(one.name)
