"""Every printed formula is read back, evaluated with einsum, and held against the tensor that it describes."""

from __future__ import annotations

import re

import numpy as np
import pytest

from jacobians import (
    Affine,
    Chain,
    Linear,
    Residual,
    SelfAttention,
    Sigmoid,
    Softmax,
    SoftmaxCrossEntropy,
    SquaredError,
    Tanh,
    trace,
)
from jacobians.layers.attention import weights
from jacobians.layers.registry import entries
from jacobians.notation.formula import equation, letter
from jacobians.notation.sums import NUMBER
from jacobians.notation.symbols import LONGEST
from jacobians.show.derivation import Definition

LETTER = re.compile(r"[a-z]′*")
RANGE = re.compile(r"\[([a-z]′*)<(\d+)\]")


class Reader:
    """Evaluates formulas: names stand for `values`, letters have `sizes`."""

    def __init__(self, values):
        self.values = dict(values)

    def equation(self, text, shape):
        """The array that the right side describes, for axes with the letters on the left."""
        left, _, right = text.partition(" = ")
        return self.right_side(
            right, shape, [i for part in left.split("∂")[1:] for i in self.split(part.rstrip("/"))[1]]
        )

    def right_side(self, text, shape, axes=None):
        axes = [letter(k) for k in range(len(shape))] if axes is None else axes
        total = np.zeros(shape)
        signs = re.split(r"(?:^| )([−+]) ?|^(−)", text)
        products, sign = [], 1
        for part in signs:
            if part in ("−", "+"):
                sign = 1 if part == "+" else -1
            elif part:
                products.append((sign, part))
                sign = 1
        for sign, product in products:
            if product.strip() != "0":
                total = total + sign * self.product(product, axes, shape)
        return total

    def product(self, text, axes, shape):
        sizes = dict(zip(axes, shape, strict=True))
        tokens = [t for t in text.split(" ") if t and not t.startswith("Σ_")]
        summed = [i for t in text.split(" ") if t.startswith("Σ_") for i in LETTER.findall(t[2:])]
        split = [self.split(t) for t in tokens]
        for name, indices in split:  # factors and ranges give the summed letters their sizes
            if (name, len(indices)) in self.values:
                for index, n in zip(indices, self.values[name, len(indices)].shape, strict=True):
                    if LETTER.fullmatch(index):
                        assert sizes.setdefault(index, n) == n, (text, index)
            elif span := RANGE.fullmatch(name):
                assert sizes.setdefault(span[1], int(span[2])) == int(span[2])
        for token in tokens:  # so do lookups
            if token.startswith("[") and "=" in token:
                name, indices = self.split(token[1:-1].partition("=")[2])
                for index, n in zip(indices, np.shape(self.values.get((name, len(indices)))), strict=False):
                    sizes.setdefault(index, n)
        every = [*axes, *summed]
        number = {i: k for k, i in enumerate(every)}
        operands = []
        for token, (name, indices) in zip(tokens, split, strict=True):
            if not RANGE.fullmatch(name):
                array, labels = self.factor(token, name, indices, sizes)
                operands += [array, [number[i] for i in labels]]
        for i in every:
            operands += [np.ones(sizes[i]), [number[i]]]
        return np.einsum(*operands, [number[i] for i in axes], optimize="greedy")

    def split(self, token):
        depth, at = 0, -1
        for k, c in enumerate(token):
            depth += (c in "([") - (c in ")]")
            if c == "_" and depth == 0:
                at = k
        if at < 0:
            return token, []
        return token[:at], re.findall(r"\([^()]*\)|[a-z]′*", token[at + 1 :])

    def factor(self, token, name, indices, sizes):
        if (name, len(indices)) in self.values:
            return self.gathered(self.values[name, len(indices)], indices, sizes)
        if name == "δ":
            a, b = indices
            return np.eye(sizes[a], sizes[b]), [a, b]
        if not indices and re.fullmatch(NUMBER, name):
            above, _, below = name.partition("/")
            return np.asarray(float(above) / float(below or 1)), []
        condition = re.fullmatch(r"\[([a-z]′*)=(.*)\]", token)
        assert condition, f"what is {token!r}? names: {sorted(self.values)}"
        position, labels = self.position(condition[2], sizes)
        here = np.arange(sizes[condition[1]])
        return (position[..., None] == here).astype(float), [*labels, condition[1]]

    def position(self, text, sizes):
        """The positions that 2y+u−1 or n_j stand for, and its letters."""
        name, indices = self.split(text)
        if (name, len(indices)) in self.values:
            return self.values[name, len(indices)], indices
        steps = [(m[1], m[2], m[3]) for m in re.finditer(r"([+−-]?)(\d*)([a-z]′*)?", text) if m[0]]
        labels = [i for _, _, i in steps if i]
        total = np.zeros([sizes[i] for i in labels], int)
        for sign, number, i in steps:
            value = (int(number) if number else 1) * (-1 if sign in ("−", "-") else 1)
            if i:
                value = value * np.arange(sizes[i]).reshape([-1 if m == i else 1 for m in labels])
            total = total + value
        return total, labels

    def gathered(self, array, indices, sizes):
        """Axes with index maps become the letters of their maps; positions outside are zero."""
        labels = []
        for index in indices:
            axis = len(labels)
            if LETTER.fullmatch(index):
                labels.append(index)
                continue
            position, inner = self.position(index[1:-1], sizes)
            inside = (position >= 0) & (position < array.shape[axis])
            array = np.take(array, np.where(inside, position, 0), axis=axis)
            array = array * inside.reshape([1] * axis + list(inside.shape) + [1] * (array.ndim - axis - inside.ndim))
            labels += inner
        return array, labels


def assert_close(value, tensor):
    """Numbers in formulas are printed with six digits."""
    np.testing.assert_allclose(value, tensor, rtol=1e-5, atol=1e-5 * np.abs(tensor).max(initial=0))


def inner_values(layer, inputs):
    """What the names inside of self-attention stand for: its Jacobian is put together from those of its parts."""
    first = layer[0] if isinstance(layer, Chain) else layer
    if not isinstance(first, SelfAttention):
        return {}
    q, k, v = first._inner(*inputs)
    A = weights(q, k, first.causal)
    found = {"q": q, "k": k, "v": v, "A": A, "y": A @ v, "m": A @ k, "x": inputs[0]}
    for name in ("Wq", "Wk", "Wv"):
        found[name] = first._split(getattr(first, name))
    found["Wo"] = first.Wo.reshape(len(first.Wo), first.heads, -1)
    return {(name, array.ndim): array for name, array in found.items()}


def assert_formula_is_the_tensor(layer, inputs, wrt):
    found = layer.explain(*inputs, wrt=wrt)
    reader = Reader({**inner_values(layer, inputs), **found.values})
    for factor in found.factors:
        assert_close(reader.equation(equation(factor.form, LONGEST), factor.shape), factor.full())
    for step in found.steps:
        if isinstance(step, Definition):
            name, indices = reader.split(step.left)
            reader.values[name, len(indices)] = reader.right_side(step.right, step.shape)
    result = found.result.full()
    assert_close(reader.equation(found.formula, result.shape), result)
    full = layer.jacobians(*inputs, wrt=wrt)[wrt]
    np.testing.assert_allclose(result, full, rtol=1e-12, atol=1e-14)


def cases():
    for entry in entries():
        for number, (layer, inputs) in enumerate(entry.examples):
            for wrt in layer.linearize(*inputs)[1]:
                yield pytest.param(layer, inputs, wrt, id=f"{entry.name}-{number}-{wrt}")


@pytest.mark.parametrize(("layer", "inputs", "wrt"), list(cases()))
def test_the_formula_of_every_layer_evaluates_to_its_jacobian(layer, inputs, wrt):
    assert_formula_is_the_tensor(layer, inputs, wrt)


@pytest.mark.parametrize(("layer", "inputs", "wrt"), list(cases()))
def test_and_so_does_the_formula_of_a_chain_with_it(layer, inputs, wrt):
    assert_formula_is_the_tensor(Chain(layer, Sigmoid()), inputs, wrt if wrt in layer.input_names else f"0.{wrt}")


def networks():
    rng = np.random.default_rng(0)

    def affine(outputs, inputs):
        return Affine(rng.normal(size=(outputs, inputs)), rng.normal(size=outputs))

    yield "single layer", Chain(affine(3, 2), Tanh()), rng.normal(size=2)
    yield "with a loss", Chain(affine(3, 2), Tanh(), SquaredError(np.ones(3))), rng.normal(size=2)
    yield "batch", Chain(affine(3, 2), Tanh(), affine(4, 3), Softmax()), rng.normal(size=(5, 2))
    deep = [layer for n in range(5) for layer in (affine(3, 3), Tanh(), Softmax())]
    yield "deep", Chain(*deep, SoftmaxCrossEntropy(1)), rng.normal(size=3)
    one, two = (Residual(Chain(affine(3, 3), Tanh(), affine(3, 3))) for _ in range(2))
    yield "residual", Chain(affine(3, 3), one, Softmax(), two, Tanh()), rng.normal(size=3)
    yield "nested", Chain(a=Chain(affine(2, 2), b=Chain(Tanh(), Linear(np.ones((3, 2))))), c=Tanh()), rng.normal(size=2)


@pytest.mark.parametrize(("net", "x"), [pytest.param(n, x, id=name) for name, n, x in networks()])
def test_chains(net, x):
    for wrt in net.linearize(x)[1]:
        assert_formula_is_the_tensor(net, (x,), wrt)


def own_functions():
    """What people write, with what they expect to read; None where the formula is long."""
    rng = np.random.default_rng(0)

    def loss_of_a_layer(A, b, x, y):
        f = np.tanh(A @ x + b)
        e = y - f
        L = 0.5 * e @ e
        return L  # noqa: RET504 - a name to be found

    def cross_entropy(W, x, y):
        z = W @ x
        p = np.exp(z) / np.sum(np.exp(z))
        loss = -np.sum(y * np.log(p))
        return loss  # noqa: RET504

    def regression(w, X, y):
        z = X @ w
        p = 1 / (1 + np.exp(-z))
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    def rms_norm(x, g):
        r = np.sqrt(np.mean(x**2) + 1e-6)
        return g * x / r

    def two_branches(x, A, B):
        u = np.tanh(A @ x)
        v = np.sin(B @ x)
        return u * v

    def attention_row(q, K, V):
        s = K @ q / np.sqrt(q.size)
        a = np.exp(s - s.max())
        a = a / a.sum()
        return a @ V

    def arm(q):
        x = np.cos(q[0]) + 0.7 * np.cos(q[0] + q[1])
        y = np.sin(q[0]) + 0.7 * np.sin(q[0] + q[1])
        return np.array([x, y])

    def kalman_gain(P, H, R):
        S = H @ P @ H.T + R
        K = P @ H.T @ np.linalg.inv(S)
        return K  # noqa: RET504

    def mahalanobis(x, mu, S):
        d = x - mu
        return np.sqrt(d @ np.linalg.solve(S, d))

    def diffusion(u, dt=0.1, dx=0.5):
        lap = (u[:-2] - 2 * u[1:-1] + u[2:]) / dx**2
        return u[1:-1] + dt * lap

    def layer_norm(x, gamma):
        mu, var = x.mean(), x.var()
        xhat = (x - mu) / np.sqrt(var + 1e-5)
        return gamma * xhat

    def nll(S, d):
        return 0.5 * (d @ np.linalg.inv(S) @ d + np.linalg.slogdet(S)[1])

    def kernel(X, ell):
        K = np.exp(-((X[:, None] - X[None]) ** 2).sum(-1) / (2 * ell**2))
        return K  # noqa: RET504

    def ridge(w, X, y, lam):
        r = X @ w - y
        return r @ r + lam * w @ w

    n = rng.normal
    P = np.cov(n(size=(3, 9)))
    yield loss_of_a_layer, (n(size=(3, 2)), n(size=3), n(size=2), n(size=3)), "∂L/∂A_ij = −e_i (1-f²)_i x_j"
    yield cross_entropy, (n(size=(3, 2)), n(size=2), np.eye(3)[1]), "∂loss/∂W_ij = Σ_k y_k p_i x_j − y_i x_j"
    yield regression, (n(size=2), n(size=(4, 2)), np.eye(4)[1]), ("∂f/∂w_i = 0.25 Σ_j G₁_j p_j p_j exp(-z)_j X_ji")
    yield rms_norm, (n(size=4), n(size=4)), "∂f_i/∂x_j = δ_ij g_i (1/r) − 0.25 (f/r)_i (1/r) x_j"
    yield (
        two_branches,
        (n(size=2), n(size=(3, 2)), n(size=(3, 2))),
        ("∂f_i/∂x_j = u_i cos(Bx)_i B_ij + v_i (1-u²)_i A_ij"),
    )
    yield attention_row, (n(size=2), n(size=(4, 2)), n(size=(4, 3))), "∂f_i/∂q_j = Σ_k V_ki G₂_kj"
    yield arm, (n(size=2),), None
    yield (
        kalman_gain,
        (P, n(size=(2, 3)), np.eye(2)),
        ("∂K_ij/∂P_kl = Σ_m δ_ik S⁻¹_mj Hᵀ_lm − Σ_mno (PHᵀ)_in S⁻¹_no H_ok S⁻¹_mj Hᵀ_lm"),
    )
    yield mahalanobis, (n(size=3), n(size=3), P), "∂f/∂x_i = 0.5 (1/f) (S⁻¹d)_i + 0.5 Σ_j (1/f) d_j S⁻¹_ji"
    yield (
        layer_norm,
        (n(size=4), n(size=4)),
        (
            "∂f_i/∂x_j = δ_ij gamma_i (1/√(var+1e-05)) − 0.25 gamma_i xhat_i xhat_j (1/√(var+1e-05))"
            " − 0.25 gamma_i (1/√(var+1e-05))"
        ),
    )
    yield nll, (P, n(size=3)), "∂nll/∂S_ij = 0.5 S⁻¹_ji − 0.5 Σ_kl d_k S⁻¹_ki d_l S⁻¹_jl"
    yield kernel, (n(size=(3, 2)), 1.2), "∂K_ij/∂X_kl = −δ_ik K_ij z₁_ijl (1/ell²) + δ_jk K_ij z₁_ijl (1/ell²)"
    yield ridge, (n(size=3), n(size=(5, 3)), n(size=5), 0.1), "∂ridge/∂w_i = 2 Σ_j r_j X_ji + 2 lam w_i"
    yield diffusion, (n(size=6),), "∂f_i/∂u_j = 0.4 [j=i+2] + 0.2 [j=i+1] + 0.4 [j=i]"


def functions():
    rng = np.random.default_rng(0)
    A, W, x, y = rng.normal(size=(3, 2)), rng.normal(size=(3, 3)), rng.normal(size=2), rng.normal(size=3)

    def squares(A, x, y):
        f = np.tanh(A @ x)
        e = y - f
        loss = np.sum(e**2) / 2
        return loss  # noqa: RET504 - a name to be found

    def in_one_line(A, x, y):
        return 0.5 * np.sum((y - np.tanh(A @ x)) ** 2)

    def softmax(A, x, y):
        e = np.exp(A @ x)
        p = e / np.sum(e)
        return -np.sum(y * np.log(p))

    def gauss(x, mu, sigma):
        z = (x - mu) / sigma
        return np.exp(-(z**2) / 2) / sigma

    def logistic(A, x, y):
        m = y * (A @ x)
        return np.mean(np.log1p(np.exp(-m)))

    def branches(W, x_1, learning_rate):
        h = np.sin(W @ x_1)
        g = np.cos(W @ h) * h
        return learning_rate * g + h / np.sum(g**2)

    def rows(A, k):
        return k * A[0] * A[1] + np.sqrt(A[2] ** 2)

    yield "squares", squares, (A, x, y)
    yield "one line", in_one_line, (A, x, y)
    yield "softmax", softmax, (A, x, y)
    yield "gauss", gauss, (x, 0.3, 2.0)
    yield "logistic", logistic, (A, x, y)
    yield "branches", branches, (W, y, 0.5)
    yield "rows", rows, (A, 3.0)
    yield "ratio", lambda x, y: x / (y * y), (y, y + 3)
    yield "norm", lambda A, x: np.linalg.norm(A @ x - 1) ** 2, (A, x)
    for f, arguments, _ in own_functions():
        yield f.__name__, f, arguments


@pytest.mark.parametrize(("f", "arguments", "formula"), [pytest.param(*c, id=c[0].__name__) for c in own_functions()])
def test_authors_find_their_names_again(f, arguments, formula):
    found = trace(f, *arguments).explain()
    assert formula is None or found.formula == formula
    text = str(found)
    assert "cos((" not in text
    for name in set(re.findall("G[₁-₉]", found.formula)):
        assert f"where {name}" in text.partition("Result")[2]
    for name in {*re.findall("∂([zf][₁-₉])", text)}:
        assert f"where {name} = " in text


@pytest.mark.parametrize(("f", "arguments"), [pytest.param(f, a, id=name) for name, f, a in functions()])
def test_the_formulas_of_graphs_evaluate_to_their_jacobians(f, arguments):
    g = trace(f, *arguments)
    named = {(name, np.ndim(g[name])): g[name] for name in g.names}
    for k, argument in enumerate(arguments):
        found = g.explain(k)
        reader = Reader({**named, **found.values})
        for factor in found.factors:
            assert_close(reader.equation(equation(factor.form, LONGEST), factor.shape), factor.full())
        J = g.jacobian(k)
        assert J.shape == np.shape(g.output) + np.shape(argument)
        if "[…]" not in equation(J.form, LONGEST):
            assert_close(reader.equation(equation(J.form, LONGEST), J.shape), J.full())
        for step in found.steps:
            if isinstance(step, Definition):
                name, indices = reader.split(step.left)
                reader.values[name, len(indices)] = reader.right_side(step.right, step.shape)
        assert_close(reader.equation(found.formula, J.shape), J.full())


def test_the_reader_notices_a_wrong_formula():
    net, x = Chain(Affine(np.ones((3, 2)), np.ones(3)), Tanh()), np.array([0.1, 0.2])
    found = net.explain(x, wrt="0.A")
    reader = Reader(found.values)
    right = reader.equation(found.formula, found.result.shape)
    for wrong in ("δ_ik (1-f²)_i x_j", "δ_ij (1-f²)_i", "−δ_ij (1-f²)_i x_k", "2 δ_ij (1-f²)_i x_k"):
        try:
            value = reader.right_side(wrong, found.result.shape)
        except AssertionError:
            continue
        assert not np.allclose(value, right)
