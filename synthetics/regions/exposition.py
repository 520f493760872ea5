"""Checks on /metrics, from the store: a restart loses nothing, and every replica says the same."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, chain
from typing import Final

from controlplane import check_names as names
from controlplane.model.check import (
    RUN_SECONDS,
    CheckHour,
    CheckKind,
    CheckResult,
    Outcome,
    RegionContact,
    RegionState,
    RunTimes,
    Verdict,
    VerdictKind,
)
from controlplane.ports import Clock, Permanent, Store, Transient
from synthetics.regions.exposing import Family, Measured, exemplar_of, line, written_labels
from synthetics.regions.latest import LatestResults
from synthetics.regions.model import Watch
from synthetics.regions.verdicts import GRACE, MISSED, RunKey

_SELF_CHECK: Final = CheckKind.SELF_CHECK.value
_SELF_CHECK_STALE: Final = timedelta(minutes=2)
_BOUNDS: Final = (*RUN_SECONDS, float("inf"))
_SHOWN_BOUNDS: Final = (*(repr(bound) for bound in RUN_SECONDS), "+Inf")
_END: Final = b"# EOF\n"
_OPENMETRICS: Final = "openmetrics"


@dataclass(frozen=True, slots=True)
class _Read:
    """What the store says."""

    totals: Sequence[CheckHour]
    run_times: Sequence[RunTimes]
    verdicts: Sequence[Verdict]
    contacts: Sequence[RegionContact]
    results: Mapping[RunKey, CheckResult]


class CheckExposition:
    """What checks measured, how often they ran, verdicts, and who reports.

    What a check measured is said until it is older than three of its intervals; only what is declared is said. While
    the store does not answer nothing is: missing is not 0.
    """

    def __init__(self, store: Store, watch: Callable[[], Watch], clock: Clock) -> None:
        self._store = store
        self._watch = watch
        self._clock = clock
        self._latest = LatestResults()
        self._measured = Measured()
        self._lock = threading.Lock()  # two scrapes at once

    def joined(self, body: bytes, content_type: str) -> bytes:
        """What `prometheus_client` gave for this content type, and our metrics behind it."""
        is_openmetrics = _OPENMETRICS in content_type
        ours = self.text(is_openmetrics=is_openmetrics)
        return body.removesuffix(_END) + ours + _END if is_openmetrics else body + ours

    def text(self, *, is_openmetrics: bool) -> bytes:
        """Our metrics alone, without OpenMetrics' end."""
        watch, now = self._watch(), self._clock.now()
        with self._lock:
            try:
                read = self._read(now)
            except (Transient, Permanent):
                return b""
            self._measured.show(_fresh(read, watch, now))
            families = chain(self._measured.families(), _Telling(read, watch, now, is_openmetrics).families())
            parts = [part for family in families for part in family.written(is_openmetrics=is_openmetrics)]
        return "".join(parts).encode()

    def _read(self, now: datetime) -> _Read:
        with self._store.transaction(read_only=True) as transaction:
            checks = transaction.checks
            self._latest.follow(checks, now)
            return _Read(
                totals=checks.totals(),
                run_times=checks.run_times(),
                verdicts=checks.verdicts(),
                contacts=checks.contacts(),
                results=self._latest.results,
            )


def _fresh(read: _Read, watch: Watch, now: datetime) -> dict[RunKey, CheckResult]:
    regions = {region.name for region in watch.regions}
    longest = {check.key: MISSED * check.every + GRACE for check in watch.checks}
    nothing = timedelta(0)
    return {
        key: result
        for key, result in read.results.items()
        if key[2] in regions and key[:2] in longest and now - result.started_at <= longest.get(key[:2], nothing)
    }


class _Telling:
    """Everything but what was measured, of one scrape."""

    def __init__(self, read: _Read, watch: Watch, now: datetime, is_openmetrics: bool) -> None:
        self._read = read
        self._watch = watch
        self._now = now
        self._is_openmetrics = is_openmetrics
        self._checks = {check.key for check in watch.checks}
        self._places = {check.key: check.regions for check in watch.checks}
        self._regions = {region.name for region in watch.regions}

    def families(self) -> Iterator[Family]:
        """In an order that stays."""
        verdicts = [verdict for verdict in self._read.verdicts if verdict.key in self._checks]
        contacts = [contact for contact in self._read.contacts if contact.region in self._regions]
        yield Family(names.CHECK_RUNS, "counter", "Runs of a check, by how they ended.", self._runs())
        yield Family(names.CHECK_RUN_SECONDS, "histogram", "How long runs took that were ok.", self._seconds())
        yield Family(names.CHECK_LAST_RUN, "gauge", "When the newest run of a check began.", self._last_runs())
        yield Family(names.CHECK_INTERVAL, "gauge", "How often a check runs.", self._intervals())
        yield Family(names.CHECK_VERDICT, "gauge", "1 for what all regions together say of a check.", _stands(verdicts))
        yield Family(names.VERDICT_SINCE, "gauge", "When what is said of a check began.", _since(verdicts))
        yield Family(names.CHECK_REGION_STATE, "gauge", "1: what one region says of a check.", _states(verdicts))
        yield Family(
            names.CHECK_FAILURE, "gauge", "1 for why a check that is down in a region fails.", self._failures(verdicts)
        )
        yield Family(
            names.CHECK_FLAPPING, "gauge", "1 while so many regions flap that nobody can tell.", _flapping(verdicts)
        )
        yield Family(names.REGION_REPORTED, "gauge", "When a region's prober reported last.", _reported(contacts))
        yield Family(names.REGION_BUFFERED, "gauge", "Results that wait at a region's prober.", _buffered(contacts))
        yield Family(
            names.REGION_SELF_CHECK, "gauge", "1 while a region reaches its known-good target.", self._self_checks()
        )

    def _runs(self) -> Iterator[str]:
        for total in self._read.totals:
            kind = total.kind.value
            is_ours = (kind, total.check) in self._checks or kind == _SELF_CHECK
            if total.region not in self._regions or not is_ours:
                continue
            latest = self._read.results.get((kind, total.check, total.region))
            own = written_labels({"kind": kind, "check": total.check, "region": total.region})
            counts = ((Outcome.OK, total.ok), (Outcome.FAILED, total.failed), (Outcome.FAULT, total.fault))
            for outcome, count in counts:
                exemplar = self._exemplar(latest, outcome)
                yield f'{names.CHECK_RUNS}{{{own},outcome="{outcome.value}"}} {count}.0{exemplar}\n'

    def _seconds(self) -> Iterator[str]:
        name = names.CHECK_RUN_SECONDS
        sums = {(total.kind.value, total.check, total.region): total.seconds for total in self._read.totals}
        for times in self._read.run_times:
            key = (times.kind.value, times.check, times.region)
            if key[:2] not in self._checks or times.region not in self._regions:
                continue
            latest = self._read.results.get(key)
            own, exemplar = written_labels(_key(times)), self._exemplar(latest, Outcome.OK)
            below, seconds = -1.0, latest.duration_seconds if latest and exemplar else -1.0
            for bound, shown, count in zip(_BOUNDS, _SHOWN_BOUNDS, accumulate(times.counts), strict=True):
                told = exemplar if below < seconds <= bound else ""
                yield f'{name}_bucket{{{own},le="{shown}"}} {count}.0{told}\n'
                below = bound
            yield f"{name}_count{{{own}}} {sum(times.counts)}.0\n{name}_sum{{{own}}} {float(sums[key])!r}\n"

    def _exemplar(self, latest: CheckResult | None, outcome: Outcome) -> str:
        if latest is None or latest.outcome is not outcome:
            return ""
        return exemplar_of(latest, is_openmetrics=self._is_openmetrics)

    def _last_runs(self) -> Iterator[str]:
        for times in self._read.run_times:
            key = (times.kind.value, times.check)
            here = self._places.get(key) or self._regions  # others may have run it before
            if key in self._checks and times.region in here & self._regions:
                yield line(names.CHECK_LAST_RUN, _key(times), times.last_at.timestamp())

    def _failures(self, verdicts: Sequence[Verdict]) -> Iterator[str]:
        for verdict in verdicts:
            for each in verdict.regions:
                latest = self._read.results.get((*verdict.key, each.region))
                if each.state is RegionState.DOWN and latest is not None and latest.reason:
                    labels = {"region": each.region, "reason": latest.reason}
                    yield f"{names.CHECK_FAILURE}{{{_of(verdict)},{written_labels(labels)}}} 1.0\n"

    def _intervals(self) -> Iterator[str]:
        for check in self._watch.checks:
            labels = {"kind": check.kind.value, "check": check.name}
            yield line(names.CHECK_INTERVAL, labels, check.every.total_seconds())

    def _self_checks(self) -> Iterator[str]:
        for region in sorted(self._regions):
            result = self._read.results.get((_SELF_CHECK, region, region))
            if result is not None and self._now - result.started_at <= _SELF_CHECK_STALE:
                yield line(names.REGION_SELF_CHECK, {"region": region}, float(result.outcome is Outcome.OK))


def _key(times: RunTimes) -> dict[str, str]:
    return {"kind": times.kind.value, "check": times.check, "region": times.region}


def _stands(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for verdict in verdicts:
        own = _of(verdict)
        for kind in VerdictKind:
            yield f'{names.CHECK_VERDICT}{{{own},verdict="{kind.value}"}} {float(kind is verdict.kind)}\n'


def _since(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for verdict in verdicts:
        yield f"{names.VERDICT_SINCE}{{{_of(verdict)}}} {verdict.since.timestamp()!r}\n"


def _states(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for verdict in verdicts:
        own = _of(verdict)
        for each in verdict.regions:
            yield f'{names.CHECK_REGION_STATE}{{{own},region="{each.region}",state="{each.state.value}"}} 1.0\n'


def _flapping(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for verdict in verdicts:
        yield f"{names.CHECK_FLAPPING}{{{_of(verdict)}}} {float(verdict.flapping)}\n"


def _of(verdict: Verdict) -> str:
    return written_labels({"kind": verdict.check_kind.value, "check": verdict.check})


def _reported(contacts: Sequence[RegionContact]) -> Iterator[str]:
    for contact in contacts:
        yield line(names.REGION_REPORTED, {"region": contact.region}, contact.reported_at.timestamp())


def _buffered(contacts: Sequence[RegionContact]) -> Iterator[str]:
    for contact in contacts:
        yield line(names.REGION_BUFFERED, {"region": contact.region}, float(contact.buffered))
