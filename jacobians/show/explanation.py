"""`explain`: the derivation of one Jacobian of a graph, as a person would write it."""

from __future__ import annotations

from collections.abc import Callable

from jacobians.engine.contract import subscripts
from jacobians.show import pages
from jacobians.show.costs import orders
from jacobians.show.derivation import derivation
from jacobians.show.derivatives import Derivatives, J
from jacobians.show.explained import Explained


class Explanation(Explained[J]):
    """How ∂value/∂argument comes about. Printing it shows all of it, as text, HTML or LaTeX."""

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


def explain(graph: Derivatives[J], value: int, argument: int, wrt: str, engine: Callable[[], J]) -> Explanation[J]:
    """The derivation of ∂value/∂argument in a graph, by their numbers.

    Parameters
    ----------
    graph
        The graph, or all of it that matters.
    value, argument
        The numbers of the value and of what to differentiate by.
    wrt
        What the argument is called where it is asked for, such as ``"0.A"``.
    engine
        Gives the Jacobian, where the graph is too large to write the derivation out, or where there is nothing on the
        way.
    """
    way = graph.between(value, argument)
    factors = [way.local[pair] for pair in sorted(way.local, reverse=True)]
    costs = orders(way, value, argument)
    inner = len(way.values) > 2
    if factors and (costs or not inner):
        result, steps = derivation(way, (value, argument), costs[0].vertices if costs else ())
    else:
        result, steps = engine(), ()
    chain = bool(factors) and way.is_chain
    einsum = subscripts([(f.form.out_shape, f.form.wrt_shape) for f in factors]) if chain else ""
    rule = way.written(value, argument) if value != argument else "1"
    known = tuple(graph.local.values())
    return Explanation(wrt, tuple(factors), rule, einsum, costs, steps, result, known, graph.quotients, way.legend)
