"""The errors that callers may want to catch."""

from __future__ import annotations


class JacobianTooLarge(MemoryError):
    """The array that was asked for does not fit into memory; nothing has been allocated."""


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


class TracingError(TypeError):
    """A traced value was used where only its number would do; the message says where, and what to write instead."""


class BadInput(ValueError):
    """Something that the person at the command line can mend; it is said in one line."""
