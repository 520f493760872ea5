"""What two or more features need from the outside, as protocols. Adapters implement them; the roof joins the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from controlplane.model.outbox import EVERY_CHANNEL, LEAST_URGENT

if TYPE_CHECKING:  # every command imports this; few see a value of these types
    from controlplane.anomaly_ports import AnomalyLog
    from controlplane.check_ports import CheckLog
    from controlplane.delivery_ports import DeliveryLog
    from controlplane.incident_ports import AccessLog, FollowUpLog, IncidentLog, TellingLog
    from controlplane.ladder_ports import LadderLog
    from controlplane.model.alert import Alert, StoredAlert
    from controlplane.model.event import JSON, Event, RecordedEvent
    from controlplane.model.outbox import AuditEntry, Channels, DueMessage, OutboxMessage
    from controlplane.model.series import Sample, Series
    from controlplane.model.spend import SpendQuestion, SpendTable
    from controlplane.status_ports import StatusLog
    from controlplane.usage_ports import UsageLog


class Transient(Exception):
    """The outside failed in a way that may pass: try again later."""


class Permanent(Exception):
    """The outside refused; the same request will be refused again."""


class LeaseLost(Exception):
    """Another replica holds the lease now; the transaction was rolled back and nothing was written."""


class Clock(Protocol):
    """The time, as an aware UTC datetime."""

    def now(self) -> datetime:
        """Now."""
        ...


class MetricsBackend(Protocol):
    """A Prometheus-compatible query API.

    Errors: `Transient` for network, 5xx and timeouts; `Permanent` for bad PromQL.
    """

    def query(self, expr: str, at: datetime) -> list[Sample]:
        """The instant vector at `at`; a scalar is one sample without labels; empty when there is no data."""
        ...

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        """Series from `start` to `end`, both included, in as many requests as it takes; empty without data."""
        ...


class CostLedger(Protocol):
    """What was spent, as far as one ledger knows. `Transient` when it cannot be read now."""

    def spend(self, question: SpendQuestion) -> SpendTable:
        """Exact sums; no rows where nothing is known. Raises `Permanent` for a dimension that it cannot split by."""
        ...


class MetricsCatalogue(Protocol):
    """What a Prometheus has: names, labels, types, and its own settings. Errors as in `MetricsBackend`.

    What a compatible server does not tell is None, or empty.
    """

    def metric_names(self, start: datetime, end: datetime) -> frozenset[str]:
        """Names of metrics that had a series in that time, rounded up to whole blocks."""
        ...

    def label_names(self, metric: str, start: datetime, end: datetime) -> frozenset[str]:
        """Names of the labels of a metric's series, `__name__` aside."""
        ...

    def series(self, selectors: Sequence[str], start: datetime, end: datetime) -> list[Mapping[str, str]]:
        """Labels of every series that one of the selectors matches, each once."""
        ...

    def metric_types(self) -> Mapping[str, str]:
        """`counter`, `gauge`, … by metric, as far as its targets tell."""
        ...

    def retention(self) -> timedelta | None:
        """How long it keeps samples; None when only their size is bounded."""
        ...

    def scrape_intervals(self) -> Mapping[str, timedelta]:
        """The longest scrape interval of each job's targets."""
        ...


class SeriesWriter(Protocol):
    """Takes series with their past into a metrics backend.

    Errors: `Transient` for network, 5xx and timeouts; `Permanent` when it refuses, such as samples that are too old.
    """

    def write(self, series: Sequence[Series]) -> None:
        """Write all points; returns after the backend has taken them. Points that are there already change nothing."""
        ...


@dataclass(frozen=True, slots=True)
class LoadedGroup:
    """A rule group that an engine says it runs; `rules` are (name, normalised expression) in order."""

    file: str
    name: str
    interval: timedelta
    rules: tuple[tuple[str, str], ...]


class RuleEngine(Protocol):
    """What evaluates rule files. Errors as in `MetricsBackend`; a refused configuration is `Permanent`."""

    def reload(self) -> None:
        """Read the rule files again; returns after the engine has taken them or raises."""
        ...

    def ensure_answering(self) -> None:
        """Raise when it does not answer; cheap, while `loaded_groups` may be tens of megabytes."""
        ...

    def loaded_groups(self) -> list[LoadedGroup]:
        """Every group that runs now."""
        ...


@dataclass(frozen=True, slots=True)
class HeldLease:
    """Proof of leadership: `epoch` grows each time the lease changes hands; every write checks it."""

    name: str
    holder: str
    epoch: int


class Leases(Protocol):
    """One row per name says who may act. Expiry is judged by the database's own clock."""

    def acquire(self, name: str, holder: str, ttl: timedelta) -> HeldLease | None:
        """Take or renew it; None while somebody else holds it. Renewing keeps the epoch, taking over increments it."""
        ...

    def release(self, lease: HeldLease) -> None:
        """Give it up, if we still hold it."""
        ...


class AlertLog(Protocol):
    """Alerts as received, one per (fingerprint, starts_at)."""

    def record(self, alert: Alert, received_at: datetime) -> bool:
        """Store or update it; True when that changed what we knew (new alert, or firing became resolved).

        A resolved alert never turns back to firing: a late or repeated delivery changes only its count and its time.
        """
        ...

    def record_all(self, received: Sequence[Alert], received_at: datetime) -> list[Alert]:
        """`record` for each in order, in few statements; those that changed what we knew."""
        ...

    def close(self, seen: StoredAlert, ends_at: datetime) -> bool:
        """Resolve it without a delivery; False when it is resolved or was delivered again since it was `seen`."""
        ...

    def firing(self) -> list[StoredAlert]:
        """Those that fire now, latest start first."""
        ...

    def recent(self, limit: int) -> list[StoredAlert]:
        """The latest by start, firing or not."""
        ...


class EventLog(Protocol):
    """The append-only log through which features meet."""

    def append(self, event: Event, recorded_at: datetime) -> bool:
        """Write it; False when an event with this id is already there (nothing changes)."""
        ...

    def append_all(self, new: Sequence[Event], recorded_at: datetime) -> int:
        """`append` for each in order, in few statements; how many were written."""
        ...

    def after(self, sequence: int, limit: int, kinds: Sequence[str] = ()) -> list[RecordedEvent]:
        """Events with a larger sequence number, in order; `kinds` empty means all."""
        ...

    def between(self, start: datetime, end: datetime, kinds: Sequence[str] = ()) -> list[RecordedEvent]:
        """Events that occurred in [start, end), in order of occurrence."""
        ...

    def purge(self, before: datetime) -> int:
        """Forget events recorded before then, and with them that their ids were used; how many they were."""
        ...


CLAIM_HOLD: Final = timedelta(seconds=60)  # longer than any one delivery may take


class Outbox(Protocol):
    """Messages to the outside. At least once, in order per key of a channel, dead letters kept.

    A message whose older sibling is pending waits; a dead sibling holds nothing up.
    """

    def enqueue(self, message: OutboxMessage, now: datetime) -> bool:
        """Queue it in this transaction; False when the id was queued before."""
        ...

    def enqueue_all(self, messages: Sequence[OutboxMessage], now: datetime) -> int:
        """`enqueue` for each in order, in few statements; how many were queued."""
        ...

    def enqueue_current(self, messages: Sequence[OutboxMessage], now: datetime) -> int:
        """`enqueue_all` for messages that only say that there is news of their key; how many were queued.

        One whose channel and key have a pending message that nobody has claimed is not queued: whoever claims that
        one later reads the state as this transaction leaves it. The pending one becomes as urgent as the new one.
        """
        ...

    def claim(
        self,
        limit: int,
        now: datetime,
        hold: timedelta = CLAIM_HOLD,
        channels: Channels = EVERY_CHANNEL,
        urgency: int = LEAST_URGENT,
    ) -> list[DueMessage]:
        """Take due messages, at most one per key of a channel: the oldest pending; most urgent first, none less urgent
        than `urgency`.

        Commit, deliver them outside of any transaction, then say `delivered` or `failed` in another one. Nobody else
        gets them until `now + hold`; after that they are due again, for whoever claimed them has died.
        """
        ...

    def delivered(self, message_id: str, now: datetime) -> None:
        """It arrived."""
        ...

    def failed(self, message_id: str, reason: str, retry_at: datetime | None, now: datetime) -> None:
        """It did not; try again at `retry_at`, or bury it as a dead letter when that is None."""
        ...

    def postponed(self, message_id: str, until: datetime, now: datetime) -> None:
        """It was not even tried: it is due again at `until`, and that counts as no attempt."""
        ...

    def overdue(self, before: datetime, urgency: int, limit: int = 1000) -> list[DueMessage]:
        """Messages at least so urgent that were queued before then and are pending, claimed or not, or dead since:

        those given up within the last day. Oldest first.
        """
        ...

    def backlog(self) -> int:
        """Messages neither delivered nor dead."""
        ...

    def oldest(self) -> dict[str, datetime]:
        """Channels that have pending messages, claimed or not, and when the oldest of each was queued."""
        ...

    def dead_letters(self) -> int:
        """Messages given up."""
        ...

    def purge(self, before: datetime) -> int:
        """Forget messages delivered before then, and with them that their ids were used; how many they were."""
        ...


class AuditLog(Protocol):
    """Hash-chained record of every decision and change."""

    def append(self, *, at: datetime, actor: str, action: str, subject: str, detail: Mapping[str, JSON]) -> AuditEntry:
        """Add an entry at the end of the chain."""
        ...

    def entries(self, after: int = 0, limit: int = 1000) -> list[AuditEntry]:
        """Entries in order."""
        ...

    def verify(self) -> int | None:
        """The sequence number of the first entry that does not fit its chain (altered, removed, reordered), or None."""
        ...


class Transaction(Protocol):
    """Everything written here becomes visible together or not at all."""

    @property
    def alerts(self) -> AlertLog:
        """Alerts received."""
        ...

    @property
    def events(self) -> EventLog:
        """What happened."""
        ...

    @property
    def outbox(self) -> Outbox:
        """What must be told."""
        ...

    @property
    def audit(self) -> AuditLog:
        """Who did what."""
        ...

    @property
    def usage(self) -> UsageLog:
        """What was used, by whom."""
        ...

    @property
    def checks(self) -> CheckLog:
        """What was seen from outside."""
        ...

    @property
    def status(self) -> StatusLog:
        """What was observed and said on status pages."""
        ...

    @property
    def ladders(self) -> LadderLog:
        """Where downshift ladders stand, what they did, and what people said about them."""
        ...

    @property
    def incidents(self) -> IncidentLog:
        """Incidents, their alerts, timelines and escalations."""
        ...

    @property
    def telling(self) -> TellingLog:
        """What was told to whom outside."""
        ...

    @property
    def follow_up(self) -> FollowUpLog:
        """Actions, tickets, runs of runbooks."""
        ...

    @property
    def access(self) -> AccessLog:
        """Bearer tokens of the console."""
        ...

    @property
    def delivery(self) -> DeliveryLog:
        """Events of delivery, and what was measured of them."""
        ...

    @property
    def anomalies(self) -> AnomalyLog:
        """Models of series, anomalies, and what people said of them."""
        ...

    def database_time(self) -> datetime:
        """The database's own clock at this moment: the one that all replicas share."""
        ...


class Store(Protocol):
    """The one database."""

    @property
    def leases(self) -> Leases:
        """Leadership, in transactions of its own."""
        ...

    def transaction(
        self, *, lease: HeldLease | None = None, read_only: bool = False
    ) -> AbstractContextManager[Transaction]:
        """A unit of work; commits on leaving, rolls back on an exception.

        With `lease`, its epoch is checked inside the transaction, and `LeaseLost` is raised when it is no longer ours.
        With `read_only`, it sees one consistent state and waits for no writer; writing in it raises `Permanent`.
        Raises `Transient` when the database is locked or unreachable. When that happens while committing, it may have
        committed: repeat the whole unit, whose ids make that harmless.
        """
        ...

    def ping(self) -> None:
        """Raise `Transient` unless the database answers and its schema is the one we know."""
        ...
