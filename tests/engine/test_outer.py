"""Products into place: every way gives what ``np.multiply`` gives and leaves nothing changed behind."""

from __future__ import annotations

from itertools import pairwise
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import Affine, Chain, Layer, Linear, Parameter, Tanh, term
from jacobians.engine import outer
from jacobians.engine.contract import arranged
from jacobians.engine.linearized import full_plan

rng = np.random.default_rng(0)

WAYS = {  # the sizes of the leading axes and of the row; whether the output is cached; the way that is taken
    "few entries": ((3, 5), 7, True, "_multiplied"),
    "short rows in the cache": ((4, 300), 10, True, "_outer"),
    "longer rows in the cache": ((30, 100), 300, True, "_outer"),
    "several chunks in the cache": ((600, 3), 100, True, "_outer"),
    "short rows in memory": ((700,), 150, False, "_outer"),
    "several chunks in memory": ((70, 20), 60, False, "_outer"),
    "long rows in memory": ((40, 10), 200, False, "_unbuffered"),
    "long rows in the cache": ((40,), 600, True, "_unbuffered"),
}


def operands(lead, row, dtype):
    """An outer product and its reference; among the numbers are those at which shortcuts fail."""
    x, y = rng.normal(size=lead).astype(dtype), rng.normal(size=row).astype(dtype)
    x.flat[:4], y[:4] = (np.inf, -0.0, 1e-30, np.nan)[: x.size], (0.0, 1e30, -np.inf, 3.0)
    with np.errstate(invalid="ignore"):
        return x, y, np.multiply.outer(x, y)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, np.complex64, np.complex128])
@pytest.mark.parametrize(("lead", "row", "cached", "way"), WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:overflow:RuntimeWarning")
def test_outer_products(lead, row, cached, way, dtype, swapped):
    x, y, expected = operands(lead, row, dtype)
    order, sizes = tuple(range(len(lead) + 1)), (*lead, row)
    carried = [order[:-1], order[-1:]]
    given = [arranged(labels, order)(a) for labels, a in zip(carried, (x, y), strict=True)]
    if swapped:
        carried.reverse()
        given.reverse()
    into = outer.product(order, sizes, *carried, cached=cached)
    assert way in into.__qualname__ or swapped
    out = np.full(sizes, np.nan, dtype)
    size = np.getbufsize()
    assert into(out, *given) is out
    assert np.getbufsize() == size
    if np.dtype(dtype).kind == "c":  # a product by BLAS may add in another order
        finite = np.isfinite(expected)
        np.testing.assert_allclose(out[finite], expected[finite], rtol=4 * np.finfo(dtype).eps)
    else:
        np.testing.assert_array_equal(out, expected)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_two_operands_in_any_layout(data):
    """Labels shared or not, operands transposed, outputs with gaps, dtypes mixed."""
    ndim = data.draw(st.integers(1, 4))
    sizes = tuple(data.draw(st.sampled_from([1, 2, 3, 7, 20, 70, 250])) for _ in range(ndim))
    if prod(sizes) > 2_000_000:
        sizes = tuple(min(n, 20) for n in sizes)
    order = tuple(range(ndim))
    carriers = [data.draw(st.sampled_from(["x", "y", "both"])) for _ in order]
    labels = [data.draw(st.permutations([i for i in order if carriers[i] in (name, "both")])) for name in "xy"]
    dtypes = [data.draw(st.sampled_from([np.float32, np.float64])) for _ in range(3)]
    arrays = [rng.normal(size=[sizes[i] for i in ls]).astype(t) for ls, t in zip(labels, dtypes, strict=False)]
    views = [arranged(tuple(ls), order)(a) for ls, a in zip(labels, arrays, strict=True)]
    gap = data.draw(st.booleans())
    whole = np.full([n + 1 for n in sizes] if gap else sizes, 5, np.result_type(*dtypes))
    out = whole[tuple(slice(n) for n in sizes)]
    strides = [s // out.itemsize for s in out.strides] if gap else None
    outer.product(order, sizes, *labels, strides, cached=data.draw(st.booleans()))(out, *views)
    expected = np.multiply(*(v.astype(out.dtype) for v in views))
    np.testing.assert_allclose(out, expected, rtol=1e-6)
    assert whole.sum() == pytest.approx(out.sum() + 5 * (whole.size - out.size))  # nothing beside it was written


def test_the_buffer_of_numpy_is_as_before_even_after_an_error():
    into = outer.product((0, 1), (50, 300), (0,), (1,))
    assert into is outer._unbuffered
    size = np.getbufsize()
    with pytest.raises(ValueError, match="broadcast"):
        into(np.empty((50, 300)), np.ones((50, 1)), np.ones(299))
    assert np.getbufsize() == size


# --- products that several Jacobians share ----------------------------------------------------------------------------


class Bias(Layer):
    """z = x + b; several in a row have the same Jacobians."""

    b: Parameter
    shapes = "b (N), x (N)"

    def forward(self, x):
        return x + self.b

    def local(self, x, z):
        return {"x": term("-> i;i"), "b": term("-> i;i")}


def test_results_share_no_memory_and_belong_to_the_caller():
    b1, b2, b3, b4 = rng.normal(size=(4, 6))
    A, B = rng.normal(size=(6, 5)), rng.normal(size=(4, 6))
    net = Chain(Affine(A, b1), Tanh(), Bias(b2), Bias(b3), Tanh(), Linear(B), Bias(b4[:4]))
    x = rng.normal(size=5)
    expected = net.jacobians(x, method="explicit")
    for _ in range(3):  # compiled, recorded, replayed
        found = net.jacobians(x)
        for name, J in found.items():
            np.testing.assert_allclose(J, expected[name], rtol=1e-12, atol=1e-14)
            assert J.flags.c_contiguous
            assert J.flags.writeable
            assert not any(np.shares_memory(J, other) for key, other in found.items() if key != name)
            assert not any(np.shares_memory(J, p) for p in net.parameters.values())
        for J in found.values():
            J[...] = np.nan


def test_a_product_that_several_share_is_made_once():
    """∂f/∂b of every layer is what ∂f/∂A and all layers before it need."""
    sizes = (7, 6, 5, 4)
    layers = []
    for n, m in pairwise(sizes):
        layers += [Affine(rng.normal(size=(m, n)), rng.normal(size=m)), Tanh()]
    net = Chain(*layers)
    x = rng.normal(size=7)
    recording, output = net.recorded(net.prepared((x,)))
    structure = recording.linearized(net.wanted(recording, output, net.selected(None))).structure
    plan = full_plan(structure, None, into=False)
    calls = plan.program.calls
    # Fifteen where every Jacobian is multiplied out by itself.
    assert len(calls) == 12


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_sums_of_products_as_matrix_products(data):
    """Where a sum of products is taken for one of matrices, it is that sum; otherwise it is left to others."""
    ndim = data.draw(st.integers(2, 4))
    sizes = tuple(data.draw(st.sampled_from([1, 2, 3, 7, 20, 70])) for _ in range(ndim))
    middle = data.draw(st.integers(1, ndim - 1))
    begin = data.draw(st.integers(0, middle - 1))
    dtypes = data.draw(st.sampled_from([(np.float64,), (np.float32,), (np.complex128,), (np.float64, np.float32)]))
    carried, factors = [], []
    for _ in range(data.draw(st.integers(2, 3))):
        pair = [set(range(begin)) | set(range(begin, middle)), set(range(begin)) | set(range(middle, ndim))]
        pair = [{k for k in axes if data.draw(st.booleans())} for axes in pair]
        if data.draw(st.booleans()):
            pair.reverse()
        carried.append(pair)
        for axes in pair:
            shape = tuple(n if k in axes else 1 for k, n in enumerate(sizes))
            factors.append(rng.normal(size=shape).astype(dtypes[len(factors) % len(dtypes)]))
    into = outer.summed(sizes, carried)
    if into is None:
        assert prod(sizes) < outer.MANY or prod(sizes[begin:]) < outer.MATRIX
        return
    expected = sum(x * y for x, y in zip(factors[::2], factors[1::2], strict=True))
    out = np.full(sizes, np.nan, dtypes[0])
    with np.errstate(all=data.draw(st.sampled_from(["raise", "ignore"]))):
        assert into(out, *factors) is out
    scale = sum(abs(x * y) for x, y in zip(factors[::2], factors[1::2], strict=True))
    eps = max(np.finfo(d).eps for d in dtypes)
    assert (abs(out - np.broadcast_to(expected, sizes)) <= 8 * eps * scale).all()


def test_sums_that_are_no_matrix_products():
    assert outer.summed((100, 100), [({0, 1}, {1}), ({0}, {1})]) is None
    assert outer.summed((100, 100), [({0}, {1})]) is None
    assert outer.summed((10, 10), [({0}, {1}), ({0}, {1})]) is None
    assert outer.summed((100, 100), [({0}, {1}), ({1}, {0})]) is not None


@pytest.mark.parametrize("shape", [(40, 50, 3), (3, 700, 2), (2000, 3), (700, 2, 3), (900, 5, 1, 2)])
@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, -1)])
def test_sums_with_a_short_last_axis(shape, signs):
    """NumPy loops over the last axis: where it is short, a longer one takes its place while the sum is made."""
    letters = "ijkl"[: len(shape)]
    out_letters, wrt_letters = letters[:1], letters[1:]
    A, b, c = rng.normal(size=shape), rng.normal(size=shape[:-1]), rng.normal(size=shape[-1:])
    first = term(f"A_{letters} -> {out_letters};{wrt_letters}", A)
    second = term(f"b_{letters[:-1]} c_{letters[-1]} -> {out_letters};{wrt_letters}", b, c)
    found = (signs[0] * first + signs[1] * second).bind(shape[:1], shape[1:]).full()
    expected = np.zeros(shape)
    for at in np.ndindex(shape):
        expected[at] = signs[0] * A[at] + signs[1] * b[at[:-1]] * c[at[-1]]
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-14)
    assert found.flags.c_contiguous


@pytest.mark.parametrize("side", [0, 1, 2])
@pytest.mark.parametrize("signs", [(1, 1, 1), (1, -1, 1)])
def test_arrays_side_by_side(side, signs):
    """Terms that fill a place along an axis each; without one of them, the others are written into zeros."""
    rows = [rng.normal(size=(4, 5)) for _ in range(3)]
    labels = ["i", "j"]
    for count in (3, 2):
        terms = []
        for place, (sign, row) in enumerate(zip(signs[:count], rows, strict=False)):
            axes = [*labels[:side], f"({place})", *labels[side:]]
            terms.append(sign * term(f"a_ij -> {axes[0]};{axes[1]}{axes[2]}", row))
        shape = [4, 5]
        shape.insert(side, 3)
        total = terms[0]
        for one in terms[1:]:
            total = total + one
        found = total.bind(tuple(shape[:1]), tuple(shape[1:])).full()
        expected = np.zeros(shape)
        for place in range(count):
            expected[(slice(None),) * side + (place,)] = signs[place] * rows[place]
        np.testing.assert_array_equal(found, expected)
