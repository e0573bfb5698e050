"""Functions of PyTorch and JAX as they stand: tensors in, tensors out, in double precision where they allow it."""

from __future__ import annotations

import copy
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jacobians.checking.measuring.nested import flatten


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor of PyTorch, which is then imported already."""
    return "torch" in sys.modules and isinstance(value, sys.modules["torch"].Tensor)


def is_module(value: Any) -> bool:
    """Whether a value is a module of PyTorch."""
    return "torch" in sys.modules and isinstance(value, sys.modules["torch"].nn.Module)


def is_of_jax(value: Any) -> bool:
    """Whether a value is an array of JAX, or a function that JAX has transformed."""
    return type(value).__module__.partition(".")[0] in ("jax", "jaxlib")


def native(f: Callable[..., Any], arguments: Sequence[Any]) -> Callable[..., Any]:
    """A function that can be called with NumPy arrays where f wants tensors, which its arguments tell."""
    leaves = [leaf for argument in arguments for leaf in flatten(argument)[1]]
    if is_module(f):
        module = in_double_precision(f)
        return lambda *values: module(*_mapped(values, _as_double))
    if any(map(is_tensor, leaves)):
        return lambda *values: f(*_mapped(values, _as_tensor))
    if is_of_jax(f) or any(map(is_of_jax, leaves)):
        return _with_double_precision(f)
    return f


def in_double_precision(module: Any) -> Any:
    """A copy of a module in double precision, or the module itself where that cannot be had."""
    try:
        return copy.deepcopy(module).double()
    except Exception:  # whatever a module objects to: it is then measured as it is
        return module


def _mapped(values: Sequence[Any], convert: Callable[[Any], Any]) -> list[Any]:
    found = []
    for value in values:
        _, leaves, rebuild = flatten(value)
        found.append(rebuild([convert(leaf) for leaf in leaves]))
    return found


def _as_tensor(value: Any) -> Any:
    torch = sys.modules["torch"]
    return torch.as_tensor(np.asarray(value)) if isinstance(value, np.ndarray | np.generic) else value


def _as_double(value: Any) -> Any:
    tensor = _as_tensor(value)
    return tensor.double() if is_tensor(tensor) and tensor.dtype.is_floating_point else tensor


def _with_double_precision(f: Callable[..., Any]) -> Callable[..., Any]:
    import jax
    from jax import numpy as jnp

    double_precision: Any = getattr(jax, "enable_x64", None)
    if double_precision is None:  # of JAX before 0.8
        double_precision = importlib.import_module("jax.experimental").enable_x64

    def convert(value: Any) -> Any:
        return jnp.asarray(value) if isinstance(value, np.ndarray | np.generic) or is_of_jax(value) else value

    def call(*values: Any) -> Any:
        with double_precision():
            return f(*_mapped(values, convert))

    return call
