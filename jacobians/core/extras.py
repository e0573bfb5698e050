"""Packages that are extras: imported where they are used, with an error that says how to get them."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def extra(module: str, name: str, user: str) -> Any:
    """A module of an optional package; an ImportError that names the extra if it is not there."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(f'{user} needs {module.partition(".")[0]}: pip install "jacobians[{name}]"') from error
