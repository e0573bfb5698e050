"""`Chain`: layers one after another, and the chain rule that contracts their Jacobians."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, Self, overload

from numpy.typing import ArrayLike

from jacobians.core.explicit import explicit
from jacobians.core.graph import Recording
from jacobians.core.layer import Array, Layer
from jacobians.core.nodes import Wanted
from jacobians.core.parameters import joined
from jacobians.core.postponed import computed
from jacobians.core.traced import Traced
from jacobians.errors import locate
from jacobians.show.diagram import Sketch


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
        self._hold(every)

    def _hold(self, layers: Mapping[str, Layer]) -> None:
        object.__setattr__(self, "layers", MappingProxyType(dict(layers)))
        object.__setattr__(self, "_paths", {id(layer): path for layer, path in self.tree()})

    @classmethod
    def of(cls, layers: Mapping[str, Layer]) -> Chain:
        """A chain of layers that keep their names; those that are numbers are counted anew."""
        chain = object.__new__(cls)
        cls.__init__(chain, *layers.values())
        chain._hold({str(k) if name.isdigit() else name: layer for k, (name, layer) in enumerate(layers.items())})
        return chain

    def __reduce__(self) -> tuple[object, ...]:
        return Chain.of, (dict(self.layers),)

    layers: Mapping[str, Layer]
    """The layers by name, in order."""

    _paths: Mapping[int, str]

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
            return Chain.of(dict(list(self.layers.items())[key]))
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
    def inner(self) -> Mapping[str, Layer]:
        """The layers by name."""
        return self.layers

    def with_inner(self, layers: Mapping[str, Layer]) -> Self:
        """A new chain in which these layers are replaced."""
        return Chain.of({**self.layers, **layers}) if layers else self  # type: ignore[return-value]  # a Chain

    @property
    def integers(self) -> tuple[str, ...]:  # type: ignore[override]  # a layer of layers has no class that says it
        """The inputs that are integers: those of the first layer."""
        return next(iter(self)).integers

    @property
    def output_name(self) -> str:
        """What the last layer calls its output."""
        return list(self)[-1].output_name

    @property
    def paths(self) -> Mapping[int, str]:
        """The prefix of the parameters' names of every layer in the tree, by its identity."""
        return self._paths

    def __call__(self, *inputs: ArrayLike) -> Any:
        """The last output; of values that are being traced, one that is traced, too."""
        if any(isinstance(x, Traced) for x in inputs):
            return super().__call__(*inputs)
        return self.forward(*inputs)[-1]

    def forward(self, *inputs: ArrayLike) -> list[Any]:
        """All values f_0 = x, f_1, …, f_K; f_0 is a tuple if the first layer takes several inputs."""
        values: list[Any] = [self.prepared(inputs)]
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
        recording = Recording(self.paths)
        arrays = self.prepared(inputs)
        values = self._values(recording, arrays, self.leaves(recording, arrays))
        name, last = self.output_name, values[-1]
        return recording.full([Wanted(last, number, name, name) for number in reversed(values[1:])])

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
        if method == "auto":
            return super().jacobians(*inputs, wrt=wrt)
        names = self.selected(wrt)
        recording, output = self.recorded(self.prepared(inputs))
        wanted = self.wanted(recording, output, names)
        return dict(zip([one.argument_name for one in wanted], explicit(recording, wanted), strict=True))

    # -- as a graph ----------------------------------------------------------------------------------------------------

    def prepared(self, inputs: tuple[ArrayLike, ...]) -> tuple[Array, ...]:
        """The inputs as the first layer takes them."""
        first, layer = next(iter(self.layers.items()))
        try:
            return layer.prepared(inputs)
        except ValueError as error:
            raise locate(first, error) from error

    def record(self, recording: Recording, inputs: tuple[Array, ...], numbers: Sequence[int | None]) -> int:
        """Apply the layers one after another in a recording."""
        return self._values(recording, inputs, numbers)[-1]

    def sketch(self, sketch: Sketch, inputs: Sequence[int], path: str) -> int:
        """Draw the layers one after another."""
        for name, layer in self.layers.items():
            inputs = (layer.sketch(sketch, inputs, joined(path, name)),)
        return inputs[0]

    def _values(self, recording: Recording, inputs: tuple[Array, ...], numbers: Sequence[int | None]) -> list[int]:
        """The numbers of all values f_1, …, f_K in a recording; −1 comes first, for the inputs."""
        found = [-1]
        for name, layer in self.layers.items():
            try:
                if len(found) > 1:
                    inputs = layer.prepared(inputs)
                found.append(layer.record(recording, inputs, numbers))
            except ValueError as error:
                raise locate(name, error) from error
            numbers, inputs = (found[-1],), (computed(recording.values[found[-1]]),)
        return found
