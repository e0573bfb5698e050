"""What the values of a chain are called when its derivation is written down: z = Ax + b, f = tanh(z), L.

A layer's output is called what its `local` calls it, a parameter what its field is called. What occurs more than once
in a chain gets a subscript: z₁, f₁, z₂, f₂, A₁, A₂.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import matmul
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from jacobians.core.chain import Chain
from jacobians.core.jacobian import Jacobian
from jacobians.core.layer import Array, Layer
from jacobians.core.residual import Residual
from jacobians.core.terms import term
from jacobians.errors import locate
from jacobians.notation import renaming
from jacobians.notation.renaming import names_in, with_symbols, words

DIGITS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class Link:
    """One layer of a chain with its value and its local Jacobians, all of them named."""

    path: str
    layer: Layer
    value: Array
    name: str
    jacobians: Mapping[str, Jacobian]
    """By argument; an input that is the value before stands under its own name, as in `forward`."""

    arguments: Mapping[str, str]
    """What each input and parameter is called in the chain."""

    inside: tuple[Link, ...] = ()
    """The links of the layer inside a `Residual`."""

    @property
    def previous(self) -> Jacobian | None:
        """The Jacobian with respect to the value before, if there is one."""
        return self.jacobians.get(self.layer.input_names[0])


@dataclass(frozen=True)
class Path:
    """A chain at a point: its links from the input to the output."""

    inputs: Mapping[str, Array]
    links: tuple[Link, ...]

    @property
    def wrt(self) -> Iterator[str]:
        """The names that `wrt` takes, in the order of the chain's own Jacobians."""
        first = self.links[0]
        yield from (n for n in first.layer.input_names if n in first.jacobians)
        for link in self.links:
            own = (p for p in link.jacobians if p not in link.layer.input_names)
            yield from (f"{link.path}.{p}" if link.path else p for p in own)

    def every(self) -> Iterator[Jacobian]:
        """All local Jacobians, those inside of residual layers, too."""
        for link in self.links:
            yield from Path({}, link.inside).every()
            yield from link.jacobians.values()

    def factors(self, wrt: str) -> list[Jacobian]:
        """The local Jacobians whose product is ∂output/∂wrt, from the output to the argument."""
        for k, link in enumerate(self.links):
            for argument, jacobian in link.jacobians.items():
                own = argument in link.layer.input_names
                name = argument if own else f"{link.path}.{argument}" if link.path else argument
                if name == wrt and (not own or k == 0):
                    later = [later.jacobians[later.layer.input_names[0]] for later in reversed(self.links[k + 1 :])]
                    return [*later, jacobian]
        raise ValueError(f"there is no derivative by {wrt!r}: wrt must be of {', '.join(self.wrt)}")


def path_of(layer: Layer, inputs: Iterable[ArrayLike]) -> Path:
    """Run a layer or chain and name everything in it; chains inside chains are written out."""
    nodes = nodes_of("", layer)
    starts = layer.input_names
    found = list(every(nodes))
    values = _numbered([_value_name(n.layer) for n in found], taken=starts)
    own = [(n, p) for n in found if not n.inside for p in n.layer.parameters]
    called = _numbered([p.rpartition(".")[2] for _, p in own], taken=(*starts, *values))
    names = Names(
        {id(n): name for n, name in zip(found, values, strict=True)},
        {(id(n), p): name for (n, p), name in zip(own, called, strict=True)},
    )
    arrays = tuple(inputs)
    links = _run(nodes, arrays, starts, names)
    return Path({name: np.asarray(x) for name, x in zip(starts, arrays, strict=True)}, _apart(links))


@dataclass(frozen=True)
class Node:
    """A layer at its dotted path; a `Residual` has its inner layers inside."""

    path: str
    layer: Layer
    inside: tuple[Node, ...] = ()


class Names(NamedTuple):
    """The name of every node's output, and of every node's parameters."""

    values: Mapping[int, str]
    parameters: Mapping[tuple[int, str], str]


def nodes_of(path: str, layer: Layer) -> tuple[Node, ...]:
    """The layers of a chain, those of inner chains, and residual layers with what is in them."""
    if isinstance(layer, Chain):
        return tuple(n for name, one in layer.layers.items() for n in nodes_of(f"{path}.{name}" if path else name, one))
    return (Node(path, layer, nodes_of("", layer.layer) if isinstance(layer, Residual) else ()),)


def every(nodes: Iterable[Node]) -> Iterator[Node]:
    """Every node, inner ones before the one that they are in."""
    for node in nodes:
        yield from every(node.inside)
        yield node


def _run(nodes: Iterable[Node], arrays: tuple[Any, ...], inputs: tuple[str, ...], names: Names) -> list[Link]:
    """The links for inputs with these values and names."""
    links: list[Link] = []
    for node in nodes:
        try:
            link = _residual(node, arrays, inputs, names) if node.inside else _link(node, arrays, inputs, names)
        except ValueError as error:
            raise (locate(node.path, error) if node.path else error) from error
        links.append(link)
        arrays, inputs = (link.value,), (link.name,)
    return links


def _link(node: Node, arrays: tuple[Any, ...], inputs: tuple[str, ...], names: Names) -> Link:
    layer, value = node.layer, names.values[id(node)]
    output, jacobians = layer.linearize(*arrays)
    called = {p: names.parameters[id(node), p] for p in layer.parameters}
    called |= dict(zip(layer.input_names, inputs, strict=True))
    inside = {p.rpartition(".")[2]: name for p, name in called.items()} | called | {_value_name(layer): value}
    named = {p: renamed(J, value, called[p], inside) for p, J in jacobians.items()}
    return Link(node.path, layer, np.asarray(output), value, named, called)


def _residual(node: Node, arrays: tuple[Any, ...], inputs: tuple[str, ...], names: Names) -> Link:
    """For z = x + f(x) the Jacobians of f come from its own layers, under their names."""
    given = dict(zip(inputs, map(np.asarray, arrays), strict=True))
    path = Path(given, tuple(_run(node.inside, arrays, inputs, names)))
    value, (own,) = names.values[id(node)], node.layer.input_names
    called = {own: inputs[0]}
    jacobians: dict[str, Jacobian] = {}
    for name in path.wrt:
        factors = path.factors(name)
        product, argument = reduce(matmul, factors), factors[-1].form.wrt_name
        if name == own:
            product = product + term("-> ...;...")
        called[name] = argument
        jacobians[name] = product.named(value, argument)
    output = np.asarray(node.layer(*arrays))
    return Link(node.path, node.layer, output, value, jacobians, called, path.links)


def renamed(jacobian: Jacobian, out_name: str, wrt_name: str, names: Mapping[str, str]) -> Jacobian:
    """The Jacobian with its output, its argument and the names in its formula replaced."""
    changed = tuple((old, new) for old, new in names.items() if old != new)
    return Jacobian(renaming.renamed(jacobian.form, changed), jacobian.arrays).named(out_name, wrt_name)


def _value_name(layer: Layer) -> str:
    """What a layer calls its output."""
    name = layer.output_name
    return name if name.isalpha() else "z"  # a layer without a signature of its own


def _numbered(names: list[str], taken: Iterable[str] = ()) -> list[str]:
    """The names; those that occur more than once, or that are taken, with a subscript."""
    counts, so_far = Counter([*names, *taken]), Counter[str]()
    result = []
    for name in names:
        so_far[name] += 1
        result.append(name if counts[name] == 1 else name + str(so_far[name]).translate(DIGITS))
    return result


def _apart(links: list[Link]) -> tuple[Link, ...]:
    """Give different arrays different names, where a layer uses a name for something of its own."""
    known = {name for link in links for name in (link.name, *link.arguments.values())}
    users: dict[str, list[int]] = {}
    for k, link in enumerate(links):
        if isinstance(link.layer, Residual):
            continue  # the names inside are taken care of
        own = {link.name, *link.arguments.values()}
        for name in {n for j in link.jacobians.values() for n in names_in(j.form)}:
            if not set(words(name)) & own and not name.replace(".", "").replace("-", "").isdecimal():
                users.setdefault(name, []).append(k)
    result = []
    for k, link in enumerate(links):
        new = {n: n + str(1 + u.index(k)).translate(DIGITS) for n, u in users.items()
               if k in u and (len(u) > 1 or (known & set(words(n))))}  # fmt: skip
        jacobians = {p: Jacobian(with_symbols(j.form, partial(_looked_up, new)), j.arrays)
                     for p, j in link.jacobians.items()} if new else link.jacobians  # fmt: skip
        result.append(replace(link, jacobians=jacobians))
    return tuple(result)


def _looked_up(names: Mapping[str, str], name: str) -> str:
    return names.get(name, name)
