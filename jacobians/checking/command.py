"""``python -m jacobians check module:function --jacobian module:claimed --at x.npy``."""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.util
import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from jacobians.checking.jacobian import check_jacobian
from jacobians.checking.layer import check
from jacobians.checking.measuring.arguments import parameter_names
from jacobians.checking.measuring.function import quiet
from jacobians.checking.products import check_jvp, check_vjp
from jacobians.checking.report.html import page
from jacobians.checking.report.report import Report
from jacobians.checking.report.text import text, wants_colour
from jacobians.errors import BadInput

RIGHT, NOT_RIGHT, BAD_INPUT, RAISED = 0, 1, 2, 3
CLAIMS = ("jacobian", "vjp", "jvp")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.description = "Check a claimed Jacobian, or a backward or forward pass, against measured derivatives."
    parser.epilog = "Exit codes: 0 right, 1 wrong (or cannot tell), 2 bad input, 3 the function or the claim raises."
    parser.add_argument("function", metavar="module:function", help="the function, or a layer; module or path to a .py")
    claim = parser.add_mutually_exclusive_group()
    claim.add_argument("--jacobian", metavar="module:claimed", help="a function of x that returns J, or an array")
    claim.add_argument("--vjp", metavar="module:vjp", help="a backward pass: vjp(x, u)")
    claim.add_argument("--jvp", metavar="module:jvp", help="a forward pass: jvp(x, h)")
    parser.add_argument(
        "--at", metavar="x", required=True, nargs="+",
        help="the arguments: x.npy, x.npz (arrays by the names of the arguments), or typed as in [1.0,2.5] or b=0.1",
    )  # fmt: skip
    parser.add_argument("--rtol", type=float, default=1e-6, help="relative tolerance (default: 1e-6)")
    parser.add_argument("--atol", type=float, default=0.0, help="absolute tolerance (default: 0)")
    parser.add_argument("--seed", type=int, default=0, help="of the random directions (default: 0)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--html", metavar="out.html", help="also write the report as a page")
    parser.add_argument(
        "--allow-inconclusive", action="store_true", help="exit code 0 also if noise leaves entries open"
    )


def run(options: argparse.Namespace) -> int:
    """Run the subcommand; return its exit code."""
    try:
        f = _load(options.function)
        given = [(kind, _load(name)) for kind in CLAIMS if (name := getattr(options, kind))]
        if not given and not hasattr(f, "linearize"):
            raise BadInput("--jacobian, --vjp or --jvp is needed, unless the function is a layer")
        x = _arguments(options.at, f)
        report = _report(f, x, given, options)
        if isinstance(report, int):
            return report
        if options.html:
            _write(Path(options.html), report)
    except BadInput as error:
        return _refused(str(error))
    if options.json:
        print(json.dumps(report.to_dict(), indent=2, allow_nan=False))
    else:
        print(text(report.findings, report.title, report.notes, colour=wants_colour()))
    return RIGHT if report.ok or (options.allow_inconclusive and not report.wrong) else NOT_RIGHT


def _report(f: Any, x: tuple[Any, ...], given: list[tuple[str, Any]], options: argparse.Namespace) -> Report | int:
    """The report, or the exit code if the function or the claim raises at x."""
    settings = {"rtol": options.rtol, "atol": options.atol, "seed": options.seed}
    if not given:
        try:
            return check(f, *x, **settings)
        except (ValueError, TypeError, IndexError) as error:
            return _refused(str(error))
    kind, claim = given[0]
    calls = [(options.function, f), (options.jacobian, claim)] if kind == "jacobian" and callable(claim) else [
        (options.function, f)
    ]  # fmt: skip
    for name, function in calls:
        try:
            with quiet():
                function(*(np.array(value, copy=True)[()] for value in x))
        except Exception as error:  # whatever the person's own code raises
            line = traceback.extract_tb(error.__traceback__)[-1]
            said = (
                f"{name} raises {type(error).__name__} at x: {error} ({Path(line.filename).name}, line {line.lineno})"
            )
            print(f"jacobians check: {' '.join(said.split())}", file=sys.stderr)
            return RAISED
    checks: dict[str, Callable[..., Report]] = {"jacobian": check_jacobian, "vjp": check_vjp, "jvp": check_jvp}
    try:
        point = x[0] if len(x) == 1 else x
        return checks[kind](f, point, claim, argnums=None if len(x) == 1 else tuple(range(len(x))), **settings)
    except (ValueError, TypeError, IndexError) as error:
        return _refused(str(error))


def _refused(said: str) -> int:
    print(f"jacobians check: {' '.join(said.split())}", file=sys.stderr)
    return BAD_INPUT


def _write(path: Path, report: Report) -> None:
    try:
        path.write_text(page(report.findings, report.title, report.notes), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror}") from error


# -- arguments ---------------------------------------------------------------------------------------------------------


def _arguments(given: list[str], f: Any) -> tuple[Any, ...]:
    """The arguments of f: arrays of files and typed ones, those with a name in the place of that name."""
    plain: list[Any] = []
    named: dict[str, Any] = {}
    for one in given:
        name, equals, rest = one.partition("=")
        if equals and name.isidentifier():
            named[name] = _typed(rest)
        elif Path(one).suffix in (".npy", ".npz") or Path(one).exists():
            loaded = _file_of_arrays(Path(one))
            named.update(loaded) if isinstance(loaded, dict) else plain.append(loaded)
        else:
            plain.append(_typed(one))
    if not named:
        return tuple(plain)
    names = list(getattr(f, "input_names", ())) or parameter_names(f)
    if len(named) == 1 and len(names) <= 1 and not plain:
        return tuple(named.values())
    unknown = [name for name in named if name not in names]
    if unknown:
        raise BadInput(
            f"{', '.join(unknown)} is no argument of the function; these are {', '.join(names) or 'unknown'}"
        )
    rest_of_names = [name for name in names if name not in named]
    if len(plain) != len(rest_of_names):
        raise BadInput(f"the function takes {', '.join(names)}; missing: {', '.join(rest_of_names[len(plain) :])}")
    placed = {**named, **dict(zip(rest_of_names, plain, strict=True))}
    return tuple(placed[name] for name in names)


def _typed(text: str) -> Any:
    """A number or nested list of numbers, typed in place."""
    try:
        value = np.asarray(ast.literal_eval(text))
    except (ValueError, SyntaxError) as error:
        raise BadInput(f"{text!r} is neither a .npy or .npz file nor numbers such as [1.0,2.5]") from error
    if value.dtype.kind not in "fciub":
        raise BadInput(f"{text!r} is not made of numbers")
    return value


def _file_of_arrays(path: Path) -> Any:
    """The array in a .npy file, or those in an .npz file by name."""
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError) as error:
        reason = getattr(error, "strerror", None) or "not a NumPy file"
        raise BadInput(f"cannot read {path}: {reason}") from error


def _load(name: str) -> Any:
    """Import "package.module:attribute", or "path/to/file.py:attribute"."""
    module_name, colon, attribute = name.rpartition(":")
    if not colon or not module_name or not attribute:
        raise BadInput(f"{name!r} is not of the form module:function")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = _file(Path(module_name)) if module_name.endswith(".py") else importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except AttributeError as error:
        raise BadInput(f"module {module_name} has no {attribute!r}") from error
    except Exception as error:  # whatever a foreign module raises while it is imported
        raise BadInput(f"cannot import {module_name}: {error}") from error
    return found


def _file(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.exists():
        raise BadInput(f"there is no file {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
