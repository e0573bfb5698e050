"""Shapes and options drawn at random: J against the linear map that it claims to be."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jacobians import layers as L

sizes = st.integers(1, 4)
numbers = np.random.default_rng(6)


def a(*shape):
    return numbers.normal(size=shape)


def assert_linear(layer, x, others=(), name="x"):
    """For a layer that is linear in x: J x = layer(x) − layer(0), and u J is the transpose of that."""
    J = layer.linearize(x, *others)[1][name]
    zero = layer(np.zeros_like(x), *others)
    np.testing.assert_allclose(J @ x, layer(x, *others) - zero, rtol=1e-10, atol=1e-10)
    h, u = a(*x.shape), a(*J.out_shape)
    np.testing.assert_allclose((u * (layer(h, *others) - zero)).sum(), ((u @ J) * h).sum(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(np.tensordot(J.full(), h, h.ndim), J @ h, rtol=1e-10, atol=1e-10)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_convolution(data):
    stride, dilation, padding = (
        (data.draw(st.tuples(st.integers(1, 3), st.integers(1, 3))) for _ in range(2)),
        None,
        None,
    )
    (stride, dilation), padding = stride, data.draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    groups, per, out = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 2)), data.draw(st.integers(1, 2))
    kernel, image = data.draw(st.tuples(sizes, sizes)), data.draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    assume(all(n + 2 * p > d * (k - 1) for n, p, d, k in zip(image, padding, dilation, kernel, strict=True)))
    batch = data.draw(st.sampled_from([(), (2,), (2, 1)]))
    layer = L.Conv2d(a(groups * out, per, *kernel), a(groups * out), stride, padding, dilation, groups)
    x = a(*batch, groups * per, *image)
    assert_linear(layer, x)
    J = layer.linearize(x)[1]["W"]
    np.testing.assert_allclose(J @ layer.W, layer(x) - layer.b[:, None, None], rtol=1e-10, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.integers(0, 2), sizes, sizes, sizes, sizes)
def test_transposed_convolution(stride, padding, k, m, height, width):
    assume(stride * (height - 1) + k > 2 * padding and stride * (width - 1) + m > 2 * padding)
    layer = L.ConvTranspose2d(a(2, 3, k, m), a(3), stride, padding)
    x = a(2, height, width)
    assert_linear(layer, x)
    np.testing.assert_allclose(
        layer.linearize(x)[1]["W"] @ layer.W, layer(x) - layer.b[:, None, None], rtol=1e-10, atol=1e-10
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(3, 7), st.integers(3, 7))
def test_pooling(k, m, s, t, height, width):
    x = a(2, height, width)
    assert_linear(L.AvgPool2d((k, m), (s, t)), x)
    J = L.MaxPool2d((k, m), (s, t)).linearize(x)[1]["x"]
    np.testing.assert_allclose(J @ x, L.MaxPool2d((k, m), (s, t))(x))  # a maximum is linear near x


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(1, 4), max_size=4), st.data())
def test_reshape_to_any_shape(shape, data):
    left, target = int(np.prod(shape)), []
    while left > 1 or (len(target) < 2 and data.draw(st.booleans())):
        divisors = [d for d in range(1, left + 1) if left % d == 0]
        target.append(data.draw(st.sampled_from(divisors)))
        left //= target[-1]
        if len(target) > 5:
            target[-1] *= left
            break
    assert_linear(L.Reshape(target), a(*shape))


@settings(max_examples=60, deadline=None)
@given(st.lists(sizes, min_size=1, max_size=3), st.data())
def test_layers_that_move_entries(shape, data):
    x, axis = a(*shape), data.draw(st.integers(-len(shape), len(shape) - 1))
    indices = np.array(data.draw(st.lists(st.integers(-shape[axis], shape[axis] - 1), min_size=1, max_size=4)))
    widths = data.draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=len(shape), max_size=len(shape))
    )
    for layer in (
        L.Take(indices, axis),
        L.Take(int(indices[0]), axis),
        L.Flip(axis),
        L.Flip(None),
        L.Pad(widths),
        L.CumulativeSum(axis),
        L.Transpose(data.draw(st.permutations(range(len(shape))))),
        L.BroadcastTo((2, *shape)),
        L.DiagonalMatrix(),
        L.Sum(axis, data.draw(st.booleans())),
        L.Mean(axis),
        L.Sum(),
    ):
        assert_linear(layer, x)
    assert_linear(L.Concatenate(axis), x, [a(*shape)])
    for layer in (L.Max(axis), L.Min(axis, keepdims=True), L.Max()):
        assert_linear_near = layer.linearize(x)[1]["x"] @ x
        np.testing.assert_allclose(assert_linear_near, layer(x))


@settings(max_examples=60, deadline=None)
@given(st.lists(sizes, max_size=3), st.data())
def test_broadcasting(shape, data):
    other = [n if data.draw(st.booleans()) else 1 for n in shape][data.draw(st.integers(0, len(shape))) :]
    x, y = a(*shape), a(*other)
    if data.draw(st.booleans()):
        x, y = y, x
    for layer in (L.Multiply(), L.Add(), L.Subtract()):
        assert_linear(layer, x, [y])
        J = layer.linearize(x, y)[1]["y"]
        np.testing.assert_allclose(J @ y, layer(x, y) - layer(x, np.zeros_like(y)), rtol=1e-10, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(
        ["ij,jk->ik", "ij,jk", "i,j->ij", "ii,i->i", "...i,i->...", "...i,...i->...", "ij,ij->", "ij,kj->jik", "i,i"]
    ),
    st.data(),
)
def test_einsum(subscripts, data):
    labels = {c: data.draw(sizes) for c in "ijk"}
    batch = data.draw(st.sampled_from([(), (2,), (1, 3)]))
    shapes = [
        (batch if term.startswith("...") else ()) + tuple(labels[c] for c in term.replace("...", ""))
        for term in subscripts.split("->")[0].split(",")
    ]
    x, y = (a(*shape) for shape in shapes)
    layer = L.Einsum(subscripts)
    for name, v in (("x0", x), ("x1", y)):
        np.testing.assert_allclose(layer.linearize(x, y)[1][name] @ v, layer(x, y), rtol=1e-10, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.lists(sizes, max_size=3), st.lists(sizes, max_size=3))
def test_kronecker(left, right):
    x, y = a(*left), a(*right)
    assert_linear(L.Kronecker(), x, [y])
    np.testing.assert_allclose(L.Kronecker().linearize(x, y)[1]["y"] @ y, np.kron(x, y))


def test_empty_arrays():
    for layer, x, shape in (
        (L.Exp(), a(0), (0, 0)),
        (L.Sum(), a(0, 2), (0, 2)),
        (L.Sum(axis=0), a(0, 2), (2, 0, 2)),
        (L.Softmax(), a(0, 3), (0, 3, 0, 3)),
        (L.Affine(a(2, 3), a(2)), a(0, 3), (0, 2, 0, 3)),
        (L.LayerNorm(a(3), a(3)), a(0, 3), (0, 3, 0, 3)),
        (L.Reshape((0, 4)), a(2, 0), (0, 4, 2, 0)),
        (L.Inverse(), a(0, 2, 2), (0, 2, 2, 0, 2, 2)),
        (L.Flip(0), a(0), (0, 0)),
        (L.Take([], 0), a(3), (0, 3)),
        (L.MatrixExponential(), a(0, 2, 2), (0, 2, 2, 0, 2, 2)),
        (L.SquaredError(a(0)), a(0), (0,)),
        (L.Norm(), a(0), (0,)),
        (L.MaxPool2d(2), a(0, 4, 4), (0, 2, 2, 0, 4, 4)),
        (L.Product(), a(0), (0,)),
        (L.Conv2d(a(2, 1, 2, 2), a(2)), a(0, 1, 3, 3), (0, 2, 2, 2, 0, 1, 3, 3)),
        (L.SelfAttention(*[a(2, 2)] * 4), a(0, 3, 2), (0, 3, 2, 0, 3, 2)),
        (L.SoftmaxCrossEntropy(np.zeros(0, int)), a(0, 3), (0, 3)),
        (L.Cholesky(), a(0, 2, 2), (0, 2, 2, 0, 2, 2)),
        (L.Concatenate(0), a(0), None),
    ):
        if shape is None:
            assert layer.jacobians(x, a(2))["y"].shape == (2, 2)
        else:
            assert layer.jacobians(x)["x"].shape == shape, layer
