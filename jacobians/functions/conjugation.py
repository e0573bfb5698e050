"""Real and imaginary parts, conjugates and absolute values.

They have no complex derivative. But a complex value that is made of real ones, such as a spectrum, is a pair of real
functions of these: its real and its imaginary part are values of the graph, too, and `parts` puts them there
(`jacobians.layers.parts`). So |z| is ``np.hypot`` of the parts, its Jacobian is real, and deltas stay deltas. A complex
value that is itself what one differentiates by has no parts, and is refused.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import numpy as np

from jacobians import layers
from jacobians.core.applying import apply
from jacobians.core.graph import Recording
from jacobians.core.nodes import Node
from jacobians.core.rules import METHODS, RULES, refuse, rule
from jacobians.core.traced import Traced
from jacobians.functions.constants import plain
from jacobians.functions.ufuncs import teach
from jacobians.layers.parts import Complex, Part

CONJUGATE = Complex(-1)


# --- parts of traced values ------------------------------------------------------------------------------------------


def parts(x: Traced) -> tuple[Traced, Traced]:
    """The real and the imaginary part of a complex value that is made of real ones."""
    recording, number = x.recording, x.number
    if number not in recording.parts:
        for one in _unsplit(recording, number):
            recording.parts[one] = _split(recording, one)
    real, imaginary = recording.parts[number]
    return Traced(recording, real), Traced(recording, imaginary)


def _maker(recording: Recording, number: int) -> Node | None:
    """The node that made a value; values are in the order in which they were made."""
    at = bisect_left(recording.nodes, number, key=lambda node: node.value)
    return recording.nodes[at] if at < len(recording.nodes) and recording.nodes[at].value == number else None


def _unsplit(recording: Recording, number: int) -> list[int]:
    """The complex values that a value is made of and that have no parts yet, itself included, in order."""
    found, waiting = {number}, [number]
    while waiting:
        node = _maker(recording, waiting.pop())
        for _, one in node.arguments if node else ():
            if recording.values[one].dtype.kind == "c" and one not in found and one not in recording.parts:
                found.add(one)
                waiting.append(one)
    return sorted(found)


def _split(recording: Recording, number: int) -> tuple[int, int]:
    """Put the parts of one value into the graph; those of what it is made of are there."""
    value, node = recording.values[number], _maker(recording, number)
    if node is None and number in recording.leaves.values():
        refuse(
            "the real or imaginary part, the conjugate or the absolute value of a complex argument",
            "it has no complex derivative; pass the real and the imaginary part as two arguments",
        )
    if node is None:  # a constant
        recording.values += [np.array(value.real), np.array(value.imag)]
        return len(recording.values) - 2, len(recording.values) - 1
    arguments = dict(node.arguments)
    if isinstance(node.layer, Complex) and len(arguments) == 2:
        real, imaginary = Traced(recording, arguments["x"]), Traced(recording, arguments["y"])
        return real.number, (imaginary if node.layer.sign == 1 else -imaginary).number
    given: list[Any] = []
    split = []
    for name, array in zip(node.layer.input_names, node.inputs, strict=True):
        one = arguments.pop(name, None)
        split.append(one in recording.parts)
        if one in recording.parts:
            given += [Traced(recording, k) for k in recording.parts[one]]
        else:
            origin = (recording.origins or {}).get(id(array), array)
            given.append(origin if one is None else Traced(recording, one))
    if arguments:
        refuse(f"the real part of {type(node.layer).__name__} with parameters", "give it its arrays as inputs")
    real, imaginary = (
        apply(Part(node.layer, which, tuple(split)), *given, output=taken.copy())
        for which, taken in ((False, value.real), (True, value.imag))
    )
    return real.number, imaginary.number


def is_complex(x: Any) -> bool:
    """Whether a value is complex."""
    return (x.dtype if isinstance(x, Traced) else np.asarray(x).dtype).kind == "c"


# --- the functions ---------------------------------------------------------------------------------------------------


@rule(np.real)
def real(val: Any) -> Any:
    """The real part."""
    return parts(val)[0] if is_complex(val) else val


@rule(np.imag)
def imag(val: Any) -> Any:
    """The imaginary part."""
    return parts(val)[1] if is_complex(val) else RULES[np.zeros_like](val)


@rule(np.real_if_close)
def real_if_close(a: Any, tol: float = 100) -> Any:
    """The real part, if the imaginary part is as good as zero."""
    return real(a) if np.real_if_close(a.value, tol).dtype.kind != "c" else a


@rule(np.angle)
def angle(z: Any, deg: bool = False) -> Any:
    """The angle in the complex plane: 0 or π for real numbers."""
    found = np.arctan2(imag(z), real(z)) if is_complex(z) else np.angle(plain(z))
    return found * (180 / np.pi) if deg else found


teach(np.absolute, layers.Abs())
_of_real = RULES[np.absolute]


@rule(np.absolute)
def absolute(x: Any, **options: Any) -> Any:
    """The absolute value."""
    return np.hypot(*parts(x), **options) if is_complex(x) else _of_real(x, **options)


@rule(np.conjugate)
def conjugate(x: Any, **options: Any) -> Any:
    """The complex conjugate."""
    return apply(CONJUGATE, *parts(x)) if is_complex(x) else np.positive(x, **options)


@rule(np.sign)
def sign(x: Any, **options: Any) -> Any:
    """The sign, which is constant for real numbers, and z / |z| for complex ones."""
    return x / np.absolute(x) if is_complex(x) else np.sign(plain(x), **options)


METHODS["real"] = real
METHODS["imag"] = imag
METHODS["conj"] = METHODS["conjugate"] = lambda x: lambda: conjugate(x)
