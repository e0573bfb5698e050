"""grade: an answer to an exercise, with a hint before the solution."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from jacobians.checking.jacobian import check_jacobian
from jacobians.checking.report.finding import Entry, Finding
from jacobians.notation.formula import times
from jacobians.notation.markup import html

SHOWN = 3  # wrong entries
WRONG = "wrong"


@dataclass(frozen=True)
class Grade:
    """What is to be said about an answer.

    Attributes
    ----------
    name
        What was asked for.
    right
        True, False, or None where there is no answer yet.
    says
        What is wrong, or how it was found to be right.
    hint
        Shown until the answer is right.
    """

    name: str
    right: bool | None
    says: tuple[str, ...] = ()
    hint: str = ""

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__

    def _lines(self) -> list[str]:
        mark = {True: "✓", False: "✗", None: "…"}[self.right]
        word = {True: "right", False: "not yet", None: "put your answer in place of ... and run this cell"}[self.right]
        hint = [f"    Hint: {self.hint}"] if self.hint and not self.right else []
        return [f"{mark} {self.name}: {word}", *(f"    {line}" for line in self.says), *hint]

    def _repr_html_(self) -> str:
        colour = {True: "#2e7d32", False: "#c62828", None: "#757575"}[self.right]
        head, *rest = self._lines()
        lines = "".join(f'<div style="padding-left:1.6em">{html(line.strip())}</div>' for line in rest)
        return (
            f'<div style="border-left:4px solid {colour};padding:.2em .8em;margin:.3em 0">'
            f"<b>{html(head)}</b>{lines}</div>"
        )


def grade(
    name: str,
    answer: Any,
    *,
    of: Callable[..., Any] | None = None,
    at: Any = None,
    expected: Any = None,
    hint: str = "",
) -> Grade:
    """Say whether an answer is right, and if not, which mistake it looks like.

    A Jacobian is compared with finite differences of the function that it belongs to; nothing else knows the answer.
    Anything else (a number, a shape, an einsum string, words) is compared with what is expected.

    Parameters
    ----------
    name
        What was asked for, as in "∂f/∂b".
    answer
        The answer; ``...`` is none yet, and is answered with the hint.
    of, at
        For a Jacobian: the function, and the point at which it is differentiated.
    expected
        For anything else: the right answer. Einsum strings may use other letters.
    hint
        Where to look, shown until the answer is right.

    Returns
    -------
    Grade ; ``grade(…).right`` is True, False or None

    Examples
    --------
    >>> f = np.tanh
    >>> x = np.array([0.5, -1.0])
    >>> grade("∂f/∂x", 1 - f(x) ** 2, of=f, at=x, hint="f_i depends on x_i alone")
    ✗ ∂f/∂x: not yet
        the shape must be 2 × 2: the axes of f, then those of x; yours is (2,)
        Hint: f_i depends on x_i alone
    >>> grade("∂f/∂x", np.diag(1 - f(x) ** 2), of=f, at=x).right
    True
    >>> grade("the shape", (2, 3), expected=(3, 2))
    ✗ the shape: not yet
        (2, 3) has the right numbers in another order
    """
    if of is None and expected is None:
        raise ValueError("grade: give either the function `of` (and `at`), or what is `expected`")
    if _missing(answer):
        return Grade(name, None, (), hint)
    right, says = _measured(name, answer, of, at) if of is not None else _compared(answer, expected)
    return Grade(name, right, says, hint)


def _missing(answer: Any) -> bool:
    return answer is ... or (isinstance(answer, list | tuple) and any(_missing(part) for part in answer))


# --- a Jacobian -------------------------------------------------------------------------------------------------------


def _measured(name: str, answer: Any, f: Callable[..., Any], x: Any) -> tuple[bool, tuple[str, ...]]:
    above, below = _letters(name)
    out, wrt = np.shape(f(np.array(x, dtype=float))), np.shape(x)
    try:
        claimed = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        return False, (f"a Jacobian is an array of numbers; this is {type(answer).__name__}",)
    if claimed.shape != out + wrt:
        must = f"the shape must be {times(out, wrt)}: the axes of {above}, then those of {below}"
        other = "; the groups are swapped (denominator layout)" if claimed.shape == wrt + out else ""
        return False, (f"{must}; yours is {claimed.shape}{other}",)
    (finding,) = check_jacobian(f, x, claimed)
    if finding.ok:
        digits = "" if finding.digits is None else f" to {math.floor(finding.digits)} digits"
        count = "its one entry agrees" if claimed.size == 1 else f"all {claimed.size} entries agree"
        return True, (f"{count} with finite differences{digits}",)
    return False, tuple(_mistakes(finding, above, below))


def _mistakes(finding: Finding, above: str, below: str) -> list[str]:
    wrong = [entry for entry in finding.worst if entry.verdict == WRONG]
    count, size = finding.counts.get(WRONG, 0), sum(finding.counts.values())
    says = [f"the checker says: {text}" for text in finding.explanations]
    says += [f"{count} of {size} entries are wrong" if size > 1 else "the number is wrong"]
    cut = len(finding.out_shape)
    says += [_entry(entry, above, below, cut) for entry in wrong[:SHOWN]]
    return says


def _entry(entry: Entry, above: str, below: str, cut: int) -> str:
    i, j = _counted(entry.index[:cut]), _counted(entry.index[cut:])
    return f"∂{above}{i}/∂{below}{j}: yours is {entry.claimed:.4g}, measured is {_number(entry)}"


def _number(entry: Entry) -> str:
    return f"{entry.measured:.4g}" if abs(entry.measured) > abs(entry.error) else "0"


def _counted(index: tuple[int, ...]) -> str:
    """Indices as on paper: from 1, lowered."""
    lowered = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    return ("" if all(k < 9 for k in index) else ",").join(str(k + 1).translate(lowered) for k in index)


def _letters(name: str) -> tuple[str, str]:
    """Tell f and x of "∂f/∂x"."""
    above, slash, below = name.partition("/")
    return (above.lstrip("∂d"), below.lstrip("∂d")) if slash and above[:1] in "∂d" else ("f", "x")


# --- anything else ----------------------------------------------------------------------------------------------------


def _compared(answer: Any, expected: Any) -> tuple[bool, tuple[str, ...]]:
    if isinstance(expected, str):
        if isinstance(answer, str) and _letters_renamed(answer) == _letters_renamed(expected):
            return True, ()
        return False, (f"{answer!r} is not it",)
    try:
        one, other = np.asarray(answer, dtype=float), np.asarray(expected, dtype=float)
    except (TypeError, ValueError):
        return (True, ()) if answer == expected else (False, (f"{answer!r} is not it",))
    if one.shape == other.shape and np.allclose(one, other, rtol=1e-6, atol=1e-9):
        return True, ()
    if isinstance(answer, tuple) and one.ndim == 1 and sorted(one) == sorted(other.ravel()):
        return False, (f"{answer} has the right numbers in another order",)
    if one.shape != other.shape:
        what = "axes" if isinstance(answer, tuple) else "entries"
        return False, (f"{answer} has {one.size} {what}, and there are {other.size}",)
    return False, (f"{answer} is not it",)


def _letters_renamed(text: str) -> tuple[object, ...] | str:
    """An einsum string with its letters numbered in the order in which they come; other words as they are."""
    plain = text.replace(" ", "").casefold()
    if not any(c in plain for c in (",", "->")):
        return plain
    inputs, arrow, output = text.replace(" ", "").partition("->")
    if not arrow:  # the letters that stand once, sorted: NumPy's implicit output
        output = "".join(sorted(c for c in set(inputs) - {","} if inputs.count(c) == 1))
    numbers = {c: k for k, c in enumerate(dict.fromkeys(c for c in chain(inputs, output) if c.isalpha()))}
    return tuple(numbers.get(c, c) for c in f"{inputs}->{output}")
