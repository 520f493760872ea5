"""Alerts of a time that is over: those that reached us, and those that only Prometheus knows of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.explaining.fingerprints import fingerprint_of
from controlplane import incident_names
from controlplane.model.alert import StoredAlert
from controlplane.ports import MetricsBackend, Transaction

STEP: Final = timedelta(minutes=1)
QUERY: Final = f'ALERTS{{alertstate="firing",alertname!="{incident_names.ALERT_WATCHDOG}"}}'
MOST_STORED: Final = 50_000
_CHUNK: Final = timedelta(days=1)  # of one query: what is in memory at once
_ALIKE: Final = timedelta(minutes=10)  # Prometheus and Alertmanager may differ by this about when an alert began
_NOT_LABELS: Final = ("__name__", "alertstate")
_ALERTNAME: Final = "alertname"
_MANY: Final = 500


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert while it fired; `end` None: it still did at the end of what is looked at.

    `arrived`: it reached us. `acknowledged_at`: when somebody acknowledged the incident that it belonged to.
    """

    labels: Mapping[str, str]
    start: datetime
    end: datetime | None
    fingerprint: str
    arrived: bool = True
    acknowledged_at: datetime | None = None
    incident: str = ""

    @property
    def name(self) -> str:
        """That of its rule."""
        return self.labels.get(_ALERTNAME, self.fingerprint)

    def fires_at(self, at: datetime) -> bool:
        """Whether it fires at that time."""
        return self.start <= at and (self.end is None or at < self.end)


@dataclass(frozen=True, slots=True)
class Firings:
    """Alerts by start. `notes` say what is missing, in words."""

    fired: tuple[Fired, ...]
    notes: tuple[str, ...] = ()


def stored_firings(transaction: Transaction, since: datetime, until: datetime) -> Firings:
    """Alerts that fired in [since, until) and reached us, the Watchdog aside."""
    recent = transaction.alerts.recent(MOST_STORED)
    firing = {stored.alert.key: stored for stored in transaction.alerts.firing()}
    known = list({stored.alert.key: stored for stored in recent} | firing)
    by_key = {stored.alert.key: stored for stored in recent} | firing
    chosen = [by_key[key] for key in known if _is_within(by_key[key], since, until)]
    notes: tuple[str, ...] = ()
    if len(recent) == MOST_STORED and recent[-1].alert.starts_at > since:
        oldest = recent[-1].alert.starts_at
        notes = (
            f"more than {MOST_STORED:,} alerts are stored: those that ended before {oldest:%Y-%m-%d} are left out",
        )
    owners = _owners(transaction, chosen)
    fired = [_fired(stored, owners.get(stored.alert.key), until) for stored in chosen]
    return Firings(_ordered(fired), notes)


def prometheus_firings(backend: MetricsBackend, since: datetime, until: datetime) -> Firings:
    """Alerts that fired by Prometheus' own series, to the minute. Raises what the backend raises."""
    spans: dict[tuple[tuple[str, str], ...], list[tuple[datetime, datetime]]] = {}
    start = since
    while start < until:
        end = min(start + _CHUNK, until)
        for series in backend.query_range(QUERY, start, end, STEP):
            labels = tuple(sorted((name, text) for name, text in series.labels.items() if name not in _NOT_LABELS))
            _extend(spans.setdefault(labels, []), [at for at, _ in series.points])
        start = end
    fired = [
        Fired(dict(labels), first, None if last + STEP >= until else last + STEP, fingerprint_of(dict(labels)), False)
        for labels, found in spans.items()
        for first, last in found
    ]
    return Firings(_ordered(fired))


def joined(stored: Firings, others: Firings) -> Firings:
    """Each alert once: what Prometheus knows of and reached us as well is what reached us.

    Labels that Prometheus adds on the way (`external_labels`) are those of the stored ones alone.
    """
    by_name: dict[str, list[Fired]] = {}
    for fired in stored.fired:
        by_name.setdefault(fired.name, []).append(fired)
    unknown = [fired for fired in others.fired if not any(_is_same(fired, own) for own in by_name.get(fired.name, ()))]
    return Firings(_ordered([*stored.fired, *unknown]), (*stored.notes, *others.notes))


def _is_same(seen: Fired, own: Fired) -> bool:
    if not seen.labels.items() <= own.labels.items():
        return False
    starts_late = own.end is not None and seen.start - _ALIKE >= own.end
    ends_early = seen.end is not None and seen.end + _ALIKE <= own.start
    return not (starts_late or ends_early)


def _is_within(stored: StoredAlert, since: datetime, until: datetime) -> bool:
    alert = stored.alert
    is_watchdog = alert.labels.get(_ALERTNAME) == incident_names.ALERT_WATCHDOG
    return not is_watchdog and alert.starts_at < until and (alert.ends_at is None or alert.ends_at > since)


def _owners(
    transaction: Transaction, chosen: Sequence[StoredAlert]
) -> dict[tuple[str, datetime], tuple[str, datetime | None]]:
    """Names of incidents, and when they were acknowledged, by alert."""
    found: dict[tuple[str, datetime], tuple[str, datetime | None]] = {}
    incidents: dict[str, tuple[str, datetime | None]] = {}
    for batch in _batches(chosen):
        for key, id_ in transaction.incidents.incidents_of([stored.alert.key for stored in batch]).items():
            if id_ not in incidents:
                incident = transaction.incidents.incident(id_)
                incidents[id_] = (incident.name, incident.acknowledged_at) if incident else ("", None)
            found[key] = incidents[id_]
    return found


def _batches(chosen: Sequence[StoredAlert]) -> Iterator[Sequence[StoredAlert]]:
    for start in range(0, len(chosen), _MANY):
        yield chosen[start : start + _MANY]


def _fired(stored: StoredAlert, owner: tuple[str, datetime | None] | None, until: datetime) -> Fired:
    alert = stored.alert
    end = alert.ends_at if alert.ends_at is not None and alert.ends_at < until else None
    fired = Fired(dict(alert.labels), alert.starts_at, end, alert.fingerprint)
    return replace(fired, incident=owner[0], acknowledged_at=owner[1]) if owner else fired


def _extend(spans: list[tuple[datetime, datetime]], times: Sequence[datetime]) -> None:
    for at in times:
        if spans and at - spans[-1][1] <= STEP:
            spans[-1] = spans[-1][0], max(at, spans[-1][1])
        else:
            spans.append((at, at))


def _ordered(fired: Sequence[Fired]) -> tuple[Fired, ...]:
    return tuple(sorted(fired, key=lambda each: (each.start, each.fingerprint)))
