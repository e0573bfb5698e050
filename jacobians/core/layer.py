"""`Layer`: what every layer offers, from its forward and one line of notation per argument."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from jacobians.core import products, second, showing
from jacobians.core.applying import applied, forwarded, run, traced_layer
from jacobians.core.diagonal import Diagonals
from jacobians.core.graph import Recording
from jacobians.core.jacobian import Jacobian
from jacobians.core.nodes import Wanted
from jacobians.core.parameters import Array, Parameter, Parameterized, remembered
from jacobians.core.terms import Terms
from jacobians.core.traced import Traced
from jacobians.core.vectors import numbers
from jacobians.kept import found_once
from jacobians.notation import signature
from jacobians.show.diagram import Diagram, Sketch, titled
from jacobians.show.explanation import Explanation
from jacobians.show.table import Table

__all__ = ["Array", "Layer", "Local", "Parameter"]

Local = Mapping[str, Terms | Jacobian]
"""What `Layer.local` returns: the Jacobian of the output with respect to each argument."""


class Layer(Parameterized):
    """A function with its Jacobians: an immutable value whose fields are its parameters and options.

    A layer of one's own is a `forward` in NumPy and, in `local`, one line of notation per argument. Fields annotated
    `Parameter` are arrays to differentiate by; all others are options. Subclasses become frozen dataclasses.

    Examples
    --------
    >>> class Scale(Layer):
    ...     '''z_i = a_i x_i.'''
    ...     a: Parameter
    ...     shapes = "a (N), x (..., N)"
    ...
    ...     def forward(self, x):
    ...         return self.a * x
    ...
    ...     def local(self, x, z):
    ...         return {"x": term("a_i -> ...i;...i", self.a), "a": term("x_...i -> ...i;i", x)}
    >>> from jacobians import term
    >>> Scale([2.0, 3.0]).jacobians([1.0, 4.0])["a"]
    array([[1., 0.],
           [0., 4.]])
    """

    holomorphic: ClassVar[bool] = True
    """Whether the layer can be differentiated by complex arguments."""

    integers: ClassVar[tuple[str, ...]] = ()
    """Inputs that are integers, so that nothing can be differentiated by them."""

    chooses: ClassVar[bool] = False
    """Whether its Jacobians are ones and zeros, so that some entries do not count at all (`without_zeros`)."""

    diagonals: ClassVar[Diagonals] = Diagonals()
    """The Jacobians as a table, for layers that have no others than diagonal ones."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "local" in vars(cls) and "diagonals" not in vars(cls):
            cls.diagonals = Diagonals()  # its own `local` is what counts

    # -- to be written by a layer --------------------------------------------------------------------------------------

    # The arguments of these two are written out by each layer; for a type checker, this allows any.
    def forward(self, *inputs: Any, **_: Any) -> Any:
        """The output for inputs that are arrays of floating-point numbers."""
        raise _without_forward(type(self))

    def local(self, *inputs_and_output: Any, **_: Any) -> Local:
        """The Jacobian of the output with respect to every input and parameter, as terms."""
        raise NotImplementedError(f"{type(self).__name__} has no local Jacobians")

    def without_zeros(self, *inputs_and_output: Any) -> Local:
        """The local Jacobians without their zeros, of a layer that chooses."""
        return self.local(*inputs_and_output)

    # -- what every layer offers ---------------------------------------------------------------------------------------

    def __call__(self, *inputs: ArrayLike) -> Any:
        """The output; of values that are being traced, one that is traced, too."""
        for x in inputs:
            if isinstance(x, Traced):
                return applied(self, inputs)
        return self.forward(*self.prepared(inputs))

    def jacobians(self, *inputs: ArrayLike, wrt: str | Iterable[str] | None = None) -> dict[str, Array]:
        """The full Jacobian tensors ``{"x": ∂z/∂x, "A": ∂z/∂A, …}``, output axes first.

        Parameters
        ----------
        *inputs
            The inputs of the layer.
        wrt
            The name of an input or parameter, or several; all by default.

        Raises
        ------
        ValueError
            If an input does not fit or a name is unknown.
        JacobianTooLarge
            If a tensor would not fit into memory.
        """
        names = self.selected(wrt)
        recording, output = self.recorded(self.prepared(inputs))
        wanted = self.wanted(recording, output, names)
        return dict(zip([one.argument_name for one in wanted], recording.full(wanted), strict=True))

    def linearize(self, *inputs: ArrayLike, wrt: str | Iterable[str] | None = None) -> tuple[Any, dict[str, Jacobian]]:
        """The output and the unmaterialised `Jacobian` with respect to every input and parameter.

        The Jacobians keep copies of the inputs that they need, so later changes to an input do not reach them.
        """
        names = self.selected(wrt)
        own = tuple(map(_own, self.prepared(inputs)))
        recording, output = self.recorded(own)
        wanted = self.wanted(recording, output, names)
        found = dict(zip([one.argument_name for one in wanted], recording.jacobians(wanted), strict=True))
        value = recording.values[output]
        return (value.copy() if value.ndim else value[()]), found

    def hessian(self, *inputs: ArrayLike, wrt: str | None = None, wrt2: str | None = None) -> Jacobian:
        """The unmaterialised second derivative ∂²z/∂wrt∂wrt2.

        Parameters
        ----------
        *inputs
            The inputs of the layer.
        wrt, wrt2
            The names of inputs or parameters; the first one by default, and the same twice.

        Returns
        -------
        Jacobian
            Its output axes are those of the output, then those of `wrt`; its wrt axes those of `wrt2`. Beside kinks it
            is the second derivative of the pieces.

        Raises
        ------
        ValueError
            If an input does not fit or a name is unknown.
        TracingError
            If the local Jacobian of a layer cannot be traced.

        Examples
        --------
        >>> from jacobians import Chain, Linear, Tanh
        >>> Chain(Linear([[1.0, 2.0], [3.0, 4.0]]), Tanh()).hessian([0.0, 0.1])
        Jacobian (2×2) × 2: ∂²f_i/∂x_j∂x_k = −2 f_i (1-f²)_i A_ij A_ik
        """
        first = wrt if wrt is not None else self.arguments[0]
        (first,), (other,) = self.selected(first), self.selected(first if wrt2 is None else wrt2)
        own = tuple(map(_own, self.prepared(inputs)))
        recording, output = self.recorded(own)
        one, two = self.wanted(recording, output, (first, other))
        names = self.output_name, first, other
        (found,) = second.hessians(recording, [second.Second(output, one.argument, two.argument, names)])
        return found

    def jvp(self, *inputs_and_tangent: Any, wrt: str | Iterable[str] | None = None) -> Any:
        """The product Σ_j ∂z_i/∂x_j h_j, without any matrix: ``layer.jvp(x, h)``.

        Parameters
        ----------
        *inputs_and_tangent
            The inputs of the layer, then the tangent h, of the shape of what is differentiated by; or several, along
            one more leading axis. For several names h is a dict of tangents, and their products are added up.
        wrt
            The name of an input or parameter, or several; by default those in the dict, or the first input.

        Returns
        -------
        The product, of the shape of the output; behind the leading axis, if there is one.

        Examples
        --------
        >>> from jacobians import Affine, Chain, Tanh
        >>> net = Chain(Affine([[1.0, 2.0], [3.0, 4.0]], [0.0, 0.0]), Tanh())
        >>> net.jvp([0.0, 0.0], [1.0, 1.0]), net.jvp([0.0, 0.0], [5.0, 6.0], wrt="0.b")
        (array([3., 7.]), array([5., 6.]))
        """
        *inputs, h = inputs_and_tangent
        single = isinstance(wrt, str) or (wrt is None and not isinstance(h, Mapping))
        names = self._first() if wrt is None and single else self.selected(h if wrt is None else wrt)
        recording, output = self.recorded(self.prepared(tuple(inputs)))
        return products.jvp(recording, self.wanted(recording, output, names), {names[0]: h} if single else h)

    def vjp(self, *inputs_and_cotangent: Any, wrt: str | Iterable[str] | None = None) -> Any:
        """The product Σ_i u_i ∂z_i/∂x_j, without any matrix: ``layer.vjp(x, u)``, as in backpropagation.

        Parameters
        ----------
        *inputs_and_cotangent
            The inputs of the layer, then the cotangent u, of the shape of the output; or several, along one more
            leading axis.
        wrt
            The name of an input or parameter, by default the first input; or several.

        Returns
        -------
        The product, of the shape of what is differentiated by, behind the leading axis if there is one; for several
        names a dict of them.

        Examples
        --------
        >>> from jacobians import Affine
        >>> layer = Affine([[1.0, 2.0], [3.0, 4.0]], [0.0, 0.0])
        >>> layer.vjp([1.0, 1.0], [1.0, 0.0])
        array([1., 2.])
        >>> layer.vjp([1.0, 1.0], [1.0, 0.0], wrt=layer.parameters)
        {'A': array([[1., 1.],
               [0., 0.]]), 'b': array([1., 0.])}
        """
        *inputs, u = inputs_and_cotangent
        names = self._first() if wrt is None else self.selected(wrt)
        recording, output = self.recorded(self.prepared(tuple(inputs)))
        found = products.vjp(recording, self.wanted(recording, output, names), u)
        return found[names[0]] if wrt is None or isinstance(wrt, str) else found

    @found_once
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs, as in `forward`."""
        return _input_names(type(self))

    @found_once
    def arguments(self) -> tuple[str, ...]:
        """All that the output can be differentiated by: the inputs but for integers, then the parameters."""
        return (*(name for name in self.input_names if name not in self.integers), *self.parameters)

    @found_once
    def output_name(self) -> str:
        """What `local` calls the output: its last argument."""
        return _output_name(type(self))

    @property
    def operation(self) -> str:
        """What the layer does, as `jacobians.notation.expressions` reads it."""
        return repr(self)

    def table(self, *inputs: ArrayLike) -> Table:
        """The shape table: a row for every Jacobian with its shape, formula, non-zero share and bytes.

        Examples
        --------
        >>> from jacobians import Affine
        >>> print(Affine([[1, 2], [3, 4], [5, 6]], [0, 0, 0]).table([1, -1]))
        Affine(A (3, 2), b (3,)) for x (2,)
        <BLANKLINE>
        Jacobian  shape      formula                non-zero      held       full
        ────────  ─────────  ─────────────────────  ────────  ────────  ─────────
        ∂z/∂x     3 × 2      ∂z_i/∂x_j = A_ij           100%  48 bytes   48 bytes
        ∂z/∂A     3 × (3×2)  ∂z_i/∂A_jk = δ_ij x_k       33%  16 bytes  144 bytes
        ∂z/∂b     3 × 3      ∂z_i/∂b_j = δ_ij            33%   0 bytes   72 bytes
        """
        arrays = self.prepared(inputs)
        recording, output = self.recorded(arrays)
        shapes = ", ".join(f"{name} {x.shape}" for name, x in zip(self.input_names, arrays, strict=True))
        headings = "of each layer", f"of the {'chain' if self.inner else 'layer'}"
        return showing.shape_table(f"{self!r} for {shapes}", recording, [output], headings)

    def explain(
        self, *inputs: ArrayLike, wrt: str | None = None, names: Mapping[str, str] | None = None
    ) -> Explanation[Jacobian]:
        """The derivation of one Jacobian: local Jacobians, chain rule, order of contraction, cost and result.

        Parameters
        ----------
        *inputs
            The inputs of the layer.
        wrt
            What to differentiate by, such as ``"A"``, or ``"0.A"`` in a chain; the first parameter (or input) by
            default.
        names
            What to call things in place of the library's names: ``{"z": "u", "f": "a"}``, values, parameters or their
            paths, and letters in the formulas.

        Raises
        ------
        ValueError
            If there is no such parameter or name, or if two things would be called alike.

        Examples
        --------
        >>> from jacobians import Affine, Chain, Tanh
        >>> found = Chain(Affine([[1, 2], [3, 4], [5, 6]], [0, 0, 0]), Tanh()).explain([0.1, 0.2], wrt="0.A")
        >>> found.product, found.subscripts, found.formula
        ('∂f/∂A = ∂f/∂z · ∂z/∂A', 'il,ljk->ijk', '∂f_i/∂A_jk = δ_ij (1-f²)_i x_k')
        >>> Affine([[1, 2], [3, 4]], [0, 0]).explain([0.1, 0.2], names={"A": "W", "z": "a"}).formula
        '∂a_i/∂W_jk = δ_ij x_k'
        """
        (name, *_) = self.selected(wrt or next(iter(self.parameters), None))
        recording, output = self.recorded(self.prepared(inputs))
        return showing.explanation(recording, output, self.wanted(recording, output, [name])[0].argument, name, names)

    def diagram(self, *inputs: ArrayLike) -> Diagram:
        """Draw the layer as boxes and wires; with inputs, the values have names and shapes.

        Without inputs, shapes are shown as far as the parameters tell.

        Examples
        --------
        >>> from jacobians import Affine, Chain, Tanh
        >>> Chain(Affine([[1, 2], [3, 4], [5, 6]], [0, 0, 0]), Tanh()).diagram([0.1, 0.2])
        x (2,)
          → Affine [A (3, 2), b (3,)] → z (3,)
          → Tanh → f (3,)
        """
        if not inputs:
            sketch = Sketch(self.input_names)
            self.sketch(sketch, sketch.starts, "")
            return sketch.finished()
        recording, output = self.recorded(self.prepared(inputs))
        return showing.diagram(recording, [output])

    def sketch(self, sketch: Sketch, inputs: Sequence[int], path: str) -> int:
        """Draw the layer without calling it; return the number of its output."""
        parameters, axes = self.own_parameters, signature.labels_of(self.shapes)
        known = {i: n for p, array in parameters.items() for i, n in zip(axes.get(p, ()), array.shape, strict=False)}
        labels = axes.get(self.input_names[0], ()) if len(self.input_names) == 1 else ()
        sizes = ", ".join("…" if i == "..." else str(known.get(i, i)) for i in labels)
        details = ", ".join(f"{name} {array.shape}" for name, array in parameters.items())
        return sketch.box(
            titled(path, type(self).__name__), details, inputs, f"({sizes})" if known.keys() & set(labels) else ""
        )

    def _repr_html_(self) -> str:
        return self.diagram()._repr_html_()

    # -- as a graph ----------------------------------------------------------------------------------------------------

    def record(self, recording: Recording, inputs: tuple[Array, ...], numbers: Sequence[int | None]) -> int:
        """Apply the layer to prepared inputs in a recording; those with a number are values of it.

        A layer that has local Jacobians is one node. One that has none is what its `forward` does with traced values.
        """
        if type(self).local is not Layer.local:
            return recording.add(self, inputs, numbers, forwarded(self, inputs))
        return run(recording, self._traced(recording), inputs, numbers)

    def _traced(self, recording: Recording) -> Callable[..., Any]:
        """The forward, with parameters that are traced where they are to be differentiated by."""
        path = recording.paths.get(id(self))
        if path is None or not self.own_parameters:
            return self.forward
        leaves = {name: recording.leaf(path + name, array) for name, array in self.own_parameters.items()}
        traced: Layer = traced_layer(self, {name: Traced(recording, number) for name, number in leaves.items()})
        return traced.forward

    def recorded(self, inputs: tuple[Array, ...]) -> tuple[Recording, int]:
        """The layer applied to prepared inputs, as a graph, and the number of its output there."""
        recording = Recording(self.paths)
        return recording, self.record(recording, inputs, self.leaves(recording, inputs))

    def leaves(self, recording: Recording, inputs: tuple[Array, ...]) -> list[int | None]:
        """The numbers of prepared inputs in a recording; integers have none."""
        integers = self.integers
        return [
            None if name in integers else recording.leaf(name, x)
            for name, x in zip(self.input_names, inputs, strict=True)
        ]

    def wanted(self, recording: Recording, output: int, names: Iterable[str]) -> list[Wanted]:
        """The Jacobians of the output in a recording with respect to what these names stand for."""
        found = []
        for name in names:
            number = recording.leaves.get(name)
            if number is None:  # a parameter that nothing is made of
                number = recording.leaf(name, self.parameters[name])
            found.append(Wanted(output, number, self.output_name, name))
        return found

    def prepared(self, inputs: tuple[ArrayLike, ...]) -> tuple[Array, ...]:
        """The inputs as arrays of floating-point numbers that fit the layer."""
        names = self.input_names
        if len(inputs) != len(names):
            raise TypeError(
                f"{type(self).__name__} takes {len(names)} input{'s' if len(names) != 1 else ''} "
                f"({', '.join(names)}); {len(inputs)} given"
            )
        arrays = tuple([
            x if type(x) is np.ndarray and x.dtype.kind == "f" else self._input(x, name)
            for name, x in zip(names, inputs, strict=True)
        ])  # fmt: skip
        if self.shapes:
            given = tuple([(name, x.shape) for name, x in zip(names, arrays, strict=True)])
            signature.require(type(self).__name__, self.shapes, self._parameter_shapes + given)
        return arrays

    def _input(self, values: ArrayLike, name: str) -> Array:
        layer = type(self).__name__
        if name in self.integers:
            array = np.asarray(values)
            if array.dtype.kind not in "iu":
                raise ValueError(f"{layer}: {name} must hold integers, not {array.dtype}")
            return array
        array = numbers(values, f"{layer}: {name}")
        if array.dtype.kind == "c" and not self.holomorphic:
            raise ValueError(f"{layer}: {name} is complex, and {layer} has no complex derivative")
        return array

    def selected(self, wrt: str | Iterable[str] | None) -> tuple[str, ...]:
        """The names asked for, all by default."""
        known = self.arguments
        if wrt is None:
            return known
        names = (wrt,) if isinstance(wrt, str) else tuple(wrt)
        for name in names:
            if name not in known:
                raise ValueError(
                    f"{type(self).__name__} has no derivative by {name!r}: wrt must be of {', '.join(known)}"
                )
        return names

    def _first(self) -> tuple[str, ...]:
        """What is differentiated by where nothing is said."""
        if not self.arguments:
            raise ValueError(f"{type(self).__name__} has nothing to differentiate by")
        return self.arguments[:1]


def _own(x: Array) -> Array:
    """An array that nobody else writes into."""
    return x.copy(order="K") if type(x) is np.ndarray and x.flags.writeable else x


def _without_forward(layer: type[Any]) -> NotImplementedError:
    return NotImplementedError(f"{layer.__name__} has no forward: write `def forward(self, x)` with NumPy in the class")


@remembered
def _input_names(layer: type[Any]) -> tuple[str, ...]:
    if layer.forward is Layer.forward:
        raise _without_forward(layer)
    return tuple(list(inspect.signature(layer.forward).parameters)[1:])


@remembered
def _output_name(layer: type[Any]) -> str:
    """What `local` calls the output: its last argument."""
    return list(inspect.signature(layer.local).parameters)[-1]
