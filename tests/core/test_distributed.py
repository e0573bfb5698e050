"""A Jacobian on two worker processes, one of which is killed; `tests.benchmarks.distributed` does it with 64 GB."""

from __future__ import annotations

import pytest

pytest.importorskip("distributed", reason="the extra dask")
pytest.importorskip("zarr", reason="the extra test")


@pytest.mark.filterwarnings("ignore")  # of processes that start and die
def test_two_workers_of_which_one_is_killed():
    from tests.benchmarks.distributed import run

    result = run(2000, chunks=(500, 500), kill_after=0.2)
    assert result.killed
    assert result.error < 1e-12
    assert result.slice_error < 1e-14
    assert len(result.peaks) >= 3
    assert max(result.peaks.values()) < 1000
