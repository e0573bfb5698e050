"""`Traced`: what a function that is being traced gets instead of an array.

It looks like an ndarray, and NumPy hands every function of it over to us (``__array_ufunc__``, NEP 13;
``__array_function__``, NEP 18). What each function becomes is a rule in a table; a rule applies layers, and every layer
becomes a node of the `Recording`. The rules for NumPy are in `jacobians.functions`.

Traced values follow NumPy's rules for memory: an array can be written into, its views see that, and numbers cannot.
"""

from __future__ import annotations

import inspect
import operator
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from types import FrameType, FunctionType
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from jacobians.core.graph import Recording
from jacobians.core.like_array import LikeArray, refuse_plain
from jacobians.core.postponed import Postponed
from jacobians.core.rules import METHODS, RULES, refuse
from jacobians.engine.tape import Array


class View(NamedTuple):
    """Where a traced array has its entries: in another one, which it can be made from again and written back to."""

    base: Traced
    version: int
    make: Callable[[Traced], Traced]
    write: Callable[[Traced, Traced], None] | None
    position: int | None = None
    """The flat position, for an entry of an array of objects; its value is only made when it is asked for."""


DOUBLE = np.dtype(np.float64)
PLAIN = frozenset({int, float, complex, bool})
"""Types of plain numbers, which leave an operator to the traced value."""


def _operator(name: str, ufunc: np.ufunc, *, reflected: bool = False) -> Callable[[Traced, Any], Any]:
    """An operator between traced values and numbers, straight to its rule; with others, NumPy's protocols decide."""
    otherwise = getattr(NDArrayOperatorsMixin, name)

    def apply_operator(self: Traced, other: Any) -> Any:
        kind = type(other)
        recording = self.recording
        if recording.is_open and (
            (kind is Traced and other.recording is recording)
            or kind in PLAIN
            or (kind is np.ndarray and other.dtype is DOUBLE)
        ):
            return RULES[ufunc](other, self) if reflected else RULES[ufunc](self, other)
        return otherwise(self, other)

    return apply_operator


class ArrayLike(np.ndarray[Any, Any]):
    """What a traced array says that it is: an array, but none of those whose memory compiled code reads."""


def _is_asked_by_scipy(frame: FrameType) -> bool:
    """Whether a sparse matrix wants to know how to multiply by a traced array: it leaves to us what is no array."""
    return frame.f_code.co_name == "_matmul_dispatch" and frame.f_globals["__name__"].startswith("scipy.sparse")


class Traced(LikeArray):
    """A value of a recording. It behaves as the array that it stands for, and remembers what is done with it."""

    __slots__ = ("__weakref__", "_number", "_pending", "_version", "_view", "_views", "doubles", "recording")
    __array_priority__ = 1000.0
    __hash__ = None  # type: ignore[assignment]  # as an ndarray

    def __init__(self, recording: Recording, number: int, view: View | None = None) -> None:
        self.recording = recording
        self._number = number
        self._version = 0
        self._view = view
        self._pending: Any = None
        self._views: list[weakref.ref[Traced]] | None = None
        self.doubles: Array | None = None  # the value, of a small array of doubles that has not been written into
        if number >= 0 and number not in recording.constants and type(value := recording.values[number]) is np.ndarray:
            self.doubles = value if value.dtype is DOUBLE and value.size < recording.postpones else None

    def _changed(self) -> None:
        """Note that the array has been written into; what was known of its entries is forgotten, in its views, too."""
        self._version += 1
        self.doubles = None
        views, self._views = self._views, None
        for reference in views or ():
            view = reference()
            if view is not None:
                view.doubles = None

    @property
    def number(self) -> int:
        """The number of the value in the recording, now."""
        if self._view is not None:
            base, version, make = self._view[:3]
            if base.version != version:  # written into since
                self._number = make(base).number
                self._view = self._view._replace(version=base.version)
                self._version += 1
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self._number = RULES["written"](Traced(self.recording, self._number), pending).number
        return self._number

    @property
    def version(self) -> int:
        """How often the array has been written into."""
        if self._view is not None:
            _ = self.number
        return self._version

    @property
    def value(self) -> Array:
        """The array that it stands for; not to be written into."""
        value = self.recording.values[self.number]
        return value.array if isinstance(value, Postponed) else value

    @property
    def is_view(self) -> bool:
        """Whether its entries are those of another array."""
        return self._view is not None

    @property
    def is_number(self) -> bool:
        """Whether it is a number of its own, and no entry of another array."""
        return self._view is None and not self.ndim

    @property
    def is_array(self) -> bool:
        """Whether NumPy has an array here, and not a number; arrays without axes are told apart."""
        if self._view is not None and self._view.position is None:
            return True
        return self._number in self.recording.zero_dimensional or self.ndim > 0

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """What ``isinstance`` is to believe: functions of arrays and numbers ask whether they have got one."""
        return ArrayLike if self.is_array else self.dtype.type

    @property
    def pending(self) -> Any:
        """What has been written into the array and is not a value of the recording yet."""
        return self._pending

    def written(self, pending: Any) -> None:
        """Note what has been written into the array; the value is made when it is asked for."""
        if self.recording.aliases:
            self._require_unshared()
        self._pending = pending
        self._changed()

    @property
    def settled(self) -> Traced:
        """The array without what is pending."""
        return Traced(self.recording, self._number)

    def become(self, new: Traced) -> None:
        """Write the entries of another one into this array, and into whatever it is a view of."""
        if self.recording.aliases:
            self._require_unshared()
        if new.dtype != self.dtype:
            new = RULES["astype"](new, self.dtype)
        number = new.number
        if self._view is not None:
            base, write = self._view.base, self._view.write
            if write is None:
                refuse("writing into this view of a traced array", "write into the array itself, or into a copy")
            write(base, new)
            self._view = self._view._replace(version=base.version)
        self._pending = None
        if self._number in self.recording.zero_dimensional:
            self.recording.zero_dimensional.add(number)
        self._number = number
        self._changed()

    def viewed(
        self, make: Callable[[Traced], Traced], write: Callable[[Traced, Traced], None] | None,
        made: Traced | None = None,
    ) -> Traced:  # fmt: skip
        """A view of this array: how it is made, and written back; `made` where it has been, and by nobody else had."""
        if made is None:
            made = Traced(self.recording, make(self).number)
        made._view = View(self, self.version, make, write)
        if self._view is not None:  # writing into what both are views of is not noted here
            made.doubles = None
        elif made.doubles is not None:
            self._views = self._views or []
            self._views.append(weakref.ref(made))
        return made

    # -- as an array ---------------------------------------------------------------------------------------------------

    @property
    def like(self) -> Array:
        """An array of its shape and dtype, which may be postponed."""
        return self.recording.values[self._number if self._number >= 0 else self.number]

    def __iter__(self) -> Iterator[Traced]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[k] for k in range(len(self.like)))

    def __copy__(self) -> Traced:
        return Traced(self.recording, self.number)

    def __deepcopy__(self, memo: Any) -> Traced:
        return Traced(self.recording, self.number)

    def __getitem__(self, key: Any) -> Traced:
        found: Traced = RULES[operator.getitem](self, key)
        return found

    def __setitem__(self, key: Any, value: Any) -> None:
        this, value = together((self, value))
        require_innermost(self, this)
        RULES[operator.setitem](self, key, value)

    @property
    def origin(self) -> tuple[Traced, int]:
        """For an entry of an array of objects: the array and the flat position; else itself."""
        if self._view is not None and self._view.position is not None:
            return self._view.base, self._view.position
        return self, 0

    def __getattr__(self, name: str) -> Any:
        method = METHODS.get(name)
        if method is None:
            if not name.startswith("_") and hasattr(np.ndarray, name):
                if self.is_constant:
                    return getattr(self.value, name)
                refuse(f"the attribute {name} of a traced array", "use what NumPy has for it among its functions")
            raise AttributeError(f"a traced array has no attribute {name!r}")
        found = method(self)
        return partial(_method, self, name, method, found) if type(found) is FunctionType else found

    # The operators that programs consist of take a shorter way than through NumPy.

    __add__ = _operator("__add__", np.add)
    __radd__ = _operator("__radd__", np.add, reflected=True)
    __sub__ = _operator("__sub__", np.subtract)
    __rsub__ = _operator("__rsub__", np.subtract, reflected=True)
    __mul__ = _operator("__mul__", np.multiply)
    __rmul__ = _operator("__rmul__", np.multiply, reflected=True)
    __truediv__ = _operator("__truediv__", np.true_divide)
    __rtruediv__ = _operator("__rtruediv__", np.true_divide, reflected=True)
    __pow__ = _operator("__pow__", np.power)
    __rpow__ = _operator("__rpow__", np.power, reflected=True)
    __matmul__ = _operator("__matmul__", np.matmul)
    __rmatmul__ = _operator("__rmatmul__", np.matmul, reflected=True)

    # In place, arrays are written into; numbers, as everywhere in Python, are replaced.

    def _in_place(self, ufunc: np.ufunc, other: Any) -> Traced:
        result: Traced = RULES[ufunc](*together((self, other)))
        if not self.is_array:
            return result
        require_innermost(self, result)
        if result.shape != self.shape:
            raise ValueError(f"operands of shapes {self.shape} and {np.shape(other)} do not fit in place")
        self.become(result)
        return self

    def __iadd__(self, other: Any) -> Traced:
        return self._in_place(np.add, other)

    def __isub__(self, other: Any) -> Traced:
        return self._in_place(np.subtract, other)

    def __imul__(self, other: Any) -> Traced:
        return self._in_place(np.multiply, other)

    def __itruediv__(self, other: Any) -> Traced:
        return self._in_place(np.true_divide, other)

    def __ipow__(self, other: Any) -> Traced:
        return self._in_place(np.power, other)

    def __imatmul__(self, other: Any) -> Traced:
        return self._in_place(np.matmul, other)

    def __ifloordiv__(self, other: Any) -> Traced:
        result = self // other
        if self.ndim:
            self[...] = result
        return self if self.ndim else result  # a number that is constant

    def __imod__(self, other: Any) -> Traced:
        return self._in_place(np.remainder, other)

    # -- as arrays of objects, and constants ---------------------------------------------------------------------------

    @property
    def is_constant(self) -> bool:
        """Whether it depends on nothing, so that it is a plain array that may yet be written into."""
        return bool(self.recording.constants) and self._pending is None and self.number in self.recording.constants

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """The traced numbers as objects, for ``np.array([[c, -s], [s, c]])``; rules stack them again."""
        if _is_asked_by_scipy(sys._getframe(1)):
            alone = np.empty((), object)
            alone[()] = self
            return alone
        if self.is_constant:
            return np.array(self.value, dtype)
        if sys._getframe(1).f_code.co_name == "as_strided":  # it would look at our objects' bytes
            refuse("np.lib.stride_tricks.as_strided of a traced array in this place", "take sliding_window_view")
        if dtype is not None and np.dtype(dtype).kind in "biu":  # integers are constant between the jumps
            return np.array(plain(self.value), dtype)
        if dtype is not None and np.dtype(dtype).kind != "O":
            refuse_plain(
                sys._getframe(1),
                f"a traced value as a plain array of {np.dtype(dtype)}",
                "an array to write into is made in the function, by np.zeros or np.zeros_like; and a function takes "
                "np.stack([…]) for a list of traced values",
            )
        found = np.empty(self.shape, object)
        if not self.ndim:
            found[()] = self
            return found
        now = Traced(self.recording, self.number)
        flat = found.reshape(-1)
        for k in range(flat.size):
            flat[k] = Traced(self.recording, -1, View(now, -1, partial(_entry, k), None, k))
        if not copy:  # np.asarray shares its entries with this array, so neither may be written into from now on
            found.flags.writeable = False
            self.recording.aliases.append((weakref.ref(found), self.root))
        return found

    @property
    def root(self) -> Traced:
        """The array that this one is a view of in the end."""
        return self if self._view is None else self._view.base.root

    def _require_unshared(self) -> None:
        """Refuse to write while somebody holds the entries as np.asarray(x), which would not see it."""
        root, aliases = self.root, self.recording.aliases
        aliases[:] = [(alias, of) for alias, of in aliases if alias() is not None]
        if any(of is root for _, of in aliases):
            refuse(
                "writing into an array of which np.asarray is in use", "leave np.asarray out, or take x.copy() of it"
            )

    # -- NumPy's protocols ---------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if not self.recording.is_open and RULES["all constant"](inputs) and "out" not in options:
            return getattr(ufunc, method)(*map(plain, inputs), **options)
        one = RULES.get(ufunc if method == "__call__" else (ufunc, method))
        if one is None and method == "__call__":
            one = RULES["unknown ufunc"](ufunc)
        if one is None:
            one = RULES.get(method) if ufunc in RULES else None
            if one is None:
                if all(x.is_constant for x in inputs if isinstance(x, Traced)) and "out" not in options:
                    return getattr(ufunc, method)(*map(plain, inputs), **options)
                name = f"np.{ufunc.__name__}" if method == "__call__" else f"np.{ufunc.__name__}.{method}"
                refuse(name, "teach it with jacobians.derivative, or write it with other functions")
            one = partial(one, ufunc)
        if (options or len(inputs) > 1) and apart((inputs, options)):
            inputs, options = together((inputs, options))
        if not options:
            return one(*inputs)
        out = options.pop("out", None)
        if method == "__call__" and (where := options.pop("where", True)) is not True:
            return RULES["where"](one, where, out, inputs, options)
        result = one(*inputs, **options)
        return result if out is None else into(out, result)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        one = RULES.get(function)
        if (one is None or not self.recording.is_open) and RULES["all constant"]((args, kwargs)):
            return function(*RULES["plain"](args), **{name: RULES["plain"](value) for name, value in kwargs.items()})
        if one is None:
            name = f"{function.__module__.replace('numpy', 'np')}.{function.__name__}"
            refuse(name, "teach it with jacobians.derivative, or write it with other functions")
        if apart((args, kwargs)):
            args, kwargs = together((args, kwargs))
        if len(args) < 3 and "out" not in kwargs:
            return one(*args, **kwargs)
        args, kwargs, out = without_out(function, args, kwargs)
        return one(*args, **kwargs) if out is None else into(out, one(*args, **kwargs))


def without_out(function: Any, args: Any, kwargs: Any) -> tuple[Any, Any, Any]:
    """The arguments of a function but for ``out=``, which may be given by position; and what was given for it."""
    order = _order_with_out(function)
    if len(args) >= len(order) > 0:
        names = _names(function)
        kwargs = {
            **kwargs,
            "out": args[len(order) - 1],
            **dict(zip(names[len(order) :], args[len(order) :], strict=False)),
        }
        args = args[: len(order) - 1]
    if "out" not in kwargs:
        return args, kwargs, None
    return args, {name: value for name, value in kwargs.items() if name != "out"}, kwargs["out"]


@lru_cache(maxsize=1024)
def _names(function: Any) -> tuple[str, ...]:
    """What a function calls its positional arguments."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a function that does not say
        return ()
    return tuple(one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD))


@lru_cache(maxsize=1024)
def _order_with_out(function: Any) -> tuple[str, ...]:
    """The names of the positional arguments up to ``out``; none where it cannot be given by position."""
    names = _names(function)
    return names[: names.index("out") + 1] if "out" in names else ()


def into(out: Any, result: Any) -> Any:
    """The result of a function, in the array that was given for it; several results in several arrays."""
    if isinstance(result, tuple):
        return tuple(one if place is None else into(place, one) for place, one in zip(out, result, strict=False))
    place = out[0] if isinstance(out, tuple) else out
    if type(place) is np.ndarray and not isinstance(result, Traced):  # of what is piecewise constant
        np.copyto(place, result, casting="same_kind")
        return place
    if not isinstance(place, Traced):
        refuse(
            "writing a traced value into a plain array",
            "leave out= away and write y = y * x instead of y *= x, or make the array in the function, by np.zeros",
        )
    place[...] = result
    return place


def plain(x: Any) -> Any:
    """The array of a traced value, for what is constant, such as a position; anything else as it is."""
    while isinstance(x, Traced):
        x = x.value
    return x


# --- traces in traces -------------------------------------------------------------------------------------------------
#
# A function that is being traced may trace another one, as in jacobian(jacobian(f)). The values of the inner recording
# are then traced values of the outer one, so all that is computed inside is recorded outside, too.


def apart(values: Any) -> bool:
    """Whether traced values of several recordings meet here."""
    recording = None
    waiting = [values]
    while waiting:
        one = waiting.pop()
        kind = type(one)
        if kind is Traced:
            if recording is not one.recording:
                if recording is not None:
                    return True
                recording = one.recording
        elif kind is tuple or kind is list:
            waiting += one
        elif kind not in PLAIN:
            waiting += _within(one, kind)
    return False


def together(values: Any) -> Any:
    """Values of several recordings as values of the innermost one, in which those of the others are constants."""
    found = {x.recording for x in _leaves(values)}
    if len(found) < 2:
        return values
    inner = max(found, key=lambda recording: recording.serial)
    return _lifted(inner, values)


def _leaves(values: Any) -> list[Traced]:
    """The traced values in nested tuples, lists, dicts and arrays of objects."""
    found = []
    waiting = [values]
    while waiting:
        one = waiting.pop()
        kind = type(one)
        if kind is Traced:
            found.append(one)
        elif kind is tuple or kind is list:
            waiting += one
        else:
            waiting += _within(one, kind)
    return found


def _within(value: Any, kind: type) -> Iterable[Any]:
    """What is in a dict or an array of objects; nothing is in anything else."""
    if kind is dict:
        return value.values()  # type: ignore[no-any-return]
    if kind is np.ndarray and value.dtype.kind == "O":
        return value.reshape(-1).tolist()  # type: ignore[no-any-return]
    return ()


def _lifted(inner: Recording, values: Any) -> Any:
    kind = type(values)
    if kind is Traced:
        if values.recording is inner:
            return values
        if not values.recording.is_open:
            if values.is_constant:  # it has been kept by the function
                return values.value.copy()
            refuse("a value that is left from another trace", "return what is needed of it, and pass that on")
        outer: Any = Traced(values.recording, values.number)
        return Traced(inner, inner.constant(outer))
    if kind is tuple or kind is list:
        return kind([_lifted(inner, one) for one in values])
    if kind is dict:
        return {key: _lifted(inner, one) for key, one in values.items()}
    if kind is np.ndarray and values.dtype.kind == "O":
        found = np.empty(values.shape, object)
        found.reshape(-1)[:] = [_lifted(inner, one) for one in values.reshape(-1).tolist()]
        return found
    return values


def require_innermost(array: Traced, value: Traced) -> None:
    """Raise an error where a value of an inner trace is written into an array of an outer one."""
    if value.recording is not array.recording:
        refuse("writing a value of an inner trace into an array of an outer one", "begin with np.zeros_like(value)")


def _method(
    array: Traced, name: str, method: Callable[..., Any], found: Callable[..., Any], *arguments: Any, **options: Any
) -> Any:
    """Call a method of an array."""
    if not arguments and not options:
        return found()
    if arguments and apart((array, arguments, options)):
        array, arguments, options = together((array, arguments, options))
        found = method(array)
    if len(arguments) < 2 and "out" not in options:
        return found(*arguments, **options)
    (_, *arguments), options, out = without_out(getattr(np, name, None), (array, *arguments), options)
    return found(*arguments, **options) if out is None else into(out, found(*arguments, **options))


def _entry(position: int, base: Traced) -> Traced:
    found: Traced = RULES["entry"](base, position)
    return found
