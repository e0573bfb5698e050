"""`explain`: the derivation of one Jacobian of a chain, as a person would write it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jacobians.core.jacobian import Jacobian
from jacobians.core.layer import Layer
from jacobians.engine.contract import subscripts
from jacobians.engine.tape import Array
from jacobians.notation.symbols import Index
from jacobians.show import pages
from jacobians.show.costs import Order, orders
from jacobians.show.derivation import Definition, Step, derivation
from jacobians.show.names import path_of
from jacobians.show.pages import name_of, whole_formula


@dataclass(frozen=True)
class Explanation:
    """How ∂output/∂argument comes about. Printing it shows all of it, as text, HTML or LaTeX."""

    wrt: str
    factors: tuple[Jacobian, ...]
    """The local Jacobians whose product it is, from the output to the argument."""

    subscripts: str
    """The einsum string of the contraction, as in ``il,ljk->ijk``."""

    orders: tuple[Order, ...]
    """What the contraction costs in the orders worth naming; first the chain's own order, which is derived."""

    steps: tuple[Step | Definition, ...]
    result: Jacobian
    known: tuple[Jacobian, ...] = ()
    """All local Jacobians of the chain; their factors are what the names in the formulas stand for."""

    @property
    def name(self) -> str:
        """∂f/∂A."""
        return name_of(self.result)

    @property
    def formula(self) -> str:
        """The simplified result, as in "∂f_i/∂A_jk = δ_ij (1-f²)_i x_k"."""
        return whole_formula(self.result)

    @property
    def values(self) -> Mapping[tuple[str, int], Array]:
        """The arrays that the names in the formulas stand for, by the name and the number of its indices."""
        found: dict[tuple[str, int], Array] = {}
        for jacobian in (*self.known, *self.factors):
            for term in jacobian.form.terms:
                for factor in (*term.factors, *term.lookups):
                    if len(factor.symbol) == 1 and len(factor.symbol[0].names) == 1:
                        ((name, indices),) = factor.symbol[0].names
                        if all(isinstance(i, int) and i >= 0 for i in indices):
                            found[name, len(indices)] = _indexed(jacobian.arrays[factor.array], indices)
        return found

    @property
    def product(self) -> str:
        """∂f/∂A = ∂f/∂z · ∂z/∂A."""
        return f"{self.name} = {' · '.join(name_of(f) for f in self.factors)}"

    @property
    def axes(self) -> str:
        """What each letter of the einsum string runs over."""
        inputs, _, output = self.subscripts.partition("->")
        words = inputs.split(",")
        ends = [words[0][: len(self.factors[0].out_shape)]]
        for word, factor in zip(words, self.factors, strict=True):
            ends.append(word[len(factor.out_shape) :])
        names = [self.factors[0].form.out_name, *(f.form.wrt_name for f in self.factors)]
        shapes = [self.factors[0].out_shape, *(f.wrt_shape for f in self.factors)]
        parts = [f"{letters} of {name} {shape}" + ("" if set(letters) <= set(output) else ", summed")
                 for letters, name, shape in zip(ends, names, shapes, strict=True) if letters]  # fmt: skip
        return "; ".join(parts)

    def __str__(self) -> str:
        return "\n".join(pages.text(self))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return pages.page(self)

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"

    def latex(self) -> str:
        """The derivation as LaTeX for a display, without dollars."""
        return pages.mathematics(self)


def explain(chain: Layer, *inputs: ArrayLike, wrt: str | None = None) -> Explanation:
    """The derivation of one Jacobian of a chain or layer.

    Parameters
    ----------
    chain
        The chain. Chains inside it are written out.
    *inputs
        The inputs of the first layer.
    wrt
        What to differentiate by, such as ``"0.A"``; the first parameter (or input) by default.

    Examples
    --------
    >>> from jacobians import Affine, Chain, Tanh
    >>> derivation = explain(Chain(Affine([[1, 2], [3, 4], [5, 6]], [0, 0, 0]), Tanh()), [0.1, 0.2], wrt="0.A")
    >>> derivation.product, derivation.subscripts, derivation.formula
    ('∂f/∂A = ∂f/∂z · ∂z/∂A', 'il,ljk->ijk', '∂f_i/∂A_jk = δ_ij (1-f²)_i x_k')
    """
    path = path_of(chain, inputs)
    names = list(path.wrt)
    if wrt is None:
        wrt = next((n for n in names if n not in chain.input_names), names[0])
    factors = path.factors(wrt)
    costs = orders(factors)
    product, steps = derivation(factors, costs[0].pairs if costs else ())
    product = product.named(path.links[-1].name, factors[-1].form.wrt_name)
    return Explanation(
        wrt,
        tuple(factors),
        subscripts([(f.out_shape, f.wrt_shape) for f in factors]),
        costs,
        steps,
        product,
        tuple(path.every()),
    )


def _indexed(array: Array, indices: Sequence[Index]) -> Array:
    """The array with an axis for each index; an index that stands twice, as in A_ii, is an axis twice."""
    if len(set(indices)) == len(indices):
        return array
    whole = np.zeros([array.shape[i] for i in indices if isinstance(i, int)], array.dtype)
    np.einsum(whole, list(indices), list(range(array.ndim)))[...] = array
    return whole
