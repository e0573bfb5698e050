"""Pictures that can be asked: the heat map with a formula for every entry, and the Jacobian as a map."""

from __future__ import annotations

import re

import numpy as np
import pytest

from jacobians import Affine, Chain, MatMul, Softmax, Tanh, trace

A = np.array([[0.5, 1.0], [-1.0, 0.3], [0.2, 0.8]])
NET = Chain(Affine(A, [0.1, -0.2, 0.0]), Tanh())
J = NET.linearize([1.0, -0.5])[1]["0.A"]


def test_every_entry_says_its_formula_and_its_value():
    table = J.plot(kind="entries")
    full = J.matrix()
    for titles, values in zip(table.titles, full, strict=True):
        for title, value in zip(titles, values, strict=True):
            assert float(title.rpartition(" = ")[2]) == pytest.approx(value, rel=1e-3)
    assert table.titles[1][2].endswith("(1-f²)₂ x₁ = 0.236")
    assert "δ" not in "".join(t for row in table.titles for t in row)  # deltas are 0 or 1 once letters are numbers
    page = table._repr_html_()
    assert page.count(" title=") == full.size
    assert not re.search("<script|<style|<svg|onmouse", page)


def test_entries_by_columns_and_sums_of_terms():
    table = J.plot(kind="entries", order="F")
    assert np.array_equal(table.values, J.matrix("F"))
    assert table.columns[1].endswith("A₂₁")
    assert (
        Softmax().linearize([1.0, 2.0])[1]["x"].plot(kind="entries").titles[0][0].startswith("∂p₁/∂x₁ = p₁ − p₁ p₁ =")
    )
    assert "∂z₁₁/∂x₁₂ = y₂₁ = 2" in str(
        MatMul().linearize(np.ones((2, 2)), [[0.0], [2.0]])[1]["x"].plot(kind="entries")
    )


def test_entries_refuse_what_cannot_be_read():
    with pytest.raises(ValueError, match="up to 1024 entries"):
        Tanh().linearize(np.zeros(40))[1]["x"].plot(kind="entries")
    with pytest.raises(ValueError, match="complex"):
        Tanh().linearize(np.zeros(2) + 1j)[1]["x"].plot(kind="entries")


def polar(v):
    return np.array([v[0] * np.cos(v[1]), v[0] * np.sin(v[1])])


def test_the_map_shows_f_beside_its_linear_approximation():
    pytest.importorskip("matplotlib", reason="matplotlib is optional")
    at = np.array([1.5, 0.6])
    found = trace(polar, at).jacobian()
    figure = found.plot(kind="map", of=polar, at=at)
    assert len(figure.axes) == 3
    errors = [float(re.search(r"error / \|h\| ([\d.e-]+)", a.get_title())[1]) for a in figure.axes[1:]]
    assert errors[1] < 0.5 * errors[0]  # the error shrinks faster than h
    assert "|det J| = 1.5" in figure.axes[1].get_title()
    assert len(found.plot(kind="map").axes) == 2


def test_the_map_refuses_what_it_cannot_draw():
    pytest.importorskip("matplotlib", reason="matplotlib is optional")
    found = trace(polar, np.ones(2)).jacobian()
    with pytest.raises(ValueError, match="2 × 2"):
        J.plot(kind="map")
    with pytest.raises(ValueError, match="both the function"):
        found.plot(kind="map", of=polar)
    with pytest.raises(ValueError, match="above 0"):
        found.plot(kind="map", reach=0)
