"""``python -m jacobians``: a network's Jacobians, their shapes and formulas, and their check by finite differences."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
import zipfile
from collections.abc import Sequence
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np

import jacobians
from jacobians import Chain, JacobianTooLarge, Layer, SquaredError
from jacobians.checking import check, command
from jacobians.core.layer import Array
from jacobians.errors import BadInput
from jacobians.layers import registry

WIDTH = 110  # letters in a line
ACTIVATIONS = ("tanh", "sigmoid", "relu", "softmax", "identity")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code: 0 if all agrees, 1 if not, 2 for bad input."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough
        sys.stderr.close()
        return 0
    except (BadInput, ValueError, JacobianTooLarge) as error:
        print(f"jacobians: {error}", file=sys.stderr)
        return 2
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m jacobians",
        description="Explicit Jacobians of a network: their shapes and formulas, the contraction, and the check "
        "against finite differences. Without arguments: the lecture's network f = tanh(Ax + b), x ∈ R², f ∈ R³.",
    )
    parser.set_defaults(run=network)
    parser.add_argument(
        "--sizes", default=None, metavar="N,…,M", help="sizes of x and of every layer, as in 784,128,10"
    )
    parser.add_argument(
        "--activation", choices=ACTIVATIONS, default="tanh", help="after every affine map (default: tanh)"
    )
    parser.add_argument("--batch", type=int, metavar="B", help="number of examples: x gets a batch axis")
    parser.add_argument("--seed", type=int, default=0, help="of the random weights and inputs (default: 0)")
    parser.add_argument("--weights", type=Path, metavar="NET.npz", help="a network: arrays A0, b0, A1, b1, …")
    parser.add_argument("--input", type=Path, metavar="X.npy", help="the input x")
    parser.add_argument("--save", type=Path, metavar="OUT.npz", help="write f and the full Jacobian tensors")
    parser.add_argument("--wrt", default="0.A", help="the Jacobian to explain (default: 0.A)")
    commands = parser.add_subparsers(title="commands", metavar="")

    layers = commands.add_parser("layers", help="list the layers, or show one layer's derivation with a check")
    layers.add_argument("name", nargs="?", help="a layer, as in Softmax")
    layers.set_defaults(run=catalogue)

    checker = commands.add_parser("check", help="check a hand-written Jacobian against its function")
    command.add_arguments(checker)
    checker.set_defaults(run=command.run)
    return parser


# --- a network --------------------------------------------------------------------------------------------------------


def network(options: argparse.Namespace) -> int:
    """Show a network's Jacobians, explain one, check them all."""
    net, x = _network(options)
    f = net(x)
    print(f"f = {' ∘ '.join(type(layer).__name__ for layer in reversed(list(net)))}, x {x.shape}, f {f.shape}\n")
    print(net.table(x), "\n")
    print(net.explain(x, wrt=options.wrt), "\n")
    if options.save is not None:
        _save(options.save, {"f": f} | net.jacobians(x))
        print(f"f and the full tensors are in {options.save}\n")

    loss = Chain(*net, SquaredError(np.full_like(f, 0.5)))
    agreed = True
    for title, chain in (("f", net), ("L = ½‖y − f‖²", loss)):
        report = check(chain, x)
        print(f"{title} against finite differences\n{report}\n")
        agreed = agreed and report.ok
    return 0 if agreed else 1


def _network(options: argparse.Namespace) -> tuple[Chain, Array]:
    """The network and its input, from files or made up."""
    rng = np.random.default_rng(options.seed)
    activation = {"tanh": jacobians.Tanh, "sigmoid": jacobians.Sigmoid, "relu": jacobians.ReLU,
                  "softmax": jacobians.Softmax, "identity": jacobians.Identity}[options.activation]  # fmt: skip
    if options.weights is not None:
        if options.sizes is not None:
            raise BadInput("--sizes and --weights exclude each other: the weights fix the sizes")
        weights = _weights(options.weights)
    else:
        sizes = _sizes(options.sizes or "2,3")
        weights = [(rng.normal(size=(m, n)) / np.sqrt(n), rng.normal(size=m))
                   for n, m in pairwise(sizes)]  # fmt: skip
    layers: list[Layer] = []
    for A, b in weights:
        layers += [jacobians.Affine(A, b), activation()]
    net = Chain(*layers)
    if options.batch is not None and options.batch < 1:
        raise BadInput(f"--batch must be at least 1, not {options.batch}")
    if options.input is not None:
        x = _array(options.input)
    else:
        size = np.shape(weights[0][0])[-1]
        x = rng.normal(size=size if options.batch is None else (options.batch, size))
    return net, net.prepared((x,))[0]


def _sizes(text: str) -> list[int]:
    if not re.fullmatch(r"\d+(,\d+)+", text) or "0" in text.split(","):
        raise BadInput(f"--sizes must be at least two positive numbers such as 784,128,10, not {text!r}")
    return [int(n) for n in text.split(",")]


def _array(path: Path) -> Array:
    """The array in a .npy file."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise BadInput(f"{path} is not a readable .npy file: {error}") from error
    if not isinstance(array, np.ndarray):
        raise BadInput(f"{path} holds several arrays; the input must be one array in a .npy file")
    return array


def _weights(path: Path) -> list[tuple[Array, Array]]:
    """A0, b0, A1, b1, … of a .npz file."""
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            raise BadInput(f"{path} holds one array; the weights must be A0, b0, A1, b1, … in a .npz file")
        with loaded:
            arrays = {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{path} is not a readable .npz file: {error}") from error
    count = len(arrays) // 2
    wanted = [f"{letter}{k}" for k in range(max(count, 1)) for letter in "Ab"]
    if set(wanted) != set(arrays):
        raise BadInput(f"{path} must hold {', '.join(wanted)}; it holds {', '.join(sorted(arrays)) or 'nothing'}")
    return [(arrays[f"A{k}"], arrays[f"b{k}"]) for k in range(count)]


def _save(path: Path, arrays: dict[str, Array]) -> None:
    try:
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error}") from error


# --- the catalogue ----------------------------------------------------------------------------------------------------


def catalogue(options: argparse.Namespace) -> int:
    """List the layers, or show one."""
    if options.name is None:
        print(layer_table())
        return 0
    page, ok = layer_page(options.name)
    print(page)
    return 0 if ok else 1


def layer_table() -> str:
    """Every layer: name, formula, shapes, source; a block for each family."""
    lines = [f"{len(registry.entries())} layers; `layers NAME` shows the derivation of one."]
    width = max(len(one.name) for one in registry.entries())
    for family, group in groupby(registry.entries(), key=lambda one: one.family):
        lines += ["", family]
        for one in group:
            lines.append(f"  {one.name:{width}}  {one.formula}")
            for text in (one.shapes, one.source):
                lines += textwrap.wrap(
                    text, WIDTH, initial_indent=" " * (width + 4), subsequent_indent=" " * (width + 4)
                )
    return "\n".join(lines)


def layer_page(name: str) -> tuple[str, bool]:
    """One layer: what its docstring says, its Jacobians at an example, and their check; and whether that succeeded.

    A ValueError says which layers begin alike where there is none of that name.
    """
    try:
        one = registry.entry(name)
    except KeyError as error:
        raise ValueError(str(error.args[0])) from error
    layer, inputs = one.examples[0]
    lines = [f"{one.name}: {one.formula}", "", one.jacobians]
    for title, text in (("Shapes", one.shapes), ("Errors", one.errors), ("Source", one.source)):
        lines += textwrap.wrap(f"{title}: {text}", WIDTH, subsequent_indent="  ") if text else []
    report = check(layer, *inputs)
    lines += ["", str(layer.table(*inputs)), "", "Against finite differences:", str(report)]
    return "\n".join(lines), report.ok


if __name__ == "__main__":
    sys.exit(main())
