"""Loads from the store what must be known to reckon days, in few queries for many days."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from controlplane.model.delivery import (
    Artifact,
    Change,
    DeliveryIncident,
    Deployment,
    SheetKey,
)
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.reckoning import looks, neighbours
from exporters.dora.reckoning.deliveries import ranges
from exporters.dora.reckoning.naming import NamedDeployments
from exporters.dora.reckoning.stretch import Changes, Stretch, Track, names_of

if TYPE_CHECKING:
    from controlplane.delivery_ports import DeliveryLog

_DAY: Final = timedelta(days=1)
_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Gathered:
    """A stretch with all that is known around [start, end), and the days of it that were asked for."""

    stretch: Stretch
    start: datetime
    end: datetime
    days: tuple[date, ...]


def gather(log: "DeliveryLog", keys: Sequence[SheetKey], policy: DeliveryPolicy) -> list[Gathered]:
    """The facts for these days; days of one service that lie near each other share a stretch. Sorted by service."""
    spans = [_load(log, span, policy) for span in _spans(keys, policy)]
    return _complete(log, spans, policy)


def gather_span(
    log: "DeliveryLog", service: str, environment: str, start: datetime, end: datetime, policy: DeliveryPolicy
) -> Gathered:
    """The facts for [start, end) of one service."""
    return _complete(log, [_load(log, _Span(service, environment, start, end, ()), policy)], policy)[0]


@dataclass(frozen=True, slots=True)
class _Span:
    service: str
    environment: str
    start: datetime
    end: datetime
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class _Loaded:
    span: _Span
    deployments: tuple[Deployment, ...]
    incidents: tuple[DeliveryIncident, ...]
    names: frozenset[str]  # of its deployments that incidents of any time may name


def _spans(keys: Sequence[SheetKey], policy: DeliveryPolicy) -> Iterable[_Span]:
    tracks: dict[tuple[str, str], set[date]] = {}
    for key in keys:
        tracks.setdefault((key.service, key.environment), set()).add(key.day)
    near = 2 * looks.back(policy) + _DAY
    for (service, environment), days in sorted(tracks.items()):
        ordered = sorted(days)
        breaks = [index for index, (one, next_) in enumerate(pairwise(ordered), 1) if next_ - one > near]
        for first, last in pairwise([0, *breaks, len(ordered)]):
            group = ordered[first:last]
            yield _Span(service, environment, _midnight(group[0]), _midnight(group[-1]) + _DAY, tuple(group))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _load(log: "DeliveryLog", span: _Span, policy: DeliveryPolicy) -> _Loaded:
    track = (span.service, span.environment)
    around = looks.back(policy) + looks.ROLLOUT_AT_MOST
    first = span.start - around - policy.rollback_window
    deployments = [
        one
        for one in log.deployments_between(first, span.end + around, service=span.service, environment=span.environment)
        if one.service == span.service
    ]
    before = neighbours.last_before(log, track, first, looks.CONTEXT)
    start = span.start - looks.follow(policy) - looks.ROLLOUT_AT_MOST
    end = span.end + looks.causes(policy) + _INSTANT
    incidents = log.incidents_between(start, end, service=span.service, environment=span.environment)
    blamable = [one for one in deployments if span.start - looks.follow(policy) <= one.at < span.end]
    return _Loaded(
        span,
        (*before, *deployments),
        tuple(one for one in incidents if one.started_at >= start and one.service == span.service),
        frozenset(name for one in blamable for name in names_of(one)),
    )


def _complete(log: "DeliveryLog", loaded: Sequence[_Loaded], policy: DeliveryPolicy) -> list[Gathered]:
    naming = log.incidents_naming(sorted({name for one in loaded for name in one.names}))
    incidents = {one.id: one for one in (*naming, *(each for one in loaded for each in one.incidents))}
    corrections = log.corrections(sorted(incidents))
    named = NamedDeployments(log, corrections, list(incidents.values()))
    artifacts = log.artifacts(sorted({name for one in loaded for each in one.deployments for name in each.artifacts}))
    gathered = []
    for one in loaded:
        own = {incident.id: incident for incident in one.incidents}
        here = (one.span.service, one.span.environment)
        own.update((each.id, each) for each in naming if named.leads_to(each.id, *here))
        stretch = Stretch(
            here[0],
            here[1],
            one.deployments,
            artifacts=artifacts,
            incidents=tuple(own.values()),
            corrections=corrections,
            corrected=named.corrected,
            linked=named.linked,
        )
        gathered.append(Gathered(stretch, one.span.start, one.span.end, one.span.days))
    return _with_changes(log, gathered, artifacts.values(), policy)


def _with_changes(
    log: "DeliveryLog", gathered: Sequence[Gathered], artifacts: Iterable[Artifact], policy: DeliveryPolicy
) -> list[Gathered]:
    """First the changes that deployments go up to, then those in between."""
    deployments = [each for one in gathered for each in one.stretch.deployments]
    known, asked = _anchors(log, deployments, artifacts)
    known += _firsts(log, known, asked)
    between: dict[str, list[tuple[datetime, datetime]]] = {}
    for change in known:  # with what else is said of its revision
        between.setdefault(change.repository, []).append((change.merged_at - _INSTANT, change.merged_at))
    changes = Changes(known)
    for one in gathered:
        for repository, range_ in ranges(Track(replace(one.stretch, changes=changes), policy)):
            between.setdefault(repository, []).append(range_)
    for repository, spans in sorted(between.items()):
        for after, until in _merged(spans):
            known += log.changes_merged(repository, after, until + looks.SAME_REVISION)
    known += _firsts(log, known, asked)
    complete = Changes(known)
    return [replace(one, stretch=replace(one.stretch, changes=complete)) for one in gathered]


def _anchors(
    log: "DeliveryLog", deployments: Sequence[Deployment], artifacts: Iterable[Artifact]
) -> tuple[list[Change], set[tuple[str, str]]]:
    """Changes that deployments and artifacts lead to, and the revisions by which they were looked for."""
    revisions = {(one.repository, one.revision) for one in deployments if one.revision}
    ids = {id_ for one in deployments for id_ in one.changes}
    for artifact in artifacts:
        ids.update({artifact.change} - {""})
        revisions.update({(artifact.repository, artifact.revision)} if artifact.revision else ())
    found = [*log.changes(sorted(ids)).values(), *log.changes_of_revisions(sorted(revisions)).values()]
    return found, revisions


def _firsts(log: "DeliveryLog", known: Sequence[Change], asked: set[tuple[str, str]]) -> list[Change]:
    """The earliest of those that are one with these, where nobody asked for it yet."""
    revisions = {(one.repository, one.revision) for one in known if one.revision} - asked
    asked |= revisions
    return list(log.changes_of_revisions(sorted(revisions)).values())


def _merged(spans: Sequence[tuple[datetime, datetime]]) -> Iterable[tuple[datetime, datetime]]:
    """Ranges that overlap as one."""
    ordered = sorted(spans)
    after, until = ordered[0]
    for first, last in ordered[1:]:
        if first > until:
            yield after, until
            after, until = first, last
        until = max(until, last)
    yield after, until
