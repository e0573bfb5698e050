"""Tables, derivations, pictures: what they say, apart from how it looks."""

from __future__ import annotations

import re
import sys
from html import unescape
from itertools import pairwise

import numpy as np
import pytest

from jacobians import (
    GELU,
    Affine,
    Chain,
    Conv1d,
    Embedding,
    Jacobian,
    Linear,
    MatMul,
    Reshape,
    Residual,
    Softmax,
    SquaredError,
    Tanh,
    Transpose,
    term,
    trace,
)
from jacobians.errors import LayerError
from jacobians.layers.registry import examples
from jacobians.notation.formula import share, times
from jacobians.notation.markup import html, latex, typeset
from jacobians.show.pattern import mask, pattern

rng = np.random.default_rng(0)
A, b, x = rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=2)
single = Chain(Affine(A, b), Tanh())


# --- tables -----------------------------------------------------------------------------------------------------------


def test_the_table_of_the_lectures_network():
    rows = {row.title: row for row in single.table(x).rows}
    assert list(rows) == ["∂z/∂x", "∂z/∂A", "∂z/∂b", "∂f/∂z", "∂f/∂x", "∂f/∂A", "∂f/∂b"]
    row = rows["∂f/∂A"]
    assert (row.shape, row.formula) == ("3 × (3×2)", "∂f_i/∂A_jk = δ_ij (1-f²)_i x_k")
    assert (row.nonzeros, row.size, row.full_nbytes) == (6, 18, 144)


def test_names_that_occur_twice_get_numbers_and_paths():
    net = Chain(first=Affine(A, b), act=Tanh(), second=Affine(A.T, x), last=Tanh())
    titles = [row.title for row in net.table(x).rows]
    assert "∂z₂/∂f₁" in titles
    assert "∂f₂/∂A₁ (first.A)" in titles
    assert "∂f₂/∂A₂ (second.A)" in titles


def test_nothing_is_materialised_for_a_table():
    large = Chain(Linear(np.broadcast_to(np.float64(1), (3000, 3000))), Tanh())
    text = str(large.table(np.ones(3000)))
    assert "216 GB" in text


def test_a_scalar_group_is_one():
    assert times((), (3, 2)) == "1 × (3×2)"
    assert Chain(Affine(A, b), Tanh(), SquaredError(b)).table(x).rows[-1].shape == "1 × 3"


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(1, 3, "33%"), (1, 3000, "0.033%"), (2999, 3000, "<100%"), (3, 3, "100%"), (0, 0, "100%")],
)
def test_shares_are_never_rounded_to_nothing_or_all(part, whole, text):
    assert share(part, whole) == text


@pytest.mark.parametrize(("layer", "inputs"), [pytest.param(la, xs, id=name) for name, la, xs in examples()])
def test_every_layer_has_a_table_a_picture_and_a_diagram(layer, inputs):
    found = layer.table(*inputs)
    jacobians = layer.linearize(*inputs)[1]
    assert len(found.rows) >= len(jacobians)
    assert found._repr_html_().count("<tr") == len(found.rows) + 1
    assert layer.diagram(*inputs)._repr_html_()
    for J in jacobians.values():
        assert J._repr_html_()
        assert J._repr_latex_().count("{") == J._repr_latex_().count("}")
        if J.full_nbytes < 1e6:
            may_differ = mask(J.form, J.arrays)
            assert not (J.full() != 0)[~may_differ].any()
            assert may_differ.sum() <= J.nonzeros


# --- derivations ------------------------------------------------------------------------------------------------------


def test_the_lectures_derivation():
    found = single.explain(x, wrt="0.A")
    assert found.product == "∂f/∂A = ∂f/∂z · ∂z/∂A"
    assert found.subscripts == "il,ljk->ijk"
    assert found.axes == "i of f (3,); l of z (3,), summed; jk of A (3, 2)"
    (step,) = found.steps
    assert step.left == "∂f_i/∂A_jk"
    assert [line.text for line in step.lines] == [
        "Σ_l ∂f_i/∂z_l · ∂z_l/∂A_jk",
        "Σ_l δ_il (1-f²)_i · δ_lj x_k",
        "δ_ij (1-f²)_i x_k",
    ]
    assert step.lines[-1].reason == "δ_il sets l = i"


def test_what_is_printed_is_what_is_contracted():
    net = Chain(Affine(A, b), Tanh(), Affine(A.T, x), Softmax())
    for wrt in net.linearize(x)[1]:
        found = net.explain(x, wrt=wrt)
        full = np.einsum(found.subscripts, *(factor.full() for factor in found.factors), optimize=True)
        np.testing.assert_allclose(full, net.jacobians(x, wrt=wrt)[wrt])


def test_the_first_parameter_is_explained_by_default():
    assert single.explain(x).wrt == "0.A"
    assert Chain(Tanh(), Softmax()).explain(x).wrt == "x"


def test_orders_are_named_and_the_chosen_one_comes_first():
    sizes = (60, 40, 2, 40, 60)
    net = Chain(*(Linear(rng.normal(size=(m, n))) for n, m in pairwise(sizes)))
    found = net.explain(rng.normal(size=60), wrt="x").orders
    assert [order.chosen for order in found] == [True, *[False] * (len(found) - 1)]
    assert min(order.dense_flops for order in found) == 2 * (60 * 40 * 2 + 2 * 40 * 60 + 60 * 2 * 60)
    assert found[0].dense_flops == min(order.dense_flops for order in found)
    (reverse,) = (order for order in found if "reverse" in order.name)
    assert reverse.dense_flops == 2 * (60 * 40 * 2 + 60 * 2 * 40 + 60 * 40 * 60)


def test_long_chains_stay_readable():
    net = Chain(*(layer for _ in range(20) for layer in (Affine(rng.normal(size=(3, 3)), b), Tanh(), Softmax())))
    text = str(net.explain(b, wrt="0.A"))
    assert "where G₁" in text
    assert max(len(line) for line in text.splitlines() if "∂" in line and "·" in line and "where" not in line) < 900
    assert "[…]" not in text


def test_index_maps_are_explained():
    net = Chain(Conv1d(rng.normal(size=(2, 1, 3)), np.zeros(2), stride=2, padding=1), Tanh())
    assert net.explain(rng.normal(size=(1, 8)), wrt="0.W").formula == "∂f_ij/∂W_klm = δ_ik (1-f²)_ij X_ljm"
    assert "[l=m+2j−1]" in net.explain(rng.normal(size=(1, 8)), wrt="x").formula
    words = Chain(Embedding(A), Tanh())
    assert words.explain(np.array([2, 0]), wrt="0.E").formula.startswith("∂f_ij/∂E_kl = [k=")


def test_errors_name_the_layer_and_what_there_is():
    with pytest.raises(ValueError, match=r"'0\.C'.*wrt must be of x, 0\.A, 0\.b"):
        single.explain(x, wrt="0.C")
    with pytest.raises(LayerError, match="in layer 2"):
        Chain(Affine(A, b), Tanh(), Affine(A, b)).explain(x)


def test_a_single_layer_is_explained_too():
    found = Affine(A, b).explain(x, wrt="A")
    assert found.formula == "∂z_i/∂A_jk = δ_ij x_k"
    assert found.orders == () == found.steps


def test_names_inside_a_residual_layer_are_kept_apart():
    net = Chain(Linear(A[:2]), Residual(Chain(Linear(A[:2]), Tanh())), Tanh())
    formula = net.explain(x, wrt="x").formula
    assert "A₁" in formula
    text = str(net.explain(x, wrt="x"))
    assert "∂z₃_i/∂z₁_j = δ_ij\n" in text
    assert "= (1-f₂²)_i (1-f₁²)_i A₂_ij + δ_ij (1-f₂²)_i" in text


def test_greek_and_latin_letters_are_words_of_their_own():
    net = Chain(Linear(A[:2]), GELU())
    assert net.explain(x, wrt="x").factors[0].formula == "∂f_i/∂z_j = δ_ij (Φ(z)+zφ(z))_i"


# --- markup -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("δ_ij x_k", r"\delta _{ij} x_{k}"),
        ("(1-f²)_i", r"(1-f^{2})_{i}"),
        ("A₂_ij", r"A_{2,ij}"),
        ("∂f_i/∂A_jk", r"\frac{\partial f_{i}}{\partial A_{jk}}"),
        ("Σ_jk gamma_k", r"\sum_{jk} \gamma _{k}"),
        ("(px^(p-1))_i", r"(px^{p-1})_{i}"),
        ("(γrx̂)_ij x̂₂_ik", r"(\gamma r\hat{x})_{ij} \hat{x}_{2,ik}"),
        ("table_ij", r"\mathrm{table}_{ij}"),
        ("[x>0]_i", r"[x>0]_{i}"),
    ],
)
def test_latex(text, expected):
    assert latex(text) == expected


def test_latex_is_accepted_by_matplotlib():
    from matplotlib.mathtext import MathTextParser

    parser = MathTextParser("path")
    formulas = {latex(J.formula) for _, layer, inputs in examples() for J in layer.linearize(*inputs)[1].values()}
    parts = {part for formula in formulas for part in formula.replace(r"\surd", r"\Sigma").split(" = ")}
    for part in parts:  # each once: parsing takes milliseconds
        parser.parse(f"${part}$")


def test_html_indices():
    assert html("δ_ij (x<y)_k") == "δ<sub>ij</sub> (x&lt;y)<sub>k</sub>"
    assert html("A_i(2j+k) b") == "A<sub>i(2j+k)</sub> b"


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_the_pattern_draws_blocks_and_nothing_too_large():
    J = Affine(A, b).linearize(x)[1]["A"]
    assert pattern(J.form, J.arrays).startswith("<svg")
    large = Linear(np.ones((300, 300))).linearize(np.ones(300))[1]["A"]
    assert pattern(large.form, large.arrays) == ""


@pytest.mark.parametrize("kind", ["heat", "spy", "slices"])
@pytest.mark.parametrize(
    "J",
    [
        Affine(A, b).linearize(x)[1]["A"],
        MatMul().linearize(A, A.T)[1]["x"],
        SquaredError(x).linearize(A[0])[1]["x"],
        Transpose().linearize(A)[1]["x"],
        Reshape((2, 3)).linearize(np.ones(6))[1]["x"],
        Jacobian.from_array(np.array(2.0), 0),
        Jacobian.from_array(np.ones((2, 3)) * 1j, 1),
        Jacobian.from_array(np.full((2, 3), np.nan), 1),
    ],
    ids=lambda J: J.words,
)
def test_plots(kind, J):
    pytest.importorskip("matplotlib", reason="matplotlib is optional")
    picture = J.plot(kind=kind)
    assert picture._repr_png_().startswith(b"\x89PNG")


def test_blocks_follow_the_order():
    J = Affine(A, b).linearize(x)[1]["A"]
    for order, cuts in (("C", [1.5, 3.5]), ("F", [2.5])):
        axes, _ = J.plot(order=order).axes
        lines = sorted({line.get_xdata()[0] for line in axes.lines})
        assert lines == cuts


def test_blocks_as_on_the_slides():
    from jacobians.show.blocks import names

    x_transposed, zero = "xᵀ", "0ᵀ"
    dzdA = Affine(A, b).linearize(x)[1]["A"]
    assert names(dzdA.form, dzdA.arrays) == [[x_transposed if i == j else zero for j in range(3)] for i in range(3)]
    assert names((-dzdA).form, dzdA.arrays)[1][1] == "−xᵀ"
    dfdA = single.linearize(x)[1]["0.A"]
    assert names(dfdA.form, dfdA.arrays)[1] == [zero, "(1-f²)₂ xᵀ", zero]
    assert dzdA.plot(kind="blocks")._repr_png_()
    with pytest.raises(ValueError, match="blocks are drawn for a vector by a matrix"):
        MatMul().linearize(A, A.T)[1]["x"].plot(kind="blocks")


def test_plot_errors(monkeypatch):
    J = term("-> i;i").bind((50,), (50,))
    with pytest.raises(ValueError, match="kind must be one of heat, spy"):
        J.plot(kind="pie")
    with pytest.raises(ValueError, match="50 entries, too many"):
        J.plot(kind="slices")
    from jacobians.show.plot import _figure

    _figure.cache_clear()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'jacobians\[notebook\]'"):
        J.plot()
    _figure.cache_clear()


# --- layouts ----------------------------------------------------------------------------------------------------------


def test_layouts_say_where_each_entry_is():
    J = Linear(A).linearize(x)[1]["A"]
    rows = {row[0]: row for row in J.layouts().rows}
    assert [row[2] for row in rows.values()] == ["3 × (3×2)", "(3×2) × 3", "3 × 6", "3 × 6"]
    i, j, k = 1, 2, 0
    entry = J[i, j, k]
    for row in rows.values():
        array = eval(row[4], {"J": J})
        position = eval(row[3].partition(" = ")[0].replace("·", "*"), {"i": i, "j": j, "k": k})
        assert array[tuple(position)] == entry


def test_a_gradient_has_a_row_of_its_own():
    names = [row[0] for row in SquaredError(x).linearize(A[0])[1]["x"].layouts().rows]
    assert names[-1] == "gradient"


# --- names of the reader's own ----------------------------------------------------------------------------------------


def test_explain_calls_things_as_it_is_told_to():
    net = Chain(Affine(A, b), Tanh(), SquaredError(b))
    names = {"z": "u", "f": "a", "0.A": "W", "t": "y"}
    found = net.explain(x, wrt="0.A", names=names)
    assert found.product == "∂L/∂W = ∂L/∂a · ∂a/∂u · ∂u/∂W"
    assert found.formula == "∂L/∂W_ij = (a-y)_i (1-a²)_i x_j"
    assert not re.search(r"[zfAt]_", str(found))
    np.testing.assert_array_equal(found.result.full(), net.jacobians(x, wrt="0.A")["0.A"])
    assert net.explain(x, wrt="0.A").formula == "∂L/∂A_ij = (f-t)_i (1-f²)_i x_j"
    swapped = net.explain(x, wrt="0.A", names={"x": "z", "z": "x"})
    assert swapped.formula == "∂L/∂A_ij = (f-t)_i (1-f²)_i z_j"
    assert Affine(A, b).explain(x, wrt="A", names={"z": "y", "A": "W1"}).formula == "∂y_i/∂W₁_jk = δ_ij x_k"


def test_names_hold_where_there_is_no_way_between_them():
    def f(x, A):
        v = np.tanh(x)
        return v  # noqa: RET504 - a name to be found

    assert trace(f, x, A).explain("A", names={"v": "y", "A": "M"}).formula == "∂y_i/∂M_jk = 0"


def test_expressions_of_a_graph_can_be_given_names():
    graph = trace(lambda A, x, k: k * np.sin(A @ x + 1), A, x, 2.0)
    found = graph.explain(
        "A", names={"((Ax)+1)": "s", "f": "y"} if "((Ax)+1)" in graph.names else {"(Ax+1)": "s", "f": "y"}
    )
    assert found.formula == "∂y_i/∂A_jl = δ_ij cos(s)_i k x_l"  # k is a number here, and no index


@pytest.mark.parametrize(
    ("names", "match"),
    [
        ({"q": "a"}, r"there is no 'q' to be called 'a'; there are x, A, b, z, f"),
        ({"z": "f"}, "two things would be called 'f'"),
        ({"z": "A"}, "two things would be called 'A'"),
        ({"z": "a", "f": "a"}, "two things would be called 'a'"),
        ({"z": "δ"}, "'z' cannot be called 'δ'"),
        ({"z": "exp"}, "'z' cannot be called 'exp'"),
        ({"z": "a b"}, "'z' cannot be called 'a b'"),
        ({"z": ""}, "'z' cannot be called ''"),
        ({"z": 3}, "'z' cannot be called 3"),
    ],
)
def test_names_that_cannot_be(names, match):
    with pytest.raises(ValueError, match=f"explain: {match}"):
        single.explain(x, names=names)
    with pytest.raises(ValueError, match="explain: "):
        trace(lambda A, x: np.tanh(A @ x), A, x).explain("A", names={"q": "z"})


# --- long tables and couplings ----------------------------------------------------------------------------------------


def test_long_symbols_get_a_letter_that_is_explained():
    def f(x):
        return np.exp(np.cos(x[0] + x[1])) * x + np.sin(x[0] + x[1]) * x

    text = str(trace(f, x).table())
    for name in set(re.findall("[zS][₁-₉]", text)):
        assert f"where {name} = " in text
    assert max(map(len, text.splitlines())) <= 135


def test_tables_are_not_wide():
    widest = max(len(line) for _, la, xs in examples() for line in str(la.table(*xs)).splitlines()[1:])
    assert widest <= 140


def test_a_formula_in_several_lines_is_all_there():
    from jacobians.show.legend import broken

    formula = "∂y_ij/∂x_kl = " + " − ".join(f"Σ_m A_im B_{c}j x_ml" for c in "abcdefgh")
    assert " ".join(line.strip() for line in broken(formula)) == formula


def test_factors_that_couple_all_pairs_are_mentioned():
    rows = np.array([0, 2, 0, 1])
    found = trace(lambda x: np.convolve(x, x)[rows], rng.normal(size=3)).explain()
    assert found.couplings == 2
    assert "C_ijk" in found.formula
    assert "where C is 1" in str(found)
    assert "where C is 1" in found._repr_html_()
    plain = single.explain(x)
    assert plain.couplings == 0
    assert "where C is 1" not in str(plain)


def test_derivations_are_not_wide():
    nets = [(layer, inputs) for name, layer, inputs in examples() if name.startswith(("SelfAttention", "GroupNorm"))]
    for layer, inputs in nets:
        assert max(map(len, str(layer.explain(*inputs, wrt="x")).splitlines())) <= 112


# --- formulas as pages ------------------------------------------------------------------------------------------------


def every_formula():
    found = {J.formula for _, layer, inputs in examples() for J in layer.linearize(*inputs)[1].values()}
    return sorted(
        found | {"∂²f_i/∂x_j∂x_k = −2 f_i", "∂S⁻¹_ij/∂Hᵀ_kl = [0<z] u[1:-1]_i", "∂a/∂b = learningˍrate & x̄_i"}
    )


def test_formulas_are_pages_that_read_as_the_formula():
    """What is left without elements is the formula, so nothing is lost where a page is stripped."""
    raised = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉ᵀˣ", "−01234567890123456789Tx")
    greek = {"gamma": "γ", "beta": "β", "theta": "θ", "mu": "μ", "sigma": "σ", "alpha": "α"}
    for formula in every_formula():
        page = typeset(formula)
        assert page.count("<span") == page.count("</span>")
        text = unescape(re.sub("<[^>]*>", "", page))
        plain = re.sub("|".join(greek), lambda m: greek[m[0]], formula)
        plain = re.sub(r"\^\(([^()]*)\)", r"\1", plain)
        plain = plain.replace("_", "").replace("ˍ", "_").replace("-", "−").translate(raised)
        assert re.sub("[, ]", "", text) == re.sub("[, ]", "", plain), formula
