"""`Chain`: layers one after another, and the chain rule that contracts their Jacobians. `Residual`: x + layer(x)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import numpy as np
from numpy.typing import ArrayLike

from jacobians.contract import contract
from jacobians.jacobian import Jacobian, term
from jacobians.layer import Array, Layer

if TYPE_CHECKING:
    from jacobians.show.explanation import Explanation


class LayerError(ValueError):
    """A layer of a chain does not fit; `path` is its name, dotted where chains are nested."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"in layer {path}: {problem}")
        self.path, self.problem = path, problem

    def __reduce__(self) -> tuple[object, ...]:
        return LayerError, (self.path, self.problem)


def locate(path: str, error: ValueError) -> LayerError:
    """The error of a layer, with the path to it."""
    if isinstance(error, LayerError):
        return LayerError(f"{path}.{error.path}", error.problem)
    return LayerError(path, str(error))


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
                raise ValueError(f"Chain: layer {name} is a {type(layer).__name__}, not a Layer (is it missing its ()?)")
        if not every:
            raise ValueError("Chain: there must be at least one layer")
        for name, layer in list(every.items())[1:]:
            if len(layer.input_names) != 1:
                raise ValueError(f"Chain: layer {name} ({type(layer).__name__}) takes {len(layer.input_names)} inputs, not one")
        object.__setattr__(self, "layers", MappingProxyType(every))

    layers: Mapping[str, Layer]
    """The layers by name, in order."""

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
        return _chain_of(changed)  # type: ignore[return-value]

    def __call__(self, *inputs: ArrayLike) -> Any:
        """The last output."""
        return self.forward(*inputs)[-1]

    def forward(self, *inputs: ArrayLike) -> list[Any]:  # type: ignore[override]
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
        outputs, local = self._locals(self._prepared(inputs), None)
        shape = np.shape(outputs[-1])
        identity = term("-> ...;...").bind(shape, shape, np.asarray(outputs[-1]).dtype)
        deltas = [identity]
        for layer, jacobians in zip(reversed(list(self)[1:]), reversed(local[1:]), strict=True):
            deltas.append(deltas[-1] @ jacobians[layer.input_names[0]])
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
            ``"auto"`` keeps structure until the end. ``"explicit"`` writes every local tensor in full and contracts them
            with ``opt_einsum.contract``, as the lecture does: the reference that ``"auto"`` is tested against.
        """
        if method == "auto":
            return super().jacobians(*inputs, wrt=wrt)
        if method != "explicit":
            raise ValueError(f'Chain: method must be "auto" or "explicit", not {method!r}')
        names = self._selected(wrt)
        _, local = self._locals(self._prepared(inputs), names)
        return {name: contract(subscripts(factors), *(j.full() for j in factors))
                for name, factors in self._products(local, names).items()}  # fmt: skip

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

    def _locals(
        self, inputs: tuple[Array, ...], names: tuple[str, ...] | None
    ) -> tuple[list[Any], list[dict[str, Jacobian]]]:
        """The output of every layer, and its local Jacobians as far as they are needed."""
        outputs: list[Any] = []
        local: list[dict[str, Jacobian]] = []
        for k, (path, layer) in enumerate(self.layers.items()):
            wanted: tuple[str, ...] | None = None
            if names is not None:
                needed = not k or any(n in self.input_names or n.partition(".")[0] in list(self.layers)[:k] for n in names)
                wanted = layer.input_names[: needed * len(layer.input_names)] if k else tuple(
                    n for n in self.input_names if n in names)  # fmt: skip
                wanted += tuple(n.partition(".")[2] for n in names if n.startswith(f"{path}."))
            try:
                values = layer._prepared(inputs)
                output, jacobians = layer._linearized(values, wanted)
            except ValueError as error:
                raise locate(path, error) from error
            outputs.append(output)
            local.append(jacobians)
            inputs = (output,)
        return outputs, local

    def _products(
        self, local: list[dict[str, Jacobian]], names: tuple[str, ...] | None
    ) -> dict[str, list[Jacobian]]:
        """For every Jacobian asked for the local ones whose product it is, from the output to the argument."""
        layers = list(self.layers.items())
        path: list[Jacobian] = []
        found: dict[str, list[Jacobian]] = {}
        for k in reversed(range(len(layers))):
            name, layer = layers[k]
            for argument, jacobian in local[k].items():
                if argument not in layer.input_names:
                    found[f"{name}.{argument}"] = [*path, jacobian]
                elif k == 0:
                    found[argument] = [*path, jacobian]
            if k and layer.input_names[0] in local[k]:
                path = [*path, local[k][layer.input_names[0]]]
        order = names if names is not None else [n for n in (*self.input_names, *self.parameters) if n in found]
        self._require_known(names, tuple(found))
        return {n: found[n] for n in order}

    def _linearized(self, inputs: tuple[Array, ...], names: tuple[str, ...] | None) -> tuple[Any, dict[str, Jacobian]]:
        outputs, local = self._locals(inputs, names)
        suffixes: dict[tuple[int, ...], Jacobian] = {}  # products from the output on, shared by all parameters
        found = {}
        for name, factors in self._products(local, names).items():
            product = factors[0]
            for k, factor in enumerate(factors[1:], 2):
                key = tuple(id(f) for f in factors[:k])
                product = suffixes[key] if key in suffixes else suffixes.setdefault(key, product @ factor)
            found[name] = product.named("f", name)
        return outputs[-1], found


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


class Residual(Layer):
    """z = x + layer(x), for a layer whose output has the shape of its input.

    ∂z_i/∂x_j = δ_ij + ∂layer_i/∂x_j; the parameters are those of the layer. Source: He et al., Deep residual learning.

    Examples
    --------
    >>> from jacobians import Linear
    >>> Residual(Linear([[0, 1], [2, 0]])).jacobians([5, 7])["x"]
    array([[1., 1.],
           [2., 1.]])
    """

    layer: Layer

    @property
    def input_names(self) -> tuple[str, ...]:
        """The name of the layer's input."""
        return self.layer.input_names

    @property
    def parameters(self) -> dict[str, Array]:
        """The parameters of the layer."""
        return self.layer.parameters

    def with_parameters(self, parameters: Mapping[str, ArrayLike]) -> Self:
        """A new residual layer in which these parameters are replaced."""
        return type(self)(self.layer.with_parameters(parameters))

    def __post_init__(self) -> None:
        if not isinstance(self.layer, Layer) or len(self.layer.input_names) != 1:
            raise ValueError(f"Residual: a layer of one input is needed, not {self.layer!r}")

    def _prepared(self, inputs: tuple[ArrayLike, ...]) -> tuple[Array, ...]:
        return self.layer._prepared(inputs)

    def forward(self, x: Array) -> Array:
        return self._sum(x, self.layer(x))

    def _sum(self, x: Array, inner: Any) -> Array:
        if np.shape(inner) != x.shape:
            raise ValueError(f"Residual: the output of {type(self.layer).__name__} must be as x, {x.shape}; it is {np.shape(inner)}")
        return np.asarray(x + inner)

    def _linearized(self, inputs: tuple[Array, ...], names: tuple[str, ...] | None) -> tuple[Any, dict[str, Jacobian]]:
        inner, found = self.layer._linearized(inputs, names)
        (x,) = inputs
        output = self._sum(x, inner)
        return output, {name: (J + term("-> ...;...") if name in self.input_names else J).named("z", name)
                        for name, J in found.items()}  # fmt: skip
