"""Shape signatures: ``"A (M, N), b (M), x (..., N)"`` says which axes must agree; every layer's errors come from it."""

from __future__ import annotations

import re
from functools import lru_cache

from jacobians.notation.structure import Shape


@lru_cache(maxsize=512)
def labels_of(text: str) -> dict[str, tuple[str, ...]]:
    """The labels of the axes of every argument."""
    found = re.findall(r"(\w+) \(([^)]*)\)", text)
    return {name: tuple(part.strip() for part in labels.split(",") if part.strip()) for name, labels in found}


@lru_cache(maxsize=4096)
def require(layer: str, signature: str, arguments: tuple[tuple[str, Shape], ...]) -> None:
    """Raise a ValueError that names the layer, the argument and both shapes if the arguments do not fit the signature.

    A label is an axis size, a number is itself, ``...`` is any number of batch axes, which must be equal wherever they
    stand. The arguments are looked at in order, so that later ones are blamed.
    """
    known: dict[str, tuple[int | Shape, str, Shape]] = {}
    for name, shape in arguments:
        labels = labels_of(signature).get(name)
        if labels is None:
            continue
        dots = "..." in labels
        least = len(labels) - dots
        if len(shape) < least or (not dots and len(shape) > least):
            axes = f"{'at least ' if dots else ''}{least} {'axis' if least == 1 else 'axes'} ({', '.join(labels)})"
            raise ValueError(f"{layer}: {name} must have {axes}; {name} is {shape}")
        before = labels.index("...") if dots else len(labels)
        batch = len(shape) - least
        places = [(label, k if k < before else k + batch - 1) for k, label in enumerate(labels) if label != "..."]
        sizes: list[tuple[str, int, int | Shape]] = [(label, at, shape[at]) for label, at in places]
        if dots:
            sizes.append(("...", before, shape[before : before + batch]))
        for label, at, size in sizes:
            if label.isdigit():
                if size != int(label):
                    raise ValueError(f"{layer}: {_axis(at, shape)} of {name} must be {label}; {name} is {shape}")
                continue
            expected, origin, other = known.setdefault(label, (size, name, shape))
            if size != expected:
                what = "the batch axes" if label == "..." else _axis(at, shape)
                raise ValueError(
                    f"{layer}: {origin} is {other}, so {what} of {name} must be {expected}; {name} is {shape}"
                )


def _axis(at: int, shape: Shape) -> str:
    return "the last axis" if at == len(shape) - 1 else f"axis {at}"
