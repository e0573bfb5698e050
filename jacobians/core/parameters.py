"""`Parameterized`: an immutable value whose fields are its parameters, its options, and others of its kind inside.

This is what a `Layer` is before it can do anything: how its fields become a frozen dataclass that owns its arrays, what
its parameters are called, and how a new one is made with others.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import Field, FrozenInstanceError, dataclass, fields, is_dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NoReturn, Self, TypeVar, cast, dataclass_transform

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jacobians.core.vectors import numbers
from jacobians.notation import signature

T = TypeVar("T")
Array = NDArray[Any]
if TYPE_CHECKING:

    class Parameter:
        """What a type checker sees of a parameter: anything like an array can be given, and an array is held."""

        def __get__(self, layer: object, kind: Any = None) -> Array: ...
        def __set__(self, layer: object, values: ArrayLike) -> None: ...

else:
    Parameter = Annotated[NDArray[Any], "parameter"]
    """The annotation of a field that is an array to differentiate by."""


@dataclass_transform(frozen_default=True, eq_default=False)
class Parameterized:
    """An immutable value with parameters. Subclasses become frozen dataclasses."""

    shapes: ClassVar[str] = ""
    """Which axes of the arguments must agree, as in ``"A (M, N), b (M), x (..., N)"``."""

    _parameter_shapes: ClassVar[tuple[tuple[str, tuple[int, ...]], ...]] = ()  # an instance has its own

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in inspect.get_annotations(cls):
            if _hides(cls, name):
                raise TypeError(f"{cls.__name__}: a field must not be called {name}, which every layer has; rename it")
        cls.__repr__ = cls.__repr__  # type: ignore[method-assign]  # so that a dataclass decorator keeps ours
        if inspect.get_annotations(cls):  # a layer without fields of its own needs nothing made for it
            dataclass(frozen=True, eq=False, repr=False)(cls)
            # the base class is what keeps its subclasses frozen, so that decorating them once more does no harm.
            del cls.__setattr__, cls.__delattr__

    def __setattr__(self, name: str, value: object) -> NoReturn:
        kind = type(self).__name__
        if name in {f.name for f in _fields(type(self))} and hasattr(self, name):
            raise FrozenInstanceError(f"a layer is immutable: use with_parameters to get a new {kind}")
        raise FrozenInstanceError(
            f"a layer is immutable, so {kind} cannot assign {name}: write `{name}: Parameter` (or, for an option, its "
            f"type) in the class and no __init__; what is made of fields belongs into a property"
        )

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError("a layer is immutable")

    def __post_init__(self) -> None:
        """Own the parameters: read-only floating-point arrays whose shapes fit."""
        names = _parameter_names(type(self))
        if not names and not self.shapes:
            return
        for name in names:
            array = numbers(getattr(self, name), f"{type(self).__name__}: {name}")
            if array.flags.writeable:
                array = array.copy(order="K")
                array.flags.writeable = False
            object.__setattr__(self, name, array)
        known = tuple((name, getattr(self, name).shape) for name in names)
        object.__setattr__(self, "_parameter_shapes", known)
        signature.require(type(self).__name__, self.shapes, known)

    @property
    def inner(self) -> Mapping[str, Any]:
        """The layers that this one is made of, by name: its fields that are layers.

        Their parameters are parameters of this layer, called ``"name.parameter"``.
        """
        return {f.name: value for f in _fields(type(self)) if isinstance(value := getattr(self, f.name), Parameterized)}

    def with_inner(self, layers: Mapping[str, Any]) -> Self:
        """A new layer in which these inner layers are replaced."""
        return replace(self, **layers) if layers else self  # type: ignore[type-var]  # one with fields is a dataclass

    @property
    def own_parameters(self) -> dict[str, Array]:
        """The arrays to differentiate by that are fields of this very layer, by name."""
        return {name: getattr(self, name) for name in _parameter_names(type(self))}

    @property
    def parameters(self) -> dict[str, Array]:
        """The arrays to differentiate by, by name; those of inner layers by their dotted path.

        A layer that stands in several places has its parameters once, under the first of their names.
        """
        if not self.inner:
            return self.own_parameters
        return {f"{path}{name}": array for layer, path in self.tree() for name, array in layer.own_parameters.items()}

    def tree(self) -> list[tuple[Any, str]]:
        """The layer and all that it is made of, each once, with the prefix of its parameters' names."""
        found: dict[int, tuple[Any, str]] = {id(self): (self, "")}
        for name, layer in self.inner.items():
            for one, path in layer.tree():
                found.setdefault(id(one), (one, f"{joined(name, path)}"))
        return list(found.values())

    @property
    def paths(self) -> Mapping[int, str]:
        """The prefix of the parameters' names of every layer in the tree, by its identity."""
        return {id(layer): path for layer, path in self.tree()} if self.inner else {id(self): ""}

    def with_parameters(self, parameters: Mapping[str, ArrayLike]) -> Self:
        """A new layer in which these parameters are replaced by arrays of the same shapes."""
        self._require_replaceable(parameters)
        return self._replaced(parameters, {})

    def _replaced(self, parameters: Mapping[str, ArrayLike], done: dict[int, Any]) -> Self:
        """With parameters replaced; a layer that stands in several places is replaced in all of them."""
        inner, own = dict(self.inner), {n: v for n, v in parameters.items() if n in self.own_parameters}
        changed: dict[str, Any] = {}
        for name, layer in inner.items():
            prefix = joined(name, "")
            theirs = {n[len(prefix) :]: v for n, v in parameters.items() if n.startswith(prefix) and n not in own}
            if id(layer) not in done:
                done[id(layer)] = layer._replaced(theirs, done) if theirs else layer
            if done[id(layer)] is not layer:
                changed[name] = done[id(layer)]
        new = self.with_inner(changed)
        # not every layer is a dataclass for a type checker, but those with parameters are
        return replace(new, **own) if own else new  # type: ignore[type-var]

    def __repr__(self) -> str:
        parts = []
        for f in _fields(type(self)):
            value = getattr(self, f.name)
            shown = f"{f.name} {value.shape}" if isinstance(value, np.ndarray) else f"{f.name}={value!r}"
            if isinstance(value, np.ndarray) or not f.init or value != f.default:
                parts.append(shown)
        return f"{type(self).__name__}({', '.join(parts)})"

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


def joined(name: str, path: str) -> str:
    """The dotted path of something inside a layer; the only layer of a `Residual` has no name."""
    return f"{name}.{path}" if name else path


def remembered(function: Callable[[type[Any]], T]) -> Callable[[type[Any]], T]:
    """What is read off a class is read once."""
    return cast(Callable[[type[Any]], T], cache(function))


def _fields(layer: type[Any]) -> tuple[Field[Any], ...]:
    return fields(layer) if is_dataclass(layer) else ()


@remembered
def _parameter_names(layer: type[Any]) -> tuple[str, ...]:
    """The fields annotated `Parameter`."""
    return tuple(
        f.name for f in _fields(layer)
        if f.type is Parameter or (isinstance(f.type, str) and f.type.split(".")[-1] == "Parameter")
    )  # fmt: skip


def _hides(cls: type[Any], name: str) -> bool:
    """Whether a field hides a method or property of a base class."""
    for base in cls.__mro__[1:]:
        if name in vars(base):
            hidden = vars(base)[name]
            is_method = callable(hidden) or isinstance(hidden, (property, cached_property, classmethod, staticmethod))
            return is_method and name not in inspect.get_annotations(base)
    return False
