"""Measure at falling steps: a few for everything, more only where the verdict is open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.measuring.directions import Lines
from jacobians.checking.measuring.function import Function, quiet
from jacobians.checking.measuring.richardson import RATIO, AnyArray, Array, Estimate, Samples, estimate, sample
from jacobians.checking.measuring.smoothness import find_kinks
from jacobians.checking.measuring.verdicts import Verdict

BLOCK = 150_000  # entries measured at a time, which bounds the memory
LARGEST_ASCENT = 26

# the step of level k is 4⁻ᵏ times the first step; negative levels are larger steps
STAGES = ([0, 1, 2], [3, 4, 5], [-2, -1], [6, 7, 8, 9], [10, 11, 12, 13], [14, 15, 16, 17], [18, 19, 20, 21])

Judge = Callable[[NDArray[np.intp], Estimate, bool], NDArray[np.int8]]


@dataclass
class Measurement:
    """What was found for every (line, output)."""

    value: AnyArray
    error: Array
    verdict: NDArray[np.int8]
    forward: AnyArray  # one-sided slopes, at kinks
    backward: AnyArray

    @classmethod
    def empty(cls, lines: int, base: AnyArray) -> Measurement:
        """Nothing known yet of these lines, for a function whose flat output is like `base`."""
        shape = (lines, base.size)
        kind = np.result_type(base.dtype, np.float64)
        return cls(
            np.zeros(shape, kind), np.full(shape, np.inf), np.full(shape, Verdict.PENDING, np.int8),
            np.zeros(shape, kind), np.zeros(shape, kind),
        )  # fmt: skip


def _ascent(lines: Lines, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
    """Rungs above the first stages, for entries of x so small that f hardly notices steps of their size."""
    height = (np.log(lines.top[chosen]) - np.log(lines.first[chosen])) / np.log(RATIO)
    highest = int(np.ceil(height.max(initial=0)))
    lowest = max(3, highest - LARGEST_ASCENT)
    return -np.arange(highest, lowest - 1, -1, dtype=np.intp)


def _stages(lines: Lines, chosen: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    for levels in STAGES:
        yield np.array(levels, dtype=np.intp)
    ascent = _ascent(lines, chosen)
    if len(ascent):
        yield ascent


def measure(
    function: Function, lines: Lines, coarse: Array, judge: Judge, advance: Callable[[], object] | None = None
) -> Measurement:
    """Measure every line; ``judge(lines, estimate, final)`` says which entries are still pending."""
    result = Measurement.empty(len(lines), function.base)
    per_block = max(1, BLOCK // max(1, function.base.size))
    with quiet():
        for start in range(0, len(lines), per_block):
            block = np.arange(start, min(start + per_block, len(lines)), dtype=np.intp)
            _measure_block(lines, block, coarse, judge, result, advance)
    return result


def _measure_block(
    lines: Lines,
    pending: NDArray[np.intp],
    coarse: Array,
    judge: Judge,
    result: Measurement,
    advance: Callable[[], object] | None,
) -> None:
    samples: Samples | None = None
    stages = list(_stages(lines, pending))
    for number, levels in enumerate(stages):
        new = sample(lines, pending, levels, advance if number == 0 else None)
        if number and not np.isfinite(new.ahead).any() and number < len(stages) - 1:
            continue  # steps below the resolution of x
        samples = new if samples is None else _join(samples, new, levels)
        found = estimate(samples, lines, pending, coarse)
        final = number == len(stages) - 1
        verdict = judge(pending, found, final)
        verdict = _keep(result, pending, found, verdict)
        open_lines = (verdict == Verdict.PENDING).any(axis=1)
        if not open_lines.any():
            return
        pending, samples = pending[open_lines], samples.of(open_lines.nonzero()[0])


def _join(samples: Samples, new: Samples, levels: NDArray[np.intp]) -> Samples:
    first, second = (new, samples) if levels[0] < 0 else (samples, new)
    names = ("ahead", "behind", "plus", "minus")
    return Samples(*(np.concatenate([getattr(first, name), getattr(second, name)]) for name in names))


def _keep(result: Measurement, lines: NDArray[np.intp], found: Estimate, verdict: NDArray[np.int8]) -> NDArray[np.int8]:
    """Store what was found and return the verdicts; entries already known to be right remain so."""
    previous = result.verdict[lines]
    settled = (previous == Verdict.RIGHT) | (previous == Verdict.ZERO)
    verdict = np.where(settled, previous, verdict)
    newer = ~settled | (found.smooth & (found.error < result.error[lines]))
    result.value[lines] = np.where(newer, found.value, result.value[lines])
    result.error[lines] = np.where(newer, found.error, result.error[lines])
    result.verdict[lines] = verdict
    if (verdict == Verdict.KINK).any():
        _, forward, backward = find_kinks(found)
        result.forward[lines], result.backward[lines] = forward, backward
    return verdict
