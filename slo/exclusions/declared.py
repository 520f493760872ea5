"""SLOExclusion documents applied to SLOs of every dialect."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from controlplane.calendar.intervals import merged, runs
from controlplane.calendar.periods import unix
from controlplane.calendar.zones import instant, zone
from controlplane.model.exclusion import Exclusion, Interval
from controlplane.model.slo import SLO
from controlplane.problems import Problem
from controlplane.specfile import Document
from slo.durations import span_of
from slo.exclusions.recurrence import MOST, BadRule, occurrences
from slo.exclusions.spec import ExclusionDocument, Once, Recurring
from slo.metadata import name_problems
from slo.selecting import selection_problems
from slo.windows import unknown_zone

RULE: Final = "exclusion"
LONGEST_LIFE: Final = timedelta(days=732)  # from its start to its expiry: two years, one of them a leap year
LONGEST_INTERVAL: Final = timedelta(days=31)
MOST_RUNS: Final = 120  # what an exclusion may cost in every evaluation of its SLOs' rules
_SPEC: Final = ("spec",)
_TIME: Final = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[ T](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?P<offset>Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS: Final = range(1971, 2100)


@dataclass(frozen=True, slots=True)
class Excluded:
    """SLOs with their exclusions, in the order they came. With errors among the problems it is not complete."""

    slos: tuple[SLO, ...]
    problems: tuple[Problem, ...]


def with_exclusions(
    slos: Sequence[SLO], documents: Sequence[Document], may_be_declared: Callable[[str], bool] = lambda _: False
) -> Excluded:
    """Give every SLO the exclusions that select it. `may_be_declared`: a document not read may have this name."""
    problems: list[Problem] = []
    found: dict[str, tuple[ExclusionDocument, Exclusion]] = {}
    seen: dict[str, Document] = {}
    for document in documents:
        value = document.value
        if not isinstance(value, ExclusionDocument):
            continue
        problems += name_problems(document, value.metadata.name)
        problems += selection_problems(document, (*_SPEC, "select"), value.spec.select, slos, may_be_declared)
        exclusion, wrong = exclusion_of(document, value)
        problems += wrong
        name = value.metadata.name
        if name in seen:
            problems.append(_taken(document, name, seen[name]))
        elif exclusion is not None:
            found[name] = (value, exclusion)
        seen.setdefault(name, document)
    ordered = [found[name] for name in sorted(found)]
    return Excluded(tuple(_excluded(slo, ordered) for slo in slos), tuple(problems))


def _excluded(slo: SLO, found: Sequence[tuple[ExclusionDocument, Exclusion]]) -> SLO:
    chosen = tuple(exclusion for value, exclusion in found if value.spec.select.fits(slo))
    return replace(slo, exclusions=(*slo.exclusions, *chosen)) if chosen else slo


def exclusion_of(document: Document, value: ExclusionDocument) -> tuple[Exclusion | None, tuple[Problem, ...]]:
    """What one document excludes, or what is wrong with it."""
    reading = _Reading(document, value)
    return reading.exclusion(), tuple(reading.problems)


class _Reading:
    def __init__(self, document: Document, value: ExclusionDocument) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._value = value

    def exclusion(self) -> Exclusion | None:
        spec = self._value.spec
        fault = unknown_zone(spec.time_zone)
        if fault:
            hint = "" if "did you mean" in fault else "a name of the IANA database, such as Europe/Berlin or UTC"
            self._report("timeZone", message=fault, hint=hint)
        of = zone("UTC" if fault else spec.time_zone)
        expires = self._moment(("expires",), spec.expires, of, end_of_day=True)
        intervals: tuple[Interval, ...] | None = None
        if (spec.once is None) == (spec.recurring is None):
            message = (
                "no time: once or recurring is needed" if spec.once is None else "once and recurring exclude each other"
            )
            self._report(message=message, hint="write once: {start, end}, or recurring: {rrule, start, duration}")
        elif spec.once is not None:
            intervals = self._once(spec.once, of, expires)
        elif spec.recurring is not None:
            intervals = self._recurring(spec.recurring, of, expires)
        if expires is None or not intervals or self.problems:
            return None
        return Exclusion(
            name=self._value.metadata.name,
            owner=spec.owner,
            reason=spec.reason,
            expires=expires,
            intervals=intervals,
            recurrence=spec.recurring.rrule if spec.recurring else "",
            source=self._document.position_of("metadata", "name"),
        )

    def _once(self, written: Once, of: ZoneInfo, expires: datetime | None) -> tuple[Interval, ...] | None:
        start = self._moment(("once", "start"), written.start, of)
        end = self._moment(("once", "end"), written.end, of)
        if start is None or end is None or expires is None:
            return None
        if end <= start:
            self._report("once", "end", message="ends before it begins")
        elif end - start > LONGEST_INTERVAL:
            self._report("once", "end", message=f"longer than {LONGEST_INTERVAL.days} days")
        elif self._expires_in_time(start, expires):
            return ((start, min(end, expires)),)
        return None

    def _recurring(self, written: Recurring, of: ZoneInfo, expires: datetime | None) -> tuple[Interval, ...] | None:
        start = self._moment(("recurring", "start"), written.start, of)
        length, fault = span_of(written.duration)
        if length is not None and not timedelta(minutes=1) <= length <= LONGEST_INTERVAL:
            fault = f"must be between 1m and {LONGEST_INTERVAL.days}d"
        if fault or length is None:
            self._report("recurring", "duration", message=fault)
            return None
        if start is None or expires is None or not self._expires_in_time(start, expires):
            return None
        try:
            found = occurrences(written.rrule, start.astimezone(of).replace(tzinfo=None), of, expires)
        except BadRule as error:
            self._report("recurring", "rrule", message=error.message, hint=error.hint)
            return None
        spans = merged((unix(at), min(unix(at + length), unix(expires))) for at in found.starts)
        self._check_amount(spans, cut=found.cut)
        return tuple((_EPOCH + timedelta(seconds=first), _EPOCH + timedelta(seconds=last)) for first, last in spans)

    def _check_amount(self, spans: Sequence[tuple[int, int]], *, cut: bool) -> None:
        if cut:
            self._report("recurring", "rrule", message=f"happens more than {MOST:,} times before it expires")
        elif not spans:
            self._report("recurring", "rrule", message="never happens before it expires")
        elif len(runs(spans)) > MOST_RUNS:
            message = f"too irregular: {len(runs(spans))} stretches of equal steps, at most {MOST_RUNS} are possible"
            self._report("recurring", "rrule", message=message, hint="let it expire sooner")

    def _expires_in_time(self, start: datetime, expires: datetime) -> bool:
        if expires <= start:
            self._report("expires", message="expires before it begins")
        elif expires - start > LONGEST_LIFE:
            hint = f"at the latest {start + LONGEST_LIFE:%Y-%m-%d}; somebody should then decide anew"
            self._report("expires", message="lasts longer than two years", hint=hint)
        else:
            return True
        return False

    def _moment(self, path: tuple[str, ...], text: str, of: ZoneInfo, *, end_of_day: bool = False) -> datetime | None:
        at, fault = moment(text, of, end_of_day=end_of_day)
        if at is None:
            self._report(*path, message=fault, hint="write it as in 2026-11-22 01:00, or 2026-11-22T01:00Z")
        return at

    def _report(self, *path: str, message: str, hint: str = "") -> None:
        self.problems.append(self._document.problem(*_SPEC, *path, message=message, hint=hint, rule=RULE))


def moment(text: str, of: ZoneInfo, *, end_of_day: bool = False) -> tuple[datetime | None, str]:
    """A time as users write it, in UTC, or why it is none. Without an offset it is by the clocks of the zone.

    A date alone is a time only with `end_of_day`, and means that day's end.
    """
    match = _TIME.fullmatch(text)
    wrong = f"`{text[:40]}` is not a date and time"
    if match is None or not (match["time"] or end_of_day):
        return None, wrong
    try:
        local = datetime.fromisoformat(f"{match['date']}T{match['time'] or '00:00'}")
        if local.year not in _YEARS:
            return None, f"must lie between the years {_YEARS[0]} and {_YEARS[-1]}"
        if match["offset"]:
            return datetime.fromisoformat(f"{local.isoformat()}{match['offset']}").astimezone(UTC), ""
    except ValueError as error:
        return None, f"{wrong}: {error}"
    return instant(local if match["time"] else local + timedelta(days=1), of), ""


def _taken(document: Document, name: str, first: Document) -> Problem:
    return document.problem(
        "metadata",
        "name",
        message=f"the name `{name}` is taken by another SLOExclusion",
        hint=f"first used at {first.position_of('metadata', 'name')}",
        rule="duplicate-name",
    )


def declared(documents: Sequence[Document], slos: Sequence[SLO]) -> list[tuple[Exclusion, tuple[str, ...]]]:
    """Every exclusion among the documents, with the names of the SLOs that it is taken from, if any."""
    found = []
    for document in documents:
        if isinstance(document.value, ExclusionDocument):
            exclusion, _ = exclusion_of(document, document.value)
            selection = document.value.spec.select
            if exclusion is not None:
                found.append((exclusion, tuple(slo.name for slo in slos if selection.fits(slo))))
    return found


def selected_by(slos: Sequence[SLO]) -> Iterator[tuple[Exclusion, tuple[str, ...]]]:
    """Every exclusion of the SLOs with the names of those that it is taken from, by name."""
    by_name: dict[str, tuple[Exclusion, list[str]]] = {}
    for slo in slos:
        for exclusion in slo.exclusions:
            by_name.setdefault(exclusion.name, (exclusion, []))[1].append(slo.name)
    for name in sorted(by_name):
        exclusion, of = by_name[name]
        yield exclusion, tuple(of)
