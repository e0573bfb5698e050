"""What the sets of mistakes and of hard points are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Kind = Literal["jacobian", "vjp", "jvp"]


@dataclass(frozen=True)
class Mistake:
    """A wrong claim beside a right one.

    `cause` is a word of the diagnosis, empty where a mistake has no recognisable cause. `twin` is the function of the
    right claim, where it is another one.
    """

    name: str
    f: Callable[..., Any]
    x: Any
    right: Any
    wrong: Any
    cause: str = ""
    kind: Kind = "jacobian"
    twin: Callable[..., Any] | None = None


@dataclass(frozen=True)
class HardPoint:
    """A right claim that is hard to confirm; where it is `open`, "cannot tell" is an answer as good as "right"."""

    name: str
    f: Callable[..., Any]
    x: Any
    right: Any
    open: bool = False


def dense(kind: Kind, f: Callable[..., Any], x: Any, claim: Any) -> Any:
    """A claim as an array, for those who can judge nothing else."""
    if kind == "jacobian":
        return claim(x) if callable(claim) else claim
    x = np.asarray(x)
    shape = np.shape(f(x.copy()))
    size = int(np.prod(shape if kind == "vjp" else x.shape))
    units = np.eye(size).reshape((size, *(shape if kind == "vjp" else x.shape)))
    found = [np.array(claim(x.copy(), unit), copy=True) for unit in units]
    return (
        np.reshape(found, shape + x.shape)
        if kind == "vjp"
        else np.moveaxis(np.array(found), 0, -1).reshape(shape + x.shape)
    )
