"""Backfills SLOs one after the other: what they lack is computed two at a time and handed to a sink."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Final

from controlplane import conventions as names
from controlplane.model.slo import SLO
from controlplane.ports import MetricsBackend
from slo.backfill.computing import computed_series
from slo.backfill.grid import PastSeries, Sink
from slo.backfill.survey import Stretch, Survey, surveyed
from slo.replay.fetching import AT_ONCE, Fetcher, Workers

_AHEAD: Final = AT_ONCE + 1  # SLOs whose series are in memory at a time


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of one SLO's past, in entries of its ledger (one per 5 minutes) at any group.

    Of `entries` that its window has, `recorded` were there, `written` were computed; of the rest nothing was measured.
    `samples` and `series` count all that was written, the rolling pair included.
    """

    name: str
    entries: int
    recorded: int
    written: int
    samples: int
    series: int

    @property
    def coverage(self) -> float:
        """The share of the stretch that is measured now."""
        return (self.recorded + self.written) / self.entries if self.entries else 0.0


@dataclass(frozen=True, slots=True)
class Backends:
    """Where the events are measured, and where the SLOs are recorded; mostly the same."""

    measured_in: MetricsBackend
    recorded_in: MetricsBackend


def survey_all(
    slos: Sequence[SLO], backends: Backends, stretch: Stretch, progress: Callable[[float], None] = lambda share: None
) -> list[Survey]:
    """What each of them lacks, without computing anything."""
    found = []
    for done, slo in enumerate(slos):
        found.append(surveyed(slo, stretch, backends.recorded_in))
        progress((done + 1) / len(slos))
    return found


def backfill(
    slos: Sequence[SLO],
    backends: Backends,
    stretch: Stretch,
    sink: Sink,
    progress: Callable[[float], None] = lambda share: None,
) -> list[Filled]:
    """Compute what is missing and hand it over, SLO by SLO. `progress` is told the share that is done.

    What is recorded is left alone, so doing it again writes nothing. Errors of the backends and of the sink
    (`Transient`, `Permanent`) pass through; what was handed over until then stays with the sink.
    """
    shared = Fetcher(backends.measured_in)
    filled: list[Filled] = []
    with closing(Workers()) as workers:
        waiting: list[Future[tuple[Survey, list[PastSeries]]]] = []
        jobs = iter([partial(_one, slo, backends, stretch, shared) for slo in slos])
        while len(filled) < len(slos):
            waiting += [workers.submit(job) for _, job in zip(range(_AHEAD - len(waiting)), jobs, strict=False)]
            survey, series = waiting.pop(0).result()
            if series:
                sink.take(series)
            filled.append(_told(survey, series))
            progress(len(filled) / len(slos))
    return filled


def _one(slo: SLO, backends: Backends, stretch: Stretch, shared: Fetcher) -> tuple[Survey, list[PastSeries]]:
    """Answers by group are large and not remembered."""
    survey = surveyed(slo, stretch, backends.recorded_in)
    return survey, computed_series(survey, Fetcher(backends.measured_in) if slo.groups else shared)


def _told(survey: Survey, series: Sequence[PastSeries]) -> Filled:
    entries: set[int] = set()
    for one in series:
        if one.labels["__name__"] == names.LEDGER_EVENTS and one.labels[names.EVENT] == names.EVENT_ALL:
            entries.update(one.unix_seconds.tolist())
    return Filled(
        name=survey.slo.name,
        entries=survey.ledger.points,
        recorded=survey.ledger.points - survey.lacks_in_ledger,
        written=len(entries),
        samples=sum(len(one.values) for one in series),
        series=len(series),
    )
