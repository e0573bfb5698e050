"""Tensors in pieces: blocks, files, dask."""

from __future__ import annotations

import tracemalloc

import h5py
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import Chain, JacobianTooLarge, Linear, Tanh, term
from jacobians.engine import memory, pieces
from tests.dense import jacobians

rng = np.random.default_rng(8)
SHAPES = st.sampled_from([(), (1,), (2,), (3,), (2, 3)])


@settings(max_examples=80, deadline=None)
@given(SHAPES.flatmap(lambda m: SHAPES.flatmap(lambda n: jacobians(m, n))), st.sampled_from([8, 16, 40, 100, 4000]))
def test_blocks_are_the_tensor(drawn, nbytes):
    J, dense = drawn
    seen = np.zeros(J.shape, int)
    for index, array in J.blocks(nbytes):
        assert array.nbytes <= nbytes
        np.testing.assert_allclose(array, dense[index], rtol=1e-12, atol=1e-12)
        seen[index] += 1
    assert (seen == 1).all()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 7), max_size=4).map(tuple), st.integers(8, 2000), st.data())
def test_block_shapes(shape, nbytes, data):
    unit = data.draw(st.none() | st.tuples(*[st.integers(1, 9) for _ in shape]))
    block = pieces.block_shape(shape, 8, nbytes, unit)
    assert np.prod(block, dtype=int) * 8 <= nbytes
    fits = unit and np.prod(np.minimum(unit, shape), dtype=int) * 8 <= nbytes
    for size, n, u in zip(block, shape, unit or shape, strict=True):
        assert size == n or not fits or size % u == 0
    seen = np.zeros(shape, int)
    for index in pieces.indices(shape, block):
        seen[index] += 1
    assert (seen == 1).all()


def network(size=200, rank=5):
    A, B = rng.normal(size=(size, rank)), rng.normal(size=(rank, size))
    return Chain(Linear(B), Tanh(), Linear(A)).linearize(rng.normal(size=size) / size, wrt="x")[1]["x"]


def test_into_files(tmp_path):
    J = network()
    full = J.full()
    mapped = np.memmap(tmp_path / "j.bin", J.dtype, "w+", shape=J.shape)
    assert J.full(out=mapped, nbytes=10_000) is mapped
    np.testing.assert_allclose(mapped, full, atol=1e-15)
    stored = zarr.create_array(store=str(tmp_path / "j.zarr"), shape=J.shape, dtype=J.dtype, chunks=(30, 70))
    np.testing.assert_allclose(J.full(out=stored, nbytes=40_000)[...], full, atol=1e-15)
    with h5py.File(tmp_path / "j.h5", "w") as file:
        data = file.create_dataset("J", J.shape, J.dtype, chunks=(64, 64))
        np.testing.assert_allclose(J.full(out=data)[...], full, atol=1e-15)
        np.testing.assert_allclose(J.full(out=file.create_dataset("K", J.shape, J.dtype))[...], full, atol=1e-15)
    with pytest.raises(ValueError, match="out must be a float64 array"):
        J.full(out=np.memmap(tmp_path / "k.bin", np.float32, "w+", shape=J.shape))
    with pytest.raises(ValueError, match="out must be a float64 array"):
        J.full(out=[1.0])
    with pytest.raises(ValueError, match="give out="):
        J.full(nbytes=100)


class Full(OSError):
    pass


class Disk:
    """Something to write into that is full after a while."""

    def __init__(self, shape, room):
        self.data, self.room, self.shape, self.dtype = np.full(shape, np.nan), room, shape, np.dtype(float)

    def __setitem__(self, index, block):
        if not self.room:
            raise Full("no space left")
        self.room -= 1
        self.data[index] = block


def test_interrupted_work_goes_on():
    J = network(50)
    disk = Disk(J.shape, room=7)
    with pytest.raises(Full) as caught:
        J.full(out=disk, nbytes=800)
    assert caught.value.__notes__ == ["7 of 25 blocks are written; J.full(out, nbytes=800, start=7) goes on"]
    assert np.isnan(disk.data).any()
    disk.room = 100
    J.full(out=disk, nbytes=800, start=7)
    assert disk.room == 100 - (25 - 7)
    np.testing.assert_allclose(disk.data, J.full(), atol=1e-15)
    with pytest.raises(ValueError, match="from 0 to 25; it is 26"):
        J.full(out=disk, nbytes=800, start=26)


def test_memory_is_bounded():
    J = network(3000)
    assert J.full_nbytes == 72_000_000
    J[0]
    total = 0.0
    tracemalloc.start()
    for _, array in J.blocks(2_000_000):
        total += (array**2).sum()
        del array
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000
    assert total == pytest.approx(J.norm() ** 2)


def test_refusals_come_before_allocation(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 1e9)
    huge = term("x_k -> i;ik", np.ones(300)).bind((300_000,), (300_000, 300))
    with pytest.raises(JacobianTooLarge):
        next(huge.blocks(nbytes=10**10))
    index, array = next(huge.blocks())
    assert array.nbytes <= 1 << 26
    assert index[0] == slice(0, 1)
    with pytest.raises(ValueError, match="at least one entry"):
        next(huge.blocks(nbytes=4))
    with pytest.raises(JacobianTooLarge, match=r"216 TB"):
        huge.full()


def test_a_product_that_becomes_the_result_is_counted_once(monkeypatch):
    J = term("A_ik B_kj -> i;j", np.ones((4000, 50)), np.ones((50, 4000))).bind()
    monkeypatch.setattr(memory, "available", lambda: 150e6)
    assert J.full().nbytes == 128_000_000
    monkeypatch.setattr(memory, "available", lambda: 100e6)
    with pytest.raises(JacobianTooLarge, match="takes 128 MB and 100 MB"):
        J.full()


def test_dask_chunks(monkeypatch):
    da = pytest.importorskip("dask.array", reason="dask is optional")
    J = term("A_ik x_...k -> ...i;...k", rng.normal(size=(3, 4)), rng.normal(size=(5, 4))).bind((5, 3), (5, 4))
    full = J.full()
    for chunks in ("auto", -1, (2, 3, (1, 4), 2)):
        tensor = J.dask(chunks)
        assert (tensor.shape, tensor.dtype) == (full.shape, full.dtype)
        np.testing.assert_array_equal(tensor.compute(scheduler="synchronous"), full)
    total = (tensor**2).sum() + da.sqrt(tensor[1] ** 2).sum()
    assert total.compute(scheduler="threads") == pytest.approx((full**2).sum() + np.abs(full[1]).sum())
    assert len([key for key in dict(tensor.dask) if not isinstance(key, tuple)]) == 1, "one key holds the factors"
    monkeypatch.setattr(memory, "available", lambda: 1e6)
    huge = term("x_k -> i;ik", np.ones(300)).bind((300_000,), (300_000, 300))
    with pytest.raises(JacobianTooLarge, match=r"a chunk of shape .* smaller chunks"):
        huge.dask((1, 300_000, 300))
    assert float(term("c -> ;", 3.0).bind().dask().compute(scheduler="synchronous")) == 3
