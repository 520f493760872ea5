"""What checks from outside need from the store, as a protocol."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # every command imports this; few see a value of these types
    from controlplane.model.check import (
        CheckHour,
        CheckKind,
        CheckResult,
        RegionContact,
        ReportHead,
        RunTimes,
        Verdict,
    )


class CheckLog(Protocol):
    """Results, each counted once; what they add up to by hour; who reports; and the verdicts that stand."""

    def take(self, head: ReportHead, results: Sequence[CheckResult], received_at: datetime) -> int:
        """Store results that are not there yet and count them by hour; how many were new.

        A report that was taken changes nothing, not even the contact: a replay is no sign of life. The same results in
        another report change nothing but the contact. An older sequence of the same prober does not move it back.
        """
        ...

    def knows(self, region: str, prober: str, sequence: int) -> bool:
        """Whether a report of this number was taken from this prober."""
        ...

    def latest(self, count: int, since: datetime, *, is_brief: bool = False) -> list[CheckResult]:
        """Of every kind, check and region the newest `count` results that started at `since` or later, oldest first.

        Brief ones come without timings and samples, in a third of the time.
        """
        ...

    def arrived(self, after: int, limit: int, *, is_brief: bool = False) -> tuple[list[CheckResult], int]:
        """Results of reports that were taken after the one of this number, and the number to go on from.

        About `limit` of them (reports stay whole), in the order of arrival. Results may have started in any order.
        """
        ...

    def last_arrival(self) -> int:
        """The number of the report that was taken last; 0 before the first."""
        ...

    def between(self, kind: CheckKind, check: str, start: datetime, end: datetime) -> list[CheckResult]:
        """Results of one check that started in [start, end), by start and region."""
        ...

    def hours(self, start: datetime, end: datetime, checks: Sequence[str] = ()) -> list[CheckHour]:
        """Hours that begin in [start, end); all checks when none is named."""
        ...

    def totals(self) -> list[CheckHour]:
        """Everything ever counted of each kind, check and region, as one: for counters (`start` is the first hour)."""
        ...

    def run_times(self) -> list[RunTimes]:
        """How long the runs that were ever counted took."""
        ...

    def contacts(self) -> list[RegionContact]:
        """The latest contact of each region."""
        ...

    def verdicts(self) -> list[Verdict]:
        """Those that stand."""
        ...

    def put_verdicts(self, verdicts: Sequence[Verdict], now: datetime) -> None:
        """Let these stand, and no others."""
        ...

    def purge(self, results_before: datetime, hours_before: datetime) -> int:
        """Forget old results and hours (totals stay); how many rows they were."""
        ...
