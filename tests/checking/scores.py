"""How many planted mistakes are caught, and how many correct derivatives raise a false alarm.

Run ``python -m tests.checking.scores``; it prints a Markdown table for each of the two sets. The checker's thresholds
were tuned on the first; the second was written before the checker saw it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jacobians.checking import check_jacobian, check_jvp, check_vjp
from tests.checking import harder_mistakes, harder_points
from tests.checking.cases import HardPoint, Kind, Mistake, dense
from tests.checking.hard_points import POINTS
from tests.checking.mistakes import MISTAKES
from tests.checking.rivals import RULES

Answer = Callable[[Kind, Callable[..., Any], Any, Any], str]
SETS = {"first set": (MISTAKES, POINTS), "second set": (harder_mistakes.HARDER, harder_points.HARDER)}
RIGHT, CANNOT_TELL, WRONG = "right", "cannot tell", "wrong"


def ours(kind: Kind, f: Callable[..., Any], x: Any, claim: Any) -> str:
    """What `jacobians.check` answers."""
    check: Callable[..., Any] = {"jacobian": check_jacobian, "vjp": check_vjp, "jvp": check_jvp}[kind]
    report = check(f, x, claim)
    return RIGHT if report.ok else WRONG if report.wrong else CANNOT_TELL


def rival(rule: Callable[..., bool]) -> Answer:
    """What the rule of another checker answers, which knows Jacobians only, and right and wrong."""
    return lambda kind, f, x, claim: RIGHT if rule(f, x, dense(kind, f, x, claim)) else WRONG


def answered(answer: Answer, kind: Kind, f: Callable[..., Any], x: Any, claim: Any) -> str:
    """An answer; whoever raises an error rejects the claim."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return answer(kind, f, x, claim)
    except Exception:
        return WRONG


def score(answer: Answer, mistakes: Sequence[Mistake], points: Sequence[HardPoint]) -> tuple[int, int, int]:
    """Mistakes caught, false alarms on their correct twins, false alarms at hard points."""
    caught = sum(answered(answer, one.kind, one.f, one.x, one.wrong) != RIGHT for one in mistakes)
    twins = sum(answered(answer, one.kind, one.twin or one.f, one.x, one.right) != RIGHT for one in mistakes)
    answers = [(answered(answer, "jacobian", one.f, one.x, one.right), one.open) for one in points]
    return caught, twins, sum(found == WRONG or (found != RIGHT and not is_open) for found, is_open in answers)


def table(mistakes: Sequence[Mistake], points: Sequence[HardPoint]) -> str:
    """The scores as a Markdown table."""
    lines = [
        f"| rule | mistakes caught, of {len(mistakes)} | false alarms on correct twins, of {len(mistakes)} "
        f"| false alarms at hard points, of {len(points)} |",
        "|---|---:|---:|---:|",
    ]
    for name, answer in {"jacobians.check": ours, **{name: rival(rule) for name, rule in RULES.items()}}.items():
        lines.append(f"| {name} | " + " | ".join(str(number) for number in score(answer, mistakes, points)) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    for title, (mistakes, points) in SETS.items():
        print(f"{title}\n\n{table(mistakes, points)}\n")
