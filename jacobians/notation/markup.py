"""Formulas as HTML and as LaTeX, from their text.

One reader (`_token` and what it calls) tells a formula's fractions, sums, names and indices apart; `PAGE` and `LATEX`
say how each of these is written. HTML is typeset without MathJax, since VS Code shows dollars in an output as they are,
and so that it can be read with all its classes and styles stripped, as GitHub does: a fraction keeps its slash.
"""

from __future__ import annotations

import re
from html import escape
from typing import Protocol

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau",
    "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda",
    "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
LETTERS = {name: letter for letter, name in GREEK.items()} | {"epsilon": "ε", "phi": "φ"}
FUNCTIONS = {"exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh", "max", "min", "det", "sqrt"}
SIGNS = {
    "−": "-", "·": r"\cdot ", "×": r"\times ", "√": r"\surd ", "≥": r"\geq ", "≤": r"\leq ", "≠": r"\neq ",
    "∞": r"\infty ", "‖": r"\Vert ", "ˍ": r"\_",
    "…": r"\ldots ", "⊙": r"\odot ", "∂": r"\partial ", "′": "'", "%": r"\%", "&": r"\&", "#": r"\#", "{": r"\{",
    "}": r"\}", "ᵀ": r"^{\top}", "⁻": "^{-}", "ˣ": "^{x}", "*": r"\,",
}  # fmt: skip
ON_PAGES = {"-": "−", "ᵀ": "<sup>T</sup>", "⁻": "<sup>−</sup>", "ˣ": "<sup><i>x</i></sup>", "ˍ": "_"}
OPERATORS = {"=", "+", "−", "·"}
TOGETHER = 9  # factors of a product that stand in one line, with the operator before it
ACCENTS = {"\u0302": r"\hat", "\u0304": r"\bar"}
RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def html(text: str) -> str:
    """A text with the indices in it as subscripts: ``A_ij`` becomes ``A<sub>ij</sub>``."""
    return re.sub(r"_((?:[\w′]|\([^()\s]*\))+)", lambda m: f"<sub>{m[1]}</sub>", escape(text, quote=False))


def typeset(formula: str) -> str:
    """The formula as HTML, with classes that `jacobians.show.style` knows."""
    return f'<span class="formula">{_written(formula, PAGE)}</span>'


def latex(formula: str) -> str:
    """The formula as LaTeX, without dollars."""
    return _written(formula, LATEX)


class _Writer(Protocol):
    """How the parts of a formula are written."""

    def run(self, product: str, factors: int) -> str:
        """A product of so many factors, with the operator before it."""

    def fraction(self, above: str, below: str) -> str:
        """Two parts above each other."""

    def total(self, letters: str) -> str:
        """Σ over these letters."""

    def lowered(self, base: str, indices: list[str]) -> str:
        """A name with its number, if it has one, and its indices."""

    def raised(self, power: str) -> str:
        """An exponent."""

    def word(self, text: str) -> str:
        """A name of several letters."""

    def accented(self, part: str) -> str:
        """A letter with a hat or a bar."""

    def part(self, text: str) -> str:
        """Letters side by side, the name of a function or of a Greek letter, or one character."""


class _Latex:
    def run(self, product: str, factors: int) -> str:
        return product

    def fraction(self, above: str, below: str) -> str:
        return f"\\frac{{{above}}}{{{below}}}"

    def total(self, letters: str) -> str:
        return f"\\sum_{{{letters}}}"

    def lowered(self, base: str, indices: list[str]) -> str:
        return f"{base}_{{{','.join(indices)}}}"

    def raised(self, power: str) -> str:
        return f"^{{{power}}}"

    def word(self, text: str) -> str:
        return f"\\mathrm{{{text}}}"

    def accented(self, part: str) -> str:
        return f"{ACCENTS[part[1]]}{{{self.part(part[0])}}}"

    def part(self, text: str) -> str:
        if text in SIGNS:
            return SIGNS[text]
        if text in LETTERS or text in FUNCTIONS:
            return f"\\{text} "
        return f"\\{GREEK[text]} " if text in GREEK else text


class _Page:
    def run(self, product: str, factors: int) -> str:
        return f'<span class="run">{product}</span>' if 1 < factors <= TOGETHER else product

    def fraction(self, above: str, below: str) -> str:
        return (
            f'<span class="fraction"><span class="above">{above}<span class="unstyled">/</span></span>'
            f'<span class="underneath">{below}</span></span>'
        )

    def total(self, letters: str) -> str:
        return f'<span class="sum"><span class="sign">Σ</span><sub class="limit">{letters}</sub></span>'

    def lowered(self, base: str, indices: list[str]) -> str:
        return f"{base}<sub>{','.join(indices)}</sub>"

    def raised(self, power: str) -> str:
        return f"<sup>{power.replace('-', '−')}</sup>"

    def word(self, text: str) -> str:
        return text

    def accented(self, part: str) -> str:
        return f"<i>{part}</i>"

    def part(self, text: str) -> str:
        if text in LETTERS:
            text = LETTERS[text]
        elif text in FUNCTIONS or text in ON_PAGES:
            return ON_PAGES.get(text, text)
        return f"<i>{text}</i>" if text.isalpha() else escape(text, quote=False)


LATEX, PAGE = _Latex(), _Page()


def _written(formula: str, writer: _Writer) -> str:
    """The tokens of a formula, in runs that begin with an operator: what stands in one line if it is short."""
    runs: list[list[str]] = [[]]
    for token in formula.split():
        if token in OPERATORS and runs[-1]:
            runs.append([])
        runs[-1].append(_token(token, writer))
    return " ".join(writer.run(" ".join(run), len(run)) for run in runs)


def _token(token: str, writer: _Writer) -> str:
    if fraction := re.fullmatch(r"(\d+)/(\d+)", token):
        return writer.fraction(fraction[1], fraction[2])
    if token.startswith("∂") and "/∂" in token:
        above, _, below = token[1:].partition("/∂")
        order = re.match("[⁰¹²³⁴⁵⁶⁷⁸⁹]*", above)
        power = _characters(order[0], writer) if order and order[0] else ""
        sign = writer.part("∂")
        by = " ".join(f"{sign}{_name(one, writer)}" for one in below.split("∂"))
        bare = sign.rstrip()
        name = _name(above.lstrip("⁰¹²³⁴⁵⁶⁷⁸⁹"), writer)
        return writer.fraction(f"{bare}{power}{sign.removeprefix(bare)}{name}", by)
    if token.startswith("Σ_"):
        return writer.total(_characters(token[2:], writer))
    if token.startswith("(") and token.count("(") > token.count(")"):
        return "(" + _token(token[1:], writer)
    closing = ""
    while token.endswith(")") and token.count(")") > token.count("("):
        closing, token = closing + ")", token[:-1]
    return _name(token, writer) + closing


def _name(token: str, writer: _Writer) -> str:
    """A_ij, A₂_ij, (1-f²)_i."""
    name, underscore, indices = token.rpartition("_")
    if not underscore or "=" in indices:
        return _characters(token, writer)
    number = re.fullmatch(r"(.*?)([₀-₉]+)", name)
    base, below = (number[1], [number[2].translate(LOWERED)]) if number else (name, [])
    word = len(base) > 1 and base.isascii() and base.isalpha() and base not in LETTERS
    base = writer.word(base) if word else _characters(base, writer)
    return writer.lowered(base, [*below, _characters(indices, writer)])


def _characters(text: str, writer: _Writer) -> str:
    """Words, raised and lowered digits, and single characters, one after another; exponents in parentheses."""
    if (power := re.search(r"\^\(([^()]*)\)", text)) is not None:
        before, after = text[: power.start()], text[power.end() :]
        return _characters(before, writer) + writer.raised(_characters(power[1], writer)) + _characters(after, writer)
    parts = re.findall(r"\w[\u0302\u0304]|[A-Za-z]+(?![\u0302\u0304])|⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+|[₀-₉]+|.", text)
    return "".join(_part(part, writer) for part in parts)


def _part(part: str, writer: _Writer) -> str:
    if part[-1] in ACCENTS:
        return writer.accented(part)
    if part[-1] in "⁰¹²³⁴⁵⁶⁷⁸⁹":
        return writer.raised(part.translate(RAISED))
    if part[0] in "₀₁₂₃₄₅₆₇₈₉":
        return writer.lowered("", [part.translate(LOWERED)])
    return writer.part(part)
