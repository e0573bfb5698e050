"""Names for values that the source gives no name: what was computed, as in (y-f) or exp(-m), if that is short.

A name of a formula has no blanks, and no underscore but before its indices.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from jacobians.notation.renaming import DIGITS
from jacobians.notation.sums import flat

LONGEST = 14  # letters in an expression that is used as a name
TEMPLATES = {
    "Add": "(x+y)", "Subtract": "(x-y)", "Multiply": "xy", "Divide": "(x/y)", "Negative": "(-x)", "MatMul": "xy",
    "Square": "x²", "Sqrt": "√x", "Reciprocal": "(1/x)", "Abs": "|x|", "Exp": "exp(x)", "Log": "log(x)",
    "Log1p": "log(1+x)", "Expm1": "(exp(x)-1)", "Sin": "sin(x)", "Cos": "cos(x)", "Tan": "tan(x)", "Sinh": "sinh(x)",
    "Cosh": "cosh(x)", "Tanh": "tanh(x)", "Norm": "‖x‖", "Sum": "sum(x)", "Mean": "mean(x)", "Max": "max(x)",
    "Min": "min(x)", "Inverse": "x⁻¹", "Solve": "A⁻¹b", "ᵀ": "xᵀ",
}  # fmt: skip
"""What layers without options compute, by their inputs x and y."""

TWO = {**dict.fromkeys(("Add", "Subtract", "Multiply", "Divide", "MatMul"), "xy"), "Solve": "Ab"}
"""The inputs of layers that have two."""

WORD = re.compile(r"[^\W\d_]+[₀-₉]*")
LETTER = re.compile(r"[^\W\d_][₀-₉]*(ᵀ|⁻¹)?")


def expression(layer: str, arguments: Mapping[str, str], longest: int = LONGEST) -> str:
    """What a layer computes of arguments with these names, or nothing where that would be long or unclear.

    >>> expression("Subtract()", {"x": "y", "y": "f"}), expression("Exp()", {"x": "(-m)"})
    ('(y-f)', 'exp(-m)')
    >>> expression("MatMul()", {"x": "A", "y": "x"}), expression("MatMul()", {"x": "rate", "y": "x"})
    ('(Ax)', '(rate·x)')
    >>> expression("Divide()", {"x": "(ab)", "y": "(2·l²)"}), expression("Reciprocal()", {"x": "(ab)"})
    ('(ab/(2·l²))', '(1/(ab))')
    >>> expression("[0,1]", {"x": "A"})
    'A[0,1]'
    """
    if layer.startswith("["):  # entries
        x = arguments.get("x", "")
        return f"{x}{layer}" if re.fullmatch(r"[\w.]+", x) and len(x + layer) <= longest else ""
    name, _, options = layer.partition("(")
    template = TEMPLATES.get(name)
    if template is None or options not in (")", ""):
        return ""
    needed = [arguments.get(letter, "") for letter in TWO.get(name, "x")]
    if not all(needed) or "0" in needed:
        return ""
    if name == "Multiply" and needed[0] == needed[1]:
        template, arguments = "x²", {"x": needed[0]}
    elif name == "MatMul" and needed[0] == needed[1]:
        template = "(x·x)"
    if template == "xy":
        found = _product(arguments["x"], arguments["y"], name == "MatMul")
    elif template == "A⁻¹b":
        found = _product(_grouped(arguments["A"]) + "⁻¹", arguments["b"], True)
    elif template[0] == "(" or "+" in template:  # a sum or quotient
        found = re.sub(r"(/?)\b([xy])\b", lambda m: m[1] + _summand(arguments[m[2]], m[1] == "/"), template)
    elif template[-1] in ")|‖":  # a function of one argument
        found = re.sub(r"\bx\b", lambda _: bare(arguments["x"]), template)
    else:
        found = template.replace("x", _grouped(arguments["x"]))
    return found if len(found) <= longest else ""


def _grouped(text: str) -> str:
    return text if LETTER.fullmatch(text) or WORD.fullmatch(text) else f"({bare(text)})"


def positions(formula: str, shape: Sequence[int], taken: Sequence[int]) -> str:
    """What takes entries at positions along each axis, as NumPy writes it: an entry, a slice, a transposed matrix.

    `formula` says the positions, for an array of this `shape`; what is taken has the shape `taken`. Nothing for others.

    >>> positions("-> a;(1a+1)", (6,), (4,)), positions("-> ab;ba", (3, 2), (2, 3)), positions("-> ;(2)(0)", (3, 2), ())
    ('[1:-1]', 'ᵀ', '[2,0]')
    >>> positions("-> b;(0)b", (3, 2), (2,)), positions("-> a;(-1a+5)", (6,), (6,)), positions("-> a;(n_a)", (6,), (6,))
    ('[0]', '', '')
    >>> positions("-> ab;a", (3,), (3, 1)), positions("-> ab;b", (3,), (1, 3)), positions("-> ab;a", (3,), (3, 2))
    ('[:,None]', '[None]', '')
    """
    letters, _, axes = formula.removeprefix("-> ").partition(";")
    if len(letters) == 2 and axes == letters[::-1]:
        return "ᵀ"
    found: list[str] = []
    ranges: dict[str, str] = {}
    for number, step, letter, offset, plain in re.findall(
        r"\((\d+)\)|\((\d+)([a-zA-Z])([+-]\d+)\)|([a-zA-Z])(?![^(]*\))", axes
    ):
        if letter:
            start, n = int(offset), taken[letters.index(letter)]
            stop, size = start + int(step) * (n - 1) + 1, shape[len(ranges)]
            ends = "" if stop == size else str(stop - size if size - stop <= stop else stop)
            ranges[letter] = f"{start or ''}:{ends}" + (f":{step}" if step != "1" else "")
        else:
            ranges[plain or f"number {len(ranges)}"] = number or ":"
    followed = [letter for letter in ranges if letter in letters]
    if len(ranges) != len(shape) or followed != sorted(followed, key=letters.index):
        return ""
    rest = iter(ranges.items())
    for letter in letters:
        if letter not in ranges:
            if taken[letters.index(letter)] != 1:
                return ""
            found.append("None")
            continue
        for name, text in rest:  # with the entries taken before it
            found.append(text)
            if name == letter:
                break
    found += [text for _, text in rest]
    while found and found[-1] == ":":
        found.pop()
    return f"[{','.join(found)}]" if found else ""


def _product(x: str, y: str, matrices: bool) -> str:
    """Letters and products of matrices stand side by side, longer names with a dot between them; numbers come first."""
    if y[0].isdigit():
        x, y = y, x
    together = [matrices and p[0] == "(" and "·" not in p for p in (x, y)]
    x, y = (p if re.search("[-+/]", p) else bare(p) for p in (x, y))
    close = all(
        LETTER.fullmatch(p) or p[0] == "(" or (p is x and p.isdigit()) or some
        for p, some in zip((x, y), together, strict=True)
    )
    return f"({x}{y})" if close else f"({x}·{y})"


def _summand(text: str, is_divisor: bool) -> str:
    """In a sum and above a fraction's line, products need no parentheses."""
    return text if is_divisor or re.search("[-+/]", re.sub(r"\[.*?\]", "", flat(bare(text)))) else bare(text)


def bare(text: str) -> str:
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
