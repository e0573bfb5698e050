"""`Chain`: layers one after another, and the chain rule that contracts their Jacobians."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import numpy as np
from numpy.typing import ArrayLike

from jacobians.core.jacobian import Jacobian
from jacobians.core.layer import Array, Layer, Local
from jacobians.core.replay import MOST, Recording, record, replay
from jacobians.core.terms import term
from jacobians.engine import compiler, memory
from jacobians.engine.contract import contract
from jacobians.engine.tape import INSTEAD
from jacobians.errors import locate

if TYPE_CHECKING:
    from jacobians.show.explanation import Explanation


class Chain(Layer):
    """f_K(… f_2(f_1(x))): layers one after another. A chain is itself a layer.

    ∂f_K/∂θ_k = ∂f_K/∂f_{K−1} ⋯ ∂f_{k+1}/∂f_k · ∂f_k/∂θ_k, a contraction over all axes of each f.
    Source: the lecture, gradients of a multi-layer neural network; the note on derivatives of tensors, (4).

    Parameters
    ----------
    *layers
        The layers in order. Their parameters are called ``"0.A"``, ``"0.b"``, ``"2.A"``, …
    **named
        More layers, with names for their paths: ``Chain(hidden=Affine(A, b))`` has ``"hidden.A"``.

    Examples
    --------
    >>> from jacobians import Affine, Tanh
    >>> net = Chain(Affine([[1, 2], [3, 4], [5, 6]], [0, 0, 0]), Tanh())
    >>> {name: J.shape for name, J in net.jacobians([0.1, 0.2]).items()}
    {'x': (3, 2), '0.A': (3, 3, 2), '0.b': (3, 3)}
    """

    holomorphic = True

    def __init__(self, *layers: Layer, **named: Layer) -> None:
        every = {str(k): layer for k, layer in enumerate(layers)} | named
        for name, layer in every.items():
            if not isinstance(layer, Layer):
                raise ValueError(
                    f"Chain: layer {name} is a {type(layer).__name__}, not a Layer (is it missing its ()?)"
                )
        if not every:
            raise ValueError("Chain: there must be at least one layer")
        for name, layer in list(every.items())[1:]:
            if len(layer.input_names) != 1:
                raise ValueError(
                    f"Chain: layer {name} ({type(layer).__name__}) takes {len(layer.input_names)} inputs, not one"
                )
        object.__setattr__(self, "layers", MappingProxyType(every))
        object.__setattr__(self, "_recordings", {})

    layers: Mapping[str, Layer]
    """The layers by name, in order."""

    _recordings: dict[Any, Recording]

    def __reduce__(self) -> tuple[object, ...]:
        return _chain_of, (dict(self.layers),)

    # -- as a sequence of layers ---------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers.values())

    @overload
    def __getitem__(self, key: int | str) -> Layer: ...
    @overload
    def __getitem__(self, key: slice) -> Chain: ...
    def __getitem__(self, key: int | str | slice) -> Layer:
        """A layer by number or name; a slice is a chain, so that ∂f_3/∂f_1 is ``chain[1:3].jacobians(f_1)["x"]``."""
        if isinstance(key, slice):
            return _chain_of(dict(list(self.layers.items())[key]))
        if isinstance(key, str):
            if key not in self.layers:
                raise KeyError(f"the chain has no layer {key!r}; it has {', '.join(self.layers)}")
            return self.layers[key]
        return list(self.layers.values())[key]

    def __repr__(self) -> str:
        shown = [repr(la) if name.isdigit() else f"{name}={la!r}" for name, la in self.layers.items()]
        return f"Chain({', '.join(shown)})"

    # -- as a layer ----------------------------------------------------------------------------------------------------

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs: those of the first layer."""
        return next(iter(self)).input_names

    @property
    def parameters(self) -> dict[str, Array]:
        """The parameters of all layers, by dotted path."""
        return {f"{name}.{p}": value for name, layer in self.layers.items() for p, value in layer.parameters.items()}

    def with_parameters(self, parameters: Mapping[str, ArrayLike]) -> Self:
        """A new chain in which these parameters are replaced."""
        self._require_replaceable(parameters)
        groups: dict[str, dict[str, ArrayLike]] = {}
        for path, value in parameters.items():
            name, _, rest = path.partition(".")
            groups.setdefault(name, {})[rest] = value
        changed = {name: layer.with_parameters(groups[name]) if name in groups else layer
                   for name, layer in self.layers.items()}  # fmt: skip
        return _chain_of(changed)  # type: ignore[return-value]  # a Chain, which Self cannot say

    def __call__(self, *inputs: ArrayLike) -> Any:
        """The last output."""
        return self.forward(*inputs)[-1]

    def forward(self, *inputs: ArrayLike) -> list[Any]:
        """All values f_0 = x, f_1, …, f_K; f_0 is a tuple if the first layer takes several inputs."""
        values: list[Any] = [self._prepared(inputs)]
        for name, layer in self.layers.items():
            try:
                values.append(layer(*values[-1]) if len(values) == 1 else layer(values[-1]))
            except ValueError as error:
                raise locate(name, error) from error
        if len(values[0]) == 1:
            values[0] = values[0][0]
        return values

    def deltas(self, *inputs: ArrayLike) -> list[Array]:
        """The δ_K, …, δ_1 of backpropagation: δ_k = ∂f_K/∂f_k = δ_{k+1} ∂f_{k+1}/∂f_k, and δ_K is the identity.

        With a loss as last layer, δ_k is the gradient of the loss with respect to f_k. Source: the lecture,
        backpropagation.
        """
        _, links = self._links(self._prepared(inputs), None, nested=False)
        first = next(iter(links[-1].jacobians.values()))
        deltas = [term("-> ...;...").bind(first.out_shape, first.out_shape, first.dtype)]
        for link in reversed(links[1:]):
            (by_input,) = link.inputs.values()
            deltas.append(deltas[-1] @ by_input)
        return [delta.full() for delta in deltas]

    def jacobians(
        self, *inputs: ArrayLike, wrt: str | Iterable[str] | None = None, method: Literal["auto", "explicit"] = "auto"
    ) -> dict[str, Array]:
        """The full Jacobian tensors of the last output with respect to x and every parameter.

        Parameters
        ----------
        *inputs
            The inputs of the first layer.
        wrt
            The name of an input or parameter (``"0.A"``), or several; all by default.
        method
            ``"auto"`` keeps structure until the end. ``"explicit"`` writes every local tensor in full and contracts
            them with ``opt_einsum.contract``, as the lecture does: the reference that ``"auto"`` is tested against.
        """
        if method not in ("auto", "explicit"):
            raise ValueError(f'Chain: method must be "auto" or "explicit", not {method!r}')
        names = self._selected(wrt)
        given = tuple([x for x in inputs if type(x) is np.ndarray])
        if self._recordings and len(given) == len(inputs):
            recording = self._recordings.get((names, method, *[(x.shape, x.dtype) for x in given]))
            if recording is not None and (found := replay(recording, given)) is not None:
                return dict(zip(recording.plan.names, found, strict=True))
        arrays = self._prepared(inputs)
        outputs, links = self._links(arrays, names)
        plan = self._plan(links, names, full=method == "auto")
        if method == "explicit":
            return {name: _contracted(factors) for name, factors in self._products(links, plan.names).items()}
        plan.program.require_memory()
        exact = all(x.dtype.kind == "f" for x in arrays) and len(self._recordings) < MOST
        if exact and plan.program.needed <= memory.SMALL and (recording := record(links, outputs, plan)) is not None:
            self._recordings[(names, method, *[(x.shape, x.dtype) for x in arrays])] = recording
        return dict(zip(plan.names, plan.program([a for link in links for a in link.arrays]), strict=True))

    def explain(self, *inputs: ArrayLike, wrt: str | None = None) -> Explanation:
        """The derivation of one Jacobian: local Jacobians, einsum string, order of contraction, cost and result.

        Parameters
        ----------
        *inputs
            The inputs of the first layer.
        wrt
            What to differentiate by, such as ``"0.A"``; the first parameter (or x) by default.
        """
        from jacobians.show.explanation import explain

        return explain(self, *inputs, wrt=wrt)

    # -- how -----------------------------------------------------------------------------------------------------------

    def _prepared(self, inputs: tuple[ArrayLike, ...]) -> tuple[Array, ...]:
        first, layer = next(iter(self.layers.items()))
        try:
            return layer._prepared(inputs)
        except ValueError as error:
            raise locate(first, error) from error

    def _links(
        self, inputs: tuple[Array, ...], names: tuple[str, ...] | None, prefix: str = "", nested: bool = True
    ) -> tuple[list[Any], list[Link]]:
        """The outputs of all layers, and their local Jacobians as far as they are needed; nested chains are opened."""
        outputs: list[Any] = []
        links: list[Link] = []
        needed = names is None or any(n in self.input_names for n in names)
        for k, (name, layer) in enumerate(self.layers.items()):
            wanted: tuple[str, ...] | None = None
            if names is not None:
                own = tuple(n[len(name) + 1 :] for n in names if n.startswith(f"{name}."))
                wanted = (
                    tuple(n for n in self.input_names if n in names) if not k else layer.input_names if needed else ()
                ) + own
                needed = needed or bool(own)
            path = f"{prefix}{name}."
            try:
                values = layer._prepared(inputs) if k else inputs
                if nested and isinstance(layer, Chain):
                    inner, more = layer._links(values, wanted, path)
                    outputs += inner
                    links += more
                else:
                    local: Local | None = None
                    if type(layer)._linearized is Layer._linearized:
                        output, local = layer._written(values)
                        jacobians = layer._bound_to(values, output, local, wanted)
                    else:
                        output, jacobians = layer._linearized(values, wanted)
                    outputs.append(output)
                    links.append(Link(path, layer, jacobians, local))
            except ValueError as error:
                raise locate(name, error) from error
            inputs = (outputs[-1],)
        return outputs, links

    def _linearized(self, inputs: tuple[Array, ...], names: tuple[str, ...] | None) -> tuple[Any, dict[str, Jacobian]]:
        outputs, links = self._links(inputs, names)
        plan = self._plan(links, names, full=False)
        values = plan.program([a for link in links for a in link.arrays])
        return outputs[-1], {name: Jacobian(form, tuple([values[k] for k in numbers]))
                             for name, (form, numbers) in zip(plan.names, plan.results, strict=True)}  # fmt: skip

    def _plan(self, links: list[Link], names: tuple[str, ...] | None, full: bool) -> compiler.Plan:
        """The compiled products of the local Jacobians."""
        try:
            return compiler.plan(tuple([link.forms for link in links]), names, full)
        except compiler.UnknownName as error:
            raise ValueError(f"{type(self).__name__} has no derivative by {error}") from error

    def _products(self, links: list[Link], names: tuple[str, ...]) -> dict[str, list[Jacobian]]:
        """For every Jacobian asked for the local ones whose product it is, from the output to the argument."""
        found: dict[str, list[Jacobian]] = {}
        path: list[Jacobian] = []
        for link in reversed(links):
            found |= {f"{link.path}{p}": [*path, J] for p, J in link.parameters.items()}
            if link is not links[0]:
                path = [*path, *link.inputs.values()]
        found |= {name: [*path, J] for name, J in links[0].inputs.items()}
        return {name: found[name] for name in names}


class Link:
    """A layer of an opened chain with its local Jacobians, bound and (where it only writes terms) as written."""

    __slots__ = ("jacobians", "layer", "local", "path")

    def __init__(self, path: str, layer: Layer, jacobians: dict[str, Jacobian], local: Local | None) -> None:
        self.path, self.layer, self.jacobians, self.local = path, layer, jacobians, local

    @property
    def inputs(self) -> dict[str, Jacobian]:
        """With respect to the inputs of the layer."""
        return {n: J for n, J in self.jacobians.items() if n in self.layer.input_names}

    @property
    def parameters(self) -> dict[str, Jacobian]:
        """With respect to the parameters of the layer."""
        return {n: J for n, J in self.jacobians.items() if n not in self.layer.input_names}

    @property
    def forms(self) -> compiler.LinkForms:
        """What the engine has to know."""
        inputs = self.layer.input_names
        return tuple([(n if n in inputs else self.path + n, n in inputs, J.form) for n, J in self.jacobians.items()])

    @property
    def arrays(self) -> list[Array]:
        """The arrays of all the Jacobians, in order."""
        return [a for J in self.jacobians.values() for a in J.arrays]


def _contracted(factors: Sequence[Jacobian]) -> Array:
    """The product of full tensors, as the lecture does it."""
    shape, dtype = factors[0].out_shape + factors[-1].wrt_shape, np.result_type(*(J.dtype for J in factors))
    memory.require(shape, dtype, "the full Jacobian", INSTEAD)
    return contract(subscripts(factors), *(J.full() for J in factors))


def _chain_of(layers: dict[str, Layer]) -> Chain:
    """A chain of layers that keep their names (positions change where a chain is sliced)."""
    names = list(layers)
    if all(name.isdigit() for name in names):
        return Chain(*layers.values())
    chain = Chain(**{f"_{k}" if name.isdigit() else name: layer for k, (name, layer) in enumerate(layers.items())})
    renamed = {str(k) if name.isdigit() else name: layer for k, (name, layer) in enumerate(layers.items())}
    object.__setattr__(chain, "layers", MappingProxyType(renamed))
    return chain


def subscripts(factors: Sequence[Jacobian]) -> str:
    """The einsum string of a product of Jacobians, as in ``il,ljk->ijk``.

    The axes of the result come first in the alphabet, from i on; then the axes that are summed.
    """
    from opt_einsum.parser import get_symbol

    groups = [factors[0].out_shape, *(f.wrt_shape for f in factors)]
    count = 0
    words = [""] * len(groups)
    for k in (0, len(groups) - 1, *range(1, len(groups) - 1)):
        numbers = range(count, count + len(groups[k]))
        words[k] = "".join(get_symbol((8 + n) % 26 if n < 26 else n) for n in numbers)
        count += len(groups[k])
    return f"{','.join(a + b for a, b in pairwise(words))}->{words[0]}{words[-1]}"
