"""Formulas as HTML and as LaTeX, from their text."""

from __future__ import annotations

import re
from html import escape

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau",
    "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda",
    "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
GREEK_NAMES = {*GREEK.values(), "epsilon", "phi"}
FUNCTIONS = {"exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh", "max", "min", "det", "sqrt"}
SIGNS = {
    "−": "-", "·": r"\cdot ", "×": r"\times ", "√": r"\surd ", "≥": r"\geq ", "≤": r"\leq ", "≠": r"\neq ",
    "∞": r"\infty ", "‖": r"\Vert ", "ˍ": r"\_",
    "…": r"\ldots ", "⊙": r"\odot ", "∂": r"\partial ", "′": "'", "%": r"\%", "&": r"\&", "#": r"\#", "{": r"\{",
    "}": r"\}", "ᵀ": r"^{\top}", "⁻": "^{-}", "ˣ": "^{x}", "*": r"\,",
}  # fmt: skip
ACCENTS = {"\u0302": r"\hat", "\u0304": r"\bar"}
RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def html(formula: str) -> str:
    """The formula with its indices as subscripts: ``A_ij`` becomes ``A<sub>ij</sub>``."""
    return re.sub(r"_((?:[^\s/()\[\]·,∂]|\([^()\s]*\))+)", lambda m: f"<sub>{m[1]}</sub>", escape(formula, quote=False))


def typeset(formula: str) -> str:
    """The formula as LaTeX between dollars, for HTML: what notebooks typeset."""
    return f"${escape(latex(formula), quote=False)}$"


def latex(formula: str) -> str:
    """The formula as LaTeX, without dollars."""
    return " ".join(_token(t) for t in re.sub(r"\s+", " ", formula).split(" ") if t)


def _token(token: str) -> str:
    if fraction := re.fullmatch(r"(\d+)/(\d+)", token):
        return f"\\frac{{{fraction[1]}}}{{{fraction[2]}}}"
    if token.startswith("∂") and "/∂" in token:
        above, _, below = token[1:].partition("/∂")
        order = re.match("[⁰¹²³⁴⁵⁶⁷⁸⁹]*", above)
        power = _characters(order[0]) if order and order[0] else ""
        by = " ".join(f"\\partial {_name(one)}" for one in below.split("∂"))
        return f"\\frac{{\\partial{power} {_name(above.lstrip('⁰¹²³⁴⁵⁶⁷⁸⁹'))}}}{{{by}}}"
    if token.startswith("Σ_"):
        return f"\\sum_{{{_characters(token[2:])}}}"
    if token.startswith("(") and token.count("(") > token.count(")"):
        return "(" + _token(token[1:])
    closing = ""
    while token.endswith(")") and token.count(")") > token.count("("):
        closing, token = closing + ")", token[:-1]
    return _name(token) + closing


def _name(token: str) -> str:
    """A_ij, A₂_ij, (1-f²)_i."""
    name, underscore, indices = token.rpartition("_")
    if not underscore or "=" in indices:
        return _characters(token)
    number = re.fullmatch(r"(.*?)([₀-₉]+)", name)
    base, below = (number[1], [number[2].translate(LOWERED)]) if number else (name, [])
    word = len(base) > 1 and base.isascii() and base.isalpha() and base not in GREEK_NAMES
    base = f"\\mathrm{{{base}}}" if word else _characters(base)
    return f"{base}_{{{','.join([*below, _characters(indices)])}}}"


def _characters(text: str) -> str:
    """Words, raised and lowered digits, and single characters, one after another; exponents in parentheses."""
    if (power := re.search(r"\^\(([^()]*)\)", text)) is not None:
        before, after = text[: power.start()], text[power.end() :]
        return f"{_characters(before)}^{{{_characters(power[1])}}}{_characters(after)}"
    return "".join(
        _part(part)
        for part in re.findall(r"\w[\u0302\u0304]|[A-Za-z]+(?![\u0302\u0304])|⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+|[₀-₉]+|.", text)
    )


def _part(part: str) -> str:
    if part[-1] in ACCENTS:
        return f"{ACCENTS[part[-1]]}{{{_part(part[0])}}}"
    if part[-1] in "⁰¹²³⁴⁵⁶⁷⁸⁹":
        return f"^{{{part.translate(RAISED)}}}"
    if part[0] in "₀₁₂₃₄₅₆₇₈₉":
        return f"_{{{part.translate(LOWERED)}}}"
    if part in SIGNS:
        return SIGNS[part]
    if part in GREEK_NAMES or part in FUNCTIONS:
        return f"\\{part} "
    return f"\\{GREEK[part]} " if part in GREEK else part
