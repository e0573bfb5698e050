"""A progress bar for long work: tqdm where it is installed and somebody is watching."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 2.0  # seconds before a bar appears


@contextmanager
def progress_bar(total: int, label: str, wanted: bool | None) -> Iterator[Callable[[], object] | None]:
    """What is to be called after every line, or None.

    Parameters
    ----------
    total, label
        The number of calls, and what is being done.
    wanted
        Whether to show the bar; by default for work of more than two seconds on a terminal.
    """
    if wanted is False or (wanted is None and not sys.stderr.isatty()):
        yield None
        return
    try:
        from tqdm import tqdm
    except ImportError:
        yield None
        return
    delay = 0.0 if wanted else PATIENCE
    with tqdm(total=total, desc=label, unit="column", file=sys.stderr, leave=False, delay=delay) as bar:
        yield bar.update
