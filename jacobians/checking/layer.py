"""check: every Jacobian of a layer; of a chain each local one first, then the composition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from jacobians.checking.judging.examine import examine, names
from jacobians.checking.report.report import WRONG, Finding, Report
from jacobians.checking.vacuous import vacuous

__all__ = ["check"]


def check(
    layer: Any,
    *inputs: Any,
    wrt: str | Iterable[str] | None = None,
    progress: bool | None = None,
    seed: int = 0,
) -> Report:
    """Compare every Jacobian of a layer or chain at the given inputs with measured ones.

    Of a chain each layer's local Jacobians are checked at the values that reach it, then those of the composition,
    so that the report says which layer is wrong, and with respect to which argument.

    Parameters
    ----------
    layer : anything with the interface of `Layer`: a call, ``linearize``, ``parameters``, ``with_parameters``
    *inputs : its inputs; see `sample_point` for some at which mistakes show
    wrt : the names of inputs and parameters to check, all by default
    progress : whether to show progress bars
    seed : of the random directions for very large Jacobians

    Returns
    -------
    Report ; ``report.ok``, ``report["hidden.A"]``, ``print(report)``

    Examples
    --------
    >>> from jacobians import Affine
    >>> check(Affine([[1.0, -2.0], [0.5, 3.0], [2.0, 0.1]], [0.0, 1.0, 2.0]), [0.5, -1.0]).ok
    True
    """
    wanted = None if wrt is None else {wrt} if isinstance(wrt, str) else set(wrt)
    notes: list[str] = []
    findings: list[Finding] = []
    for path, part, values in _inner(layer, inputs):
        selected = None if wanted is None else _within(wanted, path)
        if selected is None or selected:
            findings += _check_one(part, values, selected, f"{path} {type(part).__name__}: ", progress, seed)
    composed = bool(getattr(layer, "inner", None))
    whole = _check_one(layer, inputs, wanted, "", progress, seed)
    if composed and any(not finding.ok for finding in whole) and all(finding.ok for finding in findings):
        whole = [
            finding if finding.ok else replace(
                finding, explanations=(*finding.explanations, "every local Jacobian is right: the composition is wrong")
            )
            for finding in whole
        ]  # fmt: skip
    blamed = _blame(findings)
    if blamed:
        whole = [finding if finding.ok else replace(finding, explanations=(blamed,)) for finding in whole]
    culprits = tuple(finding.name.split(":")[0] for finding in findings if finding.verdict == WRONG)
    if culprits:
        notes.append(f"wrong local Jacobians in {', '.join(dict.fromkeys(culprits))}")
    for name, value in [*zip(layer.input_names, inputs, strict=False), *layer.parameters.items()]:
        notes += vacuous(value, name)
    return Report((*findings, *whole), f"{type(layer).__name__}", tuple(notes))


def _blame(findings: list[Finding]) -> str:
    """Say which local Jacobians make the composition wrong."""
    bad = [finding.name for finding in findings if finding.verdict == WRONG]
    return f"follows from what is wrong inside: {', '.join(bad)}" if bad else ""


def _within(wanted: set[str], path: str) -> set[str]:
    """Return which arguments of the layer at a path are wanted; inputs of inner layers are checked on the way."""
    inner = {name.removeprefix(f"{path}.") for name in wanted if name.startswith(f"{path}.")}
    return inner | {"x"} if inner else inner


def _inner(layer: Any, inputs: tuple[Any, ...]) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
    """Every layer inside that has local Jacobians, by its path, with the inputs that reach it."""
    if not getattr(layer, "inner", None):
        return
    recording, _ = layer.recorded(layer.prepared(inputs))
    for node in recording.nodes:
        if id(node.layer) in recording.paths and node.layer is not layer:
            yield node.path.rstrip("."), node.layer, node.inputs


def _check_one(
    layer: Any, inputs: tuple[Any, ...], wanted: set[str] | None, prefix: str, progress: bool | None, seed: int
) -> list[Finding]:
    """Check every Jacobian of one layer."""
    layer(*inputs)  # inputs that do not fit are the caller's mistake, and raise here
    output = getattr(layer, "output_name", "z")
    try:
        _, claimed = layer.linearize(*inputs)
    except (ValueError, TypeError, IndexError) as error:
        text = f"linearize fails: {error}"
        shape = np.shape(np.asarray(layer(*inputs)))
        return [Finding(f"{prefix}{names(output, '?')}", shape, (), WRONG, explanations=(text,))]
    unknown = set() if wanted is None or prefix else wanted - set(claimed)
    if unknown:
        raise ValueError(f"{type(layer).__name__} has no Jacobian with respect to {sorted(unknown)}: {list(claimed)}")
    findings = []
    for name, jacobian in claimed.items():
        output = getattr(getattr(jacobian, "form", None), "out_name", output)
        if wanted is not None and name not in wanted:
            continue
        if name in layer.input_names:
            position = layer.input_names.index(name)
            at = inputs[position]

            def function(value: Any, position: int = position) -> Any:
                return layer(*inputs[:position], value, *inputs[position + 1 :])
        else:
            at = layer.parameters[name]

            def function(value: Any, name: str = name) -> Any:  # type: ignore[misc]  # the other of the two functions
                return layer.with_parameters({name: value})(*inputs)

        finding = examine(function, at, jacobian, output=output, wrt=name, progress=progress, seed=seed)
        findings.append(replace(finding, name=prefix + finding.name))
    missing = set(layer.parameters) - set(claimed)
    for name in sorted(missing if wanted is None else missing & wanted):
        shape = np.shape(np.asarray(layer(*inputs)))
        text = f"the layer gives no Jacobian with respect to its parameter {name}"
        findings.append(
            Finding(prefix + names(output, name), shape, np.shape(layer.parameters[name]), WRONG, explanations=(text,))
        )
    return findings
