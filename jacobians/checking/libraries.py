"""Functions that some library differentiates: PyTorch, JAX, autograd, their own backward pass, our tracer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians.checking.jacobian import check_jacobian
from jacobians.checking.judging.options import Options
from jacobians.checking.measuring.frameworks import in_double_precision, is_module, is_of_jax, is_tensor
from jacobians.checking.measuring.nested import flatten
from jacobians.checking.products import check_vjp
from jacobians.checking.report.report import Report
from jacobians.functions.trace import jacobian


def check_function(f: Any, inputs: tuple[Any, ...], wanted: set[str] | None, options: Options) -> Report:
    """Check the Jacobians that the library of a function gives, by all inputs and parameters."""
    leaves = [leaf for value in inputs for leaf in flatten(value)[1]]
    if is_module(f):
        return _check_module(f, inputs, wanted, options)
    if wanted is not None:
        raise ValueError(f"wrt is for layers and modules; {_name(f)} is checked by all its inputs")
    if not callable(f) and not hasattr(f, "forward"):
        raise TypeError(f"{_name(f)} is neither a layer nor a function")
    settings: dict[str, Any] = {"rtol": options.rtol, "atol": options.atol, "seed": options.seed}
    numbers = tuple(range(len(inputs)))
    if hasattr(f, "backward"):
        forward = f.forward if hasattr(f, "forward") else f
        return check_vjp(forward, inputs, f.backward, argnums=numbers, **settings)
    if any(map(is_tensor, leaves)):
        J: Callable[..., Any] = _by_torch(f)
    elif is_of_jax(f) or any(map(is_of_jax, leaves)):
        import jax

        J = jax.jacrev(f, argnums=numbers)
    elif type(f).__module__.startswith("autograd.") or getattr(f, "__module__", "").startswith("autograd."):
        J = _by_autograd(f, numbers)
    else:
        J = jacobian(f, argnums=numbers)
    return check_jacobian(f, inputs, J, argnums=numbers, progress=options.progress, **settings)


def _name(f: Any) -> str:
    return str(getattr(f, "__name__", type(f).__name__))


def _by_autograd(f: Callable[..., Any], numbers: tuple[int, ...]) -> Callable[..., Any]:
    import autograd

    return lambda *values: tuple(autograd.jacobian(f, number)(*values) for number in numbers)


def _by_torch(f: Callable[..., Any]) -> Callable[..., Any]:
    """The Jacobians of a function of tensors, nested as its output and arguments are, by reverse mode."""
    torch = sys.modules["torch"]

    def jacobians(*values: Any) -> Any:
        _, leaves, rebuild = flatten(list(values))
        floating = [is_tensor(leaf) and (leaf.is_floating_point() or leaf.is_complex()) for leaf in leaves]
        shapes: list[Any] = []

        def flat(*given: Any) -> Any:
            rest = iter(given)
            output = f(*rebuild([next(rest) if moves else leaf for leaf, moves in zip(leaves, floating, strict=True)]))
            _, tensors, nested = flatten(output)
            shapes[:] = [nested]
            return tuple(tensors)

        found = torch.autograd.functional.jacobian(
            flat, tuple(leaf.detach() for leaf, moves in zip(leaves, floating, strict=True) if moves)
        )
        by_output = []
        for row in found:
            rest = iter(row)
            by_output.append(tuple(rebuild([next(rest) if moves else None for moves in floating])))
        return shapes[0](by_output)

    return jacobians


def _check_module(module: Any, inputs: tuple[Any, ...], wanted: set[str] | None, options: Options) -> Report:
    """Check the derivatives that PyTorch gives of a module, by its inputs and parameters, in double precision."""
    torch = sys.modules["torch"]
    wide = in_double_precision(module)
    given = {name: value.detach().numpy().copy() for name, value in wide.named_parameters()}
    parameters = given if wanted is None else {name: value for name, value in given.items() if name in wanted}
    unknown = set() if wanted is None else wanted - set(given) - {"x"}
    if unknown:
        raise ValueError(f"{_name(module)} has no parameter {sorted(unknown)}; it has {', '.join(given)}")

    def call(values: dict[str, Any], *arguments: Any) -> Any:
        return torch.func.functional_call(wide, values, arguments)

    def tensor(value: Any) -> Any:
        found = value.detach().clone() if is_tensor(value) else torch.as_tensor(np.array(value))
        return found.double() if found.is_floating_point() else found

    arguments = tuple(tensor(value) for value in inputs)
    moving = [k for k, value in enumerate(arguments) if value.is_floating_point() or value.is_complex()]
    tensors = {name: torch.as_tensor(value) for name, value in parameters.items()}
    single = len(arguments) == 1
    names = ["", *(["x"] if single else [f"x{k}" for k in range(len(arguments))])]
    return check_jacobian(
        call, (tensors, *arguments), _by_torch(call), argnums=(0, *(k + 1 for k in moving)), names=names,
        rtol=options.rtol, atol=options.atol, seed=options.seed, progress=options.progress,
    )  # fmt: skip
