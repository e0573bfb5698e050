"""Long formulas in tables: long symbols get letters, which a legend below explains, and lines are broken."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from jacobians.notation.renaming import DIGITS

LONG = 66  # letters in a formula that is shortened, and in a line of it
SYMBOL = 12  # letters in a symbol that is given a letter
SYMBOLS = re.compile(rf"(?<=[ (−])([^\s_∂Σδ\[][^\s_]{{{SYMBOL - 1},}})(?=[_ )]|$)")

Legend = tuple[tuple[str, str], ...]


def shortened(formulas: Sequence[str], taken: Collection[str]) -> tuple[list[str], Legend]:
    """The formulas with letters for long symbols where they are long, and what the letters stand for.

    >>> formula = "∂f_i/∂x_j = " + " + ".join(["cos(x[0]+x[1])_i A_ij"] * 4)
    >>> shortened([formula], {"A"})
    (['∂f_i/∂x_j = S₁_i A_ij + S₁_i A_ij + S₁_i A_ij + S₁_i A_ij'], (('S₁', 'cos(x[0]+x[1])'),))
    """
    base = next((one for one in "SQTHG" if one not in taken), "S′")
    letters: dict[str, str] = {}

    def short(formula: str) -> str:
        left, _, right = formula.partition(" = ")
        if len(formula) <= LONG or "∂" in right:
            return formula
        right = SYMBOLS.sub(
            lambda m: letters.setdefault(m[1], base + str(len(letters) + 1).translate(DIGITS)), f" {right}"
        )
        return f"{left} ={right}"

    return [short(formula) for formula in formulas], tuple((new, old) for old, new in letters.items())


def broken(formula: str, width: int = LONG) -> list[str]:
    r"""The lines of a formula, broken before a sign; all but the first are indented.

    >>> print("\n".join(broken("∂y_i/∂x_j = " + " − ".join(["exp(x)_i A_ij y_j"] * 4))))
    ∂y_i/∂x_j = exp(x)_i A_ij y_j − exp(x)_i A_ij y_j
      − exp(x)_i A_ij y_j − exp(x)_i A_ij y_j
    """
    if len(formula) <= width:
        return [formula]
    lines = [""]
    for part in re.split(r" (?=[+−·] )", formula):
        if lines[-1].strip() and len(lines[-1]) + 1 + len(part) > width:
            lines.append(f"  {part}")
        else:
            lines[-1] = f"{lines[-1]} {part}" if lines[-1] else part
    return lines
