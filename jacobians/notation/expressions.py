"""Names for values that the source gives no name: what was computed, as in (y-f) or exp(-m), if that is short.

A name of a formula has no blanks, and no underscore but before its indices.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from jacobians.notation.renaming import DIGITS

LONGEST = 14  # letters in an expression that is used as a name
TEMPLATES = {
    "Add": "(x+y)", "Subtract": "(x-y)", "Multiply": "xy", "Divide": "(x/y)", "Negative": "(-x)", "MatMul": "xy",
    "Square": "x²", "Sqrt": "√x", "Reciprocal": "(1/x)", "Abs": "|x|", "Exp": "exp(x)", "Log": "log(x)",
    "Log1p": "log(1+x)", "Expm1": "(exp(x)-1)", "Sin": "sin(x)", "Cos": "cos(x)", "Tan": "tan(x)", "Sinh": "sinh(x)",
    "Cosh": "cosh(x)", "Tanh": "tanh(x)", "Norm": "‖x‖", "Sum": "sum(x)", "Mean": "mean(x)", "Max": "max(x)",
    "Min": "min(x)",
}  # fmt: skip
"""What layers without options compute, by their inputs x and y."""

TWO = {"Add", "Subtract", "Multiply", "Divide", "MatMul"}
LETTER = re.compile(r"[^\W\d_][₀-₉]*")


def expression(layer: str, arguments: Mapping[str, str]) -> str:
    """What a layer computes of arguments with these names, or nothing where that would be long or unclear.

    >>> expression("Subtract()", {"x": "y", "y": "f"}), expression("Exp()", {"x": "(-m)"})
    ('(y-f)', 'exp(-m)')
    >>> expression("MatMul()", {"x": "A", "y": "x"}), expression("MatMul()", {"x": "rate", "y": "x"})
    ('(Ax)', '(rate·x)')
    >>> expression("[0,1]", {"x": "A"})
    'A[0,1]'
    """
    if layer.startswith("["):  # an entry
        x = arguments.get("x", "")
        return f"{x}{layer}" if re.fullmatch(r"[\w.]+", x) and len(x + layer) <= LONGEST else ""
    name, _, options = layer.partition("(")
    template = TEMPLATES.get(name)
    if template is None or options != ")":
        return ""
    needed = [arguments.get(letter, "") for letter in ("xy" if name in TWO else "x")]
    if not all(needed) or "0" in needed:
        return ""
    if name == "Multiply" and needed[0] == needed[1]:
        template, arguments = "x²", {"x": needed[0]}
    if template == "xy":
        found = _product(arguments["x"], arguments["y"])
    elif template[0] == "(" or "+" in template:  # a sum or quotient
        found = re.sub(r"\b[xy]\b", lambda m: _summand(arguments[m[0]]), template)
    elif template[-1] in ")|‖":  # a function of one argument
        found = re.sub(r"\bx\b", lambda _: _bare(arguments["x"]), template)
    else:
        found = template.replace(
            "x", arguments["x"] if LETTER.fullmatch(arguments["x"]) else f"({_bare(arguments['x'])})"
        )
    return found if len(found) <= LONGEST else ""


def _product(x: str, y: str) -> str:
    """Letters stand side by side, longer names with a dot between them; numbers come first."""
    if y[0].isdigit():
        x, y = y, x
    x, y = (p if re.search("[-+/]", p) else _bare(p) for p in (x, y))
    close = all(LETTER.fullmatch(p) or p[0] == "(" or (p is x and p.isdigit()) for p in (x, y))
    return f"({x}{y})" if close else f"({x}·{y})"


def _summand(text: str) -> str:
    """In a sum or quotient, products need no parentheses."""
    return text if re.search("[-+/]", text) else _bare(text)


def _bare(text: str) -> str:
    """Without parentheses around all of it."""
    if text.startswith("(") and text.endswith(")"):
        depth = 0
        for c in text[:-1]:
            depth += (c == "(") - (c == ")")
            if depth == 0:
                return text
        return text[1:-1]
    return text


def readable(identifier: str) -> str:
    """An identifier of the source as a name in formulas: digits at its end are a subscript, underscores are kept apart.

    >>> readable("x_1"), readable("W1"), readable("lambda_"), readable("learning_rate")
    ('x₁', 'W₁', 'lambda', 'learningˍrate')
    """
    parts = identifier.split(".")
    *front, last = [part.strip("_").replace("_", UNDERSCORE) or part for part in parts]
    number = re.fullmatch(rf"(.*[^\d{UNDERSCORE}]){UNDERSCORE}?(\d+)", last)
    return ".".join([*front, number[1] + number[2].translate(DIGITS) if number else last])


UNDERSCORE = "ˍ"  # looks like an underscore, and is none: that would begin the indices
