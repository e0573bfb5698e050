"""The engine: orders, bounds on terms, threads, plans, memory asked for before it is taken."""

from __future__ import annotations

import threading
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import (
    Affine,
    Chain,
    JacobianTooLarge,
    Layer,
    LayerNorm,
    Linear,
    Parameter,
    Residual,
    RMSNorm,
    SelfAttention,
    Softmax,
    SquaredError,
    Tanh,
    term,
)
from jacobians.engine import algebra, compiler, elimination, memory
from jacobians.engine.elimination import Extent
from jacobians.engine.linearized import factored_plan, full_plan

rng = np.random.default_rng(0)


def mlp(*sizes):
    layers = []
    for n, m in pairwise(sizes):
        layers += [Affine(rng.normal(size=(m, n)) / np.sqrt(n), rng.normal(size=m)), Tanh()]
    return Chain(*layers)


def plan_of(chain, x, wrt, full=True):
    recording, output = chain.recorded((x,))
    structure = recording.linearized(chain.wanted(recording, output, chain.selected(wrt))).structure
    return full_plan(structure, None, into=False) if full else factored_plan(structure)


# --- order ------------------------------------------------------------------------------------------------------------


def test_a_bottleneck_is_multiplied_across():
    net, x = mlp(2000, 1000, 10, 1000, 2000), rng.normal(size=2000)
    flops = plan_of(net, x, "x").program.flops
    assert 0.1e9 < flops < 0.2e9  # in a fixed order it would be 8.1e9
    J = net.linearize(x, wrt="x")[1]["x"]
    assert J.nbytes < 1e6 < J.full_nbytes


def test_sweeps_share_their_products():
    net, x = mlp(8, 8, 8, 8, 8, 8, 8), rng.normal(size=8)
    once = plan_of(net, x, None, full=False).program
    alone = sum(plan_of(net, x, name, full=False).program.flops for name in ["x", *net.parameters])
    assert once.flops < 0.6 * alone


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_order_is_never_dearer_than_a_sweep(data):
    """In random graphs, and in chains, where the best of all orders is known by trying."""
    count = data.draw(st.integers(2, 7))
    sizes = data.draw(st.lists(st.integers(1, 50), min_size=count, max_size=count))
    edges = {
        (w, u): Extent(sizes[w], sizes[u], 1)
        for w in range(count) for u in range(w) if u == w - 1 or data.draw(st.booleans())
    }  # fmt: skip
    inner = range(1, count - 1)
    best, *others = elimination.orders(edges, inner)
    assert sorted(best.vertices) == list(inner)
    for order in (*others, *({"cost": spent(edges, v)} for v in (tuple(inner), tuple(reversed(inner))))):
        assert best.cost <= 1.011 * (order["cost"] if isinstance(order, dict) else order.cost)
    chain = {pair: one for pair, one in edges.items() if pair[0] == pair[1] + 1}
    cheapest = min(spent(chain, order) for order in permutations(inner))
    assert elimination.orders(chain, inner)[0].cost <= 1.011 * cheapest


def spent(edges, order):
    """The operations of an elimination, counted one by one."""
    left, total = dict(edges), 0.0
    for v in order:
        ups, downs = [w for w, u in left if u == v], [u for w, u in left if w == v]
        for w in ups:
            for u in downs:
                total += 2.0 * left[w, v].out * left[w, v].wrt * left[v, u].wrt
                left[w, u] = Extent(left[w, v].out, left[v, u].wrt, 1)
        left = {pair: one for pair, one in left.items() if v not in pair}
    return total


# --- sums stay short --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [(), (3,)])
def test_terms_stay_bounded_along_64_residual_blocks(batch):
    def block():
        W, V = rng.normal(size=(6, 4)) / 4, rng.normal(size=(4, 6)) / 16
        return Residual(Chain(LayerNorm(np.ones(4), np.zeros(4)), Affine(W, np.zeros(6)), Tanh(), Linear(V)))

    chain = Chain(*[block() for _ in range(64)])
    x = rng.normal(size=(*batch, 4))
    J = chain.linearize(x, wrt="x")[1]["x"]
    assert len(J.form.terms) <= 12
    explicit = np.eye(x.size).reshape(x.shape * 2)
    for k, layer in enumerate(chain):
        local = layer.jacobians(chain.forward(x)[k], wrt="x")["x"]
        explicit = np.tensordot(local, explicit, x.ndim)
    np.testing.assert_allclose(J.full(), explicit, rtol=1e-9, atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_auto_equals_explicit_with_normalisation_attention_and_residuals(data):
    seed = data.draw(st.integers(0, 1000))
    rng = np.random.default_rng(seed)
    T, D = data.draw(st.integers(2, 4)), 2 * data.draw(st.integers(1, 2))
    make = {
        "norm": lambda: LayerNorm(rng.normal(size=D), rng.normal(size=D)),
        "rms": lambda: RMSNorm(rng.normal(size=D)),
        "attention": lambda: SelfAttention(*rng.normal(size=(4, D, D)), heads=data.draw(st.sampled_from([1, 2]))),
        "softmax": Softmax,
        "dense": lambda: Affine(rng.normal(size=(D, D)), rng.normal(size=D)),
        "tanh": Tanh,
    }
    layers = []
    for _ in range(data.draw(st.integers(1, 5))):
        inner = [make[data.draw(st.sampled_from(sorted(make)))]() for _ in range(data.draw(st.integers(1, 3)))]
        layers.append(Residual(Chain(*inner)) if data.draw(st.booleans()) else Chain(*inner))
    if data.draw(st.booleans()):
        layers.append(SquaredError(rng.normal(size=(T, D))))
    chain, x = Chain(*layers), rng.normal(size=(T, D))
    explicit = chain.jacobians(x, method="explicit")
    for name, J in chain.jacobians(x).items():
        scale = max(1.0, np.abs(explicit[name]).max(initial=0))
        np.testing.assert_allclose(J, explicit[name], rtol=1e-10, atol=1e-12 * scale, err_msg=name)


def test_the_cheapest_way_of_multiplying_sums_is_taken():
    """Of a transformer block: the dearest of four ways would take several times as many operations."""
    D, T = 16, 12
    W = rng.normal(size=(4, D, D))
    block = Chain(
        Residual(Chain(LayerNorm(np.ones(D), np.zeros(D)), SelfAttention(*W))),
        Residual(Chain(LayerNorm(np.ones(D), np.zeros(D)), Affine(W[0], W[1, 0]), Tanh(), Linear(W[1]))),
    )
    assert plan_of(block, rng.normal(size=(T, D)), "x").program.flops < 9e6


class Minus(Layer):
    """z = b − x; its two Jacobians have equal products."""

    b: Parameter

    def forward(self, x):
        return self.b - x

    def local(self, x, z):
        return {"x": -term("-> i;i"), "b": term("-> i;i")}


def test_a_product_that_is_overwritten_is_not_handed_out_again():
    net = Chain(Minus(rng.normal(size=5)), Linear(rng.normal(size=(30, 5))), Linear(rng.normal(size=(5, 30))))
    x = rng.normal(size=5)
    expected = net.jacobians(x, method="explicit")
    for _ in range(2):
        for name, J in net.jacobians(x).items():
            np.testing.assert_allclose(J, expected[name], rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("dtypes", [(np.float32, np.float64), (np.float64, np.float32), (np.float32, np.complex128)])
def test_large_products_of_different_dtypes(dtypes):
    A, B = rng.normal(size=(200, 3)).astype(dtypes[0]), rng.normal(size=(3, 200)).astype(dtypes[1])
    J = term("A_ij B_jk -> i;k", A, B).bind()
    assert J.full().dtype == np.result_type(*dtypes)
    np.testing.assert_allclose(J.full(), A @ B, rtol=1e-6)


# --- memory -----------------------------------------------------------------------------------------------------------


def test_a_chain_refuses_what_does_not_fit(monkeypatch):
    net = Chain(Linear(np.ones((3000, 2000))), Tanh())
    monkeypatch.setattr(memory, "available", lambda: 1e9)
    with pytest.raises(JacobianTooLarge, match=r"∂f/∂(0\.)?A.*144 GB and 1 GB are available"):
        net.jacobians(np.ones(2000))
    assert net.jacobians(np.ones(2000), wrt="x")["x"].shape == (3000, 2000)


def test_large_intermediates_are_counted(monkeypatch):
    """A small result on whose way an array is made that would not fit is refused before that."""
    x, y = np.ones(9000), np.ones(9000)
    J = term("x_i y_j s_ij -> ;", x, y, np.broadcast_to(np.ones(()), (9000, 9000))).bind()
    assert compiler.writer(J.form, into=False).needed < 1e6 + J.full_nbytes  # in a better order nothing large is made
    A = np.broadcast_to(np.ones(()), (9000, 2))
    J = term("A_ik B_kj C_ij D_ij -> i;", A, A.T, *np.broadcast_to(np.ones(()), (2, 9000, 9000))).bind()
    needed = compiler.writer(J.form, into=False).needed
    assert needed > 9000 * 9000 * 8
    monkeypatch.setattr(memory, "available", lambda: needed - 1.0)
    with pytest.raises(JacobianTooLarge, match="648 MB"):
        J.full()


def test_many_terms_become_one_array():
    """Where that is not much larger than they are; ties that all terms have stay."""
    steps = [term(f"-> bi;b(i+{k})") for k in range(4)]
    J = sum(steps[1:], steps[0]).bind((30, 9), (30, 9))
    K = J @ J.T @ J
    assert len(K.form.terms) == 1
    assert K.nbytes <= 30 * 81 * 8
    full = J.full().reshape(270, 270)
    np.testing.assert_array_equal(K.matrix(), full @ full.T @ full)


# --- pairs of index maps ----------------------------------------------------------------------------------------------


def test_tables_of_pairs_are_the_exception_and_counted():
    n, m = np.arange(40) % 7, np.arange(40) % 5
    gather, spread = term("-> i;(n_i)", n).bind((40,), (7,)), term("-> (2i+1);i").bind((80,), (40,))
    other = term("-> i;(m_i)", m).bind((40,), (7,))

    def couplings(J, K):
        return compiler.compiled(algebra.product, (J.form, K.form), ())[0].couplings

    assert couplings(gather, gather.T) == 1  # entries i and j of one position: nothing else is possible
    assert couplings(gather.T, gather) == 0
    assert couplings(other.T, spread.T) == couplings(spread, gather) == couplings(spread.T, spread) == 0


# --- threads and settings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "columns"), [(20, 20), (300, 100), (3000, 100), (30000, 100), (1000, 3000)])
def test_errors_of_numpy_are_as_the_caller_wants_them(rows, columns):
    """In results of any size: nothing is computed where the caller's settings do not hold."""
    x, y = np.full(rows, 1e200), np.full(columns, 1e200)
    J = term("x_i y_j -> i;j", x, y).bind()
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        J.full()
    with np.errstate(all="ignore"):
        assert np.isinf(J.full()).all()


def test_many_threads_and_large_results():
    A, x = rng.normal(size=(60, 200)), rng.normal(size=190)
    J = term("A_oi x_k -> o;ik", A, x).bind()
    expected = np.einsum("oi,k->oik", A, x)
    wrong = []

    def work():
        for _ in range(5):
            if not np.allclose(J.full(), expected):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# --- plans are found again --------------------------------------------------------------------------------------------


def test_plans_follow_the_numbers():
    net = Chain(*mlp(3, 4, 2), SquaredError(rng.normal(size=2), scale=0.7))
    for _ in range(4):
        x = rng.normal(size=3)
        explicit = net.jacobians(x, method="explicit")
        for name, J in net.jacobians(x).items():
            np.testing.assert_allclose(J, explicit[name], rtol=1e-12, atol=1e-14)


def test_one_array_that_becomes_two_has_another_plan():
    class Twofold(Layer):
        a: Parameter

        def forward(self, x):
            return self.a * x

        def local(self, x, z):
            return {"x": term("s_i -> i;i", self.a), "a": term("s_i -> i;i", self.a if x[0] > 0 else 2 * self.a)}

    net = Chain(Twofold([2.0, 3.0]), Tanh())
    for x in ([1.0, 2.0], [1.0, 0.5], [-1.0, 2.0], [1.0, 1.0]):
        found, explicit = net.jacobians(np.array(x)), net.jacobians(x, method="explicit")
        for name, J in found.items():
            np.testing.assert_allclose(J, explicit[name], rtol=1e-12)


def test_an_output_of_another_shape_has_another_plan():
    class Positive(Layer):
        """The entries that are positive."""

        def forward(self, x):
            return x[x > 0]

        def local(self, x, z):
            return {"x": term("S_ij -> i;j", np.eye(x.size)[x > 0])}

    net = Chain(Positive(), Affine(rng.normal(size=(2, 3)), np.zeros(2)), Tanh())
    for _ in range(3):
        x = np.array([1.0, -1.0, 2.0, 3.0])
        np.testing.assert_allclose(net.jacobians(x)["x"], net.jacobians(x, method="explicit")["x"], rtol=1e-12)
    with pytest.raises(ValueError, match="layer 1"):
        net.jacobians([1.0, -1.0, 2.0, -3.0])


def test_a_layer_that_writes_differently_has_another_plan():
    class Fickle(Layer):
        a: Parameter

        def forward(self, x):
            return self.a * x if x[0] > 0 else x * 1.0

        def local(self, x, z):
            if x[0] > 0:
                return {"x": term("a_i -> i;i", self.a), "a": term("x_i -> i;i", x)}
            return {"x": term("-> i;i"), "a": term("z_i -> i;i", np.zeros_like(x))}

    net = Chain(Fickle([2.0, 3.0]), Tanh())
    for x in ([1.0, 2.0], [-1.0, 2.0], [1.0, 0.5], [-1.0, 1.0]):
        x = np.array(x)
        explicit = net.jacobians(x, method="explicit")
        for name, J in net.jacobians(x).items():
            np.testing.assert_allclose(J, explicit[name], atol=1e-15)


def test_the_forward_pass_runs_once():
    calls = []

    class Counting(Layer):
        def forward(self, x):
            calls.append(1)
            return 2 * x

        def local(self, x, z):
            return {"x": 2 * term("-> ...;...")}

    net = Chain(Counting(), Tanh())
    for k in range(3):
        np.testing.assert_allclose(net.jacobians(np.array([0.1, 0.2]))["x"].shape, (2, 2))
        assert len(calls) == k + 1
    net.linearize(np.array([0.1, 0.2]))
    assert len(calls) == 4


def test_results_do_not_share_memory():
    net = Chain(Affine(np.eye(2), np.zeros(2)), Tanh(), Linear(rng.normal(size=(3, 2))))
    x = np.array([0.1, 0.2])
    first = net.jacobians(x)
    second = net.jacobians(x)
    arrays = [*first.values(), *second.values(), x, *net.parameters.values()]
    for k, a in enumerate(arrays):
        for b in arrays[k + 1 :]:
            assert not np.may_share_memory(a, b)
