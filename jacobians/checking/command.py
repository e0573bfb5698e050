"""``python -m jacobians check module:function --jacobian module:claimed --at x.npy [--html out.html]``."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np

from jacobians.checking.jacobian import check_jacobian
from jacobians.checking.layer import check
from jacobians.checking.report.html import page
from jacobians.checking.report.text import text, wants_colour

OK, IS_WRONG, BAD_INPUT = 0, 1, 2


class _BadInput(Exception):
    """What the user gave cannot be used; the message says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.description = "Check a claimed Jacobian against measured derivatives; exit code 1 if it is not right."
    parser.add_argument("function", metavar="module:function", help="the function, or a layer; module or path to a .py")
    parser.add_argument(
        "--jacobian", metavar="module:claimed", help="a function of x that returns the Jacobian, or an array"
    )
    parser.add_argument(
        "--at", metavar="x.npy", required=True, help="the point x; of an .npz, its arrays are the arguments"
    )
    parser.add_argument("--html", metavar="out.html", help="also write the report as a page")
    parser.add_argument(
        "--allow-inconclusive", action="store_true", help="exit code 0 also if noise leaves entries open"
    )


def run(options: argparse.Namespace) -> int:
    """Run the subcommand: 0 right, 1 not right, 2 bad input."""
    try:
        x = _point(Path(options.at))
        f = _load(options.function)
        claimed = _load(options.jacobian) if options.jacobian else None
        if claimed is None and not hasattr(f, "linearize"):
            raise _BadInput("--jacobian is needed, unless the function is a layer")
        try:
            arguments = x if isinstance(x, tuple) else (x,)
            report = check(f, *arguments) if claimed is None else check_jacobian(f, x, claimed)
        except (ValueError, TypeError, IndexError) as error:
            raise _BadInput(str(error)) from error
        if options.html:
            try:
                Path(options.html).write_text(page(report.findings, report.title, report.notes), encoding="utf-8")
            except OSError as error:
                raise _BadInput(f"cannot write {options.html}: {error.strerror}") from error
    except _BadInput as error:
        print(f"jacobians check: {' '.join(str(error).split())}", file=sys.stderr)
        return BAD_INPUT
    print(text(report.findings, report.title, report.notes, colour=wants_colour()))
    if report.ok:
        return OK
    return OK if options.allow_inconclusive and not report.wrong else IS_WRONG


def _point(path: Path) -> Any:
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            return tuple(loaded[name] for name in loaded.files)
    except (OSError, ValueError, EOFError) as error:
        reason = getattr(error, "strerror", None) or "not a NumPy file"
        raise _BadInput(f"cannot read {path}: {reason}") from error


def _load(name: str) -> Any:
    """Import "package.module:attribute", or "path/to/file.py:attribute"."""
    module_name, colon, attribute = name.rpartition(":")
    if not colon or not module_name or not attribute:
        raise _BadInput(f"{name!r} is not of the form module:function")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = _file(Path(module_name)) if module_name.endswith(".py") else importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except AttributeError as error:
        raise _BadInput(f"module {module_name} has no {attribute!r}") from error
    except Exception as error:  # whatever a foreign module raises while it is imported
        raise _BadInput(f"cannot import {module_name}: {error}") from error
    return found


def _file(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.exists():
        raise _BadInput(f"there is no file {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
