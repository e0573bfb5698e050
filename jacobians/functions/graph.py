"""`Graph`: one evaluation of a function, with the Jacobians between all of its values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from jacobians.core import second, showing
from jacobians.core.jacobian import Jacobian
from jacobians.core.nodes import Wanted
from jacobians.core.vectors import number as plain
from jacobians.core.vectors import vectors
from jacobians.functions.evaluation import Evaluation, Leaves
from jacobians.functions.names import SourceNames
from jacobians.functions.naming import name_of, name_values
from jacobians.functions.nested import flatten, only
from jacobians.notation.expressions import readable
from jacobians.notation.renaming import DIGITS
from jacobians.show.diagram import Diagram
from jacobians.show.explanation import Explanation
from jacobians.show.table import Table

if TYPE_CHECKING:
    from jacobians.checking import Report

Array = NDArray[Any]
Argument = str | int


class Graph:
    """One evaluation of a function, with everything in it; made by `trace`.

    Attributes
    ----------
    output
        What the function returned.
    names
        What its values are called: the arguments, then the others in the order in which they were made. A variable
        that has held several values has a subscript for each.
    """

    def __init__(
        self, function: Callable[..., Any], arguments: Sequence[Any], options: Mapping[str, Any],
        evaluation: Evaluation, argument_names: Sequence[str], source: SourceNames,
    ) -> None:  # fmt: skip
        self._function, self._arguments, self._options = function, tuple(arguments), dict(options)
        self._evaluation, self._argument_names = evaluation, tuple(argument_names)
        self._recording = evaluation.recording
        self._sources: Mapping[str, Sequence[int]] = source.held
        self._numbers = name_values(evaluation, function, source)

    @property
    def output(self) -> Any:
        """What the function returned."""
        leaves = self._evaluation.output
        return leaves.rebuild([self._array(n) for n in leaves.numbers])

    @property
    def names(self) -> tuple[str, ...]:
        """What the values are called."""
        return tuple(self._numbers)

    def __getitem__(self, name: str) -> Any:
        """The value of this name."""
        leaves = self._value(name)
        return leaves.rebuild([self._array(n) for n in leaves.numbers])

    def _array(self, number: int) -> Any:
        value = self._recording.values[number]
        return value.copy() if value.ndim else value[()]

    # -- Jacobians -----------------------------------------------------------------------------------------------------

    def jacobian(self, wrt: Argument | None = None, of: str | None = None) -> Any:
        """The factored Jacobian of a value with respect to another one.

        Parameters
        ----------
        wrt
            The name of any value, or the number of an argument; the first argument by default.
        of
            The name of any value; the output by default.

        Returns
        -------
        Jacobian
            Of shape of + wrt; nested as the output and the argument are, output first.

        Raises
        ------
        ValueError
            If there is no such value; the message lists the names that there are.
        """
        out, by = self._value(of), self._argument(wrt)
        wanted = [
            Wanted(n, k, self._name(n), self._name(k)) for n in out.numbers for k in by.numbers
        ]  # fmt: skip
        rest = iter(self._recording.jacobians(wanted))
        return out.rebuild([by.rebuild([next(rest) for _ in by.numbers]) for _ in out.numbers])

    def hessian(self, wrt: Argument | None = None, wrt2: Argument | None = None, of: str | None = None) -> Any:
        """The factored second derivative ∂²of/∂wrt∂wrt2 of a value.

        Parameters
        ----------
        wrt, wrt2
            The names of values, or the numbers of arguments; the first argument by default, and the same twice.
        of
            The name of any value; the output by default.

        Returns
        -------
        Jacobian
            Its output axes are those of `of`, then those of `wrt`; its wrt axes those of `wrt2`. Nested as the output
            and the arguments are: output, wrt, wrt2.

        Raises
        ------
        ValueError
            If there is no such value, or if one of `wrt` and `wrt2` is made of the other.
        TracingError
            If the local Jacobian of a layer cannot be traced.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import trace
        >>> trace(lambda A, x: x @ A @ x, np.ones((2, 2)), np.ones(2)).hessian("x", "A")
        Jacobian 2 × (2×2): ∂²f/∂x_i∂A_jk = δ_ij x_k + δ_ik x_j
        """
        out, by = self._value(of), self._argument(wrt)
        again = by if wrt2 is None else self._argument(wrt2)
        self._require_apart(by, again)
        wanted = [
            second.Second(n, k, l, (self._name(n), self._name(k), self._name(l)))
            for n in out.numbers for k in by.numbers for l in again.numbers
        ]  # fmt: skip
        rest = iter(second.hessians(self._recording, wanted))
        return out.rebuild(
            [by.rebuild([again.rebuild([next(rest) for _ in again.numbers]) for _ in by.numbers]) for _ in out.numbers]
        )

    def hvp(self, tangents: Any, wrt: Argument | None = None, of: str | None = None) -> Any:
        """The product of the second derivative ∂²of/∂wrt∂wrt with h, without any matrix.

        Parameters
        ----------
        tangents
            h, of the shape of wrt (nested as it is); or several, along one more leading axis.
        wrt, of
            As for `jacobian`.

        Returns
        -------
        The product, of the shape of the value, then that of wrt (nested as they are), behind the leading axis if there
        is one.
        """
        out, by = self._value(of), self._argument(wrt)
        given = dict(zip(by.numbers, self._like(tangents, by, "tangent"), strict=True))
        rest = iter(second.products(self._recording, out.numbers, by.numbers, given))
        return out.rebuild([by.rebuild([next(rest) for _ in by.numbers]) for _ in out.numbers])

    def _require_apart(self, first: Leaves, other: Leaves) -> None:
        """Raise a ValueError where one of two values is made of the other."""
        for one, two in ((first, other), (other, first)):
            for k in one.numbers:
                for n in two.numbers:
                    if k != n and self._recording.between([Wanted(k, n, "", "")])[0]:
                        raise ValueError(
                            f"{self._name(k)} is made of {self._name(n)}, so there is no second derivative by both: "
                            "one of them cannot change alone"
                        )

    def jvp(self, tangents: Any, wrt: Argument | None = None, of: str | None = None) -> Any:
        """The product ∂of/∂wrt · h, without any matrix.

        Parameters
        ----------
        tangents
            h, of the shape of wrt (nested as it is); or several, along one more leading axis.
        wrt, of
            As for `jacobian`.

        Returns
        -------
        The product, of the shape of the value (nested as it is), behind the leading axis if there is one.
        """
        out, by = self._value(of), self._argument(wrt)
        given = dict(zip(by.numbers, self._like(tangents, by, "tangent"), strict=True))
        return out.rebuild([plain(self._recording.jvp(n, given)) for n in out.numbers])

    def vjp(self, cotangents: Any, wrt: Argument | None = None, of: str | None = None) -> Any:
        """The product u · ∂of/∂wrt, without any matrix.

        Parameters
        ----------
        cotangents
            u, of the shape of the value (nested as it is); or several, along one more leading axis.
        wrt, of
            As for `jacobian`.

        Returns
        -------
        The product, of the shape of wrt (nested as it is), behind the leading axis if there is one.
        """
        out, by = self._value(of), self._argument(wrt)
        given = dict(zip(out.numbers, self._like(cotangents, out, "cotangent"), strict=True))
        return by.rebuild([plain(one) for one in self._recording.vjp(given, by.numbers)])

    def linear_operator(self, wrt: Argument | None = None, of: str | None = None) -> Any:
        """The Jacobian as ``scipy.sparse.linalg.LinearOperator``, without any matrix (extra ``scipy``).

        Parameters
        ----------
        wrt, of
            As for `jacobian`; both must be single arrays.
        """
        found = self.jacobian(wrt, of)
        if not isinstance(found, Jacobian):
            raise ValueError("linear_operator is for one array by another; name them: wrt=…, of=…")
        return found.linear_operator()

    def _like(self, values: Any, leaves: Leaves, what: str) -> list[Array]:
        """Arrays for the leaves, all with the same leading axes: none or one."""
        array = object()
        given = [values] if leaves.rebuild([array]) is array else flatten(values)[1]  # a list may be one array
        if len(given) != len(leaves.numbers):
            raise ValueError(f"there must be {len(leaves.numbers)} {what}s, one for each array; there are {len(given)}")
        found, leads = [], set()
        for number, one in zip(leaves.numbers, given, strict=True):
            shape = self._recording.values[number].shape
            array = vectors(one, shape, f"the {what} of {self._name(number)}")
            leads.add(array.shape[: array.ndim - len(shape)])
            found.append(array)
        if len(leads) > 1:
            raise ValueError(f"the leading axes of all {what}s must be the same; they are {sorted(leads)}")
        return found

    # -- looking at it -------------------------------------------------------------------------------------------------

    def table(self, of: str | None = None) -> Table:
        """The shape table: a row for every Jacobian with its shape, formula, non-zero share and bytes.

        First the local Jacobians of all values on the way, then those of the output by all arguments.

        Parameters
        ----------
        of
            The name of the value to stop at; the output by default.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import trace
        >>> def neuron(w, x):
        ...     z = w @ x
        ...     return np.tanh(z)
        >>> print(trace(neuron, np.array([0.5, 2.0]), np.array([1.0, -1.0])).table())
        neuron(w (2,), x (2,))
        <BLANKLINE>
        Jacobian  shape  formula               non-zero      held      full
        ── of each operation ──────────────────────────────────────────────
        ∂z/∂w     1 × 2  ∂z/∂w_i = x_i             100%  16 bytes  16 bytes
        ∂z/∂x     1 × 2  ∂z/∂x_i = w_i             100%  16 bytes  16 bytes
        ∂f/∂z     1 × 1  ∂f/∂z = (1-f²)            100%   8 bytes   8 bytes
        ── of the output ──────────────────────────────────────────────────
        ∂f/∂w     1 × 2  ∂f/∂w_i = (1-f²) x_i      100%  24 bytes  16 bytes
        ∂f/∂x     1 × 2  ∂f/∂x_i = (1-f²) w_i      100%  24 bytes  16 bytes
        """
        end = "the output" if of is None else of
        outputs = list(self._value(of).numbers)
        return showing.shape_table(self._title(), self._recording, outputs, ("of each operation", f"of {end}"))

    def explain(
        self, wrt: Argument | None = None, of: str | None = None, names: Mapping[str, str] | None = None
    ) -> Explanation[Jacobian]:
        """The derivation of one Jacobian: local Jacobians, chain rule, order of elimination, cost and result.

        Parameters
        ----------
        wrt, of
            As for `jacobian`; each must be one array.
        names
            What to call things in place of those of the source: ``{"z": "u", "f": "a"}``, values and letters in the
            formulas.

        Raises
        ------
        ValueError
            If there is no such value or name, or if two things would be called alike.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import trace
        >>> def network(A, x):
        ...     z = A @ x
        ...     return np.tanh(z)
        >>> found = trace(network, np.ones((3, 2)), np.array([0.1, 0.2])).explain("A")
        >>> found.product, found.formula
        ('∂f/∂A = ∂f/∂z · ∂z/∂A', '∂f_i/∂A_jk = δ_ij (1-f²)_i x_k')
        """
        value, argument = self._one(self._value(of), "of"), self._one(self._argument(wrt), "wrt")
        ends = self._evaluation.output.numbers
        return showing.explanation(self._recording, value, argument, self._name(argument), names, ends)

    def diagram(self, of: str | None = None) -> Diagram:
        """Draw the operations as boxes, with the names and shapes of the values along the wires.

        Parameters
        ----------
        of
            The name of the value to stop at; the output by default.

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import trace
        >>> def f(x):
        ...     h = np.tanh(x)
        ...     return h * x
        >>> trace(f, np.array([1.0, 2.0])).diagram()
        x (2,)
          → Tanh → h (2,)
          → Multiply (h, x) → f (2,)
        """
        return showing.diagram(self._recording, self._value(of).numbers)

    def check(self, wrt: Argument | None = None, order: int = 1) -> Report:
        """Compare the derivatives of the output with finite differences of the function, or of its Jacobians.

        Parameters
        ----------
        wrt
            The name or number of an argument; all of them by default.
        order
            1 for Jacobians; 2 for Hessians, by every argument, then by every argument.

        Returns
        -------
        Report
            ``report.ok``, ``report.raise_if_wrong()``, ``print(report)``

        Examples
        --------
        >>> import numpy as np
        >>> from jacobians import trace
        >>> trace(lambda A, x: np.tanh(A @ x), np.ones((3, 2)), np.array([0.1, 0.2])).check().ok
        True
        """
        from jacobians.checking import Report, check_jacobian

        inputs = self._evaluation.inputs
        chosen = self._argument(wrt).numbers if wrt is not None else [n for one in inputs.values() for n in one.numbers]
        places = {n: (k, at) for k, one in inputs.items() for at, n in enumerate(one.numbers)}
        for argument in chosen:
            if argument not in places:
                raise ValueError(f"only arguments can be varied; {self._name(argument)} is none: {self._known()}")
        if order == 2:
            return self._check_hessians(chosen, places)
        if order != 1:
            raise ValueError(f"order must be 1 or 2; it is {order!r}")
        findings = []
        for argument in chosen:
            k, at = places[argument]
            outputs = self._evaluation.output.numbers
            wanted = [Wanted(n, argument, self._name(n), self._name(argument)) for n in outputs]
            for out, J in enumerate(self._recording.jacobians(wanted)):

                def varied(value: Any, k: int = k, at: int = at, out: int = out) -> Any:
                    return self._called({(k, at): value})[out]

                value = self._array(argument)
                (finding,) = check_jacobian(varied, value, J).findings
                findings.append(replace(finding, name=f"∂{J.form.out_name}/∂{J.form.wrt_name}"))
        return Report(tuple(findings), self._title())

    def _check_hessians(self, chosen: Sequence[int], places: Mapping[int, tuple[int, int]]) -> Report:
        """Compare the Hessians of the output with differences of its Jacobians."""
        from jacobians.checking import Report, check_hessian

        names, findings, notes = [self._name(n) for n in chosen], [], {}
        for out, number in enumerate(self._evaluation.output.numbers):
            of = self._name(number)
            wanted = [second.Second(number, k, l, (of, self._name(k), self._name(l))) for k in chosen for l in chosen]
            rest = iter(second.hessians(self._recording, wanted))
            H = tuple([tuple([next(rest) for _ in chosen]) for _ in chosen])

            def varied(*values: Any, out: int = out) -> Any:
                return self._called(dict(zip([places[n] for n in chosen], values, strict=True)))[out]

            values = tuple([self._array(n) for n in chosen])
            report = check_hessian(varied, values, H, argnums=range(len(chosen)), names=names)
            called = [f"∂²{of}/∂{first}∂{other}" for other in names for first in names]
            findings += [replace(one, name=name) for one, name in zip(report.findings, called, strict=True)]
            notes.update(dict.fromkeys(report.notes))
        return Report(tuple(findings), self._title(), notes=tuple(notes))

    def _called(self, values: Mapping[tuple[int, int], Any]) -> list[Any]:
        """The outputs for some arrays in arguments replaced, each by the number of the argument and its own in it."""
        arguments = list(self._arguments)
        for k in {k for k, _ in values}:
            _, leaves, rebuild = flatten(arguments[k])
            arguments[k] = rebuild([values.get((k, at), leaf) for at, leaf in enumerate(leaves)])
        return flatten(self._function(*arguments, **self._options))[1]

    def _one(self, leaves: Leaves, what: str) -> int:
        """The number of a value that must be one array."""
        if len(leaves.numbers) != 1:
            names = ", ".join(self._name(n) for n in leaves.numbers) or "none"
            raise ValueError(f"{what} must be one array; here are {len(leaves.numbers)}: {names}. Name one of them")
        return leaves.numbers[0]

    def _title(self) -> str:
        shapes = [
            f"{name} {self._recording.values[n].shape}"
            for one in self._evaluation.inputs.values() for name, n in zip(one.names, one.numbers, strict=True)
        ]  # fmt: skip
        return f"{name_of(self._function)}({', '.join(shapes)})"

    def __repr__(self) -> str:
        outputs = ", ".join(
            f"{self._name(n)} {self._recording.values[n].shape}" for n in self._evaluation.output.numbers
        )
        count = len(self._recording.nodes)
        return f"Graph of {self._title()} → {outputs}: {count} operation{'s' if count != 1 else ''}"

    def _repr_html_(self) -> str:
        return self.diagram()._repr_html_()

    # -- names ---------------------------------------------------------------------------------------------------------

    def _name(self, number: int) -> str:
        return self._recording.naming[number][0] if number in self._recording.naming else "f"

    def _argument(self, wrt: Argument | None) -> Leaves:
        """What to differentiate by."""
        inputs = self._evaluation.inputs
        if wrt is None:
            wrt = min(inputs, default=0)
        if isinstance(wrt, int):
            if wrt not in inputs:
                numbered = ", ".join(f"{k} ({self._argument_names[k]})" for k in inputs) or "none"
                raise ValueError(f"there is no derivative by argument {wrt}; by argument {numbered} there is")
            return inputs[wrt]
        return self._value(wrt)

    def _value(self, name: str | None) -> Leaves:
        """The value, or nested values, of a name; the output for None."""
        if name is None:
            return self._evaluation.output
        for k, argument in enumerate(self._argument_names):
            if argument == name and k in self._evaluation.inputs:
                return self._evaluation.inputs[k]
        several = self._sources.get(name, [])
        if len(several) == 1:
            return Leaves((name,), (several[0],), only)
        for one in (name, readable(name), name.translate(DIGITS)):
            if one in self._numbers:
                return Leaves((one,), (self._numbers[one],), only)
        if several:
            called = ", ".join(self._name(n) for n in several)
            raise ValueError(f"{name} has held {len(several)} values: {called}. Name one of them")
        if name in self._argument_names:
            raise ValueError(f"there is no derivative by {name}, which is passed on as it is; numbers must be floats")
        near = dict.fromkeys(get_close_matches(name, [*self._numbers, *self._sources], 3, 0.5))
        hint = f"; do you mean {' or '.join(near)}? T" if near else "; t"
        raise ValueError(f"there is no value {name!r}{hint}here are {self._known()}")

    def _known(self) -> str:
        return ", ".join(self._numbers)
