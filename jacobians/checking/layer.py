"""check: every Jacobian of a layer, of what it is made of, or of a function that some library differentiates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from jacobians.checking.judging.comparison import Names
from jacobians.checking.judging.examine import examine
from jacobians.checking.judging.options import RTOL, Options
from jacobians.checking.libraries import check_function
from jacobians.checking.measuring.function import quiet
from jacobians.checking.points import moved, vacuous
from jacobians.checking.report.finding import WRONG, Finding
from jacobians.checking.report.report import Report


def check(
    layer: Any,
    *inputs: Any,
    wrt: str | Iterable[str] | None = None,
    rtol: float = RTOL,
    atol: float = 0.0,
    also_at: Literal["nearby"] | None = None,
    progress: bool | None = None,
    seed: int = 0,
) -> Report:
    """Compare every Jacobian of a layer, chain or function at the given inputs with measured ones.

    Of a layer made of layers each local Jacobian is checked at the values that reach it, then those of the composition,
    so that the report says which layer is wrong, and with respect to which argument.

    Parameters
    ----------
    layer
        A layer: anything with a call, ``linearize``, ``parameters``, ``with_parameters``. Or a function, whose Jacobian
        is then the one of the library it belongs to: a ``torch.nn.Module`` (by its parameters, too) or a function of
        tensors, a function of JAX or its ``custom_vjp``, an object with ``forward`` and ``backward``, or a plain NumPy
        function, which is traced.
    *inputs
        Its inputs; see `sample_point` for some at which mistakes show.
    wrt
        The names of inputs and parameters to check, all by default.
    rtol, atol
        By how much a right Jacobian may be off beyond what cannot be measured: relative to the entry, and absolute.
    also_at
        "nearby" for a second look at a layer with moved inputs and parameters, where mistakes show that these hide
        (zeros, ones, symmetry).
    progress
        Whether to show progress bars.
    seed
        Of the random directions for very large Jacobians.

    Returns
    -------
    Report
        It is true if all is right; ``report["hidden.A"]``, ``print(report)``.

    Examples
    --------
    >>> from jacobians import Affine
    >>> check(Affine([[1.0, -2.0], [0.5, 3.0], [2.0, 0.1]], [0.0, 1.0, 2.0]), [0.5, -1.0]).ok
    True
    """
    wanted = None if wrt is None else {wrt} if isinstance(wrt, str) else set(wrt)
    options = Options(rtol, atol, seed=seed, progress=progress)
    if not hasattr(layer, "linearize"):
        if also_at is not None:
            raise ValueError("also_at is for layers; check_jacobian has it for functions")
        return check_function(layer, inputs, wanted, options)
    report = _report(layer, inputs, wanted, options)
    return report if also_at is None else _with_nearby(report, layer, inputs, wanted, options)


def _report(layer: Any, inputs: tuple[Any, ...], wanted: set[str] | None, options: Options) -> Report:
    """The findings on a layer and on what it is made of."""
    findings: list[Finding] = []
    for path, part, values in _inner(layer, inputs):
        selected = None if wanted is None else _within(wanted, path)
        if selected is None or selected:
            findings += _check_one(part, values, selected, f"{path} {type(part).__name__}: ", options)
    whole = _check_one(layer, inputs, wanted, "", options)
    if findings:
        whole = _composed(findings, whole)
    culprits = [finding.name.split(":")[0] for finding in findings if finding.verdict == WRONG]
    notes = [f"wrong local Jacobians in {', '.join(dict.fromkeys(culprits))}"] if culprits else []
    for name, value in [*zip(layer.input_names, inputs, strict=False), *layer.parameters.items()]:
        notes += vacuous(value, name)
    return Report((*findings, *whole), f"{type(layer).__name__}", tuple(notes))


def _with_nearby(
    report: Report, layer: Any, inputs: tuple[Any, ...], wanted: set[str] | None, options: Options
) -> Report:
    """The report with what is wrong at moved inputs and parameters, where it is right at these."""
    names = list(layer.parameters)
    for both_signs in (True, False):
        values = moved((*inputs, *layer.parameters.values()), options.seed, both_signs=both_signs)
        there = values[: len(inputs)]
        try:
            other = layer.with_parameters(dict(zip(names, values[len(inputs) :], strict=True))) if names else layer
            with quiet():
                usable = bool(np.isfinite(np.asarray(other(*there))).all())
            second = _report(other, there, wanted, options) if usable else None
        except (ValueError, TypeError, ArithmeticError):  # outside the domain of the layer
            second = None
        if second is not None:
            break
    if second is None:
        return replace(report, notes=(*report.notes, "no second look: the layer has no values at moved inputs"))
    right = {finding.name for finding in report if finding.ok}
    said = "right here, but wrong at moved inputs and parameters: these hide the mistake"
    more = [
        replace(one, name=f"{one.name} nearby", explanations=(said, *one.explanations))
        for one in second
        if one.verdict == WRONG and one.name in right
    ]
    return replace(report, findings=(*report.findings, *more))


def _composed(findings: list[Finding], whole: list[Finding]) -> list[Finding]:
    """What is said of a composition that is wrong: that a part is, or that only the composition is."""
    bad = [finding.name for finding in findings if finding.verdict == WRONG]
    found = []
    for finding in whole:
        if finding.verdict == WRONG and bad:
            said = f"made of what is wrong inside: {', '.join(bad)}"
            finding = replace(finding, explanations=(said,), follows=True)
        elif not finding.ok and all(finding.ok for finding in findings):
            said = "every local Jacobian is right: the composition is wrong"
            finding = replace(finding, explanations=(*finding.explanations, said))
        found.append(finding)
    return found


def _within(wanted: set[str], path: str) -> set[str]:
    """Which arguments of the layer at a path are wanted; inputs of inner layers are checked on the way."""
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
    layer: Any, inputs: tuple[Any, ...], wanted: set[str] | None, prefix: str, options: Options
) -> list[Finding]:
    """Check every Jacobian of one layer."""
    shape = np.shape(np.asarray(layer(*inputs)))  # inputs that do not fit are the caller's mistake, and raise here
    output = getattr(layer, "output_name", "z")

    def failed(name: str, wrt_shape: tuple[int, ...], said: str) -> Finding:
        return Finding(prefix + Names(output, name).title, shape, wrt_shape, WRONG, explanations=(said,))

    try:
        _, claimed = layer.linearize(*inputs)
    except (ValueError, TypeError, IndexError) as error:
        return [failed("?", (), f"linearize fails: {error}")]
    unknown = set() if wanted is None or prefix else wanted - set(claimed)
    if unknown:
        raise ValueError(f"{type(layer).__name__} has no Jacobian with respect to {sorted(unknown)}: {list(claimed)}")
    findings = []
    for name, jacobian in claimed.items():
        if wanted is None or name in wanted:
            form = getattr(jacobian, "form", None)
            names = Names(getattr(form, "out_name", output), name)
            for finding in examine(*_by(layer, inputs, name), _claim(jacobian), names, options):
                findings.append(replace(finding, name=prefix + finding.name))
    for name in sorted(set(layer.parameters) - set(claimed)):
        if wanted is None or name in wanted:
            said = f"the layer gives no Jacobian with respect to its parameter {name}"
            findings.append(failed(name, np.shape(layer.parameters[name]), said))
    return findings


def _claim(jacobian: Any) -> Any:
    """A claim for one output."""
    return lambda function: [jacobian] * len(function.outputs)


def _by(layer: Any, inputs: tuple[Any, ...], name: str) -> tuple[Any, Any]:
    """The layer as a function of one input or parameter, and its value."""
    if name in layer.input_names:
        position = layer.input_names.index(name)
        return lambda value: layer(*inputs[:position], value, *inputs[position + 1 :]), inputs[position]
    return lambda value: layer.with_parameters({name: value})(*inputs), layer.parameters[name]
