"""A progress bar for long work: tqdm where it is installed and somebody is watching."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress_bar"]

_LONG = 2.0  # seconds


@contextmanager
def progress_bar(total: int, label: str, wanted: bool | None, seconds: float) -> Iterator[Callable[[], object] | None]:
    """Yield what is to be called after every line, or None.

    ``wanted`` True shows the bar, False does not, None shows it for work of more than two seconds on a terminal.
    """
    if wanted is None:
        wanted = seconds > _LONG and sys.stderr.isatty()
    if wanted:
        try:
            from tqdm import tqdm
        except ImportError:
            wanted = False
    if not wanted:
        yield None
        return
    with tqdm(total=total, desc=label, unit="column", file=sys.stderr, leave=False) as bar:
        yield bar.update
