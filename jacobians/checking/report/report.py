"""`Report`: the outcome of a check, one finding per Jacobian, and whether all of them are right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jacobians.checking.report.finding import CANNOT_TELL, WRONG, Finding, worst_first
from jacobians.checking.report.html import html
from jacobians.checking.report.text import text, wants_colour


class WrongJacobian(AssertionError):
    """Raised by `Report.raise_if_wrong`; the message is the report."""


@dataclass(frozen=True)
class Report:
    """The findings on one or several Jacobians.

    A report is true if every entry of every Jacobian is right, zero within error, or consistent at a kink, so that
    ``assert check_jacobian(f, x, J)`` is a test; ``check_jacobian(f, x, J).raise_if_wrong()`` is one that fails with
    the whole report as its message.
    """

    findings: tuple[Finding, ...]
    title: str = ""
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything that was checked is right."""
        return all(finding.ok for finding in self.findings)

    def __bool__(self) -> bool:
        """`ok`, so that ``assert check(…)`` says what it seems to say."""
        return self.ok

    @property
    def wrong(self) -> tuple[str, ...]:
        """Names of the Jacobians that are wrong."""
        return tuple(finding.name for finding in self.findings if finding.verdict == WRONG)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, name: str | int) -> Finding:
        if isinstance(name, int):
            return self.findings[name]
        for finding in self.findings:
            if name in (finding.name, finding.name.rpartition("∂")[2]):
                return finding
        raise KeyError(f"no Jacobian {name!r} in this report; there are {[f.name for f in self.findings]}")

    def worst_first(self) -> tuple[Finding, ...]:
        """The findings, wrong ones first."""
        return worst_first(self.findings)

    def raise_if_wrong(self, allow_inconclusive: bool = False) -> None:
        """Raise `WrongJacobian` with the report as its message unless all is right.

        Parameters
        ----------
        allow_inconclusive
            Whether to raise only on what is known to be wrong.
        """
        __tracebackhide__ = True  # of pytest: the report is what one wants to see
        if any(not f.ok and not (allow_inconclusive and f.verdict == CANNOT_TELL) for f in self.findings):
            raise WrongJacobian("\n" + str(self))

    def to_dict(self) -> dict[str, Any]:
        """Plain Python data, fit for JSON."""
        return {
            "ok": self.ok,
            "title": self.title,
            "notes": list(self.notes),
            "jacobians": [finding.to_dict() for finding in self.findings],
        }

    def __str__(self) -> str:
        return text(self.findings, self.title, self.notes)

    def __repr__(self) -> str:
        return text(self.findings, self.title, self.notes, colour=wants_colour())

    def _repr_html_(self) -> str:
        return html(self.findings, self.title, self.notes)
