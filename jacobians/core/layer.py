"""`Layer`: what every layer offers, from its forward and one line of notation per argument."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, FrozenInstanceError, dataclass, fields, is_dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NoReturn, Self, TypeVar, cast, dataclass_transform

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jacobians.core.jacobian import Jacobian
from jacobians.core.terms import Terms
from jacobians.notation import signature

if TYPE_CHECKING:
    from jacobians.show.diagram import Diagram
    from jacobians.show.table import Table

T = TypeVar("T")
Array = NDArray[Any]
Parameter = Annotated[NDArray[Any], "parameter"]
"""The annotation of a field that is an array to differentiate by."""

Local = Mapping[str, Terms | Jacobian]
"""What `Layer.local` returns: the Jacobian of the output with respect to each argument."""


@dataclass_transform(frozen_default=True, eq_default=False)
class Layer:
    """A function with its Jacobians: an immutable value whose fields are its parameters and options.

    A layer of one's own is a `forward` in NumPy and, in `local`, one line of notation per argument. Fields annotated
    `Parameter` are arrays to differentiate by; all others are options. Subclasses become frozen dataclasses.

    Examples
    --------
    >>> class Scale(Layer):
    ...     '''z_i = a_i x_i.'''
    ...     a: Parameter
    ...     shapes = "a (N), x (..., N)"
    ...
    ...     def forward(self, x):
    ...         return self.a * x
    ...
    ...     def local(self, x, z):
    ...         return {"x": term("a_i -> ...i;...i", self.a), "a": term("x_...i -> ...i;i", x)}
    >>> from jacobians import term
    >>> Scale([2.0, 3.0]).jacobians([1.0, 4.0])["a"]
    array([[1., 0.],
           [0., 4.]])
    """

    shapes: ClassVar[str] = ""
    """Which axes of the arguments must agree, as in ``"A (M, N), b (M), x (..., N)"``."""

    holomorphic: ClassVar[bool] = True
    """Whether the layer can be differentiated by complex arguments."""

    integers: ClassVar[tuple[str, ...]] = ()
    """Inputs that are integers, so that nothing can be differentiated by them."""

    _parameter_shapes: ClassVar[tuple[tuple[str, tuple[int, ...]], ...]] = ()  # an instance has its own

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.__repr__ = cls.__repr__  # type: ignore[method-assign]  # so that a dataclass decorator keeps ours
        if inspect.get_annotations(cls):  # a layer without fields of its own needs nothing made for it
            dataclass(frozen=True, eq=False, repr=False)(cls)
            # Layer itself is what keeps its subclasses frozen, so that decorating them once more does no harm.
            del cls.__setattr__, cls.__delattr__

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise FrozenInstanceError(f"a layer is immutable: use with_parameters to get a new {type(self).__name__}")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError("a layer is immutable")

    def __post_init__(self) -> None:
        """Own the parameters: read-only floating-point arrays whose shapes fit."""
        for name in _parameter_names(type(self)):
            array = _numeric(getattr(self, name), type(self).__name__, name)
            if array.flags.writeable:
                array = array.copy(order="K")
                array.flags.writeable = False
            object.__setattr__(self, name, array)
        known = tuple((name, getattr(self, name).shape) for name in _parameter_names(type(self)))
        object.__setattr__(self, "_parameter_shapes", known)
        signature.require(type(self).__name__, self.shapes, known)

    # -- to be written by a layer --------------------------------------------------------------------------------------

    # The arguments of these two are written out by each layer; for a type checker, this allows any.
    def forward(self, *inputs: Any, **_: Any) -> Any:
        """The output for inputs that are arrays of floating-point numbers."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def local(self, *inputs_and_output: Any, **_: Any) -> Local:
        """The Jacobian of the output with respect to every input and parameter, as terms."""
        raise NotImplementedError(f"{type(self).__name__} has no local Jacobians")

    # -- what every layer offers ---------------------------------------------------------------------------------------

    def __call__(self, *inputs: ArrayLike) -> Any:
        """The output."""
        return self.forward(*self._prepared(inputs))

    def jacobians(self, *inputs: ArrayLike, wrt: str | Iterable[str] | None = None) -> dict[str, Array]:
        """The full Jacobian tensors ``{"x": ∂z/∂x, "A": ∂z/∂A, …}``, output axes first.

        Parameters
        ----------
        *inputs
            The inputs of the layer.
        wrt
            The name of an input or parameter, or several; all by default.

        Raises
        ------
        ValueError
            If an input does not fit or a name is unknown.
        JacobianTooLarge
            If a tensor would not fit into memory.
        """
        _, found = self._linearized(self._prepared(inputs), self._selected(wrt))
        return {name: jacobian.full() for name, jacobian in found.items()}

    def linearize(self, *inputs: ArrayLike, wrt: str | Iterable[str] | None = None) -> tuple[Any, dict[str, Jacobian]]:
        """The output and the unmaterialised `Jacobian` with respect to every input and parameter.

        The Jacobians keep copies of the inputs that they need, so later changes to an input do not reach them.
        """
        own = tuple(x.copy(order="K") if x.flags.writeable else x for x in self._prepared(inputs))
        output, found = self._linearized(own, self._selected(wrt))
        return (output.copy() if isinstance(output, np.ndarray) else output), found

    @property
    def parameters(self) -> dict[str, Array]:
        """The arrays to differentiate by, by name."""
        return {name: getattr(self, name) for name in _parameter_names(type(self))}

    def with_parameters(self, parameters: Mapping[str, ArrayLike]) -> Self:
        """A new layer in which these parameters are replaced by arrays of the same shapes."""
        self._require_replaceable(parameters)
        # not every layer is a dataclass for a type checker, but those with parameters are
        return replace(self, **parameters) if parameters else self  # type: ignore[type-var]

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs, as in `forward`."""
        return _input_names(type(self))

    def table(self, *inputs: ArrayLike) -> Table:
        """The shape table: a row for every Jacobian with its shape, formula, non-zero share and bytes."""
        from jacobians.show.table import table

        return table(self, *inputs)

    def diagram(self, *inputs: ArrayLike) -> Diagram:
        """Draw the layer as boxes and arrows; with inputs, the shapes of the values stand along the arrows."""
        from jacobians.show.diagram import diagram

        return diagram(self, *inputs)

    def _repr_html_(self) -> str:
        return self.diagram()._repr_html_()

    def __repr__(self) -> str:
        parts = []
        for f in _fields(type(self)):
            value = getattr(self, f.name)
            shown = f"{f.name} {value.shape}" if isinstance(value, np.ndarray) else f"{f.name}={value!r}"
            if isinstance(value, np.ndarray) or not f.init or value != f.default:
                parts.append(shown)
        return f"{type(self).__name__}({', '.join(parts)})"

    # -- how ----------------------------------------------------------------------------------------------------------

    def _linearized(self, inputs: tuple[Array, ...], names: tuple[str, ...] | None) -> tuple[Any, dict[str, Jacobian]]:
        """The output and the Jacobians asked for (None: all that there are)."""
        output, local = self._written(inputs)
        return output, self._bound_to(inputs, output, local, names)

    def _written(self, inputs: tuple[Array, ...]) -> tuple[Any, Local]:
        """The output, and the local Jacobians as the layer writes them."""
        output = self.forward(*inputs)
        return output, self.local(*inputs, output if type(output) is np.ndarray else np.asarray(output))

    def _bound_to(
        self, inputs: tuple[Array, ...], output: Any, local: Local, names: tuple[str, ...] | None
    ) -> dict[str, Jacobian]:
        """The local Jacobians asked for, with their shapes."""
        value = output if type(output) is np.ndarray else np.asarray(output)
        if names is None:
            names = tuple(local)
        else:
            self._require_known(names, tuple(local))
        out_name, input_names = _output_name(type(self)), self.input_names
        found = {}
        for name in names:
            argument = inputs[input_names.index(name)] if name in input_names else getattr(self, name)
            found[name] = self._bound(local[name], value, argument, out_name, name)
        return found

    def _bound(self, local: Terms | Jacobian, output: Array, argument: Array, out_name: str, name: str) -> Jacobian:
        """A local Jacobian with the shapes of the output and of the argument."""
        if type(local) is Terms:
            dtype = output.dtype if output.dtype is argument.dtype else np.result_type(output, argument)
            try:
                return local.bind(output.shape, argument.shape, dtype, out_name, name)
            except ValueError as error:
                raise ValueError(f"{type(self).__name__}: ∂{out_name}/∂{name} {error}") from error
        if local.out_shape != output.shape or local.wrt_shape != argument.shape:
            raise ValueError(
                f"{type(self).__name__}: ∂{out_name}/∂{name} must be {output.shape} × {argument.shape}; "
                f"it is {local.out_shape} × {local.wrt_shape}"
            )
        return local.named(out_name, name)

    def _prepared(self, inputs: tuple[ArrayLike, ...]) -> tuple[Array, ...]:
        """The inputs as arrays of floating-point numbers that fit the layer."""
        names = self.input_names
        if len(inputs) != len(names):
            raise TypeError(
                f"{type(self).__name__} takes {len(names)} input{'s' if len(names) != 1 else ''} "
                f"({', '.join(names)}); {len(inputs)} given"
            )
        arrays = tuple([
            x if type(x) is np.ndarray and x.dtype.kind == "f" else self._input(x, name)
            for name, x in zip(names, inputs, strict=True)
        ])  # fmt: skip
        if self.shapes:
            given = tuple([(name, x.shape) for name, x in zip(names, arrays, strict=True)])
            signature.require(type(self).__name__, self.shapes, self._parameter_shapes + given)
        return arrays

    def _input(self, values: ArrayLike, name: str) -> Array:
        layer = type(self).__name__
        if name in self.integers:
            array = np.asarray(values)
            if array.dtype.kind not in "iu":
                raise ValueError(f"{layer}: {name} must hold integers, not {array.dtype}")
            return array
        array = _numeric(values, layer, name)
        if array.dtype.kind == "c" and not self.holomorphic:
            raise ValueError(f"{layer}: {name} is complex, and {layer} has no complex derivative")
        return array

    def _selected(self, wrt: str | Iterable[str] | None) -> tuple[str, ...] | None:
        """The names asked for."""
        if wrt is None:
            return None
        names = (wrt,) if isinstance(wrt, str) else tuple(wrt)
        self._require_known(names, (*self.input_names, *self.parameters))
        return names

    def _require_known(self, names: tuple[str, ...] | None, known: tuple[str, ...]) -> None:
        unknown = [name for name in names or () if name not in known]
        if unknown:
            raise ValueError(
                f"{type(self).__name__} has no derivative by {unknown[0]!r}: wrt must be of {', '.join(known)}"
            )

    def _require_replaceable(self, parameters: Mapping[str, ArrayLike]) -> None:
        mine = self.parameters
        for name, values in parameters.items():
            if name not in mine:
                raise ValueError(f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(mine) or 'none'}")
            if np.shape(values) != mine[name].shape:
                raise ValueError(
                    f"{type(self).__name__}: {name} is {mine[name].shape}, so its new value must be; "
                    f"it is {np.shape(values)}"
                )


def _numeric(values: ArrayLike, layer: str, name: str) -> Array:
    """An array of floating-point or complex numbers; integers become float64."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{layer}: {name} is not an array of numbers: {error}") from error
    if array.dtype.kind in "fc":
        return array
    if array.dtype.kind in "biu":
        return array.astype(np.float64)
    raise ValueError(f"{layer}: {name} must hold numbers, not {array.dtype}")


def _remembered(function: Callable[[type[Any]], T]) -> Callable[[type[Any]], T]:
    """What is read off a class is read once."""
    return cast(Callable[[type[Any]], T], cache(function))


def _fields(layer: type[Any]) -> tuple[Field[Any], ...]:
    return fields(layer) if is_dataclass(layer) else ()


@_remembered
def _parameter_names(layer: type[Any]) -> tuple[str, ...]:
    """The fields annotated `Parameter`."""
    return tuple(
        f.name for f in _fields(layer)
        if f.type is Parameter or (isinstance(f.type, str) and f.type.split(".")[-1] == "Parameter")
    )  # fmt: skip


@_remembered
def _input_names(layer: type[Any]) -> tuple[str, ...]:
    return tuple(list(inspect.signature(layer.forward).parameters)[1:])


@_remembered
def _output_name(layer: type[Any]) -> str:
    """What `local` calls the output: its last argument."""
    return list(inspect.signature(layer.local).parameters)[-1]
