"""Every example of every layer in the registry: numbers, products, dtypes, memory layout and structure."""

import pickle

import numpy as np
import pytest

from jacobians import Chain, Identity
from jacobians.layers import registry
from tests.layers.numerical import arguments_of, differences

EXAMPLES = {name: (layer, inputs) for name, layer, inputs in registry.examples()}
every = pytest.mark.parametrize("name", EXAMPLES)
FIRST = [name for name in EXAMPLES if name.endswith(("-0", "-1"))]
some = pytest.mark.parametrize("name", FIRST)


def like(layer, inputs, change):
    """The layer and its inputs with every array changed."""
    changed = [x if n in layer.integers else change(x) for n, x in zip(layer.input_names, inputs, strict=True)]
    return layer.with_parameters({n: change(v) for n, v in layer.parameters.items()}), changed


@every
def test_agrees_with_finite_differences(name):
    layer, inputs = EXAMPLES[name]
    found = layer.jacobians(*inputs)
    assert list(found) == [n for n, _, _ in arguments_of(layer, inputs)]
    for argument, x, function in arguments_of(layer, inputs):
        expected, error = differences(function, x)
        assert found[argument].shape == expected.shape
        assert error < 1e-6 * max(1, np.abs(expected).max(initial=0)), "the differences themselves are no good"
        np.testing.assert_allclose(found[argument], expected, rtol=0, atol=error, err_msg=argument)


@every
def test_unmaterialised_products_and_entries_equal_the_full_tensor(name):
    layer, inputs = EXAMPLES[name]
    rng = np.random.default_rng(0)
    output, local = layer.linearize(*inputs)
    for J in local.values():
        full = J.full()
        tolerance = {"rtol": 1e-10, "atol": 1e-12 * max(1, np.abs(full).max(initial=0))}
        u, h = rng.normal(size=J.out_shape), rng.normal(size=J.wrt_shape)
        np.testing.assert_allclose(u @ J, np.tensordot(u, full, u.ndim), **tolerance)
        np.testing.assert_allclose(J @ h, np.tensordot(full, h, h.ndim), **tolerance)
        np.testing.assert_allclose(
            J.T.full(), np.moveaxis(full, range(u.ndim), range(-u.ndim, 0)) if u.ndim else full, **tolerance
        )
        if full.size:
            last = tuple(n - 1 for n in full.shape)
            np.testing.assert_allclose(J[last], full[last], **tolerance)
        assert (J.out_shape, J.wrt_shape) == (np.shape(output), full.shape[u.ndim :])
        assert "∂" in J.formula


@every
def test_composes_from_both_sides(name):
    """As the second of three layers, with dense ones around it: index maps meet plain labels and factors."""
    layer, inputs = EXAMPLES[name]
    rng = np.random.default_rng(1)
    from jacobians import Jacobian

    for J in layer.linearize(*inputs)[1].values():
        full = J.full()
        left = Jacobian.from_array(rng.normal(size=(2, *J.out_shape)), 1)
        right = Jacobian.from_array(rng.normal(size=(*J.wrt_shape, 2)), len(J.wrt_shape))
        expected = np.tensordot(np.tensordot(left.full(), full, len(J.out_shape)), right.full(), len(J.wrt_shape))
        tolerance = {"rtol": 1e-10, "atol": 1e-11 * max(1, np.abs(full).max(initial=0))}
        np.testing.assert_allclose((left @ J @ right).full(), expected, **tolerance)
        np.testing.assert_allclose((left @ (J @ right)).full(), expected, **tolerance)


@every
def test_structure_leaves_room_for_every_entry_that_is_not_zero(name):
    layer, inputs = EXAMPLES[name]
    for J in layer.linearize(*inputs)[1].values():
        assert np.count_nonzero(J.full()) <= J.nonzeros <= max(J.full().size, 0)


@some
def test_float32_stays_float32(name):
    layer, inputs = EXAMPLES[name]
    single, changed = like(layer, inputs, lambda x: np.asarray(x, np.float32))
    assert np.asarray(single(*changed)).dtype == np.float32
    expected = layer.jacobians(*inputs)
    for argument, J in single.jacobians(*changed).items():
        assert J.dtype == np.float32, argument
        np.testing.assert_allclose(
            J, expected[argument], rtol=5e-2, atol=2e-3 * max(1, np.abs(expected[argument]).max(initial=0))
        )


@some
def test_integers_become_float64(name):
    layer, inputs = EXAMPLES[name]
    integer, changed = like(layer, inputs, lambda x: np.rint(3 * x).astype(int))
    float_, same = like(layer, inputs, lambda x: np.rint(3 * x))
    try:
        expected = float_.jacobians(*same)
    except (ValueError, RuntimeWarning) as error:
        pytest.skip(f"not differentiable at these integers: {error}")
    for argument, J in integer.jacobians(*changed).items():
        assert J.dtype == np.float64
        np.testing.assert_allclose(J, expected[argument], rtol=1e-11, atol=1e-12)


@some
def test_strided_and_read_only_inputs(name):
    layer, inputs = EXAMPLES[name]
    expected = layer.jacobians(*inputs)

    def strided(x):
        wide = np.zeros((*(2 * n for n in x.shape),), x.dtype)
        view = wide[tuple(slice(None, None, 2) for _ in x.shape)] if x.ndim else np.asarray(x)
        if x.ndim:
            view[...] = x
            view = view[::-1][::-1]
        view.flags.writeable = False
        return view

    other, changed = like(layer, inputs, strided)
    kept = [x.copy() for x in changed]
    other(*changed)
    for argument, J in other.jacobians(*changed).items():
        np.testing.assert_allclose(J, expected[argument], rtol=1e-12, atol=1e-13)
    fortran, changed = like(layer, inputs, lambda x: np.array(x, order="F"))
    for argument, J in fortran.jacobians(*changed).items():
        np.testing.assert_allclose(J, expected[argument], rtol=1e-12, atol=1e-13)
    for before, after in zip(kept, changed, strict=True):
        np.testing.assert_array_equal(before, after)


@some
def test_output_is_owned(name):
    layer, inputs = EXAMPLES[name]
    before = [x.copy() for x in inputs]
    output = np.asarray(layer(*inputs))
    for x in (*inputs, *layer.parameters.values()):
        assert not np.shares_memory(output, x)
    for x, kept in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(x, kept)


@some
def test_pickles_and_repeats_itself(name):
    layer, inputs = EXAMPLES[name]
    again = pickle.loads(pickle.dumps(layer))
    for argument, J in again.jacobians(*inputs).items():
        np.testing.assert_array_equal(J, layer.jacobians(*inputs)[argument])
    assert repr(again) == repr(layer)
    assert repr(layer).startswith(type(layer).__name__)


@some
def test_wrt_selects(name):
    layer, inputs = EXAMPLES[name]
    every_one = layer.jacobians(*inputs)
    for argument in every_one:
        (only,) = layer.jacobians(*inputs, wrt=argument).items()
        assert only[0] == argument
        np.testing.assert_array_equal(only[1], every_one[argument])


@pytest.mark.parametrize("name", [e.name for e in registry.entries() if not e.layer.holomorphic])
def test_complex_input_is_refused(name):
    layer, inputs = registry.entry(name).examples[0]
    with pytest.raises(ValueError, match=f"{name}: .* is complex"):
        layer(*(x.astype(complex) for x in inputs))


@pytest.mark.parametrize("name", [e.name for e in registry.entries() if e.layer.holomorphic and not e.layer.integers])
def test_complex_derivative(name):
    """J h is the difference along h, for a complex h."""
    layer, inputs = registry.entry(name).examples[0]
    rng = np.random.default_rng(2)
    inputs = [x + 0.3j * rng.normal(size=x.shape) for x in inputs]
    step = 1e-6
    for k, (argument, J) in enumerate(list(layer.linearize(*inputs)[1].items())[: len(inputs)]):
        h = rng.normal(size=inputs[k].shape) + 1j * rng.normal(size=inputs[k].shape)
        moved = [[*inputs[:k], inputs[k] + s * step * h, *inputs[k + 1 :]] for s in (1, -1)]
        expected = (layer(*moved[0]) - layer(*moved[1])) / (2 * step)
        np.testing.assert_allclose(
            J @ h, expected, rtol=1e-6, atol=1e-7 * max(1, np.abs(expected).max()), err_msg=argument
        )


@some
def test_in_a_chain(name):
    layer, inputs = EXAMPLES[name]
    chain = Chain(layer, Identity())
    expected = layer.jacobians(*inputs)
    for method in ("auto", "explicit"):
        found = chain.jacobians(*inputs, method=method)
        assert [n.removeprefix("0.") for n in found] == list(expected)
        for n, J in found.items():
            np.testing.assert_allclose(J, expected[n.removeprefix("0.")], rtol=1e-12, atol=1e-13)
