"""One check more closely: how long each part took, what failed lately, and how every hour of a week went."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from controlplane import check_names as names
from controlplane.model.check import CheckHour, CheckResult, Outcome

HISTORY: Final = timedelta(days=7)
FAILURES: Final = 20  # shown
_HOUR: Final = timedelta(hours=1)
_LEAST_PAST: Final = timedelta(hours=3)
_MOST_PAST: Final = timedelta(days=2)
_RUNS: Final = 60  # of each region that are read at least


@dataclass(frozen=True, slots=True)
class Part:
    """A phase or step of the latest run, as a place on the region's bar, in shares of the longest bar."""

    name: str
    seconds: float
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Course:
    """The latest run of one region, in parts; `rest_seconds` belongs to none of them."""

    result: CheckResult
    parts: tuple[Part, ...]

    @property
    def rest_seconds(self) -> float:
        """What the parts do not account for."""
        return max(self.result.duration_seconds - sum(part.seconds for part in self.parts), 0.0)


@dataclass(frozen=True, slots=True)
class HourOfRuns:
    """One hour of one region; all counts are 0 when nothing ran."""

    start: datetime
    ok: int = 0
    failed: int = 0
    fault: int = 0

    @property
    def runs(self) -> int:
        """Of every outcome."""
        return self.ok + self.failed + self.fault

    @property
    def failed_share(self) -> float | None:
        """Of the runs that say something about the target; None when there were none."""
        known = self.ok + self.failed
        return self.failed / known if known else None


@dataclass(frozen=True, slots=True)
class Strip:
    """The hours of one region, oldest first, without a gap."""

    region: str
    hours: tuple[HourOfRuns, ...]

    @property
    def runs(self) -> int:
        """In all that time."""
        return sum(hour.runs for hour in self.hours)

    @property
    def failed(self) -> int:
        """In all that time."""
        return sum(hour.failed for hour in self.hours)

    @property
    def fault(self) -> int:
        """In all that time."""
        return sum(hour.fault for hour in self.hours)

    @property
    def ok_ratio(self) -> float | None:
        """Of the runs that say something about the target; None when there were none."""
        known = self.runs - self.fault
        return (known - self.failed) / known if known else None


def past_to_read(every: timedelta) -> timedelta:
    """How far back single results are read: enough for the last runs and failures, and no more."""
    return min(max(every * _RUNS, _LEAST_PAST), _MOST_PAST)


def courses(latest: Iterable[CheckResult], regions: Sequence[str]) -> tuple[Course, ...]:
    """The latest run of each of these regions in parts, all on one scale."""
    newest = {result.region: result for result in sorted(latest, key=lambda it: it.started_at)}
    whole = max((max(it.duration_seconds, sum(t.seconds for t in it.timings)) for it in newest.values()), default=0.0)
    there = (newest[region] for region in regions if region in newest)
    return tuple(Course(result, _parts(result, whole)) for result in there)


def failures(results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """The last ones that were not ok, newest first."""
    found = [result for result in results if result.outcome is not Outcome.OK]
    return tuple(sorted(found, key=lambda it: it.started_at, reverse=True)[:FAILURES])


def certificate_ends_at(result: CheckResult) -> datetime | None:
    """When the earliest certificate ends that this run saw; None without one."""
    for sample in result.samples:
        if sample.name == names.PROBE_CERTIFICATE_ENDS and sample.value > 0:
            return datetime.fromtimestamp(sample.value, UTC)
    return None


def strips(hours: Iterable[CheckHour], regions: Sequence[str], now: datetime) -> tuple[Strip, ...]:
    """A week of every region, to the hour that runs; hours without a run are there, too."""
    end = now.replace(minute=0, second=0, microsecond=0)
    times = [end - HISTORY + _HOUR * number for number in range(1, HISTORY // _HOUR + 1)]
    known = {(hour.region, hour.start): HourOfRuns(hour.start, hour.ok, hour.failed, hour.fault) for hour in hours}
    return tuple(Strip(region, tuple(known.get((region, at), HourOfRuns(at)) for at in times)) for region in regions)


def _parts(result: CheckResult, whole: float) -> tuple[Part, ...]:
    found = []
    start = 0.0
    for timing in result.timings:
        width = timing.seconds / whole if whole > 0 else 0.0
        found.append(Part(timing.name, timing.seconds, start, width))
        start += width
    return tuple(found)
